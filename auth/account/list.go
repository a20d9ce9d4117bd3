package account

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/sqldb"
)

const (
	defaultLimit = 50
	maxLimit     = 500
)

// Get returns an account, or [ErrUnknown].
func (a *Accounts) Get(ctx context.Context, id string) (*Account, error) {
	return found(a.row(ctx, id))
}

// GetIn returns an account that is in a tenant, or [ErrUnknown]: who looks after one
// tenant does not learn of others. The zero tenant has all accounts.
func (a *Accounts) GetIn(ctx context.Context, tenant auth.Tenant, id string) (*Account, error) {
	account, err := a.Get(ctx, id)
	if err == nil && !tenant.IsZero() && tenant != account.Tenant {
		return nil, unknown()
	}
	return account, err
}

// ByName returns the account of a name, or [ErrUnknown].
func (a *Accounts) ByName(ctx context.Context, name string) (*Account, error) {
	canon, _ := fold(name)
	return found(a.named(ctx, canon))
}

func found(r *record, err error) (*Account, error) {
	if err != nil {
		return nil, err
	}
	if r == nil || r.deleted {
		return nil, unknown()
	}
	return &r.Account, nil
}

// Page says which accounts to list.
type Page struct {
	// After is the name of the last account of the page before, or "".
	After string
	// Limit is how many there are at most: 50 by default, no more than 500.
	Limit int
	// Tenant lists only accounts of this one. None lists those of all.
	Tenant auth.Tenant
}

// List returns accounts in the order of their names. A page is as quick as any
// other, wherever it is.
func (a *Accounts) List(ctx context.Context, page Page) (list []Account, err error) {
	after, ok := fold(page.After)
	if !ok && page.After != "" {
		return nil, badName()
	}
	if page.Limit <= 0 {
		page.Limit = defaultLimit
	}
	var rows *sql.Rows
	if limit := min(page.Limit, maxLimit); page.Tenant.IsZero() {
		rows, err = a.store.Query(ctx, "SELECT "+columns+" FROM fastness_accounts WHERE fold > ? ORDER BY fold LIMIT ?", after, limit)
	} else {
		rows, err = a.store.Query(ctx, "SELECT "+columns+" FROM fastness_accounts WHERE tenant = ? AND fold > ? ORDER BY fold LIMIT ?",
			page.Tenant, after, limit)
	}
	if err != nil {
		return nil, fmt.Errorf("account: list: %w", err)
	}
	return sqldb.All(rows, func(row sqldb.Row) (Account, error) {
		r, err := scan(row)
		if err != nil {
			return Account{}, err
		}
		return r.Account, nil
	})
}
