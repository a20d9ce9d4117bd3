// Package probe is what the checks of a scan work with: requests that can be changed in
// one place ([Case]), what is known of the target so far ([World]), and the way to ask it
// more ([Target]).
package probe

import (
	"maps"
	"slices"
	"strings"

	"github.com/fastness/fastness/scan/internal/spec"
)

// Case is a request to an operation, as values. A check copies one that works, changes a
// value and sends it.
type Case struct {
	Op *spec.Operation
	// Values of parameters, by name. A nil map has none. Path parameters without a value
	// are sent as "1".
	Path, Query, Header, Cookie map[string]any
	// Media is the type of the body, or empty for none.
	Media string
	// Body is as decoded from JSON: map[string]any, []any, string, json.Number, bool or
	// nil. A string in a media type other than JSON and forms is sent as it is. A [File]
	// is a part of multipart/form-data.
	Body any
}

// File is a part of a form that is a file.
type File struct {
	Name, Type string
	Content    []byte
}

// Clone returns a deep copy.
func (c *Case) Clone() *Case {
	other := *c
	other.Path, other.Query = maps.Clone(c.Path), maps.Clone(c.Query)
	other.Header, other.Cookie = maps.Clone(c.Header), maps.Clone(c.Cookie)
	other.Body = clone(c.Body)
	return &other
}

func clone(v any) any {
	switch v := v.(type) {
	case map[string]any:
		m := make(map[string]any, len(v))
		for k, e := range v {
			m[k] = clone(e)
		}
		return m
	case []any:
		l := make([]any, len(v))
		for i, e := range v {
			l[i] = clone(e)
		}
		return l
	}
	return v
}

// Point is a place of a case whose value can be replaced.
type Point struct {
	In string // path, query, header, cookie, body
	// Name is the parameter, or a JSON pointer in the body: "" is all of it.
	Name   string
	Value  any
	Schema *spec.Schema // or nil
}

// String returns the point as reports name it: "query limit", "body /role".
func (p Point) String() string { return strings.TrimSpace(p.In + " " + p.Name) }

// Last returns the last part of the name: "role" of "/user/role".
func (p Point) Last() string {
	return unescapePointer(p.Name[strings.LastIndexByte(p.Name, '/')+1:])
}

// Points returns the places that have a value, and those of declared parameters that have
// none. The order is that of the document, then of names.
func (c *Case) Points() []Point {
	var out []Point
	for _, in := range []string{"path", "query", "header", "cookie"} {
		values := c.values(in)
		var names []string
		for _, p := range c.Op.Params {
			if p.In == in {
				names = append(names, p.Name)
			}
		}
		for _, name := range slices.Sorted(maps.Keys(values)) {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
		for _, name := range names {
			point := Point{In: in, Name: name, Value: values[name]}
			if p := c.Op.Param(in, name); p != nil {
				point.Schema = p.Schema
			}
			out = append(out, point)
		}
	}
	if c.Media != "" {
		out = appendBody(out, "", c.Body, c.BodySchema(), 0)
	}
	return out
}

// maxDepth of bodies whose places are looked at.
const maxDepth = 6

func appendBody(out []Point, at string, v any, s *spec.Schema, depth int) []Point {
	if depth > maxDepth {
		return out
	}
	switch v := v.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			out = appendBody(out, at+"/"+escapePointer(name), v[name], member(s, name), depth+1)
		}
	case []any:
		for i, e := range v[:min(len(v), 1)] {
			var items *spec.Schema
			if s != nil {
				items = s.Items
			}
			out = appendBody(out, at+"/"+string(rune('0'+i)), e, items, depth+1)
		}
	default:
		out = append(out, Point{In: "body", Name: at, Value: v, Schema: s})
	}
	return out
}

func member(s *spec.Schema, name string) *spec.Schema {
	if s == nil {
		return nil
	}
	if m := s.Properties[name]; m != nil {
		return m
	}
	for _, alternative := range s.AnyOf {
		if m := alternative.Properties[name]; m != nil {
			return m
		}
	}
	return s.Additional
}

// BodySchema returns the schema of the body, or nil.
func (c *Case) BodySchema() *spec.Schema {
	if c.Op.Body == nil {
		return nil
	}
	for _, m := range c.Op.Body.Media {
		if m.Type == c.Media {
			return m.Schema
		}
	}
	return nil
}

func (c *Case) values(in string) map[string]any {
	switch in {
	case "path":
		return c.Path
	case "query":
		return c.Query
	case "header":
		return c.Header
	case "cookie":
		return c.Cookie
	}
	return nil
}

// With returns a copy of the case with another value at a place. Objects on the way to a
// place in the body are made.
func (c *Case) With(in, name string, value any) *Case {
	other := c.Clone()
	switch in {
	case "path":
		other.Path = set(other.Path, name, value)
	case "query":
		other.Query = set(other.Query, name, value)
	case "header":
		other.Header = set(other.Header, name, value)
	case "cookie":
		other.Cookie = set(other.Cookie, name, value)
	case "body":
		other.Body = setPointer(other.Body, name, value)
	}
	return other
}

// Without returns a copy of the case that lacks a value.
func (c *Case) Without(in, name string) *Case {
	other := c.Clone()
	if in == "body" {
		at, last := cutPointer(name)
		if m, ok := pointed(other.Body, at).(map[string]any); ok {
			delete(m, last)
		}
		return other
	}
	delete(other.values(in), name)
	return other
}

func set(m map[string]any, name string, value any) map[string]any {
	if m == nil {
		m = map[string]any{}
	}
	m[name] = value
	return m
}
