package limits

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/internal/check"
	"github.com/fastness/fastness/scan/internal/explore"
	"github.com/fastness/fastness/scan/internal/login"
	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/wire"
)

// A race has so many runners, and as many heats at most.
const (
	runners = 10
	heats   = 3
)

// atOnce sends the same request several times at the same moment, on connections that are
// open already.
func atOnce(ctx context.Context, t *probe.Target, user *login.User, r wire.Request, warm *probe.Case) []*wire.Exchange {
	run := func(r wire.Request) []*wire.Exchange {
		out := make([]*wire.Exchange, runners)
		var ready, done sync.WaitGroup
		start := make(chan struct{})
		ready.Add(runners)
		for i := range runners {
			done.Go(func() {
				each := r
				each.NoRetry = true
				ready.Done()
				<-start
				out[i] = t.Once(ctx, user, each)
			})
		}
		ready.Wait()
		close(start)
		done.Wait()
		return out
	}
	if warm != nil {
		first := warm.Request()
		first.Why = r.Why
		run(first)
	}
	return run(r)
}

// granted counts the answers that say yes.
func granted(list []*wire.Exchange) (n int, one *wire.Exchange) {
	for _, ex := range list {
		if probe.Granted(ex) {
			n++
			one = ex
		}
	}
	return n, one
}

// used is something that can be used once, and the request of it.
type used struct {
	user *login.User
	c    *probe.Case
}

// fresh returns one that nobody has used so far: the same request about another object, which
// is made for it; or of another user, who is.
func fresh(ctx context.Context, t *probe.Target, s *probe.Sample) (used, error) {
	x := explore.For(t)
	for _, p := range s.Case.Points() {
		o := made(t, s.User, p)
		if o == nil {
			continue
		}
		next, err := x.Fresh(ctx, s.User, o)
		if err != nil {
			return used{}, err
		}
		for kind, v := range o.Keys {
			if probe.Text(v) == probe.Text(p.Value) && next.Keys[kind] != nil {
				return used{s.User, s.Case.With(p.In, p.Name, next.Keys[kind])}, nil
			}
		}
		return used{s.User, s.Case.With(p.In, p.Name, next.ID)}, nil
	}
	u, err := t.Register(ctx, "race")
	if err != nil {
		return used{}, err
	}
	return used{u, s.Case}, nil
}

// made returns the object that a user made and a value names, or nil.
func made(t *probe.Target, user *login.User, p probe.Point) *probe.Object {
	text := probe.Text(p.Value)
	if text == "" {
		return nil
	}
	for _, o := range slices.Backward(t.Objects(user)) {
		if o.Made == nil {
			continue
		}
		if probe.Text(o.ID) == text && (len(text) > 7 || strings.Contains(strings.ToLower(p.Name), o.Resource) || p.In == "path") {
			return o
		}
		for _, kind := range slices.Sorted(maps.Keys(o.Keys)) {
			if probe.Text(o.Keys[kind]) == text && len(text) > 3 {
				return o
			}
		}
	}
	return nil
}

// races uses what can be used once ten times at the same moment, after it has seen that it can
// be used only once if one waits.
func races(ctx context.Context, t *probe.Target, s *probe.Sample, why string) (claim check.Claim, found bool) {
	first, err := fresh(ctx, t, s)
	if err != nil {
		t.Logger().Debug("nothing fresh for a race", "check", why, "operation", s.Case.Op.ID, "why", err)
		return claim, false
	}
	m := meterFor(t, s.User, first.c, why)
	m.user = first.user
	before := m.read(ctx)
	did := t.Send(ctx, first.user, first.c, why)
	after := m.read(ctx)
	again := t.Send(ctx, first.user, first.c, why)
	end := m.read(ctx)
	if !probe.Granted(did) || again.Status >= 500 || again.Status == 429 || again.Err != nil {
		return claim, false
	}
	key, unit := unitOf(before.numbers, after.numbers, end.numbers)
	t.Logger().Debug("once", "check", why, "operation", s.Case.Op.ID, "number", key, "unit", unit, "again", again.Status)
	if key == "" {
		return claim, false
	}
	op, at, _ := strings.Cut(key, "\n")
	for range heats {
		next, err := fresh(ctx, t, s)
		if err != nil || ctx.Err() != nil {
			return claim, false
		}
		m := meterFor(t, s.User, next.c, why)
		m.user = next.user
		start := m.read(ctx)
		r := next.c.Request()
		r.Why = why
		n, one := granted(atOnce(ctx, t, next.user, r, m.first()))
		finish := m.read(ctx)
		times := (finish.numbers[key] - start.numbers[key]) / unit
		if n == 0 || times < 1.9 {
			continue
		}
		return check.Claim{
			Place: probe.PlaceOf(s.Case.Op, codeAt(next.c), ""),
			Says: fmt.Sprintf("%d requests at the same moment, %d of which succeed, count %.3g times: %s goes from %.6g to %.6g",
				runners, n, times, at, start.numbers[key], finish.numbers[key]),
			Control: fmt.Sprintf("one after the other, the first request counts %.6g, and the second (%s) nothing: it is meant to be done once", unit, status(again)),
			Evidence: []finding.Evidence{
				evidence("before", start.by[op]), evidence("one of those at the same moment", one), evidence("after", finish.by[op]),
				evidence("one after the other: the first", did), evidence("the second", again),
			},
		}, true
	}
	return claim, false
}

// unitOf returns the number that doing something once changes, and doing it again does not.
func unitOf(before, after, end map[string]float64) (key string, unit float64) {
	best := 0
	for _, k := range slices.Sorted(maps.Keys(before)) {
		d := after[k] - before[k]
		if rank := gainRank(k[strings.LastIndexByte(k, '/')+1:]); d != 0 && gain(k, before[k], after[k]) > 0 && same(after[k], end[k]) && rank > best {
			key, unit, best = k, d, rank
		}
	}
	return key, unit
}

// first returns a request that changes nothing, or nil.
func (m *meter) first() *probe.Case {
	if len(m.readers) == 0 {
		return nil
	}
	return m.readers[0]
}
