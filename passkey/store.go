package passkey

import (
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/fastness/fastness/internal/sqlstore"
	"github.com/fastness/fastness/passkey/internal/signed"
	"github.com/fastness/fastness/sqldb"
)

func tables() sqlstore.Tables {
	return sqlstore.Tables{Name: "passkeys", Steps: []string{`
CREATE TABLE fastness_passkeys (
	id {bytes} PRIMARY KEY,
	user_id TEXT NOT NULL,
	name TEXT NOT NULL,
	public_key {bytes} NOT NULL,
	sign_count {int} NOT NULL,
	transports TEXT NOT NULL,
	aaguid {bytes} NOT NULL,
	backup_eligible {int} NOT NULL,
	backed_up {int} NOT NULL,
	created {int} NOT NULL,
	last_used {int} NOT NULL
) {strict};
CREATE INDEX fastness_passkeys_user ON fastness_passkeys (user_id);
CREATE TABLE fastness_passkey_challenges (
	hash {bytes} PRIMARY KEY,
	ceremony TEXT NOT NULL,
	user_id TEXT NOT NULL,
	expires {int} NOT NULL
) {strict};
CREATE INDEX fastness_passkey_challenges_expires ON fastness_passkey_challenges (expires);
`}}
}

// maxPerUser is how many passkeys a user has at most.
const maxPerUser = 25

// credential is a passkey as it is stored.
type credential struct {
	signed.Key
	name              string
	created, lastUsed time.Time
}

const columns = "id, user_id, name, public_key, sign_count, transports, aaguid, backup_eligible, backed_up, created, last_used"

func scan(row sqldb.Row) (*credential, error) {
	var c credential
	var transports string
	var eligible, backedUp, created, used int64
	err := row.Scan(&c.ID, &c.User, &c.name, &c.PublicKey, &c.Count, &transports, &c.AAGUID, &eligible, &backedUp, &created, &used)
	if err != nil {
		return nil, err
	}
	c.Transports = strings.Fields(transports)
	c.BackupEligible, c.BackedUp = eligible != 0, backedUp != 0
	c.created, c.lastUsed = sqlstore.Time(created), sqlstore.Time(used)
	return &c, nil
}

// find returns the passkey of an id, or nil.
func (p *party) find(ctx context.Context, id []byte) (*credential, error) {
	c, err := scan(p.store.Newest(ctx, "SELECT "+columns+" FROM fastness_passkeys WHERE id = ?", id))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("passkey: find: %w", err)
	}
	return c, nil
}

// list returns the passkeys of a user, the oldest first.
func (p *party) list(ctx context.Context, user string) (all []*credential, err error) {
	rows, err := p.store.Query(ctx, "SELECT "+columns+" FROM fastness_passkeys WHERE user_id = ? ORDER BY created, id", user)
	if err != nil {
		return nil, fmt.Errorf("passkey: list: %w", err)
	}
	if all, err = sqldb.All(rows, scan); err != nil {
		return nil, fmt.Errorf("passkey: list: %w", err)
	}
	return all, nil
}

// add stores a passkey. One id is for one user: whoever brings an id that is there
// already, be it their own, gets a conflict.
func (p *party) add(ctx context.Context, c *credential) error {
	return p.store.Write(ctx, func(tx *sqlstore.Tx) error {
		var n int
		if err := tx.QueryRow(ctx, "SELECT COUNT(*) FROM fastness_passkeys WHERE user_id = ?", c.User).Scan(&n); err != nil {
			return fmt.Errorf("passkey: count: %w", err)
		}
		if n >= maxPerUser {
			return tooMany()
		}
		added, err := tx.Changed(ctx, "INSERT INTO fastness_passkeys ("+columns+") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
			c.ID, c.User, c.name, c.PublicKey, c.Count, strings.Join(c.Transports, " "), c.AAGUID,
			bit(c.BackupEligible), bit(c.BackedUp), sqlstore.Micros(c.created), sqlstore.Micros(c.lastUsed))
		if err != nil {
			return fmt.Errorf("passkey: add: %w", err)
		}
		if !added {
			return exists()
		}
		return nil
	})
}

// use notes that a passkey has signed, and reports whether its count has risen, in
// one statement: of two that come with one count, one is a copy. Authenticators
// that do not count always say 0 (WebAuthn section 6.1.1).
func (p *party) use(ctx context.Context, c *credential) (bool, error) {
	rose, err := p.store.Changed(ctx, `UPDATE fastness_passkeys SET sign_count = ?, backed_up = ?, last_used = ?
		WHERE id = ? AND user_id = ? AND (sign_count < ? OR sign_count = 0 AND ? = 1)`,
		c.Count, bit(c.BackedUp), sqlstore.Micros(c.lastUsed), c.ID, c.User, c.Count, bit(c.Count == 0))
	if err != nil {
		return false, fmt.Errorf("passkey: use: %w", err)
	}
	return rose, nil
}

// remove deletes a passkey of a user, and reports whether it did. The last one
// stays unless mayBeLast.
func (p *party) remove(ctx context.Context, user string, id []byte, mayBeLast bool) (removed bool, err error) {
	err = p.store.Write(ctx, func(tx *sqlstore.Tx) error {
		// Two that remove different ones wait for each other here.
		var first []byte
		err := tx.Lock(ctx, "SELECT id FROM fastness_passkeys WHERE user_id = ? ORDER BY id LIMIT 1", user).Scan(&first)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		removed, err = tx.Changed(ctx, `DELETE FROM fastness_passkeys WHERE id = ? AND user_id = ?
			AND (? = 1 OR EXISTS (SELECT 1 FROM fastness_passkeys AS other WHERE other.user_id = ? AND other.id <> ?))`,
			id, user, bit(mayBeLast), user, id)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("passkey: remove: %w", err)
	}
	return removed, nil
}

// forget deletes all passkeys of a user who is no more.
func (p *party) forget(ctx context.Context, user string) error {
	if _, err := p.store.Exec(ctx, "DELETE FROM fastness_passkeys WHERE user_id = ?", user); err != nil {
		return fmt.Errorf("passkey: forget: %w", err)
	}
	return nil
}

func bit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// encode writes ids and keys as WebAuthn does in JSON.
func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
