package ws_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fastness/fastness/problem"
	"github.com/fastness/fastness/ws"
)

// TestAFloodOfMessagesIsStoppedAndDisturbsNobody: one peer sends as fast as it can, while others are
// answered as before.
func TestAFloodOfMessagesIsStoppedAndDisturbsNobody(t *testing.T) {
	addr := site(t, newServer(t, ws.Config{Rate: "1000/second"}), repeat[string])
	quiet := connect(t, addr)
	flooded := make(chan int)
	go func() {
		codes := 0
		for range 5 {
			c := connect(t, addr)
			go c.send(bytes.Repeat(masked(fin|text, `"x"`), 20_000))
			_, code := c.end()
			codes += code
		}
		flooded <- codes
	}()
	var times []time.Duration
	codes := 0
	for codes == 0 {
		start := time.Now()
		quiet.send(masked(fin|text, `"hello"`))
		if got, err := quiet.next(); err != nil || string(got.payload) != `"hello"` {
			t.Fatalf("the quiet one: %v, %v", got, err)
		}
		times = append(times, time.Since(start))
		select {
		case codes = <-flooded:
		case <-time.After(5 * time.Millisecond): // 200 a second are allowed.
		}
	}
	if codes != 5*1008 {
		t.Errorf("the floods were closed with %d in all, want 5 times 1008", codes)
	}
	slices.Sort(times)
	p99 := times[len(times)*99/100]
	t.Logf("%d messages of others during the floods, p99 %v", len(times), p99)
	if p99 > 500*time.Millisecond {
		t.Errorf("the others waited %v", p99)
	}
}

func TestFloodsOfPingsAndEmptyFragmentsAreStopped(t *testing.T) {
	addr := site(t, newServer(t, ws.Config{}), repeat[string])
	for name, sent := range map[string][]byte{
		"pings":           bytes.Repeat(masked(fin|ping, ""), 101),
		"pongs":           bytes.Repeat(masked(fin|pong, ""), 101),
		"empty fragments": append(masked(text, ""), bytes.Repeat(masked(rest, ""), 101)...),
		"messages":        bytes.Repeat(masked(fin|text, `"x"`), 101),
		"bad messages":    bytes.Repeat(masked(fin|text, `{`), 101),
	} {
		t.Run(name, func(t *testing.T) {
			c := connect(t, addr)
			c.send(sent)
			if before, code := c.end(); code != 1008 || len(before) > 100 {
				t.Errorf("closed with %d after %d frames, want 1008", code, len(before))
			}
		})
	}
}

// TestAPeerThatReadsSlowlyIsDropped: what waits for it is bounded, and who sends does not wait.
func TestAPeerThatReadsSlowlyIsDropped(t *testing.T) {
	for name, cfg := range map[string]ws.Config{
		"by the number of messages": {Queue: 8, QueueBytes: 1 << 30},
		"by their size":             {Queue: 1 << 20, QueueBytes: 256 << 10},
	} {
		t.Run(name, func(t *testing.T) {
			ended := make(chan error, 1)
			var sent atomic.Int64
			addr := site(t, newServer(t, cfg), func(_ context.Context, _ *http.Request, conn *ws.Conn[ws.None, string]) error {
				large := strings.Repeat("x", 64<<10)
				for {
					start := time.Now()
					if err := conn.Send(large); err != nil {
						ended <- err
						return err
					}
					sent.Add(1)
					if d := time.Since(start); d > 5*time.Second {
						t.Errorf("Send waited %v", d)
					}
				}
			})
			c := connect(t, addr) // It reads nothing.
			select {
			case err := <-ended:
				if closed, ok := errors.AsType[*ws.Closed](err); !ok || closed.Code != ws.CodeTryAgainLater {
					t.Errorf("Send() = %v, want 1013", err)
				}
			case <-time.After(10 * time.Second):
				t.Fatal("a peer that reads nothing is never dropped")
			}
			t.Logf("dropped after %d messages of 64 KiB", sent.Load())
			_ = c.Close()
		})
	}
}

// pipe serves one connection over a pipe, so that a test can run in a bubble of
// testing/synctest, and returns the client's end.
func pipe[In, Out any](t *testing.T, s *ws.Server, handle func(context.Context, *http.Request, *ws.Conn[In, Out]) error) *raw {
	t.Helper()
	h, err := ws.Handler(s, handle)
	if err != nil {
		t.Fatal(err)
	}
	ours, theirs := net.Pipe()
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(handshakeHead + "\r\n")))
	if err != nil {
		t.Fatal(err)
	}
	go h.ServeHTTP(&hijackable{httptest.NewRecorder(), theirs}, r)
	c := &raw{ours, t, bufio.NewReader(ours)}
	if res, err := http.ReadResponse(c.r, nil); err != nil || res.StatusCode != 101 {
		t.Fatalf("%v, %v", res, err)
	}
	return c
}

type hijackable struct {
	http.ResponseWriter
	conn net.Conn
}

func (h *hijackable) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return h.conn, bufio.NewReadWriter(bufio.NewReader(h.conn), bufio.NewWriter(h.conn)), nil
}

func TestPeersThatSayNothing(t *testing.T) {
	for _, tt := range []struct {
		name    string
		answers bool
		want    int
		after   time.Duration // at the latest, and more than half of it
	}{
		{"one that answers pings is closed when it was idle for long", true, ws.CodeIdle, time.Hour + time.Minute},
		{"one that answers nothing is dropped", false, 1006, 2 * time.Minute},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				c := pipe(t, newServer(t, ws.Config{}), repeat[string])
				code, pings := 1006, 0
				for {
					f, err := c.next()
					if err != nil {
						break
					}
					if f.first == fin|ping {
						if pings++; tt.answers {
							c.send(masked(fin|pong, string(f.payload)))
						}
					}
					if f.first == fin|closing {
						code = int(f.payload[0])<<8 | int(f.payload[1])
						c.send(closeFrame(code, ""))
						break
					}
				}
				if took := time.Since(start); code != tt.want || took > tt.after || took < tt.after/3 || pings == 0 {
					t.Errorf("closed with %d after %v and %d pings, want %d within %v", code, took, pings, tt.want, tt.after)
				}
				_ = c.Close()
			})
		})
	}
}

// A handler that is at work does not read the answers to pings: it is not its peer's fault.
func TestAPeerWhoseHandlerIsAtWorkStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := pipe(t, newServer(t, ws.Config{}), func(ctx context.Context, _ *http.Request, conn *ws.Conn[string, string]) error {
			if _, err := conn.Receive(ctx); err != nil {
				return err
			}
			select {
			case <-time.After(10 * time.Minute):
				return conn.Send("done")
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		})
		c.send(masked(fin|text, `"work"`))
		before, code := c.end()
		texts := slices.DeleteFunc(before, func(f frame) bool { return f.first != fin|text })
		if len(texts) != 1 || string(texts[0].payload) != `"done"` || code != 1000 {
			t.Errorf("%v, closed with %d", texts, code)
		}
	})
}

// TestHowAHandlerEndsIsHowTheConnectionDoes also wants that nothing of an unknown error is shown.
func TestHowAHandlerEndsIsHowTheConnectionDoes(t *testing.T) {
	for _, tt := range []struct {
		name   string
		err    error
		panics bool
		code   int
		reason string
		log    string
	}{
		{"it returns", nil, false, 1000, "", ""},
		{"it refuses", problem.New(403, "not your room"), false, 4403, "not your room", ""},
		{"it knows no such thing", problem.New(404, ""), false, 4404, "Not Found", ""},
		{"it fails", errors.New("pq: password of 10.0.0.1"), false, 1011, "internal error", "password of 10.0.0.1"},
		{"it fails with a problem", problem.New(500, "").Wrap(errors.New("the cause")), false, 1011, "internal error", "the cause"},
		{"it cannot do it now", problem.New(503, "later"), false, 1013, "try again later", ""},
		{"it panics", errors.New("a secret"), true, 1011, "internal error", "a secret"},
		{"its reason is long", problem.New(400, strings.Repeat("ä", 100)), false, 4400, strings.Repeat("ä", 61), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var logged bytes.Buffer
			s := newServer(t, ws.Config{Logger: slog.New(slog.NewTextHandler(&logged, nil))})
			c := connect(t, site(t, s, func(context.Context, *http.Request, *ws.Conn[ws.None, string]) error {
				if tt.panics {
					panic(tt.err)
				}
				return tt.err
			}))
			f, err := c.next()
			if err != nil || f.first != fin|closing || int(f.payload[0])<<8|int(f.payload[1]) != tt.code || string(f.payload[2:]) != tt.reason {
				t.Errorf("%v, %v, want %d %q", f, err, tt.code, tt.reason)
			}
			_ = c.Close()
			if err := s.Shutdown(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := logged.String(); tt.log == "" && got != "" || !strings.Contains(got, tt.log) {
				t.Errorf("log %q, want %q", got, tt.log)
			}
		})
	}
}

func TestTheServerStops(t *testing.T) {
	s := newServer(t, ws.Config{})
	addr := site(t, s, repeat[string])
	conns := make([]*raw, 50)
	for i := range conns {
		conns[i] = connect(t, addr)
	}
	stopped := make(chan error, 1)
	go func() { stopped <- s.Shutdown(t.Context()) }()
	for i, c := range conns {
		if f, err := c.next(); err != nil || f.String() != `close 1001 "the server stops"` {
			t.Fatalf("connection %d: %v, %v, want 1001", i+1, f, err)
		}
		c.send(closeFrame(1001, ""))
		if _, err := c.r.ReadByte(); err != io.EOF {
			t.Errorf("the server does not close: %v", err)
		}
	}
	if err := <-stopped; err != nil || s.Count() != 0 {
		t.Errorf("Shutdown() = %v, %d are open", err, s.Count())
	}
	if got, h := status(t, addr, handshakeHead+"\r\n"); got != 503 || h.Get("Retry-After") == "" {
		t.Errorf("after the stop: %d, want 503", got)
	}
}

// A handler that does not listen is cut off at the end of the time.
func TestAStopDoesNotWaitForEver(t *testing.T) {
	s := newServer(t, ws.Config{})
	release := make(chan struct{})
	c := connect(t, site(t, s, func(context.Context, *http.Request, *ws.Conn[string, string]) error {
		<-release
		return nil
	}))
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := s.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Shutdown() = %v", err)
	}
	close(release)
	_ = c.Close()
}
