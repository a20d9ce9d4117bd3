package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/serve"
	"golang.org/x/net/http2"
)

// largeAnswer is more than the kernel keeps for a client that does not read:
// Linux makes the room of a fast loopback connection as large as 32 MiB at one
// end and 4 MiB at the other.
const largeAnswer = 64 << 20

// hasty is a stack that gives nobody much time.
type hasty struct {
	*stack
	large atomic.Int64 // large answers that were begun
	over  atomic.Int64 // and those that the server is done with
}

// client opens a connection for each request: here they do not last.
func (s *hasty) client(t *testing.T) *client {
	c := s.stack.client(t)
	c.transport.DisableKeepAlives = true
	return c
}

// serveHasty serves the shop with time limits of a second.
func serveHasty(t *testing.T, plain bool) *hasty {
	t.Helper()
	baseline := goroutines()
	s := &hasty{stack: &stack{dir: t.TempDir()}}
	app, _ := testApp()
	fastness.ProvideValue(app, inFolder(t, s.dir))
	large := bytes.Repeat([]byte("x"), largeAnswer)
	watched := fastness.Middleware(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			defer s.over.Add(1)
			next.ServeHTTP(w, r)
		})
	})
	fastness.Get(app, "/large", func(context.Context, struct{}) (fastness.Raw, error) {
		s.large.Add(1)
		return fastness.Raw{ContentType: "text/plain", Body: large}, nil
	}, access.Public, watched)
	if err := app.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	ready, ended := make(chan net.Addr, 1), make(chan error, 1)
	server, err := serve.New(serve.Config{
		Addr: "127.0.0.1:0", DataDir: s.dir, PlainHTTP: plain, Logger: slog.New(slog.DiscardHandler),
		ReadHeaderTimeout: time.Second, ReadTimeout: time.Second, WriteTimeout: time.Second, IdleTimeout: time.Second,
		Ready: func(addr net.Addr) { ready <- addr },
	}, app)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	go func() { ended <- server.Run(ctx) }()
	s.addr = (<-ready).String()
	if !plain {
		s.tls = trusting(t, s.dir)
	}
	t.Cleanup(func() {
		stop()
		if err := errors.Join(<-ended, app.Stop(context.Background())); err != nil {
			t.Error(err)
		}
		wantSettled(t, baseline)
	})
	return s
}

// crowd is how many slow clients there are at once.
const crowd = 30

// slowly lets a crowd of clients send raw and then, byte by byte, rest, for as
// long as the server lets them, and returns the first answer to each. Meanwhile
// others are served.
func (s *hasty) slowly(t *testing.T, raw, rest string) (statuses map[int]int) {
	t.Helper()
	ends := make(chan int, crowd)
	for range crowd {
		conn := s.dial(t)
		go func() {
			tick := time.NewTicker(20 * time.Millisecond)
			defer tick.Stop()
			_, err := io.WriteString(conn, raw)
			for i := 0; err == nil && i < len(rest); i++ {
				<-tick.C
				_, err = io.WriteString(conn, rest[i:i+1])
			}
		}()
		go func() {
			replies, err := readReplies(bufio.NewReader(conn), http.MethodGet)
			_ = conn.Close()
			if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
				ends <- -1
			} else if len(replies) == 0 {
				ends <- 0
			} else {
				ends <- replies[0].status
			}
		}()
	}
	c := s.client(t)
	statuses = make(map[int]int)
	for range crowd {
		if got := c.get("/items/1"); got.status != http.StatusOK {
			t.Errorf("others get %d, want 200", got.status)
		}
		statuses[<-ends]++
	}
	return statuses
}

func eachHasty(t *testing.T, attack func(*testing.T, *hasty)) {
	t.Helper()
	t.Run("over TLS", func(t *testing.T) { attack(t, serveHasty(t, false)) })
	t.Run("over plain HTTP", func(t *testing.T) { attack(t, serveHasty(t, true)) })
}

// Slowloris: many connections, each with a head that never comes to its end.
func TestSlowHeadIsCutOff(t *testing.T) {
	const head = "GET /items/ HTTP/1.1\r\nHost: localhost\r\nX: "
	eachHasty(t, func(t *testing.T, s *hasty) {
		if got := s.slowly(t, head, strings.Repeat("y", 300)); got[http.StatusRequestTimeout]+got[0] != crowd {
			t.Errorf("a head that never ends: %v, want 408 or the end for all", got)
		}
		if got := s.slowly(t, "", ""); got[0] != crowd {
			t.Errorf("silence: %v, want all closed", got)
		}
		if got := s.slowly(t, "GET /items/1 HTTP/1.1\r\nHost: localhost\r\n\r\n", head); got[http.StatusOK] != crowd {
			t.Errorf("a slow second head: %v, want 200 for all first ones, and then the end", got)
		}
	})
}

func TestSlowBodyIsCutOff(t *testing.T) {
	const head = "POST /test/items/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
	eachHasty(t, func(t *testing.T, s *hasty) {
		for name, raw := range map[string]string{
			"by length": head + "Content-Length: 1000\r\n\r\n", "in chunks": head + "Transfer-Encoding: chunked\r\n\r\n3e8\r\n",
		} {
			got := s.slowly(t, raw, strings.Repeat(" ", 300))
			if got[-1] > 0 || got[http.StatusCreated] > 0 || got[http.StatusInternalServerError] > 0 || got[http.StatusRequestTimeout]+got[http.StatusBadRequest]+got[0] != crowd {
				t.Errorf("%s: %v, want 408, 400 or the end for all", name, got)
			}
		}
	})
}

// A client that does not read keeps the answer in memory.
func TestSlowReaderIsCutOff(t *testing.T) {
	eachHasty(t, func(t *testing.T, s *hasty) {
		c := s.client(t)
		conns := make([]net.Conn, 5)
		for i := range conns {
			conns[i] = s.dial(t)
			_, _ = io.WriteString(conns[i], "GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n")
		}
		if got := c.get("/items/1"); got.status != http.StatusOK {
			t.Errorf("others get %d, want 200", got.status)
		}
		if !eventually(func() bool { return s.large.Load() == int64(len(conns)) }) {
			t.Fatalf("%d answers began, want %d", s.large.Load(), len(conns))
		}
		if !eventually(func() bool { return s.over.Load() == int64(len(conns)) }) {
			t.Errorf("the server is done with %d answers of %d", s.over.Load(), len(conns))
		}
		for _, conn := range conns {
			n, err := io.Copy(io.Discard, conn)
			if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() || n >= largeAnswer {
				t.Errorf("the server had patience for %d bytes (%v)", n, err)
			}
		}
	})
}

// A client that connects to the TLS port and says nothing, or half a word.
func TestSlowHandshakeIsCutOff(t *testing.T) {
	s := serveHasty(t, false)
	conns := make(map[string]net.Conn)
	for _, begin := range []string{"", "\x16", "\x16\x03\x01\x02\x00\x01"} {
		conns[begin] = (&stack{addr: s.addr}).dial(t) // Without a handshake.
		_, _ = io.WriteString(conns[begin], begin)
	}
	for begin, conn := range conns {
		_, err := io.Copy(io.Discard, conn)
		if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
			t.Errorf("%q: the connection is still open", begin)
		}
		_ = conn.Close()
	}
	if got := s.client(t).get("/items/1"); got.status != http.StatusOK {
		t.Errorf("others get %d, want 200", got.status)
	}
}

func TestSlowHTTP2ClientIsCutOff(t *testing.T) {
	s := serveHasty(t, false)
	post := request("POST", "/test/items/", "content-type", "application/json", "content-length", "1000")
	conns := make(map[string]*h2conn)
	for name, attack := range map[string]func() *h2conn{
		"says nothing": func() *h2conn { return s.h2(t) },
		"does not end its head": func() *h2conn {
			c := s.h2(t)
			_ = c.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: post, EndStream: true})
			return c
		},
		"does not end its body": func() *h2conn {
			c := s.h2(t)
			_ = c.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: post, EndHeaders: true})
			_ = c.WriteData(1, false, []byte(" "))
			return c
		},
		"leaves no window for the answer": func() *h2conn {
			c := s.h2(t, http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0})
			_ = c.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: request("GET", "/large"), EndHeaders: true, EndStream: true})
			return c
		},
		"opens its window by one byte at a time": func() *h2conn {
			c := s.h2(t, http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1})
			_ = c.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: request("GET", "/large"), EndHeaders: true, EndStream: true})
			for range 100 {
				_ = c.WriteWindowUpdate(1, 1)
			}
			return c
		},
	} {
		conns[name] = attack()
	}
	for name, c := range conns {
		t.Run(name, func(t *testing.T) {
			defer c.conn.Close()
			for {
				frame, err := c.ReadFrame()
				if err != nil {
					if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
						t.Error("the server still waits")
					}
					return
				}
				switch f := frame.(type) {
				case *http2.RSTStreamFrame, *http2.GoAwayFrame:
					return
				case *http2.MetaHeadersFrame:
					if status := f.PseudoValue("status"); status == "201" || status == "500" {
						t.Errorf("the answer is %s", status)
					} else if f.StreamEnded() {
						return
					}
				case *http2.DataFrame:
					if f.StreamEnded() {
						return
					}
				}
			}
		})
	}
	if got := s.client(t).get("/items/1"); got.status != http.StatusOK {
		t.Errorf("others get %d, want 200", got.status)
	}
}
