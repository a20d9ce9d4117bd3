package conditional

import (
	"net/http"
	"strings"

	"github.com/fastness/fastness/problem"
)

// maxTags is how many tags a request may list: a client has one, a cache a few.
const maxTags = 50

// list is what If-Match and If-None-Match hold.
type list struct {
	any  bool // *
	tags []Tag
}

// has reports whether current is one of the list: there is no version that none is.
func (l list) has(current Tag, same func(Tag) bool) bool {
	if current.IsZero() {
		return false
	}
	if l.any {
		return true
	}
	for _, t := range l.tags {
		if same(t) {
			return true
		}
	}
	return false
}

func parseHeader(name string, values []string) (list, error) {
	l, ok := parseList(strings.Join(values, ","))
	if !ok {
		return list{}, problem.New(http.StatusBadRequest, name+" must be * or a list of entity tags").Named("entity_tags_invalid")
	}
	return l, nil
}

// parseList reads "*" or entity tags with commas between (RFC 9110 sections 13.1.1
// and 5.6.1). Empty elements are passed over, a list of nothing else is an error.
func parseList(text string) (l list, ok bool) {
	text = strings.Trim(text, " \t")
	if text == "*" {
		return list{any: true}, true
	}
	for {
		text = strings.TrimLeft(text, " \t,")
		if text == "" {
			return l, len(l.tags) > 0
		}
		t, rest, ok := parseTag(text)
		rest = strings.TrimLeft(rest, " \t")
		if !ok || rest != "" && rest[0] != ',' || len(l.tags) == maxTags {
			return list{}, false
		}
		l.tags, text = append(l.tags, t), rest
	}
}

// parseTag reads the tag at the beginning of text. There is no escape in it: a
// comma and a backslash are what they are (RFC 9110 section 8.8.3).
func parseTag(text string) (t Tag, rest string, ok bool) {
	text, t.weak = strings.CutPrefix(text, "W/")
	if text == "" || text[0] != '"' {
		return Tag{}, "", false
	}
	for i := 1; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			t.opaque = text[:i+1]
			return t, text[i+1:], true
		case c < '!' || c == 0x7f:
			return Tag{}, "", false
		}
	}
	return Tag{}, "", false
}

// Parse reads one entity tag, as the header ETag has it.
func Parse(text string) (t Tag, ok bool) {
	t, rest, ok := parseTag(text)
	if !ok || rest != "" {
		return Tag{}, false
	}
	return t, true
}
