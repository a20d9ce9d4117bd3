package cbor_test

import (
	"context"
	"encoding/hex"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/cbor"
	"github.com/fastness/fastness/schema"
)

// The rules of JSON bodies hold for those in CBOR.
func TestBodiesInCBORAreAsStrictAsJSON(t *testing.T) {
	app := fastness.New(fastness.Config{
		Title: "Sensors", Version: "1.0.0", Logger: slog.New(slog.DiscardHandler), Formats: []fastness.Format{cbor.New()},
	})
	fastness.Post(app, "/readings", addReading, access.Public, fastness.BodyLimit(1000))
	server := httptest.NewServer(app)
	defer server.Close()
	for name, tt := range map[string]struct {
		body   string
		status int
		want   string
	}{
		"good":             {"a26673656e736f7264726f6f666576616c756515", 201, "roof"},
		"a member twice":   {"a36673656e736f7264726f6f666576616c7565156576616c756516", 400, "Duplicate"},
		"an unknown one":   {"a36673656e736f7264726f6f666576616c7565156178" + "00", 422, "extra_forbidden"},
		"a missing one":    {"a16673656e736f7264726f6f66", 422, "missing"},
		"a wrong type":     {"a26673656e736f72016576616c756515", 422, "string_type"},
		"bytes for a text": {"a26673656e736f7244726f6f666576616c756515", 400, "byte string"},
		"an indefinite":    {"bf6673656e736f7264726f6f666576616c756515ff", 400, "cbor_invalid"},
		"trailing bytes":   {"a26673656e736f7264726f6f666576616c75651500", 400, "cbor_invalid"},
		"too large":        {"790400" + strings.Repeat("61", 1024), 413, ""},
	} {
		r, err := http.NewRequest("POST", server.URL+"/readings", strings.NewReader(string(bytesOf(t, tt.body))))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", cbor.MediaType)
		r.Header.Set("Accept", cbor.MediaType)
		res, err := server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		var body strings.Builder
		if _, err := io.Copy(&body, res.Body); err != nil {
			t.Fatal(err)
		}
		text, err := cbor.New().ToJSON([]byte(body.String()))
		if res.StatusCode != tt.status || res.Header.Get("Content-Type") != cbor.MediaType || err != nil || !strings.Contains(string(text), tt.want) {
			t.Errorf("%s: %d %s %s, %v, want %d", name, res.StatusCode, res.Header.Get("Content-Type"), text, err, tt.status)
		}
	}
}

// A member has the same names in CBOR as in JSON, on both sides.
func TestMembersHaveTheirNamesInCBOR(t *testing.T) {
	type priced struct {
		UnitPrice int `out:"net"`
		InStock   int
	}
	app := fastness.New(fastness.Config{
		Title: "Prices", Version: "1.0.0", Logger: slog.New(slog.DiscardHandler), Formats: []fastness.Format{cbor.New()}, Names: schema.CamelCase,
	})
	fastness.Post(app, "/prices", func(_ context.Context, in struct{ Body priced }) (priced, error) { return in.Body, nil }, access.Public)
	server := httptest.NewServer(app)
	defer server.Close()
	for sent, want := range map[string]string{
		"a269756e6974507269636505" + "67696e53746f636b07": "a2636e657405" + "67696e53746f636b07", // unitPrice, inStock; net, inStock
	} {
		r, err := http.NewRequest("POST", server.URL+"/prices", strings.NewReader(string(bytesOf(t, sent))))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", cbor.MediaType)
		r.Header.Set("Accept", cbor.MediaType)
		res, err := server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if got := hex.EncodeToString(body); err != nil || got != want {
			t.Errorf("%s is answered with %d %s (%v), want %s", sent, res.StatusCode, got, err, want)
		}
	}
}
