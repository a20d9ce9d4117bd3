package fastness_test

import (
	"bytes"
	"context"
	"html/template"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/fastnesstest"
	"github.com/fastness/fastness/problem"
	"github.com/fastness/fastness/redirect"
)

// answering returns an app whose one operation, GET /, gives value.
func answering[Out any](t *testing.T, value Out, options ...fastness.Option) *fastnesstest.API {
	t.Helper()
	app, public := open(fastness.Config{})
	fastness.Get(public, "/", func(context.Context, none) (Out, error) { return value, nil }, options...)
	return fastnesstest.New(t, app)
}

func TestAnswers(t *testing.T) {
	answering(t, []int(nil)).Get("/").Want(200).WantHeader("Content-Type", "application/json").WantJSON("[]")
	answering(t, "x", fastness.Status(202)).Get("/").Want(202)
	answering(t, fastness.Created[int]{Body: 1, Location: "/things/1?x=ä"}).Get("/").Want(201).
		WantHeader("Location", "/things/1?x=%C3%A4").WantJSON("1")
	answering(t, fastness.Created[int]{Body: 1}).Get("/").Want(201).WantHeader("Location", "")
	answering(t, fastness.NoContent{}).Get("/").Want(204).WantHeader("Content-Type", "").WantHeader("Content-Length", "")
	answering(t, fastness.Redirect{Path: "/there"}).Get("/").Want(307).WantHeader("Location", "/there")
	answering(t, fastness.Redirect{Path: "/there", Status: 303}).Get("/").Want(303)
	answering(t, fastness.Raw{ContentType: "text/csv", Body: []byte("a,b")}).Get("/").Want(200).
		WantHeader("Content-Type", "text/csv").WantHeader("X-Content-Type-Options", "nosniff")
	answering(t, fastness.Result[string]{Status: 404, Header: http.Header{"etag": {`"1"`}, "X-Two": {"a", "b"}}, Body: "x"}).Get("/").
		Want(404).WantHeader("Etag", `"1"`).WantHeader("X-Two", "a, b").WantJSON(`"x"`)
}

func TestMarkupInAnAnswerCannotBreakOutOfAScript(t *testing.T) {
	res := answering(t, map[string]string{"</script>": "<!--\u2028&"}).Get("/").Want(200)
	if bytes.ContainsAny(res.Body, "<>&\u2028") {
		t.Errorf("body %s, want < > & and U+2028 escaped", res.Body)
	}
}

func TestCookiesAreSafeWhateverTheySay(t *testing.T) {
	api := answering(t, fastness.Result[string]{Cookies: []*http.Cookie{
		{Name: "plain", Value: "1", SameSite: http.SameSiteNoneMode},
		{Name: "strict", Value: "2", SameSite: http.SameSiteStrictMode, Path: "/admin"},
	}})
	res := api.Get("/").Want(200)
	for name, want := range map[string]string{
		"plain": "plain=1; Path=/; HttpOnly; Secure; SameSite=Lax", "strict": "strict=2; Path=/admin; HttpOnly; Secure; SameSite=Strict",
	} {
		if got := res.Cookie(name); got == nil || got.String() != want {
			t.Errorf("cookie %v, want %s", got, want)
		}
	}
}

// TestAnswersOfDifferentRequestsShareNoHeader: a header map that the application
// keeps must not grow by the cookies of its callers.
func TestAnswersOfDifferentRequestsShareNoHeader(t *testing.T) {
	shared := http.Header{"X-Shared": make([]string, 1, 8)}
	api := answering(t, fastness.Result[string]{Header: shared, Cookies: []*http.Cookie{{Name: "a", Value: "1"}}})
	for range 2 {
		if got := len(api.Get("/").Want(200).Header.Values("Set-Cookie")); got != 1 {
			t.Errorf("%d cookies, want 1", got)
		}
	}
	if len(shared) != 1 {
		t.Errorf("the application's header became %v", shared)
	}
}

func TestWrongAnswerIsA500AndNamesTheMistakeInTheLog(t *testing.T) {
	type answer = fastness.Result[string]
	for name, c := range map[string]struct {
		answer any
		log    string
	}{
		"a status below 200":          {answer{Status: 101}, "result with status 101"},
		"a status above 599":          {answer{Status: 1000}, "result with status 1000"},
		"a redirect with status 200":  {fastness.Redirect{Path: "/", Status: 200}, "redirect with status 200"},
		"CR LF in a header value":     {answer{Header: http.Header{"X-A": {"1\r\nSet-Cookie: sid=evil"}}}, "control character in the header X-A"},
		"LF in a header value":        {answer{Header: http.Header{"X-A": {"1\nX-B: 2"}}}, "control character"},
		"NUL in a header value":       {answer{Header: http.Header{"X-A": {"\x00"}}}, "control character"},
		"CR LF in a header name":      {answer{Header: http.Header{"X-A: 1\r\nX-B": {"2"}}}, "header name"},
		"a cookie by a header":        {answer{Header: http.Header{"set-cookie": {"sid=1"}}}, "Set-Cookie"},
		"a length of its own":         {answer{Header: http.Header{"Content-Length": {"0"}}}, "Content-Length"},
		"a framing of its own":        {answer{Header: http.Header{"Transfer-Encoding": {"chunked"}}}, "Transfer-Encoding"},
		"a cookie without a name":     {answer{Cookies: []*http.Cookie{{Value: "1"}}}, "cookie"},
		"a cookie that breaks out":    {answer{Cookies: []*http.Cookie{{Name: "a\r\nX-B", Value: "1"}}}, "cookie"},
		"a nil cookie":                {answer{Cookies: []*http.Cookie{nil}}, "cookie"},
		"CR LF in a content type":     {fastness.Raw{ContentType: "text/plain\r\nX-B: 2"}, "content type"},
		"no content type":             {fastness.Raw{Body: []byte("<script>")}, "content type"},
		"CR LF in a created location": {fastness.Created[string]{Location: "/a\r\nX-B: 2"}, "location is not"},
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			app, public := open(fastness.Config{Logger: slog.New(slog.NewTextHandler(&log, nil))})
			switch a := c.answer.(type) {
			case answer:
				fastness.Get(public, "/", func(context.Context, none) (answer, error) { return a, nil })
			case fastness.Redirect:
				fastness.Get(public, "/", func(context.Context, none) (fastness.Redirect, error) { return a, nil })
			case fastness.Raw:
				fastness.Get(public, "/", func(context.Context, none) (fastness.Raw, error) { return a, nil })
			case fastness.Created[string]:
				fastness.Get(public, "/", func(context.Context, none) (fastness.Created[string], error) { return a, nil })
			}
			res := fastnesstest.New(t, app).Get("/").WantProblem(500, "").WantHeader("X-B", "").WantHeader("Set-Cookie", "")
			if p := res.Problem(); p.Detail != "" || !strings.Contains(log.String(), c.log) {
				t.Errorf("detail %q, log %s, want %q in the log only", p.Detail, log.String(), c.log)
			}
		})
	}
}

// offSite are addresses that a browser, or something before it, may take for
// another site's.
func offSite() []string {
	return []string{
		"", "there", "./there", "../there", "?a=/b", "#/b", "//evil.example", "///evil.example", "////evil.example", "/\\evil.example",
		"\\\\evil.example", "\\/evil.example", "/\\/evil.example", "/\t/evil.example", "/\n/evil.example", "\t//evil.example", " //evil.example",
		" /there", "/there\r\nSet-Cookie: a=b", "/there\nX: y", "/\x00/evil.example", "/there\x7f", "https://evil.example", "HTTPS://evil.example",
		"https:evil.example", "https:/evil.example", "http:///evil.example", "//user@evil.example", "https://localhost@evil.example/",
		"//localhost:80@evil.example", "javascript:alert(1)", "JavaScript:alert(1)", "java\tscript:alert(1)", "data:text/html,x", "vbscript:x",
		"mailto:a@evil.example", "//evil.example/%2e%2e", "//[::1]/", "/%", "/there%zz", "file:///etc/passwd", "//evil。example", "\u00a0//evil.example",
	}
}

func TestRedirectNeverLeavesTheSite(t *testing.T) {
	app, public := open(fastness.Config{})
	fastness.Get(public, "/to", func(_ context.Context, in struct {
		Path string `query:"path"`
	}) (fastness.Redirect, error) {
		return fastness.Redirect{Path: in.Path}, nil
	})
	fastness.Get(public, "/made", func(_ context.Context, in struct {
		Path string `query:"path"`
	}) (fastness.Created[string], error) {
		return fastness.Created[string]{Location: in.Path}, nil
	})
	api := fastnesstest.New(t, app)
	for _, path := range offSite() {
		api.Get("/to", fastnesstest.Query("path", path)).WantProblem(500, "").WantHeader("Location", "")
		if path != "" { // A Created without a location has none.
			api.Get("/made", fastnesstest.Query("path", path)).WantProblem(500, "").WantHeader("Location", "")
		}
	}
	for path, want := range map[string]string{
		"/": "/", "/there": "/there", "/a/b?next=//evil.example": "/a/b?next=//evil.example", "/a#b": "/a#b", "/ä": "/%C3%A4",
		"/@evil.example": "/@evil.example", "/a:b": "/a:b", "/.evil": "/.evil", "/%2f%2fevil.example": "/%2f%2fevil.example",
	} {
		api.Get("/to", fastnesstest.Query("path", path)).Want(307).WantHeader("Location", want)
	}
}

func TestRedirectLeavesForListedOriginsOnly(t *testing.T) {
	app, public := open(fastness.Config{Redirects: redirect.Config{Allow: []string{"https://accounts.example.com"}}})
	fastness.Get(public, "/", func(_ context.Context, in struct {
		To string `query:"to"`
	}) (fastness.Redirect, error) {
		return fastness.Redirect{URL: in.To, Status: 303}, nil
	})
	api := fastnesstest.New(t, app)
	api.Get("/?to=https://accounts.example.com/in%3Fa%3D1").Want(303).WantHeader("Location", "https://accounts.example.com/in?a=1")
	for _, to := range []string{"https://accounts.example.com.evil.example/", "https://accounts.example.com@evil.example/", "http://accounts.example.com/", "//evil.example", "javascript:alert(1)", "https:accounts.example.com"} {
		api.Get("/?to="+url.QueryEscape(to)).Want(500).WantHeader("Location", "")
	}
	home, _ := open(fastness.Config{Redirects: redirect.Config{Allow: []string{"http://accounts.example.com/"}}})
	if err := home.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "config: Redirects: ") {
		t.Errorf("Start() = %v", err)
	}
}

// TestSlashRedirectStaysOnTheSite: the only redirect that nobody asked for.
func TestSlashRedirectStaysOnTheSite(t *testing.T) {
	app, public := open(fastness.Config{})
	fastness.Get(public, "/items/", say("items"))
	fastness.Get(public, "/{a}/b", func(context.Context, struct {
		A string `path:"a"`
	}) (string, error) {
		return "", nil
	})
	api := fastnesstest.New(t, app)
	api.Get("/items?a=1").Want(307).WantHeader("Location", "/items/?a=1").WantHeader("X-Content-Type-Options", "nosniff")
	for _, target := range []string{
		"//evil.example/b/", "//evil.example//b/", "/\\evil.example/b/", "/%5cevil.example/b/", "/%2fevil.example/b/", "/%09/evil.example/b/",
		"//evil.example/..;/b/", "/https:%2f%2fevil.example/b/", "/items?a=%0d%0aX:y", "/@evil.example/b/", "/%0d%0aLocation:x/b/",
	} {
		u, err := url.Parse(target)
		if err != nil || u.Host != "" {
			u = &url.URL{Path: target}
		}
		r, err := http.NewRequestWithContext(t.Context(), "GET", "http://localhost/", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.URL, r.Host = u, "localhost"
		location := api.Send(r).Header.Get("Location")
		if location != "" && (!strings.HasPrefix(location, "/") || strings.HasPrefix(location, "//") || strings.ContainsAny(location, "\\\r\n\t")) {
			t.Errorf("GET %s leads to %q", target, location)
		}
	}
}

func TestPageIsForTwoReaders(t *testing.T) {
	page := template.Must(template.New("").Parse(`<h1>{{.Name}}</h1>`))
	type item struct{ Name string }
	api := answering(t, fastness.View[item]{Template: page, Body: item{"<b>"}})
	for accept, html := range map[string]bool{
		"": false, "*/*": false, "application/json": false, "text/html": true, "application/json, text/html": false,
		"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8": true,
	} {
		res := api.Get("/", fastnesstest.Accept(accept)).Want(200).WantHeader("Vary", "Accept")
		want := `{"Name":"\u003cb\u003e"}`
		if html {
			want = "<h1>&lt;b&gt;</h1>"
			res.WantHeader("Content-Type", "text/html; charset=utf-8")
			if csp := res.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") {
				t.Errorf("policy of the page: %q", csp)
			}
		}
		if string(res.Body) != want {
			t.Errorf("GET / with Accept %q: %s, want %s", accept, res.Body, want)
		}
	}
}

// TestUnknownErrorIsOpaque: what a driver says names hosts, tables and values.
func TestUnknownErrorIsOpaque(t *testing.T) {
	secret := &struct{ error }{problemless("dial tcp 10.0.0.7:5432: password authentication failed")}
	for name, err := range map[string]error{
		"a plain error": secret, "a wrapped one": &wrapped{"select from users", secret},
		"the cause of a problem": problem.New(500, "").Wrap(secret), "a problem without a status": (&problem.Problem{Detail: "x"}).Wrap(secret),
		"a problem of status 200": problem.New(200, "").Wrap(secret), "a problem of status 999": problem.New(999, "").Wrap(secret),
	} {
		t.Run(name, func(t *testing.T) {
			for _, accept := range []string{"", "text/plain", "text/html"} {
				var log bytes.Buffer
				app, public := open(fastness.Config{Logger: slog.New(slog.NewTextHandler(&log, nil))})
				fastness.Get(public, "/", func(context.Context, none) (string, error) { return "", err })
				res := fastnesstest.New(t, app).Get("/", fastnesstest.Accept(accept)).WantProblem(500, "")
				if strings.Contains(string(res.Body), "10.0.0.7") || strings.Contains(string(res.Body), "users") {
					t.Errorf("body %s shows the error", res.Body)
				}
				if p := res.Problem(); !strings.Contains(log.String(), "10.0.0.7") || !strings.Contains(log.String(), strings.TrimPrefix(p.Instance, "urn:request:")) {
					t.Errorf("log %s, want the cause and the id of %s", log.String(), p.Instance)
				}
			}
		})
	}
}

type problemless string

func (p problemless) Error() string { return string(p) }

type wrapped struct {
	Query string // Would be shown by whoever encodes errors as JSON.
	cause error
}

func (w *wrapped) Error() string { return w.Query + ": " + w.cause.Error() }
func (w *wrapped) Unwrap() error { return w.cause }

func TestProblemIsShownAsItIs(t *testing.T) {
	app, public := open(fastness.Config{})
	fastness.Get(public, "/", func(context.Context, none) (string, error) {
		p := problem.New(409, "the name is taken").Named("taken").With("Retry-After", "7").Extend("name_length", 3)
		return "", &wrapped{"insert", p}
	})
	res := fastnesstest.New(t, app).Get("/").WantProblem(409, "taken").WantHeader("Retry-After", "7").WantHeader("Cache-Control", "no-store")
	if !strings.Contains(string(res.Body), `"name_length":3`) || strings.Contains(string(res.Body), "insert") {
		t.Errorf("body %s, want the extension and nothing around the problem", res.Body)
	}
}
