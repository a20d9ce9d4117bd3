package inject

import (
	"context"
	"fmt"
	"net/netip"
	"net/url"
	"slices"

	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/internal/check"
	"github.com/fastness/fastness/scan/internal/probe"
)

// filterBypass gives the target the address of the scan in other spellings, where the plain
// one is not called.
func filterBypass() []check.Check {
	kind := kindFilterBypass()
	run := func(safe bool) func(context.Context, *probe.Target, check.Report) error {
		return func(ctx context.Context, t *probe.Target, report check.Report) error {
			if t.Listener() == nil {
				return nil
			}
			spellings := otherAddresses(t)
			if len(spellings) == 0 {
				return nil
			}
			var plain, odd []call
			for _, s := range spots(t, kind.ID, safe) {
				if ctx.Err() != nil {
					return ctx.Err()
				}
				if !addressLike(s) || !takesText(s) {
					continue
				}
				plain = append(plain, give(ctx, t, s, func(address string) string { return address }))
				for _, spell := range spellings {
					odd = append(odd, give(ctx, t, s, spell))
				}
			}
			if len(plain) > 0 {
				wait(ctx, t)
			}
			for _, p := range plain {
				if claim, found := bypassed(t, p, odd); found {
					report(claim)
				}
			}
			return ctx.Err()
		}
	}
	return []check.Check{{Kind: kind, Phase: check.Read, Run: run(true)}, {Kind: kind, Phase: check.Write, Run: run(false)}}
}

// bypassed reports whether the plain address was not called, and one of the others was.
func bypassed(t *probe.Target, plain call, odd []call) (claim check.Claim, found bool) {
	if _, called := plain.called(t); called {
		return claim, false // There is no filter.
	}
	for _, c := range odd {
		if c.op != plain.op || c.point.String() != plain.point.String() {
			continue
		}
		request, called := c.called(t)
		if !called {
			continue
		}
		return check.Claim{
			Place: probe.PlaceOf(c.op, c.point.String(), ""), Cause: c.op.String() + " " + c.point.String(),
			Says:     fmt.Sprintf("%s in %s is not called, and %s, which is the same, is: it sent %q", plain.value, c.point, c.value, firstLine(request)),
			Control:  "both addresses have a text in them that was made for their request alone, and only the second was heard of",
			Evidence: []finding.Evidence{evidence("the plain address is refused", plain.ex), evidence("another spelling is called", c.ex)},
		}, true
	}
	return claim, false
}

// otherAddresses returns spellings of the scan's own address, if it is a numeric one. To
// reach one that is not of the machine itself proves no more than the plain one.
func otherAddresses(t *probe.Target) []func(string) string {
	u, err := url.Parse(t.Listener().URL("x"))
	if err != nil {
		return nil
	}
	ip, err := netip.ParseAddr(u.Hostname())
	if err != nil || !ip.Is4() {
		return nil
	}
	b := ip.As4()
	n := uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
	hosts := []string{
		fmt.Sprintf("[::ffff:%s]", ip), fmt.Sprintf("[::ffff:%x:%x]", n>>16, n&0xffff), fmt.Sprint(n), fmt.Sprintf("0x%08x", n),
		fmt.Sprintf("0%o.%d.%d.%d", b[0], b[1], b[2], b[3]), "example.com@" + ip.String(),
	}
	if ip.IsLoopback() {
		hosts = slices.Concat(hosts, []string{"0.0.0.0", "127.1", "0", "[::]", "localhost", "LOCALHOST", "localhost.", "127.0.0.2"})
	}
	var out []func(string) string
	for _, host := range hosts {
		out = append(out, func(address string) string {
			a, err := url.Parse(address)
			if err != nil {
				return address
			}
			return "http://" + host + ":" + a.Port() + a.Path
		})
	}
	// What compares without regard to what comes before and behind it.
	out = append(out,
		func(address string) string { return address + "#@example.com/" },
		func(address string) string { return address + "?https://example.com/" },
		func(address string) string { return " " + address },
		func(address string) string { return "HTTP" + address[len("http"):] },
	)
	return out
}
