package jws

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"hash"
	"io"
	"log/slog"
	"strconv"
	"sync"
)

// The sizes of RSA keys in bits. Below the smaller, RFC 7518, section 3.3,
// forbids their use; above the larger, verifying takes so long that a key is a
// way to occupy a machine.
const (
	generatedRSA = 3072
	minRSA       = 2048
	maxRSA       = 8192
)

// maxID is how long the id of a key may be.
const maxID = 128

// Key is a key of one algorithm. It verifies, and if it has its private part it
// signs. It is safe for concurrent use and never changes. However it is printed,
// logged or encoded, its private part does not show; [Key.MarshalPrivate] is the
// one way to get it out.
type Key struct {
	id      string
	alg     Algorithm
	public  crypto.PublicKey
	private crypto.Signer
	secret  []byte
	macs    *sync.Pool // of hash.Hash, keyed with secret
}

// Generate makes a key: of 3,072 bits for RSA, and of as many bytes as the hash
// has for HMAC. The id has 1 to 128 printable ASCII characters.
func Generate(alg Algorithm, id string) (*Key, error) {
	if alg.Symmetric() {
		secret := make([]byte, alg.hash().Size())
		rand.Read(secret)
		return NewSecret(alg, id, secret)
	}
	private, err := generate(alg)
	if err != nil {
		return nil, err
	}
	return newPrivate(alg, id, private)
}

func generate(alg Algorithm) (crypto.Signer, error) {
	switch alg.kind() {
	case kindEd25519:
		_, private, err := ed25519.GenerateKey(rand.Reader)
		return private, err
	case kindECDSA:
		curve, _ := alg.curve()
		return ecdsa.GenerateKey(curve, rand.Reader)
	case kindRSA, kindPSS:
		return rsa.GenerateKey(rand.Reader, generatedRSA)
	}
	return nil, ErrAlgorithm
}

// NewSecret makes a key for HMAC out of a secret, which is copied. It refuses a
// secret that is shorter than the hash (RFC 7518, section 3.2), and one that is a
// single byte over and over: somebody forgot to fill the buffer.
func NewSecret(alg Algorithm, id string, secret []byte) (*Key, error) {
	if !alg.Symmetric() {
		return nil, fmt.Errorf("secret for an HMAC: %w", ErrAlgorithm)
	}
	if len(secret) < alg.hash().Size() {
		return nil, fmt.Errorf("secret for %s has %d bytes, want at least %d", alg, len(secret), alg.hash().Size())
	}
	if repeats(secret) {
		return nil, fmt.Errorf("secret for %s is one byte, repeated", alg)
	}
	if err := checkID(id); err != nil {
		return nil, err
	}
	return newSecret(alg, id, secret), nil
}

func newSecret(alg Algorithm, id string, secret []byte) *Key {
	k := &Key{id: id, alg: alg, secret: append([]byte(nil), secret...)}
	k.macs = &sync.Pool{New: func() any { return hmac.New(alg.hash().New, k.secret) }}
	return k
}

func repeats(secret []byte) bool {
	for _, c := range secret {
		if c != secret[0] {
			return false
		}
	}
	return true
}

// newPrivate makes a key that signs, if private is one for alg.
func newPrivate(alg Algorithm, id string, private crypto.Signer) (*Key, error) {
	if err := checkID(id); err != nil {
		return nil, err
	}
	k, err := newPublic(alg, id, private.Public())
	if err != nil {
		return nil, err
	}
	k.private = private
	return k, nil
}

// newPublic makes a key that verifies, if public is one for alg.
func newPublic(alg Algorithm, id string, public crypto.PublicKey) (*Key, error) {
	misfit := fmt.Errorf("the key is not one for %s", alg)
	switch p := public.(type) {
	case ed25519.PublicKey:
		if alg.kind() != kindEd25519 || len(p) != ed25519.PublicKeySize {
			return nil, misfit
		}
	case *ecdsa.PublicKey:
		if alg.kind() != kindECDSA {
			return nil, misfit
		}
		if curve, _ := alg.curve(); p.Curve != curve {
			return nil, misfit
		}
	case *rsa.PublicKey:
		if kind := alg.kind(); kind != kindRSA && kind != kindPSS {
			return nil, misfit
		}
		if err := checkRSA(p); err != nil {
			return nil, err
		}
	default:
		return nil, misfit
	}
	return &Key{id: id, alg: alg, public: public}, nil
}

// checkID wants an id that is safe in a header, in a log and in a URL's query.
func checkID(id string) error {
	if id == "" || !printable([]byte(id)) {
		return fmt.Errorf("key id: want 1 to %d printable ascii characters", maxID)
	}
	return nil
}

// printable reports whether s has at most maxID characters, all of printable ASCII.
func printable(s []byte) bool {
	for _, c := range s {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return len(s) <= maxID
}

// ID returns the name by which headers choose the key: the member "kid".
func (k *Key) ID() string { return k.id }

// Algorithm returns the only algorithm that the key is for.
func (k *Key) Algorithm() Algorithm { return k.alg }

// CanSign reports whether the key has its private part.
func (k *Key) CanSign() bool { return k.private != nil || k.secret != nil }

// String returns the algorithm and the id.
func (k Key) String() string { return string(k.alg) + " key " + strconv.Quote(k.id) }

// GoString returns what String does.
func (k Key) GoString() string { return k.String() }

// Format writes what String returns, whatever the verb: with %d, fmt would walk
// through the fields.
func (k Key) Format(f fmt.State, _ rune) { io.WriteString(f, k.String()) }

// LogValue returns what String does.
func (k Key) LogValue() slog.Value { return slog.StringValue(k.String()) }

// MarshalJSON returns an object of the algorithm and the id. To publish a key,
// use [Key.PublicJWK].
func (k Key) MarshalJSON() ([]byte, error) {
	return fmt.Appendf(nil, `{"alg":%q,"kid":%q}`, string(k.alg), k.id), nil
}

// checkRSA refuses keys that are too small, too large or known to be weak.
func checkRSA(p *rsa.PublicKey) error {
	switch size := p.N.BitLen(); {
	case size < minRSA || size > maxRSA:
		return fmt.Errorf("rsa key has %d bits, want %d to %d", size, minRSA, maxRSA)
	case p.E < 65537 || p.E&1 == 0 || p.E > 1<<31-1:
		return errors.New("rsa exponent: want an odd number from 65537 to 2147483647")
	case p.N.Bit(0) == 0:
		return errors.New("rsa modulus is even")
	case isROCA(p.N):
		return errors.New("rsa key was made by a flawed generator (CVE-2017-15361)")
	}
	return nil
}

// mac returns a keyed hash and the function that gives it back.
func (k *Key) mac() hash.Hash {
	h := k.macs.Get().(hash.Hash)
	h.Reset()
	return h
}
