package account

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/fastness/fastness/internal/sqlstore"
	"github.com/fastness/fastness/problem"
	"github.com/fastness/fastness/secret"
)

// ChangePassword changes the password of by.Actor, who proves to be its owner by
// the current one: whoever finds an open browser must not keep the account. All
// that was issued before is void, and sessions other than by.Session end. Guesses
// at the current password are slowed down as those at a log-in are.
func (a *Accounts) ChangePassword(ctx context.Context, by By, current, next secret.Text) error {
	r, err := a.prove(ctx, by, current)
	if err != nil {
		return err
	}
	if next.Equal(current) {
		return invalid("password_unchanged", "the new password is the current one")
	}
	hash, err := a.hash(ctx, next, r.Name)
	if err != nil {
		return err
	}
	return a.setPassword(ctx, by, r.ID, hash, r.password)
}

// SetPassword sets the password of an account, whatever it was: for an
// administrator, and for who has proved to be its owner by other means. All that
// was issued before is void, and all sessions end.
func (a *Accounts) SetPassword(ctx context.Context, by By, id string, next secret.Text) error {
	r, err := a.row(ctx, id)
	if err != nil {
		return err
	}
	if r == nil || r.deleted {
		return unknown()
	}
	hash, err := a.hash(ctx, next, r.Name)
	if err != nil {
		return err
	}
	by.Session = ""
	return a.setPassword(ctx, by, id, hash, "")
}

// setPassword stores a hash, in the place of old if that is not "".
func (a *Accounts) setPassword(ctx context.Context, by By, id, hash, old string) error {
	_, err := a.change(ctx, id, a.toPassword(ctx, by, id, hash, old))
	return err
}

func (a *Accounts) toPassword(ctx context.Context, by By, id, hash, old string) edit {
	return edit{
		event: by.event("authn_password_change", id),
		apply: func(r *record) error {
			if old != "" && r.password != old {
				return conflict("the password was changed meanwhile")
			}
			r.password, r.PasswordChanged = hash, a.now()
			return nil
		},
		also: func(tx *sqlstore.Tx, r *record) error { return forgetPlaces(ctx, tx, r.ID) },
		ends: true, keep: by.Session,
	}
}

// hash checks and hashes a new password.
func (a *Accounts) hash(ctx context.Context, pw secret.Text, name string) (string, error) {
	violations, err := a.cfg.Policy.Check(ctx, pw, name)
	if err != nil {
		return "", err
	}
	if len(violations) > 0 {
		p := problem.New(http.StatusUnprocessableEntity, "the password is too weak").Named("weak_password")
		for _, v := range violations {
			v.In, v.Path = "body", []problem.Segment{problem.Name("password")}
			p.Errors = append(p.Errors, v)
		}
		return "", p
	}
	return a.cfg.Passwords.Hash(ctx, pw)
}

// self returns the account of by.Actor, if it may be used.
func (a *Accounts) self(ctx context.Context, by By) (*record, error) {
	r, err := a.row(ctx, by.Actor)
	if err != nil {
		return nil, err
	}
	if r == nil || !r.active(a.now()) {
		return nil, unknown()
	}
	return r, nil
}

// prove lets by.Actor prove again who they are, by the password. The guesses are
// counted for the user alone: those of strangers do not keep them from it.
func (a *Accounts) prove(ctx context.Context, by By, pw secret.Text) (*record, error) {
	end, free := a.throttle.begin(by.Address)
	if !free {
		return nil, throttled(time.Second)
	}
	defer end()
	r, err := a.self(ctx, by)
	if err != nil {
		return nil, err
	}
	now := a.now()
	guess, v := a.throttle.take(now, r.ID, "logged in", true)
	if v.wait > 0 {
		return nil, a.tooMany(ctx, v, by.refused("authn_password_change_fail", r.ID, slog.String("reason", "too_many")))
	}
	right, _, err := a.verify(ctx, guess, r, pw)
	if err != nil {
		return nil, err
	}
	if !right {
		return nil, orElse(a.record(ctx, by.refused("authn_password_change_fail", r.ID)), wrongProof())
	}
	guess.right(now)
	return r, nil
}

// proveBoth is prove with the second factor.
func (a *Accounts) proveBoth(ctx context.Context, by By, pw secret.Text, code string) (*record, use, error) {
	r, err := a.prove(ctx, by, pw)
	if err != nil {
		return nil, nil, err
	}
	if !r.SecondFactor {
		return nil, nil, conflict("there is no second factor")
	}
	used, err := a.code(ctx, by.refused("authn_login_fail_max", r.ID), r, code)
	if errors.Is(err, errCode) {
		return nil, nil, orElse(a.record(ctx, by.refused("authn_login_fail", r.ID, slog.String("reason", "second_factor"))), wrongProof())
	}
	if err == nil {
		a.throttle.rightCode(a.now(), r.ID)
	}
	return r, used, err
}
