package csrf

import (
	"context"
	"time"

	"github.com/fastness/fastness/internal/seal"
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
	return seal.Ringed{Ring: ring, Purpose: purpose}
}

// EphemeralKeys returns random keys that live as long as the process, for one
// process and for tests. A restart ends every token, and a second process knows
// none of them.
func EphemeralKeys() Keys { return seal.Ephemeral() }
