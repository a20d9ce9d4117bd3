package spec

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Mismatch is a place where a value is not as its schema says.
type Mismatch struct {
	Pointer string // of the value (RFC 6901)
	What    string
}

// Bounds of a check. What is beyond them counts as right.
const (
	maxSteps      = 100_000
	maxMismatches = 50
	maxElements   = 1000
	maxCheckDepth = 60
)

// Check compares a decoded value with the schema, as that of an answer: properties that
// are only written need not be there. It is forgiving: a format is wrong only if no
// reading of it fits, oneOf is anyOf, and what the model leaves out (not, if, contains)
// is not looked at. Numbers may be json.Number, float64 or int. A nil schema fits all.
func (s *Schema) Check(v any) []Mismatch {
	c := &checking{steps: maxSteps}
	return c.check(s, v, "", nil, 0)
}

type checking struct{ steps int }

// check returns what is wrong. known are names that are properties by the schema around
// this one, of which it is an alternative.
func (c *checking) check(s *Schema, v any, at string, known []string, depth int) (out []Mismatch) {
	if c.steps--; s == nil || c.steps < 0 || depth > maxCheckDepth {
		return nil
	}
	wrong := func(format string, args ...any) []Mismatch {
		return []Mismatch{{at, fmt.Sprintf(format, args...)}}
	}
	if s.Never {
		return wrong("nothing may be here")
	}
	if v == nil {
		if s.allowsNull(0) {
			return nil
		}
		return wrong("is null, not %s", strings.Join(s.Types, " or "))
	}
	kind := TypeOf(v)
	if len(s.Types) > 0 && !s.Is(kind) && (kind != "integer" || !s.Is("number")) {
		return wrong("is of type %s, not %s", kind, strings.Join(s.Types, " or "))
	}
	if len(s.Enum) > 0 && !contains(s.Enum, v) {
		return wrong("is none of the %d values that are allowed", len(s.Enum))
	}
	switch v := v.(type) {
	case string:
		out = checkString(s, v, at)
	case json.Number, float64, int, int64:
		out = checkNumber(s, v, at)
	case []any:
		out = c.checkList(s, v, at, depth)
	case map[string]any:
		out = c.checkObject(s, v, at, known, depth)
	}
	out = append(out, c.alternatives(s, v, at, known, depth)...)
	return out[:min(len(out), maxMismatches)]
}

func (s *Schema) allowsNull(depth int) bool {
	if s.Nullable || s.Is("null") || len(s.Types) == 0 && len(s.Enum) == 0 && len(s.AnyOf) == 0 {
		return true
	}
	return depth < 5 && len(s.Types) == 0 && slices.ContainsFunc(s.AnyOf, func(a *Schema) bool { return a != nil && a.allowsNull(depth+1) })
}

func (c *checking) alternatives(s *Schema, v any, at string, known []string, depth int) []Mismatch {
	if len(s.AnyOf) == 0 {
		return nil
	}
	known = append(slices.Clone(known), s.Names...)
	if object, ok := v.(map[string]any); ok && s.Discriminator != "" {
		if name, ok := object[s.Discriminator].(string); ok {
			if meant := s.meant(name); meant != nil {
				return c.check(meant, v, at, known, depth+1)
			}
		}
	}
	var best []Mismatch
	for i, a := range s.AnyOf {
		if a == s {
			return nil
		}
		found := c.check(a, v, at, known, depth+1)
		if len(found) == 0 {
			return nil
		}
		// The nearest alternative is the one whose mistakes lie deepest.
		if i == 0 || deepest(found) > deepest(best) || deepest(found) == deepest(best) && len(found) < len(best) {
			best = found
		}
	}
	if deepest(best) <= strings.Count(at, "/") {
		return []Mismatch{{at, fmt.Sprintf("fits none of %d alternatives; the nearest: %s", len(s.AnyOf), best[0].What)}}
	}
	return best
}

func deepest(list []Mismatch) (n int) {
	for _, m := range list {
		n = max(n, strings.Count(m.Pointer, "/"))
	}
	return n
}

// meant returns the alternative that the value of a discriminator names, or nil.
func (s *Schema) meant(name string) *Schema {
	if m := s.DiscriminatorMappings[name]; m != nil {
		return m
	}
	for _, a := range s.AnyOf {
		if a != nil && a != s && a.Name == name {
			return a
		}
	}
	return nil
}

func (c *checking) checkObject(s *Schema, v map[string]any, at string, known []string, depth int) (out []Mismatch) {
	for _, name := range s.Required {
		if _, there := v[name]; there {
			continue
		}
		if p := s.Properties[name]; p == nil || !p.WriteOnly {
			out = append(out, Mismatch{at, "has no " + name + ", which is required"})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(v)) {
		if len(out) >= maxMismatches {
			break
		}
		below := at + "/" + strings.ReplaceAll(strings.ReplaceAll(name, "~", "~0"), "/", "~1")
		switch p := s.Properties[name]; {
		case p != nil:
			out = append(out, c.check(p, v[name], below, nil, depth+1)...)
		case slices.Contains(known, name):
		case s.Closed && s.Additional == nil && !s.inAlternatives(name, 0):
			out = append(out, Mismatch{below, "is not declared, and nothing else is allowed"})
		case s.Additional != nil:
			out = append(out, c.check(s.Additional, v[name], below, nil, depth+1)...)
		}
	}
	return out
}

func (s *Schema) inAlternatives(name string, depth int) bool {
	return depth < 4 && slices.ContainsFunc(s.AnyOf, func(a *Schema) bool {
		return a != nil && (a.Properties[name] != nil || a.inAlternatives(name, depth+1))
	})
}

func (c *checking) checkList(s *Schema, v []any, at string, depth int) (out []Mismatch) {
	if s.MinItems != nil && len(v) < *s.MinItems {
		out = append(out, Mismatch{at, fmt.Sprintf("has %d elements, fewer than %d", len(v), *s.MinItems)})
	}
	if s.MaxItems != nil && len(v) > *s.MaxItems {
		out = append(out, Mismatch{at, fmt.Sprintf("has %d elements, more than %d", len(v), *s.MaxItems)})
	}
	for i, e := range v[:min(len(v), maxElements)] {
		if len(out) >= maxMismatches {
			break
		}
		out = append(out, c.check(s.Items, e, at+"/"+itoa(i), nil, depth+1)...)
	}
	return out
}

func checkNumber(s *Schema, v any, at string) (out []Mismatch) {
	f, ok := asFloat(v)
	if !ok {
		return nil
	}
	if s.Minimum != nil && (f < *s.Minimum || s.ExclusiveMin && f == *s.Minimum) {
		out = append(out, Mismatch{at, fmt.Sprintf("is less than %v", *s.Minimum)})
	}
	if s.Maximum != nil && (f > *s.Maximum || s.ExclusiveMax && f == *s.Maximum) {
		out = append(out, Mismatch{at, fmt.Sprintf("is more than %v", *s.Maximum)})
	}
	if m := s.MultipleOf; m != nil && *m > 0 {
		if q := f / *m; math.Abs(q-math.Round(q)) > 1e-6*math.Max(1, math.Abs(q)) {
			out = append(out, Mismatch{at, fmt.Sprintf("is no multiple of %v", *m)})
		}
	}
	return out
}

func asFloat(v any) (float64, bool) {
	switch v := v.(type) {
	case json.Number:
		f, err := v.Float64()
		return f, err == nil
	case float64:
		return v, true
	case int:
		return float64(v), true
	case int64:
		return float64(v), true
	}
	return 0, false
}

func checkString(s *Schema, v, at string) (out []Mismatch) {
	n := utf8.RuneCountInString(v)
	if s.MinLength != nil && n < *s.MinLength {
		out = append(out, Mismatch{at, fmt.Sprintf("has %d characters, fewer than %d", n, *s.MinLength)})
	}
	if s.MaxLength != nil && n > *s.MaxLength {
		out = append(out, Mismatch{at, fmt.Sprintf("has %d characters, more than %d", n, *s.MaxLength)})
	}
	if s.Pattern != "" && len(s.Pattern) < 500 {
		// Patterns of ECMAScript that Go does not know are left alone.
		if re, err := regexp.Compile(s.Pattern); err == nil && !re.MatchString(v) {
			out = append(out, Mismatch{at, "does not match the pattern " + cut(s.Pattern, 80)})
		}
	}
	if !fitsFormat(s.Format, v) {
		out = append(out, Mismatch{at, "is no " + s.Format})
	}
	return out
}

// fitsFormat reports whether a text can be read as a format. It is false only where no
// common way of writing fits.
func fitsFormat(format, v string) bool {
	switch format {
	case "date-time":
		if len(v) < 16 {
			return false
		}
		_, err := time.Parse("2006-01-02 15:04", v[:10]+" "+v[11:16])
		return err == nil
	case "date":
		_, err := time.Parse(time.DateOnly, v[:min(len(v), 10)])
		return err == nil
	case "uuid":
		hex := strings.ReplaceAll(strings.Trim(v, "{}"), "-", "")
		return len(hex) == 32 && strings.Trim(hex, "0123456789abcdefABCDEF") == ""
	case "email":
		before, after, ok := strings.Cut(v, "@")
		return ok && before != "" && after != ""
	case "uri", "url":
		_, err := url.Parse(v)
		return err == nil
	case "ipv4":
		a, err := netip.ParseAddr(v)
		return err == nil && a.Is4()
	case "ipv6":
		a, err := netip.ParseAddr(v)
		return err == nil && a.Is6()
	}
	return true
}

// contains compares as JSON does: 1 and 1.0 are equal.
func contains(list []any, v any) bool {
	return slices.ContainsFunc(list, func(e any) bool {
		a, ok := asFloat(e)
		b, also := asFloat(v)
		if ok || also {
			return ok && also && a == b
		}
		if x, err := json.Marshal(e); err == nil {
			y, err := json.Marshal(v)
			return err == nil && string(x) == string(y)
		}
		return false
	})
}
