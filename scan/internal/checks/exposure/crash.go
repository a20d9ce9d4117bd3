package exposure

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/internal/check"
	"github.com/fastness/fastness/scan/internal/explore"
	"github.com/fastness/fastness/scan/internal/login"
	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/internal/spec"
	"github.com/fastness/fastness/scan/internal/value"
	"github.com/fastness/fastness/scan/wire"
)

// crashes sends input that is valid and input that is not, and notes what makes the target
// fail; and asks again what failed when others asked it.
func crashes() check.Check {
	kind := kindCrash()
	c := &crasher{kind: kind, seen: map[string]*wire.Exchange{}, told: map[string]bool{}}
	return check.Check{
		Kind: kind, Phase: check.Read, Look: func(_ *probe.Target, ex *wire.Exchange, _ check.Report) { c.note(ex) },
		Run: func(ctx context.Context, t *probe.Target, report check.Report) error {
			return c.run(ctx, t, report, true)
		},
		Also: []check.Part{{Phase: check.Write, Run: func(ctx context.Context, t *probe.Target, report check.Report) error {
			return c.run(ctx, t, report, false)
		}}},
	}
}

type crasher struct {
	kind finding.Kind
	mu   sync.Mutex
	seen map[string]*wire.Exchange // the first failure of each operation
	told map[string]bool           // operations that were reported
}

// crashed reports whether an answer says that the program failed. 501 is a decision, and
// 502 to 504 are of a proxy, or of too much work.
func crashed(ex *wire.Exchange) bool {
	return ex.Status >= 500 && ex.Status != http.StatusNotImplemented && (ex.Status < 502 || ex.Status > 504) && ex.Status != http.StatusInsufficientStorage && ex.Status < 520
}

func (c *crasher) note(ex *wire.Exchange) {
	if !crashed(ex) || ex.Request.Operation == "" || ex.Request.Why == c.kind.ID || len(ex.Request.Body) > 64<<10 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.seen[ex.Request.Operation] == nil {
		c.seen[ex.Request.Operation] = ex
	}
}

func (c *crasher) noted(op *spec.Operation) *wire.Exchange {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.seen[op.ID]
}

// run tries the operations that only read, or those that do not.
func (c *crasher) run(ctx context.Context, t *probe.Target, report check.Report, reading bool) error {
	for _, op := range t.API.Operations {
		if op.Safe() != reading || c.told[op.ID] || t.Held(op) != "" || explore.Dangerous(op) != "" {
			continue
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if op.Method != http.MethodDelete && c.mutate(ctx, t, op, report) {
			continue
		}
		c.repeat(ctx, t, op, report)
	}
	return ctx.Err()
}

// repeat asks again what failed when something else was looked for. Objects may be gone
// meanwhile, so that what does not fail again says nothing.
func (c *crasher) repeat(ctx context.Context, t *probe.Target, op *spec.Operation, report check.Report) {
	first := c.noted(op)
	if first == nil || op.Method == http.MethodDelete {
		return
	}
	r := wire.Request{
		Method: first.Request.Method, Path: first.Request.Path, Query: first.Request.Query, Body: first.Request.Body,
		Header: bare(first.Request.Header), Operation: op.ID, Why: c.kind.ID,
	}
	user := userOf(t, first.Request.User)
	again := t.Do(ctx, user, r)
	if !crashed(again) {
		return
	}
	third := t.Do(ctx, user, r)
	if !crashed(third) {
		return
	}
	c.told[op.ID] = true
	says := fmt.Sprintf("the operation fails with %d each time it is asked", third.Status)
	control := "the same request failed three times"
	if s := t.AnySample(op); s != nil {
		fine := t.Send(ctx, s.User, s.Case, c.kind.ID)
		if crashed(fine) {
			return
		}
		control += "; another one is answered " + fmt.Sprint(fine.Status)
	}
	report(check.Claim{
		Place: probe.PlaceOf(op, "", ""), Cause: op.ID, Severity: as(finding.Medium), Says: says, Control: control,
		Evidence: []finding.Evidence{evidence("it fails", first), evidence("and again", third)},
	})
}

// bare returns a header without credentials.
func bare(h http.Header) http.Header {
	out := http.Header{}
	for _, name := range []string{"Accept", "Content-Type"} {
		if v := h.Get(name); v != "" {
			out.Set(name, v)
		}
	}
	return out
}

func userOf(t *probe.Target, name string) *login.User {
	for _, u := range t.Users {
		if u.Name == name {
			return u
		}
	}
	return nil
}

// maxPoints of an operation that get other values.
const maxPoints = 10

// mutate changes one value of a request that works at a time, until one makes it fail.
func (c *crasher) mutate(ctx context.Context, t *probe.Target, op *spec.Operation, report check.Report) (found bool) {
	s := t.AnySample(op)
	if s == nil || explore.IsSign(op) {
		return false
	}
	points := slices.DeleteFunc(s.Case.Points(), func(p probe.Point) bool { return p.In == "cookie" })
	for _, p := range points[:min(len(points), maxPoints)] {
		for _, m := range mutations(p) {
			if ctx.Err() != nil {
				return false
			}
			if c.try(ctx, t, s, p.String(), m, s.Case.With(p.In, p.Name, m.Value), report) {
				return true
			}
		}
	}
	if s.Case.Media == "" {
		return false
	}
	for _, m := range []mutation{{value.Wrong{Value: nil, Why: "null"}, false}, {value.Wrong{Value: []any{}, Why: "an empty list"}, false}, {value.Wrong{Value: map[string]any{}, Why: "an empty object"}, false}} {
		if strings.HasSuffix(s.Case.Media, "json") && c.try(ctx, t, s, "body", m, s.Case.With("body", "", m.Value), report) {
			return true
		}
	}
	return false
}

// mutation is a value that is sent instead, and whether the document allows it.
type mutation struct {
	value.Wrong
	valid bool
}

// try sends a request with another value, and reports it if the target fails of it.
func (c *crasher) try(ctx context.Context, t *probe.Target, s *probe.Sample, point string, m mutation, changed *probe.Case, report check.Report) bool {
	ex := t.Send(ctx, s.User, changed, c.kind.ID)
	if !crashed(ex) {
		return false
	}
	fine := t.Send(ctx, s.User, s.Case, c.kind.ID)
	again := t.Send(ctx, s.User, changed, c.kind.ID)
	if crashed(fine) || fine.Status == 0 || !crashed(again) {
		return false
	}
	severity, valid := finding.Low, ", which the document does not allow"
	if m.valid {
		severity, valid = finding.Medium, ", which the document allows"
	}
	c.told[s.Case.Op.ID] = true
	report(check.Claim{
		Place: probe.PlaceOf(s.Case.Op, point, ""), Cause: s.Case.Op.ID, Severity: as(severity),
		Says:    fmt.Sprintf("%s as %s%s makes the operation fail with %d", m.Why, point, valid, again.Status),
		Control: fmt.Sprintf("it failed twice, and between the two the request with the usual value was answered %d", fine.Status),
		Evidence: []finding.Evidence{
			evidence("it fails", again), evidence("with the usual value it does not", fine),
		},
	})
	return true
}

// mutations are the values that are tried at a place: valid ones at the edges first.
func mutations(p probe.Point) (out []mutation) {
	s := p.Schema
	add := func(v any, why string) {
		if probe.Text(v) == probe.Text(p.Value) {
			return
		}
		valid := s != nil && (len(s.Types) > 0 || len(s.Enum) > 0) && value.Violation(s, v) == ""
		out = append(out, mutation{value.Wrong{Value: v, Why: why}, valid})
	}
	number := func(n string) { add(json.Number(n), "the number "+n) }
	kind := kindOf(p)
	switch kind {
	case "integer", "number":
		for _, n := range []string{"2", "0", "-1", "9223372036854775808"} {
			number(n)
		}
		add("x1", "a text that is no number")
	case "boolean":
		add("maybe", "a text")
	default:
		if p.In == "path" {
			add("x1'", "a text with a quote")
			add(probe.Raw("%00"), "a NUL byte")
			add(probe.Raw("%FF%FE"), "bytes that are no UTF-8")
			break
		}
		add("", "an empty text")
		add("é漢🙂", "a text beyond ASCII")
		add("a\x00b", "a NUL byte")
		add(strings.Repeat("long ", 1200), "a text of 6000 characters")
	}
	if p.In == "query" {
		add([]any{"1", "2"}, "a parameter that is given twice")
	}
	if p.In == "body" {
		add(nil, "null")
		add(map[string]any{"a": json.Number("1")}, "an object")
		if kind == "string" || kind == "" {
			number("1")
		}
		add([]any{}, "an empty list")
	}
	return out
}

// kindOf returns the type of a place, by the document or by the value that works.
func kindOf(p probe.Point) string {
	for _, kind := range []string{"integer", "number", "boolean", "string"} {
		if p.Schema.Is(kind) {
			return kind
		}
	}
	if p.Value == nil {
		return ""
	}
	if p.In != "body" {
		if text := probe.Text(p.Value); text != "" && strings.Trim(text, "0123456789") == "" {
			return "integer"
		}
	}
	return spec.TypeOf(p.Value)
}
