// Package negotiate finds the representation that a request asks for by Accept (RFC
// 9110 section 12.5.1).
//
//	ranges, ok := negotiate.Parse(r.Header["Accept"])
//	best := ranges.Best([]string{"application/json"}, []string{"application/cbor"})
package negotiate

import (
	"strings"

	"github.com/fastness/fastness/internal/field"
)

// The most that is read of an Accept header. A browser's has eight ranges.
const (
	maxBytes  = 2048
	maxRanges = 32
)

// mediaRange is one item of the header. Its quality is in thousandths.
type mediaRange struct {
	major, minor string
	quality      int
}

// Ranges are what an Accept header asks for. None accept everything.
type Ranges []mediaRange

// Parse reads the values of all Accept header fields. It reports false for what is
// not in the grammar, or too long: a recipient may do as if it were not there, and some
// old programs send ".2" for a quality. Parameters of a range other than q are read
// and not compared: neither JSON nor CBOR has any.
func Parse(values []string) (Ranges, bool) {
	var ranges Ranges
	room := maxBytes
	for _, value := range values {
		if room -= len(value); room < 0 {
			return nil, false
		}
		for {
			item, rest, more := cutQuoted(value, ',')
			if item = strings.Trim(item, " \t"); item != "" { // Empty items are for the reader to skip (section 5.6.1.2).
				r, ok := parseRange(item)
				if !ok || len(ranges) == maxRanges {
					return nil, false
				}
				ranges = append(ranges, r)
			}
			if !more {
				break
			}
			value = rest
		}
	}
	return ranges, true
}

// cutQuoted cuts s at the first sep that is in no quoted string.
func cutQuoted(s string, sep byte) (before, after string, found bool) {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case c == sep && !quoted:
			return s[:i], s[i+1:], true
		}
	}
	return s, "", false
}

func parseRange(item string) (r mediaRange, ok bool) {
	name, params, more := cutQuoted(item, ';')
	r.quality = 1000
	r.major, r.minor, ok = strings.Cut(strings.ToLower(strings.Trim(name, " \t")), "/")
	if !ok || !field.IsToken(r.major) || !field.IsToken(r.minor) || r.major == "*" && r.minor != "*" {
		return r, false
	}
	seen := false
	for more {
		var param string
		param, params, more = cutQuoted(params, ';')
		if param = strings.Trim(param, " \t"); param == "" {
			continue
		}
		key, value, found := strings.Cut(param, "=")
		switch {
		case !found || !field.IsToken(key) || !field.IsToken(value) && !isQuoted(value):
			return r, false
		case strings.EqualFold(key, "q"):
			if r.quality, ok = quality(value); !ok || seen {
				return r, false
			}
			seen = true
		}
	}
	return r, true
}

// isQuoted reports whether s is a quoted string (RFC 9110 section 5.6.4).
func isQuoted(s string) bool {
	if len(s) < 2 || s[0] != '"' || s[len(s)-1] != '"' {
		return false
	}
	for i := 1; i < len(s)-1; i++ {
		switch c := s[i]; {
		case c == '\\':
			if i++; i == len(s)-1 {
				return false
			}
		case c == '"' || c < ' ' && c != '\t' || c == 0x7f:
			return false
		}
	}
	return true
}

// quality reads a qvalue (RFC 9110 section 12.4.2) in thousandths.
func quality(s string) (thousandths int, ok bool) {
	if len(s) == 0 || len(s) > 5 || s[0] != '0' && s[0] != '1' || len(s) > 1 && s[1] != '.' {
		return 0, false
	}
	thousandths = 1000 * int(s[0]-'0')
	for i, weight := 2, 100; i < len(s); i, weight = i+1, weight/10 {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		thousandths += weight * int(s[i]-'0')
	}
	return thousandths, thousandths <= 1000
}

// Best returns which of the offers is wanted most, or -1 if none is acceptable. An offer
// is one representation under its names. Of equal wishes the one that is named more
// exactly counts, and then the first.
func (list Ranges) Best(offers ...[]string) int {
	if len(list) == 0 {
		return 0
	}
	best, most, exact := -1, 0, 0
	for i, names := range offers {
		for _, name := range names {
			quality, precision := list.of(name)
			if quality > most || quality > 0 && quality == most && precision > exact {
				best, most, exact = i, quality, precision
			}
		}
	}
	return best
}

// of returns how much a media type is wanted, by the range that names it most
// exactly.
func (list Ranges) of(name string) (quality, precision int) {
	major, minor, _ := strings.Cut(name, "/")
	for _, r := range list {
		match := 0
		switch {
		case r.major == major && r.minor == minor:
			match = 3
		case r.major == major && r.minor == "*":
			match = 2
		case r.major == "*":
			match = 1
		}
		if match > precision || match > 0 && match == precision && r.quality > quality {
			quality, precision = r.quality, match
		}
	}
	return quality, precision
}
