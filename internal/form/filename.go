package form

import (
	"path"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxFileName is the longest name that common file systems take, in bytes.
const maxFileName = 255

// FileName makes a client's file name harmless: it keeps the last path element,
// drops control, format and bidirectional characters (which make "gpj.exe" read
// "exe.jpg"), replaces what Windows has no names for, trims dots and spaces at
// both ends, disarms the names of Windows devices, and cuts to 255 bytes before
// the extension. The result is never empty, and cleaning it again changes
// nothing.
func FileName(s string) string {
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

func trimName(s string) string { return strings.Trim(s, ". ") }

// cutName cuts s to [maxFileName], out of its middle if it has an extension.
func cutName(s string) string {
	if len(s) <= maxFileName {
		return s
	}
	extension := path.Ext(s)
	if len(extension) > 32 {
		extension = ""
	}
	end := maxFileName - len(extension)
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
