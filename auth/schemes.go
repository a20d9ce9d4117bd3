package auth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/fastness/fastness/problem"
)

// Schemes are the ways in which callers of an API prove who they are.
type Schemes struct {
	all     []known          // every scheme of the API: a second credential is refused whatever it is
	allowed []string         // nil: all
	missing *problem.Problem // asked for most, so it is made once
	guard   func(*http.Request) error
}

type known struct {
	Scheme
	is Description
	// The usual answers to a bad credential.
	refused, invalidToken *problem.Problem
}

// New returns the schemes, or an error that names every mistake.
func New(schemes ...Scheme) (*Schemes, error) {
	s := new(Schemes)
	var errs []error
	for i, scheme := range schemes {
		if scheme == nil {
			errs = append(errs, fmt.Errorf("scheme %d is nil", i+1))
			continue
		}
		k := known{Scheme: scheme, is: scheme.Describe()}
		k.refused, k.invalidToken = k.is.refused(""), k.is.refused(codeInvalidToken)
		errs = append(errs, k.mistakes(s.all)...)
		s.all = append(s.all, k)
	}
	s.missing = missing(s.challenges())
	return s, errors.Join(errs...)
}

func (k *known) mistakes(before []known) (errs []error) {
	name := k.is.Name
	switch {
	case name == "":
		errs = append(errs, fmt.Errorf("scheme %T has no name", k.Scheme))
	case slices.ContainsFunc(before, func(b known) bool { return b.is.Name == name }):
		errs = append(errs, fmt.Errorf("scheme %q is there twice", name))
	}
	if k.is.Security == nil {
		errs = append(errs, fmt.Errorf("scheme %q does not say how the document describes it", name))
	} else if k.is.Security.Type == "apiKey" && k.is.Security.In == "cookie" && !k.is.Ambient {
		errs = append(errs, fmt.Errorf("scheme %q is a cookie, which browsers add by themselves, and not Ambient", name))
	}
	if k.is.Challenge == "" || strings.ContainsAny(k.is.Challenge, "\r\n") {
		errs = append(errs, fmt.Errorf("scheme %q has no challenge (RFC 9110 section 15.5.2)", name))
	}
	return errs
}

// challenges returns those of the schemes, without repetition.
func (s *Schemes) challenges() (list []string) {
	for _, k := range s.all {
		if s.allows(k.is.Name) && !slices.Contains(list, k.is.Challenge) {
			list = append(list, k.is.Challenge)
		}
	}
	return list
}

// Only returns the schemes of these names: the others are not taken, but a
// request must still not have two credentials. A name that no scheme has is an
// error: nothing would verify it.
func (s *Schemes) Only(names ...string) (*Schemes, error) {
	var errs []error
	for _, name := range names {
		if !slices.ContainsFunc(s.all, func(k known) bool { return k.is.Name == name }) {
			errs = append(errs, fmt.Errorf("there is no scheme %q", name))
		}
	}
	only := &Schemes{all: s.all, allowed: slices.Clone(names), guard: s.guard}
	only.missing = missing(only.challenges())
	return only, errors.Join(errs...)
}

func (s *Schemes) allows(name string) bool {
	return s.allowed == nil || slices.Contains(s.allowed, name)
}

// Descriptions returns those of the schemes that are taken.
func (s *Schemes) Descriptions() (list []Description) {
	for _, k := range s.all {
		if s.allows(k.is.Name) {
			list = append(list, k.is)
		}
	}
	return list
}

// Authenticate returns the verified caller of r. The error is a problem document
// for the caller, unless the credential could not be verified at all.
func (s *Schemes) Authenticate(ctx context.Context, r *http.Request) (*User, error) {
	k, err := s.find(r)
	switch {
	case err != nil:
		return nil, err
	case k == nil || !s.allows(k.is.Name):
		return nil, s.missing
	case k.is.Ambient && !s.fromOwnPage(k, r):
		return nil, CrossSite()
	}
	u, err := k.Authenticate(ctx, r)
	if err != nil {
		if refusal, ok := errors.AsType[*Refusal](err); ok {
			return nil, k.invalid(refusal)
		}
		return nil, fmt.Errorf("scheme %s: %w", k.is.Name, err)
	}
	if u == nil || u.ID == "" { // A scheme that is wrong lets nobody in.
		return nil, k.invalid(&Refusal{Reason: fmt.Errorf("scheme %s found no user", k.is.Name)})
	}
	if u.Scheme != k.is.Name { // What is asked of callers goes by it: a token, where it is a cookie.
		mine := *u // It may be shared with other requests.
		mine.Scheme, u = k.is.Name, &mine
	}
	return u, nil
}

// Present reports whether r carries a credential, good or bad, of any scheme.
func (s *Schemes) Present(r *http.Request) bool {
	k, err := s.find(r)
	return k != nil || err != nil
}

// find returns the scheme whose credential counts, or nil.
func (s *Schemes) find(r *http.Request) (*known, error) {
	if len(r.Header["Authorization"]) > 1 {
		return nil, ambiguous()
	}
	var explicit, ambient *known
	for i := range s.all {
		k := &s.all[i]
		switch {
		case !k.Present(r):
		case !k.is.Ambient && explicit != nil:
			return nil, ambiguous()
		case !k.is.Ambient:
			explicit = k
		case ambient == nil || !s.allows(ambient.is.Name):
			ambient = k
		}
	}
	if explicit != nil {
		return explicit, nil
	}
	return ambient, nil
}

// FromOwnPage reports whether a browser's request is one that the API's own
// pages made, or that changes nothing. Sec-Fetch-Site says so where the page
// cannot; where it is missing, Origin must name the host. Where both are missing
// no browser of this decade has sent the request, and nothing else has reason to
// carry a browser's credential.
func FromOwnPage(r *http.Request) bool {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		if len(r.Header["Upgrade"]) == 0 && len(r.Header["Sec-Websocket-Key"]) == 0 { // A WebSocket does what its pages say.
			return true
		}
	}
	switch sites := r.Header["Sec-Fetch-Site"]; {
	case len(sites) == 1:
		return sites[0] == "same-origin" || sites[0] == "none"
	case len(sites) > 1 || len(r.Header["Origin"]) != 1:
		return false
	}
	origin, err := url.Parse(r.Header["Origin"][0])
	if r.TLS != nil && (err != nil || origin.Scheme != "https") { // A page without TLS is anybody's on the way.
		return false
	}
	return err == nil && origin.Host != "" && strings.EqualFold(origin.Host, r.Host)
}

// Ambient reports whether browsers add the credentials of a scheme by themselves: also
// those of Basic, once they have asked their user for them. It is true of a name that
// no scheme has: nobody knows.
func (s *Schemes) Ambient(name string) bool {
	for i := range s.all {
		if is := &s.all[i].is; is.Name == name {
			return is.Ambient || is.Security != nil && is.Security.Type == "http" && strings.EqualFold(is.Security.Scheme, "basic")
		}
	}
	return true
}

// Guarded makes the schemes rely on a guard against cross-site requests instead of
// [FromOwnPage]: it knows more trusted pages than the own ones. Requests that are
// authenticated by a cookie must be checked for a token afterwards.
func (s *Schemes) Guarded(checkOrigin func(*http.Request) error) { s.guard = checkOrigin }

// fromOwnPage reports whether a browser's own credential counts in r.
func (s *Schemes) fromOwnPage(k *known, r *http.Request) bool {
	switch {
	case k.is.Programs && saysNothing(r):
		return true
	case s.guard == nil:
		return FromOwnPage(r)
	}
	return s.guard(r) == nil && (!saysNothing(r) || k.is.Cookie() || FromOwnPage(r))
}

// saysNothing reports whether r does not say which page it comes from. All
// browsers do, when the method changes something.
func saysNothing(r *http.Request) bool {
	return len(r.Header["Sec-Fetch-Site"]) == 0 && len(r.Header["Origin"]) == 0
}

// Handler verifies who is calling before next runs; there, [From] returns the
// user.
func (s *Schemes) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Cache-Control", "no-store")
		u, err := s.Authenticate(r.Context(), r)
		if err != nil {
			problem.Write(w, problem.From(err))
			return
		}
		next.ServeHTTP(w, r.WithContext(With(r.Context(), u)))
	})
}
