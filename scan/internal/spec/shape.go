package spec

import (
	"slices"
	"strings"
)

// Field is a property somewhere below a schema.
type Field struct {
	// Pointer is that of a value: "/items/0/id". An element of a list is its first.
	Pointer  string
	Name     string
	Schema   *Schema
	Required bool // all the way down
}

// Bounds of what Fields returns.
const (
	maxFieldDepth = 8
	maxFields     = 1000
)

// Fields returns all properties below the schema, in the order of the document, those of
// alternatives included. A schema that contains itself is entered once.
func (s *Schema) Fields() []Field {
	var out []Field
	appendFields(&out, s, "", true, nil)
	return out
}

func appendFields(out *[]Field, s *Schema, at string, required bool, above []*Schema) {
	if s == nil || len(above) > maxFieldDepth || slices.Contains(above, s) {
		return
	}
	above = append(slices.Clone(above), s)
	for _, name := range s.Names {
		if len(*out) >= maxFields {
			return
		}
		p := s.Properties[name]
		must := required && s.Requires(name)
		below := at + "/" + strings.ReplaceAll(strings.ReplaceAll(name, "~", "~0"), "/", "~1")
		if !slices.ContainsFunc(*out, func(f Field) bool { return f.Pointer == below }) {
			*out = append(*out, Field{Pointer: below, Name: name, Schema: p, Required: must})
		}
		appendFields(out, p, below, must, above)
	}
	appendFields(out, s.Items, at+"/0", required, above)
	for _, a := range s.AnyOf {
		appendFields(out, a, at, required && len(s.AnyOf) == 1, above)
	}
}

// Property returns the schema of a property, also of an alternative, or nil.
func (s *Schema) Property(name string) *Schema { return s.property(name, 0) }

func (s *Schema) property(name string, depth int) *Schema {
	if s == nil || depth > maxFieldDepth {
		return nil
	}
	if p := s.Properties[name]; p != nil {
		return p
	}
	for _, a := range s.AnyOf {
		if p := a.property(name, depth+1); p != nil {
			return p
		}
	}
	return nil
}

// IsObject reports whether the schema, or an alternative of it, is of objects.
func (s *Schema) IsObject() bool { return s.isObject(0) }

func (s *Schema) isObject(depth int) bool {
	if s == nil || depth > maxFieldDepth {
		return false
	}
	return s.Is("object") || len(s.Properties) > 0 || slices.ContainsFunc(s.AnyOf, func(a *Schema) bool { return a.isObject(depth + 1) })
}

// List returns the schema of the elements if values are lists, or an envelope with one
// list of objects ("items", "data", …), and the JSON pointer of the list.
func (s *Schema) List() (pointer string, element *Schema) {
	if s == nil {
		return "", nil
	}
	if s.Items != nil {
		return "", s.Items
	}
	if s.Is("array") {
		return "", &Schema{}
	}
	found := 0
	for _, name := range s.Names {
		p := s.Properties[name]
		if p != nil && p.Items.IsObject() {
			found++
			pointer, element = "/"+strings.ReplaceAll(strings.ReplaceAll(name, "~", "~0"), "/", "~1"), p.Items
		}
	}
	if found != 1 {
		return "", nil
	}
	return pointer, element
}

// Of returns the media of a type, or nil.
func (b *Body) Of(media string) *Media {
	if b == nil {
		return nil
	}
	return mediaOf(b.Media, media)
}

// Of returns the media of a type, or nil. An answer that is declared as any JSON fits.
func (a *Answer) Of(media string) *Media {
	if a == nil {
		return nil
	}
	return mediaOf(a.Media, media)
}

func mediaOf(list []*Media, media string) *Media {
	media = mediaType(media)
	for _, m := range list {
		if m.Type == media {
			return m
		}
	}
	return nil
}

// Answer returns what is declared for a status: its own, its class, the default, or nil.
func (o *Operation) Answer(status int) *Answer {
	text := itoa(status)
	if a := o.Answers[text]; a != nil {
		return a
	}
	if a := o.Answers[text[:1]+"XX"]; a != nil {
		return a
	}
	return o.Answers["default"]
}

// Result returns the schema of JSON of the first declared answer of success, or nil.
func (o *Operation) Result() *Schema {
	for _, status := range []string{"200", "201", "202", "203", "206", "2XX", "default"} {
		if a := o.Answers[status]; a != nil {
			for _, m := range a.Media {
				if strings.HasSuffix(m.Type, "json") {
					return m.Schema
				}
			}
		}
	}
	return nil
}
