package fastness_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/guard/openconn"
	"github.com/fastness/fastness/internal/eventstream"
)

// patience is how long a test waits for what must happen.
const patience = 10 * time.Second

// live serves an app on a free port, by HTTP/1.1 or HTTP/2. The limits of the server are
// far below what the streams of these tests last.
func live(t *testing.T, app *fastness.App, http2 bool) (url string, client *http.Client) {
	t.Helper()
	if err := app.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(app)
	server.Config.ReadTimeout, server.Config.WriteTimeout = 500*time.Millisecond, 500*time.Millisecond
	server.EnableHTTP2 = http2
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.URL, server.Client()
}

// both runs a test over HTTP/1.1 and HTTP/2.
func both(t *testing.T, test func(t *testing.T, http2 bool)) {
	t.Run("HTTP1", func(t *testing.T) { test(t, false) })
	t.Run("HTTP2", func(t *testing.T) { test(t, true) })
}

// request begins to read an answer. It ends with the test.
func request(t *testing.T, client *http.Client, url string, fields ...string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(fields); i += 2 {
		r.Header.Set(fields[i], fields[i+1])
	}
	r.Host = "localhost"
	res, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = res.Body.Close() })
	return res
}

// within fails the test if done is not closed in time.
func within(t *testing.T, what string, done <-chan struct{}) {
	t.Helper()
	select {
	case <-done:
	case <-time.After(patience):
		t.Fatal(what + ": not in time")
	}
}

// forever is an operation whose events never end by themselves: one each time that next
// has something. ended is closed when the iterator has seen that it must end.
func forever(next <-chan string, ended chan struct{}) func(context.Context, none) (fastness.SSE[string], error) {
	return func(ctx context.Context, _ none) (fastness.SSE[string], error) {
		return fastness.SSE[string]{Events: func(yield func(fastness.Event[string], error) bool) {
			defer close(ended)
			for {
				select {
				case text := <-next:
					if !yield(fastness.Event[string]{Data: text}, nil) {
						return
					}
				case <-ctx.Done():
					yield(fastness.Event[string]{}, ctx.Err())
					return
				}
			}
		}}, nil
	}
}

// TestReaderWhoStopsReadingIsCutAndGivesBackEverything: such readers cost nothing to
// have in thousands.
func TestReaderWhoStopsReadingIsCutAndGivesBackEverything(t *testing.T) {
	both(t, func(t *testing.T, http2 bool) {
		for name, declare := range map[string]func(r fastness.Router, ended chan error){
			"events": func(r fastness.Router, ended chan error) {
				fastness.Get(r, "/", func(ctx context.Context, _ struct{ Held *heldValue }) (fastness.SSE[string], error) {
					return fastness.SSE[string]{Events: func(yield func(fastness.Event[string], error) bool) {
						for yield(fastness.Event[string]{Data: strings.Repeat("x", 1<<20)}, nil) {
						}
						ended <- ctx.Err()
					}}, nil
				}, fastness.StreamLimits{Write: 300 * time.Millisecond})
			},
			"lines": func(r fastness.Router, ended chan error) {
				fastness.Get(r, "/", func(ctx context.Context, _ struct{ Held *heldValue }) (fastness.JSONLines[string], error) {
					return fastness.JSONLines[string]{Items: func(yield func(string, error) bool) {
						for yield(strings.Repeat("x", 1<<20), nil) {
						}
						ended <- ctx.Err()
					}}, nil
				}, fastness.StreamLimits{Write: 300 * time.Millisecond})
			},
			"download": func(r fastness.Router, ended chan error) {
				fastness.Get(r, "/", func(ctx context.Context, _ struct{ Held *heldValue }) (fastness.Download, error) {
					return fastness.Download{Content: &endless{closed: func() { ended <- context.Canceled }}}, nil
				}, fastness.StreamLimits{Write: 300 * time.Millisecond})
			},
		} {
			before := runtime.NumGoroutine()
			app, public := open(fastness.Config{})
			cleaned, ended := make(chan struct{}), make(chan error, 1)
			fastness.ProvideCleanup(app, func(context.Context, none) (*heldValue, func(error) error, error) {
				return &heldValue{}, func(err error) error {
					if err == nil {
						t.Errorf("%s: the clean-up is told that all is well", name)
					}
					close(cleaned)
					return nil
				}, nil
			})
			declare(public, ended)
			url, client := live(t, app, http2)
			res := request(t, client, url+"/")
			if res.StatusCode != 200 || (res.ProtoMajor == 2) != http2 {
				t.Fatalf("%s: %s %s", name, res.Proto, res.Status)
			}
			within(t, name+": the clean-up", cleaned) // Not a byte of the body is read.
			if err := <-ended; err == nil {
				t.Errorf("%s: the iterator ends and its context does not", name)
			}
			_ = res.Body.Close()
			client.CloseIdleConnections()
			settled(t, name, before+4) // The server's own, and those of its connections.
		}
	})
}

type heldValue struct{}

// endless is content of a gigabyte.
type endless struct {
	at     int64
	closed func()
}

func (e *endless) Read(p []byte) (int, error) { e.at += int64(len(p)); return len(p), nil }
func (e *endless) Close() error               { e.closed(); return nil }
func (e *endless) Seek(offset int64, whence int) (int64, error) {
	if e.at = offset; whence == io.SeekEnd {
		e.at = 1 << 30
	}
	return e.at, nil
}

// settled waits until not more than n goroutines are there.
func settled(t *testing.T, what string, n int) {
	t.Helper()
	for deadline := time.Now().Add(patience); runtime.NumGoroutine() > n; {
		if time.Now().After(deadline) {
			stacks := make([]byte, 64<<10)
			t.Fatalf("%s: %d goroutines are left, want at most %d\n%s", what, runtime.NumGoroutine(), n, stacks[:runtime.Stack(stacks, true)])
		}
		runtime.Gosched()
	}
}

// TestStreamEndsWhenItsCallerLeaves: nobody sends anything, and it is noticed all the
// same.
func TestStreamEndsWhenItsCallerLeaves(t *testing.T) {
	both(t, func(t *testing.T, http2 bool) {
		app, public := open(fastness.Config{})
		next, ended := make(chan string, 1), make(chan struct{})
		fastness.Get(public, "/", forever(next, ended))
		url, client := live(t, app, http2)
		next <- "hello"
		res := request(t, client, url+"/")
		if line, err := bufio.NewReader(res.Body).ReadString('\n'); line != "data: \"hello\"\n" {
			t.Fatalf("%q, %v", line, err)
		}
		_ = res.Body.Close()
		within(t, "the iterator", ended)
	})
}

// TestStreamOutlastsTheLimitsOfARequest: those of the server, and of the operation.
func TestStreamOutlastsTheLimitsOfARequest(t *testing.T) {
	both(t, func(t *testing.T, http2 bool) {
		app, public := open(fastness.Config{})
		fastness.Get(public, "/", func(ctx context.Context, _ none) (fastness.SSE[int], error) {
			return fastness.SSE[int]{Events: func(yield func(fastness.Event[int], error) bool) {
				ticks := time.NewTicker(60 * time.Millisecond)
				defer ticks.Stop()
				for n := range 12 {
					select {
					case <-ticks.C:
					case <-ctx.Done():
						return
					}
					if !yield(fastness.Event[int]{Data: n}, nil) {
						return
					}
				}
			}}, nil
		}, fastness.Timeout(500*time.Millisecond), fastness.StreamLimits{Write: 500 * time.Millisecond})
		url, client := live(t, app, http2)
		body, err := io.ReadAll(request(t, client, url+"/").Body)
		if err != nil || !strings.HasSuffix(string(body), "data: 11\n\n") {
			t.Errorf("%q, %v, want twelve events", body, err)
		}
		// The connection is as good as before.
		body, err = io.ReadAll(request(t, client, url+"/").Body)
		if err != nil || !strings.HasSuffix(string(body), "data: 11\n\n") {
			t.Errorf("again: %q, %v, want twelve events", body, err)
		}
	})
}

// TestQuietStreamIsKeptOpen: the header comes within a second, and comments after it.
func TestQuietStreamIsKeptOpen(t *testing.T) {
	app, public := open(fastness.Config{})
	ended := make(chan struct{})
	fastness.Get(public, "/", forever(nil, ended), fastness.StreamLimits{Heartbeat: 50 * time.Millisecond})
	url, client := live(t, app, false)
	res := request(t, client, url+"/")
	beats := make([]byte, 3*len(eventstream.Comment))
	if _, err := io.ReadFull(res.Body, beats); err != nil || string(beats) != strings.Repeat(eventstream.Comment, 3) {
		t.Errorf("%q, %v, want three comments", beats, err)
	}
	_ = res.Body.Close()
	within(t, "the iterator", ended)
}

// TestStreamsHaveAnEnd: events end well, so that the client comes back; lines are cut.
func TestStreamsHaveAnEnd(t *testing.T) {
	both(t, func(t *testing.T, http2 bool) {
		app, public := open(fastness.Config{})
		next, ended := make(chan string, 1), make(chan struct{})
		next <- "hello"
		short := fastness.StreamLimits{Longest: time.Nanosecond}
		fastness.Get(public, "/events", forever(next, ended), short, fastness.Timeout(300*time.Millisecond))
		fastness.Get(public, "/lines", func(ctx context.Context, _ none) (fastness.JSONLines[string], error) {
			return fastness.JSONLines[string]{Items: func(yield func(string, error) bool) {
				yield("a", nil)
				<-ctx.Done()
			}}, nil
		}, short, fastness.Timeout(300*time.Millisecond))
		url, client := live(t, app, http2)
		if body, err := io.ReadAll(request(t, client, url+"/events").Body); err != nil || string(body) != "data: \"hello\"\n\n" {
			t.Errorf("events: %q, %v", body, err)
		}
		if body, err := io.ReadAll(request(t, client, url+"/lines").Body); err == nil || string(body) != "\"a\"\n" {
			t.Errorf("lines: %q, %v, want it cut", body, err)
		}
	})
}

// TestOperationThatDoesNotBeginToStreamIsTooLate: the operation's own limit holds until
// the header is sent.
func TestOperationThatDoesNotBeginToStreamIsTooLate(t *testing.T) {
	app, public := open(fastness.Config{})
	fastness.Get(public, "/", func(ctx context.Context, _ none) (fastness.JSONLines[string], error) {
		return fastness.JSONLines[string]{Items: func(yield func(string, error) bool) {
			<-ctx.Done()
			yield("", ctx.Err())
		}}, nil
	}, fastness.Timeout(100*time.Millisecond))
	url, client := live(t, app, false)
	res := request(t, client, url+"/")
	if body, _ := io.ReadAll(res.Body); res.StatusCode != 503 || !bytes.Contains(body, []byte(`"code":"timeout"`)) {
		t.Errorf("%s: %s", res.Status, body)
	}
}

// TestStreamThatBreaksOffIsCutOnTheWire: whoever reads lines sees that they are not all.
func TestStreamThatBreaksOffIsCutOnTheWire(t *testing.T) {
	both(t, func(t *testing.T, http2 bool) {
		app, public := open(fastness.Config{})
		fastness.Get(public, "/error", linesOf(errors.New("half"), strings.Repeat("x", 100_000)))
		fastness.Get(public, "/panic", func(context.Context, none) (fastness.JSONLines[string], error) {
			return fastness.JSONLines[string]{Items: func(yield func(string, error) bool) {
				yield(strings.Repeat("x", 100_000), nil)
				panic("half")
			}}, nil
		})
		fastness.Get(public, "/panic/first", func(context.Context, none) (fastness.SSE[string], error) {
			return fastness.SSE[string]{Events: func(func(fastness.Event[string], error) bool) { panic("first") }}, nil
		})
		url, client := live(t, app, http2)
		for _, path := range []string{"/error", "/panic"} {
			if body, err := io.ReadAll(request(t, client, url+path).Body); err == nil {
				t.Errorf("%s: %d bytes and a good end", path, len(body))
			}
		}
		if res := request(t, client, url+"/panic/first"); res.StatusCode != 500 {
			t.Errorf("a panic before the first event: %s", res.Status)
		}
	})
}

// TestStreamsEndWhenTheAppStops: events at once, and lines when all are sent.
func TestStreamsEndWhenTheAppStops(t *testing.T) {
	both(t, func(t *testing.T, http2 bool) {
		app, public := open(fastness.Config{})
		next, ended := make(chan string, 1), make(chan struct{})
		next <- "hello"
		fastness.Get(public, "/events", forever(next, ended))
		begun, stopped := make(chan struct{}), make(chan struct{})
		fastness.Get(public, "/lines", func(ctx context.Context, _ none) (fastness.JSONLines[string], error) {
			return fastness.JSONLines[string]{Items: func(yield func(string, error) bool) {
				if yield(strings.Repeat("x", 100_000), nil) {
					close(begun)
					<-stopped
					yield("last", ctx.Err())
				}
			}}, nil
		})
		url, client := live(t, app, http2)
		watching, exporting := request(t, client, url+"/events"), request(t, client, url+"/lines")
		events := eventstream.NewReader(watching.Body, 1<<10)
		if e, err := events.Next(); err != nil || e.Data != `"hello"` {
			t.Fatalf("%+v, %v", e, err)
		}
		<-begun
		if err := app.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		within(t, "the iterator", ended)
		if e, err := events.Next(); !errors.Is(err, io.EOF) {
			t.Errorf("%+v, %v, want a good end: the client comes back", e, err)
		}
		close(stopped)
		if body, err := io.ReadAll(exporting.Body); err != nil || !bytes.HasSuffix(body, []byte("\"last\"\n")) {
			t.Errorf("lines: %d bytes, %v, want all of them", len(body), err)
		}
	})
}

// TestOpenStreamsAreCountedAndLeaveTheRequestsAlone: they are no requests in flight.
func TestOpenStreamsAreCountedAndLeaveTheRequestsAlone(t *testing.T) {
	app, public := open(fastness.Config{MaxInFlight: 1, Connections: openconn.Config{PerClient: 2}})
	fastness.Get(public, "/events", func(ctx context.Context, _ none) (fastness.SSE[string], error) {
		return fastness.SSE[string]{Events: func(yield func(fastness.Event[string], error) bool) {
			if yield(fastness.Event[string]{Data: "hello"}, nil) {
				<-ctx.Done()
			}
		}}, nil
	})
	fastness.Get(public, "/", say("hello"))
	url, client := live(t, app, false)
	first, second := request(t, client, url+"/events"), request(t, client, url+"/events")
	if first.StatusCode != 200 || second.StatusCode != 200 {
		t.Fatalf("%s and %s", first.Status, second.Status)
	}
	if res := request(t, client, url+"/events"); res.StatusCode != 429 {
		t.Errorf("a third stream: %s, want 429", res.Status)
	}
	if res := request(t, client, url+"/"); res.StatusCode != 200 {
		t.Errorf("a request beside them: %s, want 200", res.Status)
	}
}

// leaver is a scheme whose users can log out.
type leaver struct {
	letters
	out chan struct{}
}

func (l leaver) Authenticate(ctx context.Context, r *http.Request) (*auth.User, error) {
	select {
	case <-l.out:
		return nil, &auth.Refusal{Code: "invalid_token"}
	default:
	}
	return l.letters.Authenticate(ctx, r)
}

// TestStreamEndsWithTheLogIn: who logs out reads no further.
func TestStreamEndsWithTheLogIn(t *testing.T) {
	app, _ := open(fastness.Config{})
	scheme := leaver{letters{name: "letter", header: "X-Letter", users: people()}, make(chan struct{})}
	app.Authenticate(scheme)
	next, ended := make(chan string, 1), make(chan struct{})
	next <- "hello"
	fastness.Get(app, "/", forever(next, ended), access.Authenticated)
	url, client := live(t, app, false)
	events := eventstream.NewReader(request(t, client, url+"/", "X-Letter", "ann").Body, 1<<10)
	if e, err := events.Next(); err != nil || e.Data != `"hello"` {
		t.Fatalf("%+v, %v", e, err)
	}
	close(scheme.out)
	within(t, "the iterator", ended)
	if e, err := events.Next(); err != nil || e.Name != "error" || !strings.Contains(e.Data, `"status":401`) {
		t.Errorf("%+v, %v, want the event that says so", e, err)
	}
}

// TestMiddlewareThatKeepsEverythingIsNoPlaceForAStream: it would hold all of it in
// memory.
func TestMiddlewareThatKeepsEverythingIsNoPlaceForAStream(t *testing.T) {
	app, public := open(fastness.Config{})
	fastness.Get(public, "/", eventsOf(nil, fastness.Event[string]{Data: "a"}), fastness.Middleware(func(next http.Handler) http.Handler {
		return http.TimeoutHandler(next, time.Minute, "")
	}))
	url, client := live(t, app, false)
	if res := request(t, client, url+"/"); res.StatusCode != 500 {
		t.Errorf("%s, want 500", res.Status)
	}
}
