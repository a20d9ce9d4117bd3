package oidc

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/internal/sqlstore"
)

// grant is what a code stands for: what was asked for, and who said yes.
type grant struct {
	request
	user    string
	browser string // the session in which they did
	// epoch is that of the cookie by which they did. The session may go on in
	// another, after a change of password: what somebody with a copy of the old
	// cookie had asked for does not.
	epoch   int64
	methods auth.Set
	at      time.Time
}

// issue makes a code for a grant.
func (s *store) issue(ctx context.Context, g *grant, ttl time.Duration) (code string, err error) {
	text, err := json.Marshal(&g.request)
	if err != nil {
		return "", err
	}
	code = newSecret()
	hash, _ := hashOf(code)
	now := s.now()
	expires := sqlstore.Micros(now.Add(ttl))
	err = s.sql.Write(ctx, func(tx *sqlstore.Tx) error {
		if _, err := tx.Exec(ctx, "DELETE FROM fastness_oidc_codes WHERE kept <= ?", sqlstore.Micros(now)); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "INSERT INTO fastness_oidc_codes (hash, request, user_id, browser, epoch, methods, authenticated, expires, kept) "+
			"VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
			hash, string(text), g.user, g.browser, g.epoch, g.methods.String(), sqlstore.Micros(g.at), expires, expires)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("oidc: issue a code: %w", err)
	}
	return code, nil
}

// redeemed is what came of the use of a code.
type redeemed struct {
	grant *grant // nil if the code is not good
	// replay says that it was used before, and session is what that began, if it is
	// known already.
	replay  bool
	session string
}

// redeem uses up a code. Whoever comes first gets what it stands for; what they
// must still prove is the caller's part, and they do not get a second try: who has
// a code and not its verifier has stolen it.
func (s *store) redeem(ctx context.Context, code string) (out redeemed, err error) {
	hash, ok := hashOf(code)
	if !ok {
		return redeemed{}, nil
	}
	now := s.now()
	err = s.sql.Write(ctx, func(tx *sqlstore.Tx) error {
		var (
			g                            grant
			text, methods                string
			authenticated, expires, used int64
		)
		err := tx.Lock(ctx, "SELECT request, user_id, browser, epoch, methods, authenticated, expires, used, session_id "+
			"FROM fastness_oidc_codes WHERE hash = ?", hash).
			Scan(&text, &g.user, &g.browser, &g.epoch, &methods, &authenticated, &expires, &used, &out.session)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return nil
		case err != nil:
			return err
		case used != 0:
			out.replay = true
			_, err = tx.Exec(ctx, "UPDATE fastness_oidc_codes SET replayed = 1 WHERE hash = ?", hash)
			return err
		case expires <= sqlstore.Micros(now):
			return nil
		}
		if err := json.Unmarshal([]byte(text), &g.request); err != nil {
			return err
		}
		g.methods, g.at = auth.ParseSet(methods), sqlstore.Time(authenticated)
		out.grant = &g
		_, err = tx.Exec(ctx, "UPDATE fastness_oidc_codes SET used = ? WHERE hash = ?", sqlstore.Micros(now), hash)
		return err
	})
	if err != nil {
		return redeemed{}, fmt.Errorf("oidc: redeem a code: %w", err)
	}
	return out, nil
}

// began notes which session a code began, for as long as that can last. It reports
// false if the code was replayed in the meantime: the session must end.
func (s *store) began(ctx context.Context, code, session string, until time.Time) (bool, error) {
	hash, _ := hashOf(code)
	noted, err := s.sql.Changed(ctx, "UPDATE fastness_oidc_codes SET session_id = ?, kept = ? WHERE hash = ? AND replayed = 0",
		session, sqlstore.Micros(until), hash)
	if err != nil {
		return false, fmt.Errorf("oidc: note the session of a code: %w", err)
	}
	return noted, nil
}
