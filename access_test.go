package fastness_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/fastnesstest"
	"github.com/fastness/fastness/openapi"
)

// letters is a scheme for tests: the credential is the user.
type letters struct {
	name, header string
	ambient      bool
	users        map[string]*auth.User
}

func (l letters) Describe() auth.Description {
	return auth.Description{
		Name: l.name, Challenge: "Letter", Ambient: l.ambient,
		Security: &openapi.SecurityScheme{Type: "apiKey", In: "header", Name: l.header},
	}
}

func (l letters) Present(r *http.Request) bool { return r.Header.Get(l.header) != "" }

func (l letters) Authenticate(_ context.Context, r *http.Request) (*auth.User, error) {
	if u := l.users[r.Header.Get(l.header)]; u != nil {
		return u, nil
	}
	return nil, &auth.Refusal{Code: "invalid_token"}
}

func people() map[string]*auth.User {
	return map[string]*auth.User{
		"ann": {ID: "u1", Roles: auth.SetOf("customer"), Tenant: auth.NewTenant("north"), Scheme: "letter"},
		"bob": {ID: "u2", Roles: auth.SetOf("seller"), Scheme: "letter", Scopes: auth.SetOf("items")},
		"eve": {ID: "u3", Roles: auth.SetOf("admin", "seller"), Scheme: "letter", AllScopes: true},
	}
}

func secured() *fastness.App {
	app := fastness.New(fastness.Config{Title: "T", Version: "1", Roles: []string{"customer", "seller", "admin"}})
	app.Authenticate(
		letters{name: "letter", header: "X-Letter", users: people()},
		letters{name: "stamp", header: "X-Stamp", users: people(), ambient: true})
	return app
}

type asUser struct{ User auth.User }

func userID(_ context.Context, in asUser) (string, error) { return in.User.ID, nil }

type note struct {
	ID    int
	Owner string
}

type noteKey struct {
	ID int `path:"id"`
}

func loadNote(_ context.Context, in noteKey) (note, error) { return note{in.ID, "u2"}, nil }

func TestRulesLetThoseInWhomTheyName(t *testing.T) {
	owner := access.Object("its owner", func(_ context.Context, u auth.User, n note) error {
		if n.Owner != u.ID {
			return access.Hidden()
		}
		return nil
	})
	for _, tt := range []struct {
		name    string
		options []fastness.Option
		want    map[string]int // by caller; others get 403
	}{
		{"authenticated", []fastness.Option{access.Authenticated}, map[string]int{"": 401, "zoe": 401, "ann": 200, "bob": 200, "eve": 200}},
		{"one role", []fastness.Option{access.Role("seller")}, map[string]int{"": 401, "zoe": 401, "bob": 200, "eve": 200}},
		{"any of two roles", []fastness.Option{access.Role("customer", "admin")}, map[string]int{"": 401, "zoe": 401, "ann": 200, "eve": 200}},
		{"all of two roles", []fastness.Option{access.AllRoles("seller", "admin")}, map[string]int{"": 401, "zoe": 401, "eve": 200}},
		{"a scope", []fastness.Option{access.Scope("items")}, map[string]int{"": 401, "zoe": 401, "bob": 200, "eve": 200}},
		{"a function", []fastness.Option{access.If("ann", func(_ context.Context, u auth.User) error {
			if u.ID == "u1" {
				return nil
			}
			return access.Denied()
		})}, map[string]int{"": 401, "zoe": 401, "ann": 200}},
		{"both conditions", []fastness.Option{access.All(access.Role("seller"), access.Scope("orders"))}, map[string]int{"": 401, "zoe": 401, "eve": 200}},
		{"one of the conditions", []fastness.Option{access.Any(access.Role("customer"), access.Scope("items"))},
			map[string]int{"": 401, "zoe": 401, "ann": 200, "bob": 200, "eve": 200}},
		{"a scheme", []fastness.Option{access.By("stamp")}, map[string]int{"": 401, "zoe": 401, "ann": 401, "bob": 401, "eve": 401}},
		{"the object's owner", []fastness.Option{access.Authenticated, owner}, map[string]int{"": 401, "zoe": 401, "ann": 404, "bob": 200, "eve": 404}},
		{"the nearer rule", []fastness.Option{access.Public, access.Role("admin")}, map[string]int{"": 401, "zoe": 401, "eve": 200}},
		{"no rule that anybody defined", []fastness.Option{access.Rule(7)}, map[string]int{"": 401, "zoe": 401}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			app := secured()
			fastness.Provide(app, loadNote)
			r := fastness.Router(app)
			if tt.name == "the nearer rule" {
				r, tt.options = app.Group("", tt.options[0]), tt.options[1:]
			}
			fastness.Get(r, "/notes/{id}", func(_ context.Context, in struct {
				noteKey
				User auth.User
			}) (string, error) {
				return in.User.ID, nil
			}, tt.options...)
			api := fastnesstest.New(t, app)
			for _, caller := range []string{"", "zoe", "ann", "bob", "eve"} {
				want := tt.want[caller]
				if want == 0 {
					want = 403
				}
				if got := api.Get("/notes/1", fastnesstest.Header("X-Letter", caller)).Status; got != want {
					t.Errorf("%q gets %d, want %d", caller, got, want)
				}
			}
		})
	}
}

func TestRefusalsSayHowToComeIn(t *testing.T) {
	app := secured()
	fastness.Get(app, "/me", userID, access.Authenticated)
	fastness.Get(app, "/items", userID, access.Scope("orders"))
	api := fastnesstest.New(t, app)
	for _, tt := range []struct {
		name, path, caller string
		status             int
		detail, challenge  string
	}{
		{"nobody", "/me", "", 401, "Not authenticated", "Letter"},
		{"a bad credential", "/me", "zoe", 401, "Invalid authentication credentials", `Letter error="invalid_token"`},
		{"a scope that is missing", "/items", "ann", 403, "Not enough permissions", `Bearer error="insufficient_scope", scope="orders"`},
	} {
		res := api.Get(tt.path, fastnesstest.Header("X-Letter", tt.caller))
		if got := res.Header.Get("WWW-Authenticate"); res.Status != tt.status || got != tt.challenge || !strings.Contains(string(res.Body), tt.detail) {
			t.Errorf("%s: %d, %q, %s", tt.name, res.Status, got, res.Body)
		}
		if got := res.Header.Get("Cache-Control"); got != "no-store" {
			t.Errorf("%s: Cache-Control is %q", tt.name, got)
		}
	}
}

// The page of another site can make a browser send its cookie, but not say that
// it is the API's own page.
func TestAmbientCredentialsCountForOwnPagesOnly(t *testing.T) {
	app := secured()
	fastness.Post(app, "/me", userID, access.Authenticated)
	fastness.Get(app, "/me", userID, access.Authenticated)
	api := fastnesstest.New(t, app, fastnesstest.Header("X-Stamp", "ann"))
	for _, tt := range []struct {
		name, header, value string
		want                int
	}{
		{"the API's own page", "Sec-Fetch-Site", "same-origin", 200},
		{"the person themself", "Sec-Fetch-Site", "none", 200},
		{"another site", "Sec-Fetch-Site", "cross-site", 403},
		{"a sibling domain", "Sec-Fetch-Site", "same-site", 403},
		{"what no browser says", "Sec-Fetch-Site", "Same-Origin", 403},
		{"an old browser, own page", "Origin", "https://localhost", 200},
		{"an old browser, another site", "Origin", "https://evil.example", 403},
		{"a page that hides its origin", "Origin", "null", 403},
		{"neither", "X-Other", "x", 403},
	} {
		if got := api.Post("/me", nil, fastnesstest.Header(tt.header, tt.value)).Status; got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
		if got := api.Get("/me", fastnesstest.Header(tt.header, tt.value)).Status; got != 200 {
			t.Errorf("%s, reading: %d, want 200", tt.name, got)
		}
	}
}

func TestTwoCredentialsAreRefused(t *testing.T) {
	app := secured()
	basic, err := auth.NewBasic(auth.BasicConfig{Realm: "T", Verify: func(context.Context, *http.Request, string, string) (*auth.User, error) {
		return &auth.User{ID: "u9"}, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	app.Authenticate(basic)
	fastness.Get(app, "/me", userID, access.Authenticated)
	fastness.Get(app, "/letter", userID, access.By("letter"))
	api := fastnesstest.New(t, app)
	ann, password := fastnesstest.Header("X-Letter", "ann"), fastnesstest.Header("Authorization", "Basic YTpi")
	api.Get("/me", ann, password).WantProblem(400, "ambiguous_credentials")
	api.Get("/letter", ann, password).WantProblem(400, "ambiguous_credentials")
	api.Get("/letter", password).WantProblem(401, "not_authenticated")
	api.Get("/me", ann, fastnesstest.Header("X-Stamp", "eve")).WantJSON(`"u1"`)
}

func TestWhatNobodyCouldKnowDoesNotStart(t *testing.T) {
	app := fastness.New(fastness.Config{Title: "T", Version: "1", Roles: []string{"admin"}})
	fastness.Provide(app, loadNote)
	fastness.Get(app, "/a", userID, access.Authenticated)
	fastness.Get(app, "/b", userID, access.Public)
	fastness.Get(app, "/c", userID, access.Role("amdin"))
	fastness.Get(app, "/d", userID, access.Role())
	fastness.Get(app, "/e", userID)
	err := app.Start(t.Context())
	for _, want := range []string{
		"GET /a: access rule \"authenticated\": nothing verifies who is calling",
		"GET /b: field User of type auth.User: the operation is public",
		"GET /c: access rule \"role amdin\": role \"amdin\" is not declared",
		"GET /d: access rule: a role has no name",
		"GET /e: no access rule",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the mistakes do not name %q:\n%v", want, err)
		}
	}

	app = secured()
	fastness.Provide(app, loadNote)
	object := access.Object("its owner", func(context.Context, auth.User, note) error { return nil })
	fastness.Get(app, "/a", userID, access.By("passport"))
	fastness.Get(app, "/b/{id}", func(context.Context, noteKey) (string, error) { return "", nil }, access.Public, object)
	fastness.Mount(app, "/c", http.NotFoundHandler(), access.Role("amdin"), object)
	err = app.Start(t.Context())
	for _, want := range []string{
		"GET /a: access rule \"by passport\": there is no scheme \"passport\"",
		"GET /b/{id}: access rule \"its owner\": it judges a caller, and the operation is public",
		"mount /c: access rule \"role amdin\": role \"amdin\" is not declared",
		"mount /c: rules about objects do not reach a mounted handler",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the mistakes do not name %q:\n%v", want, err)
		}
	}
}

func TestPublicOperationsMayKnowTheCaller(t *testing.T) {
	app := secured()
	fastness.Get(app, "/greet", func(_ context.Context, in struct{ User *auth.User }) (string, error) {
		if in.User == nil {
			return "hello, stranger", nil
		}
		return "hello, " + in.User.ID, nil
	}, access.Public)
	api := fastnesstest.New(t, app)
	api.Get("/greet").WantJSON(`"hello, stranger"`)
	api.Get("/greet", fastnesstest.Header("X-Letter", "ann")).WantJSON(`"hello, u1"`)
	api.Get("/greet", fastnesstest.Header("X-Letter", "zoe")).WantProblem(401, "invalid_credentials")
}

func TestTenantIsTheCallersOrNone(t *testing.T) {
	app := secured()
	fastness.Get(app, "/tenant", func(_ context.Context, in struct{ Tenant auth.Tenant }) (string, error) {
		return in.Tenant.String(), nil
	}, access.Authenticated)
	api := fastnesstest.New(t, app)
	api.Get("/tenant?tenant=south", fastnesstest.Header("X-Letter", "ann")).WantJSON(`"north"`)
	api.Get("/tenant", fastnesstest.Header("X-Letter", "bob")).WantProblem(403, "not_permitted")

	forged := secured()
	fastness.Post(forged, "/tenant", func(context.Context, struct {
		Body struct {
			Tenant auth.Tenant `json:"tenant"`
		}
	}) (string, error) {
		return "", nil
	}, access.Authenticated)
	fastnesstest.New(t, forged).Post("/tenant", fastnesstest.JSON(`{"tenant":"south"}`), fastnesstest.Header("X-Letter", "ann")).Want(422)
}

// What a handler does to its caller, no other request sees.
func TestCallerIsACopy(t *testing.T) {
	app := secured()
	fastness.Get(app, "/me", func(_ context.Context, in struct {
		User  auth.User
		Maybe *auth.User
	}) (string, error) {
		id := in.User.ID + in.Maybe.ID
		in.User.ID, in.Maybe.ID = "x", "x"
		return id, nil
	}, access.Authenticated)
	api := fastnesstest.New(t, app, fastnesstest.Header("X-Letter", "ann"))
	for range 3 {
		api.Get("/me").WantJSON(`"u1u1"`)
	}
}

func TestCallerReachesProvidersMiddlewareAndMounts(t *testing.T) {
	app := secured()
	app.Use(func(next http.Handler) http.Handler { return next })
	fastness.Provide(app, func(_ context.Context, in asUser) (note, error) { return note{Owner: in.User.ID}, nil })
	var seen []string
	look := fastness.Middleware(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			seen = append(seen, auth.From(r.Context()).ID)
			next.ServeHTTP(w, r)
		})
	})
	fastness.Get(app, "/note", func(ctx context.Context, in struct{ Note note }) (string, error) {
		return in.Note.Owner + auth.From(ctx).ID, nil
	}, access.Authenticated, look)
	fastness.Mount(app, "/files", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, auth.From(r.Context()).ID)
	}), access.Role("customer"))
	api := fastnesstest.New(t, app)
	api.Get("/note", fastnesstest.Header("X-Letter", "ann")).WantJSON(`"u1u1"`)
	api.Get("/files/a", fastnesstest.Header("X-Letter", "ann")).Want(200)
	api.Get("/files/a", fastnesstest.Header("X-Letter", "bob")).Want(403)
	api.Get("/files/a").Want(401)
	if got := strings.Join(seen, " "); got != "u1 u1" {
		t.Errorf("middleware and mount saw %q, want u1 u1", got)
	}
}

func TestPanickingPolicyDenies(t *testing.T) {
	app := secured()
	fastness.Get(app, "/me", userID, access.If("broken", func(context.Context, auth.User) error { panic("broken") }))
	fastnesstest.New(t, app).Get("/me", fastnesstest.Header("X-Letter", "ann")).Want(500)
}

// A caller who may not call must not learn what the operation makes of a body.
func TestCallerIsKnownBeforeTheBodyIsRead(t *testing.T) {
	app := secured()
	fastness.Post(app, "/notes", func(context.Context, struct {
		User auth.User
		Body note
	}) (string, error) {
		return "", nil
	}, access.Role("admin"))
	api := fastnesstest.New(t, app)
	api.Post("/notes", fastnesstest.JSON(`{"broken`)).Want(401)
	api.Post("/notes", fastnesstest.JSON(`{"broken`), fastnesstest.Header("X-Letter", "ann")).Want(403)
	api.Post("/notes", fastnesstest.JSON(`{"broken`), fastnesstest.Header("X-Letter", "eve")).Want(400)
}
