package spec

import (
	"slices"
	"strings"
)

// maxProperties of one schema.
const maxProperties = 3000

func (l *loader) fillObject(s *Schema, p *place) {
	if required := p.get("required"); required.kind() == isList {
		s.Required = unique(p.texts("required"))
	}
	if properties := p.get("properties"); properties.kind() == isObject {
		for _, c := range properties.children() {
			l.property(s, c.key, c)
		}
	} else if properties.kind() == isList { // [{name: …, type: …}]
		for _, c := range properties.children() {
			if name := c.text("name"); name != "" {
				l.property(s, name, c)
			}
		}
	}
	switch more := p.first("additionalProperties", "unevaluatedProperties"); more.kind() {
	case isBool:
		s.Closed = more.node.text == "false"
		if !s.Closed {
			s.Additional = &Schema{}
		}
	case isObject:
		s.Additional = l.schema(more)
	case isNull, isNumber, isString, isList:
	}
	if patterns := p.get("patternProperties").children(); len(patterns) > 0 {
		s.Closed = false
		if s.Additional == nil {
			s.Additional = &Schema{}
			if len(patterns) == 1 {
				s.Additional = l.schema(patterns[0])
			}
		}
	}
}

func (l *loader) property(s *Schema, name string, p *place) {
	if p.kind() == isBool && p.node.text == "false" || len(s.Names) >= maxProperties {
		return
	}
	if s.Properties == nil {
		s.Properties = map[string]*Schema{}
	}
	if s.Properties[name] == nil {
		s.Names = append(s.Names, name)
	}
	s.Properties[name] = l.schema(p)
	// "required: true" in the property is of an older JSON Schema.
	if p.truth("required") && !slices.Contains(s.Required, name) {
		s.Required = append(s.Required, name)
	}
}

func (l *loader) fillItems(s *Schema, p *place) {
	items := p.get("items")
	tuple := p.get("prefixItems")
	if items.kind() == isList {
		items, tuple = p.get("additionalItems"), items
	}
	if tuple.kind() == isList && len(tuple.node.items) > 0 {
		s.Items = &Schema{}
		for _, c := range tuple.children() {
			s.Items.AnyOf = append(s.Items.AnyOf, l.schema(c))
		}
		if items.kind() == isObject {
			s.Items.AnyOf = append(s.Items.AnyOf, l.schema(items))
		} else if items.kind() != isBool || items.node.text == "true" {
			s.Items.AnyOf = append(s.Items.AnyOf, &Schema{})
		}
		return
	}
	if items.kind() == isObject || items.kind() == isBool || items.kind() == isString {
		s.Items = l.schema(items)
	}
}

func (l *loader) fillAlternatives(s *Schema, p *place) {
	if all := p.get("allOf"); all.kind() == isList {
		for _, c := range all.children() {
			if isNothing(c) {
				s.Nullable = true
				continue
			}
			l.addPart(s, l.schema(c))
		}
	} else if all.kind() == isObject {
		l.addPart(s, l.schema(all))
	}
	for _, key := range []string{"oneOf", "anyOf"} {
		list := p.get(key)
		if list.kind() != isList {
			continue
		}
		var out []*Schema
		for _, c := range list.children() {
			if isNothing(c) {
				s.Nullable = true
				continue
			}
			out = append(out, l.schema(c))
		}
		switch {
		case len(out) == 1: // An optional value, as pydantic writes it.
			l.addPart(s, out[0])
		case len(s.AnyOf) == 0:
			s.AnyOf = out
		}
	}
	switch d := p.get("discriminator"); d.kind() {
	case isString:
		s.Discriminator = d.node.text
	case isObject:
		s.Discriminator = d.text("propertyName")
		for _, m := range d.get("mapping").children() {
			if m.kind() != isString {
				continue
			}
			ref := m.node.text
			if !strings.ContainsAny(ref, "/#") {
				ref = "#/components/schemas/" + ref
			}
			if target := l.resolve(m, ref); target != nil {
				if s.DiscriminatorMappings == nil {
					s.DiscriminatorMappings = map[string]*Schema{}
				}
				s.DiscriminatorMappings[m.key] = l.schema(target)
			}
		}
	case isNull, isBool, isNumber, isList:
	}
}

// isNothing reports whether a schema allows null and nothing else.
func isNothing(p *place) bool {
	if types := p.texts("type"); len(types) == 1 && strings.EqualFold(types[0], "null") {
		return true
	}
	e := p.get("enum")
	return e.kind() == isList && len(e.node.items) == 1 && e.node.items[0].kind == isNull
}
