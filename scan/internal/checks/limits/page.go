package limits

import (
	"context"
	"fmt"
	"strings"

	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/internal/check"
	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/internal/spec"
	"github.com/fastness/fastness/scan/internal/value"
	"github.com/fastness/fastness/scan/wire"
)

// Rows that are asked for, and how many in one answer are more than a page, where the
// document has no bound.
const (
	manyRows    = 5000
	pageOfRows  = 1000
	beyondBound = 900
)

// pageSize asks lists for more rows than a page has.
func pageSize() check.Check {
	kind := kindPageSize()
	return check.Check{Kind: kind, Phase: check.Read, Run: func(ctx context.Context, t *probe.Target, report check.Report) error {
		for _, op := range t.API.Operations {
			if op.Method != "GET" || ctx.Err() != nil {
				continue
			}
			s := byOrdinary(t, op)
			if s == nil {
				continue
			}
			if rows(s.Exchange) < 0 && !mayList(op) {
				continue
			}
			for _, p := range sizes(ctx, t, s, kind.ID) {
				if claim, found := tooMany(ctx, t, s, p, kind.ID); found {
					report(claim)
					break
				}
			}
		}
		return ctx.Err()
	}}
}

// sizes returns the parameters that say how many rows are wanted, and, if the document has
// none, those that work without being in it.
func sizes(ctx context.Context, t *probe.Target, s *probe.Sample, why string) (out []*spec.Param) {
	for _, p := range s.Case.Op.Params {
		if p.In == "query" && sizeName(p.Name) && (len(p.Schema.Types) == 0 || p.Schema.Is("integer") || p.Schema.Is("number") || p.Schema.Is("string")) {
			out = append(out, p)
		}
	}
	if len(out) > 0 || rows(s.Exchange) < 2 {
		return out
	}
	guesses := []string{"limit", "per_page", "page_size", "pageSize", "size"}
	c := s.Case
	for _, name := range guesses {
		c = c.With("query", name, 1)
	}
	if ex := t.Send(ctx, s.User, c, why); !probe.Granted(ex) || rows(ex) != 1 {
		return nil
	}
	for _, name := range guesses {
		out = append(out, &spec.Param{Name: name, In: "query", Schema: &spec.Schema{}})
	}
	return out
}

// sizeName reports whether a parameter is called like one that says how many rows.
func sizeName(name string) bool {
	words := value.Words(strings.Trim(name, "$[]"))
	joined := strings.Join(words, "")
	switch joined {
	case "limit", "size", "count", "max", "take", "top", "first", "n", "num", "rows", "length", "results", "pagelimit", "perpage", "pagesize",
		"maxresults", "maxitems", "itemsperpage", "numresults", "resultsperpage", "rowsperpage", "batchsize", "pagecount", "maxrows", "maxcount", "ipp", "pp", "pagelength", "days":
		return true
	}
	return has(words, "limit") && !has(words, "rate", "price", "upper", "lower", "credit", "time")
}

// mayList reports whether an answer may be a list although the one that is known is none.
func mayList(op *spec.Operation) bool {
	_, element := op.Result().List()
	return element != nil
}

// rows returns how many elements the longest list of an answer has, or -1.
func rows(ex *wire.Exchange) int {
	v, ok := probe.Decode(ex)
	if !ok {
		return -1
	}
	return longest(v, 0)
}

func longest(v any, depth int) int {
	n := -1
	switch v := v.(type) {
	case []any:
		return len(v)
	case map[string]any:
		if depth < 3 {
			for _, e := range v {
				n = max(n, longest(e, depth+1))
			}
		}
	}
	return n
}

// tooMany asks for more rows than a page should have.
func tooMany(ctx context.Context, t *probe.Target, s *probe.Sample, p *spec.Param, why string) (claim check.Claim, found bool) {
	ask := func(n int) (*wire.Exchange, int) {
		ex := t.Send(ctx, s.User, s.Case.With("query", p.Name, n), why)
		if !probe.Granted(ex) {
			return ex, -1
		}
		return ex, rows(ex)
	}
	usual := t.Send(ctx, s.User, s.Case.Without("query", p.Name), why)
	before := rows(usual)
	few, one := ask(1)
	if one != 1 || before == 1 && p.Schema.Maximum == nil {
		return claim, false // The parameter says something else, or nothing.
	}
	declared, bound, wanted := "the document has no bound", pageOfRows, manyRows
	if m := p.Schema.Maximum; m != nil && *m >= 1 && *m <= 100_000 {
		bound, wanted = int(*m), int(*m)+beyondBound
		declared = fmt.Sprintf("the document says %d at most", bound)
	}
	many, n := ask(wanted)
	claim = check.Claim{
		Place:    probe.PlaceOf(s.Case.Op, "query "+p.Name, ""),
		Evidence: []finding.Evidence{evidence(fmt.Sprintf("%d rows are asked for", wanted), many), evidence("one is asked for", few)},
	}
	switch {
	case n > bound:
		claim.Says = fmt.Sprintf("with %s=%d the answer has %d rows; %s", p.Name, wanted, n, declared)
		claim.Control = fmt.Sprintf("with %s=1 it has one row, without it %d: the caller alone decides", p.Name, max(before, 0))
		again, m := ask(wanted)
		claim.Evidence = append(claim.Evidence, evidence("and once more", again))
		return claim, m > bound
	case many.Truncated && many.OK() && len(many.Body) >= hugeAnswer && len(usual.Body) < hugeAnswer/4:
		claim.Says = fmt.Sprintf("with %s=%d the answer has more than %d bytes, and is not read to its end; %s", p.Name, wanted, len(many.Body), declared)
		claim.Control = fmt.Sprintf("with %s=1 it has %d bytes, without it %d", p.Name, len(few.Body), len(usual.Body))
		return claim, true
	}
	if n <= before || n < 2 || echoes(many, p.Name, n) || !probe.Granted(many) {
		return claim, false
	}
	return belowZero(claim, p, usual, n, wanted, ask)
}

// hugeAnswer is how many bytes of an answer are more than a page.
const hugeAnswer = 1 << 20

// echoes reports whether an answer says that the page is smaller than was asked for.
func echoes(ex *wire.Exchange, param string, atLeast int) bool {
	for _, leaf := range probe.Leaves(ex) {
		if n, ok := float(leaf.Value); ok && value.Normal(leaf.Name()) == value.Normal(param) && !strings.Contains(leaf.Pointer, "*") {
			return n >= float64(atLeast) && n <= pageOfRows
		}
	}
	return false
}

// belowZero asks for fewer rows than none, which databases take for all of them. There are
// not as many rows as would show that a large number has no bound.
func belowZero(claim check.Claim, p *spec.Param, usual *wire.Exchange, n, wanted int, ask func(int) (*wire.Exchange, int)) (check.Claim, bool) {
	before := rows(usual)
	claim.Evidence = append(claim.Evidence, evidence("none is asked for", usual))
	all, m := ask(-1)
	if m > before && m >= n {
		claim.Says = fmt.Sprintf("%s=-1 takes the bound away: the answer has %d rows, and %d without it", p.Name, m, before)
		claim.Control = fmt.Sprintf("with %s=1 it has one row, and with %s=%d as many as there are, %d", p.Name, p.Name, wanted, n)
		claim.Evidence = append([]finding.Evidence{evidence("-1 is asked for", all)}, claim.Evidence...)
		return claim, true
	}
	if n%10 == 0 && n >= 20 { // That is how bounds are, and how many things there are is not.
		return claim, false
	}
	claim.Hint = true
	claim.Says = fmt.Sprintf("%s=%d is taken: the answer has all %d rows, and %d without it", p.Name, wanted, n, before)
	claim.Control = "none: there are too few rows to see whether there is a bound above"
	return claim, true
}
