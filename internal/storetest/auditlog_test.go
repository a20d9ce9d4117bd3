package storetest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fastness/fastness/auditlog"
	"github.com/fastness/fastness/secret"
	"github.com/fastness/fastness/sqldb"
)

// auditClock is a clock that stands still until it is told to go.
type auditClock struct {
	mu sync.Mutex
	t  time.Time
}

func newAuditClock() *auditClock {
	return &auditClock{t: time.Date(2026, 3, 1, 12, 0, 0, 0, time.FixedZone("", 3600))}
}

func (c *auditClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *auditClock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

func openAudit(t testing.TB, cfg auditlog.Config) *auditlog.Log {
	t.Helper()
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	log, err := auditlog.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return log
}

// recordEvents records n events, by user 1, 2 and so on; every fifth was refused.
func recordEvents(t testing.TB, log *auditlog.Log, n int) {
	t.Helper()
	for i := range n {
		e := auditlog.Event{Name: "authz_admin", Actor: fmt.Sprint(i + 1), Refused: i%5 == 4, Details: []slog.Attr{slog.Int("n", i)}}
		if err := log.Record(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
}

func verifyAudit(t testing.TB, log *auditlog.Log, known auditlog.Anchor) auditlog.Report {
	t.Helper()
	report, err := log.Verify(t.Context(), known)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func TestAuditKeepsWhatItWasGiven(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		var lines bytes.Buffer
		clock := newAuditClock()
		log := openAudit(t, auditlog.Config{DB: db, Now: clock.now, Logger: slog.New(slog.NewJSONHandler(&lines, nil))})
		err := log.Record(t.Context(), auditlog.Event{
			Name: "authn_login_fail", Actor: "ada", Subject: "key-1", Address: "192.0.2.1", Request: "r1", Refused: true,
			Details: []slog.Attr{
				slog.String("reason", "<wrong>"), slog.Any("password", secret.New("hunter2")), slog.Int("tries", 3), slog.Bool("app", true),
				slog.Group("limit", slog.Duration("every", time.Minute), slog.Float64("rate", 0.5)), slog.Any("error", errors.New("no")),
				slog.Time("at", clock.now()), slog.Any("roles", []string{"b", "a"}), slog.Any("all", []secret.Text{secret.New("hunter2")}),
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		entries, err := log.List(t.Context(), auditlog.Query{})
		if err != nil || len(entries) != 1 {
			t.Fatalf("%d events, %v, want one", len(entries), err)
		}
		e := entries[0]
		const details = `{"all":"[***]","app":true,"at":"2026-03-01T11:00:00Z","error":"no","limit":{"every":"1m0s","rate":0.5},` +
			`"password":"***","reason":"<wrong>","roles":["b","a"],"tries":3}`
		if string(e.Details) != details {
			t.Errorf("details are %s, want %s", e.Details, details)
		}
		if e.Seq != 1 || !e.Time.Equal(clock.now()) || e.Time.Location() != time.UTC || e.Name != "authn_login_fail" || e.Actor != "ada" ||
			e.Subject != "key-1" || e.Address != "192.0.2.1" || e.Request != "r1" || !e.Refused {
			t.Errorf("the event is %+v", e)
		}
		head, err := log.Head(t.Context())
		if err != nil || head != e.Anchor() {
			t.Errorf("the head is %v, %v, want %v", head, err, e.Anchor())
		}
		want := fmt.Sprintf(`{"time":"2026-03-01T11:00:00Z","level":"WARN","msg":"security event","event":"authn_login_fail","actor":"ada",`+
			`"subject":"key-1","address":"192.0.2.1","request_id":"r1","refused":true,"details":%s,"anchor":"%v"}`+"\n", details, head)
		if lines.String() != want {
			t.Errorf("logged\n%swant\n%s", lines.String(), want)
		}
		if strings.Contains(lines.String(), "hunter2") {
			t.Error("the log has the password")
		}
	})
}

func TestAuditListsTheNewestFirst(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		clock := newAuditClock()
		log := openAudit(t, auditlog.Config{DB: db, Now: clock.now})
		begin := clock.now()
		for i := range 12 {
			e := auditlog.Event{Name: []string{"a", "b"}[i%2], Actor: []string{"ada", "bob", "eve"}[i%3], Subject: fmt.Sprint("s", i/6)}
			if err := log.Record(t.Context(), e); err != nil {
				t.Fatal(err)
			}
			clock.advance(time.Minute)
		}
		for _, tt := range []struct {
			name  string
			query auditlog.Query
			want  string
		}{
			{"all", auditlog.Query{}, "12 11 10 9 8 7 6 5 4 3 2 1"},
			{"the first page", auditlog.Query{Limit: 3}, "12 11 10"},
			{"the page behind it", auditlog.Query{Limit: 3, Before: 10}, "9 8 7"},
			{"behind the last page", auditlog.Query{Before: 1}, ""},
			{"of one name", auditlog.Query{Name: "b"}, "12 10 8 6 4 2"},
			{"of one actor", auditlog.Query{Actor: "ada"}, "10 7 4 1"},
			{"of one actor, the page behind it", auditlog.Query{Actor: "ada", Before: 7}, "4 1"},
			{"of one subject", auditlog.Query{Subject: "s1"}, "12 11 10 9 8 7"},
			{"of one actor and name", auditlog.Query{Actor: "ada", Name: "a"}, "7 1"},
			{"of one subject and actor", auditlog.Query{Subject: "s0", Actor: "eve"}, "6 3"},
			{"of one subject, actor and name", auditlog.Query{Subject: "s0", Actor: "eve", Name: "a"}, "3"},
			{"since a moment", auditlog.Query{Since: begin.Add(9 * time.Minute)}, "12 11 10"},
			{"until a moment", auditlog.Query{Until: begin.Add(2 * time.Minute)}, "2 1"},
			{"within a time, of one name", auditlog.Query{Name: "a", Since: begin.Add(2 * time.Minute), Until: begin.Add(6 * time.Minute)}, "5 3"},
			{"of nobody", auditlog.Query{Actor: "' OR 1=1 --"}, ""},
		} {
			entries, err := log.List(t.Context(), tt.query)
			if err != nil {
				t.Errorf("%s: %v", tt.name, err)
			}
			var got []string
			for _, e := range entries {
				got = append(got, fmt.Sprint(e.Seq))
			}
			if strings.Join(got, " ") != tt.want {
				t.Errorf("%s: %v, want %s", tt.name, got, tt.want)
			}
		}
		if _, err := log.List(t.Context(), auditlog.Query{Limit: 1001}); err == nil {
			t.Error("a page without bounds was returned")
		}
	})
}

func TestLineBreaksInDetailsStayOneLine(t *testing.T) {
	const evil = "a\r\nlevel=INFO\x00\x1b[2J\u202e\u2028\xff\"}"
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		var jsonLines, textLines bytes.Buffer
		for _, handler := range []slog.Handler{slog.NewJSONHandler(&jsonLines, nil), slog.NewTextHandler(&textLines, nil)} {
			log := openAudit(t, auditlog.Config{DB: db, Logger: slog.New(handler)})
			e := auditlog.Event{Name: evil, Actor: evil, Subject: evil, Address: evil, Request: evil, Details: []slog.Attr{
				slog.String(evil, evil), slog.Group("g", slog.Any("error", errors.New(evil))), slog.Any("list", []string{evil}),
				slog.Any("struct", struct{ A string }{evil})}}
			if err := log.Record(t.Context(), e); err != nil {
				t.Fatal(err)
			}
		}
		if n := strings.Count(jsonLines.String(), "\n"); n != 1 || !json.Valid(jsonLines.Bytes()) {
			t.Errorf("%d lines of JSON: %s", n, jsonLines.String())
		}
		if n := strings.Count(textLines.String(), "\n"); n != 1 {
			t.Errorf("%d lines of text: %s", n, textLines.String())
		}
		log := openAudit(t, auditlog.Config{DB: db})
		entries, err := log.List(t.Context(), auditlog.Query{Actor: evil})
		if err != nil || len(entries) != 2 {
			t.Fatalf("%d events by the name as it was given, %v, want 2", len(entries), err)
		}
		whole, err := json.Marshal(entries)
		if err != nil || !json.Valid(entries[0].Details) {
			t.Errorf("the details are %s, %v", entries[0].Details, err)
		}
		for _, text := range []string{string(whole), string(entries[0].Details), entries[0].Actor, jsonLines.String(), textLines.String()} {
			if strings.ContainsAny(strings.TrimSuffix(text, "\n"), "\r\n\x00\x1b\u202e\u2028\ufffd") {
				t.Errorf("%q is not clean", text)
			}
		}
		if fault := verifyAudit(t, log, auditlog.Anchor{}).Fault; fault != nil {
			t.Error(fault)
		}
	})
}

// Who hangs up as soon as a wrong password was sent would leave no trace.
func TestWhoHangsUpIsRecorded(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		log := openAudit(t, auditlog.Config{DB: db})
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := log.Record(ctx, auditlog.Event{Name: "authn_login_fail"}); err != nil {
			t.Error(err)
		}
		if report := verifyAudit(t, log, auditlog.Anchor{}); report.Events != 1 {
			t.Errorf("%d events, want 1", report.Events)
		}
	})
}

func TestAnEventThatCannotBeStoredIsAnErrorAndALine(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		var lines bytes.Buffer
		log := openAudit(t, auditlog.Config{DB: db, Logger: slog.New(slog.NewJSONHandler(&lines, nil))})
		if _, err := db.Write.Exec("ALTER TABLE audit_events RENAME TO gone"); err != nil {
			t.Fatal(err)
		}
		if err := log.Record(t.Context(), auditlog.Event{Name: "authz_admin", Actor: "ada"}); err == nil {
			t.Error("Record() = nil")
		}
		if line := lines.String(); !strings.Contains(line, `"level":"ERROR"`) || !strings.Contains(line, `"stored":false`) || strings.Contains(line, "anchor") {
			t.Errorf("logged %s", line)
		}
		if _, err := db.Write.Exec("ALTER TABLE gone RENAME TO audit_events"); err != nil {
			t.Fatal(err)
		}
		recordEvents(t, log, 1)
		if report := verifyAudit(t, log, auditlog.Anchor{}); report.Fault != nil || report.Events != 1 {
			t.Errorf("%+v", report)
		}
		if err := log.Record(t.Context(), auditlog.Event{}); err == nil {
			t.Error("an event without a name was recorded")
		}
	})
}

// A transaction that somebody keeps open must not keep requests for ever.
func TestAnEventThatHasToWaitGivesUp(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		log := openAudit(t, auditlog.Config{DB: db, Timeout: 50 * time.Millisecond})
		tx, err := db.Write.Begin()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Exec("UPDATE audit_chain SET id = id"); err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				if err := log.Record(t.Context(), auditlog.Event{Name: "a"}); err == nil {
					t.Error("an event was stored although another holds the chain")
				}
			})
		}
		wg.Wait()
		if err := tx.Rollback(); err != nil {
			t.Fatal(err)
		}
		patient := openAudit(t, auditlog.Config{DB: db})
		recordEvents(t, patient, 1)
		if report := verifyAudit(t, patient, auditlog.Anchor{}); report.Fault != nil || report.Events != 1 {
			t.Errorf("%+v, want one event: those that were errors are not there", report)
		}
	})
}
