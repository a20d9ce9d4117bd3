package fastness_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/fastnesstest"
	"github.com/fastness/fastness/problem"
	"github.com/fastness/fastness/sqldb"
)

func ExampleSSE() {
	type tick struct {
		N int `json:"n"`
	}
	app := fastness.New(fastness.Config{Title: "Clock", Version: "1", Hosts: []string{"example.com"}})
	fastness.Get(app, "/ticks", func(ctx context.Context, in struct {
		Last fastness.Opt[int] `header:"Last-Event-ID"`
	}) (fastness.SSE[tick], error) {
		return fastness.SSE[tick]{Events: func(yield func(fastness.Event[tick], error) bool) {
			for n := in.Last.Or(0) + 1; n <= 3; n++ {
				if !yield(fastness.Event[tick]{ID: strconv.Itoa(n), Data: tick{n}}, nil) {
					return
				}
			}
		}}, nil
	}, access.Public)

	r := httptest.NewRequest("GET", "https://example.com/ticks", nil)
	r.Header.Set("Last-Event-ID", "1") // The connection broke behind the first one.
	w := httptest.NewRecorder()
	app.ServeHTTP(w, r)
	fmt.Printf("%s\n%s", w.Header().Get("Content-Type"), w.Body)
	// Output:
	// text/event-stream
	// id: 2
	// data: {"n":2}
	//
	// id: 3
	// data: {"n":3}
}

// eventsOf is an operation that answers with these events, and then with err, if it is
// not nil.
func eventsOf(err error, list ...fastness.Event[string]) func(context.Context, none) (fastness.SSE[string], error) {
	return func(context.Context, none) (fastness.SSE[string], error) {
		return fastness.SSE[string]{Events: followedBy(err, list)}, nil
	}
}

func linesOf(err error, list ...string) func(context.Context, none) (fastness.JSONLines[string], error) {
	return func(context.Context, none) (fastness.JSONLines[string], error) {
		return fastness.JSONLines[string]{Items: followedBy(err, list)}, nil
	}
}

func followedBy[T any](err error, list []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, item := range list {
			if !yield(item, nil) {
				return
			}
		}
		if err != nil {
			yield(*new(T), err)
		}
	}
}

func TestStreamsSayWhatTheyAre(t *testing.T) {
	app, public := open(fastness.Config{})
	fastness.Get(public, "/events", eventsOf(nil, fastness.Event[string]{ID: "1", Name: "greeting", Data: "hello"}, fastness.Event[string]{Text: "<p>\na"}))
	fastness.Get(public, "/lines", linesOf(nil, "a\nb", "c"))
	fastness.Get(public, "/none", func(context.Context, none) (fastness.SSE[string], error) { return fastness.SSE[string]{}, nil })
	fastness.Get(public, "/empty", linesOf(nil))
	api := fastnesstest.New(t, app)
	for path, want := range map[string]string{
		"/events": "id: 1\nevent: greeting\ndata: \"hello\"\n\ndata: <p>\ndata: a\n\n",
		"/lines":  "\"a\\nb\"\n\"c\"\n",
		"/empty":  "",
	} {
		res := api.Get(path, fastnesstest.Header("Accept-Encoding", "gzip")).Want(200).
			WantHeader("Cache-Control", "no-store").WantHeader("X-Accel-Buffering", "no").WantHeader("Content-Length", "").
			WantHeader("Content-Encoding", "").WantHeader("X-Content-Type-Options", "nosniff")
		if string(res.Body) != want || res.Aborted {
			t.Errorf("%s: %q, want %q", path, res.Body, want)
		}
	}
	api.Get("/events").WantHeader("Content-Type", "text/event-stream")
	api.Get("/lines").WantHeader("Content-Type", "application/jsonl")
	// At a 204 a browser stops to come back.
	if res := api.Get("/none").Want(204); len(res.Body) > 0 {
		t.Errorf("204 with %q", res.Body)
	}
	if res := api.Do("HEAD", "/events", nil).Want(200).WantHeader("Content-Type", "text/event-stream"); len(res.Body) > 0 {
		t.Errorf("HEAD has the body %q", res.Body)
	}
}

// TestErrorBeforeTheFirstItemIsAnAnswer: the header waits for it.
func TestErrorBeforeTheFirstItemIsAnAnswer(t *testing.T) {
	app, public := open(fastness.Config{})
	gone := problem.New(http.StatusGone, "no longer there").Named("gone")
	fastness.Get(public, "/events", eventsOf(gone))
	fastness.Get(public, "/lines", linesOf(gone))
	fastness.Get(public, "/secret", eventsOf(errors.New("password is hunter2")))
	api := fastnesstest.New(t, app)
	api.Get("/events").WantProblem(410, "gone").WantHeader("X-Accel-Buffering", "")
	api.Get("/lines").WantProblem(410, "gone")
	if res := api.Get("/secret").WantProblem(500, ""); strings.Contains(string(res.Body), "hunter2") {
		t.Errorf("the answer tells %q", res.Body)
	}
}

// TestErrorInTheMiddleOfAStreamIsSeenAndTellsNothing: an event says so where there are
// events; lines are cut, since half of them would look like all.
func TestErrorInTheMiddleOfAStreamIsSeenAndTellsNothing(t *testing.T) {
	app, public := open(fastness.Config{})
	secret := errors.New("password is hunter2")
	fastness.Get(public, "/events", eventsOf(secret, fastness.Event[string]{Data: "a"}))
	fastness.Get(public, "/known", eventsOf(problem.New(http.StatusConflict, "sold out").Named("sold_out"), fastness.Event[string]{Data: "a"}))
	fastness.Get(public, "/lines", linesOf(secret, strings.Repeat("a", 100_000)))
	fastness.Get(public, "/forged", eventsOf(nil, fastness.Event[string]{Data: "a"}, fastness.Event[string]{ID: "1\n\ndata: forged", Data: "b"}))
	fastness.Get(public, "/taken", eventsOf(nil, fastness.Event[string]{Data: "a"}, fastness.Event[string]{Name: "error", Data: "b"}))
	api := fastnesstest.New(t, app)
	for path, want := range map[string]string{
		"/events": `{"title":"Internal Server Error","status":500,`,
		"/known":  `{"title":"Conflict","status":409,"detail":"sold out","code":"sold_out"`,
		"/forged": `{"title":"Internal Server Error","status":500,`,
		"/taken":  `{"title":"Internal Server Error","status":500,`,
	} {
		res := api.Get(path).Want(200)
		if body := string(res.Body); !strings.HasPrefix(body, "data: \"a\"\n\nevent: error\ndata: "+want) || res.Aborted ||
			strings.Contains(body, "hunter2") || strings.Contains(body, "forged") {
			t.Errorf("%s: %q, want %q in an event", path, body, want)
		}
	}
	if res := api.Get("/lines").Want(200); len(res.Body) != 100_003 || !res.Aborted {
		t.Errorf("lines: %d bytes, aborted %v, want it cut", len(res.Body), res.Aborted)
	}
}

// TestMembersOfAStreamAreVisibleToWhomTheyAreFor: items are encoded like any answer.
func TestMembersOfAStreamAreVisibleToWhomTheyAreFor(t *testing.T) {
	type row struct {
		Name string `json:"name"`
		Cost int    `json:"cost" visibleTo:"seller"`
	}
	app, _ := open(fastness.Config{Roles: []string{"seller"}})
	app.Authenticate(letters{name: "letter", header: "X-Letter", users: people()})
	fastness.Get(app, "/events", func(context.Context, none) (fastness.SSE[row], error) {
		return fastness.SSE[row]{Events: followedBy(nil, []fastness.Event[row]{{Data: row{"lamp", 3}}})}, nil
	}, access.Authenticated)
	fastness.Get(app, "/lines", func(context.Context, none) (fastness.JSONLines[row], error) {
		return fastness.JSONLines[row]{Items: followedBy(nil, []row{{"lamp", 3}})}, nil
	}, access.Authenticated)
	api := fastnesstest.New(t, app)
	for _, path := range []string{"/events", "/lines"} {
		buyer := api.Get(path, fastnesstest.As(auth.User{ID: "b"})).Want(200)
		seller := api.Get(path, fastnesstest.As(auth.User{ID: "s", Roles: auth.SetOf("seller")})).Want(200)
		if !strings.Contains(string(seller.Body), `"cost":3`) || strings.Contains(string(buyer.Body), "cost") || !strings.Contains(string(buyer.Body), "lamp") {
			t.Errorf("%s: %q for a buyer and %q for a seller", path, buyer.Body, seller.Body)
		}
	}
}

// TestStreamWithAProviderThatWritesDoesNotStart: its 200 would be sent before the
// commit.
func TestStreamWithAProviderThatWritesDoesNotStart(t *testing.T) {
	app, public := open(fastness.Config{})
	fastness.ProvideCleanup(app, func(context.Context, none) (*sqldb.Tx, func(error) error, error) { return nil, nil, nil })
	fastness.ProvideCleanup(app, func(context.Context, none) (*sqldb.ReadTx, func(error) error, error) { return nil, nil, nil })
	fastness.Post(public, "/writes", func(context.Context, struct{ Tx *sqldb.Tx }) (fastness.JSONLines[int], error) {
		return fastness.JSONLines[int]{}, nil
	})
	fastness.Get(public, "/reads", func(context.Context, struct{ Tx *sqldb.ReadTx }) (fastness.JSONLines[int], error) {
		return fastness.JSONLines[int]{}, nil
	})
	fastness.Get(public, "/limits", eventsOf(nil), fastness.StreamLimits{Write: -1})
	err := app.Start(t.Context())
	if err == nil || !strings.Contains(err.Error(), "POST /writes: it gets a *sqldb.Tx, which writes, and its answer is sent before that is committed") ||
		strings.Contains(err.Error(), "/reads") || !strings.Contains(err.Error(), "StreamLimits.Write is -1ns, want more than 0") {
		t.Errorf("Start() = %v", err)
	}
}

// TestProvidersCleanUpAfterTheStream: what it is read from must last, and they are told
// how it ended.
func TestProvidersCleanUpAfterTheStream(t *testing.T) {
	type source struct{ open *bool }
	app, public := open(fastness.Config{})
	var told []error
	fastness.ProvideCleanup(app, func(context.Context, none) (source, func(error) error, error) {
		open := true
		return source{&open}, func(err error) error { open = false; told = append(told, err); return nil }, nil
	})
	secret := errors.New("half of it")
	fastness.Get(public, "/lines", func(_ context.Context, in struct {
		Source source
		Fail   bool `query:"fail" default:"false"`
	}) (fastness.JSONLines[bool], error) {
		return fastness.JSONLines[bool]{Items: func(yield func(bool, error) bool) {
			if yield(*in.Source.open, nil) && in.Fail {
				yield(false, secret)
			}
		}}, nil
	})
	api := fastnesstest.New(t, app)
	if res := api.Get("/lines").Want(200); string(res.Body) != "true\n" {
		t.Errorf("the source was closed before the stream was read: %q", res.Body)
	}
	api.Get("/lines?fail=true")
	if len(told) != 2 || told[0] != nil || !errors.Is(told[1], secret) {
		t.Errorf("the clean-ups were told %v, want nil and the error of the stream", told)
	}
}
