package serve

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/fastness/fastness/problem"
	"github.com/fastness/fastness/redirect"
)

// challengePath is where a certificate authority looks for the proof that a name is
// the server's (RFC 8555 section 8.3). It comes without TLS.
const challengePath = "/.well-known/acme-challenge/"

// RedirectConfig configures a [Redirect].
type RedirectConfig struct {
	// Origin returns the https origin that a request is led to: a scheme, a host and
	// a port unless it is 443, such as "https://api.example.com". Return one that is
	// in the configuration, or make it of r.Host only after an allowlist took that:
	// otherwise whoever forges a Host header chooses where others are led. An error
	// ends the request; it is shown if it is a *problem.Problem. It is required.
	Origin func(r *http.Request) (string, error)
	// Challenge, if not nil, answers GET below "/.well-known/acme-challenge/", for
	// certificates by ACME. It must answer from what it was told to publish, and from
	// nothing else: this is the one thing that is served without TLS.
	Challenge http.Handler
	// Answer, if not nil, writes the answer: a redirect to location (see
	// [WriteRedirect]), or p if that is not nil. It is for the log, and for the form
	// of errors. It gets the requests that the framing guard has refused, too, of
	// which r tells nothing. It must write nothing that is not for everybody to read.
	Answer func(w http.ResponseWriter, r *http.Request, location string, p *problem.Problem)
}

// Redirect is what a server answers without TLS: it leads people to HTTPS, and
// refuses programs.
//
// Somebody who types an address without "https://" must find the site. A program
// must not: a client that is configured with "http://" and follows redirects works,
// and sends its key or its user's password in clear text with each request, before
// each redirect, for years. So only GET and HEAD of a browser that asks for a page
// (Accept names text/html) are answered 308 with the same path on HTTPS. All else is
// answered 403, "https_required", without a Location: it fails on the first day.
// That is whatever carries a credential or a body, and every other method.
//
// The answer cannot take back what was sent. Who sees 403 with a credential in the
// request has to replace that credential. Nor can it delete a cookie that came along:
// over HTTP an attacker on the way could set it anew, and browsers ignore such an
// answer for cookies that are Secure. Cookies that are Secure, as all of an app are,
// do not come here in the first place.
//
// A redirect stays on the site: the host is from Origin, and a target that is not
// plainly a path leads to "/". It is not to be kept (no-store), as it depends on the
// headers of the request. HSTS is not for here (RFC 6797 section 7.2).
type Redirect struct {
	cfg    RedirectConfig
	refuse *problem.Problem
	close  []string // a header value, shared by all answers
}

// NewRedirect returns a redirect, or an error that names every mistake in cfg.
func NewRedirect(cfg RedirectConfig) (*Redirect, error) {
	if cfg.Origin == nil {
		return nil, errors.New("serve redirect config: Origin is nil, want a function that returns an origin such as https://api.example.com")
	}
	if cfg.Answer == nil {
		cfg.Answer = newAnswer()
	}
	refuse := problem.New(http.StatusForbidden, "use https: this was sent without encryption, and so was any credential in it").Named("https_required")
	return &Redirect{cfg: cfg, refuse: refuse, close: []string{"close"}}, nil
}

// Check returns where r is led to, or a [*problem.Problem] that refuses it.
func (d *Redirect) Check(r *http.Request) (location string, err error) {
	if !asksForPage(r) {
		return "", d.refuse
	}
	origin, err := d.cfg.Origin(r)
	if err != nil {
		return "", problem.From(err)
	}
	if !isOrigin(origin) {
		return "", problem.New(http.StatusInternalServerError, "").Wrap(errors.New("the Origin of the redirect to HTTPS is not one"))
	}
	path, err := redirect.Path(r.RequestURI)
	if err != nil { // Perhaps another site's; the front page is ours.
		path = "/"
	}
	return origin + path, nil
}

// ServeHTTP answers r, and has the connection closed. It does not read the body.
func (d *Redirect) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header()["Connection"] = d.close
	if d.cfg.Challenge != nil && r.Method == http.MethodGet && strings.HasPrefix(r.URL.Path, challengePath) {
		d.cfg.Challenge.ServeHTTP(w, r)
		return
	}
	location, err := d.Check(r)
	if err != nil {
		d.cfg.Answer(w, r, "", problem.From(err))
		return
	}
	d.cfg.Answer(w, r, location, nil)
}

// Handler returns a handler for which all requests without TLS are d's, and all
// others next's: for a server of net/http that listens for both.
func (d *Redirect) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.TLS == nil {
			d.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// render answers what the framing guard has refused.
func (d *Redirect) render(w http.ResponseWriter, r *http.Request, p *problem.Problem) {
	d.cfg.Answer(w, r, "", p)
}

// WriteRedirect writes the answer 308, which keeps the method (RFC 9110 section
// 15.4.9), and is not to be stored: the next one who asks for the address may be a
// program.
func WriteRedirect(w http.ResponseWriter, location string) {
	h := w.Header()
	h["Location"] = []string{location}
	h["Cache-Control"] = []string{"no-store"}
	h["Content-Length"] = []string{"0"}
	w.WriteHeader(http.StatusPermanentRedirect)
}

// newAnswer returns the Answer where there is no app.
func newAnswer() func(http.ResponseWriter, *http.Request, string, *problem.Problem) {
	policy := []string{"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"} // Shared by all answers.
	referrer, sniff := []string{"no-referrer"}, []string{"nosniff"}
	return func(w http.ResponseWriter, _ *http.Request, location string, p *problem.Problem) {
		h := w.Header()
		h["Content-Security-Policy"], h["Referrer-Policy"], h["X-Content-Type-Options"] = policy, referrer, sniff
		if p != nil {
			problem.Write(w, p)
			return
		}
		WriteRedirect(w, location)
	}
}

// credentials are the fields in which a request says who is calling. A browser that
// opens an address sends none of them but cookies that are not Secure.
func credentials() [4]string {
	return [...]string{"Authorization", "Cookie", "Proxy-Authorization", "X-Api-Key"}
}

// asksForPage reports whether r is a browser's that opens an address, and sends
// nothing that anybody on the way should not have.
func asksForPage(r *http.Request) bool {
	if r.Method != http.MethodGet && r.Method != http.MethodHead || r.ContentLength != 0 {
		return false
	}
	for _, name := range credentials() {
		if len(r.Header[name]) > 0 {
			return false
		}
	}
	for _, value := range r.Header["Accept"] {
		for item := range strings.SplitSeq(value, ",") {
			media, parameters, _ := strings.Cut(item, ";")
			if strings.EqualFold(strings.TrimSpace(media), "text/html") && !isZeroQuality(parameters) {
				return true
			}
		}
	}
	return false
}

// isZeroQuality reports whether the parameters of a media range say that it is not
// acceptable (RFC 9110 section 12.4.2).
func isZeroQuality(parameters string) bool {
	for parameter := range strings.SplitSeq(parameters, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(parameter), "=")
		if !strings.EqualFold(name, "q") {
			continue
		}
		quality, err := strconv.ParseFloat(value, 64)
		return err != nil || quality <= 0
	}
	return false
}

// isOrigin reports whether s is "https://" and what only a host and a port consist
// of, so that no path behind it can become a part of the host.
func isOrigin(s string) bool {
	host, found := strings.CutPrefix(s, "https://")
	return found && host != "" && !slices.ContainsFunc([]byte(host), func(c byte) bool {
		return !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-._:[]", c) >= 0)
	})
}
