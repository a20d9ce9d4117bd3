package spec

import (
	"fmt"
	"slices"
)

// Bounds of merging. Schemas that inherit from each other in a long chain get all
// properties of all before them, which is the square of the document's size.
const (
	maxMergeDepth = 200
	maxCopies     = 2_000_000
)

// merge takes the parts of a schema into it.
func (l *loader) merge(s *Schema, depth int) {
	if l.state[s] != 0 || len(l.parts[s]) == 0 {
		if l.state[s] == 1 {
			l.complain(l.main.root, "the schema "+s.Name+" is a part of itself")
		}
		return
	}
	if depth > maxMergeDepth {
		l.complain(l.main.root, "schemas inherit from each other too deeply")
		return
	}
	l.state[s] = 1
	parts := l.parts[s]
	own := s.Name
	for _, part := range parts {
		l.merge(part, depth+1)
		if part.Name != "" && s.Name == "" && len(parts) == 1 {
			own = part.Name
		}
		l.mergeInto(s, part, 0)
	}
	s.Name = own
	l.state[s] = 2
}

// mergeInto makes s what fits both s and part.
func (l *loader) mergeInto(s, part *Schema, depth int) {
	if s == part {
		return
	}
	l.mergeTypes(s, part)
	s.Never = s.Never || part.Never
	s.Nullable = s.Nullable || part.Nullable
	s.ReadOnly, s.WriteOnly = s.ReadOnly || part.ReadOnly, s.WriteOnly || part.WriteOnly
	s.Unique = s.Unique || part.Unique
	s.Closed = s.Closed || part.Closed
	keep(&s.Format, part.Format)
	keep(&s.Pattern, part.Pattern)
	keep(&s.Title, part.Title)
	keep(&s.Describe, part.Describe)
	keep(&s.Discriminator, part.Discriminator)
	if s.Default == nil {
		s.Default = part.Default
	}
	if s.DiscriminatorMappings == nil {
		s.DiscriminatorMappings = part.DiscriminatorMappings
	}
	if len(s.Examples) == 0 {
		s.Examples = part.Examples
	}
	if len(s.AnyOf) == 0 {
		s.AnyOf = slices.DeleteFunc(slices.Clone(part.AnyOf), func(a *Schema) bool { return a == s })
	}
	if s.Additional == nil {
		s.Additional = part.Additional
	}
	mergeBounds(s, part)
	l.mergeProperties(s, part, depth)
	switch {
	case s.Items == nil:
		s.Items = part.Items
	case part.Items != nil && part.Items != s.Items:
		s.Items = l.both(s.Items, part.Items, depth)
	}
}

func keep(to *string, from string) {
	if *to == "" {
		*to = from
	}
}

func (l *loader) mergeTypes(s, part *Schema) {
	switch {
	case len(s.Types) == 0:
		s.Types = slices.Clone(part.Types)
	case len(part.Types) > 0:
		var both []string
		for _, t := range s.Types {
			if slices.Contains(part.Types, t) || t == "integer" && slices.Contains(part.Types, "number") {
				both = append(both, t)
			} else if t == "number" && slices.Contains(part.Types, "integer") {
				both = append(both, "integer")
			}
		}
		if len(both) == 0 {
			l.complain(l.main.root, fmt.Sprintf("parts of the schema %s want different types: %v and %v", s.Name, s.Types, part.Types))
			return
		}
		s.Types = both
	}
	switch {
	case len(s.Enum) == 0:
		s.Enum = part.Enum
	case len(part.Enum) > 0:
		var both []any
		for _, v := range s.Enum {
			if contains(part.Enum, v) {
				both = append(both, v)
			}
		}
		if len(both) > 0 {
			s.Enum = both
		}
	}
}

func mergeBounds(s, part *Schema) {
	if part.Minimum != nil && (s.Minimum == nil || *part.Minimum > *s.Minimum) {
		s.Minimum, s.ExclusiveMin = part.Minimum, part.ExclusiveMin
	}
	if part.Maximum != nil && (s.Maximum == nil || *part.Maximum < *s.Maximum) {
		s.Maximum, s.ExclusiveMax = part.Maximum, part.ExclusiveMax
	}
	if s.MultipleOf == nil {
		s.MultipleOf = part.MultipleOf
	}
	larger := func(to **int, from *int) {
		if from != nil && (*to == nil || *from > **to) {
			*to = from
		}
	}
	smaller := func(to **int, from *int) {
		if from != nil && (*to == nil || *from < **to) {
			*to = from
		}
	}
	larger(&s.MinLength, part.MinLength)
	larger(&s.MinItems, part.MinItems)
	smaller(&s.MaxLength, part.MaxLength)
	smaller(&s.MaxItems, part.MaxItems)
}

func (l *loader) mergeProperties(s, part *Schema, depth int) {
	for _, name := range part.Required {
		if len(s.Required) < maxProperties && !slices.Contains(s.Required, name) {
			s.Required = append(s.Required, name)
		}
	}
	if len(part.Names) > 0 && s.Properties == nil {
		s.Properties = map[string]*Schema{}
	}
	for _, name := range part.Names {
		old := s.Properties[name]
		if l.copies++; l.copies > maxCopies || len(s.Names) >= maxProperties {
			l.complain(l.main.root, "there are more inherited properties than are read")
			return
		}
		switch {
		case old == nil:
			s.Names = append(s.Names, name)
			s.Properties[name] = part.Properties[name]
		case old != part.Properties[name]:
			s.Properties[name] = l.both(old, part.Properties[name], depth)
		}
	}
}

// both returns a schema of what fits two others, which stay as they are.
func (l *loader) both(a, b *Schema, depth int) *Schema {
	if l.copies++; depth > 3 || l.copies > maxCopies || l.state[a] == 1 || l.state[b] == 1 {
		return a
	}
	l.merge(a, maxMergeDepth-1)
	l.merge(b, maxMergeDepth-1)
	out := *a
	out.Names, out.Required = slices.Clone(a.Names), slices.Clone(a.Required)
	out.Properties = make(map[string]*Schema, len(a.Properties))
	for _, name := range a.Names {
		l.copies++
		out.Properties[name] = a.Properties[name]
	}
	l.mergeInto(&out, b, depth+1)
	return &out
}
