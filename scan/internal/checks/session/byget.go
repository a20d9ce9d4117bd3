package session

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/internal/check"
	"github.com/fastness/fastness/scan/internal/explore"
	"github.com/fastness/fastness/scan/internal/login"
	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/internal/spec"
	"github.com/fastness/fastness/scan/wire"
)

// changeByGet looks for reading requests that change what they name.
func changeByGet() check.Check {
	kind := kindChangeByGet()
	return check.Check{Kind: kind, Phase: check.Write, Run: func(ctx context.Context, t *probe.Target, report check.Report) error {
		for _, op := range t.API.Operations {
			if op.Method != http.MethodGet || !explore.Acts(op) || explore.Dangerous(op) != "" || ctx.Err() != nil {
				continue
			}
			for _, u := range t.Ordinary() {
				if c, found := acts(ctx, t, op, u, kind.ID); found {
					report(c)
					break
				}
			}
		}
		return ctx.Err()
	}}
}

// acts makes two things alike, sends the GET for one of them, and looks at both.
func acts(ctx context.Context, t *probe.Target, op *spec.Operation, u *login.User, why string) (c check.Claim, found bool) {
	x := explore.For(t)
	tried := map[string]bool{}
	for _, like := range t.Objects(u) {
		if like.Made == nil || tried[like.Resource] || ctx.Err() != nil {
			continue
		}
		for _, to := range x.Consumers(like) {
			if to.Op != op || to.In != "path" && to.In != "query" {
				continue
			}
			tried[like.Resource] = true
			// The one that stays alone is the older one: what time does to things, it does to
			// that one first.
			alone, err := x.Fresh(ctx, u, like)
			if err != nil {
				break
			}
			used, err := x.Fresh(ctx, u, like)
			if err != nil {
				break
			}
			if c, found = changes(ctx, t, to, u, alone, used, why); found {
				return c, true
			}
			break
		}
	}
	return c, false
}

// changes sends the GET for one of two things, and compares what is read of both before
// and after it. Nothing but GETs is sent meanwhile.
func changes(ctx context.Context, t *probe.Target, act explore.Consumer, u *login.User, alone, used *probe.Object, why string) (c check.Claim, found bool) {
	x := explore.For(t)
	for _, to := range x.Consumers(used) {
		if to.Op.Method != http.MethodGet || to.Op == act.Op || explore.Acts(to.Op) || t.Held(to.Op) != "" || to.In != "path" && to.In != "query" || explore.ResourceOf(to.Op) != used.Resource {
			continue
		}
		read := func(o *probe.Object) *wire.Exchange { return t.Send(ctx, u, x.Aim(to, o, u), why) }
		other := read(alone)
		before, still := read(used), read(used)
		if !probe.Granted(other) || !probe.Granted(before) || !probe.Granted(still) || len(probe.Leaves(before)) == 0 {
			continue
		}
		done := t.Send(ctx, u, x.Aim(act, used, u), why)
		if !probe.Granted(done) {
			return c, false
		}
		after, last, otherLast := read(used), read(used), read(alone)
		what := effect([]*wire.Exchange{before, still}, []*wire.Exchange{after, last}, []*wire.Exchange{other, otherLast})
		if what == "" {
			return c, false
		}
		return check.Claim{
			Place:    probe.PlaceOf(act.Op, "", u.Called()),
			Says:     "a GET changes something: of the " + used.Resource + " that it names, " + what,
			Control:  "it was made for this, read twice alike before and after, and nothing but GETs was sent; another one like it stayed as it was",
			Evidence: []finding.Evidence{evidence("before", still), evidence("the GET", done), evidence("after", after), evidence("another one, for which it was not sent", otherLast)},
		}, true
	}
	return c, false
}

// effect returns what is different after the GET, or "": what was the same in both answers
// before it and in both after it, and in those of the thing that was left alone.
func effect(before, after, alone []*wire.Exchange) string {
	was, stays := same(before), same(alone)
	gone := func(ex *wire.Exchange) bool { return ex.Status == http.StatusNotFound || ex.Status == http.StatusGone }
	if gone(after[0]) && gone(after[1]) && probe.Granted(alone[1]) {
		return "nothing is left"
	}
	if !probe.Granted(after[0]) || !probe.Granted(after[1]) {
		return ""
	}
	is := same(after)
	for _, at := range slices.Sorted(maps.Keys(was)) {
		now, there := is[at]
		if _, quiet := stays[at]; !there || !quiet || now == was[at] || counted.MatchString(at) || isTime(was[at]) && isTime(now) {
			continue
		}
		return fmt.Sprintf("%s was %s, and is %s", strings.TrimPrefix(at, "/"), short(was[at]), short(now))
	}
	return ""
}

// counted are names of members that tell how often, or when, something was looked at.
var counted = regexp.MustCompile(`(?i)(view|hit|visit|open|click|read|seen|access|download|request|impression|popular|fetch|touch)[a-z]*(_?(count|at|on|by|s|er|time))*$`)

// same returns the values that two answers have alike, by pointer. Values of lists stand
// together.
func same(pair []*wire.Exchange) map[string]string {
	first, second := values(pair[0]), values(pair[1])
	maps.DeleteFunc(first, func(at, v string) bool { other, there := second[at]; return !there || other != v })
	return first
}

func values(ex *wire.Exchange) map[string]string {
	out := map[string]string{}
	for _, leaf := range probe.Leaves(ex) {
		if have, there := out[leaf.Pointer]; there {
			out[leaf.Pointer] = have + ", " + leaf.Text()
			continue
		}
		out[leaf.Pointer] = leaf.Text()
	}
	return out
}

// isTime reports whether a value is a moment: clocks go on by themselves.
func isTime(v string) bool {
	for _, form := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05", time.DateOnly, time.RFC1123, time.TimeOnly} {
		if len(v) >= 8 && len(form) >= 8 {
			if _, err := time.Parse(form, v); err == nil {
				return true
			}
		}
	}
	return len(v) >= 10 && strings.Trim(v, "0123456789.") == "" // Seconds or milliseconds since 1970.
}

func short(v string) string {
	if v == "" {
		return "empty"
	}
	if len(v) > 40 {
		v = strings.ToValidUTF8(v[:40], "") + "…"
	}
	return `"` + v + `"`
}
