package password

import (
	_ "embed"
	"strings"
	"unicode"
	"unicode/utf8"
)

// commonPasswords are the 17,950 most frequent passwords of at least 8
// characters in breaches, in lower case, sorted by their bytes, one a line. They
// come from @zxcvbn-ts/language-common 4.1.3, Copyright (c) 2012-2016 Dan Wheeler
// and Dropbox, Inc., Copyright (c) 2021 @zxcvbn-ts, MIT License.
//
//go:embed common.txt
var commonPasswords string

// sortedLines are lines that end in a newline, in the order of their bytes.
type sortedLines string

// has reports whether one of the lines is word.
func (l sortedLines) has(word string) bool {
	low, high := 0, len(l) // Both are where a line begins.
	for low < high {
		start := strings.LastIndexByte(string(l[:(low+high)/2]), '\n') + 1
		end := start + strings.IndexByte(string(l[start:]), '\n')
		switch line := string(l[start:end]); {
		case line == word:
			return true
		case line < word:
			low = end + 1
		default:
			high = start
		}
	}
	return false
}

// decoration is how many digits and signs around a common password make no
// other password of it: rules that ask for them have taught everybody to end in
// 2024! or begin with 123.
const decoration = 4

// isCommon reports whether a password in lower case is on the list, as it stands
// or without the digits and signs around it.
func (p *Policy) isCommon(folded string) bool {
	if p.common.has(folded) {
		return true
	}
	for front := 0; front <= decoration && isDecoration(folded[:min(front, len(folded))]); front++ {
		for back := 0; front+back <= decoration && front+back < len(folded); back++ {
			if !isDecoration(folded[len(folded)-back:]) {
				break
			}
			if p.common.has(folded[front : len(folded)-back]) {
				return true
			}
		}
	}
	return false
}

func isDecoration(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return unicode.IsLetter(r) || r >= utf8.RuneSelf })
}

// longestUnit is the length up to which something that is only repeated makes a
// password no better than itself.
const longestUnit = 6

// isPattern reports whether a password is one piece again and again, such as
// abcabcabcabc, or counts up or down, such as 123456789012.
func isPattern(s string) bool {
	runes := []rune(s)
	for n := 1; n <= min(longestUnit, len(runes)/2); n++ {
		if repeats(s, string(runes[:n])) {
			return true
		}
	}
	return counts(runes, 1) || counts(runes, -1)
}

// repeats reports whether s is unit, once or more often.
func repeats(s, unit string) bool {
	return unit != "" && len(s)%len(unit) == 0 && strings.Repeat(unit, len(s)/len(unit)) == s
}

// counts reports whether each character follows the one before it by step. After
// 9 comes 0.
func counts(runes []rune, step rune) bool {
	for i, r := range runes[min(1, len(runes)):] {
		before := runes[i]
		wraps := before == '9' && r == '0' && step > 0 || before == '0' && r == '9' && step < 0
		if r != before+step && !wraps {
			return false
		}
	}
	return true
}
