package identity

import (
	"context"

	"github.com/fastness/fastness/keyring"
)

// factorSealer encrypts the secrets of second factors.
type factorSealer struct{ ring *keyring.Ring }

func (s factorSealer) Seal(ctx context.Context, plain, context []byte) ([]byte, error) {
	return s.ring.Seal(ctx, purposeFactor, plain, string(context))
}

func (s factorSealer) Open(ctx context.Context, sealed, context []byte) ([]byte, error) {
	plain, _, err := s.ring.Open(ctx, purposeFactor, sealed, string(context))
	return plain, err
}
