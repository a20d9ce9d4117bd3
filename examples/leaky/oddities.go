package main

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// isOpenData reports whether a path is for everybody's programs.
func isOpenData(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, "/v2/open/") }

// openPrices are for everybody's programs, of any origin, and without cookies.
func (s *shop) openPrices(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Access-Control-Allow-Origin", "*")
	w.Header().Del("Access-Control-Allow-Credentials")
	w.Header().Set("Access-Control-Allow-Methods", "GET")
	switch r.Method {
	case http.MethodOptions:
		w.WriteHeader(204)
	case http.MethodGet, http.MethodHead:
		reply(w, 200, map[string]any{"prices": s.all("SELECT id, name, price FROM items WHERE draft = 0 ORDER BY id LIMIT 100")})
	default:
		fail(w, 405, "GET only")
	}
}

// health is for the load balancer.
func (s *shop) health(w http.ResponseWriter, _ *http.Request) {
	reply(w, 200, map[string]any{"status": "ok"})
}

// recommendations take their time, always the same.
func (s *shop) recommendations(w http.ResponseWriter, _ *http.Request, _ user) {
	time.Sleep(900 * time.Millisecond)
	reply(w, 200, map[string]any{"items": s.all("SELECT " + publicItem + " FROM items WHERE featured = 1 ORDER BY id LIMIT 5")})
}

// carriers asks other companies, who need up to a second: it depends on nothing that a
// caller could see.
func (s *shop) carriers(w http.ResponseWriter, _ *http.Request) {
	sum := sha256.Sum256([]byte(random()))
	time.Sleep(time.Duration(sum[0]) * 4 * time.Millisecond)
	reply(w, 200, map[string]any{"carriers": []string{"Mule & Sons", "Pigeon Post"}})
}

// echo repeats a text in JSON, echoText as plain text, and both say so.
func (s *shop) echo(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	reply(w, 200, map[string]any{"text": r.URL.Query().Get("text")})
}

func (s *shop) echoText(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = fmt.Fprintln(w, r.URL.Query().Get("text"))
}

// sum is all that the calculator understands.
var sum = regexp.MustCompile(`^\s*(\d{1,6})\s*([-+*])\s*(\d{1,6})\s*$`)

// calculator is for those who order many. That it computes is what it is for.
func (s *shop) calculator(w http.ResponseWriter, r *http.Request) {
	match := sum.FindStringSubmatch(r.URL.Query().Get("expression"))
	if match == nil {
		fail(w, 400, "two numbers with +, - or * between them are wanted")
		return
	}
	a, _ := strconv.Atoi(match[1])
	b, _ := strconv.Atoi(match[3])
	result := map[string]int{"+": a + b, "-": a - b, "*": a * b}[match[2]]
	reply(w, 200, map[string]any{"result": result})
}

// subscribe notes a mail address.
func (s *shop) subscribe(w http.ResponseWriter, r *http.Request) {
	in := struct{ Email string }{}
	if !decode(w, r, &in) {
		return
	}
	name, domain, _ := strings.Cut(in.Email, "@")
	m := matcher{until: time.Now().Add(4 * time.Second)}
	// FLAW LK-84 (RC-03, API4:2023, CWE-1333): the time to look at an address doubles with each letter of it
	if !m.words(name) || !m.words(domain) {
		fail(w, 400, "this is no mail address")
		return
	}
	s.exec("INSERT OR IGNORE INTO subscriptions VALUES (?)", in.Email)
	reply(w, 201, map[string]any{"email": in.Email})
}

// matcher is the expression ^([a-z0-9]+[.-]?)+$, by hand. Its clock is for the machine
// that this runs on: a team in a hurry has none.
type matcher struct {
	until time.Time
	steps int
	over  bool
}

func (m *matcher) words(text string) bool {
	m.steps++
	if m.steps&0xffff == 0 && time.Now().After(m.until) {
		m.over = true
	}
	if text == "" || m.over {
		return false
	}
	for end := 1; end <= len(text) && alphanumeric(text[end-1]); end++ {
		rest := text[end:]
		if rest == "" || m.words(rest) || ((rest[0] == '.' || rest[0] == '-') && m.words(rest[1:])) {
			return true
		}
	}
	return false
}

func alphanumeric(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

// matchItems finds items by a pattern with stars.
func (s *shop) matchItems(w http.ResponseWriter, r *http.Request) {
	pattern := strings.ToLower(r.URL.Query().Get("pattern"))
	names := []any{}
	for _, item := range s.all("SELECT name FROM items WHERE draft = 0 ORDER BY id LIMIT 50") {
		if starMatch(pattern, strings.ToLower(item["name"].(string))) {
			names = append(names, item["name"])
		}
	}
	reply(w, 200, map[string]any{"names": names})
}

// starMatch looks at each text once for each place of the pattern, and no more.
func starMatch(pattern, text string) bool {
	fits := make([]bool, len(text)+1)
	fits[0] = true
	for _, c := range []byte(pattern) {
		before := fits[0]
		fits[0] = fits[0] && c == '*'
		for i := range len(text) {
			here := fits[i+1]
			if c == '*' {
				fits[i+1] = here || fits[i]
			} else {
				fits[i+1] = before && (c == '?' || c == text[i])
			}
			before = here
		}
	}
	return fits[len(text)]
}
