package fastness

import (
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/fastness/fastness/internal/field"
	"github.com/fastness/fastness/problem"
	"github.com/fastness/fastness/redirect"
)

// result is implemented by pointers to the types that carry more than a body.
type result interface {
	// outline says what is known before any request.
	outline() outline
	// fill writes what is to be sent into a.
	fill(a *answer) error
}

// outline is what an answer always looks like.
type outline struct {
	status  int          // 0 for the operation's own
	body    reflect.Type // nil for none, or none in JSON
	content string       // the media type of a body that is not JSON
	table   bool         // body is a list, and is sent as a CSV only
	headers []string
	stream  streamKind // how it is sent while it is made, if it is
}

// answer is what is to be sent.
type answer struct {
	status  int
	header  http.Header
	cookies []*http.Cookie
	body    reflect.Value // invalid for none
	// raw is a body that is not JSON, of type content.
	raw     []byte
	content string
	page    *pageAnswer
	rows    reflect.Value // of a CSV
	// sender sends the body while it is made, and the header before.
	sender sender
	// elsewhere is a URL to redirect to, which the app has to allow.
	elsewhere string
}

// Created is the answer 201 with the new object as its body.
type Created[T any] struct {
	Body T
	// Location is the path of the new object. It must be on this site.
	Location string
}

func (c *Created[T]) outline() outline {
	return outline{status: http.StatusCreated, body: reflect.TypeFor[T](), headers: []string{"Location"}}
}

func (c *Created[T]) fill(a *answer) error {
	a.body = reflect.ValueOf(&c.Body).Elem()
	if c.Location == "" {
		return nil
	}
	location, err := sameSite(c.Location)
	if err != nil {
		return err
	}
	a.header = http.Header{"Location": {location}}
	return nil
}

// Result is an answer with a status, headers and cookies of its own. For one
// without a body let T be [NoContent].
type Result[T any] struct {
	// Status is 200 to 599. 0 means the operation's own.
	// A status of 400 or more is an answer like any other: what providers hold is
	// committed. To roll back return an error.
	Status int
	// Header must not hold what is not for an operation to say: cookies have a
	// field of their own, and the server frames the answer. A name or a value
	// that could end the header is an error, and the caller gets a 500.
	Header http.Header
	// Cookies are sent Secure, HttpOnly and SameSite=Lax, whatever they say;
	// SameSite=Strict is kept.
	Cookies []*http.Cookie
	Body    T
}

func (r *Result[T]) outline() outline {
	if t := reflect.TypeFor[T](); t != reflect.TypeFor[NoContent]() {
		return outline{body: t}
	}
	return outline{status: http.StatusNoContent}
}

func (r *Result[T]) fill(a *answer) error {
	if r.Status != 0 {
		a.status = r.Status
	}
	if a.status < 200 || a.status > 599 {
		return fmt.Errorf("result with status %d, want 200 to 599", a.status)
	}
	a.cookies = r.Cookies
	for _, c := range a.cookies {
		if c == nil || !field.IsToken(c.Name) {
			return errors.New("result with a cookie without a valid name")
		}
	}
	a.body = reflect.ValueOf(&r.Body).Elem()
	var err error
	a.header, err = checkHeader(r.Header)
	return err
}

// checkHeader returns a copy of h with canonical names.
func checkHeader(h http.Header) (http.Header, error) {
	if len(h) == 0 {
		return nil, nil
	}
	checked := make(http.Header, len(h))
	for name, values := range h {
		canonical := http.CanonicalHeaderKey(name)
		switch {
		case !field.IsToken(name):
			return nil, errors.New("answer with a header name that is none")
		case slices.Contains([]string{"Set-Cookie", "Content-Length", "Transfer-Encoding", "Connection", "Trailer", "Upgrade"}, canonical):
			return nil, fmt.Errorf("answer with the header %s, which is not the operation's to set", canonical)
		case slices.ContainsFunc(values, breaksHeader):
			return nil, fmt.Errorf("answer with a control character in the header %s", canonical)
		}
		checked[canonical] = append(checked[canonical], values...)
	}
	return checked, nil
}

// breaksHeader reports whether value holds what no header may (RFC 9110 section
// 5.5): a line break begins the next header, or the body.
func breaksHeader(value string) bool {
	return strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f })
}

// NoContent is the answer 204, without a body.
type NoContent struct{}

func (n *NoContent) outline() outline   { return outline{status: http.StatusNoContent} }
func (n *NoContent) fill(*answer) error { return nil }

// Redirect sends the caller elsewhere: to a path of this site, or to an origin that
// [Config].Redirects lists. Anything else, and anything that a browser could read in
// two ways, is an error, and the caller gets a 500.
type Redirect struct {
	// Status is 301, 302, 303, 307 or 308. The default is 307, which keeps the
	// method; after a form, use 303.
	Status int
	// Path is where to: an absolute path of this site.
	Path string
	// URL is where to instead, if it is an https URL of a listed origin.
	URL string
}

func (r *Redirect) outline() outline {
	return outline{status: http.StatusTemporaryRedirect, headers: []string{"Location"}}
}

func (r *Redirect) fill(a *answer) error {
	if r.Path != "" && r.URL != "" {
		return errors.New("redirect with a Path and a URL, want one of them")
	}
	if a.elsewhere = r.URL; r.URL == "" {
		location, err := sameSite(r.Path)
		if err != nil {
			return err
		}
		a.header = http.Header{"Location": {location}}
	}
	switch r.Status {
	case 0:
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		a.status = r.Status
	default:
		return fmt.Errorf("redirect with status %d, want 301, 302, 303, 307 or 308", r.Status)
	}
	return nil
}

// maxChallenge is the most bytes that a document promises of WWW-Authenticate.
const maxChallenge = 1 << 10

// sameSite returns path if no browser can read it as another site's address.
func sameSite(path string) (string, error) {
	location, err := redirect.Path(path)
	if err != nil {
		return "", problem.New(http.StatusInternalServerError, "").Wrap(err)
	}
	return location, nil
}

// Raw is a body that is not JSON, such as an image or a text. It is sent with
// nosniff and the strict Content-Security-Policy, so a browser runs nothing in
// it.
type Raw struct {
	// ContentType is required.
	ContentType string
	// Header holds further headers, such as Cache-Control.
	Header http.Header
	Body   []byte
}

func (r *Raw) outline() outline { return outline{content: "*/*"} }

func (r *Raw) fill(a *answer) error {
	a.raw, a.content = r.Body, r.ContentType
	if a.content == "" || breaksHeader(a.content) {
		return errors.New("raw answer without a valid content type")
	}
	var err error
	a.header, err = checkHeader(r.Header)
	return err
}
