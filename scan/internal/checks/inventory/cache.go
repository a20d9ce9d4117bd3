package inventory

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/internal/check"
	"github.com/fastness/fastness/scan/internal/login"
	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/wire"
)

// caches looks for answers to one caller that a cache gives to others.
func caches() check.Check {
	kind := kindCaches()
	return check.Check{Kind: kind, Phase: check.Read, Run: func(ctx context.Context, t *probe.Target, report check.Report) error {
		for _, op := range t.API.Operations {
			if op.Method != http.MethodGet || ctx.Err() != nil {
				continue
			}
			if s := ownSample(t, op.ID); s != nil {
				deceived(ctx, t, s, kind.ID, report)
			}
			if s := t.Sample(op, nil); s != nil && !strings.Contains(op.Path, "{") {
				poisoned(ctx, t, s.Exchange.Request.Path, kind.ID, report)
			}
		}
		for _, ex := range t.Files() {
			if ctx.Err() == nil {
				poisoned(ctx, t, ex.Request.Path, kind.ID, report)
			}
		}
		return ctx.Err()
	}}
}

// ownSample returns a request of an ordinary user whose answer holds what is theirs.
func ownSample(t *probe.Target, id string) *probe.Sample {
	for _, op := range t.API.Operations {
		if op.ID != id {
			continue
		}
		for _, u := range t.Ordinary() {
			if s := t.Sample(op, u); s != nil && own(s.Exchange, u) != "" {
				return s
			}
		}
	}
	return nil
}

// own returns a value of a user that an answer holds and the request does not, or "".
func own(ex *wire.Exchange, u *login.User) string {
	for _, kind := range []string{"email", "phone", "username"} {
		v := u.Known[kind]
		if len(v) >= 5 && strings.Contains(ex.Text(), v) && !strings.Contains(ex.Request.Target(), v) {
			return v
		}
	}
	return ""
}

// deceived opens, as a user, the address of their data with the ending of a file, and then
// the same address as nobody.
func deceived(ctx context.Context, t *probe.Target, s *probe.Sample, why string, report check.Report) {
	path := s.Exchange.Request.Path
	for _, ending := range []string{"/" + t.Marker() + ".css", ";" + t.Marker() + ".js", "%2F" + t.Marker() + ".css"} {
		mine := get(ctx, t, s.User, path+ending, why)
		secret := own(mine, s.User)
		if !probe.Granted(mine) || secret == "" {
			continue
		}
		nobody := get(ctx, t, nil, path+ending, why)
		fresh := get(ctx, t, nil, path+strings.Replace(ending, "fz", "fzz", 1), why)
		if !probe.Holds(nobody, secret) || probe.Holds(fresh, secret) {
			continue
		}
		report(check.Claim{
			Place: probe.PlaceOf(s.Case.Op, "path", "anonymous as "+s.User.Name), Cause: "deception", Severity: as(finding.High),
			Says:    fmt.Sprintf("what %s reads at an address that ends like a file is kept, and given to everybody who asks for the same address", s.User.Name),
			Control: fmt.Sprintf("nobody gets it at an address that was not asked for before (%d)", fresh.Status),
			Evidence: []finding.Evidence{
				evidence(s.User.Name+" opens it", mine), evidence("then nobody gets the same", nobody), evidence("an address that nobody had opened", fresh),
			},
		})
		return
	}
}

// poisoned sends a header field that is no part of the address, and asks again without it.
// The query is one that nobody else uses, so that no other caller gets what is kept.
func poisoned(ctx context.Context, t *probe.Target, path, why string, report check.Report) {
	host, other := t.Marker()+".example", t.Marker()+".example"
	target := path + "?" + t.Marker() + "=1"
	first := get(ctx, t, nil, target, why, "X-Forwarded-Host", host, "X-Host", host, "X-Original-Url", "/"+host)
	if !first.OK() || !probe.Holds(first, host) {
		return
	}
	second := get(ctx, t, nil, target, why)
	fresh := get(ctx, t, nil, path+"x"+"?"+t.Marker()+"=1", why)
	if !probe.Holds(second, host) || probe.Holds(fresh, host) {
		return
	}
	// What shows the last caller to everybody, such as a log, takes the next one too.
	if third := get(ctx, t, nil, target, why, "X-Forwarded-Host", other, "X-Host", other, "X-Original-Url", "/"+other); !probe.Holds(third, host) || probe.Holds(third, other) {
		return
	}
	report(check.Claim{
		Place: finding.Place{Method: http.MethodGet, Path: path, Parameter: "header X-Forwarded-Host"}, Severity: as(finding.High),
		Says:     "a header field of one caller decides what the cache gives to all who ask for the same address",
		Control:  "the text was made up for this request, the next one without it was answered with it, and so was one with another text",
		Evidence: []finding.Evidence{evidence("one caller sends the field", first), evidence("another one, without it, gets the same", second)},
	})
}
