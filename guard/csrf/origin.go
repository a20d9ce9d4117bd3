package csrf

import (
	"crypto/tls"
	"net/http"
	"path"
	"strings"

	"github.com/fastness/fastness/internal/origin"
)

// CheckOrigin returns a [*problem.Problem] if r may change something, or opens a
// WebSocket, and comes from a page of another origin. The package comment has the
// rules. It reads header fields only.
func (g *Guard) CheckOrigin(r *http.Request) error {
	if isSafe(r.Method) && !isHandshake(r) || g.fromOwnPage(r) {
		return nil
	}
	return crossSite()
}

// CheckEffects does the same for an operation that has an effect whatever its
// method is. A GET of that kind is easier to forge: a link does, and an image.
// So it passes only if a page of the own origin, or a trusted one, has made it:
//
//   - Sec-Fetch-Site none is refused. It is the typed address, but also the link in a
//     mail, a document or a QR code, and the attacker writes those.
//   - neither field is refused if the request carries what a browser adds by itself (a
//     cookie, a certificate, Authorization of another scheme than Bearer): browsers
//     from before 2023, and all of them over plain HTTP, send a GET without either.
//
// An unsafe method is judged as by [Guard.CheckOrigin].
func (g *Guard) CheckEffects(r *http.Request) error {
	if isSafe(r.Method) && !isHandshake(r) {
		sites := r.Header["Sec-Fetch-Site"]
		typed := len(sites) == 1 && sites[0] == "none"
		silent := len(sites) == 0 && len(r.Header["Origin"]) == 0
		if typed || silent && isAmbient(r) {
			return crossSite()
		}
	}
	if !g.fromOwnPage(r) {
		return crossSite()
	}
	return nil
}

// NeedsToken reports whether r has a method that needs a token: every unsafe one,
// or those of Config.Methods.
func (g *Guard) NeedsToken(r *http.Request) bool {
	if g.methods == nil {
		return !isSafe(r.Method)
	}
	_, listed := g.methods[r.Method]
	return listed
}

// isSafe is about the methods of RFC 9110 section 9.2.1 without TRACE, which no
// page can send and nobody should serve. Methods are case-sensitive.
func isSafe(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions
}

// isHandshake reports whether r asks for another protocol than HTTP. Browsers do
// for WebSockets only (RFC 6455 section 4.1); one field of a handshake is enough,
// since servers differ in which of them they look at. Over HTTP/2 a handshake is a
// CONNECT (RFC 8441), which is no safe method.
func isHandshake(r *http.Request) bool {
	return len(r.Header["Upgrade"]) > 0 || len(r.Header["Sec-Websocket-Key"]) > 0 || len(r.Header["Sec-Websocket-Version"]) > 0 ||
		len(r.Header[":protocol"]) > 0
}

// isAmbient reports whether r carries what a browser adds to the requests of any
// page.
func isAmbient(r *http.Request) bool {
	if len(r.Header["Cookie"]) > 0 || r.TLS != nil && hasCertificate(r.TLS) {
		return true
	}
	for _, value := range r.Header["Authorization"] {
		if scheme, _, _ := strings.Cut(value, " "); !strings.EqualFold(scheme, "Bearer") {
			return true
		}
	}
	return false
}

func hasCertificate(state *tls.ConnectionState) bool { return len(state.PeerCertificates) > 0 }

// fromOwnPage judges Sec-Fetch-Site, and Origin where it is missing.
func (g *Guard) fromOwnPage(r *http.Request) bool {
	sites, origins := r.Header["Sec-Fetch-Site"], r.Header["Origin"]
	if len(sites) > 1 || len(origins) > 1 { // Of two, a proxy may have looked at the other one.
		return false
	}
	if len(sites) == 1 {
		switch sites[0] {
		case "same-origin", "none":
			return true
		case "same-site", "cross-site":
			return len(origins) == 1 && g.trusts(origins[0])
		}
		return false
	}
	return len(origins) == 0 || g.trusts(origins[0]) || origin.IsOwn(origins[0], r.Host, g.isSecure(r))
}

func (g *Guard) trusts(origin string) bool {
	_, ok := g.trusted[origin]
	return ok
}

func (g *Guard) isSecure(r *http.Request) bool {
	return r.TLS != nil || g.scheme != nil && g.scheme(r) != "http"
}

// exemption returns what Config.Exempt says of r.
func (g *Guard) exemption(r *http.Request) Exemption {
	for _, e := range g.exempt {
		method, route, found := strings.Cut(e.Route, " ")
		if !found {
			method, route = r.Method, e.Route
		}
		if method == r.Method && matches(route, r) {
			return e
		}
	}
	return Exemption{}
}

// matches compares paths as they were sent. A router that cleans or redirects a
// path serves something else than what is compared here, so only a path that
// nobody would change is below another.
func matches(route string, r *http.Request) bool {
	if r.URL == nil || r.URL.RawPath != "" {
		return false
	}
	sent := r.URL.Path
	if !strings.HasSuffix(route, "/") {
		return sent == route
	}
	return strings.HasPrefix(sent, route) && (path.Clean(sent) == sent || path.Clean(sent)+"/" == sent)
}
