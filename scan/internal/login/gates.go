package login

import (
	"cmp"
	"context"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/fastness/fastness/scan/internal/spec"
	"github.com/fastness/fastness/scan/wire"
)

// How many requests are asked as nobody, at most, and how many that turn nobody away are
// enough.
const (
	maxGates    = 40
	enoughGates = 6
)

// gatesOf returns requests that may tell who is logged in, the likely ones first.
func gatesOf(api *spec.API, known map[string]string) (gates []*gate) {
	for _, op := range api.Operations {
		if r, rank := askable(op, known); rank > 0 {
			gates = append(gates, &gate{request: r, rank: rank})
		}
	}
	slices.SortStableFunc(gates, func(a, b *gate) int { return cmp.Compare(b.rank, a.rank) })
	return gates[:min(len(gates), maxGates)]
}

// dangerous are parts of paths whose GET may do more than read.
var dangerous = regexp.MustCompile(`(?i)log-?_?out|sign-?_?out|log-?_?off|reset|delete|remove|drop|destroy|revoke|refresh|create|seed|wipe|shutdown|restart|populate|init`)

// streams reports whether an operation answers with events that do not end.
func streams(op *spec.Operation) bool {
	for _, a := range op.Answers {
		if a != nil && slices.ContainsFunc(a.Media, func(m *spec.Media) bool { return m.Type == "text/event-stream" }) {
			return true
		}
	}
	return false
}

// meText is in paths and names of operations that tell who somebody is.
var meText = regexp.MustCompile(`(?i)(^|[/_.-])(me|whoami|who-am-i|profile|account|myself|current-?_?user|user-?info|self|my)($|[/_.-])|whoami|currentuser|getprofile|getme\b|readme\b|get_me\b|userinfo`)

// askable returns the request of an operation that may be asked, and how much it promises.
func askable(op *spec.Operation, known map[string]string) (wire.Request, int) {
	if op.Method != "GET" || streams(op) || dangerous.MatchString(op.Path) || dangerous.MatchString(op.ID) {
		return wire.Request{}, 0
	}
	rank := 50
	if op.NeedsLogIn() {
		rank += 30
	}
	if meText.MatchString(op.Path) || meText.MatchString(op.ID) {
		rank += 40
	}
	r, guessed := sampleRequest(op, known)
	return r, max(1, rank-25*guessed)
}

// writeGates returns requests to operations that write, and that change nothing: their
// bodies are broken, or what they name cannot exist.
func writeGates(api *spec.API, known map[string]string) (gates []*gate) {
	for _, op := range api.Operations {
		if op.Safe() || dangerous.MatchString(op.Path) && op.Method == "POST" || logInRank(op) > 0 || registerRank(op) > 0 || len(op.Security) == 0 && op.Secured {
			continue
		}
		broken := op.Method != "DELETE" && op.Body != nil
		if !broken && len(pathParams(op)) == 0 {
			continue
		}
		impossible := maps.Clone(known)
		if impossible == nil {
			impossible = map[string]string{}
		}
		for _, p := range pathParams(op) {
			impossible[p.Name] = impossibleID(p)
		}
		r, _ := sampleRequest(op, impossible)
		rank := 5
		if broken {
			r.Body = []byte(`{"`)
			r.Header.Set("Content-Type", "application/json")
			rank = 10
		}
		if op.NeedsLogIn() {
			rank += 20
		}
		gates = append(gates, &gate{request: r, rank: rank})
	}
	slices.SortStableFunc(gates, func(a, b *gate) int { return cmp.Compare(b.rank, a.rank) })
	return gates[:min(len(gates), 12)]
}

// pathParams returns the parameters of the path.
func pathParams(op *spec.Operation) []*spec.Param {
	return slices.DeleteFunc(slices.Clone(op.Params), func(p *spec.Param) bool { return p.In != "path" })
}

// impossibleID returns an id that nothing has.
func impossibleID(p *spec.Param) string {
	switch {
	case p.Schema.Is("integer"), p.Schema.Is("number"):
		return "2147483629"
	case p.Schema != nil && p.Schema.Format == "uuid":
		return "6f1d3c52-9a77-4e0b-8f3e-0b9d2c4a7e11"
	}
	return "2147483629"
}

// usualGates are where a target tells who somebody is, if no document says it.
func usualGates(base string) (gates []*gate) {
	for _, p := range [...]string{"/me", "/api/me", "/users/me", "/api/users/me", "/user", "/api/user", "/profile", "/api/profile", "/account", "/api/account", "/whoami",
		"/userinfo", "/auth/me", "/api/auth/me", "/api/v1/me", "/api/v1/users/me", "/dashboard", "/home", "/admin", "/"} {
		gates = append(gates, &gate{request: wire.Request{Method: "GET", Path: base + p, Header: http.Header{"Accept": {"application/json, text/html;q=0.9, */*;q=0.5"}}}})
	}
	return gates
}

// gatesFor returns the requests that may prove who somebody is, asked as nobody.
func (k *Keeper) gatesFor(ctx context.Context, e *entry, m *Method) []*gate {
	if m.Check != "" {
		method, path, ok := strings.Cut(m.Check, " ")
		if !ok {
			method, path = "GET", m.Check
		}
		path, query, _ := strings.Cut(path, "?")
		return k.askNobody(ctx, []*gate{{request: wire.Request{Method: method, Path: fillEscaped(path, e.user.Known, url.PathEscape), Query: query}}})
	}
	gates := k.askNobody(ctx, gatesOf(k.config.API, e.user.Known))
	none := func() bool { return !slices.ContainsFunc(gates, (*gate).denies) }
	if none() {
		gates = append(gates, k.askNobody(ctx, writeGates(k.config.API, e.user.Known))...)
		if none() {
			gates = append(gates, k.askNobody(ctx, usualGates(k.config.API.Base))...)
		}
	}
	return gates
}

// askNobody asks the gates as nobody, and puts those that turn nobody away first.
func (k *Keeper) askNobody(ctx context.Context, gates []*gate) []*gate {
	turnedAway := 0
	for _, g := range gates {
		if ctx.Err() != nil || turnedAway == enoughGates {
			break
		}
		r := g.request
		r.Header, r.Why = r.Header.Clone(), "who is logged in"
		key := r.Method + " " + r.Target()
		k.mu.Lock()
		g.nobody = k.nobody[key]
		k.mu.Unlock()
		if g.nobody == nil {
			g.nobody = k.config.Client.Do(ctx, r)
			k.mu.Lock()
			k.nobody[key] = g.nobody
			k.mu.Unlock()
		}
		if g.denies() {
			turnedAway++
		}
	}
	gates = slices.DeleteFunc(gates, func(g *gate) bool { return g.nobody == nil || g.nobody.Status == 0 })
	slices.SortStableFunc(gates, func(a, b *gate) int { return gateOrder(b) - gateOrder(a) })
	return gates
}

func gateOrder(g *gate) int {
	switch {
	case g.denies():
		return 3
	case g.nobody.Status < 300:
		return 2
	case g.nobody.Status < 500:
		return 1
	}
	return 0
}
