package session

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/fastness/fastness/internal/sqlstore"
)

const (
	eventReuse   = "authn_token_reuse"
	eventForeign = "authn_token_client_mismatch"
	// remembered is how many used tokens of a session are kept. A client that
	// refreshes in a circle must not fill the database; a token from before so
	// many others is refused, and its replay is not noticed.
	remembered = 1000
)

// Refresh takes a refresh token and returns its session with the next one. Each
// token works once, whoever asks and however many at the same time.
//
// A second use ends the session, except within [Config.Grace]: the token was
// copied, and nothing tells the owner's request from the thief's. It is recorded
// as authn_token_reuse. A token of another client is refused and stays good.
// Everything that is refused is an [ErrRefused]. A user who is disabled cannot
// refresh, and can again once they are enabled.
//
// If the process dies, or the answer is lost, after the token was used and before
// the next one arrived, the client has none that is good and must log in again.
func (s *Sessions) Refresh(ctx context.Context, token, client string) (*Session, string, error) {
	hash, ok := digestOf(token)
	if !ok {
		return nil, "", refused("the refresh token is malformed")
	}
	// The user is asked about before the token is used up: a database that is down
	// must not log anybody out.
	found, _, err := s.bySecret(ctx, hash)
	if err != nil {
		return nil, "", err
	}
	if found == nil || found.Kind != App {
		return nil, "", refused("there is no such refresh token")
	}
	standing, err := s.standing(ctx, found.User, found.Epoch)
	if err != nil {
		return nil, "", err
	}
	next, nextHash := newSecret()
	r := rotation{s: s, id: found.ID, hash: hash, next: nextHash, client: client, active: standing != nil, now: s.now()}
	err = s.store.Write(ctx, func(tx *sqlstore.Tx) error { return r.run(ctx, tx) })
	s.ends.Forget(found.ID)
	if err != nil {
		return nil, "", fmt.Errorf("session: refresh: %w", err)
	}
	if r.verdict == nil {
		return r.session, next, nil
	}
	if r.event != "" {
		if err := s.record(ctx, r.event, found); err != nil {
			return nil, "", errors.Join(r.verdict, err)
		}
	}
	return nil, "", r.verdict
}

// rotation is the attempt to use one refresh token. A verdict against it is no
// error of the transaction: what has to end then must be committed.
type rotation struct {
	s          *Sessions
	id         string
	hash, next digest
	client     string
	active     bool
	now        time.Time

	session *Session
	verdict error
	event   string
}

func (r *rotation) run(ctx context.Context, tx *sqlstore.Tx) error {
	var state secretState
	var err error
	if r.session, err = lock(ctx, tx, r.id); err != nil {
		return err
	}
	// The token once more, now that nobody else can use it.
	err = tx.QueryRow(ctx, "SELECT n, used FROM fastness_session_secrets WHERE hash = ?", r.hash[:]).Scan(&state.n, &state.used)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	r.judge(state, err == nil)
	switch {
	case r.event == eventReuse:
		_, err = tx.Exec(ctx, "UPDATE fastness_sessions SET ended = ?, until = ?, why = ? WHERE id = ?",
			sqlstore.Micros(r.now), sqlstore.Micros(r.now), string(Replayed), r.id)
		return err
	case r.verdict != nil:
		return nil
	}
	return r.rotate(ctx, tx, state.n)
}

func (r *rotation) judge(state secretState, known bool) {
	used := sqlstore.Time(state.used)
	switch {
	case !known:
		r.verdict = refused("there is no such refresh token")
	case r.session == nil || !r.session.Live(r.now):
		r.verdict = refused("the session has ended")
	case state.used != 0 && r.client == r.session.Client && r.s.cfg.Grace > 0 && r.now.Sub(used) <= r.s.cfg.Grace:
		r.verdict = refused("the refresh token was used a moment ago")
	case state.used != 0:
		r.verdict, r.event = refused("the refresh token was used before: the session is ended"), eventReuse
	case r.client != r.session.Client:
		r.verdict, r.event = refused("the refresh token is another client's"), eventForeign
	case !r.active:
		r.verdict = refused("the user is not active, or all their sessions were ended")
	}
}

// rotate uses up the token and puts the next one in its place.
func (r *rotation) rotate(ctx context.Context, tx *sqlstore.Tx, n int64) error {
	won, err := tx.Changed(ctx, "UPDATE fastness_session_secrets SET used = ? WHERE hash = ? AND used = 0", sqlstore.Micros(r.now), r.hash[:])
	if err != nil {
		return err
	}
	if !won { // The lock rules it out. If it does not hold, nobody gets a token.
		return errors.New("the refresh token was used by somebody who did not lock the session")
	}
	if err := insertSecret(ctx, tx, r.next, r.id, n+1); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, "DELETE FROM fastness_session_secrets WHERE session_id = ? AND n <= ?", r.id, n-remembered); err != nil {
		return err
	}
	r.s.extend(r.session, r.now)
	_, err = tx.Exec(ctx, "UPDATE fastness_sessions SET last_used = ?, until = ? WHERE id = ?",
		sqlstore.Micros(r.session.LastUsed), sqlstore.Micros(r.session.Until), r.id)
	return err
}

// ByRefreshToken returns the session of a refresh token, also if the token was
// used or the session has ended, or nil if there is none. Good reports whether
// [Sessions.Refresh] would take it.
//
// It is for revocation, which ends the session of any token that ever belonged to
// it (RFC 7009 section 2.1), and for introspection, which tells only of one that
// is good (RFC 7662 section 2.2). Compare the session's Client with the caller:
// this does not.
func (s *Sessions) ByRefreshToken(ctx context.Context, token string) (found *Session, good bool, err error) {
	hash, ok := digestOf(token)
	if !ok {
		return nil, false, nil
	}
	found, state, err := s.bySecret(ctx, hash)
	if err != nil || found == nil || found.Kind != App {
		return nil, false, err
	}
	standing, err := s.standing(ctx, found.User, found.Epoch)
	if err != nil {
		return nil, false, err
	}
	return found, standing != nil && state.used == 0 && found.Live(s.now()), nil
}
