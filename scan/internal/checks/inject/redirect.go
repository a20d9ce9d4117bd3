package inject

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/internal/check"
	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/wire"
)

// openRedirect asks to be led to another host, in the spellings that browsers take for one.
func openRedirect(ctx context.Context, t *probe.Target, s spot) (claim check.Claim, found bool) {
	if s.point.In != "query" && s.point.In != "path" || !texts(s) {
		return claim, false
	}
	host := t.Marker() + ".example"
	plain := s.with(ctx, t, "https://"+host+"/")
	leads := func(ex *wire.Exchange) bool { return leadsTo(ex, host) }
	ex := plain
	if !leads(plain) {
		if ex = otherSpelling(ctx, t, s, host, plain); ex == nil {
			return claim, false
		}
	}
	second := t.Marker() + ".example"
	again := s.with(ctx, t, strings.ReplaceAll(sentValue(ex, s), host, second))
	if !leadsTo(again, second) {
		return claim, false
	}
	return check.Claim{
		Says:     fmt.Sprintf("the answer leads browsers to any host that stands in %s: %s", s.point, clip(where(ex))),
		Control:  "the host is the one of the request alone, as a browser reads the address, and another one when another is asked for",
		Evidence: []finding.Evidence{evidence("the way out", ex), evidence("another host", again)},
	}, true
}

// otherSpelling tries the other ones, if the target leads anywhere at all.
func otherSpelling(ctx context.Context, t *probe.Target, s spot, host string, plain *wire.Exchange) *wire.Exchange {
	if where(plain) == "" && !hasPart(s.point.Last(), "next", "to", "url", "uri", "redirect", "return", "returnto", "returnurl", "continue", "goto", "dest", "destination", "target", "rurl", "forward", "back", "callback", "link", "out", "go", "location") {
		return nil
	}
	own := strings.TrimPrefix(strings.TrimPrefix(plain.Origin, "https://"), "http://")
	for _, value := range []string{"//" + host + "/", `/\` + host + "/", "https:" + host, `\\` + host, "/\t/" + host + "/", "https://" + own + "@" + host + "/", "https://" + own + "." + host + "/", "//" + host + "/%2e%2e"} {
		if ex := s.with(ctx, t, value); leadsTo(ex, host) {
			return ex
		}
	}
	return nil
}

// sentValue returns the value that was sent, of an exchange.
func sentValue(ex *wire.Exchange, s spot) string {
	if s.point.In == "query" {
		if values, err := url.ParseQuery(ex.Request.Query); err == nil {
			return values.Get(s.point.Name)
		}
	}
	return "https://" + hostIn.FindString(ex.Request.Path) + "/"
}

var (
	hostIn  = regexp.MustCompile(`fz[0-9a-f]{20}\.example`)
	refresh = regexp.MustCompile(`(?i)<meta[^>]+http-equiv=["']?refresh["']?[^>]+url=([^"'> ]+)`)
)

// where returns the address that an answer leads to, or "".
func where(ex *wire.Exchange) string {
	if ex.Status >= 300 && ex.Status < 400 || ex.Status == http.StatusCreated {
		if to := ex.Header.Get("Location"); to != "" && ex.Status != http.StatusCreated {
			return to
		}
	}
	if _, to, ok := strings.Cut(strings.ToLower(ex.Header.Get("Refresh")), "url="); ok {
		return to
	}
	if m := refresh.FindStringSubmatch(ex.Text()); m != nil && runs(ex) {
		return m[1]
	}
	return ""
}

// leadsTo reports whether a browser would go to a host, or one below it. Browsers drop tabs
// and line breaks, and read a backslash as a slash (WHATWG URL, section 4.4).
func leadsTo(ex *wire.Exchange, host string) bool {
	to := strings.NewReplacer("\t", "", "\n", "", "\r", "", `\`, "/").Replace(strings.TrimSpace(where(ex)))
	if scheme, rest, ok := strings.Cut(to, ":"); ok && (strings.EqualFold(scheme, "http") || strings.EqualFold(scheme, "https")) {
		to = "//" + strings.TrimLeft(rest, "/")
	}
	if !strings.HasPrefix(to, "//") {
		return false
	}
	authority := strings.TrimLeft(to, "/")
	if end := strings.IndexAny(authority, "/?#"); end >= 0 {
		authority = authority[:end]
	}
	authority = authority[strings.LastIndexByte(authority, '@')+1:]
	name, _, _ := strings.Cut(strings.ToLower(authority), ":")
	return name == host || strings.HasSuffix(name, "."+host)
}

// splitting sends line breaks, and a header behind them.
func splitting(ctx context.Context, t *probe.Target, s spot) (claim check.Claim, found bool) {
	if s.point.In == "header" || s.point.In == "cookie" || !texts(s) {
		return claim, false
	}
	for _, line := range []string{"\r\n", "\n", "\u560a\u560d"} {
		var ex *wire.Exchange
		hits := 0
		for range 2 {
			m := t.Marker()
			name, value := "X-Z"+m[2:10], m[10:18]
			ex = s.with(ctx, t, s.text()+line+name+": "+value)
			if ex.Header.Get(name) == value {
				hits++
			} else {
				break
			}
		}
		if hits == 2 {
			return check.Claim{
				Says:     fmt.Sprintf("a line break in %s ends a header of the answer, and what follows is a header of its own", s.point),
				Control:  "the name of the header was made for the request, and it is among the headers of the answer, twice",
				Evidence: []finding.Evidence{evidence("the header is there", ex)},
			}, true
		}
	}
	return claim, false
}
