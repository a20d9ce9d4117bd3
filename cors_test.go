package fastness_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/fastnesstest"
	"github.com/fastness/fastness/guard/clientip"
	"github.com/fastness/fastness/guard/cors"
	"github.com/fastness/fastness/guard/csrf"
	"github.com/fastness/fastness/guard/ratelimit"
	"github.com/fastness/fastness/openapi"
)

// A page that cannot read an error does not know what is wrong: the headers are on
// every answer, and vary by Origin whoever asks.
func TestAllowedOriginReadsEveryAnswer(t *testing.T) {
	const page = "https://app.example.com"
	app, requests := everyStatus(t, fastness.Config{CORS: cors.Config{Origins: []string{page}, Credentials: true}})
	api := fastnesstest.New(t, app)
	for status, list := range requests {
		for _, r := range list {
			for origin, want := range map[string]string{page: page, "https://evil.example": "", "null": "", "": ""} {
				r.Header.Del("Origin")
				if origin != "" {
					r.Header.Set("Origin", origin)
				}
				r.Header.Set("Sec-Fetch-Site", "same-origin") // Only what may be read is asked here.
				again := r.Clone(t.Context())
				again.Body = http.NoBody
				if r.GetBody != nil {
					again.Body, _ = r.GetBody()
				}
				res := api.Send(again).Want(status).WantHeader("Access-Control-Allow-Origin", want)
				if !strings.Contains(strings.Join(res.Header["Vary"], ","), "Origin") {
					t.Errorf("%s %s: Vary is %q, want Origin in it", r.Method, r.URL, res.Header["Vary"])
				}
			}
		}
	}
}

func TestPreflightAllowsWhatThePathHas(t *testing.T) {
	app, public := open(fastness.Config{CORS: cors.Config{Origins: []string{"https://app.example.com"}, Headers: []string{"Authorization"}}})
	fastness.Get(public, "/a", say("a"))
	api := fastnesstest.New(t, app)
	preflight := func(origin, method string) *fastnesstest.Response {
		return api.Do("OPTIONS", "/a", nil, fastnesstest.Header("Origin", origin), fastnesstest.Header("Access-Control-Request-Method", method),
			fastnesstest.Header("Access-Control-Request-Headers", "authorization"))
	}
	preflight("https://app.example.com", "GET").Want(204).WantHeader("Access-Control-Allow-Origin", "https://app.example.com").WantHeader("Access-Control-Allow-Methods", "GET, HEAD")
	preflight("https://app.example.com", "DELETE").Want(403).WantHeader("Access-Control-Allow-Origin", "")
	preflight("https://evil.example", "GET").Want(403).WantHeader("Access-Control-Allow-Origin", "")
	api.Do("OPTIONS", "/a", nil).Want(204).WantHeader("Allow", "GET, HEAD, OPTIONS")
}

func TestAnyOriginWithCredentialsDoesNotStart(t *testing.T) {
	app, _ := open(fastness.Config{CORS: cors.Config{InsecureAnyOrigin: "public data", Credentials: true, Origins: []string{"null"}}})
	if err := app.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "config: CORS: ") {
		t.Errorf("Start() = %v", err)
	}
}

// A page that CORS lists may act where nobody is known, or where it sends the
// credential itself; with the browser's own credential only if CORS says so.
func TestListedOriginActsForItsVisitorOnlyWithCredentials(t *testing.T) {
	const page = "https://app.example.com"
	for _, credentials := range []bool{false, true} {
		app, public := open(fastness.Config{
			CORS: cors.Config{Origins: []string{page}, Credentials: credentials}, CSRF: csrf.Config{Keys: csrf.EphemeralKeys()},
		})
		app.Authenticate(letters{name: "letter", header: "X-Letter", users: people()}, cookies{people()})
		fastness.Post(public, "/public", say("public"))
		fastness.Post(app, "/own", say("own"), access.Authenticated)
		fastness.Get(public, "/token", fastness.NewCSRFToken)
		api := fastnesstest.New(t, app)
		post := func(path, origin string, fields ...fastnesstest.Option) int {
			return api.Do("POST", path, nil, append(fields, fastnesstest.Header("Origin", origin), fastnesstest.Header("Sec-Fetch-Site", "cross-site"))...).Status
		}
		if got := post("/public", page); got != 200 {
			t.Errorf("credentials %v: a listed page, public: %d", credentials, got)
		}
		if got := post("/public", "https://evil.example"); got != 403 {
			t.Errorf("credentials %v: another page, public: %d", credentials, got)
		}
		if got := post("/own", page, fastnesstest.Header("X-Letter", "ann")); got != 200 {
			t.Errorf("credentials %v: a listed page with a credential of its own: %d", credentials, got)
		}
		given := api.Get("/token", fastnesstest.Cookie("who", "ann"))
		var token struct {
			Token string `json:"csrf_token"`
		}
		if err := json.Unmarshal(given.Body, &token); err != nil {
			t.Fatal(err)
		}
		planted, _, _ := strings.Cut(given.Header.Get("Set-Cookie"), ";")
		name, value, _ := strings.Cut(planted, "=")
		want := map[bool]int{false: 403, true: 200}[credentials]
		if got := post("/own", page, fastnesstest.Cookie("who", "ann"), fastnesstest.Cookie(name, value), fastnesstest.Header("X-CSRF-Token", token.Token)); got != want {
			t.Errorf("credentials %v: a listed page with the visitor's cookie: %d, want %d", credentials, got, want)
		}
		if got := post("/own", page, fastnesstest.Cookie("who", "ann")); got != 403 {
			t.Errorf("credentials %v: a listed page with the visitor's cookie and no token: %d", credentials, got)
		}
	}
}

// cookies is a scheme for tests: the cookie is the user.
type cookies struct{ users map[string]*auth.User }

func (c cookies) Describe() auth.Description {
	return auth.Description{
		Name: "cookie", Challenge: "Cookie", Ambient: true,
		Security: &openapi.SecurityScheme{Type: "apiKey", In: "cookie", Name: "who"},
	}
}

func (c cookies) Present(r *http.Request) bool { return len(r.CookiesNamed("who")) > 0 }

func (c cookies) Authenticate(_ context.Context, r *http.Request) (*auth.User, error) {
	u := c.users[r.CookiesNamed("who")[0].Value]
	if u == nil {
		return nil, &auth.Refusal{}
	}
	known := *u
	known.Scheme = "cookie"
	return &known, nil
}

// Who is called what by middleware, from a cookie perhaps, is nobody whom a page of
// another site may act for, whatever the schemes of the app are.
func TestPageOfAnotherSiteDoesNotActForWhomMiddlewareKnows(t *testing.T) {
	for _, scheme := range []string{"", "sso"} {
		app, _ := open(fastness.Config{})
		app.Authenticate(letters{name: "letter", header: "X-Letter", users: people()})
		app.Use(func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if c, err := r.Cookie("sso"); err == nil {
					r = r.WithContext(auth.With(r.Context(), &auth.User{ID: c.Value, Scheme: scheme}))
				}
				next.ServeHTTP(w, r)
			})
		})
		fastness.Post(app, "/own", say("own"), access.Authenticated)
		fastness.Mount(app, "/mounted", http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), access.Authenticated)
		api := fastnesstest.New(t, app)
		for _, path := range []string{"/own", "/mounted/"} {
			for site, want := range map[string]int{"cross-site": 403, "same-site": 403, "same-origin": 200} {
				got := api.Do("POST", path, nil, fastnesstest.Header("Cookie", "sso=u1"), fastnesstest.Header("Sec-Fetch-Site", site)).Status
				if got != want {
					t.Errorf("scheme %q, %s from %s: %d, want %d", scheme, path, site, got, want)
				}
			}
			api.Do("POST", path, nil, fastnesstest.Header("X-Letter", "ann"), fastnesstest.Header("Sec-Fetch-Site", "cross-site")).Want(200)
		}
	}
}

// A browser that was asked for a password once sends it with an image on another site,
// too.
func TestPageOfAnotherSiteDoesNotUseThePasswordThatABrowserKeeps(t *testing.T) {
	app, _ := open(fastness.Config{})
	basic, err := auth.NewBasic(auth.BasicConfig{Realm: "shop", Verify: func(_ context.Context, _ *http.Request, name, _ string) (*auth.User, error) {
		return &auth.User{ID: name, Scheme: "basic"}, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	app.Authenticate(basic)
	fastness.Get(app, "/unsubscribe", say("done"), access.Authenticated, csrf.Effects())
	fastness.Mount(app, "/socket", http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), access.Authenticated)
	api := fastnesstest.New(t, app)
	for site, want := range map[string]int{"cross-site": 403, "same-origin": 200} {
		from := []fastnesstest.Option{fastnesstest.Header("Authorization", "Basic YTpi"), fastnesstest.Header("Sec-Fetch-Site", site)}
		if got := api.Get("/unsubscribe", from...).Status; got != want {
			t.Errorf("an effect, %s: %d, want %d", site, got, want)
		}
		if got := api.Get("/socket/", append(from, fastnesstest.Header("Upgrade", "websocket"))...).Status; got != want {
			t.Errorf("a WebSocket, %s: %d, want %d", site, got, want)
		}
	}
}

// slips is a cookie scheme whose users have been called something else by somebody.
type slips struct {
	cookies
	called string
}

func (s slips) Authenticate(ctx context.Context, r *http.Request) (*auth.User, error) {
	u, err := s.cookies.Authenticate(ctx, r)
	if u != nil {
		u.Scheme = s.called
	}
	return u, err
}

func TestCookieNeedsATokenWhateverItsSchemeCallsTheUser(t *testing.T) {
	for _, called := range []string{"", "letter", "cookie"} {
		app, public := open(fastness.Config{CSRF: csrf.Config{Keys: csrf.EphemeralKeys()}})
		app.Authenticate(letters{name: "letter", header: "X-Letter", users: people()}, slips{cookies{people()}, called})
		fastness.Post(app, "/own", say("own"), access.Authenticated)
		fastness.Post(public, "/by-letter", say("own"), access.By("letter"))
		api := fastnesstest.New(t, app)
		post := func(path, site string) int {
			return api.Do("POST", path, nil, fastnesstest.Header("Cookie", "who=ann"), fastnesstest.Header("Sec-Fetch-Site", site)).Status
		}
		if got := post("/own", "same-origin"); got != 403 {
			t.Errorf("the user is called %q: %d without a token, want 403", called, got)
		}
		if got := post("/by-letter", "same-origin"); got != 401 {
			t.Errorf("the user is called %q: %d for a letter, want 401", called, got)
		}
	}
}

// Behind a proxy that ends TLS, a page without TLS is anybody's on the way, as it is
// where the server has TLS itself.
func TestPageWithoutTLSIsNotTheOwnOneBehindAProxy(t *testing.T) {
	app, public := open(fastness.Config{Hosts: []string{"shop.example"}, Proxies: clientip.Config{Trust: []string{"10.0.0.0/8"}}})
	fastness.Post(public, "/a", say("a"))
	for _, tt := range []struct {
		peer, proto, origin string
		want                int
	}{
		{"10.0.0.1:1", "https", "https://shop.example", 200},
		{"10.0.0.1:1", "https", "http://shop.example", 403},
		{"10.0.0.1:1", "http", "http://shop.example", 200},
		{"192.0.2.1:1", "https", "http://shop.example", 200}, // Nobody trusts it.
	} {
		r := httptest.NewRequest("POST", "http://shop.example/a", nil)
		r.RemoteAddr = tt.peer
		r.Header.Set("X-Forwarded-Proto", tt.proto)
		r.Header.Set("Origin", tt.origin)
		w := httptest.NewRecorder()
		app.ServeHTTP(w, r)
		if w.Code != tt.want {
			t.Errorf("%+v: %d", tt, w.Code)
		}
	}
}

// remembered counts the tokens that are used up.
type remembered struct{ tokens int }

func (m *remembered) First(context.Context, string, time.Time) (bool, error) {
	m.tokens++
	return true, nil
}

// The memory of used tokens is for all clients, and refuses everybody once it is full:
// who is refused by the rate limit must not fill it.
func TestTokenIsNotUsedUpByWhatTheRateLimitRefuses(t *testing.T) {
	seen := new(remembered)
	app, public := open(fastness.Config{CSRF: csrf.Config{Keys: csrf.EphemeralKeys(), Replay: seen}})
	fastness.Get(public, "/csrftoken/", fastness.NewCSRFToken)
	fastness.Post(public, "/login", say("in"), csrf.OneTimeToken(), ratelimit.Per("2/minute", ratelimit.ByClient))
	api := fastnesstest.New(t, app)
	for i, want := range []int{200, 200, 429, 429} {
		res := api.Get("/csrftoken/").Want(200)
		var token fastness.CSRFToken
		res.JSON(&token)
		cookie, _, _ := strings.Cut(res.Header.Get("Set-Cookie"), ";")
		got := api.Do("POST", "/login", nil, fastnesstest.Header("Cookie", cookie), fastnesstest.Header("X-CSRF-Token", token.Token)).Status
		if got != want {
			t.Errorf("log-in %d: %d, want %d", i+1, got, want)
		}
	}
	if seen.tokens != 2 {
		t.Errorf("%d tokens are remembered, want 2", seen.tokens)
	}
}

// A field without a name is none for tokens where they are taken from the header only.
func TestFormHasNoTokenWhereOnlyTheHeaderHas(t *testing.T) {
	app, public := open(fastness.Config{CSRF: csrf.Config{Keys: csrf.EphemeralKeys(), TokenLocation: csrf.HeaderOnly}})
	fastness.Get(public, "/csrftoken/", fastness.NewCSRFToken)
	fastness.Post(public, "/form", through[struct {
		A string `form:"a" default:""`
	}], csrf.RequireToken())
	fastness.Post(public, "/free", through[struct {
		A string `form:"a" default:""`
	}])
	api := fastnesstest.New(t, app)
	res := api.Get("/csrftoken/").Want(200)
	var token fastness.CSRFToken
	res.JSON(&token)
	cookie, _, _ := strings.Cut(res.Header.Get("Set-Cookie"), ";")
	post := func(path, body string, fields ...fastnesstest.Option) *fastnesstest.Response {
		return api.Do("POST", path, fastnesstest.Raw{ContentType: "application/x-www-form-urlencoded", Body: []byte(body)}, append(fields, fastnesstest.Header("Cookie", cookie))...)
	}
	post("/form", "="+token.Token).WantProblem(403, "csrf_missing_token")
	post("/form", "csrf-token="+token.Token).WantProblem(403, "csrf_missing_token")
	post("/form", "a=b", fastnesstest.Header("X-CSRF-Token", token.Token)).Want(200)
	post("/free", "=b").Want(422)
}
