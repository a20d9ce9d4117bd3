package passkey

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"time"

	"github.com/fastness/fastness/internal/sqlstore"
)

// challengeTTL is how long a user has to unlock the device. Browsers are told the
// same.
const challengeTTL = 5 * time.Minute

// ceremony is what a challenge is for. What was signed for one is worthless in
// the other.
type ceremony string

const (
	registering ceremony = "register"
	loggingIn   ceremony = "login"
)

// challenge returns 256 random bits to be signed, once and soon. A user is given
// to a registration; who logs in is not known yet.
func (p *party) challenge(ctx context.Context, c ceremony, user string) (string, error) {
	random := make([]byte, 32)
	_, _ = rand.Read(random) // It never fails.
	text := base64.RawURLEncoding.EncodeToString(random)
	now := p.core.Now()
	err := p.store.Write(ctx, func(tx *sqlstore.Tx) error {
		if _, err := tx.Exec(ctx, "DELETE FROM fastness_passkey_challenges WHERE expires <= ?", sqlstore.Micros(now)); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "INSERT INTO fastness_passkey_challenges (hash, ceremony, user_id, expires) VALUES (?, ?, ?, ?)",
			digest(text), string(c), user, sqlstore.Micros(now.Add(challengeTTL)))
		return err
	})
	if err != nil {
		return "", fmt.Errorf("passkey: challenge: %w", err)
	}
	return text, nil
}

// spend uses a challenge up, and reports whether it was one of this ceremony and
// this user that was never used. It comes before the signature is verified: of two
// requests with one challenge, only one gets there.
func (p *party) spend(ctx context.Context, text string, c ceremony, user string) (bool, error) {
	ok, err := p.store.Changed(ctx, "DELETE FROM fastness_passkey_challenges WHERE hash = ? AND ceremony = ? AND user_id = ? AND expires > ?",
		digest(text), string(c), user, sqlstore.Micros(p.core.Now()))
	if err != nil {
		return false, fmt.Errorf("passkey: challenge: %w", err)
	}
	return ok, nil
}

// digest is what is stored of a challenge: who reads the database cannot finish a
// ceremony that somebody else began.
func digest(text string) []byte {
	sum := sha256.Sum256([]byte(text))
	return sum[:]
}
