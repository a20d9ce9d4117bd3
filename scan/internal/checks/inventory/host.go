package inventory

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/internal/check"
	"github.com/fastness/fastness/scan/internal/login"
	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/wire"
)

// hosts asks for other names of the host, behind which may be what only the office knows.
func hosts() check.Check {
	kind := kindHosts()
	return check.Check{Kind: kind, Phase: check.Read, Run: func(ctx context.Context, t *probe.Target, report check.Report) error {
		paths := []string{"/"}
		if t.API.Base != "" {
			paths = append(paths, t.API.Base+"/")
		}
		for _, domain := range domains(t) {
			for _, path := range paths {
				if ctx.Err() != nil {
					return ctx.Err()
				}
				otherHost(ctx, t, domain, path, kind.ID, report)
			}
		}
		return nil
	}}
}

// domains are the names that the target may have.
func domains(t *probe.Target) (out []string) {
	add := func(address string) {
		u, err := url.Parse(address)
		if err != nil || u.Hostname() == "" || slices.Contains(out, u.Hostname()) || len(out) >= 3 {
			return
		}
		if _, err := netip.ParseAddr(u.Hostname()); err != nil {
			out = append(out, u.Hostname())
		}
	}
	for _, server := range t.API.Servers {
		add(server)
	}
	for _, op := range t.API.Operations {
		if s := t.AnySample(op); s != nil {
			add(s.Exchange.Origin)
			break
		}
	}
	if len(out) == 0 {
		out = append(out, "shop.example")
	}
	return out
}

// otherHost compares names that stand for the inside of a house with names that nobody has.
func otherHost(ctx context.Context, t *probe.Target, domain, path, why string, report check.Report) {
	ask := func(host string) *wire.Exchange { return get(ctx, t, nil, path, why, "Host", host) }
	first, second := ask(t.Marker()+"."+domain), ask(t.Marker()+"."+domain)
	usual := get(ctx, t, nil, path, why)
	if first.Status == 0 || !alike(first, second) {
		return
	}
	for _, name := range []string{"internal", "admin", "staging", "dev", "test", "intranet", "backend", "localhost"} {
		host := name + "." + domain
		if name == "localhost" {
			host = name
		}
		ex := ask(host)
		if !ex.OK() || len(ex.Body) < 3 || alike(ex, first) || alike(ex, usual) || first.Status == http.StatusMisdirectedRequest && alike(ex, usual) {
			continue
		}
		again, control := ask(host), ask(t.Marker()+"."+domain)
		if !alike(again, ex) || !alike(control, first) {
			continue
		}
		report(check.Claim{
			Place: finding.Place{Method: http.MethodGet, Path: path, Parameter: "header Host"}, Cause: name,
			Says:    fmt.Sprintf("whoever asks for the host %s gets what others do not", host),
			Control: fmt.Sprintf("names that nobody has are answered %d, three times, and the usual one %d, both with something else", first.Status, usual.Status),
			Evidence: []finding.Evidence{
				evidence("for "+host, ex), evidence("for a name that nobody has", first), evidence("for the usual name", usual),
			},
		})
	}
}

// links looks for links that lead to a host of the caller's choice.
func links() check.Check {
	kind := kindLinks()
	return check.Check{Kind: kind, Phase: check.Write, Run: func(ctx context.Context, t *probe.Target, report check.Report) error {
		for _, op := range t.API.Operations {
			s := t.AnySample(op)
			if s == nil || ctx.Err() != nil || t.Held(op) != "" || op.Method != http.MethodGet && !mails(op.Path) {
				continue
			}
			if claim, found := leadsAway(ctx, t, s, kind.ID); found {
				report(claim)
			}
		}
		return ctx.Err()
	}}
}

// mails reports whether a path is of something that sends a link to somebody.
func mails(path string) bool {
	p := plain(path)
	for _, w := range []string{"forgot", "reset", "recover", "verify", "confirm", "invite", "magic", "activation"} {
		if strings.Contains(p, w) {
			return true
		}
	}
	return false
}

func leadsAway(ctx context.Context, t *probe.Target, s *probe.Sample, why string) (claim check.Claim, found bool) {
	ask := func(name, value string) *wire.Exchange {
		r := s.Case.Request()
		r.Why = why
		r.Header.Set(name, value)
		return send(ctx, t, s.User, r)
	}
	names := []string{"X-Forwarded-Host"}
	if mails(s.Case.Op.Path) {
		names = append(names, "Host")
	}
	for _, name := range names {
		host := t.Marker() + ".example"
		ex := ask(name, host)
		if !ex.OK() && (ex.Status < 300 || ex.Status >= 400) || !linksTo(ex, host) {
			continue
		}
		echo := ask("X-Fastness-Probe", "https://"+host)
		if probe.Holds(echo, host) {
			continue // It repeats whatever it is sent.
		}
		other := t.Marker() + ".example"
		if again := ask(name, other); !linksTo(again, other) {
			continue
		}
		severity := finding.Low
		if mails(s.Case.Op.Path) {
			severity = finding.High
		}
		return check.Claim{
			Place: probe.PlaceOf(s.Case.Op, "header "+name, ""), Severity: as(severity),
			Says:     "links in the answer lead to the host that the caller names in " + name,
			Control:  "two names that were made up were both used in a link, and another header field is not repeated",
			Evidence: []finding.Evidence{evidence("the link leads to "+host, ex), evidence("another header field is not repeated", echo)},
		}, true
	}
	return claim, false
}

// linksTo reports whether an answer has an address at a host.
func linksTo(ex *wire.Exchange, host string) bool {
	return strings.Contains(ex.Text(), "://"+host) || strings.Contains(ex.Text(), `:\/\/`+host) || strings.Contains(ex.Header.Get("Location"), "//"+host)
}

// send is a request in the name of a user, or of nobody.
func send(ctx context.Context, t *probe.Target, user *login.User, r wire.Request) *wire.Exchange {
	if user == nil {
		return t.Once(ctx, nil, r)
	}
	return t.Do(ctx, user, r)
}
