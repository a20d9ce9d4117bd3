package schema

import (
	"reflect"
	"slices"
	"strings"
	"unicode"
)

// Style says how members and parameters are called that have no name of their own.
// The zero value is [GoNames].
type Style int

const (
	// GoNames are the names of the fields: UnitPrice, as encoding/json does.
	GoNames Style = iota
	// SnakeCase is unit_price.
	SnakeCase
	// CamelCase is unitPrice.
	CamelCase
)

// Name returns the name of a field in the style. Words begin at upper-case letters; a
// run of them is one word, with the digits behind it and the s of a plural: ItemID
// becomes item_id and itemId, HTTPServer http_server, UserIDs user_ids, MD5Sum md5_sum.
func (s Style) Name(field string) string {
	if s == GoNames {
		return field
	}
	words := wordsOf(field)
	for i, word := range words {
		word = strings.ToLower(word)
		if s == CamelCase && i > 0 {
			first := []rune(word)
			first[0] = unicode.ToUpper(first[0])
			word = string(first)
		}
		words[i] = word
	}
	if s == CamelCase {
		return strings.Join(words, "")
	}
	return strings.Join(words, "_")
}

// Header returns the name of a header field in any style but GoNames: X-Request-Tag.
func (s Style) Header(field string) string {
	if s == GoNames {
		return field
	}
	return strings.ReplaceAll(SnakeCase.Name(field), "_", "-")
}

// wordsOf returns the words of a Go identifier.
func wordsOf(name string) (words []string) {
	letters := []rune(name)
	start := 0
	end := func(i int) {
		if i > start {
			words = append(words, string(letters[start:i]))
		}
		start = i
	}
	for i, r := range letters {
		switch {
		case r == '_':
			end(i)
			start = i + 1
		case i == start || !unicode.IsUpper(r):
		case !unicode.IsUpper(letters[i-1]), startsWord(letters[i:]):
			end(i)
		}
	}
	end(len(letters))
	return words
}

// startsWord reports whether the upper-case letter after others begins a word: one
// goes on in lower case, and not with the s of a plural alone (IDs).
func startsWord(rest []rune) bool {
	if len(rest) < 2 || !unicode.IsLower(rest[1]) {
		return false
	}
	plural := rest[1] == 's' && (len(rest) == 2 || !unicode.IsLower(rest[2]))
	return !plural
}

// memberOf returns what the tag json says of a field, or else the style.
func (c *compiler) memberOf(sf reflect.StructField) (name, options string, styled bool) {
	name, options, _ = strings.Cut(sf.Tag.Get("json"), ",")
	if name == "" {
		return c.style.Name(sf.Name), options, true
	}
	return name, options, false
}

// styled reports whether values of n have members that the style names.
func styled(n node, seen map[*structNode]bool) bool {
	s, ok := n.(*structNode)
	if !ok {
		return slices.ContainsFunc(inside(n), func(inner node) bool { return styled(inner, seen) })
	}
	if seen[s] {
		return false
	}
	seen[s] = true
	return slices.ContainsFunc(s.fields, func(f field) bool { return f.styled || styled(f.plan, seen) })
}
