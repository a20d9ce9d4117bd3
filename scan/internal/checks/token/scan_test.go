package token_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fastness/fastness/scan"
)

const document = `{"openapi": "3.1.0", "info": {"title": "Harbour", "version": "1"},
"components": {"securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}}, "security": [{"bearer": []}],
"paths": {"/me": {"get": {"responses": {"200": {"description": "who is asking"}}}},
"/ships": {"get": {"responses": {"200": {"description": "what there is"}}}}}}`

// api is a small API whose tokens are read by a function that may do it wrong.
type api struct {
	secret string
	head   map[string]any
	claims func(name string) map[string]any
	// deep is set where numbers are tried, too, which takes a second.
	deep bool
	// reads returns the claims of a token, or nil.
	reads func(a *api, token string) map[string]any
	extra map[string]http.HandlerFunc
}

func encode(v any) string {
	text, _ := json.Marshal(v)
	return base64.RawURLEncoding.EncodeToString(text)
}

func decode(part string) (m map[string]any) {
	text, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil || json.Unmarshal(text, &m) != nil {
		return nil
	}
	return m
}

func sign(secret, text string) string {
	m := hmac.New(sha256.New, []byte(secret))
	m.Write([]byte(text))
	return text + "." + base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}

func (a *api) token(name string) string {
	head := map[string]any{"alg": "HS256", "typ": "JWT"}
	for k, v := range a.head {
		head[k] = v
	}
	claims := map[string]any{"sub": name, "exp": time.Now().Add(time.Hour).Unix(), "iat": time.Now().Unix()}
	if a.claims != nil {
		claims = a.claims(name)
	}
	return sign(a.secret, encode(head)+"."+encode(claims))
}

// strict reads a token as one should.
func strict(a *api, token string) map[string]any {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil
	}
	head, claims := decode(parts[0]), decode(parts[1])
	if head["alg"] != "HS256" || !hmac.Equal([]byte(sign(a.secret, parts[0]+"."+parts[1])), []byte(token)) {
		return nil
	}
	if exp, ok := claims["exp"].(float64); ok && time.Now().Unix() > int64(exp) {
		return nil
	}
	if nbf, ok := claims["nbf"].(float64); ok && time.Now().Unix() < int64(nbf) {
		return nil
	}
	return claims
}

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h := a.extra[r.URL.Path]; h != nil {
		h(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	claims := a.reads(a, strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
	name, _ := claims["sub"].(string)
	if name != "alice" && name != "bob" {
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprint(w, `{"error": "log in first"}`)
		return
	}
	switch r.URL.Path {
	case "/me":
		fmt.Fprintf(w, `{"name": %q, "email": "%s@harbour.example"}`, name, name)
	case "/ships":
		fmt.Fprint(w, `{"ships": ["Ark"]}`)
	default:
		http.NotFound(w, r)
	}
}

// findings runs one check and returns what it says.
func findings(t *testing.T, a *api, checks ...string) []string {
	t.Helper()
	if a.reads == nil {
		a.reads = strict
	}
	if a.secret == "" {
		a.secret = "u8s-Jd02_kd0aPPq-3jd8s0aKs92lsPq"
	}
	profile := scan.CI
	if a.deep {
		profile = scan.Deep
	}
	r, err := scan.Run(context.Background(), scan.Config{
		Profile: profile, Handler: a, Text: []byte(document), Checks: checks,
		Users: []scan.User{
			{Name: "alice", Token: a.token("alice"), Known: map[string]string{"username": "alice", "email": "alice@harbour.example"}},
			{Name: "bob", Token: a.token("bob"), Known: map[string]string{"username": "bob", "email": "bob@harbour.example"}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, f := range r.Findings {
		says := f.Kind.ID + ": " + f.Claim
		if !f.Proven {
			says = "hint " + says
		}
		out = append(out, says)
	}
	slices.Sort(out)
	return out
}

// wants fails unless the findings are as many as said, each with its part.
func wants(t *testing.T, got []string, parts ...string) {
	t.Helper()
	if len(got) != len(parts) {
		t.Fatalf("got %d findings %q, want %d", len(got), got, len(parts))
	}
	for i, part := range parts {
		if !strings.Contains(got[i], part) {
			t.Errorf("got %q, want a text with %q", got[i], part)
		}
	}
}

var all = []string{"JW-01", "JW-02", "JW-03"}

func TestTokensThatAreVerifiedAreNoFinding(t *testing.T) {
	t.Parallel()
	wants(t, findings(t, &api{}, all...))
}

func TestSignatureThatNobodyVerifiesIsFound(t *testing.T) {
	t.Parallel()
	got := findings(t, &api{reads: func(_ *api, token string) map[string]any {
		parts := strings.Split(token, ".")
		if len(parts) != 3 {
			return nil
		}
		return decode(parts[1])
	}}, all...)
	wants(t, got, "JW-01: the signature of the token is not looked at; with the claims of bob in it, the answer is theirs")
}

func TestTokensThatSayNoneAreFound(t *testing.T) {
	t.Parallel()
	for _, alg := range []string{"none", "NONE", "nOnE"} {
		got := findings(t, &api{reads: func(a *api, token string) map[string]any {
			parts := strings.Split(token, ".")
			if len(parts) == 3 && decode(parts[0])["alg"] == alg && parts[2] == "" {
				return decode(parts[1])
			}
			return strict(a, token)
		}}, all...)
		wants(t, got, `JW-02: a token without a signature is let in if its head says "alg": "`+alg+`"; with the claims of bob`)
	}
}

func TestSecretsThatCanBeGuessedAreFound(t *testing.T) {
	t.Parallel()
	for secret, part := range map[string]string{
		"secret123": "every list", "harbour-secret": "the name of the API", "your-256-bit-secret": "every list", "004711": "six digits",
	} {
		wants(t, findings(t, &api{secret: secret, deep: secret[0] == '0'}, all...), part)
	}
}

func TestSecretThatAnAnswerGivesAwayIsFound(t *testing.T) {
	t.Parallel()
	a := &api{secret: "u8s-Jd02_kd0aPPq-3jd8s0aKs92lsPq"}
	a.reads = strict
	a.extra = map[string]http.HandlerFunc{"/ships": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"env": {"JWT_SECRET": %q}}`, a.secret)
	}}
	wants(t, findings(t, a, all...), "gives away")
}

// A front end that answers everything with the same page says nothing about tokens.
func TestPageForEverybodyIsNoGate(t *testing.T) {
	t.Parallel()
	a := &api{secret: "long-and-random-0a9s8df0a9s8df0", extra: map[string]http.HandlerFunc{}}
	for _, path := range []string{"/me", "/ships"} {
		a.extra[path] = func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, `{"app": "loading"}`)
		}
	}
	wants(t, findings(t, a, all...))
}

// Credentials that are no JWT are of no interest, and break nothing.
func TestOpaqueTokensAreLeftAlone(t *testing.T) {
	t.Parallel()
	for _, key := range []string{"k-%s-0123456789abcdef", "a.b.%s", "eyJ.%s.x", "eyJhbGciOiJub25lIn0.%s."} {
		h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			name, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
			if !ok || name != fmt.Sprintf(key, "alice") && name != fmt.Sprintf(key, "bob") {
				http.Error(w, "no", http.StatusUnauthorized)
				return
			}
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprintf(w, `{"me": %q}`, name)
		})
		r, err := scan.Run(context.Background(), scan.Config{
			Handler: h, Text: []byte(document), Checks: all,
			Users: []scan.User{{Name: "alice", Token: fmt.Sprintf(key, "alice")}, {Name: "bob", Token: fmt.Sprintf(key, "bob")}},
		})
		if err != nil || len(r.Findings) > 0 {
			t.Errorf("%s: %v, %d findings", key, err, len(r.Findings))
		}
	}
}
