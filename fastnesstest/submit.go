package fastnesstest

import (
	"bytes"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// Submit loads a page and posts its form as a browser does: with the hidden fields,
// the token against cross-site requests among them, the defaults of the others, and
// values instead of what they name. It takes the first form that is sent by POST and
// has a field or a button of each name; without one the test ends. Options are for
// the request that posts. The answer is not followed if it leads elsewhere.
//
//	ada.Submit("/login", url.Values{"username": {"ada"}, "password": {password}}).Want(303)
func (b *Browser) Submit(page string, values url.Values, options ...Option) *Response {
	b.t.Helper()
	loaded := b.Get(page, Accept(asPage), Header("Sec-Fetch-Dest", "document"))
	if loaded.Status != http.StatusOK {
		b.t.Fatalf("%s: status %d, want a page; body %s", loaded.request, loaded.Status, loaded.shown())
	}
	f, found := findForm(loaded.Body, values)
	if !found {
		b.t.Fatalf("%s: the page has no form that is sent by POST and has the fields %q; body %s",
			loaded.request, slices.Sorted(maps.Keys(values)), loaded.shown())
	}
	for name, list := range values {
		f.values[name] = list
	}
	at, err := url.Parse(page)
	if err != nil {
		b.t.Fatalf("page %q: %v", page, err)
	}
	action, err := at.Parse(f.action) // "" is the page itself.
	if err != nil || action.Host != "" {
		b.t.Fatalf("%s: the form leads to %q, want a path of the app", loaded.request, f.action)
	}
	var body any = f.values
	if f.multipart {
		body = f.parts()
	}
	submits := func(r *request) { r.submits = true }
	return b.Post(action.RequestURI(), body, append([]Option{Accept(asPage), submits}, options...)...)
}

// asPage is what browsers accept where they show the answer.
const asPage = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"

// form is a form of a page, and what it sends if nobody fills it in.
type form struct {
	action    string
	multipart bool
	values    url.Values
	buttons   map[string]bool // sent by who presses them
}

// findForm returns the first form that is posted and has all the fields.
func findForm(page []byte, fields url.Values) (found form, ok bool) {
	root, err := html.Parse(bytes.NewReader(page))
	if err != nil {
		return form{}, false // A bytes.Reader does not fail; a page may nest too deeply.
	}
	for n := range root.Descendants() {
		if n.Type != html.ElementNode || n.Data != "form" || !strings.EqualFold(attribute(n, "method"), http.MethodPost) {
			continue
		}
		f := readForm(n)
		has := func(name string) bool { return f.values.Has(name) || f.buttons[name] }
		if !slices.ContainsFunc(slices.Collect(maps.Keys(fields)), func(name string) bool { return !has(name) }) {
			return f, true
		}
	}
	return form{}, false
}

func readForm(n *html.Node) form {
	f := form{action: attribute(n, "action"), values: url.Values{}, buttons: make(map[string]bool)}
	f.multipart = strings.EqualFold(attribute(n, "enctype"), "multipart/form-data")
	for field := range n.Descendants() {
		name := attribute(field, "name")
		if field.Type != html.ElementNode || name == "" || has(field, "disabled") {
			continue
		}
		switch field.Data {
		case "input":
			f.readInput(field, name)
		case "textarea":
			f.values.Add(name, text(field))
		case "select":
			f.readSelect(field, name)
		case "button":
			f.buttons[name] = true
		}
	}
	return f
}

func (f *form) readInput(n *html.Node, name string) {
	value := attribute(n, "value")
	switch strings.ToLower(attribute(n, "type")) {
	case "submit", "image", "reset", "button", "file":
		f.buttons[name] = true
	case "checkbox", "radio":
		f.buttons[name] = true
		if !has(n, "checked") {
			return
		}
		if !has(n, "value") {
			value = "on"
		}
		f.values.Add(name, value)
	default:
		f.values.Add(name, value)
	}
}

func (f *form) readSelect(n *html.Node, name string) {
	f.buttons[name] = true
	var first *html.Node
	chosen := false
	for option := range n.Descendants() {
		if option.Type != html.ElementNode || option.Data != "option" {
			continue
		}
		if first == nil {
			first = option
		}
		if has(option, "selected") {
			f.values.Add(name, optionValue(option))
			chosen = true
		}
	}
	if !chosen && first != nil && !has(n, "multiple") {
		f.values.Add(name, optionValue(first))
	}
}

func optionValue(n *html.Node) string {
	if has(n, "value") {
		return attribute(n, "value")
	}
	return strings.Join(strings.Fields(text(n)), " ")
}

// parts returns the form as multipart/form-data.
func (f *form) parts() Raw {
	var parts []Part
	for _, name := range slices.Sorted(maps.Keys(f.values)) {
		for _, value := range f.values[name] {
			parts = append(parts, Field(name, value))
		}
	}
	return Multipart(parts...)
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name && a.Namespace == "" {
			return a.Val
		}
	}
	return ""
}

func has(n *html.Node, name string) bool {
	return slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == name && a.Namespace == "" })
}

func text(n *html.Node) string {
	var b strings.Builder
	for child := range n.Descendants() {
		if child.Type == html.TextNode {
			b.WriteString(child.Data)
		}
	}
	return b.String()
}
