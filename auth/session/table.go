package session

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/internal/sqlstore"
	"github.com/fastness/fastness/sqldb"
)

// tables returns the tables. A session that is ended gets the moment as its
// until, so that this one column says whether it is over and since when. A
// session may have several secrets: one that is good, and refresh tokens that
// were used, with which a replay is known; n counts them.
func tables() sqlstore.Tables {
	return sqlstore.Tables{Name: "sessions", Steps: []string{`
CREATE TABLE fastness_sessions (
	id TEXT PRIMARY KEY,
	user_id TEXT NOT NULL,
	client TEXT NOT NULL,
	kind TEXT NOT NULL,
	scopes TEXT NOT NULL,
	all_scopes {int} NOT NULL,
	methods TEXT NOT NULL,
	label TEXT NOT NULL,
	epoch {int} NOT NULL,
	authenticated {int} NOT NULL,
	created {int} NOT NULL,
	last_used {int} NOT NULL,
	until {int} NOT NULL,
	absolute_end {int} NOT NULL,
	ended {int} NOT NULL DEFAULT 0,
	why TEXT NOT NULL DEFAULT ''
) {strict};
CREATE INDEX fastness_sessions_user ON fastness_sessions (user_id);
CREATE INDEX fastness_sessions_until ON fastness_sessions (until);
CREATE TABLE fastness_session_secrets (
	hash {bytes} PRIMARY KEY,
	session_id TEXT NOT NULL,
	n {int} NOT NULL,
	used {int} NOT NULL DEFAULT 0
) {strict};
CREATE INDEX fastness_session_secrets_session ON fastness_session_secrets (session_id, n);
`}}
}

const (
	columns = "id, user_id, client, kind, scopes, all_scopes, methods, label, epoch, " +
		"authenticated, created, last_used, until, absolute_end, ended, why"
	joined = " FROM fastness_sessions JOIN fastness_session_secrets ON session_id = id WHERE hash = ?"
)

// scan reads the columns of a session, and more that follow them.
func scan(row sqldb.Row, more ...any) (*Session, error) {
	var (
		s                                                           Session
		scopes, methods                                             string
		all, authenticated, created, lastUsed, until, absolute, end int64
	)
	err := row.Scan(append([]any{&s.ID, &s.User, &s.Client, &s.Kind, &scopes, &all, &methods, &s.Label, &s.Epoch,
		&authenticated, &created, &lastUsed, &until, &absolute, &end, &s.Why}, more...)...)
	if err != nil {
		return nil, err
	}
	s.Scopes, s.AllScopes, s.Methods = auth.ParseSet(scopes), all == 1, auth.ParseSet(methods)
	s.At, s.Created, s.LastUsed = sqlstore.Time(authenticated), sqlstore.Time(created), sqlstore.Time(lastUsed)
	s.Until, s.Absolute, s.Ended = sqlstore.Time(until), sqlstore.Time(absolute), sqlstore.Time(end)
	return &s, nil
}

func insert(ctx context.Context, tx *sqlstore.Tx, s *Session) error {
	all := 0
	if s.AllScopes {
		all = 1
	}
	_, err := tx.Exec(ctx, "INSERT INTO fastness_sessions (id, user_id, client, kind, scopes, all_scopes, methods, label, epoch, "+
		"authenticated, created, last_used, until, absolute_end) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		s.ID, s.User, s.Client, string(s.Kind), s.Scopes.String(), all, s.Methods.String(), s.Label, s.Epoch,
		sqlstore.Micros(s.At), sqlstore.Micros(s.Created), sqlstore.Micros(s.LastUsed), sqlstore.Micros(s.Until), sqlstore.Micros(s.Absolute))
	return err
}

func insertSecret(ctx context.Context, tx *sqlstore.Tx, hash digest, session string, n int64) error {
	_, err := tx.Exec(ctx, "INSERT INTO fastness_session_secrets (hash, session_id, n) VALUES (?, ?, ?)", hash[:], session, n)
	return err
}

// secretState is what the tables say about one secret.
type secretState struct {
	n    int64
	used int64 // microseconds, 0 if it was not
}

// bySecret returns the session of a secret, used or not, or nil.
func (s *Sessions) bySecret(ctx context.Context, hash digest) (*Session, secretState, error) {
	var state secretState
	found, err := scan(s.store.Newest(ctx, "SELECT "+columns+", n, used"+joined, hash[:]), &state.n, &state.used)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, state, nil
	}
	if err != nil {
		return nil, state, fmt.Errorf("session: find by secret: %w", err)
	}
	return found, state, nil
}

// Get returns a session, whether it goes on or not, or nil if there is none.
func (s *Sessions) Get(ctx context.Context, id string) (*Session, error) {
	if !isID(id) {
		return nil, nil
	}
	found, err := scan(s.store.Newest(ctx, "SELECT "+columns+" FROM fastness_sessions WHERE id = ?", id))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("session: find: %w", err)
	}
	return found, nil
}

// lock returns a session that nobody else changes until the transaction ends, or
// nil. Secrets are only changed under this lock, so it decides every race for
// one.
func lock(ctx context.Context, tx *sqlstore.Tx, id string) (*Session, error) {
	found, err := scan(tx.Lock(ctx, "SELECT "+columns+" FROM fastness_sessions WHERE id = ?", id))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return found, err
}
