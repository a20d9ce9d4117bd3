package jws

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"strconv"
)

var (
	// ErrPrivate says that a JWK which should be public has private members: whoever
	// wrote it has published a secret, and everybody can sign with it.
	ErrPrivate = errors.New("the jwk is not public")

	errJWK = errors.New("not a usable jwk")
)

// PublicJWK returns the public part as a JWK (RFC 7517), with its members in
// alphabetical order. A secret has no public part, so that is an error.
func (k *Key) PublicJWK() ([]byte, error) {
	buf := append([]byte(`{"alg":"`), k.alg...)
	buf = append(buf, '"')
	text := func(name, value string) {
		buf = append(append(append(buf, `,"`...), name...), `":`...)
		buf = strconv.AppendQuote(buf, value) // As in JSON, for printable ASCII.
	}
	encoded := func(name string, value []byte) { text(name, base64.RawURLEncoding.EncodeToString(value)) }
	id := func() {
		if k.id != "" {
			text("kid", k.id)
		}
	}
	switch p := k.public.(type) {
	case ed25519.PublicKey:
		text("crv", "Ed25519")
		id()
		text("kty", "OKP")
		text("use", "sig")
		encoded("x", p)
	case *ecdsa.PublicKey:
		point, err := p.Bytes()
		if err != nil {
			return nil, err
		}
		_, curve := k.alg.curve()
		size := k.coordinate()
		text("crv", curve)
		id()
		text("kty", "EC")
		text("use", "sig")
		encoded("x", point[1:1+size])
		encoded("y", point[1+size:])
	case *rsa.PublicKey:
		encoded("e", big.NewInt(int64(p.E)).Bytes())
		id()
		text("kty", "RSA")
		encoded("n", p.N.Bytes())
		text("use", "sig")
	default:
		return nil, fmt.Errorf("%s has no public part", k.alg)
	}
	return append(buf, '}'), nil
}

// jwk are the members that decide. What is absent is nil.
type jwk struct {
	kty, crv, alg, kid, use *string
	n, e, x, y              []byte
	canVerify               bool // key_ops allows it, or is absent
}

// ParseJWK reads a public key (RFC 7517). It must be usable for one algorithm and
// for verifying: alg fits kty and crv, use is "sig" or absent, key_ops allows
// "verify" or is absent, numbers have their one spelling, the point is on the
// curve, and no member occurs twice. Without alg, an RSA key is one for RS256.
// A key with private members is refused with [ErrPrivate].
func ParseJWK(data []byte) (*Key, error) {
	j := jwk{canVerify: true}
	o := Object{Data: data}
	for o.Next() {
		if err := j.set(o.Name(), o.Value()); err != nil {
			return nil, err
		}
	}
	if err := o.Err(); err != nil {
		return nil, fmt.Errorf("%w: %w", errJWK, err)
	}
	return j.key()
}

func (j *jwk) set(name []byte, v Value) (err error) {
	switch string(name) {
	case "kty":
		j.kty, err = member("kty", v)
	case "crv":
		j.crv, err = member("crv", v)
	case "alg":
		j.alg, err = member("alg", v)
	case "kid":
		j.kid, err = member("kid", v)
	case "use":
		j.use, err = member("use", v)
	case "n":
		j.n, err = number("n", v)
	case "e":
		j.e, err = number("e", v)
	case "x":
		j.x, err = number("x", v)
	case "y":
		j.y, err = number("y", v)
	case "key_ops":
		j.canVerify = false
		if !v.Elements(func(op Value) bool {
			_, text := op.bytes()
			j.canVerify = j.canVerify || op.Is("verify")
			return text
		}) {
			return fmt.Errorf("%w: key_ops is not a list of strings", errJWK)
		}
	case "d", "p", "q", "dp", "dq", "qi", "oth", "k":
		return ErrPrivate
	}
	return err
}

func member(name string, v Value) (*string, error) {
	text, ok := v.bytes()
	if !ok || len(text) == 0 || !printable(text) {
		return nil, fmt.Errorf("%w: %s is not a string of 1 to %d printable ascii characters", errJWK, name, maxID)
	}
	s := string(text)
	return &s, nil
}

func number(name string, v Value) ([]byte, error) {
	text, ok := v.Text()
	if !ok || len(text) == 0 || len(text) > maxRSA/6+2 {
		return nil, fmt.Errorf("%w: %s is not a number", errJWK, name)
	}
	data, err := Decode(text)
	if err != nil {
		return nil, fmt.Errorf("%w: %s is %w", errJWK, name, err)
	}
	return data, nil
}

func (j *jwk) key() (*Key, error) {
	switch {
	case j.use != nil && *j.use != "sig":
		return nil, fmt.Errorf("%w: use is not sig", errJWK)
	case !j.canVerify:
		return nil, fmt.Errorf("%w: key_ops does not allow to verify", errJWK)
	case j.kty == nil:
		return nil, fmt.Errorf("%w: no kty", errJWK)
	}
	alg, err := j.algorithm()
	if err != nil {
		return nil, err
	}
	id := ""
	if j.kid != nil {
		id = *j.kid
	}
	switch alg.kind() {
	case kindEd25519:
		if len(j.x) != ed25519.PublicKeySize || j.y != nil {
			return nil, fmt.Errorf("%w: want an x of 32 bytes", errJWK)
		}
		return newPublic(alg, id, ed25519.PublicKey(j.x))
	case kindECDSA:
		return j.ecdsa(alg, id)
	default:
		return j.rsa(alg, id)
	}
}

// algorithm returns the one algorithm that kty and crv allow, which is also what
// alg says if it is there.
func (j *jwk) algorithm() (Algorithm, error) {
	var fits []Algorithm
	switch key := *j.kty; {
	case key == "OKP" && j.crv != nil && *j.crv == "Ed25519":
		fits = []Algorithm{EdDSA}
	case key == "EC" && j.crv != nil:
		for _, alg := range []Algorithm{ES256, ES384, ES512} {
			if _, curve := alg.curve(); curve == *j.crv {
				fits = []Algorithm{alg}
			}
		}
	case key == "RSA" && j.crv == nil:
		fits = []Algorithm{RS256, RS384, RS512, PS256, PS384, PS512}
	}
	for _, alg := range fits {
		if j.alg == nil || *j.alg == string(alg) {
			return alg, nil
		}
	}
	return "", fmt.Errorf("%w: kty, crv and alg fit no algorithm", errJWK)
}

func (j *jwk) ecdsa(alg Algorithm, id string) (*Key, error) {
	curve, _ := alg.curve()
	size := (curve.Params().BitSize + 7) / 8
	if len(j.x) != size || len(j.y) != size {
		return nil, fmt.Errorf("%w: want an x and a y of %d bytes", errJWK, size)
	}
	point := append(append([]byte{4}, j.x...), j.y...)
	public, err := ecdsa.ParseUncompressedPublicKey(curve, point)
	if err != nil {
		return nil, fmt.Errorf("%w: the point is not on the curve", errJWK)
	}
	return newPublic(alg, id, public)
}

func (j *jwk) rsa(alg Algorithm, id string) (*Key, error) {
	if len(j.n) == 0 || j.n[0] == 0 || len(j.e) == 0 || j.e[0] == 0 || len(j.e) > 4 {
		return nil, fmt.Errorf("%w: want an n and an e without leading zeros", errJWK)
	}
	return newPublic(alg, id, &rsa.PublicKey{
		N: new(big.Int).SetBytes(j.n),
		E: int(new(big.Int).SetBytes(j.e).Int64()),
	})
}
