package report

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/wire"
)

// Evidence is an exchange, as it is shown.
type Evidence struct {
	Says     string    `json:"says"`
	Request  *Message  `json:"request,omitempty"`
	Response *Response `json:"response,omitempty"`
	// Error is why there is no answer, or not all of it.
	Error string `json:"error,omitempty"`
	// Milliseconds until the first byte of the answer.
	Milliseconds int64 `json:"milliseconds"`
	// Curl is a command that sends the request again; $TOKEN_ALICE and such are to be set.
	Curl string `json:"curl,omitempty"`
}

// Message is a request.
type Message struct {
	User   string  `json:"user"`
	Method string  `json:"method"`
	Target string  `json:"target"` // path and query
	Header []Field `json:"header"`
	Body   Body    `json:"body"`
}

// Response is an answer.
type Response struct {
	Status int     `json:"status"`
	Header []Field `json:"header"`
	Body   Body    `json:"body"`
}

// Field is a line of a header.
type Field struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Body is what is shown of a body.
type Body struct {
	Text string `json:"text,omitempty"`
	// Bytes is how many there were, Cut whether Text has not all of them. A body that is no
	// text has no Text.
	Bytes int  `json:"bytes"`
	Cut   bool `json:"cut,omitempty"`
}

// What is shown of an exchange.
const (
	maxBody   = 4 << 10
	maxField  = 1 << 10
	maxFields = 40
	maxTarget = 2 << 10
	// maxCurlBody is the longest body that a command holds.
	maxCurlBody = 8 << 10
)

func (r *redactor) evidence(e finding.Evidence, target string) Evidence {
	out := Evidence{Says: r.text(e.Says)}
	ex := e.Exchange
	if ex == nil {
		return out
	}
	user := ex.Request.User
	if user == "" {
		user = "anonymous"
	}
	out.Request = &Message{
		User: user, Method: r.text(ex.Request.Method), Target: cut(r.text(ex.Request.Target()), maxTarget),
		Header: r.fields(ex.Request.Header), Body: r.body(ex.Request.Body, false),
	}
	out.Curl = r.curl(ex, target)
	if ex.Err != nil {
		out.Error = cut(r.text(ex.Err.Error()), maxField)
	}
	out.Milliseconds = ex.Took.Milliseconds()
	if ex.Status != 0 {
		out.Response = &Response{Status: ex.Status, Header: r.fields(ex.Header), Body: r.body(ex.Body, ex.Truncated)}
	}
	return out
}

func (r *redactor) fields(h http.Header) []Field {
	out := []Field{}
	for _, name := range slices.Sorted(maps.Keys(h)) {
		for _, v := range h[name] {
			if len(out) == maxFields {
				return append(out, Field{"…", "more are left out"})
			}
			out = append(out, Field{cut(r.text(name), maxField), cut(r.header(name, v), maxField)})
		}
	}
	return out
}

func (r *redactor) body(b []byte, truncated bool) Body {
	out := Body{Bytes: len(b), Cut: truncated}
	if isBinary(b) {
		out.Cut = len(b) > 0
		return out
	}
	// Redacted before it is cut: half a secret would not be found.
	out.Text = r.text(string(b[:min(len(b), 16*maxBody)]))
	if len(out.Text) > maxBody || len(b) > 16*maxBody {
		out.Text, out.Cut = cut(out.Text, maxBody), true
	}
	return out
}

// isBinary reports whether a body is no text: it has a NUL, or much that is not UTF-8.
func isBinary(b []byte) bool {
	wrong := 0
	for s := b[:min(len(b), maxBody)]; len(s) > 0; {
		c, n := utf8.DecodeRune(s)
		if c == 0 {
			return true
		}
		if c == utf8.RuneError && n == 1 {
			wrong++
		}
		s = s[n:]
	}
	return wrong > min(len(b), maxBody)/10
}

// cut returns at most n bytes of s, and says if that is not all.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}

// curl returns a command that sends the request again, unless it is too long for one.
func (r *redactor) curl(ex *wire.Exchange, target string) string {
	if len(ex.Request.Body) > maxCurlBody || len(ex.Request.Target()) > maxCurlBody {
		return ""
	}
	own := *ex
	if u, err := url.Parse(target); err == nil && own.Origin == "" {
		own.Origin = u.Scheme + "://" + u.Host
	}
	return own.Curl(func(s string) string {
		if name, value, ok := strings.Cut(s, ": "); ok && !strings.ContainsAny(name, " {\"") {
			return name + ": " + r.header(name, value)
		}
		return r.secrets.Text(s)
	})
}

// plain returns s with all that a terminal or a reader could be fooled with made visible.
// Newlines and tabs remain if lines is set.
func plain(s string, lines bool) string {
	s = wire.Printable(s)
	if !lines {
		s = strings.NewReplacer("\n", `\n`, "\t", `\t`).Replace(s)
	}
	return s
}
