package login

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/fastness/fastness/scan/internal/spec"
)

// inputsOf returns the fields that an operation takes, where they are (json, form, query),
// and the media types of its body.
func inputsOf(op *spec.Operation) (fields []field, in string, media []string) {
	if op.Body != nil {
		for _, m := range op.Body.Media {
			media = append(media, m.Type)
			if len(fields) == 0 {
				fields = fieldsOf(m.Schema)
			}
		}
		if len(fields) > 0 {
			return fields, "body", media
		}
	}
	for _, p := range op.Params {
		if p.In == "query" || p.In == "header" && !strings.EqualFold(p.Name, "Authorization") {
			f := field{at: []string{p.Name}, schema: p.Schema, required: p.Required}
			f.role, f.rank = roleOf(p.Name, formatOf(p.Schema), "")
			fields = append(fields, f)
		}
	}
	if chosen(fields, passwordField) != nil {
		return fields, "params", media
	}
	return nil, "", media
}

func formatOf(s *spec.Schema) string {
	if s == nil {
		return ""
	}
	return s.Format
}

// stepsOf returns the requests that may log in at an operation.
func stepsOf(op *spec.Operation, known map[string]string) (steps []Step) {
	path := op.Path
	for name, v := range known {
		path = strings.ReplaceAll(path, "{"+name+"}", url.PathEscape(v))
	}
	base := Step{Method: op.Method, Path: path}
	fields, in, media := inputsOf(op)
	switch {
	case in == "body":
		for _, asUser := range userChoices(fields) {
			for _, m := range slices.Compact(media) {
				if s, ok := bodyStep(base, m, fields, asUser, known); ok {
					steps = append(steps, s)
				}
			}
		}
	case in == "params":
		steps = append(steps, paramStep(base, op, known))
	case op.Method == "GET":
		if chosen(fields, passwordField) == nil {
			steps = append(steps, basicStep(base))
		}
	default:
		steps = append(guessedBodies(base, media, known), basicStep(base))
	}
	return steps
}

// userChoices returns the fields that may name the user, one for each variant: of
// username and email, an API that requires neither wants one of them.
func userChoices(fields []field) (choices []*field) {
	best := chosen(fields, userField)
	choices = append(choices, best)
	for i := range fields {
		f := &fields[i]
		if f.role == userField && best != nil && f != best && f.name() != best.name() && !best.required && !f.required && f.rank < 10 {
			choices = append(choices, f)
		}
	}
	return choices[:min(len(choices), 3)]
}

// bodyStep puts a log-in into a body of a media type.
func bodyStep(s Step, media string, fields []field, user *field, known map[string]string) (Step, bool) {
	form := map[string]string{}
	doc := map[string]any{}
	for i := range fields {
		f := &fields[i]
		if !f.required && f != user && f.role != passwordField && !(plain(f.name()) == "granttype") {
			continue
		}
		v := f.value(known)
		put(doc, f.at, v)
		form[f.name()] = fmt.Sprint(v)
	}
	switch {
	case media == "application/x-www-form-urlencoded" || media == "multipart/form-data":
		s.Form = form
	case strings.Contains(media, "json") || media == "*/*" || media == "":
		s.JSON = doc
	default:
		return s, false
	}
	return s, true
}

// put sets a member below other members.
func put(doc map[string]any, at []string, v any) {
	for _, name := range at[:len(at)-1] {
		inner, ok := doc[name].(map[string]any)
		if !ok {
			inner = map[string]any{}
			doc[name] = inner
		}
		doc = inner
	}
	doc[at[len(at)-1]] = v
}

// value returns what a field of a log-in is to hold, with placeholders.
func (f *field) value(known map[string]string) any {
	name := ""
	switch {
	case f.role == otherField:
		return f.sample(known)
	case known[f.name()] != "":
		name = f.name()
	case f.role == passwordField:
		name = "password"
		if strings.HasPrefix(plain(f.name()), "pin") && known["pin"] != "" {
			name = "pin"
		}
	case emailLike(f.name(), f.schema.Format) && known["email"] != "":
		name = "email"
	case phoneLike(f.name(), f.schema.Format) && known["phone"] != "":
		name = "phone"
	case phoneLike(f.name(), f.schema.Format) && known["mobile"] != "":
		name = "mobile"
	default:
		name = "username"
	}
	if (f.schema.Is("integer") || f.schema.Is("number")) && !f.schema.Is("string") {
		return "{{" + name + ":number}}"
	}
	return "{{" + name + "}}"
}

// sample returns what a field may hold that is neither user nor password.
func (f *field) sample(known map[string]string) any {
	if v := known[f.name()]; v != "" {
		return "{{" + f.name() + "}}"
	}
	for _, list := range [][]any{{f.schema.Default}, f.schema.Enum, f.schema.Examples} {
		if len(list) > 0 && list[0] != nil {
			if plain(f.name()) == "granttype" {
				return "password"
			}
			return list[0]
		}
	}
	switch {
	case plain(f.name()) == "granttype":
		return "password"
	case f.schema.Is("boolean"):
		return false
	case f.schema.Is("integer"), f.schema.Is("number"):
		return 1
	case f.schema.Is("array"):
		return []any{}
	case f.schema.Is("object"):
		return map[string]any{}
	}
	return "scan"
}

// paramStep puts a log-in into query and headers.
func paramStep(s Step, op *spec.Operation, known map[string]string) Step {
	s.Headers = map[string]string{}
	var query []string
	for _, p := range op.Params {
		f := field{at: []string{p.Name}, schema: p.Schema, required: p.Required}
		f.role, f.rank = roleOf(p.Name, formatOf(p.Schema), "")
		if f.schema == nil {
			f.schema = &spec.Schema{}
		}
		if f.role == otherField && !f.required {
			continue
		}
		v := fmt.Sprint(f.value(known))
		switch p.In {
		case "query":
			query = append(query, url.QueryEscape(p.Name)+"="+strings.ReplaceAll(v, ":number}}", "}}"))
		case "header":
			s.Headers[p.Name] = v
		}
	}
	s.Path += "?" + strings.Join(query, "&")
	return s
}

// basicStep logs in by HTTP Basic once, for a token.
func basicStep(s Step) Step {
	s.Headers = map[string]string{"Authorization": "Basic {{basic}}"}
	return s
}

// guessedBodies returns the usual bodies of a log-in that the document does not describe.
func guessedBodies(s Step, media []string, known map[string]string) (steps []Step) {
	isForm := len(media) > 0 && !slices.ContainsFunc(media, func(m string) bool { return strings.Contains(m, "json") || m == "*/*" })
	for _, names := range [...][2]string{{"username", "password"}, {"email", "password"}, {"login", "password"}, {"user", "password"}} {
		user := "username"
		if known[names[0]] != "" {
			user = names[0]
		} else if names[0] == "email" {
			continue
		}
		step := s
		if isForm {
			step.Form = map[string]string{names[0]: "{{" + user + "}}", names[1]: "{{password}}"}
		} else {
			step.JSON = map[string]any{names[0]: "{{" + user + "}}", names[1]: "{{password}}"}
		}
		steps = append(steps, step)
		if len(steps) == 1 && len(media) == 0 {
			form := s
			form.Form = map[string]string{"grant_type": "password", names[0]: "{{" + user + "}}", names[1]: "{{password}}"}
			steps = append(steps, form)
		}
	}
	return steps
}
