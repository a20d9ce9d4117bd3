package session

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"

	"github.com/fastness/fastness/internal/sqlstore"
	"github.com/fastness/fastness/sqldb"
)

// End ends a session, if it has not ended: its cookie or refresh tokens are
// refused from now on, and so are the access tokens that name it. What has ended
// stays ended if the event cannot be recorded, which is an error.
func (s *Sessions) End(ctx context.Context, id string, why Reason) error {
	if !isID(id) {
		return nil
	}
	_, err := s.end(ctx, why, func(tx *sqlstore.Tx, now int64) (*sql.Rows, error) {
		return tx.Query(ctx, "UPDATE fastness_sessions SET ended = ?, until = ?, why = ? "+
			"WHERE id = ? AND ended = 0 AND until > ? RETURNING "+columns, now, now, string(why), id, now)
	})
	return err
}

// EndOf ends a session if it is one of this user's, and reports whether it was:
// for users who end one of their list, and name an id that may be anybody's.
func (s *Sessions) EndOf(ctx context.Context, user, id string) (bool, error) {
	if !isID(id) {
		return false, nil
	}
	n, err := s.end(ctx, Revoked, func(tx *sqlstore.Tx, now int64) (*sql.Rows, error) {
		return tx.Query(ctx, "UPDATE fastness_sessions SET ended = ?, until = ?, why = ? "+
			"WHERE id = ? AND user_id = ? AND ended = 0 AND until > ? RETURNING "+columns, now, now, string(Revoked), id, user, now)
	})
	return n > 0, err
}

// EndOthers ends all sessions of a user but one, and returns how many. If all that
// was issued to the user has just become void, by a change of password for
// instance, the one goes on in the new epoch; access tokens of it are void like
// all others, and so is the value of a browser's cookie: see [Sessions.Renew].
func (s *Sessions) EndOthers(ctx context.Context, user, keep string) (int, error) {
	if keep != "" {
		if err := s.carryOver(ctx, user, keep); err != nil {
			return 0, err
		}
	}
	return s.end(ctx, Revoked, func(tx *sqlstore.Tx, now int64) (*sql.Rows, error) {
		return tx.Query(ctx, "UPDATE fastness_sessions SET ended = ?, until = ?, why = ? "+
			"WHERE user_id = ? AND id <> ? AND ended = 0 AND until > ? RETURNING "+columns, now, now, string(Revoked), user, keep, now)
	})
}

// carryOver takes a session from the epoch of the user before this one into it. A
// session from longer ago stays void. The value of a browser's cookie stays behind:
// a copy of it must not be there for one request of the new epoch.
func (s *Sessions) carryOver(ctx context.Context, user, id string) error {
	standing, err := s.cfg.Accounts.Standing(ctx, user)
	if err != nil {
		return fmt.Errorf("session: standing of the user: %w", err)
	}
	if standing == nil || !standing.Active {
		return nil
	}
	var old []digest
	err = s.store.Write(ctx, func(tx *sqlstore.Tx) error {
		carried, err := tx.Changed(ctx, "UPDATE fastness_sessions SET epoch = ? WHERE id = ? AND user_id = ? AND epoch = ? AND ended = 0",
			standing.Epoch, id, user, standing.Epoch-1)
		if err != nil || !carried {
			return err
		}
		rows, err := tx.Query(ctx, "DELETE FROM fastness_session_secrets WHERE session_id = ? "+
			"AND session_id IN (SELECT id FROM fastness_sessions WHERE kind = ?) RETURNING hash", id, string(Browser))
		if err != nil {
			return err
		}
		old, err = digests(rows)
		return err
	})
	s.cookies.Forget(old...)
	s.ends.Forget(id)
	if err != nil {
		return fmt.Errorf("session: keep one: %w", err)
	}
	return nil
}

// endSurplus ends the sessions of a user that were not used for longest, if they
// are too many; never the one that has just begun, whatever other clocks say.
func (s *Sessions) endSurplus(ctx context.Context, begun *Session) error {
	_, err := s.end(ctx, Superseded, func(tx *sqlstore.Tx, now int64) (*sql.Rows, error) {
		return tx.Query(ctx, "UPDATE fastness_sessions SET ended = ?, until = ?, why = ? WHERE id IN (SELECT id FROM fastness_sessions "+
			"WHERE user_id = ? AND id <> ? AND ended = 0 AND until > ? ORDER BY last_used DESC, id LIMIT 1000 OFFSET ?) RETURNING "+columns,
			now, now, string(Superseded), begun.User, begun.ID, now, maxLive-1)
	})
	return err
}

// EndAll ends all sessions of a user and returns how many.
func (s *Sessions) EndAll(ctx context.Context, user string) (int, error) {
	return s.EndOthers(ctx, user, "")
}

// end ends the sessions that update returns. They end before it is recorded: a
// log that is full must not keep a thief logged in.
func (s *Sessions) end(ctx context.Context, why Reason, update func(tx *sqlstore.Tx, now int64) (*sql.Rows, error)) (int, error) {
	var ended []*Session
	err := s.store.Write(ctx, func(tx *sqlstore.Tx) error {
		rows, err := update(tx, sqlstore.Micros(s.now()))
		if err != nil {
			return err
		}
		ended, err = scanAll(rows)
		return err
	})
	for _, e := range ended { // Also after an error: nobody knows whether a commit that failed took place.
		s.ends.Forget(e.ID)
	}
	if err != nil {
		return 0, fmt.Errorf("session: end: %w", err)
	}
	var errs []error
	for _, e := range ended {
		errs = append(errs, s.record(ctx, "session_expired", e, slog.String("reason", string(why))))
	}
	return len(ended), errors.Join(errs...)
}

func scanAll(rows *sql.Rows) ([]*Session, error) {
	return sqldb.All(rows, func(row sqldb.Row) (*Session, error) { return scan(row) })
}

// List returns the sessions of a user that go on, at most 500, the last used
// first.
func (s *Sessions) List(ctx context.Context, user string) ([]*Session, error) {
	rows, err := s.store.Query(ctx, "SELECT "+columns+" FROM fastness_sessions "+
		"WHERE user_id = ? AND ended = 0 AND until > ? ORDER BY last_used DESC, id LIMIT 500", user, sqlstore.Micros(s.now()))
	if err != nil {
		return nil, fmt.Errorf("session: list: %w", err)
	}
	list, err := scanAll(rows)
	if err != nil {
		return nil, fmt.Errorf("session: list: %w", err)
	}
	return list, nil
}

const (
	purgeBatch   = 200
	purgeBatches = 50
)

// Purge deletes sessions that have been over for longer than [Config.Keep], and
// returns how many: at most 10,000 in one call, a few at a time, so that nobody
// waits long for the database. Call it once in a while.
func (s *Sessions) Purge(ctx context.Context) (n int, err error) {
	before := sqlstore.Micros(s.now().Add(-s.cfg.Keep))
	for range purgeBatches {
		var deleted int
		err := s.store.Write(ctx, func(tx *sqlstore.Tx) (err error) {
			deleted, err = purge(ctx, tx, before)
			return err
		})
		if err != nil {
			return n, fmt.Errorf("session: purge: %w", err)
		}
		if n += deleted; deleted < purgeBatch {
			break
		}
	}
	return n, nil
}

func purge(ctx context.Context, tx *sqlstore.Tx, before int64) (int, error) {
	rows, err := tx.Query(ctx, "SELECT "+columns+" FROM fastness_sessions WHERE until < ? ORDER BY until LIMIT ?", before, purgeBatch)
	if err != nil {
		return 0, err
	}
	old, err := scanAll(rows)
	if err != nil {
		return 0, err
	}
	for _, o := range old {
		if _, err := tx.Exec(ctx, "DELETE FROM fastness_sessions WHERE id = ?", o.ID); err != nil {
			return 0, err
		}
		if _, err := tx.Exec(ctx, "DELETE FROM fastness_session_secrets WHERE session_id = ?", o.ID); err != nil {
			return 0, err
		}
	}
	return len(old), nil
}
