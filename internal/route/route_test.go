package route_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/fastness/fastness/internal/route"
)

// tree returns a tree whose values are "METHOD pattern".
func tree(t testing.TB, routes ...string) *route.Tree[string] {
	t.Helper()
	var tr route.Tree[string]
	for _, r := range routes {
		method, pattern, _ := strings.Cut(r, " ")
		var err error
		if method == "MOUNT" {
			err = tr.AddMount(pattern, r)
		} else {
			err = tr.Add(method, pattern, r)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return &tr
}

// target parses a request target as net/http does.
func target(t testing.TB, raw string) *url.URL {
	t.Helper()
	u, err := url.ParseRequestURI(raw)
	if err != nil {
		t.Fatalf("target %q: %v", raw, err)
	}
	return u
}

func params(p *route.Params) []string {
	var values []string
	for i := range p.Len() {
		values = append(values, p.At(i))
	}
	return values
}

var shop = []string{
	"GET /", "GET /items", "POST /items", "GET /items/{id}", "DELETE /items/{id}", "PUT /items/{id}",
	"GET /items/special", "GET /items/{id}/parts/{part}", "GET /dir/", "GET /files/{path...}",
	"GET /files/known/{name}", "GET /users/me/keys", "GET /users/{user}/orders", "HEAD /probe", "GET /probe",
	"OPTIONS /cors", "GET /cors", "GET /café", "MOUNT /static", "MOUNT /static/deep", "GET /static/api",
	"GET /a/{x}/c", "GET /{any}/b/d",
}

func TestFind(t *testing.T) {
	tr := tree(t, shop...)
	for _, tt := range []struct {
		name, method, target string
		outcome              route.Outcome
		value                string
		params               string
	}{
		{"the root is found", "GET", "/", route.Found, "GET /", ""},
		{"an absolute target without a path means the root", "GET", "http://localhost", route.Found, "GET /", ""},
		{"a literal is found", "POST", "/items", route.Found, "POST /items", ""},
		{"a parameter takes one segment", "GET", "/items/42", route.Found, "GET /items/{id}", "42"},
		{"a literal beats a parameter", "GET", "/items/special", route.Found, "GET /items/special", ""},
		{"a literal without the method yields to a parameter", "DELETE", "/items/special", route.Found, "DELETE /items/{id}", "special"},
		{"two parameters come in order", "GET", "/items/1/parts/2", route.Found, "GET /items/{id}/parts/{part}", "1|2"},
		{"the search goes back from a literal", "GET", "/users/me/orders", route.Found, "GET /users/{user}/orders", "me"},
		{"the search goes back over two levels", "GET", "/a/b/d", route.Found, "GET /{any}/b/d", "a"},
		{"the deeper literal is preferred", "GET", "/a/b/c", route.Found, "GET /a/{x}/c", "b"},
		{"a catch-all takes one segment", "GET", "/files/a", route.Found, "GET /files/{path...}", "a"},
		{"a catch-all takes many segments", "GET", "/files/a/b/c.txt", route.Found, "GET /files/{path...}", "a/b/c.txt"},
		{"a catch-all follows a dead end", "GET", "/files/known/x/y", route.Found, "GET /files/{path...}", "known/x/y"},
		{"a catch-all is not empty", "GET", "/files/", route.NotFound, "", ""},
		{"a catch-all needs its slash", "GET", "/files", route.NotFound, "", ""},
		{"a parameter is not empty", "GET", "/items//parts/2", route.NotFound, "", ""},
		{"HEAD follows GET", "HEAD", "/items/42", route.Found, "GET /items/{id}", "42"},
		{"HEAD may have its own route", "HEAD", "/probe", route.Found, "HEAD /probe", ""},
		{"OPTIONS may have its own route", "OPTIONS", "/cors", route.Found, "OPTIONS /cors", ""},
		{"a missing slash is a redirect", "GET", "/dir", route.Redirect, "", ""},
		{"a surplus slash is a redirect", "GET", "/items/", route.Redirect, "", ""},
		{"a surplus slash after a catch-all is a redirect", "GET", "/files/a/", route.Redirect, "", ""},
		{"an unknown path is not found", "GET", "/nothing/here", route.NotFound, "", ""},
		{"case counts", "GET", "/Items", route.NotFound, "", ""},
		{"an encoded letter is decoded before the match", "GET", "/%69tems", route.Found, "GET /items", ""},
		{"a literal beyond ASCII matches its encoding", "GET", "/caf%C3%A9", route.Found, "GET /café", ""},
		{"another Unicode form of a literal is another path", "GET", "/cafe%CC%81", route.NotFound, "", ""},
		{"a parameter is decoded", "GET", "/items/a%20b+c", route.Found, "GET /items/{id}", "a b+c"},
		{"dots that are no dot segment are text", "GET", "/items/...", route.Found, "GET /items/{id}", "..."},
		{"a mount takes its prefix", "PATCH", "/static", route.Found, "MOUNT /static", ""},
		{"a mount takes its prefix with a slash", "GET", "/static/", route.Found, "MOUNT /static", ""},
		{"a mount takes what is below", "GET", "/static/css/x.css", route.Found, "MOUNT /static", ""},
		{"the longest mount wins", "GET", "/static/deep/x", route.Found, "MOUNT /static/deep", ""},
		{"a route beats a mount", "GET", "/static/api", route.Found, "GET /static/api", ""},
		{"a route's path is not the mount's for other methods", "POST", "/static/api", route.MethodNotAllowed, "", ""},
		{"a mount ends at a segment", "GET", "/statics", route.NotFound, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := tr.Find(tt.method, target(t, tt.target))
			if m.Outcome != tt.outcome || m.Value != tt.value || strings.Join(params(&m.Params), "|") != tt.params {
				t.Errorf("Find(%s %s) = %v %q %q, want %v %q %q", tt.method, tt.target,
					m.Outcome, m.Value, params(&m.Params), tt.outcome, tt.value, tt.params)
			}
			if tt.method == "HEAD" && m.HeadOfGet != strings.HasPrefix(m.Value, "GET ") {
				t.Errorf("HeadOfGet = %v for %q", m.HeadOfGet, m.Value)
			}
		})
	}
}

func TestAllow(t *testing.T) {
	tr := tree(t, shop...)
	for _, tt := range []struct {
		name, method, target string
		outcome              route.Outcome
		allow                string
	}{
		{"GET brings HEAD and OPTIONS", "POST", "/", route.MethodNotAllowed, "GET, HEAD, OPTIONS"},
		{"the methods of every pattern that fits are listed", "PATCH", "/items/special", route.MethodNotAllowed, "DELETE, GET, HEAD, OPTIONS, PUT"},
		{"OPTIONS lists the methods", "OPTIONS", "/items", route.Options, "GET, HEAD, OPTIONS, POST"},
		{"OPTIONS * lists the methods of all routes", "OPTIONS", "*", route.Options, "DELETE, GET, HEAD, OPTIONS, POST, PUT"},
		{"a method in lower case is another method", "get", "/items", route.MethodNotAllowed, "GET, HEAD, OPTIONS, POST"},
		{"TRACE is not allowed", "TRACE", "/items", route.MethodNotAllowed, "GET, HEAD, OPTIONS, POST"},
		{"an unknown method is not allowed", "BREW", "/items", route.MethodNotAllowed, "GET, HEAD, OPTIONS, POST"},
		{"an unknown method on an unknown path is not found", "BREW", "/tea", route.NotFound, ""},
		{"* is for OPTIONS only", "GET", "*", route.Malformed, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			u := &url.URL{Path: "*"} // as net/http makes it
			if tt.target != "*" {
				u = target(t, tt.target)
			}
			if m := tr.Find(tt.method, u); m.Outcome != tt.outcome || m.Allow != tt.allow {
				t.Errorf("Find(%s %s) = %v, Allow %q, want %v, %q", tt.method, tt.target, m.Outcome, m.Allow, tt.outcome, tt.allow)
			}
		})
	}
	var empty route.Tree[string]
	if m := empty.Find("OPTIONS", &url.URL{Path: "*"}); m.Allow != "OPTIONS" {
		t.Errorf("OPTIONS * of an empty tree: Allow %q", m.Allow)
	}
	if m := empty.Find("GET", &url.URL{Path: "/"}); m.Outcome != route.NotFound {
		t.Errorf("empty tree: %v", m.Outcome)
	}
}

// Cases 25, 27 and 28 of the threat model: no spelling of a path may be read as
// another path.
func TestAmbiguousPathsAreRefused(t *testing.T) {
	tr := tree(t, "GET /admin", "GET /admin/{page}", "GET /public/{path...}", "GET /{top}", "MOUNT /files")
	for _, tt := range []struct {
		name, target string
		want         route.Outcome
	}{
		{"an encoded slash", "/public/a%2fb", route.Malformed},
		{"an encoded slash in upper case", "/public/a%2Fb", route.Malformed},
		{"an encoded slash at the end", "/admin%2f", route.Malformed},
		{"an encoded slash at the start", "/%2fadmin", route.Malformed},
		{"an encoded slash beside a raw quotation mark, which makes EscapedPath forget it", `/public/"%2f..`, route.Malformed},
		{"an encoded backslash", "/public/..%5cadmin", route.Malformed},
		{"an encoded backslash in upper case", "/public/%5C", route.Malformed},
		{"a backslash", `/public/..\admin`, route.Malformed},
		{"a backslash at the start", `/\evil.example`, route.Malformed},
		{"a dot-dot segment", "/public/../admin", route.Malformed},
		{"a dot-dot segment at the end", "/public/..", route.Malformed},
		{"a dot segment", "/admin/.", route.Malformed},
		{"a dot segment with a slash", "/admin/./", route.Malformed},
		{"an encoded dot-dot segment", "/public/%2e%2e/admin", route.Malformed},
		{"a half encoded dot-dot segment", "/public/.%2E/admin", route.Malformed},
		{"an encoded dot segment", "/%2e/admin", route.Malformed},
		{"a dot-dot segment with a path parameter", "/public/..;/admin", route.Malformed},
		{"a dot-dot segment with a named path parameter", "/public/..;v=1/admin", route.Malformed},
		{"a dot-dot segment with an encoded path parameter", "/public/%2e%2e%3b/admin", route.Malformed},
		{"a dot segment with a path parameter", "/admin/.;x", route.Malformed},
		{"NUL", "/admin%00", route.Malformed},
		{"NUL before an extension", "/public/a%00.txt", route.Malformed},
		{"a line feed", "/admin%0a", route.Malformed},
		{"a carriage return and line feed", "/public/x%0d%0aSet-Cookie:a", route.Malformed},
		{"DEL", "/admin%7f", route.Malformed},
		{"a C1 control character", "/admin%C2%85", route.Malformed},
		{"an overlong full stop", "/public/%c0%ae%c0%ae/admin", route.Malformed},
		{"an overlong slash", "/public/%c0%af", route.Malformed},
		{"an overlong slash of three bytes", "/public/%e0%80%af", route.Malformed},
		{"a surrogate", "/public/%ed%a0%80", route.Malformed},
		{"a byte that is not UTF-8", "/public/%ff", route.Malformed},
		{"a cut off character", "/public/%e2%80", route.Malformed},
		{"a raw byte beyond ASCII", "/public/\xff", route.Malformed},
		{"a raw character beyond ASCII", "/public/é", route.Malformed},
		{"a raw space, which only HTTP/2 can carry", "/public/a b", route.Malformed},
		{"a raw fragment", "/public/a#b", route.Malformed},
		{"a raw brace", "/public/{x}", route.Malformed},
		{"a malformed segment below a mount", "/files/%2e%2e/x", route.Malformed},
		{"a malformed path that is also hollow", "//admin/..", route.Malformed},
		{"an empty first segment", "//admin", route.NotFound},
		{"an empty first segment that would be a host", "//evil.example/", route.NotFound},
		{"an empty segment inside", "/public//a", route.NotFound},
		{"an empty last segment", "/admin//", route.NotFound},
		{"slashes only", "///", route.NotFound},
		{"an empty segment below a mount", "/files//x", route.NotFound},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, method := range []string{"GET", "HEAD", "OPTIONS", "POST", "BREW"} {
				if m := tr.Find(method, target(t, tt.target)); m.Outcome != tt.want || m.Location != "" {
					t.Errorf("Find(%s %q) = %v %q, want %v", method, tt.target, m.Outcome, m.Value, tt.want)
				}
			}
		})
	}
}

func TestPathsThatLookLikeAnotherAreNotThatPath(t *testing.T) {
	tr := tree(t, "GET /admin", "GET /public/{path...}")
	for _, tt := range []struct{ name, target string }{
		{"upper case", "/ADMIN"},
		{"fullwidth letters", "/%EF%BD%81dmin"},
		{"a Cyrillic letter", "/%D0%B0dmin"},
		{"a fullwidth solidus", "/public%EF%BC%8Fadmin"},
		{"a division slash", "/public%E2%88%95x"},
		{"a path parameter", "/admin;x=1"},
		{"a trailing encoded space", "/admin%20"},
		{"a trailing full stop", "/admin."},
		{"a double encoded letter", "/%2561dmin"},
		{"a soft hyphen", "/ad%C2%ADmin"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if m := tr.Find("GET", target(t, tt.target)); m.Outcome != route.NotFound {
				t.Errorf("Find(%q) = %v %q, want NotFound", tt.target, m.Outcome, m.Value)
			}
		})
	}
}

func TestParametersAreDecodedOnce(t *testing.T) {
	tr := tree(t, "GET /items/{id}", "GET /files/{path...}")
	for _, tt := range []struct{ target, want string }{
		{"/items/%2532f", "%32f"},
		{"/items/%252f", "%2f"},
		{"/items/%252e%252e", "%2e%2e"},
		{"/items/%25252e", "%252e"},
		{"/files/a/%252e%252e/b", "a/%2e%2e/b"},
		{"/items/a%3Fb%23c", "a?b#c"},
		{"/items/a%26b=c;d", "a&b=c;d"},
		{"/items/%EF%BC%8F", "／"},
	} {
		m := tr.Find("GET", target(t, tt.target))
		if m.Outcome != route.Found || m.Params.At(0) != tt.want {
			t.Errorf("Find(%s) = %v %q, want %q", tt.target, m.Outcome, params(&m.Params), tt.want)
		}
	}
}

func TestRedirectStaysOnTheSite(t *testing.T) {
	tr := tree(t, "GET /dir/", "GET /item", "GET /v/{x}/", "GET /w/{x}")
	for _, tt := range []struct{ target, want string }{
		{"/dir", "/dir/"},
		{"/item/", "/item"},
		{"/dir?a=1&b=%2F", "/dir/?a=1&b=%2F"},
		{"/dir?", "/dir/?"},
		{"http://evil.example/dir", "/dir/"},
		{"/dir?next=//evil.example", "/dir/?next=//evil.example"},
		{"/v/a%20b", "/v/a%20b/"},
		{"/v/caf%C3%A9", "/v/caf%C3%A9/"},
		{"/w/%5b%25/", "/w/%5b%25"},
		{"/dir?x=a b\"<>\\#é", "/dir/?x=a%20b%22%3C%3E%5C%23%C3%A9"},
	} {
		m := tr.Find("GET", target(t, tt.target))
		if m.Outcome != route.Redirect || m.Location != tt.want {
			t.Errorf("Find(%s) = %v %q, want %q", tt.target, m.Outcome, m.Location, tt.want)
		}
	}
	for _, off := range []string{"//dir", "///evil.example/", `/\evil.example`, "/%5Cevil.example", "/%2fevil.example", "//item/"} {
		if m := tr.Find("GET", target(t, off)); m.Location != "" {
			t.Errorf("Find(%s): Location %q, want none", off, m.Location)
		}
	}
}

// A rewritten URL (http.StripPrefix, a test) may have a RawPath that says
// something else than Path. Neither may smuggle what the other hides.
func TestStaleRawPathHidesNothing(t *testing.T) {
	tr := tree(t, "GET /a/{x}")
	for _, tt := range []struct {
		u    url.URL
		want route.Outcome
	}{
		{url.URL{Path: "/a/b", RawPath: "/z/%62"}, route.Found},
		{url.URL{Path: "/a/..", RawPath: "/a/b"}, route.Malformed},
		{url.URL{Path: "/a/b", RawPath: "/a%2fb"}, route.Malformed},
		{url.URL{Path: "/a/b", RawPath: "/a/%2"}, route.Malformed},
		{url.URL{Path: "", RawPath: ""}, route.Malformed},
		{url.URL{Path: "a/b"}, route.Malformed},
		{url.URL{Opaque: "a/b", Path: "/a/b"}, route.Malformed},
	} {
		if m := tr.Find("GET", &tt.u); m.Outcome != tt.want {
			t.Errorf("Find(Path %q, RawPath %q, Opaque %q) = %v, want %v", tt.u.Path, tt.u.RawPath, tt.u.Opaque, m.Outcome, tt.want)
		}
	}
}

func TestHTTP1AndHTTP2GiveTheSameResult(t *testing.T) {
	tr := tree(t, "GET /admin", "GET /public/{path...}")
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m := tr.Find(r.Method, r.URL)
		w.Header().Set("Result", m.Outcome.String()+"="+url.QueryEscape(strings.Join(params(&m.Params), "|")))
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	two := server.Client()
	one := &http.Client{Transport: &http.Transport{TLSClientConfig: two.Transport.(*http.Transport).TLSClientConfig.Clone()}}
	one.Transport.(*http.Transport).TLSClientConfig.NextProtos = []string{"http/1.1"}
	defer one.CloseIdleConnections()
	result := func(c *http.Client, path string, major int) string {
		u := &url.URL{Scheme: "https", Host: server.Listener.Addr().String(), Opaque: path}
		resp, err := c.Do(&http.Request{Method: "GET", URL: u})
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if resp.ProtoMajor != major {
			t.Fatalf("answered in %s", resp.Proto)
		}
		return resp.Header.Get("Result")
	}
	for _, path := range []string{
		"/admin", "/admin/", "/public/a%2fb", "/public/%2e%2e", "/public/../admin", "/public/%2532f", "/public/a//b",
		"/public/%c0%ae", "/public/%00", `/public/"`, "/public/a%20b/c", "/%61dmin",
	} {
		a, b := result(one, path, 1), result(two, path, 2)
		if a == "" || a != b {
			t.Errorf("%s: %q in HTTP/1.1, %q in HTTP/2", path, a, b)
		}
	}
}

func TestAddNamesTheMistake(t *testing.T) {
	tr := tree(t, "GET /items/{id}", "GET /only/get", "MOUNT /static")
	for _, tt := range []struct{ name, method, pattern, want string }{
		{"no slash", "GET", "items", "does not start with a slash"},
		{"empty", "GET", "", "does not start with a slash"},
		{"a method with its pattern", "GET", "GET /x", "does not start with a slash"},
		{"an empty segment", "GET", "/a//b", "a segment is empty"},
		{"two slashes", "GET", "//", "a segment is empty"},
		{"a dot segment", "GET", "/a/../b", "can never match"},
		{"an open brace", "GET", "/a/{id", "neither literal nor one {parameter}"},
		{"text around a parameter", "GET", "/a/x{id}", "neither literal nor one {parameter}"},
		{"text behind a parameter", "GET", "/a/{id}.json", "neither literal nor one {parameter}"},
		{"a parameter without a name", "GET", "/a/{}", `parameter name ""`},
		{"a catch-all without a name", "GET", "/a/{...}", `parameter name ""`},
		{"ServeMux's end marker", "GET", "/a/{$}", "{$} is not needed"},
		{"a strange name", "GET", "/a/{i d}", `parameter name "i d"`},
		{"a name twice", "GET", "/{a}/{a}", `parameter "a" occurs twice`},
		{"a catch-all inside", "GET", "/{a...}/b", "{a...} is not last"},
		{"a catch-all with a slash", "GET", "/{a...}/", "{a...} is not last"},
		{"an encoded literal", "GET", "/a%20b", "write the decoded text"},
		{"a query", "GET", "/a?b", "write the decoded text"},
		{"a control character", "GET", "/a\n", "not text"},
		{"invalid UTF-8", "GET", "/\xff", "not text"},
		{"nine parameters", "GET", "/{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}/{i}", "9 parameters, want at most 8"},
		{"a route twice", "GET", "/items/{id}", "added twice"},
		{"another name for the same path", "DELETE", "/items/{item}", "already called /items/{id}"},
		{"a method in lower case", "get", "/x", `method "get"`},
		{"TRACE", "TRACE", "/x", `method "TRACE"`},
		{"no method", "", "/x", `method ""`},
		{"two mistakes at once", "FETCH", "/a//{}", `parameter name ""`},
		{"a mount with a parameter", "MOUNT", "/m/{x}", "a prefix has no parameters"},
		{"a mount twice", "MOUNT", "/static/", "added twice"},
		{"a mount without a slash", "MOUNT", "m", "does not start with a slash"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var err error
			if tt.method == "MOUNT" {
				err = tr.AddMount(tt.pattern, "")
			} else {
				err = tr.Add(tt.method, tt.pattern, "")
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Add(%s %s) = %v, want %q in it", tt.method, tt.pattern, err, tt.want)
			}
		})
	}
	if err := tr.Add("FETCH", "/a//{}", ""); !strings.Contains(err.Error(), "a segment is empty") || !strings.Contains(err.Error(), "FETCH") {
		t.Errorf("the first of several mistakes is missing: %v", err)
	}
	if err := tr.Add("HEAD", "/only/get", "own"); err != nil {
		t.Errorf("HEAD beside a GET that was added before: %v", err)
	}
	if m := tr.Find("HEAD", target(t, "/only/get")); m.Value != "own" || m.HeadOfGet {
		t.Errorf("HEAD = %q, HeadOfGet %v, want its own route", m.Value, m.HeadOfGet)
	}
	if err := tr.Add("GET", "/items/{other}/parts", ""); err != nil {
		t.Errorf("another name in the middle of a longer path: %v", err)
	}
}

func TestNames(t *testing.T) {
	names, err := route.Names("/a/{x}/b/{y-2}/{rest...}")
	if got := strings.Join(names, " "); err != nil || got != "x y-2 rest" {
		t.Errorf("Names = %q, %v", got, err)
	}
	if _, err := route.Names("/{x}/{x}"); err == nil {
		t.Error("Names accepts a pattern that Add refuses")
	}
}

// The worst tree for a search that goes back: each segment fits a literal and a
// parameter, on every level, and nothing fits at the end.
func TestBacktrackingThroughEveryMixEnds(t *testing.T) {
	var tr route.Tree[int]
	for i := range 1 << route.MaxParams { // every mix of literal and parameter, none with an end that fits
		pattern := ""
		for bit := range route.MaxParams {
			if i&(1<<bit) == 0 {
				pattern += "/a"
			} else {
				pattern += "/{p" + string(rune('0'+bit)) + "}"
			}
		}
		if err := tr.Add("GET", pattern+"/end", i); err != nil {
			t.Fatal(err)
		}
	}
	u := target(t, strings.Repeat("/a", route.MaxParams)+"/no")
	if m := tr.Find("GET", u); m.Outcome != route.NotFound {
		t.Fatalf("outcome %v", m.Outcome)
	}
	long := target(t, strings.Repeat("/a", 100_000))
	if m := tr.Find("GET", long); m.Outcome != route.NotFound {
		t.Fatalf("outcome %v", m.Outcome)
	}
}
