package token

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/internal/check"
	"github.com/fastness/fastness/scan/internal/listen"
	"github.com/fastness/fastness/scan/internal/probe"
)

// headKey lets the head of a token say what its key is.
func headKey(l *lab) check.Check {
	return check.Check{Kind: kindHeadKey(), Phase: check.Read, Run: func(ctx context.Context, t *probe.Target, report check.Report) error {
		gates := closed(l.gatesOf(ctx, t), 2)
		if len(gates) == 0 {
			return nil
		}
		own, err := newPair()
		if err != nil {
			return err
		}
		for i, g := range gates {
			looks := []func(context.Context, *probe.Target, *pair) (check.Claim, bool){g.namesKey, g.bringsKey}
			if i == 0 { // It waits to be called.
				looks = append(looks, g.fetchesKey)
			}
			for _, look := range looks {
				if c, found := look(ctx, t, own); found {
					report(c)
				}
			}
		}
		return ctx.Err()
	}}
}

// named are values of kid that lead to a key that is known: a file that is empty or holds
// what it does everywhere, and a row that a statement makes up.
func named(marker string) (out []struct{ kid, key, says string }) {
	up := strings.Repeat("../", 14)
	add := func(kid, key, says string) { out = append(out, struct{ kid, key, says string }{kid, key, says}) }
	add(up+"dev/null", "", "an empty file, by its name in kid")
	add("/dev/null", "", "an empty file, by its name in kid")
	add(up+"proc/sys/kernel/ostype", "Linux\n", "a file that holds the same everywhere, by its name in kid")
	add("/proc/sys/kernel/ostype", "Linux\n", "a file that holds the same everywhere, by its name in kid")
	add("file:///dev/null", "", "an empty file, by its address in kid")
	for _, quote := range []string{"'", `"`} {
		add("fz"+quote+" UNION SELECT '"+marker+"'-- -", marker, "a row that a statement in kid makes up")
	}
	add("-1 UNION SELECT '"+marker+"'-- -", marker, "a row that a statement in kid makes up")
	add("fz-"+marker, "", "a key that does not exist, which is taken for an empty one")
	return out
}

// namesKey lets kid name a key that is known.
func (g *gate) namesKey(ctx context.Context, t *probe.Target, _ *pair) (c check.Claim, found bool) {
	for _, n := range named(t.Marker()) {
		f := func(head, claims map[string]any) string {
			return mac("HS256", []byte(n.key), unsigned(with(head, map[string]any{"alg": "HS256", "kid": n.kid}), claims))
		}
		shown, ok := g.accepts(ctx, t, f(g.token.head, g.token.claims))
		if !ok {
			continue
		}
		other := g.try(ctx, t, mac("HS256", []byte(t.Marker()), unsigned(with(g.token.head, map[string]any{"alg": "HS256", "kid": n.kid}), g.token.claims)))
		if !turnsAway(other) {
			return c, false
		}
		says, more := g.impersonate(ctx, t, f)
		shown = append(shown, finding.Evidence{Says: "the control: the same kid, signed with another key", Exchange: other})
		return g.claim("kid", fmt.Sprintf("the token says which key it is signed with, and may name any (kid %q): %s%s", n.kid, n.says, says),
			"signed with another key, the same token is refused", append(shown, more...)), true
	}
	return c, false
}

// bringsKey lets the token carry its own key (RFC 7515, sections 4.1.3 and 4.1.6).
func (g *gate) bringsKey(ctx context.Context, t *probe.Target, own *pair) (c check.Claim, found bool) {
	for _, way := range []struct {
		name  string
		value any
		alg   string
	}{
		{"jwk", own.jwk("RS256"), "RS256"}, {"jwk", own.jwk("ES256"), "ES256"}, {"x5c", []any{base64.StdEncoding.EncodeToString(own.certificate)}, "RS256"},
	} {
		f := func(head, claims map[string]any) string {
			return own.sign(way.alg, with(head, map[string]any{"kid": own.kid, way.name: way.value}), claims)
		}
		shown, ok := g.accepts(ctx, t, f(g.token.head, g.token.claims))
		if !ok {
			continue
		}
		without := g.try(ctx, t, own.sign(way.alg, g.token.head, g.token.claims))
		if !turnsAway(without) {
			return c, false
		}
		says, more := g.impersonate(ctx, t, f)
		shown = append(shown, finding.Evidence{Says: "the control: the same signature, without the key", Exchange: without})
		return g.claim("own "+way.name, fmt.Sprintf("the token brings its own key (%s), which is believed%s", way.name, says),
			"the key was made for this scan; without it in the head, the same signature is refused", append(shown, more...)), true
	}
	return c, false
}

// fetchesKey lets the token say where its key is (RFC 7515, sections 4.1.2 and 4.1.5).
func (g *gate) fetchesKey(ctx context.Context, t *probe.Target, own *pair) (c check.Claim, found bool) {
	listener, ok := t.Listener().(interface {
		probe.Listener
		Answer(token string, a listen.Answer)
	})
	if !ok {
		return c, false
	}
	over, cancel := context.WithCancel(ctx)
	cancel()
	waiting := ctx
	for _, name := range []string{"jku", "x5u"} {
		place := t.Marker()
		listener.Answer(place, own.served(name))
		f := func(head, claims map[string]any) string {
			return own.sign("RS256", with(head, map[string]any{"kid": own.kid, name: listener.URL(place)}), claims)
		}
		shown, accepted := g.accepts(ctx, t, f(g.token.head, g.token.claims))
		ex := g.try(ctx, t, f(g.token.head, g.token.claims))
		_, hit := listener.Hit(waiting, place)
		waiting = over // One wait is enough for both.
		switch {
		case !hit:
			continue
		case accepted:
			says, more := g.impersonate(ctx, t, f)
			return g.claim(name, fmt.Sprintf("the token says where its key is (%s), and what is there is believed%s", name, says),
				"the key was made for this scan, and was fetched from its own address", append(shown, more...)), true
		}
		medium := finding.Medium
		c = g.claim(name, fmt.Sprintf("the token says where its key is (%s), and the target calls any address that is named there", name),
			"the address was made for this request, and was called", []finding.Evidence{{Says: "the token with the address", Exchange: ex}})
		c.Severity = &medium
		return c, true
	}
	return c, false
}

// pair are keys of the scan's own.
type pair struct {
	kid         string
	rsa         *rsa.PrivateKey
	ec          *ecdsa.PrivateKey
	certificate []byte
}

func newPair() (*pair, error) {
	p := &pair{kid: "fz-own-key"}
	var err error
	if p.rsa, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		return nil, err
	}
	if p.ec, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return nil, err
	}
	like := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "scan"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour)}
	p.certificate, err = x509.CreateCertificate(rand.Reader, like, like, &p.rsa.PublicKey, p.rsa)
	return p, err
}

// jwk returns the public key for an algorithm.
func (p *pair) jwk(alg string) map[string]any {
	encode := base64.RawURLEncoding.EncodeToString
	if alg == "ES256" {
		point, err := p.ec.PublicKey.Bytes() // 4, x and y
		if err != nil {
			return nil
		}
		return map[string]any{"kty": "EC", "crv": "P-256", "use": "sig", "kid": p.kid, "alg": alg, "x": encode(point[1:33]), "y": encode(point[33:])}
	}
	return map[string]any{"kty": "RSA", "use": "sig", "kid": p.kid, "alg": alg, "n": encode(p.rsa.N.Bytes()), "e": encode(big.NewInt(int64(p.rsa.E)).Bytes())}
}

// served is what an address of the scan answers: a set of keys, or a certificate.
func (p *pair) served(name string) listen.Answer {
	if name == "x5u" {
		return listen.Answer{Type: "application/x-pem-file", Body: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.certificate}))}
	}
	text, _ := json.Marshal(map[string]any{"keys": []any{p.jwk("RS256")}}) // Texts only.
	return listen.Answer{Type: "application/json", Body: string(text)}
}

func (p *pair) sign(alg string, head, claims map[string]any) string {
	text := unsigned(with(head, map[string]any{"alg": alg}), claims)
	sum := sha256.Sum256([]byte(text))
	var signature []byte
	if alg == "ES256" {
		r, s, err := ecdsa.Sign(rand.Reader, p.ec, sum[:])
		if err != nil {
			return text + "."
		}
		signature = append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	} else {
		var err error
		if signature, err = rsa.SignPKCS1v15(rand.Reader, p.rsa, crypto.SHA256, sum[:]); err != nil {
			return text + "."
		}
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(signature)
}
