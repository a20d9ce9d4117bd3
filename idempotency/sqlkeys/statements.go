package sqlkeys

import (
	"context"
	"database/sql"

	"github.com/fastness/fastness/idempotency"
	"github.com/fastness/fastness/internal/sqlstore"
	"github.com/fastness/fastness/sqldb"
)

// The statements three times: a transaction of the application takes constants in
// the dialect of its database only. An entry that has expired is replaced.

// sqliteTx is a transaction of the application in SQLite.
type sqliteTx struct{ *sqldb.Tx }

func (t sqliteTx) insert(ctx context.Context, e idempotency.Entry) (sql.Result, error) {
	return t.Exec(ctx, `INSERT INTO fastness_idempotency AS old (id, fingerprint, answer, until) VALUES (?, ?, NULL, ?)
ON CONFLICT (id) DO UPDATE SET fingerprint = excluded.fingerprint, answer = NULL, until = excluded.until WHERE old.until <= ?`,
		e.ID, e.Fingerprint, sqlstore.Micros(e.Until), sqlstore.Micros(e.Now))
}

func (t sqliteTx) find(ctx context.Context, id string) sqldb.Row {
	return t.QueryRow(ctx, "SELECT fingerprint, answer, until FROM fastness_idempotency WHERE id = ?", id)
}

func (t sqliteTx) sweep(ctx context.Context, now int64) error {
	_, err := t.Exec(ctx, "DELETE FROM fastness_idempotency WHERE id IN (SELECT id FROM fastness_idempotency WHERE until <= ? LIMIT 1000)", now)
	return err
}

// postgresTx is a transaction of the application in PostgreSQL. A row that somebody
// else is inserting makes insert wait until they commit or roll back.
type postgresTx struct{ *sqldb.Tx }

func (t postgresTx) insert(ctx context.Context, e idempotency.Entry) (sql.Result, error) {
	return t.Exec(ctx, `INSERT INTO fastness_idempotency AS old (id, fingerprint, answer, until) VALUES ($1, $2, NULL, $3)
ON CONFLICT (id) DO UPDATE SET fingerprint = excluded.fingerprint, answer = NULL, until = excluded.until WHERE old.until <= $4`,
		e.ID, e.Fingerprint, sqlstore.Micros(e.Until), sqlstore.Micros(e.Now))
}

func (t postgresTx) find(ctx context.Context, id string) sqldb.Row {
	return t.QueryRow(ctx, "SELECT fingerprint, answer, until FROM fastness_idempotency WHERE id = $1", id)
}

// sweep passes over what others hold: two that wait for each other's rows would not end.
func (t postgresTx) sweep(ctx context.Context, now int64) error {
	_, err := t.Exec(ctx, `DELETE FROM fastness_idempotency WHERE id IN
(SELECT id FROM fastness_idempotency WHERE until <= $1 LIMIT 1000 FOR UPDATE SKIP LOCKED)`, now)
	return err
}

// ownTx is a transaction of the store's own.
type ownTx struct{ *sqlstore.Tx }

func (t ownTx) insert(ctx context.Context, e idempotency.Entry) (sql.Result, error) {
	return t.Exec(ctx, `INSERT INTO fastness_idempotency AS old (id, fingerprint, answer, until) VALUES (?, ?, NULL, ?)
ON CONFLICT (id) DO UPDATE SET fingerprint = excluded.fingerprint, answer = NULL, until = excluded.until WHERE old.until <= ?`,
		e.ID, e.Fingerprint, sqlstore.Micros(e.Until), sqlstore.Micros(e.Now))
}

func (t ownTx) find(ctx context.Context, id string) sqldb.Row {
	return t.QueryRow(ctx, "SELECT fingerprint, answer, until FROM fastness_idempotency WHERE id = ?", id)
}

func (t ownTx) sweep(ctx context.Context, now int64) error {
	_, err := t.Exec(ctx, "DELETE FROM fastness_idempotency WHERE until <= ?", now)
	return err
}
