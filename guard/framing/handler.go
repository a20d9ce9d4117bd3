package framing

import (
	"io"
	"net/http"

	"github.com/fastness/fastness/problem"
)

// Handler returns a handler that answers the requests that the guard refused and
// passes the others on to next. A chunked body that turns out bad while next reads
// it fails with the problem.
//
// A request that came over no guarded connection, such as one of HTTP/2, whose
// framing is another, is held to the same limits and rules as far as a parsed
// request still shows them.
func (g *Guard) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := connOf(r)
		if c == nil {
			if bad := checkParsed(r, &g.cfg); bad != nil {
				g.cfg.Render(w, r, bad.problem())
				return
			}
			next.ServeHTTP(w, r)
			return
		}
		if p, ok := Refused(r); ok {
			w.Header().Set("Connection", "close")
			defer c.answered.Store(true)
			g.cfg.Render(w, r, p)
			return
		}
		if c.upgrade.Load() == upgradeAsked && asksUpgrade(r) {
			c.upgrade.Store(upgradeServed)
		}
		if len(r.TransferEncoding) > 0 {
			// net/http looks at the body of its own request when it decides
			// whether the connection can go on, so ours is a copy.
			guarded := *r
			guarded.Body = &body{r.Body, c}
			r = &guarded
			defer c.closeIfBodyRefused()
		}
		next.ServeHTTP(w, r)
	})
}

// Refused returns the problem that [Guard.Handler] answers r with, if r stands for
// a request that the guard refused. It is for what is wrapped around the handler,
// such as an access log: of the refused request itself nothing is left in r.
func Refused(r *http.Request) (*problem.Problem, bool) {
	c := connOf(r)
	if c == nil {
		return nil, false
	}
	v := c.refused.Load()
	if v == nil || v.inBody || r.URL.Path != v.path {
		return nil, false
	}
	return v.problem(), true
}

// asksUpgrade reports what head.upgrades does, of a parsed request.
func asksUpgrade(r *http.Request) bool {
	if !r.ProtoAtLeast(1, 1) || len(r.Header["Upgrade"]) == 0 {
		return false
	}
	for _, value := range r.Header["Connection"] {
		if lists(value, "upgrade") {
			return true
		}
	}
	return false
}

func (c *conn) closeIfBodyRefused() {
	if v := c.refused.Load(); v != nil && v.inBody {
		c.answered.Store(true)
	}
}

// body gives the reason why reading a chunked body failed.
type body struct {
	io.ReadCloser
	conn *conn
}

// Read reads the body.
func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && err != io.EOF {
		if v := b.conn.refused.Load(); v != nil && v.inBody {
			err = v.problem().Wrap(err)
		}
	}
	return n, err
}

// checkParsed holds a request that is already parsed to the rules.
func checkParsed(r *http.Request, limits *Config) *refusal {
	if len(r.Method) > maxMethod || !all(r.Method, methodByte) {
		return badRequest("malformed_method", "a method must be a token in capital letters")
	}
	if bad := checkMethod(r.Method); bad != nil {
		return bad
	}
	if max(len(r.RequestURI), len(r.URL.Path)+len(r.URL.RawQuery)) > limits.TargetBytes {
		return targetTooLong()
	}
	return checkParsedFields(r.Header, limits)
}

func checkParsedFields(fields http.Header, limits *Config) *refusal {
	count, size, cookies := 0, 0, 0
	for name, values := range fields {
		f := known(name)
		if len(values) > 1 && f != 0 && f&repeatable == 0 {
			return badRequest("duplicate_field", "a header field that may come once came twice")
		}
		for _, value := range values {
			count++
			size += len(name) + len(": \r\n") + len(value)
			switch f {
			case fieldCookie:
				cookies += len(value)
			case fieldContentLength: // To net/http one that it cannot read is 0, and the body is gone.
				if !isLength(value) {
					return badContentLength()
				}
			}
		}
	}
	switch {
	case count > limits.Fields:
		return &refusal{http.StatusRequestHeaderFieldsTooLarge, "too_many_fields", "the request has too many header fields"}
	case size > limits.HeadBytes:
		return &refusal{http.StatusRequestHeaderFieldsTooLarge, "header_too_large", "the header section is too large"}
	case cookies > limits.CookieBytes:
		return cookiesTooLarge()
	}
	return nil
}
