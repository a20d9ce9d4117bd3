package discover

import (
	"regexp"
	"slices"
	"strings"
)

// Most scripts call their API through a function of their own, that puts what is the same
// for all calls around it:
//
//	const api = (path, options) => fetch('/api/' + path, options)
//	function send(method, url, data) { return fetch(`${BASE}${url}`, { method, body: JSON.stringify(data) }) }
//	const form = data => ({ method: 'POST', body: new URLSearchParams(data) })
//	const client = axios.create({ baseURL: '/api/v1' })
//
// Hence api('orders/' + id) names GET /api/orders/{id}.
var (
	definition = regexp.MustCompile(`\bfunction\s+([A-Za-z_$][\w$]*)\s*\(([^()]{0,200})\)` +
		`|\b(?:const|let|var)\s+([A-Za-z_$][\w$]*)\s*=\s*(?:async\s*)?(?:function\s*[\w$]*\s*)?\(([^()]{0,200})\)` +
		`|\b(?:const|let|var)\s+([A-Za-z_$][\w$]*)\s*=\s*(?:async\s+)?([A-Za-z_$][\w$]*)\s*=>` +
		`|\b([A-Za-z_$][\w$]*)\s*(?::\s*(?:async\s*)?(?:function\s*)?)?\(([^()]{0,200})\)\s*(?:=>\s*)?\{`)
	sender      = regexp.MustCompile(`\b(?:fetch|axios|ky|got|request|ajax|ofetch|\$fetch)(?:\.(get|post|put|patch|delete))?\(`)
	opener      = regexp.MustCompile(`\.open\(\s*([^,()]{1,60}),`)
	made        = regexp.MustCompile(`\b([A-Za-z_$][\w$]*)\s*[:=]\s*(?:await\s+)?(?:axios|ky|got|ofetch|\$fetch)\.(?:create|extend)\(\s*\{[^{}]{0,400}?\b(?:baseURL|baseUrl|prefixUrl)\s*:\s*([^,}\n]{1,200})`)
	defaultBase = regexp.MustCompile(`\b(axios)\.defaults\.baseURL\s*=\s*([^;\n]{1,200})`)
	chosen      = regexp.MustCompile(`\b(?:method|type)\s*:\s*([A-Za-z_$][\w$]*)`)
	leading     = regexp.MustCompile(`^\s*([A-Za-z_$][\w$]*)`)
)

// maxHelpers are the functions of a script that are looked at.
const maxHelpers = 60

// helper is a function that calls the API.
type helper struct {
	name, expression, param string
	path, method            int // which arguments; -1 if there is none
	verb                    string
	media                   string
}

// option is a function that makes the options of a call.
type option struct{ verb, media string }

// keywords stand before brackets as names of functions do.
var keywords = [...]string{"if", "for", "while", "switch", "catch", "function", "return", "fetch"}

// wrapped notes what a script calls through functions of its own.
func (s *script) wrapped() {
	helpers, options := s.helpers()
	for _, h := range helpers {
		calls := regexp.MustCompile(`(?:^|[^\w$])` + regexp.QuoteMeta(h.name) + `(?:<[^<>()]{0,80}>)?\(`)
		for _, at := range calls.FindAllStringIndex(s.text, maxRefsPage) {
			if before := strings.TrimRight(s.text[max(0, at[0]-12):at[0]+1], " \t"); strings.HasSuffix(before, "function") {
				continue
			}
			s.through(h, arguments(s.text[at[1]:]), options)
		}
	}
}

// helpers are the functions of a script that call the API, by themselves or through others.
func (s *script) helpers() (helpers []*helper, options map[string]option) {
	options = map[string]option{}
	found := definition.FindAllStringSubmatchIndex(s.text, 4*maxHelpers)
	for range 3 { // A function that calls one that calls one.
		before := len(helpers)
		for i, at := range found {
			function, params := "", ""
			for g := 2; g+3 < len(at); g += 4 {
				if at[g] >= 0 {
					function, params = s.text[at[g]:at[g+1]], s.text[at[g+2]:at[g+3]]
				}
			}
			if slices.Contains(keywords[:], function) || len(helpers) >= maxHelpers || slices.ContainsFunc(helpers, func(h *helper) bool { return h.name == function }) {
				continue
			}
			end := min(len(s.text), at[1]+800)
			if i+1 < len(found) {
				end = min(end, found[i+1][0])
			}
			body := s.text[at[1]:end]
			if h := helperOf(function, paramNames(params), body, helpers); h != nil {
				helpers = append(helpers, h)
			} else if m := verb.FindStringSubmatch(body[:min(len(body), 200)]); m != nil {
				options[function] = option{strings.ToUpper(m[1]), mediaOf(body[:min(len(body), 200)])}
			}
		}
		if len(helpers) == before {
			break
		}
	}
	return helpers, options
}

func paramNames(list string) (out []string) {
	for _, one := range strings.Split(list, ",") {
		param := ""
		if m := leading.FindStringSubmatch(one); m != nil {
			param = m[1]
		}
		out = append(out, param)
	}
	return out
}

// mediaOf is the type of what a text of a script sends.
func mediaOf(text string) string {
	switch {
	case strings.Contains(text, "URLSearchParams"), strings.Contains(text, "x-www-form-urlencoded"):
		return "application/x-www-form-urlencoded"
	case strings.Contains(text, "FormData"):
		return "multipart/form-data"
	}
	return ""
}

// helperOf reads a function: one of its parameters must be in the path that it asks for.
func helperOf(function string, params []string, body string, others []*helper) *helper {
	h := &helper{name: function, method: -1, media: mediaOf(body)}
	if !h.ofOther(params, body, others) {
		h.ofCall(params, body)
	}
	for i, p := range params {
		if p != "" && h.expression != "" && regexp.MustCompile(`(?:^|[^\w$.'"])`+regexp.QuoteMeta(p)+`\b`).MatchString(h.expression) {
			h.path, h.param = i, p
			break
		}
	}
	if h.param == "" {
		return nil
	}
	if m := verb.FindStringSubmatch(body); m != nil && h.verb == "" {
		h.verb = strings.ToUpper(m[1])
	} else if m := chosen.FindStringSubmatch(body); m != nil && h.method < 0 {
		h.chooses(params, m[1])
	} else if i := slices.Index(params, "method"); i >= 0 && h.method < 0 && h.verb == "" {
		h.method = i
	}
	return h
}

// ofCall reads what a function asks for by itself.
func (h *helper) ofCall(params []string, body string) {
	if m := sender.FindStringSubmatchIndex(body); m != nil {
		if args := arguments(body[m[1]:]); len(args) > 0 {
			h.expression = args[0]
		}
		if m[2] >= 0 {
			h.verb = strings.ToUpper(body[m[2]:m[3]])
		}
	} else if m := opener.FindStringSubmatchIndex(body); m != nil {
		if args := arguments(body[m[1]:]); len(args) > 0 {
			h.expression = args[0]
		}
		h.chooses(params, body[m[2]:m[3]])
	}
}

// ofOther reads what a function asks for through another one.
func (h *helper) ofOther(params []string, body string, others []*helper) bool {
	for _, other := range others {
		at := regexp.MustCompile(`(?:^|[^\w$])` + regexp.QuoteMeta(other.name) + `\(`).FindStringIndex(body)
		if at == nil {
			continue
		}
		args := arguments(body[at[1]:])
		if other.path >= len(args) {
			continue
		}
		h.expression = regexp.MustCompile(`\b`+regexp.QuoteMeta(other.param)+`\b`).ReplaceAllLiteralString(other.expression, strings.TrimSpace(args[other.path]))
		h.verb, h.media = other.verb, other.media
		if other.method >= 0 && other.method < len(args) {
			h.chooses(params, args[other.method])
		}
		return true
	}
	return false
}

// chooses notes the expression that says which method is used.
func (h *helper) chooses(params []string, expression string) {
	expression = strings.TrimSpace(expression)
	if text := strings.Trim(expression, `"'`+"`"); text != expression {
		h.verb = strings.ToUpper(text)
	} else if i := slices.Index(params, expression); i >= 0 {
		h.method = i
	}
}

// through notes one call of a helper.
func (s *script) through(h *helper, args []string, options map[string]option) {
	if h.path >= len(args) || strings.TrimSpace(args[h.path]) == "" {
		return
	}
	inner := s.raw(args[h.path])
	if inner == "" || strings.HasPrefix(inner, "{") {
		return
	}
	outer := *s
	outer.bound = map[string]string{h.param: inner}
	method, media := h.verb, h.media
	if h.method >= 0 && h.method < len(args) {
		if text := strings.TrimSpace(args[h.method]); strings.Trim(text, `"'`+"`") != text {
			method = strings.ToUpper(strings.Trim(text, `"'`+"`"))
		}
	}
	rest := strings.Join(args[h.path+1:], ",")
	if m := verb.FindStringSubmatch(rest); m != nil {
		method = strings.ToUpper(m[1])
	}
	for function, o := range options {
		if regexp.MustCompile(`(?:^|[^\w$])` + regexp.QuoteMeta(function) + `\(`).MatchString(rest) {
			method, media = o.verb, o.media
		}
	}
	path := outer.path(outer.raw(h.expression))
	if path == "" || strings.Contains(path, "://") && !strings.HasPrefix(path, "http") {
		return
	}
	if !strings.HasPrefix(path, "/") && !strings.HasPrefix(path, "http") {
		path = "/" + path
	}
	r := ref{method: method, path: path, base: s.base, source: s.source}
	if method != "" && method != "GET" && method != "DELETE" {
		r.fields = members(rest)
		if len(r.fields) > 0 || media != "" {
			if r.media = media; media == "" {
				r.media = "application/json"
			}
		}
	}
	s.f.note(r)
}

// object is a literal without others in it.
var object = regexp.MustCompile(`\{([^{}]{1,400})\}`)

// members are the names of the first literal that is no list of options.
func members(text string) (out []field) {
	for _, m := range object.FindAllStringSubmatch(text, 10) {
		if verb.MatchString(m[1]) || strings.Contains(m[1], "Content-Type") {
			continue
		}
		for _, one := range memberName.FindAllStringSubmatch(m[1], 40) {
			if one[1] != "method" && one[1] != "headers" && one[1] != "body" {
				out = append(out, field{name: one[1]})
			}
		}
		if len(out) > 0 {
			return out
		}
	}
	return nil
}

// arguments splits what stands before the bracket that closes a call.
func arguments(text string) (out []string) {
	text = text[:min(len(text), 1000)]
	depth, start, quote := 0, 0, byte(0)
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case quote != 0:
			if c == '\\' {
				i++
			} else if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'' || c == '`':
			quote = c
		case c == '(' || c == '[' || c == '{':
			depth++
		case (c == ')' || c == ']' || c == '}') && depth > 0:
			depth--
		case c == ')' || c == ';' && depth == 0:
			return append(out, text[start:i])
		case c == ',' && depth == 0:
			out = append(out, text[start:i])
			start = i + 1
		}
	}
	return out
}

// clients are the objects that were made with a base for all their calls.
func (s *script) clients() map[string]string {
	out := map[string]string{}
	for _, list := range [][][]string{made.FindAllStringSubmatch(s.text, 20), defaultBase.FindAllStringSubmatch(s.text, 5)} {
		for _, m := range list {
			if base := strings.TrimRight(s.raw(m[2]), "/"); base != "" && !strings.Contains(base, "{") {
				out[m[1]] = base
			}
		}
	}
	return out
}

// receiver is the name before a dot at a place of the script, with what it is a part of.
func (s *script) receiver(at int) string {
	i := at + 1
	for i > 0 && (s.text[i-1] == '_' || s.text[i-1] == '$' || s.text[i-1] >= '0' && s.text[i-1] <= '9' || s.text[i-1]|0x20 >= 'a' && s.text[i-1]|0x20 <= 'z') {
		i--
	}
	return s.text[i:min(at+1, len(s.text))]
}
