package account

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"strings"
	"time"

	"github.com/fastness/fastness/auditlog"
	"github.com/fastness/fastness/internal/sqlstore"
	"github.com/fastness/fastness/secret"
)

const (
	enrolTime     = 10 * time.Minute
	recoveryCodes = 10
	recoveryChars = 20 // of base32: 100 bits
)

// errCode is a code that is wrong, or was used before.
var errCode = errors.New("account: the code is wrong")

// Enrolment is a second factor that is not confirmed yet.
type Enrolment struct {
	// URI is what an authenticator app reads from a QR code. It holds the secret.
	URI secret.Text
	// Secret is for who types it into the app.
	Secret secret.Text
}

// Enrol begins to add a second factor, codes that change every 30 seconds
// (RFC 6238), to the account of by.Actor. It asks for the password: otherwise who
// finds an open browser could lock its owner out. The user has 10 minutes to show
// by a code that their app works; see [Accounts.ConfirmEnrolment].
func (a *Accounts) Enrol(ctx context.Context, by By, password secret.Text) (*Enrolment, error) {
	if a.cfg.Sealer == nil {
		return nil, errors.New("account: there are no second factors: Config.Sealer is nil")
	}
	r, err := a.prove(ctx, by, password)
	if err != nil {
		return nil, err
	}
	key := make([]byte, totpBytes)
	rand.Read(key)
	sealed, err := a.cfg.Sealer.Seal(ctx, key, sealedFor(r.ID))
	if err != nil {
		return nil, err
	}
	_, err = a.change(ctx, r.ID, edit{
		event: by.event("user_updated", r.ID, slog.String("change", "second_factor_begun")),
		apply: func(r *record) error {
			if r.SecondFactor {
				return conflict("there is a second factor already")
			}
			r.pending, r.pendingUntil = sealed, a.now().Add(enrolTime)
			return nil
		},
	})
	if err != nil {
		return nil, err
	}
	return &Enrolment{secret.New(totpURI(a.cfg.Issuer, r.Name, key)), secret.New(base32Of(key))}, nil
}

// ConfirmEnrolment makes the second factor count if the code is right. It returns
// ten recovery codes, each of which works once in the place of a code. Show them
// once: only their hashes are kept. All that was issued before is void, and
// sessions other than by.Session end.
func (a *Accounts) ConfirmEnrolment(ctx context.Context, by By, code string) ([]secret.Text, error) {
	r, err := a.self(ctx, by)
	if err != nil {
		return nil, err
	}
	now := a.now()
	if r.pending == nil || !now.Before(r.pendingUntil) {
		return nil, conflict("there is no second factor to confirm, or no more")
	}
	if v := a.throttle.takeCode(now, r.ID); v.wait > 0 {
		return nil, a.tooMany(ctx, v, by.refused("authn_login_fail_max", r.ID))
	}
	key, err := a.open(ctx, r.ID, r.pending)
	if err != nil {
		return nil, err
	}
	step, ok := totpMatch(key, digitsOf(code), now, 0)
	if !ok {
		return nil, orElse(a.record(ctx, by.refused("user_updated", r.ID, slog.String("change", "second_factor_on"))), wrongProof())
	}
	a.throttle.rightCode(now, r.ID)
	codes := newRecoveryCodes()
	pending := string(r.pending)
	_, err = a.change(ctx, r.ID, edit{
		event: by.event("user_updated", r.ID, slog.String("change", "second_factor_on")),
		apply: func(r *record) error {
			if string(r.pending) != pending {
				return conflict("the second factor was begun anew")
			}
			r.totp, r.totpStep, r.SecondFactor = r.pending, step, true
			r.pending, r.pendingUntil = nil, time.Time{}
			return nil
		},
		also: func(tx *sqlstore.Tx, _ *record) error { return storeRecovery(ctx, tx, by.Actor, codes) },
		ends: true, keep: by.Session,
	})
	if err != nil {
		return nil, err
	}
	return codes, nil
}

// RemoveSecondFactor removes the second factor of by.Actor, who proves to be its
// owner by the password and a code. All that was issued before is void, and
// sessions other than by.Session end.
func (a *Accounts) RemoveSecondFactor(ctx context.Context, by By, password secret.Text, code string) error {
	r, used, err := a.proveBoth(ctx, by, password, code)
	if err != nil {
		return err
	}
	_, err = a.change(ctx, r.ID, edit{
		event: by.event("user_updated", r.ID, slog.String("change", "second_factor_off")),
		apply: func(*record) error { return nil },
		also: func(tx *sqlstore.Tx, r *record) error {
			// The code first: it is one of the factor that goes.
			if err := used.once(ctx, tx, r); err != nil {
				return err
			}
			return errors.Join(withoutFactor(r), storeRecovery(ctx, tx, r.ID, nil))
		},
		ends: true, keep: by.Session,
	})
	return err
}

// ResetSecondFactor removes the second factor of a user who has lost both app and
// recovery codes. Whoever asks for it by telephone may be somebody else.
func (a *Accounts) ResetSecondFactor(ctx context.Context, by By, id string) error {
	_, err := a.change(ctx, id, toNoFactor(ctx, by, id))
	return err
}

func toNoFactor(ctx context.Context, by By, id string) edit {
	return edit{
		event: by.event("user_updated", id, slog.String("change", "second_factor_reset")),
		apply: withoutFactor,
		also:  func(tx *sqlstore.Tx, r *record) error { return storeRecovery(ctx, tx, r.ID, nil) },
		ends:  true,
	}
}

func withoutFactor(r *record) error {
	r.totp, r.pending, r.pendingUntil, r.SecondFactor = nil, nil, time.Time{}, false
	return nil
}

// RenewRecoveryCodes returns ten new recovery codes for by.Actor; the old ones are
// void.
func (a *Accounts) RenewRecoveryCodes(ctx context.Context, by By, password secret.Text, code string) ([]secret.Text, error) {
	r, used, err := a.proveBoth(ctx, by, password, code)
	if err != nil {
		return nil, err
	}
	codes := newRecoveryCodes()
	_, err = a.change(ctx, r.ID, edit{
		event: by.event("user_updated", r.ID, slog.String("change", "recovery_codes")),
		apply: func(*record) error { return nil },
		also: func(tx *sqlstore.Tx, r *record) error {
			if err := used.once(ctx, tx, r); err != nil {
				return err
			}
			return storeRecovery(ctx, tx, r.ID, codes)
		},
	})
	if err != nil {
		return nil, err
	}
	return codes, nil
}

// use spends a code that was right when somebody looked, and reports whether it
// still is.
type use func(ctx context.Context, tx *sqlstore.Tx, r *record) (bool, error)

// once spends the code, or says that it is wrong.
func (u use) once(ctx context.Context, tx *sqlstore.Tx, r *record) error {
	if ok, err := u(ctx, tx, r); err != nil || ok {
		return err
	}
	return wrongProof()
}

// code checks a code of an account's second factor, or a recovery code. It is
// errCode if that is wrong. Outside of the transaction that spends it: a Sealer
// may have to ask the same database for its key.
func (a *Accounts) code(ctx context.Context, tooMany auditlog.Event, r *record, code string) (use, error) {
	now := a.now()
	if recovery, ok := recoveryOf(code); ok { // Nobody guesses 100 bits, and they are the way in while somebody guesses at six digits.
		return a.recovery(ctx, r, recovery)
	}
	if v := a.throttle.takeCode(now, r.ID); v.wait > 0 {
		return nil, a.tooMany(ctx, v, tooMany)
	}
	key, err := a.open(ctx, r.ID, r.totp)
	if err != nil {
		return nil, err
	}
	step, ok := totpMatch(key, digitsOf(code), now, r.totpStep)
	if !ok {
		return nil, errCode
	}
	sealed := string(r.totp)
	return func(_ context.Context, _ *sqlstore.Tx, r *record) (bool, error) {
		if r.totpStep >= step || string(r.totp) != sealed {
			return false, nil
		}
		r.totpStep = step
		return true, nil
	}, nil
}

func (a *Accounts) recovery(ctx context.Context, r *record, code string) (use, error) {
	hash := hashOf("recovery", r.ID, code)
	var n int
	err := a.store.QueryRow(ctx, "SELECT COUNT(*) FROM fastness_account_codes WHERE account = ? AND hash = ?", r.ID, hash).Scan(&n)
	if err != nil {
		return nil, err
	}
	if n == 0 {
		return nil, errCode
	}
	return func(ctx context.Context, tx *sqlstore.Tx, r *record) (bool, error) {
		return tx.Changed(ctx, "DELETE FROM fastness_account_codes WHERE account = ? AND hash = ?", r.ID, hash)
	}, nil
}

func (a *Accounts) open(ctx context.Context, id string, sealed []byte) ([]byte, error) {
	if a.cfg.Sealer == nil { // Fail closed: the account has a second factor.
		return nil, errors.New("account: a second factor cannot be opened: Config.Sealer is nil")
	}
	return a.cfg.Sealer.Open(ctx, sealed, sealedFor(id))
}

func sealedFor(id string) []byte { return []byte("fastness account totp " + id) }

// digitsOf returns a code without the spaces that people type.
func digitsOf(code string) string { return strings.ReplaceAll(code, " ", "") }

// recoveryOf returns a recovery code as it is hashed, and whether it looks like
// one.
func recoveryOf(code string) (string, bool) {
	code = strings.ToUpper(strings.NewReplacer("-", "", " ", "").Replace(code))
	return code, len(code) == recoveryChars
}

func newRecoveryCodes() []secret.Text {
	codes := make([]secret.Text, recoveryCodes)
	for i := range codes {
		text := rand.Text()
		codes[i] = secret.New(text[0:5] + "-" + text[5:10] + "-" + text[10:15] + "-" + text[15:recoveryChars])
	}
	return codes
}

// storeRecovery makes codes the only recovery codes of an account.
func storeRecovery(ctx context.Context, tx *sqlstore.Tx, id string, codes []secret.Text) error {
	if _, err := tx.Exec(ctx, "DELETE FROM fastness_account_codes WHERE account = ?", id); err != nil {
		return err
	}
	for _, c := range codes {
		code, _ := recoveryOf(c.Reveal())
		_, err := tx.Exec(ctx, "INSERT INTO fastness_account_codes (account, hash) VALUES (?, ?)", id, hashOf("recovery", id, code))
		if err != nil {
			return err
		}
	}
	return nil
}
