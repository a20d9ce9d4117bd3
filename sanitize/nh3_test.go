package sanitize_test

import (
	"strings"
	"testing"

	"github.com/fastness/fastness/sanitize"
)

func policy(t testing.TB, cfg sanitize.Config) *sanitize.Policy {
	t.Helper()
	p, err := sanitize.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

type values = map[string]map[string][]string

// TestNH3 holds the behaviour that users of nh3 know.
func TestNH3(t *testing.T) {
	const link, image, none = `<a href="https://x.example">y</a>`, `<b><img src='' onerror='alert(1)'>XSS?</b>`, "no rel"
	wide := sanitize.NH3().URLSchemes
	withoutTel := strings.Split(strings.Replace(strings.Join(wide, " "), "tel ", "", 1), " ")
	for _, c := range []struct {
		name, in string
		cfg      sanitize.Config
		want     string
	}{
		{"an unknown element", `<unknown>hi`, sanitize.Config{}, `hi`},
		{"an event handler", image, sanitize.Config{}, `<b><img src="">XSS?</b>`},
		{"tags", image, sanitize.Config{Tags: []string{"img"}}, `<img src="">XSS?`},
		{"tags and no attributes", image, sanitize.Config{Tags: []string{"img"}, Attributes: map[string][]string{}}, `<img>XSS?`},
		{"no attributes", image, sanitize.Config{Attributes: map[string][]string{}}, `<b><img>XSS?</b>`},
		{"rel of a link", link, sanitize.Config{}, `<a href="https://x.example" rel="noopener noreferrer">y</a>`},
		{"no rel", link, sanitize.Config{InsecureNoLinkRel: none}, link},
		{"content of script and style", `<script>alert('x')</script><style>a{}</style>`, sanitize.Config{}, ``},
		{"the same, said", `<script>alert('x')</script><style>a{}</style>`, sanitize.Config{CleanContentTags: []string{"script", "style"}}, ``},
		{"prefixes", `<div data-v="foo"></div>`, sanitize.Config{GenericAttributePrefixes: []string{"data-"}}, `<div data-v="foo"></div>`},
		{
			"a value", `<my-tag my-attr=val>`,
			sanitize.Config{Tags: []string{"my-tag"}, TagAttributeValues: values{"my-tag": {"my-attr": {"val"}}}}, `<my-tag my-attr="val"></my-tag>`,
		},
		{
			"a value that is set", `<my-tag>`,
			sanitize.Config{Tags: []string{"my-tag"}, SetTagAttributeValues: map[string]map[string]string{"my-tag": {"my-attr": "val"}}},
			`<my-tag my-attr="val"></my-tag>`,
		},
		{
			"classes", `<span class='a b c'><a href='.' class='c b a'>T</a></span><div class='a b c'>U</div>`,
			sanitize.Config{AllowedClasses: map[string][]string{"a": {"b", "c"}, "span": {"a"}}},
			`<span class="a"><a href="." class="c b" rel="noopener noreferrer">T</a></span><div>U</div>`,
		},
		{
			"styles", `<span style='color: red; position: fixed; font-size: var(--s)'>T</span><span style='border: none'></span><div style='color: red'></div>`,
			sanitize.Config{FilterStyleProperties: []string{"color", "font-size"}, Attributes: map[string][]string{"span": {"style"}}},
			`<span style="color:red;font-size:var(--s)">T</span><span style=""></span><div></div>`,
		},
		{
			"a filter", `<a href=/><img alt=Home src=foo></a>`,
			sanitize.Config{InsecureNoLinkRel: none, AttributeFilter: func(tag, attribute, value string) (string, bool) {
				return value, tag != "img" || attribute != "src"
			}}, `<a href="/"><img alt="Home"></a>`,
		},
		{
			"another value", `<div role='banner'>w</div>`,
			sanitize.Config{TagAttributeValues: values{"div": {"role": {"alert", "status"}}}}, `<div>w</div>`,
		},
		{
			"a class that is set", `<div>content</div>`,
			sanitize.Config{SetTagAttributeValues: map[string]map[string]string{"div": {"class": "safe"}}}, `<div class="safe">content</div>`,
		},
		{"no relative URLs", `<a href="/foo">x</a>`, sanitize.Config{URLRelative: sanitize.DenyRelative()}, `<a rel="noopener noreferrer">x</a>`},
		{
			"relative URLs to a base", `<a href="/foo">x</a>`, sanitize.Config{URLRelative: sanitize.RelativeTo("https://e.com")},
			`<a href="https://e.com/foo" rel="noopener noreferrer">x</a>`,
		},
		{
			"a prefix of ids", `<b id="x">hi</b>`, sanitize.Config{Attributes: map[string][]string{"b": {"id"}}, IDPrefix: "user-content-"},
			`<b id="user-content-x">hi</b>`,
		},
		{"schemes", `<a href="tel:+1">C</a>`, sanitize.Config{URLSchemes: withoutTel}, `<a rel="noopener noreferrer">C</a>`},
		{"a scheme of nh3", `<a href="ftp://x.example">C</a>`, sanitize.NH3(), `<a href="ftp://x.example" rel="noopener noreferrer">C</a>`},
		{"fewer schemes than nh3", `<a href="ftp://x.example">C</a>`, sanitize.Config{}, `<a rel="noopener noreferrer">C</a>`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := policy(t, c.cfg).Clean(c.in); got != c.want {
				t.Errorf("Clean(%q)\n got %s\nwant %s", c.in, got, c.want)
			}
		})
	}
	if len(withoutTel) != len(wide)-1 {
		t.Errorf("%d schemes without tel, of %d", len(withoutTel), len(wide))
	}
}

func TestCleanTextEscapesWhatAnyParserMinds(t *testing.T) {
	p := policy(t, sanitize.Config{})
	for in, want := range map[string]string{
		`Robert"); abuse();//`:             `Robert&quot;);&#32;abuse();&#47;&#47;`,
		"<a href='x'>&`=\t\n\f\r\x00é\xff": "&lt;a&#32;href&#61;&apos;x&apos;&gt;&amp;&grave;&#61;&#9;&#10;&#12;&#13;&#65533;é\uFFFD",
		"plain":                            "plain", "": "",
	} {
		if got := p.CleanText(in); got != want {
			t.Errorf("CleanText(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestIsHTML(t *testing.T) {
	p := policy(t, sanitize.Config{})
	for in, want := range map[string]bool{
		"": false, "plain text": false, "<p>html!</p>": true, "<br>": true, "</b>": true, "<!-- x -->": true, "<!doctype html>": true, "<g>": true,
		"Vec::<u8>::new()": true, "1 < 2": false, "<3": false, "a&lt;b": false, "a<": false, "<?php": true,
	} {
		if got := p.IsHTML(in); got != want {
			t.Errorf("IsHTML(%q) = %v, want %v", in, got, want)
		}
	}
}
