package sanitize_test

import (
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/fastness/fastness/sanitize"
)

// attacks are markup that runs scripts, loads what is active or takes the place
// of parts of a page, by kind.
func attacks(t testing.TB) map[string][]string {
	t.Helper()
	text, err := os.ReadFile("testdata/attacks.json")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]string{}
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

// surroundings are places in which a payload is tried: what begins there may
// change how the payload is parsed.
func surroundings() []string {
	return []string{
		"@", "<p>@</p>", "<b><i>@</b></i>", "<table><tr><td>@</td></tr></table>", "<table>@</table>", "<table><tr>@", "<ul><li>@", "<a href=x>@</a>", "<pre>\n@",
		"<svg>@</svg>", "<svg><desc>@", "<math><mtext>@", "<math>@", "<select>@</select>", "<template>@</template>", "<noscript>@</noscript>", "<style>@</style>",
		"<textarea>@</textarea>", "<title>@</title>", "<script>@</script>", "<!--@-->", "<a title='@'>", "<a title=\"@\">", "<a title=@>", "<form>@<form>@", "@<b>@", "<h1><h2>@",
		"<button>@<button>", "<ruby><rt>@", "<iframe>@</iframe>", "<xmp>@</xmp>", "<noembed>@", "<x @>", "<@>", "&lt;@&gt;", "<img alt=@", "<frameset>@", "<object>@", "<details>@",
	}
}

// TestAttacks cleans each of them in each place, for each policy.
func TestAttacks(t *testing.T) {
	all, count := attacks(t), 0
	anything := policy(t, everything())
	basic, strict := policy(t, sanitize.Basic()), policy(t, sanitize.Strict())
	standard := policy(t, sanitize.Config{})
	for _, kind := range slices.Sorted(maps.Keys(all)) {
		t.Run(kind, func(t *testing.T) {
			for _, attack := range all[kind] {
				for _, place := range surroundings() {
					in := strings.ReplaceAll(place, "@", attack)
					check(t, standard, in, byDefault)
					check(t, basic, in, byDefault)
					check(t, strict, in, func(string, string, string) bool { return false })
					check(t, anything, in, allowedByEverything())
					count++
				}
			}
		})
	}
	if count < 10_000 {
		t.Errorf("%d attacks, want at least 10,000: has the list shrunk?", count)
	}
}

// TestEveryHandlerOnEveryElementIsRemoved: no element has an attribute that
// begins with "on", however it is spelt.
func TestEveryHandlerOnEveryElementIsRemoved(t *testing.T) {
	events := strings.Fields(`abort afterprint animationend animationstart auxclick beforecopy beforeinput beforematch beforetoggle beforeunload blur canplay change
		click close command contextmenu copy cut dblclick drag dragstart drop durationchange ended error focus focusin formdata fullscreenchange gotpointercapture
		hashchange input invalid keydown keyup load loadeddata loadstart message mousedown mouseenter mouseover mousewheel paste pagereveal pageshow play pointerdown
		pointerover popstate progress ratechange reset resize scroll scrollend search seeked select securitypolicyviolation slotchange submit suspend timeupdate toggle
		touchstart transitionend unload unhandledrejection volumechange waiting webkitanimationend wheel begin end repeat start finish bounce`)
	cfg := everything()
	p := policy(t, cfg)
	tags := append([]string{"svg", "body", "iframe", "video", "xss", "image", "math"}, cfg.Tags...)
	for _, tag := range tags {
		for _, event := range events {
			for _, in := range []string{
				"<" + tag + " on" + event + "=alert(1)>x</" + tag + ">", "<" + tag + "/ON" + strings.ToUpper(event) + "\n=\n'alert(1)'/>", "<" + tag + " title=\"\"on" + event + "=alert(1)>",
			} {
				if out := strings.ToLower(p.Clean(in)); strings.Contains(out, "alert") || strings.Contains(out, "on"+event+"=") {
					t.Fatalf("Clean(%q) = %q", in, out)
				}
			}
		}
	}
}

// TestURLsOfSchemesThatRun: whatever a browser leaves out or decodes before it
// looks at the scheme.
func TestURLsOfSchemesThatRunAreDropped(t *testing.T) {
	p := policy(t, sanitize.Config{})
	var urls []string
	for _, scheme := range []string{"javascript", "JavaScript", "vbscript", "data", "livescript", "mocha", "blob", "file"} {
		for c := rune(0); c <= ' '; c++ {
			urls = append(urls, string(c)+scheme+":x", scheme[:4]+string(c)+scheme[4:]+":x", scheme+string(c)+":x")
		}
		for _, in := range []string{"&Tab;", "&NewLine;", "&#9", "&#x0a;", "&#13;", "&#00009;", "&#x1;", "&#32;"} {
			urls = append(urls, in+scheme+":x", scheme[:3]+in+scheme[3:]+":x", scheme+in+"&colon;x", scheme+"&#58;x", scheme+"&#x3a;x", scheme+"&#x3Ax")
		}
	}
	for _, u := range urls {
		for _, quote := range []string{`"`, "'"} {
			in := "<a href=" + quote + u + quote + ">x</a>"
			out := p.Clean(in)
			href, _, _ := strings.Cut(strings.TrimPrefix(out, `<a href="`), `"`)
			// What is left may only be a relative URL: no colon before a slash.
			if strings.HasPrefix(out, `<a href="`) && !harmless(href) {
				t.Errorf("Clean(%q) = %q", in, out)
			}
			check(t, p, in, byDefault)
		}
	}
}

// TestTheFirstOfTwoAttributesCounts, as in a browser, whether it is kept or not:
// who looks at the other one judges what nobody loads.
func TestTheFirstOfTwoAttributesCounts(t *testing.T) {
	p := policy(t, sanitize.Config{InsecureNoLinkRel: "shorter"})
	for in, want := range map[string]string{
		`<b title=a title=b TITLE=c>`: `<b title="a"></b>`, `<a href=javascript:x href=https://x.example>`: `<a></a>`, `<a href=https://x.example href=javascript:x>`: `<a href="https://x.example"></a>`,
	} {
		if got := p.Clean(in); got != want {
			t.Errorf("%s became %s, want %s", in, got, want)
		}
	}
}

// TestNamesOfAttributesByPrefixArePlain: what a parser of another kind takes for
// the end of a name or of the tag is not in one.
func TestNamesOfAttributesByPrefixArePlain(t *testing.T) {
	p := policy(t, sanitize.Config{GenericAttributePrefixes: []string{"data-"}})
	in := `<b data-a"b=1 data-a'b=2 data-a<b=3 data-é=4 data-` + "`" + `=5 data-a{{b}}=6 data-A.b_c-1=7 data-=8 xdata-a=9 data=10>`
	if got, want := p.Clean(in), `<b data-a.b_c-1="7" data-="8"></b>`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// TestURLs says what is kept, to the letter.
func TestURLs(t *testing.T) {
	const evil = "https://e.com/dir/page"
	pass, base := policy(t, sanitize.Config{}), policy(t, sanitize.Config{URLRelative: sanitize.RelativeTo(evil)})
	deny := policy(t, sanitize.Config{URLRelative: sanitize.DenyRelative()})
	for _, c := range []struct{ in, pass, deny, base string }{
		{"https://x.example/a?b=c&amp;d#e", "https://x.example/a?b=c&amp;d#e", "https://x.example/a?b=c&amp;d#e", "https://x.example/a?b=c&amp;d#e"},
		{"HTTPS://x.example", "HTTPS://x.example", "HTTPS://x.example", "HTTPS://x.example"},
		{"https://x.exa\t\n\rmple", "https://x.example", "https://x.example", "https://x.example"},
		{" https://x.example\t", "https://x.example", "https://x.example", "https://x.example"},
		{"mailto:a@x.example", "mailto:a@x.example", "mailto:a@x.example", "mailto:a@x.example"},
		{"/a", "/a", "-", "https://e.com/a"}, {"a", "a", "-", "https://e.com/dir/a"}, {"../a", "../a", "-", "https://e.com/a"}, {"?a", "?a", "-", "https://e.com/dir/page?a"},
		{"#a", "#a", "-", "https://e.com/dir/page#a"}, {"", "", "-", "https://e.com/dir/page"}, {"//x.example", "//x.example", "-", "https://x.example"},
		{`\\x.example`, `\\x.example`, "-", "https://x.example"}, {"a/b:c", "a/b:c", "-", "https://e.com/dir/a/b:c"}, {"a?b:c", "a?b:c", "-", "https://e.com/dir/a?b:c"},
		{"a b:c", "-", "-", "-"}, {":a", "-", "-", "-"}, {"1x:a", "-", "-", "-"}, {"é:a", "-", "-", "-"}, {"a\x7fb", "-", "-", "-"}, {"%zz", "%zz", "-", "-"},
		{"ftp://x.example", "-", "-", "-"}, {"javascript:x", "-", "-", "-"}, {"https", "https", "-", "https://e.com/dir/https"},
	} {
		for p, want := range map[*sanitize.Policy]string{pass: c.pass, deny: c.deny, base: c.base} {
			wanted := `<img src="` + want + `">`
			if want == "-" {
				wanted = "<img>"
			}
			if got := p.Clean(`<img src="` + c.in + `">`); got != wanted {
				t.Errorf("%q became %s, want %s", c.in, got, wanted)
			}
		}
	}
}

// TestStylesLoadAndRunNothing: a value that is not plain is dropped, and takes no
// other declaration with it.
func TestStylesLoadAndRunNothing(t *testing.T) {
	p := policy(t, sanitize.Config{Attributes: map[string][]string{"p": {"style"}}, FilterStyleProperties: []string{"color", "background", "font-family", "width", "--x"}})
	for in, want := range map[string]string{
		"color: red": "color:red", "COLOR : Red ;": "color:Red", "color:rgb(1 2 3 / 50%)": "color:rgb(1 2 3 / 50%)", "width:calc((1px + 2px) * 3)": "width:calc((1px + 2px) * 3)",
		`font-family:"Times New Roman", serif`: "font-family:&quot;Times New Roman&quot;, serif", "color:red!important": "color:red!important", "--x:1": "--x:1", "": "",
		"color:red;color:url(//x)": "color:red", "background:url(javascript:x)": "", "background:URL (x)": "", `background:u\72l(x)`: "", "background:image-set('x')": "",
		"width:expression(alert(1))": "", "width:exp/**/ression(1)": "", "color:red}": "", "color:{": "", "color:<b>": "", `font-family:"a`: "", "width:calc(1": "", "width:1)": "",
		"color:src(x)": "", "color:attr(title)": "", "color:env(x)": "", "color:a@b": "", "color:a;position:fixed": "color:a", "colour:red": "", "color": "", "color:": "",
		`font-family:"a;color:red"`: "", "color:\x01red": "", "color:réd": "", "width:cross-fade(url(x),x)": "", "background:-webkit-image-set(x)": "", "background:element(#a)": "", "background:paint(x)": "",
	} {
		if got := p.Clean("<p style='" + strings.ReplaceAll(in, "<", "&lt;") + "'></p>"); got != `<p style="`+want+`"></p>` {
			t.Errorf("%q became %s, want %q", in, got, want)
		}
	}
}

// TestClobberingNamesAreNotLeft: an element with the id "config" is what a
// script gets for window.config.
func TestClobberingNamesAreNotLeft(t *testing.T) {
	for _, attack := range attacks(t)["clobbering"] {
		for name, cfg := range map[string]sanitize.Config{"default": {}, "basic": sanitize.Basic()} {
			if out := policy(t, cfg).Clean(attack); strings.Contains(out, " id=") || strings.Contains(out, " name=") {
				t.Errorf("%s: Clean(%q) = %q", name, attack, out)
			}
		}
	}
	p := policy(t, sanitize.Config{Attributes: map[string][]string{"*": {"id", "name"}}, IDPrefix: "u-"})
	const want = `<b id="u-config" name="u-body">x</b><i id="u-">y</i>`
	if got := p.Clean(`<b id=config name=body>x</b><i id=u->y</i>`); got != want || p.Clean(got) != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// TestCommentsThatAnyParserReadsOtherwiseAreRemoved, even where comments are kept.
func TestCommentsThatAnyParserReadsOtherwiseAreRemoved(t *testing.T) {
	kept, removed := policy(t, sanitize.Config{KeepComments: true}), policy(t, sanitize.Config{})
	for in, want := range map[string]string{
		"a<!-- b -->c": "a<!-- b -->c", "<!---->": "<!---->", "<!-->x": "<!---->x", "<!--->x": "<!---->x", "<!-- --!>x": "<!-- -->x", "<!--[if IE]>x<![endif]-->": "", "<!-- a<b -->": "", "<!-- a>b -->": "",
		"<!-- a--b -->": "", "<!--- a -->": "", "<!-- a --->": "", "<!-- a&lt;b -->": "", "<?php x?>": "<!--?php x?-->", "<!x>": "<!--x-->", "</ x>": "<!-- x-->", "<!doctype html>x": "x", "<!-- x": "<!-- x-->",
	} {
		if got := kept.Clean(in); got != want {
			t.Errorf("Clean(%q) = %q, want %q", in, got, want)
		}
		if got := removed.Clean(in); strings.Contains(got, "<!") {
			t.Errorf("Clean(%q) = %q: the comment is kept", in, got)
		}
		check(t, kept, in, func(tag, _, _ string) bool { return tag == "!--" })
	}
}
