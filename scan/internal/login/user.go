// Package login is who a scan sends requests as: how a user logs in, how a request says
// who it is from, how to tell an answer to somebody who is logged in from one to somebody
// who is not, and how a user that the scan needs is registered.
package login

import (
	"bytes"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/fastness/fastness/scan/wire"
)

// User is somebody in whose name requests are sent. A nil user is nobody: anonymous.
type User struct {
	// Name tells users apart in reports.
	Name string
	// Admin reports whether the user is meant to have more rights than others.
	Admin bool
	// Known are values that stand for the user: username, email, id, password, phone …
	// Others may know them, but for the password and what is among the secrets. They do
	// not change once the user is logged in.
	Known map[string]string
	// Roles and Scopes are those of the account; nil is not known.
	Roles, Scopes []string
	// Registered reports whether the scan made this user itself, so that losing it is no loss.
	Registered bool

	mu          sync.Mutex
	credentials []Credential
	secrets     []string
}

// NewUser returns a user with credentials.
func NewUser(name string, credentials ...Credential) *User {
	u := &User{Name: name, Known: map[string]string{}}
	u.SetCredentials(credentials...)
	return u
}

// Credentials returns what says in each request who it is from. A log-in that is renewed
// changes them.
func (u *User) Credentials() []Credential {
	if u == nil {
		return nil
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	return slices.Clone(u.credentials)
}

// SetCredentials replaces the credentials. Their values are among the secrets from now on.
func (u *User) SetCredentials(credentials ...Credential) {
	for _, c := range credentials {
		u.Hide(c.Value)
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.credentials = slices.Clone(credentials)
}

// Secrets returns the values that no report may show: passwords, tokens, keys, those that
// are out of use, too.
func (u *User) Secrets() []string {
	if u == nil {
		return nil
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	return slices.Clone(u.secrets)
}

// Hide adds values to the secrets.
func (u *User) Hide(values ...string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, v := range values {
		if v != "" && !slices.Contains(u.secrets, v) {
			u.secrets = append(u.secrets, v)
		}
	}
}

// Credential is a part of a request that says who it is from.
type Credential struct {
	// In is header, cookie or query; of guards also form, a field of a form.
	In     string `yaml:"in"`
	Name   string `yaml:"name"`             // as "Authorization"
	Prefix string `yaml:"prefix,omitempty"` // as "Bearer ", before the value
	Value  string `yaml:"value,omitempty"`
	// Guard reports that the value proves no identity: it is what a target wants against
	// requests of other sites (CSRF), beside a cookie.
	Guard bool `yaml:"-"`
}

// Called returns the name, or "anonymous" for nobody.
func (u *User) Called() string {
	if u == nil {
		return "anonymous"
	}
	return u.Name
}

// Apply adds the credentials to a request.
func (u *User) Apply(r *wire.Request) {
	if u == nil {
		return
	}
	r.User = u.Name
	if r.Header == nil {
		r.Header = http.Header{}
	}
	for _, c := range u.Credentials() {
		switch c.In {
		case "cookie":
			have := r.Header.Get("Cookie")
			if have != "" {
				have += "; "
			}
			r.Header.Set("Cookie", have+c.Name+"="+c.Prefix+c.Value)
		case "query":
			if r.Query != "" {
				r.Query += "&"
			}
			r.Query += url.QueryEscape(c.Name) + "=" + url.QueryEscape(c.Prefix+c.Value)
		case "form":
			addField(r, c)
		default:
			r.Header.Set(c.Name, c.Prefix+c.Value)
		}
	}
}

// addField puts a guard into a form. One that is there already is replaced: it was seen in
// a page of somebody else.
func addField(r *wire.Request, c Credential) {
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		return
	}
	name, pairs := url.QueryEscape(c.Name)+"=", bytes.Split(r.Body, []byte("&"))
	pairs = slices.DeleteFunc(pairs, func(pair []byte) bool { return len(pair) == 0 || bytes.HasPrefix(pair, []byte(name)) })
	r.Body = bytes.Join(append(pairs, []byte(name+url.QueryEscape(c.Value))), []byte("&"))
}

// With returns a copy of the user whose credential i has another value. Nobody logs the
// copy in again when the value is refused.
func (u *User) With(i int, value string) *User {
	credentials := u.Credentials()
	credentials[i].Value = value
	other := NewUser(u.Name, credentials...)
	other.Admin, other.Registered, other.Known = u.Admin, u.Registered, maps.Clone(u.Known)
	other.Hide(u.Secrets()...)
	return other
}
