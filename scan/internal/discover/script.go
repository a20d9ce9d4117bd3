package discover

import (
	"regexp"
	"strings"
)

// What scripts look like that call an API.
var (
	// constant is a name for a path or an address, as in: const API = "/api/v1"
	constant = regexp.MustCompile(`([A-Za-z_$][\w$.]*)\s*[:=]\s*["'\x60]((?:https?://[^"'\x60\s]{1,200}|/[^"'\x60\s]{0,200}))["'\x60]`)
	// call is fetch("/x", …), axios.get(`/x`), http.post('/x'), $.getJSON("/x"), request("/x").
	call = regexp.MustCompile(`(?:\b(fetch|axios|ky|got|request|\$\.ajax|ajax|apiFetch|useSWR|useFetch|\$fetch)|[\w$)\]]\.(get|post|put|patch|delete|del|getJSON|request)(?:<[^>]{0,80}>)?)\(\s*([^;\n]{1,400})`)
	// opened is xhr.open("POST", "/x").
	opened = regexp.MustCompile(`\.open\(\s*["'\x60](GET|POST|PUT|PATCH|DELETE)["'\x60]\s*,\s*([^;\n]{1,300})`)
	// member is url: "/x" of the options of a call.
	member = regexp.MustCompile(`\b(?:url|path|endpoint|uri)\s*:\s*(["'\x60][^"'\x60]{1,200}["'\x60])`)
	verb   = regexp.MustCompile(`(?:method|type)["']?\s*:\s*["'\x60]([A-Za-z]{3,6})["'\x60]`)
	// sent is the body of a call.
	sent = regexp.MustCompile(`(?:JSON\.stringify\(\s*|data\s*:\s*|^\s*,\s*)\{([^{}]{1,400})\}`)
	// literal is a text that looks like a path of an API, wherever it stands.
	literal = regexp.MustCompile(`["'\x60](/[A-Za-z0-9_.~$:@%-][A-Za-z0-9_.~$:@%{}()/?=&-]{1,200})["'\x60]`)
	// piece is a part of an expression that joins texts: a text or a name.
	piece      = regexp.MustCompile(`^\s*(?:"([^"]*)"|'([^']*)'|\x60([^\x60]*)\x60|([A-Za-z_$][\w$.\[\]]*(?:\([\w$., ]*\))?))\s*`)
	hole       = regexp.MustCompile(`\$\{([^{}]*)\}`)
	open       = regexp.MustCompile(`\{[^{}]*\}`)
	numbered   = regexp.MustCompile(`(?i)(^|_)(id|no|page|limit|offset|count|number|nr)$|[a-z]I[dD]$`)
	colon      = regexp.MustCompile(`/:([A-Za-z_]\w*)\??`)
	word       = regexp.MustCompile(`[A-Za-z_][A-Za-z0-9_]*`)
	memberName = regexp.MustCompile(`(?:^|,)\s*["']?([A-Za-z_]\w*)["']?\s*(?:[:,]|$)`)
)

// maxScript is how much of a script is looked at, in bytes.
const maxScript = 1 << 20

// fromScript notes what a script asks for. Base is what its paths are relative to.
func (f *finder) fromScript(text, base, page string) {
	text = text[:min(len(text), maxScript)]
	constants := map[string]string{}
	for _, m := range constant.FindAllStringSubmatch(text, 200) {
		name := m[1][strings.LastIndexByte(m[1], '.')+1:]
		if _, again := constants[name]; !again {
			constants[name] = m[2]
		}
	}
	s := script{f: f, constants: constants, base: base, source: "script of " + page, text: text}
	s.bases = s.clients()
	for _, at := range call.FindAllStringSubmatchIndex(text, maxRefsPage) {
		s.call(at)
	}
	for _, m := range opened.FindAllStringSubmatch(text, maxRefsPage) {
		s.note(m[1], m[2], "")
	}
	s.wrapped()
	for _, m := range literal.FindAllStringSubmatch(text, maxRefsPage) {
		if looksLikeAPI(m[1]) {
			s.note("", "'"+m[1]+"'", "")
		}
	}
}

type script struct {
	f                  *finder
	constants          map[string]string
	base, source, text string
	bases              map[string]string // of clients that a library made
	bound              map[string]string // what parameters of a function stand for
	before             string            // what stands before the paths of a call
}

// call notes a call, of which the indices are those of the expression.
func (s *script) call(at []int) {
	method := ""
	if at[4] >= 0 {
		method = strings.ToUpper(s.text[at[4]:at[5]])
		switch method {
		case "DEL":
			method = "DELETE"
		case "GETJSON":
			method = "GET"
		case "REQUEST":
			method = ""
		}
	}
	arguments := s.text[at[6]:at[7]]
	// The options may go on for some lines, but not into the next call.
	rest := s.text[at[6]:min(len(s.text), at[6]+500)]
	if next := call.FindStringIndex(rest); next != nil {
		rest = rest[:next[0]]
	}
	if end := strings.Index(rest, ");"); end >= 0 {
		rest = rest[:end+1]
	}
	if strings.HasPrefix(strings.TrimSpace(arguments), "{") {
		m := member.FindStringSubmatch(rest)
		if m == nil {
			return
		}
		arguments = m[1]
	}
	if method == "" {
		if m := verb.FindStringSubmatch(rest); m != nil {
			method = strings.ToUpper(m[1])
		}
	}
	one := *s
	if at[4] >= 0 {
		one.before = s.bases[s.receiver(at[0])]
	}
	one.note(method, arguments, rest)
}

// note evaluates an expression that makes a path, as far as that can be seen.
func (s *script) note(method, expression, options string) {
	path := s.join(expression)
	if s.before != "" && path != "" && !strings.HasPrefix(path, "http") {
		path = s.before + "/" + strings.TrimLeft(path, "/")
	}
	if path == "" || !strings.HasPrefix(path, "/") && !strings.HasPrefix(path, "http") {
		return
	}
	r := ref{method: method, path: path, base: s.base, source: s.source}
	if options != "" && method != "" && method != "GET" && method != "DELETE" {
		after := options
		if _, tail, found := strings.Cut(options, ","); found {
			after = "," + tail
		}
		if m := sent.FindStringSubmatch(after); m != nil {
			r.media = "application/json"
			for _, name := range memberName.FindAllStringSubmatch(m[1], 40) {
				if name[1] != "method" && name[1] != "headers" && name[1] != "body" {
					r.fields = append(r.fields, field{name: name[1]})
				}
			}
		}
	}
	s.f.note(r)
}

// join joins "/a/" + id + "/b" to "/a/{id}/b".
func (s *script) join(expression string) string { return s.path(s.raw(expression)) }

// raw joins the parts of an expression.
func (s *script) raw(expression string) string {
	var b strings.Builder
	for {
		m := piece.FindStringSubmatch(expression)
		if m == nil {
			break
		}
		switch text := m[1] + m[2] + m[3]; {
		case m[4] == "":
			b.WriteString(s.holes(text))
		default:
			b.WriteString(s.variable(m[4]))
		}
		var more bool
		if expression, more = strings.CutPrefix(expression[len(m[0]):], "+"); !more {
			break
		}
	}
	return b.String()
}

// path makes a path of what was joined.
func (s *script) path(path string) string {
	if path == "" || strings.HasPrefix(path, "{") {
		return ""
	}
	before, query, found := strings.Cut(path, "?")
	before = colon.ReplaceAllString(before, "/{$1}")
	if found {
		before += "?" + open.ReplaceAllStringFunc(query, func(m string) string {
			if name := m[1 : len(m)-1]; !numbered.MatchString(name) {
				return name
			}
			return "1"
		})
	}
	return before
}

func (s *script) holes(text string) string {
	return hole.ReplaceAllStringFunc(text, func(m string) string { return s.variable(m[2 : len(m)-1]) })
}

// variable is the path that a name stands for, or a parameter called so.
func (s *script) variable(expression string) string {
	all := word.FindAllString(expression, -1)
	if len(all) == 0 {
		return "{id}"
	}
	last := all[len(all)-1]
	if value, ok := s.bound[last]; ok && len(all) == 1 {
		return value
	}
	if value, ok := s.constants[last]; ok {
		return strings.TrimRight(value, "/")
	}
	if strings.Contains(expression, "(") { // encodeURIComponent(name)
		return "{" + last + "}"
	}
	if upper := strings.ToUpper(last); upper == last && len(last) > 2 || strings.Contains(strings.ToLower(last), "base") {
		return "" // A constant of elsewhere: the address of the API, most times.
	}
	return "{" + last + "}"
}

// looksLikeAPI reports whether a text of a script is a path of an API rather than of a page.
func looksLikeAPI(path string) bool {
	lower := strings.ToLower(path)
	if isStatic(lower) || strings.Count(path, "(") > 0 {
		return false
	}
	for _, part := range strings.Split(lower, "/") {
		if part == "api" || part == "rest" || part == "graphql" || part == "rpc" || isVersion(part) {
			return true
		}
	}
	return false
}
