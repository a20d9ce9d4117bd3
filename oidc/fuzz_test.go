package oidc

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/fastness/fastness/identity"
)

// FuzzRedirects: what is let through is what is registered, or has another port of
// the user's own device.
func FuzzRedirects(f *testing.F) {
	registered := []string{"https://web.example/cb?a=b", "com.example.app:/cb", "http://127.0.0.1/cb", "http://[::1]:1/"}
	for _, uri := range append(registered, "http://127.0.0.1:8080/cb", "http://[::1]/", "http://127.0.0.1:80@evil.example/cb",
		"http://127.0.0.1:1/cb#x", "http://127.0.0.1:99999/cb", "http://localhost/cb", "HTTP://127.0.0.1/cb", "http://127.0.0.1:/cb") {
		f.Add(uri)
	}
	c := &identity.Client{ID: "x", RedirectURIs: registered}
	f.Fuzz(func(t *testing.T, uri string) {
		if !redirects(c, uri) {
			return
		}
		for _, r := range registered {
			if uri == r {
				return
			}
		}
		u, err := url.Parse(uri)
		if err != nil || u.Scheme != "http" || u.User != nil || u.Fragment != "" ||
			(u.Hostname() != "127.0.0.1" || u.RequestURI() != "/cb") && (u.Hostname() != "::1" || u.RequestURI() != "/") {
			t.Errorf("%q is let through", uri)
		}
	})
}

// FuzzParameters: what is read is there once, and nothing else is.
func FuzzParameters(f *testing.F) {
	f.Add("client_id=a&client_id=b")
	f.Add("client_id=a&resource=b&resource=c&scope=+x+&state=%00")
	f.Add("code=%zz;code=1")
	f.Fuzz(func(t *testing.T, body string) {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		values, err := parameters(r, tokenParameters())
		if err != nil {
			return
		}
		theirs, _ := url.ParseQuery(body)
		for name, list := range values {
			if len(list) != 1 || list[0] == "" || len(theirs[name]) != 1 && strings.Join(theirs[name], "") != list[0] {
				t.Errorf("%q: %s is %q, net/url reads %q", body, name, list, theirs[name])
			}
		}
	})
}

// FuzzUnderWay: whatever a browser has in its cookie, it leads to this site.
func FuzzUnderWay(f *testing.F) {
	f.Add("eyJzIjoiYSIsInRvIjoiLy9ldmlsLmV4YW1wbGUifQ")
	f.Add("bnVsbA")
	l := NewLogin(LoginConfig{Name: "acme"})
	f.Fuzz(func(t *testing.T, value string) {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.AddCookie(&http.Cookie{Name: l.cookie(), Value: value})
		if got := l.underWay(r); got != nil && (!strings.HasPrefix(got.Next, "/") || strings.HasPrefix(got.Next, "//")) {
			t.Errorf("%q leads to %q", value, got.Next)
		}
	})
}
