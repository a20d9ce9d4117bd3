// Package csrf refuses requests that a page of another site makes a browser
// send, with the cookies of its owner (cross-site request forgery).
//
//	guard, err := csrf.New(csrf.Config{Keys: csrf.FromRing(ring, "csrf"), Session: sessionID})
//	server.Handler = guard.Handler(mux)
//
// There are two layers, and [Guard.Handler] has both.
//
// # Where the request comes from
//
// [Guard.CheckOrigin] needs no state and no token. Browsers say in Sec-Fetch-Site
// which page has made a request, and no page can change that field. Where it is
// missing, in browsers from before 2023 and over plain HTTP, they name the page in
// Origin. For methods that change something:
//
//   - Sec-Fetch-Site same-origin and none (typed, or from a bookmark): passes.
//   - same-site and cross-site: refused, unless Origin is one of TrustedOrigins. A
//     sibling domain is another origin, and one with a hole in it is an attacker's.
//   - no Sec-Fetch-Site, and Origin is the server's own, scheme and all, or a trusted
//     one: passes. Another Origin, null too, is refused. A page loaded without TLS is
//     anybody's on the way.
//   - either field twice, or with a value that no browser sends: refused.
//   - neither field: passes. No browser sends such a request with an unsafe method.
//
// Null passes beside same-origin: that is what a page with the policy no-referrer
// sends to its own server.
//
// A WebSocket handshake is a GET, and no CORS rule keeps a page from opening one
// and reading along. It is checked like an unsafe method. So is a GET that has an
// effect, if [Guard.CheckEffects] is asked about it; it is stricter still.
//
// The server's own origin is what the Host says. Which hosts it has is for package
// host to check: without it, a rebound name is its own origin.
//
// # Tokens
//
// The second layer holds where the first has a gap: a browser without these fields,
// a proxy that takes them away, a hole in a browser. [Guard.Token] gives the browser
// a cookie with 256 random bits, which no page can read and no other host can set
// (prefix __Host-), and returns a token for a header or a hidden form field:
//
//	seal(version, time, nonce, SHA-256 of the cookie, the session and the action)
//
// A token is good for one browser, one session, one action and one hour, or for one
// request with OneTime. A pair of cookie and token that an attacker has got for
// their own session and plants in a victim's browser is for another session. Every
// token is encrypted with a new nonce, so that no two answers have the same bytes
// and a compressed page gives nothing away of it (BREACH).
//
// The session is an id that begins at log-in and ends at log-out; "" is nobody. With
// the log-in the token of the log-in form ends, and so do those of pages that are
// open elsewhere in the browser. They must be loaded again.
//
//	token, err := guard.Token(w.Header(), r, session)            // GET: into the page
//	<input type="hidden" name="csrf-token" value="{{.Token}}">   // or the header X-CSRF-Token
//	err := guard.Check(r, session)                               // POST
//
// What remains: a pair of cookie and token that belongs to no session, planted
// before the log-in, fits the log-in form (login CSRF). Against that stand the prefix
// of the cookie and the first layer. And a script of the own pages can do whatever
// their user can; tokens are no defence against that.
//
// # Refusals
//
// All are a 403 with a code:
//
//	cross_site           the first layer refuses
//	csrf_missing_cookie  there is no cookie
//	csrf_missing_token   there is no token in the places where it may be
//	csrf_invalid         not a token of these keys, or in a form that none has; two cookies
//	csrf_mismatch        a token of another browser, session or action
//	csrf_expired         older than MaxAge
//	csrf_replayed        used before (OneTime)
//
// If the keys or the memory of used tokens cannot be reached, it is a 503 with the
// code csrf_unavailable: nothing passes unchecked.
//
// # Coming from fastapi-csrf-protect
//
//	secret_key, salt            Keys: a ring, and its purpose
//	cookie_key                  CookieName
//	cookie_path, cookie_domain  CookiePath, CookieDomain, with InsecureCookieScope
//	cookie_samesite             CookieSameSite; none with InsecureSameSiteNone
//	cookie_secure=False         InsecureHTTP
//	httponly=False              InsecureReadableCookie
//	header_name, header_type    Header, HeaderPrefix
//	token_location, token_key   TokenLocation, Field
//	max_age, methods            MaxAge; Methods, which count here
//
// There the cookie is the signed token, for whoever has it. Here the token is bound
// to the cookie and the session, and the cookie alone is good for nothing.
package csrf

import (
	"fmt"
	"net/http"
	"time"

	"github.com/fastness/fastness/guard/replay"
	"github.com/fastness/fastness/problem"
)

// Guard checks requests. It is safe for concurrent use.
type Guard struct {
	keys    Keys
	replay  Replay // nil if tokens may be used again
	now     func() time.Time
	scheme  func(*http.Request) string
	session func(*http.Request) string
	maxAge  time.Duration
	action  string

	trusted   map[string]struct{}
	methods   map[string]struct{} // nil is every unsafe one
	exempt    []Exemption
	cookie    cookie
	header    string // in canonical form
	prefix    string
	field     string
	location  Location
	bodyLimit int64
}

// maxUsed is how many used tokens are remembered by default, at 50 bytes each: 260
// requests a second for as long as a token lasts.
const maxUsed = 1 << 20

// New returns a guard, or an error that names every mistake in cfg.
func New(cfg Config) (*Guard, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	g := &Guard{
		keys: cfg.Keys, now: cfg.Now, scheme: cfg.Scheme, session: cfg.Session, maxAge: cfg.MaxAge,
		trusted: make(map[string]struct{}, len(cfg.TrustedOrigins)), exempt: append([]Exemption(nil), cfg.Exempt...),
		cookie: newCookie(&cfg), header: http.CanonicalHeaderKey(cfg.Header), prefix: cfg.HeaderPrefix, field: cfg.Field,
		location: cfg.TokenLocation, bodyLimit: cfg.BodyLimit,
	}
	if cfg.OneTime {
		if g.replay = cfg.Replay; cfg.Replay == nil {
			memory, err := replay.NewMemory(replay.Config{Max: maxUsed, Now: cfg.Now})
			if err != nil {
				return nil, fmt.Errorf("csrf config: %w", err)
			}
			g.replay = memory
		}
	}
	for _, origin := range cfg.TrustedOrigins {
		g.trusted[origin] = struct{}{}
	}
	if len(cfg.Methods) > 0 {
		g.methods = make(map[string]struct{}, len(cfg.Methods))
		for _, method := range cfg.Methods {
			g.methods[method] = struct{}{}
		}
	}
	return g, nil
}

// For returns a guard whose tokens are good for one action only, such as "delete
// account": a token that leaks from one form does not serve for another. Actions
// are told apart byte for byte; "" is the guard without an action.
func (g *Guard) For(action string) *Guard {
	only := *g
	only.action = action
	return &only
}

// Names returns what the cookie, the header and the form field are called. What
// TokenLocation rules out is "".
func (g *Guard) Names() (cookie, header, field string) {
	header, field = g.header, g.field
	switch g.location {
	case HeaderOnly:
		field = ""
	case FieldOnly:
		header = ""
	}
	return g.cookie.name, header, field
}

// Handler refuses requests that either layer refuses. The session is what
// Config.Session says.
func (g *Guard) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if h := w.Header(); !isSafe(r.Method) || isHandshake(r) { // A cache must not answer one site with what another got.
			h["Vary"] = append(h["Vary"], "Sec-Fetch-Site", "Origin")
		}
		if err := g.judge(r); err != nil {
			problem.Write(w, problem.From(err))
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (g *Guard) judge(r *http.Request) error {
	why := g.exemption(r)
	if why.InsecureAnyOrigin == "" {
		if err := g.CheckOrigin(r); err != nil {
			return err
		}
	}
	if why.InsecureNoToken != "" || !g.NeedsToken(r) {
		return nil
	}
	return g.Check(r, g.sessionOf(r))
}

func (g *Guard) sessionOf(r *http.Request) string {
	if g.session == nil {
		return ""
	}
	return g.session(r)
}

// TokenHandler answers a GET with a token for the header, for programs in the
// browser that have no form to read it from:
//
//	{"csrf_token":"…"}
//
// It refuses pages of other origins, whatever CORS says of them, unless they are
// trusted.
func (g *Guard) TokenHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			problem.Write(w, problem.New(http.StatusMethodNotAllowed, "").With("Allow", "GET, HEAD"))
			return
		}
		if !g.fromOwnPage(r) {
			problem.Write(w, crossSite())
			return
		}
		token, err := g.Token(w.Header(), r, g.sessionOf(r))
		if err != nil {
			problem.Write(w, problem.From(err))
			return
		}
		body := append(problem.AppendString([]byte(`{"csrf_token":`), token), '}')
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(body) // The client is gone if this fails.
	})
}

// The refusals. Each is a new value: who gets one may add to it.

func refuse(code, detail string) *problem.Problem {
	return &problem.Problem{Status: http.StatusForbidden, Code: code, Detail: detail}
}

func crossSite() *problem.Problem {
	return refuse("cross_site", "the request comes from another site")
}

func missingCookie() *problem.Problem {
	return refuse("csrf_missing_cookie", "the CSRF cookie is missing")
}

func missingToken() *problem.Problem {
	return refuse("csrf_missing_token", "the CSRF token is missing")
}

func invalid(detail string) *problem.Problem { return refuse("csrf_invalid", detail) }

func invalidToken() *problem.Problem { return invalid("the CSRF token is invalid") }

func mismatch() *problem.Problem {
	return refuse("csrf_mismatch", "the CSRF token is for another browser, session or action")
}

func expired() *problem.Problem { return refuse("csrf_expired", "the CSRF token has expired") }

func replayed() *problem.Problem { return refuse("csrf_replayed", "the CSRF token was used before") }

func unavailable(cause error) *problem.Problem {
	return problem.New(http.StatusServiceUnavailable, "CSRF tokens cannot be checked now").
		Named("csrf_unavailable").With("Retry-After", "1").Wrap(cause)
}
