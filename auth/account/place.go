package account

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/fastness/fastness/internal/sqlstore"
	"github.com/fastness/fastness/secret"
)

// Kinds of places, the better one last.
const (
	placeAddress = 1
	placeDevice  = 2
)

// maxPlaces is how many of each kind an account has. The one that was not used
// for longest makes room.
const maxPlaces = 8

// origin is where an attempt comes from.
type origin struct {
	key      string // what the throttle counts
	known    bool   // its owner has logged in from there before
	device   []byte // hashes, as they are stored
	address  []byte
	byDevice bool
}

// origin looks up where at comes from. It asks the database the same whether
// there is an account or not.
func (a *Accounts) origin(ctx context.Context, r *record, at Attempt) (origin, error) {
	id := ""
	if r != nil {
		id = r.ID
	}
	address := place(at.Address)
	o := origin{key: address, address: hashOf("address", id, address), device: hashOf("device", id, at.Device.Reveal())}
	var kind int64
	err := a.store.QueryRow(ctx, "SELECT COALESCE(MAX(kind), 0) FROM fastness_account_places WHERE account = ? AND (place = ? OR place = ?)",
		id, o.address, o.device).Scan(&kind)
	if err != nil {
		return o, fmt.Errorf("account: read places: %w", err)
	}
	o.known, o.byDevice = kind > 0, kind == placeDevice
	if o.byDevice {
		o.key = "device " + string(o.device)
	}
	return o, nil
}

// remember stores where a user has logged in from.
func (a *Accounts) remember(ctx context.Context, tx *sqlstore.Tx, at Attempt, from origin, login *Login) error {
	if err := visit(ctx, tx, login, placeAddress, from.address); err != nil {
		return err
	}
	switch {
	case from.byDevice:
		login.Device = at.Device
	case at.Remember:
		token := rand.Text()
		login.Device = secret.New(token)
		from.device = hashOf("device", login.Account.ID, token)
	default:
		return nil
	}
	return visit(ctx, tx, login, placeDevice, from.device)
}

// visit notes that a place was used, once a day: a log-in should not have to
// write.
func visit(ctx context.Context, tx *sqlstore.Tx, login *Login, kind int, place []byte) error {
	id := login.Account.ID
	_, err := tx.Exec(ctx, `INSERT INTO fastness_account_places (account, place, kind, used) VALUES (?, ?, ?, ?)
		ON CONFLICT (account, place) DO UPDATE SET used = excluded.used WHERE fastness_account_places.used < ?`,
		id, place, kind, sqlstore.Micros(login.At), sqlstore.Micros(login.At.Add(-24*time.Hour)))
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `DELETE FROM fastness_account_places WHERE account = ? AND kind = ? AND place NOT IN
		(SELECT place FROM fastness_account_places WHERE account = ? AND kind = ? ORDER BY used DESC, place LIMIT ?)`,
		id, kind, id, kind, maxPlaces)
	return err
}

// forgetPlaces makes every place unknown: who logged in there knew a password
// that is no more.
func forgetPlaces(ctx context.Context, tx *sqlstore.Tx, id string) error {
	_, err := tx.Exec(ctx, "DELETE FROM fastness_account_places WHERE account = ?", id)
	return err
}

// hashOf returns what is stored of a text: for one account, for one purpose.
func hashOf(purpose, id, text string) []byte {
	sum := sha256.Sum256([]byte(purpose + "\x00" + id + "\x00" + text))
	return sum[:]
}
