// Package mediatype finds out what a file from a stranger is: by all of its
// content, not by its name, and not by its first bytes alone.
//
// A file can be two things at once. A GIF with a ZIP archive behind it is also a
// program of Java (GIFAR); a JPEG with a page in its comment is also HTML; a text
// that begins as a PDF somewhere in its first kilobyte is also a PDF. Whoever
// looks at the beginning only, as [net/http.DetectContentType] does, is told what
// the attacker likes. [Detect] walks through the formats that browsers show, to
// their last byte, and calls what is more than one thing [Unknown].
//
//	photos, err := mediatype.New(mediatype.Config{Accept: []string{"image/png", "image/jpeg"}})
//	…
//	content, err := mediatype.Detect(file, size)
//	if err == nil {
//		content, err = photos.Check(content, mediatype.Claim{Name: header.Filename, Type: header.Header.Get("Content-Type")})
//	}
//
// A [Policy] says which types are wanted, compares the content with what its
// sender claims, and bounds pictures in pixels: their size is read from the
// header, and nothing is decoded or allocated for it.
//
// What is accepted is still a stranger's. Answer with its type only together with
// X-Content-Type-Options: nosniff, which the headers of this house have. A picture
// that users show to each other is best made anew: see package picture.
package mediatype

import (
	"bytes"
	"io"
	"strings"
)

// Unknown is the type of content that is nothing that this package knows, or more
// than one thing. A browser that gets it under nosniff saves it and runs nothing.
const Unknown = "application/octet-stream"

// headBytes is how far readers look for the signature of a document: those of PDF
// accept it within the first kilobyte.
const headBytes = 1024

// Content is what a file is.
type Content struct {
	// Type is the media type: one of [Types], or [Unknown]. Those of texts have
	// "; charset=utf-8" behind them.
	Type string
	// Width and Height are the size in pixels of a PNG, JPEG, GIF or WebP, as its
	// header says; 0 for what is none.
	Width, Height int
	// Why says why the type is [Unknown] although the content begins as
	// something else: "it ends before its end". It is empty in all other cases.
	Why string
}

// Pixels returns Width times Height.
func (c Content) Pixels() int64 { return int64(c.Width) * int64(c.Height) }

// Extension returns the extension of files of this type, with its dot, or "".
func (c Content) Extension() string {
	if k := kindOf(essence(c.Type)); k != nil && len(k.extensions) > 0 {
		return "." + k.extensions[0]
	}
	return ""
}

// Types returns the media types that are recognised.
func Types() []string {
	names := make([]string, 0, len(kinds))
	for _, k := range kinds {
		names = append(names, k.name)
	}
	return names
}

// Detect returns what the size bytes of r are. The error is that of reading.
//
// It reads the content once or twice in pieces of 32 KiB, and its last 64 KiB at
// once. What it allocates does not depend on what the content says about itself.
func Detect(r io.ReaderAt, size int64) (Content, error) {
	in := &input{r: r, size: size}
	in.head = in.window(0, min(size, headBytes))
	content := detect(in)
	return content, in.err
}

func detect(in *input) Content {
	kind := signatureOf(in.head)
	if kind == nil {
		return text(in)
	}
	c := Content{Type: kind.name}
	if kind.walk != nil {
		if why := kind.walk(in, &c); why != "" {
			return Content{Type: Unknown, Why: why}
		}
	}
	if why := foreign(in, kind); why != "" {
		return Content{Type: Unknown, Why: why}
	}
	return c
}

// foreign says what else is in the content of a kind.
func foreign(in *input, kind *kind) string {
	if !kind.is("application/zip") && hasDirectory(in) {
		return "a ZIP archive is in it"
	}
	if i := bytes.Index(in.head, []byte("%PDF-")); i >= 0 && !kind.is("application/pdf") {
		return "a PDF document is in it"
	}
	if kind.is("image/") && hasMarkup(in) {
		return "a page or a script is in it"
	}
	return ""
}

// maxDirectory is how far from its end an archive is looked for: its last record
// is 22 bytes, and a comment of up to 65,535.
const maxDirectory = 22 + 1<<16

// hasDirectory reports whether a reader of ZIP would find an archive. It looks
// from the end, so whatever stands before does not disturb it.
func hasDirectory(in *input) bool {
	tail := in.window(max(0, in.size-maxDirectory), in.size)
	return bytes.Contains(tail, []byte("PK\x05\x06"))
}

// openings are how pages and scripts begin. What ends in a letter needs a space,
// a slash or the end of the tag behind it, so that chance rarely makes one out of
// the bytes of a picture.
var openings = [...]string{"<script", "<html", "<!doctype", "<iframe", "<object", "<embed", "<body", "<?php", "__halt_compiler("}

// hasMarkup looks through all of the content: a comment of a picture may stand
// anywhere in it.
func hasMarkup(in *input) bool {
	const overlap = 32 // more than the longest opening
	for at := int64(0); at < in.size; at += pieceBytes - overlap {
		piece := in.piece(at)
		if opens(piece, '<') || opens(piece, '_') {
			return true
		}
	}
	return false
}

// opens looks for openings that begin with one character.
func opens(piece []byte, first byte) bool {
	for i := bytes.IndexByte(piece, first); i >= 0; i = bytes.IndexByte(piece, first) {
		piece = piece[i:]
		for _, opening := range openings {
			if beginsWith(piece, opening) {
				return true
			}
		}
		piece = piece[1:]
	}
	return false
}

func beginsWith(piece []byte, opening string) bool {
	if len(piece) < len(opening) || piece[0] != opening[0] || !strings.EqualFold(string(piece[:len(opening)]), opening) {
		return false
	}
	rest := piece[len(opening):]
	return strings.HasSuffix(opening, "(") || len(rest) == 0 || bytes.IndexByte([]byte(" \t\r\n\f/>"), rest[0]) >= 0
}
