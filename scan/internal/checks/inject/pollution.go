package inject

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/internal/check"
	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/wire"
)

// pollution sends members that change the prototype of all objects of a program in
// JavaScript, and looks at answers to other requests. What it changes is how JSON is
// indented, which hurts nobody, and it is changed back.
func pollution() []check.Check {
	kind := kindPollution()
	return []check.Check{{Kind: kind, Phase: check.Write, Run: func(ctx context.Context, t *probe.Target, report check.Report) error {
		watch := watched(t)
		if watch == nil {
			return nil
		}
		for _, op := range t.API.Operations {
			if op.Safe() || op.Body == nil || !usable(t, op) {
				continue
			}
			if ctx.Err() != nil {
				return ctx.Err()
			}
			s := baseOf(t, op, kind.ID)
			if body, ok := s.c.Body.(map[string]any); ok && strings.HasSuffix(s.c.Media, "json") && len(body) > 0 {
				if claim, found := pollutes(ctx, t, s, watch); found {
					report(claim)
				}
			}
		}
		return ctx.Err()
	}}}
}

// watched returns a request that only reads and is answered with JSON on one line.
func watched(t *probe.Target) *probe.Sample {
	for _, op := range t.API.Operations {
		if s := t.AnySample(op); s != nil && op.Method == "GET" && s.Exchange.IsJSON() && isFlat(s.Exchange) && t.Held(op) == "" {
			return s
		}
	}
	return nil
}

// isFlat reports whether JSON is not indented, and would be if it were to be.
func isFlat(ex *wire.Exchange) bool {
	text := bytes.TrimSpace(ex.Body)
	return len(text) > 4 && !bytes.Contains(text, []byte("\n"))
}

// indented reports whether JSON is indented by a number of blanks.
func indented(ex *wire.Exchange, n int) bool {
	_, after, ok := strings.Cut(ex.Text(), "\n")
	rest := strings.TrimLeft(after, " ")
	return ok && len(after)-len(rest) == n
}

func pollutes(ctx context.Context, t *probe.Target, s spot, watch *probe.Sample) (claim check.Claim, found bool) {
	look := func() *wire.Exchange { return t.Send(ctx, watch.User, watch.Case, s.why) }
	for _, at := range []func(any) (string, any){
		func(v any) (string, any) { return "/__proto__", v },
		func(v any) (string, any) { return "/constructor", map[string]any{"prototype": v} },
	} {
		set := func(n any) *wire.Exchange {
			name, v := at(map[string]any{"json spaces": n})
			return t.Send(ctx, s.user, s.c.With("body", name, v), s.why)
		}
		dirty := set(7)
		after := look()
		if !indented(after, 7) {
			continue
		}
		clean := set(0)
		back := look()
		twice := set(9)
		again := look()
		set(0)
		if indented(back, 7) || !indented(again, 9) {
			return claim, false
		}
		name, _ := at(nil)
		return check.Claim{
			Place: probe.PlaceOf(s.op, "body "+name, ""), Cause: s.op.String(),
			Says:     fmt.Sprintf("a member %s of the body changes all objects of the program: the JSON of %s is indented by seven blanks from then on", strings.TrimPrefix(name, "/"), watch.Case.Op),
			Control:  "it was on one line before, is again when the member says none, and indented by nine when it says nine; the request for it does not change",
			Evidence: []finding.Evidence{evidence("the change", dirty), evidence("another answer afterwards", after), evidence("it is changed back", clean), evidence("and to something else", twice)},
		}, true
	}
	return claim, false
}
