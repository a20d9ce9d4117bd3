package account

import (
	"context"
	"time"

	"github.com/fastness/fastness/auditlog"
	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/internal/sqlstore"
	"github.com/fastness/fastness/secret"
)

// Update is a change of several parts of an account. What is nil stays as it is.
type Update struct {
	Roles    *auth.Set
	Disabled *bool
	// LockedUntil is when a lock ends. The zero time ends one now.
	LockedUntil *time.Time
	// Password is a new one, as of [Accounts.SetPassword].
	Password *secret.Text
	// ResetSecondFactor is [Accounts.ResetSecondFactor].
	ResetSecondFactor bool
}

// Update changes an account, as a whole or not at all: an administrator who is
// told that something was refused must not wonder what of it has happened. Each
// part is an event of its own.
func (a *Accounts) Update(ctx context.Context, by By, id string, u Update) error {
	edits, err := a.edits(ctx, by, id, u)
	if err != nil || len(edits) == 0 {
		return err
	}
	_, err = a.change(ctx, id, whole(edits))
	return err
}

func (a *Accounts) edits(ctx context.Context, by By, id string, u Update) (edits []edit, err error) {
	if u.Roles != nil {
		if err := a.declared(*u.Roles); err != nil {
			return nil, err
		}
		edits = append(edits, toRoles(by, id, *u.Roles))
	}
	switch {
	case u.Disabled == nil:
	case *u.Disabled:
		edits = append(edits, toDisabled(by, id))
	default:
		edits = append(edits, toEnabled(by, id))
	}
	switch {
	case u.LockedUntil == nil:
	case u.LockedUntil.IsZero():
		edits = append(edits, toUnlocked(by, id))
	default:
		edits = append(edits, toLocked(by, id, *u.LockedUntil))
	}
	if u.ResetSecondFactor {
		edits = append(edits, toNoFactor(ctx, by, id))
	}
	if u.Password != nil { // What takes longest comes last.
		r, err := a.row(ctx, id)
		if err != nil {
			return nil, err
		}
		if r == nil || r.deleted {
			return nil, unknown()
		}
		hash, err := a.hash(ctx, *u.Password, r.Name)
		if err != nil {
			return nil, err
		}
		by.Session = ""
		edits = append(edits, a.toPassword(ctx, by, id, hash, ""))
	}
	return edits, nil
}

// whole makes one edit of several, none of which keeps a session.
func whole(edits []edit) edit {
	w := edit{
		event: edits[0].event,
		apply: func(r *record) error {
			for _, e := range edits {
				if err := e.apply(r); err != nil {
					return err
				}
			}
			return nil
		},
		also: func(tx *sqlstore.Tx, r *record) error {
			for _, e := range edits {
				if e.also == nil {
					continue
				}
				if err := e.also(tx, r); err != nil {
					return err
				}
			}
			return nil
		},
	}
	for i, e := range edits {
		w.ends = w.ends || e.ends
		if i > 0 {
			w.others = append(w.others, e.event)
		}
	}
	return w
}

// events returns those of the edit and of those it was made of.
func (e *edit) events() []auditlog.Event {
	return append([]auditlog.Event{e.event}, e.others...)
}

func (a *Accounts) recordAll(ctx context.Context, events ...auditlog.Event) error {
	for _, e := range events {
		if err := a.record(ctx, e); err != nil {
			return err
		}
	}
	return nil
}
