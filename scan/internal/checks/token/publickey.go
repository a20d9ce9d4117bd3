package token

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/internal/check"
	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/wire"
)

// publicKey is a key that the target publishes, in all forms that a program may hold it in.
type publicKey struct {
	kid, from string
	forms     [][]byte
}

// keyPlaces are where keys are published.
var keyPlaces = [...]string{
	"/.well-known/jwks.json", "/.well-known/openid-configuration", "/.well-known/oauth-authorization-server", "/jwks.json", "/jwks", "/oauth2/jwks", "/oauth/jwks", "/oauth/discovery/keys", "/auth/jwks", "/auth/keys",
	"/api/jwks", "/keys", "/oauth/token_key", "/public.pem", "/public.key", "/public-key", "/publickey", "/jwt/public-key", "/auth/public-key", "/keys/public.pem", "/jwtRS256.key.pub", "/cert.pem",
}

var (
	keyPath  = regexp.MustCompile(`(?i)jwks|public[-_]?key|certs?$|/keys?$`)
	pemBlock = regexp.MustCompile(`(?s)-----BEGIN (?:RSA )?(?:PUBLIC KEY|CERTIFICATE)-----.{40,}?-----END (?:RSA )?(?:PUBLIC KEY|CERTIFICATE)-----\r?\n?`)
)

// maxKeys is how many public keys are tried.
const maxKeys = 4

// publicKeys returns the keys that the target shows to everybody who asks.
func publicKeys(ctx context.Context, t *probe.Target) (keys []publicKey) {
	add := func(ex *wire.Exchange) {
		for _, k := range keysIn(ex) {
			if !slices.ContainsFunc(keys, func(have publicKey) bool { return bytes.Equal(have.forms[0], k.forms[0]) }) {
				keys = append(keys, k)
			}
		}
	}
	for _, op := range t.API.Operations {
		for _, ex := range t.Seen(op) {
			if ex.OK() && (keyPath.MatchString(op.Path) || bytes.Contains(ex.Body, []byte("-----BEGIN"))) {
				add(ex)
			}
		}
	}
	places := keyPlaces[:]
	if t.API.Base != "" {
		for _, place := range keyPlaces {
			places = append(places, t.API.Base+place)
		}
	}
	for _, place := range places {
		if len(keys) >= maxKeys || ctx.Err() != nil {
			break
		}
		ex := t.Do(ctx, nil, wire.Request{Method: "GET", Path: place, Header: http.Header{}, Why: "JW-04"})
		if !ex.OK() {
			continue
		}
		add(ex)
		if v, ok := probe.Decode(ex); ok {
			if address, _ := probe.Lookup(v, "/jwks_uri").(string); address != "" {
				if u, err := url.Parse(address); err == nil && strings.HasPrefix(u.EscapedPath(), "/") { // At the target, whatever host it says.
					add(t.Do(ctx, nil, wire.Request{Method: "GET", Path: u.EscapedPath(), Header: http.Header{}, Why: "JW-04"}))
				}
			}
		}
	}
	return keys[:min(len(keys), maxKeys)]
}

// keysIn returns the public keys of an answer: a set (RFC 7517, section 5), one key, or
// blocks of PEM.
func keysIn(ex *wire.Exchange) (keys []publicKey) {
	texts := []string{ex.Text()}
	if v, ok := probe.Decode(ex); ok {
		list, _ := probe.Lookup(v, "/keys").([]any)
		for _, one := range append(list, v) {
			if m, ok := one.(map[string]any); ok {
				keys = append(keys, jwkOf(m, ex.Request.Path)...)
			}
		}
		for _, leaf := range probe.LeavesOf(v) {
			texts = append(texts, leaf.Text())
		}
	}
	for _, text := range texts {
		for _, block := range pemBlock.FindAllString(text, maxKeys) {
			if k, ok := pemOf(block, ex.Request.Path); ok {
				keys = append(keys, k)
			}
		}
	}
	return keys
}

func jwkOf(m map[string]any, from string) []publicKey {
	number := func(name string) *big.Int {
		s, _ := m[name].(string)
		b, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(s, "="))
		if err != nil || len(b) == 0 || len(b) > 2048 {
			return nil
		}
		return new(big.Int).SetBytes(b)
	}
	kid, _ := m["kid"].(string)
	switch m["kty"] {
	case "RSA":
		n, e := number("n"), number("e")
		if n == nil || e == nil || !e.IsInt64() || e.Int64() > 1<<31-1 || e.Int64() < 2 {
			return nil
		}
		return formsOf(&rsa.PublicKey{N: n, E: int(e.Int64())}, kid, from)
	case "EC":
		x, y := number("x"), number("y")
		curve := map[any]elliptic.Curve{"P-256": elliptic.P256(), "P-384": elliptic.P384(), "P-521": elliptic.P521()}[m["crv"]]
		if x == nil || y == nil || curve == nil {
			return nil
		}
		size := (curve.Params().BitSize + 7) / 8
		if x.BitLen() > 8*size || y.BitLen() > 8*size {
			return nil
		}
		point := append([]byte{4}, append(x.FillBytes(make([]byte, size)), y.FillBytes(make([]byte, size))...)...)
		key, err := ecdsa.ParseUncompressedPublicKey(curve, point)
		if err != nil {
			return nil
		}
		return formsOf(key, kid, from)
	}
	return nil
}

// formsOf writes a key in the ways in which programs keep it.
func formsOf(key any, kid, from string) []publicKey {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return nil
	}
	k := publicKey{kid: kid, from: from}
	k.add("PUBLIC KEY", der)
	if key, ok := key.(*rsa.PublicKey); ok {
		k.add("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(key))
	}
	k.forms = append(k.forms, der)
	return []publicKey{k}
}

func (k *publicKey) add(kind string, der []byte) {
	text := pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
	k.forms = append(k.forms, text, bytes.TrimRight(text, "\n"))
}

// pemOf returns the key of a block. It is tried as it was served, too.
func pemOf(text, from string) (k publicKey, ok bool) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return k, false
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		if key, err = x509.ParsePKCS1PublicKey(block.Bytes); err != nil {
			certificate, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				return k, false
			}
			key = certificate.PublicKey
		}
	}
	all := formsOf(key, "", from)
	if len(all) == 0 {
		return k, false
	}
	k = all[0]
	for _, served := range []string{text, strings.TrimRight(text, "\r\n"), strings.TrimRight(text, "\r\n") + "\n"} {
		if !slices.ContainsFunc(k.forms, func(f []byte) bool { return string(f) == served }) {
			k.forms = append(k.forms, []byte(served))
		}
	}
	return k, true
}

// confusion signs with a public key as if it were a secret.
func confusion(l *lab) check.Check {
	return check.Check{Kind: kindConfusion(), Phase: check.Read, Run: func(ctx context.Context, t *probe.Target, report check.Report) error {
		gates := closed(l.gatesOf(ctx, t), 2)
		if len(gates) == 0 {
			return nil
		}
		for _, k := range publicKeys(ctx, t) {
			for _, g := range gates {
				if c, found := g.confuses(ctx, t, k); found {
					report(c)
					return nil
				}
			}
		}
		return ctx.Err()
	}}
}

func (g *gate) confuses(ctx context.Context, t *probe.Target, k publicKey) (c check.Claim, found bool) {
	own, _ := g.token.head["kid"].(string)
	ids := []string{own}
	if k.kid != "" && k.kid != own {
		ids = append(ids, k.kid)
	}
	for _, kid := range ids {
		for _, form := range k.forms {
			f := func(head, claims map[string]any) string {
				head = with(head, map[string]any{"alg": "HS256"})
				if kid != "" {
					head["kid"] = kid
				}
				return mac("HS256", form, unsigned(head, claims))
			}
			shown, ok := g.accepts(ctx, t, f(g.token.head, g.token.claims))
			if !ok {
				continue
			}
			head := with(g.token.head, map[string]any{"alg": "HS256"})
			if kid != "" {
				head["kid"] = kid
			}
			other := g.try(ctx, t, mac("HS256", []byte(t.Marker()), unsigned(head, g.token.claims)))
			if !turnsAway(other) {
				return c, false
			}
			says, more := g.impersonate(ctx, t, f)
			shown = append(shown, finding.Evidence{Says: "the control: the same token, signed with another secret", Exchange: other})
			return g.claim("confusion", fmt.Sprintf("the public key of %s is taken for a secret: a token that is signed with it (HS256) is let in%s", k.from, says),
				"with any other secret it is refused", append(shown, more...)), true
		}
	}
	return c, false
}
