package token_test

import (
	"context"
	"testing"
	"time"

	"github.com/fastness/fastness/auth/token"
	"github.com/fastness/fastness/internal/jws"
)

func newBenchVerifier(b *testing.B, r *ring, size int) *token.Verifier {
	return want[*token.Verifier](b)(token.NewVerifier(token.VerifierConfig{Issuer: issuerName, Audience: audience, Keys: &still{r}, CacheSize: size}))
}

// still is a ring whose generation is read as fast as an atomic number.
type still struct{ *ring }

func (*still) Generation() uint64 { return 1 }

func nowClock() *clock { return &clock{now: time.Now()} }

func BenchmarkVerifySeen(b *testing.B) {
	r := newRing(b, jws.EdDSA)
	v := newBenchVerifier(b, r, 0)
	i := newIssuer(b, r, nowClock())
	var texts []string
	for range 1000 {
		text := issue(b, i, someClaims())
		mustAccept(b, v, "", text)
		texts = append(texts, text)
	}
	ctx := context.Background()
	b.Run("one", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			v.Verify(ctx, texts[0])
		}
	})
	b.Run("thousand", func(b *testing.B) {
		b.ReportAllocs()
		n := 0
		for b.Loop() {
			v.Verify(ctx, texts[n%1000])
			n++
		}
	})
	b.Run("parallel", func(b *testing.B) {
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for n := 0; pb.Next(); n++ {
				v.Verify(ctx, texts[n%1000])
			}
		})
	})
}

func BenchmarkVerifyUnseen(b *testing.B) {
	for _, alg := range []jws.Algorithm{jws.HS256, jws.EdDSA, jws.ES256} {
		b.Run(string(alg), func(b *testing.B) {
			r := newRing(b, alg)
			v := newBenchVerifier(b, r, -1)
			text := issue(b, newIssuer(b, r, nowClock()), someClaims())
			ctx := context.Background()
			b.ReportAllocs()
			for b.Loop() {
				if _, err := v.Verify(ctx, text); err != nil {
					b.Fatal(err)
				}
				r.asked = r.asked[:0]
			}
		})
	}
}

// What an attacker can ask for without a key must be cheap.
func BenchmarkVerifyRubbish(b *testing.B) {
	r := newRing(b, jws.EdDSA)
	v := newBenchVerifier(b, r, 0)
	good := issue(b, newIssuer(b, r, nowClock()), someClaims())
	for name, text := range map[string]string{
		"no-token":    "rubbish",
		"unknown-kid": with(b, good, encode([]byte(headerOf(r.keys[0]))), encode([]byte(`{"alg":"EdDSA","kid":"key-9","typ":"at+jwt"}`))),
		"forged":      good[:len(good)-8] + "AAAAAAAA",
	} {
		b.Run(name, func(b *testing.B) {
			ctx := context.Background()
			b.ReportAllocs()
			for b.Loop() {
				v.Verify(ctx, text)
				r.asked = r.asked[:0]
			}
		})
	}
}

func BenchmarkBearerSeen(b *testing.B) {
	d := newDesk(b)
	r := request("Bearer " + d.text)
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := d.Authenticate(ctx, r); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkIssue(b *testing.B) {
	for _, alg := range []jws.Algorithm{jws.HS256, jws.EdDSA} {
		b.Run(string(alg), func(b *testing.B) {
			i, claims, ctx := newIssuer(b, newRing(b, alg), nowClock()), someClaims(), context.Background()
			b.ReportAllocs()
			for b.Loop() {
				i.Issue(ctx, claims)
			}
		})
	}
}
