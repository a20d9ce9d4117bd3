// Package seal encrypts and authenticates what callers carry and bring back: tokens of
// forms, cursors of lists. Each use has keys of its own, or what was sealed for one is
// taken for the other.
package seal

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
)

// Ring is what [Ringed] needs of a *keyring.Ring.
type Ring interface {
	Seal(ctx context.Context, purpose string, plaintext []byte, context ...string) ([]byte, error)
	Open(ctx context.Context, purpose string, sealed []byte, context ...string) (plaintext []byte, stale bool, err error)
}

// Ringed seals with the keys that a ring has for a purpose.
type Ringed struct {
	Ring    Ring
	Purpose string
}

// Seal encrypts plaintext and binds it to associated.
func (k Ringed) Seal(ctx context.Context, plaintext, associated []byte) ([]byte, error) {
	return k.Ring.Seal(ctx, k.Purpose, plaintext, string(associated))
}

// Open undoes Seal, also of what an earlier key has sealed that the ring retains.
func (k Ringed) Open(ctx context.Context, sealed, associated []byte) ([]byte, error) {
	plaintext, _, err := k.Ring.Open(ctx, k.Purpose, sealed, string(associated))
	return plaintext, err
}

// Salted seals with AES-256-GCM under a key of its own for each message, which a random
// salt of 128 bits names. So the nonce is always zero, and there is no number of messages
// after which the root must change. The roots have 32 bytes; the first one seals, and all
// of them open.
type Salted [][]byte

// Ephemeral returns one root that lives as long as the process.
func Ephemeral() Salted {
	root := make([]byte, sha256.Size)
	_, _ = rand.Read(root) // It never fails.
	return Salted{root}
}

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

// Seal encrypts plaintext and binds it to associated.
func (k Salted) Seal(_ context.Context, plaintext, associated []byte) ([]byte, error) {
	sealed := make([]byte, saltSize, saltSize+len(plaintext)+16)
	_, _ = rand.Read(sealed)
	aead, err := aeadOf(k[0], sealed)
	if err != nil {
		return nil, err
	}
	return aead.Seal(sealed, make([]byte, aead.NonceSize()), plaintext, associated), nil
}

// Open undoes Seal.
func (k Salted) Open(_ context.Context, sealed, associated []byte) ([]byte, error) {
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
