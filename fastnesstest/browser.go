package fastnesstest

import (
	"encoding/json"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"

	"github.com/fastness/fastness"
)

// tokenPath is where most apps give CSRF tokens.
const tokenPath = "/csrftoken/"

// Browser is an [API] whose requests are those of the app's own pages in one
// browser: it keeps cookies, says where a request comes from, and gets a CSRF token
// for each request that may change something. The methods of API and the generic
// functions work with it:
//
//	ada := api.Browser()
//	ada.Submit("/login", url.Values{"username": {"ada"}, "password": {password}}).Want(303)
//	order := fastnesstest.Post[Order](ada.API, "/orders", NewOrder{Item: 1})
//	ada.Post("/orders", NewOrder{Item: 1}, fastnesstest.FromPage("https://evil.example")).WantProblem(403, "cross_site")
//	ada.Post("/orders", NewOrder{Item: 1}, fastnesstest.TokenFrom("")).WantProblem(403, "csrf_missing_cookie")
//
// Redirects are not followed. Cookies are kept as RFC 6265bis wants it: one whose
// name begins with __Host- or __Secure- and that breaks the rule of the prefix is
// dropped, and so is one that is Secure and comes without TLS. SameSite is not
// applied: a request of another page has the cookies, as one of a sibling domain
// has them, or of a browser that does not know SameSite.
type Browser struct{ *API }

// jar is what makes an API a browser.
type jar struct{ cookies *cookiejar.Jar }

// Browser returns a new browser without cookies. The options hold for all its
// requests, after those of the API.
func (a *API) Browser(options ...Option) *Browser {
	cookies, _ := cookiejar.New(nil) // It never fails.
	other := a.With(a.t, options...)
	other.jar = &jar{cookies}
	return &Browser{other}
}

// FromPage makes the request of a [Browser] one that a page of another origin has
// it send: with the cookies and without a token.
func FromPage(origin string) Option {
	return func(r *request) {
		site := "cross-site"
		if u, err := url.Parse(origin); err == nil && u.Hostname() == hostname(r.Request) {
			site = "same-site" // A port is another origin and the same site.
		}
		r.Header.Set("Sec-Fetch-Site", site)
		r.Header.Set("Origin", origin)
		r.tokenFrom = new(string)
	}
}

// TokenFrom says where a [Browser] gets CSRF tokens, if not at /csrftoken/: the path
// of an operation that is [fastness.NewCSRFToken]. "" means that it sends none. A
// request that has the header X-CSRF-Token by another option gets none, either.
func TokenFrom(path string) Option { return func(r *request) { r.tokenFrom = &path } }

// Cookie returns the value of the cookie that the browser would send with a request
// for "/", or "" if there is none.
func (b *Browser) Cookie(name string) string {
	b.t.Helper()
	sent := request{Request: b.blank("/")}
	for _, c := range b.jar.cookies.Cookies(addressOf(sent.Request)) {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

// SetCookie puts a cookie into the browser, as an answer of the app would, or
// somebody who can plant one. It reports one that no browser takes.
func (b *Browser) SetCookie(c *http.Cookie) {
	b.t.Helper()
	r := b.blank("/")
	if !storable(r, c) {
		b.t.Errorf("SetCookie(%s): no browser keeps this cookie from %s", c, addressOf(r))
		return
	}
	b.jar.cookies.SetCookies(addressOf(r), []*http.Cookie{c})
}

// blank returns a request to which only the options of the API apply.
func (a *API) blank(target string) *http.Request {
	a.t.Helper()
	r, err := newRequest(a.t.Context(), http.MethodGet, target, nil)
	if err != nil {
		a.t.Fatalf("GET %q: %v", target, err)
	}
	sent := request{Request: r}
	for _, o := range a.options {
		o(&sent)
	}
	return sent.Request
}

// dress adds what a browser adds to a request.
func (j *jar) dress(a *API, sent *request) {
	a.t.Helper()
	r := sent.Request
	for _, c := range j.cookies.Cookies(addressOf(r)) {
		Cookie(c.Name, c.Value)(sent)
	}
	safe := r.Method == http.MethodGet || r.Method == http.MethodHead || r.Method == http.MethodOptions
	if len(r.Header["Sec-Fetch-Site"]) == 0 && len(r.Header["Origin"]) == 0 {
		if r.TLS != nil { // Browsers say it to hosts with TLS only.
			r.Header.Set("Sec-Fetch-Site", "same-origin")
		}
		if !safe {
			r.Header.Set("Origin", originOf(r))
		}
	}
	if safe || sent.submits || len(r.Header["X-Csrf-Token"]) > 0 {
		return
	}
	path := tokenPath
	if sent.tokenFrom != nil {
		path = *sent.tokenFrom
	}
	if path != "" {
		j.fetchToken(a, sent, path)
	}
}

// fetchToken asks for a token on behalf of who sends the request.
func (j *jar) fetchToken(a *API, sent *request, path string) {
	a.t.Helper()
	r := httptest.NewRequestWithContext(sent.Context(), http.MethodGet, path, nil)
	r.Host, r.RemoteAddr, r.TLS = sent.Host, sent.RemoteAddr, sent.TLS
	r.Header.Set("Accept", "application/json")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if cookies := sent.Header.Get("Cookie"); cookies != "" {
		r.Header.Set("Cookie", cookies)
	}
	res := a.Send(r)
	if res.Status == http.StatusNotFound && sent.tokenFrom == nil {
		return // An app without cookies that say who is calling has no tokens.
	}
	var got fastness.CSRFToken
	if err := json.Unmarshal(res.Body, &got); err != nil || res.Status != http.StatusOK || got.Token == "" {
		a.t.Fatalf("%s: status %d, want a CSRF token; body %s", res.request, res.Status, res.shown())
	}
	before := make(map[string]bool)
	for _, c := range r.Cookies() {
		before[c.Name] = true
	}
	for _, c := range j.keep(r, res.Header) {
		if !before[c.Name] {
			Cookie(c.Name, c.Value)(sent)
		}
	}
	sent.Header.Set("X-CSRF-Token", got.Token)
}

// keep keeps the cookies of an answer and returns those that a browser takes.
func (j *jar) keep(r *http.Request, h http.Header) (kept []*http.Cookie) {
	for _, c := range (&http.Response{Header: h}).Cookies() {
		if storable(r, c) {
			kept = append(kept, c)
		}
	}
	j.cookies.SetCookies(addressOf(r), kept)
	return kept
}

// storable reports whether a browser takes a cookie of the answer to r (RFC 6265bis
// section 5.7). Names are compared without case, as browsers do.
func storable(r *http.Request, c *http.Cookie) bool {
	name := strings.ToLower(c.Name)
	switch {
	case c.Secure && r.TLS == nil:
		return false
	case strings.HasPrefix(name, "__host-"):
		return c.Secure && c.Path == "/" && c.Domain == ""
	case strings.HasPrefix(name, "__secure-"):
		return c.Secure
	}
	return true
}

// addressOf returns what a browser has in its address bar.
func addressOf(r *http.Request) *url.URL {
	u := &url.URL{Scheme: "https", Host: r.Host, Path: r.URL.Path}
	if r.TLS == nil {
		u.Scheme = "http"
	}
	return u
}

// originOf returns the origin that the host of a request has.
func originOf(r *http.Request) string { return addressOf(r).Scheme + "://" + r.Host }

func hostname(r *http.Request) string { return (&url.URL{Host: r.Host}).Hostname() }
