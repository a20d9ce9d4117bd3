package storetest

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/auth/session"
	"github.com/fastness/fastness/sqldb"
)

// What the child of TestRefreshSurvivesKill is told.
const (
	sessionDialect = "FASTNESS_SESSION_DIALECT"
	sessionName    = "FASTNESS_SESSION_NAME"
	sessionToken   = "FASTNESS_SESSION_TOKEN"
)

// TestSessionChild is no test: it is the process that gets killed. It refreshes
// as fast as it can and says each token that it got.
func TestSessionChild(t *testing.T) {
	name := os.Getenv(sessionName)
	if name == "" {
		t.Skip("only runs as a child process")
	}
	dialect, err := strconv.Atoi(os.Getenv(sessionDialect))
	if err != nil {
		t.Fatal(err)
	}
	s := newSessionWorld().sessions(t, openNamed(t, sqldb.Dialect(dialect), name))
	token := os.Getenv(sessionToken)
	for range 100_000 {
		_, token = refreshToken(t, s, token)
		fmt.Println("token", token)
	}
}

// A process dies by kill -9 while it rotates. The client has the last token that
// reached it: either that one is good, or its use was committed and the next one
// never arrived. Then it is a replay, which is the loss that is documented. There
// is never a token that works twice, nor a session without exactly one that is
// good.
func TestRefreshSurvivesKill(t *testing.T) {
	kills := 20
	if n, err := strconv.Atoi(os.Getenv("FASTNESS_KILLS")); err == nil {
		kills = n
	}
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		s := newSessionWorld().sessions(t, db)
		lost := 0
		begun, token := beginSession(t, s, session.App, "ada")
		for i := range kills {
			acknowledged := killWhileRefreshing(t, db, token, 1+i%7)
			wantOneGoodToken(t, db, begun.ID)
			found, good, err := s.ByRefreshToken(t.Context(), acknowledged)
			if err != nil || found == nil || found.ID != begun.ID {
				t.Fatalf("kill %d: the last token is of %+v, %v", i, found, err)
			}
			if good {
				_, token = refreshToken(t, s, acknowledged)
				wantTokenSpent(t, s, acknowledged)
				continue
			}
			lost++
			wantTokenRefused(t, s, acknowledged, "phone")
			wantLive(t, s, begun.ID, false)
			begun, token = beginSession(t, s, session.App, "ada")
		}
		t.Logf("%d kills, of which %d came between the commit and the answer", kills, lost)
	})
}

// wantTokenSpent checks that a token was used, without the replay that using it
// would be.
func wantTokenSpent(t *testing.T, s *session.Sessions, token string) {
	t.Helper()
	if _, good, err := s.ByRefreshToken(t.Context(), token); err != nil || good {
		t.Errorf("a token that was used is good: %v, %v", good, err)
	}
}

func wantOneGoodToken(t *testing.T, db *sqldb.DB, id string) {
	t.Helper()
	query := "SELECT COUNT(*) FROM fastness_session_secrets WHERE used = 0 AND session_id = '" + id + "'"
	var n int
	if err := db.Write.QueryRow(query).Scan(&n); err != nil || n != 1 {
		t.Errorf("%d tokens are good, %v, want 1", n, err)
	}
}

// killWhileRefreshing kills a child after n refreshes and returns the last token
// that it said.
func killWhileRefreshing(t *testing.T, db *sqldb.DB, token string, n int) string {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestSessionChild$", "-test.v")
	child.Env = append(os.Environ(), fmt.Sprintf("%s=%d", sessionDialect, db.Dialect), sessionName+"="+whereIs(t, db), sessionToken+"="+token)
	output, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(output)
	refreshes := 0
	for lines.Scan() { // What was said before the kill arrived counts.
		var next string
		if _, err := fmt.Sscanf(lines.Text(), "token %s", &next); err != nil || len(next) != 43 {
			continue // A line of the test's own, or half of one.
		}
		token = next
		if refreshes++; refreshes == n {
			if err := child.Process.Kill(); err != nil {
				t.Error(err)
			}
		}
	}
	_ = child.Wait() // It was killed.
	if refreshes < n {
		t.Fatalf("the child ended after %d refreshes", refreshes)
	}
	return token
}

// A cookie that was renewed leaves nothing behind.
func TestRenewLeavesOneValue(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		s := newSessionWorld().sessions(t, db)
		begun, _ := beginSession(t, s, session.Browser, "ada")
		for range 3 {
			if _, _, err := s.Renew(t.Context(), begun.ID, auth.Set{}); err != nil {
				t.Fatal(err)
			}
			wantOneGoodToken(t, db, begun.ID)
		}
	})
}
