package sanitize_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/fastness/fastness/sanitize"
)

// parse returns what a parser makes of markup in a div of a page.
func parse(t testing.TB, markup string) []*html.Node {
	t.Helper()
	nodes, err := html.ParseFragment(strings.NewReader(markup), &html.Node{Type: html.ElementNode, Data: "div", DataAtom: atom.Div})
	if err != nil {
		t.Fatalf("parser: %v of %.200q", err, markup)
	}
	return nodes
}

// shape writes a tree in a form of its own: names, attributes and texts, each
// quoted. Two texts beside each other are one, as in a page.
func shape(b *strings.Builder, n *html.Node) {
	switch n.Type {
	case html.TextNode:
		b.WriteString("'" + n.Data + "'")
	case html.CommentNode:
		b.WriteString("(!" + n.Data + ")")
	case html.ElementNode:
		b.WriteString("(" + n.Namespace + n.Data)
		var attributes []string // The parser sorts those of some elements.
		for _, a := range n.Attr {
			attributes = append(attributes, fmt.Sprintf(" %s%s=%q", a.Namespace, a.Key, a.Val))
		}
		slices.Sort(attributes)
		b.WriteString(strings.Join(attributes, "") + ">")
		for child := range n.ChildNodes() {
			shape(b, child)
		}
		b.WriteString(")")
	}
}

func shapes(nodes []*html.Node) string {
	var b strings.Builder
	for _, n := range nodes {
		shape(&b, n)
	}
	return b.String()
}

// written is the tree that the tags of clean output spell, read without any of
// the rules by which parsers move things: each start tag nests, each end tag is
// that of the innermost element.
func written(t testing.TB, markup string) string {
	t.Helper()
	root := &html.Node{Type: html.DocumentNode}
	at := root
	z := html.NewTokenizer(strings.NewReader(markup))
	for {
		switch z.Next() {
		case html.ErrorToken:
			if at != root {
				t.Fatalf("%s is not ended in %.300q", at.Data, markup)
			}
			var nodes []*html.Node
			for n := range root.ChildNodes() {
				nodes = append(nodes, n)
			}
			return shapes(nodes)
		case html.TextToken:
			text := z.Token().Data
			if at.Data == "pre" && at.FirstChild == nil {
				text = strings.TrimPrefix(text, "\n")
			}
			if text != "" {
				at.AppendChild(&html.Node{Type: html.TextNode, Data: text})
			}
		case html.CommentToken:
			at.AppendChild(&html.Node{Type: html.CommentNode, Data: z.Token().Data})
		case html.StartTagToken:
			token := z.Token()
			n := &html.Node{Type: html.ElementNode, Data: token.Data, Attr: token.Attr}
			at.AppendChild(n)
			if !isVoid(token.Data) {
				at = n
			}
		case html.EndTagToken:
			if name := z.Token().Data; name != at.Data {
				t.Fatalf("%s ends inside of %s in %.300q", name, at.Data, markup)
			}
			at = at.Parent
		default:
			t.Fatalf("%q in %.300q", z.Token(), markup)
		}
	}
}

func isVoid(name string) bool {
	switch name {
	case "area", "br", "col", "hr", "img", "input", "wbr", "source", "track":
		return true
	}
	return false
}

// check holds what is promised of every output: clean is idempotent, and a
// parser builds exactly the tree that is written, of what is allowed.
func check(t testing.TB, p *sanitize.Policy, in string, allowed func(tag, attribute, value string) bool) {
	t.Helper()
	out := p.Clean(in)
	if again := p.Clean(out); again != out {
		t.Fatalf("Clean is not idempotent\n   in %.500q\n  out %.500q\nagain %.500q", in, out, again)
	}
	nodes := parse(t, out)
	if got, want := shapes(nodes), written(t, out); got != want {
		t.Fatalf("a parser repairs the output\n     in %.500q\n    out %.500q\n parsed %.500s\nwritten %.500s", in, out, got, want)
	}
	for _, n := range nodes {
		if why := forbidden(n, allowed); why != "" {
			t.Fatalf("%s\n   in %.500q\n  out %.500q", why, in, out)
		}
	}
}

func forbidden(n *html.Node, allowed func(tag, attribute, value string) bool) string {
	switch {
	case n.Type == html.TextNode || n.Type == html.CommentNode && allowed("!--", "", ""):
	case n.Type != html.ElementNode || n.Namespace != "" || !allowed(n.Data, "", ""):
		return "the output has " + n.Namespace + " " + n.Data
	}
	for _, a := range n.Attr {
		if a.Namespace != "" || !allowed(n.Data, a.Key, a.Val) {
			return "the output has " + n.Data + " " + a.Key + "=" + a.Val
		}
	}
	for child := range n.ChildNodes() {
		if why := forbidden(child, allowed); why != "" {
			return why
		}
	}
	return ""
}

// byDefault is what the zero Config allows, written down once more.
func byDefault(tag, attribute, value string) bool {
	const tags = " a abbr acronym area article aside b bdi bdo blockquote br caption center cite code col colgroup data dd del details dfn div dl dt em " +
		"figcaption figure footer h1 h2 h3 h4 h5 h6 header hgroup hr i img ins kbd li map mark nav ol p pre q rp rt rtc ruby s samp small span strike " +
		"strong sub summary sup table tbody td th thead time tr tt u ul var wbr "
	const attributes = " lang title href hreflang dir cite align char charoff span datetime size width alt height src start summary colspan headers rowspan scope rel "
	if !strings.Contains(tags, " "+tag+" ") {
		return false
	}
	switch attribute {
	case "":
		return true
	case "href", "src", "cite":
		return harmless(value)
	}
	return strings.Contains(attributes, " "+attribute+" ")
}

// harmless reads a URL as a browser does: without controls, and what comes
// before a colon is a scheme if it can be one.
func harmless(value string) bool {
	tidy := strings.Map(func(r rune) rune {
		if r <= ' ' {
			return -1
		}
		return r
	}, value)
	scheme, _, found := strings.Cut(strings.ToLower(tidy), ":")
	if !found || strings.ContainsAny(scheme, "/?#\\") {
		return true
	}
	switch scheme {
	case "http", "https", "mailto", "tel":
		return true
	}
	return false
}
