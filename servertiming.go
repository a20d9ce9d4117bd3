package fastness

import (
	"io"
	"net/http"
	"strconv"
	"time"
)

// The parts of a request whose times a developer is told, in the order of the chain.
type part int

const (
	inGuards  part = iota // up to the operation: who is calling, limits, the rule
	inBind                // reading and validating
	inProvide             // what providers make
	inHandler             // the function, or a mounted handler
	inEncode
	inCleanup // the clean-ups of providers: commit or roll back
	inInner   // behind middleware or in an app below, which tells its own parts
	parts
)

func (p part) String() string {
	return [parts]string{"guards", "bind", "provide", "handler", "encode", "cleanup", "inner"}[p]
}

// timings are where the time of a request went. The goroutine of the exchange writes
// them; behind middleware an exchange has its own.
type timings struct {
	start, since time.Time
	now          part
	spent        [parts]time.Duration
	seen         [parts]bool
	inner        bool // the total is for the exchange in front to tell
}

// enterPart says that p begins, and what went before ends. Outside of development it is
// nothing.
func (x *exchange) enterPart(p part) {
	if t := x.timings; t != nil {
		t.close(time.Now())
		t.now = p
	}
}

func (t *timings) close(now time.Time) {
	t.spent[t.now] += now.Sub(t.since)
	t.seen[t.now], t.since = true, now
}

// timed begins to tell the times of x, whose answer is written to w.
//
// They are told in development only, and to this machine only: how long a step takes
// tells a stranger what it found, a user that exists or a cache that knew. Who comes
// by way of a proxy that nobody trusts, such as a tunnel, is a stranger. Pages of other
// origins cannot read the field: the answer has no Timing-Allow-Origin, and CORS does
// not expose it.
func (x *exchange) timed(w http.ResponseWriter, inner bool) {
	t := &timings{start: x.ctx.start, since: x.ctx.start, inner: inner}
	if inner {
		t.since = time.Now()
	}
	x.timings = t
	x.sent.ResponseWriter = &timedWriter{ResponseWriter: w, ctx: &x.ctx, timings: t}
}

// timedWriter adds the field Server-Timing to an answer when its header is sent.
type timedWriter struct {
	http.ResponseWriter
	ctx     *requestContext
	timings *timings
	told    bool
}

// tell writes the field (Server Timing, W3C), once: durations are in milliseconds.
func (w *timedWriter) tell() {
	if w.told {
		return
	}
	w.told = true
	if client := w.ctx.client; !client.Addr.IsLoopback() || client.Ignored {
		return
	}
	t := w.timings
	now := time.Now()
	t.close(now)
	text := make([]byte, 0, 128)
	for p := range parts {
		if t.seen[p] {
			text = appendTiming(text, p.String(), t.spent[p])
		}
	}
	if !t.inner {
		text = appendTiming(text, "total", now.Sub(t.start))
	}
	w.Header().Add("Server-Timing", string(text))
}

func appendTiming(text []byte, name string, d time.Duration) []byte {
	if len(text) > 0 {
		text = append(text, ", "...)
	}
	text = append(append(text, name...), ";dur="...)
	return strconv.AppendFloat(text, float64(d.Microseconds())/1000, 'f', -1, 64)
}

func (w *timedWriter) WriteHeader(status int) {
	if status >= 200 || status == http.StatusSwitchingProtocols {
		w.tell()
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *timedWriter) Write(b []byte) (int, error) {
	w.tell()
	return w.ResponseWriter.Write(b)
}

func (w *timedWriter) ReadFrom(src io.Reader) (int64, error) {
	w.tell()
	return io.Copy(w.ResponseWriter, src)
}

func (w *timedWriter) FlushError() error {
	w.tell()
	return http.NewResponseController(w.ResponseWriter).Flush()
}

func (w *timedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
