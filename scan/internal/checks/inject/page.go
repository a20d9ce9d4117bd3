package inject

import (
	"context"
	"fmt"
	"strings"

	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/internal/check"
	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/wire"
)

// element is what a page must not have as an element. The characters in front of it leave
// an attribute; what is of a name that nobody has does nothing in a browser.
type element struct{ left, right string }

func newElement(t *probe.Target) element {
	m := t.Marker()
	return element{"z" + m[2:10], m[10:14] + "z"}
}

func (e element) text() string { return e.left + `'"><fzx ` + "a=1>" + e.right }

// raw reports whether a page has it as an element.
func (e element) raw(ex *wire.Exchange) bool {
	for _, after := range strings.Split(ex.Text(), e.left)[1:] {
		if inner, _, whole := strings.Cut(after, e.right); whole && strings.Contains(inner, "<fzx a=1>") {
			return true
		}
	}
	return false
}

// runs reports whether a browser takes an answer for a page.
func runs(ex *wire.Exchange) bool {
	if strings.HasPrefix(strings.ToLower(strings.TrimSpace(ex.Header.Get("Content-Disposition"))), "attachment") {
		return false
	}
	policy := strings.ToLower(ex.Header.Get("Content-Security-Policy"))
	if strings.Contains(policy, "sandbox") && !strings.Contains(policy, "allow-scripts") {
		return false
	}
	switch ex.Media() {
	case "text/html", "application/xhtml+xml", "image/svg+xml":
		return true
	case "":
		return len(ex.Body) > 0 && !strings.EqualFold(ex.Header.Get("X-Content-Type-Options"), "nosniff")
	}
	return false
}

// severityOf is lower where a policy keeps scripts from running.
func severityOf(ex *wire.Exchange) *finding.Severity {
	policy := strings.ToLower(ex.Header.Get("Content-Security-Policy"))
	if strings.Contains(policy, "script-src") || strings.Contains(policy, "default-src") {
		if !strings.Contains(policy, "unsafe-inline") && !strings.Contains(policy, "*") {
			low := finding.Low
			return &low
		}
	}
	return nil
}

// reflected sends elements in values that a link can hold, and looks for them in pages.
func reflected(ctx context.Context, t *probe.Target, s spot) (claim check.Claim, found bool) {
	link := s.point.In == "query" || s.point.In == "path" || s.point.In == "body" && strings.HasPrefix(s.c.Media, "application/x-www-form") || s.c.Media == "multipart/form-data"
	if !link {
		return claim, false
	}
	var ex *wire.Exchange
	for range 2 {
		e := newElement(t)
		ex = s.with(ctx, t, e.text())
		if !runs(ex) || !e.raw(ex) {
			return claim, false
		}
	}
	return check.Claim{
		Severity: severityOf(ex),
		Says:     fmt.Sprintf("an element that stands in %s is an element of the page", s.point),
		Control:  "the answer is one that browsers show as a page (" + typeOf(ex) + "), and the angle brackets in it are those that were sent; twice, with different texts",
		Evidence: []finding.Evidence{evidence("the element is in the page", ex)},
	}, true
}

func typeOf(ex *wire.Exchange) string {
	if m := ex.Media(); m != "" {
		return m
	}
	return "no Content-Type"
}

// stored writes elements wherever texts are kept, and looks for them in all pages.
func stored() []check.Check {
	kind := kindStored()
	return []check.Check{{Kind: kind, Phase: check.Write, Run: func(ctx context.Context, t *probe.Target, report check.Report) error {
		pages := pagesOf(t)
		if len(pages) == 0 {
			return nil
		}
		for _, s := range spots(t, kind.ID, false) {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if s.point.In != "body" || !takesText(s) || hasPart(s.point.Last(), "email", "mail", "username", "phone") {
				continue
			}
			if claim, found := keeps(ctx, t, s, pages); found {
				report(claim)
			}
		}
		return ctx.Err()
	}}}
}

// pagesOf returns a request for each page that the target has.
func pagesOf(t *probe.Target) (out []*probe.Sample) {
	for _, op := range t.API.Operations {
		if op.Method != "GET" || t.Held(op) != "" {
			continue
		}
		if s := t.AnySample(op); s != nil && runs(s.Exchange) && s.Exchange.Media() != "" {
			out = append(out, s)
		}
	}
	return out[:min(len(out), 12)]
}

func keeps(ctx context.Context, t *probe.Target, s spot, pages []*probe.Sample) (claim check.Claim, found bool) {
	e := newElement(t)
	written := s.with(ctx, t, e.text())
	if probe.Refused(written) {
		return claim, false
	}
	for _, page := range pages {
		for _, c := range views(page.Case, s.c, written) {
			shown := t.Send(ctx, page.User, c, s.why)
			if !runs(shown) || !e.raw(shown) {
				continue
			}
			return check.Claim{
				Place: probe.PlaceOf(s.op, s.point.String(), ""), Cause: s.op.String() + s.point.String(), Severity: severityOf(shown),
				Says:     fmt.Sprintf("an element that is written by %s of %s is an element of the page %s, for all who look at it", s.point, s.op, c.Op),
				Control:  "the request for the page does not hold it, the page is " + typeOf(shown) + ", and the angle brackets in it are those that were written",
				Evidence: []finding.Evidence{evidence("the text is written", written), evidence("the page has it as an element", shown)},
			}, true
		}
	}
	return claim, false
}

// views returns requests for a page: as it is, about what the writing request is about, and
// about what it made.
func views(page, writing *probe.Case, written *wire.Exchange) []*probe.Case {
	out := []*probe.Case{page}
	var made any
	for _, leaf := range probe.Leaves(written) {
		if name := strings.ToLower(leaf.Name()); made == nil && (name == "id" || name == "_id" || name == "slug" || name == "uuid" || strings.HasSuffix(name, "_id") && strings.Count(leaf.Pointer, "/") == 1) {
			made = leaf.Value
		}
	}
	for _, p := range page.Op.Params {
		if p.In != "path" && p.In != "query" {
			continue
		}
		if v, ok := writing.Path[p.Name]; ok {
			out = append(out, page.With(p.In, p.Name, v))
		}
		if made != nil && p.In == "path" {
			out = append(out, page.With(p.In, p.Name, made))
		}
	}
	return out
}
