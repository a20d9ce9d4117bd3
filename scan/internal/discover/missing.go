package discover

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/wire"
)

// MissingField is something that an answer says is missing.
type MissingField struct {
	Name string
	In   string // query, header, path, cookie, body; empty if the answer does not say
}

// lack is a text that names what is missing.
var lack = regexp.MustCompile("(?i)(?:missing|required|lacks?|must (?:provide|have|include)|expected|no)(?: a| an| the)?(?: required| mandatory)? (query |body |request |path |header |form |url |json )?(?:parameters?|params?|fields?|propert(?:y|ies)|arguments?|attributes?|keys?)(?: named)?:? ?[\"'`]?([A-Za-z_][\\w.-]{0,60})[\"'`]?")

// lacked is a text that says that what it names is missing.
var lacked = regexp.MustCompile("(?i)[\"'`]?([A-Za-z_][\\w.\\-]{0,60})[\"'`]?(?: (query |body |path |header |form )?(?:parameter|param|field|property|argument))? (?:is|are|was) (?:a )?(?:required|missing|mandatory|not (?:present|provided|specified))|[\"'`]?([A-Za-z_][\\w.\\-]{0,60})[\"'`]? (?:must be provided|can(?:no|')t be (?:blank|empty|null)|must not be (?:null|empty|blank)|required)")

// tellsLack finds texts that speak of something that is missing.
var tellsLack = regexp.MustCompile(`(?i)required|missing|blank|must not be (null|empty)|mandatory|can'?t be empty|cannot be (null|empty)|undefined|not provided`)

// Missing returns what an answer of 400 or 422 says the request lacks, in the forms of the
// usual frameworks and in plain English. The order is that of the answer.
func Missing(ex *wire.Exchange) []MissingField {
	if ex.Status != 400 && ex.Status != 422 {
		return nil
	}
	m := &missing{}
	if v, ok := probe.Decode(ex); ok {
		m.walk("", v, 0)
	} else {
		m.text(ex.Text()[:min(len(ex.Text()), 4000)])
	}
	return m.out
}

type missing struct{ out []MissingField }

func (m *missing) add(name, in string) {
	name = strings.Trim(name, "/.")
	in = strings.ToLower(strings.TrimSpace(in))
	switch in {
	case "url", "querystring", "params":
		in = "query"
	case "form", "json", "request":
		in = "body"
	}
	stop := []string{"this", "field", "it", "value", "body", "query", "request", "that", "parameter", "and", "the", "is", "which", "input", "data", "authentication", "authorization", "login",
		"int", "integer", "string", "number", "boolean", "object", "array", "valid", "have", "be", "has", "property", "type", "are", "fields", "parameters", "all", "argument"}
	if name == "" || len(m.out) >= 60 || slices.Contains(stop, strings.ToLower(name)) {
		return
	}
	if !slices.ContainsFunc(m.out, func(f MissingField) bool { return f.Name == name }) {
		m.out = append(m.out, MissingField{Name: name, In: in})
	}
}

// walk looks for lists of what is wrong: objects that name a place and say what is missing
// there, or members that are called like the fields.
func (m *missing) walk(name string, v any, depth int) {
	if depth > 6 {
		return
	}
	switch v := v.(type) {
	case map[string]any:
		if m.entry(v) {
			return
		}
		for _, member := range slices.Sorted(maps.Keys(v)) {
			m.walk(member, v[member], depth+1)
		}
	case []any:
		for _, e := range v[:min(len(v), 60)] {
			m.walk(name, e, depth+1)
		}
	case string:
		m.said(name, v)
	}
}

// said takes {"email": ["This field is required."]} and texts.
func (m *missing) said(name, text string) {
	if !tellsLack.MatchString(text) {
		return
	}
	before := len(m.out)
	m.text(text)
	generic := slices.Contains([]string{"", "message", "msg", "detail", "error", "errors", "title", "description", "reason", "code", "type", "messages", "error_description", "hint"}, strings.ToLower(name))
	if len(m.out) == before && !generic {
		m.add(name, "")
	}
}

// entry takes one object of a list of errors: {"loc": ["query", "q"], "type": "missing"},
// {"field": "email", "message": "must not be blank"}, {"pointer": "/email", …}.
func (m *missing) entry(v map[string]any) bool {
	var all []string
	for _, member := range []string{"msg", "message", "detail", "type", "code", "defaultMessage", "error", "keyword", "reason"} {
		if text, ok := v[member].(string); ok {
			all = append(all, text)
		}
	}
	if !tellsLack.MatchString(strings.Join(all, "\n")) {
		return false
	}
	in, _ := v["in"].(string)
	if in == "" {
		in, _ = v["location"].(string)
	}
	for _, member := range []string{"loc", "field", "param", "name", "property", "pointer", "instancePath", "parameter", "path", "attribute"} {
		switch at := v[member].(type) {
		case string:
			if member == "instancePath" && lack.MatchString(strings.Join(all, "\n")) {
				m.text(strings.Join(all, "\n")) // That of JSON Schema is the object which lacks it.
				return true
			}
			if at == "" || member == "path" && strings.HasPrefix(at, "/") {
				continue
			}
			m.add(strings.ReplaceAll(strings.TrimPrefix(at, "#"), "/", "."), in)
			return true
		case []any:
			parts := make([]string, 0, len(at))
			for _, part := range at {
				parts = append(parts, probe.Text(part))
			}
			if len(parts) > 1 && slices.Contains([]string{"query", "body", "path", "header", "cookie"}, parts[0]) {
				in, parts = parts[0], parts[1:]
			}
			m.add(strings.Join(parts, "."), in)
			return true
		}
	}
	return false
}

func (m *missing) text(text string) {
	for _, found := range lack.FindAllStringSubmatch(text, 20) {
		m.add(found[2], found[1])
	}
	for _, found := range lacked.FindAllStringSubmatch(text, 20) {
		m.add(found[1]+found[3], found[2])
	}
}
