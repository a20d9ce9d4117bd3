package spec

import (
	"encoding/json"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"
)

// maxSchemas of a document.
const maxSchemas = 500_000

// schemas turns nodes into schemas, each node once: a circular document is a circular
// graph, and its size is that of the document. What is below a schema is filled in later,
// from a list, so that depth costs no stack.
type schemas struct {
	byNode  map[*node]*Schema
	pending []pendingSchema
	// parts are what is to be merged into a schema: its allOf, and what it refers to.
	parts map[*Schema][]*Schema
	order []*Schema // with parts
	// state of merging: 1 while at it, 2 when done.
	state  map[*Schema]int
	copies int
}

type pendingSchema struct {
	schema *Schema
	place  *place
}

func (c *schemas) init() {
	c.byNode, c.parts, c.state = map[*node]*Schema{}, map[*Schema][]*Schema{}, map[*Schema]int{}
}

// schema returns that of a place; nil for none.
func (l *loader) schema(p *place) *Schema {
	if p == nil {
		return nil
	}
	start := p
	for range maxHops {
		if s := l.byNode[p.node]; s != nil {
			l.byNode[start.node] = s
			return s
		}
		ref := p.get("$ref")
		if ref.kind() != isString || siblings(p) {
			s := l.shell(p)
			l.byNode[start.node] = s
			return s
		}
		next := l.resolve(p, ref.node.text)
		if next == nil {
			s := &Schema{Name: refName(ref.node.text)}
			l.byNode[start.node] = s
			return s
		}
		p = next
	}
	l.complain(start, "the reference leads to itself")
	s := &Schema{}
	l.byNode[start.node] = s
	return s
}

// siblings reports whether something that counts stands beside a reference.
func siblings(p *place) bool {
	return slices.ContainsFunc(p.node.keys, func(key string) bool {
		switch key {
		case "$ref", "description", "summary", "title", "$comment", "deprecated":
			return false
		}
		return !strings.HasPrefix(key, "x-")
	})
}

// inline returns the schema of a parameter of Swagger 2.0, which is the parameter itself.
func (l *loader) inline(p *place) *Schema {
	if s := l.byNode[p.node]; s != nil {
		return s
	}
	s := l.shell(p)
	s.Required = nil
	return s
}

func (l *loader) shell(p *place) *Schema {
	s := &Schema{}
	if len(l.byNode) >= maxSchemas {
		l.complain(l.main.root, "there are more schemas than are read")
		return s
	}
	s.Name = componentName(p)
	l.byNode[p.node] = s
	l.pending = append(l.pending, pendingSchema{s, p})
	return s
}

func componentName(p *place) string {
	switch {
	case p.up == nil && !p.file.main:
		name, _, _ := strings.Cut(path.Base(p.file.name), ".")
		return name
	case p.up == nil:
		return ""
	case p.up.key == "schemas" || p.up.key == "definitions" || p.up.key == "$defs":
		return p.key
	}
	return ""
}

func refName(ref string) string {
	name := ref[strings.LastIndexAny(ref, "/#")+1:]
	name, _, _ = strings.Cut(name, ".")
	return name
}

// fillSchemas fills and merges all that is pending.
func (l *loader) fillSchemas() {
	for len(l.pending) > 0 {
		next := l.pending[len(l.pending)-1]
		l.pending = l.pending[:len(l.pending)-1]
		l.fill(next.schema, next.place)
	}
	for _, s := range l.order {
		l.merge(s, 0)
	}
}

func (l *loader) addPart(s, part *Schema) {
	if part == nil || part == s {
		return
	}
	if len(l.parts[s]) == 0 {
		l.order = append(l.order, s)
	}
	l.parts[s] = append(l.parts[s], part)
}

func (l *loader) fill(s *Schema, p *place) {
	switch p.kind() {
	case isBool:
		s.Never = p.node.text == "false"
		return
	case isObject:
	case isString: // "type" in place of a schema
		s.Types, s.Format = typeOf(p.node.text)
		return
	case isNull, isNumber, isList:
		return
	}
	if ref := p.get("$ref"); ref.kind() == isString {
		if target := l.resolve(p, ref.node.text); target != nil && target.node != p.node {
			l.addPart(s, l.schema(target))
		}
	}
	s.Pattern, s.Title, s.Describe = p.text("pattern"), p.text("title"), p.text("description")
	l.fillTypes(s, p)
	l.fillValues(s, p)
	l.fillBounds(s, p)
	l.fillObject(s, p)
	l.fillItems(s, p)
	l.fillAlternatives(s, p)
	if len(s.Types) == 0 {
		switch {
		case len(s.Properties) > 0:
			s.Types = []string{"object"}
		case s.Items != nil:
			s.Types = []string{"array"}
		}
	}
}

func (l *loader) fillTypes(s *Schema, p *place) {
	for _, name := range p.texts("type") {
		types, format := typeOf(name)
		if len(types) == 1 && types[0] == "null" && len(p.texts("type")) > 1 {
			s.Nullable = true
			continue
		}
		for _, t := range types {
			if !slices.Contains(s.Types, t) {
				s.Types = append(s.Types, t)
			}
		}
		if s.Format == "" {
			s.Format = format
		}
	}
	if t := p.get("type"); t.kind() == isObject { // A schema in place of its type.
		l.addPart(s, l.schema(t))
	}
	if f := p.text("format"); f != "" {
		s.Format = f
	}
	if s.Format == "" {
		s.Format = formatOf(p.text("contentEncoding"), mediaType(p.text("contentMediaType")))
	}
	s.Nullable = s.Nullable || p.truth("nullable") || p.truth("x-nullable") || slices.Equal(s.Types, []string{"null"})
	s.ReadOnly, s.WriteOnly = p.truth("readOnly"), p.truth("writeOnly")
}

// typeOf returns the types that a name of a type means, and a format that it implies.
func typeOf(name string) (types []string, format string) {
	switch name = strings.ToLower(strings.TrimSpace(name)); name {
	case "string", "number", "integer", "boolean", "object", "array", "null":
		return []string{name}, ""
	case "int", "long", "int32", "int64", "bigint", "short":
		return []string{"integer"}, ""
	case "float", "double", "decimal":
		return []string{"number"}, ""
	case "bool":
		return []string{"boolean"}, ""
	case "list", "set":
		return []string{"array"}, ""
	case "map", "dict", "json":
		return []string{"object"}, ""
	case "str", "text", "char", "enum":
		return []string{"string"}, ""
	case "file":
		return []string{"string"}, "binary"
	case "date", "date-time", "uuid", "email", "uri", "binary", "byte", "password", "time":
		return []string{"string"}, name
	case "datetime", "timestamp":
		return []string{"string"}, "date-time"
	case "url":
		return []string{"string"}, "uri"
	}
	return nil, ""
}

// formatOf returns the format that says what JSON Schema says with two words.
func formatOf(encoding, media string) string {
	switch {
	case strings.HasPrefix(strings.ToLower(encoding), "base64"):
		return "byte"
	case encoding != "" || media == "" || strings.HasPrefix(media, "text/") || strings.HasSuffix(media, "json") || strings.HasSuffix(media, "xml"):
		return ""
	}
	return "binary"
}

func (l *loader) fillValues(s *Schema, p *place) {
	if e := p.get("enum"); e.kind() == isList {
		for _, c := range e.children() {
			if c.kind() == isNull {
				s.Nullable = true
				continue
			}
			s.Enum = append(s.Enum, c.value())
		}
	}
	if c := p.get("const"); c != nil {
		s.Enum = []any{c.value()}
	}
	if len(s.Types) == 0 && len(s.Enum) > 0 {
		for _, v := range s.Enum {
			if t := TypeOf(v); !slices.Contains(s.Types, t) {
				s.Types = append(s.Types, t)
			}
		}
	}
	s.Default = p.get("default").value()
	s.Examples = l.examples(p)
}

// maxExamples of one schema, parameter or media type.
const maxExamples = 20

// examples reads all forms of examples.
func (l *loader) examples(p *place) (out []any) {
	for _, key := range []string{"example", "x-example"} {
		if e := l.follow(p.get(key)); e != nil {
			out = append(out, e.value())
		}
	}
	for _, key := range []string{"examples", "x-examples"} {
		list := p.get(key)
		if list.kind() != isObject && list.kind() != isList {
			continue
		}
		for _, entry := range list.children() {
			if len(out) >= maxExamples {
				break
			}
			e := l.follow(entry)
			switch {
			case e == nil:
			case e.get("value") != nil:
				out = append(out, e.get("value").value())
			case list.kind() == isObject && e.get("externalValue") != nil:
			default:
				out = append(out, e.value())
			}
		}
	}
	return out
}

func (l *loader) fillBounds(s *Schema, p *place) {
	s.Minimum, s.Maximum, s.MultipleOf = number(p, "minimum"), number(p, "maximum"), number(p, "multipleOf")
	if m := number(p, "exclusiveMinimum"); m != nil && (s.Minimum == nil || *m >= *s.Minimum) {
		s.Minimum, s.ExclusiveMin = m, true
	} else if m == nil && s.Minimum != nil {
		s.ExclusiveMin = p.truth("exclusiveMinimum")
	}
	if m := number(p, "exclusiveMaximum"); m != nil && (s.Maximum == nil || *m <= *s.Maximum) {
		s.Maximum, s.ExclusiveMax = m, true
	} else if m == nil && s.Maximum != nil {
		s.ExclusiveMax = p.truth("exclusiveMaximum")
	}
	s.MinLength, s.MaxLength = size(p, "minLength"), size(p, "maxLength")
	s.MinItems, s.MaxItems = size(p, "minItems"), size(p, "maxItems")
	s.Unique = p.truth("uniqueItems")
}

// number returns a member that is a number, also one in quotes.
func number(p *place, key string) *float64 {
	f, err := strconv.ParseFloat(p.text(key), 64)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
		return nil
	}
	return &f
}

func size(p *place, key string) *int {
	f := number(p, key)
	if f == nil || *f < 0 || *f > math.MaxInt32 {
		return nil
	}
	n := int(*f)
	return &n
}

// TypeOf returns the type in JSON Schema of a decoded value.
func TypeOf(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case json.Number:
		if f, err := v.Float64(); err == nil && f == math.Trunc(f) {
			return "integer"
		}
		return "number"
	case float64:
		if v == math.Trunc(v) {
			return "integer"
		}
		return "number"
	case int, int64:
		return "integer"
	case []any:
		return "array"
	}
	return "object"
}
