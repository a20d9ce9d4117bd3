package ratelimit_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/guard/clientip"
	"github.com/fastness/fastness/guard/ratelimit"
	"github.com/fastness/fastness/internal/operation"
	"github.com/fastness/fastness/problem"
)

func TestHandlerCountsTheClientThatAnOuterHandlerHasFound(t *testing.T) {
	clients, err := clientip.New(clientip.Config{Trust: []string{"192.0.2.0/24"}}) // The peer of httptest.
	if err != nil {
		t.Fatal(err)
	}
	l := limiter(t, ratelimit.Config{Rule: ratelimit.Per("1/minute")})
	h := clients.Handler(l.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})))
	for i, from := range []string{"203.0.113.1", "203.0.113.2", "203.0.113.1"} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("X-Forwarded-For", from)
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, r); w.Code != []int{200, 200, 429}[i] {
			t.Errorf("client %s: %d", from, w.Code)
		}
	}
}

func TestNewNamesEveryMistake(t *testing.T) {
	_, err := ratelimit.New(ratelimit.Config{Rule: ratelimit.Rule{
		Limit: "5 per minnute", Name: "a b", Methods: []string{"get"}, Cost: -1, Algorithm: 7,
	}})
	for _, want := range []string{"ratelimit config: ", "minnute", `Name is "a b"`, `Methods has "get"`, "Cost is -1", "Algorithm is Algorithm(7)"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("New() = %v, want %q", err, want)
		}
	}
	for _, r := range []ratelimit.Rule{
		{Limit: "5/minute", Cost: 6},
		{Limit: "5/minute;100/hour", Cost: 6},
		{Name: `a"b`}, {Name: `a\b`}, {Name: "é"}, {Name: "a\nb"}, {Name: strings.Repeat("a", 65)},
		{Methods: []string{""}},
		ratelimit.InsecureExempt("test"),
	} {
		if _, err := ratelimit.New(ratelimit.Config{Rule: r}); err == nil {
			t.Errorf("%+v is accepted", r)
		}
	}
	if _, err := ratelimit.New(ratelimit.Config{Rule: ratelimit.Per("5/minute"), InsecureUnlimited: "test"}); err == nil {
		t.Error("a limit and no limit at once are accepted")
	}
}

func TestTheZeroConfigIsALimit(t *testing.T) {
	l := limiter(t, ratelimit.Config{})
	for i := range 100 {
		if got := status(l, from("192.0.2.1")); got != 200 {
			t.Fatalf("request %d: %d", i+1, got)
		}
	}
	if got := status(l, from("192.0.2.1")); got != 429 {
		t.Errorf("request 101: %d", got)
	}
}

func TestTheSixthOfFiveIsRefused(t *testing.T) {
	for _, a := range []ratelimit.Algorithm{ratelimit.SlidingWindow, ratelimit.GCRA} {
		c := newClock()
		l := limiter(t, ratelimit.Config{Rule: ratelimit.Rule{Limit: "5/minute", Algorithm: a}, Now: c.now})
		for range 3 {
			for i, want := range []int{200, 200, 200, 200, 200, 429, 429} {
				if got := status(l, from("192.0.2.1")); got != want {
					t.Errorf("%v: request %d: %d, want %d", a, i+1, got, want)
				}
			}
			c.advance(time.Minute)
		}
	}
}

func TestHandlerRefusesWithAProblem(t *testing.T) {
	l := limiter(t, ratelimit.Config{Rule: ratelimit.Rule{Limit: "1/minute", Message: "slow down"}})
	called := 0
	h := l.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called++ }))
	var w *httptest.ResponseRecorder
	for range 3 {
		w = httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	}
	if w.Code != 429 || called != 1 || w.Header().Get("Retry-After") != "60" || w.Header().Get("Content-Type") != problem.MediaType ||
		w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%d %v, called %d times", w.Code, w.Header(), called)
	}
	p, _ := refused(t, l, from("192.0.2.1"))
	if got, want := w.Body.String(), string(p.AppendJSON(nil)); got != want || !strings.Contains(got, `"detail":"slow down"`) {
		t.Errorf("Handler writes %s\nCheck returns %s", got, want)
	}
	fieldsOf(t, w.Header())
}

func TestHandlerTellsCallersApart(t *testing.T) {
	l := limiter(t, ratelimit.Config{Rule: ratelimit.Per("1/minute"), Client: func(r *http.Request) netip.Addr {
		return netip.MustParseAddr(r.Header.Get("X-Test"))
	}})
	h := l.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	send := func(addr string, user *auth.User) int {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("X-Test", addr)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r.WithContext(auth.With(r.Context(), user)))
		return w.Code
	}
	anna := &auth.User{ID: "anna"}
	for i, tt := range []struct {
		addr string
		user *auth.User
		want int
	}{
		{"192.0.2.1", nil, 200}, {"192.0.2.1", nil, 429}, {"192.0.2.2", nil, 200},
		{"192.0.2.1", anna, 200}, {"192.0.2.9", anna, 429},
	} {
		if got := send(tt.addr, tt.user); got != tt.want {
			t.Errorf("request %d: %d, want %d", i+1, got, tt.want)
		}
	}
	peer := limiter(t, ratelimit.Config{Rule: ratelimit.Per("1/minute")}).Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	for i, addr := range []string{"192.0.2.1:1000", "192.0.2.1:2000", "[2001:db8::1]:1", "@", "unix"} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = addr
		w := httptest.NewRecorder()
		if peer.ServeHTTP(w, r); w.Code != []int{200, 429, 200, 200, 429}[i] {
			t.Errorf("peer %s: %d", addr, w.Code)
		}
	}
}

func TestUnlimitedIsUnlimited(t *testing.T) {
	l := limiter(t, ratelimit.Config{InsecureUnlimited: "a gateway in front has the limit"})
	h := l.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	for range 1000 {
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, httptest.NewRequest("GET", "/", nil)); w.Code != 200 || status(l, from("192.0.2.1")) != 200 {
			t.Fatal("refused")
		}
	}
}

func method(name string) ratelimit.Caller {
	c := from("192.0.2.1")
	c.Request.Method = name
	return c
}

// TestHEADIsNoWayAround: it does what GET does.
func TestHEADIsNoWayAround(t *testing.T) {
	for name, r := range map[string]ratelimit.Rule{
		"a rule of GET":         {Limit: "2/minute", Methods: []string{"GET"}},
		"a budget for each one": {Limit: "2/minute", PerMethod: true},
	} {
		l := limiter(t, ratelimit.Config{Rule: r})
		for i, m := range []string{"GET", "HEAD", "GET", "HEAD"} {
			if got, want := status(l, method(m)), []int{200, 200, 429, 429}[i]; got != want {
				t.Errorf("%s: %s: %d, want %d", name, m, got, want)
			}
		}
	}
}

// TestInventedMethodsAreNoBudgets: a handler that does not look at the method serves
// GETA as it does GETB.
func TestInventedMethodsAreNoBudgets(t *testing.T) {
	l := limiter(t, ratelimit.Config{Rule: ratelimit.Rule{Limit: "1/minute", PerMethod: true}})
	for i, m := range []string{"GETA", "GETB", "PROPFIND", "GET"} {
		if got, want := status(l, method(m)), []int{200, 429, 429, 200}[i]; got != want {
			t.Errorf("%s: %d, want %d", m, got, want)
		}
	}
}

func TestMethods(t *testing.T) {
	l := limiter(t, ratelimit.Config{Rule: ratelimit.Rule{Limit: "1/minute", Methods: []string{"POST", "PUT"}}})
	each := limiter(t, ratelimit.Config{Rule: ratelimit.Rule{Limit: "1/minute", PerMethod: true}})
	for i, tt := range []struct {
		method    string
		one, each int
	}{{"GET", 200, 200}, {"GET", 200, 429}, {"POST", 200, 200}, {"POST", 429, 429}, {"PUT", 429, 200}, {"DELETE", 200, 200}} {
		if got := status(l, method(tt.method)); got != tt.one {
			t.Errorf("request %d, %s: %d, want %d", i+1, tt.method, got, tt.one)
		}
		if got := status(each, method(tt.method)); got != tt.each {
			t.Errorf("request %d, %s, a budget each: %d, want %d", i+1, tt.method, got, tt.each)
		}
	}
}

func TestCostAndExemption(t *testing.T) {
	cost := 0
	rule := ratelimit.Rule{
		Limit: "10/minute", CostOf: func(ratelimit.Caller) int { return cost },
		ExemptWhen: func(c ratelimit.Caller) bool { return c.User.HasRole("admin") },
	}
	l := limiter(t, ratelimit.Config{Rule: rule})
	for i, tt := range []struct{ cost, want int }{
		{4, 200}, {0, 200}, {4, 200}, {4, 429}, {11, 429}, {math.MaxInt, 429}, {2, 200}, {1, 429}, {0, 200},
	} {
		cost = tt.cost
		if got := status(l, from("192.0.2.1")); got != tt.want {
			t.Errorf("request %d, cost %d: %d, want %d", i+1, cost, got, tt.want)
		}
	}
	admin := from("192.0.2.1")
	admin.User = &auth.User{ID: "root", Roles: auth.SetOf("admin")}
	h := http.Header{}
	if cost = 1 << 40; l.Check(context.Background(), h, admin) != nil || len(h) != 0 {
		t.Errorf("who is exempt gets %v", h)
	}
}

// TestANegativeCostEarnsNothing: a cost that is computed of what callers send
// must not fill their budget.
func TestANegativeCostEarnsNothing(t *testing.T) {
	l := limiter(t, ratelimit.Config{Rule: ratelimit.Rule{Limit: "3/minute", CostOf: func(ratelimit.Caller) int { return -1000 }}})
	for i, want := range []int{200, 200, 200, 429} {
		if got := status(l, from("192.0.2.1")); got != want {
			t.Errorf("request %d: %d, want %d", i+1, got, want)
		}
	}
}

func TestScopesShareABudget(t *testing.T) {
	m := memory(t, ratelimit.MemoryConfig{})
	of := func(name, scope, limit string) *ratelimit.Limiter {
		return limiter(t, ratelimit.Config{Rule: ratelimit.Rule{Name: name, Scope: scope, Limit: limit}, Store: m})
	}
	read, write, other := of("read", "items", "2/minute"), of("write", "items", "2/minute"), of("other", "", "2/minute")
	alike, larger := of("read", "item", "2/minute"), of("larger", "items", "3/minute")
	for i, tt := range []struct {
		l    *ratelimit.Limiter
		want int
	}{{read, 200}, {write, 200}, {read, 429}, {write, 429}, {other, 200}, {alike, 200}, {larger, 200}, {larger, 200}, {larger, 200}, {larger, 429}} {
		if got := status(tt.l, from("192.0.2.1")); got != tt.want {
			t.Errorf("request %d: %d, want %d", i+1, got, tt.want)
		}
	}
}

// broken is a store that can be down.
type broken struct {
	ratelimit.Store
	down  atomic.Bool
	calls atomic.Int64
}

func (b *broken) Take(ctx context.Context, s *ratelimit.Spend) error {
	b.calls.Add(1)
	if b.down.Load() {
		s.Allowed = true // What is said beside an error must not count.
		return errors.New("connection refused by 10.0.0.7")
	}
	return b.Store.Take(ctx, s)
}

func TestAStoreThatIsDownIsNoWayAround(t *testing.T) {
	for _, closed := range []bool{false, true} {
		c := newClock()
		store := &broken{Store: memory(t, ratelimit.MemoryConfig{Now: c.now})}
		var log bytes.Buffer
		l := limiter(t, ratelimit.Config{
			Rule: ratelimit.Rule{Limit: "3/minute", FailClosed: closed}, Store: store, Now: c.now, Logger: slog.New(slog.NewTextHandler(&log, nil)),
		})
		wants := func(wants ...int) {
			t.Helper()
			for i, want := range wants {
				if got := status(l, from("192.0.2.1")); got != want {
					t.Errorf("closed %t, request %d: %d, want %d", closed, i+1, got, want)
				}
			}
		}
		wants(200, 200)
		store.down.Store(true)
		if closed {
			wants(503, 503, 503, 503, 503)
			p := problem.From(l.Check(context.Background(), http.Header{}, from("192.0.2.1")))
			if text := string(p.AppendJSON(nil)); p.Header().Get("Retry-After") == "" || p.Code != "rate_limit_unavailable" || strings.Contains(text, "10.0.0.7") {
				t.Errorf("problem %s %v", text, p.Header())
			}
		} else {
			wants(200, 200, 200, 429, 429)
		}
		if n := strings.Count(log.String(), "level=ERROR"); n != 1 || !strings.Contains(log.String(), "10.0.0.7") {
			t.Errorf("closed %t: %d alarms, want 1 with the cause:\n%s", closed, n, log.String())
		}
		c.advance(61 * time.Second)
		_ = status(l, from("192.0.2.1"))
		if n := strings.Count(log.String(), "level=ERROR"); n != 2 {
			t.Errorf("closed %t: %d alarms after a minute, want 2", closed, n)
		}
		store.down.Store(false)
		wants(200, 200, 200, 429)
	}
}

func TestChecksAtOnceAreExact(t *testing.T) {
	l := limiter(t, ratelimit.Config{Rule: ratelimit.Per("50/hour; 60/day")})
	var counts sync.Map
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for i := range 100 {
				addr := fmt.Sprintf("192.0.2.%d", i%4)
				n, _ := counts.LoadOrStore(addr, new(atomic.Int64))
				if status(l, from(addr)) == 200 {
					n.(*atomic.Int64).Add(1)
				}
			}
		})
	}
	group.Wait()
	counts.Range(func(addr, n any) bool {
		if got := n.(*atomic.Int64).Load(); got != 50 {
			t.Errorf("%s: %d are allowed, want 50", addr, got)
		}
		return true
	})
}

func TestRulesAreOptionsOfOperations(t *testing.T) {
	var s operation.Spec
	for _, o := range []operation.Option{
		ratelimit.Per("30/minute"), ratelimit.Per("5 per minnute"), ratelimit.Rule{Limit: "5/minute", Cost: 9},
		ratelimit.Rule{Limit: "5/minute", Override: true}, ratelimit.InsecureExempt("a probe"), ratelimit.InsecureExempt(""), ratelimit.Rule{},
	} {
		o.Apply(&s)
	}
	var names []string
	for _, l := range s.Limits {
		names = append(names, l.String())
	}
	if got := strings.Join(names, "|"); got != "30/minute|5 per minnute|5/minute|5/minute|no limit: a probe|no limit: |100/minute" {
		t.Errorf("limits %s", got)
	}
	mistakes := fmt.Sprint(s.Mistakes)
	if len(s.Mistakes) != 3 || !strings.Contains(mistakes, "minnute") || !strings.Contains(mistakes, "Cost is 9") || !strings.Contains(mistakes, "reason") {
		t.Errorf("mistakes %v", s.Mistakes)
	}
	if len(s.OptOuts) != 2 || s.OptOuts[0] != (operation.OptOut{Name: "ratelimit.InsecureExempt", Reason: "a probe"}) {
		t.Errorf("opt-outs %v", s.OptOuts)
	}
	if exempt, ok := s.Limits[4].(ratelimit.Rule); !ok || !exempt.Exempt() || !exempt.Override {
		t.Errorf("%+v is not exempt", s.Limits[4])
	}
}

func TestRefusalsAreCheap(t *testing.T) {
	l := limiter(t, ratelimit.Config{Rule: ratelimit.Per("1/hour; 2/day")})
	r := httptest.NewRequest("GET", "/", nil)
	h := l.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("{}")) }))
	h.ServeHTTP(nothing{}, r)
	w := nothing{}
	if n := testing.AllocsPerRun(100, func() { clear(w); h.ServeHTTP(w, r) }); n > 5 {
		t.Errorf("a refusal by Handler: %v allocations, want at most 5", n)
	}
	buf := make([]byte, 0, 1024)
	c := from("192.0.2.1")
	if n := testing.AllocsPerRun(100, func() {
		clear(w)
		if err := l.Check(r.Context(), w.Header(), c); err != nil {
			problem.From(err).AppendJSON(buf)
		}
	}); n > 8 {
		t.Errorf("a refusal by Check, encoded: %v allocations, want at most 8", n)
	}
	if n := testing.AllocsPerRun(100, func() {
		clear(w)
		if err := l.Charge(r.Context(), w.Header(), c); err != nil {
			problem.From(err).AppendJSON(buf)
		}
	}); n > 4 {
		t.Errorf("a refusal by Charge, encoded: %v allocations, want at most 4", n)
	}
}
