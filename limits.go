package fastness

import (
	"cmp"
	"fmt"
	"net/http"
	"strings"

	"github.com/fastness/fastness/guard/ratelimit"
	"github.com/fastness/fastness/internal/operation"
)

// generalLimit is how much of everything one client may ask for, if nobody says
// otherwise: a person with a busy page stays below it, and who copies a catalogue
// does not.
const generalLimit = "1000/minute"

// limits are the rate limits of an app.
type limits struct {
	general *ratelimit.Limiter
	store   ratelimit.Store
	// local is where they are counted while the store does not answer.
	local ratelimit.Store
	// overridden says that there is an operation to which the general limit does not
	// apply.
	overridden bool
	scopes     map[string]string // what rules have said of a budget that they share
}

// compileLimits makes the general limit.
func (a *App) compileLimits() (errs []error) {
	cfg := a.cfg.RateLimit
	if cfg.InsecureUnlimited == "" {
		cfg.Rule.Limit = cmp.Or(cfg.Rule.Limit, generalLimit)
	}
	if cfg.Rule.Key == nil {
		cfg.Rule.Key = ratelimit.ByClient // It is applied before anybody is asked who is calling.
	}
	cfg.Rule.Scope = cmp.Or(cfg.Rule.Scope, "general")
	memory, err := ratelimit.NewMemory(ratelimit.MemoryConfig{Now: cfg.Now})
	if err != nil {
		errs = append(errs, err)
	}
	if cfg.Store == nil {
		cfg.Store = memory
	}
	if cfg.Local == nil { // One for all limits: each would make its own.
		cfg.Local = memory
	}
	if cfg.Logger == nil {
		cfg.Logger = a.cfg.Logger
	}
	a.limits.store, a.limits.local, a.limits.scopes = cfg.Store, cfg.Local, make(map[string]string)
	if a.limits.general, err = ratelimit.New(cfg); err != nil {
		errs = append(errs, fmt.Errorf("config: RateLimit: %w", err))
	}
	return errs
}

// compileOperationLimits makes the limits of the operations, which have ids now.
func (a *App) compileOperationLimits() (errs []error) {
	for _, op := range a.operations {
		var wrong []error
		op.limiters, op.unlimited, wrong = a.limitersOf(&op.spec, "operation", op.id)
		wrong = append(wrong, op.gate.mistakes(&op.spec)...)
		for _, err := range wrong {
			errs = append(errs, fmt.Errorf("%s: %w", op.where(), err))
		}
	}
	return errs
}

// limitersOf makes the limiters of an operation or a mounted handler, whose name
// is that of their policies and, unless they share one, of their budgets.
func (a *App) limitersOf(spec *operation.Spec, kind, name string) (list []*ratelimit.Limiter, free bool, errs []error) {
	for i, limit := range spec.Limits {
		rule, ok := limit.(ratelimit.Rule)
		if !ok {
			errs = append(errs, fmt.Errorf("rate limit of an unknown type %T", limit))
			continue
		}
		if free = free || rule.Override; rule.Override {
			a.limits.overridden = true
		}
		if rule.Exempt() {
			continue
		}
		if said, known := a.limits.scopes[rule.Scope]; rule.Scope != "" && known && said != rule.String() {
			errs = append(errs, fmt.Errorf("rate limit %q: scope %q has the limit %q elsewhere: rules that share a budget have one limit", rule, rule.Scope, said))
		} else if rule.Scope != "" {
			a.limits.scopes[rule.Scope] = rule.String()
		}
		if rule.Name == "" {
			if rule.Name = name; i > 0 {
				rule.Name = fmt.Sprintf("%s-%d", name, i+1)
			}
			rule.Scope = cmp.Or(rule.Scope, a.mountedAt()+fmt.Sprintf("%s %q %d", kind, name, i+1)) // Another one may be called like the policy.
		}
		general := a.cfg.RateLimit
		limiter, err := ratelimit.New(ratelimit.Config{
			Rule: rule, Store: a.limits.store, Local: a.limits.local, XHeaders: general.XHeaders, Logger: cmp.Or(general.Logger, a.cfg.Logger), Now: general.Now,
		})
		if err != nil {
			errs = append(errs, err)
			continue
		}
		list = append(list, limiter)
	}
	return list, free, errs
}

// mistakes finds the limit that replaces the general one where credentials are tried: it
// comes after them, so that nothing would slow down who guesses at one.
func (g *gate) mistakes(spec *operation.Spec) (errs []error) {
	for _, limit := range spec.Limits {
		if rule, ok := limit.(ratelimit.Rule); ok && rule.Override && !rule.Exempt() && g.schemes != nil {
			errs = append(errs, fmt.Errorf("rate limit %q: Override takes away the only limit of wrong credentials: leave it out, or say why that is no danger in ratelimit.InsecureExempt beside it", rule))
		}
	}
	return errs
}

// limitClient is the limit by client, of whatever it asks for: what does not exist
// and what is malformed, too. Probes are the operator's own.
func (x *exchange) limitClient() error {
	if x.isProbe() || x.app.limits.overridden && x.isFree() {
		return nil
	}
	return x.app.limits.general.Charge(&x.ctx, x.out.Header(), ratelimit.Caller{Request: x.r, Addr: x.ctx.client.Addr})
}

// isFree reports whether the request is for what the general limit does not apply
// to.
func (x *exchange) isFree() bool {
	if x.r.Method == http.MethodConnect {
		return false
	}
	switch e := x.app.find(x.r.Method, x.r.URL).Value; {
	case e.operation != nil:
		return e.operation.unlimited
	case e.mount != nil:
		return e.mount.unlimited
	}
	return false
}

// limitCaller is the limit by caller and operation.
func (x *exchange) limitCaller() error {
	var list []*ratelimit.Limiter
	switch e := x.match.Value; {
	case e.operation != nil:
		list = e.operation.limiters
	case e.mount != nil:
		list = e.mount.limiters
	}
	for _, l := range list {
		if err := l.Charge(&x.ctx, x.out.Header(), ratelimit.Caller{Request: x.r, Addr: x.ctx.client.Addr, User: x.ctx.user}); err != nil {
			return err
		}
	}
	return nil
}

// limitText lists the rules of an operation, as people read them.
func (op *operationPlan) limitText() string { return limitText(&op.spec) }

func limitText(spec *operation.Spec) string {
	texts := make([]string, len(spec.Limits))
	for i, l := range spec.Limits {
		texts[i] = l.String()
	}
	return strings.Join(texts, "; ")
}
