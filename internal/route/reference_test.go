package route_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/fastness/fastness/internal/route"
)

// reference is the contract of the router, written from the encoded path and
// with every route compared in turn.
type reference []string // "METHOD pattern"

type verdict struct {
	outcome route.Outcome
	value   string
	params  string
}

func (ref reference) find(method, raw string) verdict {
	segments, verdictOf := decodeSegments(raw)
	if verdictOf != route.Found {
		return verdict{outcome: verdictOf}
	}
	var best verdict
	var bestRank string
	anyMethod := false
	for _, r := range ref {
		m, pattern, _ := strings.Cut(r, " ")
		rank, params, ok := fits(pattern, segments)
		if !ok {
			continue
		}
		anyMethod = true
		if m != method && !(method == "HEAD" && m == "GET" && !slices.Contains(ref, "HEAD "+pattern)) {
			continue
		}
		if bestRank == "" || rank < bestRank {
			best, bestRank = verdict{route.Found, r, strings.Join(params, "|")}, rank
		}
	}
	switch {
	case bestRank != "":
		return best
	case anyMethod && method == "OPTIONS":
		return verdict{outcome: route.Options}
	case anyMethod:
		return verdict{outcome: route.MethodNotAllowed}
	}
	if len(segments) > 1 && segments[len(segments)-1] == "" {
		segments = segments[:len(segments)-1]
	} else {
		segments = append(segments, "")
	}
	for _, r := range ref {
		_, pattern, _ := strings.Cut(r, " ")
		if _, _, ok := fits(pattern, segments); ok && raw != "/" {
			return verdict{outcome: route.Redirect}
		}
	}
	return verdict{outcome: route.NotFound}
}

// fits returns a rank that sorts before the rank of a less specific pattern.
func fits(pattern string, segments []string) (rank string, params []string, ok bool) {
	steps := strings.Split(pattern[1:], "/")
	for i, s := range steps {
		if i == len(segments) {
			return "", nil, false
		}
		switch {
		case strings.HasSuffix(s, "...}"):
			if slices.Contains(segments[i:], "") {
				return "", nil, false
			}
			return rank + "3", append(params, strings.Join(segments[i:], "/")), true
		case strings.HasPrefix(s, "{"):
			if segments[i] == "" {
				return "", nil, false
			}
			rank, params = rank+"2", append(params, segments[i])
		case s != segments[i]:
			return "", nil, false
		default:
			rank += "1"
		}
	}
	return rank, params, len(steps) == len(segments)
}

func decodeSegments(raw string) ([]string, route.Outcome) {
	if strings.ContainsAny(raw, "\"#<>\\`{}") || strings.ContainsFunc(raw, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return nil, route.Malformed
	}
	segments := strings.Split(raw[1:], "/")
	outcome := route.Found
	for i, s := range segments {
		text, err := url.PathUnescape(s)
		name, _, _ := strings.Cut(text, ";")
		if err != nil || strings.ContainsAny(text, `/\`) || !utf8.ValidString(text) || name == "." || name == ".." ||
			strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r >= 0x7f && r <= 0x9f }) {
			return nil, route.Malformed
		}
		if text == "" && i < len(segments)-1 {
			outcome = route.NotFound
		}
		segments[i] = text
	}
	return segments, outcome
}

func FuzzFind(f *testing.F) {
	routes := []string{
		"GET /", "GET /a", "POST /a", "GET /a/", "DELETE /a/{x}", "GET /a/b", "GET /a/{x}/c", "PUT /a/b/{y}", "GET /a/{x}/{y}/",
		"PATCH /{x}/b/c", "GET /{x}/{rest...}", "POST /a/{rest...}", "GET /é", "HEAD /a/b", "GET /{x}", "OPTIONS /b/c/", "GET /b/c",
	}
	for _, seed := range []string{
		"/", "/a", "/a/", "/a/b", "/a/b/c", "/a//b", "//a", "/a/%2e%2e/b", "/a%2fb", "/%61", "/%C3%A9", "/a/%2532f", "/a/b/..;/c", "/%c0%ae",
		`/a"%2f`, "/b/c/", "/b/c", "/x/b/c", "/a/%00", "/a/x/y/", "/%e2%80%ae/", "/a/b/c/d/e/",
	} {
		for _, method := range []string{"GET", "POST", "DELETE", "HEAD", "OPTIONS", "PUT"} {
			f.Add(method, seed)
		}
	}
	tr := tree(f, routes...)
	f.Fuzz(func(t *testing.T, method, raw string) {
		if !strings.HasPrefix(raw, "/") || strings.Contains(raw, "?") || strings.Count(raw, "/") > 50 {
			return
		}
		u, err := url.ParseRequestURI(raw)
		if err != nil {
			return
		}
		m := tr.Find(method, u)
		got := verdict{m.Outcome, m.Value, strings.Join(params(&m.Params), "|")}
		if want := reference(routes).find(method, raw); got != want {
			t.Errorf("Find(%s %q) = %+v, want %+v", method, raw, got, want)
		}
		if m.Outcome == route.Redirect {
			checkLocation(t, tr, method, m.Location)
		}
		if (m.Outcome == route.MethodNotAllowed || m.Outcome == route.Options) != (m.Allow != "") {
			t.Errorf("Find(%s %q) = %v with Allow %q", method, raw, m.Outcome, m.Allow)
		}
	})
}

func checkLocation(t *testing.T, tr *route.Tree[string], method, location string) {
	t.Helper()
	base := &url.URL{Scheme: "https", Host: "good.example", Path: "/"}
	to, err := base.Parse(location)
	if err != nil || to.Host != base.Host || !strings.HasPrefix(location, "/") || strings.HasPrefix(location, "//") ||
		strings.ContainsFunc(location, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '\\' }) {
		t.Fatalf("Location %q leaves the site (%v)", location, err)
	}
	u, err := url.ParseRequestURI(location)
	if err != nil {
		t.Fatalf("Location %q: %v", location, err)
	}
	if m := tr.Find(method, u); m.Outcome == route.Redirect || m.Outcome == route.NotFound || m.Outcome == route.Malformed {
		t.Errorf("Location %q leads to %v", location, m.Outcome)
	}
}
