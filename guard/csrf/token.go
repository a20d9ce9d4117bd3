package csrf

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"net/http"
	"strings"
	"time"

	"github.com/fastness/fastness/problem"
)

// What is sealed: version, time in seconds, nonce, binding.
const (
	tokenVersion = 1
	nonceAt      = 1 + 8
	bindingAt    = nonceAt + 16
	plainSize    = bindingAt + sha256.Size

	// maxToken is how long the text of a token may be. With the keys of a ring it has
	// about 160 bytes.
	maxToken = 1 << 10

	// skew is how far the clock of another process may be ahead.
	skew = 5 * time.Minute
)

// associated keeps apart what one set of keys has sealed for others.
const associated = "fastness csrf token"

// Token returns a token for the browser that has sent r, and puts into the header
// of the answer what belongs to it: the cookie, and Cache-Control no-store, since
// the page is for one browser. Every call returns another token. The cookie is kept
// if there is one, and lasts as long as the token.
//
// The session is the id of the log-in, "" if there is none. The error is a
// [*problem.Problem].
func (g *Guard) Token(h http.Header, r *http.Request, session string) (string, error) {
	browser, pending := g.cookie.pending(h)
	if !pending {
		if value, n := g.cookie.find(r); n == 1 && isCookieValue(value) {
			browser = value
		} else {
			browser = newCookieValue()
		}
		h["Set-Cookie"] = append(h["Set-Cookie"], g.cookie.set(browser))
	}
	h.Set("Cache-Control", "no-store")

	var plain [plainSize]byte
	plain[0] = tokenVersion
	binary.BigEndian.PutUint64(plain[1:], uint64(g.now().Unix()))
	rand.Read(plain[nonceAt:bindingAt])
	bound := g.binding(browser, session)
	copy(plain[bindingAt:], bound[:])
	sealed, err := g.keys.Seal(r.Context(), plain[:], []byte(associated))
	if err != nil {
		return "", unavailable(err)
	}
	return base64.RawURLEncoding.EncodeToString(sealed), nil
}

// Forget puts into the header of an answer that the browser deletes the cookie, at
// log-out. Every token of that browser ends.
func (g *Guard) Forget(h http.Header) {
	h["Set-Cookie"] = append(h["Set-Cookie"], g.cookie.deletion)
}

// binding is what ties a token to a browser, a session and an action. The lengths
// keep them apart: no session is the end of a cookie.
func (g *Guard) binding(browser, session string) [sha256.Size]byte {
	var space [256]byte
	b := space[:0]
	for _, part := range [...]string{browser, session, g.action} {
		b = binary.BigEndian.AppendUint64(b, uint64(len(part)))
		b = append(b, part...)
	}
	return sha256.Sum256(b)
}

// Check finds the token of r, in the header or in a form field, and verifies it. A
// form is read up to Config.BodyLimit, and only if the token is not in the header;
// the body can be read from its beginning afterwards. The error is a
// [*problem.Problem].
func (g *Guard) Check(r *http.Request, session string) error {
	browser, err := g.browser(r)
	if err != nil {
		return err
	}
	token, present, err := g.FromHeader(r)
	if err == nil && !present && g.location != HeaderOnly {
		token, err = g.fromBody(r)
	}
	if err != nil {
		return err
	}
	return g.verify(r, browser, session, token)
}

// Verify verifies a token that the caller has found; "" is none. With OneTime it is
// used up by that, whatever comes of the request. The error is a
// [*problem.Problem].
func (g *Guard) Verify(r *http.Request, session, token string) error {
	browser, err := g.browser(r)
	if err != nil {
		return err
	}
	return g.verify(r, browser, session, token)
}

// browser returns the value of the cookie.
func (g *Guard) browser(r *http.Request) (string, error) {
	switch value, n := g.cookie.find(r); {
	case n == 0:
		return "", missingCookie()
	case n > 1: // Which one is the browser's, and which one was planted?
		return "", invalid("the CSRF cookie is there more than once")
	case !isCookieValue(value):
		return "", invalid("the CSRF cookie is invalid")
	default:
		return value, nil
	}
}

func (g *Guard) verify(r *http.Request, browser, session, token string) error {
	if token == "" {
		return missingToken()
	}
	plain, err := g.open(r, token)
	if err != nil {
		return err
	}
	issued := time.Unix(int64(binary.BigEndian.Uint64(plain[1:])), 0)
	bound := g.binding(browser, session)
	switch age := g.now().Sub(issued); {
	case age < -skew:
		return invalidToken()
	case age >= g.maxAge:
		return expired()
	case subtle.ConstantTimeCompare(plain[bindingAt:], bound[:]) != 1:
		return mismatch()
	case g.replay == nil:
		return nil
	}
	id := "csrf:" + base64.RawURLEncoding.EncodeToString(plain[nonceAt:bindingAt])
	switch first, err := g.replay.First(r.Context(), id, issued.Add(g.maxAge+skew)); {
	case err != nil: // Whoever can break the memory must not win replays.
		return unavailable(err)
	case !first:
		return replayed()
	}
	return nil
}

// open returns what a token has sealed, of the right size and version.
func (g *Guard) open(r *http.Request, token string) ([]byte, *problem.Problem) {
	// The decoder skips line ends, which would be two texts for one token.
	if len(token) > maxToken || strings.ContainsAny(token, "\r\n") {
		return nil, invalidToken()
	}
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil {
		return nil, invalidToken()
	}
	plain, err := g.keys.Open(r.Context(), sealed, []byte(associated))
	if err != nil {
		return nil, invalidToken().Wrap(err)
	}
	if len(plain) != plainSize || plain[0] != tokenVersion {
		return nil, invalidToken()
	}
	return plain, nil
}
