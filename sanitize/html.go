package sanitize

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"html/template"
	"unicode/utf8"

	"github.com/fastness/fastness/openapi"
	"github.com/fastness/fastness/schema"
)

// standard is the policy of HTML.
var standard = func() [1]*Policy {
	p, err := New(Config{})
	if err != nil {
		panic(err) // The zero Config has no mistake; a test says so.
	}
	return [1]*Policy{p}
}()

// HTML is HTML that was cleaned by the policy of the zero [Config]. It is
// cleaned while it is decoded, from JSON, a form, a parameter or a database, and
// there is no way to make one without.
//
// The tags minLength and maxLength hold of the characters that were sent.
// MinLength holds of what is left, too: a text that is all script is too short.
// MaxLength does not: what is escaped or added, such as rel of a link, is
// nothing that who sent it can shorten, so a column for it has no limit of its
// own. More than 1 MiB is refused.
type HTML struct{ markup string }

// Clean returns s cleaned by the policy of the zero [Config].
func Clean(s string) HTML { return HTML{standard[0].Clean(s)} }

// String returns the HTML. In a template it is escaped, as any string is: there,
// use the method HTML.
func (h HTML) String() string { return h.markup }

// HTML returns the HTML for package html/template, which prints it as it is
// where HTML can stand, and escapes it everywhere else.
func (h HTML) HTML() template.HTML { return template.HTML(h.markup) }

// IsZero reports whether nothing is left.
func (h HTML) IsZero() bool { return h.markup == "" }

// Length returns how many characters the HTML has, for the rule minLength.
func (h HTML) Length() int { return utf8.RuneCountInString(h.markup) }

// MarshalText returns the HTML.
func (h HTML) MarshalText() ([]byte, error) { return []byte(h.markup), nil }

// UnmarshalText cleans text.
func (h *HTML) UnmarshalText(text []byte) (err error) {
	h.markup, err = standard[0].read(string(text))
	return err
}

// Value stores the HTML as a string.
func (h HTML) Value() (driver.Value, error) { return h.markup, nil }

// Scan reads the HTML from a database, and cleans it once more: another program
// may have written it, or this one by an older policy. NULL is empty.
func (h *HTML) Scan(value any) (err error) {
	h.markup, err = standard[0].scan(value)
	return err
}

// JSONSchema describes the HTML as a string of media type text/html.
func (HTML) JSONSchema() *openapi.Schema { return describe(standard[0]) }

// HTMLWith is [HTML] with another policy, that of P:
//
//	type comment struct{}
//
//	func (comment) Policy() *sanitize.Policy { return comments } // made once
//
//	type NewComment struct {
//		Text sanitize.HTMLWith[comment] `json:"text" maxLength:"2000"`
//	}
//
// Policy is called for every value that is read, and on the zero value of P.
// Without a policy everything is refused.
type HTMLWith[P interface{ Policy() *Policy }] struct{ markup string }

// CleanWith returns s cleaned by the policy of P. If that is nil, nothing is
// taken for markup.
func CleanWith[P interface{ Policy() *Policy }](s string) HTMLWith[P] {
	policy := policyOf[P]()
	if policy == nil {
		return HTMLWith[P]{escapeText(s)}
	}
	return HTMLWith[P]{policy.Clean(s)}
}

func policyOf[P interface{ Policy() *Policy }]() *Policy {
	var p P
	return p.Policy()
}

// String is that of [HTML].
func (h HTMLWith[P]) String() string { return h.markup }

// HTML is that of [HTML].
func (h HTMLWith[P]) HTML() template.HTML { return template.HTML(h.markup) }

// IsZero reports whether nothing is left.
func (h HTMLWith[P]) IsZero() bool { return h.markup == "" }

// Length is that of [HTML].
func (h HTMLWith[P]) Length() int { return utf8.RuneCountInString(h.markup) }

// MarshalText returns the HTML.
func (h HTMLWith[P]) MarshalText() ([]byte, error) { return []byte(h.markup), nil }

// UnmarshalText cleans text.
func (h *HTMLWith[P]) UnmarshalText(text []byte) (err error) {
	h.markup, err = policyOf[P]().read(string(text))
	return err
}

// Value stores the HTML as a string.
func (h HTMLWith[P]) Value() (driver.Value, error) { return h.markup, nil }

// Scan is that of [HTML].
func (h *HTMLWith[P]) Scan(value any) (err error) {
	h.markup, err = policyOf[P]().scan(value)
	return err
}

// JSONSchema is that of [HTML].
func (HTMLWith[P]) JSONSchema() *openapi.Schema { return describe(policyOf[P]()) }

var errNoPolicy = errors.New("sanitize: the type has no policy")

// read cleans what a client sent.
func (p *Policy) read(s string) (string, error) {
	switch {
	case p == nil:
		return "", errNoPolicy
	case len(s) > p.maxBytes:
		return "", schema.Invalid(fmt.Sprintf("HTML should have at most %d bytes", p.maxBytes)).Named("html_too_long")
	}
	return p.Clean(s), nil
}

// scan cleans what was stored, however long it is: cleaning made it longer than
// what was sent.
func (p *Policy) scan(value any) (string, error) {
	s, err := scanned(value)
	switch {
	case err != nil:
		return "", err
	case p == nil:
		return "", errNoPolicy
	case isPlain(s):
		return s, nil
	}
	return p.clean(s), nil
}

// scanned returns the text that a database driver gave. It never holds on to a
// driver's buffer.
func scanned(value any) (string, error) {
	switch v := value.(type) {
	case nil:
		return "", nil
	case string:
		return v, nil
	case []byte:
		return string(v), nil
	}
	return "", fmt.Errorf("sanitize: a %T from the database is no text", value)
}

func describe(p *Policy) *openapi.Schema {
	text := "HTML. It is cleaned while it is read: what is not allowed is removed."
	if p != nil && len(p.elements) == 0 {
		text = "HTML without any element: tags are removed while it is read."
	}
	return &openapi.Schema{Type: openapi.Types{"string"}, ContentMediaType: "text/html", Description: text}
}
