package fastness

import (
	"strings"
	"testing"
)

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
