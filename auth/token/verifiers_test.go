package token_test

import (
	"strings"
	"testing"

	"github.com/fastness/fastness/auth/token"
	"github.com/fastness/fastness/internal/jws"
)

const foreignName = "https://accounts.example"

func newForeign(tb testing.TB, keys token.Keys, c *clock, loose string) *token.Verifier {
	return want[*token.Verifier](tb)(token.NewVerifier(token.VerifierConfig{
		Issuer: foreignName, Audience: audience, Keys: keys, Now: c.Now, Foreign: true, SubjectPrefix: "accounts|", InsecureNotRFC9068: loose,
	}))
}

func TestIssuerChoosesTheVerifierAndNothingElse(t *testing.T) {
	own, foreign, c := newRing(t, jws.ES256), newRing(t, jws.EdDSA), newClock()
	vs, err := token.NewVerifiers(newVerifier(t, own, c), newForeign(t, foreign, c, ""))
	if err != nil {
		t.Fatal(err)
	}
	payload := with(t, goodPayload(), issuerName, foreignName)
	for range 2 { // The second time from the cache.
		if got := mustAccept(t, vs, "our own", forge(t, own.keys[0], headerOf(own.keys[0]), goodPayload())); got.UserID != "u-17" {
			t.Errorf("user %q", got.UserID)
		}
		if got := mustAccept(t, vs, "the other's", forge(t, foreign.keys[0], headerOf(foreign.keys[0]), payload)); got.UserID != "accounts|u-17" || got.Subject != "u-17" {
			t.Errorf("user %q", got.UserID)
		}
	}
	mustRefuse(t, vs, "ours, signed by the other", forge(t, foreign.keys[0], headerOf(foreign.keys[0]), goodPayload()))
	mustRefuse(t, vs, "the other's, signed by us", forge(t, own.keys[0], headerOf(own.keys[0]), payload))
	mustRefuse(t, vs, "nobody's", forge(t, own.keys[0], headerOf(own.keys[0]), with(t, goodPayload(), issuerName, "https://nobody.example")))
	mustRefuse(t, vs, "both", forge(t, foreign.keys[0], headerOf(foreign.keys[0]), with(t, goodPayload(), `{`, `{"iss":"`+foreignName+`",`)))
	mustRefuse(t, vs, "no issuer", forge(t, own.keys[0], headerOf(own.keys[0]), with(t, goodPayload(), `"iss"`, `"isn"`)))
	mustRefuse(t, vs, "no token", "rubbish")
}

func TestUsersOfTwoIssuersAreNeverTheSame(t *testing.T) {
	r, c := newRing(t, jws.HS256), newClock()
	verifier := func(issuer, prefix string) *token.Verifier {
		return want[*token.Verifier](t)(token.NewVerifier(token.VerifierConfig{Issuer: issuer, Audience: audience, Keys: r, Now: c.Now, Foreign: true, SubjectPrefix: prefix}))
	}
	for _, tt := range []struct {
		name string
		all  []*token.Verifier
		says string
	}{
		{"none", nil, "no verifier"},
		{"nil", []*token.Verifier{nil}, "nil"},
		{"one issuer twice", []*token.Verifier{verifier("a", "a|"), verifier("a", "b|")}, "two verifiers"},
		{"no prefixes", []*token.Verifier{verifier("a", ""), verifier("b", "")}, "SubjectPrefix"},
		{"one prefix twice", []*token.Verifier{verifier("a", "x|"), verifier("b", "x|")}, "SubjectPrefix"},
		{"a prefix of a prefix", []*token.Verifier{verifier("a", "x"), verifier("b", "x|")}, "SubjectPrefix"},
		{"one without and two with", []*token.Verifier{verifier("a", ""), verifier("b", "b|"), verifier("c", "c|")}, ""},
	} {
		_, err := token.NewVerifiers(tt.all...)
		if tt.says == "" && err != nil || tt.says != "" && (err == nil || !strings.Contains(err.Error(), tt.says)) {
			t.Errorf("%s: NewVerifiers() = %v, want %q", tt.name, err, tt.says)
		}
	}
}

// What sid, ver, tenant and all_scopes mean, a foreign issuer has not agreed to.
func TestPrivateClaimsOfAForeignIssuerAreNotRead(t *testing.T) {
	r, c := newRing(t, jws.EdDSA), newClock()
	v := newForeign(t, r, c, "")
	payload := with(t, with(t, goodPayload(), issuerName, foreignName), `{`, `{"sid":"s-1","ver":"2.0","tenant":"acme","all_scopes":true,`)
	got := mustAccept(t, v, "a foreign token", forge(t, r.keys[0], headerOf(r.keys[0]), payload))
	if got.Session != "" || got.Epoch != 0 || got.Tenant != "" || got.AllScopes {
		t.Errorf("token %+v", got)
	}
}

func TestIssuerThatDoesNotFollowTheStandardNeedsAReason(t *testing.T) {
	r, c := newRing(t, jws.EdDSA), newClock()
	strict, loose := newForeign(t, r, c, ""), newForeign(t, r, c, "the issuer writes typ JWT and azp")
	payload := with(t, with(t, with(t, goodPayload(), issuerName, foreignName), `"client_id":"web"`, `"azp":"web"`), `"jti":"t-1",`, ``)
	for _, typ := range []string{`,"typ":"JWT"`, ``, `,"typ":"at+jwt"`} {
		text := forge(t, r.keys[0], with(t, headerOf(r.keys[0]), `,"typ":"at+jwt"`, typ), payload)
		mustRefuse(t, strict, "strict, "+typ, text)
		if got := mustAccept(t, loose, "loose, "+typ, text); got.Client != "web" {
			t.Errorf("client %q, want the authorized party", got.Client)
		}
	}
	for _, typ := range []string{"id_token", "logout+jwt", "dpop+jwt"} {
		mustRefuse(t, loose, typ, forge(t, r.keys[0], with(t, headerOf(r.keys[0]), "at+jwt", typ), payload))
	}
	for _, claim := range []string{`"nonce":"x"`, `"at_hash":"x"`, `"c_hash":"x"`, `"events":{}`} {
		mustRefuse(t, loose, "an ID token or worse: "+claim, forge(t, r.keys[0], headerOf(r.keys[0]), with(t, payload, `{`, `{`+claim+`,`)))
	}
	for _, claim := range []string{`"sub":"u-17",`, `"aud":"` + audience + `",`} {
		mustRefuse(t, loose, "without "+claim, forge(t, r.keys[0], headerOf(r.keys[0]), with(t, payload, claim, ``)))
	}
}

// The epoch of an account is not in a token that somebody else issued.
func TestForeignTokenIsNotHeldAgainstTheEpoch(t *testing.T) {
	r, c, d := newRing(t, jws.EdDSA), newClock(), newDirectory()
	d.standing["accounts|u-17"] = d.standing["u-17"]
	b := want[*token.Bearer](t)(token.NewBearer(token.BearerConfig{Verifiers: []*token.Verifier{newForeign(t, r, c, "")}, Accounts: d}))
	text := forge(t, r.keys[0], headerOf(r.keys[0]), with(t, goodPayload(), issuerName, foreignName))
	if u, err := b.Authenticate(t.Context(), request("Bearer "+text)); err != nil || u.ID != "accounts|u-17" || u.Name != "Ada" {
		t.Errorf("Authenticate() = %+v, %v", u, err)
	}
}
