// Package ratelimit makes callers who send too many requests wait.
//
// Without a limit one client can guess at passwords, copy a whole catalogue or
// use up what others need. A [Rule] says how much whom is allowed:
//
//	limit, err := ratelimit.New(ratelimit.Config{Rule: ratelimit.Per("100/minute", ratelimit.ByClient)})
//	server.Handler = limit.Handler(mux)
//
// and is an option of operations in an app:
//
//	fastness.Post(app, "/items", create, access.Role("seller"), ratelimit.Per("30/minute; 500/day"))
//	fastness.Post(app, "/token", token, access.Public, ratelimit.Rule{Limit: "5/minute", Key: ratelimit.ByClient, FailClosed: true})
//
// # What callers see
//
// Every answer has the fields RateLimit-Policy and RateLimit
// (draft-ietf-httpapi-ratelimit-headers): what the limit is, what is left of it
// and in how many seconds it is whole again.
//
//	RateLimit-Policy: "default";q=100;w=60
//	RateLimit: "default";r=50;t=30
//
// Who asks too often gets 429 with Retry-After, which is never too short, and a
// problem document that names the quotas. A refused request is charged nothing.
//
// # Whose budget
//
// A budget belongs to a [Key] that the caller cannot choose: the verified user,
// or the client's address. A header field is a key only if a proxy writes it.
//
// # Where it is counted
//
// A [Memory] counts in one process. N processes that are to have one budget
// share a [Store]; the module fastness/redis has one. While it does not answer,
// each process counts for itself, or refuses, as the rule says.
package ratelimit

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/guard/clientip"
	"github.com/fastness/fastness/problem"
)

// Config configures a [Limiter]. The zero value is the secure choice.
type Config struct {
	// Rule is the limit. The default is 100 requests a minute for each caller.
	Rule Rule
	// Store is where spent units are counted. The default is a [Memory] of the
	// limiter's own. Limiters may share a store.
	Store Store
	// Local is where they are counted while Store does not answer, unless the
	// rule fails closed. The default is a [Memory] of the limiter's own.
	Local Store
	// Client returns the address of the client, for [Limiter.Handler]. The
	// default is what package clientip has found, if its Handler is around this
	// one, and else the peer's, which behind a proxy is the proxy's.
	Client func(*http.Request) netip.Addr
	// XHeaders adds the fields X-RateLimit-Limit, -Remaining and -Reset (seconds
	// to go) of the quota that has least left, for clients that know no others.
	XHeaders bool
	// Logger gets an alarm, once a minute at most, while Store does not answer.
	// The default is [slog.Default].
	Logger *slog.Logger
	// Now is the clock of the limiter's own memories and of its alarm; see
	// [MemoryConfig].
	Now func() time.Time
	// InsecureUnlimited, if not empty, says why nothing is limited.
	InsecureUnlimited string
}

// Limiter makes callers wait who have used up their budget. It is safe for
// concurrent use.
type Limiter struct {
	off      bool
	rule     Rule
	methods  []string
	quotas   []Quota
	prefix   []byte // of every key
	store    Store
	local    func() Store
	client   func(*http.Request) netip.Addr
	fields   *fields
	refusals *refusals
	xHeaders bool
	logger   *slog.Logger
	now      func() time.Time
	alarmed  atomic.Int64 // when, in seconds of the Unix epoch
	spends   sync.Pool
}

// New returns a limiter, or an error that names every mistake in cfg.
func New(cfg Config) (*Limiter, error) {
	if cfg.InsecureUnlimited != "" {
		if cfg.Rule.Limit != "" {
			return nil, errors.New("ratelimit config: Rule.Limit and InsecureUnlimited contradict each other")
		}
		return &Limiter{off: true}, nil
	}
	r := cfg.Rule.withDefaults()
	quotas, mistakes := r.compile()
	if len(mistakes) > 0 {
		return nil, fmt.Errorf("ratelimit config: %w", errors.Join(mistakes...))
	}
	l := &Limiter{
		rule: r, methods: r.Methods, quotas: quotas, store: cfg.Store, client: cfg.Client,
		xHeaders: cfg.XHeaders, logger: cfg.Logger, now: cfg.Now,
		fields: newFields(r.Name, quotas),
		prefix: append(binary.BigEndian.AppendUint32(nil, uint32(len(r.Scope))), r.Scope...),
	}
	l.refusals = newRefusals(r.Message, l.fields.names)
	memory := func() Store {
		m, _ := NewMemory(MemoryConfig{Now: cfg.Now}) // Its defaults are no mistake.
		return m
	}
	if l.store == nil {
		l.store = memory()
	}
	l.local = sync.OnceValue(memory) // Most limiters never need one.
	if _, isLocal := l.store.(*Memory); cfg.Local != nil || isLocal {
		local := cmp.Or(cfg.Local, l.store)
		l.local = func() Store { return local }
	}
	if l.client == nil {
		l.client = client
	}
	if l.logger == nil {
		l.logger = slog.Default()
	}
	if l.now == nil {
		l.now = time.Now
	}
	l.spends.New = func() any {
		return &Spend{Key: make([]byte, 0, 128), Algorithm: r.Algorithm, Quotas: quotas, States: make([]State, len(quotas))}
	}
	return l, nil
}

// client returns the address that [clientip.Clients.Handler] has found, else that
// of the other end of the connection, or the zero Addr.
func client(r *http.Request) netip.Addr {
	if found := clientip.From(r.Context()); found.Addr.IsValid() {
		return found.Addr
	}
	return clientip.Peer(r)
}

// Check charges one request to its caller's budget, and writes the RateLimit
// fields into h, beside those of other limiters. It returns a
// [*problem.Problem] with status 429 if too little is left, or 503 if the rule
// fails closed and the store does not answer.
func (l *Limiter) Check(ctx context.Context, h http.Header, c Caller) error {
	refused, retry, err := l.take(ctx, h, c)
	if refused != nil {
		return refused.problem(retry)
	}
	return err
}

// Charge is [Limiter.Check] for a flood: Retry-After is in h, not in the problem, and
// the problem is shared by all requests. Who calls Charge makes the answer of the
// problem and h, and must not change the problem.
func (l *Limiter) Charge(ctx context.Context, h http.Header, c Caller) error {
	refused, retry, err := l.take(ctx, h, c)
	if refused != nil {
		h["Retry-After"] = retry
		return refused.shared
	}
	return err
}

// take charges one request. It returns what a refused caller gets, and the value
// of Retry-After.
func (l *Limiter) take(ctx context.Context, h http.Header, c Caller) (refused *refusal, retry []string, err error) {
	cost := l.cost(c)
	if cost == 0 {
		return nil, nil, nil
	}
	s := l.spends.Get().(*Spend)
	defer l.spends.Put(s)
	s.Key, s.Cost = l.key(s.Key[:0], c), cost
	if err := l.store.Take(ctx, s); err != nil {
		l.alarm(ctx, err)
		if l.rule.FailClosed {
			return nil, nil, unavailable(err)
		}
		if err := l.local().Take(ctx, s); err != nil {
			return nil, nil, unavailable(err)
		}
	}
	if s.Allowed {
		l.fields.write(h, s.States, nil)
	} else {
		var wait time.Duration
		refused, wait = l.refusals.of(s.States)
		retry = l.fields.write(h, s.States, &wait)
	}
	if l.xHeaders {
		l.fields.writeX(h, s.States)
	}
	return refused, retry, nil
}

// cost returns what the request of c costs, 0 if it is not counted.
func (l *Limiter) cost(c Caller) int {
	switch {
	case l.off,
		len(l.methods) > 0 && !slices.Contains(l.methods, countedAs(c.Request.Method)) && !slices.Contains(l.methods, c.Request.Method),
		l.rule.ExemptWhen != nil && l.rule.ExemptWhen(c):
		return 0
	case l.rule.CostOf == nil:
		return l.rule.Cost
	}
	if cost := l.rule.CostOf(c); cost >= 0 {
		return min(cost, maxCount+1)
	}
	return 1
}

// countedAs returns the method that a request is counted as: HEAD runs what GET
// does, and would be a second budget for it.
func countedAs(method string) string {
	if method == http.MethodHead {
		return http.MethodGet
	}
	return method
}

// budgetOf returns the method whose budget a request is charged to. Those that are not
// of RFC 9110 or RFC 5789 share one: a caller can invent as many as they like, and what
// does not look at the method serves them all.
func budgetOf(method string) string {
	switch method = countedAs(method); method {
	case http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return method
	}
	return "?"
}

// key appends whose budget it is: the scope, the method if each has its own, and
// the caller.
func (l *Limiter) key(b []byte, c Caller) []byte {
	b = append(b, l.prefix...)
	if l.rule.PerMethod {
		b = append(b, budgetOf(c.Request.Method)...)
	}
	b = append(b, 0)
	at := len(b)
	if b = l.rule.Key(b, c); len(b) > at {
		return b
	}
	b = append(append(b[:0], l.prefix...), 1) // No Key can write this place.
	return ByClient(b, c)
}

// alarm says that the store does not answer, once a minute.
func (l *Limiter) alarm(ctx context.Context, err error) {
	now, last := l.now().Unix(), l.alarmed.Load()
	if now >= last && now < last+60 || !l.alarmed.CompareAndSwap(last, now) {
		return
	}
	mode := "each process counts for itself"
	if l.rule.FailClosed {
		mode = "requests are refused"
	}
	l.logger.LogAttrs(context.WithoutCancel(ctx), slog.LevelError, "rate limits: the store does not answer; "+mode,
		slog.String("rule", l.rule.Name), slog.Any("error", err))
}

// Handler makes callers of next wait. The caller is the address of
// [Config].Client and the user that [auth.From] finds.
func (l *Limiter) Handler(next http.Handler) http.Handler {
	if l.off {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := Caller{Request: r, Addr: l.client(r), User: auth.From(r.Context())}
		refused, retry, err := l.take(r.Context(), w.Header(), c)
		switch {
		case err != nil:
			problem.Write(w, problem.From(err))
		case refused != nil:
			refused.write(w, retry)
		default:
			next.ServeHTTP(w, r)
		}
	})
}
