package account_test

import (
	"net/http"
	"testing"
	"time"
)

func TestPasswordsWithoutALimitAreFound(t *testing.T) {
	t.Parallel()
	got := findings(t, newSite(), "AU-02")
	wants(t, got, "AU-02 POST /login: 30 wrong passwords", "hint AU-02 POST /reset: 30 wrong codes")
}

func TestRefusalsThatAreSuccessesAreCountedAllTheSame(t *testing.T) {
	t.Parallel()
	s := newSite()
	s.polite = true
	wants(t, findings(t, s, "AU-02"), "AU-02 POST /login: 30 wrong passwords", "hint AU-02 POST /reset: 30 wrong codes")
}

func TestLimitOfTriesIsNoFinding(t *testing.T) {
	t.Parallel()
	s := newSite()
	s.limit = 12
	wants(t, findings(t, s, "AU-02", "AU-03"))
}

// A user who is locked, and nobody says so, is a limit.
func TestQuietLockIsNoFinding(t *testing.T) {
	t.Parallel()
	s := newSite()
	s.lockQuiet = 10
	wants(t, findings(t, s, "AU-02"), "hint AU-02 POST /reset")
}

func TestAnswersThatTakeLongerAndLongerAreALimit(t *testing.T) {
	t.Parallel()
	s := newSite()
	s.tarpit = 12 * time.Millisecond // Far enough from what a busy machine adds.
	wants(t, findings(t, s, "AU-02"), "hint AU-02 POST /reset")
}

// Without a user of its own, a scan does not know whether those that exist are guarded.
func TestWithoutAUserOfItsOwnItIsAHint(t *testing.T) {
	t.Parallel()
	s := newSite()
	s.noRegister = true
	wants(t, findings(t, s, "AU-02"), "hint AU-02 POST /login", "hint AU-02 POST /reset")
	if s.failures["alice"]+s.failures["bob"] > 0 {
		t.Error("wrong passwords were tried on a user that was there before")
	}
}

func TestLimitByAHeaderThatAnybodyWritesIsFound(t *testing.T) {
	t.Parallel()
	for _, header := range []string{"X-Forwarded-For", "X-Real-Ip", "True-Client-Ip"} {
		s := newSite()
		s.limit = 8
		s.key = func(r *http.Request, _ string) string { return r.Header.Get(header) }
		wants(t, findings(t, s, "AU-02", "AU-03"), "AU-03 POST /login (header ", "AU-03 POST /reset (header ")
	}
}

// Headers that a limit ignores are no way around it, whether it counts users or addresses.
func TestLimitThatIgnoresHeadersIsNoFinding(t *testing.T) {
	t.Parallel()
	for _, key := range []func(*http.Request, string) string{
		func(*http.Request, string) string { return "the address of the connection" },
		func(_ *http.Request, name string) string { return name },
	} {
		s := newSite()
		s.limit, s.key = 8, key
		wants(t, findings(t, s, "AU-02", "AU-03"))
	}
}
