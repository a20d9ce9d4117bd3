package fastness_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/fastnesstest"
	"github.com/fastness/fastness/guard/csrf"
	"github.com/fastness/fastness/problem"
)

// everyStatus returns an app and the requests that get each of its answers.
func everyStatus(t *testing.T, cfg fastness.Config) (*fastness.App, map[int][]*http.Request) {
	cfg.BodyLimit = 100
	app, public := open(cfg)
	fastness.Get(public, "/ok", say("ok"))
	fastness.Get(public, "/none", func(context.Context, none) (fastness.NoContent, error) { return fastness.NoContent{}, nil })
	fastness.Get(public, "/conflict", func(context.Context, none) (string, error) { return "", problem.New(409, "") })
	fastness.Get(public, "/error", func(context.Context, none) (string, error) { return "", errors.New("no") })
	fastness.Get(public, "/panic", func(context.Context, none) (string, error) { panic("no") })
	fastness.Get(public, "/late", func(context.Context, none) (string, error) { return "", context.DeadlineExceeded })
	fastness.Get(public, "/number/{n}", func(context.Context, struct {
		N int `path:"n"`
	}) (string, error) {
		return "", nil
	})
	fastness.Post(public, "/body", func(context.Context, struct{ Body struct{ N int } }) (string, error) { return "", nil })
	fastness.Mount(public, "/files", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(206) }))
	request := func(method, target, body string) *http.Request {
		r, err := http.NewRequestWithContext(t.Context(), method, "http://localhost"+target, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		r.URL.Scheme, r.URL.Host = "", "" // As a server gets it.
		return r
	}
	foreign, plain := request("GET", "/ok", ""), request("POST", "/body", "{}")
	foreign.Host = "evil.example"
	plain.Header.Set("Content-Type", "text/plain")
	noHost := request("GET", "/ok", "")
	noHost.Host = "a b"
	return app, map[int][]*http.Request{
		200: {request("GET", "/ok", ""), request("HEAD", "/ok", "")},
		204: {request("GET", "/none", ""), request("OPTIONS", "/ok", "")},
		206: {request("GET", "/files/a", "")},
		307: {request("GET", "/ok/", "")},
		400: {request("GET", "/number/a%2fb", ""), request("POST", "/body", "{"), noHost},
		404: {request("GET", "/nothing", ""), request("GET", "/docs", ""), request("GET", "//ok", "")},
		405: {request("DELETE", "/ok", ""), request("TRACE", "/ok", ""), request("CONNECT", "/ok", ""), request("PROPFIND", "/ok", "")},
		409: {request("GET", "/conflict", "")},
		413: {request("POST", "/body", strings.Repeat(" ", 101))},
		415: {plain},
		421: {foreign},
		422: {request("GET", "/number/x", ""), request("POST", "/body", "{}")},
		500: {request("GET", "/error", ""), request("GET", "/panic", "")},
		503: {request("GET", "/late", "")},
	}
}

func TestEveryAnswerHasTheSecurityHeaders(t *testing.T) {
	app, requests := everyStatus(t, fastness.Config{})
	api := fastnesstest.New(t, app)
	seen := make(map[string]bool)
	for status, list := range requests {
		for _, r := range list {
			res := api.Send(r).Want(status).
				WantHeader("X-Content-Type-Options", "nosniff").WantHeader("Referrer-Policy", "no-referrer").
				WantHeader("Cross-Origin-Opener-Policy", "same-origin").WantHeader("Cross-Origin-Resource-Policy", "same-origin").
				WantHeader("Server", "").WantHeader("X-Powered-By", "").WantHeader("Access-Control-Allow-Origin", "")
			where := r.Method + " " + r.URL.Path
			if csp := res.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || !strings.Contains(csp, "frame-ancestors 'none'") {
				t.Errorf("%s: policy %q", where, csp)
			}
			id := res.Header.Get("X-Request-Id")
			if len(id) != 32 || seen[id] {
				t.Errorf("%s: request id %q is seen before or too short", where, id)
			}
			seen[id] = true
			if status >= 400 && r.Method != http.MethodHead {
				if p := res.WantHeader("Cache-Control", "no-store").Problem(); p.Instance != "urn:request:"+id || p.Status != status {
					t.Errorf("%s: instance %q, want that of %s", where, p.Instance, id)
				}
			}
		}
	}
}

func TestRefusalsSayWhatIsAllowed(t *testing.T) {
	app, public := open(fastness.Config{})
	fastness.Get(public, "/a", say("a"))
	fastness.Put(public, "/a", say("a"))
	api := fastnesstest.New(t, app)
	api.Post("/a", nil).WantProblem(405, "").WantHeader("Allow", "GET, HEAD, OPTIONS, PUT")
	api.Do("OPTIONS", "/a", nil).Want(204).WantHeader("Allow", "GET, HEAD, OPTIONS, PUT")
	api.Do("OPTIONS", "/b", nil).WantProblem(404, "")
	for _, method := range []string{"TRACE", "CONNECT", "get", "PROPFIND", "PRI"} {
		if res := api.Do(method, "/a", nil); res.Status != 405 || res.Header.Get("Allow") == "" {
			t.Errorf("%s /a: %d, Allow %q, want 405 with Allow", method, res.Status, res.Header.Get("Allow"))
		}
	}
	api.Do("TRACE", "/b", nil).Want(405)
}

// TestMethodOverrideIsIgnored: what a proxy saw as a POST is none of DELETE.
func TestMethodOverrideIsIgnored(t *testing.T) {
	app, public := open(fastness.Config{})
	fastness.Post(public, "/a", say("post"))
	fastness.Delete(public, "/a", say("delete"))
	api := fastnesstest.New(t, app)
	for _, name := range []string{"X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"} {
		api.Post("/a?_method=DELETE", nil, fastnesstest.Header(name, "DELETE")).Want(200).WantJSON(`"post"`)
	}
	api.Get("/a", fastnesstest.Header("X-HTTP-Method-Override", "DELETE")).Want(405)
}

// TestRewriteHeadersAreIgnored: some frameworks route by them, past the rule of
// the proxy.
func TestRewriteHeadersAreIgnored(t *testing.T) {
	app, public := open(fastness.Config{})
	fastness.Get(public, "/a", say("a"))
	fastness.Get(public, "/admin", say("admin"))
	api := fastnesstest.New(t, app)
	for _, name := range []string{"X-Original-URL", "X-Rewrite-URL", "X-Forwarded-Path"} {
		api.Get("/a", fastnesstest.Header(name, "/admin")).WantJSON(`"a"`)
	}
	api.Get("/a", fastnesstest.Header("X-Forwarded-Host", "evil.example")).Want(200)
	api.Get("/a", fastnesstest.Header("Host", "evil.example"), fastnesstest.Header("X-Forwarded-Host", "localhost")).WantProblem(421, "unknown_host")
}

func TestHeadIsGetWithoutTheBody(t *testing.T) {
	app, public := open(fastness.Config{})
	fastness.Get(public, "/short", say("short"))
	fastness.Get(public, "/long", say(strings.Repeat("long ", 5000)))
	fastness.Get(public, "/error", func(context.Context, none) (string, error) { return "", problem.New(409, "no") })
	server := serving(t, app)
	for _, path := range []string{"/short", "/long", "/error", "/nothing"} {
		var headers [2]http.Header
		for i, method := range []string{"GET", "HEAD"} {
			r, err := http.NewRequestWithContext(t.Context(), method, server+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Accept-Encoding", "gzip")
			res, body := exchange(t, http.DefaultTransport, r)
			if method == "HEAD" && len(body) > 0 {
				t.Errorf("HEAD %s: body %q", path, body)
			}
			headers[i] = res.Header
			headers[i].Del("Date")
			headers[i].Del("X-Request-Id")
			headers[i].Del("Ratelimit") // One less is left each time.
		}
		if fmt.Sprint(headers[0]) != fmt.Sprint(headers[1]) {
			t.Errorf("%s: GET has %v, HEAD %v", path, headers[0], headers[1])
		}
	}
}

func TestTooManyRequestsAtOnceAreRefused(t *testing.T) {
	app, public := open(fastness.Config{MaxInFlight: 2})
	entered, leave := make(chan bool), make(chan bool)
	fastness.Get(public, "/wait", func(context.Context, none) (string, error) {
		entered <- true
		<-leave
		return "", nil
	})
	fastness.Get(public, "/", say("ok"))
	api := fastnesstest.New(t, app)
	var waiting sync.WaitGroup
	for range 2 {
		waiting.Go(func() { api.Get("/wait").Want(200) })
		<-entered
	}
	api.Get("/").WantProblem(503, "overloaded").WantHeader("Retry-After", "1").WantHeader("X-Content-Type-Options", "nosniff")
	api.Get("/nothing").WantProblem(503, "overloaded")
	close(leave)
	waiting.Wait()
	api.Get("/").Want(200)
}

func TestOnlyNamedHostsAreServed(t *testing.T) {
	app, public := open(fastness.Config{Hosts: []string{"api.example.com"}})
	fastness.Get(public, "/", say("ok"))
	api := fastnesstest.New(t, app)
	for host, want := range map[string]int{
		"api.example.com": 200, "API.example.com.": 200, "localhost": 421, "127.0.0.1": 421, "evil.example": 421,
		"api.example.com.evil.example": 421, "xapi.example.com": 421, "api.example.com@evil.example": 400, "": 400, "a b": 400,
	} {
		if res := api.Get("/", fastnesstest.Header("Host", host)); res.Status != want {
			t.Errorf("Host %q: %d %s, want %d", host, res.Status, res.Body, want)
		}
	}
}

// TestPanicIsA500AndTheConnectionLives over a real connection; the log has the
// stack, the caller nothing.
func TestPanicIsA500AndTheConnectionLives(t *testing.T) {
	var log syncBuffer
	app, public := open(fastness.Config{Logger: slog.New(slog.NewJSONHandler(&log, nil))})
	fastness.Get(public, "/panic", func(context.Context, none) (string, error) { panic("the secret plan") })
	fastness.Get(public, "/", say("ok"))
	server := serving(t, app)
	transport := &http.Transport{MaxConnsPerHost: 1}
	t.Cleanup(transport.CloseIdleConnections)
	var ids []string
	for _, path := range []string{"/panic", "/", "/panic"} {
		reused := false
		ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{GotConn: func(c httptrace.GotConnInfo) { reused = c.Reused }})
		r, err := http.NewRequestWithContext(ctx, "GET", server+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		res, body := exchange(t, transport, r)
		if path == "/panic" && (res.StatusCode != 500 || bytes.Contains(body, []byte("plan")) || bytes.Contains(body, []byte(".go:"))) {
			t.Errorf("GET /panic: %d %s", res.StatusCode, body)
		}
		if reused != (len(ids) > 0) {
			t.Errorf("request %d: connection reused %v", len(ids), reused)
		}
		ids = append(ids, res.Header.Get("X-Request-Id"))
	}
	for _, part := range []string{"the secret plan", "chain_test.go", ids[0], ids[2]} {
		if !strings.Contains(log.String(), part) {
			t.Errorf("the log has no %q", part)
		}
	}
}

type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// TestHeaderOfAProblemCannotSplitTheAnswer over a real connection: a problem
// carries headers, too, and its author may have put the request into one.
func TestHeaderOfAProblemCannotSplitTheAnswer(t *testing.T) {
	app, public := open(fastness.Config{})
	fastness.Get(public, "/", func(context.Context, none) (string, error) {
		return "", problem.New(401, "").With("WWW-Authenticate", "Bearer\r\nSet-Cookie: sid=evil\r\n\r\n<script>").With("X-A\r\nX-B", "1")
	})
	r, err := http.NewRequestWithContext(t.Context(), "GET", serving(t, app), nil)
	if err != nil {
		t.Fatal(err)
	}
	res, body := exchange(t, http.DefaultTransport, r)
	if res.StatusCode != 401 || len(res.Cookies()) > 0 || res.Header.Get("X-B") != "" || bytes.Contains(body, []byte("script")) {
		t.Errorf("%d %v %s, want a 401 without the injected header and body", res.StatusCode, res.Header, body)
	}
}

// TestCallersNeverSeeEachOther sends canaries in every source at once and keeps
// what operations got: pooled memory must not carry them to another request.
// It runs with -race.
func TestCallersNeverSeeEachOther(t *testing.T) {
	type body struct {
		Text  string            `json:"text"`
		Raw   json.RawMessage   `json:"raw"`
		Any   any               `json:"any"`
		Bytes []byte            `json:"bytes"`
		Map   map[string]string `json:"map"`
		Left  *string           `json:"left,omitzero"`
	}
	type input struct {
		Path   string  `path:"id"`
		Query  string  `query:"q"`
		Maybe  *string `query:"maybe"`
		Header string  `header:"X-Canary"`
		Cookie string  `cookie:"canary"`
		Body   body
	}
	type output struct {
		In   input
		From string
	}
	app, public := open(fastness.Config{})
	fastness.Provide(app, func(_ context.Context, in struct {
		Q string `query:"q"`
	}) (session, error) {
		return session{in.Q}, nil
	})
	var mu sync.Mutex
	var kept []output
	fastness.Post(public, "/{id}", func(_ context.Context, in struct {
		input
		S session
	}) (output, error) {
		out := output{in.input, in.S.user}
		mu.Lock()
		defer mu.Unlock()
		kept = append(kept, out)
		if len(in.Query)%3 == 0 {
			return output{}, problem.New(409, in.Query)
		}
		return out, nil
	})
	api := fastnesstest.New(t, app)
	same := func(out *output) bool {
		c := out.In.Path
		any, _ := out.In.Body.Any.(map[string]any)
		return out.From == c && out.In.Query == c && out.In.Header == c && out.In.Cookie == c && out.In.Body.Text == c &&
			string(out.In.Body.Raw) == `"`+c+`"` && any["k"] == c && string(out.In.Body.Bytes) == c && out.In.Body.Map[c] == c &&
			out.In.Maybe == nil && out.In.Body.Left == nil
	}
	var all sync.WaitGroup
	for worker := range 16 {
		all.Go(func() {
			for i := range 60 {
				c := fmt.Sprintf("canary-%d-%d-%s", worker, i, strings.Repeat("x", i*i%700))
				sent := body{c, json.RawMessage(`"` + c + `"`), map[string]any{"k": c}, []byte(c), map[string]string{c: c}, nil}
				options := []fastnesstest.Option{fastnesstest.Header("X-Canary", c), fastnesstest.Cookie("canary", c)}
				if i%5 == 0 { // Requests that fail half-way, and fill what others leave empty.
					api.Post("/"+c+"?q="+c+"&maybe="+c, fastnesstest.JSON(`{"text":"`+c+`","left":"`+c+`"`), options...).Want(400)
					continue
				}
				res := api.Post("/"+c+"?q="+c, sent, options...)
				if res.Status == 409 {
					if p := res.Problem(); p.Detail != c {
						t.Errorf("problem of %q, want %q", p.Detail, c)
					}
					continue
				}
				var out struct {
					In   struct{ Path string }
					From string
				}
				res.Want(200).JSON(&out)
				if rest := strings.ReplaceAll(string(res.Body), c, ""); out.In.Path != c || strings.Contains(rest, "canary-") {
					t.Errorf("the answer to %s has %s", c, res.Body)
				}
			}
		})
	}
	all.Wait()
	for i := range kept {
		if !same(&kept[i]) {
			t.Fatalf("an operation has kept %+v", kept[i])
		}
	}
}

func TestMiddlewareRunsInTheOrderOfItsDeclaration(t *testing.T) {
	var j journal
	note := func(name string) func(http.Handler) http.Handler {
		return func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				j.add("%s", name)
				next.ServeHTTP(w, r)
				j.add("/%s", name)
			})
		}
	}
	app, public := open(fastness.Config{})
	app.Use(note("app 1"), note("app 2"))
	group := public.Group("/g", fastness.Middleware(note("group 1"), note("group 2")))
	fastness.Get(group, "/", func(context.Context, none) (string, error) { j.add("handle"); return "", nil }, fastness.Middleware(note("operation")))
	fastness.Mount(group, "/m", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { j.add("mount %s", r.URL.Path) }), fastness.Middleware(note("mounted")))
	api := fastnesstest.New(t, app)
	api.Get("/g/").Want(200)
	j.want(t, "app 1", "app 2", "group 1", "group 2", "operation", "handle", "/operation", "/group 2", "/group 1", "/app 2", "/app 1")
	api.Get("/g/m/a/b").Want(200)
	j.want(t, "app 1", "app 2", "group 1", "group 2", "mounted", "mount /a/b", "/mounted", "/group 2", "/group 1", "/app 2", "/app 1")
	api.Get("/", fastnesstest.Header("Host", "evil.example")).Want(421)
	j.want(t)
}

// shout replaces the writer, as compressing middleware does, and sends what was
// written only when the handler is done.
func shout(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		inner := httptest.NewRecorder()
		for name, values := range w.Header() {
			inner.Header()[name] = values
		}
		next.ServeHTTP(inner, r)
		for name, values := range inner.Header() {
			w.Header()[name] = values
		}
		w.Header().Del("Content-Length")
		w.WriteHeader(inner.Code)
		_, _ = io.WriteString(w, strings.ToUpper(inner.Body.String()))
	})
}

func TestMiddlewareMayReplaceTheWriter(t *testing.T) {
	eitherWay(t, shout, func(t *testing.T, app *fastness.App, group *fastness.Group) {
		fastness.Get(group, "/", say("hello"))
		fastness.Get(group, "/error", func(context.Context, none) (string, error) { return "", problem.New(409, "taken") })
		fastness.Get(group, "/panic", func(context.Context, none) (string, error) { panic("no") })
		api := fastnesstest.New(t, app)
		api.Get("/").Want(200).WantJSON(`"HELLO"`).WantHeader("X-Content-Type-Options", "nosniff")
		if res := api.Get("/error").Want(409); !bytes.Contains(res.Body, []byte("TAKEN")) {
			t.Errorf("GET /error: %s, want the problem through the middleware", res.Body)
		}
		api.Get("/panic").WantProblem(500, "")
	})
}

func TestMiddlewareMayAnswerByItself(t *testing.T) {
	teapot := func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "short and stout", http.StatusTeapot) })
	}
	eitherWay(t, teapot, func(t *testing.T, app *fastness.App, group *fastness.Group) {
		fastness.Get(group, "/", func(context.Context, none) (string, error) { t.Error("the operation ran"); return "", nil })
		fastnesstest.New(t, app).Get("/").Want(418).WantHeader("X-Content-Type-Options", "nosniff")
	})
}

func TestMiddlewareMayChangeTheRequest(t *testing.T) {
	change := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r2 := r.Clone(r.Context())
			r2.Header.Set("X-User", "ada")
			r2.URL.RawQuery = "n=2"
			next.ServeHTTP(w, r2)
		})
	}
	eitherWay(t, change, func(t *testing.T, app *fastness.App, group *fastness.Group) {
		fastness.Get(group, "/", func(_ context.Context, in struct {
			User string `header:"X-User"`
			N    int    `query:"n"`
		}) (string, error) {
			return fmt.Sprint(in.User, in.N), nil
		})
		fastnesstest.New(t, app).Get("/?n=1").Want(200).WantJSON(`"ada2"`)
	})
}

// TestMiddlewareThatComesTooLateIsHarmless calls the handler when its request is
// over.
func TestMiddlewareThatComesTooLateIsHarmless(t *testing.T) {
	var late func()
	defer1 := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			late = func() { next.ServeHTTP(httptest.NewRecorder(), r) }
			w.WriteHeader(202)
		})
	}
	eitherWay(t, defer1, func(t *testing.T, app *fastness.App, group *fastness.Group) {
		fastness.Get(group, "/", func(context.Context, none) (string, error) { t.Error("the operation ran"); return "", nil })
		fastnesstest.New(t, app).Get("/").Want(202)
		late()
	})
}

func TestMountedHandlerIsBehindTheChain(t *testing.T) {
	app, _ := open(fastness.Config{})
	fastness.Get(app, "/files/own", say("own"), access.Public)
	fastness.Mount(app, "/files", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprintf(w, "%s %s %v", r.Method, r.URL.Path, fastness.RequestID(r.Context()) == w.Header().Get("X-Request-Id"))
	}), access.Public)
	api := fastnesstest.New(t, app)
	for target, want := range map[string]string{
		"/files": "GET / true", "/files/": "GET / true", "/files/a/b": "GET /a/b true", "/files/own": `"own"`, "/files/own/x": "GET /own/x true",
	} {
		if res := api.Get(target).Want(200).WantHeader("X-Content-Type-Options", "nosniff"); string(res.Body) != want {
			t.Errorf("GET %s = %s, want %s", target, res.Body, want)
		}
	}
	api.Get("/filesystem").WantProblem(404, "")
	api.Get("/files/%2e%2e/etc").WantProblem(400, "malformed_path")
	api.Get("/files/a", fastnesstest.Header("Host", "evil.example")).WantProblem(421, "")
}

func TestHandlerThatWritesNothingIsLoggedAsTheAnswerThatWasSent(t *testing.T) {
	var log bytes.Buffer
	app, _ := open(fastness.Config{Logger: slog.New(slog.NewJSONHandler(&log, nil))})
	fastness.Mount(app, "/hooks", http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), access.Public)
	fastnesstest.New(t, app).Post("/hooks/pay", nil).Want(200)
	if !strings.Contains(log.String(), `"status":200,"bytes":0`) {
		t.Errorf("the log does not say 200:\n%s", log.String())
	}
}

func TestButtonHasTheTokenInItsForm(t *testing.T) {
	app, _ := open(fastness.Config{CSRF: csrf.Config{Keys: csrf.EphemeralKeys()}})
	fastness.Get(app, "/csrftoken/", fastness.NewCSRFToken, access.Public)
	deleted := 0
	fastness.Post(app, "/items/{n}/delete", func(context.Context, struct {
		N int `path:"n"`
	}) (fastness.NoContent, error) {
		deleted++
		return fastness.NoContent{}, nil
	}, access.Public, csrf.RequireToken())
	api := fastnesstest.New(t, app)
	res := api.Get("/csrftoken/").Want(200)
	var token fastness.CSRFToken
	res.JSON(&token)
	cookie := fastnesstest.Cookie("__Host-csrf", res.Cookie("__Host-csrf").Value)
	api.Post("/items/7/delete", url.Values{"csrf-token": {token.Token}}, cookie).Want(204)
	api.Post("/items/7/delete", url.Values{"csrf-token": {token.Token + "x"}}, cookie).WantProblem(403, "csrf_invalid")
	api.Post("/items/7/delete", url.Values{}, cookie).WantProblem(403, "csrf_missing_token")
	api.Post("/items/7/delete", nil, cookie).WantProblem(403, "csrf_missing_token")
	if deleted != 1 {
		t.Errorf("%d were deleted, want 1", deleted)
	}
}

func TestTransportSecurityIsSaidOverTLSOnly(t *testing.T) {
	app, public := open(fastness.Config{})
	fastness.Get(public, "/", say("ok"))
	api := fastnesstest.New(t, app)
	if got := api.Get("/").Header.Get("Strict-Transport-Security"); !strings.HasPrefix(got, "max-age=") {
		t.Errorf("Strict-Transport-Security over TLS is %q", got)
	}
	api.Get("/", fastnesstest.PlainHTTP()).WantHeader("Strict-Transport-Security", "")
}

// TestDocumentIsHiddenLikeAnyPathThatDoesNotExist: the words must not differ.
func TestDocumentIsHiddenLikeAnyPathThatDoesNotExist(t *testing.T) {
	app, public := open(fastness.Config{})
	fastness.Get(public, "/", say("ok"))
	api := fastnesstest.New(t, app)
	blank := func(res *fastnesstest.Response) string {
		return strings.ReplaceAll(string(res.Body), res.Header.Get("X-Request-Id"), "")
	}
	want := blank(api.Get("/nothing").WantProblem(404, ""))
	for _, path := range []string{"/openapi.json", "/openapi.yaml", "/docs", "/docs/docs.js"} {
		if got := blank(api.Get(path).Want(404)); got != want {
			t.Errorf("GET %s: %s, want %s", path, got, want)
		}
	}
	shown, _ := open(fastness.Config{Docs: fastness.DocsPublic})
	fastnesstest.New(t, shown).Get("/openapi.json").Want(200).WantHeader("Content-Type", "application/json")
}

func TestErrorsInTheShapeOfFastAPI(t *testing.T) {
	app, public := open(fastness.Config{Errors: fastness.FastAPIErrors})
	fastness.Get(public, "/{n}", func(context.Context, struct {
		N int `path:"n"`
	}) (string, error) {
		return "", problem.New(404, "Item not found")
	})
	api := fastnesstest.New(t, app)
	api.Get("/1").Want(404).WantJSON(`{"detail":"Item not found"}`).WantHeader("Content-Type", "application/json")
	api.Get("/x").Want(422).WantJSON(`{"detail":[{"type":"int_parsing","loc":["path","n"],"msg":"Input should be a valid integer, unable to parse string as an integer"}]}`)
}

func TestAccessLogHasOneLineForEachRequest(t *testing.T) {
	var log syncBuffer
	app, requests := everyStatus(t, fastness.Config{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	api := fastnesstest.New(t, app)
	for status, list := range requests {
		for _, r := range list {
			id := api.Send(r).Header.Get("X-Request-Id")
			lines := slices.DeleteFunc(strings.Split(log.String(), "\n"), func(line string) bool {
				return !strings.Contains(line, "level=INFO") || !strings.Contains(line, id) || !strings.Contains(line, fmt.Sprintf("status=%d", status))
			})
			if len(lines) != 1 {
				t.Errorf("status %d, %s %s: %d lines %q, want one", status, r.Method, r.URL.Path, len(lines), lines)
			}
		}
	}
}
