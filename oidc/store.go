package oidc

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/internal/sqlstore"
	"github.com/fastness/fastness/sqldb"
)

// tables returns the tables. Requests wait for a log-in; codes wait for their
// exchange, and after it for a replay, as long as the session that they began can
// last. Both are found by the SHA-256 of what only the browser or the client
// knows.
func tables() sqlstore.Tables {
	return sqlstore.Tables{Name: "oidc", Steps: []string{`
CREATE TABLE fastness_oidc_requests (
	hash {bytes} PRIMARY KEY,
	request TEXT NOT NULL,
	expires {int} NOT NULL
) {strict};
CREATE INDEX fastness_oidc_requests_expires ON fastness_oidc_requests (expires);
CREATE TABLE fastness_oidc_codes (
	hash {bytes} PRIMARY KEY,
	request TEXT NOT NULL,
	user_id TEXT NOT NULL,
	browser TEXT NOT NULL,
	methods TEXT NOT NULL,
	authenticated {int} NOT NULL,
	expires {int} NOT NULL,
	used {int} NOT NULL DEFAULT 0,
	replayed {int} NOT NULL DEFAULT 0,
	session_id TEXT NOT NULL DEFAULT '',
	kept {int} NOT NULL
) {strict};
CREATE INDEX fastness_oidc_codes_kept ON fastness_oidc_codes (kept);
`, `
ALTER TABLE fastness_oidc_codes ADD COLUMN epoch {int} NOT NULL DEFAULT -1;
ALTER TABLE fastness_oidc_requests ADD COLUMN network TEXT NOT NULL DEFAULT '';
CREATE INDEX fastness_oidc_requests_network ON fastness_oidc_requests (network, expires);
`}}
}

// store keeps requests and codes.
type store struct {
	sql *sqlstore.Store
	now func() time.Time
}

func openStore(ctx context.Context, db *sqldb.DB, now func() time.Time) (*store, error) {
	s, err := sqlstore.Open(ctx, db, tables())
	return &store{s, now}, err
}

// request is what a client asks for.
type request struct {
	Client      string    `json:"client"`
	RedirectURI string    `json:"redirect_uri"`
	State       string    `json:"state,omitempty"`
	Nonce       string    `json:"nonce,omitempty"`
	Challenge   string    `json:"challenge"`
	Fragment    bool      `json:"fragment,omitempty"`
	Scopes      []string  `json:"scopes"`
	Created     time.Time `json:"created"`
	// MaxAge is how many seconds before Created the user may have logged in, nil
	// for any.
	MaxAge *uint `json:"max_age,omitempty"`
	// Ask says that the user must be asked in any case.
	Ask bool `json:"ask,omitempty"`
	// Granted is the browser's session in which the user has consented, and Denied
	// says that they would not.
	Granted string `json:"granted,omitempty"`
	Denied  bool   `json:"denied,omitempty"`

	// network is where it comes from: see [maxWaiting].
	network string
}

func (r *request) scopes() auth.Set { return auth.SetOf(r.Scopes...) }

// newSecret returns 256 random bits, as text.
func newSecret() string {
	var random [32]byte
	rand.Read(random[:]) // Never fails: it ends the process instead.
	return base64.RawURLEncoding.EncodeToString(random[:])
}

// hashOf returns what is stored of a secret, or false for what is none: nothing
// else is worth a query.
func hashOf(secret string) ([]byte, bool) {
	if len(secret) != 43 || !isBase64URL(secret) {
		return nil, false
	}
	sum := sha256.Sum256([]byte(secret))
	return sum[:], true
}

func isBase64URL(text string) bool {
	for i := range len(text) {
		switch c := text[i]; {
		case 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '-', c == '_':
		default:
			return false
		}
	}
	return true
}

// maxWaiting is how many requests of one network wait at a time. Anybody can make
// one, of up to some 50 KB, without a log-in: nobody must be able to fill the disk
// with them. The oldest makes room, so that a network with that many people in it
// still logs in.
const maxWaiting = 2000

// networkOf returns what a provider gives to one customer: an address of IPv4, a
// /48 of IPv6.
func networkOf(addr netip.Addr) string {
	if addr.Is6() {
		return netip.PrefixFrom(addr, 48).Masked().String()
	}
	return addr.String()
}

// keep keeps a request until the user has logged in, and returns its id. What is
// over goes at the same time.
func (s *store) keep(ctx context.Context, r *request, ttl time.Duration) (id string, err error) {
	text, err := json.Marshal(r)
	if err != nil {
		return "", err
	}
	id = newSecret()
	hash, _ := hashOf(id)
	now := s.now()
	err = s.sql.Write(ctx, func(tx *sqlstore.Tx) error {
		if _, err := tx.Exec(ctx, "DELETE FROM fastness_oidc_requests WHERE expires <= ?", sqlstore.Micros(now)); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "INSERT INTO fastness_oidc_requests (hash, request, expires, network) VALUES (?, ?, ?, ?)",
			hash, string(text), sqlstore.Micros(now.Add(ttl)), r.network)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, "DELETE FROM fastness_oidc_requests WHERE hash IN (SELECT hash FROM fastness_oidc_requests "+
			"WHERE network = ? AND hash <> ? ORDER BY expires DESC, hash LIMIT 1000 OFFSET ?)", r.network, hash, maxWaiting-1)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("oidc: keep a request: %w", err)
	}
	return id, nil
}

// request returns the request of an id, or nil.
func (s *store) request(ctx context.Context, id string) (*request, error) {
	hash, ok := hashOf(id)
	if !ok {
		return nil, nil
	}
	var text string
	err := s.sql.Newest(ctx, "SELECT request FROM fastness_oidc_requests WHERE hash = ? AND expires > ?",
		hash, sqlstore.Micros(s.now())).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	r := new(request)
	if err == nil {
		err = json.Unmarshal([]byte(text), r)
	}
	if err != nil {
		return nil, fmt.Errorf("oidc: find a request: %w", err)
	}
	return r, nil
}

// answer writes down what the user has decided.
func (s *store) answer(ctx context.Context, id string, r *request) error {
	hash, _ := hashOf(id)
	text, err := json.Marshal(r)
	if err == nil {
		_, err = s.sql.Exec(ctx, "UPDATE fastness_oidc_requests SET request = ? WHERE hash = ?", string(text), hash)
	}
	if err != nil {
		return fmt.Errorf("oidc: answer a request: %w", err)
	}
	return nil
}

// take removes a request and reports whether it was there: of two that resume the
// same one, one gets a code.
func (s *store) take(ctx context.Context, id string) (bool, error) {
	hash, _ := hashOf(id)
	taken, err := s.sql.Changed(ctx, "DELETE FROM fastness_oidc_requests WHERE hash = ?", hash)
	if err != nil {
		return false, fmt.Errorf("oidc: take a request: %w", err)
	}
	return taken, nil
}
