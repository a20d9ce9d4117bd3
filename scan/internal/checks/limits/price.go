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
	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/internal/spec"
	"github.com/fastness/fastness/scan/internal/value"
	"github.com/fastness/fastness/scan/wire"
)

// ownPrice orders something and says itself what it costs.
func ownPrice() check.Check {
	kind := kindOwnPrice()
	return check.Check{Kind: kind, Phase: check.Write, Run: func(ctx context.Context, t *probe.Target, report check.Report) error {
		for _, op := range t.API.Operations {
			s := byOrdinary(t, op)
			if s == nil || s.User == nil || s.User.Admin || !changes(op) || ctx.Err() != nil || !buys(op) {
				continue
			}
			claim, found := pays(ctx, t, s, kind.ID)
			if !found {
				claim, found = paysAsAsked(ctx, t, s, kind.ID)
			}
			if found {
				report(claim)
			}
		}
		return ctx.Err()
	}}
}

// buys reports whether an operation is called like one in which a caller buys something.
func buys(op *spec.Operation) bool {
	return has(wordsOf(op), "order", "cart", "basket", "checkout", "purchase", "buy", "booking", "book", "reservation", "reserve", "rental", "rent", "subscription", "subscribe", "ticket", "payment", "pay", "invoice", "trip", "ride")
}

// priceNames are what prices are called in requests.
func priceNames() []string {
	return []string{"price", "unit_price", "unitPrice", "total", "total_price", "totalPrice", "amount", "cost"}
}

// ownPrices are what is paid by somebody who may choose, in turn.
func ownPrices() []float64 { return []float64{0.37, 0.73} }

// pays compares what is to be paid with and without a price in the request.
func pays(ctx context.Context, t *probe.Target, s *probe.Sample, why string) (claim check.Claim, found bool) {
	if _, isObject := s.Case.Body.(map[string]any); !isObject {
		return claim, false
	}
	stocked := s
	send := func(name string, price float64) *wire.Exchange {
		c, _ := explore.For(t).Renew(stocked, s.User)
		if name != "" {
			c = c.With("body", "/"+name, json.Number(fmt.Sprint(price)))
		}
		return t.Send(ctx, s.User, c, why)
	}
	plain := send("", 0)
	if !probe.Granted(plain) { // There may be nothing left of what it takes.
		if stocked = another(ctx, t, s); stocked == nil {
			return claim, false
		}
		plain = send("", 0)
	}
	repeated := send("", 0)
	if !probe.Granted(plain) || !probe.Granted(repeated) {
		return claim, false
	}
	costs := prices(plain)
	for at, v := range costs {
		if again, ok := prices(repeated)[at]; !ok || !same(again, v) || v <= ownPrices()[1] {
			delete(costs, at) // It changes by itself.
		}
	}
	body, _ := s.Case.Body.(map[string]any)
	for _, name := range priceNames() {
		if _, sent := body[name]; sent || len(costs) == 0 || ctx.Err() != nil {
			continue
		}
		var paid []float64
		var shown []*wire.Exchange
		key := ""
		for _, price := range ownPrices() {
			ex := send(name, price)
			if !probe.Granted(ex) {
				break
			}
			for _, at := range sortedKeys(costs) {
				now, ok := prices(ex)[at]
				if ok && now < costs[at] && times(now, price) && (key == "" || key == at) && at != "/"+name {
					key, paid, shown = at, append(paid, now), append(shown, ex)
					break
				}
			}
		}
		if len(paid) < 2 || !same(paid[0]/ownPrices()[0], paid[1]/ownPrices()[1]) {
			continue
		}
		return check.Claim{
			Place: probe.PlaceOf(s.Case.Op, "body /"+name, ""),
			Says:  fmt.Sprintf("with %s %v in the request, %s is %.6g; without it, the target says %.6g", name, ownPrices()[0], key, paid[0], costs[key]),
			Control: fmt.Sprintf("with %v it is %.6g, in the same proportion; without any price it is the same twice, so that the target knows what it costs",
				ownPrices()[1], paid[1]),
			Evidence: []finding.Evidence{evidence("without a price", plain), evidence("with one", shown[0]), evidence("with another one", shown[1])},
		}, true
	}
	return claim, false
}

// another returns the request of a sample for something that was made for it, in good
// supply; or nil.
func another(ctx context.Context, t *probe.Target, s *probe.Sample) *probe.Sample {
	for _, p := range s.Case.Points() {
		for _, o := range slices.Backward(t.Objects(nil)) {
			if p.Value == nil || o.Made == nil || o.Owner == nil || !refersTo(p, o) {
				continue
			}
			next, err := explore.For(t).Fresh(ctx, o.Owner, o, func(c *probe.Case) *probe.Case {
				for _, at := range append(c.Points(), unsentNumbers(c)...) {
					if at.In == "body" && stockName(at.Last()) {
						c = c.With("body", at.Name, 50)
					}
				}
				return c
			})
			if err != nil {
				return nil
			}
			other := *s
			other.Case = s.Case.With(p.In, p.Name, next.ID)
			return &other
		}
	}
	return nil
}

// paysAsAsked sends a price that the request has anyway, other than that of what is bought.
func paysAsAsked(ctx context.Context, t *probe.Target, s *probe.Sample, why string) (claim check.Claim, found bool) {
	shown, listed := listPrice(ctx, t, s, why)
	if shown == nil || listed <= ownPrices()[1] {
		return claim, false
	}
	for _, p := range append(s.Case.Points(), unsentNumbers(s.Case)...) {
		words := value.Words(p.Last())
		if p.In != "body" || !isCost(words) || has(words, "id", "max", "min", "currency", "type") {
			continue
		}
		if _, isNumber := float(p.Value); p.Value != nil && !isNumber {
			continue
		}
		var did, read *wire.Exchange
		for _, price := range ownPrices() {
			c, _ := explore.For(t).Renew(s, s.User)
			if did = t.Send(ctx, s.User, c.With("body", p.Name, json.Number(fmt.Sprint(price))), why); !probe.Granted(did) {
				return claim, false
			}
			if read = showing(ctx, t, s.User, s.Case.Op, did, p.Last(), price, why); read == nil {
				break
			}
		}
		if read == nil {
			continue
		}
		return check.Claim{
			Place:    probe.PlaceOf(s.Case.Op, p.String(), ""),
			Says:     fmt.Sprintf("what costs %.6g is had for %v, because the request says so", listed, ownPrices()[1]),
			Control:  fmt.Sprintf("another request shows what was sent; with %v it was that; the target itself says %.6g", ownPrices()[0], listed),
			Evidence: []finding.Evidence{evidence("what it costs", shown), evidence("what is sent", did), evidence("what is kept", read)},
		}, true
	}
	return claim, false
}

// listPrice returns what the target says that something costs which a request takes.
func listPrice(ctx context.Context, t *probe.Target, s *probe.Sample, why string) (*wire.Exchange, float64) {
	for _, p := range s.Case.Points() {
		if p.Value == nil || p.In == "header" || p.In == "cookie" {
			continue
		}
		for _, op := range t.API.Operations {
			reader := t.Sample(op, s.User)
			if reader == nil || op.Method != "GET" || !strings.HasSuffix(op.Path, "}") || explore.ResourceOf(op) == explore.ResourceOf(s.Case.Op) {
				continue
			}
			if !refersTo(p, &probe.Object{Resource: explore.ResourceOf(op)}) {
				continue
			}
			points := pathPoints(reader.Case)
			ex := t.Send(ctx, s.User, reader.Case.With("path", points[len(points)-1].Name, p.Value), why)
			for _, leaf := range probe.Leaves(ex) {
				if f, ok := float(leaf.Value); ok && probe.Granted(ex) && has(value.Words(leaf.Name()), "price", "cost", "fee") && !strings.Contains(leaf.Pointer, "*") {
					return ex, f
				}
			}
		}
	}
	return nil, 0
}

// times reports whether a sum is a small number of times a price.
func times(sum, price float64) bool {
	n := sum / price
	return n > 0.99 && n < 1000 && same(n, float64(int(n+0.5)))
}

// prices returns the sums of an answer that say what is to be paid.
func prices(ex *wire.Exchange) map[string]float64 {
	out := map[string]float64{}
	for _, leaf := range probe.Leaves(ex) {
		if f, ok := float(leaf.Value); ok && isCost(value.Words(leaf.Name())) && !strings.Contains(leaf.Pointer, "*") {
			out[leaf.Pointer] = f
		}
	}
	return out
}
