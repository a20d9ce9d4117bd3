// Package session has the checks of requests that change something and should not: those
// that other sites make a browser send with its cookies (cross-site request forgery), and
// GETs.
//
// A browser adds cookies to what any page sends, unless SameSite says otherwise (RFC
// 6265bis, section 5.6.7), and asks nobody before a POST of a form or of text/plain. So
// such a POST, from a foreign origin and without anything that only the own pages know, must
// not change anything. That it did is read back.
package session

import (
	"context"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/internal/check"
	"github.com/fastness/fastness/scan/internal/explore"
	"github.com/fastness/fastness/scan/internal/login"
	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/internal/spec"
	"github.com/fastness/fastness/scan/wire"
)

// Checks returns the checks of this group.
func Checks() []check.Check { return []check.Check{crossSite(), changeByGet(), sockets()} }

func evidence(says string, ex *wire.Exchange) finding.Evidence {
	return finding.Evidence{Says: says, Exchange: ex}
}

var otherCookie = regexp.MustCompile(`(?i)csrf|xsrf`)

// cookieUser returns the user with those cookies of a log-in that a browser sends from
// other sites, and nothing else; or nil.
func cookieUser(ctx context.Context, t *probe.Target, u *login.User) *login.User {
	try, err := t.Try(ctx, u, nil, nil)
	if err != nil || try.User == nil {
		return nil
	}
	strict := map[string]bool{}
	for _, c := range (&http.Response{Header: try.Exchange.Header}).Cookies() {
		strict[c.Name] = c.SameSite == http.SameSiteLaxMode || c.SameSite == http.SameSiteStrictMode
	}
	cookies := slices.DeleteFunc(slices.Clone(try.Cookies), func(c login.Credential) bool { return strict[c.Name] })
	if len(cookies) == 0 || !slices.ContainsFunc(cookies, func(c login.Credential) bool { return !otherCookie.MatchString(c.Name) }) {
		return nil
	}
	return login.NewUser(u.Name, cookies...)
}

// crossSite sends what a page of another site can make a browser send.
func crossSite() check.Check {
	kind := kindCrossSite()
	return check.Check{Kind: kind, Phase: check.Write, Run: func(ctx context.Context, t *probe.Target, report check.Report) error {
		for _, u := range t.Ordinary() {
			browser := cookieUser(ctx, t, u)
			if browser == nil {
				continue
			}
			for _, op := range t.API.Operations {
				if op.Method != "POST" || explore.Dangerous(op) != "" || login.IsLogIn(op) || login.IsRegistration(op) || ctx.Err() != nil {
					continue
				}
				if c, found := forged(ctx, t, op, u, browser, kind.ID); found {
					report(c)
				}
			}
			return ctx.Err()
		}
		return nil
	}}
}

// simple returns a request as a foreign page can send it (Fetch, section 2.2.2).
func simple(c *probe.Case, origin, why string) wire.Request {
	r := c.Request()
	if c.Media != "" && c.Media != "application/x-www-form-urlencoded" && c.Media != "multipart/form-data" {
		r.Header.Set("Content-Type", "text/plain")
	}
	r.Header.Set("Origin", origin)
	r.Header.Set("Referer", origin+"/")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	r.Why = why
	return r
}

func forged(ctx context.Context, t *probe.Target, op *spec.Operation, u, browser *login.User, why string) (c check.Claim, found bool) {
	s := t.Sample(op, u)
	if s == nil {
		return c, false
	}
	known := foreign(s.Case)
	point, ok := textOf(known)
	if !ok {
		return c, false
	}
	marker := t.Marker()
	text := marker
	if strings.Contains(probe.Text(point.Value), "@") {
		text += "@example.com"
	}
	r := simple(known.With(point.In, point.Name, text), "https://"+t.Marker()+".example", why)
	done := t.Once(ctx, browser, r)
	if probe.Refused(done) {
		return c, false
	}
	nobody := t.Once(ctx, nil, r)
	if !probe.Refused(nobody) {
		return c, false // It needs no log-in: other sites gain nothing.
	}
	seen := readBack(ctx, t, op, u, marker, why)
	if seen == nil {
		return c, false
	}
	return check.Claim{
		Cause: browser.Credentials()[0].Name, Place: probe.PlaceOf(op, "cookie "+browser.Credentials()[0].Name, u.Called()),
		Says:     "a page of another site makes the browser of " + u.Called() + " change something: the cookie is enough, from any origin, as text/plain or a form",
		Control:  "without the cookie it is refused; the text that was sent is read back; SameSite does not keep the cookie from being sent",
		Evidence: []finding.Evidence{evidence("nobody is refused", nobody), evidence("the request of another site", done), evidence(u.Called()+" reads the change", seen)},
	}, true
}

// foreign returns a case without what only the own pages know: tokens against forged
// requests, which the request may have from a form.
func foreign(c *probe.Case) *probe.Case {
	for _, p := range c.Points() {
		if p.In != "path" && login.IsGuard(p.Last()) {
			c = c.Without(p.In, p.Name)
		}
	}
	return c
}

// textOf returns a place of a body that takes any text, or any address of mail.
func textOf(c *probe.Case) (probe.Point, bool) {
	for _, p := range c.Points() {
		text, ok := p.Value.(string)
		if p.In != "body" || !ok || strings.Contains(text, "://") {
			continue
		}
		if s := p.Schema; s != nil && (len(s.Enum) > 0 || s.Pattern != "" || s.Format != "" && s.Format != "email" || s.MaxLength != nil && *s.MaxLength < 22) {
			continue
		}
		low := strings.ToLower(p.Last())
		if strings.Contains(low, "password") || strings.HasSuffix(low, "id") || strings.Contains(low, "code") {
			continue
		}
		return p, true
	}
	return probe.Point{}, false
}

// readBack returns an answer to the user that has a text, or nil: those of paths that begin
// alike are asked first.
func readBack(ctx context.Context, t *probe.Target, op *spec.Operation, u *login.User, text, why string) *wire.Exchange {
	var readers []*probe.Sample
	for _, other := range t.API.Operations {
		if s := t.Sample(other, u); other.Method == "GET" && s != nil && explore.Dangerous(other) == "" && !explore.Acts(other) {
			readers = append(readers, s)
		}
	}
	slices.SortStableFunc(readers, func(a, b *probe.Sample) int {
		return common(b.Case.Op.Path, op.Path) - common(a.Case.Op.Path, op.Path)
	})
	for _, s := range readers[:min(len(readers), 12)] {
		if ex := t.Send(ctx, u, s.Case, why); probe.Granted(ex) && probe.Holds(ex, text) {
			return ex
		}
	}
	return nil
}

// common returns how many letters two paths begin with alike.
func common(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}
