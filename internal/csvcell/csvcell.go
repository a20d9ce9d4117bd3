// Package csvcell writes texts into the cells of a CSV so that no spreadsheet runs
// them as formulas, whoever wrote them (CWE-1236).
package csvcell

import (
	"unicode"
	"unicode/utf8"
)

// Append appends a text as a quoted cell (RFC 4180 section 2), with an apostrophe
// wherever a spreadsheet could take a part of it for a formula.
func Append(out []byte, text string) []byte {
	out = append(out, '"')
	if runs(text) {
		out = append(out, '\'')
	}
	border := false // A cell may begin here, for a reader with another separator.
	for i, r := range text {
		switch {
		case r == ';' || r == '\t' || r == '\n' || r == '\r':
			border = true
		case border && isTrigger(r):
			out, border = append(out, '\''), false
		case border && !isPassedOver(r):
			border = false
		case r == '"':
			out = append(out, '"')
		}
		out = append(out, text[i:i+runeLen(text[i:])]...)
	}
	return append(out, '"')
}

// runeLen returns how many bytes the first rune of text has there; one that is
// broken has one.
func runeLen(text string) int {
	_, size := utf8.DecodeRuneInString(text)
	return size
}

// runs reports whether a spreadsheet could run a cell with text in it.
func runs(text string) bool {
	for _, r := range text {
		if isTrigger(r) || r == '\t' || r == '\r' || r == '\n' || r == 0 {
			return true
		}
		if !isPassedOver(r) {
			return false
		}
	}
	return false
}

// isTrigger knows what formulas begin with, and what some programs read as the same:
// the full-width and small forms, and the minus of mathematics.
func isTrigger(r rune) bool {
	switch r {
	case '=', '+', '-', '@', '\uff1d', '\uff0b', '\uff0d', '\uff20', '\ufe66', '\ufe62', '\ufe63', '\ufe6b', '\u2212':
		return true
	}
	return false
}

// isPassedOver knows what may stand between the beginning of a cell and a formula:
// what some programs trim or do not show, and what they take for a border.
func isPassedOver(r rune) bool {
	return r == '"' || r == ',' || r == ';' || r == '|' || unicode.IsSpace(r) || unicode.In(r, unicode.C)
}
