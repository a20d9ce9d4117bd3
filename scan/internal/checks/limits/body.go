package limits

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/internal/check"
	"github.com/fastness/fastness/scan/internal/explore"
	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/wire"
)

// Sizes of bodies in bytes: more than a request with a few members ever needs, and more than
// the limits that servers come with (1 MiB to 10 MiB).
const (
	largeBody = 5 << 18 // 1.25 MiB
	hugeBody  = 12 << 20
)

// maxHuge is how many operations are sent a huge body.
const maxHuge = 2

// bodySize sends bodies that are long because of blanks, which mean nothing in JSON.
func bodySize() check.Check {
	kind := kindBodySize()
	return check.Check{Kind: kind, Phase: check.Write, Deep: true, Run: func(ctx context.Context, t *probe.Target, report check.Report) error {
		huge, bounded := 0, 0
		for _, op := range t.API.Operations {
			s := byOrdinary(t, op)
			if s == nil || !changes(op) || signs(op) || ctx.Err() != nil || !strings.HasSuffix(s.Case.Media, "json") {
				continue
			}
			sizes := []int{largeBody, hugeBody}
			if huge >= maxHuge && bounded == 0 {
				sizes = sizes[:1]
			} else if bounded >= maxHuge && huge == 0 {
				break
			}
			claim, reached, refused := readsAll(ctx, t, s, sizes, kind.ID)
			switch {
			case reached == hugeBody:
				huge++
			case refused:
				bounded++
			}
			if reached == sizes[len(sizes)-1] {
				claim.Cause = "size of bodies"
				report(claim)
			}
		}
		return ctx.Err()
	}}
}

// readsAll sends longer and longer bodies, and returns the longest that was read to its end.
// That it was read is known because the same one without its last byte is refused. Refused is
// whether a longer one is not read.
func readsAll(ctx context.Context, t *probe.Target, s *probe.Sample, sizes []int, why string) (claim check.Claim, reached int, refused bool) {
	renewed, _ := explore.For(t).Renew(s, s.User) // Names may have to be new ones.
	usual := renewed.Request()
	usual.Why = why
	if len(usual.Body) < 2 || usual.Body[0] != '{' && usual.Body[0] != '[' {
		return claim, 0, false
	}
	for _, size := range sizes {
		r := usual
		r.Body = padded(usual.Body, size)
		long := t.Once(ctx, s.User, r)
		t.Logger().Debug("a long body", "check", why, "operation", s.Case.Op.ID, "size", size, "status", long.Status, "error", long.Err)
		if !probe.Granted(long) || probe.Shape(long) != probe.Shape(s.Exchange) {
			return claim, reached, long.Status == 413 || long.Err != nil
		}
		r.Body = r.Body[:len(r.Body)-1]
		broken := t.Once(ctx, s.User, r)
		if broken.Err != nil || broken.Status < 400 || broken.Status == 429 || broken.Status >= 500 {
			return claim, reached, false
		}
		reached = size
		claim = check.Claim{
			Place: probe.PlaceOf(s.Case.Op, "body", ""),
			Says:  fmt.Sprintf("a body of %.4g MiB is read to its end and answered %s, like one of %d bytes", float64(size)/(1<<20), status(long), len(usual.Body)),
			Control: fmt.Sprintf("it is the same request with blanks between the values; without its last byte it is refused (%s), so that all of it was read",
				status(broken)),
			Evidence: []finding.Evidence{evidence("a short body", s.Exchange), evidence("the long one", shortened(long)), evidence("without its last byte", shortened(broken))},
		}
	}
	return claim, reached, false
}

// padded returns JSON with blanks in it, of a size in bytes.
func padded(body []byte, size int) []byte {
	out := make([]byte, 0, size)
	out = append(out, body[0])
	out = append(out, bytes.Repeat([]byte(" "), max(size-len(body), 0))...)
	return append(out, body[1:]...)
}

// shortened returns an exchange as it is shown: not with all of its blanks.
func shortened(ex *wire.Exchange) *wire.Exchange {
	short := *ex
	n := len(ex.Request.Body)
	short.Request.Body = append(bytes.Clone(ex.Request.Body[:min(n, 40)]), fmt.Appendf(nil, " … %d bytes in all", n)...)
	return &short
}
