package sanitize_test

import (
	"context"
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/fastnesstest"
	"github.com/fastness/fastness/sanitize"
)

// bold allows b and nothing else.
type bold struct{}

var onlyBold = func() [1]*sanitize.Policy {
	p, err := sanitize.New(sanitize.Config{Tags: []string{"b"}})
	if err != nil {
		panic(err)
	}
	return [1]*sanitize.Policy{p}
}()

func (bold) Policy() *sanitize.Policy { return onlyBold[0] }

type article struct {
	Title  sanitize.Text           `json:"title" minLength:"2" maxLength:"20"`
	Body   sanitize.HTML           `json:"body,omitzero" minLength:"1" maxLength:"60"`
	Teaser sanitize.HTMLWith[bold] `json:"teaser,omitzero"`
}

type search struct {
	Query sanitize.Text `query:"q" maxLength:"9"`
	Title sanitize.Text `form:"title" minLength:"1"`
	Text  sanitize.HTML `form:"text" maxLength:"60"`
}

func articles(t *testing.T) *fastnesstest.API {
	t.Helper()
	app := fastness.New(fastness.Config{Title: "Articles", Version: "1", Logger: fastnesstest.Logger(t)})
	fastness.Post(app, "/articles", func(_ context.Context, in struct{ Body article }) (article, error) { return in.Body, nil }, access.Public)
	fastness.Post(app, "/search", func(_ context.Context, in search) ([]string, error) {
		return []string{in.Query.String(), in.Title.String(), in.Text.String()}, nil
	}, access.Public)
	return fastnesstest.New(t, app)
}

func TestFieldsOfAnAppAreCleanedWhileTheyAreDecoded(t *testing.T) {
	api := articles(t)
	api.Post("/articles", fastnesstest.JSON(`{"title":" Caf\u0065\u0301 ","body":"<p onclick=x()>Hi<script>x()</script>","teaser":"<i>x</i><b>y"}`)).
		WantJSON(`{"title":"Café","body":"<p>Hi</p>","teaser":"x<b>y</b>"}`)
	api.Post("/search?q=a", url.Values{"title": {"x"}, "text": {`<img src=x onerror=alert(1)>`}}).WantJSON(`["a","x","<img src=\"x\">"]`)
	for _, c := range []struct{ body, pointer, code string }{
		{`{"title":"<b>bold</b>"}`, "/title", "text_markup"},
		{`{"title":"a\u0007b"}`, "/title", "text_control"},
		{`{"title":"gnp.\u202eexe"}`, "/title", "text_direction"},
		{`{"title":"x"}`, "/title", "string_too_short"},
		{`{"title":"  x  "}`, "/title", "string_too_short"},
		{`{"title":"012345678901234567890"}`, "/title", "string_too_long"},
		{`{"title":7}`, "/title", "string_type"},
		{`{"title":"ok","body":"<script>x()</script>"}`, "/body", "string_too_short"},
		{`{"title":"ok","body":"<script>0123456789012345678901234567890123456789012345678901234567890123456789</script>"}`, "/body", "string_too_long"},
	} {
		api.Post("/articles", fastnesstest.JSON(c.body)).WantViolation("body", c.pointer, c.code)
	}
	api.Post("/search?q=%3Cb%3E", url.Values{"title": {"x"}, "text": {"x"}}).WantViolation("query", "/q", "text_markup")
	api.Post("/search?q=a", url.Values{"title": {" "}, "text": {"x"}}).WantViolation("form", "/title", "string_too_short")
}

// TestTheDocumentDescribesTheFields: what may be sent has its limits, and HTML its
// media type.
func TestTheDocumentDescribesTheFields(t *testing.T) {
	app := fastness.New(fastness.Config{Title: "Articles", Version: "1", Logger: fastnesstest.Logger(t)})
	fastness.Post(app, "/articles", func(_ context.Context, in struct{ Body article }) (article, error) { return in.Body, nil }, access.Public)
	doc, err := app.Document()
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`"body":{"type":"string","description":"HTML. It is cleaned while it is read: what is not allowed is removed.","minLength":1,"maxLength":60,"contentMediaType":"text/html"}`,
		`"title":{"type":"string","description":"Plain text. White space around it is removed; markup and control characters are refused.","minLength":2,"maxLength":20}`,
		`"body":{"type":"string","description":"HTML. It is cleaned while it is read: what is not allowed is removed.","minLength":1,"contentMediaType":"text/html"}`,
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
}
