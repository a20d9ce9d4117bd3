package keyring

import (
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync/atomic"

	"github.com/fastness/fastness/internal/jws"
)

const secretSize = 32

// errKind is the use of a key for what its algorithm is not for.
var errKind = errors.New("the key is of an algorithm that does not do this")

// Key is one key of a [Ring]. It is safe for concurrent use. It prints as its id;
// nothing shows its private part.
type Key struct {
	id, purpose string
	alg         Algorithm
	jws         *jws.Key // of the algorithms that sign
	jwk         []byte   // the public part, of those that have one
	root        []byte   // of A256GCM: what everything is derived from
	aead        cipher.AEAD
	seals       atomic.Uint64 // how often aead was used in this process
}

// ID returns the name of the key: the kid of a token (RFC 7515, section 4.1.4).
func (k *Key) ID() string { return k.id }

// Purpose returns the name of the only purpose of the key.
func (k *Key) Purpose() string { return k.purpose }

// Algorithm returns the only algorithm of the key.
func (k *Key) Algorithm() Algorithm { return k.alg }

// JWS returns the key for tokens, or nil if its algorithm is A256GCM.
func (k *Key) JWS() *jws.Key { return k.jws }

// Sign returns the signature of data.
func (k *Key) Sign(data []byte) ([]byte, error) {
	if k.jws == nil {
		return nil, errKind
	}
	return k.jws.Sign(data)
}

// Verify returns nil if sig is the key's signature of data.
func (k *Key) Verify(data, sig []byte) error {
	if k.jws == nil {
		return errKind
	}
	return k.jws.Verify(data, sig)
}

// Derive returns a key of 32 bytes that belongs to this key, its purpose and the
// context: HKDF with SHA-256 (RFC 5869). Other contexts have other keys, which
// say nothing about each other: Derive("a", "bc") and Derive("ab", "c") differ,
// too. Store the id of the key beside what is made with it, to find it again with
// [Ring.Verifying].
func (k *Key) Derive(context ...string) ([]byte, error) {
	if k.root == nil {
		return nil, errKind
	}
	return derive(k.root, "derive", k.purpose, context)
}

func (k *Key) mac(message []byte, context []string) ([]byte, error) {
	if k.root == nil {
		return nil, errKind
	}
	key, err := derive(k.root, "mac", k.purpose, context)
	if err != nil {
		return nil, err
	}
	h := hmac.New(sha256.New, key)
	h.Write(message)
	return h.Sum(nil), nil
}

// derive makes a key for one use of a secret. The use comes first, so that no
// context of one is that of another.
func derive(root []byte, use, purpose string, context []string) ([]byte, error) {
	info := appendChain([]byte("fastness key ring v1 "+use), purpose, context)
	return hkdf.Key(sha256.New, root, nil, string(info), secretSize)
}

// appendChain appends texts so that different lists of them never look the same.
func appendChain(b []byte, purpose string, context []string) []byte {
	b = binary.AppendUvarint(b, uint64(1+len(context)))
	b = append(binary.AppendUvarint(b, uint64(len(purpose))), purpose...)
	for _, s := range context {
		b = append(binary.AppendUvarint(b, uint64(len(s))), s...)
	}
	return b
}

// String returns the algorithm, the purpose and the id.
func (k *Key) String() string {
	return string(k.alg) + " key " + k.id + " for " + strconv.Quote(k.purpose)
}

// GoString returns what String does.
func (k *Key) GoString() string { return k.String() }

// Format writes what String returns, whatever the verb.
func (k *Key) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(k.String())) }

// LogValue returns what String does.
func (k *Key) LogValue() slog.Value { return slog.StringValue(k.String()) }

// MarshalJSON returns the algorithm, the purpose and the id.
func (k *Key) MarshalJSON() ([]byte, error) {
	return fmt.Appendf(nil, `{"alg":%q,"purpose":%q,"kid":%q}`, string(k.alg), k.purpose, k.id), nil
}

// generate makes the private part of a key: a secret, or what jws writes.
func generate(alg Algorithm, id string) ([]byte, error) {
	if !alg.asymmetric() {
		material := make([]byte, secretSize)
		rand.Read(material)
		return material, nil
	}
	k, err := jws.Generate(jws.Algorithm(alg), id)
	if err != nil {
		return nil, err
	}
	return k.MarshalPrivate()
}

// newKey makes a key out of its record and its private part.
func newKey(r *record, material []byte) (*Key, error) {
	k := &Key{id: r.ID, purpose: r.Purpose, alg: r.Algorithm}
	var err error
	switch {
	case r.Algorithm.asymmetric():
		err = k.openJWS(material)
	case len(material) != secretSize:
		err = fmt.Errorf("it has %d bytes, want %d", len(material), secretSize)
	case r.Algorithm == HS256:
		var sub []byte
		if sub, err = derive(material, "jws", r.Purpose, nil); err == nil {
			k.jws, err = jws.NewSecret(jws.HS256, r.ID, sub)
		}
	default:
		var sub []byte
		if sub, err = derive(material, "seal", r.Purpose, nil); err == nil {
			k.root = material
			k.aead, err = newGCM(sub)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("key %s: %w: %w", r.ID, ErrCorrupt, err)
	}
	return k, nil
}

func (k *Key) openJWS(material []byte) (err error) {
	if k.jws, err = jws.ParsePrivate(material); err != nil {
		return err
	}
	if k.jws.ID() != k.id || string(k.jws.Algorithm()) != string(k.alg) {
		return errors.New("it is another key")
	}
	k.jwk, err = k.jws.PublicJWK()
	return err
}
