package token_test

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"
)

// everything are all checks of the group.
var everything = []string{"AU-01b", "AU-08", "JW-01", "JW-02", "JW-03", "JW-04", "JW-05", "JW-06", "JW-07"}

func TestStrictTargetIsNoFindingOfAnyCheck(t *testing.T) {
	t.Parallel()
	wants(t, findings(t, &api{}, everything...))
}

// A public key beside tokens that are verified is as it should be; taken for a secret, it
// is not.
func TestPublicKeyThatIsASecretIsFound(t *testing.T) {
	t.Parallel()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	text := string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	jwks := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		n, e := base64.RawURLEncoding.EncodeToString(key.N.Bytes()), base64.RawURLEncoding.EncodeToString(big.NewInt(int64(key.E)).Bytes())
		_ = json.NewEncoder(w).Encode(map[string]any{"keys": []any{map[string]any{"kty": "RSA", "kid": "k1", "n": n, "e": e}, "junk", map[string]any{"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}}})
	}
	extra := map[string]http.HandlerFunc{"/.well-known/jwks.json": jwks}
	confused := func(a *api, token string) map[string]any {
		parts := strings.Split(token, ".")
		if len(parts) == 3 && decode(parts[0])["alg"] == "HS256" && hmac.Equal([]byte(sign(text, parts[0]+"."+parts[1])), []byte(token)) {
			return decode(parts[1])
		}
		return strict(a, token)
	}
	wants(t, findings(t, &api{extra: extra, reads: confused}, everything...), "JW-04: the public key of /.well-known/jwks.json is taken for a secret: a token that is signed with it (HS256) is let in; with the claims of bob")
	wants(t, findings(t, &api{extra: extra}, everything...))
}

func TestKidThatNamesAnEmptyFileIsFound(t *testing.T) {
	t.Parallel()
	got := findings(t, &api{head: map[string]any{"kid": "main"}, reads: func(a *api, token string) map[string]any {
		parts := strings.Split(token, ".")
		if len(parts) != 3 {
			return nil
		}

		switch kid := fmt.Sprint(decode(parts[0])["kid"]); {
		case kid == "main":
			return strict(a, token)
		case !strings.HasSuffix(kid, "dev/null"):
			return nil
		}
		if !hmac.Equal([]byte(sign("", parts[0]+"."+parts[1])), []byte(token)) {
			return nil
		}
		return decode(parts[1])
	}}, everything...)
	wants(t, got, "JW-06: the token says which key it is signed with, and may name any")
}

// Whoever calls the address in jku lets the attacker call through the target.
func TestAddressOfTheKeyIsFound(t *testing.T) {
	t.Parallel()
	got := findings(t, &api{reads: func(a *api, token string) map[string]any {
		if address, _ := decode(strings.Split(token, ".")[0])["jku"].(string); address != "" {
			if res, err := http.Get(address); err == nil {
				_, _ = io.Copy(io.Discard, res.Body)
				_ = res.Body.Close()
			}
			return nil
		}
		return strict(a, token)
	}}, everything...)
	wants(t, got, "JW-06: the token says where its key is (jku), and the target calls any address")
}

func TestTimesAndAudiencesThatNobodyComparesAreFound(t *testing.T) {
	t.Parallel()
	claims := func(name string) map[string]any {
		return map[string]any{"sub": name, "aud": "shop", "iss": "login", "exp": time.Now().Add(time.Hour).Unix()}
	}
	careless := func(a *api, token string) map[string]any {
		parts := strings.Split(token, ".")
		if len(parts) != 3 || !hmac.Equal([]byte(sign(a.secret, parts[0]+"."+parts[1])), []byte(token)) {
			return nil
		}
		return decode(parts[1])
	}
	wants(t, findings(t, &api{secret: "secret123", claims: claims, reads: careless}, everything...),
		"JW-03", "JW-05: a token that begins tomorrow", "JW-05: a token that ended a day ago", "JW-07: a token for another audience, or of another issuer, is let in: aud and iss")
	careful := func(a *api, token string) map[string]any {
		if m := strict(a, token); m["aud"] == "shop" && m["iss"] == "login" {
			return m
		}
		return nil
	}
	wants(t, findings(t, &api{secret: "secret123", claims: claims, reads: careful}, everything...), "JW-03")
}

func TestTokensThatNeverEndAreFound(t *testing.T) {
	t.Parallel()
	got := findings(t, &api{claims: func(name string) map[string]any { return map[string]any{"sub": name} }}, everything...)
	wants(t, got, "JW-05: the token has no time at which it ends")
}

func TestMadeUpCredentialsAreFound(t *testing.T) {
	t.Parallel()
	got := findings(t, &api{reads: func(_ *api, token string) map[string]any {
		if token == "" {
			return nil
		}
		return map[string]any{"sub": "alice"}
	}}, everything...)
	wants(t, got, "AU-01b: any credentials will do")
}
