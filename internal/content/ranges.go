package content

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// span is a part of a representation.
type span struct{ start, length int64 }

func (s span) contentRange(size int64) string {
	return fmt.Sprintf("bytes %d-%d/%d", s.start, s.start+s.length-1, size)
}

// maxRanges is how many parts one request may ask for. A viewer of PDF asks for a
// handful.
const maxRanges = 10

var errUnsatisfiable = errors.New("no such range")

// parseRange reads the Range of a request for something of size bytes (RFC 9110 section
// 14.1.2). No parts and no error means to send all: what is no range of bytes, or is not
// one at all, is passed over (section 14.2).
//
// Many parts, or parts that overlap, are what an attacker asks for who wants an answer
// many times as large as the file out of a request of a kilobyte (CVE-2011-3192). They
// are refused, and so is what lies behind the end.
func parseRange(header string, size int64) ([]span, error) {
	set, found := strings.CutPrefix(header, "bytes=")
	if !found {
		return nil, nil
	}
	if strings.Count(set, ",") > 4*maxRanges {
		return nil, errUnsatisfiable
	}
	var spans []span
	for text := range strings.SplitSeq(set, ",") {
		if text = strings.Trim(text, " \t"); text == "" {
			continue
		}
		s, inside, ok := parseSpan(text, size)
		if !ok {
			return nil, nil
		}
		if inside {
			spans = append(spans, s)
		}
	}
	if len(spans) == 0 || len(spans) > maxRanges || overlap(spans) {
		return nil, errUnsatisfiable
	}
	return spans, nil
}

// parseSpan reads one range, and reports whether any of it is there.
func parseSpan(text string, size int64) (s span, inside, ok bool) {
	first, last, found := strings.Cut(text, "-")
	if !found || first == "" && last == "" {
		return span{}, false, false
	}
	from, okFirst := position(first)
	to, okLast := position(last)
	switch {
	case !okFirst && first != "" || !okLast && last != "":
		return span{}, false, false
	case first == "": // The last bytes.
		n := min(to, size)
		return span{size - n, n}, n > 0, true
	case last == "":
		to = size - 1
	case to < from:
		return span{}, false, false
	}
	to = min(to, size-1)
	return span{from, to - from + 1}, from < size, true
}

// position reads digits. What is too large for a file is behind its end.
func position(text string) (int64, bool) {
	if text == "" || strings.Trim(text, "0123456789") != "" {
		return 0, false
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n, true
	}
	return 1<<63 - 1, true
}

func overlap(spans []span) bool {
	sorted := slices.SortedFunc(slices.Values(spans), func(a, b span) int {
		if a.start < b.start {
			return -1
		}
		return 1
	})
	for i := 1; i < len(sorted); i++ {
		if sorted[i].start < sorted[i-1].start+sorted[i-1].length {
			return true
		}
	}
	return false
}
