package fastnesstest_test

import (
	"context"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/fastnesstest"
	"github.com/fastness/fastness/guard/csrf"
	"github.com/fastness/fastness/openapi"
)

// who is a scheme whose cookie is the name of the caller.
type who struct{}

func (who) Describe() auth.Description {
	return auth.Description{
		Name: "session", Challenge: "Cookie", Ambient: true,
		Security: &openapi.SecurityScheme{Type: "apiKey", In: "cookie", Name: "__Host-who"},
	}
}

func (who) Present(r *http.Request) bool { return len(r.CookiesNamed("__Host-who")) > 0 }

func (who) Authenticate(_ context.Context, r *http.Request) (*auth.User, error) {
	name := r.CookiesNamed("__Host-who")[0].Value
	return &auth.User{ID: name, Name: name, Scheme: "session"}, nil
}

type loginPage struct {
	fastness.Page
	Name string `json:"name"`
}

func site() *fastness.App {
	app := fastness.New(fastness.Config{
		Title: "Site", Version: "1", Logger: slog.New(slog.DiscardHandler), CSRF: csrf.Config{Keys: csrf.EphemeralKeys()},
	})
	app.Authenticate(who{})
	fastness.Get(app, "/csrftoken/", fastness.NewCSRFToken, access.Public)
	fastness.Get(app, "/tokens", fastness.NewCSRFToken, access.Public)
	page := template.Must(template.New("").Parse(`<!doctype html><title>Log in</title>
		<form action="/search"><input name="name"></form>
		<form method="post" action="/logout"><button>Out</button></form>
		<form method="POST" action="login?from=page">{{.CSRFField}}
		<input name="name" value="nobody"><input type="hidden" name="next" value="/a&amp;b">
		<input type="checkbox" name="remember" checked><input type="checkbox" name="share">
		<select name="lang"><option>de</option><option value="en" selected>English</option></select>
		<textarea name="note">hello</textarea><input disabled name="off" value="1"><button name="go" value="in">Go</button></form>`))
	fastness.Get(app, "/login", func(context.Context, struct{}) (fastness.View[loginPage], error) {
		return fastness.View[loginPage]{Template: page}, nil
	}, access.Public)
	fastness.Post(app, "/login", func(_ context.Context, in struct {
		Request  *http.Request
		From     string `query:"from" default:""`
		Name     string `form:"name"`
		Next     string `form:"next" default:""`
		Remember string `form:"remember" default:""`
		Share    string `form:"share" default:""`
		Lang     string `form:"lang" default:""`
		Note     string `form:"note" default:""`
		Go       string `form:"go" default:""`
	}) (fastness.Result[string], error) {
		body := fmt.Sprint(in.From, in.Name, in.Next, in.Remember, in.Share, in.Lang, in.Note, in.Go, len(in.Request.Header["X-Csrf-Token"]))
		cookie := &http.Cookie{Name: "__Host-who", Value: in.Name, Path: "/"}
		return fastness.Result[string]{Body: body, Cookies: []*http.Cookie{cookie}}, nil
	}, access.Public, csrf.RequireToken())
	fastness.Get(app, "/away", func(context.Context, struct{}) (fastness.Raw, error) {
		return fastness.Raw{ContentType: "text/html", Body: []byte(`<form method="post" action="https://evil.example/">`)}, nil
	}, access.Public)
	fastness.Post(app, "/notes", func(_ context.Context, in struct {
		User    auth.User
		Request *http.Request
	}) (string, error) {
		return strings.Join([]string{in.User.ID, in.Request.Header.Get("Sec-Fetch-Site"), in.Request.Header.Get("Origin")}, " "), nil
	}, access.Authenticated)
	return app
}

func ExampleBrowser() {
	test := func(t testing.TB) { // func TestNotes(t *testing.T)
		ada := fastnesstest.New(t, site()).Browser()
		ada.Submit("/login", url.Values{"name": {"ada"}})
		fmt.Println(fastnesstest.Post[string](ada.API, "/notes", nil))
		ada.Post("/notes", nil, fastnesstest.FromPage("https://evil.example")).WantProblem(403, "cross_site")
		ada.Post("/notes", nil, fastnesstest.TokenFrom("")).WantProblem(403, "csrf_missing_token")
	}
	fmt.Println(watch(test))
	// Output:
	// ada same-origin https://localhost
	// []
}

func TestBrowserSubmitsTheFormThatHasTheFields(t *testing.T) {
	ada := fastnesstest.New(t, site()).Browser()
	ada.Submit("/login", url.Values{"name": {"ada"}}).Want(200).WantJSON(`"pageada/a&bonenhello0"`)
	ada.Submit("/login", url.Values{"name": {"ada"}, "share": {"on"}, "go": {"in"}, "lang": {"de"}}).Want(200).WantJSON(`"pageada/a&bonondehelloin0"`)
	if got := ada.Cookie("__Host-who"); got != "ada" {
		t.Errorf("the browser's cookie is %q, want ada", got)
	}
	if ada.Cookie("__Host-csrf") == "" || ada.Cookie("other") != "" {
		t.Error("the browser has not kept the cookie of its tokens, or has one that was never set")
	}
}

func TestBrowserGetsATokenForEveryRequest(t *testing.T) {
	api := fastnesstest.New(t, site())
	ada := api.Browser()
	ada.SetCookie(&http.Cookie{Name: "__Host-who", Value: "ada", Path: "/", Secure: true})
	for range 2 {
		ada.Post("/notes", nil).Want(200)
	}
	ada.Post("/notes", nil, fastnesstest.TokenFrom("/tokens")).Want(200)
	ada.Post("/notes", nil, fastnesstest.Header("X-CSRF-Token", "x")).WantProblem(403, "csrf_invalid")
	t.Run("another test", func(t *testing.T) { ada.With(t).Post("/notes", nil).Want(200) })
	bob := api.Browser(fastnesstest.Cookie("__Host-who", "bob")) // A cookie of an option is no other browser's.
	bob.Post("/notes", nil).Want(200).WantJSON(`"bob same-origin https://localhost"`)
	api.Post("/notes", nil, fastnesstest.Cookie("__Host-who", "eve")).WantProblem(403, "")
}

func TestBrowserSaysWhichPageSendsARequest(t *testing.T) {
	api := fastnesstest.New(t, site())
	ada := api.Browser()
	ada.Submit("/login", url.Values{"name": {"ada"}})
	for origin, site := range map[string]string{
		"https://localhost:8443": "same-site", "https://evil.example": "cross-site", "null": "cross-site",
	} {
		ada.Post("/notes", nil, fastnesstest.FromPage(origin)).WantProblem(403, "cross_site")
		seen := fastnesstest.New(t, newSeen()).Browser().Post("/seen", nil, fastnesstest.FromPage(origin))
		seen.Want(200).WantJSON(fmt.Sprintf(`{"site":[%q],"origin":[%q]}`, site, origin))
	}
	plain := fastnesstest.New(t, newSeen()).Browser(fastnesstest.PlainHTTP())
	plain.Post("/seen", nil).Want(200).WantJSON(`{"site":[],"origin":["http://localhost"]}`)
}

// seenSite is what an app without cookies and tokens sees of a request.
type seenSite struct {
	Site   []string `json:"site"`
	Origin []string `json:"origin"`
}

func newSeen() *fastness.App {
	app := fastness.New(fastness.Config{Title: "Seen", Version: "1", Logger: slog.New(slog.DiscardHandler)})
	fastness.Post(app, "/seen", func(_ context.Context, in struct{ Request *http.Request }) (seenSite, error) {
		h := in.Request.Header
		return seenSite{slices.Clone(h["Sec-Fetch-Site"]), slices.Clone(h["Origin"])}, nil
	}, access.Public, csrf.InsecureAnyOrigin("it shows what comes"))
	return app
}

func TestBrowserDropsCookiesThatNoBrowserKeeps(t *testing.T) {
	for name, c := range map[string]struct {
		cookie http.Cookie
		kept   bool
	}{
		"plain":                   {http.Cookie{Name: "a", Path: "/"}, true},
		"prefix":                  {http.Cookie{Name: "__Host-a", Path: "/", Secure: true}, true},
		"prefix, not Secure":      {http.Cookie{Name: "__Host-a", Path: "/"}, false},
		"prefix and Domain":       {http.Cookie{Name: "__Host-a", Path: "/", Secure: true, Domain: "localhost"}, false},
		"prefix and another path": {http.Cookie{Name: "__Host-a", Path: "/x", Secure: true}, false},
		"prefix without a path":   {http.Cookie{Name: "__Host-a", Secure: true}, false},
		"prefix in capitals":      {http.Cookie{Name: "__HOST-a", Path: "/"}, false},
		"secure prefix":           {http.Cookie{Name: "__Secure-a", Path: "/", Secure: true}, true},
		"secure prefix, not so":   {http.Cookie{Name: "__Secure-a", Path: "/"}, false},
		"over":                    {http.Cookie{Name: "a", Path: "/", MaxAge: -1}, false},
	} {
		t.Run(name, func(t *testing.T) {
			app := fastness.New(fastness.Config{Title: "Test", Version: "1"})
			c.cookie.Value = "1"
			fastness.Mount(app, "/set", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				http.SetCookie(w, &c.cookie)
			}), access.Public)
			b := fastnesstest.New(t, app).Browser()
			b.Get("/set/").Want(200)
			if got := b.Cookie(c.cookie.Name) != ""; got != c.kept {
				t.Errorf("the browser keeps %s: %v, want %v", &c.cookie, got, c.kept)
			}
		})
	}
}

func TestBrowserWithoutTLSDropsSecureCookies(t *testing.T) {
	b := fastnesstest.New(t, site()).Browser(fastnesstest.PlainHTTP())
	b.Get("/csrftoken/").Want(200)
	if got := b.Cookie("__Host-csrf"); got != "" {
		t.Errorf("the browser keeps %q, which came without TLS", got)
	}
}

func TestBrowserReportsWhatItCannotDo(t *testing.T) {
	for name, c := range map[string]struct {
		use  func(b *fastnesstest.Browser)
		want string
	}{
		"no such field": {func(b *fastnesstest.Browser) { b.Submit("/login", url.Values{"nmae": {"ada"}}) }, `no form that is sent by POST and has the fields ["nmae"]`},
		"disabled":      {func(b *fastnesstest.Browser) { b.Submit("/login", url.Values{"off": {"ada"}}) }, "no form"},
		"leads away":    {func(b *fastnesstest.Browser) { b.Submit("/away", nil) }, `the form leads to "https://evil.example/"`},
		"no page":       {func(b *fastnesstest.Browser) { b.Submit("/nowhere", nil) }, "GET /nowhere: status 404, want a page"},
		"no token":      {func(b *fastnesstest.Browser) { b.Post("/notes", nil, fastnesstest.TokenFrom("/nowhere")) }, "GET /nowhere: status 404, want a CSRF token"},
		"bad cookie":    {func(b *fastnesstest.Browser) { b.SetCookie(&http.Cookie{Name: "__Host-a", Value: "1"}) }, "no browser keeps this cookie"},
	} {
		t.Run(name, func(t *testing.T) {
			got := watch(func(t testing.TB) { c.use(fastnesstest.New(t, site()).Browser()) })
			if len(got) != 1 || !strings.Contains(got[0], c.want) {
				t.Errorf("reported %q, want one line with %q", got, c.want)
			}
		})
	}
}
