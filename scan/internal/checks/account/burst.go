package account

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"time"

	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/internal/check"
	"github.com/fastness/fastness/scan/internal/login"
	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/internal/spec"
	"github.com/fastness/fastness/scan/wire"
)

// tries is how many wrong passwords or codes are sent.
const tries = 30

// attempt sends one more wrong password or code.
type attempt func(ctx context.Context, change func(*wire.Request)) *wire.Exchange

// burst is what became of many tries.
type burst struct {
	op     *spec.Operation
	what   string // password or code
	victim *login.User
	send   attempt
	// first and last are answers; limited is the one that said to stop, or nil.
	first, last, limited *wire.Exchange
	sent                 int
	// slowed reports whether the answers took longer and longer; odd that something else
	// happened than refusals.
	slowed, odd bool
}

var stopText = regexp.MustCompile(`(?i)captcha|too many|locked|blocked|rate.?limit|try again (later|in)|wait \d+|suspended|throttl`)

// stops reports whether an answer says to stop.
func stops(ex *wire.Exchange) bool {
	return ex.Status == http.StatusTooManyRequests || login.Limited(ex) || len(ex.Body) < 8192 && stopText.Match(ex.Body)
}

// burstsOf tries wrong passwords and codes at each operation that takes them, once.
func (l *lab) burstsOf(ctx context.Context, t *probe.Target) []*burst {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.at(t)
	if l.bursts != nil {
		return l.bursts
	}
	l.bursts = []*burst{}
	if b := l.logInBurst(ctx, t); b != nil {
		l.bursts = append(l.bursts, b)
	}
	for _, op := range t.API.Operations {
		if !takesCode(op) || ctx.Err() != nil || len(l.bursts) > 5 {
			continue
		}
		if b := l.codeBurst(ctx, t, op); b != nil {
			l.bursts = append(l.bursts, b)
		}
	}
	return l.bursts
}

func (l *lab) logInBurst(ctx context.Context, t *probe.Target) *burst {
	victim := l.person(ctx, t, "tries")
	known := nobody(t)
	like := victim
	if victim == nil {
		if len(t.Users) == 0 {
			return nil
		}
		like = t.Users[0]
	} else {
		known = map[string]string{}
	}
	b := &burst{what: "password", victim: victim, send: func(ctx context.Context, change func(*wire.Request)) *wire.Exchange {
		values := map[string]string{}
		for kind, v := range known {
			values[kind] = v
		}
		values["password"] = "Wrong-" + t.Marker()[2:10]
		try, err := t.Try(ctx, like, values, change)
		if err != nil {
			return nil
		}
		if try.User != nil {
			return nil // A wrong password is right: another check's.
		}
		return try.Exchange
	}}
	b.run(ctx)
	if b.first == nil {
		return nil
	}
	b.op = t.OperationOf(b.first.Request)
	if b.op == nil {
		b.op = &spec.Operation{ID: b.first.Request.Path, Method: b.first.Request.Method, Path: b.first.Request.Path}
	}
	return b
}

func (l *lab) codeBurst(ctx context.Context, t *probe.Target, op *spec.Operation) *burst {
	victim := l.person(ctx, t, "tries")
	known := nobody(t)
	as := victim
	if victim != nil {
		known = victim.Known
		for _, before := range t.API.Operations {
			if forgets(before) {
				t.Send(ctx, nil, filled(before, known, "", ""), "AU-02") // So that there is a code.
			}
		}
	} else if len(t.Users) > 0 && op.NeedsLogIn() {
		return nil // It would be a code of somebody who was there before.
	}
	if !op.NeedsLogIn() {
		as = nil
	}
	numbers := t.Rand("codes")
	b := &burst{op: op, what: "code", victim: victim, send: func(ctx context.Context, change func(*wire.Request)) *wire.Exchange {
		r := filled(op, known, fmt.Sprintf("%04d", numbers.IntN(10000)), "Fz-"+t.Marker()[:12]+"!9").Request()
		r.Why, r.NoRetry = "AU-02", true
		if change != nil {
			change(&r)
		}
		return t.Once(ctx, as, r)
	}}
	b.run(ctx)
	if b.first == nil {
		return nil
	}
	return b
}

// run sends the tries until the target says to stop.
func (b *burst) run(ctx context.Context) {
	var took []time.Duration
	for range tries {
		ex := b.send(ctx, nil)
		if ex == nil || ctx.Err() != nil {
			b.odd = true
			return
		}
		b.sent++
		if b.first == nil {
			b.first = ex
		}
		b.last = ex
		took = append(took, ex.Took)
		switch {
		case stops(ex):
			if b.sent == 1 {
				b.odd = true // It is limited already, or always says so.
			}
			b.limited = ex
			return
		case ex.Status == 0 || ex.Status >= 500 || !probe.Refused(ex) && ex.OK() && len(ex.Header.Values("Set-Cookie")) > 0:
			b.odd = true
			return
		case ex.Status != b.first.Status:
			b.limited = ex // It says something else now.
			return
		}
	}
	b.slowed = median(took[len(took)-5:]) > 3*median(took[:5])+100*time.Millisecond
}

func median(list []time.Duration) time.Duration {
	list = slices.Sorted(slices.Values(list))
	return list[len(list)/2]
}

// noLimit reports where passwords and codes may be tried without end.
func noLimit(l *lab) check.Check {
	kind := kindNoLimit()
	return check.Check{Kind: kind, Phase: check.Session, Run: func(ctx context.Context, t *probe.Target, report check.Report) error {
		for _, b := range l.burstsOf(ctx, t) {
			if b.odd || b.slowed || b.limited != nil || !probe.Refused(b.last) && b.what == "code" {
				continue
			}
			c := check.Claim{
				Place: probe.PlaceOf(b.op, "", ""), Hint: b.victim == nil || b.what == "code",
				Says:     fmt.Sprintf("%d wrong %ss in a row are answered alike (%d), and nothing slows the next one down", b.sent, b.what, b.last.Status),
				Control:  "there is no user to try it with: accounts that exist may be guarded",
				Evidence: []finding.Evidence{evidence("the first try", b.first), evidence("the last try", b.last)},
			}
			if b.what == "password" && b.victim != nil {
				good, err := t.Try(ctx, b.victim, nil, nil)
				if err != nil || good.User == nil {
					continue // The user is locked now, and nobody says so.
				}
				c.Control = "the user was registered for it; right after, the right password logs in: it is not locked, either"
				c.Evidence = append(c.Evidence, evidence("the right password", good.Exchange))
			} else if b.what == "code" {
				c.Control = "the code may be void by now without being said"
			}
			report(c)
		}
		return ctx.Err()
	}}
}

// sources are headers that say who a request is from, and that anybody can write.
var sources = [...]string{"X-Forwarded-For", "X-Real-IP", "X-Client-IP", "True-Client-IP", "CF-Connecting-IP", "X-Originating-IP", "X-Remote-IP", "X-Remote-Addr", "X-Cluster-Client-IP", "Client-IP", "Fastly-Client-IP", "X-Forwarded", "Forwarded"}

// from makes a request say that it is from another address.
func from(names []string, n int) func(*wire.Request) {
	address := fmt.Sprintf("198.51.100.%d", 1+n%250)
	return func(r *wire.Request) {
		r.Header = r.Header.Clone()
		if r.Header == nil {
			r.Header = http.Header{}
		}
		for _, name := range names {
			if name == "Forwarded" {
				r.Header.Set(name, "for="+address)
				continue
			}
			r.Header.Set(name, address)
		}
	}
}

// limitBypass reports where a limit is that of an address which the caller writes.
func limitBypass(l *lab) check.Check {
	kind := kindLimitBypass()
	return check.Check{Kind: kind, Phase: check.Session, Run: func(ctx context.Context, t *probe.Target, report check.Report) error {
		for _, b := range l.burstsOf(ctx, t) {
			if b.odd || b.limited == nil || !stops(b.limited) {
				continue
			}
			if c, found := b.bypassed(ctx, t); found {
				report(c)
			}
		}
		return ctx.Err()
	}}
}

// again sends tries until the target says to stop: the limit may have passed.
func (b *burst) again(ctx context.Context) *wire.Exchange {
	for range tries {
		ex := b.send(ctx, nil)
		if ex == nil || ctx.Err() != nil || ex.Status >= 500 {
			return nil
		}
		if stops(ex) {
			return ex
		}
	}
	return nil
}

func (b *burst) bypassed(ctx context.Context, t *probe.Target) (c check.Claim, found bool) {
	if b.again(ctx) == nil {
		return c, false
	}
	n := t.Rand("addresses").IntN(200)
	passes := func(names []string) *wire.Exchange {
		n++
		ex := b.send(ctx, from(names, n))
		if ex == nil || stops(ex) || ex.Status == 0 || ex.Status >= 500 || ex.Status != b.first.Status {
			return nil
		}
		return ex
	}
	if passes(sources[:]) == nil {
		return c, false
	}
	for _, name := range sources {
		one := []string{name}
		if passes(one) == nil {
			continue
		}
		stopped := b.send(ctx, nil)
		past := passes(one)
		if stopped == nil || !stops(stopped) || past == nil {
			continue
		}
		return check.Claim{
			Place:    probe.PlaceOf(b.op, "header "+name, ""),
			Says:     fmt.Sprintf("tries are counted by the header %s: after %d of them the caller is told to stop, and with another address in it goes on", name, b.sent),
			Control:  "the same request without the header is told to stop, before and after",
			Evidence: []finding.Evidence{evidence("without the header", stopped), evidence("with it", past)},
		}, true
	}
	return c, false
}
