package storetest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/fastness/fastness/auditlog"
	"github.com/fastness/fastness/sqldb"
)

// attack is what somebody does who may write to the database.
type attack struct {
	name       string
	statements []string
	seq        int64  // of the first fault
	reason     string // a part of it
}

// tamper records ten events, runs each attack on a log of its own and looks
// whether Verify finds the place.
func tamper(t *testing.T, attacks ...attack) {
	for _, a := range attacks {
		t.Run(a.name, func(t *testing.T) {
			eachEngine(t, func(t *testing.T, db *sqldb.DB) {
				log := openAudit(t, auditlog.Config{DB: db})
				recordEvents(t, log, 10)
				if report := verifyAudit(t, log, auditlog.Anchor{}); report.Fault != nil || report.Events != 10 {
					t.Fatalf("before the attack: %+v", report)
				}
				runSQL(t, db, a.statements...)
				report := verifyAudit(t, log, auditlog.Anchor{})
				if report.Fault == nil {
					t.Fatal("not found")
				}
				if report.Fault.Seq != a.seq || !strings.Contains(report.Fault.Reason, a.reason) {
					t.Errorf("found %v, want event %d: …%s…", report.Fault, a.seq, a.reason)
				}
				if !report.Head.IsZero() {
					t.Errorf("the report vouches for %v", report.Head)
				}
			})
		})
	}
}

func runSQL(t *testing.T, db *sqldb.DB, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		if db.Dialect == sqldb.PostgreSQL {
			statement = strings.ReplaceAll(statement, "zeroblob(32)", `decode(repeat('00', 32), 'hex')`)
			statement = strings.ReplaceAll(statement, "zeroblob(0)", `''`)
		}
		if _, err := db.Write.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
}

func TestChangedRowIsFound(t *testing.T) {
	attacks := []attack{
		{"the hash", []string{"UPDATE audit_events SET hash = zeroblob(32) WHERE seq = 4"}, 4, "not what was recorded"},
		{"the length of the hash", []string{"UPDATE audit_events SET hash = zeroblob(0) WHERE seq = 4"}, 4, "not what was recorded"},
		{"the last row", []string{"UPDATE audit_events SET actor = 'eve' WHERE seq = 10"}, 10, "not what was recorded"},
		{"the first row", []string{"UPDATE audit_events SET actor = 'eve' WHERE seq = 1"}, 1, "not what was recorded"},
		{"a byte from one column to the next", []string{"UPDATE audit_events SET name = 'authz_admi', actor = 'n4' WHERE seq = 4"}, 4, "not what was recorded"},
		{"a truth that is no boolean", []string{"UPDATE audit_events SET refused = 2 WHERE seq = 5"}, 5, "not what was recorded"},
	}
	for column, value := range map[string]string{
		"time": "time + 1", "name": "'other'", "actor": "'eve'", "subject": "'eve'", "address": "'192.0.2.9'", "request": "'r'", "refused": "1", "details": "'{}'",
	} {
		attacks = append(attacks, attack{column, []string{fmt.Sprintf("UPDATE audit_events SET %s = %s WHERE seq = 4", column, value)}, 4, "not what was recorded"})
	}
	tamper(t, attacks...)
}

func TestDeletedRowIsFound(t *testing.T) {
	tamper(t,
		attack{"one in the middle", []string{"DELETE FROM audit_events WHERE seq = 4"}, 4, "missing"},
		attack{"the first", []string{"DELETE FROM audit_events WHERE seq = 1"}, 1, "missing"},
		attack{"the last", []string{"DELETE FROM audit_events WHERE seq = 10"}, 10, "missing, and so are all after it"},
		attack{"all", []string{"DELETE FROM audit_events"}, 1, "missing, and so are all after it"},
		attack{"one, and the others move up", []string{
			"DELETE FROM audit_events WHERE seq = 4", "UPDATE audit_events SET seq = -seq WHERE seq > 4", "UPDATE audit_events SET seq = -seq-1 WHERE seq < 0",
			"UPDATE audit_chain SET head_seq = 9",
		}, 4, "not what was recorded"},
		attack{"the first, and the beginning moves", []string{
			"UPDATE audit_chain SET start_seq = 3, start_hash = (SELECT hash FROM audit_events WHERE seq = 3)", "DELETE FROM audit_events WHERE seq <= 3",
		}, 3, "no event says that they were removed"},
	)
}

func TestReorderedRowsAreFound(t *testing.T) {
	swap := []string{"UPDATE audit_events SET seq = -1 WHERE seq = 4", "UPDATE audit_events SET seq = 4 WHERE seq = 7", "UPDATE audit_events SET seq = 7 WHERE seq = -1"}
	tamper(t,
		attack{"whole rows", swap, 4, "not what was recorded"},
		attack{"neighbours", []string{"UPDATE audit_events SET seq = -1 WHERE seq = 1", "UPDATE audit_events SET seq = 1 WHERE seq = 2", "UPDATE audit_events SET seq = 2 WHERE seq = -1"}, 1, "not what was recorded"},
	)
}

func TestInsertedRowIsFound(t *testing.T) {
	insert := func(seq int) string {
		return fmt.Sprintf("INSERT INTO audit_events SELECT %d, time, name, 'eve', subject, address, request, refused, details, hash FROM audit_events WHERE seq = 10", seq)
	}
	tamper(t,
		attack{"behind the end", []string{insert(11)}, 11, "behind the end"},
		attack{"far behind the end", []string{insert(1000)}, 1000, "behind the end"},
		attack{"behind the end, and the end moves", []string{insert(11), "UPDATE audit_chain SET head_seq = 11"}, 11, "not what was recorded"},
		attack{"the end moves alone", []string{"UPDATE audit_chain SET head_hash = zeroblob(32)"}, 10, "not the end of the chain"},
		attack{"between others that move down", []string{
			"UPDATE audit_events SET seq = -seq-1 WHERE seq >= 5", "UPDATE audit_events SET seq = -seq WHERE seq < 0", insert(5), "UPDATE audit_chain SET head_seq = 11",
		}, 5, "not what was recorded"},
	)
	t.Run("before the beginning", func(t *testing.T) {
		eachEngine(t, func(t *testing.T, db *sqldb.DB) {
			log := openAudit(t, auditlog.Config{DB: db})
			recordEvents(t, log, 10)
			runSQL(t, db, insert(-5))
			if fault := verifyAudit(t, log, auditlog.Anchor{}).Fault; fault == nil || fault.Seq != -5 {
				t.Errorf("found %v, want event -5", fault)
			}
		})
	})
}

// Who cuts off the end and moves the head leaves a chain that is whole. Only who
// remembers the end sees it.
func TestTruncationIsFoundByTheAnchor(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		log := openAudit(t, auditlog.Config{DB: db})
		recordEvents(t, log, 10)
		known := verifyAudit(t, log, auditlog.Anchor{}).Head
		if report := verifyAudit(t, log, known); report.Fault != nil || report.Head != known || known.Seq != 10 {
			t.Fatalf("before the attack: %+v", report)
		}
		runSQL(t, db, "DELETE FROM audit_events WHERE seq > 7",
			"UPDATE audit_chain SET head_seq = 7, head_hash = (SELECT hash FROM audit_events WHERE seq = 7)")
		if fault := verifyAudit(t, log, auditlog.Anchor{}).Fault; fault != nil {
			t.Errorf("without an anchor: %v: the chain is whole, so the test is wrong", fault)
		}
		if fault := verifyAudit(t, log, known).Fault; fault == nil || fault.Seq != 8 || !strings.Contains(fault.Reason, "cut off") {
			t.Errorf("with the anchor: %v, want event 8", fault)
		}
		recordEvents(t, log, 5) // Others go on, and the numbers are as high as before.
		if fault := verifyAudit(t, log, auditlog.Anchor{}).Fault; fault != nil {
			t.Errorf("without an anchor: %v", fault)
		}
		if fault := verifyAudit(t, log, known).Fault; fault == nil || fault.Seq != 10 || !strings.Contains(fault.Reason, "anew") {
			t.Errorf("with the anchor: %v, want event 10", fault)
		}
	})
}

func TestPruningKeepsTheChain(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		clock := newAuditClock()
		log := openAudit(t, auditlog.Config{DB: db, Now: clock.now})
		recordEvents(t, log, 6)
		old := verifyAudit(t, log, auditlog.Anchor{}).Head
		clock.advance(time.Hour)
		middle := clock.now()
		recordEvents(t, log, 4)
		for i, want := range []int64{6, 0} {
			if n, err := log.Prune(t.Context(), middle); err != nil || n != want {
				t.Fatalf("Prune() number %d = %d, %v, want %d", i+1, n, err, want)
			}
		}
		report := verifyAudit(t, log, auditlog.Anchor{})
		if report.Fault != nil || report.Events != 5 || report.Start != old || report.Head.Seq != 11 {
			t.Errorf("%+v, want events 7 to 11 behind %v", report, old)
		}
		if fault := verifyAudit(t, log, old).Fault; fault != nil {
			t.Errorf("an anchor that is the beginning: %v", fault)
		}
		if fault := verifyAudit(t, log, auditlog.Anchor{Seq: 3, Hash: old.Hash}).Fault; fault == nil || fault.Seq != 3 {
			t.Errorf("an anchor that was removed: %v, want a fault", fault)
		}
		entries, err := log.List(t.Context(), auditlog.Query{Name: auditlog.EventPruned})
		if err != nil || len(entries) != 1 || string(entries[0].Details) != fmt.Sprintf(`{"last":"%v"}`, old) {
			t.Errorf("pruning is recorded as %v, %v", entries, err)
		}
		clock.advance(time.Hour)
		if n, err := log.Prune(t.Context(), clock.now()); err != nil || n != 5 {
			t.Errorf("Prune() of all = %d, %v, want 5", n, err)
		}
		recordEvents(t, log, 1)
		if report := verifyAudit(t, log, report.Head); report.Fault != nil || report.Events != 2 {
			t.Errorf("%+v, want 2 events", report)
		}
		runSQL(t, db, "UPDATE audit_events SET name = 'other' WHERE seq = 12")
		if fault := verifyAudit(t, log, auditlog.Anchor{}).Fault; fault == nil || fault.Seq != 12 {
			t.Errorf("%v, want event 12", fault)
		}
	})
}

func TestRetentionPrunesByItself(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		clock := newAuditClock()
		cfg := auditlog.Config{DB: db, Now: clock.now, Retention: 24 * time.Hour}
		log := openAudit(t, cfg)
		recordEvents(t, log, 3)
		clock.advance(23 * time.Hour)
		recordEvents(t, log, 2)
		if report := verifyAudit(t, log, auditlog.Anchor{}); report.Fault != nil || report.Events != 5 {
			t.Errorf("after 23 hours: %+v, want 5 events", report)
		}
		clock.advance(90 * time.Minute)
		recordEvents(t, log, 1)
		if report := verifyAudit(t, log, auditlog.Anchor{}); report.Fault != nil || report.Start.Seq != 3 || report.Events != 4 {
			t.Errorf("after a day: %+v, want 4 events behind number 3", report)
		}
		clock.advance(48 * time.Hour)
		log = openAudit(t, cfg)
		if report := verifyAudit(t, log, auditlog.Anchor{}); report.Fault != nil || report.Start.Seq != 7 || report.Events != 1 {
			t.Errorf("opened after two days: %+v, want 1 event behind number 7", report)
		}
	})
}
