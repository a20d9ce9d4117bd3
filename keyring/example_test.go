package keyring_test

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/fastness/fastness/keyring"
	"github.com/fastness/fastness/secret"
)

// A key signs, is rotated, and what it has signed stays valid until it expires;
// then a key leaks, and what it has signed is refused at once.
func Example() {
	ctx := context.Background()
	// In a service: keyring.LoadKEK(path), and keyring.SQL(ctx, db).
	sealer, err := keyring.NewSealer(secret.New("MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3BxcnN0dXY="))
	if err != nil {
		fmt.Println(err)
		return
	}
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	ring, err := keyring.Open(ctx, keyring.Config{
		Store: &keyring.Memory{}, Sealer: sealer, Logger: slog.New(slog.DiscardHandler),
		Purposes: []keyring.Purpose{{Name: "access-token", Algorithm: keyring.EdDSA, Lifetime: time.Hour}},
		Now:      func() time.Time { return now },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	key, _ := ring.Signing(ctx, "access-token")
	sig, _ := key.Sign([]byte("token"))

	next, _ := ring.Rotate(ctx, "access-token")
	fmt.Println("the next key is", next.State, "for", next.Activates.Sub(now))
	now = now.Add(30 * time.Minute)
	current, _ := ring.Signing(ctx, "access-token")
	fmt.Println("the next key signs:", current.ID() == next.ID)
	known, err := ring.Verifying(ctx, "access-token", key.ID())
	fmt.Println("the token of before:", err, known.Verify([]byte("token"), sig))

	if err := ring.Revoke(ctx, key.ID()); err != nil {
		fmt.Println(err)
	}
	_, err = ring.Verifying(ctx, "access-token", key.ID())
	fmt.Println("after the revocation:", err)
	// Output:
	// the next key is pending for 25m0s
	// the next key signs: true
	// the token of before: <nil> <nil>
	// after the revocation: no such key
}
