package csvcell

import (
	"bytes"
	"encoding/csv"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"
)

func FuzzAppend(f *testing.F) {
	for _, seed := range []string{"", "a", "=1", "a;=1", "\"=1\"", "\t@", "a\r\n-1", ";\";,+", "'=1", "\uff1d", "a;\u200b=", "\xff;=", "\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		text = strings.ToValidUTF8(text, "\ufffd")
		line := append(append([]byte(nil), Append(nil, text)...), ",1\r\n"...)
		records, err := csv.NewReader(bytes.NewReader(line)).ReadAll()
		if err != nil || len(records) != 1 || len(records[0]) != 2 || records[0][1] != "1" {
			t.Fatalf("%q is written %q and read as %q (%v)", text, line, records, err)
		}
		cell := records[0][0]
		// Nothing is lost: without the apostrophes it is what it was.
		bare := func(s string) string { return strings.NewReplacer("'", "", "\r\n", "\n").Replace(s) }
		if bare(cell) != bare(text) {
			t.Errorf("%q is read as %q", text, cell)
		}
		for _, part := range strings.FieldsFunc(cell, func(r rune) bool { return r == ';' || r == '\t' || r == '\r' || r == '\n' }) {
			begins := strings.TrimLeftFunc(part, func(r rune) bool {
				return unicode.IsSpace(r) || unicode.In(r, unicode.C) || strings.ContainsRune("\",|", r)
			})
			if r, _ := utf8.DecodeRuneInString(begins); isTrigger(r) {
				t.Errorf("%q is read as %q, in which %q is a formula", text, cell, part)
			}
		}
	})
}

// A text of separators must not cost its square.
func TestLongTextOfSeparatorsIsWrittenInTime(t *testing.T) {
	text := strings.Repeat(";", 4<<20)
	start := time.Now()
	if out := Append(nil, text); len(out) < len(text) {
		t.Errorf("%d bytes", len(out))
	}
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("took %v", took)
	}
}
