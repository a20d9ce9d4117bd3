package limits

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/internal/check"
	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/internal/value"
	"github.com/fastness/fastness/scan/wire"
)

// Bounds of what is measured.
const (
	// longest is how long one probe may take.
	longestProbe = 2 * time.Second
	// calm is what an operation takes at most that is measured at all.
	calm = 250 * time.Millisecond
	// slow is what is more than chance, beside many times of what is usual.
	slow = 60 * time.Millisecond
	// maxTexts is how many places of an operation are tried.
	maxTexts = 6
)

// family is a kind of text that regular expressions try to match in many ways. Harmless is
// one of the same length that matches in one way, or fails at once.
type family struct {
	says           string
	text, harmless func(n int) string
	// lengths are tried in order until one is slow; less is how much shorter one has to be
	// to be fast.
	lengths []int
	less    func(n int) int
}

// superlinear sends texts of growing length that are almost right, and looks whether the
// time grows faster than they do.
func superlinear() check.Check {
	kind := kindSuperlinear()
	return check.Check{Kind: kind, Phase: check.Write, Deep: true, Alone: true, Run: func(ctx context.Context, t *probe.Target, report check.Report) error {
		for _, op := range t.API.Operations {
			s := byOrdinary(t, op)
			if s == nil || ctx.Err() != nil || op.Method != "GET" && !changes(op) || logsIn(op) {
				continue
			}
			if claim, found := slowText(ctx, t, s, kind.ID); found {
				report(claim)
			}
		}
		return ctx.Err()
	}}
}

// slowText tries the texts of one operation.
func slowText(ctx context.Context, t *probe.Target, s *probe.Sample, why string) (claim check.Claim, found bool) {
	points := texts(s.Case)
	if len(points) == 0 {
		return claim, false
	}
	w := watch{ctx, t, s, why}
	usual := time.Duration(0)
	for range 3 {
		took, _ := w.time(s.Case)
		usual = max(usual, took)
	}
	if usual > calm { // It is always slow.
		return claim, false
	}
	for _, p := range points {
		for _, f := range families(p) {
			if claim, found = w.grows(p, f, usual); found || ctx.Err() != nil {
				return claim, found
			}
		}
	}
	return claim, false
}

// texts returns the places that take any text.
func texts(c *probe.Case) (out []probe.Point) {
	for _, p := range c.Points() {
		text, isText := p.Value.(string)
		words := value.Words(p.Last())
		switch {
		case p.In != "query" && p.In != "body", !isText && (p.Value != nil || p.Schema == nil || !p.Schema.Is("string")),
			has(words, "id", "uuid", "password", "token", "date", "time", "at", "file", "image", "secret", "key"):
			continue
		case p.Schema != nil && (len(p.Schema.Enum) > 0 || p.Schema.Format != "" && p.Schema.Format != "email" && p.Schema.Format != "uri" && p.Schema.Format != "url" && p.Schema.Format != "hostname"):
			continue
		case strings.Trim(text, "0123456789.-:TZ") == "" && text != "":
			continue
		}
		out = append(out, p)
	}
	slices.SortStableFunc(out, func(a, b probe.Point) int { return checked(b) - checked(a) })
	return out[:min(len(out), maxTexts)]
}

// checked tells how likely it is that a regular expression looks at a place.
func checked(p probe.Point) int {
	n := 0
	if p.Schema != nil && (p.Schema.Pattern != "" || p.Schema.Format != "") {
		n = 2
	}
	if has(value.Words(p.Last()), "email", "mail", "url", "uri", "website", "phone", "slug", "username", "domain", "host", "pattern", "regex", "version", "color", "zip", "postcode", "iban", "vat") {
		n++
	}
	return n
}

// families returns the texts that are tried at a place.
func families(p probe.Point) []family {
	repeat := strings.Repeat
	doubling, fewer := []int{17, 20, 23, 26, 30}, func(n int) int { return n - 3 }
	same := func(n int) string { return repeat("a", n+1) }
	text, _ := p.Value.(string)
	words := value.Words(p.Last())
	var out []family
	switch {
	case strings.Contains(text, "@") || has(words, "email", "mail"):
		honest := func(n int) string { return repeat("a", n+1) + "@example.com" }
		out = append(out,
			family{"letters and an exclamation mark before the @", func(n int) string { return repeat("a", n) + "!@example.com" }, honest, doubling, fewer},
			family{"letters and an exclamation mark behind the @", func(n int) string { return "a@" + repeat("a", n) + "!" }, honest, doubling, fewer},
			family{"letters and an exclamation mark", func(n int) string { return repeat("a", n) + "!" }, same, doubling, fewer})
	case strings.Contains(text, "://") || has(words, "url", "uri", "website", "link", "homepage", "callback"):
		honest := func(n int) string { return "http://" + repeat("a", n+1) }
		out = append(out, family{"an address of letters and an exclamation mark", func(n int) string { return "http://" + repeat("a", n) + "!" }, honest, doubling, fewer})
	default:
		out = append(out,
			family{"letters and an exclamation mark", func(n int) string { return repeat("a", n) + "!" }, same, doubling, fewer},
			family{"digits and an exclamation mark", func(n int) string { return repeat("1", n) + "!" }, func(n int) string { return repeat("1", n+1) }, doubling, fewer})
	}
	if p.In == "body" && (p.Schema == nil || p.Schema.MaxLength == nil || *p.Schema.MaxLength > 16_000) {
		half := func(n int) int { return n / 2 }
		out = append(out,
			family{"blanks and a letter", func(n int) string { return "a" + repeat(" ", n) + "a" }, same, []int{4000, 16_000}, half},
			family{"letters and an exclamation mark", func(n int) string { return repeat("a", n) + "!" }, func(n int) string { return repeat("a", n/2) + repeat(" a", n/4) }, []int{4000, 16_000}, half})
	}
	return out
}

// watch measures time.
type watch struct {
	ctx context.Context
	t   *probe.Target
	s   *probe.Sample
	why string
}

// time sends a case and returns how long it took; it gives up at longestProbe.
func (w watch) time(c *probe.Case) (time.Duration, *wire.Exchange) {
	ctx, cancel := context.WithTimeout(w.ctx, longestProbe)
	defer cancel()
	r := c.Request()
	r.Why, r.NoRetry = w.why, true
	ex := w.t.Once(ctx, w.s.User, r)
	if ctx.Err() != nil {
		return longestProbe, ex
	}
	return ex.Took, ex
}

// grows looks for a length at which a family is slow, and then whether shorter ones and
// harmless ones are not, three times.
func (w watch) grows(p probe.Point, f family, usual time.Duration) (claim check.Claim, found bool) {
	at := func(text string) *probe.Case { return w.s.Case.With(p.In, p.Name, text) }
	n := 0
	for _, length := range f.lengths {
		took, ex := w.time(at(f.text(length)))
		if ex.Status == 429 || ex.Status == 413 || ex.Status == 414 || w.ctx.Err() != nil {
			return claim, false
		}
		if took > slow+5*usual {
			n = length
			break
		}
	}
	if n == 0 {
		return claim, false
	}
	var long, short, harmless []time.Duration
	var evidence []finding.Evidence
	for round := range 3 {
		a, exA := w.time(at(f.harmless(n)))
		b, exB := w.time(at(f.text(f.less(n))))
		c, exC := w.time(at(f.text(n)))
		if exA.Err != nil || exB.Err != nil || exC.Status == 429 || w.ctx.Err() != nil {
			return claim, false
		}
		harmless, short, long = append(harmless, a), append(short, b), append(long, c)
		if round == 0 {
			evidence = []finding.Evidence{said(fmt.Sprintf("%d are slow: %v", n, c), exC), said(fmt.Sprintf("%d are not: %v", f.less(n), b), exB), said(fmt.Sprintf("harmless, and as long: %v", a), exA)}
		}
	}
	w.t.Logger().Debug("slow", "check", w.why, "operation", w.s.Case.Op.ID, "point", p.String(), "n", n, "long", long, "short", short, "harmless", harmless)
	least := slices.Min(long)
	if least < 3*slices.Max(short) || least < slow+5*slices.Max(harmless) {
		return claim, false
	}
	ms := func(d time.Duration) string { return d.Round(time.Millisecond).String() }
	return check.Claim{
		Place: probe.PlaceOf(w.s.Case.Op, p.String(), ""),
		Says:  fmt.Sprintf("%s: %d of them take %s or more, %d take %s or less", f.says, n, ms(least), f.less(n), ms(slices.Max(short))),
		Control: fmt.Sprintf("a harmless text of the same length takes %s at most; each was measured three times, in turn, and nothing else was under way",
			ms(slices.Max(harmless))),
		Evidence: evidence,
	}, true
}

// said is evidence without the whole of a long text.
func said(says string, ex *wire.Exchange) finding.Evidence {
	if len(ex.Request.Body) > 2000 {
		ex = shortened(ex)
	}
	return evidence(says, ex)
}
