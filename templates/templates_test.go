package templates_test

import (
	"fmt"
	"html/template"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/fastness/fastness/sanitize"
	"github.com/fastness/fastness/templates"
)

type item struct {
	Name string
	Tags []string
}

func (i *item) Price(unit string) (string, error) { return "3 " + unit, nil }

type page struct {
	Title string
	Items []item
	By    map[string]item
	First *item
	Any   any
	Note  sanitize.HTML
}

func files(contents map[string]string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for name, text := range contents {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return fsys
}

func show(t *testing.T, text string, data any) string {
	t.Helper()
	set, err := templates.New(templates.Config{Files: files(map[string]string{"p.html": text}), Pages: map[string]any{"p.html": data}})
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := set.Page("p.html").Execute(&b, data); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func Example() {
	set, err := templates.New(templates.Config{
		Files: files(map[string]string{
			"layout.html":      `<title>{{block "title" .}}Shop{{end}}</title>{{template "content" .}}`,
			"shared/item.html": `{{define "item"}}<li>{{.Name}}{{end}}`,
			"items.html":       `{{define "content"}}{{range .Items}}{{template "item" .}}{{end}}{{end}}`,
			"about.html":       `{{define "title"}}About{{end}}{{define "content"}}<p>Us{{end}}`,
		}),
		Layout: "layout.html", Shared: "shared/*.html",
		Pages: map[string]any{"items.html": page{}, "about.html": struct{}{}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = set.Page("items.html").Execute(os.Stdout, page{Items: []item{{Name: "Lamp & co"}, {Name: "{{7*7}}"}}})
	fmt.Println()
	_ = set.Page("about.html").Execute(os.Stdout, struct{}{})
	// Output:
	// <title>Shop</title><li>Lamp &amp; co<li>{{7*7}}
	// <title>About</title><p>Us
}

func TestMistakesAreFoundAtTheStart(t *testing.T) {
	all := map[string]string{
		"field.html":    `{{.Titel}}`,
		"nested.html":   `{{range .Items}}{{.Nmae}}{{end}}`,
		"with.html":     `{{with .First}}{{.Nope}}{{end}}`,
		"variable.html": `{{range $i, $e := .Items}}{{$e.Gone}}{{$.Lost}}{{end}}`,
		"argument.html": `{{printf "%s" .Absent}}`,
		"map.html":      `{{.By.lamp.Weight}}`,
		"called.html":   `{{template "nobody" .}}`,
		"defined.html":  `{{define "row"}}{{.Wrong}}{{end}}{{range .Items}}{{template "row" .}}{{end}}`,
		"parsed.html":   `{{if}}`,
		"place.html":    `<script>var x = "{{if .Title}}"{{end}}</script>`,
		"function.html": `{{shout .Title}}`,
	}
	pages := map[string]any{"missing.html": page{}, "../etc/passwd": page{}}
	for name := range all {
		pages[name] = page{}
	}
	_, err := templates.New(templates.Config{Files: files(all), Pages: pages})
	if err == nil {
		t.Fatal("it starts")
	}
	for _, want := range []string{
		"field.html: in field.html: templates_test.page has no field or method Titel", "templates_test.item has no field or method Nmae",
		"has no field or method Nope", "no field or method Gone", "no field or method Lost", "no field or method Absent", "no field or method Weight",
		`nobody defines the template "nobody"`, "in row: templates_test.item has no field or method Wrong", "parsed.html", "place.html: html/template",
		`function "shout" not defined`, "missing.html", "is no path",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in %v", want, err)
		}
	}
	for _, cfg := range []templates.Config{
		{}, {Files: files(nil)}, {Files: files(all), Shared: "none/*", Pages: pages}, {Files: files(all), Shared: "[", Pages: pages},
		{Files: files(all), Layout: "none.html", Pages: pages}, {Files: files(all), Layout: "parsed.html", Pages: pages},
	} {
		if _, err := templates.New(cfg); err == nil {
			t.Errorf("%v: it starts", cfg)
		}
	}
}

func TestWhatIsRightStarts(t *testing.T) {
	text := `{{.Title}}{{range $i, $e := .Items}}{{$i}}{{$e.Name}}{{($e).Name}}{{range .Tags}}{{.}}{{end}}{{.Price "EUR"}}{{else}}{{.Title}}{{end}}` +
		`{{with $x := .First}}{{$x.Name}}{{.Price "x"}}{{end}}{{.By.lamp.Name}}{{.Any.What.Ever}}{{.Note.HTML}}{{len .Items}}{{index .Items 0}}` +
		`{{define "tree"}}{{.Title}}{{if .First}}{{template "tree" .}}{{end}}{{end}}{{template "tree" .}}`
	if _, err := templates.New(templates.Config{Files: files(map[string]string{"p": text}), Pages: map[string]any{"p": &page{}}}); err != nil {
		t.Error(err)
	}
}

// What a user sends is data: in no place of a page does it become markup, a script or
// a template.
func TestStrangersTextIsEscapedInEveryPlace(t *testing.T) {
	for _, tt := range []struct{ text, value, want string }{
		{`<p>{{.Title}}</p>`, `<script>alert(1)</script>`, `<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>`},
		{`<p>{{.Title}}</p>`, `{{7*7}}${7*7}<%= 7*7 %>#{7*7}`, `<p>{{7*7}}${7*7}&lt;%= 7*7 %&gt;#{7*7}</p>`},
		{`<a title="{{.Title}}">`, `" onclick="x`, `<a title="&#34; onclick=&#34;x">`},
		{`<a title={{.Title}}>`, `x onclick=y`, `<a title=x&#32;onclick&#61;y>`},
		{`<a href="{{.Title}}">`, `javascript:alert(1)`, `<a href="#ZgotmplZ">`},
		{`<a href="{{.Title}}">`, `data:text/html,x`, `<a href="#ZgotmplZ">`},
		{`<a href="/s?q={{.Title}}">`, `a&b=c#d`, `<a href="/s?q=a%26b%3dc%23d">`},
		{`<a onclick="f('{{.Title}}')">`, `');alert(1)//`, `<a onclick="f('\u0027);alert(1)\/\/')">`},
		{`<script>var x = {{.Title}};</script>`, `</script><b>`, `<script>var x = "\u003c/script\u003e\u003cb\u003e";</script>`},
		{`<style>p { color: {{.Title}} }</style>`, `red; background: url(//x)`, `<style>p { color: ZgotmplZ }</style>`},
		{`<p style="color: {{.Title}}">`, `expression(alert(1))`, `<p style="color: ZgotmplZ">`},
		{`<img srcset="{{.Title}}">`, `javascript:x 2x`, `<img srcset="#ZgotmplZ">`},
		{`<!-- {{.Title}} -->`, `--><script>`, ``},
	} {
		if got := show(t, tt.text, page{Title: tt.value}); got != tt.want {
			t.Errorf("%s with %s:\n got %s\nwant %s", tt.text, tt.value, got, tt.want)
		}
	}
}

// A conversion to template.HTML somewhere in a handler would switch the escaping off.
func TestFieldThatIsNotEscapedIsRefused(t *testing.T) {
	type unsafe struct {
		A template.HTML
		B template.JS
		C template.URL
		D *template.CSS
		E template.HTMLAttr
		F template.JSStr
		G template.Srcset
	}
	for _, name := range strings.Split("ABCDEFG", "") {
		_, err := templates.New(templates.Config{Files: files(map[string]string{"p": "{{." + name + "}}"}), Pages: map[string]any{"p": unsafe{}}})
		if err == nil || !strings.Contains(err.Error(), "which is not escaped") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestPageThatNobodyDeclaredFails(t *testing.T) {
	set, err := templates.New(templates.Config{Files: files(map[string]string{"p": "x", "secret": "y"}), Pages: map[string]any{"p": nil}})
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := set.Page("secret").Execute(&b, nil); err == nil || b.Len() > 0 {
		t.Errorf("%q, %v", b.String(), err)
	}
}
