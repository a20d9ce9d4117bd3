package fastness_test

import (
	"bytes"
	"context"
	"fmt"
	"testing"
	"testing/fstest"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/fastnesstest"
	"github.com/fastness/fastness/internal/guidetest"
	"github.com/fastness/fastness/locale"
	"github.com/fastness/fastness/problem"
	"github.com/fastness/fastness/schema"
	"github.com/fastness/fastness/secret"
	"github.com/fastness/fastness/templates"
)

// What follows is the code of docs/formats.md.

type mailSettings struct {
	Server   string        `name:"smtp" env:"SHOP_SMTP" required:"" placeholder:"HOST:PORT" help:"Server that takes mail."`
	Password secret.Text   `name:"smtp-password" env:"SHOP_SMTP_PASSWORD" placeholder:"TEXT" help:"Its password."`
	Key      secret.Source `name:"signing-key" env:"SHOP_SIGNING_KEY" placeholder:"REFERENCE" help:"Where the key is."`
}

type seatsPage struct {
	fastness.Page
	Left int `json:"left"`
}

type seats struct {
	Seats int `json:"seats"`
}

func (s seats) Validate() error {
	if left := 3; s.Seats > left {
		return schema.Invalid(fmt.Sprintf("only %d are left", left)).Named("sold_out").With("left", left).At("seats")
	}
	return nil
}

func TestGuideToFormatsShowsCodeThatRuns(t *testing.T) {
	guidetest.Shows(t, "docs/formats.md", 7, "formats_guide_test.go", "names_guide_test.go")
}

func TestGuideToFormatsRuns(t *testing.T) {
	german := locale.German()
	german.Sentences["sold_out"] = "Es sind nur noch {left} da"
	german.Sentences["sold_out.one"] = "Es ist nur noch einer da"
	app := fastness.New(fastness.Config{
		Title: "Seats", Version: "1.0.0",
		Locales: locale.Config{Catalogues: []locale.Catalogue{german}, Codes: []string{"sold_out"}},
	})
	web := fstest.MapFS{
		"layout.html": {Data: []byte(`<script nonce="{{.Nonce}}">1</script><main>{{template "content" .}}</main>`)},
		"seats.html":  {Data: []byte(`{{define "content"}}<a href="{{.URL "takeSeats"}}">{{.Left}}</a>{{end}}`)},
	}
	pages, err := templates.New(templates.Config{
		Files: web, Layout: "layout.html",
		Pages: map[string]any{"seats.html": seatsPage{}},
	})
	if err != nil {
		t.Fatal(err)
	}
	fastness.AddSettings[mailSettings](app)
	fastness.Override(app, mailSettings{Server: "mail:25"})
	fastness.Get(app, "/seats", func(context.Context, none) (fastness.View[seatsPage], error) {
		return fastness.View[seatsPage]{Template: pages.Page("seats.html"), Body: seatsPage{Left: 3}}, nil
	}, access.Public)
	fastness.Post(app, "/seats", func(ctx context.Context, in struct {
		Mail mailSettings
		Body seats
	}) (string, error) {
		text := fastness.Language(ctx).Text("sold_out", problem.Limit{Name: "left", Value: 1})
		return in.Mail.Server + ": " + text, nil
	}, access.Public, fastness.OperationID("takeSeats"))

	api, inGerman := fastnesstest.New(t, app), fastnesstest.Header("Accept-Language", "de-AT")
	res := api.Get("/seats", fastnesstest.Accept("text/html")).Want(200)
	if !bytes.Contains(res.Body, []byte(`<main><a href="/seats">3</a></main>`)) || bytes.Contains(res.Body, []byte(`nonce=""`)) {
		t.Errorf("the page is %s", res.Body)
	}
	api.Post("/seats", fastnesstest.JSON(`{"seats": 2}`), inGerman).WantJSON(`"mail:25: Es ist nur noch einer da"`)
	res = api.Post("/seats", fastnesstest.JSON(`{"seats": 4}`), inGerman).Want(422).WantViolation("body", "/seats", "sold_out").WantHeader("Content-Language", "de")
	if !bytes.Contains(res.Body, []byte("Es sind nur noch 3 da")) {
		t.Errorf("the answer is %s", res.Body)
	}
	if res = api.Post("/seats", fastnesstest.JSON(`{"seats": 4}`)).Want(422); !bytes.Contains(res.Body, []byte("only 3 are left")) {
		t.Errorf("the answer is %s", res.Body)
	}
}
