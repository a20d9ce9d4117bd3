package spec

import (
	"slices"
	"strings"
)

// params reads the parameters of an operation or path, except those of the body.
func (l *loader) params(p *place) (out []*Param) {
	for _, entry := range p.get("parameters").children() {
		def := l.follow(entry)
		if def.kind() == isString && l.main.root != nil { // The name of a shared one.
			def = l.guess(entry, def.node.text)
		}
		if def.kind() != isObject {
			continue
		}
		in := strings.ToLower(def.text("in"))
		if in == "body" || in == "formdata" || in == "form" {
			continue
		}
		name := def.text("name")
		if name == "" && p.get("parameters").kind() == isObject {
			name = entry.key
		}
		if name == "" {
			l.complain(entry, "the parameter has no name")
			continue
		}
		if !slices.Contains([]string{"path", "query", "header", "cookie"}, in) {
			l.complain(entry, "the parameter "+cut(name, 100)+" has no place that is known")
			in = "query"
			if strings.Contains(placeText(p), "{"+name+"}") {
				in = "path"
			}
		}
		if in == "path" {
			name = strings.Trim(name, "{}:")
		}
		param := l.param(def, in, name)
		if slices.ContainsFunc(out, func(o *Param) bool { return o.In == in && o.Name == name }) {
			l.complain(entry, "the parameter "+cut(name, 100)+" is there twice")
			continue
		}
		out = append(out, param)
	}
	return out
}

// placeText returns the path that a path item or an operation belongs to.
func placeText(p *place) string {
	for ; p != nil; p = p.up {
		if strings.HasPrefix(p.key, "/") {
			return p.key
		}
	}
	return ""
}

func (l *loader) param(def *place, in, name string) *Param {
	p := &Param{Name: name, In: in, Required: def.truth("required") || in == "path", Describe: def.text("description"), Style: def.text("style")}
	switch {
	case def.get("schema") != nil:
		p.Schema = l.schema(def.get("schema"))
	case def.get("content") != nil:
		p.Schema = &Schema{}
		if media := l.media(def.get("content")); len(media) > 0 {
			p.Schema, p.Examples = media[0].Schema, media[0].Examples
		}
	default: // Swagger 2.0 has the schema in the parameter.
		p.Schema = l.inline(def)
	}
	p.Examples = append(p.Examples, l.examples(def)...)
	if p.Style == "" {
		p.Style = "form"
		if in == "path" || in == "header" {
			p.Style = "simple"
		}
	}
	p.Explode = p.Style == "form"
	if def.get("explode") != nil {
		p.Explode = def.truth("explode")
	}
	switch def.text("collectionFormat") {
	case "csv":
		p.Explode = false
	case "ssv":
		p.Style, p.Explode = "spaceDelimited", false
	case "tsv":
		p.Style, p.Explode = "tabDelimited", false
	case "pipes":
		p.Style, p.Explode = "pipeDelimited", false
	case "":
		if def.text("type") == "array" && def.get("schema") == nil && in == "query" {
			p.Explode = false // The default of Swagger 2.0 is csv.
		}
	}
	return p
}

// override returns the parameters of a path with those of an operation, which replace
// equal ones.
func override(shared, own []*Param) []*Param {
	var out []*Param
	for _, p := range shared {
		if !slices.ContainsFunc(own, func(o *Param) bool { return o.In == p.In && o.Name == p.Name }) {
			out = append(out, p)
		}
	}
	return append(out, own...)
}

// pathParams makes the parameters of the path and those that are declared agree.
func (l *loader) pathParams(p *place, o *Operation) {
	names := placeholders(o.Path)
	var missing []string
	for _, name := range names {
		if o.Param("path", name) == nil {
			missing = append(missing, name)
		}
	}
	for i := 0; i < len(o.Params); i++ {
		param := o.Params[i]
		if param.In != "path" || slices.Contains(names, param.Name) {
			continue
		}
		meant := slices.IndexFunc(missing, func(name string) bool { return plain(name) == plain(param.Name) })
		if meant < 0 && len(missing) == 1 && strays(o, names) == 1 {
			meant = 0
		}
		if meant < 0 {
			l.complain(p, "the path has no parameter "+cut(param.Name, 100))
			o.Params = slices.Delete(slices.Clone(o.Params), i, i+1)
			i--
			continue
		}
		l.complain(p, "the path parameter "+cut(param.Name, 100)+" is called "+cut(missing[meant], 100)+" in the path")
		renamed := *param
		renamed.Name = missing[meant]
		o.Params = slices.Clone(o.Params)
		o.Params[i] = &renamed
		missing = slices.Delete(missing, meant, meant+1)
	}
	for _, name := range missing {
		l.complain(p, "the path parameter "+cut(name, 100)+" is not declared")
		o.Params = append(o.Params, &Param{Name: name, In: "path", Required: true, Style: "simple", Schema: &Schema{Types: []string{"string"}}})
	}
}

// strays counts path parameters that are declared and not in the path.
func strays(o *Operation, names []string) (n int) {
	for _, p := range o.Params {
		if p.In == "path" && !slices.Contains(names, p.Name) {
			n++
		}
	}
	return n
}

// plain returns a name without what people write differently.
func plain(name string) string {
	return strings.ToLower(strings.NewReplacer("_", "", "-", "", ".", "").Replace(name))
}

// credentialParams takes out header parameters that are set by other means (OpenAPI 3.1,
// section 4.8.12.1). An Authorization that is required says that one must log in.
func (l *loader) credentialParams(p *place, o *Operation) {
	var out []*Param
	for _, param := range o.Params {
		name := strings.ToLower(param.Name)
		if param.In != "header" || name != "authorization" && name != "accept" && name != "content-type" {
			out = append(out, param)
			continue
		}
		if name == "authorization" && param.Required && len(o.Security) == 0 {
			l.complain(p, "a header parameter Authorization is used in place of a security scheme")
			const made = "Authorization"
			if l.api.Schemes[made] == nil {
				l.api.Schemes[made] = &Scheme{Type: "http", Scheme: "bearer"}
			}
			o.Security, o.Secured = []Requirement{{made: nil}}, true
		}
	}
	o.Params = out
}
