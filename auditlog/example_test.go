package auditlog_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	"github.com/fastness/fastness/auditlog"
	"github.com/fastness/fastness/sqldb"
)

// An administrator gives somebody a role. The event is recorded first: if that
// fails, nothing was changed.
func ExampleLog_Record() {
	giveRole := func(ctx context.Context, log *auditlog.Log, admin, user, role string) error {
		err := log.Record(ctx, auditlog.Event{
			Name: "privilege_permissions_changed", Actor: admin, Subject: user,
			Details: []slog.Attr{slog.String("role", role)},
		})
		if err != nil {
			return err
		}
		return nil // … and now the change itself.
	}
	_ = giveRole
}

// A job that runs every night, with the anchor of the night before.
func ExampleLog_Verify() {
	nightly := func(ctx context.Context, db *sqldb.DB, known auditlog.Anchor) (auditlog.Anchor, error) {
		log, err := auditlog.Open(ctx, auditlog.Config{DB: db})
		if err != nil {
			return known, err
		}
		report, err := log.Verify(ctx, known)
		if err != nil {
			return known, err
		}
		if report.Fault != nil {
			return known, fmt.Errorf("the audit log was tampered with: %v", report.Fault)
		}
		return report.Head, nil
	}
	_ = nightly
}

func ExampleParseAnchor() {
	a, err := auditlog.ParseAnchor("17:" + strings.Repeat("c0", 32))
	fmt.Println(a.Seq, err)
	_, err = auditlog.ParseAnchor("yesterday")
	fmt.Println(err)
	// Output:
	// 17 <nil>
	// not an anchor, want a number, ":" and a hash
}
