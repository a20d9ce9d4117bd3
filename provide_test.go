package fastness_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/fastnesstest"
	"github.com/fastness/fastness/problem"
)

// journal records what happens, in order.
type journal struct {
	mu    sync.Mutex
	lines []string
}

func (j *journal) add(format string, args ...any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, fmt.Sprintf(format, args...))
}

func (j *journal) take() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	lines := j.lines
	j.lines = nil
	return lines
}

func (j *journal) want(t *testing.T, lines ...string) {
	t.Helper()
	if got := j.take(); !slices.Equal(got, lines) {
		t.Errorf("it happened %q, want %q", got, lines)
	}
}

type (
	connection struct{ n int }
	tx         struct{ c connection }
	audit      struct{}
)

// provideTx provides a transaction on a connection; both record their ends.
func provideTx(r fastness.Router, j *journal) {
	fastness.ProvideCleanup(r, func(context.Context, none) (connection, func(error) error, error) {
		j.add("connect")
		return connection{1}, func(err error) error { j.add("disconnect %v", err); return nil }, nil
	})
	fastness.ProvideCleanup(r, func(_ context.Context, in struct{ C connection }) (tx, func(error) error, error) {
		j.add("begin on %d", in.C.n)
		return tx{in.C}, func(err error) error { j.add("end %v", err); return nil }, nil
	})
}

func TestProvidersAreResolvedOnceAndCleanedUpInReverse(t *testing.T) {
	var j journal
	app, public := open(fastness.Config{})
	provideTx(app, &j)
	fastness.Provide(app, func(_ context.Context, in struct {
		T tx
		C connection
	}) (audit, error) {
		j.add("audit")
		return audit{}, nil
	})
	fastness.Get(public, "/", func(_ context.Context, in struct {
		A audit
		T tx
		C connection
	}) (string, error) {
		j.add("handle")
		return "ok", nil
	})
	api := fastnesstest.New(t, app)
	for range 2 {
		api.Get("/").Want(200)
		j.want(t, "connect", "begin on 1", "audit", "handle", "end <nil>", "disconnect <nil>")
	}
}

// watched notes when the first byte of an answer is sent.
type watched struct {
	http.ResponseWriter
	j *journal
}

func (w *watched) WriteHeader(status int) {
	w.j.add("sent %d", status)
	w.ResponseWriter.WriteHeader(status)
}

func (w *watched) Write(b []byte) (int, error) {
	w.j.add("body")
	return w.ResponseWriter.Write(b)
}

// TestNothingIsSentBeforeTheCleanUp: an answer that says 201 before the commit
// is a promise that the database may break.
func TestNothingIsSentBeforeTheCleanUp(t *testing.T) {
	handlerErr := problem.New(409, "taken")
	type broken struct {
		F func() `json:"-"`
		N float64
	}
	for name, c := range map[string]struct {
		handle func(context.Context, struct{ T tx }) (broken, error)
		want   []string
	}{
		"success": {func(context.Context, struct{ T tx }) (broken, error) { return broken{}, nil },
			[]string{"connect", "begin on 1", "end <nil>", "disconnect <nil>", "sent 200", "body"}},
		"an error": {func(context.Context, struct{ T tx }) (broken, error) { return broken{}, handlerErr },
			[]string{"connect", "begin on 1", "end taken", "disconnect taken", "sent 409", "body"}},
		"a panic": {func(context.Context, struct{ T tx }) (broken, error) { panic("no") },
			[]string{"connect", "begin on 1", "end panic: no", "disconnect panic: no", "sent 500", "body"}},
		"an answer that cannot be encoded": {func(context.Context, struct{ T tx }) (broken, error) { zero := 0.0; return broken{N: 1 / zero}, nil },
			[]string{"connect", "begin on 1", "end +Inf is no JSON number", "disconnect +Inf is no JSON number", "sent 500", "body"}},
	} {
		t.Run(name, func(t *testing.T) {
			var j journal
			app, public := open(fastness.Config{})
			provideTx(app, &j)
			fastness.Get(public, "/", c.handle)
			if err := app.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			app.ServeHTTP(&watched{httptest.NewRecorder(), &j}, httptest.NewRequest("GET", "http://localhost/", nil))
			j.want(t, c.want...)
		})
	}
}

// TestFailedCommitTurnsACreatedInto500, and what was opened before it hears of
// it.
func TestFailedCommitTurnsACreatedInto500(t *testing.T) {
	var j journal
	app, public := open(fastness.Config{})
	fastness.ProvideCleanup(app, func(context.Context, none) (connection, func(error) error, error) {
		return connection{}, func(err error) error { j.add("%v", err); return nil }, nil
	})
	fastness.ProvideCleanup(app, func(context.Context, struct{ C connection }) (tx, func(error) error, error) {
		return tx{}, func(error) error { return errors.New("pq: serialization failure") }, nil
	})
	fastness.Post(public, "/", func(context.Context, struct{ T tx }) (fastness.Created[string], error) {
		return fastness.Created[string]{Body: "made", Location: "/1"}, nil
	})
	res := fastnesstest.New(t, app).Post("/", nil).WantProblem(500, "").WantHeader("Location", "")
	if strings.Contains(string(res.Body), "pq") || strings.Contains(string(res.Body), "made") {
		t.Errorf("body %s, want nothing of the cause and of the answer", res.Body)
	}
	j.want(t, "pq: serialization failure")
}

func TestCleanUpThatPanicsDoesNotStopTheOthers(t *testing.T) {
	var j journal
	for _, handle := range []func(context.Context, struct{ T tx }) (string, error){
		func(context.Context, struct{ T tx }) (string, error) { return "ok", nil },
		func(context.Context, struct{ T tx }) (string, error) { panic("no") },
	} {
		app, public := open(fastness.Config{MaxInFlight: 1})
		fastness.ProvideCleanup(app, func(context.Context, none) (connection, func(error) error, error) {
			return connection{}, func(err error) error { j.add("closed after error %v", err != nil); return nil }, nil
		})
		fastness.ProvideCleanup(app, func(context.Context, struct{ C connection }) (tx, func(error) error, error) {
			return tx{}, func(error) error { panic("in the clean-up") }, nil
		})
		fastness.Get(public, "/", handle)
		fastness.Get(public, "/next", say("next"))
		api := fastnesstest.New(t, app)
		api.Get("/").WantProblem(500, "")
		j.want(t, "closed after error true")
		api.Get("/next").Want(200)
	}
}

func TestFailedProviderIsTheAnswer(t *testing.T) {
	var j journal
	app, public := open(fastness.Config{})
	provideTx(app, &j)
	fastness.ProvideCleanup(app, func(_ context.Context, in struct{ T tx }) (audit, func(error) error, error) {
		return audit{}, func(error) error { j.add("half an audit closed"); return nil }, problem.New(403, "not yours").Named("foreign")
	})
	fastness.Get(public, "/", func(context.Context, struct{ A audit }) (string, error) {
		j.add("handle")
		return "", nil
	})
	fastnesstest.New(t, app).Get("/").WantProblem(403, "foreign")
	j.want(t, "connect", "begin on 1", "half an audit closed", "end not yours", "disconnect not yours")
}

type order struct{ id, owner int }

// TestProviderLoadsTheObjectAndJudges: an operation that asks for an order never
// sees a foreign one.
func TestProviderLoadsTheObjectAndJudges(t *testing.T) {
	app, public := open(fastness.Config{})
	orders := map[int]order{1: {1, 7}, 2: {2, 8}}
	fastness.Provide(app, func(_ context.Context, in struct {
		ID     int `path:"order" minimum:"1"`
		Caller int `header:"X-Caller"`
	}) (order, error) {
		switch o, ok := orders[in.ID]; {
		case !ok:
			return order{}, problem.New(404, "there is no such order")
		case o.owner != in.Caller:
			return order{}, problem.New(403, "this order is somebody else's")
		default:
			return o, nil
		}
	})
	type input struct {
		Order order
		Page  int `query:"page" default:"1" minimum:"1"`
	}
	fastness.Get(public, "/orders/{order}", func(_ context.Context, in input) (int, error) { return in.Order.id, nil })
	fastness.Get(public, "/orders/{order}/lines/{line}", func(_ context.Context, in struct {
		Order order
		Line  int `path:"line"`
	}) (int, error) {
		return in.Order.id*10 + in.Line, nil
	})
	api := fastnesstest.New(t, app, fastnesstest.Header("X-Caller", "7"))
	api.Get("/orders/1").Want(200).WantJSON("1")
	api.Get("/orders/1/lines/3").Want(200).WantJSON("13")
	api.Get("/orders/2").WantProblem(403, "")
	api.Get("/orders/3").WantProblem(404, "")
	api.Get("/orders/x?page=0").Want(422).WantViolation("path", "/order", "int_parsing").WantViolation("query", "/page", "greater_than_equal")
	doc, err := app.Document()
	if err != nil {
		t.Fatal(err)
	}
	item, _ := doc.Paths.Get("/orders/{order}")
	var names []string
	for _, p := range item.Get.Parameters {
		names = append(names, p.In+" "+p.Name)
	}
	slices.Sort(names)
	if want := []string{"header X-Caller", "path order", "query page"}; !slices.Equal(names, want) {
		t.Errorf("the document has the parameters %q, want %q", names, want)
	}
}

func TestProviderRunsAfterEverythingWasValidated(t *testing.T) {
	var j journal
	app, public := open(fastness.Config{})
	provideTx(app, &j)
	fastness.Post(public, "/", func(context.Context, struct {
		T    tx
		Body struct{ N int }
	}) (string, error) {
		return "", nil
	})
	fastnesstest.New(t, app).Post("/", fastnesstest.JSON(`{"N":"x"}`)).Want(422)
	j.want(t)
}

func TestAppScopedValuesAreMadeOnceAndCleanedUpInReverse(t *testing.T) {
	var j journal
	app, public := open(fastness.Config{})
	fastness.ProvideApp(app, func(_ context.Context, in struct{ C connection }) (store, func(error) error, error) {
		j.add("store on %d", in.C.n)
		return store{"s"}, func(error) error { j.add("store closed"); return nil }, nil
	})
	fastness.ProvideApp(app, func(context.Context, none) (connection, func(error) error, error) {
		j.add("connect")
		return connection{4}, func(error) error { j.add("disconnect"); return errors.New("late") }, nil
	})
	app.OnStart(func(context.Context) error { j.add("started"); return nil })
	app.OnStop(func(context.Context) error { j.add("stopping"); return nil })
	fastness.Get(public, "/", func(_ context.Context, in struct {
		S store
		C connection
	}) (string, error) {
		return fmt.Sprint(in.S.name, in.C.n), nil
	})
	if err := app.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		w := httptest.NewRecorder()
		app.ServeHTTP(w, httptest.NewRequest("GET", "http://localhost/", nil))
		if w.Body.String() != `"s4"` {
			t.Errorf("GET / = %s, want s4", w.Body)
		}
	}
	if err := app.Stop(t.Context()); err == nil || !strings.HasSuffix(err.Error(), "connection: late") {
		t.Errorf("Stop() = %v, want that of the connection", err)
	}
	j.want(t, "connect", "store on 4", "started", "stopping", "store closed", "disconnect")
}

func TestFailedStartCleansUpWhatWasMade(t *testing.T) {
	var j journal
	app, _ := open(fastness.Config{})
	fastness.ProvideApp(app, func(context.Context, none) (connection, func(error) error, error) {
		return connection{}, func(error) error { j.add("disconnect"); return nil }, nil
	})
	fastness.ProvideApp(app, func(context.Context, struct{ C connection }) (store, func(error) error, error) {
		return store{}, nil, errors.New("no such host")
	})
	if err := app.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "provider of fastness_test.store: no such host") {
		t.Errorf("Start() = %v, want the error of the provider", err)
	}
	j.want(t, "disconnect")
}

func TestOverrideReplacesEveryProviderOfItsType(t *testing.T) {
	app, public := open(fastness.Config{})
	fastness.ProvideApp(app, func(context.Context, none) (store, func(error) error, error) {
		t.Error("the overridden provider ran")
		return store{}, nil, nil
	})
	group := public.Group("/group")
	fastness.Provide(group, func(context.Context, none) (store, error) {
		t.Error("the overridden provider of the group ran")
		return store{}, nil
	})
	fastness.Provide(app, func(_ context.Context, in struct{ S store }) (session, error) { return session{in.S.name}, nil })
	get := func(_ context.Context, in struct {
		Store   store
		Session session
	}) (string, error) {
		return in.Store.name + " " + in.Session.user, nil
	}
	fastness.Get(public, "/", get)
	fastness.Get(group, "/", get)
	fastness.Override(app, store{"fake"})
	api := fastnesstest.New(t, app)
	api.Get("/").WantJSON(`"fake fake"`)
	api.Get("/group/").WantJSON(`"fake fake"`)
}

func TestNearestProviderWins(t *testing.T) {
	app, public := open(fastness.Config{})
	fastness.ProvideValue(app, store{"app"})
	group := public.Group("/group")
	fastness.ProvideValue(group, store{"group"})
	get := func(_ context.Context, in struct{ S store }) (string, error) { return in.S.name, nil }
	fastness.Get(public, "/", get)
	fastness.Get(group, "/", get)
	fastness.Get(group.Group("/inner"), "/", get)
	api := fastnesstest.New(t, app)
	api.Get("/").WantJSON(`"app"`)
	api.Get("/group/").WantJSON(`"group"`)
	api.Get("/group/inner/").WantJSON(`"group"`)
}

func TestInterfacesAreProvidedByTheirType(t *testing.T) {
	app, public := open(fastness.Config{})
	fastness.ProvideValue[fmt.Stringer](app, stringer("real"))
	fastness.Get(public, "/", func(_ context.Context, in struct{ S fmt.Stringer }) (string, error) { return in.S.String(), nil })
	fastness.Override[fmt.Stringer](app, stringer("fake"))
	fastnesstest.New(t, app).Get("/").WantJSON(`"fake"`)
}

type stringer string

func (s stringer) String() string { return string(s) }

func TestGroupRequiresAProvider(t *testing.T) {
	var j journal
	app, public := open(fastness.Config{})
	fastness.Provide(app, func(_ context.Context, in struct {
		Key string `header:"X-Key"`
	}) (session, error) {
		j.add("checked")
		if in.Key != "sesame" {
			return session{}, problem.New(403, "closed")
		}
		return session{}, nil
	})
	group := public.Group("/group", fastness.Requires[session]())
	fastness.Get(group, "/a", say("a"))
	fastness.Get(group, "/b", func(context.Context, struct{ S session }) (string, error) { return "b", nil })
	api := fastnesstest.New(t, app)
	api.Get("/group/a", fastnesstest.Header("X-Key", "sesame")).Want(200)
	api.Get("/group/b", fastnesstest.Header("X-Key", "sesame")).Want(200)
	j.want(t, "checked", "checked")
	api.Get("/group/a", fastnesstest.Header("X-Key", "no")).WantProblem(403, "")
	api.Get("/group/a").WantViolation("header", "/x-key", "missing")
}

// TestProvidersOfParallelRequestsAreApart runs with -race.
func TestProvidersOfParallelRequestsAreApart(t *testing.T) {
	var made, cleaned atomic.Int64
	app, public := open(fastness.Config{})
	fastness.ProvideCleanup(app, func(_ context.Context, in struct {
		N int `query:"n"`
	}) (*connection, func(error) error, error) {
		made.Add(1)
		c := &connection{in.N}
		return c, func(error) error { cleaned.Add(1); c.n = -1; return nil }, nil
	})
	fastness.Get(public, "/", func(_ context.Context, in struct {
		C *connection
		N int `query:"n"`
	}) (int, error) {
		if in.C.n != in.N {
			return 0, fmt.Errorf("got the connection of %d", in.C.n)
		}
		return in.C.n, nil
	})
	api := fastnesstest.New(t, app)
	var all sync.WaitGroup
	for worker := range 20 {
		all.Go(func() {
			for i := range 50 {
				n := worker*50 + i
				api.Get(fmt.Sprintf("/?n=%d", n)).Want(200).WantJSON(fmt.Sprint(n))
			}
		})
	}
	all.Wait()
	if made.Load() != 1000 || cleaned.Load() != 1000 {
		t.Errorf("%d made, %d cleaned up, want 1000 of each", made.Load(), cleaned.Load())
	}
}
