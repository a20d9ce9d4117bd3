// Package value makes values that an API may accept, and values that it should refuse.
//
// A value is made of what the document says of it (type, format, pattern, bounds, list,
// example), else of what its name means in the English of APIs: "email", "qty",
// "birth_date". Free texts hold a marker, an unguessable word by which an object is known
// again wherever it turns up.
//
//	m := value.Maker{Rand: t.Rand("orders"), Marker: t.Marker}
//	body := m.Make("", "order", schema, nil)
//	// m.Marks["/note"] is what the note holds
package value

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"

	"github.com/fastness/fastness/scan/internal/spec"
)

// Maker makes values for one request.
type Maker struct {
	Rand *rand.Rand
	// Marker returns a new unguessable word, or is nil: then texts are plain.
	Marker func() string
	// Known are values of the user that the request is about, by which names and senses
	// are filled: "email", "password". Nil: the request makes somebody or something new.
	Known map[string]string
	// Refer returns a value for a name that means something that the target has, as
	// "productId". Known is false if the name means nothing of the kind, and the value nil
	// if there is none yet. May be nil.
	Refer func(name string, s *spec.Schema) (v any, known bool)
	// Link returns an address that holds a marker, or is nil: then it is one of
	// example.com.
	Link func(marker string) string
	// Lean leaves out what is not required.
	Lean bool
	// Marks are the markers of what was made, by JSON pointer.
	Marks map[string]string

	password string
	depth    int
}

// maxNesting of what is made: schemas may hold themselves.
const maxNesting = 6

// Make returns a value. At is the JSON pointer of the place, name what it is called there,
// examples those of its surroundings.
func (m *Maker) Make(at, name string, s *spec.Schema, examples []any) any {
	if s == nil {
		s = &spec.Schema{}
	}
	m.depth++
	defer func() { m.depth-- }()
	if m.depth > maxNesting {
		return nil
	}
	if len(s.Enum) > 0 {
		return m.fromEnum(s)
	}
	if s.Types == nil && len(s.Properties) == 0 && s.Items == nil && len(s.AnyOf) > 0 {
		return m.Make(at, name, alternative(s), examples)
	}
	examples = append(append([]any{}, examples...), s.Examples...)
	switch kind := m.kind(name, s, examples); kind {
	case "object":
		return m.object(at, s, examples)
	case "array":
		return m.array(at, name, s, examples)
	case "null":
		return nil
	default:
		return m.scalar(at, name, kind, s, examples)
	}
}

func (m *Maker) fromEnum(s *spec.Schema) any {
	for _, e := range s.Enum {
		if text, ok := e.(string); e != nil && (!ok || text != "" && !Privileged(text)) {
			return e
		}
	}
	return s.Enum[0]
}

// alternative returns the first alternative that is not null.
func alternative(s *spec.Schema) *spec.Schema {
	for _, a := range s.AnyOf {
		if a != nil && !(len(a.Types) == 1 && a.Types[0] == "null") {
			return a
		}
	}
	return s.AnyOf[0]
}

// kind returns the JSON type that a value is made in.
func (m *Maker) kind(name string, s *spec.Schema, examples []any) string {
	for _, kind := range s.Types {
		if kind != "null" {
			return kind
		}
	}
	switch {
	case len(s.Properties) > 0:
		return "object"
	case s.Items != nil:
		return "array"
	case s.Format != "" || s.Pattern != "":
		return "string"
	}
	for _, e := range examples {
		switch e.(type) {
		case map[string]any:
			return "object"
		case []any:
			return "array"
		case bool:
			return "boolean"
		case json.Number, float64, int:
			return "number"
		case string:
			return "string"
		}
	}
	switch SenseOf(name) {
	case "flag":
		return "boolean"
	case "price", "quantity", "latitude", "longitude", "rating", "age", "percent", "size", "page", "year", "month", "port":
		return "number"
	}
	return "string"
}

// Object makes an object. An example gives the members that the schema does not know.
func (m *Maker) object(at string, s *spec.Schema, examples []any) any {
	out := map[string]any{}
	var example map[string]any
	for _, e := range examples {
		if found, ok := e.(map[string]any); ok {
			example = found
			break
		}
	}
	parts := []*spec.Schema{s}
	if len(s.AnyOf) > 0 {
		parts = append(parts, alternative(s))
	}
	known := map[string]bool{}
	for _, part := range parts {
		for _, name := range namesOf(part) {
			member := part.Properties[name]
			required := part.Requires(name)
			known[name] = true
			if _, done := out[name]; done || !m.wanted(name, member, required, example) {
				continue
			}
			var examples []any
			if e, ok := example[name]; ok {
				examples = []any{e}
			}
			v := m.Make(at+"/"+escape(name), name, member, examples)
			if v != nil || required {
				out[name] = v
			}
		}
	}
	if len(known) == 0 {
		for name, e := range sorted(example) {
			out[name] = m.Make(at+"/"+escape(name), name, nil, []any{e})
		}
	}
	if s.Discriminator != "" && len(s.DiscriminatorMappings) > 0 {
		m.discriminate(out, s)
	}
	return out
}

// discriminate writes the name of the alternative that was taken.
func (m *Maker) discriminate(out map[string]any, s *spec.Schema) {
	for name, mapped := range sorted(s.DiscriminatorMappings) {
		if len(s.AnyOf) > 0 && mapped == alternative(s) {
			out[s.Discriminator] = name
			return
		}
	}
}

// wanted reports whether a member ought to be in an innocent request.
func (m *Maker) wanted(name string, s *spec.Schema, required bool, example map[string]any) bool {
	if s != nil && s.ReadOnly {
		return false
	}
	if required {
		return true
	}
	if m.Lean || m.depth > 3 || Privileged(name) || IsIdentifier(name) {
		return false
	}
	if m.Refer != nil {
		if v, known := m.Refer(name, s); known && v == nil {
			return false
		}
	}
	return true
}

// IsIdentifier reports whether a name is that of the object's own identifier, which the
// target gives.
func IsIdentifier(name string) bool {
	switch strings.ToLower(strings.Trim(name, "_$")) {
	case "id", "uuid", "guid", "pk", "oid", "createdat", "created_at", "updatedat", "updated_at", "created", "updated", "modified", "v":
		return true
	}
	return false
}

func (m *Maker) array(at, name string, s *spec.Schema, examples []any) any {
	least := 1
	if s.MinItems != nil {
		least = max(least, *s.MinItems)
	}
	if s.MaxItems != nil {
		least = min(least, *s.MaxItems)
	}
	var inner []any
	for _, e := range examples {
		if list, ok := e.([]any); ok && len(list) > 0 {
			inner = append(inner, list[0])
		}
	}
	if m.depth >= maxNesting {
		return []any{}
	}
	out := []any{}
	for i := range min(least, 20) {
		v := m.Make(at+"/"+strconv.Itoa(i), singularName(name), s.Items, inner)
		if v == nil {
			break
		}
		out = append(out, v)
	}
	return out
}

func singularName(name string) string {
	if len(name) < 3 || strings.HasSuffix(name, "address") {
		return name
	}
	for _, suffix := range []string{"s", "S"} {
		if cut, ok := strings.CutSuffix(name, suffix); ok {
			return cut
		}
	}
	return name
}

func (m *Maker) scalar(at, name, kind string, s *spec.Schema, examples []any) any {
	if m.Refer != nil {
		if v, known := m.Refer(name, s); known && v != nil {
			if fitted := fitType(v, kind); Violation(s, fitted) == "" {
				return fitted
			}
		}
	}
	if v := m.own(name); v != "" && (kind == "string" || kind == "integer") {
		return fitType(v, kind)
	}
	if kind == "string" {
		return m.text(at, name, s, examples)
	}
	for _, e := range append(append([]any{}, examples...), s.Default) {
		if e = fitType(e, kind); e != nil && Violation(s, e) == "" && e != any(false) && e != any(true) {
			return e
		}
	}
	switch kind {
	case "boolean":
		return m.flag(name, s)
	case "integer", "number":
		return m.number(name, kind, s)
	}
	return m.text(at, name, s, examples)
}

// own returns what is known of the user under a name or its sense.
func (m *Maker) own(name string) string {
	if m.Known == nil {
		return ""
	}
	if v := m.Known[strings.ToLower(name)]; v != "" {
		return v
	}
	sense := string(SenseOf(name))
	if v := m.Known[sense]; v != "" && sense != "name" {
		return v
	}
	if sense == "username" {
		return m.Known["email"]
	}
	return ""
}

// fitType turns a value into a JSON type, if it can be one; else it returns nil.
func fitType(v any, kind string) any {
	switch v := v.(type) {
	case string:
		if kind == "integer" || kind == "number" {
			if _, err := strconv.ParseFloat(v, 64); err == nil {
				return json.Number(v)
			}
			return nil
		}
		if kind == "boolean" {
			return nil
		}
	case json.Number:
		if kind == "string" {
			return v.String()
		}
	case float64:
		return fitType(json.Number(strconv.FormatFloat(v, 'f', -1, 64)), kind)
	case int:
		return fitType(json.Number(strconv.Itoa(v)), kind)
	}
	return v
}

func (m *Maker) flag(name string, s *spec.Schema) any {
	if v, ok := s.Default.(bool); ok {
		return v
	}
	for _, w := range Words(name) {
		switch w {
		case "agree", "accept", "accepted", "terms", "private", "tos", "consent", "available", "active", "enabled":
			return true
		}
	}
	return false
}

// usual is what numbers are that mean something.
var usual = [...]struct {
	sense Sense
	n     float64
}{
	{"price", 10}, {"quantity", 1}, {"latitude", 48.2}, {"longitude", 16.37}, {"rating", 4}, {"age", 30}, {"percent", 5},
	{"size", 10}, {"page", 1}, {"year", 2027}, {"month", 6}, {"port", 8080}, {"postcode", 10115},
	{"phone", 4915112345678}, {"datetime", 1907755200}, {"time", 1907755200}, {"otp", 1234}, {"expiry", 2031},
	{"cvc", 123}, {"card", 4111111111111111},
}

func (m *Maker) number(name, kind string, s *spec.Schema) any {
	v, sense := 1.0, SenseOf(name)
	for _, u := range usual {
		if u.sense == sense {
			v = u.n
		}
	}
	if kind == "integer" {
		v = math.Trunc(v)
	}
	low, high := bounds(s, kind)
	v = math.Min(math.Max(v, low), high)
	if s.MultipleOf != nil && *s.MultipleOf > 0 {
		v = math.Ceil(v / *s.MultipleOf) * *s.MultipleOf
	}
	return json.Number(strconv.FormatFloat(v, 'f', -1, 64))
}

// bounds returns the least and the greatest number that a schema allows.
func bounds(s *spec.Schema, kind string) (low, high float64) {
	low, high = math.Inf(-1), math.Inf(1)
	step := 0.5
	if kind == "integer" {
		step = 1
	}
	if s.Minimum != nil {
		low = *s.Minimum
		if s.ExclusiveMin {
			low += step
		}
	}
	if s.Maximum != nil {
		high = *s.Maximum
		if s.ExclusiveMax {
			high -= step
		}
	}
	return low, high
}
