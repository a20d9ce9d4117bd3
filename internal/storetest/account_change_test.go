package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/auth/account"
	"github.com/fastness/fastness/secret"
	"github.com/fastness/fastness/sqldb"
)

func TestDemotionCountsAtOnce(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		a, ctx := openAccounts(t, db), t.Context()
		a.add(t, "root", "admin")
		u := a.add(t, "alice", "admin")
		other := openAccountsWith(t, openAgain(t, db), func(c *account.Config) { c.Now = a.clock.Now })
		for _, process := range []*accounts{a, other} {
			if s, err := process.Standing(ctx, u.ID); err != nil || !s.Roles.Has("admin") || !s.Active {
				t.Fatalf("%+v, %v", s, err)
			}
		}
		if err := a.SetRoles(ctx, account.By{Actor: "root"}, u.ID, auth.SetOf("seller")); err != nil {
			t.Fatal(err)
		}
		if s, err := a.Standing(ctx, u.ID); err != nil || s.Roles.String() != "seller" {
			t.Errorf("in this process: %+v, %v", s, err)
		}
		a.clock.add(4 * time.Second)
		if s, err := other.Standing(ctx, u.ID); err != nil || s.Roles.String() != "seller" {
			t.Errorf("in another process, 4 s later: %+v, %v", s, err)
		}
	})
}

func TestStandingFollowsTheAccount(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		a, ctx, by := openAccounts(t, db), t.Context(), account.By{Actor: "root"}
		id := a.add(t, "alice").ID
		for _, tt := range []struct {
			name   string
			change func() error
			active bool
			epoch  int64
			ends   bool
		}{
			{"locked", func() error { return a.Lock(ctx, by, id, a.clock.Now().Add(time.Hour)) }, false, 1, false},
			{"unlocked", func() error { return a.Unlock(ctx, by, id) }, true, 1, false},
			{"disabled", func() error { return a.Disable(ctx, by, id) }, false, 2, true},
			{"enabled", func() error { return a.Enable(ctx, by, id) }, true, 2, false},
			{"logged out everywhere", func() error { return a.LogOutEverywhere(ctx, by, id) }, true, 3, true},
			{"given another password", func() error { return a.SetPassword(ctx, by, id, secret.New(goodPassword)) }, true, 4, true},
		} {
			a.ended = nil
			if err := tt.change(); err != nil {
				t.Fatalf("%s: %v", tt.name, err)
			}
			s, err := a.Standing(ctx, id)
			if err != nil || s.Active != tt.active || s.Epoch != tt.epoch || (len(a.ended) == 1) != tt.ends {
				t.Errorf("%s: %+v, %v, ended %v", tt.name, s, err, a.ended)
			}
		}
		if err := a.Delete(ctx, by, id); err != nil {
			t.Fatal(err)
		}
		if s, err := a.Standing(ctx, id); s != nil || err != nil {
			t.Errorf("deleted: %+v, %v", s, err)
		}
		if s, err := a.Standing(ctx, "nobody"); s != nil || err != nil {
			t.Errorf("never there: %+v, %v", s, err)
		}
	})
}

func TestStandingFailsClosed(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		a := openAccounts(t, db)
		id := a.add(t, "alice").ID
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if s, err := a.Standing(ctx, id); s != nil || err == nil {
			t.Errorf("%+v, %v, want an error", s, err)
		}
	})
}

func TestLastAdministratorStays(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		a, ctx, by := openAccounts(t, db), t.Context(), account.By{}
		id := a.add(t, "root", "admin", "seller").ID
		// Neither a role of the same letters nor one that LIKE takes for it counts.
		a.add(t, "alice", "Admin", "adm_n", "subadmin")
		off := a.add(t, "off", "admin").ID
		if err := a.Disable(ctx, by, off); err != nil {
			t.Fatal(err)
		}
		changes := map[string]func(id string) error{
			"demoted":  func(id string) error { return a.SetRoles(ctx, by, id, auth.SetOf("seller")) },
			"disabled": func(id string) error { return a.Disable(ctx, by, id) },
			"locked":   func(id string) error { return a.Lock(ctx, by, id, a.clock.Now().Add(time.Minute)) },
			"deleted":  func(id string) error { return a.Delete(ctx, by, id) },
		}
		a.events.names()
		for name, change := range changes {
			if err := change(id); !errors.Is(err, account.ErrLastAdministrator) || status(err) != 409 {
				t.Errorf("%s: %v, want to be refused", name, err)
			}
			if got := a.events.names(); len(got) != 1 || !strings.HasPrefix(got[0], "!") {
				t.Errorf("%s: events %v, want one, of a refusal", name, got)
			}
		}
		if err := a.SetRoles(ctx, by, id, auth.SetOf("admin")); err != nil {
			t.Errorf("who stays administrator: %v", err)
		}
		if err := a.Enable(ctx, by, off); err != nil {
			t.Fatal(err)
		}
		if err := changes["deleted"](id); err != nil {
			t.Errorf("the last but one: %v", err)
		}
	})
}

func TestTwoAdministratorsWhoDemoteEachOther(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		a := openAccounts(t, db)
		ids := []string{a.add(t, "one", "admin").ID, a.add(t, "two", "admin").ID}
		for range 10 {
			won := atOnce(2, func(i int) bool {
				err := a.SetRoles(t.Context(), account.By{}, ids[i], auth.SetOf())
				if err != nil && !errors.Is(err, account.ErrLastAdministrator) {
					t.Error(err)
				}
				return err == nil
			})
			if won != 1 {
				t.Fatalf("%d of 2 were demoted, want 1", won)
			}
			for _, id := range ids {
				if err := a.SetRoles(t.Context(), account.By{}, id, auth.SetOf("admin")); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}

func TestDeletedAccountLeavesOnlyItsID(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		a, ctx := openAccounts(t, db), t.Context()
		old := a.add(t, "alice", "seller")
		if _, err := a.try(t, "alice", goodPassword, "192.0.2.1"); err != nil {
			t.Fatal(err)
		}
		if err := a.Delete(ctx, account.By{}, old.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := a.try(t, "alice", goodPassword, "192.0.2.1"); !errors.Is(err, account.ErrCredentials) {
			t.Errorf("logs in: %v", err)
		}
		for _, value := range dump(t, db) {
			for _, word := range []string{"alice", "argon2", "seller"} {
				if strings.Contains(string(value), word) {
					t.Errorf("%q is still there", value)
				}
			}
		}
		if again := a.add(t, "alice"); again.ID == old.ID {
			t.Error("the new owner of the name has the old id")
		}
		if err := a.Enable(ctx, account.By{}, old.ID); !errors.Is(err, account.ErrUnknown) {
			t.Errorf("a deleted account was enabled: %v", err)
		}
	})
}

func TestChangeOfPassword(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		a, ctx := openAccounts(t, db), t.Context()
		u := a.add(t, "alice")
		by := account.By{Actor: u.ID, Session: "mine", Address: "192.0.2.1"}
		const next = "a new and better passphrase"
		a.events.names()
		for _, tt := range []struct {
			name         string
			current, new string
			status       int
		}{
			{"without the current one", "guess", next, 403},
			{"to a weak one", goodPassword, "password1234", 422},
			{"to the same", goodPassword, goodPassword, 422},
			{"with the current one", goodPassword, next, 0},
			{"with one that is no more", goodPassword, next, 403},
		} {
			if err := a.ChangePassword(ctx, by, secret.New(tt.current), secret.New(tt.new)); status(err) != tt.status {
				t.Errorf("%s: %v, want %d", tt.name, err, tt.status)
			}
		}
		if want := []string{"!authn_password_change_fail", "authn_password_change", "!authn_password_change_fail"}; !slices.Equal(a.events.names(), want) {
			t.Errorf("events differ from %v", want)
		}
		if !slices.Equal(a.ended, []string{u.ID + " but mine"}) {
			t.Errorf("ended %v", a.ended)
		}
		if s, _ := a.Standing(ctx, u.ID); s.Epoch != 2 {
			t.Errorf("epoch %d: what was issued is still good", s.Epoch)
		}
		if _, err := a.try(t, "alice", goodPassword, "192.0.2.1"); err == nil {
			t.Error("the old password logs in")
		}
		if _, err := a.try(t, "alice", next, "192.0.2.1"); err != nil {
			t.Errorf("the new password: %v", err)
		}
	})
}

// An administrator resets a password because a thief has it, while the thief is
// changing it.
func TestChangeOfPasswordThatIsOvertakenFails(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		a := openAccounts(t, db)
		u := a.add(t, "alice")
		a.work.during = func() {
			if err := a.SetPassword(context.Background(), account.By{}, u.ID, secret.New("what the administrator set")); err != nil {
				t.Error(err)
			}
		}
		err := a.ChangePassword(t.Context(), account.By{Actor: u.ID}, secret.New(goodPassword), secret.New("what the thief wants"))
		if status(err) != 409 {
			t.Errorf("%v, want a conflict", err)
		}
		a.work.during = nil
		if _, err := a.try(t, "alice", "what the administrator set", "192.0.2.1"); err != nil {
			t.Error(err)
		}
	})
}

// Whoever finds an open browser guesses no faster than at a log-in, and the
// guesses of strangers do not keep the owner from changing it.
func TestGuessingAtTheCurrentPasswordIsBounded(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		a := openAccounts(t, db)
		by := account.By{Actor: a.add(t, "alice").ID, Address: "192.0.2.1"}
		for i := range 200 {
			a.try(t, "alice", "guess", fmt.Sprintf("198.51.100.%d", i))
		}
		a.work.total()
		for range 100 {
			a.ChangePassword(t.Context(), by, secret.New("guess"), secret.New("a new and better passphrase"))
		}
		if n := a.work.total(); n != 5 {
			t.Errorf("%d guesses, want 5", n)
		}
	})
}

func TestFirstAdministrator(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		a, ctx := openAccounts(t, db), t.Context()
		a.add(t, "early") // Who signs up first is no administrator, and keeps nobody from becoming one.
		token := func() secret.Text {
			text, ok, err := a.Bootstrap(ctx)
			if !ok || err != nil || len(text.Reveal()) < 26 {
				t.Fatalf("no token: %v, %v", ok, err)
			}
			return text
		}
		create := func(token secret.Text, name, pw string) error {
			_, err := a.CreateFirst(ctx, account.By{}, token, account.New{Name: name, Password: secret.New(pw)})
			return err
		}
		older, newer := token(), token()
		for _, tt := range []struct {
			name   string
			token  secret.Text
			pw     string
			status int
		}{
			{"no token", secret.Text{}, goodPassword, 403},
			{"the token of an earlier start", older, goodPassword, 403},
			{"a weak password, which leaves the token", newer, "password1234", 422},
			{"the token", newer, goodPassword, 0},
			{"the token again", newer, goodPassword, 403},
		} {
			if err := create(tt.token, "root", tt.pw); status(err) != tt.status {
				t.Errorf("%s: %v, want %d", tt.name, err, tt.status)
			}
		}
		if !a.byName(t, "root").Roles.Has("admin") {
			t.Error("the first administrator is none")
		}
		if _, ok, err := a.Bootstrap(ctx); ok || err != nil {
			t.Errorf("there is an administrator, and another token: %v", err)
		}
	})
}

func TestBootstrapTokenEnds(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		a := openAccounts(t, db)
		token, _, err := a.Bootstrap(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		a.clock.add(time.Hour)
		_, err = a.CreateFirst(t.Context(), account.By{}, token, account.New{Name: "root", Password: secret.New(goodPassword)})
		if !errors.Is(err, account.ErrToken) {
			t.Errorf("after an hour: %v", err)
		}
	})
}

func TestTwoWithOneBootstrapToken(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		a := openAccounts(t, db)
		token, _, err := a.Bootstrap(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		won := atOnce(4, func(i int) bool {
			_, err := a.CreateFirst(t.Context(), account.By{}, token, account.New{Name: fmt.Sprint("root", i), Password: secret.New(goodPassword)})
			if err != nil && !errors.Is(err, account.ErrToken) {
				t.Error(err)
			}
			return err == nil
		})
		if list, err := a.List(t.Context(), account.Page{}); won != 1 || len(list) != 1 || err != nil {
			t.Errorf("%d won, %d accounts, %v", won, len(list), err)
		}
	})
}

// What changes something is recorded before it counts: a log that fails is a
// change that does not happen.
func TestNothingHappensThatIsNotRecorded(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		a, ctx, full := openAccounts(t, db), t.Context(), errors.New("the disk is full")
		id := a.add(t, "alice").ID
		a.events.fail = full
		_, logIn := a.try(t, "alice", goodPassword, "192.0.2.1")
		_, create := a.Create(ctx, account.By{}, account.New{Name: "bob", Password: secret.New(goodPassword)})
		for name, err := range map[string]error{
			"a log-in": logIn, "an account": create,
			"a role":      a.SetRoles(ctx, account.By{}, id, auth.SetOf("admin")),
			"a password":  a.SetPassword(ctx, account.By{}, id, secret.New("a new and better passphrase")),
			"an end":      a.Delete(ctx, account.By{}, id),
			"a wrong one": func() error { _, err := a.try(t, "alice", "guess", "192.0.2.1"); return err }(),
		} {
			if !errors.Is(err, full) || status(err) != 500 {
				t.Errorf("%s: %v, want the error of the log", name, err)
			}
		}
		a.events.fail = nil
		if u, err := a.Get(ctx, id); err != nil || u.Roles.Has("admin") || u.Epoch != 1 {
			t.Errorf("%+v, %v", u, err)
		}
		if _, err := a.ByName(ctx, "bob"); !errors.Is(err, account.ErrUnknown) {
			t.Errorf("bob: %v", err)
		}
	})
}
