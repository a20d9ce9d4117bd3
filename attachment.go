package fastness

import (
	"path"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxFileName is the most bytes of a file's name. Most systems have 255.
const maxFileName = 150

// attachment returns the Content-Disposition of a CSV that is called name: with the
// name for browsers, and one of ASCII for others (RFC 6266 section 4.3, appendix D).
func attachment(name string) string {
	name = fileName(name)
	ascii := strings.Map(func(r rune) rune {
		if r > '~' || r == '%' { // Some decode what looks escaped.
			return '_'
		}
		return r
	}, name)
	value := `attachment; filename="` + ascii + `"`
	if ascii != name {
		value += "; filename*=UTF-8''" + escapeSegment(name)
	}
	return value
}

// fileName returns name as that of a CSV file in no particular folder.
func fileName(name string) string {
	clean := strings.Map(func(r rune) rune {
		switch {
		case r == utf8.RuneError, unicode.In(r, unicode.C, unicode.Zl, unicode.Zp): // Also what turns the direction of text: "exe.vsc" for "csv.exe".
			return -1
		case strings.ContainsRune(`/\:*?"<>|;'`, r):
			return '_'
		case unicode.IsSpace(r):
			return ' '
		}
		return r
	}, name)
	clean = strings.TrimLeft(strings.TrimSpace(clean), ". ~-")
	if strings.EqualFold(path.Ext(clean), ".csv") {
		clean = clean[:len(clean)-len(".csv")]
	}
	for len(clean) > maxFileName-len(".csv") {
		_, size := utf8.DecodeLastRuneInString(clean)
		clean = clean[:len(clean)-size]
	}
	clean = strings.TrimRight(clean, ". ")
	if clean == "" {
		clean = "export"
	}
	return clean + ".csv"
}
