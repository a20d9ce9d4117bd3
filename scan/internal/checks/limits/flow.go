package limits

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/internal/check"
	"github.com/fastness/fastness/scan/internal/explore"
	"github.com/fastness/fastness/scan/internal/login"
	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/internal/spec"
	"github.com/fastness/fastness/scan/internal/value"
	"github.com/fastness/fastness/scan/wire"
)

// belowZeroAmounts sends quantities and prices below zero.
func belowZeroAmounts() check.Check {
	kind := kindBelowZero()
	return check.Check{Kind: kind, Phase: check.Write, Run: func(ctx context.Context, t *probe.Target, report check.Report) error {
		eachNumber(ctx, t, func(s *probe.Sample, p probe.Point) {
			if claim, found := negative(ctx, t, s, p, kind.ID); found {
				report(claim)
			}
		})
		return ctx.Err()
	}}
}

// wrapped sends numbers that do not fit into 32 or 64 bits.
func wrapped() check.Check {
	kind := kindWrapped()
	return check.Check{Kind: kind, Phase: check.Write, Deep: true, Run: func(ctx context.Context, t *probe.Target, report check.Report) error {
		eachNumber(ctx, t, func(s *probe.Sample, p probe.Point) {
			if claim, found := wraps(ctx, t, s, p, kind.ID); found {
				report(claim)
			}
		})
		return ctx.Err()
	}}
}

// eachNumber calls f for each place of a request of an ordinary user that says how many, or
// for how much.
func eachNumber(ctx context.Context, t *probe.Target, f func(*probe.Sample, probe.Point)) {
	for _, op := range t.API.Operations {
		s := byOrdinary(t, op)
		if s == nil || s.User == nil || s.User.Admin || !changes(op) || logsIn(op) {
			continue
		}
		for _, p := range append(s.Case.Points(), unsentNumbers(s.Case)...) {
			if (p.In == "body" || p.In == "query") && counts(op, p) && ctx.Err() == nil {
				f(s, p)
			}
		}
	}
}

// unsentNumbers returns the declared numbers of a body that a case does not have.
func unsentNumbers(c *probe.Case) (out []probe.Point) {
	body, ok := c.Body.(map[string]any)
	schema := c.BodySchema()
	if !ok || schema == nil {
		return nil
	}
	for _, name := range schema.Names {
		p := schema.Properties[name]
		if _, sent := body[name]; !sent && (p.Is("integer") || p.Is("number")) {
			out = append(out, probe.Point{In: "body", Name: "/" + strings.ReplaceAll(strings.ReplaceAll(name, "~", "~0"), "/", "~1"), Schema: p})
		}
	}
	return out
}

// counts reports whether a place says how many pieces, or how much money, so that less than
// none makes no sense. What is booked or corrected may well be below zero.
func counts(op *spec.Operation, p probe.Point) bool {
	if _, isNumber := float(p.Value); p.Value != nil && !isNumber || p.Value == nil && (p.Schema == nil || !p.Schema.Is("integer") && !p.Schema.Is("number")) {
		return false
	}
	if p.Schema != nil && p.Schema.Minimum != nil && *p.Schema.Minimum < 0 {
		return false
	}
	about := wordsOf(op)
	if has(about, "adjust", "adjustment", "correction", "correct", "movement", "delta", "return", "refund", "credit", "journal", "ledger", "entry", "expense", "budget", "temperature", "measurement", "metric", "sensor", "coordinate") {
		return false
	}
	words := value.Words(p.Last())
	switch {
	case has(words, "id", "delta", "change", "offset", "adjustment", "diff", "balance", "index", "position"):
		return false
	case has(words, "quantity", "qty", "seat", "ticket", "night", "piece", "guest", "copy", "unit"):
		return true
	case has(words, "price", "cost", "fee"):
		return true
	case has(words, "amount", "total", "sum", "point", "coin", "credits"):
		return has(about, "order", "cart", "basket", "checkout", "transfer", "pay", "payment", "withdraw", "withdrawal", "purchase", "buy", "bid", "donate", "donation", "send", "topup", "deposit", "loan", "gift", "booking", "tip", "stake", "bet")
	}
	return false
}

// below are the numbers below zero that are sent, in turn: what is shown has to follow.
func below() []int { return []int{-13, -17} }

// negative sends a number below zero and looks what became of it.
func negative(ctx context.Context, t *probe.Target, s *probe.Sample, p probe.Point, why string) (claim check.Claim, found bool) {
	defer restore(ctx, t, s, why)
	var did, shown *wire.Exchange
	var key string
	var before, after reading
	m := meterFor(t, s.User, s.Case, why)
	for _, n := range below() {
		before = m.read(ctx)
		c, _ := explore.For(t).Renew(s, s.User)
		if did = t.Send(ctx, s.User, c.With(p.In, p.Name, json.Number(fmt.Sprint(n))), why); !probe.Granted(did) {
			return claim, false
		}
		after = m.read(ctx)
		key = better(before, after)
		if shown = showing(ctx, t, s.User, s.Case.Op, did, p.Last(), float64(n), why); shown == nil && key == "" {
			return claim, false
		}
	}
	claim.Place = probe.PlaceOf(s.Case.Op, p.String(), "")
	claim.Cause = explore.ResourceOf(s.Case.Op) + " " + value.Normal(p.Last())
	if key != "" {
		again := m.read(ctx)
		c, _ := explore.For(t).Renew(s, s.User)
		usual := t.Send(ctx, s.User, c, why)
		if end := m.read(ctx); same(again.numbers[key], after.numbers[key]) && probe.Granted(usual) && gain(key, again.numbers[key], end.numbers[key]) <= 0 {
			op, at, _ := strings.Cut(key, "\n")
			claim.Says = fmt.Sprintf("with -17 as %s, %s is better off than before: %s goes from %.6g to %.6g", p, name(s.User), at, before.numbers[key], after.numbers[key])
			claim.Control = fmt.Sprintf("with the usual request it goes from %.6g to %.6g, and without any it stays as it is", again.numbers[key], end.numbers[key])
			claim.Evidence = []finding.Evidence{evidence("before", before.by[op]), evidence("below zero", did), evidence("after", after.by[op]), evidence("the usual request", usual)}
			return claim, true
		}
	}
	if shown == nil {
		return claim, false
	}
	severity := finding.Medium
	claim.Severity = &severity
	claim.Says = fmt.Sprintf("-17 as %s is taken and kept: it is read back", p)
	claim.Control = "so was -13 before it; another request shows it, and not the answer alone; the document does not say that it may be below zero"
	claim.Evidence = []finding.Evidence{evidence("above zero", s.Exchange), evidence("below zero", did), evidence("it is read back", shown)}
	return claim, true
}

// better returns the money of which there is more than before, or "".
func better(before, after reading) string {
	for _, k := range sortedKeys(before.numbers) {
		words := value.Words(k[strings.LastIndexByte(k, '/')+1:])
		if now, ok := after.numbers[k]; ok && has(words, "balance", "credit", "wallet", "fund", "point", "coin", "money") && gain(k, before.numbers[k], now) > 0 {
			return k
		}
	}
	return ""
}

// showing returns an answer that shows a value under a name, within the object that was made,
// and that is not the answer to the request itself; or nil.
func showing(ctx context.Context, t *probe.Target, user *login.User, op *spec.Operation, made *wire.Exchange, member string, v float64, why string) *wire.Exchange {
	resource := explore.ResourceOf(op)
	ids := identifiers(made)
	for _, s := range readersOf(t, user, resource, member) {
		reader, c := s.Case.Op, s.Case
		if points := pathPoints(c); len(points) > 0 {
			last := points[len(points)-1]
			if explore.ResourceOf(reader) == resource && strings.HasSuffix(reader.Path, "}") && len(ids) > 0 {
				c = c.With("path", last.Name, ids[0])
			}
		}
		ex := t.Send(ctx, user, c, why)
		if doc, ok := probe.Decode(ex); ok && probe.Granted(ex) && objectShows(doc, member, v) {
			return ex
		}
	}
	return nil
}

// readersOf returns requests that read things of a kind, or things that have such a member,
// those of the kind first.
func readersOf(t *probe.Target, user *login.User, resource, member string) []*probe.Sample {
	var own, others []*probe.Sample
	for _, op := range t.API.Operations {
		s := t.Sample(op, user)
		if s == nil || op.Method != "GET" || s.Exchange.Took > calm {
			continue
		}
		doc, _ := probe.Decode(s.Exchange)
		switch {
		case explore.ResourceOf(op) == resource:
			own = append(own, s)
		case names(doc, member):
			others = append(others, s)
		}
	}
	all := append(own, others...)
	return all[:min(len(all), 2*maxReaders)]
}

// names reports whether an object somewhere in a document has a number of that name.
func names(doc any, member string) bool {
	switch doc := doc.(type) {
	case map[string]any:
		for name, e := range doc {
			if _, ok := float(e); ok && value.Normal(name) == value.Normal(member) || names(e, member) {
				return true
			}
		}
	case []any:
		return len(doc) > 0 && names(doc[0], member)
	}
	return false
}

func pathPoints(c *probe.Case) []probe.Point {
	return slices.DeleteFunc(c.Points(), func(p probe.Point) bool { return p.In != "path" })
}

// identifiers returns the ids that the answer to a request has, the likeliest first.
func identifiers(ex *wire.Exchange) (out []any) {
	var others []any
	for _, depth := range []int{1, 2, 3} {
		for _, leaf := range probe.Leaves(ex) {
			if strings.Count(leaf.Pointer, "/") != depth || strings.Contains(leaf.Pointer, "*") {
				continue
			}
			words := value.Words(leaf.Name())
			switch {
			case len(words) == 1 && has(words, "id", "uuid", "guid", "number", "reference"):
				out = append(out, leaf.Value)
			case len(words) == 2 && has(words[1:], "id", "uuid", "number", "reference"):
				others = append(others, leaf.Value)
			}
		}
	}
	return append(out, others...)
}

// objectShows reports whether an object somewhere in a document has a member of a value.
func objectShows(doc any, member string, v float64) bool {
	switch doc := doc.(type) {
	case map[string]any:
		for name, e := range doc {
			if f, ok := float(e); ok && f == v && value.Normal(name) == value.Normal(member) || objectShows(e, member, v) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(doc, func(e any) bool { return objectShows(e, member, v) })
	}
	return false
}

// restore sends a request that changes something as it was before, so that it is again what
// it was.
func restore(ctx context.Context, t *probe.Target, s *probe.Sample, why string) {
	if s.Case.Op.Method != "POST" {
		t.Send(ctx, s.User, s.Case, why)
	}
}

// wraps sends a number that is too large and looks for what remains of it in fewer bits.
func wraps(ctx context.Context, t *probe.Target, s *probe.Sample, p probe.Point, why string) (claim check.Claim, found bool) {
	defer restore(ctx, t, s, why)
	for _, each := range []struct {
		sent   string
		stored float64
		bits   int
	}{
		{"2147483661", -2147483635, 32}, {"4294967309", 13, 32}, {"18446744073709551629", 13, 64},
	} {
		c, _ := explore.For(t).Renew(s, s.User)
		ex := t.Send(ctx, s.User, c.With(p.In, p.Name, json.Number(each.sent)), why)
		if !probe.Granted(ex) {
			continue
		}
		shown := ex
		if doc, _ := probe.Decode(ex); !objectShows(doc, p.Last(), each.stored) {
			if names(doc, p.Last()) { // It shows the number as it came.
				continue
			}
			if shown = showing(ctx, t, s.User, s.Case.Op, ex, p.Last(), each.stored, why); shown == nil {
				continue
			}
		}
		return check.Claim{
			Place:    probe.PlaceOf(s.Case.Op, p.String(), ""),
			Says:     fmt.Sprintf("%s as %s is kept as %.0f", each.sent, p, each.stored),
			Control:  fmt.Sprintf("that is exactly what remains of it in %d bits, and nobody sent it", each.bits),
			Evidence: []finding.Evidence{evidence("the number is sent", ex), evidence("another one is shown", shown)},
		}, true
	}
	return claim, false
}
