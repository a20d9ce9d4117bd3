package identity

import (
	"context"
	"errors"

	"github.com/fastness/fastness/internal/jws"
	"github.com/fastness/fastness/keyring"
)

// tokenKeys are the keys of access tokens, as package token wants them.
type tokenKeys struct{ ring *keyring.Ring }

// SigningKey returns the key to sign with now.
func (k tokenKeys) SigningKey(ctx context.Context) (*jws.Key, error) {
	key, err := k.ring.Signing(ctx, purposeToken)
	if err != nil {
		return nil, err
	}
	return key.JWS(), nil
}

// Key returns the key of an id, or nil.
func (k tokenKeys) Key(ctx context.Context, id string) (*jws.Key, error) {
	key, err := k.ring.Verifying(ctx, purposeToken, id)
	if errors.Is(err, keyring.ErrUnknownKey) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return key.JWS(), nil
}

// Generation changes when a key was revoked.
func (k tokenKeys) Generation() uint64 { return uint64(k.ring.Generation(context.Background())) }

// factorSealer encrypts the secrets of second factors.
type factorSealer struct{ ring *keyring.Ring }

func (s factorSealer) Seal(ctx context.Context, plain, context []byte) ([]byte, error) {
	return s.ring.Seal(ctx, purposeFactor, plain, string(context))
}

func (s factorSealer) Open(ctx context.Context, sealed, context []byte) ([]byte, error) {
	plain, _, err := s.ring.Open(ctx, purposeFactor, sealed, string(context))
	return plain, err
}
