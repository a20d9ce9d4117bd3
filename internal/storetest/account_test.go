package storetest

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fastness/fastness/auditlog"
	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/auth/account"
	"github.com/fastness/fastness/auth/password"
	"github.com/fastness/fastness/problem"
	"github.com/fastness/fastness/secret"
	"github.com/fastness/fastness/sqldb"
)

const goodPassword = "correct horse battery staple"

// accounts is a store of accounts with all that a test looks at.
type accounts struct {
	*account.Accounts
	clock  *accountClock
	events *eventLog
	work   *countedPasswords

	mu    sync.Mutex
	ended []string // user and the session that stayed
}

func openAccounts(t testing.TB, db *sqldb.DB) *accounts {
	t.Helper()
	return openAccountsWith(t, db, nil)
}

// openAccountsWith opens a store whose configuration adjust has changed.
func openAccountsWith(t testing.TB, db *sqldb.DB, adjust func(*account.Config)) *accounts {
	t.Helper()
	a := &accounts{clock: &accountClock{now: time.Unix(1_800_000_000, 0)}, events: &eventLog{}, work: countPasswords(t, 64)}
	policy, err := password.NewPolicy(password.PolicyConfig{})
	if err != nil {
		t.Fatal(err)
	}
	cfg := account.Config{
		DB: db, Passwords: a.work, Policy: policy, Events: a.events, Now: a.clock.Now,
		Roles: []string{"admin", "seller", "Admin", "adm_n", "subadmin"}, Administrator: "admin", SignUpRoles: auth.SetOf("seller"),
		Sealer: newSealer(t), Issuer: "Shop",
		EndSessions: func(_ context.Context, user, except string) error {
			a.mu.Lock()
			defer a.mu.Unlock()
			a.ended = append(a.ended, user+" but "+except)
			return nil
		},
	}
	if adjust != nil {
		adjust(&cfg)
	}
	if a.Accounts, err = account.Open(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	return a
}

// add creates an account with the good password.
func (a *accounts) add(t testing.TB, name string, roles ...string) *account.Account {
	t.Helper()
	u, err := a.Create(t.Context(), account.By{}, account.New{Name: name, Password: secret.New(goodPassword), Roles: auth.SetOf(roles...)})
	if err != nil {
		t.Fatalf("create %s: %v", name, err)
	}
	return u
}

// try logs in from an address.
func (a *accounts) try(t testing.TB, name, pw, address string) (*account.Login, error) {
	t.Helper()
	return a.LogIn(t.Context(), account.Attempt{Name: name, Password: secret.New(pw), Address: address})
}

// accountClock is a clock that tests set.
type accountClock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *accountClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *accountClock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// eventLog is a recorder that keeps everything, or fails.
type eventLog struct {
	mu   sync.Mutex
	all  []auditlog.Event
	fail error
	on   func(auditlog.Event) // after an event was kept
}

func (l *eventLog) Record(_ context.Context, e auditlog.Event) error {
	l.mu.Lock()
	fail, on := l.fail, l.on
	if fail == nil {
		l.all = append(l.all, e)
	}
	l.mu.Unlock()
	if fail == nil && on != nil {
		on(e)
	}
	return fail
}

// names returns the names of the events since the last call, with "!" before
// those that were refused.
func (l *eventLog) names() (names []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range l.all {
		name := e.Name
		if e.Refused {
			name = "!" + name
		}
		names = append(names, name)
	}
	l.all = nil
	return names
}

// countedPasswords counts the work of a hasher.
type countedPasswords struct {
	*password.Hasher
	mu                      sync.Mutex
	hashes, checks, dummies int
	during                  func() // while a password is verified
}

func countPasswords(t testing.TB, memory uint32) *countedPasswords {
	t.Helper()
	h, err := password.New(password.Config{Memory: memory, Time: 1, InsecureWeakParameters: "a test hashes often"})
	if err != nil {
		t.Fatal(err)
	}
	return &countedPasswords{Hasher: h}
}

func (c *countedPasswords) count(n *int) {
	c.mu.Lock()
	*n++
	during := c.during
	c.mu.Unlock()
	if during != nil && n == &c.checks {
		during()
	}
}

func (c *countedPasswords) Hash(ctx context.Context, pw secret.Text) (string, error) {
	c.count(&c.hashes)
	return c.Hasher.Hash(ctx, pw)
}

func (c *countedPasswords) VerifyAndUpdate(ctx context.Context, hash string, pw secret.Text) (bool, string, error) {
	c.count(&c.checks)
	return c.Hasher.VerifyAndUpdate(ctx, hash, pw)
}

func (c *countedPasswords) Dummy(ctx context.Context, pw secret.Text) error {
	c.count(&c.dummies)
	return c.Hasher.Dummy(ctx, pw)
}

// total returns how many passwords were looked at since the last call.
func (c *countedPasswords) total() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.checks + c.dummies
	c.hashes, c.checks, c.dummies = 0, 0, 0
	return n
}

// gcmSealer seals with a key of its own.
type gcmSealer struct{ aead cipher.AEAD }

func newSealer(t testing.TB) gcmSealer {
	t.Helper()
	key := make([]byte, 32)
	rand.Read(key)
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		t.Fatal(err)
	}
	return gcmSealer{aead}
}

func (s gcmSealer) Seal(_ context.Context, plain, bound []byte) ([]byte, error) {
	return s.aead.Seal(nil, nil, plain, bound), nil
}

func (s gcmSealer) Open(_ context.Context, sealed, bound []byte) ([]byte, error) {
	return s.aead.Open(nil, nil, sealed, bound)
}

func status(err error) int {
	if err == nil {
		return 0
	}
	return problem.From(err).Status
}

func TestAccountConfigNamesEveryMistake(t *testing.T) {
	_, err := account.Open(t.Context(), account.Config{
		Roles: []string{"a b"}, Administrator: "root", SignUpRoles: auth.SetOf("boss"), Sealer: newSealer(t),
	})
	for _, want := range []string{"DB", "Passwords", "Policy", "Events", "EndSessions", "Roles[0]", "Administrator", "SignUpRoles", "Issuer"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not name %s", err, want)
		}
	}
}

func TestAccountsAreCreatedAndFound(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		a, ctx := openAccounts(t, db), t.Context()
		u, err := a.Create(ctx, account.By{Actor: "root"}, account.New{
			Name: "Alice", Password: secret.New(goodPassword), Roles: auth.SetOf("seller"), Tenant: auth.NewTenant("acme"),
		})
		if err != nil {
			t.Fatal(err)
		}
		for name, find := range map[string]func() (*account.Account, error){
			"by id":           func() (*account.Account, error) { return a.Get(ctx, u.ID) },
			"by name":         func() (*account.Account, error) { return a.ByName(ctx, "aLICE") },
			"in the database": func() (*account.Account, error) { return openAccounts(t, openAgain(t, db)).Get(ctx, u.ID) },
		} {
			got, err := find()
			if err != nil || got.ID != u.ID || got.Name != "Alice" || got.Roles.String() != "seller" || got.Tenant.String() != "acme" ||
				!got.Created.Equal(a.clock.Now()) || !got.PasswordChanged.Equal(got.Created) || got.Epoch != 1 || got.SecondFactor || got.Disabled {
				t.Errorf("%s: %+v, %v, want %+v", name, got, err, u)
			}
		}
		for _, tt := range []struct {
			name   string
			in     account.New
			status int
		}{
			{"the same name", account.New{Name: "alice", Password: secret.New(goodPassword)}, 409},
			{"no name", account.New{Name: "al ice", Password: secret.New(goodPassword)}, 422},
			{"a weak password", account.New{Name: "bob", Password: secret.New("password1234")}, 422},
			{"the name as password", account.New{Name: "bob.the.builder", Password: secret.New("bob.the.builder")}, 422},
			{"a role that there is not", account.New{Name: "bob", Password: secret.New(goodPassword), Roles: auth.SetOf("king")}, 422},
		} {
			if _, err := a.Create(ctx, account.By{}, tt.in); status(err) != tt.status {
				t.Errorf("%s: %v, want %d", tt.name, err, tt.status)
			}
		}
		if _, err := a.ByName(ctx, "bob"); !errors.Is(err, account.ErrUnknown) {
			t.Errorf("bob: %v, want none", err)
		}
		if _, err := a.ByName(ctx, ""); !errors.Is(err, account.ErrUnknown) {
			t.Errorf("no name: %v, want none", err)
		}
	})
}

func TestSignUpGivesNoRoleThatIsAskedFor(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		a := openAccounts(t, db)
		by := account.By{Address: "192.0.2.1"}
		u, err := a.SignUp(t.Context(), by, account.New{Name: "mallory", Password: secret.New(goodPassword), Roles: auth.SetOf("admin")})
		if err != nil || u.Roles.String() != "seller" {
			t.Errorf("%+v, %v, want the role seller", u, err)
		}
		a.work.total()
		if _, err := a.SignUp(t.Context(), by, account.New{Name: "Mallory", Password: secret.New(goodPassword)}); !errors.Is(err, account.ErrTaken) {
			t.Errorf("%v, want taken", err)
		}
		refused := 0
		for i := range 100 {
			_, err := a.SignUp(t.Context(), by, account.New{Name: fmt.Sprint("user", i), Password: secret.New(goodPassword)})
			if errors.Is(err, account.ErrThrottled) {
				refused++
			}
		}
		if refused != 52 {
			t.Errorf("%d of 102 sign-ups of one address had to wait, want 52", refused)
		}
	})
}

func TestTwoSignUpsOfOneNameAtOnce(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		a := openAccounts(t, db)
		won := atOnce(8, func(int) bool {
			_, err := a.Create(t.Context(), account.By{}, account.New{Name: "alice", Password: secret.New(goodPassword)})
			if err != nil && !errors.Is(err, account.ErrTaken) {
				t.Error(err)
			}
			return err == nil
		})
		if won != 1 {
			t.Errorf("%d got the name, want 1", won)
		}
	})
}

// atOnce runs f n times at once and returns how often it was true.
func atOnce(n int, f func(i int) bool) (won int) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	start := make(chan bool)
	for i := range n {
		wg.Go(func() {
			<-start
			if f(i) {
				mu.Lock()
				won++
				mu.Unlock()
			}
		})
	}
	close(start)
	wg.Wait()
	return won
}

func TestAccountsAreListedInPages(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		a := openAccounts(t, db)
		for _, i := range []int{3, 1, 4, 0, 2} {
			a.add(t, fmt.Sprint("User", i))
		}
		if err := a.Delete(t.Context(), account.By{}, a.byName(t, "user4").ID); err != nil {
			t.Fatal(err)
		}
		var got []string
		page := account.Page{Limit: 2}
		for {
			list, err := a.List(t.Context(), page)
			if err != nil {
				t.Fatal(err)
			}
			if len(list) == 0 {
				break
			}
			for _, u := range list {
				got = append(got, u.Name)
			}
			page.After = list[len(list)-1].Name
		}
		if want := []string{"User0", "User1", "User2", "User3"}; !slices.Equal(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
	})
}

func (a *accounts) byName(t testing.TB, name string) *account.Account {
	t.Helper()
	u, err := a.ByName(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestLogIn(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		a := openAccounts(t, db)
		u := a.add(t, "alice", "seller")
		a.events.names()
		login, err := a.try(t, "Alice", goodPassword, "192.0.2.1")
		if err != nil {
			t.Fatal(err)
		}
		user := login.User()
		if user.ID != u.ID || user.Name != "alice" || !user.HasRole("seller") || !user.HasScope("anything") || user.Methods.String() != "pwd" || user.At.IsZero() {
			t.Errorf("%+v", user)
		}
		if got := a.events.names(); !slices.Equal(got, []string{"authn_login_success"}) {
			t.Errorf("events %v", got)
		}
	})
}

func TestHashIsUpgradedAtLogIn(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		old := openAccounts(t, db)
		old.add(t, "alice")
		stronger := openAccountsWith(t, db, func(c *account.Config) { c.Passwords = countPasswords(t, 256) })
		for _, pw := range []string{"wrong", goodPassword, goodPassword} {
			_, err := stronger.try(t, "alice", pw, "192.0.2.1")
			if (err == nil) != (pw == goodPassword) {
				t.Fatal(err)
			}
			if hash := storedHash(t, db, "alice"); strings.Contains(hash, "m=256,") != (pw == goodPassword) {
				t.Errorf("after %q the hash is %s", pw, hash)
			}
		}
	})
}

func storedHash(t testing.TB, db *sqldb.DB, name string) (hash string) {
	t.Helper()
	err := db.Write.QueryRowContext(t.Context(), "SELECT password FROM fastness_accounts WHERE fold = '"+name+"'").Scan(&hash)
	if err != nil {
		t.Fatal(err)
	}
	return hash
}
