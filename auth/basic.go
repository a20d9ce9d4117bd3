package auth

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/fastness/fastness/openapi"
)

// BasicConfig configures a [Basic].
type BasicConfig struct {
	// Name is the scheme's name. The default is "basic".
	Name string
	// Realm says what the password is for. It is required and shown to callers.
	Realm string
	// Verify returns the user of a name and a password, or nil if there is none.
	// What it costs must not tell whether the name exists; package account has
	// such a function.
	Verify func(ctx context.Context, r *http.Request, name, password string) (*User, error)
}

// Basic takes a name and a password with each request (RFC 7617): for machines
// that can do no better. Every request costs a password hash.
type Basic struct {
	cfg       BasicConfig
	challenge string
}

// NewBasic returns the scheme, or an error that names every mistake.
func NewBasic(cfg BasicConfig) (*Basic, error) {
	var errs []error
	if cfg.Realm == "" || strings.ContainsFunc(cfg.Realm, func(r rune) bool { return r < ' ' || r > '~' || r == '"' || r == '\\' }) {
		errs = append(errs, fmt.Errorf("basic: Realm is %q, want printable ASCII without quotes", cfg.Realm))
	}
	if cfg.Verify == nil {
		errs = append(errs, errors.New("basic: nothing verifies the password: Verify is nil"))
	}
	if cfg.Name == "" {
		cfg.Name = "basic"
	}
	return &Basic{cfg, `Basic realm="` + cfg.Realm + `", charset="UTF-8"`}, errors.Join(errs...)
}

// Describe describes the scheme.
func (b *Basic) Describe() Description {
	return Description{
		Name: b.cfg.Name, Challenge: b.challenge,
		Security: &openapi.SecurityScheme{Type: "http", Scheme: "basic", Description: "Name and password with each request (RFC 7617)."},
	}
}

// Present reports whether r has an Authorization header of the scheme Basic.
func (b *Basic) Present(r *http.Request) bool {
	_, ok := Credential(r, "Basic")
	return ok
}

// Authenticate verifies name and password.
func (b *Basic) Authenticate(ctx context.Context, r *http.Request) (*User, error) {
	text, ok := Credential(r, "Basic")
	if !ok {
		return nil, &Refusal{Reason: errors.New("no basic credentials")}
	}
	name, password, err := parseBasic(text)
	if err != nil {
		return nil, &Refusal{Reason: err}
	}
	// A browser that was asked for the password once sends it with every request to
	// the site, whoever caused it. Programs say nothing of where they come from.
	if !FromOwnPage(r) && !saysNothing(r) {
		return nil, CrossSite()
	}
	u, err := b.cfg.Verify(ctx, r, name, password)
	if err != nil {
		return nil, err
	}
	if u == nil {
		return nil, &Refusal{Reason: errors.New("wrong name or password")}
	}
	return u, nil
}

// parseBasic reads the credentials of RFC 7617 section 2.
func parseBasic(text string) (name, password string, err error) {
	data, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || strings.ContainsAny(text, "\r\n") {
		return "", "", errors.New("basic: the credentials are not base64")
	}
	if !utf8.Valid(data) || strings.ContainsFunc(string(data), unicode.IsControl) {
		return "", "", errors.New("basic: the credentials hold what is no text")
	}
	name, password, ok := strings.Cut(string(data), ":")
	if !ok {
		return "", "", errors.New("basic: the credentials have no colon")
	}
	return name, password, nil
}

// Credential returns what r's Authorization header has for an authentication
// scheme, such as "Bearer", and whether the header is of that scheme. The name
// of a scheme has no case, and one space follows it (RFC 9110 section 11.4).
// What does not follow this grammar is returned as it is, for the scheme to
// refuse. A header that is there twice belongs to none.
func Credential(r *http.Request, scheme string) (credential string, ok bool) {
	values := r.Header["Authorization"]
	if len(values) != 1 || len(values[0]) < len(scheme) || !strings.EqualFold(values[0][:len(scheme)], scheme) {
		return "", false
	}
	rest := values[0][len(scheme):]
	if rest == "" {
		return "", true
	}
	return strings.CutPrefix(rest, " ")
}
