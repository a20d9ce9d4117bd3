package fastness

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

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
