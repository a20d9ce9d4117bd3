package login

import (
	"cmp"
	"context"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/fastness/fastness/scan/internal/spec"
	"github.com/fastness/fastness/scan/wire"
)

// gate is a request whose answer depends on who asks, or may do so.
type gate struct {
	request wire.Request
	rank    int
	nobody  *wire.Exchange // its answer to nobody
}

// denies reports whether nobody is turned away.
func (g *gate) denies() bool { return g.nobody != nil && denied(g.nobody) }

// proof is what shows that a user is logged in.
type proof struct {
	gate *gate
	// user, garbage are answers to the user, and to credentials that nobody has.
	user, garbage *wire.Exchange
	// weak proofs tell the user from nobody, but credentials that nobody has are as good.
	weak bool
}

// denied reports whether an answer turns somebody away whom it does not know.
func denied(ex *wire.Exchange) bool {
	return ex.Status == http.StatusUnauthorized || ex.Status == http.StatusForbidden || ex.Status == http.StatusProxyAuthRequired ||
		toLogIn(ex) || loginPage(ex) || saysLoggedOut(ex)
}

var variable = regexp.MustCompile(`[0-9a-fA-F]{8,}(-[0-9a-fA-F]{2,})*|[0-9]+`)

// like reports whether two answers say the same: times, numbers and ids apart.
func like(a, b *wire.Exchange) bool {
	if a == nil || b == nil || a.Status != b.Status {
		return false
	}
	if a.Status >= 300 && a.Status < 400 {
		return withoutQuery(a.Header.Get("Location")) == withoutQuery(b.Header.Get("Location"))
	}
	return a.Status == http.StatusUnauthorized || variable.ReplaceAllString(a.Text(), "#") == variable.ReplaceAllString(b.Text(), "#")
}

func withoutQuery(address string) string {
	before, _, _ := strings.Cut(address, "?")
	return before
}

// maxGates is how many requests are asked as nobody, at most.
const maxGates = 40

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

// meText is in paths and names of operations that tell who somebody is.
var meText = regexp.MustCompile(`(?i)(^|[/_.-])(me|whoami|who-am-i|profile|account|myself|current-?_?user|user-?info|self|my)($|[/_.-])|whoami|currentuser|getprofile|getme\b|readme\b|get_me\b|userinfo`)

// askable returns the request of an operation that may be asked, and how much it promises.
func askable(op *spec.Operation, known map[string]string) (wire.Request, int) {
	if op.Method != "GET" || dangerous.MatchString(op.Path) || dangerous.MatchString(op.ID) {
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

// prove looks for a request that is answered to the user otherwise than to nobody and to
// credentials that nobody has. It returns nil if there is none.
func (k *Keeper) prove(ctx context.Context, name string, gates []*gate, credentials []Credential, most int) *proof {
	var weak *proof
	for _, g := range gates {
		if most--; most < 0 || ctx.Err() != nil {
			break
		}
		user := k.ask(ctx, name, g.request, credentials)
		if user.Status == 0 || user.Status >= 500 || user.Status == http.StatusTooManyRequests || user.Status == http.StatusUnauthorized || like(user, g.nobody) {
			continue
		}
		if g.denies() && denied(user) && user.Status == g.nobody.Status {
			continue // turned away, in other words
		}
		garbage := k.ask(ctx, name, g.request, garbled(credentials))
		p := &proof{gate: g, user: user, garbage: garbage}
		if like(user, garbage) || garbage.Status == 0 {
			p.weak = true
			if weak == nil {
				weak = p
			}
			continue
		}
		if !g.denies() && !denied(garbage) && !like(user, k.ask(ctx, name, g.request, credentials)) {
			continue // The answer is never twice the same.
		}
		return p
	}
	return weak
}

// ask sends a request with credentials.
func (k *Keeper) ask(ctx context.Context, name string, r wire.Request, credentials []Credential) *wire.Exchange {
	r.Header = r.Header.Clone()
	(&User{Name: name, credentials: credentials}).Apply(&r)
	r.Why = "who is logged in"
	return k.config.Client.Do(ctx, r)
}

// askNobody asks the gates as nobody, and puts those that turn nobody away first.
func (k *Keeper) askNobody(ctx context.Context, gates []*gate) []*gate {
	for _, g := range gates {
		if ctx.Err() != nil {
			break
		}
		r := g.request
		r.Header, r.Why = r.Header.Clone(), "who is logged in"
		g.nobody = k.config.Client.Do(ctx, r)
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
