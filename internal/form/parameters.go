package form

import (
	"strings"

	"github.com/fastness/fastness/internal/field"
)

// parameter is one parameter of a media type or a disposition.
type parameter struct{ name, value string }

// parameters returns the parameters in s, which begins after the first
// semicolon, their names in lower case. ok is false if s is malformed or a name
// comes twice: of two values, one reader takes the first, another the last.
//
// A semicolon may end the list. Empty parameters elsewhere, which RFC 9110
// section 5.6.6 allows, are refused: some readers stop at them.
//
// A quoted value is taken as it stands. A backslash in it is refused, since
// browsers mean the character itself and RFC 9110 an escape.
func parameters(s string, dst []parameter) (params []parameter, ok bool) {
	for {
		s = strings.TrimLeft(s, " \t")
		if s == "" {
			return dst, true
		}
		name, rest, found := strings.Cut(s, "=")
		if !found || !field.IsToken(name) {
			return nil, false
		}
		p := parameter{name: strings.ToLower(name)}
		if p.value, s, ok = parameterValue(rest); !ok {
			return nil, false
		}
		if s = strings.TrimLeft(s, " \t"); s != "" && s[0] != ';' {
			return nil, false
		}
		s = strings.TrimPrefix(s, ";")
		for _, earlier := range dst {
			if earlier.name == p.name {
				return nil, false
			}
		}
		if dst = append(dst, p); len(dst) > maxParameters {
			return nil, false
		}
	}
}

// maxParameters bounds the search for duplicates.
const maxParameters = 16

func parameterValue(s string) (value, rest string, ok bool) {
	if quoted, found := strings.CutPrefix(s, `"`); found {
		value, rest, ok = strings.Cut(quoted, `"`)
		for i := range len(value) {
			if value[i] == '\\' || isControl(value[i]) && value[i] != '\t' {
				return "", "", false
			}
		}
		return value, rest, ok
	}
	end := 0
	for end < len(s) && field.IsTokenChar(s[end]) {
		end++
	}
	return s[:end], s[end:], end > 0
}
