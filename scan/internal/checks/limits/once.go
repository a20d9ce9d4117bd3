package limits

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/fastness/fastness/scan/internal/check"
	"github.com/fastness/fastness/scan/internal/explore"
	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/internal/spec"
	"github.com/fastness/fastness/scan/internal/value"
	"github.com/fastness/fastness/scan/wire"
)

// once does again what may be done once: one after the other, and at the same time.
func once() check.Check {
	kind := kindOnce()
	return check.Check{Kind: kind, Phase: check.Write, Run: func(ctx context.Context, t *probe.Target, report check.Report) error {
		for _, op := range t.API.Operations {
			if op.Method == "DELETE" || ctx.Err() != nil || !oneTime(op) || explore.Dangerous(op) != "" || op.Safe() {
				continue
			}
			for _, user := range t.Ordinary() {
				s := t.Sample(op, user)
				if s == nil {
					continue
				}
				claim, found := repeats(ctx, t, s, kind.ID)
				if !found {
					claim, found = races(ctx, t, s, kind.ID)
				}
				if found {
					report(claim)
				}
				break
			}
		}
		return ctx.Err()
	}}
}

// oneTime reports whether an operation is called like one that each user, or each code, has
// once.
func oneTime(op *spec.Operation) bool {
	return has(append(wordsOf(op), strings.Fields(strings.ToLower(op.Summary))...),
		"redeem", "redemption", "coupon", "voucher", "promo", "promocode", "promotion", "gift", "giftcard", "claim", "vote", "upvote", "downvote", "like", "favorite", "favourite",
		"reward", "bonus", "referral", "cashback", "checkin", "spin", "applycoupon", "discount", "kudos", "endorse", "poll", "rebate", "refund")
}

// repeats sends the same request three times more. Each time somebody is better off by the
// same.
func repeats(ctx context.Context, t *probe.Target, s *probe.Sample, why string) (claim check.Claim, found bool) {
	if partly(s.Case) {
		return claim, false
	}
	m := meterFor(t, s.User, s.Case, why)
	still, before := m.read(ctx), m.read(ctx)
	series := []map[string]float64{before.numbers}
	var did []*wire.Exchange
	last := before
	for range 3 {
		ex := t.Send(ctx, s.User, s.Case, why)
		if !probe.Granted(ex) {
			return claim, false
		}
		did = append(did, ex)
		last = m.read(ctx)
		all := numbers(ex, "answer")
		maps.Copy(all, last.numbers)
		series = append(series, all)
	}
	key, step := grows(series, still.numbers)
	if key == "" {
		return claim, false
	}
	t.Logger().Debug("counts again", "check", why, "operation", s.Case.Op.ID, "number", key, "step", step)
	op, at, _ := strings.Cut(key, "\n")
	claim = check.Claim{
		Place: probe.PlaceOf(s.Case.Op, codeAt(s.Case), ""),
		Says: fmt.Sprintf("%s does it three times more with the same request, and each time it counts: %s changes by %.6g, to %.6g",
			name(s.User), at, step, series[3][key]),
		Control: "read twice with nothing done between, the number stays as it is; nothing is paid for it that the user can see",
	}
	if op == "answer" {
		claim.Control = "it changes by the same each time, and nothing is paid for it that the user can see"
	}
	if op != "answer" {
		claim.Evidence = append(claim.Evidence, evidence("before", before.by[op]))
	}
	claim.Evidence = append(claim.Evidence, evidence("the first time", s.Exchange), evidence("again", did[0]), evidence("and a third time more", did[2]))
	if op != "answer" {
		claim.Evidence = append(claim.Evidence, evidence("after", last.by[op]))
	}
	return claim, true
}

// codeAt returns the place of what is used up: a code, or nothing.
func codeAt(c *probe.Case) string {
	for _, p := range c.Points() {
		if p.Value != nil && has(value.Words(p.Last()), "code", "coupon", "voucher", "promo", "gift", "card") {
			return p.String()
		}
	}
	return ""
}

// grows returns the number that changes by the same each time, so that somebody is better
// off, and by how much; or "" if there is none, or if something is paid for it. The first of
// the series is what was there before; still is what was there before that.
func grows(series []map[string]float64, still map[string]float64) (key string, step float64) {
	final := series[len(series)-1]
	best := 0
	for _, k := range slices.Sorted(maps.Keys(final)) {
		from := 0
		if _, known := series[0][k]; !known {
			from = 1 // It is of the answers: there is none before.
		} else if !same(still[k], series[0][k]) {
			continue
		}
		d, steady := steps(series[from:], k)
		switch {
		case !steady || d == 0:
		case gain(k, 0, d) < 0 && isGain(value.Words(k[strings.LastIndexByte(k, '/')+1:])):
			return "", 0 // That is what it costs.
		case gain(k, 0, d) > 0:
			rank := 2 * gainRank(k[strings.LastIndexByte(k, '/')+1:])
			if from == 0 {
				rank++
			}
			if rank > best {
				key, step, best = k, d, rank
			}
		}
	}
	return key, step
}

// steps returns by how much a number changes each time, if that is always the same.
func steps(series []map[string]float64, key string) (step float64, steady bool) {
	for i := 1; i < len(series); i++ {
		before, ok1 := series[i-1][key]
		after, ok2 := series[i][key]
		if !ok1 || !ok2 || i > 1 && !same(after-before, step) {
			return 0, false
		}
		step = after - before
	}
	return step, true
}

// partly reports whether a request says how much of something is taken: a part may be taken
// again.
func partly(c *probe.Case) bool {
	return slices.ContainsFunc(c.Points(), func(p probe.Point) bool {
		return p.In == "body" && p.Value != nil && has(value.Words(p.Last()), "amount", "quantity", "sum")
	})
}
