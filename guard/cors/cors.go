// Package cors says which pages of other origins may read the answers of an API.
//
// A browser keeps an answer from a page of another origin unless the answer says
// that this origin may have it (Fetch standard, "HTTP-network-or-cache fetch" and
// "CORS check"). That sentence is all of CORS: it opens, it does not close. It
// stops no request that a form could send either; package csrf does.
//
//	policy, err := cors.New(cors.Config{
//		Origins:     []string{"https://app.example.com"},
//		Headers:     []string{"Authorization"},
//		Credentials: true,
//	})
//	server.Handler = policy.Handler(mux)
//
// The zero [Config] allows nothing: no answer has a header of CORS, and OPTIONS is
// a method like any other.
//
// # What goes wrong elsewhere
//
// Most holes are comparisons. "Ends in example.com" lets in evilexample.com, a
// regular expression whose dots are not escaped lets in appXexample.com, and the
// origin "null", which every sandboxed frame has, lets in everybody. Here an origin
// is allowed if it is, byte for byte, in the list, and [New] refuses entries that no
// browser ever sends: with a path, a default port, capitals.
//
// The second kind are caches. An answer that names one origin must not be served
// to a page of another, so every answer has "Vary: Origin" if any origin is allowed:
// those without an Origin in the request, and errors, too. A handler that varies by
// something else adds to the header (http.Header.Add) and does not replace it.
package cors

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fastness/fastness/problem"
)

// Config configures a [Policy]. The zero value is the secure choice.
type Config struct {
	// Origins are those that may read answers, as browsers write them:
	//
	//	https://app.example.com       this host on port 443
	//	https://app.example.com:8443  this host on that port
	//	http://localhost:5173         without TLS on this machine only
	//	https://xn--bcher-kva.example a name beyond ASCII
	//	https://*.example.com         any one label, with InsecureSubdomains
	//
	// The default is none.
	Origins []string
	// Methods are those that a page may use after a preflight. A path that does
	// not have a method does not get it by this. The default is DELETE, GET, HEAD,
	// PATCH, POST and PUT.
	Methods []string
	// Headers are the request headers that a page may set, beside Accept,
	// Accept-Language, Content-Language and Content-Type. "*" is not one: it would
	// let in each that is invented later. The default is none more.
	Headers []string
	// ExposeHeaders are the response headers that a page may read, beside those
	// that it always may (Cache-Control, Content-Type, Expires and the like).
	// The default is none more.
	ExposeHeaders []string
	// Credentials lets pages send the browser's own credentials for this site
	// (cookies, client certificates) and read the answers to that. A page that
	// sets Authorization itself does not need it.
	Credentials bool
	// MaxAge is how long a browser may keep the answer to a preflight, in whole
	// seconds, at most a day; Chromium keeps it for two hours at most. The default
	// is ten minutes: so long does an origin that is taken off the list live on.
	MaxAge time.Duration
	// PrivateNetwork lets public pages of Origins ask for a server in a private
	// network, in the browsers that ask (Access-Control-Request-Private-Network).
	// Newer ones ask the user and not the server.
	PrivateNetwork bool
	// InsecureAnyOrigin, if not empty, says why every page may read every answer:
	// Access-Control-Allow-Origin is "*". It rules out Origins and Credentials.
	// [Policy.Allowed] still knows no origin. An API that is reached from within
	// a network, or knows its callers by their address, must not have it.
	InsecureAnyOrigin string
	// InsecureSubdomains, if not empty, says why entries such as
	// "https://*.example.com" are in order. Whoever gets hold of any such name, by
	// a forgotten DNS record or a page of his own there, reads what users read.
	InsecureSubdomains string
	// InsecureHTTPOrigins, if not empty, says why entries without TLS are in
	// order beyond this machine. Everybody on the way can put a script into their
	// pages.
	InsecureHTTPOrigins string
}

// Policy decides which origins read answers. It is safe for concurrent use.
type Policy struct {
	any         bool
	exact       map[string][]string // an origin, and the value of the header that allows it
	wildcards   map[string]struct{} // "https://.example.com:8443" for https://*.example.com:8443
	methods     []string
	headers     map[string]struct{} // in lower case
	credentials bool
	private     bool

	// Values of headers, shared by all answers. Their capacity is their length,
	// so that http.Header.Add copies them.
	varyOrigin, varyAll, star, yes, expose, allowHeaders, maxAge []string
}

// New returns the policy, or an error that names every mistake in cfg.
func New(cfg Config) (*Policy, error) {
	cfg = cfg.withDefaults()
	p := &Policy{
		any: cfg.InsecureAnyOrigin != "", exact: map[string][]string{}, wildcards: map[string]struct{}{},
		headers: map[string]struct{}{}, methods: slices.Clone(cfg.Methods), credentials: cfg.Credentials, private: cfg.PrivateNetwork,
		varyOrigin: one("Origin"), varyAll: one("Origin, Access-Control-Request-Method, Access-Control-Request-Headers"),
		star: one("*"), yes: one("true"), maxAge: one(strconv.FormatInt(int64(cfg.MaxAge/time.Second), 10)),
	}
	if p.any {
		p.varyAll = one("Access-Control-Request-Method, Access-Control-Request-Headers")
	}
	var mistakes []error
	for _, entry := range cfg.Origins {
		if err := p.add(&cfg, entry); err != nil {
			mistakes = append(mistakes, fmt.Errorf("Origins entry %q %w", entry, err))
		}
	}
	mistakes = append(mistakes, cfg.mistakes()...)
	if len(mistakes) > 0 {
		return nil, fmt.Errorf("cors config: %w", errors.Join(mistakes...))
	}
	if len(cfg.ExposeHeaders) > 0 {
		p.expose = one(strings.Join(cfg.ExposeHeaders, ", "))
	}
	names := []string{"accept", "accept-language", "content-language", "content-type"}
	for _, name := range cfg.Headers {
		names = append(names, strings.ToLower(name))
	}
	for _, name := range names {
		p.headers[name] = struct{}{}
	}
	p.allowHeaders = one(strings.Join(names, ", "))
	return p, nil
}

func one(value string) []string { return []string{value} }

func (c Config) withDefaults() Config {
	if len(c.Methods) == 0 {
		c.Methods = []string{"DELETE", "GET", "HEAD", "PATCH", "POST", "PUT"}
	}
	if c.MaxAge == 0 {
		c.MaxAge = 10 * time.Minute
	}
	return c
}

// Allowed reports whether origin is one of those listed: for other defences that
// trust the same pages, such as the one against forged requests. It is false for
// all origins under InsecureAnyOrigin: that everybody may read what is public does
// not mean that everybody's forms are welcome.
func (p *Policy) Allowed(origin string) bool {
	_, ok := p.exact[origin]
	return ok || len(p.wildcards) > 0 && p.underWildcard(origin)
}

// Check returns a [*problem.Problem] with status 400 if r has several Origin
// fields: which of them counts, another part of the way may see otherwise.
func (p *Policy) Check(r *http.Request) error {
	if len(r.Header["Origin"]) > 1 {
		return problem.New(http.StatusBadRequest, "the request has more than one Origin").Named("ambiguous_origin")
	}
	return nil
}

// Set sets the headers of an answer to r, which a page of an allowed origin may
// then read. Call it for every answer, the errors too, and before [Policy.Preflight]:
// a page that cannot read the 422 does not know what is wrong.
func (p *Policy) Set(h http.Header, r *http.Request) {
	if p.any {
		h["Access-Control-Allow-Origin"] = p.star
		p.exposeTo(h)
		return
	}
	if len(p.exact) == 0 && len(p.wildcards) == 0 {
		return
	}
	vary(h, p.varyOrigin)
	if p.allow(h, r) {
		p.exposeTo(h)
	}
}

// allow names the origin of r in h if it is one of those listed.
func (p *Policy) allow(h http.Header, r *http.Request) bool {
	fields := r.Header["Origin"]
	if len(fields) != 1 {
		return false
	}
	value, ok := p.exact[fields[0]]
	if !ok {
		if len(p.wildcards) == 0 || !p.underWildcard(fields[0]) {
			return false
		}
		value = one(fields[0])
	}
	h["Access-Control-Allow-Origin"] = value
	if p.credentials {
		h["Access-Control-Allow-Credentials"] = p.yes
	}
	return true
}

func (p *Policy) exposeTo(h http.Header) {
	if p.expose != nil {
		h["Access-Control-Expose-Headers"] = p.expose
	}
}

// vary adds value to what the answer varies by. Most answers vary by nothing else.
func vary(h http.Header, value []string) {
	old := h["Vary"]
	if len(old) == 0 || len(old) == 1 && old[0] == "Origin" {
		h["Vary"] = value
		return
	}
	h["Vary"] = slices.Concat(old, value)
}

// Handler sets the headers before next runs, and answers preflights itself.
func (p *Policy) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.Set(w.Header(), r)
		err := p.Check(r)
		preflight := false
		if err == nil {
			preflight, err = p.Preflight(w.Header(), r, "")
		}
		switch {
		case err != nil:
			problem.Write(w, problem.From(err))
		case preflight:
			w.WriteHeader(http.StatusNoContent)
		default:
			next.ServeHTTP(w, r)
		}
	})
}
