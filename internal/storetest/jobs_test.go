package storetest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/fastness/fastness/jobs"
	"github.com/fastness/fastness/jobs/sqljobs"
	"github.com/fastness/fastness/sqldb"
)

// eachJobStore runs a test over every kind of store. again opens it once more, as
// another process would.
func eachJobStore(t *testing.T, test func(t *testing.T, s, again jobs.Store)) {
	t.Run("Memory", func(t *testing.T) {
		s := jobs.NewMemory()
		test(t, s, s)
	})
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		test(t, openJobs(t, db), openJobs(t, openAgain(t, db)))
	})
}

func openJobs(t testing.TB, db *sqldb.DB) *sqljobs.Store {
	t.Helper()
	s, err := sqljobs.New(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var hourly = jobs.Schedule{Every: time.Hour}

func claimJob(t testing.TB, s jobs.Store, schedule jobs.Schedule, lease time.Duration) jobs.Claim {
	t.Helper()
	c, err := s.Claim(t.Context(), "sweep", schedule, lease)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// wantOurs checks what Renew or Finish says.
func wantOurs(t testing.TB, what string, want bool) func(bool, error) {
	t.Helper()
	return func(ours bool, err error) {
		t.Helper()
		if err != nil || ours != want {
			t.Errorf("%s = %v, %v, want %v", what, ours, err, want)
		}
	}
}

func TestJobIsClaimedByOneAndDueAgainLater(t *testing.T) {
	eachJobStore(t, func(t *testing.T, s, again jobs.Store) {
		c := claimJob(t, s, hourly, time.Minute)
		if !c.Held || c.Token != 1 || c.Now.Sub(c.Due) > time.Second || time.Since(c.Now).Abs() > time.Minute {
			t.Fatalf("a new job: %+v, want it held, due now, with token 1", c)
		}
		if c := claimJob(t, again, hourly, time.Minute); c.Held || c.Wait <= 50*time.Second || c.Wait > time.Minute {
			t.Errorf("a job that is held: %+v, want to wait for the end of the lease", c)
		}
		wantOurs(t, "Renew()", true)(s.Renew(t.Context(), "sweep", c.Token, 2*time.Minute))
		if c := claimJob(t, again, hourly, time.Minute); c.Held || c.Wait <= time.Minute {
			t.Errorf("a lease that was renewed: %+v, want to wait longer", c)
		}
		wantOurs(t, "Finish()", true)(s.Finish(t.Context(), "sweep", c.Token, jobs.Next{Due: c.Due.Add(30 * time.Minute), Failures: 2}))
		if c := claimJob(t, again, hourly, time.Minute); c.Held || c.Failures != 2 || c.Wait <= 29*time.Minute || c.Wait > 30*time.Minute {
			t.Errorf("a job that has run: %+v, want to wait until it is due", c)
		}
		wantOurs(t, "Renew() after the end", false)(s.Renew(t.Context(), "sweep", c.Token, time.Minute))
	})
}

func TestJobOfAnOldScheduleIsDueByTheNewOne(t *testing.T) {
	eachJobStore(t, func(t *testing.T, s, again jobs.Store) {
		c := claimJob(t, s, jobs.Schedule{Every: 1000 * time.Hour}, time.Minute)
		wantOurs(t, "Finish()", true)(s.Finish(t.Context(), "sweep", c.Token, jobs.Next{Due: c.Due.Add(1000 * time.Hour)}))
		if c := claimJob(t, again, jobs.Schedule{Every: time.Minute}, time.Minute); c.Held || c.Wait > time.Minute {
			t.Errorf("%+v, want it due in a minute", c)
		}
	})
}

// A process dies, or is paused: another takes over when its lease ends, with a greater
// token, and what the first one says later does not count.
func TestLeaseThatEndsIsTakenOverAndTheOldTokenIsRefused(t *testing.T) {
	eachJobStore(t, func(t *testing.T, s, again jobs.Store) {
		first := claimJob(t, s, hourly, 50*time.Millisecond)
		var second jobs.Claim
		for begin := time.Now(); !second.Held; {
			if second = claimJob(t, again, hourly, time.Minute); !second.Held && time.Since(begin) > 10*time.Second {
				t.Fatal("nobody could take over")
			}
		}
		if second.Token != first.Token+1 {
			t.Errorf("the tokens are %d and %d, want the next", first.Token, second.Token)
		}
		wantOurs(t, "Renew() by the late one", false)(s.Renew(t.Context(), "sweep", first.Token, time.Minute))
		wantOurs(t, "Finish() by the late one", false)(s.Finish(t.Context(), "sweep", first.Token, jobs.Next{Due: first.Due}))
		wantOurs(t, "Renew() by the new one", true)(again.Renew(t.Context(), "sweep", second.Token, time.Minute))
	})
}

func TestLeaseThatIsOverIsNotRenewed(t *testing.T) {
	eachJobStore(t, func(t *testing.T, s, _ jobs.Store) {
		c := claimJob(t, s, hourly, 20*time.Millisecond)
		for begin := time.Now(); ; {
			ours, err := s.Renew(t.Context(), "sweep", c.Token, time.Millisecond)
			if err != nil || time.Since(begin) > 10*time.Second {
				t.Fatalf("Renew() = %v, %v after %v, want false", ours, err, time.Since(begin))
			}
			if !ours {
				break
			}
		}
		wantOurs(t, "Finish() of a lease that nobody took", true)(s.Finish(t.Context(), "sweep", c.Token, jobs.Next{Due: c.Due}))
	})
}

func TestUnknownJobIsNobodys(t *testing.T) {
	eachJobStore(t, func(t *testing.T, s, _ jobs.Store) {
		wantOurs(t, "Renew()", false)(s.Renew(t.Context(), "none", 1, time.Minute))
		wantOurs(t, "Finish()", false)(s.Finish(t.Context(), "none", 1, jobs.Next{Due: time.Now()}))
	})
}

func TestOneOfManyGetsTheJob(t *testing.T) {
	eachJobStore(t, func(t *testing.T, s, again jobs.Store) {
		for round := range int64(10) {
			var held, token atomic.Int64
			var due atomic.Pointer[time.Time]
			var all sync.WaitGroup
			for i := range 8 {
				from := s
				if i%2 == 0 {
					from = again
				}
				all.Go(func() {
					c, err := from.Claim(t.Context(), "sweep", hourly, time.Minute)
					if err != nil {
						t.Error(err)
					} else if c.Held {
						held.Add(1)
						token.Store(c.Token)
						due.Store(&c.Due)
					}
				})
			}
			all.Wait()
			if held.Load() != 1 || token.Load() != round+1 {
				t.Fatalf("round %d: %d claims with token %d, want one", round, held.Load(), token.Load())
			}
			wantOurs(t, "Finish()", true)(s.Finish(t.Context(), "sweep", token.Load(), jobs.Next{Due: *due.Load()}))
		}
	})
}

// The process was paused after its last look at the clock, in the middle of a
// transaction. Its context cannot help, the token can.
func TestLateTransactionIsNotCommitted(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		s := openJobs(t, db)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		var early, late error
		runner, err := jobs.New(jobs.Config{Store: s, Logger: slog.New(slog.DiscardHandler)}, jobs.Job{Name: "sweep", Schedule: hourly, Run: func(ctx context.Context) error {
			defer cancel()
			hold := func() error {
				tx, end, err := sqldb.Begin(ctx, sqldb.From{DB: db})
				if err != nil {
					t.Error(err)
					return nil
				}
				err = sqljobs.Hold(ctx, tx)
				return errors.Join(err, end(err))
			}
			early = hold()
			_, token := jobs.Token(ctx)
			if _, err := db.Write.ExecContext(ctx, "UPDATE fastness_jobs SET leased_until = 0"); err != nil { // It is over.
				t.Error(err)
			}
			if c := claimJob(t, s, hourly, time.Minute); !c.Held || c.Token != token+1 {
				t.Errorf("another process: %+v, want the job", c)
			}
			late = hold()
			return nil
		}})
		if err != nil {
			t.Fatal(err)
		}
		if err := runner.Run(ctx); err != nil {
			t.Error(err)
		}
		if early != nil || !errors.Is(late, jobs.ErrLeaseLost) {
			t.Errorf("Hold() = %v, and %v after another took over, want nil and a lost lease", early, late)
		}
	})
}

// The clocks of the processes differ: the database's counts. A claim says its time.
func TestClockOfTheDatabaseCounts(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		s := openJobs(t, db)
		c := claimJob(t, s, hourly, time.Minute)
		// As if this database were ten minutes ahead of what it said: all it stores is relative to its own time.
		if _, err := db.Write.ExecContext(t.Context(), "UPDATE fastness_jobs SET leased_until = leased_until - 600000000"); err != nil {
			t.Fatal(err)
		}
		wantOurs(t, "Renew() of a lease that is over for the database", false)(s.Renew(t.Context(), "sweep", c.Token, time.Minute))
	})
}

const (
	jobDialect = "STORETEST_JOBS_DIALECT"
	jobName    = "STORETEST_JOBS_DATABASE"
)

// TestJobsChild is no test: it is a process that runs a job every second, and says so.
func TestJobsChild(t *testing.T) {
	name := os.Getenv(jobName)
	if name == "" {
		t.Skip("only for child processes")
	}
	dialect, _ := strconv.Atoi(os.Getenv(jobDialect))
	store := openJobs(t, openNamed(t, sqldb.Dialect(dialect), name))
	ctx, cancel := context.WithCancel(t.Context())
	go func() { // The parent closes it, or dies.
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	runner, err := jobs.New(jobs.Config{Store: store, Lease: time.Second, Logger: slog.New(slog.DiscardHandler)},
		jobs.Job{Name: "tick", Schedule: jobs.Schedule{Every: time.Second, Jitter: time.Millisecond}, Run: func(ctx context.Context) error {
			_, token := jobs.Token(ctx)
			fmt.Println("run", token, os.Getpid())
			return nil
		}})
	if err != nil {
		t.Fatal(err)
	}
	_ = runner.Run(ctx)
}

// Three processes; one is killed in the middle, and another paused and continued. Each
// period runs once, by tokens without a gap.
func TestThreeProcessesRunEachPeriodOnce(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		openJobs(t, db)
		const want = 7
		lines := make(chan string, 100)
		var children []*exec.Cmd
		var readers sync.WaitGroup
		for range 3 {
			child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestJobsChild$", "-test.timeout=1m")
			child.Env = append(os.Environ(), jobName+"="+whereIs(t, db), jobDialect+"="+strconv.Itoa(int(db.Dialect)))
			stdin, err := child.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			defer stdin.Close()
			stdout, err := child.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := child.Start(); err != nil {
				t.Fatal(err)
			}
			children = append(children, child)
			readers.Go(func() {
				for scanner := bufio.NewScanner(stdout); scanner.Scan(); {
					lines <- scanner.Text()
				}
				_ = child.Wait() // One is killed.
			})
		}
		begin := time.Now()
		var tokens []int
		for len(tokens) < want {
			select {
			case line := <-lines:
				fields := strings.Fields(line)
				if len(fields) != 3 || fields[0] != "run" {
					continue
				}
				token, _ := strconv.Atoi(fields[1])
				tokens = append(tokens, token)
				for _, child := range children {
					switch ranIt := strconv.Itoa(child.Process.Pid) == fields[2]; {
					case ranIt && len(tokens) == 2: // The others have to go on.
						_ = child.Process.Kill()
					case ranIt && len(tokens) == 3: // As here, until its lease is another's, and it goes on as if nothing had been.
						if err := child.Process.Signal(syscall.SIGSTOP); err != nil {
							t.Fatal(err)
						}
						time.AfterFunc(2*time.Second, func() { _ = child.Process.Signal(syscall.SIGCONT) })
					}
				}
			case <-time.After(20 * time.Second):
				t.Fatalf("tokens %v, and no run for 20s", tokens)
			}
		}
		took := time.Since(begin)
		for i, token := range tokens {
			if token != i+1 {
				t.Errorf("the tokens are %v, want 1 to %d", tokens, want)
				break
			}
		}
		if took < (want-2)*time.Second {
			t.Errorf("%d periods of a second in %v", want, took)
		}
		for _, child := range children {
			_ = child.Process.Kill()
		}
		readers.Wait()
	})
}
