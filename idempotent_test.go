package fastness_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/fastnesstest"
	"github.com/fastness/fastness/idempotency"
	"github.com/fastness/fastness/problem"
)

const aKey = `"8e03978e-40d5-43e8-bc93-6894a57f9324"`

type (
	newOrder struct {
		Item string `json:"item" minLength:"1"`
	}
	placedOrder struct {
		Number int    `json:"number"`
		Item   string `json:"item"`
		Margin int    `json:"margin,omitzero" visibleTo:"seller"`
	}
)

// orders is what an app with keys has done.
type orders struct {
	mu      sync.Mutex
	made    int
	failing error
	slow    chan struct{}
	store   *idempotency.Memory
	users   map[string]*auth.User
}

func (o *orders) create(_ context.Context, in struct{ Body newOrder }) (fastness.Created[placedOrder], error) {
	if o.slow != nil {
		<-o.slow
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.failing != nil {
		return fastness.Created[placedOrder]{}, o.failing
	}
	o.made++
	return fastness.Created[placedOrder]{Body: placedOrder{o.made, in.Body.Item, 7}, Location: fmt.Sprintf("/orders/%d", o.made)}, nil
}

func newOrders(t *testing.T) (*fastness.App, *orders) {
	t.Helper()
	return newOrdersIn(t, fastness.Config{})
}

func newOrdersIn(t *testing.T, cfg fastness.Config) (*fastness.App, *orders) {
	t.Helper()
	o := &orders{store: idempotency.NewMemory(0), users: people()}
	cfg.Title, cfg.Version, cfg.Roles = "Orders", "1", []string{"customer", "seller", "admin"}
	app := fastness.New(cfg)
	app.Authenticate(letters{name: "letter", header: "X-Letter", users: o.users})
	keys, err := idempotency.New(idempotency.Config{Store: o.store})
	if err != nil {
		t.Fatal(err)
	}
	fastness.ProvideValue(app, keys)
	fastness.Post(app, "/orders", o.create, access.Authenticated, idempotency.Required())
	fastness.Post(app, "/sellers/orders", o.create, access.Role("seller"), idempotency.Accepted(), fastness.OperationID("sell"))
	return app, o
}

func keyed(who, key string) []fastnesstest.Option {
	return []fastnesstest.Option{fastnesstest.Header("X-Letter", who), fastnesstest.Header("Idempotency-Key", key)}
}

func TestSameKeyGetsTheSameAnswer(t *testing.T) {
	app, o := newOrders(t)
	api := fastnesstest.New(t, app)
	first := api.Post("/orders", newOrder{"lamp"}, keyed("ann", aKey)...).Want(201)
	again := api.Post("/orders", newOrder{"lamp"}, keyed("ann", aKey)...).Want(201).WantHeader("Idempotent-Replayed", "true")
	if string(first.Body) != string(again.Body) || again.Header.Get("Location") != "/orders/1" || o.made != 1 || first.Header.Get("Idempotent-Replayed") != "" {
		t.Errorf("%d orders; the answers are %s and %s %v", o.made, first.Body, again.Body, again.Header)
	}
	if again.Header.Get("Content-Type") != "application/json" || again.Header.Get("X-Request-Id") == first.Header.Get("X-Request-Id") || again.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("the second answer has the headers %v", again.Header)
	}
	api.Post("/orders", newOrder{"chair"}, keyed("ann", aKey)...).WantProblem(422, "idempotency_key_reused")
	api.Do("POST", "/orders?x=1", newOrder{"lamp"}, keyed("ann", aKey)...).WantProblem(422, "idempotency_key_reused")
	api.Post("/orders", newOrder{"lamp"}, keyed("ann", `"another key of 16 or more"`)...).Want(201)
	if o.made != 2 {
		t.Errorf("%d orders, want 2", o.made)
	}
}

func TestKeyOfAnotherCallerIsAnotherKey(t *testing.T) {
	app, o := newOrders(t)
	api := fastnesstest.New(t, app)
	api.Post("/orders", newOrder{"lamp"}, keyed("ann", aKey)...).Want(201)
	if res := api.Post("/orders", newOrder{"lamp"}, keyed("bob", aKey)...).Want(201); res.Header.Get("Idempotent-Replayed") != "" || o.made != 2 {
		t.Errorf("bob got ann's answer: %s", res.Body)
	}
	if res := api.Post("/sellers/orders", newOrder{"lamp"}, keyed("bob", aKey)...).Want(201); res.Header.Get("Idempotent-Replayed") != "" || o.made != 3 {
		t.Errorf("another operation got the answer: %s", res.Body)
	}
}

func TestRequestWithoutAGoodKeyIsRefused(t *testing.T) {
	app, o := newOrders(t)
	api := fastnesstest.New(t, app)
	api.Post("/orders", newOrder{"lamp"}, fastnesstest.Header("X-Letter", "ann")).WantProblem(400, "idempotency_key_missing")
	for _, key := range []string{"", "8e03978e-40d5-43e8-bc93-6894a57f9324", `"short"`, `"8e03978e-40d5-43e8-bc93-6894a57f9324";a=1`, `"` + strings.Repeat("x", 256) + `"`,
		`"8e03978e-40d5-43e8-bc93" "x"`, `"8e03978e-40d5-43e8-bc93\n"`, `"8e03978e-40d5-43e8-bc93é"`, `:OGUwMzk3OGUtNDBkNS00M2U4LWJjOTMtNjg5NGE1N2Y5MzI0:`} {
		api.Post("/orders", newOrder{"lamp"}, keyed("ann", key)...).WantProblem(400, "idempotency_key_invalid")
	}
	if o.made != 0 {
		t.Errorf("%d orders", o.made)
	}
	api.Post("/sellers/orders", newOrder{"lamp"}, fastnesstest.Header("X-Letter", "bob")).Want(201)
	api.Post("/orders", newOrder{""}, keyed("ann", aKey)...).Want(422) // It uses no key up.
	api.Post("/orders", newOrder{"lamp"}, keyed("ann", aKey)...).Want(201)
}

func TestFailureIsNotKept(t *testing.T) {
	app, o := newOrders(t)
	api := fastnesstest.New(t, app)
	for _, failure := range []error{errors.New("the database is down"), problem.New(409, "sold out")} {
		o.failing = failure
		api.Post("/orders", newOrder{"lamp"}, keyed("ann", aKey)...).Want(problem.From(failure).Status)
	}
	o.failing = nil
	if res := api.Post("/orders", newOrder{"lamp"}, keyed("ann", aKey)...).Want(201); res.Header.Get("Idempotent-Replayed") != "" {
		t.Error("a failure was answered again")
	}
}

func TestDemotedCallerDoesNotGetTheOldAnswer(t *testing.T) {
	app, o := newOrders(t)
	api := fastnesstest.New(t, app)
	if res := api.Post("/sellers/orders", newOrder{"lamp"}, keyed("bob", aKey)...).Want(201); !strings.Contains(string(res.Body), "margin") {
		t.Fatalf("a seller got %s", res.Body)
	}
	o.users["bob"].Roles = auth.SetOf("customer")
	api.Post("/sellers/orders", newOrder{"lamp"}, keyed("bob", aKey)...).Want(403)
	second := `"8e03978e-40d5-43e8-bc93-6894a57f9325"`
	o.users["bob"].Roles = auth.SetOf("seller")
	api.Post("/orders", newOrder{"lamp"}, keyed("bob", second)...).Want(201)
	o.users["bob"].Roles = auth.SetOf("customer") // Who may order, and does not see the margin.
	api.Post("/orders", newOrder{"lamp"}, keyed("bob", second)...).WantProblem(409, "idempotency_answer_withheld")
}

func TestWhileTheFirstRunsTheSecondIsRefused(t *testing.T) {
	app, o := newOrders(t)
	o.slow = make(chan struct{})
	api := fastnesstest.New(t, app)
	answered := make(chan int, 50)
	for range 50 {
		go func() { answered <- api.Post("/orders", newOrder{"lamp"}, keyed("ann", aKey)...).Status }()
	}
	for range 49 {
		if status := <-answered; status != 409 {
			t.Errorf("status %d, want 409", status)
		}
	}
	close(o.slow)
	if status := <-answered; status != 201 || o.made != 1 {
		t.Errorf("status %d and %d orders, want 201 and 1", status, o.made)
	}
	api.Post("/orders", newOrder{"lamp"}, keyed("ann", aKey)...).Want(201).WantHeader("Idempotent-Replayed", "true")
}

func TestPanicGivesTheKeyBack(t *testing.T) {
	app, o := newOrders(t)
	calls := 0
	fastness.Post(app, "/panics", func(context.Context, struct{}) (string, error) {
		if calls++; calls == 1 {
			panic("at the disco")
		}
		return "done", nil
	}, access.Authenticated, idempotency.Required())
	api := fastnesstest.New(t, app)
	api.Post("/panics", nil, keyed("ann", aKey)...).Want(500)
	api.Post("/panics", nil, keyed("ann", aKey)...).Want(200)
	api.Post("/panics", nil, keyed("ann", aKey)...).Want(200).WantHeader("Idempotent-Replayed", "true")
	_ = o
}

func TestAnswerWithACredentialIsNotKept(t *testing.T) {
	app, _ := newOrders(t)
	fastness.Post(app, "/cookies", func(context.Context, struct{}) (fastness.Result[string], error) {
		return fastness.Result[string]{Cookies: []*http.Cookie{{Name: "session", Value: "secret"}}}, nil
	}, access.Authenticated, idempotency.Required())
	fastness.Post(app, "/tokens", func(context.Context, struct{}) (fastness.Result[string], error) {
		return fastness.Result[string]{Body: "token", Header: http.Header{"Cache-Control": {"no-store"}}}, nil
	}, access.Authenticated, idempotency.Required())
	fastness.Post(app, "/large", func(context.Context, struct{}) (string, error) {
		return strings.Repeat("x", 1<<17), nil
	}, access.Authenticated, idempotency.Required())
	api := fastnesstest.New(t, app)
	for _, path := range []string{"/cookies", "/tokens", "/large"} {
		if res := api.Post(path, nil, keyed("ann", aKey)...).Want(500); res.Header.Get("Set-Cookie") != "" {
			t.Errorf("%s sets %s", path, res.Header.Get("Set-Cookie"))
		}
	}
}

func TestWrongUseOfKeysIsAMistake(t *testing.T) {
	app := fastness.New(fastness.Config{Title: "T", Version: "1"})
	nothing := func(context.Context, struct{}) (fastness.NoContent, error) { return fastness.NoContent{}, nil }
	fastness.Post(app, "/nobody", nothing, access.Public, idempotency.Required())
	with := app.Group("/with", access.Public, idempotency.Required())
	keys, err := idempotency.New(idempotency.Config{Store: idempotency.NewMemory(1)})
	if err != nil {
		t.Fatal(err)
	}
	fastness.ProvideValue(with, keys)
	fastness.Post(with, "/public", nothing)
	fastness.Post(with, "/form", func(context.Context, struct {
		A string `form:"a"`
	}) (fastness.NoContent, error) {
		return fastness.NoContent{}, nil
	})
	fastness.Post(with, "/raw", func(context.Context, struct{ R *http.Request }) (fastness.Raw, error) { return fastness.Raw{}, nil })
	fastness.Get(with, "/read", nothing)
	err = app.Start(t.Context())
	for _, want := range []string{
		"POST /nobody: idempotency: there is no app-scoped provider", "POST /with/public: idempotency: the operation is public",
		"POST /with/form: idempotency: a form", "POST /with/raw: idempotency: what a *http.Request", "POST /with/raw: idempotency: the answer is not JSON",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Start() = %v, want %q in it", err, want)
		}
	}
	if strings.Contains(err.Error(), "/read") {
		t.Errorf("a GET of the group is a mistake: %v", err)
	}
}

func TestKeysAreInTheDocument(t *testing.T) {
	app, _ := newOrders(t)
	document, err := app.Document()
	if err != nil {
		t.Fatal(err)
	}
	for path, required := range map[string]bool{"/orders": true, "/sellers/orders": false} {
		item, _ := document.Paths.Get(path)
		found := false
		for _, p := range item.Post.Parameters {
			found = found || p.Name == "Idempotency-Key" && p.Required == required
		}
		if _, conflict := item.Post.Responses.Get("409"); !found || !conflict {
			t.Errorf("%s: the document has no key, or no 409", path)
		}
	}
}

// What is in the store tells nobody what was answered, or asked for.
func TestStoreHoldsNoAnswersThatItCanRead(t *testing.T) {
	spy := &spyStore{Memory: idempotency.NewMemory(0)}
	now := time.Now()
	keys, err := idempotency.New(idempotency.Config{Store: spy, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	request := idempotency.Request{Key: "8e03978e-40d5-43e8", Caller: []string{"ann"}, Operation: "POST /", Parts: [][]byte{[]byte("card 4111")}}
	run, _, err := keys.Begin(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(run.Finish(t.Context(), idempotency.Answer{Status: 200, Body: []byte("a secret")}), run.End(true)); err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"8e03978e", "secret", "4111", "ann", "card"} {
		if slices.ContainsFunc(spy.seen, func(text string) bool { return strings.Contains(text, word) }) {
			t.Errorf("the store has seen %q", word)
		}
	}
	if _, answer, err := keys.Begin(t.Context(), request); err != nil || string(answer.Body) != "a secret" {
		t.Errorf("Begin() = %v, %v", answer, err)
	}
	now = now.Add(25 * time.Hour)
	if run, answer, err := keys.Begin(t.Context(), request); err != nil || run == nil || answer != nil {
		t.Errorf("after a day Begin() = %v, %v, %v", run, answer, err)
	}
}

type spyStore struct {
	*idempotency.Memory
	seen []string
}

func (s *spyStore) Begin(ctx context.Context, tx any, e idempotency.Entry) (*idempotency.Entry, error) {
	s.seen = append(s.seen, e.ID, string(e.Fingerprint))
	return s.Memory.Begin(ctx, tx, e)
}

func (s *spyStore) Finish(ctx context.Context, tx any, id string, answer []byte) error {
	s.seen = append(s.seen, id, string(answer))
	return s.Memory.Finish(ctx, tx, id, answer)
}
