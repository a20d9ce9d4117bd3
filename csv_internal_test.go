package fastness

import (
	"bytes"
	"encoding/csv"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"
)

func FuzzAppendText(f *testing.F) {
	for _, seed := range []string{"", "a", "=1", "a;=1", "\"=1\"", "\t@", "a\r\n-1", ";\";,+", "'=1", "\uff1d", "a;\u200b=", "\xff;=", "\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		text = strings.ToValidUTF8(text, "\ufffd")
		line := append(append([]byte(nil), appendText(nil, text)...), ",1\r\n"...)
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

func FuzzFileName(f *testing.F) {
	for _, seed := range []string{"", "a.csv", "../x", "ü", "a\"b", ".", "a.csv.", "\u202e", strings.Repeat("ü", 100)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		got := fileName(name)
		if !strings.HasSuffix(got, ".csv") || len(got) > maxFileName || len(got) == len(".csv") || got[0] == '.' || strings.ContainsAny(got, `/\:*?"<>|;'`) ||
			strings.ContainsFunc(got, unicode.IsControl) || fileName(got) != got || !utf8.ValidString(got) {
			t.Errorf("%q becomes %q, and that %q", name, got, fileName(got))
		}
	})
}

// A text of separators must not cost its square.
func TestLongTextOfSeparatorsIsWrittenInTime(t *testing.T) {
	text := strings.Repeat(";", 4<<20)
	start := time.Now()
	if out := appendText(nil, text); len(out) < len(text) {
		t.Errorf("%d bytes", len(out))
	}
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("took %v", took)
	}
}

func TestRowsAreHeldToTheirColumnsAndBounded(t *testing.T) {
	place := map[string]int{"a": 0, "b": 1}
	for _, tt := range []struct {
		array, want string
		ok          bool
	}{
		{`[{"b":1},{"a":"x"}]`, ",1\r\n\"x\",\r\n", true},
		{`[]`, "", true},
		{`null`, "", true},
		{`[{"c":1}]`, "", false},
		{`[1]`, "", false},
		{`[null]`, "", false},
		{`[{"a":`, "", false},
		{`[{"a":"` + strings.Repeat("x", 100) + `"}]`, "", false},
		{`[` + strings.Repeat(`{"a":"x","b":1},`, 7) + `{}]`, "", false}, // The JSON alone is.
		{`[{"a":"` + strings.Repeat(";=", 40) + `"}]`, "", false},        // It is the apostrophes that make it too large.
		{`[{"a":"` + strings.Repeat(";.", 40) + `"}]`, `"` + strings.Repeat(";.", 40) + "\",\r\n", true},
	} {
		if out, err := appendRows(nil, []byte(tt.array), place, 100); (err == nil) != tt.ok || err == nil && string(out) != tt.want {
			t.Errorf("%.40s: %.40q (%v)", tt.array, out, err)
		}
	}
}
