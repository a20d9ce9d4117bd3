package inject

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/internal/check"
	"github.com/fastness/fastness/scan/internal/listen"
	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/wire"
)

// answering is a listener that can be told what to answer.
type answering interface {
	Answer(token string, a listen.Answer)
}

// call is an address of the scan that was given to the target.
type call struct {
	spot
	token  string // in the address
	secret string // what the address answers, which the target cannot know otherwise
	value  string
	ex     *wire.Exchange
}

// serverRequest gives the target an address of the scan wherever it may take one, and
// waits for it to call.
func serverRequest() []check.Check {
	kind := kindServerRequest()
	run := func(safe bool) func(context.Context, *probe.Target, check.Report) error {
		return func(ctx context.Context, t *probe.Target, report check.Report) error {
			if t.Listener() == nil {
				return nil
			}
			var calls []call
			for _, s := range spots(t, kind.ID, safe) {
				if ctx.Err() != nil {
					return ctx.Err()
				}
				if !takesText(s) {
					continue
				}
				c := give(ctx, t, s, func(address string) string { return address })
				calls = append(calls, c)
			}
			if !safe {
				visit(ctx, t, kind.ID)
			}
			wait(ctx, t)
			for _, c := range calls {
				if claim, found := c.proof(t); found {
					report(claim)
				}
			}
			return ctx.Err()
		}
	}
	return []check.Check{{Kind: kind, Phase: check.Read, Run: run(true)}, {Kind: kind, Phase: check.Write, Run: run(false)}}
}

// takesText reports whether an address may stand at a place at all.
func takesText(s spot) bool {
	if addressLike(s) {
		return true
	}
	schema := s.point.Schema
	if schema.Is("integer") || schema.Is("number") || schema.Is("boolean") || s.numeric() {
		return false
	}
	return (schema == nil || len(schema.Enum) == 0) && !secretName(s.point.Last())
}

// addressLike reports whether a place takes an address, by its name, its format or the
// value that it has.
func addressLike(s spot) bool {
	if schema := s.point.Schema; schema != nil {
		switch schema.Format {
		case "uri", "url", "uri-reference", "iri", "hostname", "idn-hostname", "ipv4", "ipv6":
			return true
		}
	}
	text := s.text()
	return strings.HasPrefix(text, "http://") || strings.HasPrefix(text, "https://") || strings.HasPrefix(text, "//") ||
		hasPart(s.point.Last(), addressNames()...)
}

func addressNames() []string {
	return []string{
		"url", "urls", "uri", "link", "href", "callback", "webhook", "hook", "endpoint", "feed", "rss", "avatar", "image", "picture", "photo", "logo", "icon", "thumbnail",
		"site", "website", "homepage", "domain", "host", "hostname", "server", "origin", "source", "src", "target", "dest", "destination", "remote", "proxy", "fetch", "import",
		"download", "ping", "notify", "address", "api", "mirror", "upstream", "location", "redirect", "reference", "ref", "page", "path", "file", "uploadurl", "imageurl", "callbackurl", "resource", "schema", "wsdl", "xml", "manifest",
	}
}

// give sends an address of the scan, in the spelling that spell makes of it.
func give(ctx context.Context, t *probe.Target, s spot, spell func(address string) string) call {
	c := call{spot: s, token: t.Marker(), secret: t.Marker()}
	if l, ok := t.Listener().(answering); ok {
		l.Answer(c.token, listen.Answer{Type: "text/html; charset=utf-8", Body: "<html><head><title>" + c.secret + "</title></head><body>" + c.secret + "</body></html>"})
	}
	c.value = spell(t.Listener().URL(c.token))
	c.ex = s.with(ctx, t, c.value)
	return c
}

// wait gives the target the time to call.
func wait(ctx context.Context, t *probe.Target) { t.Listener().Hit(ctx, t.Marker()) }

// called reports whether the address was called, without waiting.
func (c call) called(t *probe.Target) (request string, ok bool) {
	over, cancel := context.WithCancel(context.Background())
	cancel()
	return t.Listener().Hit(over, c.token)
}

// proof says what a call proves.
func (c call) proof(t *probe.Target) (claim check.Claim, found bool) {
	request, ok := c.called(t)
	if !ok {
		return claim, false
	}
	claim = check.Claim{
		Place: probe.PlaceOf(c.op, c.point.String(), ""), Cause: c.op.String() + " " + c.point.String(),
		Says:     fmt.Sprintf("the target calls the address that stands in %s: it sent %q to the scan", c.point, firstLine(request)),
		Control:  "the address has a text in it that was made for this request and told to nobody else",
		Evidence: []finding.Evidence{evidence("the request that holds the address", c.ex)},
	}
	if form := shown(c.ex, c.secret); form != "" {
		worst := finding.Critical
		claim.Severity = &worst
		claim.Says += "; the answer holds what was there" + form
	}
	return claim, true
}

// shown returns how an answer holds a secret, or "".
func shown(ex *wire.Exchange, secret string) string {
	if bytes.Contains(ex.Body, []byte(secret)) {
		return ", as it is"
	}
	if bytes.Contains(ex.Body, []byte(hex.EncodeToString([]byte(secret)))) {
		return ", in hexadecimal"
	}
	// Where it begins among groups of three bytes is not known.
	for shift := range 3 {
		text := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("-", shift) + secret))
		inner := strings.TrimRight(text, "=")
		inner = inner[4*min(shift, 1) : len(inner)-4]
		if bytes.Contains(ex.Body, []byte(inner)) || bytes.Contains(ex.Body, []byte(strings.NewReplacer("+", "-", "/", "_").Replace(inner))) {
			return ", in base64"
		}
	}
	return ""
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\r\n")
	return clip(strings.TrimSpace(line))
}

// visit reads what users have, for addresses that are called when they are shown.
func visit(ctx context.Context, t *probe.Target, why string) {
	for _, op := range t.API.Operations {
		if s := t.AnySample(op); s != nil && op.Method == "GET" && ctx.Err() == nil && t.Held(op) == "" {
			t.Send(ctx, s.User, s.Case, why)
		}
	}
}
