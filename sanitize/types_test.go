package sanitize_test

import (
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"html/template"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/fastness/fastness/sanitize"
)

// nobody forgot to make a policy.
type nobody struct{}

func (nobody) Policy() *sanitize.Policy { return nil }

// TestHTMLIsNotMadeWithoutCleaning, whatever it is read from.
func TestHTMLIsNotMadeWithoutCleaning(t *testing.T) {
	const in, want = `<p onclick=x()>Hi<script>x()</script>`, `<p>Hi</p>`
	fromText, fromJSON, fromString, fromBytes := sanitize.HTML{}, sanitize.HTML{}, sanitize.HTML{}, sanitize.HTML{}
	text, _ := json.Marshal(in)
	buffer := []byte(in)
	for name, err := range map[string]error{
		"text": fromText.UnmarshalText([]byte(in)), "JSON": json.Unmarshal(text, &fromJSON), "string": fromString.Scan(in), "bytes": fromBytes.Scan(buffer),
	} {
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	copy(buffer, "<script>") // A driver uses its buffer for the next row.
	for name, got := range map[string]sanitize.HTML{"text": fromText, "JSON": fromJSON, "string": fromString, "bytes": fromBytes, "Clean": sanitize.Clean(in)} {
		stored, err := got.Value()
		if got.String() != want || got.HTML() != template.HTML(want) || stored != driver.Value(want) || err != nil || got.IsZero() || got.Length() != 9 {
			t.Errorf("%s: %q, HTML %q, Value %v (%v), Length %d", name, got, got.HTML(), stored, err, got.Length())
		}
	}
	for name, forged := range map[string]string{"a literal in JSON": `{"markup":"<script>"}`, "a list": `["<script>"]`, "a number": "1"} {
		var h sanitize.HTML
		if err := json.Unmarshal([]byte(forged), &h); err == nil || !h.IsZero() {
			t.Errorf("%s: %v, %q", name, err, h)
		}
	}
}

func TestHTMLOfAPolicyOfYourOwn(t *testing.T) {
	var own sanitize.HTMLWith[bold]
	if err := own.UnmarshalText([]byte("<b>a</b><i>b</i>")); err != nil || own.String() != "<b>a</b>b" || own.HTML() != "<b>a</b>b" || own.IsZero() || own.Length() != 9 {
		t.Errorf("%q, %v", own, err)
	}
	if err := own.Scan("<b>a</b><u>b</u>"); err != nil || own != sanitize.CleanWith[bold]("<b>a</b>b") {
		t.Errorf("%q, %v", own, err)
	}
	if text, err := own.MarshalText(); err != nil || string(text) != "<b>a</b>b" {
		t.Errorf("MarshalText() = %q, %v", text, err)
	}
	if stored, err := own.Value(); err != nil || stored != driver.Value("<b>a</b>b") {
		t.Errorf("Value() = %v, %v", stored, err)
	}
	var none sanitize.HTMLWith[nobody]
	if err := none.UnmarshalText([]byte("x")); err == nil || !none.IsZero() {
		t.Errorf("without a policy: %q, %v", none, err)
	}
	if err := none.Scan("<b>"); err == nil || !none.IsZero() {
		t.Errorf("without a policy: %q, %v", none, err)
	}
	if got := sanitize.CleanWith[nobody]("<b>").String(); got != "&lt;b&gt;" {
		t.Errorf("without a policy: %q", got)
	}
	if s := none.JSONSchema(); s.ContentMediaType != "text/html" {
		t.Errorf("without a policy: %+v", s)
	}
}

// TestStoredHTMLIsCleanedAgain: another program wrote the row, or this one before
// its policy became stricter. What it had cleaned itself is not changed, though it
// be longer than what may be sent.
func TestStoredHTMLIsCleanedAgain(t *testing.T) {
	var h sanitize.HTML
	if err := h.Scan("<b>x</b><img src=x onerror=alert(1)>"); err != nil || h.String() != `<b>x</b><img src="x">` {
		t.Errorf("%q, %v", h, err)
	}
	long := sanitize.Clean(strings.Repeat("<p>&amp;</p>", 80_000))
	again := strings.Repeat(long.String(), 2)
	if err := h.Scan(again); err != nil || h.String() != again || len(again) < 1<<20 {
		t.Errorf("%d bytes became %d (%v)", len(again), len(h.String()), err)
	}
	if err := h.Scan(nil); err != nil || !h.IsZero() {
		t.Errorf("NULL: %q, %v", h, err)
	}
	if err := h.Scan(7); err == nil {
		t.Error("a number is taken for HTML")
	}
	if err := h.UnmarshalText([]byte(again)); err == nil || !strings.Contains(err.Error(), "at most 1048576 bytes") {
		t.Errorf("more than may be sent: %v", err)
	}
	var _ sql.Scanner = &h
	var _ driver.Valuer = h
}

func TestText(t *testing.T) {
	for in, want := range map[string]string{
		"Ada": "Ada", " Ada\t\n ": "Ada", "\u00a0\u3000Ada\u2003": "Ada", "a\r\nb\rc": "a\nb\nc", "Cafe\u0301": "Café", "\u1112\u1161\u11ab": "한", "a < b": "a < b", "<3": "<3", "1<2": "1<2", "a<": "a<", "a > b & c": "a > b & c",
		"&lt;b&gt;": "&lt;b&gt;", "": "", "  ": "", "👩‍👩‍👧": "👩‍👩‍👧", "\u200eabc": "\u200eabc", "עברית": "עברית", "{{7*7}}": "{{7*7}}", "a\tb": "a\tb", "javascript:x": "javascript:x", "O'Brien \"x\"": "O'Brien \"x\"",
	} {
		got, err := sanitize.NewText(in)
		if err != nil || got.String() != want {
			t.Errorf("%q became %q (%v), want %q", in, got, err, want)
		}
		if again, err := sanitize.NewText(got.String()); err != nil || again != got {
			t.Errorf("%q became %q (%v) the second time", got, again, err)
		}
	}
}

func TestTextIsRefused(t *testing.T) {
	for name, in := range map[string]string{
		"a tag": "<b>x", "an end tag": "x</b>", "an unfinished tag": "x <img src=x onerror=alert(1)//>", "a comment": "<!-- x -->", "a doctype": "<!doctype html>", "a processing instruction": "<?php x ?>", "an unknown tag": "<x>", "a colon": "<a:b>",
		"NUL": "a\x00b", "escape": "a\x1b[31mb", "bell": "a\ab", "delete": "a\x7fb", "a C1 control": "a\u009bb", "a line separator": "a\u2028b", "a paragraph separator": "a\u2029b",
		"an override": "a\u202eb", "an embedding": "a\u202ab", "an isolate": "a\u2066b", "its end": "a\u2069b", "not UTF-8": "a\xffb", "a lone surrogate": "a\xed\xa0\x80b",
	} {
		text := sanitize.Text{}
		if err := text.UnmarshalText([]byte(in)); err == nil || !text.IsZero() {
			t.Errorf("%s: %q, %v", name, text, err)
		} else if strings.Contains(err.Error(), strings.Trim(in, "ab")) && name != "a colon" {
			t.Errorf("%s: the error repeats what was sent: %v", name, err)
		}
	}
}

// TestTextIsStoredAsItIs, and a row that an older program wrote can be read.
func TestTextIsStoredAsItIs(t *testing.T) {
	var text sanitize.Text
	for _, in := range []any{"<b>old</b>", []byte("<b>old</b>")} {
		if err := text.Scan(in); err != nil || text.String() != "<b>old</b>" || text.Length() != 10 {
			t.Errorf("%q, %v", text, err)
		}
	}
	if stored, err := text.Value(); err != nil || stored != driver.Value("<b>old</b>") {
		t.Errorf("Value() = %v, %v", stored, err)
	}
	if err := text.Scan(nil); err != nil || !text.IsZero() {
		t.Errorf("NULL: %q, %v", text, err)
	}
	if err := text.Scan(true); err == nil {
		t.Error("a boolean is taken for text")
	}
}

// TestTemplates puts what users wrote into every place of a page.
func TestTemplates(t *testing.T) {
	page := template.Must(template.New("page").Parse(`<div>{{.Clean.HTML}}</div><p>{{.Clean}}</p><p>{{.Raw}}</p><i title="{{.Clean.HTML}}"></i><i title={{.Raw}}></i>` +
		`<a href="{{.Raw}}">x</a><a href="/?q={{.Raw}}">y</a><b style="color:{{.Raw}}"></b><script>let a = {{.Raw}}, b = "{{.Raw}}", c = {{.Clean.HTML}}, d = ` + "`{{.Raw}}`" + `;</script><style>p{color:{{.Raw}}}</style>` +
		`<textarea>{{.Clean.HTML}}</textarea><!-- {{.Raw}} --><button onclick="f({{.Raw}})"></button>`))
	var plain strings.Builder
	if err := page.Execute(&plain, map[string]any{"Raw": "plain", "Clean": sanitize.Clean("plain")}); err != nil {
		t.Fatal(err)
	}
	calm := skeleton(t, plain.String())
	if risky := skeleton(t, strings.ReplaceAll(plain.String(), "\"plain\"", "alert(1)")); risky == calm {
		t.Fatal("the skeleton does not show what runs")
	}
	for _, attack := range []string{
		`<img src=x onerror=alert(1)>`, `"><script>alert(1)</script>`, `javascript:alert(1)`, `';alert(1)//`, `</script><script>alert(1)</script>`, `</style><script>alert(1)</script>`, `</textarea><script>alert(1)</script>`,
		`expression(alert(1))`, `red;background:url(javascript:alert(1))`, `--><script>alert(1)</script>`, `${alert(1)}`, "`+alert(1)+`", `{{7*7}}`, `x onmouseover=alert(1)`, "\u2028alert(1)", `\x3cscript>`,
	} {
		var b strings.Builder
		if err := page.Execute(&b, map[string]any{"Raw": attack, "Clean": sanitize.Clean(attack + "<b>bold</b>")}); err != nil {
			t.Fatal(err)
		}
		got := b.String()
		if !strings.Contains(got, "<b>bold</b></div>") || strings.Count(got, "<b>bold</b>") != 1 {
			t.Errorf("%q: HTML is printed unescaped elsewhere, or not where it can stand:\n%s", attack, got)
		}
		if shape := skeleton(t, got); shape != calm {
			t.Errorf("%q changes the page to\n%s\nfrom\n%s", attack, shape, calm)
		}
	}
}

// skeleton is what of a page users should not be able to change: elements, names
// of attributes, code without its strings, and where links lead. What cleaning
// leaves of the user's own elements, in the first div, is not part of it.
func skeleton(t *testing.T, markup string) string {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(markup))
	if err != nil {
		t.Fatal(err)
	}
	literal := regexp.MustCompile("\"(?:[^\"\\\\\n]|\\\\.)*\"|`(?:[^`\\\\$]|\\\\.)*`")
	var b strings.Builder
	var walk func(n *html.Node)
	walk = func(n *html.Node) {
		switch {
		case n.Type == html.CommentNode:
			b.WriteString("(comment)")
		case n.Type == html.ElementNode:
			b.WriteString("(" + n.Data)
			for _, a := range n.Attr {
				b.WriteString(" " + a.Key)
				switch a.Key {
				case "onclick":
					b.WriteString("=" + literal.ReplaceAllString(a.Val, "''"))
				case "style":
					b.WriteString("=" + regexp.MustCompile(`^color:[\w #.-]*$`).ReplaceAllString(a.Val, "plain"))
				case "href":
					u, err := url.Parse(a.Val)
					b.WriteString(fmt.Sprint("=", err == nil && u.Scheme == "" && u.Host == ""))
				}
			}
			if n.Data == "div" {
				break
			}
			for child := range n.ChildNodes() {
				walk(child)
			}
		case n.Type == html.TextNode && n.Parent.Data == "script":
			b.WriteString(literal.ReplaceAllString(n.Data, "''"))
		case n.Type == html.TextNode && n.Parent.Data == "style":
			b.WriteString(regexp.MustCompile(`^p\{color:[\w #.-]*\}$`).ReplaceAllString(n.Data, "plain"))
		}
		if n.Type == html.DocumentNode {
			for child := range n.ChildNodes() {
				walk(child)
			}
		}
		b.WriteString(")")
	}
	walk(doc)
	return b.String()
}

// TestTemplatesAndCodeComeBackByteForByte: nothing here evaluates what it reads.
func TestTemplatesAndCodeComeBackByteForByte(t *testing.T) {
	for _, in := range []string{"{{7*7}}", "${7*7}", "#{7*7}", "*{7*7}", "@(7*7)", "[[7*7]]", "%{7*7}", "{%print(7)%}", "=1+1", "{{constructor.constructor('x')()}}"} {
		if got := sanitize.Clean(in).String(); got != in {
			t.Errorf("%q became %q", in, got)
		}
		if got, err := sanitize.NewText(in); err != nil || got.String() != in {
			t.Errorf("%q became %q (%v)", in, got, err)
		}
	}
}

func TestPrintingDoesNotUnescape(t *testing.T) {
	if got := fmt.Sprintf("%s %v", sanitize.Clean("<b>x"), sanitize.Text{}); got != "<b>x</b> " {
		t.Errorf("%q", got)
	}
}
