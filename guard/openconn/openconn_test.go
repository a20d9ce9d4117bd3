package openconn_test

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/guard/openconn"
	"github.com/fastness/fastness/problem"
)

func limit(t testing.TB, cfg openconn.Config) *openconn.Limit {
	t.Helper()
	l, err := openconn.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func status(err error) int {
	if err == nil {
		return 0
	}
	return problem.From(err).Status
}

func TestNewNamesEveryMistake(t *testing.T) {
	_, err := openconn.New(openconn.Config{Total: -1, PerUser: -2, PerClient: -3})
	for _, want := range []string{"openconn config", "Total is -1", "PerUser is -2", "PerClient is -3"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("New() = %v, want %q in it", err, want)
		}
	}
	if _, err := openconn.New(openconn.Config{PerClient: 1, InsecurePerClientUnlimited: "test"}); err == nil {
		t.Error("a cap and no cap at once are accepted")
	}
}

func TestOneUserDoesNotTakeAllConnections(t *testing.T) {
	l := limit(t, openconn.Config{})
	var closes []func()
	for i := range 10 {
		c, err := l.Open(openconn.Caller{User: "ada", Addr: netip.AddrFrom4([4]byte{192, 0, 2, byte(i)})})
		if err != nil {
			t.Fatalf("connection %d: %v", i+1, err)
		}
		closes = append(closes, c)
	}
	_, err := l.Open(openconn.Caller{User: "ada", Addr: netip.MustParseAddr("192.0.2.99")})
	if p := problem.From(err); err == nil || p.Status != 429 || p.Header().Get("Retry-After") == "" {
		t.Fatalf("the 11th = %v, want 429 with Retry-After", err)
	}
	if _, err := l.Open(openconn.Caller{User: "bob", Addr: netip.MustParseAddr("192.0.2.99")}); err != nil {
		t.Errorf("another user is refused, too: %v", err)
	}
	closes[0]()
	closes[0]() // Twice must not free two places.
	if _, err := l.Open(openconn.Caller{User: "ada"}); err != nil {
		t.Errorf("after one was closed: %v", err)
	}
	if _, err := l.Open(openconn.Caller{User: "ada"}); status(err) != 429 {
		t.Errorf("closing twice freed two places: %v", err)
	}
}

func TestOneClientDoesNotTakeAllConnections(t *testing.T) {
	l := limit(t, openconn.Config{PerClient: 2})
	for i := range 2 {
		if _, err := l.Open(openconn.Caller{User: strconv.Itoa(i), Addr: netip.MustParseAddr("2001:db8::" + strconv.Itoa(i+1))}); err != nil {
			t.Fatal(err)
		}
	}
	for addr, want := range map[string]int{"2001:db8::ffff": 429, "2001:db8:0:1::1": 0, "192.0.2.1": 0} {
		if _, err := l.Open(openconn.Caller{Addr: netip.MustParseAddr(addr)}); status(err) != want {
			t.Errorf("from %s: %v, want %d", addr, err, want)
		}
	}
	if _, err := l.Open(openconn.Caller{Addr: netip.MustParseAddr("::ffff:192.0.2.1")}); err != nil {
		t.Error(err)
	}
	if _, err := l.Open(openconn.Caller{Addr: netip.MustParseAddr("192.0.2.1")}); status(err) != 429 {
		t.Errorf("a mapped address is another client: %v", err)
	}
	free := limit(t, openconn.Config{InsecurePerClientUnlimited: "a test"})
	for i := range 101 {
		if _, err := free.Open(openconn.Caller{}); err != nil {
			t.Fatalf("connection %d: %v", i+1, err)
		}
	}
}

func TestTheTotalIsNeverExceeded(t *testing.T) {
	const most = 5
	l := limit(t, openconn.Config{Total: most, PerClient: 1000})
	var wg sync.WaitGroup
	var mu sync.Mutex
	admitted := 0
	for i := range 20 {
		wg.Go(func() {
			if _, err := l.Open(openconn.Caller{User: strconv.Itoa(i)}); err == nil {
				mu.Lock()
				defer mu.Unlock()
				admitted++
			} else if status(err) != 503 {
				t.Errorf("refused by %v, want 503", err)
			}
		})
	}
	wg.Wait()
	if admitted != most || l.Count() != most {
		t.Errorf("%d admitted, %d open, want %d", admitted, l.Count(), most)
	}
}

func TestHandlerCountsWhileItRuns(t *testing.T) {
	l := limit(t, openconn.Config{PerUser: 1})
	var inner *httptest.ResponseRecorder
	var h http.Handler
	h = l.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if inner != nil {
			return
		}
		inner = httptest.NewRecorder()
		h.ServeHTTP(inner, r)
	}))
	r := httptest.NewRequest("GET", "/", nil)
	r = r.WithContext(auth.With(r.Context(), &auth.User{ID: "ada"}))
	h.ServeHTTP(httptest.NewRecorder(), r)
	if inner.Code != 429 || l.Count() != 0 {
		t.Errorf("the second: %d, %d left open", inner.Code, l.Count())
	}
	for range 101 { // The address is that of the peer.
		if _, err := l.Open(openconn.Caller{Addr: netip.MustParseAddr("192.0.2.1")}); err != nil {
			break
		}
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", "/", nil)) // from 192.0.2.1
	if w.Code != 429 {
		t.Errorf("without a user, from a client with too many: %d, want 429", w.Code)
	}
}
