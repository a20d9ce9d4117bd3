package storetest

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fastness/fastness/keyring"
	"github.com/fastness/fastness/sqldb"
)

// TestRingKillChild is no test: it is the process that gets killed. It changes
// keys as fast as it can and says each change that was acknowledged.
func TestRingKillChild(t *testing.T) {
	if os.Getenv(ringKillEnv) != "child" {
		t.Skip("only runs as a child process")
	}
	ring := openRing(t, ringConfig(t, namedRing(t), time.Now))
	for range 100_000 {
		next, err := ring.Rotate(t.Context(), ringTokens)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Println("made", next.ID)
		k, err := ring.Signing(t.Context(), ringTokens)
		if err != nil {
			t.Fatal(err)
		}
		if err := ring.Revoke(t.Context(), k.ID()); err != nil {
			t.Fatal(err)
		}
		fmt.Println("revoked", k.ID())
		if err := ring.Revoke(t.Context(), next.ID); err != nil {
			t.Fatal(err)
		}
		fmt.Println("revoked", next.ID)
	}
}

// A process dies by kill -9 while it rotates and revokes. The ring can be read,
// and has all that was acknowledged.
func TestRingSurvivesKill(t *testing.T) {
	kills := 20
	if n, err := strconv.Atoi(os.Getenv(ringKillEnv)); err == nil {
		kills = n
	}
	t.Run("File", func(t *testing.T) { killRings(t, "file", t.TempDir()+"/ring.json", kills, nil) })
	t.Run("SQLite", func(t *testing.T) {
		path := t.TempDir() + "/ring.db"
		killRings(t, strconv.Itoa(int(sqldb.SQLite)), path, kills, openSQLite(t, path))
	})
}

func killRings(t *testing.T, store, name string, kills int, db *sqldb.DB) {
	acknowledged := 0
	for range kills {
		made, revoked := killRing(t, store, name)
		acknowledged += len(made) + len(revoked)
		reader := keyring.File(name)
		if db != nil {
			reader = sqlRing(t, db)
		}
		ring := openRing(t, ringConfig(t, reader, time.Now))
		all, err := ring.List(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		states := make(map[string]keyring.State)
		for _, k := range all {
			states[k.ID] = k.State
		}
		for _, id := range made {
			if states[id] == "" {
				t.Errorf("key %s was acknowledged and is not there", id)
			}
		}
		for _, id := range revoked {
			if states[id] != keyring.Revoked {
				t.Errorf("key %s is %q, and its revocation was acknowledged", id, states[id])
			}
		}
		if _, err := issueRing(t.Context(), ring, time.Now()); err != nil {
			t.Error(err)
		}
	}
	if acknowledged < kills {
		t.Errorf("%d changes in %d lives: that is no test", acknowledged, kills)
	}
}

// killRing lets a process work for a moment, kills it, and returns what it said.
func killRing(t *testing.T, store, name string) (made, revoked []string) {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestRingKillChild$", "-test.timeout=1m")
	child.Env = append(os.Environ(), ringStore+"="+store, ringName+"="+name, ringKillEnv+"=child")
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	var killer *time.Timer
	for lines.Scan() {
		what, id, ok := strings.Cut(lines.Text(), " ")
		switch {
		case !ok || len(id) != 26: // Cut off by the kill.
			continue
		case what == "made":
			made = append(made, id)
		case what == "revoked":
			revoked = append(revoked, id)
		}
		if killer == nil { // The kill comes at any moment of what it does next.
			killer = time.AfterFunc(time.Duration(rand.IntN(20_000))*time.Microsecond, func() { _ = child.Process.Kill() })
		}
	}
	if killer == nil {
		t.Error("the child did nothing")
		_ = child.Process.Kill()
	}
	if err := child.Wait(); err == nil {
		t.Error("the child ended by itself")
	}
	return made, revoked
}
