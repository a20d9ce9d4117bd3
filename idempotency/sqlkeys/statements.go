package sqlkeys

import (
	"context"
	"database/sql"

	"github.com/fastness/fastness/idempotency"
	"github.com/fastness/fastness/internal/sqlstore"
	"github.com/fastness/fastness/sqldb"
)

// insert replaces an entry that has expired. In PostgreSQL a row that somebody else is
// inserting makes it wait until they commit or roll back.
func insert(ctx context.Context, tx *sqldb.Tx, e idempotency.Entry) (sql.Result, error) {
	return tx.Exec(ctx, `INSERT INTO fastness_idempotency AS old (id, fingerprint, answer, until) VALUES (?, ?, NULL, ?)
ON CONFLICT (id) DO UPDATE SET fingerprint = excluded.fingerprint, answer = NULL, until = excluded.until WHERE old.until <= ?`,
		e.ID, e.Fingerprint, sqlstore.Micros(e.Until), sqlstore.Micros(e.Now))
}

func find(ctx context.Context, tx *sqldb.Tx, id string) sqldb.Row {
	return tx.QueryRow(ctx, "SELECT fingerprint, answer, until FROM fastness_idempotency WHERE id = ?", id)
}

// sweep removes up to most entries that have expired.
func sweep(ctx context.Context, tx *sqldb.Tx, dialect sqldb.Dialect, now int64, most int) (err error) {
	if dialect == sqldb.PostgreSQL { // It passes over what others hold: two that wait for each other's rows would not end.
		_, err = tx.Exec(ctx, `DELETE FROM fastness_idempotency WHERE id IN
(SELECT id FROM fastness_idempotency WHERE until <= ? LIMIT ? FOR UPDATE SKIP LOCKED)`, now, most)
		return err
	}
	_, err = tx.Exec(ctx, "DELETE FROM fastness_idempotency WHERE id IN (SELECT id FROM fastness_idempotency WHERE until <= ? LIMIT ?)", now, most)
	return err
}
