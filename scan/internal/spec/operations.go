package spec

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// maxOperations of a document.
const maxOperations = 20_000

// methods in the order in which a scan lists them.
func methods() []string {
	return []string{"get", "head", "options", "post", "put", "patch", "delete", "trace", "query"}
}

func (l *loader) paths(paths *place) {
	if paths.kind() != isObject {
		l.complain(l.main.root, "the document has no paths")
		return
	}
	for _, entry := range paths.children() {
		if strings.HasPrefix(strings.ToLower(entry.key), "x-") {
			continue
		}
		item := l.follow(entry)
		if item.kind() != isObject {
			l.complain(entry, "this is no path item")
			continue
		}
		template, extra := l.template(entry)
		shared := append(extra, l.params(item)...)
		for _, member := range item.children() {
			method := strings.ToLower(strings.TrimSpace(member.key))
			if !slices.Contains(methods(), method) {
				continue
			}
			if method != member.key {
				l.complain(member, "the method is not in lower case")
			}
			op := l.follow(member)
			if op == nil || op.kind() == isNull {
				op = &place{node: &node{kind: isObject}, file: member.file, up: member.up, key: member.key}
			}
			if op.kind() != isObject {
				l.complain(member, "this is no operation")
				continue
			}
			if len(l.api.Operations) >= maxOperations {
				l.complain(paths, "there are more operations than are read")
				return
			}
			l.operation(op, item, entry.key, strings.ToUpper(method), template, shared)
		}
	}
}

func (l *loader) operation(p, item *place, key, method, template string, shared []*Param) {
	o := &Operation{
		Method: method, Path: l.api.Base + template, Template: template,
		Summary: p.text("summary"), Describes: p.text("description"), Tags: p.texts("tags"), Deprecated: p.truth("deprecated"),
		Security: l.global, Secured: l.secured, Answers: map[string]*Answer{},
	}
	if own := append(l.serversOf(p), l.serversOf(item)...); len(own) > 0 {
		base, _ := l.baseOf(own[0])
		o.Path = base + template
	}
	// A fragment or query in the path tells apart what is one path over HTTP.
	pair := o.String()
	if i := strings.IndexAny(key, "#?"); i >= 0 {
		pair += key[i:]
	}
	if l.paired[pair] {
		l.complain(p, "the operation "+cut(o.String(), 200)+" is there twice")
		return
	}
	l.paired[pair] = true
	o.ID = l.operationID(p, o)
	o.Socket = method == "GET" && (p.get("x-websocket") != nil || p.get("responses").get("101") != nil)
	if s := p.get("security"); s != nil {
		o.Security, o.Secured = l.requirements(s), true
	}
	o.Params = override(shared, l.params(p))
	l.pathParams(p, o)
	l.credentialParams(p, o)
	l.body(p, item, o)
	l.answers(p, o)
	l.operations[p.node] = o
	l.api.Operations = append(l.api.Operations, o)
}

var unsafeID = regexp.MustCompile(`[^A-Za-z0-9]+`)

// operationID returns the operationId, or one that is made of method and path. The
// second of two equal ones gets a number.
func (l *loader) operationID(p *place, o *Operation) string {
	id := strings.TrimSpace(p.text("operationId"))
	if id == "" {
		id = strings.ToLower(o.Method) + "_" + strings.Trim(unsafeID.ReplaceAllString(o.Template, "_"), "_")
		id = strings.TrimSuffix(id, "_")
	}
	unique := id
	for i := 2; l.ids[unique]; i++ {
		unique = id + "_" + itoa(i)
	}
	if unique != id && p.text("operationId") != "" {
		l.complain(p, "the operationId "+cut(id, 100)+" is there twice")
	}
	l.ids[unique] = true
	return unique
}

var (
	colonParam = regexp.MustCompile(`(^|/):([A-Za-z_][A-Za-z0-9_]*)\??`)
	hashParam  = regexp.MustCompile(`#([A-Za-z_][A-Za-z0-9_]*)`)
	angleParam = regexp.MustCompile(`<(?:[A-Za-z_]+(?:\([^)]*\))?:)?([A-Za-z_][A-Za-z0-9_]*)>`)
	braceParam = regexp.MustCompile(`\{\s*[+*/?#.;]*([^{}:*?]+?)(?:\.\.\.|\*|\?)?\s*(?::((?:[^{}]|\{[^{}]*\})*))?\}`)
)

// template returns a path as it should be written, and the parameters that are in its
// query. Other frameworks' forms of parameters are understood.
func (l *loader) template(entry *place) (string, []*Param) {
	key := strings.TrimSpace(entry.key)
	if isAddress(key) {
		if i := strings.Index(key[8:], "/"); i >= 0 {
			key = key[8+i:]
		} else {
			key = "/"
		}
	}
	if _, fragment, ok := strings.Cut(key, "#"); ok && strings.Contains(fragment, "/") {
		key = hashParam.ReplaceAllString(key, "{$1}")
	}
	key, _, _ = strings.Cut(key, "#")
	key, query := cutQuery(key)
	if !strings.HasPrefix(key, "/") {
		key = "/" + key
	}
	if strings.HasPrefix(key, "//") {
		key = "/" + strings.TrimLeft(key, "/")
	}
	key = angleParam.ReplaceAllString(key, "{$1}")
	key = colonParam.ReplaceAllString(key, "$1{$2}")
	key = braceParam.ReplaceAllString(key, "{$1}")
	if key != entry.key {
		l.complain(entry, "the path is read as "+cut(key, 200))
	}
	var params []*Param
	for part := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(strings.Trim(part, "{}?&"), "=")
		if name == "" {
			continue
		}
		p := &Param{Name: name, In: "query", Style: "form", Explode: true, Schema: &Schema{Types: []string{"string"}}}
		if value, err := url.QueryUnescape(value); err == nil && value != "" && value[0] != '{' {
			p.Required, p.Examples = true, []any{value}
		}
		params = append(params, p)
	}
	return key, params
}

// cutQuery splits a query off a path, but not at a question mark within braces.
func cutQuery(key string) (path, query string) {
	depth := 0
	for i := range len(key) {
		switch key[i] {
		case '{':
			if strings.HasPrefix(key[i:], "{?") || strings.HasPrefix(key[i:], "{&") {
				return key[:i], strings.ReplaceAll(strings.Trim(key[i:], "{}?&"), ",", "&")
			}
			depth++
		case '}':
			depth--
		case '?':
			if depth <= 0 {
				return key[:i], key[i+1:]
			}
		}
	}
	return key, ""
}

// placeholders returns the names in braces of a path.
func placeholders(path string) (names []string) {
	for _, part := range strings.Split(path, "{")[1:] {
		if name, _, ok := strings.Cut(part, "}"); ok && name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}
