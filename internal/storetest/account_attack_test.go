package storetest

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/auth/account"
	"github.com/fastness/fastness/auth/password"
	"github.com/fastness/fastness/problem"
	"github.com/fastness/fastness/secret"
	"github.com/fastness/fastness/sqldb"
)

// strangers are the log-ins that must look alike.
func (a *accounts) strangers(t testing.TB, db *sqldb.DB) map[string][2]string {
	t.Helper()
	ctx, by := t.Context(), account.By{}
	a.add(t, "alice")
	if err := a.Disable(ctx, by, a.add(t, "disabled").ID); err != nil {
		t.Fatal(err)
	}
	if err := a.Lock(ctx, by, a.add(t, "locked").ID, a.clock.Now().Add(1000*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if err := a.Delete(ctx, by, a.add(t, "deleted").ID); err != nil {
		t.Fatal(err)
	}
	a.add(t, "broken")
	if _, err := db.Write.ExecContext(ctx, "UPDATE fastness_accounts SET password = '$what$ever' WHERE fold = 'broken'"); err != nil {
		t.Fatal(err)
	}
	return map[string][2]string{
		"a hash that cannot be read":          {"broken", goodPassword},
		"a name that nobody has":              {"nobody", goodPassword},
		"what cannot be a name":               {"no body\n", goodPassword},
		"no name":                             {"", goodPassword},
		"a wrong password":                    {"alice", "guess"},
		"no password":                         {"alice", ""},
		"a disabled user, right password":     {"disabled", goodPassword},
		"a locked user, right password":       {"locked", goodPassword},
		"a deleted user, right password":      {"deleted", goodPassword},
		"a password of 3,000 bytes":           {"alice", strings.Repeat("x", 3000)},
		"such a one, for nobody":              {"nobody", strings.Repeat("x", 3000)},
		"a password with a NUL at its end":    {"alice", goodPassword + "\x00"},
		"a password with a space before it":   {"alice", " " + goodPassword},
		"the right password in other letters": {"alice", strings.ToUpper(goodPassword)},
	}
}

func TestUnknownUserCannotBeToldFromKnown(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		a := openAccounts(t, db)
		var first string
		for name, in := range a.strangers(t, db) {
			a.work.total()
			a.clock.add(24 * time.Hour)
			_, err := a.try(t, in[0], in[1], "192.0.2.1")
			if n := a.work.total(); n != 1 {
				t.Errorf("%s: %d passwords were looked at, want 1", name, n)
			}
			answer := answerOf(err)
			if first == "" {
				first = answer
			}
			if answer != first || !strings.Contains(answer, "401") || !strings.Contains(answer, `"Incorrect username or password"`) ||
				!strings.Contains(answer, "Www-Authenticate: Bearer\r\n") {
				t.Errorf("%s: %s\nothers: %s", name, answer, first)
			}
		}
	})
}

// answerOf returns the answer to an error as it is sent.
func answerOf(err error) string {
	w := httptest.NewRecorder()
	problem.Write(w, problem.From(err))
	var b bytes.Buffer
	w.Result().Write(&b)
	return b.String()
}

func TestUnknownUserIsThrottledLikeAKnownOne(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		a := openAccounts(t, db)
		a.add(t, "alice")
		var answers [2][]string
		for i, name := range []string{"alice", "nobody"} {
			for range 8 {
				_, err := a.try(t, name, "guess", fmt.Sprint("192.0.2.", i))
				answers[i] = append(answers[i], answerOf(err))
				a.clock.add(time.Second)
			}
			a.clock.add(24 * time.Hour)
		}
		if !slices.Equal(answers[0], answers[1]) {
			t.Errorf("known: %v\nunknown: %v", answers[0], answers[1])
		}
		if early := answers[0][6]; !strings.Contains(early, "429") || !strings.Contains(early, "Retry-After: 1\r\n") {
			t.Errorf("a guess that comes a second too early: %s", early)
		}
	})
}

func TestGuessingIsBounded(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		a := openAccounts(t, db)
		a.add(t, "alice")
		for _, tt := range []struct {
			name    string
			address func(i int) string
			most    int
		}{
			{"from one address", func(int) string { return "192.0.2.1" }, 5},
			{"from one /64", func(i int) string { return fmt.Sprintf("2001:db8::%x", i+1) }, 5},
			{"from addresses that say the same in another way", func(i int) string { return []string{"198.51.100.7", "::ffff:198.51.100.7"}[i%2] }, 5},
			{"from a botnet", func(i int) string { return fmt.Sprintf("2001:db8:%x::1", i+1) }, 100},
		} {
			a.work.total()
			a.events.names()
			a.clock.add(48 * time.Hour)
			for i := range 1000 {
				if _, err := a.try(t, "alice", fmt.Sprint("guess ", i), tt.address(i)); err == nil {
					t.Fatal("guessed")
				}
			}
			if n := a.work.total(); n != tt.most {
				t.Errorf("%s: %d guesses of 1,000 were let happen, want %d", tt.name, n, tt.most)
			}
			if n := len(a.events.names()); n > 2*tt.most {
				t.Errorf("%s: %d events: a stranger fills the log", tt.name, n)
			}
		}
	})
}

func TestGuessesAtOnceAreBounded(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		a := openAccounts(t, db)
		a.add(t, "alice")
		atOnce(100, func(int) bool {
			_, err := a.try(t, "alice", "guess", "192.0.2.1")
			return err == nil
		})
		if n := a.work.total(); n != 5 {
			t.Errorf("%d of 100 guesses at once were let happen, want 5", n)
		}
	})
}

func TestVictimLogsInWhileAttacked(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		a := openAccounts(t, db)
		a.add(t, "alice")
		home, err := a.LogIn(t.Context(), account.Attempt{
			Name: "alice", Password: secret.New(goodPassword), Address: "203.0.113.1", Remember: true,
		})
		if err != nil || home.Device.IsZero() {
			t.Fatal(home, err)
		}
		for range 1000 {
			a.try(t, "alice", "guess", "192.0.2.1")
		}
		if _, err := a.try(t, "alice", goodPassword, "203.0.113.99"); err != nil {
			t.Errorf("one address attacks, the owner comes from an address that is new: %v", err)
		}
		for i := range 1000 {
			a.try(t, "alice", "guess", fmt.Sprintf("2001:db8:%x::1", i+1))
		}
		if _, err := a.try(t, "alice", goodPassword, "203.0.113.1"); err != nil {
			t.Errorf("a botnet attacks, the owner comes from home: %v", err)
		}
		for _, address := range []string{"203.0.113.200", "192.0.2.1"} {
			_, err := a.LogIn(t.Context(), account.Attempt{
				Name: "alice", Password: secret.New(goodPassword), Address: address, Device: home.Device,
			})
			if err != nil {
				t.Errorf("a botnet attacks, the owner comes with their phone from %s: %v", address, err)
			}
		}
		again := openAccountsWith(t, openAgain(t, db), func(c *account.Config) { c.Now = a.clock.Now })
		for i := range 1000 {
			again.try(t, "alice", "guess", fmt.Sprintf("2001:db8:%x::1", i+1))
		}
		if _, err := again.try(t, "alice", goodPassword, "203.0.113.1"); err != nil {
			t.Errorf("after a restart the owner comes from home: %v", err)
		}
	})
}

// A stolen device lets its thief guess no more than anybody, and is nothing after
// a change of the password.
func TestStolenDeviceIsNoCredential(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		a := openAccounts(t, db)
		u := a.add(t, "alice")
		login, err := a.LogIn(t.Context(), account.Attempt{Name: "alice", Password: secret.New(goodPassword), Address: "203.0.113.1", Remember: true})
		if err != nil {
			t.Fatal(err)
		}
		guess := func() int {
			a.work.total()
			for i := range 200 {
				a.LogIn(t.Context(), account.Attempt{
					Name: "alice", Password: secret.New("guess"), Device: login.Device, Address: fmt.Sprintf("2001:db8:%x::1", i+1),
				})
			}
			return a.work.total()
		}
		if n := guess(); n != 5 {
			t.Errorf("%d guesses with a stolen device, want 5", n)
		}
		if err := a.SetPassword(t.Context(), account.By{}, u.ID, secret.New("a new and better passphrase")); err != nil {
			t.Fatal(err)
		}
		if n := guess(); n != 100 {
			t.Errorf("%d guesses with a device of the old password, want 100, as without", n)
		}
	})
}

func TestPlacesAreBounded(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		a := openAccounts(t, db)
		a.add(t, "alice")
		for i := range 30 {
			_, err := a.LogIn(t.Context(), account.Attempt{
				Name: "alice", Password: secret.New(goodPassword), Address: fmt.Sprint("192.0.2.", i), Remember: true,
			})
			if err != nil {
				t.Fatal(err)
			}
			a.clock.add(time.Minute)
		}
		var n int
		if err := db.Write.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM fastness_account_places").Scan(&n); err != nil || n != 16 {
			t.Errorf("%d places, %v, want 16", n, err)
		}
	})
}

// The password is changed, or the account disabled, while the old password is
// being verified.
func TestLogInThatIsOvertakenFails(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		for name, change := range map[string]func(a *accounts, id string) error{
			"password": func(a *accounts, id string) error {
				return a.SetPassword(context.Background(), account.By{}, id, secret.New("a new and better passphrase"))
			},
			"disabled": func(a *accounts, id string) error { return a.Disable(context.Background(), account.By{}, id) },
			"deleted":  func(a *accounts, id string) error { return a.Delete(context.Background(), account.By{}, id) },
			"everywhere": func(a *accounts, id string) error {
				return a.LogOutEverywhere(context.Background(), account.By{}, id)
			},
		} {
			a := openAccounts(t, db)
			u := a.add(t, name)
			a.work.during = func() {
				if err := change(a, u.ID); err != nil {
					t.Error(err)
				}
			}
			if _, err := a.try(t, name, goodPassword, "192.0.2.1"); !errors.Is(err, account.ErrCredentials) {
				t.Errorf("%s: %v, want to be refused", name, err)
			}
		}
	})
}

func TestEstablishLooksAtTheAccount(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		a, ctx, by := openAccounts(t, db), t.Context(), account.By{Address: "192.0.2.1"}
		id := a.add(t, "alice", "seller").ID
		login, err := a.Establish(ctx, by, id, auth.SetOf("hwk", "mfa"))
		if err != nil || login.Account.ID != id || !login.Methods.Has("hwk") {
			t.Errorf("%+v, %v", login, err)
		}
		if err := a.Disable(ctx, by, id); err != nil {
			t.Fatal(err)
		}
		for _, id := range []string{id, "nobody"} {
			if _, err := a.Establish(ctx, by, id, auth.SetOf("hwk")); !errors.Is(err, account.ErrCredentials) {
				t.Errorf("%v, want to be refused", err)
			}
		}
	})
}

// People type their password where the name belongs.
func TestEventsHoldNoNameThatNobodyHas(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		a := openAccounts(t, db)
		id := a.add(t, "alice").ID
		for _, name := range []string{"hunter2.hunter2", goodPassword, "alice"} {
			for range 7 {
				a.try(t, name, "canary password", "192.0.2.1")
			}
		}
		var subjects []string
		for _, e := range a.events.all {
			text := fmt.Sprintf("%+v", e)
			for _, canary := range []string{"hunter2", "horse", "canary"} {
				if strings.Contains(text, canary) {
					t.Errorf("%s holds %q", text, canary)
				}
			}
			subjects = append(subjects, e.Subject)
		}
		if !slices.Contains(subjects, id) {
			t.Error("no event names the account that there is")
		}
	})
}

// Whoever reads the database tries every value in it, whole and in hexadecimal.
func TestDumpCannotLogIn(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		a, ctx := openAccounts(t, db), t.Context()
		token, _, err := a.Bootstrap(ctx)
		if err != nil {
			t.Fatal(err)
		}
		u := a.add(t, "alice")
		_, codes := a.enrol(t, account.By{Actor: u.ID})
		login, err := a.LogIn(ctx, account.Attempt{
			Name: "alice", Password: secret.New(goodPassword), Code: codes[0].Reveal(), Address: "203.0.113.1", Remember: true,
		})
		if err != nil {
			t.Fatal(err)
		}
		values := dump(t, db)
		if len(values) < 20 {
			t.Fatalf("only %d values in the database", len(values))
		}
		secrets := []string{goodPassword, token.Reveal(), login.Device.Reveal()}
		for _, c := range codes {
			secrets = append(secrets, c.Reveal(), strings.ReplaceAll(c.Reveal(), "-", ""))
		}
		for _, value := range values {
			for _, s := range secrets {
				if bytes.Contains(value, []byte(s)) {
					t.Errorf("%q is in the database", s)
				}
			}
			for _, text := range []string{string(value), fmt.Sprintf("%x", value)} {
				a.clock.add(24 * time.Hour)
				if _, err := a.try(t, "alice", text, "192.0.2.1"); !errors.Is(err, account.ErrCredentials) {
					t.Errorf("%q as password: %v", text, err)
				}
				if _, err := a.tryCode(t, text); !errors.Is(err, account.ErrCredentials) && !errors.Is(err, account.ErrSecondFactor) {
					t.Errorf("%q as code: %v", text, err)
				}
				_, err := a.CreateFirst(ctx, account.By{}, secret.New(text), account.New{Name: "root", Password: secret.New(goodPassword)})
				if !errors.Is(err, account.ErrToken) {
					t.Errorf("%q as bootstrap token: %v", text, err)
				}
			}
		}
	})
}

// dump returns every value in the tables of accounts.
func dump(t testing.TB, db *sqldb.DB) (values [][]byte) {
	t.Helper()
	for _, table := range []string{"fastness_accounts", "fastness_account_codes", "fastness_account_places", "fastness_account_first"} {
		rows, err := db.Write.QueryContext(t.Context(), "SELECT * FROM "+table)
		if err != nil {
			t.Fatal(err)
		}
		columns, err := rows.Columns()
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			row, into := make([]sql.RawBytes, len(columns)), make([]any, len(columns))
			for i := range row {
				into[i] = &row[i]
			}
			if err := rows.Scan(into...); err != nil {
				t.Fatal(err)
			}
			for _, v := range row {
				if len(v) > 0 {
					values = append(values, bytes.Clone(v))
				}
			}
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			t.Fatal(err)
		}
	}
	return values
}

// Who has no turn has made no guess: while the server is busy, nobody is slowed
// down for it.
func TestBusyIsNoGuess(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		busy := &busyPasswords{Hasher: countPasswords(t, 64).Hasher}
		a := openAccountsWith(t, db, func(c *account.Config) { c.Passwords = busy })
		a.add(t, "alice")
		busy.is = true
		for range 50 {
			if _, err := a.try(t, "alice", goodPassword, "192.0.2.1"); !errors.Is(err, password.ErrBusy) || status(err) != 503 {
				t.Fatalf("%v, want busy", err)
			}
		}
		busy.is = false
		if _, err := a.try(t, "alice", goodPassword, "192.0.2.1"); err != nil {
			t.Errorf("afterwards: %v", err)
		}
	})
}

type busyPasswords struct {
	*password.Hasher
	is bool
}

func (b *busyPasswords) VerifyAndUpdate(ctx context.Context, hash string, pw secret.Text) (bool, string, error) {
	if b.is {
		return false, "", problem.New(503, "busy").Wrap(password.ErrBusy)
	}
	return b.Hasher.VerifyAndUpdate(ctx, hash, pw)
}
