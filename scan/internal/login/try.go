package login

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/fastness/fastness/scan/internal/spec"
	"github.com/fastness/fastness/scan/wire"
)

// Try is a log-in that was sent once.
type Try struct {
	// Exchange is the last answer.
	Exchange *wire.Exchange
	// User has what the target gave, or is nil if it did not let anybody in. Cookies are
	// those that it set, whether or not they are what says who the user is.
	User    *User
	Cookies []Credential
	// Limited reports whether the target wants the caller to come later, or has locked
	// somebody.
	Limited bool
}

// Try sends a log-in like that of a user with other values (username, password …), once,
// and keeps nothing of it. Without a user, the likeliest log-in of the document is sent.
// Change may change each request before it goes; nil does not. An error says that nobody
// knows how to log in.
func (k *Keeper) Try(ctx context.Context, like *User, values map[string]string, change func(*wire.Request)) (Try, error) {
	known := map[string]string{}
	if like != nil {
		maps.Copy(known, like.Known)
	}
	maps.Copy(known, values)
	m := k.methodLike(like, known)
	if m == nil {
		return Try{}, fmt.Errorf("login: nothing is known that logs in like %s", like.Called())
	}
	name := "somebody"
	if like != nil {
		name = like.Name
	}
	a := &attempt{client: changing{k.config.Client, change}, user: name, values: known}
	err := a.logIn(ctx, m)
	t := Try{Exchange: a.last(), Cookies: a.jar.credentials()}
	if t.Exchange == nil {
		return t, fmt.Errorf("login: %w", err)
	}
	t.Limited = limited(t.Exchange)
	if like != nil {
		like.Hide(secretsOf(a)...)
	}
	if candidates := m.candidates(a, k.config.API); err == nil && !t.Limited && len(candidates) > 0 && !toLogIn(t.Exchange) {
		t.User = NewUser(name, candidates[0].credentials...)
		t.User.Known = known
	}
	return t, nil
}

// methodLike returns how a user logs in if that is a request of its own, or nil.
func (k *Keeper) methodLike(like *User, known map[string]string) *Method {
	if e := k.entryOf(like); like != nil && e != nil && e.recipe != nil && !e.recipe.method.isStatic() {
		m := e.recipe.method
		return &m
	}
	k.mu.Lock()
	shared := k.shared
	k.mu.Unlock()
	if shared != nil && !shared.method.isStatic() {
		m := shared.method
		return &m
	}
	if list := documented(k.config.API, known); len(list) > 0 {
		return list[0]
	}
	return nil
}

// changing changes requests on their way. Limits are not waited for: who tries wants to
// see them.
type changing struct {
	Sender
	change func(*wire.Request)
}

func (c changing) Do(ctx context.Context, r wire.Request) *wire.Exchange {
	r.NoRetry = true
	if c.change != nil {
		c.change(&r)
	}
	return c.Sender.Do(ctx, r)
}

// RegisterWith is [Keeper.Register] with a password that the target may find too weak.
func (k *Keeper) RegisterWith(ctx context.Context, purpose, password string) (*User, error) {
	if k.config.NoRegister {
		return nil, errNoRegister
	}
	ops := registrations(k.config.API)
	if len(ops) == 0 {
		return nil, errNoRegistration
	}
	u, err := k.registerBy(ctx, purpose, ops[0], password)
	if err != nil {
		return nil, fmt.Errorf("login: register: %w", err)
	}
	return u, nil
}

// IsLogIn reports whether an operation looks like a log-in, IsRegistration whether it
// looks like one that makes users.
func IsLogIn(op *spec.Operation) bool { return logInRank(op) > 0 }

// IsRegistration reports whether an operation looks like one that makes users.
func IsRegistration(op *spec.Operation) bool { return registerRank(op) > 0 }

// Registration returns the operation that users are registered by, or nil.
func Registration(api *spec.API) *spec.Operation {
	if ops := registrations(api); len(ops) > 0 {
		return ops[0]
	}
	return nil
}

// Limited reports whether an answer says to come later, or that somebody is locked.
func Limited(ex *wire.Exchange) bool { return limited(ex) }

// Field is a field that an operation takes, by what it is for.
type Field struct {
	// Pointer is the JSON pointer in the body, or the name of a parameter.
	Pointer string
	// In is body, or query or header.
	In string
	// Name is the last name; Plain is it in lower case without what separates words.
	Name, Plain    string
	User, Password bool
	Required       bool
	Schema         *spec.Schema
}

// FieldsOf returns the fields that an operation takes.
func FieldsOf(op *spec.Operation) (out []Field) {
	fields, in, _ := inputsOf(op)
	for _, f := range fields {
		one := Field{In: "body", Name: f.name(), Plain: plain(f.name()), User: f.role == userField, Password: f.role == passwordField, Required: f.required, Schema: f.schema}
		if in == "params" {
			one.In, one.Pointer = "query", f.name()
			if op.Param("query", f.name()) == nil {
				one.In = "header"
			}
		} else {
			for _, name := range f.at {
				one.Pointer += "/" + strings.ReplaceAll(strings.ReplaceAll(name, "~", "~0"), "/", "~1")
			}
		}
		out = append(out, one)
	}
	return out
}

// secretsOf returns what no report may show of the answers to a log-in: tokens of all
// sorts, and cookies.
func secretsOf(a *attempt) (out []string) {
	for _, c := range a.jar.credentials() {
		out = append(out, c.Value)
	}
	for _, ex := range a.pages {
		for _, t := range findTokens(ex) {
			out = append(out, t.value)
		}
		collectSecrets(decoded(ex), "", &out, 0)
	}
	return slices.DeleteFunc(out, func(s string) bool { return len(s) < 8 })
}

func collectSecrets(v any, name string, out *[]string, depth int) {
	switch v := v.(type) {
	case map[string]any:
		for _, n := range slices.Sorted(maps.Keys(v)) {
			if depth < 6 {
				collectSecrets(v[n], n, out, depth+1)
			}
		}
	case string:
		if p := plain(name); strings.HasSuffix(p, "token") || secretName(name) {
			*out = append(*out, v)
		}
	}
}
