package token_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/auth/token"
	"github.com/fastness/fastness/internal/jws"
)

func TestIssuedTokenIsReadBack(t *testing.T) {
	for _, alg := range []jws.Algorithm{jws.EdDSA, jws.ES256, jws.HS256} {
		r, c := newRing(t, alg), newClock()
		claims := someClaims()
		claims.Subject = `u "17" \ <é>`
		claims.NotBefore = noon().Add(5 * time.Second)
		text, expires, err := newIssuer(t, r, c).Issue(t.Context(), claims)
		if err != nil {
			t.Fatal(err)
		}
		got := mustAccept(t, newVerifier(t, r, c), string(alg), text)
		if !got.Until.Equal(expires) || !expires.Equal(noon().Add(10*time.Minute)) || !got.IssuedAt.Equal(noon()) || len(got.ID) < 20 || got.Issuer != issuerName || got.UserID != claims.Subject {
			t.Errorf("%s: token %+v, expires %v", alg, got, expires)
		}
		read := got.Claims
		if !read.AuthenticatedAt.Equal(claims.AuthenticatedAt) || !read.NotBefore.Equal(claims.NotBefore) {
			t.Errorf("%s: times %v, %v", alg, read.AuthenticatedAt, read.NotBefore)
		}
		read.AuthenticatedAt, read.NotBefore = claims.AuthenticatedAt, claims.NotBefore
		if fmt.Sprintf("%+v", read) != fmt.Sprintf("%+v", claims) {
			t.Errorf("%s: read %+v, want %+v", alg, read, claims)
		}
	}
}

// Others read our tokens with other parsers: the form is that of RFC 9068.
func TestIssuedTokenHasTheFormOfRFC9068(t *testing.T) {
	r := newRing(t, jws.ES256)
	part := func(text string, i int) (members map[string]any) {
		data, err := base64.RawURLEncoding.DecodeString(strings.Split(text, ".")[i])
		if err != nil || json.Unmarshal(data, &members) != nil {
			t.Fatalf("part %d is %q, %v", i, data, err)
		}
		return members
	}
	text := issue(t, newIssuer(t, r, newClock()), someClaims())
	if got, want := fmt.Sprint(part(text, 0)), "map[alg:ES256 kid:key-1 typ:at+jwt]"; got != want {
		t.Errorf("header %s, want %s", got, want)
	}
	payload := part(text, 1)
	delete(payload, "jti")
	now := float64(noon().Unix())
	want := map[string]any{
		"iss": issuerName, "aud": audience, "sub": "u-17", "client_id": "web", "iat": now, "exp": now + 600,
		"scope": "orders:read orders:write", "roles": []any{"seller"}, "sid": "s-1", "ver": 3.0, "tenant": "acme",
		"auth_time": now - 3600, "amr": []any{"otp", "pwd"},
	}
	if fmt.Sprint(payload) != fmt.Sprint(want) {
		t.Errorf("payload %v, want %v", payload, want)
	}
	bare := part(issue(t, newIssuer(t, r, newClock()), token.Claims{Subject: "a", Client: "b"}), 1)
	if names := slices.Sorted(maps.Keys(bare)); fmt.Sprint(names) != "[aud client_id exp iat iss jti sub]" {
		t.Errorf("members without optional claims: %v", names)
	}
	all := part(issue(t, newIssuer(t, r, newClock()), token.Claims{Subject: "a", Client: "b", AllScopes: true}), 1)
	if all["all_scopes"] != true || all["scope"] != nil {
		t.Errorf("payload with all scopes: %v", all)
	}
}

func TestEveryTokenHasItsOwnID(t *testing.T) {
	r, c := newRing(t, jws.HS256), newClock()
	i, v := newIssuer(t, r, c), newVerifier(t, r, c)
	seen := map[string]bool{}
	for range 100 {
		seen[mustAccept(t, v, "", issue(t, i, someClaims())).ID] = true
	}
	if len(seen) != 100 {
		t.Errorf("%d ids of 100 tokens", len(seen))
	}
}

func TestClaimsThatMeanSomethingElseAreNotIssued(t *testing.T) {
	i := newIssuer(t, newRing(t, jws.HS256), newClock())
	for _, tt := range []struct {
		name   string
		change func(*token.Claims)
		says   string
	}{
		{"no subject", func(c *token.Claims) { c.Subject = "" }, "Subject"},
		{"a subject that is too long", func(c *token.Claims) { c.Subject = strings.Repeat("a", 257) }, "Subject"},
		{"a subject with a line end", func(c *token.Claims) { c.Subject = "a\nb" }, "Subject"},
		{"a subject that is not UTF-8", func(c *token.Claims) { c.Subject = "\xff" }, "Subject"},
		{"no client", func(c *token.Claims) { c.Client = "" }, "Client"},
		{"a scope that is two", func(c *token.Claims) { c.Scopes = auth.SetOf("orders:read admin") }, "Scopes"},
		{"a scope with a quote", func(c *token.Claims) { c.Scopes = auth.SetOf(`a"b`) }, "Scopes"},
		{"all scopes and some", func(c *token.Claims) { c.AllScopes = true }, "AllScopes"},
		{"a role that is not UTF-8", func(c *token.Claims) { c.Roles = auth.SetOf("\xff") }, "Roles"},
		{"a session with NUL", func(c *token.Claims) { c.Session = "\x00" }, "Session"},
		{"a negative epoch", func(c *token.Claims) { c.Epoch = -1 }, "Epoch"},
		{"a beginning after the end", func(c *token.Claims) { c.NotBefore = noon().Add(time.Hour) }, "NotBefore"},
		{"a log-in in the future", func(c *token.Claims) { c.AuthenticatedAt = noon().Add(time.Hour) }, "AuthenticatedAt"},
		{"more roles than a token may hold", func(c *token.Claims) {
			var names []string
			for i := range 800 {
				names = append(names, fmt.Sprintf("role-%d", i))
			}
			c.Roles = auth.SetOf(names...)
		}, "8192"},
	} {
		claims := someClaims()
		tt.change(&claims)
		text, _, err := i.Issue(t.Context(), claims)
		if err == nil || text != "" || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: Issue() = %q, %v, want an error that says %s", tt.name, text, err, tt.says)
		}
	}
	if _, _, err := newIssuer(t, &ring{}, newClock()).Issue(t.Context(), someClaims()); err == nil {
		t.Error("Issue() without a key made a token")
	}
}

func TestWrongConfigurationIsNamedInFull(t *testing.T) {
	_, err := token.NewIssuer(token.IssuerConfig{Issuer: "a b", TTL: 16 * time.Minute})
	for _, field := range []string{"Issuer", "Audience", "Signer", "TTL"} {
		if err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("NewIssuer() = %v, want %s named", err, field)
		}
	}
	_, err = token.NewVerifier(token.VerifierConfig{Leeway: 61 * time.Second, SubjectPrefix: "x|"})
	for _, field := range []string{"Issuer", "Audience", "Keys", "Leeway", "SubjectPrefix"} {
		if err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("NewVerifier() = %v, want %s named", err, field)
		}
	}
	_, err = token.NewBearer(token.BearerConfig{})
	if err == nil {
		t.Error("NewBearer() without a verifier is no error")
	}
	_, err = token.NewRemote(token.RemoteConfig{Issuer: "http://issuer.example", JWKS: "https://issuer.example", Algorithms: []string{"HS256", "none"}, MaxStale: time.Second})
	for _, field := range []string{"Issuer or JWKS", "InsecurePlainHTTP", `"HS256"`, `"none"`, "MaxStale"} {
		if err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("NewRemote() = %v, want %s named", err, field)
		}
	}
	for _, url := range []string{"issuer.example", "ftp://issuer.example", "https://user@issuer.example", "https://issuer.example/#a", "https://issuer.example/?a", "https:", "file:///etc/passwd"} {
		if _, err := token.NewRemote(token.RemoteConfig{Issuer: url}); err == nil {
			t.Errorf("NewRemote(%s) is no error", url)
		}
	}
}

func TestIssuingAllocatesLittle(t *testing.T) {
	i, claims := newIssuer(t, newRing(t, jws.HS256), newClock()), someClaims()
	ctx := t.Context()
	if n := testing.AllocsPerRun(100, func() { i.Issue(ctx, claims) }); n > 20 {
		t.Errorf("Issue makes %v allocations, want at most 20", n)
	} else {
		t.Logf("Issue makes %v allocations", n)
	}
}
