package ratelimit

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/fastness/fastness/internal/operation"
)

// Rule is a limit: how much, whose, and of what. It is an option of operations,
// and part of the [Config] of a [Limiter].
type Rule struct {
	// Limit says how much; see [Parse] for how it is written. The default is
	// "100/minute".
	Limit string
	// Key says whose budget a request is charged to. The default is [ByUser].
	Key Key
	// Name is the policy's name in the RateLimit fields and in problems: visible
	// ASCII without quotes. If the limit has several quotas, the name of each has
	// its window behind it: "items-minute", "items-hour". The default is
	// "default", in an app the operation's id.
	Name string
	// Scope names the budget: rules with the same scope, limit and algorithm
	// share theirs, across operations and, over a shared store, across programs.
	// The default is Name.
	Scope string
	// Methods are those that are counted. The default is all. Rules for other
	// methods are rules of their own.
	Methods []string
	// PerMethod gives each method a budget of its own, and one to all that are neither
	// of RFC 9110 nor PATCH.
	PerMethod bool
	// Cost is how many units a request costs. The default is 1.
	Cost int
	// CostOf, if not nil, says what this request costs. 0 is free, and less than
	// 0 counts as 1: nobody earns by asking. A request that costs more than the
	// limit has is always refused.
	CostOf func(Caller) int
	// ExemptWhen, if not nil, says which requests are not counted. It must not
	// believe what the request says about itself.
	ExemptWhen func(Caller) bool
	// Message is the detail of the problem that a refused caller gets. The
	// default is "Too Many Requests".
	Message string
	// Algorithm is how the quotas are kept. The default is [SlidingWindow].
	Algorithm Algorithm
	// FailClosed refuses every request with 503 while the store does not answer:
	// for log-in and whatever else must not be tried N times as often. By default
	// each process then counts in its own memory, so that N processes together
	// admit N times the limit.
	FailClosed bool
	// Override says that the rule replaces what an app has for all operations.
	// By default it adds to that. An operation that asks who is calling cannot have it:
	// the rule would come after the credential, and nothing before it.
	Override bool

	exempt bool
}

// Per returns the rule of a limit, by [ByUser] or by all of the keys together.
//
//	fastness.Post(app, "/items", create, access.Role("seller"), ratelimit.Per("30/minute"))
func Per(limit string, keys ...Key) Rule {
	r := Rule{Limit: limit}
	if len(keys) == 1 {
		r.Key = keys[0]
	} else if len(keys) > 1 {
		r.Key = By(keys...)
	}
	return r
}

// InsecureExempt takes an operation out of the limit that the app has for all.
// The reason is why that is no danger.
func InsecureExempt(reason string) Rule { return Rule{exempt: true, Override: true, Message: reason} }

// Exempt reports whether the rule is that of [InsecureExempt].
func (r Rule) Exempt() bool { return r.exempt }

// String returns the limit, as lists of operations show it.
func (r Rule) String() string {
	switch {
	case r.exempt:
		return "no limit: " + r.Message
	case r.Limit == "":
		return defaultLimit
	}
	return r.Limit
}

// Apply makes the rule one of the operation's.
func (r Rule) Apply(s *operation.Spec) {
	s.Limits = append(s.Limits, r)
	if r.exempt {
		if r.Message == "" {
			s.Mistakes = append(s.Mistakes, errors.New("ratelimit.InsecureExempt wants the reason"))
		}
		s.OptOuts = append(s.OptOuts, operation.OptOut{Name: "ratelimit.InsecureExempt", Reason: r.Message})
		return
	}
	if _, mistakes := r.withDefaults().compile(); len(mistakes) > 0 {
		s.Mistakes = append(s.Mistakes, fmt.Errorf("rate limit: %w", errors.Join(mistakes...)))
	}
}

const defaultLimit = "100/minute"

func (r Rule) withDefaults() Rule {
	if r.Limit == "" {
		r.Limit = defaultLimit
	}
	if r.Key == nil {
		r.Key = ByUser
	}
	if r.Name == "" {
		r.Name = "default"
	}
	if r.Scope == "" {
		r.Scope = r.Name
	}
	if r.Cost == 0 {
		r.Cost = 1
	}
	if r.Message == "" {
		r.Message = http.StatusText(http.StatusTooManyRequests)
	}
	r.Methods = slices.Clone(r.Methods)
	return r
}

// compile returns the quotas of a rule with defaults, or all that is wrong.
func (r Rule) compile() (quotas []Quota, mistakes []error) {
	quotas, err := Parse(r.Limit)
	if err != nil {
		mistakes = append(mistakes, err)
	}
	if strings.ContainsFunc(r.Name, func(c rune) bool { return c <= ' ' || c > '~' || c == '"' || c == '\\' }) || len(r.Name) > 64 {
		mistakes = append(mistakes, fmt.Errorf("Name is %q, want at most 64 visible ASCII characters without quotes", r.Name))
	}
	for _, m := range r.Methods {
		if m == "" || m != strings.ToUpper(m) {
			mistakes = append(mistakes, fmt.Errorf("Methods has %q, want a method such as %q", m, http.MethodPost))
		}
	}
	for _, q := range quotas {
		if r.Cost > q.Count {
			mistakes = append(mistakes, fmt.Errorf("Cost is %d and the limit %d: no request could pass", r.Cost, q.Count))
		}
	}
	if r.Cost < 0 {
		mistakes = append(mistakes, fmt.Errorf("Cost is %d, want at least 1", r.Cost))
	}
	if r.Algorithm != SlidingWindow && r.Algorithm != GCRA {
		mistakes = append(mistakes, fmt.Errorf("Algorithm is %v, want SlidingWindow or GCRA", r.Algorithm))
	}
	if r.exempt {
		mistakes = append(mistakes, errors.New("a limiter cannot be made of InsecureExempt"))
	}
	return quotas, mistakes
}
