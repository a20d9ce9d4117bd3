package mediatype

import (
	"bytes"
	"unicode/utf8"
)

// text tells what the content is if it has no signature: a text in UTF-8 without
// control characters, or nothing known.
func text(in *input) Content {
	if !isText(in) {
		return Content{Type: Unknown}
	}
	head := bytes.TrimPrefix(in.head, []byte("\xef\xbb\xbf"))
	head = bytes.ToLower(bytes.TrimLeft(head, " \t\r\n\f"))
	if bytes.Contains(in.head, []byte("%PDF-")) {
		return Content{Type: Unknown, Why: "a PDF document is in it"}
	}
	switch {
	case len(head) == 0 || head[0] != '<':
		return Content{Type: plainText + utf8Charset}
	case bytes.Contains(head, []byte("<svg")):
		return Content{Type: "image/svg+xml"}
	case bytes.HasPrefix(head, []byte("<?xml")) && !bytes.Contains(head, []byte("<html")):
		return Content{Type: "application/xml"}
	}
	return Content{Type: "text/html" + utf8Charset}
}

const utf8Charset = "; charset=utf-8"

// isText goes through the content in pieces that begin where a character does.
func isText(in *input) bool {
	for at := int64(0); at < in.size; {
		piece := in.piece(at)
		if in.err != nil {
			return false
		}
		if at+int64(len(piece)) < in.size {
			piece = piece[:wholeRunes(piece)]
		}
		if !utf8.Valid(piece) || hasControl(piece) {
			return false
		}
		at += int64(len(piece))
	}
	return true
}

// wholeRunes is how much of a piece there is without a character that goes on behind
// it.
func wholeRunes(piece []byte) int {
	for i := 1; i < utf8.UTFMax; i++ {
		if end := len(piece) - i; utf8.RuneStart(piece[end]) {
			if utf8.FullRune(piece[end:]) {
				return len(piece)
			}
			return end
		}
	}
	return len(piece)
}

func hasControl(piece []byte) bool {
	for _, c := range piece {
		if c < ' ' && c != '\t' && c != '\n' && c != '\r' && c != '\f' || c == 0x7f {
			return true
		}
	}
	return false
}
