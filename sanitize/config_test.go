package sanitize_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/fastness/fastness/sanitize"
)

func TestEveryMistakeIsNamedInOneError(t *testing.T) {
	_, err := sanitize.New(sanitize.Config{
		Tags:                     []string{"a", "b", "SVG", "svg", "script", "td", "div", "nav", "col", "x y"},
		CleanContentTags:         []string{"script", "nav", "A>"},
		Attributes:               map[string][]string{"a": {"rel", "onclick", "style", "HREF"}, "*": {"role"}, "b": {"id", "class"}, "img": {"srcset"}},
		LinkRel:                  "nofollow",
		InsecureNoLinkRel:        "because",
		GenericAttributePrefixes: []string{"on-", "data"},
		TagAttributeValues:       map[string]map[string][]string{"div": {"role": {"alert"}, "srcdoc": {"x"}}, "a": {"rel": {"me"}}},
		SetTagAttributeValues:    map[string]map[string]string{"a": {"href": "javascript:x()", "onfocus": "x()"}},
		URLSchemes:               []string{"https", "javascript", "data", "HTTP", "1x"},
		URLRelative:              sanitize.RelativeTo("ftp://e.com"),
		AllowedClasses:           map[string][]string{"b": {"red"}},
		MaxBytes:                 -1,
		MaxDepth:                 1000,
	})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		`sanitize config: `,
		`Tags has "SVG", which is not the name of an element in lower case`,
		`Tags has svg: its content is parsed by the rules of XML`,
		`script is in Tags and in CleanContentTags`,
		`nav is in Tags and in CleanContentTags`,
		`CleanContentTags has "A>"`,
		`Tags has td and not table, which a browser adds`,
		`Tags has col and not colgroup, which a browser adds`,
		`Tags has "x y"`,
		`Attributes of a: onclick is a script`,
		`Attributes of a: style, and FilterStyleProperties does not say which properties`,
		`Attributes of a: "HREF" is not the name of an attribute in lower case`,
		`Attributes of img: srcset holds markup, code or more than one URL`,
		`Attributes of b: id needs IDPrefix, or the reason in InsecureAnyID`,
		`class of b is in AllowedClasses and in Attributes or TagAttributeValues`,
		`LinkRel and InsecureNoLinkRel contradict each other`,
		`GenericAttributePrefixes has "on-", want one like "data-"`,
		`GenericAttributePrefixes has "data", want one like "data-"`,
		`role of div is in Attributes and in TagAttributeValues`,
		`rel of a is in Attributes and in TagAttributeValues`,
		`TagAttributeValues of div: srcdoc holds markup`,
		`SetTagAttributeValues of a: onfocus is a script`,
		`URLSchemes has javascript`, `URLSchemes has data`, `URLSchemes has "HTTP"`, `URLSchemes has "1x"`,
		`URLRelative: the scheme of "ftp://e.com" is not in URLSchemes`,
		`MaxBytes is -1, want at least 1`, `MaxDepth is 1000, want 8 to 400`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in\n%v", want, err)
		}
	}
}

func TestMoreMistakes(t *testing.T) {
	for want, cfg := range map[string]sanitize.Config{
		"rel of a is allowed, and LinkRel sets it":              {Attributes: map[string][]string{"a": {"rel"}}},
		"rel of area is allowed, and LinkRel sets it":           {Attributes: map[string][]string{"*": {"rel"}}},
		"rel of a is allowed":                                   {TagAttributeValues: map[string]map[string][]string{"a": {"rel": {"me"}}}},
		"IDPrefix and InsecureAnyID contradict each other":      {IDPrefix: "x-", InsecureAnyID: "why"},
		`IDPrefix is "<"`:                                       {IDPrefix: "<"},
		"Attributes of *: name needs IDPrefix":                  {Attributes: map[string][]string{"*": {"name"}}},
		"TagAttributeValues of b: id needs IDPrefix":            {TagAttributeValues: map[string]map[string][]string{"b": {"id": {"config"}}}},
		`URLRelative: "/x" is no absolute URL`:                  {URLRelative: sanitize.RelativeTo("/x")},
		`URLRelative: "http://[" is no absolute URL`:            {URLRelative: sanitize.RelativeTo("http://[")},
		"URLRelative: RewriteRelative has no function":          {URLRelative: sanitize.RewriteRelative(nil)},
		"FilterStyleProperties has behavior":                    {FilterStyleProperties: []string{"behavior"}},
		"FilterStyleProperties has -moz-binding":                {FilterStyleProperties: []string{"-moz-binding"}},
		`FilterStyleProperties has "a b"`:                       {FilterStyleProperties: []string{"a b"}},
		"TagAttributeValues of b: style, and":                   {TagAttributeValues: map[string]map[string][]string{"b": {"style": {"x"}}}},
		"SetTagAttributeValues of a: the scheme of href is not": {SetTagAttributeValues: map[string]map[string]string{"a": {"href": "JavaScript:x()"}}},
		"SetTagAttributeValues has no element *":                {SetTagAttributeValues: map[string]map[string]string{"*": {"style": "x"}}},
	} {
		if _, err := sanitize.New(cfg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("New() = %v, want %q", err, want)
		}
	}
}

// TestElementsThatCannotBeSafeAreNeverAllowed: each of them switches the rules
// by which a browser parses, or loads what is active.
func TestElementsThatCannotBeSafeAreNeverAllowed(t *testing.T) {
	for _, tag := range []string{
		"svg", "math", "script", "style", "xmp", "iframe", "noembed", "noframes", "noscript", "plaintext", "textarea", "title", "template", "select",
		"option", "html", "head", "body", "frameset", "frame", "base", "link", "meta", "object", "embed", "applet", "marquee", "image", "isindex", "listing",
	} {
		_, err := sanitize.New(sanitize.Config{Tags: []string{tag}, CleanContentTags: []string{}})
		if err == nil || !strings.Contains(err.Error(), "Tags has "+tag+": ") {
			t.Errorf("Tags with %s: %v", tag, err)
		}
	}
}

func TestPresetsAndTheZeroConfigHaveNoMistakes(t *testing.T) {
	for name, c := range map[string]struct {
		cfg      sanitize.Config
		in, want string
	}{
		"zero":   {sanitize.Config{}, `<h1 title=x>a<p>b`, `<h1 title="x">a<p>b</p></h1>`},
		"nh3":    {sanitize.NH3(), `<a href=sip:x>b</a>`, `<a href="sip:x" rel="noopener noreferrer">b</a>`},
		"strict": {sanitize.Strict(), `<p>a &lt; <b>b</b><script>c</script>`, `a &lt; b`},
		"basic":  {sanitize.Basic(), `<h1>a<p>b<img src=x><a href=/x>c</a>`, `a<p>b<a rel="noopener noreferrer">c</a></p>`},
	} {
		if got := policy(t, c.cfg).Clean(c.in); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// TestCallbacksFailClosed: what a function that fails was asked about is dropped.
func TestCallbacksFailClosed(t *testing.T) {
	const in = `<a href="/x" title="t">y</a>`
	boom := func(string) (string, error) { panic("boom") }
	for _, c := range []struct {
		name string
		cfg  sanitize.Config
		want string
	}{
		{"a filter that panics", sanitize.Config{AttributeFilter: func(_, attribute, value string) (string, bool) {
			if attribute == "title" {
				panic("boom")
			}
			return value, true
		}}, `<a href="/x" rel="noopener noreferrer">y</a>`},
		{"a filter that returns a bad URL", sanitize.Config{AttributeFilter: func(string, string, string) (string, bool) {
			return "javascript:x()", true
		}}, `<a title="javascript:x()" rel="noopener noreferrer">y</a>`},
		{"a filter that returns markup", sanitize.Config{AttributeFilter: func(string, string, string) (string, bool) {
			return "\"><script>\xff\x00", true
		}}, `<a href="&quot;&gt;&lt;script&gt;` + "\uFFFD" + `" title="&quot;&gt;&lt;script&gt;` + "\uFFFD" + `" rel="noopener noreferrer">y</a>`},
		{"a rewriter that panics", sanitize.Config{URLRelative: sanitize.RewriteRelative(boom)}, `<a title="t" rel="noopener noreferrer">y</a>`},
		{"a rewriter with an error", sanitize.Config{URLRelative: sanitize.RewriteRelative(func(string) (string, error) {
			return "https://x.example", errors.New("no")
		})}, `<a title="t" rel="noopener noreferrer">y</a>`},
		{"a rewriter that returns a bad URL", sanitize.Config{URLRelative: sanitize.RewriteRelative(func(string) (string, error) {
			return "java\nscript:x()", nil
		})}, `<a title="t" rel="noopener noreferrer">y</a>`},
		{"a rewriter that returns control characters", sanitize.Config{URLRelative: sanitize.RewriteRelative(func(string) (string, error) {
			return "/a\x01b", nil
		})}, `<a title="t" rel="noopener noreferrer">y</a>`},
		{"a rewriter", sanitize.Config{URLRelative: sanitize.RewriteRelative(func(s string) (string, error) {
			return "https://x.example" + s, nil
		})}, `<a href="https://x.example/x" title="t" rel="noopener noreferrer">y</a>`},
	} {
		p := policy(t, c.cfg)
		if got := p.Clean(in); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
		if got := p.Clean("<p>" + in); got != "<p>"+c.want+"</p>" { // repaired, and so cleaned twice
			t.Errorf("%s, repaired: %s", c.name, got)
		}
	}
}
