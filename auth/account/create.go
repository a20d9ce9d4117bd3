package account

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"log/slog"
	"time"

	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/internal/sqlstore"
	"github.com/fastness/fastness/secret"
)

// bootstrapTime is how long a bootstrap token is good.
const bootstrapTime = time.Hour

// New is an account that is to be.
type New struct {
	// Name is 1 to 64 ASCII letters, digits and . _ - @ +, and begins and ends
	// with a letter or a digit. Names that differ in case are the same.
	Name     string
	Password secret.Text
	Roles    auth.Set
	Tenant   auth.Tenant
}

// Create makes an account: for administrators and for the command line. The error
// is [ErrTaken] if somebody has the name.
func (a *Accounts) Create(ctx context.Context, by By, n New) (*Account, error) {
	return a.create(ctx, by, n, nil)
}

// SignUp makes an account for who asks for one, with the roles of
// [Config.SignUpRoles] whatever n says, and makes an address wait that asks for
// many.
//
// A taken name costs the same hash as a free one and is [ErrTaken]. User names
// that others see are no secret, and a person has to know why theirs was not
// taken. Where names are e-mail addresses they are one: answer 202 to both, and
// send a letter that says either "confirm" or "you have an account already".
func (a *Accounts) SignUp(ctx context.Context, by By, n New) (*Account, error) {
	if v := a.throttle.takePlace(a.now(), place(by.Address)); v.wait > 0 {
		return nil, a.tooMany(ctx, v, by.refused("user_created", "", slog.String("reason", "too_many")))
	}
	n.Roles = a.cfg.SignUpRoles
	return a.create(ctx, by, n, nil)
}

// Bootstrap returns a token that makes the first administrator by
// [Accounts.CreateFirst]. If there is an administrator, ok is false. The token
// works once and for an hour, and each call makes those before it void. Print it
// where only who runs the program reads it: there is no default password that
// somebody could forget to change.
func (a *Accounts) Bootstrap(ctx context.Context) (token secret.Text, ok bool, err error) {
	if a.cfg.Administrator == "" {
		return secret.Text{}, false, nil
	}
	text := rand.Text()
	err = a.store.Write(ctx, func(tx *sqlstore.Tx) error {
		if err := lockAll(ctx, tx); err != nil {
			return err
		}
		if ok, err = a.first(ctx, tx); !ok || err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "UPDATE fastness_account_first SET hash = ?, expires = ? WHERE id = 1",
			tokenHash(text), sqlstore.Micros(a.now().Add(bootstrapTime)))
		return err
	})
	if err != nil || !ok {
		return secret.Text{}, false, err
	}
	return secret.New(text), true, nil
}

// CreateFirst makes the first administrator, with a token of [Accounts.Bootstrap].
// The error is [ErrToken] if that is not good; of two who come at once with the
// same one, one wins. What else is wrong leaves the token as it is.
func (a *Accounts) CreateFirst(ctx context.Context, by By, token secret.Text, n New) (*Account, error) {
	var hash []byte
	var expires int64
	row := a.store.QueryRow(ctx, "SELECT hash, expires FROM fastness_account_first WHERE id = 1")
	if err := row.Scan(&hash, &expires); err != nil {
		return nil, err
	}
	if len(hash) == 0 { // There is nothing to guess, and nothing to write down for everybody who tries.
		return nil, badToken()
	}
	if v := a.throttle.takePlace(a.now(), place(by.Address)); v.wait > 0 {
		return nil, a.tooMany(ctx, v, by.refused("user_created", "", slog.String("reason", "too_many")))
	}
	if !a.opens(token, hash, expires) { // Before a password is hashed for a stranger.
		return nil, orElse(a.record(ctx, by.refused("user_created", "", slog.String("reason", "bootstrap_token"))), badToken())
	}
	n.Roles = auth.SetOf(append(n.Roles.Slice(), a.cfg.Administrator)...)
	return a.create(ctx, by, n, func(tx *sqlstore.Tx) error {
		if err := tx.Lock(ctx, "SELECT hash, expires FROM fastness_account_first WHERE id = 1").Scan(&hash, &expires); err != nil {
			return err
		}
		first, err := a.first(ctx, tx)
		if err != nil {
			return err
		}
		if !first || !a.opens(token, hash, expires) {
			return badToken()
		}
		_, err = tx.Exec(ctx, "UPDATE fastness_account_first SET hash = NULL, expires = 0 WHERE id = 1")
		return err
	})
}

// first reports whether there is no administrator, disabled ones included.
func (a *Accounts) first(ctx context.Context, tx *sqlstore.Tx) (bool, error) {
	var n int
	err := tx.QueryRow(ctx, `SELECT COUNT(*) FROM (SELECT id FROM fastness_accounts WHERE deleted = 0
		AND replace(roles, ?, '') <> roles LIMIT 1) AS administrator`, " "+a.cfg.Administrator+" ").Scan(&n)
	return n == 0, err
}

func (a *Accounts) opens(token secret.Text, hash []byte, expires int64) bool {
	return len(hash) > 0 && a.now().Before(sqlstore.Time(expires)) &&
		subtle.ConstantTimeCompare(tokenHash(token.Reveal()), hash) == 1
}

func tokenHash(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}

// create makes an account in a transaction that allow can stop.
func (a *Accounts) create(ctx context.Context, by By, n New, allow func(tx *sqlstore.Tx) error) (*Account, error) {
	canon, ok := fold(n.Name)
	if !ok {
		return nil, badName()
	}
	if err := a.declared(n.Roles); err != nil {
		return nil, err
	}
	hash, err := a.hash(ctx, n.Password, n.Name)
	if err != nil {
		return nil, err
	}
	now := a.now().Truncate(time.Microsecond).UTC()
	r := &record{Account: Account{ID: newID(), Name: n.Name, Roles: n.Roles, Tenant: n.Tenant, Created: now, PasswordChanged: now, Epoch: 1},
		password: hash, version: 1}
	event := by.event("user_created", r.ID, slog.String("roles", n.Roles.String()))
	before, err := a.named(ctx, canon)
	if err != nil {
		return nil, err
	}
	if before != nil {
		event.Subject = before.ID
		return nil, a.not(ctx, taken(), event)
	}
	if err := a.record(ctx, event); err != nil {
		return nil, err
	}
	err = a.store.Write(ctx, func(tx *sqlstore.Tx) error {
		if allow != nil {
			if err := allow(tx); err != nil {
				return err
			}
		}
		if err := r.insert(ctx, tx); err != nil || !n.Roles.Has(a.cfg.Administrator) {
			return err
		}
		// Whoever has the token for the first administrator comes too late.
		_, err := tx.Exec(ctx, "UPDATE fastness_account_first SET hash = NULL")
		return err
	})
	if err != nil {
		return nil, a.not(ctx, err, event)
	}
	return &r.Account, nil
}
