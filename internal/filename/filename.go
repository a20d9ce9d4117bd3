// Package filename makes the names that strangers give files harmless, and says what
// a browser is to call a file that it saves.
//
//	name := filename.Clean(`..\..\CON.txt`)                   // "_CON.txt"
//	header.Set("Content-Disposition", filename.Attachment(name)) // attachment; filename="_CON.txt"
package filename

import (
	"net/url"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxBytes is the longest name that common file systems take.
const MaxBytes = 255

// Clean makes a file's name harmless: it keeps the last path element, drops control,
// format and bidirectional characters (which make "gpj.exe" read "exe.jpg"), replaces
// what Windows has no names for, trims dots and spaces at both ends and what a command
// would take for an option or a home in front, disarms the names of Windows devices,
// and cuts to [MaxBytes] before the extension. The result is never empty, and cleaning
// it again changes nothing.
func Clean(s string) string {
	s = s[strings.LastIndexAny(s, `/\`)+1:]
	s = strings.Map(nameRune, strings.ToValidUTF8(s, ""))
	s = trimName(s)
	if isDevice(s) {
		s = "_" + s
	}
	if s = trimName(cutName(s)); s == "" {
		return "file"
	}
	return s
}

func nameRune(r rune) rune {
	switch {
	case strings.ContainsRune(`<>:"|?*`, r):
		return '_'
	case unicode.Is(unicode.Zs, r):
		return ' '
	case !unicode.IsPrint(r): // Controls, formats, separators, private use, unassigned.
		return -1
	}
	return r
}

func trimName(s string) string { return strings.TrimRight(strings.TrimLeft(s, ". ~-"), ". ") }

// cutName cuts s to [MaxBytes], out of its middle if it has an extension.
func cutName(s string) string {
	if len(s) <= MaxBytes {
		return s
	}
	extension := path.Ext(s)
	if len(extension) > 32 {
		extension = ""
	}
	end := MaxBytes - len(extension)
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return strings.TrimRight(s[:end], ". ") + extension
}

// isDevice reports whether Windows would open a device for s, whatever its
// extension.
func isDevice(s string) bool {
	stem, _, _ := strings.Cut(s, ".")
	stem = strings.ToUpper(strings.TrimRight(stem, " "))
	switch stem {
	case "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", "CLOCK$":
		return true
	}
	port, found := strings.CutPrefix(stem, "COM")
	if !found {
		port, found = strings.CutPrefix(stem, "LPT")
	}
	return found && utf8.RuneCountInString(port) == 1 && strings.Contains("0123456789¹²³", port)
}

// WithExtension returns the clean name of a file that is what extension, such as
// ".csv", says, whatever the name does.
func WithExtension(s, extension string) string {
	clean := Clean(s)
	stem := clean
	if strings.EqualFold(path.Ext(clean), extension) {
		stem = clean[:len(clean)-len(extension)]
	}
	for len(stem) > MaxBytes-len(extension) {
		_, size := utf8.DecodeLastRuneInString(stem)
		stem = stem[:len(stem)-size]
	}
	return strings.TrimRight(stem, ". ") + extension
}

// Attachment returns the Content-Disposition of a file that is to be saved under the
// name, once it is clean: for browsers of today, and in ASCII for others (RFC 6266
// section 4.3, appendix D).
func Attachment(name string) string { return disposition("attachment", name) }

// Inline is Attachment for a file that the browser may show.
func Inline(name string) string { return disposition("inline", name) }

func disposition(kind, name string) string {
	name = Clean(name)
	ascii := strings.Map(func(r rune) rune {
		if r > '~' || strings.ContainsRune("%;'", r) { // Some decode what looks escaped, some end at a semicolon.
			return '_'
		}
		return r
	}, name)
	value := kind + `; filename="` + ascii + `"`
	if ascii != name {
		value += "; filename*=UTF-8''" + escape(name)
	}
	return value
}

// escape escapes all but the unreserved characters (RFC 3986 section 2.3), which is
// less than RFC 8187 allows.
func escape(text string) string { return strings.ReplaceAll(url.QueryEscape(text), "+", "%20") }
