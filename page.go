package fastness

import (
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"strings"

	"github.com/fastness/fastness/guard/headers"
	"github.com/fastness/fastness/internal/route"
)

// Page gives a template what belongs to one answer alone. Embed it in the Body of
// a [View]; the app fills it, and in JSON it is nothing:
//
//	type ReviewsPage struct {
//		fastness.Page
//		Reviews []Review `json:"reviews"`
//	}
//
//	<form method="post" action="{{.URL "createReview" .ItemID}}">{{.CSRFField}} … </form>
//	<script nonce="{{.Nonce}}"> … </script>
type Page struct{ of *rendering }

// rendering is an answer while its template runs.
type rendering struct {
	x      *exchange
	answer *answer
	nonce  string
	token  string
}

var errNoPage = errors.New("fastness.Page has its methods while the View that embeds it is shown, not before or after, and not through a pointer: a Body that is shared would show one caller the token of another")

// Nonce returns the nonce of the answer: a script or a style sheet that carries it
// runs, and no other does. Without a call no script runs on the page at all.
func (p Page) Nonce() (string, error) {
	if p.of == nil || p.of.x == nil {
		return "", errNoPage
	}
	if p.of.nonce == "" {
		p.of.nonce = headers.Nonce()
	}
	return p.of.nonce, nil
}

// URL returns the path of the operation with this id, with args for the parameters
// in the path, in their order. See [App.URL].
func (p Page) URL(operation string, args ...any) (string, error) {
	if p.of == nil || p.of.x == nil {
		return "", errNoPage
	}
	return p.of.x.app.URL(operation, args...)
}

// pageIn returns the Page that is embedded in a body, or nil.
func pageIn(body reflect.Value) *Page {
	if body.Kind() != reflect.Struct {
		return nil
	}
	for i := range body.NumField() {
		field := body.Type().Field(i)
		if field.Anonymous && field.Type == reflect.TypeFor[Page]() {
			return body.Field(i).Addr().Interface().(*Page)
		}
	}
	return nil
}

// URL returns the path of the operation with this id, with args for the parameters
// in the path, in their order. It is an error if there is no such operation, if
// the number of args is another, or if an arg is empty.
//
//	app.URL("readItem", 7) // "/items/7"
//
// The app must have started.
func (a *App) URL(operation string, args ...any) (string, error) {
	if !a.compiled.Load() {
		return "", errors.New("URL: the app has not started")
	}
	for _, op := range a.operations {
		if op.id == operation {
			return fillPath(a.base, op.path, args)
		}
	}
	return "", fmt.Errorf("URL: there is no operation %q", operation)
}

// fillPath puts args into a pattern. Only the last parameter, if it ends in "...",
// may hold slashes.
func fillPath(base, pattern string, args []any) (string, error) {
	names, err := route.Names(pattern)
	if err != nil {
		return "", err
	}
	if len(names) != len(args) {
		return "", fmt.Errorf("URL: %s has %d parameters, and %d are given", pattern, len(names), len(args))
	}
	var path strings.Builder
	path.WriteString(base)
	rest := pattern
	for i, name := range names {
		before, after, _ := strings.Cut(rest, "{")
		inner, next, _ := strings.Cut(after, "}")
		path.WriteString(before)
		text := fmt.Sprint(args[i])
		if text == "" || text == "." || text == ".." {
			return "", fmt.Errorf("URL: parameter %q of %s is %q", name, pattern, text)
		}
		if strings.HasSuffix(inner, "...") {
			path.WriteString(escapeSegments(text))
		} else {
			path.WriteString(escapeSegment(text))
		}
		rest = next
	}
	path.WriteString(rest)
	return sameSite(path.String())
}

// escapeSegments escapes all but slashes.
func escapeSegments(text string) string {
	parts := strings.Split(text, "/")
	for i := range parts {
		parts[i] = escapeSegment(parts[i])
	}
	return strings.Join(parts, "/")
}

// escapeSegment escapes all but the unreserved characters (RFC 3986 section 2.3).
func escapeSegment(text string) string {
	return strings.ReplaceAll(url.QueryEscape(text), "+", "%20")
}
