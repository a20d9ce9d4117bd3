package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf16"

	"github.com/fastness/fastness/scan/finding"
)

// Format is a way to write a document.
type Format string

// The formats.
const (
	Terminal Format = "text"
	JSON     Format = "json"
	SARIF    Format = "sarif" // 2.1.0
	JUnit    Format = "junit" // XML: a case for each check and operation
	HTML     Format = "html"  // one file that needs no other
)

// ParseFormat returns the format of a name, or of the end of a file's name.
func ParseFormat(name string) (Format, error) {
	switch strings.ToLower(name) {
	case "text", "txt", "terminal":
		return Terminal, nil
	case "json":
		return JSON, nil
	case "sarif":
		return SARIF, nil
	case "junit", "xml":
		return JUnit, nil
	case "html", "htm":
		return HTML, nil
	}
	return "", fmt.Errorf("%q is no format: text, json, sarif, junit or html", name)
}

// Options are of the format [Terminal] only.
type Options struct {
	// Colour allows colours. Width is that of the terminal, from 80 to 120; 0 is 100.
	Colour bool
	Width  int
	// Verbose adds what is of use to those who look closer: evidence of every finding, all
	// operations, all checks.
	Verbose bool
}

// Write writes a document.
func Write(w io.Writer, format Format, d *Document, options Options) error {
	var out []byte
	var err error
	switch format {
	case Terminal:
		out = terminalText(d, options)
	case JSON:
		out, err = jsonText(d)
	case SARIF:
		out, err = writeSARIF(d)
	case JUnit:
		out, err = writeJUnit(d)
	case HTML:
		out, err = writeHTML(d)
	default:
		_, err = ParseFormat(string(format))
	}
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	_, err = w.Write(out)
	return err
}

// Read reads a document that was written as [JSON].
func Read(r io.Reader) (*Document, error) {
	d := new(Document)
	if err := json.NewDecoder(io.LimitReader(r, 1<<28)).Decode(d); err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	if d.Schema != Schema {
		return nil, fmt.Errorf("report: it is of the form %q, want %q", cut(plain(d.Schema, false), 100), Schema)
	}
	for i := range d.Findings {
		f := &d.Findings[i]
		if f.Severity < 0 || f.Severity > 4 {
			return nil, fmt.Errorf("report: finding %d has no severity", i)
		}
		if len(f.Places) == 0 {
			f.Places = append(f.Places, finding.Place{})
		}
	}
	return d.filled(), nil
}

func jsonText(v any) ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return printable(out.Bytes()), nil
}

// printable escapes what a terminal, or a reader, could be fooled with. All of it stands in
// strings, where an escape means the same.
func printable(text []byte) []byte {
	odd := func(c rune) bool { return c != '\n' && c != ' ' && !unicode.IsPrint(c) }
	if bytes.IndexFunc(text, odd) < 0 {
		return text
	}
	out := make([]byte, 0, len(text)+len(text)/8)
	for _, c := range string(text) {
		switch {
		case !odd(c):
			out = append(out, string(c)...)
		case c > 0xffff:
			high, low := utf16.EncodeRune(c)
			out = fmt.Appendf(out, `\u%04x\u%04x`, high, low)
		default:
			out = fmt.Appendf(out, `\u%04x`, c)
		}
	}
	return out
}
