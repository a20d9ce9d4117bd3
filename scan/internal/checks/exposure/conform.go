package exposure

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
	"github.com/fastness/fastness/scan/internal/value"
	"github.com/fastness/fastness/scan/wire"
)

// conformance compares answers with the document, and sends what the document refuses.
// What of that is kept is one finding for each kind of contradiction, with all operations.
func conformance() check.Check {
	kind := kindConformance()
	return check.Check{
		Kind: kind, Phase: check.Passive,
		Run: func(_ context.Context, t *probe.Target, report check.Report) error {
			for _, op := range t.API.Operations {
				for _, s := range samples(t, op) {
					if contradicts(op, s.Exchange, report) {
						break
					}
				}
			}
			return nil
		},
		Also: []check.Part{{Phase: check.Write, Run: func(ctx context.Context, t *probe.Target, report check.Report) error {
			for _, op := range t.API.Operations {
				if ctx.Err() != nil {
					break
				}
				if !op.Safe() && op.Method != http.MethodDelete && op.Found == "" && t.Held(op) == "" && explore.Dangerous(op) == "" && !explore.IsSign(op) {
					takesInvalid(ctx, t, op, kind.ID, report)
				}
			}
			return ctx.Err()
		}}},
	}
}

// contradicts looks at one answer of success.
func contradicts(op *spec.Operation, ex *wire.Exchange, report check.Report) bool {
	if len(op.Answers) == 0 || !ex.OK() {
		return false
	}
	say := func(cause, says string) {
		report(check.Claim{
			Place: probe.PlaceOf(op, "", ""), Cause: cause, Says: says, Control: "the request is one that the document allows, and the answer is one of success",
			Evidence: []finding.Evidence{evidence("it is answered so", ex)},
		})
	}
	a := op.Answer(ex.Status)
	if a == nil {
		say("status", fmt.Sprintf("the answer is %d, and the document declares %s", ex.Status, statuses(op)))
		return true
	}
	if len(a.Media) > 0 && len(ex.Body) > 0 && ex.Media() != "" && !slices.ContainsFunc(a.Media, func(m *spec.Media) bool { return m.Any || sameMedia(m.Type, ex.Media()) }) {
		say("media type", fmt.Sprintf("the answer is %s, and the document declares %s", ex.Media(), a.Media[0].Type))
		return true
	}
	v, ok := probe.Decode(ex)
	schema := declared(op, ex)
	if !ok || schema == nil {
		return false
	}
	wrong := schema.Check(v)
	wrong = slices.DeleteFunc(wrong, func(m spec.Mismatch) bool { return strings.Contains(m.What, "is not declared") })
	if len(wrong) > 0 {
		say("schema", fmt.Sprintf("the answer is not as the document declares it: %s %s", strings.TrimPrefix(wrong[0].Pointer, "/"), wrong[0].What))
		return true
	}
	return false
}

func statuses(op *spec.Operation) string {
	var out []string
	for s := range op.Answers {
		if strings.HasPrefix(s, "2") || s == "default" {
			out = append(out, s)
		}
	}
	slices.Sort(out)
	if len(out) == 0 {
		return "no answer of success"
	}
	return strings.Join(out, ", ")
}

// sameMedia reports whether an answer may be called so: any JSON is JSON.
func sameMedia(declared, answered string) bool {
	if declared == answered || declared == "*/*" || declared == "" {
		return true
	}
	kind, isRange := strings.CutSuffix(declared, "/*")
	return isRange && strings.HasPrefix(answered, kind+"/") || strings.HasSuffix(declared, "json") && strings.HasSuffix(answered, "json") ||
		strings.HasSuffix(declared, "xml") && strings.HasSuffix(answered, "xml") || strings.HasSuffix(declared, "yaml") && strings.HasSuffix(answered, "yaml")
}

// maxInvalid is how many wrong values an operation gets.
const maxInvalid = 10

// takesInvalid sends values that the document refuses for certain, and reports one that is
// kept: the answer has it, or a list does.
func takesInvalid(ctx context.Context, t *probe.Target, op *spec.Operation, why string, report check.Report) {
	s := t.AnySample(op)
	if s == nil || s.Case.Media == "" {
		return
	}
	sentSome := 0
	for _, p := range s.Case.Points() {
		if p.In != "body" || p.Name == "" || p.Schema == nil {
			continue
		}
		for _, wrong := range scalars(p) {
			if sentSome++; sentSome > maxInvalid || ctx.Err() != nil {
				return
			}
			ex := t.Send(ctx, s.User, s.Case.With("body", p.Name, wrong.Value), why)
			if !probe.Granted(ex) {
				continue
			}
			shown := keeps(ctx, t, s, ex, p, wrong, why)
			if shown == nil {
				continue
			}
			report(check.Claim{
				Place: probe.PlaceOf(op, p.String(), ""), Cause: "invalid input",
				Says:     fmt.Sprintf("what the document refuses is kept: %s as %s", wrong.Why, p),
				Control:  "the value is read back as it was sent",
				Evidence: []finding.Evidence{evidence("it is taken", ex), evidence("it is read back", shown)},
			})
			return
		}
	}
}

// scalars are wrong values whose fate can be seen.
func scalars(p probe.Point) (out []value.Wrong) {
	for _, w := range value.Invalid(p.Schema) {
		switch v := w.Value.(type) {
		case map[string]any, []any, nil, bool:
		case string:
			if len(v) > 0 && len(v) < 5000 && p.Schema.Is("string") {
				out = append(out, w)
			}
		default:
			if p.Schema.Is("integer") || p.Schema.Is("number") {
				out = append(out, w)
			}
		}
	}
	return out[:min(len(out), 4)]
}

// keeps returns an answer that has the value in a member of the same name, or nil.
func keeps(ctx context.Context, t *probe.Target, s *probe.Sample, ex *wire.Exchange, p probe.Point, wrong value.Wrong, why string) *wire.Exchange {
	has := func(ex *wire.Exchange) bool {
		return slices.ContainsFunc(probe.Leaves(ex), func(l probe.Leaf) bool {
			return plain(l.Name()) == plain(p.Last()) && l.Text() == probe.Text(wrong.Value) && l.Text() != ""
		})
	}
	if has(ex) {
		return ex
	}
	reader := t.API.Find(http.MethodGet, s.Case.Op.Path)
	if reader == nil {
		return nil
	}
	c := &probe.Case{Op: reader, Path: s.Case.Path}
	if own := t.Sample(reader, s.User); own != nil {
		c = own.Case.Clone()
		c.Path = s.Case.Path
	}
	if read := t.Send(ctx, s.User, c, why); probe.Granted(read) && has(read) {
		return read
	}
	return nil
}
