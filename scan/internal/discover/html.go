package discover

import (
	"strings"

	"golang.org/x/net/html"

	"github.com/fastness/fastness/scan/wire"
)

// maxDepth of a page: browsers stop at 512.
const maxDepth = 400

// fromHTML notes links, forms with their fields, and what scripts in the page ask for.
func (f *finder) fromHTML(ex *wire.Exchange) {
	root, err := html.Parse(strings.NewReader(ex.Text()))
	if err != nil {
		return
	}
	h := htmlPage{f: f, page: ex.Request.Path, base: ex.Request.Path}
	h.node(root, 0)
}

type htmlPage struct {
	f          *finder
	page, base string
	form       *ref
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func has(n *html.Node, name string) bool {
	for _, a := range n.Attr {
		if a.Key == name {
			return true
		}
	}
	return false
}

func (h *htmlPage) node(n *html.Node, depth int) {
	if depth > maxDepth {
		return
	}
	if n.Type == html.ElementNode {
		h.element(n)
	}
	for child := n.FirstChild; child != nil; child = child.NextSibling {
		h.node(child, depth+1)
	}
	if n.Type == html.ElementNode && n.Data == "form" && h.form != nil {
		h.f.noteForm(*h.form)
		h.form = nil
	}
}

func (h *htmlPage) element(n *html.Node) {
	note := func(path, what string) {
		h.f.note(ref{path: path, base: h.base, source: what + " in " + h.page})
	}
	switch n.Data {
	case "base":
		if to, ok := h.f.resolve(h.base, attr(n, "href")); ok {
			h.base = to
		}
	case "a", "area":
		note(attr(n, "href"), "link")
	case "iframe", "frame", "embed":
		note(attr(n, "src"), "frame")
	case "link":
		if rel := strings.ToLower(attr(n, "rel")); !strings.Contains(rel, "stylesheet") && !strings.Contains(rel, "icon") {
			note(attr(n, "href"), "link")
		}
	case "script":
		if src := attr(n, "src"); src != "" {
			h.f.script(h.base, src)
		} else if n.FirstChild != nil {
			h.f.fromScript(n.FirstChild.Data, h.base, h.page)
		}
	case "form":
		action := attr(n, "action")
		if action == "" {
			action = h.page
		}
		h.form = &ref{method: strings.ToUpper(attr(n, "method")), path: action, base: h.base, media: strings.ToLower(attr(n, "enctype")), source: "form in " + h.page}
	case "input", "select", "textarea":
		h.input(n)
	}
	for _, a := range n.Attr {
		switch a.Key {
		case "data-url", "data-href", "data-action", "data-endpoint", "data-api", "hx-get":
			note(a.Val, a.Key)
		case "hx-post", "hx-put", "hx-patch", "hx-delete":
			h.f.note(ref{method: a.Key[3:], path: a.Val, base: h.base, source: a.Key + " in " + h.page})
		}
	}
}

func (h *htmlPage) input(n *html.Node) {
	name := attr(n, "name")
	if h.form == nil || name == "" || len(h.form.fields) >= 100 {
		return
	}
	in := field{name: name, kind: strings.ToLower(attr(n, "type")), value: attr(n, "value"), required: has(n, "required")}
	if in.kind == "submit" || in.kind == "button" || in.kind == "reset" || in.kind == "image" {
		return
	}
	if n.Data == "select" {
		for option := n.FirstChild; option != nil; option = option.NextSibling {
			if option.Data == "option" && in.value == "" {
				in.value = attr(option, "value")
			}
		}
	}
	h.form.fields = append(h.form.fields, in)
}

// noteForm notes what sending a form asks for.
func (f *finder) noteForm(r ref) {
	if r.method == "" || r.method == "GET" {
		var names []string
		for _, in := range r.fields {
			names = append(names, in.name+"=")
		}
		path, query, _ := strings.Cut(r.path, "?")
		if query != "" {
			names = append([]string{query}, names...)
		}
		r.method, r.fields, r.media = "GET", nil, ""
		r.path = path
		if len(names) > 0 {
			r.path += "?" + strings.Join(names, "&")
		}
	} else if r.media == "" {
		r.media = "application/x-www-form-urlencoded"
	}
	f.note(r)
}
