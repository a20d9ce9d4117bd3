package discover

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/internal/spec"
	"github.com/fastness/fastness/scan/wire"
)

// value is a part of a path that stands for an object.
var value = regexp.MustCompile(`^(\{.*\}|-?\d+|[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}|[0-9a-fA-F]{12,}|\d{4}-\d\d-\d\d|[0-9A-HJKMNP-TV-Z]{26}|[^@/]+@[^@/]+\.[a-z]+|[A-Z]{2,6}-\d+)$`)

// version is a part of a path that says which version of an API it is.
var version = regexp.MustCompile(`(?i)^v\d{1,3}([._-]\d+)*$`)

func isValue(part string) bool {
	return value.MatchString(part) || len(part) >= 20 && strings.ContainsAny(part, "0123456789") && !strings.ContainsAny(part, ".-")
}

func isVersion(part string) bool { return version.MatchString(part) }

// shapeOf writes {} for each value and parameter of a path.
func shapeOf(path string) string {
	parts := strings.Split(path, "/")
	for i, part := range parts {
		if isValue(part) {
			parts[i] = "{}"
		}
	}
	return strings.Join(parts, "/")
}

// fill replaces the parameters of a template.
func fill(template string, with func(name string) string) string {
	parts := strings.Split(template, "/")
	for i, part := range parts {
		for {
			before, rest, found := strings.Cut(part, "{")
			name, after, closed := strings.Cut(rest, "}")
			if !found || !closed {
				break
			}
			part = before + url.PathEscape(with(name)) + after
		}
		parts[i] = part
	}
	return strings.Join(parts, "/")
}

// group is what several references have in common.
type group struct {
	method  string
	shape   string
	refs    []ref
	fixed   map[int]string // parts that are names of objects, and what they are called
	example string         // a path that was seen, or ""
}

// fromRefs makes operations of what was found by reading, and proves them.
func (f *finder) fromRefs(ctx context.Context) {
	for _, g := range f.groups() {
		op := g.operation()
		if f.known[key(op.Method, op.Path)] {
			f.enrich(op)
			continue
		}
		target := g.example
		if target == "" {
			target = f.concrete(op)
		} else if op.Method == http.MethodGet {
			target = withQuery(target, g.refs[0].query)
		}
		answer, absent, ok := f.exists(ctx, http.MethodGet, target, "reference")
		if op.Method != http.MethodGet && !ok {
			answer, absent, ok = f.allows(ctx, op.Method, target)
		}
		op.Found = g.refs[0].source
		switch {
		case ok:
			op.Found += fmt.Sprintf("; %s answers %d, unlike paths that are not there", answer.Request.Method, answer.Status)
			f.add(op, answer, absent)
		case op.Method != http.MethodGet:
			op.ID = "seen " + op.Method + " " + op.Path
			f.result.Unproven = append(f.result.Unproven, op)
		}
	}
}

// enrich adds what references show to an operation that was found before, when less could
// be seen: parameters of the query, and ids that are there.
func (f *finder) enrich(with *spec.Operation) {
	for _, op := range f.all() {
		if op.Found == "" || op.Method != with.Method || shapeOf(op.Path) != shapeOf(with.Path) {
			continue
		}
		var here, there []*spec.Param
		for _, p := range with.Params {
			if p.In == "path" {
				there = append(there, p)
			} else if op.Param(p.In, p.Name) == nil {
				op.Params = append(op.Params, p)
			}
		}
		for _, p := range op.Params {
			if p.In == "path" {
				here = append(here, p)
			}
		}
		for i := range min(len(here), len(there)) {
			if len(here[i].Examples) == 0 {
				here[i].Examples, here[i].Schema = there[i].Examples, there[i].Schema
			}
		}
		return
	}
}

// groups sorts the references by method and shape, in the order in which they were found.
func (f *finder) groups() []*group {
	slugs := f.slugs()
	var out []*group
	by := map[string]*group{}
	for _, r := range f.refs {
		parts := strings.Split(r.path, "/")
		fixed := map[int]string{}
		for i := range parts {
			if name := slugs[strings.Join(parts[:i+1], "/")]; name != "" {
				fixed[i] = name
				parts[i] = "{" + name + "}"
			}
		}
		shape := shapeOf(strings.Join(parts, "/"))
		k := r.method + " " + shape
		g := by[k]
		if g == nil {
			g = &group{method: r.method, shape: shape, fixed: fixed}
			by[k] = g
			out = append(out, g)
		}
		g.refs = append(g.refs, r)
		if g.example == "" && !strings.Contains(r.path, "{") {
			g.example = r.path
		}
	}
	return out
}

// slugs finds parts of paths that are names of objects, as in /users/alice and /users/bob:
// answers of the same shape, each of which holds its name. The result says what they are
// called, by the path that ends with them.
func (f *finder) slugs() map[string]string {
	type one struct{ path, name, shape string }
	by := map[string][]one{}
	for _, r := range f.refs {
		ex := f.asked[withQuery(r.path, r.query)]
		i := strings.LastIndexByte(r.path, '/')
		if r.method != http.MethodGet || ex == nil || !ex.OK() || i < 0 || isValue(r.path[i+1:]) {
			continue
		}
		last, err := url.PathUnescape(r.path[i+1:])
		if err != nil || last == "" {
			continue
		}
		for _, leaf := range probe.Leaves(ex) {
			if leaf.Value == last && !strings.Contains(leaf.Pointer, "*") {
				by[r.path[:i]] = append(by[r.path[:i]], one{r.path, leaf.Pointer[strings.LastIndexByte(leaf.Pointer, '/')+1:], probe.Shape(ex)})
				break
			}
		}
	}
	out := map[string]string{}
	for _, all := range by {
		for _, a := range all {
			if slices.ContainsFunc(all, func(b one) bool { return a.path != b.path && a.shape == b.shape && a.name == b.name }) {
				out[a.path] = a.name
			}
		}
	}
	return out
}

// operation makes the operation of a group.
func (g *group) operation() *spec.Operation {
	op := &spec.Operation{Method: g.method}
	template := strings.Split(g.shape, "/")
	for i, part := range template {
		if part != "{}" {
			continue
		}
		name := g.fixed[i]
		seen := []any{}
		for _, r := range g.refs {
			parts := strings.Split(r.path, "/")
			if i >= len(parts) {
				continue
			}
			if own, ok := strings.CutPrefix(parts[i], "{"); ok {
				if own = strings.TrimSuffix(own, "}"); name == "" && len(own) > 1 && own != "pk" { // The name of a variable says nothing.
					name = own
				}
			} else if text, err := url.PathUnescape(parts[i]); err == nil && len(seen) < 5 && !slices.Contains(seen, any(text)) {
				seen = append(seen, text)
			}
		}
		if name == "" {
			name = "id"
			if i > 1 && strings.Contains(strings.Join(template[:i], "/"), "{") {
				name = singular(template[i-1]) + "Id"
			}
		}
		for op.Param("path", name) != nil {
			name += strconv.Itoa(i)
		}
		template[i] = "{" + name + "}"
		op.Params = append(op.Params, &spec.Param{Name: name, In: "path", Required: true, Schema: schemaOf(seen), Examples: seen, Style: "simple"})
	}
	op.Path = strings.Join(template, "/")
	for _, r := range g.refs {
		g.query(op, r.query)
	}
	g.body(op)
	return op
}

// bareID is a parameter without which there is nothing to be answered, in most APIs.
var bareID = regexp.MustCompile(`(?i)^(id|uuid|guid)$`)

func (g *group) query(op *spec.Operation, query string) {
	for _, name := range queryNames(query) {
		values, _ := url.ParseQuery(query) // What cannot be read has no example.
		p := op.Param("query", name)
		if p == nil && len(op.Params) < 60 {
			p = queryParam(name, "", false)
			p.Required = bareID.MatchString(name) && !slices.ContainsFunc(g.refs, func(r ref) bool { return !slices.Contains(queryNames(r.query), name) })
			op.Params = append(op.Params, p)
		}
		if p != nil && values.Get(name) != "" && len(p.Examples) < 5 && !slices.Contains(p.Examples, any(values.Get(name))) {
			p.Examples = append(p.Examples, values.Get(name))
			p.Schema = schemaOf(p.Examples)
		}
	}
}

func queryParam(name, example string, required bool) *spec.Param {
	p := &spec.Param{Name: name, In: "query", Required: required, Schema: &spec.Schema{}, Style: "form", Explode: true}
	if example != "" {
		p.Examples = []any{example}
		p.Schema = schemaOf(p.Examples)
	}
	return p
}

// body makes a body of the fields of forms and calls.
func (g *group) body(op *spec.Operation) {
	for _, r := range g.refs {
		if r.media == "" {
			continue
		}
		if op.Body == nil {
			op.Body = &spec.Body{Required: true, Media: []*spec.Media{{Type: r.media, Schema: &spec.Schema{Types: []string{"object"}, Properties: map[string]*spec.Schema{}}}}}
		}
		s := op.Body.Media[0].Schema
		for _, in := range r.fields {
			if s.Properties[in.name] != nil {
				continue
			}
			s.Names = append(s.Names, in.name)
			s.Properties[in.name] = in.schema()
			if in.required || in.kind == "hidden" || bareID.MatchString(in.name) {
				s.Required = append(s.Required, in.name)
			}
		}
	}
}

// schema says what a field of a form takes.
func (in field) schema() *spec.Schema {
	s := &spec.Schema{Types: []string{"string"}}
	switch in.kind {
	case "number", "range":
		s.Types = []string{"number"}
	case "email", "password", "date", "time":
		s.Format = in.kind
	case "url":
		s.Format = "uri"
	case "datetime-local":
		s.Format = "date-time"
	case "file":
		s.Format = "binary"
	case "":
		if in.value == "" {
			s.Types = nil // A member of a script can be anything.
		}
	}
	if in.value != "" {
		s.Default = in.value
		s.Examples = []any{in.value}
	}
	return s
}

var uuid = regexp.MustCompile(`^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-`)

// schemaOf says what values have in common.
func schemaOf(values []any) *spec.Schema {
	s := &spec.Schema{Examples: values}
	number, id := len(values) > 0, len(values) > 0
	for _, v := range values {
		text, _ := v.(string)
		_, err := strconv.Atoi(text)
		number = number && err == nil
		id = id && uuid.MatchString(text)
	}
	switch {
	case number:
		s.Types = []string{"integer"}
	case id:
		s.Types, s.Format = []string{"string"}, "uuid"
	case len(values) > 0:
		s.Types = []string{"string"}
	}
	return s
}

// singular is that of an English noun, as far as paths need it.
func singular(noun string) string {
	switch {
	case strings.HasSuffix(noun, "ies"):
		return noun[:len(noun)-3] + "y"
	case strings.HasSuffix(noun, "sses"), strings.HasSuffix(noun, "xes"):
		return noun[:len(noun)-2]
	case strings.HasSuffix(noun, "s") && !strings.HasSuffix(noun, "ss"):
		return noun[:len(noun)-1]
	}
	return noun
}

// completePath declares the parameters of a path that nobody has declared.
func completePath(op *spec.Operation) {
	fill(op.Path, func(name string) string {
		if op.Param("path", name) == nil {
			op.Params = append(op.Params, &spec.Param{Name: name, In: "path", Required: true, Schema: &spec.Schema{}, Style: "simple"})
		}
		return ""
	})
}

// allows asks with OPTIONS whether a path takes a method. That of a path that is not there
// must say something else.
func (f *finder) allows(ctx context.Context, method, target string) (answer, absent *wire.Exchange, ok bool) {
	path, _, _ := strings.Cut(target, "?")
	ex := f.ask(ctx, http.MethodOptions, path, "methods")
	if ex == nil || !slices.Contains(allowed(ex), method) {
		return nil, nil, false
	}
	a := f.absentLike(ctx, http.MethodOptions, path)
	for _, other := range a.answers {
		if slices.Contains(allowed(other), method) {
			return nil, nil, false
		}
		absent = other
	}
	return ex, absent, absent != nil
}

// allowed are the methods of the Allow field (RFC 9110, section 10.2.1). What CORS says is
// no proof: it is the same for all paths, most times.
func allowed(ex *wire.Exchange) []string {
	var out []string
	for part := range strings.SplitSeq(strings.Join(ex.Header.Values("Allow"), ","), ",") {
		if part = strings.ToUpper(strings.TrimSpace(part)); part != "" {
			out = append(out, part)
		}
	}
	return out
}
