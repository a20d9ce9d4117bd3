package token_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/auth/token"
	"github.com/fastness/fastness/internal/jws"
)

const (
	issuerName = "https://shop.example"
	audience   = "https://api.shop.example"
)

// noon is when the tests take place.
func noon() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }

// clock is a clock that a test sets.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: noon()} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) forward(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// ring is a key ring in memory: the first key signs.
type ring struct {
	mu         sync.Mutex
	keys       []*jws.Key
	asked      []string
	generation uint64
	err        error
}

func newRing(tb testing.TB, algs ...jws.Algorithm) *ring {
	tb.Helper()
	r := new(ring)
	for i, alg := range algs {
		key, err := jws.Generate(alg, fmt.Sprintf("key-%d", i+1))
		if err != nil {
			tb.Fatal(err)
		}
		r.keys = append(r.keys, key)
	}
	return r
}

func (r *ring) Key(_ context.Context, id string) (*jws.Key, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked = append(r.asked, id)
	for _, k := range r.keys {
		if k.ID() == id {
			return k, r.err
		}
	}
	return nil, r.err
}

func (r *ring) Generation() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.generation
}

func (r *ring) SigningKey(context.Context) (*jws.Key, error) {
	if len(r.keys) == 0 {
		return nil, errors.New("the ring is empty")
	}
	return r.keys[0], r.err
}

// withdraw takes the key away before its time.
func (r *ring) withdraw() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.keys = r.keys[1:]
	r.generation++
}

// want returns v, and fails if it could not be made.
func want[T any](tb testing.TB) func(v T, err error) T {
	return func(v T, err error) T {
		tb.Helper()
		if err != nil {
			tb.Fatal(err)
		}
		return v
	}
}

func newIssuer(tb testing.TB, signer token.Signer, c *clock) *token.Issuer {
	return want[*token.Issuer](tb)(token.NewIssuer(token.IssuerConfig{Issuer: issuerName, Audience: audience, Signer: signer, Now: c.Now}))
}

func newVerifier(tb testing.TB, keys token.Keys, c *clock) *token.Verifier {
	return want[*token.Verifier](tb)(token.NewVerifier(token.VerifierConfig{Issuer: issuerName, Audience: audience, Keys: keys, Now: c.Now}))
}

func someClaims() token.Claims {
	return token.Claims{
		Subject: "u-17", Client: "web", Scopes: auth.SetOf("orders:read", "orders:write"), Roles: auth.SetOf("seller"),
		Session: "s-1", Epoch: 3, Tenant: "acme", AuthenticatedAt: noon().Add(-time.Hour), Methods: auth.SetOf("pwd", "otp"),
	}
}

func issue(tb testing.TB, i *token.Issuer, c token.Claims) string {
	tb.Helper()
	text, _, err := i.Issue(tb.Context(), c)
	if err != nil {
		tb.Fatal(err)
	}
	return text
}

func encode(data []byte) string { return base64.RawURLEncoding.EncodeToString(data) }

// forge signs any header and payload with a key.
func forge(tb testing.TB, key *jws.Key, header, payload string) string {
	tb.Helper()
	signed := encode([]byte(header)) + "." + encode([]byte(payload))
	sig, err := key.Sign([]byte(signed))
	if err != nil {
		tb.Fatal(err)
	}
	return signed + "." + encode(sig)
}

// headerOf is the header of a good token of the key.
func headerOf(key *jws.Key) string {
	return fmt.Sprintf(`{"alg":%q,"kid":%q,"typ":"at+jwt"}`, key.Algorithm(), key.ID())
}

// goodPayload is the payload of a good token at noon.
func goodPayload() string {
	now := noon().Unix()
	return fmt.Sprintf(`{"iss":%q,"aud":%q,"sub":"u-17","client_id":"web","jti":"t-1","iat":%d,"exp":%d}`, issuerName, audience, now, now+600)
}

// with replaces a part of a text, which must be there.
func with(tb testing.TB, text, old, new string) string {
	tb.Helper()
	if !strings.Contains(text, old) {
		tb.Fatalf("%q is not in %q", old, text)
	}
	return strings.Replace(text, old, new, 1)
}

// mustRefuse wants ErrInvalid for a token, and no ErrUnavailable.
func mustRefuse(tb testing.TB, v interface {
	Verify(context.Context, string) (*token.Token, error)
}, what, text string) {
	tb.Helper()
	got, err := v.Verify(tb.Context(), text)
	if got != nil || !errors.Is(err, token.ErrInvalid) || errors.Is(err, token.ErrUnavailable) {
		tb.Errorf("%s: Verify() = %+v, %v, want ErrInvalid", what, got, err)
	}
}

func mustAccept(tb testing.TB, v interface {
	Verify(context.Context, string) (*token.Token, error)
}, what, text string) *token.Token {
	tb.Helper()
	got, err := v.Verify(tb.Context(), text)
	if err != nil {
		tb.Fatalf("%s: Verify() = %v, want it accepted", what, err)
	}
	return got
}
