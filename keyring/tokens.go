package keyring

import (
	"context"
	"errors"
	"fmt"

	"github.com/fastness/fastness/internal/jws"
)

// TokenKeys are the keys of one purpose, as those who issue and verify tokens
// want them.
type TokenKeys struct {
	ring    *Ring
	purpose string
}

// Tokens returns the keys of a purpose that signs.
func (r *Ring) Tokens(purpose string) (*TokenKeys, error) {
	p := r.purposes[purpose]
	if p == nil {
		return nil, fmt.Errorf("keys for tokens: %q: %w", purpose, ErrPurpose)
	}
	if p.Algorithm == A256GCM {
		return nil, fmt.Errorf("keys for tokens: %q: %w", purpose, errKind)
	}
	return &TokenKeys{r, purpose}, nil
}

// SigningKey returns the key to sign with now.
func (t *TokenKeys) SigningKey(ctx context.Context) (*jws.Key, error) {
	k, err := t.ring.Signing(ctx, t.purpose)
	if err != nil {
		return nil, err
	}
	if k.jws == nil { // It was made when the purpose had another algorithm.
		return nil, errKind
	}
	return k.jws, nil
}

// Key returns the key of an id, or nil; see [Ring.Verifying].
func (t *TokenKeys) Key(ctx context.Context, id string) (*jws.Key, error) {
	k, err := t.ring.Verifying(ctx, t.purpose, id)
	if errors.Is(err, ErrUnknownKey) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return k.jws, nil
}

// Generation is [Ring.Generation].
func (t *TokenKeys) Generation() uint64 { return t.ring.Generation() }
