package limits

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/internal/check"
	"github.com/fastness/fastness/scan/internal/explore"
	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/internal/value"
	"github.com/fastness/fastness/scan/wire"
)

// oversold orders the last piece of something several times at the same moment.
func oversold() check.Check {
	kind := kindOversold()
	return check.Check{Kind: kind, Phase: check.Destroy, Run: func(ctx context.Context, t *probe.Target, report check.Report) error {
		for _, op := range t.API.Operations {
			if op.Method != "POST" || !changes(op) || logsIn(op) || ctx.Err() != nil {
				continue
			}
			for _, buyer := range t.Ordinary() {
				s := t.Sample(op, buyer)
				if s == nil {
					continue
				}
				if claim, found := lastPiece(ctx, t, s, kind.ID); found {
					report(claim)
				}
				break
			}
		}
		return ctx.Err()
	}}
}

// stockName reports whether a member says how many pieces there are.
func stockName(name string) bool {
	words := value.Words(name)
	return has(words, "stock", "inventory", "available", "availability", "seat", "capacity", "quantity", "qty", "remaining", "left", "slot", "spot", "place", "vacancy") && !has(words, "id", "min", "date", "at")
}

// piece is something of which there is one.
type piece struct {
	kind  *probe.Object
	stock string // the pointer of how many there are, in the request that makes it
	at    probe.Point
}

// pieceOf returns what a request takes of which the scan can make some, or false.
func pieceOf(t *probe.Target, s *probe.Sample) (piece, bool) {
	for _, p := range s.Case.Points() {
		if p.Value == nil || p.In != "body" && p.In != "path" && p.In != "query" {
			continue
		}
		for _, o := range slices.Backward(t.Objects(nil)) {
			if o.Made == nil || o.Owner == nil || !refersTo(p, o) {
				continue
			}
			for _, at := range append(o.Made.Case.Points(), unsentNumbers(o.Made.Case)...) {
				if at.In == "body" && stockName(at.Last()) {
					return piece{o, at.Name, p}, true
				}
			}
		}
	}
	return piece{}, false
}

// refersTo reports whether a place takes the id of such an object.
func refersTo(p probe.Point, o *probe.Object) bool {
	words := value.Words(p.Last())
	joined := strings.Join(words, "")
	resource := strings.Join(value.Words(o.Resource), "")
	return resource != "" && (joined == resource || joined == resource+"id" || joined == resource+"uuid" || p.In == "path" && probe.Text(p.Value) == probe.Text(o.ID) && joined == "id")
}

// one makes a piece, of which there is one, and returns the request of who wants it.
func (p piece) one(ctx context.Context, t *probe.Target, s *probe.Sample) (*probe.Case, error) {
	o, err := explore.For(t).Fresh(ctx, p.kind.Owner, p.kind, func(c *probe.Case) *probe.Case { return c.With("body", p.stock, 1) })
	if err != nil {
		return nil, err
	}
	c := s.Case.With(p.at.In, p.at.Name, o.ID)
	for _, n := range c.Points() {
		if has(value.Words(n.Last()), "quantity", "qty", "seat", "ticket", "count") && n.Name != p.at.Name {
			if _, isNumber := float(n.Value); isNumber {
				c = c.With(n.In, n.Name, 1)
			}
		}
	}
	return c, nil
}

// lastPiece sees that a piece is sold once if one waits, and then whether it is if not.
func lastPiece(ctx context.Context, t *probe.Target, s *probe.Sample, why string) (claim check.Claim, found bool) {
	p, ok := pieceOf(t, s)
	if !ok {
		return claim, false
	}
	calmly, err := p.one(ctx, t, s)
	if err != nil {
		t.Logger().Debug("no piece to sell", "check", why, "operation", s.Case.Op.ID, "why", err)
		return claim, false
	}
	first, second := t.Send(ctx, s.User, calmly, why), t.Send(ctx, s.User, calmly, why)
	t.Logger().Debug("the last piece", "check", why, "operation", s.Case.Op.ID, "first", first.Status, "second", second.Status)
	if !probe.Granted(first) || probe.Granted(second) || second.Status >= 500 || second.Status == 429 || second.Err != nil {
		return claim, false
	}
	for range heats {
		c, err := p.one(ctx, t, s)
		if err != nil || ctx.Err() != nil {
			t.Logger().Debug("no other piece to sell", "check", why, "operation", s.Case.Op.ID, "why", err)
			return claim, false
		}
		r := c.Request()
		r.Why = why
		m := &meter{t: t, user: s.User, why: why}
		for _, reader := range t.API.Operations {
			if own := t.Sample(reader, s.User); own != nil && reader.Method == "GET" {
				m.readers = []*probe.Case{own.Case}
				break
			}
		}
		answers := atOnce(ctx, t, s.User, r, m.first())
		sold := distinct(answers)
		n, _ := granted(answers)
		t.Logger().Debug("the last piece, at once", "check", why, "operation", s.Case.Op.ID, "granted", n, "sold", len(sold))
		if len(sold) < 2 {
			continue
		}
		return check.Claim{
			Place: probe.PlaceOf(s.Case.Op, p.at.String(), ""),
			Says:  fmt.Sprintf("there is one piece, and %d requests at the same moment all got it, each as a sale of its own", len(sold)),
			Control: fmt.Sprintf("of another one, of which there was one piece as well, the second request was refused (%s) when it waited for the first",
				status(second)),
			Evidence: []finding.Evidence{
				evidence("one has it", sold[0]), evidence("another one has it, too", sold[1]),
				evidence("one after the other: the first", first), evidence("the second", second),
			},
		}, true
	}
	return claim, false
}

// distinct returns the answers of success that are about different things: no two of them
// have the same first id, or, if that is of something else, the same second one.
func distinct(answers []*wire.Exchange) (best []*wire.Exchange) {
	for place := range 3 {
		seen := map[string]bool{}
		var out []*wire.Exchange
		for _, ex := range answers {
			if ids := identifiers(ex); probe.Granted(ex) && place < len(ids) && !seen[probe.Text(ids[place])] {
				seen[probe.Text(ids[place])] = true
				out = append(out, ex)
			}
		}
		if len(out) > len(best) {
			best = out
		}
	}
	return best
}
