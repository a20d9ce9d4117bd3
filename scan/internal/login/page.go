package login

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/net/html"

	"github.com/fastness/fastness/scan/wire"
)

// form is a form of a page.
type form struct {
	method, action string
	inputs         []input
}

type input struct{ name, kind, value string }

// guardName matches what tokens against requests of other sites are called.
var guardName = regexp.MustCompile(`(?i)csrf|xsrf|authenticity_?token|requestverificationtoken|anti-?forgery|^_token$|^nonce$`)

// IsGuard reports whether a field or header is called like one that holds a token against
// requests of other sites.
func IsGuard(name string) bool { return guardName.MatchString(name) }

// formsOf returns the forms of a page, and what its meta elements say.
func formsOf(page []byte) (forms []form, metas map[string]string) {
	metas = map[string]string{}
	z := html.NewTokenizer(bytes.NewReader(page))
	for {
		switch z.Next() {
		case html.ErrorToken:
			return forms, metas
		case html.StartTagToken, html.SelfClosingTagToken:
			t := z.Token()
			at := map[string]string{}
			for _, a := range t.Attr {
				at[strings.ToLower(a.Key)] = a.Val
			}
			switch t.Data {
			case "form":
				forms = append(forms, form{method: strings.ToUpper(at["method"]), action: at["action"]})
			case "meta":
				metas[at["name"]] = at["content"]
			case "input", "button", "select", "textarea":
				if at["name"] == "" {
					continue
				}
				if len(forms) == 0 { // A script sends it.
					forms = append(forms, form{method: "POST"})
				}
				f := &forms[len(forms)-1]
				f.inputs = append(f.inputs, input{at["name"], strings.ToLower(at["type"]), at["value"]})
			}
		}
	}
}

// asksPassword reports whether a form has a field of a password, or of another name that
// stands for one.
func (f *form) asksPassword() bool {
	return slices.ContainsFunc(f.inputs, func(i input) bool {
		r, _ := roleOf(i.name, "", i.kind)
		return r == passwordField && i.kind != "hidden"
	})
}

// inputValue returns the value of a field of a form of a page, or of a meta element.
func inputValue(ex *wire.Exchange, name string) string {
	forms, metas := formsOf(ex.Body)
	for _, f := range forms {
		for _, i := range f.inputs {
			if i.name == name {
				return i.value
			}
		}
	}
	return metas[name]
}

// maxRedirects is how many redirects a log-in follows in a row.
const maxRedirects = 5

// follow follows the redirects of the last answer, on the host of the target.
func (a *attempt) follow(ctx context.Context) *wire.Exchange {
	ex := a.last()
	for range maxRedirects {
		if ex.Status < 300 || ex.Status >= 400 || ex.Header.Get("Location") == "" {
			break
		}
		at := resolve(ex.Request, ex.Header.Get("Location"))
		path, query, _ := strings.Cut(at, "?")
		ex = a.send(ctx, wire.Request{Method: "GET", Path: path, Query: query, Header: http.Header{"Accept": {"text/html, */*;q=0.5"}}})
	}
	return ex
}

// resolve returns path and query of an address that is relative to a request.
func resolve(r wire.Request, address string) string {
	base, err := url.Parse(r.Target())
	if err != nil {
		return pathOf(address)
	}
	u, err := base.Parse(address)
	if err != nil {
		return pathOf(address)
	}
	return pathOf(u.RequestURI())
}

// page logs in by the form of a page.
func (a *attempt) page(ctx context.Context, p *Page) error {
	path, query, _ := strings.Cut(fillEscaped(p.Path, a.values, url.PathEscape), "?")
	a.send(ctx, wire.Request{Method: "GET", Path: path, Query: query, Header: http.Header{"Accept": {"text/html"}}})
	ex := a.follow(ctx)
	if ex.Status == 0 {
		return fmt.Errorf("GET %s: %w: %w", path, errNothing, ex.Err)
	}
	forms, metas := formsOf(ex.Body)
	i := slices.IndexFunc(forms, func(f form) bool { return f.asksPassword() })
	if i < 0 {
		return fmt.Errorf("GET %s: the page has no form with a password", path)
	}
	r := forms[i].fill(p.Fields, a.values, ex.Request)
	for name, v := range metas {
		if guardName.MatchString(name) {
			r.Header.Set("X-CSRF-Token", v)
		}
	}
	for _, c := range a.guards() { // A cookie that is to be repeated in a header.
		if c.In == "header" {
			r.Header.Set(c.Name, c.Value)
		}
	}
	a.send(ctx, r)
	after := a.last()
	if limited(after) {
		return limitedBy(after)
	}
	end := a.follow(ctx)
	switch {
	case after.Status == 0:
		return fmt.Errorf("%w: %w", errNothing, after.Err)
	case after.Status >= 400 || loginPage(end):
		return fmt.Errorf("%s %s: %w: %d%s", r.Method, r.Path, errRefused, after.Status, reason(after))
	}
	return nil
}

// fill returns the request that sends the form of a page.
func (f *form) fill(given, values map[string]string, page wire.Request) wire.Request {
	data := url.Values{}
	for _, i := range f.inputs {
		switch r, _ := roleOf(i.name, "", i.kind); {
		case i.kind == "checkbox" || i.kind == "radio" || i.kind == "submit" && i.value == "" || i.kind == "reset" || i.kind == "button" || i.kind == "image":
		case i.kind == "hidden" || guardName.MatchString(i.name):
			data.Set(i.name, i.value)
		case r == passwordField:
			data.Set(i.name, values["password"])
		case r == userField:
			data.Set(i.name, userValue(i, values))
		default:
			data.Set(i.name, i.value)
		}
	}
	for name, v := range given {
		data.Set(name, fill(v, values))
	}
	target := page.Target()
	if f.action != "" {
		target = resolve(page, f.action)
	}
	path, query, _ := strings.Cut(target, "?")
	r := wire.Request{Method: f.method, Path: path, Query: query, Header: http.Header{}}
	r.Header.Set("Accept", "text/html, application/json;q=0.9, */*;q=0.5")
	if f.method == "POST" || f.method == "PUT" {
		r.Body = []byte(data.Encode())
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	} else {
		r.Method, r.Query = "GET", data.Encode()
	}
	return r
}

// userValue returns what a field that names the user is filled with.
func userValue(i input, values map[string]string) string {
	name := "username"
	switch {
	case values[i.name] != "":
		name = i.name
	case (emailLike(i.name, "") || i.kind == "email") && values["email"] != "":
		name = "email"
	case (phoneLike(i.name, "") || i.kind == "tel") && values["phone"] != "":
		name = "phone"
	}
	return values[name]
}

// guards returns what the target wants against requests of other sites, as far as
// cookies, pages and answers of the log-in show it.
func (a *attempt) guards() (out []Credential) {
	add := func(in, name, value string) {
		if value == "" || slices.ContainsFunc(out, func(c Credential) bool { return c.In == in && c.Name == name }) {
			return
		}
		out = append(out, Credential{In: in, Name: name, Value: value, Guard: true})
	}
	for _, ex := range slices.Backward(a.pages) {
		for _, name := range slices.Sorted(maps.Keys(ex.Header)) {
			if guardName.MatchString(name) {
				add("header", name, ex.Header.Get(name))
			}
		}
		if doc, ok := decoded(ex).(map[string]any); ok {
			for _, name := range slices.Sorted(maps.Keys(doc)) {
				if guardName.MatchString(name) {
					add("header", "X-CSRF-Token", scalar(doc[name]))
				}
			}
		}
		if !strings.Contains(ex.Media(), "html") {
			continue
		}
		forms, metas := formsOf(ex.Body)
		for _, name := range slices.Sorted(maps.Keys(metas)) {
			if guardName.MatchString(name) {
				add("header", "X-CSRF-Token", metas[name])
			}
		}
		for _, f := range forms {
			for _, i := range f.inputs {
				if guardName.MatchString(i.name) {
					add("form", i.name, i.value)
				}
			}
		}
	}
	for _, c := range a.jar.cookies {
		if guardName.MatchString(c.Name) {
			add("header", guardHeader(c.Name), unescaped(c.Value))
		}
	}
	return out
}

// unescaped returns the value of a cookie as a script reads it.
func unescaped(cookie string) string {
	if value, err := url.PathUnescape(cookie); err == nil {
		return value
	}
	return cookie
}

// guardHeader returns the header in which the value of a cookie is usually repeated.
func guardHeader(cookie string) string {
	switch plain(cookie) {
	case "xsrftoken":
		return "X-XSRF-TOKEN"
	case "csrftoken":
		return "X-CSRFToken"
	}
	return "X-CSRF-Token"
}
