package schema

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/fastness/fastness/openapi"
)

// choices are the values that an enum or a const allows, as they are written.
type choices struct {
	texts    []string
	constant bool
	noChoice *fault
}

// choicesOf takes the rules enum and const of a number or a truth value, whose
// members must satisfy valid.
func (r *rules) choicesOf(c *compiler, where string, valid func(string) bool) (out choices) {
	out.texts, out.constant = r.choices(c, where)
	for _, text := range out.texts {
		if !valid(text) {
			c.mistake(where, "enum or const: %q does not fit the type", text)
		}
	}
	out.noChoice = newFault("literal_error", limit("expected", strings.ReplaceAll(expected(out.texts), "'", "")))
	return out
}

func (o *choices) check(d *decoder, text string) {
	if o.texts != nil && !slices.Contains(o.texts, text) {
		d.broken(o.noChoice)
	}
}

func (o *choices) describe(s *openapi.Schema) {
	for _, text := range o.texts {
		if o.constant {
			s.Const = json.RawMessage(text)
			return
		}
		s.Enum = append(s.Enum, json.RawMessage(text))
	}
}
