package fastness_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/guard/csrf"
	"github.com/fastness/fastness/guard/ratelimit"
)

type (
	store   struct{ name string }
	session struct{ user string }
	loop    struct{ _ int }
	knot    struct{ _ int }
)

// noInput declares an operation that is fine but for its options.
func noInput(options ...fastness.Option) func(*fastness.App) {
	return func(app *fastness.App) { fastness.Get(app, "/", say(""), append(options, access.Public)...) }
}

// at declares an operation of input In.
func at[In any](method, path string, options ...fastness.Option) func(*fastness.App) {
	return func(app *fastness.App) {
		fastness.Handle(app, method, path, func(context.Context, In) (fastness.NoContent, error) {
			return fastness.NoContent{}, nil
		}, append(options, access.Public)...)
	}
}

type embedded struct {
	Q string `query:"q"`
}

func listOf[T any](context.Context, none) ([]T, error) { return nil, nil }

func TestWrongDeclarationIsAnErrorAtTheStart(t *testing.T) {
	for name, c := range map[string]struct {
		declare func(*fastness.App)
		want    string
	}{
		"no access rule":            {func(app *fastness.App) { fastness.Get(app, "/", say("")) }, "GET /: no access rule"},
		"a mount has no rule":       {func(app *fastness.App) { fastness.Mount(app, "/m", http.NotFoundHandler()) }, "mount /m: no access rule"},
		"a mount without a handler": {func(app *fastness.App) { fastness.Mount(app, "/m", nil, access.Public) }, "mount /m: no handler"},
		"no function":               {func(app *fastness.App) { fastness.Get[none, string](app, "/", nil, access.Public) }, "GET /: no function"},
		"{x} without a field":       {at[none]("GET", "/{x}"), "{x}"},
		"a field without {x}": {at[struct {
			ID int `path:"id"`
		}]("GET", "/"), "field ID: the path has no {id}"},
		"two sources": {at[struct {
			A int `query:"a" header:"a"`
		}]("GET", "/"), "field A has the tags query and header"},
		"a source without a name": {at[struct {
			A int `query:""`
		}]("GET", "/"), "field A: the tag query needs a name"},
		"a header name that is none": {at[struct {
			A int `header:"X A"`
		}]("GET", "/"), `field A: "X A" is no header name`},
		"a cookie name that is none": {at[struct {
			A int `cookie:"a=b"`
		}]("GET", "/"), `field A: "a=b" is no cookie name`},
		"an unexported field": {at[struct {
			a int `query:"a"` //nolint:unused // What the case is about.
		}]("GET", "/"), "field a cannot be filled: it is not exported"},
		"an unexported embedded value of a provider": {func(app *fastness.App) {
			fastness.ProvideValue(app, store{})
			at[struct{ store }]("GET", "/")(app)
		}, "field store cannot be filled: it is not exported"},
		"an embedded pointer":        {at[struct{ *embedded }]("GET", "/"), "field embedded"},
		"a field of no source":       {at[struct{ Qury int }]("GET", "/"), "field Qury of type int has no source"},
		"no provider":                {at[struct{ S *store }]("GET", "/"), "field S of type *fastness_test.store has no source"},
		"an input that is no struct": {at[int]("GET", "/"), "the input is of type int, want a struct"},
		"providers that need each other": {func(app *fastness.App) {
			fastness.Provide(app, func(context.Context, struct{ K knot }) (loop, error) { return loop{}, nil })
			fastness.Provide(app, func(context.Context, struct{ L loop }) (knot, error) { return knot{}, nil })
			at[struct{ L loop }]("GET", "/")(app)
		}, "providers need each other: fastness_test.loop → fastness_test.knot → fastness_test.loop"},
		"app-scoped providers that need each other": {func(app *fastness.App) {
			fastness.ProvideApp(app, func(context.Context, struct{ K knot }) (loop, func(error) error, error) { return loop{}, nil, nil })
			fastness.ProvideApp(app, func(context.Context, struct{ L loop }) (knot, func(error) error, error) { return knot{}, nil, nil })
		}, "providers need each other"},
		"two providers of one type": {func(app *fastness.App) {
			fastness.ProvideValue(app, store{"a"})
			fastness.ProvideValue(app, store{"b"})
		}, "fastness_test.store has two providers"},
		"an app-scoped provider that reads a request": {func(app *fastness.App) {
			fastness.ProvideApp(app, func(context.Context, struct {
				ID int `path:"id"`
			}) (store, func(error) error, error) {
				return store{}, nil, nil
			})
		}, "provider of fastness_test.store: field ID"},
		"an app-scoped provider that needs a request-scoped one": {func(app *fastness.App) {
			fastness.Provide(app, func(context.Context, none) (session, error) { return session{}, nil })
			fastness.ProvideApp(app, func(context.Context, struct{ S session }) (store, func(error) error, error) { return store{}, nil, nil })
		}, "provider of fastness_test.store: field S of type fastness_test.session needs an app-scoped provider"},
		"an app-scoped provider whose input is no struct": {func(app *fastness.App) {
			fastness.ProvideApp(app, func(context.Context, int) (store, func(error) error, error) { return store{}, nil, nil })
		}, "provider of fastness_test.store: the input is of type int, want a struct"},
		"an app-scoped provider with an unexported field": {func(app *fastness.App) {
			fastness.ProvideValue(app, session{})
			fastness.ProvideApp(app, func(context.Context, struct{ s session }) (store, func(error) error, error) { return store{}, nil, nil })
		}, "provider of fastness_test.store: field s cannot be filled: it is not exported"},
		"a provider that reads the body": {func(app *fastness.App) {
			fastness.Provide(app, func(context.Context, struct{ Body string }) (store, error) { return store{}, nil })
			at[struct{ S store }]("POST", "/")(app)
		}, "provider of fastness_test.store: only the operation reads the body"},
		"a required provider that is missing": {noInput(fastness.Requires[store]()), "fastness_test.store"},
		"a default that breaks its rules": {at[struct {
			A int `query:"a" minimum:"3" default:"2"`
		}]("GET", "/"), `field A: default "2": Input should be greater than or equal to 3`},
		"a default that is no number": {at[struct {
			A int `query:"a" default:"many"`
		}]("GET", "/"), `field A: default "many"`},
		"required that is no word for it": {at[struct {
			A int `query:"a" required:"maybe"`
		}]("GET", "/"), `field A: required is "maybe", want true or false`},
		"required with a default": {at[struct {
			A int `query:"a" required:"true" default:"1"`
		}]("GET", "/"), "field A"},
		"deprecated that is no word for it": {at[struct {
			A int `query:"a" deprecated:"maybe"`
		}]("GET", "/"), `field A: deprecated is "maybe", want true or false`},
		"an optional path parameter": {at[struct {
			A *int `path:"a"`
		}]("GET", "/{a}"), "field A: a path parameter is one value and always there"},
		"a parameter that text cannot be": {at[struct {
			A struct{ B int } `query:"a"`
		}]("GET", "/"), "field A: a query parameter cannot be of type"},
		"a file in the query": {at[struct {
			A fastness.File `query:"a"`
		}]("GET", "/"), "field A"},
		"a body of GET": {at[struct{ Body string }]("GET", "/"), "the body of a GET request has no meaning"},
		"a form of HEAD": {at[struct {
			A string `form:"a"`
		}]("HEAD", "/"), "the body of a HEAD request has no meaning"},
		"a body and a form": {at[struct {
			Body string
			A    string `form:"a"`
		}]("POST", "/"), "a body is one field, parts, or a form"},
		"a form and parts": {at[struct {
			A string `form:"a"`
			B string `body:"b"`
		}]("POST", "/"), "a body is one field, parts, or a form"},
		"a second body": {at[struct {
			Body  string
			Other string `body:""`
		}]("POST", "/"), "field Other is a second body"},
		"two parts of one name": {at[struct {
			A string `body:"a"`
			B string `body:"a"`
		}]("POST", "/"), `"a"`},
		"two form fields of one name": {at[struct {
			A string `form:"a"`
			B string `form:"a"`
		}]("POST", "/"), `fields A and B both read the form field "a"`},
		"one route twice": {func(app *fastness.App) {
			at[none]("GET", "/a")(app)
			at[none]("GET", "/a")(app)
		}, "GET /a"},
		"one route under two names": {func(app *fastness.App) {
			at[struct {
				A int `path:"a"`
			}]("GET", "/{a}")(app)
			at[struct {
				B int `path:"b"`
			}]("GET", "/{b}")(app)
		}, "GET /{b}"},
		"one operation id twice": {func(app *fastness.App) {
			at[none]("GET", "/a", fastness.OperationID("same"))(app)
			at[none]("GET", "/b", fastness.OperationID("same"))(app)
		}, `GET /b: operation id "same" is that of GET /a, too`},
		"a method that is none":  {at[none]("FETCH", "/"), "FETCH /"},
		"TRACE":                  {at[none]("TRACE", "/"), "TRACE /"},
		"a pattern that is none": {at[none]("GET", "items"), "GET items"},
		"a rule that does not parse": {at[struct {
			Body struct {
				N int `json:"n" minimum:"low"`
			}
		}]("POST", "/"), "minimum"},
		"a rule that fits nothing": {at[struct {
			Body struct {
				B bool `json:"b" minLength:"1"`
			}
		}]("POST", "/"), "minLength"},
		"a rule of a parameter": {at[struct {
			N int `query:"n" pattern:"["`
		}]("GET", "/"), "field N"},
		"an answer that JSON cannot hold": {func(app *fastness.App) {
			fastness.Get(app, "/", func(context.Context, none) (chan int, error) { return nil, nil }, access.Public)
		}, "GET /: answer"},
		"a status that is none of an answer":  {noInput(fastness.Status(404)), "status is 404, want 200 to 299"},
		"a response status that is none":      {noInput(fastness.Response[string](999, "")), "response status 999 is unknown"},
		"an extension without x-":             {noInput(fastness.Extension("logo", 1)), `extension "logo" must begin with x-`},
		"a body limit of nothing":             {noInput(fastness.BodyLimit(0)), "body limit is 0 bytes"},
		"a timeout of nothing":                {noInput(fastness.Timeout(-time.Second)), "timeout is -1s"},
		"middleware that is none":             {noInput(fastness.Middleware(nil)), "middleware"},
		"an example of another type":          {at[struct{ Body struct{ N int } }]("POST", "/", fastness.Example("wrong", make(chan int))), `example "wrong"`},
		"a readiness check without a name":    {func(app *fastness.App) { app.Ready("", nil) }, "readiness check"},
		"an app-wide middleware that is none": {func(app *fastness.App) { app.Use(nil) }, "middleware"},
	} {
		t.Run(name, func(t *testing.T) {
			app, _ := open(fastness.Config{})
			c.declare(app)
			err := app.Start(t.Context())
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Start() = %v, want %q in it", err, c.want)
			}
		})
	}
}

func TestAllMistakesAreNamedAtOnce(t *testing.T) {
	app := fastness.New(fastness.Config{Hosts: []string{"https://example.com"}, MaxInFlight: -1, BodyLimit: -1, Timeout: -1})
	fastness.Get(app, "/one", say(""))
	at[struct {
		A int `query:"a" default:"x"`
		B *store
		c int //nolint:unused // An unexported field is one of the mistakes.
	}]("GET", "/two/{id}", fastness.Status(99))(app)
	fastness.ProvideApp(app, func(context.Context, struct{ S session }) (store, func(error) error, error) { return store{}, nil, nil })
	err := app.Start(t.Context())
	if err == nil {
		t.Fatal("Start() = nil, want every mistake")
	}
	for _, want := range []string{
		"Title and Version", "is a URL, want a host", "MaxInFlight", "BodyLimit is -1", "Timeout is -1ns",
		"GET /one: no access rule", "GET /two/{id}: status is 99", "{id}", `default "x"`, "field B", "field c",
		"provider of fastness_test.store: field S",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("Start() = %v, want %q in it", err, want)
		}
	}
}

// TestNothingIsMadeByAnAppWithAMistake: a wrong declaration must not open a
// database first.
func TestNothingIsMadeByAnAppWithAMistake(t *testing.T) {
	app, _ := open(fastness.Config{})
	fastness.ProvideApp(app, func(context.Context, none) (store, func(error) error, error) {
		t.Error("the provider ran")
		return store{}, nil, nil
	})
	fastness.ProvideApp(app, func(context.Context, struct{ N int }) (session, func(error) error, error) { return session{}, nil, nil })
	if app.Start(t.Context()) == nil {
		t.Error("Start() = nil, want an error")
	}
}

func TestOperationsAreNamedByTheirFunctions(t *testing.T) {
	app, public := open(fastness.Config{})
	fastness.Get(public, "/function", named)
	fastness.Get(public, "/method", (&service{}).Read)
	fastness.Get(public, "/literal/{id}", func(context.Context, struct {
		ID string `path:"id"`
	}) (string, error) {
		return "", nil
	})
	func() {
		fastness.Get(public, "/nested", func(context.Context, none) (string, error) { return "", nil })
	}()
	fastness.Get(public, "/generic", listOf[int])
	fastness.Get(public, "/given", say(""), fastness.OperationID("chosen"))
	fastness.Get(public, "/twice/a", functional)
	fastness.Get(public, "/twice/b", functional)
	doc, err := app.Document()
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"/function": "named", "/method": "Read", "/literal/{id}": "get_literal_id", "/nested": "get_nested",
		"/generic": "listOf", "/given": "chosen", "/twice/a": "get_twice_a", "/twice/b": "get_twice_b",
	} {
		item, _ := doc.Paths.Get(path)
		if item == nil || item.Get == nil || item.Get.OperationID != want {
			t.Errorf("operation id of %s is %+v, want %s", path, item, want)
		}
	}
}

type service struct{}

func (*service) Read(context.Context, none) (string, error) { return "", nil }

func named(context.Context, none) (string, error)      { return "", nil }
func functional(context.Context, none) (string, error) { return "", nil }

func TestAuditNamesEveryOptOut(t *testing.T) {
	app := fastness.New(fastness.Config{
		Title: "T", Version: "1", InsecureAnyHost: "behind a proxy that checks it",
		InsecureFastAPICompat: "old clients", Docs: fastness.DocsPublic,
	})
	fastness.Mount(app, "/files", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "") }), access.Public,
		csrf.InsecureAnyOrigin("others upload here"), ratelimit.InsecureExempt("a proxy limits it"))
	var got []string
	for _, o := range app.Audit() {
		if o.Reason == "" || o.Where == "" {
			t.Errorf("opt-out %+v, want where and why", o)
		}
		got = append(got, o.Name)
	}
	if want := "InsecureAnyHost InsecureFastAPICompat DocsPublic Mount csrf.InsecureAnyOrigin ratelimit.InsecureExempt"; strings.Join(got, " ") != want {
		t.Errorf("Audit() = %v, want %s", got, want)
	}
}

func TestAuditOfTheZeroConfigIsEmpty(t *testing.T) {
	app, public := open(fastness.Config{})
	fastness.Get(public, "/", say(""))
	if got := app.Audit(); len(got) != 0 {
		t.Errorf("Audit() = %v, want nothing", got)
	}
}
