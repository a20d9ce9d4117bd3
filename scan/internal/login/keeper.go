package login

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"time"

	"github.com/fastness/fastness/scan/internal/spec"
	"github.com/fastness/fastness/scan/wire"
)

// Keeper logs users in and keeps them logged in. It is safe for concurrent use.
type Keeper struct {
	config Config
	all    throttle // of all accounts: a target may count by address

	mu      sync.Mutex
	entries map[*User]*entry
	order   []*entry
	nobody  map[string]*wire.Exchange // what nobody was answered, by request
	shared  *recipe                   // how users log in, once it is known
	people  int                       // how many were made up

	registering sync.Mutex // one registration at a time
}

// recipe is how a user logs in, once it is known.
type recipe struct {
	method Method
	how    string
}

// entry is a user that is kept.
type entry struct {
	mu      sync.Mutex // one log-in at a time
	user    *User
	account Account
	recipe  *recipe
	proof   *proof
	err     error

	throttle *throttle
	tried    int            // of the ways to log in, those that do not work
	renew    time.Time      // when the log-in is renewed; zero for never
	answers  int            // how many there were
	denials  map[string]int // requests that are refused although the user is logged in
	failures int            // log-ins that were refused since the start
	futile   int            // log-ins that did not help
	lost     bool           // no further log-in
}

func newKeeper(config Config) *Keeper {
	if config.API == nil {
		config.API = &spec.API{}
	}
	if config.PerMinute == 0 {
		config.PerMinute = 6
	}
	if config.Wanted == 0 {
		config.Wanted = 2
	}
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	accounts := make([]Account, len(config.Accounts))
	for i, a := range config.Accounts {
		accounts[i] = a.withDefaults(i)
	}
	config.Accounts = accounts
	return &Keeper{config: config, entries: map[*User]*entry{}, nobody: map[string]*wire.Exchange{}}
}

// Identity is what became of a user at the start.
type Identity struct {
	Name string
	// User is nil if the log-in did not succeed.
	User *User
	// Proven reports whether the target answers a request otherwise to the user than to
	// nobody and to credentials that nobody has; By is that request.
	Proven bool
	By     string
	// How says how the user logs in.
	How string
	Err error
}

// Start logs all accounts in, and proves that they are. If there are fewer ordinary users
// than [Config.Wanted], it registers the missing ones. It returns those that are logged in,
// admins last, and an error that names all others.
func (k *Keeper) Start(ctx context.Context) ([]*User, error) {
	var users, admins []*User
	var failed []error
	for _, account := range k.config.Accounts {
		e := k.enter(ctx, account)
		switch {
		case e.err != nil:
			failed = append(failed, fmt.Errorf("%s: %w", account.Name, e.err))
		case account.Admin:
			admins = append(admins, e.user)
		default:
			users = append(users, e.user)
		}
	}
	for len(users) < k.config.Wanted && !k.config.NoRegister && ctx.Err() == nil {
		u, err := k.Register(ctx, "user")
		if err != nil {
			failed = append(failed, fmt.Errorf("a user more is wanted: %w", err))
			break
		}
		users = append(users, u)
	}
	return append(users, admins...), errors.Join(failed...)
}

// Identities returns what became of each account and of each user that was registered.
func (k *Keeper) Identities() (list []Identity) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, e := range k.order {
		i := Identity{Name: e.account.Name, Err: e.err}
		if e.err == nil {
			i.User = e.user
		}
		if e.recipe != nil {
			i.How = e.recipe.how
		}
		if e.proof != nil {
			i.Proven, i.By = !e.proof.weak, e.proof.gate.request.Method+" "+e.proof.gate.request.Path
		}
		list = append(list, i)
	}
	return list
}

// enter logs an account in for the first time.
func (k *Keeper) enter(ctx context.Context, account Account) *entry {
	e := newEntry(account)
	e.err = k.patiently(ctx, e, func() error { return k.first(ctx, e) })
	k.mu.Lock()
	defer k.mu.Unlock()
	k.entries[e.user] = e
	k.order = append(k.order, e)
	if e.err == nil && k.shared == nil && account.LogIn == nil && account.Token == "" {
		k.shared = e.recipe
	}
	return e
}

func newEntry(account Account) *entry {
	return &entry{account: account, user: newUserOf(account), throttle: &throttle{}, denials: map[string]int{}}
}

func newUserOf(a Account) *User {
	u := NewUser(a.Name)
	u.Admin, u.Known, u.Roles, u.Scopes = a.Admin, a.values(), a.Roles, a.Scopes
	for name, v := range u.Known {
		if secretName(name) {
			u.Hide(v)
		}
	}
	return u
}

// secretName reports whether a value of a user is nobody else's business.
func secretName(name string) bool {
	p := plain(name)
	for _, part := range []string{"pass", "pwd", "pin", "secret", "token", "otp", "code", "key", "answer"} {
		if strings.Contains(p, part) {
			return true
		}
	}
	return false
}

// first finds out how an account logs in and what proves it, and does it.
func (k *Keeper) first(ctx context.Context, e *entry) error {
	method, isKnown := k.methodOf(e.account)
	if !isKnown {
		return k.infer(ctx, e, method)
	}
	a := &attempt{client: k.config.Client, user: e.user.Name, values: maps.Clone(e.user.Known)}
	if err := a.logIn(ctx, method); err != nil {
		return err
	}
	candidates := method.candidates(a, k.config.API)
	if len(candidates) == 0 {
		return errNoToken
	}
	chosen, p := k.choose(ctx, e, method, candidates)
	k.settle(ctx, e, method, chosen, p, a)
	return nil
}

// settle keeps what was found to work.
func (k *Keeper) settle(ctx context.Context, e *entry, m *Method, c candidate, p *proof, a *attempt) {
	if len(m.Send) == 0 {
		m.Send, m.cookies = c.send, len(c.send) == 0 && !m.isStatic()
	}
	if m.Token == "" && c.token != nil {
		m.Token = c.token.String()
	}
	e.proof, e.recipe = p, &recipe{method: *m, how: m.describe() + c.how}
	e.take(c.credentials, a)
	k.learn(ctx, e, a)
}

// take makes credentials those of the user.
func (e *entry) take(credentials []Credential, a *attempt) {
	e.user.SetCredentials(credentials...)
	now := time.Now()
	e.renew = renewAt(now, lifetime(credentials, a.last(), now))
}

// choose returns the first candidate that the target is proven to know, else the first.
func (k *Keeper) choose(ctx context.Context, e *entry, m *Method, candidates []candidate) (candidate, *proof) {
	gates := k.gatesFor(ctx, e, m)
	most := 4
	if len(candidates) == 1 {
		most = maxGates
	}
	var weak *proof
	weakest := candidates[0]
	for _, c := range candidates {
		p := k.prove(ctx, e.user.Name, gates, c.credentials, most)
		if p != nil && !p.weak {
			return c, p
		}
		if p != nil && weak == nil {
			weak, weakest = p, c
		}
	}
	return weakest, weak
}

// methodOf returns how an account logs in, as far as it is known, and whether it is.
func (k *Keeper) methodOf(a Account) (*Method, bool) {
	var m Method
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case a.LogIn != nil:
		m = *a.LogIn
	case a.Token != "":
		if k.config.LogIn != nil {
			m.Send, m.Check = k.config.LogIn.Send, k.config.LogIn.Check
		}
		return &m, true
	case k.shared != nil:
		m = k.shared.method
	case k.config.LogIn != nil:
		m = *k.config.LogIn
	}
	return &m, m.Basic || m.Page != nil || len(m.Credentials) > 0 || len(m.steps()) > 0
}

// logIn sends what a method sends.
func (a *attempt) logIn(ctx context.Context, m *Method) error {
	a.values["basic"] = basicCredential(a.values["username"], a.values["password"]).Value
	if m.Page != nil {
		return a.page(ctx, m.Page)
	}
	return a.run(ctx, m.steps())
}

// describe says how a method logs in.
func (m *Method) describe() string {
	if steps := m.steps(); len(steps) > 0 {
		last := steps[len(steps)-1].request(nil)
		return last.Method + " " + last.Path + ", then "
	}
	if m.Page != nil {
		return "the form of " + m.Page.Path + ", then "
	}
	return ""
}

// LogIn logs a user in anew, with what is known of them: another user of that name is one
// who logs in like them. The user itself keeps the credentials that it has.
func (k *Keeper) LogIn(ctx context.Context, u *User) (*User, error) {
	e := k.entryOf(u)
	if e == nil || e.recipe == nil {
		return nil, fmt.Errorf("login: %s was not logged in by the scan", u.Called())
	}
	fresh := newEntry(e.account)
	fresh.recipe, fresh.proof, fresh.throttle = e.recipe, e.proof, e.throttle
	fresh.user.Known, fresh.user.Registered = maps.Clone(u.Known), u.Registered
	fresh.user.Hide(u.Secrets()...)
	if err := k.again(ctx, fresh); err != nil {
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.entries[fresh.user] = fresh
	return fresh.user, nil
}

// entryOf returns what is kept of a user, or of another of the same name; or nil.
func (k *Keeper) entryOf(u *User) *entry {
	k.mu.Lock()
	defer k.mu.Unlock()
	if e := k.entries[u]; e != nil || u == nil {
		return e
	}
	for _, e := range k.order {
		if e.user.Name == u.Name && e.err == nil {
			return e
		}
	}
	return nil
}

// values are those of the account; what is known of the user goes before, because a
// password may have changed.
func (e *entry) values() map[string]string {
	values := e.account.values()
	for name := range values {
		if v := e.user.Known[name]; v != "" {
			values[name] = v
		}
	}
	return values
}

// again logs a user in as it is known to work. The caller holds e.mu, or has e alone.
func (k *Keeper) again(ctx context.Context, e *entry) error {
	m := e.recipe.method
	return k.patiently(ctx, e, func() error {
		a := &attempt{client: k.config.Client, user: e.user.Name, values: e.values()}
		if err := a.logIn(ctx, &m); err != nil {
			return err
		}
		candidates := m.candidates(a, k.config.API)
		if len(candidates) == 0 {
			return errNoToken
		}
		e.take(candidates[0].credentials, a)
		return nil
	})
}
