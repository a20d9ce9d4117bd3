package login

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/fastness/fastness/scan/internal/spec"
	"github.com/fastness/fastness/scan/wire"
)

// Sender sends a request to the target.
type Sender interface {
	Do(context.Context, wire.Request) *wire.Exchange
}

// Config configures a [Keeper].
type Config struct {
	Client Sender
	// API is what is known of the target. Its log-in is looked for in it, and what proves
	// that somebody is logged in.
	API *spec.API
	// Accounts are the users that the target has.
	Accounts []Account
	// LogIn is how those log in who do not say it themselves. The default is to find out.
	LogIn *Method
	// LoggedOut says what else the answers to somebody who is logged out look like.
	LoggedOut Signs
	// Register is the request that makes a user, with {{username}}, {{email}}, {{password}} and
	// {{phone}}. The default is to look for it in the document.
	Register *Step
	// NoRegister forbids to register users at the target.
	NoRegister bool
	// Wanted is how many ordinary users there should be; the missing ones are registered.
	// The default is 2.
	Wanted int
	// PerMinute is how often a user is logged in within a minute, at most. The default is 6.
	PerMinute int
	// Seed is what names and passwords of registered users are made of.
	Seed uint64
	// Logger takes what a person may want to know of log-ins; never a secret. The default
	// is to say nothing.
	Logger *slog.Logger
}

// Account is a user that the target has.
type Account struct {
	// Name is what reports call the user. The default is Username.
	Name  string `yaml:"name,omitempty"`
	Admin bool   `yaml:"admin,omitempty"`
	// Username and Password are what the user logs in with. A username with an @ in it is
	// an e-mail address, too.
	Username string `yaml:"username,omitempty"`
	Password string `yaml:"password,omitempty"`
	// Known are more values of the user by their names: email, id, phone, pin, tenant …
	Known map[string]string `yaml:"known,omitempty"`
	// Token is one that needs no log-in. The document says how it is sent, or
	// [Method.Send]; else it is found out.
	Token string `yaml:"token,omitempty"`
	// Roles and Scopes are those that the target gives the user, where they are known:
	// rules that a program declares are held against them. Nil is not known.
	Roles  []string `yaml:"roles,omitempty"`
	Scopes []string `yaml:"scopes,omitempty"`
	// LogIn is how this user logs in, if not like all others.
	LogIn *Method `yaml:"login,omitempty"`
}

// Method is how users log in: by one of OAuth2, Request, Page, Basic, Steps or
// Credentials. If none is given, it is found out from the document.
//
// In all texts {{username}}, {{password}} and other values of [Account.Known] stand for
// the value of the user, and what [Step.Extract] named for what was found.
type Method struct {
	OAuth2 *OAuth2 `yaml:"oauth2,omitempty"`
	// Request is a request that logs in.
	Request *Step `yaml:"request,omitempty"`
	// Page is a page with a form.
	Page *Page `yaml:"page,omitempty"`
	// Basic is HTTP Basic (RFC 7617) with each request.
	Basic bool `yaml:"basic,omitempty"`
	// Steps are several requests, one after the other.
	Steps []Step `yaml:"steps,omitempty"`
	// Credentials are sent with each request; there is no log-in.
	Credentials []Credential `yaml:"credentials,omitempty"`

	// Token is where the last answer has the token, as for [Step.Extract]. The default is
	// what a step extracted as token, else what looks like one, else the cookies.
	Token string `yaml:"token,omitempty"`
	// Send is how requests carry it; the value is {{token}} if none is given. The default
	// is what the document says if that works, else what is found to work.
	Send []Credential `yaml:"send,omitempty"`
	// Check is an operation that only users may call, as "GET /me": it is asked whether
	// somebody is still logged in. The default is one that is found.
	Check string `yaml:"check,omitempty"`

	// cookies is set where the cookies of the log-in are what is sent.
	cookies bool
}

// OAuth2 is the resource owner password credentials grant (RFC 6749, section 4.3).
type OAuth2 struct {
	URL          string `yaml:"url"`
	Scope        string `yaml:"scope,omitempty"`
	ClientID     string `yaml:"client_id,omitempty"`
	ClientSecret string `yaml:"client_secret,omitempty"`
}

// Page is a page with a form that logs in. Its hidden fields are sent, too, and its
// cookies are kept.
type Page struct {
	Path string `yaml:"path"`
	// Fields are the fields by their names. The default is to put username and password
	// into the fields that look like it.
	Fields map[string]string `yaml:"fields,omitempty"`
}

// Step is a request of a log-in.
type Step struct {
	// Method is POST by default.
	Method string `yaml:"method,omitempty"`
	// Path may have a query.
	Path    string            `yaml:"path"`
	Headers map[string]string `yaml:"headers,omitempty"`
	// JSON, Form and Body are what is sent; at most one of them.
	JSON any               `yaml:"json,omitempty"`
	Form map[string]string `yaml:"form,omitempty"`
	Body string            `yaml:"body,omitempty"`
	// Extract names values of the answer: "body:/data/token" (a JSON pointer),
	// "body:data.token", "header:X-Token", "cookie:sid", "input:_csrf" (a field of a form)
	// or "regex:code=([0-9]+)".
	Extract map[string]string `yaml:"extract,omitempty"`
	// Status are those of success. The default are all below 400.
	Status []int `yaml:"status,omitempty"`
}

// Signs are what answers to somebody who is logged out look like, beside what is known
// anyway.
type Signs struct {
	Status   []int    `yaml:"status,omitempty"`
	Contains []string `yaml:"contains,omitempty"`
	// Redirects are parts of the address that a redirect leads to.
	Redirects []string `yaml:"redirects,omitempty"`
}

// New returns a keeper, or an error that names every mistake of the configuration.
func New(config Config) (*Keeper, error) {
	var mistakes []error
	wrong := func(format string, args ...any) { mistakes = append(mistakes, fmt.Errorf(format, args...)) }
	if config.Client == nil {
		wrong("Client is nil")
	}
	if config.PerMinute < 0 || config.Wanted < 0 {
		wrong("PerMinute is %d and Wanted is %d: want 0 or more", config.PerMinute, config.Wanted)
	}
	names := map[string]bool{}
	for i := range config.Accounts {
		a := config.Accounts[i].withDefaults(i)
		if names[a.Name] {
			wrong("account %q: there are two of this name", a.Name)
		}
		names[a.Name] = true
		for _, err := range a.validate(config.LogIn) {
			wrong("account %q: %w", a.Name, err)
		}
	}
	if config.LogIn != nil {
		for _, err := range config.LogIn.validate(nil) {
			wrong("log-in: %w", err)
		}
	}
	if config.Register != nil {
		for _, err := range config.Register.validate(0) {
			wrong("register: %w", err)
		}
	}
	if len(mistakes) > 0 {
		return nil, fmt.Errorf("login config: %w", errors.Join(mistakes...))
	}
	return newKeeper(config), nil
}

// withDefaults fills in the name and what follows from the username.
func (a Account) withDefaults(i int) Account {
	if a.Name == "" {
		a.Name = a.Username
	}
	if a.Name == "" {
		a.Name = a.Known["email"]
	}
	if a.Name == "" {
		a.Name = fmt.Sprintf("user%d", i+1)
	}
	return a
}

// values returns all values of the account by name.
func (a Account) values() map[string]string {
	values := map[string]string{}
	for name, v := range a.Known {
		values[name] = v
	}
	set := func(name, v string) {
		if v != "" {
			values[name] = v
		}
	}
	set("username", a.Username)
	set("password", a.Password)
	if strings.Contains(a.Username, "@") && values["email"] == "" {
		values["email"] = a.Username
	}
	if values["username"] == "" {
		set("username", values["email"])
	}
	if a.Token != "" {
		set("token", a.Token)
	}
	return values
}

func (a Account) validate(shared *Method) (mistakes []error) {
	m := a.LogIn
	if m == nil {
		m = shared
	}
	if m == nil {
		m = &Method{}
	}
	if a.Token == "" && a.Username == "" && len(a.Known) == 0 && len(m.Credentials) == 0 && len(m.Steps) == 0 && m.Request == nil {
		mistakes = append(mistakes, errors.New("has neither username nor token"))
	}
	if a.LogIn != nil {
		return append(mistakes, a.LogIn.validate(a.values())...)
	}
	if shared != nil && a.Token == "" {
		return append(mistakes, shared.unknown(a.values())...)
	}
	return mistakes
}

// validate returns the mistakes of a method. Known are the values of who uses it, or nil
// if that is looked at elsewhere.
func (m *Method) validate(known map[string]string) (mistakes []error) {
	n := 0
	for _, given := range []bool{m.OAuth2 != nil, m.Request != nil, m.Page != nil, m.Basic, len(m.Steps) > 0, len(m.Credentials) > 0} {
		if given {
			n++
		}
	}
	if n > 1 {
		mistakes = append(mistakes, errors.New("more than one of oauth2, request, page, basic, steps and credentials"))
	}
	if m.OAuth2 != nil && m.OAuth2.URL == "" {
		mistakes = append(mistakes, errors.New("oauth2 has no url"))
	}
	if m.Page != nil && m.Page.Path == "" {
		mistakes = append(mistakes, errors.New("page has no path"))
	}
	if m.Check != "" && !strings.Contains(m.Check, "/") {
		mistakes = append(mistakes, fmt.Errorf(`check is %q, want as "GET /me"`, m.Check))
	}
	for _, c := range append(append([]Credential{}, m.Credentials...), m.Send...) {
		if c.Name == "" || (c.In != "header" && c.In != "cookie" && c.In != "query") {
			mistakes = append(mistakes, fmt.Errorf("a credential is in %q and called %q: want header, cookie or query, and a name", c.In, c.Name))
		}
	}
	for i, s := range m.steps() {
		mistakes = append(mistakes, s.validate(i)...)
	}
	if m.Token != "" {
		if _, err := parseLocator(m.Token); err != nil {
			mistakes = append(mistakes, err)
		}
	}
	if known != nil {
		mistakes = append(mistakes, m.unknown(known)...)
	}
	return mistakes
}

func (s Step) validate(i int) (mistakes []error) {
	if !strings.Contains(s.Path, "/") {
		mistakes = append(mistakes, fmt.Errorf("step %d: path is %q, want one with a slash", i+1, s.Path))
	}
	n := 0
	for _, given := range []bool{s.JSON != nil, s.Form != nil, s.Body != ""} {
		if given {
			n++
		}
	}
	if n > 1 {
		mistakes = append(mistakes, fmt.Errorf("step %d: more than one of json, form and body", i+1))
	}
	for name, where := range s.Extract {
		if _, err := parseLocator(where); err != nil {
			mistakes = append(mistakes, fmt.Errorf("step %d: extract %s: %w", i+1, name, err))
		}
	}
	return mistakes
}
