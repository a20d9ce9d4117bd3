package fastness_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/locale"
	"github.com/fastness/fastness/problem"
	"github.com/fastness/fastness/schema"
)

type ticket struct {
	Seat string `json:"seat" minLength:"2"`
	Left int    `json:"left"`
}

func (t ticket) Validate() error {
	if t.Left > 2 {
		return schema.Invalid("only 2 are left").Named("sold_out").With("left", 2).At("left")
	}
	return nil
}

func germanApp(cfg fastness.Config) *fastness.App {
	german := locale.German()
	german.Sentences["sold_out"] = "Es sind nur noch {left} da"
	german.Sentences["welcome"] = "Willkommen"
	cfg.Locales = locale.Config{Catalogues: []locale.Catalogue{german}, Codes: []string{"sold_out"}}
	app := quiet(cfg)
	fastness.Post(app, "/tickets", func(context.Context, struct{ Body ticket }) (fastness.NoContent, error) {
		return fastness.NoContent{}, nil
	}, access.Public)
	fastness.Get(app, "/welcome", func(ctx context.Context, _ none) (string, error) {
		language := fastness.Language(ctx)
		return language.Tag() + language.Text("welcome"), nil
	}, access.Public)
	return app
}

func TestProblemsAreInTheLanguageOfTheCaller(t *testing.T) {
	app := germanApp(fastness.Config{})
	for _, tt := range []struct {
		target, accept, body string
		status               int
		language             string
		want                 []string
	}{
		{"/tickets", "de-CH, en;q=0.5", `{"seat":"","left":1}`, 422, "de",
			[]string{"Der Text muss mindestens 2 Zeichen haben", "Die Anfrage ist nicht wie vereinbart", "Anfrage nicht verarbeitbar", `"string_too_short"`, `"min_length":2`, `"/seat"`}},
		{"/tickets", "de", `{"seat":"1A","left":3}`, 422, "de", []string{"Es sind nur noch 2 da", `"sold_out"`}},
		{"/tickets", "de", `{"seat`, 400, "de", []string{"kein gültiges JSON", `"json_invalid"`}},
		{"/nowhere", "de", `{}`, 404, "de", []string{"Nicht gefunden"}},
		{"/tickets", "fr", `{"seat":"","left":3}`, 422, "en", []string{"String should have at least 2 characters"}},
		{"/tickets", "de;q=oops", `{"seat":"1A","left":3}`, 422, "en", []string{"only 2 are left"}},
	} {
		res := negotiated(app, "POST", "http://example.com"+tt.target, "application/json", "", tt.body, "Accept-Language", tt.accept)
		got := textOf(t, res)
		for _, want := range tt.want {
			if res.StatusCode != tt.status || !strings.Contains(got, want) {
				t.Errorf("%s, %s: %d %s, want %d %s", tt.target, tt.accept, res.StatusCode, got, tt.status, want)
			}
		}
		if res.Header.Get("Content-Language") != tt.language || !slices.Contains(res.Header.Values("Vary"), "Accept-Language") {
			t.Errorf("%s: Content-Language %q, Vary %q", tt.accept, res.Header.Get("Content-Language"), res.Header.Values("Vary"))
		}
	}
}

// What one caller is told must not stay for the next one.
func TestLanguageOfOneRequestIsNotThatOfTheNext(t *testing.T) {
	app := germanApp(fastness.Config{})
	for range 3 {
		for accept, want := range map[string]string{"de": "Nicht gefunden", "": "Not Found"} {
			res := negotiated(app, "GET", "http://example.com/nowhere", "", "", "", "Accept-Language", accept)
			if got := textOf(t, res); !strings.Contains(got, want) {
				t.Fatalf("%q: %s", accept, got)
			}
		}
	}
}

func TestLanguageOfTheApplicationsTexts(t *testing.T) {
	app := germanApp(fastness.Config{})
	for accept, want := range map[string]string{"de": `"deWillkommen"`, "": `"en"`} {
		res := negotiated(app, "GET", "http://example.com/welcome", "", "", "", "Accept-Language", accept)
		if got := textOf(t, res); got != want || !slices.Contains(res.Header.Values("Vary"), "Accept-Language") {
			t.Errorf("%q: %s, Vary %q", accept, got, res.Header.Values("Vary"))
		}
	}
	if tag := fastness.Language(t.Context()).Tag(); tag != "en" {
		t.Errorf("without a request: %s", tag)
	}
}

func TestFastAPIErrorsHaveALanguageToo(t *testing.T) {
	res := negotiated(germanApp(fastness.Config{Errors: fastness.FastAPIErrors}), "POST", "http://example.com/tickets", "application/json", "", `{"left":1}`, "Accept-Language", "de")
	if got := textOf(t, res); !strings.Contains(got, `"msg":"Das Feld ist erforderlich"`) || !strings.Contains(got, `"type":"missing"`) {
		t.Error(got)
	}
}

func TestWithoutLocalesNothingIsSaidOfLanguages(t *testing.T) {
	res := do(t, quiet(fastness.Config{}), http.MethodGet, "http://example.com/nowhere", "")
	if res.Header.Get("Content-Language") != "" || slices.Contains(res.Header.Values("Vary"), "Accept-Language") || res.Header.Get("Content-Type") != problem.MediaType {
		t.Errorf("header is %v", res.Header)
	}
}

func TestPoorCatalogueDoesNotStart(t *testing.T) {
	app := quiet(fastness.Config{Locales: locale.Config{Catalogues: []locale.Catalogue{{Tag: "it"}}}})
	if err := app.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "it: the sentence of missing is missing") {
		t.Error(err)
	}
}
