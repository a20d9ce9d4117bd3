package ws

import (
	"encoding/base64"
	"net/http"
	"strings"

	"github.com/fastness/fastness/internal/field"
	"github.com/fastness/fastness/internal/origin"
	"github.com/fastness/fastness/problem"
)

// CheckHandshake returns a [*problem.Problem] if r is not a request for a WebSocket
// as RFC 6455 section 4.2.1 wants it: 426 if it asks for nothing of that kind, 400 if
// it is malformed, 405 if it is no GET.
func CheckHandshake(r *http.Request) error {
	h := r.Header
	switch {
	case r.Method != http.MethodGet:
		return problem.New(http.StatusMethodNotAllowed, "a WebSocket is opened by GET").With("Allow", http.MethodGet)
	case r.ContentLength != 0 || len(r.TransferEncoding) > 0:
		return malformed("a handshake has no body") // What follows could be read as frames, or as the next request.
	case r.ProtoMajor != 1 || !r.ProtoAtLeast(1, 1):
		return upgradeRequired("a WebSocket is opened over HTTP/1.1")
	case !lists(h["Connection"], "upgrade") || len(h["Upgrade"]) == 0:
		return upgradeRequired("a WebSocket is served here")
	case len(h["Upgrade"]) > 1 || !strings.EqualFold(h["Upgrade"][0], "websocket"):
		return malformed("the only upgrade here is to websocket")
	case len(h["Sec-Websocket-Version"]) != 1 || h["Sec-Websocket-Version"][0] != "13":
		return upgradeRequired("the version of WebSocket is 13").With("Sec-WebSocket-Version", "13")
	case len(h["Sec-Websocket-Key"]) != 1 || !isKey(h["Sec-Websocket-Key"][0]):
		return malformed("the key of a handshake is 16 bytes in base64")
	}
	return nil
}

func malformed(detail string) *problem.Problem {
	return problem.New(http.StatusBadRequest, detail).Named("malformed_handshake").With("Connection", "close")
}

func upgradeRequired(detail string) *problem.Problem {
	return problem.New(http.StatusUpgradeRequired, detail).Named("websocket_required").With("Upgrade", "websocket").With("Connection", "Upgrade")
}

// lists reports whether a field that is a list has the token, whatever its case.
func lists(values []string, token string) bool {
	for _, value := range values {
		for item := range strings.SplitSeq(value, ",") {
			if strings.EqualFold(strings.Trim(item, " \t"), token) {
				return true
			}
		}
	}
	return false
}

func isKey(text string) bool {
	key, err := base64.StdEncoding.Strict().DecodeString(text)
	return err == nil && len(key) == 16
}

// CheckOrigin returns a [*problem.Problem], 403, if r may come from a page of another
// site: cross-site WebSocket hijacking. Browsers send Origin with every handshake, and
// with it the cookies of whoever looks at the page; no preflight comes before it, and
// CORS does not hold for what is read afterwards. So:
//
//   - Origin must be the server's own, byte for byte with its scheme and port, or one of
//     Config.Origins. "null" is every sandboxed frame.
//   - Without Origin nothing may be there that a browser adds by itself: no cookie, no
//     Sec-Fetch-Site. Programs have neither.
func (s *Server) CheckOrigin(r *http.Request) error {
	origins := r.Header["Origin"]
	switch {
	case len(origins) == 1 && (origin.IsOwn(origins[0], r.Host, s.isSecure(r)) || s.trusts(origins[0])):
		return nil
	case len(origins) == 0 && len(r.Header["Cookie"]) == 0 && len(r.Header["Sec-Fetch-Site"]) == 0:
		return nil
	}
	return problem.New(http.StatusForbidden, "a page of another site asks for this WebSocket").Named("cross_site")
}

func (s *Server) trusts(origin string) bool {
	_, ok := s.origins[origin]
	return ok
}

func (s *Server) isSecure(r *http.Request) bool {
	return r.TLS != nil || s.cfg.Scheme != nil && s.cfg.Scheme(r) != "http"
}

// BearerProtocol is the subprotocol that a token comes beside.
const BearerProtocol = "bearer"

// maxToken bounds a token among the subprotocols, as a header's would be.
const maxToken = 8 << 10

// Bearer returns r with the token that a page has put beside the subprotocol
// "bearer", in the header Authorization, where it is looked for:
//
//	new WebSocket("wss://api.example.com/ws/1", ["bearer", token])
//
// A page cannot set a header of a handshake, and a token in the URL is in every log on
// the way. The subprotocol that the server answers with is "bearer"; the token itself
// is taken out, so that nobody writes it back or down. A request that has a token in
// both places has two credentials, and is refused with 400.
func Bearer(r *http.Request) (*http.Request, error) {
	names, ok := protocols(r)
	if !ok {
		return nil, malformed("the subprotocols cannot be read")
	}
	if len(names) == 0 || names[0] != BearerProtocol {
		return r, nil
	}
	switch {
	case len(names) != 2 || len(names[1]) > maxToken:
		return nil, malformed("behind the subprotocol bearer comes one token")
	case len(r.Header["Authorization"]) > 0:
		return nil, problem.New(http.StatusBadRequest, "there are two credentials").Named("ambiguous_credentials")
	}
	moved := *r
	moved.Header = r.Header.Clone()
	moved.Header["Authorization"] = []string{"Bearer " + names[1]}
	moved.Header["Sec-Websocket-Protocol"] = []string{BearerProtocol}
	return &moved, nil
}

// protocols returns the subprotocols that r asks for. It reports false if one is no
// token.
func protocols(r *http.Request) (names []string, ok bool) {
	for _, value := range r.Header["Sec-Websocket-Protocol"] {
		for name := range strings.SplitSeq(value, ",") {
			if name = strings.Trim(name, " \t"); !field.IsToken(name) {
				return nil, false
			}
			names = append(names, name)
		}
	}
	return names, true
}
