package login

import (
	"context"
	"net/http"
	"regexp"
	"strings"

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
