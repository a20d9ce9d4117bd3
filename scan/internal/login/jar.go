package login

import (
	"net/http"
	"strings"

	"github.com/fastness/fastness/scan/wire"
)

// jar keeps cookies of a log-in. The scan talks to one host, so domain and path do not
// matter, and neither does Secure: a test server without TLS may still set it.
type jar struct{ cookies []*http.Cookie }

// setCookies returns the cookies that an answer sets.
func setCookies(ex *wire.Exchange) []*http.Cookie {
	if ex.Header == nil {
		return nil
	}
	return (&http.Response{Header: ex.Header}).Cookies()
}

// gone reports whether the cookie is to be removed.
func gone(c *http.Cookie) bool {
	return c.MaxAge < 0 || c.Value == "" || strings.EqualFold(c.Value, "deleted") || (!c.Expires.IsZero() && c.Expires.Year() < 2001)
}

// take keeps the cookies of an answer.
func (j *jar) take(ex *wire.Exchange) {
	for _, c := range setCookies(ex) {
		j.drop(c.Name)
		if !gone(c) {
			j.cookies = append(j.cookies, c)
		}
	}
}

func (j *jar) drop(name string) {
	kept := j.cookies[:0]
	for _, c := range j.cookies {
		if c.Name != name {
			kept = append(kept, c)
		}
	}
	j.cookies = kept
}

// apply adds the cookies to a request.
func (j *jar) apply(r *wire.Request) {
	var parts []string
	for _, c := range j.cookies {
		parts = append(parts, c.Name+"="+c.Value)
	}
	if len(parts) > 0 {
		r.Header.Set("Cookie", strings.Join(parts, "; "))
	}
}

// credentials returns the cookies as credentials.
func (j *jar) credentials() (out []Credential) {
	for _, c := range j.cookies {
		out = append(out, Credential{In: "cookie", Name: c.Name, Value: c.Value})
	}
	return out
}
