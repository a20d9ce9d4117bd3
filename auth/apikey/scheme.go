package apikey

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"

	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/openapi"
	"github.com/fastness/fastness/problem"
)

// Place is where a key stands in a request.
type Place string

const (
	// InHeader is a header field of its own. It is the default.
	InHeader Place = "header"
	// InCookie is a cookie, which makes the scheme ambient: see package auth.
	InCookie Place = "cookie"
	// InQuery is a parameter of the query. It takes an opt-out.
	InQuery Place = "query"
)

// SchemeConfig configures a [Scheme]. The zero value, with Keys, is the secure
// choice.
type SchemeConfig struct {
	// Keys are those that are taken. They are required.
	Keys *Keys
	// Name is the scheme's name. The default is "apiKey".
	Name string
	// In is where the key is. The default is InHeader.
	In Place
	// Parameter is the name of the header field, cookie or parameter. The default
	// is "X-API-Key" for a header field, "__Host-api-key" for a cookie and
	// "api_key" in the query.
	Parameter string
	// InsecureQueryParameter, if not empty, says why keys may be in the query,
	// from where they get into histories, Referer headers and the logs of every
	// proxy. InQuery needs it.
	InsecureQueryParameter string
}

func (c SchemeConfig) withDefaults() SchemeConfig {
	if c.Name == "" {
		c.Name = "apiKey"
	}
	if c.In == "" {
		c.In = InHeader
	}
	if c.Parameter == "" {
		c.Parameter = map[Place]string{InHeader: "X-API-Key", InCookie: "__Host-api-key", InQuery: "api_key"}[c.In]
	}
	return c
}

func (c *SchemeConfig) mistakes() error {
	var errs []error
	if c.Keys == nil {
		errs = append(errs, errors.New("Keys is nil"))
	}
	if !slices.Contains([]Place{InHeader, InCookie, InQuery}, c.In) {
		errs = append(errs, errors.New("In is neither InHeader nor InCookie nor InQuery"))
	}
	if (&http.Cookie{Name: c.Parameter, Value: "x"}).Valid() != nil { // The syntax is that of header fields, too.
		errs = append(errs, fmt.Errorf("Parameter is %q, want a token (RFC 9110 section 5.6.2)", c.Parameter))
	}
	taken := []string{"Authorization", "Proxy-Authorization", "Cookie", "Host"}
	if c.In == InHeader && slices.Contains(taken, textproto.CanonicalMIMEHeaderKey(c.Parameter)) {
		errs = append(errs, fmt.Errorf("Parameter is %q, which belongs to others", c.Parameter))
	}
	if (c.In == InQuery) != (c.InsecureQueryParameter != "") {
		errs = append(errs, errors.New("InQuery needs a reason in InsecureQueryParameter, and nothing else does"))
	}
	return errors.Join(errs...)
}

// Scheme takes a key from requests.
type Scheme struct {
	cfg   SchemeConfig
	keys  *Keys
	field string // the header field as net/http spells it
}

// NewScheme returns the scheme, or an error that names every mistake in cfg.
func NewScheme(cfg SchemeConfig) (*Scheme, error) {
	cfg = cfg.withDefaults()
	if err := cfg.mistakes(); err != nil {
		return nil, fmt.Errorf("API key scheme config: %w", err)
	}
	return &Scheme{cfg, cfg.Keys, textproto.CanonicalMIMEHeaderKey(cfg.Parameter)}, nil
}

// Describe describes the scheme.
func (s *Scheme) Describe() auth.Description {
	d := auth.Description{
		Name: s.cfg.Name, Challenge: "APIKey", Ambient: s.cfg.In == InCookie,
		Security: &openapi.SecurityScheme{Type: "apiKey", In: string(s.cfg.In), Name: s.cfg.Parameter, Description: "An API key."},
		OptOuts:  make(map[string]string),
	}
	if s.cfg.InsecureQueryParameter != "" {
		d.OptOuts["InsecureQueryParameter"] = s.cfg.InsecureQueryParameter
	}
	if reason := s.keys.cfg.InsecureLifetime; reason != "" {
		d.OptOuts["InsecureLifetime"] = reason
	}
	return d
}

// Present reports whether r has a key, good or bad.
func (s *Scheme) Present(r *http.Request) bool {
	_, n := s.value(r)
	return n > 0
}

// value returns the first text that stands in the key's place, and how many do.
func (s *Scheme) value(r *http.Request) (text string, n int) {
	var values []string
	switch s.cfg.In {
	case InHeader:
		values = r.Header[s.field]
	case InQuery:
		if r.URL == nil || r.URL.RawQuery == "" {
			return "", 0
		}
		query, _ := url.ParseQuery(r.URL.RawQuery) // What cannot be read is left out.
		values = query[s.cfg.Parameter]
	case InCookie:
		for _, c := range r.CookiesNamed(s.cfg.Parameter) {
			values = append(values, c.Value)
		}
	}
	if len(values) == 0 {
		return "", 0
	}
	return values[0], len(values)
}

// Authenticate verifies the key. Two of them are answered 400: which one counts,
// the next part of the program may see otherwise.
func (s *Scheme) Authenticate(ctx context.Context, r *http.Request) (*auth.User, error) {
	text, n := s.value(r)
	if n > 1 {
		return nil, problem.New(http.StatusBadRequest, "there is more than one API key").Named("ambiguous_credentials")
	}
	return s.keys.verify(ctx, text, s.cfg.Name)
}
