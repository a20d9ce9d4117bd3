package csrf

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"time"
)

// Keys seal tokens: they encrypt and authenticate. They must serve for nothing
// else, or what was sealed there is a token here.
type Keys interface {
	// Seal encrypts plaintext and binds it to associated.
	Seal(ctx context.Context, plaintext, associated []byte) ([]byte, error)
	// Open undoes Seal, also of what an earlier key has sealed within MaxAge.
	Open(ctx context.Context, sealed, associated []byte) ([]byte, error)
}

// Replay remembers the tokens that were used. Processes that serve one site must
// share it.
type Replay interface {
	// First reports whether id comes for the first time, and remembers it at least
	// until the time given. Of two calls at once for one id, one gets true.
	First(ctx context.Context, id string, until time.Time) (bool, error)
}

// Ring is what [FromRing] needs of a *keyring.Ring.
type Ring interface {
	Seal(ctx context.Context, purpose string, plaintext []byte, context ...string) ([]byte, error)
	Open(ctx context.Context, purpose string, sealed []byte, context ...string) (plaintext []byte, stale bool, err error)
}

// FromRing returns the keys of one purpose of a ring, which must be an A256GCM
// purpose for nothing but these tokens. Keys rotate without a form that fails if
// the purpose retains them for MaxAge and the skew of the ring, at least.
func FromRing(ring Ring, purpose string) Keys {
	if ring == nil || purpose == "" {
		return nil // New says so, beside every other mistake.
	}
	return ringKeys{ring, purpose}
}

type ringKeys struct {
	ring    Ring
	purpose string
}

func (k ringKeys) Seal(ctx context.Context, plaintext, associated []byte) ([]byte, error) {
	return k.ring.Seal(ctx, k.purpose, plaintext, string(associated))
}

func (k ringKeys) Open(ctx context.Context, sealed, associated []byte) ([]byte, error) {
	plaintext, _, err := k.ring.Open(ctx, k.purpose, sealed, string(associated))
	return plaintext, err
}

// EphemeralKeys returns random keys that live as long as the process, for one
// process and for tests. A restart ends every token, and a second process knows
// none of them.
func EphemeralKeys() Keys {
	k := &ephemeral{root: make([]byte, sha256.Size)}
	rand.Read(k.root)
	return k
}

// ephemeral seals with AES-256-GCM under a key of its own for each message, which
// a random salt of 128 bits names. So the nonce is always zero, and there is no
// number of messages after which the key must change.
type ephemeral struct{ root []byte }

const saltSize = 16

func (k *ephemeral) aead(salt []byte) (cipher.AEAD, error) {
	h := hmac.New(sha256.New, k.root)
	h.Write(salt)
	block, err := aes.NewCipher(h.Sum(nil))
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

func (k *ephemeral) Seal(_ context.Context, plaintext, associated []byte) ([]byte, error) {
	sealed := make([]byte, saltSize, saltSize+len(plaintext)+16)
	rand.Read(sealed)
	aead, err := k.aead(sealed)
	if err != nil {
		return nil, err
	}
	return aead.Seal(sealed, make([]byte, aead.NonceSize()), plaintext, associated), nil
}

func (k *ephemeral) Open(_ context.Context, sealed, associated []byte) ([]byte, error) {
	if len(sealed) < saltSize {
		return nil, errors.New("it is too short")
	}
	aead, err := k.aead(sealed[:saltSize])
	if err != nil {
		return nil, err
	}
	return aead.Open(nil, make([]byte, aead.NonceSize()), sealed[saltSize:], associated)
}
