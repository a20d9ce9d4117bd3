package idempotency_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/fastness/fastness/idempotency"
	"github.com/fastness/fastness/problem"
)

func request(key, body string) *http.Request {
	r := httptest.NewRequest("POST", "/orders", strings.NewReader(body))
	r.Header.Set("User", "ann")
	if key != "" {
		r.Header.Set("Idempotency-Key", key)
	}
	return r
}

func FuzzKey(f *testing.F) {
	for _, seed := range []string{`"8e03978e-40d5-43e8-bc93-6894a57f9324"`, `"a\"b\\c-0123456789abcdef"`, `""`, `"`, `x`, `"0123456789abcdef";a`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r := request("", "")
		r.Header["Idempotency-Key"] = []string{text}
		key, err := idempotency.KeyOf(r)
		if (key == "") != (err != nil) {
			t.Fatalf("KeyOf(%q) = %q, %v", text, key, err)
		}
		if err == nil && (len(key) < 16 || strings.Trim(text, " ") != `"`+strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(key)+`"`) {
			t.Errorf("%q is read as %q", text, key)
		}
	})
}

const key = `"8e03978e-40d5-43e8-bc93-6894a57f9324"`

// serve sends a request to a handler with keys, made anew unless keys are given.
func serve(t *testing.T, keys *idempotency.Keys, next http.HandlerFunc, r *http.Request) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	keys.Handler(func(r *http.Request) string { return r.Header.Get("User") }, next).ServeHTTP(w, r)
	return w
}

func newKeys(t *testing.T, max int) *idempotency.Keys {
	t.Helper()
	keys, err := idempotency.New(idempotency.Config{Store: idempotency.NewMemory(max), MaxAnswer: 100})
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func TestHandlerKeepsWhatItMay(t *testing.T) {
	for _, tt := range []struct {
		name         string
		answer       http.HandlerFunc
		first, again int
		calls        int
	}{
		{"a success", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(201) }, 201, 201, 1},
		{"a refusal", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404) }, 404, 404, 1},
		{"a failure", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }, 503, 503, 2},
		{"a cookie", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Set-Cookie", "a=b") }, 200, 409, 1},
		{"no-store", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Cache-Control", "no-store") }, 200, 409, 1},
		{"no-store, among others", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Cache-Control", "private, No-Store") }, 200, 409, 1},
		{"a large answer", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 200)) }, 200, 409, 1},
	} {
		keys, calls := newKeys(t, 0), 0
		next := func(w http.ResponseWriter, r *http.Request) { calls++; tt.answer(w, r) }
		first, again := serve(t, keys, next, request(key, "x")).Code, serve(t, keys, next, request(key, "x")).Code
		if first != tt.first || again != tt.again || calls != tt.calls {
			t.Errorf("%s: %d and %d after %d calls, want %d and %d after %d", tt.name, first, again, calls, tt.first, tt.again, tt.calls)
		}
	}
}

func TestHandlerRefuses(t *testing.T) {
	keys := newKeys(t, 1)
	never := func(http.ResponseWriter, *http.Request) { t.Error("it was called") }
	nobody := request(key, "x")
	nobody.Header.Del("User")
	twice := request(key, "x")
	twice.Header.Add("Idempotency-Key", key)
	for name, tt := range map[string]struct {
		r    *http.Request
		want int
	}{
		"nobody": {nobody, 401}, "no key": {request("", "x"), 400}, "two keys": {twice, 400}, "a bare key": {request(strings.Trim(key, `"`), "x"), 400},
		"a large body": {request(key, strings.Repeat("x", 2<<20)), 413},
	} {
		if got := serve(t, keys, never, tt.r).Code; got != tt.want {
			t.Errorf("%s: %d, want %d", name, got, tt.want)
		}
	}
	fine := func(http.ResponseWriter, *http.Request) {}
	if got := serve(t, keys, fine, request(key, "x")).Code; got != 200 {
		t.Errorf("the first key: %d", got)
	}
	if got := serve(t, keys, never, request(`"another key of 16 or more"`, "x")).Code; got != 503 {
		t.Errorf("a key beyond what the store holds: %d, want 503", got)
	}
	read := request("", "")
	read.Method = "GET"
	if got := serve(t, keys, fine, read).Code; got != 200 {
		t.Errorf("a GET: %d", got)
	}
}

func TestPanicOfAHandlerGivesTheKeyBack(t *testing.T) {
	keys := newKeys(t, 0)
	func() {
		defer func() { _ = recover() }()
		serve(t, keys, func(http.ResponseWriter, *http.Request) { panic("x") }, request(key, "x"))
	}()
	if got := serve(t, keys, func(http.ResponseWriter, *http.Request) {}, request(key, "x")).Code; got != 200 {
		t.Errorf("after the panic: %d", got)
	}
}

func TestParallelRequestsAreDoneOnce(t *testing.T) {
	keys := newKeys(t, 0)
	var mu sync.Mutex
	calls := 0
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			serve(t, keys, func(http.ResponseWriter, *http.Request) { mu.Lock(); calls++; mu.Unlock() }, request(key, "x"))
		})
	}
	all.Wait()
	if calls != 1 {
		t.Errorf("%d calls, want 1", calls)
	}
}

func TestWrongConfigIsRefused(t *testing.T) {
	_, err := idempotency.New(idempotency.Config{Age: 1, MaxAnswer: -1})
	for _, want := range []string{"no Store", "Age is 1ns", "MaxAnswer is -1"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("New() = %v, want %q in it", err, want)
		}
	}
}

// countingStore counts what reaches the store.
type countingStore struct {
	*idempotency.Memory
	begun int
}

func (s *countingStore) Begin(ctx context.Context, tx any, e idempotency.Entry) (*idempotency.Entry, error) {
	s.begun++
	return s.Memory.Begin(ctx, tx, e)
}

// A second request waits for nothing: neither in this process, where it does not even
// take a connection to the database, nor in another one.
func TestKeyInUseIsRefusedAtOnce(t *testing.T) {
	store := &countingStore{Memory: idempotency.NewMemory(0)}
	var processes [2]*idempotency.Keys
	for i := range processes {
		var err error
		if processes[i], err = idempotency.New(idempotency.Config{Store: store}); err != nil {
			t.Fatal(err)
		}
	}
	r := idempotency.Request{Key: key, Caller: []string{"ann"}, Operation: "POST /orders"}
	run, _, err := processes[0].Begin(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	for i, begun := range []int{1, 2} {
		if _, _, err := processes[i].Begin(t.Context(), r); problem.From(err).Code != "idempotency_key_in_use" || store.begun != begun {
			t.Errorf("process %d: Begin() = %v, and the store was asked %d times, want %d", i, err, store.begun, begun)
		}
	}
	if err := run.End(false); err != nil {
		t.Fatal(err)
	}
	if _, _, err := processes[1].Begin(t.Context(), r); err != nil {
		t.Errorf("after the end: %v", err)
	}
}
