// Package jws gives the algorithms and keys of JOSE: what RFC 7515, 7517, 7518
// and 8037 ask of somebody who signs and verifies tokens in the compact form.
//
// A [Key] belongs to one [Algorithm] and says so itself; the header of a token
// can only choose between keys, never how one of them is used. So neither "none"
// nor a public key that is used as the secret of an HMAC can be expressed.
//
// The mathematics are the standard library's. What is here is the strictness
// around it: one spelling of every token, one meaning of every header.
package jws

import (
	"crypto"
	"crypto/elliptic"
	_ "crypto/sha256" // SHA-256, which crypto.Hash finds by its number
	_ "crypto/sha512" // SHA-384 and SHA-512
	"errors"
)

// Algorithm is the name of a signature algorithm, as in the member "alg"
// (RFC 7518, section 3.1). Any other text is not an algorithm: "none" is not.
type Algorithm string

// The algorithms. EdDSA is Ed25519 alone.
const (
	EdDSA Algorithm = "EdDSA"
	ES256 Algorithm = "ES256"
	ES384 Algorithm = "ES384"
	ES512 Algorithm = "ES512"
	RS256 Algorithm = "RS256"
	RS384 Algorithm = "RS384"
	RS512 Algorithm = "RS512"
	PS256 Algorithm = "PS256"
	PS384 Algorithm = "PS384"
	PS512 Algorithm = "PS512"
	HS256 Algorithm = "HS256"
	HS384 Algorithm = "HS384"
	HS512 Algorithm = "HS512"
)

var (
	// ErrSignature says that a signature is not the key's over the data. It does
	// not say in what way.
	ErrSignature = errors.New("signature does not verify")
	// ErrAlgorithm says that a text is not the name of an algorithm.
	ErrAlgorithm = errors.New("not a signature algorithm")
	// ErrCannotSign says that a key only verifies.
	ErrCannotSign = errors.New("the key cannot sign")
)

// known are all algorithms. They are found by name without an allocation.
var known = [...]Algorithm{EdDSA, ES256, ES384, ES512, RS256, RS384, RS512, PS256, PS384, PS512, HS256, HS384, HS512}

// algorithm returns the algorithm of a name.
func algorithm(name []byte) (Algorithm, bool) {
	for _, a := range known {
		if string(a) == string(name) {
			return a, true
		}
	}
	return "", false
}

// Known reports whether a is an algorithm of this package.
func (a Algorithm) Known() bool {
	_, ok := algorithm([]byte(a))
	return ok
}

// Symmetric reports whether who verifies could also sign.
func (a Algorithm) Symmetric() bool { return a.kind() == kindHMAC }

// kind is a family of algorithms.
type kind byte

const (
	kindNone kind = iota
	kindEd25519
	kindECDSA
	kindRSA
	kindPSS
	kindHMAC
)

func (a Algorithm) kind() kind {
	if a == EdDSA {
		return kindEd25519
	}
	if !a.Known() {
		return kindNone
	}
	switch a[:2] {
	case "ES":
		return kindECDSA
	case "RS":
		return kindRSA
	case "PS":
		return kindPSS
	default:
		return kindHMAC
	}
}

// hash returns the hash function of a, which has one unless it is EdDSA.
func (a Algorithm) hash() crypto.Hash {
	switch a[2:] {
	case "256":
		return crypto.SHA256
	case "384":
		return crypto.SHA384
	default:
		return crypto.SHA512
	}
}

// curve returns the curve of an ES algorithm and its name in a JWK.
func (a Algorithm) curve() (elliptic.Curve, string) {
	switch a {
	case ES256:
		return elliptic.P256(), "P-256"
	case ES384:
		return elliptic.P384(), "P-384"
	default:
		return elliptic.P521(), "P-521"
	}
}
