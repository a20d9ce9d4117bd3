package storetest

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"testing"

	"github.com/fastness/fastness/auditlog"
	"github.com/fastness/fastness/sqldb"
)

// The environment of a child process that records events.
const (
	auditDialect = "STORETEST_AUDIT_DIALECT"
	auditName    = "STORETEST_AUDIT_DATABASE"
	auditCount   = "STORETEST_AUDIT_COUNT"
)

// TestAuditChild is no test: it is what the child processes of others run. It
// prints the number of each event that was recorded.
func TestAuditChild(t *testing.T) {
	name := os.Getenv(auditName)
	if name == "" {
		t.Skip("only for child processes")
	}
	dialect, _ := strconv.Atoi(os.Getenv(auditDialect))
	count, _ := strconv.Atoi(os.Getenv(auditCount))
	log := openAudit(t, auditlog.Config{DB: openNamed(t, sqldb.Dialect(dialect), name)})
	for i := range count {
		if err := log.Record(t.Context(), auditlog.Event{Name: "authz_admin", Actor: strconv.Itoa(os.Getpid())}); err != nil {
			t.Fatal(err)
		}
		fmt.Println("recorded", i+1)
	}
}

// auditChild returns a process that records count events.
func auditChild(t *testing.T, db *sqldb.DB, count int) *exec.Cmd {
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestAuditChild$", "-test.v")
	child.Env = append(os.Environ(), fmt.Sprintf("%s=%d", auditDialect, db.Dialect), auditName+"="+whereIs(t, db), fmt.Sprintf("%s=%d", auditCount, count))
	return child
}

func TestTwoProcessesShareOneChain(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		const children, each = 2, 100
		log := openAudit(t, auditlog.Config{DB: db})
		var wg sync.WaitGroup
		for range children {
			child := auditChild(t, db, each)
			wg.Go(func() {
				if output, err := child.CombinedOutput(); err != nil {
					t.Errorf("%v\n%s", err, output)
				}
			})
		}
		wg.Go(func() { // And many at once in this one, some of them while it is verified.
			var here sync.WaitGroup
			for range 10 {
				here.Go(func() { recordEvents(t, log, each/10) })
			}
			verifyWhole(t, log)
			here.Wait()
		})
		wg.Wait()
		if report := verifyAudit(t, log, auditlog.Anchor{}); report.Fault != nil || report.Events != (children+1)*each {
			t.Errorf("%+v, want %d events", report, (children+1)*each)
		}
	})
}

func verifyWhole(t *testing.T, log *auditlog.Log) {
	t.Helper()
	if fault := verifyAudit(t, log, auditlog.Anchor{}).Fault; fault != nil {
		t.Error(fault)
	}
}

// What was acknowledged is there after a kill -9, and the chain is whole.
func TestKilledProcessLeavesAChainThatVerifies(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		log := openAudit(t, auditlog.Config{DB: db})
		var known auditlog.Anchor
		for round := range 5 {
			acknowledged := killWhileRecording(t, db, 20+7*round)
			before := known.Seq
			report := verifyAudit(t, log, known)
			if report.Fault != nil || report.Events < before+int64(acknowledged) {
				t.Fatalf("round %d: %d events were acknowledged after %d: %+v", round, acknowledged, before, report)
			}
			known = report.Head
		}
		recordEvents(t, log, 1)
		verifyWhole(t, log)
	})
}

// killWhileRecording kills a child after it recorded n events, and returns how
// many it said that it had recorded.
func killWhileRecording(t *testing.T, db *sqldb.DB, n int) (acknowledged int) {
	t.Helper()
	child := auditChild(t, db, 1_000_000)
	output, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(output)
	for lines.Scan() {
		if _, err := fmt.Sscanf(lines.Text(), "recorded %d", &acknowledged); err == nil && acknowledged == n {
			if err := child.Process.Kill(); err != nil {
				t.Error(err)
			}
		}
	}
	_ = child.Wait() // It was killed.
	if acknowledged < n {
		t.Fatalf("the child ended after %d events", acknowledged)
	}
	return acknowledged
}

func BenchmarkAuditRecord(b *testing.B) {
	for _, engine := range []struct {
		name string
		open func(testing.TB) *sqldb.DB
	}{
		{"SQLite", func(t testing.TB) *sqldb.DB { return openSQLite(t, t.TempDir()+"/test.db") }},
		{"PostgreSQL", openPostgres},
	} {
		b.Run(engine.name+"/one after the other", func(b *testing.B) {
			log := openAudit(b, auditlog.Config{DB: engine.open(b)})
			for b.Loop() {
				recordEvents(b, log, 1)
			}
		})
		b.Run(engine.name+"/at once", func(b *testing.B) {
			log := openAudit(b, auditlog.Config{DB: engine.open(b)})
			b.SetParallelism(16)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					recordEvents(b, log, 1)
				}
			})
		})
		b.Run(engine.name+"/verify 10000", func(b *testing.B) {
			log := openAudit(b, auditlog.Config{DB: engine.open(b)})
			var wg sync.WaitGroup
			for range 20 {
				wg.Go(func() { recordEvents(b, log, 500) })
			}
			wg.Wait()
			for b.Loop() {
				verifyAudit(b, log, auditlog.Anchor{})
			}
		})
	}
}
