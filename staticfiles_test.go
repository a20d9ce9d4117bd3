package fastness_test

import (
	"net/http"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/fastnesstest"
	"github.com/fastness/fastness/guard/headers"
	"github.com/fastness/fastness/static"
)

func web() fstest.MapFS {
	return fstest.MapFS{
		"index.html": {Data: []byte("<!doctype html>home")}, "app.3f2a9c1b.js": {Data: []byte("1")}, "app.3f2a9c1b.js.map": {Data: []byte("{}")},
		"a.css": {Data: []byte("a{}")}, ".env": {Data: []byte("secret")},
	}
}

func TestFilesAreAsProtectedAsOperations(t *testing.T) {
	app, public := open(fastness.Config{})
	app.Authenticate(letters{name: "letter", header: "X-Letter", users: people()})
	fastness.Static(public, "/static", web())
	fastness.Static(app, "/inside", web(), access.Authenticated, static.SourceMaps())
	fastness.Static(public, "/wrapped", web(), fastness.Middleware(func(next http.Handler) http.Handler { return next }))
	api := fastnesstest.New(t, app)
	api.Get("/static/a.css").Want(200).WantHeader("Cache-Control", "no-cache").WantHeader("Content-Type", "text/css; charset=utf-8")
	api.Get("/static/app.3f2a9c1b.js").Want(200).WantHeader("Cache-Control", "public, max-age=31536000, immutable")
	api.Get("/static/index.html").Want(200).WantHeader("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	api.Get("/static/.env").WantProblem(404, "")
	api.Get("/static/").WantProblem(404, "")
	api.Get("/static/app.3f2a9c1b.js.map").WantProblem(404, "")
	api.Get("/static/%2e%2e/.env").WantProblem(400, "malformed_path")
	api.Do("POST", "/static/a.css", nil).WantProblem(405, "").WantHeader("Allow", "GET, HEAD")
	api.Get("/static/a.css", fastnesstest.Header("Range", "bytes=0-0,0-0")).WantProblem(416, "range_not_satisfiable")
	api.Get("/wrapped/a.css").Want(200)
	api.Get("/wrapped/b.css").WantProblem(404, "")
	api.Get("/inside/a.css").WantProblem(401, "")
	ann := fastnesstest.As(auth.User{ID: "ann"})
	// What is for some must not be kept where others find it.
	api.Get("/inside/app.3f2a9c1b.js", ann).Want(200).WantHeader("Cache-Control", "no-store")
	api.Get("/inside/app.3f2a9c1b.js.map", ann).Want(200)
	for _, o := range app.Audit() {
		if strings.HasPrefix(o.Where, "mount ") {
			t.Errorf("the audit lists %v", o)
		}
	}
}

func TestFrontEndLeavesTheRestOfTheSiteAlone(t *testing.T) {
	app, public := open(fastness.Config{Pages: headers.PageConfig{Images: []string{"https://img.example.com"}}})
	fastness.Get(public, "/items", say("items"))
	fastness.Post(public, "/orders", say("order"))
	fastness.Mount(public, "/legacy", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }))
	fastness.Frontend(public, "/", web())
	api := fastnesstest.New(t, app)
	page := fastnesstest.Accept("text/html")
	for _, path := range []string{"/", "/basket", "/basket/7"} {
		if res := api.Get(path, page).Want(200).WantHeader("Cache-Control", "no-cache"); string(res.Body) != "<!doctype html>home" {
			t.Errorf("%s: %q", path, res.Body)
		}
	}
	policy := api.Get("/", page).Header.Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "; script-src 'self'", "img-src 'self' https://img.example.com", "frame-ancestors 'none'", "base-uri 'none'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("the policy %q has no %s", policy, want)
		}
	}
	if strings.Contains(policy, "unsafe") {
		t.Errorf("the policy is %q", policy)
	}
	api.Get("/app.3f2a9c1b.js").Want(200).WantHeader("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
	api.Get("/items", page).Want(200).WantJSON(`"items"`)
	api.Get("/legacy/x", page).Want(http.StatusTeapot)
	api.Get("/health/live", page).Want(200).WantJSON(`{"status":"ok"}`)
	api.Get("/basket").WantProblem(404, "")
	api.Get("/gone.js", page).WantProblem(404, "")
	api.Do("POST", "/basket", nil).WantProblem(405, "")
	api.Do("HEAD", "/basket", nil, page).Want(200)
}

func TestFilesAreDeclaredCompletely(t *testing.T) {
	app, public := open(fastness.Config{})
	fastness.Static(app, "/static", web())
	fastness.Frontend(public, "/app", fstest.MapFS{"a.js": {}})
	fastness.Static(public, "/nothing", nil)
	err := app.Start(t.Context())
	for _, want := range []string{"mount /static: no access rule", "mount /app: static config: FS has no index.html", "mount /nothing: static config: FS is nil"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Start() = %v, want %q", err, want)
		}
	}
}
