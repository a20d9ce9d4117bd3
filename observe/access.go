package observe

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"runtime/debug"
	"strconv"
	"time"
	"unicode/utf8"
)

// The longest text of a caller in a log line, in bytes.
const (
	maxMethod = 32
	maxText   = 256
	maxPanic  = 1024
)

// Access is what the log says about one request. Its texts may be as the caller
// sent them: Log escapes and cuts them.
type Access struct {
	Method string
	// Route is the pattern that matched, "" if none did.
	Route string
	// Path is the path in its encoded form, without the query.
	Path      string
	UserAgent string
	Status    int
	// Bytes is how many bytes of the body were written.
	Bytes    int64
	Duration time.Duration
	Client   netip.Addr
	// RequestID is the id that the answer carries.
	RequestID string
	// User is the id of the verified caller, or "".
	User string
	// Code is that of the problem that was the answer, or "".
	Code string
	// CloseCode is how a WebSocket ended, 0 for any other answer; Received and Sent are
	// how many messages came and went.
	CloseCode      int
	Received, Sent int64
	// Aborted is set if the connection was cut before the answer was whole.
	Aborted bool
}

// AccessOf returns what r and its answer tell. Client, Duration, RequestID and
// Aborted are for the caller to fill in.
func AccessOf(r *http.Request, w *Recorder) Access {
	a := Access{
		Method: r.Method, Route: r.Pattern, Path: pathOf(r.URL), UserAgent: r.UserAgent(),
		Status: w.Status(), Bytes: w.Bytes(),
	}
	if r.Method == http.MethodHead { // The server drops what a handler writes.
		a.Bytes = 0
	}
	return a
}

// pathOf allocates only if the path does not mean what it says.
func pathOf(u *url.URL) string {
	if u == nil {
		return ""
	}
	return u.EscapedPath()
}

// Log writes the line.
func (a *Access) Log(ctx context.Context, logger *slog.Logger) {
	if !logger.Enabled(ctx, slog.LevelInfo) {
		return
	}
	attrs := [15]slog.Attr{
		slog.String("method", Printable(a.Method, maxMethod)),
		slog.String("route", a.Route),
		slog.String("path", Printable(a.Path, maxText)),
		slog.Int("status", a.Status),
		slog.Int64("bytes", a.Bytes),
		millisecondsAttr("duration_ms", a.Duration),
		slog.String("client", clientText(a.Client)),
		slog.String("user_agent", Printable(a.UserAgent, maxText)),
		slog.String("request_id", a.RequestID),
	}
	n := 9
	if a.User != "" {
		attrs[n] = slog.String("user", Printable(a.User, maxText))
		n++
	}
	if a.Code != "" {
		attrs[n] = slog.String("code", a.Code)
		n++
	}
	if a.CloseCode != 0 {
		attrs[n], attrs[n+1], attrs[n+2] = slog.Int("close_code", a.CloseCode), slog.Int64("received", a.Received), slog.Int64("sent", a.Sent)
		n += 3
	}
	if a.Aborted {
		attrs[n] = slog.Bool("aborted", true)
		n++
	}
	logger.LogAttrs(ctx, slog.LevelInfo, "request", attrs[:n]...)
}

// millisecondsAttr has up to three decimals, and none where a text handler would
// write an exponent for them. Whoever reads a log need not know the unit of a
// time.Duration, which JSON does not say.
func millisecondsAttr(key string, d time.Duration) slog.Attr {
	if d = d.Round(time.Microsecond); d >= 1000*time.Second || d%time.Millisecond == 0 {
		return slog.Int64(key, d.Round(time.Millisecond).Milliseconds())
	}
	return slog.Float64(key, float64(d.Microseconds())/1000)
}

func clientText(addr netip.Addr) string {
	if !addr.IsValid() {
		return ""
	}
	return addr.String()
}

// LogPanic writes a recovered panic with its stack at level Error. It is called
// by the function that recovered, while the stack is still there. The value is
// cut: some are whole requests.
func LogPanic(ctx context.Context, logger *slog.Logger, requestID string, value any) {
	logger.LogAttrs(ctx, slog.LevelError, "panic",
		slog.String("panic", Printable(fmt.Sprint(value), maxPanic)),
		slog.String("request_id", requestID),
		slog.String("stack", string(debug.Stack())))
}

// Printable returns s, at most max bytes of it, with whatever does not print
// as itself escaped as in a Go string: control characters, line and paragraph
// separators, characters that turn the direction of the text or have no width,
// and bytes that are not UTF-8. A backslash is doubled, so that an escape cannot
// be forged. A text that was cut ends in "…", beyond max. What is harmless is
// returned without an allocation.
func Printable(s string, max int) string {
	if len(s) <= max && isPlain(s) {
		return s
	}
	buf := make([]byte, 0, min(len(s), max)+len("…"))
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		mark := len(buf)
		switch {
		case r == utf8.RuneError && size == 1:
			const hexDigits = "0123456789abcdef"
			buf = append(buf, '\\', 'x', hexDigits[s[0]>>4], hexDigits[s[0]&15])
		case r == '\\':
			buf = append(buf, `\\`...)
		case strconv.IsPrint(r):
			buf = append(buf, s[:size]...)
		default:
			quoted := strconv.AppendQuoteRune(buf, r) // 'x', with its quotes
			buf = append(quoted[:mark], quoted[mark+1:len(quoted)-1]...)
		}
		if len(buf) > max {
			return string(append(buf[:mark], "…"...))
		}
		s = s[size:]
	}
	return string(buf)
}

// isPlain reports whether s is printable ASCII without a backslash.
func isPlain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '\\' {
			return false
		}
	}
	return true
}
