package page

import (
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/fastness/fastness/internal/seal"
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
	return seal.Ringed{Ring: ring, Purpose: purpose}
}

// minSecret is the least length of a secret, in bytes.
const minSecret = 32

// FromSecret returns keys that are derived from a secret which the processes of an app
// share: at least 32 random bytes. To replace it, give every process the new one as an
// older one first. An older one opens cursors, and seals none.
func FromSecret(current secret.Text, older ...secret.Text) (Keys, error) {
	var keys seal.Salted
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
func EphemeralKeys() Keys { return seal.Ephemeral() }
