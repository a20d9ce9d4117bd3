package inventory

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/internal/check"
	"github.com/fastness/fastness/scan/internal/explore"
	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/internal/spec"
	"github.com/fastness/fastness/scan/wire"
)

// methods tries methods that nobody declared, and the header field that turns a GET into
// another one. Both are proved by what is gone afterwards, of what the scan has made.
func methods() check.Check {
	kind := kindMethods()
	return check.Check{Kind: kind, Phase: check.Destroy, Run: func(ctx context.Context, t *probe.Target, report check.Report) error {
		overridden := 0
		for _, op := range t.API.Operations {
			if op.Method != http.MethodGet || op.Found != "" || !strings.HasSuffix(op.Path, "}") || ctx.Err() != nil || explore.Dangerous(op) != "" {
				continue
			}
			m := &method{ctx: ctx, t: t, op: op, why: kind.ID}
			if overridden < 3 { // It is mostly one middleware of all.
				if claim, found := m.override(); found {
					overridden++
					report(claim)
				}
			}
			if claim, found := m.undeclared(); found {
				report(claim)
			}
		}
		return ctx.Err()
	}}
}

type method struct {
	ctx context.Context
	t   *probe.Target
	op  *spec.Operation
	why string
}

// fresh returns a request that reads something that was made just now, by its owner.
func (m *method) fresh() (*probe.Sample, bool) {
	x := explore.For(m.t)
	for _, u := range m.t.Ordinary() {
		s := m.t.Sample(m.op, u)
		if s == nil {
			continue
		}
		for _, o := range m.t.Objects(u) {
			if o.Made == nil {
				continue
			}
			at := slices.IndexFunc(s.Case.Points(), func(p probe.Point) bool {
				return p.In == "path" && probe.Text(p.Value) == probe.Text(o.ID) && strings.HasSuffix(m.op.Path, "{"+p.Name+"}")
			})
			if at < 0 {
				continue
			}
			made, err := x.Fresh(m.ctx, u, o)
			if err != nil {
				return nil, false
			}
			c := s.Case.With("path", s.Case.Points()[at].Name, made.ID)
			ex := m.t.Send(m.ctx, u, c, m.why)
			return &probe.Sample{Case: c, User: u, Exchange: ex}, probe.Granted(ex) && hasData(ex)
		}
	}
	return nil, false
}

// gone reports whether what was there is not there any more.
func gone(ex *wire.Exchange) bool {
	return ex.Status == http.StatusNotFound || ex.Status == http.StatusGone || ex.OK() && probe.Refused(ex)
}

// override sends a GET that says it is a DELETE.
func (m *method) override() (claim check.Claim, found bool) {
	if m.t.API.Find(http.MethodDelete, m.op.Path) == nil {
		return claim, false
	}
	for _, name := range []string{"X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method"} {
		// A word that is no method tells at once whether anybody looks at the field.
		s := m.anyRead()
		if s == nil {
			return claim, false
		}
		if usual, odd := m.get(s, "", ""), m.get(s, name, "FZNOTHING"); odd.Status == usual.Status && probe.Shape(odd) == probe.Shape(usual) {
			continue
		}
		victim, ok := m.fresh()
		if !ok {
			return claim, false
		}
		done := m.get(victim, name, http.MethodDelete)
		after := m.get(victim, "", "")
		if !gone(after) {
			continue
		}
		return check.Claim{
			Place: probe.PlaceOf(m.op, "header "+name, victim.User.Name), Cause: "override " + name,
			Says:    "a GET becomes a DELETE by the header field " + name + ": whatever lets reading pass lets this pass, too",
			Control: "the object was read just before, and is gone just after, with no other request between",
			Evidence: []finding.Evidence{
				evidence("it is there", victim.Exchange), evidence("a GET with the field", done), evidence("it is gone", after),
			},
		}, true
	}
	return claim, false
}

func (m *method) anyRead() *probe.Sample {
	for _, u := range m.t.Ordinary() {
		if s := m.t.Sample(m.op, u); s != nil {
			return s
		}
	}
	return nil
}

func (m *method) get(s *probe.Sample, name, v string) *wire.Exchange {
	r := s.Case.Request()
	r.Why = m.why
	if name != "" {
		r.Header.Set(name, v)
	}
	return m.t.Do(m.ctx, s.User, r)
}

// undeclared sends DELETE where it is not declared: to an object that was made for it, or
// to a setting that PUT can put back.
func (m *method) undeclared() (claim check.Claim, found bool) {
	if op := m.t.API.Find(http.MethodDelete, m.op.Path); op != nil && op.Found == "" {
		return claim, false
	}
	s, put := m.settable()
	if s == nil {
		if fresh, ok := m.fresh(); ok {
			s = fresh
		} else {
			return claim, false
		}
	} else if ex := m.t.Send(m.ctx, s.User, put, m.why); !probe.Granted(ex) {
		return claim, false
	}
	before, steady := m.get(s, "", ""), m.get(s, "", "")
	if !probe.Granted(before) || before.Text() != steady.Text() {
		return claim, false
	}
	r := s.Case.Request()
	r.Method, r.Body, r.Why, r.Operation = http.MethodDelete, nil, m.why, ""
	done := m.t.Do(m.ctx, s.User, r)
	after := m.get(s, "", "")
	if !probe.Granted(done) || after.Text() == before.Text() || !gone(after) && !probe.Granted(after) {
		return claim, false
	}
	if put != nil {
		m.t.Send(m.ctx, s.User, put, m.why)
	}
	return check.Claim{
		Place:   finding.Place{Method: http.MethodDelete, Path: m.op.Path, Users: s.User.Name},
		Says:    fmt.Sprintf("DELETE, which nobody declared, is taken (%d) and changes what %s answers", done.Status, m.op),
		Control: "the answer was the same twice before, and is another one after",
		Evidence: []finding.Evidence{
			evidence("before", before), evidence("the method that is not declared", done), evidence("after", after),
		},
	}, true
}

// settable returns a request that reads what the caller has set by PUT, and that PUT.
func (m *method) settable() (*probe.Sample, *probe.Case) {
	setter := m.t.API.Find(http.MethodPut, m.op.Path)
	if setter == nil {
		return nil, nil
	}
	for _, u := range m.t.Ordinary() {
		set := m.t.Sample(setter, u)
		if set == nil {
			continue
		}
		return &probe.Sample{Case: &probe.Case{Op: m.op, Path: set.Case.Path, Query: set.Case.Query, Header: set.Case.Header}, User: u}, set.Case
	}
	return nil, nil
}
