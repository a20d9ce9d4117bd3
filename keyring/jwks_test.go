package keyring_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/fastness/fastness/internal/jws"
	"github.com/fastness/fastness/keyring"
)

func TestThePublishedKeysArePublic(t *testing.T) {
	c := newClock()
	cfg := config(t, &keyring.Memory{}, c)
	cfg.Purposes = append(cfg.Purposes, keyring.Purpose{Name: "id-token", Algorithm: keyring.ES256}, keyring.Purpose{Name: "internal", Algorithm: keyring.HS256})
	ring := open(t, cfg)
	c.add(40 * time.Minute)
	body, keep, err := ring.JWKS(t.Context())
	if err != nil || keep != 5*time.Minute {
		t.Fatalf("JWKS() = %v, %v", keep, err)
	}
	var set struct{ Keys []map[string]any }
	if err := json.Unmarshal(body, &set); err != nil {
		t.Fatal(err)
	}
	if len(set.Keys) != 3 { // Two for tokens, one of which is announced, and one for id tokens.
		t.Errorf("%d keys are published, want 3", len(set.Keys))
	}
	for _, k := range set.Keys {
		for _, private := range []string{"d", "p", "q", "dp", "dq", "qi", "k", "oth"} {
			if _, ok := k[private]; ok {
				t.Errorf("the member %s is published", private)
			}
		}
		if k["kty"] == "oct" || k["kid"] == nil || k["alg"] == nil {
			t.Errorf("published: %v", k)
		}
	}
	keys, problems := jws.ParseSet(body)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	token := signing(t, ring, tokens)
	sig, err := token.Sign([]byte("token"))
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(keys, func(k *jws.Key) bool { return k.ID() == token.ID() })
	if i < 0 || keys[i].Verify([]byte("token"), sig) != nil {
		t.Error("the published key does not verify what the ring signs")
	}
	for _, secret := range []string{cookies, "internal", "other"} {
		if _, _, err := ring.JWKS(t.Context(), tokens, secret); err == nil {
			t.Errorf("JWKS(%s) is no mistake", secret)
		}
		if _, err := ring.Handler(tokens, secret); err == nil {
			t.Errorf("Handler(%s) is no mistake", secret)
		}
	}
}

func TestTheHandlerAnswersWithTheKeys(t *testing.T) {
	c := newClock()
	ring := open(t, config(t, &keyring.Memory{}, c))
	handler, err := ring.Handler()
	if err != nil {
		t.Fatal(err)
	}
	ask := func(method, match string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, "/.well-known/jwks.json", nil)
		if match != "" {
			r.Header.Set("If-None-Match", match)
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return w
	}
	w := ask("GET", "")
	tag := w.Header().Get("ETag")
	if w.Code != http.StatusOK || !containsID(w.Body.Bytes(), signing(t, ring, tokens).ID()) || tag == "" ||
		w.Header().Get("Cache-Control") != "public, max-age=300" || w.Header().Get("Content-Type") != "application/jwk-set+json" {
		t.Errorf("GET = %d %v %s", w.Code, w.Header(), w.Body)
	}
	if w := ask("HEAD", ""); w.Code != http.StatusOK || w.Body.Len() != 0 || w.Header().Get("ETag") != tag {
		t.Errorf("HEAD = %d %v %s", w.Code, w.Header(), w.Body)
	}
	for _, match := range []string{tag, "W/" + tag, `"a", ` + tag, "*"} {
		if w := ask("GET", match); w.Code != http.StatusNotModified || w.Body.Len() != 0 {
			t.Errorf("GET with If-None-Match: %s = %d, want 304", match, w.Code)
		}
	}
	if w := ask("POST", ""); w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "GET, HEAD" {
		t.Errorf("POST = %d, want 405", w.Code)
	}
	if err := ring.RevokeBefore(t.Context(), tokens, time.Time{}); err != nil {
		t.Fatal(err)
	}
	if w := ask("GET", tag); w.Code != http.StatusOK {
		t.Errorf("after a revocation the old keys are called current: %d", w.Code)
	}
}

// plainMaterial returns the private part of a key that is stored in plaintext.
func plainMaterial(t testing.TB, store keyring.Store, id string) []byte {
	t.Helper()
	var document struct {
		Ring struct {
			Keys []struct{ ID, Material string }
		}
	}
	if err := json.Unmarshal(stored(t, store), &document); err != nil {
		t.Fatal(err)
	}
	for _, k := range document.Ring.Keys {
		if k.ID == id {
			material, err := base64.StdEncoding.DecodeString(k.Material)
			if err != nil {
				t.Fatal(err)
			}
			return material[len("INSECURE"):]
		}
	}
	t.Fatalf("no key %s", id)
	return nil
}
