package ratelimit_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/fastness/fastness/guard/ratelimit"
)

func TestMessagesOfAConnection(t *testing.T) {
	for _, a := range []ratelimit.Algorithm{ratelimit.SlidingWindow, ratelimit.GCRA} {
		c := newClock()
		m, err := ratelimit.NewMessages(ratelimit.MessagesConfig{Limit: "3/second; 5/minute", Algorithm: a, Now: c.now})
		if err != nil {
			t.Fatal(err)
		}
		first, second := m.Connection(), m.Connection()
		for i, want := range []bool{true, true, true, false, false} {
			if wait, ok := first.Take(); ok != want || ok != (wait == 0) || wait > time.Second {
				t.Errorf("%v: message %d: %v, %t", a, i+1, wait, ok)
			}
		}
		if _, ok := second.Take(); !ok {
			t.Errorf("%v: another connection has no budget of its own", a)
		}
		c.advance(-time.Hour)
		if _, ok := first.Take(); ok {
			t.Errorf("%v: a clock that goes back gives the budget back", a)
		}
		c.advance(time.Hour + 2*time.Second)
		n := 0
		for range 10 {
			if _, ok := first.Take(); ok {
				n++
			}
		}
		if n != 2 {
			t.Errorf("%v: two seconds later %d pass, want the 2 that are left of the minute", a, n)
		}
	}
	if _, err := ratelimit.NewMessages(ratelimit.MessagesConfig{Limit: "5 per minnute", Algorithm: 9}); err == nil ||
		!strings.Contains(err.Error(), "minnute") || !strings.Contains(err.Error(), "Algorithm") {
		t.Errorf("error %v, want both mistakes", err)
	}
}

func ExampleNewMessages() {
	messages, err := ratelimit.NewMessages(ratelimit.MessagesConfig{Limit: "2/minute"})
	if err != nil {
		fmt.Println(err)
		return
	}
	conn := messages.Connection()
	for range 3 {
		_, ok := conn.Take()
		fmt.Println(ok)
	}
	// Output:
	// true
	// true
	// false
}

func ExamplePer() {
	_, err := ratelimit.New(ratelimit.Config{Rule: ratelimit.Per("5 per minnute", ratelimit.ByUser)})
	fmt.Println(err)
	// Output: ratelimit config: limit "5 per minnute": "minnute" is not a unit, want second, minute, hour, day, month or year
}
