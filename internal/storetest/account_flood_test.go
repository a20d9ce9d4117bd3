package storetest

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/fastness/fastness/auth/account"
	"github.com/fastness/fastness/secret"
	"github.com/fastness/fastness/sqldb"
)

// holding makes every check of a password wait until it is released. It says when
// one has begun.
func (a *accounts) holding() (begun <-chan bool, release func()) {
	began, released := make(chan bool, 1000), make(chan bool)
	a.work.during = func() {
		began <- true
		<-released
	}
	return began, sync.OnceFunc(func() { close(released) })
}

// Whoever has accounts, or signs up for some, logs in with them over and over: all
// the passwords are right, so no guess is counted, and each takes the time of a
// hash that others wait for.
func TestOneAddressCannotFillTheQueue(t *testing.T) {
	const most = 16
	for name, tt := range map[string]struct{ mine, alsoMine, others string }{
		"an address":    {"192.0.2.1", "192.0.2.1", "192.0.2.2"},
		"one /48":       {"2001:db8:1:1::1", "2001:db8:1:ffff::1", "2001:db8:2::1"},
		"two spellings": {"192.0.2.1", "::ffff:192.0.2.1", "192.0.2.2"},
		"no address":    {"", "", "192.0.2.2"},
	} {
		t.Run(name, func(t *testing.T) {
			a := openAccounts(t, openSQLite(t, t.TempDir()+"/test.db"))
			for i := range most + 2 {
				a.add(t, fmt.Sprint("bot", i))
			}
			by := account.By{Actor: a.add(t, "mallory").ID, Address: tt.alsoMine}
			begun, release := a.holding()
			defer release()
			answers := make(chan error, most+2)
			logIn := func(i int, address string) {
				_, err := a.try(t, fmt.Sprint("bot", i), goodPassword, address)
				answers <- err
			}
			for i := range most {
				go logIn(i, tt.mine)
				<-begun
			}
			for what, do := range map[string]func() error{
				"log-in": func() error {
					_, err := a.try(t, fmt.Sprint("bot", most), goodPassword, tt.alsoMine)
					return err
				},
				"proof": func() error {
					return a.ChangePassword(t.Context(), by, secret.New(goodPassword), secret.New("a new and better passphrase"))
				},
			} {
				answer := make(chan error, 1)
				go func() { answer <- do() }()
				select {
				case err := <-answer:
					if !errors.Is(err, account.ErrThrottled) || status(err) != 429 {
						t.Errorf("one more %s: %v, want to be told to come back", what, err)
					}
				case <-begun:
					t.Errorf("%d passwords of one place are looked at, by a %s", most+1, what)
				}
			}
			go logIn(most+1, tt.others)
			<-begun // Somebody else is looked at.
			release()
			for range most + 1 {
				if err := <-answers; err != nil {
					t.Error(err)
				}
			}
			if _, err := a.try(t, "bot0", goodPassword, tt.mine); err != nil {
				t.Errorf("when it is over: %v", err)
			}
		})
	}
}

// A provider gives one customer a /48. In it are 65,536 networks of the size that
// elsewhere count as one place: enough to guess without end, and to lock everybody
// out of their account.
func TestOneIPv6CustomerIsOnePlace(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		a := openAccounts(t, db)
		a.add(t, "alice")
		everybody := func(i int) string { return fmt.Sprint("user", i) }
		alice := func(int) string { return "alice" }
		guess := func(tries int, at func(i int) string, customer int) int {
			a.work.total()
			for i := range tries {
				if _, err := a.try(t, at(i), "guess", fmt.Sprintf("2001:db8:%x:%x::1", customer, i/4)); err == nil {
					t.Fatal("guessed")
				}
			}
			return a.work.total()
		}
		if n := guess(400, everybody, 1); n != 250 {
			t.Errorf("one customer made %d guesses at 400 names at once, want 250", n)
		}
		for customer := 2; customer < 5; customer++ {
			if n := guess(120, alice, customer); n != 20 {
				t.Errorf("customer %d made %d guesses at one name, want 20", customer, n)
			}
		}
		if _, err := a.try(t, "alice", goodPassword, "203.0.113.9"); err != nil {
			t.Errorf("the owner, at a place that is new: %v", err)
		}
		a.clock.add(15 * time.Minute)
		if n := guess(120, alice, 2); n != 1 {
			t.Errorf("a quarter of an hour later it is %d, want 1", n)
		}
	})
}

// Whoever has the password and not the app keeps guessing at its codes. The way in
// for its owner is then a recovery code: 100 bits, which nobody guesses.
func TestWrongCodesLeaveRecoveryCodesGood(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		a := openAccounts(t, db)
		p, codes := a.enrol(t, account.By{Actor: a.add(t, "alice").ID})
		for i := range 20 {
			a.LogIn(t.Context(), account.Attempt{
				Name: "alice", Password: secret.New(goodPassword), Code: "000000", Address: fmt.Sprint("198.51.100.", i),
			})
		}
		if _, err := a.tryCode(t, p.code()); !errors.Is(err, account.ErrThrottled) {
			t.Fatalf("a code of the app: %v, want that nobody guesses any more", err)
		}
		if _, err := a.tryCode(t, codes[0].Reveal()); err != nil {
			t.Errorf("a recovery code: %v", err)
		}
		if _, err := a.tryCode(t, codes[0].Reveal()); !errors.Is(err, account.ErrCredentials) {
			t.Errorf("the same one again: %v, want it refused", err)
		}
	})
}
