package token_test

import (
	"testing"

	"github.com/fastness/fastness/auth/token"
	"github.com/fastness/fastness/internal/jws"
)

// Whatever is signed, a token that is accepted says all it must, and says it to us.
func FuzzClaims(f *testing.F) {
	r, c := newRing(f, jws.HS256), newClock()
	v := want[*token.Verifier](f)(token.NewVerifier(token.VerifierConfig{Issuer: issuerName, Audience: audience, Keys: r, Now: c.Now, CacheSize: -1}))
	for _, seed := range []string{
		goodPayload(),
		with(f, goodPayload(), `{`, `{"scope":"a b","roles":["x"],"amr":["pwd"],"sid":"s","ver":1,"tenant":"t","auth_time":1,"nbf":1,`),
		with(f, goodPayload(), `{`, `{"all_scopes":true,"x":{"y":[1,{"z":null}]},`),
		with(f, goodPayload(), `"`+audience+`"`, `["a","`+audience+`"]`),
		with(f, goodPayload(), `{`, `{"\u0073ub":"x",`),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, payload string) {
		got, err := v.Verify(t.Context(), forge(t, r.keys[0], headerOf(r.keys[0]), payload))
		if err != nil {
			return
		}
		now := noon()
		if got.Issuer != issuerName || got.Subject == "" || got.UserID != got.Subject || got.Client == "" || got.ID == "" ||
			!got.Until.After(now.Add(-30e9)) || got.IssuedAt.After(now.Add(30e9)) || got.NotBefore.After(now.Add(30e9)) || got.Epoch < 0 ||
			got.AllScopes && got.Scopes.Len() > 0 {
			t.Errorf("%q is accepted as %+v", payload, got)
		}
	})
}

// No text is a token that was not issued.
func FuzzVerify(f *testing.F) {
	r, c := newRing(f, jws.EdDSA, jws.ES256), newClock()
	v := newVerifier(f, r, c)
	good := issue(f, newIssuer(f, r, c), someClaims())
	f.Add(good)
	f.Add(forge(f, r.keys[1], headerOf(r.keys[1]), goodPayload())[:200])
	f.Add("..")
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := v.Verify(t.Context(), text); (err == nil) != (text == good) {
			t.Errorf("Verify(%q) = %v", text, err)
		}
	})
}
