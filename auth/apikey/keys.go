package apikey

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"
	"unicode"

	"github.com/fastness/fastness/auditlog"
	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/internal/sqlstore"
	"github.com/fastness/fastness/sqldb"
)

func tables() sqlstore.Tables {
	return sqlstore.Tables{Name: "api_keys", Steps: []string{`
CREATE TABLE fastness_api_keys (
	id TEXT PRIMARY KEY,
	hash {bytes} NOT NULL,
	name TEXT NOT NULL,
	owner_id TEXT NOT NULL,
	scopes TEXT NOT NULL,
	all_scopes {int} NOT NULL,
	created {int} NOT NULL,
	expires {int} NOT NULL,
	last_used {int} NOT NULL DEFAULT 0,
	revoked {int} NOT NULL DEFAULT 0
) {strict};
CREATE INDEX fastness_api_keys_owner ON fastness_api_keys (owner_id);
CREATE INDEX fastness_api_keys_expires ON fastness_api_keys (expires);
`}}
}

const columns = "id, name, owner_id, scopes, all_scopes, created, expires, last_used, revoked"

func scan(row sqldb.Row, more ...any) (*Key, error) {
	var (
		k                                            Key
		scopes                                       string
		all, created, expires, lastUsed, revokedTime int64
	)
	err := row.Scan(append([]any{&k.ID, &k.Name, &k.Owner, &scopes, &all, &created, &expires, &lastUsed, &revokedTime}, more...)...)
	if err != nil {
		return nil, err
	}
	k.Scopes, k.AllScopes = auth.ParseSet(scopes), all == 1
	k.Created, k.Expires = sqlstore.Time(created), sqlstore.Time(expires)
	k.LastUsed, k.Revoked = sqlstore.Time(lastUsed), sqlstore.Time(revokedTime)
	return &k, nil
}

func scanAll(rows *sql.Rows) ([]*Key, error) {
	return sqldb.All(rows, func(row sqldb.Row) (*Key, error) { return scan(row) })
}

const (
	maxOwner = 255
	maxName  = 200
	maxList  = 4096
)

// Request asks for a key.
type Request struct {
	// Owner is the id of the user whom the key stands for.
	Owner string
	// Name is for people to know the key by: up to 200 bytes of what can be
	// printed.
	Name string
	// Scopes and AllScopes are what the key is for. The zero value is for nothing
	// that asks for a scope.
	Scopes    auth.Set
	AllScopes bool
	// Lifetime is how long the key is good for. The default is
	// [Config.Lifetime].
	Lifetime time.Duration
}

func (r *Request) mistakes(cfg *Config) error {
	var errs []error
	if r.Owner == "" || len(r.Owner) > maxOwner {
		errs = append(errs, fmt.Errorf("Owner has %d bytes, want 1 to %d", len(r.Owner), maxOwner))
	}
	if strings.TrimSpace(r.Name) == "" || len(r.Name) > maxName || strings.ContainsFunc(r.Name, func(c rune) bool { return !unicode.IsPrint(c) || c == unicode.ReplacementChar }) {
		errs = append(errs, ErrName)
	}
	// A name with a space would come back as two.
	if text := r.Scopes.String(); len(text) > maxList || !auth.ParseSet(text).Equal(r.Scopes) {
		errs = append(errs, errors.New("Scopes are too long, or one has a space"))
	}
	if err := cfg.lifetime(r.Lifetime); err != nil {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// Create makes a key and returns it with its text, which is not kept anywhere:
// show it now or never. An owner who is not active, or has too many keys, is an
// [ErrRefused].
func (k *Keys) Create(ctx context.Context, r Request) (*Key, string, error) {
	if r.Lifetime == 0 {
		r.Lifetime = k.cfg.Lifetime
	}
	if err := r.mistakes(&k.cfg); err != nil {
		return nil, "", fmt.Errorf("API key: create: %w", err)
	}
	standing, err := k.cfg.Accounts.Standing(ctx, r.Owner)
	if err != nil {
		return nil, "", fmt.Errorf("API key: create: standing of the owner: %w", err)
	}
	if standing == nil || !standing.Active {
		return nil, "", fmt.Errorf("%w: the owner is not active", ErrRefused)
	}
	text, id := newText(k.cfg.Prefix)
	now := k.now()
	key := &Key{ID: id, Name: r.Name, Owner: r.Owner, Scopes: r.Scopes, AllScopes: r.AllScopes, Created: now, Expires: now.Add(r.Lifetime).Truncate(time.Microsecond)}
	if err := k.record(ctx, "authn_token_created", key); err != nil {
		return nil, "", err
	}
	if err := k.store.Write(ctx, func(tx *sqlstore.Tx) error { return k.insert(ctx, tx, key, digestOf(text)) }); err != nil {
		return nil, "", fmt.Errorf("API key: create: %w", err)
	}
	return key, text, nil
}

func (k *Keys) insert(ctx context.Context, tx *sqlstore.Tx, key *Key, hash digest) error {
	var n int
	err := tx.QueryRow(ctx, "SELECT COUNT(*) FROM fastness_api_keys WHERE owner_id = ? AND revoked = 0 AND expires > ?",
		key.Owner, sqlstore.Micros(key.Created)).Scan(&n)
	if err != nil {
		return err
	}
	if n >= k.cfg.PerOwner {
		return fmt.Errorf("%w: %w: the owner has %d", ErrRefused, ErrTooMany, n)
	}
	all := 0
	if key.AllScopes {
		all = 1
	}
	_, err = tx.Exec(ctx, "INSERT INTO fastness_api_keys (id, hash, name, owner_id, scopes, all_scopes, created, expires) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
		key.ID, hash[:], key.Name, key.Owner, key.Scopes.String(), all, sqlstore.Micros(key.Created), sqlstore.Micros(key.Expires))
	return err
}

// Revoke revokes a key, if it is live, and reports whether it was. What is
// revoked stays revoked if the event cannot be recorded, which is an error.
func (k *Keys) Revoke(ctx context.Context, id string) (bool, error) {
	if !isID(id) {
		return false, nil
	}
	n, err := k.revoke(ctx, func(tx *sqlstore.Tx, now int64) (*sql.Rows, error) {
		return tx.Query(ctx, "UPDATE fastness_api_keys SET revoked = ? WHERE id = ? AND revoked = 0 RETURNING "+columns, now, id)
	})
	return n > 0, err
}

// RevokeOf revokes a key if it is one of this owner's, and reports whether it
// was: for users who revoke one of their list, and name an id that may be
// anybody's.
func (k *Keys) RevokeOf(ctx context.Context, owner, id string) (bool, error) {
	if !isID(id) {
		return false, nil
	}
	n, err := k.revoke(ctx, func(tx *sqlstore.Tx, now int64) (*sql.Rows, error) {
		return tx.Query(ctx, "UPDATE fastness_api_keys SET revoked = ? WHERE id = ? AND owner_id = ? AND revoked = 0 RETURNING "+columns, now, id, owner)
	})
	return n > 0, err
}

// RevokeAll revokes all keys of an owner and returns how many.
func (k *Keys) RevokeAll(ctx context.Context, owner string) (int, error) {
	return k.revoke(ctx, func(tx *sqlstore.Tx, now int64) (*sql.Rows, error) {
		return tx.Query(ctx, "UPDATE fastness_api_keys SET revoked = ? WHERE owner_id = ? AND revoked = 0 RETURNING "+columns, now, owner)
	})
}

// revoke revokes the keys that update returns, and then records it: a log that is
// full must not keep a stolen key alive.
func (k *Keys) revoke(ctx context.Context, update func(tx *sqlstore.Tx, now int64) (*sql.Rows, error)) (int, error) {
	var gone []*Key
	err := k.store.Write(ctx, func(tx *sqlstore.Tx) error {
		rows, err := update(tx, sqlstore.Micros(k.now()))
		if err != nil {
			return err
		}
		gone, err = scanAll(rows)
		return err
	})
	for _, g := range gone { // Also after an error: nobody knows whether a commit that failed took place.
		k.recent.Forget(g.ID)
	}
	if err != nil {
		return 0, fmt.Errorf("API key: revoke: %w", err)
	}
	var errs []error
	for _, g := range gone {
		errs = append(errs, k.record(ctx, "authn_token_revoked", g))
	}
	return len(gone), errors.Join(errs...)
}

// List returns the keys of an owner, the newest first, at most 1,000. Those that
// are revoked or have expired are among them until [Keys.Purge].
func (k *Keys) List(ctx context.Context, owner string) ([]*Key, error) {
	rows, err := k.store.Query(ctx, "SELECT "+columns+" FROM fastness_api_keys WHERE owner_id = ? ORDER BY created DESC, id LIMIT 1000", owner)
	if err != nil {
		return nil, fmt.Errorf("API key: list: %w", err)
	}
	list, err := scanAll(rows)
	if err != nil {
		return nil, fmt.Errorf("API key: list: %w", err)
	}
	return list, nil
}

// Purge deletes keys that have been over for longer than [Config.Keep] and
// returns how many: at most 1,000 in one call. Call it once in a while.
func (k *Keys) Purge(ctx context.Context) (int, error) {
	before := sqlstore.Micros(k.now().Add(-k.cfg.Keep))
	result, err := k.store.Exec(ctx, "DELETE FROM fastness_api_keys WHERE id IN (SELECT id FROM fastness_api_keys "+
		"WHERE expires < ? OR (revoked > 0 AND revoked < ?) LIMIT 1000)", before, before)
	if err != nil {
		return 0, fmt.Errorf("API key: purge: %w", err)
	}
	n, err := result.RowsAffected()
	return int(n), err
}

// record records an event of a key. Who did it is the caller of the request, if
// there is one, and else its owner.
func (k *Keys) record(ctx context.Context, name string, of *Key) error {
	e := auditlog.Event{Name: name, Actor: of.Owner, Subject: of.ID, Details: []slog.Attr{
		slog.String("kind", "api_key"), slog.String("owner", of.Owner), slog.String("scopes", of.Scopes.String()), slog.Bool("all_scopes", of.AllScopes),
	}}
	if caller := auth.From(ctx); caller != nil {
		e.Actor = caller.ID
	}
	if err := k.cfg.Events.Record(ctx, e); err != nil {
		return fmt.Errorf("API key: record %s: %w", name, err)
	}
	return nil
}
