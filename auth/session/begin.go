package session

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/fastness/fastness/auditlog"
	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/internal/sqlstore"
	"github.com/fastness/fastness/sqldb"
)

const (
	maxName  = 255  // bytes of an id
	maxList  = 4096 // bytes of all scopes, or all methods
	maxLabel = 200  // bytes
	// maxLive is how many sessions of one user go on. A list of more nobody reads,
	// and whoever has a password must not be able to fill the database with it.
	maxLive = 100
)

// Login is a log-in that has just succeeded.
type Login struct {
	Kind Kind
	// User is the id of the user, Client that of the OAuth client, which an App
	// must have: only that client can refresh.
	User, Client string
	// Scopes and AllScopes are what the log-in is for. The zero value is for
	// nothing.
	Scopes    auth.Set
	AllScopes bool
	// Methods are how the user proved who they are (RFC 8176), and At is when:
	// by default, now.
	Methods auth.Set
	At      time.Time
	// Epoch is that of the user ([auth.Standing.Epoch]) when they proved it. If
	// their password has changed since, the log-in is refused: without it, one with
	// the old password that takes its time outlives the change. 0 means the epoch
	// of this moment.
	Epoch int64
	// Label is for the user to recognize the device by, such as the name of the
	// browser. It is shortened to 200 bytes of what can be printed.
	Label string
}

func (l *Login) mistakes() error {
	var errs []error
	if l.Kind != Browser && l.Kind != App {
		errs = append(errs, errors.New("Kind is neither Browser nor App"))
	}
	if l.User == "" || len(l.User) > maxName {
		errs = append(errs, fmt.Errorf("User has %d bytes, want 1 to %d", len(l.User), maxName))
	}
	if l.Client == "" && l.Kind == App || len(l.Client) > maxName {
		errs = append(errs, fmt.Errorf("Client has %d bytes, want 1 to %d", len(l.Client), maxName))
	}
	for name, set := range map[string]auth.Set{"Scopes": l.Scopes, "Methods": l.Methods} {
		// A name with a space would come back as two.
		if text := set.String(); len(text) > maxList || !auth.ParseSet(text).Equal(set) {
			errs = append(errs, fmt.Errorf("%s are too long, or one has a space", name))
		}
	}
	return errors.Join(errs...)
}

// cleanLabel returns what of a text can be shown in a line. Most labels come out
// of a User-Agent header, which may hold anything.
func cleanLabel(text string) string {
	var b strings.Builder
	for _, r := range text {
		if b.Len()+4 > maxLabel {
			break
		}
		if unicode.IsPrint(r) {
			b.WriteRune(r)
		}
	}
	return strings.TrimSpace(b.String())
}

// Begin begins a session and returns it with its secret: the value of a cookie,
// or the first refresh token. The secret is not kept anywhere.
//
// It is refused with [ErrRefused] if the user is not active. How the user proved
// who they are is the caller's part.
func (s *Sessions) Begin(ctx context.Context, login Login) (*Session, string, error) {
	if err := login.mistakes(); err != nil {
		return nil, "", fmt.Errorf("session: begin: %w", err)
	}
	standing, err := s.cfg.Accounts.Standing(ctx, login.User)
	if err != nil {
		return nil, "", fmt.Errorf("session: begin: standing of the user: %w", err)
	}
	if standing == nil || !standing.Active {
		return nil, "", refused("the user is not active")
	}
	if login.Epoch == 0 {
		login.Epoch = standing.Epoch
	}
	if login.Epoch < standing.Epoch {
		return nil, "", refused("the log-in was overtaken: all that was issued to the user is void")
	}
	begun := s.session(login)
	secret, hash := newSecret()
	if err := s.record(ctx, "session_created", begun, slog.String("kind", string(begun.Kind))); err != nil {
		return nil, "", err
	}
	err = s.store.Write(ctx, func(tx *sqlstore.Tx) error {
		if err := insert(ctx, tx, begun); err != nil {
			return err
		}
		return insertSecret(ctx, tx, hash, begun.ID, 1)
	})
	if err != nil {
		return nil, "", fmt.Errorf("session: begin: %w", err)
	}
	return begun, secret, s.endSurplus(ctx, begun)
}

func (s *Sessions) session(login Login) *Session {
	now := s.now()
	if login.At.IsZero() {
		login.At = now
	}
	_, absolute := s.lifetimes(login.Kind)
	begun := &Session{
		ID: rand.Text(), User: login.User, Client: login.Client, Kind: login.Kind,
		Scopes: login.Scopes, AllScopes: login.AllScopes, Methods: login.Methods,
		At: login.At.UTC().Truncate(time.Microsecond), Label: cleanLabel(login.Label), Epoch: login.Epoch,
		Created: now, Absolute: now.Add(absolute),
	}
	s.extend(begun, now)
	return begun
}

// Renew gives a browser's session a new value and ends the old one: after a
// second factor, a change of roles, whenever somebody who knew the old value must
// not profit. Methods are what the user proved just now; they are added to those
// of the session. None means that they proved nothing.
//
// A session whose user is of a new epoch, as after a change of password, cannot
// be renewed: end all and begin another one.
func (s *Sessions) Renew(ctx context.Context, id string, methods auth.Set) (*Session, string, error) {
	standing, err := s.check(ctx, id)
	if err != nil {
		return nil, "", err
	}
	if standing == nil {
		return nil, "", refused("the session is not live")
	}
	found, err := s.Get(ctx, id)
	if err != nil {
		return nil, "", err
	}
	if found == nil || found.Kind != Browser {
		return nil, "", refused("it is no session of a browser")
	}
	if err := s.record(ctx, "session_renewed", found); err != nil {
		return nil, "", err
	}
	secret, hash := newSecret()
	var renewed *Session
	var old []digest
	err = s.store.Write(ctx, func(tx *sqlstore.Tx) (err error) {
		renewed, old, err = s.renew(ctx, tx, id, methods, hash)
		return err
	})
	s.cookies.Forget(old...)
	s.ends.Forget(id)
	if err != nil {
		return nil, "", fmt.Errorf("session: renew: %w", err)
	}
	return renewed, secret, nil
}

func (s *Sessions) renew(ctx context.Context, tx *sqlstore.Tx, id string, methods auth.Set, hash digest) (*Session, []digest, error) {
	now := s.now()
	found, err := lock(ctx, tx, id)
	if err != nil {
		return nil, nil, err
	}
	if found == nil || !found.Live(now) { // It ended since it was checked.
		return nil, nil, refused("the session is not live")
	}
	rows, err := tx.Query(ctx, "DELETE FROM fastness_session_secrets WHERE session_id = ? RETURNING hash", id)
	if err != nil {
		return nil, nil, err
	}
	old, err := digests(rows)
	if err != nil {
		return nil, nil, err
	}
	if err := insertSecret(ctx, tx, hash, id, 1); err != nil {
		return nil, nil, err
	}
	if methods.Len() > 0 {
		found.Methods = auth.SetOf(slices.Concat(found.Methods.Slice(), methods.Slice())...)
		found.At = now
	}
	s.extend(found, now)
	_, err = tx.Exec(ctx, "UPDATE fastness_sessions SET methods = ?, authenticated = ?, last_used = ?, until = ? WHERE id = ?",
		found.Methods.String(), sqlstore.Micros(found.At), sqlstore.Micros(found.LastUsed), sqlstore.Micros(found.Until), id)
	return found, old, err
}

func digests(rows *sql.Rows) ([]digest, error) {
	return sqldb.All(rows, func(row sqldb.Row) (hash digest, err error) {
		var data []byte
		err = row.Scan(&data)
		copy(hash[:], data)
		return hash, err
	})
}

func refused(why string) error { return fmt.Errorf("%w: %s", ErrRefused, why) }

// record records an event of a session. Who did it is the caller of the request,
// if there is one, and else the user whose session it is.
func (s *Sessions) record(ctx context.Context, name string, of *Session, details ...slog.Attr) error {
	e := auditlog.Event{Name: name, Actor: of.User, Subject: of.ID, Details: append(details, slog.String("user", of.User))}
	if caller := auth.From(ctx); caller != nil {
		e.Actor = caller.ID
	}
	if of.Client != "" {
		e.Details = append(e.Details, slog.String("client", of.Client))
	}
	e.Refused = name == eventReuse || name == eventForeign
	if err := s.cfg.Events.Record(ctx, e); err != nil {
		return fmt.Errorf("session: record %s: %w", name, err)
	}
	return nil
}
