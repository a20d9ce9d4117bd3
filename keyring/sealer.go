package keyring

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/fastness/fastness/secret"
)

// Sealer encrypts what is stored. [NewSealer] returns one that does it itself; a
// key management service can be another.
type Sealer interface {
	// Seal encrypts plaintext and binds it to what it is for, so that Open fails
	// if that differs.
	Seal(ctx context.Context, plaintext, boundTo []byte) ([]byte, error)
	// Open undoes Seal, also of what was sealed with earlier keys that are still
	// in use. Its errors contain nothing secret.
	Open(ctx context.Context, sealed, boundTo []byte) ([]byte, error)
	// KeyID names the key that Seal uses. What was sealed with others is sealed
	// again when the ring is next used.
	KeyID() string
}

const (
	kekSize   = 32
	kekIDSize = 8
)

// aesSealer seals as id of the key, nonce, ciphertext and tag.
type aesSealer struct {
	current [kekIDSize]byte
	keys    map[[kekIDSize]byte]cipher.AEAD
}

// NewSealer returns a sealer that uses AES-256-GCM. A key is 32 random bytes in
// base64, with or without padding, as [LoadKEK] returns them. To replace it, give
// every process the new one as an older one first, then make it the current one;
// when [Ring.List] shows it at every key, the old one can go.
func NewSealer(current secret.Text, older ...secret.Text) (Sealer, error) {
	s := &aesSealer{keys: make(map[[kekIDSize]byte]cipher.AEAD)}
	var errs []error
	for i, text := range append([]secret.Text{current}, older...) {
		key, err := decodeKEK(text.Reveal())
		if err != nil {
			errs = append(errs, fmt.Errorf("key-encryption key %d: %w", i, err))
			continue
		}
		id, aead, err := openKEK(key)
		if err != nil {
			return nil, err
		}
		if i == 0 {
			s.current = id
		}
		s.keys[id] = aead
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return s, nil
}

func decodeKEK(text string) ([]byte, error) {
	key, err := base64.RawStdEncoding.Strict().DecodeString(strings.TrimRight(strings.TrimSpace(text), "="))
	switch {
	case err != nil || len(key) != kekSize:
		return nil, fmt.Errorf("want %d random bytes in base64", kekSize)
	case bytes.Count(key, key[:1]) == len(key):
		return nil, errors.New("is one byte, repeated")
	}
	return key, nil
}

// openKEK derives a name from the key: it says nothing about it, and needs no
// second secret to be kept.
func openKEK(key []byte) (id [kekIDSize]byte, aead cipher.AEAD, err error) {
	name, err := hkdf.Key(sha256.New, key, nil, "fastness key-encryption key id", kekIDSize)
	if err != nil {
		return id, nil, err
	}
	sub, err := hkdf.Key(sha256.New, key, nil, "fastness key-encryption key", kekSize)
	if err != nil {
		return id, nil, err
	}
	aead, err = newGCM(sub)
	return [kekIDSize]byte(name), aead, err
}

func newGCM(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

func (s *aesSealer) KeyID() string { return hex.EncodeToString(s.current[:]) }

func (s *aesSealer) Seal(_ context.Context, plaintext, boundTo []byte) ([]byte, error) {
	aead := s.keys[s.current]
	nonce := make([]byte, aead.NonceSize())
	rand.Read(nonce)
	sealed := append(s.current[:len(s.current):len(s.current)], nonce...)
	return aead.Seal(sealed, nonce, plaintext, append(s.current[:len(s.current):len(s.current)], boundTo...)), nil
}

// ErrOtherKEK says that another key-encryption key is needed than the one given.
var ErrOtherKEK = errors.New("sealed with another key-encryption key")

func (s *aesSealer) Open(_ context.Context, sealed, boundTo []byte) ([]byte, error) {
	if len(sealed) < kekIDSize {
		return nil, fmt.Errorf("%w: what is sealed is cut off", ErrCorrupt)
	}
	id := [kekIDSize]byte(sealed)
	aead, ok := s.keys[id]
	if !ok {
		if string(id[:]) == plaintextMark {
			return nil, fmt.Errorf("%w: it is stored without encryption, and a sealer was given", ErrCorrupt)
		}
		return nil, fmt.Errorf("%w: it was sealed with %x, and this process has %x", ErrOtherKEK, id, s.current)
	}
	rest := sealed[kekIDSize:]
	if len(rest) < aead.NonceSize() {
		return nil, fmt.Errorf("%w: what is sealed is cut off", ErrCorrupt)
	}
	plaintext, err := aead.Open(nil, rest[:aead.NonceSize()], rest[aead.NonceSize():], append(id[:], boundTo...))
	if err != nil {
		return nil, fmt.Errorf("%w: it does not decrypt with the key-encryption key %x", ErrCorrupt, id)
	}
	return plaintext, nil
}

// plaintextMark stands where others have the id of a key.
const plaintextMark = "INSECURE"

// plainSealer encrypts nothing.
type plainSealer struct{}

func (plainSealer) KeyID() string { return plaintextMark }

func (plainSealer) Seal(_ context.Context, plaintext, _ []byte) ([]byte, error) {
	return append([]byte(plaintextMark), plaintext...), nil
}

func (plainSealer) Open(_ context.Context, sealed, _ []byte) ([]byte, error) {
	plaintext, ok := bytes.CutPrefix(sealed, []byte(plaintextMark))
	if !ok {
		return nil, errors.New("the ring is encrypted, and no sealer was given")
	}
	return plaintext, nil
}
