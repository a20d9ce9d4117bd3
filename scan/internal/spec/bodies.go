package spec

import (
	"slices"
	"strings"
)

// body reads what an operation takes, of OpenAPI 3 and of Swagger 2.0.
func (l *loader) body(p, item *place, o *Operation) {
	if def := l.follow(p.get("requestBody")); def.kind() == isObject {
		o.Body = &Body{Required: def.truth("required"), Media: l.media(def.get("content"))}
		if s := def.get("schema"); s != nil && len(o.Body.Media) == 0 {
			o.Body.Media = []*Media{{Type: "application/json", Schema: l.schema(s), Examples: l.examples(def)}}
		}
	} else {
		l.body2(p, item, o)
	}
	if o.Body == nil {
		return
	}
	if len(o.Body.Media) == 0 {
		l.complain(p, "the body has no media type; it is taken as JSON")
		o.Body.Media = []*Media{{Type: "application/json", Schema: &Schema{}}}
	}
	if o.Safe() {
		l.odd = append(l.odd, oddBody{o, p})
	}
}

// oddBody is that of an operation whose method has none.
type oddBody struct {
	operation *Operation
	place     *place
}

// dropEmptyBodies takes bodies without anything in them from methods that have none, when
// schemas are known. Others stay: some servers do read the body of a GET.
func (l *loader) dropEmptyBodies() {
	for _, odd := range l.odd {
		o := odd.operation
		empty := func(m *Media) bool {
			s := m.Schema
			return len(s.Names) == 0 && len(s.AnyOf) == 0 && s.Items == nil && (len(s.Types) == 0 || s.Is("object"))
		}
		if !o.Body.Required && !slices.ContainsFunc(o.Body.Media, func(m *Media) bool { return !empty(m) }) {
			o.Body = nil
			continue
		}
		l.complain(odd.place, "a "+o.Method+" has a body")
	}
}

// body2 reads the parameters "in: body" and "in: formData" of Swagger 2.0.
func (l *loader) body2(p, item *place, o *Operation) {
	consumes := p.texts("consumes")
	if len(consumes) == 0 {
		consumes = l.consumes
	}
	form := &Schema{Types: []string{"object"}, Properties: map[string]*Schema{}}
	files, formRequired := false, false
	for _, owner := range []*place{p, item} {
		for _, entry := range owner.get("parameters").children() {
			def := l.follow(entry)
			switch strings.ToLower(def.text("in")) {
			case "body":
				if o.Body != nil {
					continue
				}
				s := l.schema(def.get("schema"))
				if s == nil {
					s = l.inline(def)
				}
				o.Body = &Body{Required: def.truth("required")}
				types := consumes
				if len(types) == 0 {
					types = []string{"application/json"}
				}
				for _, t := range types {
					o.Body.Media = append(o.Body.Media, &Media{Type: mediaType(t), Schema: s, Examples: l.examples(def)})
				}
			case "formdata", "form":
				name := def.text("name")
				if name == "" || form.Properties[name] != nil {
					continue
				}
				form.Names = append(form.Names, name)
				form.Properties[name] = l.inline(def)
				files = files || def.text("type") == "file"
				if def.truth("required") {
					form.Required, formRequired = append(form.Required, name), true
				}
			}
		}
	}
	if o.Body == nil && len(form.Names) > 0 {
		o.Body = &Body{Required: formRequired}
		multipart := files || slices.ContainsFunc(consumes, func(t string) bool { return mediaType(t) == "multipart/form-data" })
		if !files && (!multipart || slices.ContainsFunc(consumes, func(t string) bool { return mediaType(t) == "application/x-www-form-urlencoded" })) {
			o.Body.Media = append(o.Body.Media, &Media{Type: "application/x-www-form-urlencoded", Schema: form})
		}
		if multipart {
			o.Body.Media = append(o.Body.Media, &Media{Type: "multipart/form-data", Schema: form})
		}
	}
	if o.Body != nil {
		sortMedia(o.Body.Media)
	}
}

// media reads a content object, or what stands in its place.
func (l *loader) media(content *place) (out []*Media) {
	for _, c := range content.children() {
		def := l.follow(c)
		name := c.key
		if content.kind() == isList {
			name = c.text("type") + c.text("mediaType") + c.text("contentType")
			if c.kind() == isString {
				name = c.node.text
			}
			l.complain(content, "the content is a list")
		}
		m := &Media{Type: mediaType(name), Schema: &Schema{}, Any: strings.Contains(name, "*")}
		if !strings.Contains(m.Type, "/") {
			if name != "schema" && name != "json" && name != "" {
				l.complain(c, "this is no media type")
				continue
			}
			m.Type = "application/json"
		}
		switch {
		case name == "schema":
			m.Schema = l.schema(c)
		case def.get("schema") != nil:
			m.Schema = l.schema(def.get("schema"))
		}
		m.Examples = l.examples(def)
		for _, part := range def.get("encoding").children() {
			if t := part.text("contentType"); t != "" {
				if m.Encoding == nil {
					m.Encoding = map[string]string{}
				}
				m.Encoding[part.key] = t
			}
		}
		if !slices.ContainsFunc(out, func(o *Media) bool { return o.Type == m.Type }) {
			out = append(out, m)
		}
	}
	sortMedia(out)
	return out
}

// mediaType returns a type without parameters. One that allows anything is JSON.
func mediaType(text string) string {
	text, _, _ = strings.Cut(text, ";")
	text = strings.ToLower(strings.TrimSpace(text))
	if text == "*/*" || text == "application/*" {
		return "application/json"
	}
	return text
}

func sortMedia(list []*Media) {
	rank := func(t string) int {
		switch {
		case t == "application/json":
			return 0
		case strings.HasSuffix(t, "json") && t != "application/merge-patch+json" && t != "application/json-patch+json":
			return 1
		case strings.HasSuffix(t, "json"):
			return 2
		case t == "application/x-www-form-urlencoded":
			return 3
		case t == "multipart/form-data":
			return 4
		}
		return 5
	}
	slices.SortStableFunc(list, func(a, b *Media) int { return rank(a.Type) - rank(b.Type) })
}

// answers reads the responses.
func (l *loader) answers(p *place, o *Operation) {
	produces := p.texts("produces")
	if len(produces) == 0 {
		produces = l.produces
	}
	responses := p.get("responses")
	if len(responses.children()) == 0 {
		l.complain(p, "no answers are declared")
	}
	for _, entry := range responses.children() {
		if strings.HasPrefix(entry.key, "x-") {
			continue
		}
		def := l.follow(entry)
		key := entry.key
		if responses.kind() == isList {
			key = def.text("status") + def.text("code") + def.text("statusCode")
		}
		status := statusOf(key)
		if status == "" {
			l.complain(entry, "this is no status")
			continue
		}
		a := &Answer{Status: status, Describe: def.text("description"), Media: l.media(def.get("content"))}
		if s := def.get("schema"); s != nil && len(a.Media) == 0 {
			if len(produces) == 0 {
				produces = []string{"application/json"}
			}
			for _, t := range produces {
				m := &Media{Type: mediaType(t), Schema: l.schema(s), Any: strings.Contains(t, "*")}
				if e := def.get("examples").get(t); e != nil {
					m.Examples = []any{e.value()}
				}
				a.Media = append(a.Media, m)
			}
			sortMedia(a.Media)
		}
		for _, h := range def.get("headers").children() {
			a.Headers = append(a.Headers, h.key)
		}
		for _, link := range def.get("links").children() {
			l.link(a, l.follow(link))
		}
		o.Answers[status] = a
	}
}

// statusOf returns "200", "2XX" or "default", or nothing.
func statusOf(key string) string {
	key = strings.ToUpper(strings.TrimSpace(key))
	if key == "DEFAULT" || key == "*" {
		return "default"
	}
	if len(key) < 3 || key[0] < '1' || key[0] > '5' || len(key) > 3 && key[3] >= '0' && key[3] <= '9' {
		return ""
	}
	for _, c := range key[1:3] {
		if (c < '0' || c > '9') && c != 'X' {
			return ""
		}
	}
	return key[:3]
}

// pendingLink is a link whose operation may not have been read yet.
type pendingLink struct {
	answer *Answer
	index  int
	at     *place
	ref    string
}

func (l *loader) link(a *Answer, def *place) {
	if def.kind() != isObject {
		return
	}
	link := Link{Operation: def.text("operationId"), Parameters: map[string]string{}}
	for _, p := range def.get("parameters").children() {
		// "path.id" is the parameter "id" of the path.
		name := p.key
		if in, rest, ok := strings.Cut(name, "."); ok && slices.Contains([]string{"path", "query", "header", "cookie"}, in) {
			name = rest
		}
		if p.kind() != isList && p.kind() != isObject {
			link.Parameters[name] = p.node.text
		}
	}
	a.Links = append(a.Links, link)
	if ref := def.text("operationRef"); ref != "" && link.Operation == "" {
		l.links = append(l.links, pendingLink{a, len(a.Links) - 1, def, ref})
	}
}

// joinLinks finds the operations that links name by a reference.
func (l *loader) joinLinks() {
	for _, pending := range l.links {
		target := l.follow(l.resolve(pending.at, pending.ref))
		if target == nil {
			continue
		}
		if o := l.operations[target.node]; o != nil {
			pending.answer.Links[pending.index].Operation = o.ID
		}
	}
	for _, o := range l.api.Operations {
		for _, a := range o.Answers {
			a.Links = slices.DeleteFunc(a.Links, func(link Link) bool { return !l.ids[link.Operation] })
		}
	}
}
