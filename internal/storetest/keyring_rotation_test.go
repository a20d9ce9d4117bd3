package storetest

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fastness/fastness/keyring"
	"github.com/fastness/fastness/sqldb"
)

// ringSkews are how far off the clocks of three processes are.
var ringSkews = [...]time.Duration{-keyring.DefaultSkew, 0, keyring.DefaultSkew}

var ringStart = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// Ten hourly rotations, three processes whose clocks are 10 minutes apart, each of
// which verifies what all sign, several requests at a time. In between keys leak.
func TestTenRotationsCostNoTokenAndSpareNoRevokedOne(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		var nanos atomic.Int64
		nanos.Store(ringStart.UnixNano())
		var rings []*keyring.Ring
		var clocks []func() time.Time
		for _, skew := range ringSkews {
			now := func() time.Time { return time.Unix(0, nanos.Load()).Add(skew) }
			clocks = append(clocks, now)
			rings = append(rings, openRing(t, ringConfig(t, sqlRing(t, openAgain(t, db)), now)))
		}
		w := ringWorld{signed: make(map[string]bool), revoked: make(map[string]bool)}
		const step = 3 * time.Minute
		for i := range int(10*time.Hour/step) + 20 {
			var wg sync.WaitGroup
			fresh := make([]ringToken, 2*len(rings))
			for n := range fresh {
				wg.Go(func() {
					var err error
					if fresh[n], err = issueRing(t.Context(), rings[n%len(rings)], clocks[n%len(rings)]()); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			w.issued(fresh)
			for n := range rings {
				wg.Go(func() {
					for _, token := range w.live {
						if err := verifyRing(t.Context(), rings[n], token); clocks[n]().Before(token.Expires) && err != nil {
							t.Errorf("step %d: process %d refuses a valid token: %v", i, n, err)
						}
					}
					for _, token := range w.dead {
						if err := verifyRing(t.Context(), rings[n], token); err == nil {
							t.Errorf("step %d: process %d accepts a revoked token", i, n)
						}
					}
				})
			}
			wg.Wait()
			if t.Failed() {
				return
			}
			if i%67 == 66 {
				leaked := fresh[0].Key
				if err := rings[i%len(rings)].Revoke(t.Context(), leaked); err != nil {
					t.Fatal(err)
				}
				w.revoke(leaked)
				nanos.Add(int64(keyring.DefaultRefresh)) // By then all must know.
			}
			nanos.Add(int64(step))
			w.expire(time.Unix(0, nanos.Load()))
		}
		if len(w.signed) < 11 {
			t.Errorf("%d keys have signed, want the 11 of ten rotations", len(w.signed))
		}
		if len(w.revoked) != 3 || w.verified == 0 {
			t.Errorf("%d keys were revoked and %d tokens verified, want 3 and some", len(w.revoked), w.verified)
		}
	})
}

// ringWorld is what the outside has: tokens.
type ringWorld struct {
	live, dead      []ringToken
	signed, revoked map[string]bool
	verified        int
}

func (w *ringWorld) issued(tokens []ringToken) {
	w.live = append(w.live, tokens...)
	for _, token := range tokens {
		w.signed[token.Key] = true
	}
	w.verified += len(w.live)
}

func (w *ringWorld) revoke(id string) {
	w.revoked[id] = true
	for _, token := range w.live {
		if token.Key == id {
			w.dead = append(w.dead, token)
		}
	}
	w.live = slices.DeleteFunc(w.live, func(token ringToken) bool { return token.Key == id })
}

// expire drops what every clock finds expired. What is revoked stays.
func (w *ringWorld) expire(now time.Time) {
	w.live = slices.DeleteFunc(w.live, func(token ringToken) bool {
		return !now.Add(-keyring.DefaultSkew).Before(token.Expires)
	})
}

// What the children of the tests below are told.
const (
	ringStore   = "FASTNESS_RING_STORE" // "file" or the number of a dialect
	ringName    = "FASTNESS_RING_NAME"
	ringOrders  = "FASTNESS_RING_ORDERS"
	ringKillEnv = "FASTNESS_RING_KILLS"
)

// namedRing opens the store that a child was told of.
func namedRing(t testing.TB) keyring.Store {
	t.Helper()
	name := os.Getenv(ringName)
	if os.Getenv(ringStore) == "file" {
		return keyring.File(name)
	}
	dialect, err := strconv.Atoi(os.Getenv(ringStore))
	if err != nil {
		t.Fatal(err)
	}
	return sqlRing(t, openNamed(t, sqldb.Dialect(dialect), name))
}

// ringOrder is what a child does next, and when it does it.
type ringOrder struct {
	Now    time.Time
	Revoke string      // a key
	Accept []ringToken // tokens to verify
	Refuse []ringToken
}

// ringAnswer is what came of it.
type ringAnswer struct {
	Token   ringToken
	Mistake string
}

// TestRingChild is no test: it is one of three processes that share a ring. It
// does what it is told on its standard input, by the clock that it is told.
func TestRingChild(t *testing.T) {
	if os.Getenv(ringOrders) == "" {
		t.Skip("only runs as a child process")
	}
	var nanos atomic.Int64
	now := func() time.Time { return time.Unix(0, nanos.Load()) }
	var ring *keyring.Ring
	in, out := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	for {
		var order ringOrder
		if err := in.Decode(&order); err == io.EOF {
			return
		} else if err != nil {
			t.Fatal(err)
		}
		nanos.Store(order.Now.UnixNano())
		if ring == nil {
			ring = openRing(t, ringConfig(t, namedRing(t), now))
		}
		answer := ringAnswer{Mistake: obeyRing(t, ring, order)}
		var err error
		if answer.Token, err = issueRing(t.Context(), ring, order.Now); err != nil {
			answer.Mistake += err.Error()
		}
		if err := out.Encode(answer); err != nil {
			t.Fatal(err)
		}
	}
}

func obeyRing(t *testing.T, ring *keyring.Ring, order ringOrder) string {
	if order.Revoke != "" {
		if err := ring.Revoke(t.Context(), order.Revoke); err != nil {
			return err.Error()
		}
	}
	for _, token := range order.Accept {
		if err := verifyRing(t.Context(), ring, token); order.Now.Before(token.Expires) && err != nil {
			return "a valid token is refused: " + err.Error()
		}
	}
	for _, token := range order.Refuse {
		if err := verifyRing(t.Context(), ring, token); err == nil {
			return "a revoked token is accepted"
		}
	}
	return ""
}

// ringProcess is a child and the two ends of it.
type ringProcess struct {
	in  *json.Encoder
	out *json.Decoder
}

// The same with three processes. They share nothing but the store, and the test
// moves their clocks.
func TestThreeProcessesRotateTogether(t *testing.T) {
	t.Run("File", func(t *testing.T) { rotateProcesses(t, "file", t.TempDir()+"/ring.json") })
	eachEngine(t, func(t *testing.T, db *sqldb.DB) { rotateProcesses(t, strconv.Itoa(int(db.Dialect)), whereIs(t, db)) })
}

func rotateProcesses(t *testing.T, store, name string) {
	processes := make([]ringProcess, len(ringSkews))
	for i := range processes {
		processes[i] = startRing(t, store, name)
	}
	w := ringWorld{signed: make(map[string]bool), revoked: make(map[string]bool)}
	const step = 4 * time.Minute
	now := ringStart
	for i := range int(10*time.Hour/step) + 20 {
		var leaked string
		if i%60 == 59 {
			leaked = w.live[len(w.live)-1].Key
			w.revoke(leaked)
		}
		answers := make([]ringAnswer, len(processes))
		ask := func(n int, order ringOrder) {
			order.Now = now.Add(ringSkews[n])
			if err := processes[n].in.Encode(order); err != nil {
				t.Error(err)
			}
			if err := processes[n].out.Decode(&answers[n]); err != nil {
				t.Error(err)
			}
			if answers[n].Mistake != "" {
				t.Errorf("step %d, process %d: %s", i, n, answers[n].Mistake)
			}
		}
		if leaked != "" {
			ask(i%len(processes), ringOrder{Revoke: leaked})
			now = now.Add(keyring.DefaultRefresh)
		}
		var wg sync.WaitGroup
		for n := range processes {
			wg.Go(func() { ask(n, ringOrder{Accept: w.live, Refuse: w.dead}) })
		}
		wg.Wait()
		if t.Failed() {
			return
		}
		for _, answer := range answers {
			w.issued([]ringToken{answer.Token})
			if w.revoked[answer.Token.Key] {
				t.Fatalf("step %d: a revoked key signs", i)
			}
		}
		now = now.Add(step)
		w.expire(now)
	}
	if len(w.signed) < 11 || len(w.revoked) != 2 || w.verified == 0 {
		t.Errorf("%d keys have signed, %d were revoked, %d tokens verified: want at least 11, 2 and some", len(w.signed), len(w.revoked), w.verified)
	}
}

// startRing starts a child, which ends when its standard input does.
func startRing(t *testing.T, store, name string) ringProcess {
	t.Helper()
	child := exec.Command(os.Args[0], "-test.run=^TestRingChild$", "-test.timeout=2m")
	child.Env = append(os.Environ(), ringStore+"="+store, ringName+"="+name, ringOrders+"=yes")
	child.Stderr = os.Stderr
	in, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	t.Cleanup(func() {
		_ = in.Close()
		_, _ = io.Copy(io.Discard, lines) // PASS
		if err := child.Wait(); err != nil {
			t.Error(fmt.Errorf("child: %w", err))
		}
	})
	return ringProcess{json.NewEncoder(in), json.NewDecoder(lines)}
}
