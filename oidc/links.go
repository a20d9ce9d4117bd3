package oidc

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auditlog"
	"github.com/fastness/fastness/identity"
	"github.com/fastness/fastness/internal/sqlstore"
	"github.com/fastness/fastness/problem"
	"github.com/fastness/fastness/sqldb"
)

// linkTables returns the table that ties the users of other issuers to accounts:
// each of them to one.
func linkTables() sqlstore.Tables {
	return sqlstore.Tables{Name: "oidc_links", Steps: []string{`
CREATE TABLE fastness_oidc_links (
	issuer TEXT NOT NULL,
	subject TEXT NOT NULL,
	user_id TEXT NOT NULL,
	created {int} NOT NULL,
	PRIMARY KEY (issuer, subject)
) {strict};
CREATE INDEX fastness_oidc_links_user ON fastness_oidc_links (user_id);
`}}
}

type links struct {
	sql *sqlstore.Store
	now func() time.Time
}

func openLinks(ctx context.Context, db *sqldb.DB, now func() time.Time) (*links, error) {
	s, err := sqlstore.Open(ctx, db, linkTables())
	return &links{s, now}, err
}

// user returns the id of the account of an issuer's user, or "".
func (l *links) user(ctx context.Context, issuer, subject string) (id string, err error) {
	err = l.sql.Newest(ctx, "SELECT user_id FROM fastness_oidc_links WHERE issuer = ? AND subject = ?", issuer, subject).Scan(&id)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("oidc: find a link: %w", err)
	}
	return id, nil
}

// add ties an issuer's user to an account. One who is tied to another stays so:
// who could move a link could take the account that it opens.
func (l *links) add(ctx context.Context, core *identity.Core, issuer, subject, user string) error {
	event := auditlog.Event{
		Name: "authn_identity_linked", Actor: user, Subject: user, Request: fastness.RequestID(ctx),
		Details: []slog.Attr{slog.String("issuer", issuer), slog.String("subject", subject)},
	}
	if err := core.Events.Record(ctx, event); err != nil {
		return err
	}
	_, err := l.sql.Exec(ctx, "INSERT INTO fastness_oidc_links (issuer, subject, user_id, created) VALUES (?, ?, ?, ?) ON CONFLICT (issuer, subject) DO NOTHING",
		issuer, subject, user, sqlstore.Micros(l.now()))
	if err != nil {
		return fmt.Errorf("oidc: add a link: %w", err)
	}
	owner, err := l.user(ctx, issuer, subject)
	if err == nil && owner != user {
		return problem.New(http.StatusConflict, "this user of the provider belongs to another account").Named("already_linked")
	}
	return err
}

// forgetLinks deletes the links to an account: they may be somebody else's, or the
// account is gone and its owner must be able to come back.
func forgetLinks(ctx context.Context, core *identity.Core, user string) error {
	l, err := openLinks(ctx, core.DB(), core.Now)
	if err != nil {
		return err
	}
	if _, err := l.sql.Exec(ctx, "DELETE FROM fastness_oidc_links WHERE user_id = ?", user); err != nil {
		return fmt.Errorf("oidc: forget links: %w", err)
	}
	return nil
}
