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
	if hasDirectory(in) {
		return Content{Type: Unknown, Why: "a ZIP archive is in it"}
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

func isText(in *input) bool {
	var rest []byte // of a character that two pieces share
	for at := int64(0); at < in.size; at += pieceBytes {
		piece := append(rest, in.window(at, min(at+pieceBytes, in.size))...)
		if in.err != nil {
			return false
		}
		end := len(piece)
		if at+pieceBytes < in.size {
			for i := 1; i < utf8.UTFMax && i <= len(piece); i++ {
				if utf8.RuneStart(piece[len(piece)-i]) {
					if !utf8.FullRune(piece[len(piece)-i:]) {
						end = len(piece) - i
					}
					break
				}
			}
		}
		if !utf8.Valid(piece[:end]) || bytes.ContainsFunc(piece[:end], isControl) {
			return false
		}
		rest = bytes.Clone(piece[end:])
	}
	return true
}

func isControl(r rune) bool {
	return r < ' ' && r != '\t' && r != '\n' && r != '\r' && r != '\f' || r == 0x7f
}
