package account

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/fastness/fastness/auditlog"
	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/internal/sqlstore"
)

// SetRoles gives an account these roles and no other. It counts at once in this
// process, and within 4 seconds in others.
func (a *Accounts) SetRoles(ctx context.Context, by By, id string, roles auth.Set) error {
	if err := a.declared(roles); err != nil {
		return err
	}
	_, err := a.change(ctx, id, toRoles(by, id, roles))
	return err
}

func toRoles(by By, id string, roles auth.Set) edit {
	return edit{
		event: by.event("authz_change", id, slog.String("roles", roles.String())),
		apply: func(r *record) error {
			r.Roles = roles
			return nil
		},
	}
}

// declared refuses roles that the configuration does not know.
func (a *Accounts) declared(roles auth.Set) error {
	if a.roles.HasAll(roles) {
		return nil
	}
	return invalid("unknown_role", "there is no such role: the roles are "+strings.Join(a.roles.Slice(), ", "))
}

// Disable keeps the user out until somebody enables the account again. All that
// was issued is void, and the sessions end.
func (a *Accounts) Disable(ctx context.Context, by By, id string) error {
	_, err := a.change(ctx, id, toDisabled(by, id))
	return err
}

func toDisabled(by By, id string) edit {
	return edit{
		event: by.event("user_archived", id),
		apply: func(r *record) error {
			r.Disabled = true
			return nil
		},
		ends: true,
	}
}

// Enable lets a disabled user log in again.
func (a *Accounts) Enable(ctx context.Context, by By, id string) error {
	_, err := a.change(ctx, id, toEnabled(by, id))
	return err
}

func toEnabled(by By, id string) edit {
	return edit{
		event: by.event("user_updated", id, slog.String("change", "enabled")),
		apply: func(r *record) error {
			r.Disabled = false
			return nil
		},
	}
}

// Lock keeps the user out until a time. What was issued counts again afterwards.
func (a *Accounts) Lock(ctx context.Context, by By, id string, until time.Time) error {
	_, err := a.change(ctx, id, toLocked(by, id, until))
	return err
}

func toLocked(by By, id string, until time.Time) edit {
	return edit{
		event: by.event("authn_login_lock", id, slog.Time("until", until)),
		apply: func(r *record) error {
			r.LockedUntil = until.Truncate(time.Microsecond).UTC()
			return nil
		},
	}
}

// Unlock ends a lock.
func (a *Accounts) Unlock(ctx context.Context, by By, id string) error {
	_, err := a.change(ctx, id, toUnlocked(by, id))
	return err
}

func toUnlocked(by By, id string) edit {
	return edit{
		event: by.event("user_updated", id, slog.String("change", "unlocked")),
		apply: func(r *record) error {
			r.LockedUntil = time.Time{}
			return nil
		},
	}
}

// LogOutEverywhere makes all void that was issued to a user, and ends the
// sessions.
func (a *Accounts) LogOutEverywhere(ctx context.Context, by By, id string) error {
	_, err := a.change(ctx, id, edit{
		event: by.event("user_updated", id, slog.String("change", "logged_out_everywhere")),
		apply: func(*record) error { return nil },
		ends:  true,
	})
	return err
}

// Delete deletes an account for good. What remains is the id, which nobody gets
// again: what other tables own by it has no new owner. The name is free, because
// it is personal, and who takes it gets another id.
func (a *Accounts) Delete(ctx context.Context, by By, id string) error {
	_, err := a.change(ctx, id, edit{
		event: by.event("user_deleted", id),
		apply: func(r *record) error {
			r.Account = Account{ID: r.ID, Created: r.Created, Epoch: r.Epoch}
			r.password, r.totp, r.pending, r.deleted = "", nil, nil, true
			return nil
		},
		also: func(tx *sqlstore.Tx, r *record) error {
			if err := storeRecovery(ctx, tx, r.ID, nil); err != nil {
				return err
			}
			return forgetPlaces(ctx, tx, r.ID)
		},
		ends: true,
	})
	return err
}

// edit is a change of one account.
type edit struct {
	event auditlog.Event
	// others are the events of the edits that this one was made of, see whole.
	others []auditlog.Event
	// apply makes the change in memory. It is called twice, see change.
	apply func(r *record) error
	// also does the rest of the change in the database, or is nil.
	also func(tx *sqlstore.Tx, r *record) error
	// ends says that all that was issued becomes void, and all sessions end but
	// keep.
	ends bool
	keep string
}

func (e *edit) on(r *record) error {
	if r == nil || r.deleted {
		return unknown()
	}
	if err := e.apply(r); err != nil {
		return err
	}
	if e.ends {
		r.Epoch++
	}
	return nil
}

// change makes an edit: first on a copy, to see whether it may be made, then the
// event is recorded, and then it is made for good on a row that nobody else
// changes. The event does not wait for the transaction, because a recorder may
// need the one connection that writes; if the change fails after it, a second
// event says so.
func (a *Accounts) change(ctx context.Context, id string, e edit) (*record, error) {
	before, err := a.row(ctx, id)
	if err != nil {
		return nil, err
	}
	after := before.copy()
	err = e.on(after)
	if err == nil && a.loses(before, after) {
		err = othersThan(a.store.QueryRow(ctx, otherAdministrators, a.othersArgs(id)...))
	}
	if err != nil {
		return nil, a.not(ctx, err, e.events()...)
	}
	if err := a.recordAll(ctx, e.events()...); err != nil {
		return nil, err
	}
	var r *record
	err = a.store.Write(ctx, func(tx *sqlstore.Tx) error {
		if err := lockAll(ctx, tx); err != nil {
			return err
		}
		if r, err = lock(ctx, tx, id); err != nil {
			return err
		}
		return a.commit(ctx, tx, r, e)
	})
	if err != nil {
		a.standings.uncertain(id)
		return nil, a.not(ctx, err, e.events()...)
	}
	a.standings.changed(id, r.standing(a.now()))
	if e.ends {
		if err := a.cfg.EndSessions(ctx, id, e.keep); err != nil {
			return nil, fmt.Errorf("account: what was issued is void, but its sessions have not ended: %w", err)
		}
	}
	return r, nil
}

// commit is the part of a change that is in its transaction.
func (a *Accounts) commit(ctx context.Context, tx *sqlstore.Tx, r *record, e edit) error {
	before := r.copy()
	if err := e.on(r); err != nil {
		return err
	}
	if a.loses(before, r) {
		if err := othersThan(tx.QueryRow(ctx, otherAdministrators, a.othersArgs(r.ID)...)); err != nil {
			return err
		}
	}
	if e.also != nil {
		if err := e.also(tx, r); err != nil {
			return err
		}
	}
	return r.save(ctx, tx)
}

// not records that something was tried and did not happen. Who asks for an
// account that there is not has tried nothing: the id is whatever they sent.
func (a *Accounts) not(ctx context.Context, err error, events ...auditlog.Event) error {
	if errors.Is(err, ErrUnknown) {
		return err
	}
	for i := range events {
		events[i].Refused = true
	}
	return orElse(a.recordAll(ctx, events...), err)
}

func (r *record) copy() *record {
	if r == nil {
		return nil
	}
	c := *r
	return &c
}

// lockAll makes changes wait for each other that must not happen at once: two
// administrators who demote each other would both be the last but one.
func lockAll(ctx context.Context, tx *sqlstore.Tx) error {
	var id int64
	return tx.Lock(ctx, "SELECT id FROM fastness_account_first WHERE id = 1").Scan(&id)
}

// loses reports whether a change takes an administrator away.
func (a *Accounts) loses(before, after *record) bool {
	admin := a.cfg.Administrator
	now := a.now()
	return admin != "" && before.Roles.Has(admin) && before.active(now) && !(after.Roles.Has(admin) && after.active(now))
}

// otherAdministrators counts up to one. Text that replace changes has the role:
// LIKE would take case and _ as it likes.
const otherAdministrators = `SELECT COUNT(*) FROM (SELECT id FROM fastness_accounts WHERE deleted = 0 AND disabled = 0
	AND locked_until <= ? AND id <> ? AND replace(roles, ?, '') <> roles LIMIT 1) AS other`

func (a *Accounts) othersArgs(id string) []any {
	return []any{sqlstore.Micros(a.now()), id, " " + a.cfg.Administrator + " "}
}

func othersThan(row *sql.Row) error {
	var n int
	if err := row.Scan(&n); err != nil {
		return err
	}
	if n == 0 {
		return lastAdministrator()
	}
	return nil
}

// event is what by does to an account.
func (by By) event(name, subject string, details ...slog.Attr) auditlog.Event {
	return auditlog.Event{Name: name, Actor: by.Actor, Subject: subject, Address: by.Address, Request: by.Request, Details: details}
}

// refused is what by has tried to do.
func (by By) refused(name, subject string, details ...slog.Attr) auditlog.Event {
	e := by.event(name, subject, details...)
	e.Refused = true
	return e
}
