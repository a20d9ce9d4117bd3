package fastnesstest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/fastnesstest"
	"github.com/fastness/fastness/problem"
	"github.com/fastness/fastness/schema"
	"github.com/shopspring/decimal"
)

// fake is a test that is watched while it fails.
type fake struct {
	testing.TB
	messages []string
	cleanups []func()
}

func (f *fake) Helper()                  {}
func (f *fake) Context() context.Context { return context.Background() }
func (f *fake) Cleanup(g func())         { f.cleanups = append(f.cleanups, g) }
func (f *fake) Output() io.Writer        { return io.Discard }
func (f *fake) Errorf(format string, args ...any) {
	f.messages = append(f.messages, fmt.Sprintf(format, args...))
}

func (f *fake) Fatalf(format string, args ...any) {
	f.Errorf(format, args...)
	runtime.Goexit()
}

// watch runs f as a test and returns what it reported.
func watch(f func(t testing.TB)) (messages []string) {
	var t fake
	done := make(chan bool)
	go func() {
		defer close(done)
		defer func() {
			for _, c := range t.cleanups {
				c()
			}
		}()
		f(&t)
	}()
	<-done
	return t.messages
}

type account struct {
	Name     string                      `json:"name" minLength:"1"`
	Password string                      `json:"password,omitzero" writeOnly:"true"`
	ID       int                         `json:"id" readOnly:"true"`
	Balance  decimal.Decimal             `json:"balance"`
	Nick     schema.Opt[string]          `json:"nick"`
	Wait     time.Duration               `json:"wait"`
	_        schema.Computed             `name:"greeting" method:"Greeting"`
	Parent   schema.Null[string]         `json:"parent"`
	Labels   map[string]string           `json:"labels,omitzero"`
	Opts     schema.Opt[decimal.Decimal] `json:"opts"`
}

func (a account) Greeting() string { return "hello " + a.Name }

type seen struct {
	Method, Host, Query, Cookie, Accept string
	TLS                                 bool
}

func newApp() *fastness.App {
	app := fastness.New(fastness.Config{Title: "Test", Version: "1", Logger: slog.New(slog.DiscardHandler)})
	fastness.Post(app, "/accounts", func(_ context.Context, in struct{ Body account }) (fastness.Created[account], error) {
		if in.Body.Password != "secret" {
			return fastness.Created[account]{}, errors.New("the password did not arrive")
		}
		in.Body.ID = 7
		return fastness.Created[account]{Body: in.Body, Location: "/accounts/7"}, nil
	}, access.Public)
	fastness.Get(app, "/seen", func(_ context.Context, in struct {
		Request *http.Request
		A       string `query:"a" default:"-"`
	}) (seen, error) {
		r := in.Request
		return seen{r.Method, r.Host, r.URL.RawQuery, r.Header.Get("Cookie"), r.Header.Get("Accept"), r.TLS != nil}, nil
	}, access.Public)
	fastness.Post(app, "/form", func(_ context.Context, in struct {
		Title string `form:"title" minLength:"2"`
	}) (string, error) {
		return in.Title, nil
	}, access.Public)
	fastness.Post(app, "/photo", func(_ context.Context, in struct {
		Title string        `form:"title"`
		Photo fastness.File `form:"photo"`
	}) (string, error) {
		r, err := in.Photo.Open()
		if err != nil {
			return "", err
		}
		data, err := io.ReadAll(r)
		return in.Title + " " + in.Photo.Name + " " + string(data), err
	}, access.Public)
	fastness.Get(app, "/gone", func(context.Context, struct{}) (string, error) {
		return "", problem.New(410, "it is gone").Named("gone")
	}, access.Public)
	fastness.Get(app, "/cookie", func(context.Context, struct{}) (fastness.Result[string], error) {
		return fastness.Result[string]{Cookies: []*http.Cookie{{Name: "theme", Value: "dark"}}, Body: "ok"}, nil
	}, access.Public)
	fastness.Get(app, "/lie", func(context.Context, struct{}) (fastness.Raw, error) {
		return fastness.Raw{ContentType: "application/json", Body: []byte(`{"name":"ada","password":"secret","id":1,"balance":1,"wait":"PT1S","parent":null}`)}, nil
	}, access.Public)
	return app
}

func TestTypedValuesGoThereAndBack(t *testing.T) {
	api := fastnesstest.New(t, newApp())
	sent := account{
		Name: "Ada", Password: "secret", ID: 99, Balance: decimal.RequireFromString("0.10"),
		Nick: schema.Some("countess"), Wait: 90 * time.Minute,
	}
	got := fastnesstest.Post[account](api, "/accounts", sent, fastnesstest.Status(201))
	if got.Name != "Ada" || got.ID != 7 || got.Password != "" || !got.Balance.Equal(sent.Balance) || got.Nick != sent.Nick || got.Wait != sent.Wait {
		t.Errorf("Post(%+v) = %+v, want it back with id 7 and without the password", sent, got)
	}
}

func TestRequestsAreSentAsSaid(t *testing.T) {
	api := fastnesstest.New(t, newApp(), fastnesstest.Cookie("a", "1"))
	got := fastnesstest.Get[seen](api, "/seen?a=x", fastnesstest.Query("b", "y&z"), fastnesstest.Cookie("b", "2"), fastnesstest.Accept("text/html"))
	want := seen{"GET", "localhost", "a=x&b=y%26z", "a=1; b=2", "text/html", true}
	if got != want {
		t.Errorf("the app saw %+v, want %+v", got, want)
	}
	api.Get("/seen", fastnesstest.PlainHTTP()).WantHeader("Strict-Transport-Security", "")
	api.Get("/seen", fastnesstest.Header("Host", "evil.example")).WantProblem(421, "unknown_host")
	api.Do("HEAD", "/seen", nil).Want(200).WantHeader("Content-Type", "application/json")
	api.Post("/form", url.Values{"title": {"A lamp"}}).Want(200).WantJSON(`"A lamp"`)
	api.Post("/form", url.Values{"title": {"A"}}).WantViolation("form", "/title", "string_too_short")
	photo := fastnesstest.Multipart(fastnesstest.Field("title", `a "b"`), fastnesstest.File("photo", "lamp.png", []byte("data")))
	api.Post("/photo", photo).Want(200).WantJSON(`"a \"b\" lamp.png data"`)
	api.Post("/accounts", fastnesstest.JSON(`{`)).WantProblem(400, "json_invalid")
	api.Post("/accounts", fastnesstest.Raw{ContentType: "text/plain", Body: []byte("{}")}).WantProblem(415, "")
	if c := api.Get("/cookie").Cookie("theme"); c == nil || c.Value != "dark" || !c.HttpOnly {
		t.Errorf("cookie %v, want theme=dark", c)
	}
	if p := api.Get("/gone").Problem(); p.Code != "gone" || p.Status != 410 || p.Detail != "it is gone" || p.Instance == "" {
		t.Errorf("problem %+v", p)
	}
}

func TestOtherCallersShareTheApp(t *testing.T) {
	api := fastnesstest.New(t, newApp(), fastnesstest.Cookie("a", "1"))
	t.Run("another caller", func(t *testing.T) {
		if got := fastnesstest.Get[seen](api.With(t, fastnesstest.Cookie("b", "2")), "/seen"); got.Cookie != "a=1; b=2" {
			t.Errorf("the app saw the cookies %q, want both", got.Cookie)
		}
	})
	if got := fastnesstest.Get[seen](api, "/seen"); got.Cookie != "a=1" {
		t.Errorf("the app saw the cookies %q, want the first caller's", got.Cookie)
	}
}

func TestWhatIsWrongIsReportedInOneLine(t *testing.T) {
	for name, c := range map[string]struct {
		use  func(t testing.TB, api *fastnesstest.API)
		want string
	}{
		"another status": {func(_ testing.TB, api *fastnesstest.API) { api.Get("/gone").Want(200) },
			`GET /gone: status 410, want 200; body {"title":"Gone"`},
		"another status than the option's": {func(_ testing.TB, api *fastnesstest.API) { api.Get("/gone", fastnesstest.Status(404)) },
			"GET /gone: status 410, want 404"},
		"a refusal where a value is wanted": {func(t testing.TB, api *fastnesstest.API) {
			fastnesstest.Get[string](api, "/gone")
			t.Errorf("it went on")
		},
			"GET /gone: status 410, want 200 to 299"},
		"a typed value of another status": {func(t testing.TB, api *fastnesstest.API) {
			fastnesstest.Get[seen](api, "/seen", fastnesstest.Status(201))
			t.Errorf("it went on")
		}, "GET /seen: status 200, want 201"},
		"a value of another type": {func(t testing.TB, api *fastnesstest.API) { fastnesstest.Get[int](api, "/seen"); t.Errorf("it went on") },
			"GET /seen: status 200, the body is not a int:  Input should be a valid integer"},
		"a secret in an answer": {func(t testing.TB, api *fastnesstest.API) { fastnesstest.Get[account](api, "/lie") },
			"/password"},
		"another header": {func(_ testing.TB, api *fastnesstest.API) { api.Get("/seen").WantHeader("Content-Type", "text/html") },
			`GET /seen: header Content-Type is "application/json", want "text/html"`},
		"another JSON value": {func(_ testing.TB, api *fastnesstest.API) { api.Get("/cookie").WantJSON(`"no"`) },
			`GET /cookie: status 200, body "ok", want "no"`},
		"no problem": {func(_ testing.TB, api *fastnesstest.API) { api.Get("/seen").WantProblem(200, "") },
			`GET /seen: status 200 of type "application/json", want application/problem+json`},
		"another code": {func(_ testing.TB, api *fastnesstest.API) { api.Get("/gone").WantProblem(410, "moved") },
			`GET /gone: code "gone", want "moved"`},
		"another violation": {func(_ testing.TB, api *fastnesstest.API) {
			api.Post("/form", url.Values{}).WantViolation("form", "/title", "string_too_short")
		}, "POST /form: violations [form /title missing], want form /title string_too_short"},
		"a target that is none": {func(_ testing.TB, api *fastnesstest.API) { api.Get("no target") }, `GET "no target": this is no request`},
		"a body that may be two things": {func(_ testing.TB, api *fastnesstest.API) { api.Post("/form", "{}") },
			"POST /form: body: a string may be JSON text or a JSON string"},
		"no pointer": {func(_ testing.TB, api *fastnesstest.API) { api.Get("/seen").JSON(seen{}) }, "JSON wants a pointer"},
	} {
		t.Run(name, func(t *testing.T) {
			app := newApp()
			got := watch(func(t testing.TB) { c.use(t, fastnesstest.New(t, app)) })
			if len(got) != 1 || !strings.Contains(got[0], c.want) || strings.Contains(got[0], "\n") {
				t.Errorf("reported %q, want one line with %q", got, c.want)
			}
		})
	}
}

func TestAppThatCannotStartEndsTheTest(t *testing.T) {
	app := fastness.New(fastness.Config{})
	fastness.Get(app, "/{id}", func(context.Context, struct{}) (string, error) { return "", nil })
	got := watch(func(t testing.TB) { fastnesstest.New(t, app); t.Errorf("it went on") })
	if len(got) != 1 || !strings.Contains(got[0], "Title") || !strings.Contains(got[0], "no access rule") {
		t.Errorf("reported %q, want every mistake once", got)
	}
}

func TestAppIsStoppedAtTheEnd(t *testing.T) {
	app := newApp()
	app.OnStop(func(context.Context) error { return errors.New("no") })
	got := watch(func(t testing.TB) { fastnesstest.New(t, app) })
	if len(got) != 1 || !strings.HasPrefix(got[0], "the app does not stop: ") || !strings.HasSuffix(got[0], ": no") {
		t.Errorf("reported %q, want the error of OnStop", got)
	}
}

func TestCutAnswerIsSeen(t *testing.T) {
	app := newApp()
	fastness.Mount(app, "/cut", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "half")
		panic("no")
	}), access.Public)
	if res := fastnesstest.New(t, app).Get("/cut/"); !res.Aborted || string(res.Body) != "half" {
		t.Errorf("aborted %v after %q, want a cut", res.Aborted, res.Body)
	}
}
