package negotiate

import (
	"slices"
	"strings"
)

// Language finds the language that an Accept-Language header asks for, by Lookup (RFC
// 4647 section 3.4): it returns the place of a tag in available, or 0 if none fits, as
// the first is the default. Tags are compared without case. What is not in the grammar,
// or too long, is no wish.
func Language(values []string, available ...string) int {
	wishes, ok := parseLanguages(values)
	if !ok {
		return 0
	}
	for _, w := range wishes {
		if w.name == "*" {
			return 0
		}
		for name := w.name; name != ""; name = shorter(name) {
			if i := slices.IndexFunc(available, func(tag string) bool { return strings.EqualFold(tag, name) }); i >= 0 {
				return i
			}
		}
	}
	return 0
}

// shorter leaves out the last subtag, and a single letter before it, which means
// nothing alone.
func shorter(name string) string {
	i := strings.LastIndexByte(name, '-')
	if i < 0 {
		return ""
	}
	name = name[:i]
	if i := strings.LastIndexByte(name, '-'); i == len(name)-2 {
		return name[:max(i, 0)]
	}
	return name
}

type language struct {
	name    string
	quality int
}

// parseLanguages returns the languages of a header (RFC 9110 section 12.5.4), what is
// wanted most first, without those that are not wanted at all.
func parseLanguages(values []string) (wishes []language, ok bool) {
	room, count := maxBytes/2, 0
	for _, value := range values {
		if room -= len(value); room < 0 {
			return nil, false
		}
		for item := range strings.SplitSeq(value, ",") {
			if item = strings.Trim(item, " \t"); item == "" {
				continue
			}
			name, weight, weighted := strings.Cut(item, ";")
			w := language{strings.TrimRight(name, " \t"), 1000}
			if weighted {
				key, value, _ := strings.Cut(strings.TrimLeft(weight, " \t"), "=")
				if w.quality, ok = quality(value); !ok || !strings.EqualFold(key, "q") {
					return nil, false
				}
			}
			if count++; !isLanguageRange(w.name) || count > maxRanges {
				return nil, false
			}
			if w.quality > 0 {
				wishes = append(wishes, w)
			}
		}
	}
	slices.SortStableFunc(wishes, func(a, b language) int { return b.quality - a.quality })
	return wishes, true
}

// isLanguageRange reports whether s is a basic language range (RFC 4647 section 2.1).
func isLanguageRange(s string) bool {
	if s == "*" {
		return true
	}
	for i, part := range strings.Split(s, "-") {
		if len(part) == 0 || len(part) > 8 {
			return false
		}
		for j := range len(part) {
			letter := 'a' <= part[j]|0x20 && part[j]|0x20 <= 'z'
			if !letter && (i == 0 || part[j] < '0' || part[j] > '9') {
				return false
			}
		}
	}
	return true
}

// IsLanguageTag reports whether s is well-formed as a tag: one that a catalogue can
// have.
func IsLanguageTag(s string) bool { return s != "*" && isLanguageRange(s) }
