package account

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"time"

	"github.com/fastness/fastness/auditlog"
	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/auth/password"
	"github.com/fastness/fastness/internal/sqlstore"
	"github.com/fastness/fastness/secret"
)

// Attempt is a try to log in.
type Attempt struct {
	Name     string
	Password secret.Text
	// Code is that of the second factor, or a recovery code. Empty means that
	// the user was not asked yet.
	Code string
	// Address is the client's address, without port. Take it from a proxy only
	// if the proxy is yours: whoever can choose it can guess without end. All
	// who have none share one.
	Address string
	// Request is the id of the request.
	Request string
	// Device is the [Login.Device] of an earlier log-in, which the browser or
	// the app has kept. From there users get in while others guess at their
	// password, whatever their address.
	Device secret.Text
	// Remember asks for a [Login.Device].
	Remember bool
}

// Login is a user who has proved who they are.
type Login struct {
	Account Account
	// Methods are how they did (RFC 8176): "pwd", "otp", "mfa".
	Methods auth.Set
	At      time.Time
	// Device is for [Attempt.Device], if the attempt asked for one. A browser
	// keeps it in a cookie (HttpOnly, Secure, SameSite=Strict) for a year. It is
	// no credential: whoever steals it still needs the password, and has as few
	// guesses as anybody.
	Device secret.Text
}

// User returns the user as the caller of a request that logged in by itself.
func (l *Login) User() *auth.User {
	return &auth.User{
		ID: l.Account.ID, Name: l.Account.Name, Roles: l.Account.Roles, AllScopes: true,
		Tenant: l.Account.Tenant, Methods: l.Methods, At: l.At,
	}
}

// LogIn verifies a name, a password and, if the account has one, the code of a
// second factor. Whatever is wrong, the error is [ErrCredentials] and says
// "Incorrect username or password"; it is [ErrSecondFactor] if only the code is
// missing, and [ErrThrottled] if it is too early for another guess.
//
// A hash with outdated parameters is replaced by a new one. What is issued to the
// user must carry the epoch of [Login.Account]: a password that is changed in
// this moment makes it void.
func (a *Accounts) LogIn(ctx context.Context, at Attempt) (*Login, error) {
	end, free := a.throttle.begin(at.Address)
	if !free {
		return nil, throttled(time.Second)
	}
	defer end()
	now := a.now()
	canon, ok := fold(at.Name)
	r, err := a.named(ctx, canon)
	if err != nil {
		return nil, err
	}
	from, err := a.origin(ctx, r, at)
	if err != nil {
		return nil, err
	}
	if !ok {
		canon = at.Name // Nobody's, and counted like a name.
	}
	guess, verdict := a.throttle.take(now, canon, from.key, from.known)
	if verdict.wait > 0 {
		return nil, a.tooMany(ctx, verdict, at.event("authn_login_fail_max", r))
	}
	right, newHash, err := a.verify(ctx, guess, r, at.Password)
	if errors.Is(err, password.ErrHash) { // An answer of its own would tell that there is an account.
		return nil, a.fail(ctx, at, r, "unreadable_hash")
	}
	if err != nil {
		return nil, err
	}
	if why := r.unfit(right, now); why != "" {
		return nil, a.fail(ctx, at, r, why)
	}
	methods := auth.SetOf("pwd")
	var used use
	if r.SecondFactor {
		if at.Code == "" {
			guess.undo(now)
			if !a.throttle.asked(now, r.ID) { // Whoever has the password could fill the log.
				return nil, needsCode()
			}
			return nil, orElse(a.record(ctx, at.event("authn_login_fail", r, slog.String("reason", "second_factor_required"))), needsCode())
		}
		used, err = a.code(ctx, at.event("authn_login_fail_max", r), r, at.Code)
		if errors.Is(err, errCode) {
			return nil, a.fail(ctx, at, r, "second_factor")
		}
		if err != nil {
			return nil, err
		}
		methods = auth.SetOf("pwd", "otp", "mfa")
	}
	login := &Login{Methods: methods, At: now}
	why, err := a.finish(ctx, at, r, login, from, newHash, used)
	switch {
	case err != nil:
		return nil, err
	case why != "":
		return nil, a.fail(ctx, at, r, why)
	}
	if err := a.record(ctx, at.event("authn_login_success", r, slog.String("methods", methods.String()))); err != nil {
		return nil, err
	}
	guess.right(now)
	return login, nil
}

// verify does the same work whether there is an account or not.
func (a *Accounts) verify(ctx context.Context, guess try, r *record, pw secret.Text) (right bool, newHash string, err error) {
	if r == nil {
		err = a.cfg.Passwords.Dummy(ctx, pw)
	} else {
		right, newHash, err = a.cfg.Passwords.VerifyAndUpdate(ctx, r.password, pw)
	}
	if errors.Is(err, password.ErrBusy) {
		guess.undo(a.now())
	}
	return right && err == nil, newHash, err
}

// unfit says why the owner of a record is not let in, or "". It is for the log.
func (r *record) unfit(right bool, now time.Time) string {
	switch {
	case r == nil:
		return "unknown_name"
	case !right:
		return "wrong_password"
	case r.deleted:
		return "deleted"
	case r.Disabled:
		return "disabled"
	case !r.active(now):
		return "locked"
	}
	return ""
}

// finish makes the log-in count, in one transaction. In the time that a hash
// takes, the account can be disabled and its password changed, and the code used
// by somebody who looked over a shoulder: all that is looked at again here.
func (a *Accounts) finish(ctx context.Context, at Attempt, r *record, login *Login, from origin, newHash string, used use) (why string, err error) {
	err = a.store.Write(ctx, func(tx *sqlstore.Tx) error {
		now, err := lock(ctx, tx, r.ID)
		if err != nil {
			return err
		}
		same := now != nil && now.password == r.password && now.Epoch == r.Epoch && now.SecondFactor == r.SecondFactor
		if why = now.unfit(same, login.At); why != "" {
			return nil
		}
		if used != nil {
			if ok, err := used(ctx, tx, now); err != nil || !ok {
				why = "second_factor_used"
				return err
			}
		}
		if newHash != "" {
			now.password = newHash
		}
		if used != nil || newHash != "" {
			if err := now.save(ctx, tx); err != nil {
				return err
			}
		}
		login.Account = now.Account
		return a.remember(ctx, tx, at, from, login)
	})
	if err == nil && why == "" && used != nil {
		a.throttle.rightCode(login.At, r.ID)
	}
	return why, err
}

// fail records why a log-in failed and returns the answer, which does not say.
func (a *Accounts) fail(ctx context.Context, at Attempt, r *record, why string) error {
	return orElse(a.record(ctx, at.event("authn_login_fail", r, slog.String("reason", why))), refused())
}

// tooMany records the first of refused guesses, and returns the answer to all.
func (a *Accounts) tooMany(ctx context.Context, v verdict, e auditlog.Event) error {
	if v.news {
		if err := a.record(ctx, e); err != nil {
			return err
		}
	}
	return throttled(v.wait)
}

// Establish returns the log-in of a user who has proved who they are by other
// means: a passkey, a link that was sent, another issuer. Whoever calls it vouches
// for that, second factor included; what it adds is that the account must be one
// that may be used, and the event.
func (a *Accounts) Establish(ctx context.Context, by By, userID string, methods auth.Set) (*Login, error) {
	r, err := a.row(ctx, userID)
	if err != nil {
		return nil, err
	}
	now := a.now()
	at := Attempt{Address: by.Address, Request: by.Request}
	if why := r.unfit(true, now); why != "" {
		return nil, a.fail(ctx, at, r, why)
	}
	if err := a.record(ctx, at.event("authn_login_success", r, slog.String("methods", methods.String()))); err != nil {
		return nil, err
	}
	return &Login{Account: r.Account, Methods: methods, At: now}, nil
}

// event is one of a log-in. The actor is known only if it has succeeded, and a
// name that nobody has is not in it.
func (at Attempt) event(name string, r *record, details ...slog.Attr) auditlog.Event {
	e := auditlog.Event{Name: name, Address: at.Address, Request: at.Request, Refused: name != "authn_login_success", Details: details}
	if r != nil {
		e.Subject = r.ID
		if !e.Refused {
			e.Actor = r.ID
		}
	}
	return e
}

func (a *Accounts) record(ctx context.Context, e auditlog.Event) error {
	return a.cfg.Events.Record(ctx, e)
}

// orElse returns the first of two errors that there is.
func orElse(first, second error) error {
	if first != nil {
		return first
	}
	return second
}

func newID() string { return rand.Text() }
