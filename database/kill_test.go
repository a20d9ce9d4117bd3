package database_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/fastness/fastness/database"
	"github.com/fastness/fastness/database/databasetest"
	"github.com/fastness/fastness/secret"
	"github.com/fastness/fastness/sqldb"
)

// Processes that are killed at any moment: this program, run again, as one of them.

const (
	killRole = "FASTNESS_TEST_KILL" // migrate or buy
	killURL  = "FASTNESS_TEST_KILL_URL"
)

func TestMain(m *testing.M) {
	switch os.Getenv(killRole) {
	case "migrate":
		os.Exit(migrateUntilKilled())
	case "buy":
		os.Exit(buyUntilKilled())
	}
	os.Exit(m.Run())
}

// manySteps are enough for a process to be killed among them. Each makes a table and
// fills it, and is seen as a whole or not at all.
func manySteps() fstest.MapFS {
	files := fstest.MapFS{}
	for i := 1; i <= 60; i++ {
		files[fmt.Sprintf("%05d_step.sql", i)] = &fstest.MapFile{Data: fmt.Appendf(nil,
			"-- +goose Up\nCREATE TABLE step%d (n BIGINT);\nINSERT INTO step%d VALUES (1);\nINSERT INTO step%d VALUES (2);\n", i, i, i)}
	}
	return files
}

func migrateUntilKilled() int {
	fmt.Println("begin")
	db, err := database.Open(context.Background(), secret.New(os.Getenv(killURL)), database.Config{Migrations: manySteps()})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	_ = db.Close()
	fmt.Println("done")
	return 0
}

// buyUntilKilled buys, and says of each that it is bought once it is committed.
func buyUntilKilled() int {
	ctx := context.Background()
	db, err := database.Open(ctx, secret.New(os.Getenv(killURL)), database.Config{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	for {
		var id int64
		err := db.SerialTx(ctx, func(tx *sqldb.SerialTx) error {
			if err := tx.QueryRow(ctx, "SELECT coalesce(max(id), 0) + 1 FROM bought").Scan(&id); err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, "INSERT INTO bought (id) VALUES (?)", id); err != nil {
				return err
			}
			return done(tx.Exec(ctx, "UPDATE stock SET n = n - 1 WHERE id = 1"))
		})
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		fmt.Println("bought", id)
	}
}

// runKilled runs this program in a role, kills it some time after its first line, and
// returns its last whole line.
func runKilled(t *testing.T, role string, url secret.Text, after time.Duration) (last string) {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command(program)
	command.Env = append(os.Environ(), killRole+"="+role, killURL+"="+url.Reveal())
	command.Stderr = os.Stderr
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	reader := bufio.NewReader(out)
	var timer *time.Timer
	for {
		line, err := reader.ReadString('\n')
		if err != nil {
			break // Half a line was not said.
		}
		if last = strings.TrimSuffix(line, "\n"); timer == nil {
			timer = time.AfterFunc(after, func() { _ = command.Process.Kill() })
		}
	}
	_ = command.Wait() // It says that it was killed.
	if timer == nil {
		t.Fatal("it said nothing")
	}
	timer.Stop()
	return last
}

func TestKillWhileMigratingLeavesNothingHalfDone(t *testing.T) {
	eachURL(t, func(t *testing.T, url secret.Text) {
		half := 0
		for i := range 8 {
			if runKilled(t, "migrate", url, time.Duration(i*i)*2*time.Millisecond) == "begin" {
				half++
			}
		}
		db, err := database.Open(t.Context(), url, database.Config{Migrations: manySteps()})
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		for i := 1; i <= 60; i++ {
			var n int
			if err := db.Read.QueryRow("SELECT count(*) FROM step" + strconv.Itoa(i)).Scan(&n); err != nil || n != 2 {
				t.Errorf("step %d has %d rows (%v), want 2", i, n, err)
			}
		}
		if half == 0 {
			t.Error("no process was killed while it migrated: this test tests nothing")
		}
		t.Logf("%d of 8 were killed before they were done", half)
	})
}

func TestKillWhileBuyingLosesNothingThatWasSaid(t *testing.T) {
	eachURL(t, func(t *testing.T, url secret.Text) {
		db := databasetest.Open(t, url)
		for _, statement := range []string{"CREATE TABLE bought (id BIGINT PRIMARY KEY)", "CREATE TABLE stock (id BIGINT PRIMARY KEY, n BIGINT)", "INSERT INTO stock VALUES (1, 1000000)"} {
			if _, err := db.Write.Exec(statement); err != nil {
				t.Fatal(err)
			}
		}
		for i := range 5 {
			last := runKilled(t, "buy", url, time.Duration(20+i*30)*time.Millisecond)
			said, err := strconv.Atoi(strings.TrimPrefix(last, "bought "))
			if err != nil {
				t.Fatalf("it said %q", last)
			}
			var bought, left int
			deadline := time.Now().Add(5 * time.Second)
			for { // PostgreSQL may still be at the last transaction of a process that is gone.
				if err := db.Write.QueryRow("SELECT (SELECT count(*) FROM bought), (SELECT n FROM stock)").Scan(&bought, &left); err != nil {
					t.Fatal(err)
				}
				if bought >= said || time.Now().After(deadline) {
					break
				}
			}
			if bought < said || bought+left != 1_000_000 {
				t.Errorf("%d were bought as it said, %d are stored, and %d are left", said, bought, left)
			}
		}
	})
}
