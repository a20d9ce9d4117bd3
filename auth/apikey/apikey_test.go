package apikey_test

import (
	"errors"
	"hash/crc32"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/auth/apikey"
	"github.com/fastness/fastness/problem"
)

// example has the form of a key, checksum and all, and none has ever been it.
var example = "shop_" + strings.Repeat("A", 16) + "_" + strings.Repeat("b", 43) + apikey.Checksum("shop_"+strings.Repeat("A", 16)+"_"+strings.Repeat("b", 43))

func TestConfigNamesEveryMistake(t *testing.T) {
	_, err := apikey.Open(t.Context(), apikey.Config{Prefix: "Shop_", Lifetime: 400 * 24 * time.Hour, PerOwner: -1, Keep: time.Second})
	if err == nil {
		t.Fatal("a config without anything right was taken")
	}
	for _, name := range []string{"DB is nil", "Accounts is nil", "Events is nil", "Prefix is", "Lifetime is 9600h", "PerOwner is -1", "Keep is 1s"} {
		if !strings.Contains(err.Error(), name) {
			t.Errorf("the error does not say %q: %v", name, err)
		}
	}
}

func TestSchemeConfig(t *testing.T) {
	tests := []struct {
		is   string
		cfg  apikey.SchemeConfig
		want string // part of the error
	}{
		{"the zero value is good", apikey.SchemeConfig{}, ""},
		{"a cookie is good", apikey.SchemeConfig{In: apikey.InCookie}, ""},
		{"the query takes a reason", apikey.SchemeConfig{In: apikey.InQuery}, "InsecureQueryParameter"},
		{"a reason for nothing", apikey.SchemeConfig{InsecureQueryParameter: "test"}, "InsecureQueryParameter"},
		{"the query with a reason", apikey.SchemeConfig{In: apikey.InQuery, InsecureQueryParameter: "test"}, ""},
		{"a place that there is not", apikey.SchemeConfig{In: "body", Parameter: "x"}, "neither"},
		{"a name of two lines", apikey.SchemeConfig{Parameter: "X-A\r\nB"}, "want a token"},
		{"the header of others", apikey.SchemeConfig{Parameter: "authorization"}, "belongs to others"},
	}
	for _, tt := range tests {
		t.Run(tt.is, func(t *testing.T) {
			tt.cfg.Keys = apikey.WithPrefix("shop")
			_, err := apikey.NewScheme(tt.cfg)
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("NewScheme(%+v): %v, want %q", tt.cfg, err, tt.want)
			}
		})
	}
	if _, err := apikey.NewScheme(apikey.SchemeConfig{}); err == nil {
		t.Error("a scheme without keys was taken")
	}
}

func scheme(t testing.TB, cfg apikey.SchemeConfig) *apikey.Scheme {
	t.Helper()
	cfg.Keys = apikey.WithPrefix("shop")
	s, err := apikey.NewScheme(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSchemeSaysWhatItIs(t *testing.T) {
	d := scheme(t, apikey.SchemeConfig{}).Describe()
	if d.Name != "apiKey" || d.Ambient || d.Security.In != "header" || d.Security.Name != "X-API-Key" || d.Challenge != "APIKey" || len(d.OptOuts) != 0 {
		t.Errorf("in a header: %+v", d)
	}
	if d := scheme(t, apikey.SchemeConfig{In: apikey.InCookie}).Describe(); !d.Ambient || d.Security.In != "cookie" || d.Security.Name != "__Host-api-key" {
		t.Errorf("in a cookie: %+v", d)
	}
	d = scheme(t, apikey.SchemeConfig{In: apikey.InQuery, InsecureQueryParameter: "a test"}).Describe()
	if d.Ambient || d.Security.In != "query" || d.OptOuts["InsecureQueryParameter"] != "a test" {
		t.Errorf("in the query: %+v", d)
	}
}

// carry puts texts where each kind of scheme looks for them.
func carry(r *http.Request, in apikey.Place, texts ...string) {
	for _, text := range texts {
		switch in {
		case apikey.InHeader:
			r.Header.Add("x-api-key", text)
		case apikey.InCookie:
			r.Header.Add("Cookie", "__Host-api-key="+text)
		case apikey.InQuery:
			r.URL.RawQuery += "&api_key=" + url.QueryEscape(text)
		}
	}
}

func everyPlace(t *testing.T, test func(t *testing.T, in apikey.Place, s *apikey.Scheme)) {
	for _, in := range []apikey.Place{apikey.InHeader, apikey.InCookie, apikey.InQuery} {
		t.Run(string(in), func(t *testing.T) {
			cfg := apikey.SchemeConfig{In: in}
			if in == apikey.InQuery {
				cfg.InsecureQueryParameter = "a test"
			}
			test(t, in, scheme(t, cfg))
		})
	}
}

// Whatever asks the database panics here, so a refusal has not.
func TestMalformedKeyCostsNoQuery(t *testing.T) {
	typo := []byte(example)
	typo[30]++
	texts := []string{
		"x", string(typo), example[:len(example)-1], example + "A", strings.ToUpper(example), "key" + example[4:], "shop_" + strings.Repeat("A", 66),
		strings.Replace(example, "_", "-", 2), strings.Repeat("A", 1<<16), "shop_' OR 1=1 --",
	}
	everyPlace(t, func(t *testing.T, in apikey.Place, s *apikey.Scheme) {
		for _, text := range texts {
			r := httptest.NewRequest("GET", "/", nil)
			carry(r, in, text)
			if !s.Present(r) {
				t.Errorf("a key of %d bytes is not present", len(text))
			}
			_, err := s.Authenticate(t.Context(), r)
			if _, ok := errors.AsType[*auth.Refusal](err); !ok {
				t.Errorf("a key of %d bytes: %v, want a refusal", len(text), err)
			}
			if len(text) > 1 && strings.Contains(err.Error(), text) {
				t.Errorf("the refusal shows the text: %v", err)
			}
		}
	})
}

func TestTwoKeysAreAmbiguous(t *testing.T) {
	everyPlace(t, func(t *testing.T, in apikey.Place, s *apikey.Scheme) {
		r := httptest.NewRequest("GET", "/", nil)
		if s.Present(r) {
			t.Error("a request without a key has one")
		}
		carry(r, in, example, "x")
		_, err := s.Authenticate(t.Context(), r)
		if p := problem.From(err); err == nil || p.Status != http.StatusBadRequest {
			t.Errorf("two keys: %v, want 400", err)
		}
	})
}

func TestNewKeysHaveTheDocumentedForm(t *testing.T) {
	pattern := regexp.MustCompile(apikey.WithPrefix("shop").Pattern())
	seen := make(map[string]bool)
	for range 200 {
		text, id := apikey.NewText("shop")
		if got, ok := apikey.Parse("shop", text); !ok || got != id || seen[text] || seen[id] {
			t.Fatalf("%q: id %q, %v, want %q, once", text, got, ok, id)
		}
		seen[text], seen[id] = true, true
		if found := pattern.FindString(`token = "` + text + `" # committed`); found != text {
			t.Errorf("a scanner finds %q, want %q", found, text)
		}
	}
	if pattern.MatchString(example + "A") {
		t.Error("a scanner takes a longer text for a key")
	}
}

// A typo in a key is seen without a query: CRC-32 finds every change of one
// character, and of any two that are exchanged beside each other.
func TestChecksumFindsEveryTypo(t *testing.T) {
	for i := range len(example) {
		changed := []byte(example)
		for _, c := range []byte("0Zx_") {
			if changed[i] = c; string(changed) != example {
				if _, ok := apikey.Parse("shop", string(changed)); ok {
					t.Errorf("%q at %d is not noticed", c, i)
				}
			}
		}
		if i > 0 && example[i] != example[i-1] {
			changed := []byte(example)
			changed[i], changed[i-1] = changed[i-1], changed[i]
			if _, ok := apikey.Parse("shop", string(changed)); ok {
				t.Errorf("an exchange at %d is not noticed", i)
			}
		}
	}
}

func TestChecksumIsBase62OfCRC32(t *testing.T) {
	for _, text := range []string{"", "a", "shop_", example} {
		n := new(big.Int)
		for _, c := range apikey.Checksum(text) { // Package big has 0-9a-zA-Z; ours is in the order of ASCII.
			digit := strings.IndexRune("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", c)
			n.Mul(n, big.NewInt(62)).Add(n, big.NewInt(int64(digit)))
		}
		if want := crc32.ChecksumIEEE([]byte(text)); n.Uint64() != uint64(want) || len(apikey.Checksum(text)) != 6 {
			t.Errorf("checksum of %q is %q = %v, want %d", text, apikey.Checksum(text), n, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"", example, example[:71], "shop_", "shop__", strings.Repeat("_", 71), "key_x"} {
		f.Add("shop", seed)
	}
	pattern := regexp.MustCompile(`\A[0-9A-Za-z]{16}_[0-9A-Za-z]{49}\z`)
	f.Fuzz(func(t *testing.T, prefix, text string) {
		id, ok := apikey.Parse(prefix, text)
		rest, found := strings.CutPrefix(text, prefix+"_")
		want := found && pattern.MatchString(rest) && strings.HasSuffix(text, apikey.Checksum(text[:len(text)-6]))
		if ok != want || ok && id != rest[:16] {
			t.Errorf("Parse(%q, %q) = %q, %v, want %v", prefix, text, id, ok, want)
		}
	})
}

func FuzzRequest(f *testing.F) {
	f.Add("api_key="+example, "__Host-api-key="+example, example)
	f.Add("api_key=%zz&api_key=1;2", `__Host-api-key="x"; __Host-api-key`, "\x00")
	schemes := []*apikey.Scheme{
		scheme(f, apikey.SchemeConfig{}), scheme(f, apikey.SchemeConfig{In: apikey.InCookie}),
		scheme(f, apikey.SchemeConfig{In: apikey.InQuery, InsecureQueryParameter: "a test"}),
	}
	f.Fuzz(func(t *testing.T, query, cookie, header string) {
		r := &http.Request{URL: &url.URL{RawQuery: query}, Header: http.Header{"Cookie": {cookie}, "X-Api-Key": {header}}}
		for _, s := range schemes {
			if strings.Contains(query+cookie+header, "shop_") {
				return // It could be well-formed, and there is no database to ask.
			}
			if decoded, err := url.QueryUnescape(query); err != nil || strings.Contains(decoded, "shop_") {
				return
			}
			_, err := s.Authenticate(t.Context(), r)
			_, refused := errors.AsType[*auth.Refusal](err)
			_, ambiguous := errors.AsType[*problem.Problem](err)
			if !refused && !ambiguous {
				t.Errorf("%v", err)
			}
		}
	})
}
