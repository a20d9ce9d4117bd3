package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/cbor"
)

// inCBOR sends JSON as CBOR, and returns the answer with its body as JSON.
func (s *shop) inCBOR(method, target, body string) reply {
	s.t.Helper()
	encoded, err := cbor.New().FromJSON([]byte(body))
	if err != nil {
		s.t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(auth.With(s.t.Context(), s.caller), method, target, strings.NewReader(string(encoded)))
	got := s.send(r, "Content-Type", cbor.MediaType, "Accept", cbor.MediaType)
	if media := got.header.Get("Content-Type"); media != cbor.MediaType {
		s.t.Errorf("%s %s is answered in %q", method, target, media)
	}
	text, err := cbor.New().ToJSON([]byte(got.body))
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, target, err)
	}
	got.body = string(text)
	return got
}

func TestShopSpeaksCBORUnderTheSameRules(t *testing.T) {
	s := openShop(t, t.TempDir())
	made := s.inCBOR(http.MethodPost, "/items/", `{"name":"Lamp","price":42.50,"stock":3}`)
	if item := made.decode(t); made.status != http.StatusCreated || item["name"] != "Lamp" || item["price"] == nil {
		t.Errorf("an item in CBOR = %d %s, want 201", made.status, made.body)
	}
	for _, body := range []string{`{"name":"","price":1}`, `{"name":"Lamp","price":-1}`, `{"name":"Lamp","price":1,"seller":"s2"}`} {
		if got := s.inCBOR(http.MethodPost, "/items/", body); got.status != http.StatusUnprocessableEntity {
			t.Errorf("%s in CBOR = %d %s, want 422", body, got.status, got.body)
		}
	}
}

func TestShopSaysWhatIsWrongInGermanAndFrench(t *testing.T) {
	s := openShop(t, t.TempDir())
	for language, want := range map[string]string{"de-AT, en;q=0.5": "de", "fr": "fr", "tlh": "", "": ""} {
		got := s.call(http.MethodPost, "/items/", `{"name":"","price":1}`, "Accept-Language", language)
		if got.header.Get("Content-Language") != want && !(want == "" && got.header.Get("Content-Language") == "en") || !strings.Contains(got.body, `"code":"string_too_short"`) {
			t.Errorf("Accept-Language %q is answered in %q: %s", language, got.header.Get("Content-Language"), got.body)
		}
		if english := strings.Contains(got.body, "String should have at least 1 character"); english != (want == "") {
			t.Errorf("Accept-Language %q: %s", language, got.body)
		}
	}
}
