package token

import (
	"time"

	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/internal/jws"
)

// maxSeconds is the end of the year 9999. Times beyond it are not meant.
const maxSeconds = 253402300799

// claims are what a payload says, on the way to a [Token].
type claims struct {
	token         Token
	audience      bool // aud has the one that is wanted
	seen          seen
	client, party string // client_id and azp
	exp, iat, nbf int64
}

// seen are the claims that were there.
type seen uint16

const (
	sawIssuer seen = 1 << iota
	sawAudience
	sawSubject
	sawClient
	sawIssued
	sawExpiry
	sawID
	sawNotBefore
	sawIdentity // what only other kinds of token have
)

// required are the claims of RFC 9068, section 2.2.
const (
	required        = requiredForeign | sawClient | sawID
	requiredForeign = sawIssuer | sawAudience | sawSubject | sawIssued | sawExpiry
)

// read takes the payload of a token whose signature was verified, in one pass.
// Claims that are not known are skipped; those that are must have the right type,
// and no name may occur twice at any depth.
func (v *Verifier) read(payload []byte) (*claims, error) {
	c := new(claims)
	o := jws.Object{Data: payload}
	for o.Next() {
		if !c.set(v, o.Name(), o.Value()) {
			return nil, refuse("a claim has the wrong type or range")
		}
	}
	if o.Err() != nil {
		return nil, refuse("the payload is not a strict json object")
	}
	return c, nil
}

// set takes one claim.
func (c *claims) set(v *Verifier, name []byte, value jws.Value) (ok bool) {
	switch string(name) {
	case "iss":
		c.seen |= sawIssuer
		if value.Is(v.cfg.Issuer) { // The usual case needs no copy.
			c.token.Issuer = v.cfg.Issuer
			return true
		}
		c.token.Issuer, ok = text(value)
		return ok
	case "aud":
		c.seen |= sawAudience
		return c.setAudience(v.cfg.Audience, value)
	case "sub":
		c.seen |= sawSubject
		c.token.Subject, ok = text(value)
		return ok
	case "client_id":
		c.seen |= sawClient
		c.client, ok = text(value)
		return ok
	case "jti":
		c.seen |= sawID
		c.token.ID, ok = text(value)
		return ok
	case "exp":
		c.seen |= sawExpiry
		c.exp, ok = seconds(value)
		return ok
	case "iat":
		c.seen |= sawIssued
		c.iat, ok = seconds(value)
		return ok
	case "nbf":
		c.seen |= sawNotBefore
		c.nbf, ok = seconds(value)
		return ok
	case "nonce", "at_hash", "c_hash", "events":
		c.seen |= sawIdentity
		return true
	}
	return c.setOptional(v, name, value)
}

func (c *claims) setOptional(v *Verifier, name []byte, value jws.Value) (ok bool) {
	switch string(name) {
	case "scope":
		var scopes string
		scopes, ok = value.Text()
		c.token.Scopes = auth.ParseSet(scopes)
		return ok
	case "roles":
		c.token.Roles, ok = list(value)
		return ok
	case "amr":
		c.token.Methods, ok = list(value)
		return ok
	case "auth_time":
		n, ok := seconds(value)
		c.token.AuthenticatedAt = time.Unix(n, 0)
		return ok
	}
	if v.cfg.Foreign { // These have no meaning that others have agreed to.
		if string(name) == "azp" {
			c.party, ok = text(value)
			return ok
		}
		return true
	}
	switch string(name) {
	case "sid":
		c.token.Session, ok = text(value)
		return ok
	case "tenant":
		c.token.Tenant, ok = text(value)
		return ok
	case "ver":
		c.token.Epoch, ok = value.Integer()
		return ok && c.token.Epoch >= 0
	case "all_scopes":
		c.token.AllScopes = string(value) == "true"
		return c.token.AllScopes
	}
	return true
}

// setAudience takes a string or a list of strings (RFC 7519, section 4.1.3).
func (c *claims) setAudience(want string, value jws.Value) bool {
	if _, ok := value.Text(); ok {
		c.audience = value.Is(want)
		return true
	}
	return value.Elements(func(v jws.Value) bool {
		c.audience = c.audience || v.Is(want)
		_, ok := v.Text()
		return ok
	})
}

// text returns a string that is not empty and can be logged.
func text(value jws.Value) (string, bool) {
	s, ok := value.Text()
	return s, ok && s != "" && isText(s)
}

// list returns the strings of a list.
func list(value jws.Value) (auth.Set, bool) {
	var names []string
	ok := value.Elements(func(v jws.Value) bool {
		name, ok := text(v)
		names = append(names, name)
		return ok
	})
	return auth.SetOf(names...), ok
}

// seconds returns a time (RFC 7519, section 2: NumericDate). Fractions are
// allowed there; no issuer that is careful writes them, and a number that two
// parsers round differently is refused.
func seconds(value jws.Value) (int64, bool) {
	n, ok := value.Integer()
	return n, ok && n >= 0 && n <= maxSeconds
}

// accept returns the token if all that it must say is said and holds at now.
func (c *claims) accept(v *Verifier, now int64) (*Token, error) {
	want, leeway := required, int64(v.cfg.Leeway/time.Second)
	if v.cfg.InsecureNotRFC9068 != "" {
		want = requiredForeign
	}
	switch {
	case c.seen&want != want:
		return nil, refuse("a claim that is required is missing")
	case c.token.Issuer != v.cfg.Issuer:
		return nil, refuse("another issuer")
	case !c.audience:
		return nil, refuse("another audience")
	case v.cfg.InsecureNotRFC9068 != "" && c.seen&sawIdentity != 0:
		return nil, refuse("a token of another kind")
	case now >= c.exp+leeway:
		return nil, refuse("expired")
	case c.iat > now+leeway:
		return nil, refuse("issued in the future")
	case c.seen&sawNotBefore != 0 && c.nbf > now+leeway:
		return nil, refuse("not yet good")
	case c.exp <= c.iat || c.seen&sawNotBefore != 0 && c.exp <= c.nbf:
		return nil, refuse("it ends before it begins")
	case c.token.AllScopes && c.token.Scopes.Len() > 0:
		return nil, refuse("it has all scopes and some")
	}
	t := &c.token
	t.Client = c.client
	if t.Client == "" {
		t.Client = c.party
	}
	t.foreign = v.cfg.Foreign
	t.UserID = v.cfg.SubjectPrefix + t.Subject
	t.IssuedAt, t.Until = time.Unix(c.iat, 0), time.Unix(c.exp, 0)
	if c.seen&sawNotBefore != 0 {
		t.NotBefore = time.Unix(c.nbf, 0)
	}
	return t, nil
}
