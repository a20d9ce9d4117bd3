package main

import (
	"crypto/ed25519"
	"crypto/sha256"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// What the access tokens of work c say (RFC 9068), and the role that it takes.
const (
	tokenIssuer   = "https://issuer.bench.example"
	tokenAudience = "https://bench.example"
	tokenClient   = "bench-client"
	tokenSubject  = "seller-17"
	tokenRole     = "writer"
)

// tokenLife leaves room for a long run.
const tokenLife = time.Hour

// Signing is how the access tokens of work c are signed, and how peers verify
// them.
type Signing struct {
	Algorithm       string
	method          jwt.SigningMethod
	Private, Public any
}

// SigningHS256 and SigningEdDSA are the two of work c. Their keys are known to
// everybody, because a server over loopback must have the same.
func SigningHS256() Signing {
	key := sha256.Sum256([]byte("HS256 key of the benchmark"))
	return Signing{"HS256", jwt.SigningMethodHS256, key[:], key[:]}
}

// SigningEdDSA signs with Ed25519 (RFC 8037).
func SigningEdDSA() Signing {
	seed := sha256.Sum256([]byte("EdDSA seed of the benchmark"))
	key := ed25519.NewKeyFromSeed(seed[:])
	return Signing{"EdDSA", jwt.SigningMethodEdDSA, key, key.Public()}
}

// letter is a token that is about to be signed.
type letter struct {
	claims jwt.MapClaims
	typ    string
	method jwt.SigningMethod
	key    any
}

// authorization returns the value of an Authorization header whose token says
// what change leaves of the right one. Serial makes tokens differ.
func (s Signing) authorization(serial int, change func(*letter)) (string, error) {
	now := time.Now()
	l := letter{jwt.MapClaims{
		"iss": tokenIssuer, "aud": tokenAudience, "sub": tokenSubject, "client_id": tokenClient,
		"iat": now.Unix(), "exp": now.Add(tokenLife).Unix(), "jti": "token-" + strconv.Itoa(serial),
		"scope": "orders", "roles": []string{tokenRole, "reader"},
	}, "at+jwt", s.method, s.Private}
	if change != nil {
		change(&l)
	}
	token := jwt.NewWithClaims(l.method, l.claims)
	token.Header["typ"], token.Header["kid"] = l.typ, s.Algorithm
	text, err := token.SignedString(l.key)
	return "Bearer " + text, err
}

// authorizations returns a function that makes n different ones, once.
func (s Signing) authorizations(n int) func() ([]string, error) {
	return sync.OnceValues(func() (all []string, err error) {
		all = make([]string, n)
		for i := range all {
			if all[i], err = s.authorization(i, nil); err != nil {
				return nil, err
			}
		}
		return all, nil
	})
}

// A Refusal is a request that must not get in.
type Refusal struct {
	Name          string
	Authorization string
	Status        int
}

// refusals are the credentials that every peer must refuse before it is timed.
func (s Signing) refusals() ([]Refusal, error) {
	claim := func(name string, value any) func(*letter) {
		return func(l *letter) { l.claims[name] = value }
	}
	other := sha256.Sum256([]byte("a key that nobody trusts"))
	secret := other[:]
	if public, ok := s.Public.(ed25519.PublicKey); ok {
		secret = []byte(public) // Everybody has that one, and some verifiers take it (RFC 8725 section 2.1).
	}
	all := []Refusal{{"no token", "", 401}, {"what is no JWT", "Bearer x", 401}}
	for _, attack := range []struct {
		name   string
		status int
		change func(*letter)
	}{
		{"an expired token", 401, claim("exp", time.Now().Add(-time.Hour).Unix())},
		{"a token without end", 401, func(l *letter) { delete(l.claims, "exp") }},
		{"a token of another issuer", 401, claim("iss", "https://other.example")},
		{"a token for another audience", 401, claim("aud", "https://other.example")},
		{"an unsigned token", 401, func(l *letter) { l.method, l.key = jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType }},
		{"a token by another secret", 401, func(l *letter) { l.method, l.key = jwt.SigningMethodHS256, secret }},
		{"a caller without the role", 403, claim("roles", []string{"reader"})},
	} {
		text, err := s.authorization(0, attack.change)
		if err != nil {
			return nil, err
		}
		all = append(all, Refusal{attack.name, text, attack.status})
	}
	forged, err := s.authorization(0, nil)
	if err != nil {
		return nil, err
	}
	return append(all, Refusal{"a token with a forged signature", forge(forged), 401}), nil
}

// forge changes the first character of the signature, whose bits all count.
func forge(token string) string {
	b := []byte(token)
	first := &b[strings.LastIndexByte(token, '.')+1]
	if *first == 'A' {
		*first = 'B'
	} else {
		*first = 'A'
	}
	return string(b)
}
