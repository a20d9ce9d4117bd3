// Package framing refuses HTTP/1 requests whose borders two parsers could see
// in different places, before net/http serves them.
//
// Request smuggling lives on disagreement: a proxy and a server read the same
// bytes and find a different number of requests. net/http is lenient where that
// hurts: it serves a request that has both Content-Length and Transfer-Encoding
// and deletes the evidence before a handler runs, it takes a bare LF for a line
// end, folds continued lines, speaks HTTP/1.9. Only the connection sees the bytes
// as they came, so a [Guard] wraps the connection.
//
//	guard, err := framing.New(framing.Config{})
//	server := &http.Server{Handler: guard.Handler(app), ConnContext: guard.ConnContext}
//	server.Serve(guard.Listener(listener))
//
// All three parts are needed. The listener must hand out plain text: over TLS the
// guard wraps the decrypted connection ([Guard.Conn] of a *tls.Conn), as package
// serve does. The handler belongs outside of everything that looks at the host or
// the path.
//
// # How it works
//
// Reading from a guarded connection follows the stream of requests, head by head
// and body by body, so that it knows where the next head begins, however many
// requests are in the pipe. Bytes pass unchanged; net/http does the parsing. A
// head passes when all of it is in order, and not one byte of it before.
//
// A head that is not in order never reaches net/http, nor does anything behind it.
// An answer to an earlier request may be under way, so the guard does not write:
// it puts a request of its own in the place of the bad one, under a path that
// nobody can guess, and [Guard.Handler] answers that one with the problem. So the
// answer comes in its turn, and then the connection closes. If a chunked body
// turns out bad after its head has passed, reading the body fails with the problem
// (status 400) and the connection closes after the answer.
//
// # What is refused although an RFC would let it pass
//
// Chunk extensions: RFC 9112 section 7.1.1 wants unknown ones ignored but lets the
// server limit their length; the limit here is zero, because no known client sends
// them and parsers disagree on where they end. Empty lines before a request line
// (section 2.2): they are what an error of two in the length of the last body looks
// like. White space around the values of Content-Length and Transfer-Encoding
// beyond one space, "Chunked", and a Content-Length of 010, which some parsers take
// for 8: they are only ever seen in attacks. Two equal Content-Length fields. Bytes behind an upgrade request that come before its answer.
package framing

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/fastness/fastness/problem"
)

// Config sets the limits of a [Guard]. The zero value is the secure choice. Keep
// http.Server.MaxHeaderBytes above TargetBytes + HeadBytes, so that it is the guard
// that answers; net/http's default of 1 MiB is.
type Config struct {
	// TargetBytes limits the request target; beyond it the answer is 414. The
	// default is 8 KiB, the most is 64 KiB.
	TargetBytes int
	// HeadBytes limits the header section, line ends included; beyond it the
	// answer is 431. The default is 32 KiB, the most is 1 MiB less 128 KiB.
	HeadBytes int
	// Fields limits the number of header fields (431). The default is 100.
	Fields int
	// CookieBytes limits the Cookie values of a request together (431). The
	// default is 16 KiB.
	CookieBytes int
	// TrailerBytes limits the trailer section of a chunked body (400). The
	// default is 2 KiB, the most is 4 KiB: net/http takes no more.
	TrailerBytes int
	// HeadTimeout is the time from the first byte of a head to its last; beyond
	// it the answer is 408. The default is 5 seconds. http.Server.ReadHeaderTimeout
	// cannot do this alone: it does not see bytes that the guard holds back.
	HeadTimeout time.Duration
	// Render writes the answer to a refused request. The default is
	// [problem.Write].
	Render func(http.ResponseWriter, *http.Request, *problem.Problem)
}

func (cfg Config) withDefaults() Config {
	setDefault(&cfg.TargetBytes, 8<<10)
	setDefault(&cfg.HeadBytes, 32<<10)
	setDefault(&cfg.Fields, 100)
	setDefault(&cfg.CookieBytes, 16<<10)
	setDefault(&cfg.TrailerBytes, 2<<10)
	setDefault(&cfg.HeadTimeout, 5*time.Second)
	if cfg.Render == nil {
		cfg.Render = func(w http.ResponseWriter, _ *http.Request, p *problem.Problem) { problem.Write(w, p) }
	}
	return cfg
}

func setDefault[T comparable](field *T, value T) {
	if *field == *new(T) {
		*field = value
	}
}

func (cfg Config) validate() error {
	var mistakes []error
	for _, f := range [...]struct {
		name        string
		value, most int
	}{
		{"TargetBytes", cfg.TargetBytes, 64 << 10},
		{"HeadBytes", cfg.HeadBytes, 1<<20 - 128<<10},
		{"Fields", cfg.Fields, 10_000},
		{"CookieBytes", cfg.CookieBytes, 1<<20 - 128<<10},
		{"TrailerBytes", cfg.TrailerBytes, 4 << 10},
	} {
		if f.value < 1 || f.value > f.most {
			mistakes = append(mistakes, fmt.Errorf("%s is %d, want 1 to %d", f.name, f.value, f.most))
		}
	}
	if cfg.HeadTimeout < 0 {
		mistakes = append(mistakes, fmt.Errorf("HeadTimeout is %v, want more than 0", cfg.HeadTimeout))
	}
	return errors.Join(mistakes...)
}

// Guard watches the framing of the requests on its connections. It is safe for
// concurrent use.
type Guard struct {
	cfg     Config
	buffers sync.Pool // of *[heldBytes]byte
}

// New returns a guard, or an error that names every mistake in cfg.
func New(cfg Config) (*Guard, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, fmt.Errorf("framing config: %w", err)
	}
	return &Guard{cfg: cfg, buffers: sync.Pool{New: func() any { return new([heldBytes]byte) }}}, nil
}

// Limits returns the guard's configuration with the defaults filled in.
func (g *Guard) Limits() Config { return g.cfg }

// Listener returns l with every connection guarded. Its connections must carry
// plain text.
func (g *Guard) Listener(l net.Listener) net.Listener { return listener{l, g} }

type listener struct {
	net.Listener
	guard *Guard
}

func (l listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return l.guard.Conn(c), nil
}

// Conn guards one connection. If nc is a *tls.Conn (or has its ConnectionState
// method), so has the result, and net/http fills in Request.TLS from it.
func (g *Guard) Conn(nc net.Conn) net.Conn {
	c := &conn{Conn: nc, guard: g, stream: stream{limits: &g.cfg}}
	if state, ok := nc.(stater); ok {
		return &tlsConn{c, state}
	}
	return c
}

type contextKey struct{}

// ConnContext is for http.Server.ConnContext: it lets [Guard.Handler] find the
// connection of a request. Connections that are not guarded leave ctx as it is.
func (g *Guard) ConnContext(ctx context.Context, nc net.Conn) context.Context {
	switch c := nc.(type) {
	case *conn:
		return context.WithValue(ctx, contextKey{}, c)
	case *tlsConn:
		return context.WithValue(ctx, contextKey{}, c.conn)
	}
	return ctx
}

// connOf returns the guarded connection that r came over, or nil.
func connOf(r *http.Request) *conn {
	c, _ := r.Context().Value(contextKey{}).(*conn)
	return c
}
