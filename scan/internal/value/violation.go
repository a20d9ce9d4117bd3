package value

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/internal/spec"
)

// Violation returns what a value as decoded from JSON violates in a schema, with the JSON
// pointer of the place, or "". It looks at what can be said with certainty: of formats it
// says nothing.
func Violation(s *spec.Schema, v any) string { return violation(s, v, "", 0) }

func violation(s *spec.Schema, v any, at string, depth int) string {
	if s == nil || depth > 12 {
		return ""
	}
	says := func(format string, args ...any) string { return at + ": " + fmt.Sprintf(format, args...) }
	if v == nil {
		if s.Nullable || len(s.Types) == 0 || s.Is("null") {
			return ""
		}
		return says("null is not of type %v", s.Types)
	}
	if kind := kindOf(v); len(s.Types) > 0 && kind != "" && !s.Is(kind) && !(kind == "integer" && s.Is("number")) {
		return says("%s is not of type %v", kind, s.Types)
	}
	if len(s.Enum) > 0 && !slices.ContainsFunc(s.Enum, func(e any) bool { return equal(e, v) }) {
		return says("the value is none of the list")
	}
	if len(s.AnyOf) > 0 && !slices.ContainsFunc(s.AnyOf, func(a *spec.Schema) bool { return violation(a, v, at, depth+1) == "" }) {
		return says("the value fits none of the alternatives")
	}
	switch v := v.(type) {
	case string:
		if what := textViolation(s, v); what != "" {
			return says("%s", what)
		}
	case json.Number, float64, int:
		if what := numberViolation(s, v); what != "" {
			return says("%s", what)
		}
	case []any:
		if s.MinItems != nil && len(v) < *s.MinItems || s.MaxItems != nil && len(v) > *s.MaxItems {
			return says("%d items", len(v))
		}
		for i, e := range v {
			if what := violation(s.Items, e, at+"/"+strconv.Itoa(i), depth+1); what != "" {
				return what
			}
		}
	case map[string]any:
		return objectViolation(s, v, at, depth)
	}
	return ""
}

func objectViolation(s *spec.Schema, v map[string]any, at string, depth int) string {
	for _, name := range s.Required {
		if _, ok := v[name]; !ok && (s.Properties[name] == nil || !s.Properties[name].WriteOnly) {
			return at + ": lacks " + name
		}
	}
	for name, e := range sorted(v) {
		member, declared := s.Properties[name]
		if !declared {
			if s.Closed {
				return at + "/" + escape(name) + ": is not declared"
			}
			member = s.Additional
		}
		if what := violation(member, e, at+"/"+escape(name), depth+1); what != "" {
			return what
		}
	}
	return ""
}

func textViolation(s *spec.Schema, v string) string {
	n := utf8.RuneCountInString(v)
	shortest, longest := lengths(s)
	if n < shortest || longest >= 0 && n > longest {
		return fmt.Sprintf("%d characters", n)
	}
	if s.Pattern != "" {
		if re, err := regexp.Compile(lookaround.ReplaceAllString(s.Pattern, "")); err == nil && !re.MatchString(v) {
			return "the text does not match the pattern"
		}
	}
	return ""
}

func numberViolation(s *spec.Schema, v any) string {
	f, err := strconv.ParseFloat(probe.Text(v), 64)
	if err != nil {
		return ""
	}
	switch {
	case s.Minimum != nil && (f < *s.Minimum || s.ExclusiveMin && f == *s.Minimum):
		return "the number is too small"
	case s.Maximum != nil && (f > *s.Maximum || s.ExclusiveMax && f == *s.Maximum):
		return "the number is too great"
	case s.MultipleOf != nil && *s.MultipleOf > 0:
		if q := f / *s.MultipleOf; math.Abs(q-math.Round(q)) > 1e-9 {
			return "the number is no multiple"
		}
	}
	return ""
}

// kindOf returns the JSON type of a value, or "" for what JSON does not have.
func kindOf(v any) string {
	switch v := v.(type) {
	case string:
		return "string"
	case bool:
		return "boolean"
	case json.Number, float64, int:
		if f, err := strconv.ParseFloat(probe.Text(v), 64); err == nil && f == math.Trunc(f) {
			return "integer"
		}
		return "number"
	case []any:
		return "array"
	case map[string]any:
		return "object"
	}
	return ""
}

func equal(a, b any) bool {
	if kindOf(a) == kindOf(b) && kindOf(a) != "object" && kindOf(a) != "array" {
		return probe.Text(a) == probe.Text(b)
	}
	return reflect.DeepEqual(a, b)
}
