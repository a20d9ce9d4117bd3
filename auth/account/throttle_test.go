package account_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/fastness/fastness/auth/account"
)

func epoch() time.Time { return time.Unix(1_800_000_000, 0) }

// guesses lets each place guess whenever it may, and returns how many happened.
func guesses(t account.Throttle, name string, places int, from, until time.Time, every time.Duration) (n int) {
	for now := from; now.Before(until); now = now.Add(every) {
		for p := range places {
			for t.Guess(now, name, fmt.Sprint("place ", p), false) == 0 {
				n++
			}
		}
	}
	return n
}

func TestDelayGrows(t *testing.T) {
	throttle, now := account.NewThrottle(100), epoch()
	for i := range 5 {
		if w := throttle.Guess(now, "alice", "here", false); w != 0 {
			t.Fatalf("guess %d has to wait %s", i, w)
		}
	}
	for _, want := range []time.Duration{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900} {
		want *= time.Second
		if w := throttle.Guess(now, "alice", "here", false); w != want {
			t.Errorf("waits %s, want %s", w, want)
		}
		now = now.Add(want)
		if w := throttle.Guess(now, "alice", "here", false); w != 0 {
			t.Errorf("after waiting as told it has to wait %s more", w)
		}
	}
}

func TestOneAddressGetsAHundredGuessesADay(t *testing.T) {
	now := epoch()
	n := guesses(account.NewThrottle(100), "alice", 1, now, now.Add(24*time.Hour), time.Second)
	if n < 90 || n > 120 {
		t.Errorf("%d guesses, want about 100", n)
	}
}

func TestBotnetIsBoundedPerAccount(t *testing.T) {
	now := epoch()
	n := guesses(account.NewThrottle(1<<16), "alice", 2000, now, now.Add(24*time.Hour), time.Minute)
	if n > 100+24*12 {
		t.Errorf("2,000 addresses guessed %d times in a day, want at most 388", n)
	}
}

// Whatever one address does, the account's own limit has room for who comes from
// another.
func TestOneAddressKeepsNobodyOut(t *testing.T) {
	throttle, now := account.NewThrottle(100), epoch()
	for hour := range 24 * 7 {
		guesses(throttle, "alice", 1, now, now.Add(time.Hour), 10*time.Second)
		now = now.Add(time.Hour)
		if !throttle.Right(now, "alice", "elsewhere", false) {
			t.Fatalf("the owner is kept out after %d hours", hour+1)
		}
	}
}

func TestKnownPlaceGetsInDuringABotnet(t *testing.T) {
	throttle, now := account.NewThrottle(1<<16), epoch()
	for p := range 2000 {
		throttle.Guess(now, "alice", fmt.Sprint("place ", p), false)
	}
	if throttle.Right(now, "alice", "a new place", false) {
		t.Error("the botnet has not used up what strangers have together: this tests nothing")
	}
	if !throttle.Right(now, "alice", "home", true) {
		t.Error("the owner is kept out of where they have been before")
	}
}

func TestKnownPlaceIsBoundedToo(t *testing.T) {
	throttle, now, n := account.NewThrottle(100), epoch(), 0
	for range 1000 {
		if throttle.Guess(now, "alice", "home", true) == 0 {
			n++
		}
	}
	if n != 5 {
		t.Errorf("%d guesses at once, want 5", n)
	}
}

func TestOnePasswordForManyNamesIsBounded(t *testing.T) {
	throttle, now, n := account.NewThrottle(1<<16), epoch(), 0
	for i := range 10_000 {
		if throttle.Guess(now, fmt.Sprint("user", i), "here", false) == 0 {
			n++
		}
	}
	if n != 50 {
		t.Errorf("%d names tried at once, want 50", n)
	}
}

func TestLogInsThatSucceedAreFree(t *testing.T) {
	throttle, now := account.NewThrottle(1<<16), epoch()
	for i := range 1000 {
		if !throttle.Right(now, fmt.Sprint("user", i), "office", false) {
			t.Fatalf("log-in %d is refused", i)
		}
	}
}

func TestOnlyTheFirstRefusalIsNews(t *testing.T) {
	throttle, now := account.NewThrottle(100), epoch()
	for range 5 {
		throttle.Guess(now, "alice", "here", false)
	}
	if !throttle.News(now, "alice", "here") || throttle.News(now, "alice", "here") {
		t.Error("want the first refusal to be news, and the second not")
	}
	now = now.Add(time.Second)
	throttle.Guess(now, "alice", "here", false)
	if !throttle.News(now, "alice", "here") {
		t.Error("the first refusal after another guess is no news")
	}
}

func TestMemoryIsBounded(t *testing.T) {
	const limit = 1000
	throttle, now := account.NewThrottle(limit), epoch()
	for range 5 {
		throttle.Guess(now, "alice", "here", false)
	}
	for i := range 100_000 {
		throttle.Guess(now, fmt.Sprint("name", i), fmt.Sprint("place", i), false)
	}
	if p, n, a := throttle.Sizes(); p > limit || n > limit || a > limit {
		t.Errorf("%d pairs, %d names, %d places, want at most %d", p, n, a, limit)
	}
	if throttle.Guess(now, "alice", "here", false) == 0 {
		t.Error("a flood of names made the throttle forget who was guessing")
	}
}
