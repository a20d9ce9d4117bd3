package keyring

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/fastness/fastness/internal/sqlstore"
	"github.com/fastness/fastness/sqldb"
)

// sqlStore keeps the ring in the one row of a table.
type sqlStore struct{ db *sqlstore.Store }

// SQL returns a store that keeps the ring in a database, in the table
// fastness_key_ring. It makes the table if there is none.
func SQL(ctx context.Context, db *sqldb.DB) (Store, error) {
	if db == nil || db.Write == nil {
		return nil, errors.New("key ring: no database")
	}
	// A replica would show the ring as it was before a key was revoked.
	primary := &sqldb.DB{Dialect: db.Dialect, Write: db.Write}
	if db.Dialect == sqldb.SQLite {
		primary.Read = db.Read
	}
	store, err := sqlstore.Open(ctx, primary, sqlstore.Tables{Name: "key ring", Steps: []string{
		"CREATE TABLE fastness_key_ring (id {int} PRIMARY KEY CHECK (id = 1), version TEXT NOT NULL, document {bytes} NOT NULL) {strict}",
	}})
	if err != nil {
		return nil, err
	}
	return &sqlStore{store}, nil
}

// Load reads the row.
func (s *sqlStore) Load(ctx context.Context) (document []byte, version string, err error) {
	err = s.db.QueryRow(ctx, "SELECT version, document FROM fastness_key_ring WHERE id = 1").Scan(&version, &document)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, "", nil
	case err != nil:
		return nil, "", fmt.Errorf("key ring table: %w", err)
	}
	return document, version, nil
}

// Save replaces the row, or makes it. Either is one statement that compares and
// sets, so it needs no transaction around it.
func (s *sqlStore) Save(ctx context.Context, document []byte, version string) (next string, err error) {
	next = versionOf(document)
	var saved bool
	if version == "" {
		saved, err = s.db.Changed(ctx, "INSERT INTO fastness_key_ring (id, version, document) VALUES (1, ?, ?) ON CONFLICT (id) DO NOTHING", next, document)
	} else {
		saved, err = s.db.Changed(ctx, "UPDATE fastness_key_ring SET version = ?, document = ? WHERE id = 1 AND version = ?", next, document, version)
	}
	switch {
	case err != nil:
		return "", fmt.Errorf("key ring table: %w", err)
	case !saved:
		return "", ErrConflict
	}
	return next, nil
}
