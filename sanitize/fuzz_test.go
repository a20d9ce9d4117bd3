package sanitize_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/fastness/fastness/sanitize"
)

// seeds are inputs with which sanitizers and parsers have been led astray.
func seeds() []string {
	return []string{
		"", "plain", "a & b < c", "<b>x</b>", "<p>a<p>b", "<b><i>x</b>y</i>", "<b><p>x</b>y</p>z", "<a><table><a>", "<table>x<tr><td>y</table>",
		"<ul><li>a<li>b<ul><li>c</ul></ul>", "<dl><dt>a<dd>b", "<h1>a<h2>b</h1>c", "<ruby>a<rt>b<rtc>c<rp>d</ruby>", "<pre>\n\nx</pre>", "<pre>&#10;x",
		"<table><caption>a<td>b<table><td>c</table>d</table>", "<table><colgroup><col>x", "<table><b>x</table>y", "a&#13;b\r\nc&#0;\x00\xff&nbsp;",
		"<svg><style><img src=x onerror=a()></style></svg>", "<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=1 onerror=a()&gt;\">",
		"<form><math><mtext></form><form><mglyph><style></math><img src onerror=a()>", "<noscript><p title=\"</noscript><img src=x onerror=a()>\">",
		"<svg></p><style><a id=\"</style><img src=1 onerror=a()>\">", "<select><template><b>x", "<plaintext>x</plaintext><b>", "<!--><img src=x>-->",
		"<a href=\"java\tscript:a()\">", "<a href='&#106;avascript:a()'>", "<img src=x:x onerror=a()//", "<image src=x>", "<a title='\"><b>'>", "<a a=1 href=b href=c>",
		"<b><b><b><b><p><b>x</p></b></b>y", "<p><b>x<p>y</b>z", "<nav><script>x</nav></script>y", "<td>x<tr>y<caption>z", "</p></br></table></b>x", "<i><div></i>x</div>y",
		"<details><summary>a<p>b</details>", "<a><div><a>x</div>y</a>", "<table><tr><td><a>x</table><a>y", "<button><p>x<button>y", "<p><table><p>x</table>y",
		"<form><div><form>x</form>y</div></form>", "<li><p>a<li>b", "<li><span><li>", "<dd><div><dt>x", "<b><table><td></b>x</table>y", "<pre><b>\nx", "<pre><!-- -->\nx",
	}
}

func FuzzClean(f *testing.F) {
	for _, s := range seeds() {
		f.Add(s)
	}
	p := policy(f, sanitize.Config{})
	f.Fuzz(func(t *testing.T, in string) { check(t, p, in, byDefault) })
}

// FuzzCleanWithEverything allows as much as can be allowed.
func FuzzCleanWithEverything(f *testing.F) {
	for _, s := range seeds() {
		f.Add(s)
	}
	p, allowed := policy(f, everything()), allowedByEverything()
	f.Fuzz(func(t *testing.T, in string) {
		check(t, p, in, allowed)
	})
}

// allowedByEverything is what everything allows.
func allowedByEverything() func(tag, attribute, value string) bool {
	cfg := everything()
	return func(tag, attribute, value string) bool {
		switch {
		case attribute == "":
			return tag == "!--" || slices.Contains(cfg.Tags, tag)
		case attribute == "href" || attribute == "src" || attribute == "cite" || attribute == "action":
			return harmless(value)
		case attribute == "id" || attribute == "name":
			return strings.HasPrefix(value, "user-")
		case attribute == "style":
			return !strings.ContainsAny(value, `\<>@{}&`) && !strings.Contains(value, "/*") && !strings.Contains(strings.ToLower(value), "url")
		case attribute == "class":
			return value == "" || value == "red"
		}
		return slices.Contains([]string{"rel", "type", "lang", "title", "dir"}, attribute) || strings.HasPrefix(attribute, "data-")
	}
}

func everything() sanitize.Config {
	cfg := sanitize.Config{
		Tags: []string{
			"tfoot", "form", "button", "input", "label", "fieldset", "legend", "nobr", "big", "font", "section", "main", "address", "menu", "dir", "search",
			"dialog", "rb", "video", "audio", "source", "track", "canvas", "my-tag", "output", "meter", "progress", "picture", "custom.tag_1",
		},
		Attributes:               map[string][]string{"*": {"id", "name", "style", "lang", "title", "dir"}, "a": {"href"}, "img": {"src"}, "form": {"action"}, "q": {"cite"}},
		KeepComments:             true,
		GenericAttributePrefixes: []string{"data-"},
		AllowedClasses:           map[string][]string{"b": {"red"}, "p": {"red"}},
		FilterStyleProperties:    []string{"color", "width", "font-family", "background"},
		SetTagAttributeValues:    map[string]map[string]string{"button": {"type": "button"}},
		IDPrefix:                 "user-",
	}
	zero := "a abbr acronym area article aside b bdi bdo blockquote br caption center cite code col colgroup data dd del details dfn div dl dt em figcaption figure " +
		"footer h1 h2 h3 h4 h5 h6 header hgroup hr i img ins kbd li map mark nav ol p pre q rp rt rtc ruby s samp small span strike strong sub summary sup " +
		"table tbody td th thead time tr tt u ul var wbr"
	cfg.Tags = append(cfg.Tags, strings.Fields(zero)...)
	return cfg
}

// FuzzTags puts tags of all kinds in any order: random bytes seldom make tags.
func FuzzTags(f *testing.F) {
	f.Add([]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10})
	f.Add([]byte("the nesting of elements is what parsers repair"))
	p := policy(f, everything())
	cfg := everything()
	all := func(tag, attribute, _ string) bool {
		return attribute != "" || tag == "!--" || slices.Contains(cfg.Tags, tag)
	}
	f.Fuzz(func(t *testing.T, choice []byte) {
		check(t, p, soup(cfg.Tags, choice), all)
	})
}

// soup makes markup out of bytes: each is a start tag, an end tag or a text.
func soup(tags []string, choice []byte) string {
	var b strings.Builder
	other := []string{"svg", "math", "select", "option", "template", "style", "title", "section", "noscript", "textarea", "script", "mtext"}
	for i, c := range choice {
		if i > 400 {
			break
		}
		next := byte(0)
		if i+1 < len(choice) {
			next = choice[i+1]
		}
		switch c % 8 {
		case 0, 1, 2:
			b.WriteString("<" + tags[int(next)%len(tags)] + ">")
		case 3, 4:
			b.WriteString("</" + tags[int(next)%len(tags)] + ">")
		case 5:
			b.WriteString("x")
		case 6:
			b.WriteString("\n")
		case 7:
			b.WriteString("<" + other[int(next)%len(other)] + ">")
		}
	}
	return b.String()
}

// FuzzValues fuzzes the values that have a syntax of their own: URLs, styles,
// classes, ids.
func FuzzValues(f *testing.F) {
	for _, s := range []string{
		"https://x.example/?a=b#c", "java\tscript:x", "//x", `\\x`, "a b:c", "\u00a0javascript:x", "?x:y", "color:red;width:calc(1px*(2 + 3))", `font-family:"a b",c`, "color:u\\72l(x)", "red blue", "user-x", "%zz", "//[::1%25é]/", "color:red/**/",
	} {
		f.Add(s)
	}
	cfg := everything()
	cfg.URLRelative = sanitize.RelativeTo("https://base.example/dir/")
	with, allowed := policy(f, cfg), allowedByEverything()
	f.Fuzz(func(t *testing.T, value string) {
		quoted := strings.NewReplacer("&", "&amp;", `"`, "&quot;").Replace(value)
		in := `<a href="` + quoted + `" style="` + quoted + `" id="` + quoted + `"><b class="` + quoted + `"></b></a><q cite="` + quoted + `" data-x="` + quoted + `"></q>`
		check(t, with, in, func(tag, attribute, value string) bool {
			if attribute == "href" || attribute == "cite" { // Nothing is relative any more.
				return strings.HasPrefix(strings.ToLower(value), "http") && harmless(value) || strings.HasPrefix(value, "mailto:") || strings.HasPrefix(value, "tel:") || harmless(value) && strings.Contains(value, ":")
			}
			return allowed(tag, attribute, value)
		})
	})
}

func FuzzText(f *testing.F) {
	for _, s := range []string{"Ada", " a < b ", "<b>", "<\u0338b>", "e\u0301", "a\r\nb", "\u202e", "\xff", "\u2000", "<\u200db"} {
		f.Add(s)
	}
	p := policy(f, sanitize.Config{})
	f.Fuzz(func(t *testing.T, in string) {
		text, err := sanitize.NewText(in)
		if err != nil {
			if !text.IsZero() {
				t.Fatalf("%q is refused and kept", in)
			}
			return
		}
		again, err := sanitize.NewText(text.String())
		if err != nil || again != text {
			t.Fatalf("%q became %q, then %q (%v)", in, text, again, err)
		}
		if p.IsHTML(text.String()) || strings.ContainsAny(text.String(), "\x00\x1b\r\u202e\u2028") {
			t.Fatalf("%q became %q", in, text)
		}
	})
}
