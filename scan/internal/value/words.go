package value

import (
	"strings"
	"unicode"
)

// Words splits a name as programs write it into words in lower case: "orderId",
// "order_id", "Order-ID" and "order.id" all are "order", "id".
func Words(name string) []string {
	var words []string
	var word []rune
	flush := func() {
		if len(word) > 0 {
			words = append(words, strings.ToLower(string(word)))
			word = nil
		}
	}
	runes := []rune(name)
	for i, r := range runes {
		switch {
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			flush()
			continue
		case unicode.IsUpper(r) && i > 0:
			lower := unicode.IsLower(runes[i-1]) || unicode.IsDigit(runes[i-1])
			ends := unicode.IsUpper(runes[i-1]) && i+1 < len(runes) && unicode.IsLower(runes[i+1]) && !plural(runes, i)
			if lower || ends {
				flush()
			}
		}
		word = append(word, r)
	}
	flush()
	return words
}

// plural reports whether the rest of a run of capitals is an "s", as in "orderIDs".
func plural(runes []rune, i int) bool {
	return i+2 == len(runes) && runes[i+1] == 's'
}

// Singular returns an English noun in the singular, as well as its end lets one tell.
func Singular(word string) string {
	switch word {
	case "people":
		return "person"
	case "children":
		return "child"
	case "news", "status", "address", "series", "alias", "bus", "analysis", "basis", "canvas", "gas", "lens", "process", "access", "business", "class":
		return word
	case "movies", "cookies", "selfies", "calories", "zombies", "ties", "pies":
		return strings.TrimSuffix(word, "s")
	case "caches":
		return "cache"
	case "aliases":
		return "alias"
	case "indices":
		return "index"
	case "data":
		return word
	}
	switch {
	case strings.HasSuffix(word, "ies") && len(word) > 4:
		return strings.TrimSuffix(word, "ies") + "y"
	case hasAny(word, "sses", "shes", "ches", "xes", "uses") && !strings.HasSuffix(word, "causes") && !strings.HasSuffix(word, "houses"):
		return strings.TrimSuffix(word, "es")
	case hasAny(word, "ss", "us", "is") || len(word) < 3:
		return word
	}
	return strings.TrimSuffix(word, "s")
}

func hasAny(word string, ends ...string) bool {
	for _, end := range ends {
		if strings.HasSuffix(word, end) {
			return true
		}
	}
	return false
}

// Normal returns a name in one form: words in the singular, without anything between.
func Normal(name string) string {
	words := Words(name)
	for i, w := range words {
		words[i] = Singular(w)
	}
	return strings.Join(words, "")
}
