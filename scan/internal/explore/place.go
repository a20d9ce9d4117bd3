package explore

import (
	"maps"
	"slices"
	"strings"

	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/internal/spec"
	"github.com/fastness/fastness/scan/internal/value"
)

// place returns the place that a complaint is about, or an empty name. Names are compared
// in one form, for messages write them otherwise than requests: "Full name".
func (r *repair) place(t *try, c complaint) (in, name string) {
	if c.name == "" {
		return r.mentioned(t, c)
	}
	parts := strings.Split(c.name, "/")
	last := parts[len(parts)-1]
	for _, p := range t.c.Points() {
		if c.in != "" && p.In != c.in {
			continue
		}
		at := strings.TrimPrefix(p.Name, "/")
		if at == c.name || value.Normal(at) == value.Normal(c.name) {
			return p.In, p.Name
		}
	}
	for _, p := range t.c.Points() {
		if (c.in == "" || p.In == c.in) && value.Normal(p.Last()) == value.Normal(last) {
			return p.In, p.Name
		}
	}
	if s := t.c.BodySchema(); s != nil && (c.in == "" || c.in == "body") {
		for _, name := range s.Names {
			if value.Normal(name) == value.Normal(last) && len(parts) == 1 {
				return "body", "/" + name
			}
		}
	}
	return r.missingPlace(t, c, parts)
}

// missingPlace returns where something belongs that is not there yet.
func (r *repair) missingPlace(t *try, c complaint, parts []string) (in, name string) {
	switch {
	case c.in == "path" || c.in == "" && !isAbout(c.message, "required", "missing", "provide", "blank", "empty", "null", "must", "enter", "specify", "need", "invalid", "presence", "undefined", "expected", "should", "no "):
		return "", ""
	case c.in == "body" && c.name != "", c.in == "" && !r.op.Safe() && r.op.Method != "DELETE":
		return "body", "/" + strings.Join(parts, "/")
	case c.in == "":
		return "query", c.name
	}
	return c.in, c.name
}

// mentioned finds the one place whose name a message has as words.
func (r *repair) mentioned(t *try, c complaint) (in, name string) {
	message := " " + strings.Join(value.Words(c.message), " ") + " "
	for _, p := range t.c.Points() {
		words := strings.Join(value.Words(p.Last()), " ")
		if len(words) > 2 && strings.Contains(message, " "+words+" ") {
			return p.In, p.Name
		}
	}
	return "", ""
}

func isAbout(message string, words ...string) bool {
	message = strings.ToLower(message) + " "
	return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(message, w) })
}

func (r *repair) valueAt(c *probe.Case, in, name string) any {
	switch in {
	case "path":
		return c.Path[name]
	case "query":
		return c.Query[name]
	case "header":
		return c.Header[name]
	case "cookie":
		return c.Cookie[name]
	}
	return probe.Lookup(c.Body, name)
}

func (r *repair) schemaAt(c *probe.Case, in, name string) *spec.Schema {
	if in == "body" {
		s := c.BodySchema()
		for part := range strings.SplitSeq(strings.TrimPrefix(name, "/"), "/") {
			if s == nil {
				return nil
			}
			if s.Properties[part] == nil && s.Items != nil {
				s = s.Items
				continue
			}
			s = s.Properties[part]
		}
		return s
	}
	if p := r.op.Param(in, name); p != nil {
		return p.Schema
	}
	return nil
}

// add puts a value where one is missing.
func (r *repair) add(t *try, in, name string, s *spec.Schema, message string) bool {
	m := r.x.maker(r.op, r.user, false)
	if in != "body" {
		m.Marker = nil
	}
	if s == nil {
		s = &spec.Schema{}
		switch {
		case isAbout(message, "array", "list of"):
			s.Types = []string{"array"}
		case isAbout(message, "integer"):
			s.Types = []string{"integer"}
		case isAbout(message, "a number", "numeric"):
			s.Types = []string{"number"}
		case isAbout(message, "boolean"):
			s.Types = []string{"boolean"}
		}
	}
	last := probe.Point{Name: name}.Last()
	v := m.Make(name, last, s, nil)
	if v == nil {
		return false
	}
	c := t.c.With(in, name, v)
	if in == "body" && c.Media == "" {
		c.Media = "application/json"
	}
	marks := maps.Clone(t.marks)
	if marks == nil {
		marks = map[string]string{}
	}
	maps.Copy(marks, m.Marks)
	*t = try{c, marks}
	return true
}

// withoutMark returns the markers after a place got another value: its own is kept if the
// value still holds it, or a new one is found in it.
func withoutMark(marks map[string]string, name string, v any) map[string]string {
	out := maps.Clone(marks)
	if out == nil {
		out = map[string]string{}
	}
	text, _ := v.(string)
	old := out[name]
	delete(out, name)
	switch {
	case old != "" && strings.Contains(text, old):
		out[name] = old
	case len(text) >= 10 && strings.HasPrefix(text, "fz"):
		mark, _, _ := strings.Cut(text, "@")
		out[name] = mark
	}
	return out
}

func typeOfAny(v any) string {
	switch v.(type) {
	case []any:
		return "array"
	case map[string]any:
		return "object"
	}
	return typeOf(v)
}
