package account

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/internal/sqlstore"
	"github.com/fastness/fastness/sqldb"
)

// tables are what the store keeps. fold is the folded name; it and name are NULL
// in what remains of a deleted account, whose id nobody gets again. Roles stand
// between spaces, one at both ends. fastness_account_first has one row: the
// token of the first administrator, and the lock of changes that must see each
// other.
func tables() sqlstore.Tables {
	return sqlstore.Tables{Name: "accounts", Steps: []string{`
CREATE TABLE fastness_accounts (
	id TEXT PRIMARY KEY,
	name TEXT,
	fold TEXT UNIQUE,
	roles TEXT NOT NULL,
	tenant TEXT NOT NULL,
	disabled {int} NOT NULL,
	locked_until {int} NOT NULL,
	epoch {int} NOT NULL,
	created {int} NOT NULL,
	password TEXT NOT NULL,
	password_changed {int} NOT NULL,
	totp {bytes},
	totp_step {int} NOT NULL,
	pending {bytes},
	pending_until {int} NOT NULL,
	deleted {int} NOT NULL,
	version {int} NOT NULL
) {strict};
CREATE TABLE fastness_account_codes (
	account TEXT NOT NULL,
	hash {bytes} NOT NULL,
	PRIMARY KEY (account, hash)
) {strict};
CREATE TABLE fastness_account_places (
	account TEXT NOT NULL,
	place {bytes} NOT NULL,
	kind {int} NOT NULL,
	used {int} NOT NULL,
	PRIMARY KEY (account, place)
) {strict};
CREATE TABLE fastness_account_first (
	id {int} PRIMARY KEY,
	hash {bytes},
	expires {int} NOT NULL
) {strict};
INSERT INTO fastness_account_first (id, expires) VALUES (1, 0);
CREATE INDEX fastness_accounts_tenant ON fastness_accounts (tenant, fold);
`}}
}

// record is one row of fastness_accounts.
type record struct {
	Account
	deleted      bool
	password     string // a hash, or "" for an account without a password
	totp         []byte // sealed; nil without a second factor
	totpStep     int64  // the step whose code was used last
	pending      []byte // sealed: a second factor that is not confirmed yet
	pendingUntil time.Time
	version      int64 // rises with each change of the row
}

const columns = "id, COALESCE(name, ''), roles, tenant, disabled, locked_until, epoch, created, password, password_changed, " +
	"totp, totp_step, pending, pending_until, deleted, version"

// scan reads columns. It returns nil for no row.
func scan(row sqldb.Row) (*record, error) {
	var r record
	var roles, tenant string
	var disabled, locked, created, changed, pendingUntil, deleted int64
	err := row.Scan(&r.ID, &r.Name, &roles, &tenant, &disabled, &locked, &r.Epoch, &created, &r.password, &changed,
		&r.totp, &r.totpStep, &r.pending, &pendingUntil, &deleted, &r.version)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("account: read: %w", err)
	}
	r.Roles, r.Tenant = auth.ParseSet(roles), auth.NewTenant(tenant)
	r.Disabled, r.deleted, r.SecondFactor = disabled != 0, deleted != 0, r.totp != nil
	r.LockedUntil, r.Created = sqlstore.Time(locked), sqlstore.Time(created)
	r.PasswordChanged, r.pendingUntil = sqlstore.Time(changed), sqlstore.Time(pendingUntil)
	return &r, nil
}

// row returns the record of an id, deleted or not, or nil.
func (a *Accounts) row(ctx context.Context, id string) (*record, error) {
	return scan(a.store.QueryRow(ctx, "SELECT "+columns+" FROM fastness_accounts WHERE id = ?", id))
}

// named returns the record of a folded name, or nil. Nobody is named "".
func (a *Accounts) named(ctx context.Context, canon string) (*record, error) {
	return scan(a.store.QueryRow(ctx, "SELECT "+columns+" FROM fastness_accounts WHERE fold = ?", canon))
}

// lock returns the record of an id that nobody else changes until tx ends.
func lock(ctx context.Context, tx *sqlstore.Tx, id string) (*record, error) {
	return scan(tx.Lock(ctx, "SELECT "+columns+" FROM fastness_accounts WHERE id = ?", id))
}

// save writes what has changed of a locked record.
func (r *record) save(ctx context.Context, tx *sqlstore.Tx) error {
	r.version++
	var name, canon any
	if !r.deleted {
		folded, _ := fold(r.Name)
		name, canon = r.Name, folded
	}
	_, err := tx.Exec(ctx, `UPDATE fastness_accounts SET name = ?, fold = ?, roles = ?, tenant = ?, disabled = ?, locked_until = ?,
		epoch = ?, password = ?, password_changed = ?, totp = ?, totp_step = ?, pending = ?, pending_until = ?, deleted = ?, version = ?
		WHERE id = ?`,
		name, canon, stored(r.Roles), r.Tenant.String(), bit(r.Disabled), sqlstore.Micros(r.LockedUntil),
		r.Epoch, r.password, sqlstore.Micros(r.PasswordChanged), blob(r.totp), r.totpStep, blob(r.pending), sqlstore.Micros(r.pendingUntil),
		bit(r.deleted), r.version, r.ID)
	return err
}

// insert writes a new record.
func (r *record) insert(ctx context.Context, tx *sqlstore.Tx) error {
	canon, _ := fold(r.Name)
	_, err := tx.Exec(ctx, `INSERT INTO fastness_accounts (id, name, fold, roles, tenant, disabled, locked_until, epoch, created,
		password, password_changed, totp_step, pending_until, deleted, version) VALUES (?, ?, ?, ?, ?, 0, 0, 1, ?, ?, ?, 0, 0, 0, 1)`,
		r.ID, r.Name, canon, stored(r.Roles), r.Tenant.String(), sqlstore.Micros(r.Created), r.password, sqlstore.Micros(r.PasswordChanged))
	if sqlstore.Duplicate(err) {
		return taken()
	}
	return err
}

func stored(roles auth.Set) string { return " " + roles.String() + " " }

// blob returns b, or NULL: a driver may store a nil slice as no bytes.
func blob(b []byte) any {
	if b == nil {
		return nil
	}
	return b
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// active reports whether the account may be used.
func (r *record) active(now time.Time) bool {
	return !r.deleted && !r.Disabled && !now.Before(r.LockedUntil)
}
