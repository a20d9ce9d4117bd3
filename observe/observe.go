// Package observe tells afterwards what happened to a request: it gives each
// request an id, writes one line about it, and turns a panic into an answer and
// a stack trace in the log.
//
//	server.Handler = observe.Handler(observe.Config{Logger: logger})(mux)
//
// # What is logged, and what never is
//
// One line per request at level Info, when it ends: method, route, path, status,
// bytes, duration, the client's address, the user agent and the request id.
// The query string is never logged, nor a header besides User-Agent, nor a body:
// they hold tokens and personal data.
//
// Everything a caller can choose is escaped by [Printable] and cut, so that a
// line stays one line and stays true in a terminal. A log that an attacker can
// write forged lines into, recolour, or turn around with U+202E is evidence
// that does not count.
//
// # The pieces
//
// [Handler] is made of parts that a chain of its own can call without a second
// wrapper: [IDs], [WithID], [Record], [Access] and [LogPanic].
package observe

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/fastness/fastness/guard/clientip"
	"github.com/fastness/fastness/problem"
)

// Config configures [Handler]. The zero value is the secure choice.
type Config struct {
	// Logger gets the lines. The default is slog.Default() at the time of the
	// call to Handler.
	Logger *slog.Logger
	// ClientAddr returns the client's address, for a server behind a trusted
	// proxy. The default is the address of the connection: a header that any
	// client can send is no address.
	ClientAddr func(*http.Request) netip.Addr
	// InsecureTrustRequestID, if not empty, says why the X-Request-Id of a
	// request becomes its id, if it is 1 to 64 letters, digits, "-", "_" or ".".
	// By default it is ignored: with it a client can give two requests the same
	// id, or the id of somebody else's.
	InsecureTrustRequestID string
}

// Handler gives each request an id (in its context and in X-Request-Id of the
// answer), logs it and recovers its panics. It should be the outermost handler.
//
// A panic is answered with an opaque 500 if nothing was written yet. Otherwise
// the connection is aborted, so that a cut answer is not taken for a whole one.
// [http.ErrAbortHandler] is passed on to the server.
func Handler(cfg Config) func(http.Handler) http.Handler {
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	if cfg.ClientAddr == nil {
		cfg.ClientAddr = clientip.Peer
	}
	ids := new(IDs)
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			id := ""
			if cfg.InsecureTrustRequestID != "" {
				id = trustedID(r)
			}
			if id == "" {
				id = ids.New()
			}
			r = r.WithContext(WithID(r.Context(), id))
			w.Header()["X-Request-Id"] = []string{id}
			recorder := Record(w)
			defer cfg.end(recorder, r, id, time.Now())
			next.ServeHTTP(recorder, r)
		})
	}
}

// end is deferred: it must call recover itself.
func (c *Config) end(w *Recorder, r *http.Request, id string, start time.Time) {
	v := recover()
	abort := v != nil && (v == http.ErrAbortHandler || w.Started())
	switch {
	case v == nil:
		w.implicitOK()
	case v != http.ErrAbortHandler:
		LogPanic(r.Context(), c.Logger, id, v)
		if !abort {
			answerPanic(w, id)
		}
	}
	a := AccessOf(r, w)
	a.Client, a.RequestID, a.Duration, a.Aborted = c.ClientAddr(r), id, time.Since(start), abort
	a.Log(r.Context(), c.Logger)
	if abort {
		panic(http.ErrAbortHandler)
	}
}

// answerPanic answers 500. What the handler had prepared for its own answer
// must not go with it: a cookie of half a login, the length of another body.
func answerPanic(w *Recorder, id string) {
	DropPrepared(w.Header())
	p := problem.New(http.StatusInternalServerError, "")
	p.Instance = id
	problem.Write(w, p)
}

// DropPrepared deletes the headers that a handler set for an answer which is
// then not sent: an error answer must not carry the cookie of half a log-in.
func DropPrepared(h http.Header) {
	for _, name := range []string{
		"Content-Length", "Content-Encoding", "Content-Disposition", "Content-Language", "Content-Range", "Etag", "Last-Modified",
		"Location", "Set-Cookie", "Transfer-Encoding", "Trailer",
	} {
		delete(h, name)
	}
}

type idKey struct{}

// WithID returns a context that carries a request id.
func WithID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, idKey{}, id)
}

// ID returns the request id that ctx carries, or "".
func ID(ctx context.Context) string {
	id, _ := ctx.Value(idKey{}).(string)
	return id
}

func trustedID(r *http.Request) string {
	values := r.Header["X-Request-Id"]
	if len(values) != 1 || len(values[0]) > 64 {
		return ""
	}
	for i := range len(values[0]) {
		switch c := values[0][i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '.':
		default:
			return ""
		}
	}
	return values[0]
}
