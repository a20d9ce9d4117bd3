package apikey

import (
	"context"
	"crypto/subtle"
	"database/sql"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/internal/sqlstore"
)

// useInterval is how often the use of a key is written down.
const useInterval = 10 * time.Minute

var errUnknown = errors.New("there is no such API key")

// entry is a key that was used a moment ago.
type entry struct {
	key   *Key
	hash  digest
	noted atomic.Bool // its use is written down, or somebody is about to
	owner auth.Memo
}

func (k *Keys) load(ctx context.Context, id string) (*entry, error) {
	var hash []byte
	found, err := scan(k.store.Newest(ctx, "SELECT "+columns+", hash FROM fastness_api_keys WHERE id = ?", id), &hash)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, errUnknown
	}
	if err != nil {
		return nil, fmt.Errorf("API key: find: %w", err)
	}
	e := &entry{key: found}
	copy(e.hash[:], hash)
	return e, nil
}

// verify returns the caller who has this text. A bad one is an [auth.Refusal].
func (k *Keys) verify(ctx context.Context, text, scheme string) (*auth.User, error) {
	id, ok := parse(k.cfg.Prefix, text)
	if !ok {
		return nil, &auth.Refusal{Reason: errors.New("the API key is malformed")}
	}
	found, err := k.recent.Get(ctx, id)
	if errors.Is(err, errUnknown) {
		return nil, &auth.Refusal{Reason: err}
	}
	if err != nil {
		return nil, err
	}
	hash := digestOf(text)
	if subtle.ConstantTimeCompare(hash[:], found.hash[:]) != 1 {
		return nil, &auth.Refusal{Reason: errors.New("the API key has the id of another one")}
	}
	if !found.key.Live(k.now()) {
		return nil, &auth.Refusal{Reason: errors.New("the API key is revoked or has expired")}
	}
	standing, err := k.cfg.Accounts.Standing(ctx, found.key.Owner)
	if err != nil {
		return nil, fmt.Errorf("API key: standing of the owner: %w", err)
	}
	if standing == nil || !standing.Active {
		return nil, &auth.Refusal{Reason: errors.New("the owner of the API key is not active")}
	}
	if err := k.note(ctx, found); err != nil {
		return nil, err
	}
	return found.owner.User(standing, scheme, found.key.user), nil
}

// note writes down that a key was used, at most once in a while.
func (k *Keys) note(ctx context.Context, e *entry) error {
	now := k.now()
	if now.Sub(e.key.LastUsed) < useInterval || !e.noted.CompareAndSwap(false, true) {
		return nil
	}
	_, err := k.store.Exec(ctx, "UPDATE fastness_api_keys SET last_used = ? WHERE id = ? AND last_used < ?", sqlstore.Micros(now), e.key.ID, sqlstore.Micros(now))
	k.recent.Forget(e.key.ID)
	if err != nil {
		return fmt.Errorf("API key: note the use: %w", err)
	}
	return nil
}

// user returns who calls with the key.
func (k *Key) user(standing *auth.Standing, scheme string) *auth.User {
	return &auth.User{
		ID: k.Owner, Name: standing.Name, Roles: standing.Roles, Tenant: standing.Tenant,
		Scopes: k.Scopes, AllScopes: k.AllScopes, Client: k.ID, Scheme: scheme, Until: k.Expires,
	}
}
