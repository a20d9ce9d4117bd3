package spec

import "strings"

// schemes reads security schemes, of OpenAPI 3 and of Swagger 2.0.
func (l *loader) schemes(p *place) {
	for _, entry := range p.children() {
		def := l.follow(entry)
		if def.kind() != isObject {
			continue
		}
		s := &Scheme{Type: def.text("type"), In: strings.ToLower(def.text("in")), Name: def.text("name"), Scheme: strings.ToLower(def.text("scheme"))}
		switch strings.ToLower(s.Type) {
		case "basic":
			s.Type, s.Scheme = "http", "basic"
		case "bearer", "jwt":
			s.Type, s.Scheme = "http", "bearer"
		case "apikey", "api_key", "api-key":
			s.Type = "apiKey"
		case "http":
			s.Type = "http"
			if s.Scheme == "" || s.Scheme == "jwt" || s.Scheme == "token" {
				s.Scheme = "bearer"
			}
		case "oauth2", "oauth":
			s.Type = "oauth2"
			if def.text("flow") == "password" {
				s.TokenURL = def.text("tokenUrl")
			}
			if flow := def.get("flows").get("password"); flow != nil {
				s.TokenURL = flow.text("tokenUrl")
			}
		case "openidconnect":
			s.Type = "openIdConnect"
		case "mutualtls":
			s.Type = "mutualTLS"
		default:
			l.complain(entry, "the security scheme has no type that is known")
		}
		l.api.Schemes[entry.key] = s
	}
}

// requirements reads the security of a document or an operation.
func (l *loader) requirements(p *place) []Requirement {
	out := []Requirement{}
	list := p.children()
	if p.kind() == isObject {
		list = []*place{p}
	}
	for _, entry := range list {
		r := Requirement{}
		switch entry.kind() {
		case isString:
			r[entry.node.text] = nil
		case isObject:
			for _, scheme := range entry.children() {
				r[scheme.key] = entry.texts(scheme.key)
			}
		case isNull, isBool, isNumber, isList:
			continue
		}
		for name := range r {
			if l.api.Schemes[name] == nil {
				l.complain(entry, "there is no security scheme "+cut(name, 100))
			}
		}
		out = append(out, r)
	}
	return out
}
