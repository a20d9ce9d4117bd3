package storetest

import (
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fastness/fastness/auth/account"
	"github.com/fastness/fastness/fastnesstest"
)

// fullStrength starts an app that hashes as every app does by default.
func fullStrength(t *testing.T) *identityApp {
	t.Helper()
	return onSQLite(t, func(c *identityConfig) { c.users.InsecureWeakHashing = "" })
}

// TestTimeOfAnAnswerDoesNotTellWhoHasAnAccount measures pairs of log-ins with a
// wrong password, of a user and of nobody, in turns, through the whole app.
//
// The decision is that of TestTimeDoesNotTellUnknownFromKnown: time tells if the
// median of the differences within pairs is more than 5 % of the usual time and
// four standard deviations of pairs differ in one direction (the sign test: once
// in 15,000 runs by chance). Both requests of a pair meet the same load, so a busy
// machine makes the differences large but not of one sign. That the rule finds a
// missing hash is shown there, too.
//
// It takes 100 pairs, or as many as 15 seconds allow, but at least 30: four
// standard deviations of 30 mean 26 of one sign. With
// FASTNESS_TIMING=5m it takes as many as five minutes allow, and looks at disabled
// users with their right password, too.
func TestTimeOfAnAnswerDoesNotTellWhoHasAnAccount(t *testing.T) {
	if testing.Short() {
		t.Skip("hashes at full strength take seconds")
	}
	a := fullStrength(t)
	a.add(t, "known")
	if err := a.core.Accounts.Disable(t.Context(), account.By{}, a.add(t, "disabled").ID); err != nil {
		t.Fatal(err)
	}
	pairs, limit, others := 100, 15*time.Second, map[string]string{"nobody": "guess"}
	if raceDetector() { // It does not show in the sign of a difference, and each hash takes five times as long.
		limit = 5 * time.Second
	}
	if text := os.Getenv("FASTNESS_TIMING"); text != "" {
		var err error
		if limit, err = time.ParseDuration(text); err != nil {
			t.Fatal(err)
		}
		pairs, others["disabled"] = 1<<30, goodPassword
	}
	for name, password := range others {
		d := a.compare(t, pairs, time.Now().Add(limit/time.Duration(len(others))), passwordForm("known", "password", "guess"), passwordForm(name, "password", password))
		if d.tells() {
			t.Errorf("%s: the answer takes %s", name, d)
		}
		t.Logf("%s: the answer takes %s", name, d)
	}
}

// compare sends pairs of log-ins that are refused, and returns how the times of
// the second differ from those of the first.
func (a *identityApp) compare(t *testing.T, pairs int, until time.Time, forms ...url.Values) difference {
	t.Helper()
	var differences, usual []float64
	more := 0.0
	for i := 0; i < pairs+4 && (i < 34 || time.Now().Before(until)); i++ {
		var took [2]float64
		for j := range 2 {
			which := (i + j) % 2 // Who is first takes turns.
			a.world.clock.add(24 * time.Hour)
			start := time.Now()
			res := a.Post("/token", forms[which])
			took[which] = time.Since(start).Seconds()
			res.WantProblem(401, "invalid_credentials")
		}
		if i >= 4 { // The first ones warm up.
			differences, usual = append(differences, took[1]-took[0]), append(usual, took[0])
			if took[1] > took[0] {
				more++
			}
		}
	}
	n := float64(len(differences))
	return difference{median(differences), median(usual), (more - n/2) / (math.Sqrt(n) / 2)}
}

// TestHundredsOfLogInsAtOnceStayWithinBounds sends 400 log-ins of 400 users from
// 400 addresses: no throttle stops them. Each hash takes 19 MiB, and two are worked
// on at once; 256 wait, and the rest is told to come back.
func TestHundredsOfLogInsAtOnceStayWithinBounds(t *testing.T) {
	if testing.Short() || raceDetector() {
		t.Skip("hashes at full strength take seconds, and under the race detector half a minute")
	}
	a := fullStrength(t)
	debug.FreeOSMemory()
	before := systemMemory()
	var peak atomic.Int64
	done := make(chan struct{})
	var watch sync.WaitGroup
	watch.Go(func() {
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			peak.Store(max(peak.Load(), systemMemory()))
			select {
			case <-tick.C:
			case <-done:
				return
			}
		}
	})
	var refused, busy, other atomic.Int64
	atOnce(400, func(i int) bool {
		switch res := a.Send(logInFrom(i, passwordForm(fmt.Sprint("user", i), "password", "guess"))); {
		case res.Status == http.StatusUnauthorized:
			refused.Add(1)
		case res.Status == http.StatusServiceUnavailable && res.Header.Get("Retry-After") != "":
			busy.Add(1)
		default:
			t.Logf("answer %d %s", res.Status, res.Body)
			other.Add(1)
		}
		return true
	})
	close(done)
	watch.Wait()
	if refused.Load() < 100 || busy.Load() < 100 || other.Load() != 0 {
		t.Errorf("%d were looked at, %d told to come back, %d got something else", refused.Load(), busy.Load(), other.Load())
	}
	const most = 8*19 + 64 // MiB: what package password promises for hashes, and 160 KiB for each request
	if grew := (peak.Load() - before) >> 20; grew > most || grew < 19 {
		t.Errorf("the memory grew by %d MiB, want 19 to %d", grew, most)
	} else {
		t.Logf("%d MiB over idle", grew)
	}
	a.add(t, "ann")
	a.logIn(t, "ann") // It is over when it is over.
}

// logInFrom is a log-in from another address for each number.
func logInFrom(i int, form url.Values) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/token", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Host, r.RemoteAddr = "localhost", fmt.Sprintf("10.0.%d.%d:4711", i/250, i%250+1)
	return r
}

// systemMemory is what the process has of the operating system.
func systemMemory() int64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapSys - m.HeapReleased)
}

// raceDetector reports whether memory is shadowed and nothing takes its usual time.
func raceDetector() bool {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return false
	}
	for _, s := range info.Settings {
		if s.Key == "-race" {
			return s.Value == "true"
		}
	}
	return false
}

// Guessing becomes slow, for one address and for all together, and its victim gets
// in meanwhile.
func TestGuessingIsSlowAndLocksNobodyOut(t *testing.T) {
	a := onSQLite(t, nil)
	a.add(t, "ann")
	a.logIn(t, "ann") // From 127.0.0.1, where ann is known from here on.
	looked := 0
	for i := range 1000 {
		res := a.Send(logInFrom(i%100, passwordForm("ann", "password", fmt.Sprint("guess ", i))))
		switch res.Status {
		case http.StatusUnauthorized:
			looked++
		case http.StatusTooManyRequests:
			if res.Header.Get("Retry-After") == "" {
				t.Fatal("the answer does not say when to come back")
			}
		default:
			t.Fatalf("guess %d: %d %s", i, res.Status, res.Body)
		}
		a.world.clock.add(time.Second)
	}
	if looked > 110 {
		t.Errorf("%d of 1,000 guesses from 100 addresses in a quarter of an hour were looked at, want about 100", looked)
	}
	a.logIn(t, "ann")
}

// Whoever could choose the address that is counted would guess without end.
func TestHeadersDoNotChooseTheAddressThatIsCounted(t *testing.T) {
	a := onSQLite(t, nil)
	a.add(t, "ann")
	for i := range 10 {
		r := logInFrom(0, passwordForm("ann", "password", "guess"))
		for _, name := range []string{"X-Forwarded-For", "X-Real-IP", "Forwarded", "True-Client-IP", "CF-Connecting-IP"} {
			r.Header.Set(name, fmt.Sprintf("198.51.100.%d", i))
		}
		r.Header.Set("Forwarded", fmt.Sprintf("for=198.51.100.%d", i))
		if a.Send(r).Status == http.StatusTooManyRequests {
			return
		}
	}
	t.Error("ten guesses from one address that says to be ten, and none was told to wait")
}

// What strangers send is read as far as a log-in can be long.
func TestLogInReadsNoMoreThanItNeeds(t *testing.T) {
	a := onSQLite(t, nil)
	for _, target := range []string{"/token", "/token/refresh", "/revoke", "/login", "/session"} {
		a.Post(target, fastnesstest.Raw{ContentType: "application/x-www-form-urlencoded", Body: []byte("username=" + strings.Repeat("x", 65<<10))}, ownPage()).Want(map[bool]int{true: 415, false: 413}[target == "/session"])
	}
	a.Post("/session", fastnesstest.JSON(`{"username":"`+strings.Repeat("x", 65<<10)+`"}`), ownPage()).Want(413)
}
