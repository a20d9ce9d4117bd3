// Package login is who a scan sends requests as: how a user logs in, how a request says
// who it is from, how to tell an answer to somebody who is logged in from one to somebody
// who is not, and how a user that the scan needs is registered.
package login

import (
	"maps"
	"net/http"
	"net/url"
	"slices"

	"github.com/fastness/fastness/scan/wire"
)

// User is somebody in whose name requests are sent. A nil user is nobody: anonymous.
type User struct {
	// Name tells users apart in reports.
	Name string
	// Admin reports whether the user is meant to have more rights than others.
	Admin bool
	// Known are values that stand for the user: username, email, id, password, phone …
	// Others may know them, but for the password and what is marked in Secrets.
	Known map[string]string
	// Secrets are values that no report may show: passwords, tokens, keys.
	Secrets []string
	// Credentials say in each request who it is from. They are made by logging in.
	Credentials []Credential
	// Registered reports whether the scan made this user itself, so that losing it is no loss.
	Registered bool
}

// Credential is a part of a request that says who it is from.
type Credential struct {
	In     string // header, cookie or query
	Name   string // as "Authorization"
	Prefix string // as "Bearer ", before the value
	Value  string
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
	for _, c := range u.Credentials {
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
		default:
			r.Header.Set(c.Name, c.Prefix+c.Value)
		}
	}
}

// With returns a copy of the user whose credential i has another value.
func (u *User) With(i int, value string) *User {
	other := *u
	other.Known = maps.Clone(u.Known)
	other.Credentials = slices.Clone(u.Credentials)
	other.Credentials[i].Value = value
	return &other
}
