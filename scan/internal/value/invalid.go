package value

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"

	"github.com/fastness/fastness/scan/internal/spec"
)

// Wrong is a value that a schema refuses.
type Wrong struct {
	Value any
	// Why says what is wrong with it, as "longer than 20 characters".
	Why string
}

// maxLong is how long a text is made to be too long.
const maxLong = 1 << 16

// Invalid returns values that a schema refuses for certain: each is checked against it.
// Values that careless readers take for valid ones, as "1" for 1, are not among them.
func Invalid(s *spec.Schema) []Wrong {
	if s == nil {
		return nil
	}
	var out []Wrong
	add := func(v any, why string) {
		if Violation(s, v) != "" {
			out = append(out, Wrong{v, why})
		}
	}
	number := func(f float64, why string) {
		if !math.IsInf(f, 0) && math.Abs(f) < 1e15 {
			add(json.Number(strconv.FormatFloat(f, 'f', -1, 64)), why)
		}
	}
	if !s.Is("object") {
		add(map[string]any{"unexpected": true}, "an object")
	}
	if !s.Is("array") {
		add([]any{}, "an array")
	}
	if s.Is("integer") || s.Is("number") || s.Is("boolean") || s.Is("object") || s.Is("array") {
		add("not-a-value", "a text")
	}
	if len(s.Enum) > 0 {
		add("none-of-the-list", "none of the list")
	}
	if s.Is("integer") && !s.Is("number") {
		number(1.5, "a fraction")
	}
	if s.Minimum != nil {
		number(*s.Minimum-1, "below the minimum")
	}
	if s.Maximum != nil {
		number(*s.Maximum+1, "above the maximum")
	}
	if s.MultipleOf != nil && *s.MultipleOf > 0 {
		number(*s.MultipleOf*1.5, "no multiple")
	}
	if s.Is("string") {
		shortest, longest := lengths(s)
		if shortest > 0 {
			add("", "empty")
			add(strings.Repeat("a", min(shortest-1, maxLong)), "too short")
		}
		if longest >= 0 && longest < maxLong {
			add(strings.Repeat("a", longest+1), "too long")
		}
		add("\u2603 ~~~", "not as the pattern says")
	}
	if !s.Nullable && len(s.Types) > 0 {
		add(nil, "null")
	}
	return out
}
