package fastness

import (
	"bytes"
	"fmt"
	"html/template"
	"net/http"
	"reflect"
	"strings"
)

// View is an answer for two readers: a person's browser gets the template
// executed with Body, and any other client gets Body as JSON. The request's
// Accept header decides. A Body that embeds a [Page] has the nonce, the token of
// forms and the addresses of operations.
//
// A template does not know who is looking. An app does not start if anywhere in T,
// also where JSON leaves it out, there is a member that is visible to some, or to
// nobody, or a secret.Text: give the page a type without.
type View[T any] struct {
	// Template is executed with Body. Contextual escaping is html/template's.
	Template *template.Template
	// Status is 200 to 599. 0 means the operation's own. A form that is wrong is shown
	// again with 422; what providers hold is committed all the same.
	Status int
	// SeeOther leads a person on instead, by a 303, to a path of this site: after a
	// form that did what it should. Any other client gets Body.
	SeeOther string
	// Header is added to the answer's. A page that shows who is logged in, of an
	// operation that finds it out by itself, says Cache-Control: no-store.
	Header http.Header
	Body   T
}

// pageAnswer is the HTML side of an answer.
type pageAnswer struct {
	template *template.Template
	body     reflect.Value
	seeOther string
}

func (p *View[T]) outline() outline { return outline{body: reflect.TypeFor[T](), content: "text/html"} }

func (p *View[T]) fill(a *answer) error {
	if p.Status != 0 {
		a.status = p.Status
	}
	if a.status < 200 || a.status > 599 {
		return fmt.Errorf("view with status %d, want 200 to 599", a.status)
	}
	a.body = reflect.ValueOf(&p.Body).Elem()
	a.page = &pageAnswer{p.Template, a.body, p.SeeOther}
	var err error
	a.header, err = checkHeader(p.Header)
	return err
}

// render executes the template if the caller would rather have HTML.
func (p *pageAnswer) render(x *exchange, a *answer) error {
	if a.header == nil {
		a.header = make(http.Header, 2)
	}
	a.header.Add("Vary", "Accept")
	if !prefersHTML(x.r.Header["Accept"]) {
		return nil
	}
	if p.seeOther != "" {
		location, err := sameSite(p.seeOther)
		if err != nil {
			return err
		}
		a.header.Set("Location", location)
		a.status, a.body, a.raw, a.content = http.StatusSeeOther, reflect.Value{}, nil, ""
		return nil
	}
	of := &rendering{x: x, answer: a}
	defer func() { of.x = nil }() // A body may be kept; the exchange goes on to another request.
	data := p.body.Interface()
	if page := pageIn(p.body); page != nil {
		page.of = of
		data = p.body.Addr().Interface()
	}
	var out bytes.Buffer
	if err := p.template.Execute(&out, data); err != nil {
		return err
	}
	x.app.pages.Set(a.header, of.nonce)
	a.raw, a.content, a.body = out.Bytes(), "text/html; charset=utf-8", reflect.Value{}
	return nil
}

// prefersHTML reports whether text/html is named before application/json. A
// browser names it first; what accepts anything gets JSON.
func prefersHTML(accept []string) bool {
	for item := range strings.SplitSeq(strings.Join(accept, ","), ",") {
		switch media, _, _ := strings.Cut(strings.TrimSpace(item), ";"); strings.ToLower(strings.TrimSpace(media)) {
		case "text/html", "application/xhtml+xml":
			return true
		case "application/json":
			return false
		}
	}
	return false
}
