package login

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// placeholder is as {{username}}; {{pin:number}} is a JSON number if it is all of a text.
var placeholder = regexp.MustCompile(`\{\{\s*([\w.-]+)(:number)?\s*\}\}`)

// fill replaces the placeholders of a text. Those that are not known stay.
func fill(text string, values map[string]string) string {
	return placeholder.ReplaceAllStringFunc(text, func(p string) string {
		if v, ok := values[placeholder.FindStringSubmatch(p)[1]]; ok {
			return v
		}
		return p
	})
}

// fillAny is fill for all texts of a decoded document.
func fillAny(v any, values map[string]string) any {
	switch v := v.(type) {
	case string:
		filled := fill(v, values)
		if strings.HasSuffix(v, ":number}}") && json.Valid([]byte(filled)) {
			return json.Number(filled)
		}
		return filled
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, e := range v {
			out[name] = fillAny(e, values)
		}
		return out
	case map[any]any: // as some readers of YAML have it
		out := make(map[string]any, len(v))
		for name, e := range v {
			out[fmt.Sprint(name)] = fillAny(e, values)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = fillAny(e, values)
		}
		return out
	}
	return v
}

// placeholders returns the names that texts of a document ask for.
func placeholders(v any) (names []string) {
	switch v := v.(type) {
	case string:
		for _, m := range placeholder.FindAllStringSubmatch(v, -1) {
			names = append(names, m[1])
		}
	case map[string]string:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			names = append(names, placeholders(v[name])...)
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			names = append(names, placeholders(v[name])...)
		}
	case []any:
		for _, e := range v {
			names = append(names, placeholders(e)...)
		}
	}
	return names
}

// unknown returns a mistake for each placeholder that nothing has a value for.
func (m *Method) unknown(known map[string]string) (mistakes []error) {
	have := maps.Clone(known)
	if have == nil {
		have = map[string]string{}
	}
	want := func(where string, vs ...any) {
		for _, v := range vs {
			for _, name := range placeholders(v) {
				if _, ok := have[name]; !ok {
					mistakes = append(mistakes, fmt.Errorf("%s: there is no value of {{%s}}", where, name))
				}
			}
		}
	}
	for i, s := range m.steps() {
		want(fmt.Sprintf("step %d", i+1), s.Path, s.Headers, s.JSON, s.Form, s.Body)
		for name := range s.Extract {
			have[name] = ""
		}
	}
	if m.Page != nil {
		want("page", m.Page.Path, m.Page.Fields)
	}
	for _, c := range m.Credentials {
		want("credential "+c.Name, c.Value)
	}
	have["token"] = ""
	for _, c := range m.Send {
		want("send "+c.Name, c.Value)
	}
	return mistakes
}
