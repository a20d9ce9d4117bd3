package page

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/fastness/fastness/secret"
)

// Keys seal cursors: they encrypt and authenticate. They must serve for nothing else.
type Keys interface {
	// Seal encrypts plaintext and binds it to associated.
	Seal(ctx context.Context, plaintext, associated []byte) ([]byte, error)
	// Open undoes Seal, also of what an earlier key has sealed within MaxAge.
	Open(ctx context.Context, sealed, associated []byte) ([]byte, error)
}

// Ring is what [FromRing] needs of a *keyring.Ring.
type Ring interface {
	Seal(ctx context.Context, purpose string, plaintext []byte, context ...string) ([]byte, error)
	Open(ctx context.Context, purpose string, sealed []byte, context ...string) (plaintext []byte, stale bool, err error)
}

// FromRing returns the keys of one purpose of a ring, which must be an A256GCM purpose
// for nothing but cursors, and retain its keys for MaxAge and the skew of the ring.
func FromRing(ring Ring, purpose string) Keys {
	if ring == nil || purpose == "" {
		return nil // New says so.
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

// minSecret is the least length of a secret, in bytes.
const minSecret = 32

// FromSecret returns keys that are derived from a secret which the processes of an app
// share: at least 32 random bytes. To replace it, give every process the new one as an
// older one first. An older one opens cursors, and seals none.
func FromSecret(current secret.Text, older ...secret.Text) (Keys, error) {
	var keys secretKeys
	var errs []error
	for i, s := range append([]secret.Text{current}, older...) {
		if len(s.Reveal()) < minSecret {
			errs = append(errs, fmt.Errorf("secret %d is shorter than %d bytes", i, minSecret))
			continue
		}
		root, err := hkdf.Key(sha256.New, []byte(s.Reveal()), nil, "fastness cursors", sha256.Size)
		if err != nil {
			return nil, fmt.Errorf("page keys: %w", err)
		}
		keys = append(keys, root)
	}
	if len(errs) > 0 {
		return nil, fmt.Errorf("page keys: %w", errors.Join(errs...))
	}
	return keys, nil
}

// EphemeralKeys returns random keys that live as long as the process, for one process
// and for tests: a restart ends every cursor, and a second process knows none.
func EphemeralKeys() Keys {
	root := make([]byte, sha256.Size)
	_, _ = rand.Read(root) // It never fails.
	return secretKeys{root}
}

// secretKeys seal with AES-256-GCM under a key of its own for each cursor, which a
// random salt of 128 bits names. So the nonce is always zero, and there is no number of
// cursors after which the secret must change.
type secretKeys [][]byte

const saltSize = 16

func aeadOf(root, salt []byte) (cipher.AEAD, error) {
	h := hmac.New(sha256.New, root)
	_, _ = h.Write(salt) // A hash never fails.
	block, err := aes.NewCipher(h.Sum(nil))
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

func (k secretKeys) Seal(_ context.Context, plaintext, associated []byte) ([]byte, error) {
	sealed := make([]byte, saltSize, saltSize+len(plaintext)+16)
	_, _ = rand.Read(sealed)
	aead, err := aeadOf(k[0], sealed)
	if err != nil {
		return nil, err
	}
	return aead.Seal(sealed, make([]byte, aead.NonceSize()), plaintext, associated), nil
}

func (k secretKeys) Open(_ context.Context, sealed, associated []byte) ([]byte, error) {
	if len(sealed) < saltSize {
		return nil, errors.New("it is too short")
	}
	var failed error
	for _, root := range k {
		aead, err := aeadOf(root, sealed[:saltSize])
		if err != nil {
			return nil, err
		}
		plaintext, err := aead.Open(nil, make([]byte, aead.NonceSize()), sealed[saltSize:], associated)
		if err == nil {
			return plaintext, nil
		}
		failed = err
	}
	return nil, failed
}
