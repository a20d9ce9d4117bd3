package keyring_test

import (
	"crypto/rand"
	"testing"

	"github.com/fastness/fastness/auth/token"
	"github.com/fastness/fastness/keyring"
)

var (
	_ token.Keys   = (*keyring.TokenKeys)(nil)
	_ token.Signer = (*keyring.TokenKeys)(nil)
)

func TestTokensOfARevokedKeyAreRefusedAlthoughTheyAreRemembered(t *testing.T) {
	c := newClock()
	store := &keyring.Memory{}
	ring, other := open(t, config(t, store, c)), open(t, config(t, store, c))
	keys, err := ring.Tokens(tokens)
	if err != nil {
		t.Fatal(err)
	}
	generation := keys.Generation()
	key, err := keys.SigningKey(t.Context())
	if err != nil || key == nil {
		t.Fatal(err)
	}
	if k, err := keys.Key(t.Context(), key.ID()); err != nil || k != key {
		t.Errorf("Key() = %v, %v, want the key", k, err)
	}
	if k, err := keys.Key(t.Context(), rand.Text()); err != nil || k != nil {
		t.Errorf("Key(unknown) = %v, %v, want nothing and no error", k, err)
	}
	if err := other.Revoke(t.Context(), key.ID()); err != nil {
		t.Fatal(err)
	}
	c.add(keyring.DefaultRefresh)
	// A remembered token asks for nothing but the generation.
	if keys.Generation() == generation {
		t.Error("the generation is the same one Refresh after the revocation")
	}
	for _, purpose := range []string{cookies, "other"} {
		if _, err := ring.Tokens(purpose); err == nil {
			t.Errorf("Tokens(%s) is no mistake", purpose)
		}
	}
}
