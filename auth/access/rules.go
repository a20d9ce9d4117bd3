package access

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/internal/operation"
	"github.com/fastness/fastness/problem"
)

// Condition is a rule with parameters. It is an option of an operation or of a
// group.
type Condition struct {
	name     string
	needs    operation.Needs
	check    func(ctx context.Context, u *auth.User) error
	mistakes []error
}

// Apply makes the condition the operation's rule.
func (c *Condition) Apply(s *operation.Spec) {
	s.Access = c
	s.Mistakes = append(s.Mistakes, c.mistakes...)
}

// String returns the condition in words: "role admin or seller".
func (c *Condition) String() string { return c.name }

// Needs returns what the condition is about.
func (c *Condition) Needs() operation.Needs { return c.needs }

// Check returns nil if the caller meets the condition.
func (c *Condition) Check(ctx context.Context, u *auth.User) error {
	if u == nil {
		return Denied()
	}
	return c.check(ctx, u)
}

func condition(name, what string, names []string, needs operation.Needs, check func(context.Context, *auth.User) error) *Condition {
	c := &Condition{name: name, needs: needs, check: check}
	c.needs.Caller = true
	if len(names) == 0 || slices.Contains(names, "") {
		c.mistakes = []error{fmt.Errorf("access rule: a %s has no name", what)}
	}
	return c
}

// Role lets those call who have at least one of the roles. Each must be among
// the roles that the app declares.
func Role(names ...string) *Condition {
	want := auth.SetOf(names...)
	return condition("role "+strings.Join(names, " or "), "role", names, operation.Needs{Roles: names, OneRole: names},
		func(_ context.Context, u *auth.User) error { return deniedUnless(u.Roles.HasAny(want)) })
}

// AllRoles lets those call who have every one of the roles.
func AllRoles(names ...string) *Condition {
	want := auth.SetOf(names...)
	return condition("role "+strings.Join(names, " and "), "role", names, operation.Needs{Roles: names, OneRole: names},
		func(_ context.Context, u *auth.User) error { return deniedUnless(u.Roles.HasAll(want)) })
}

// Scope lets those call whose credential is for every one of the scopes (RFC
// 6749 section 3.3). Others are told which they need (RFC 6750 section 3.1).
func Scope(names ...string) *Condition {
	all := strings.Join(names, " ")
	c := condition("scope "+all, "scope", names, operation.Needs{Scopes: names, EachScope: names},
		func(_ context.Context, u *auth.User) error {
			for _, name := range names {
				if !u.HasScope(name) {
					return problem.New(http.StatusForbidden, "Not enough permissions").Named("insufficient_scope").
						With("WWW-Authenticate", `Bearer error="insufficient_scope", scope="`+all+`"`)
				}
			}
			return nil
		})
	if slices.ContainsFunc(names, func(name string) bool { return !isScope(name) }) {
		c.mistakes = append(c.mistakes, errors.New("access rule: a scope holds characters that scopes have not (RFC 6749 section 3.3)"))
	}
	return c
}

// isScope reports whether name is a scope-token.
func isScope(name string) bool {
	return !strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' })
}

// By lets those call who prove who they are by one of the schemes, named as the
// document names them. A name that the app has no scheme for is a mistake.
func By(schemes ...string) *Condition {
	return condition("by "+strings.Join(schemes, " or "), "scheme", schemes, operation.Needs{Schemes: schemes},
		func(_ context.Context, u *auth.User) error { return deniedUnless(slices.Contains(schemes, u.Scheme)) })
}

// If lets those call for whom may returns nil. Its error is the answer: Denied()
// in most cases. The name tells readers of the routes who may.
func If(name string, may func(ctx context.Context, u auth.User) error) *Condition {
	return condition(name, "rule", []string{name}, operation.Needs{},
		func(ctx context.Context, u *auth.User) error { return may(ctx, *u) })
}

// All lets those call who meet all conditions.
func All(conditions ...*Condition) *Condition {
	c := join(" and ", conditions)
	for _, one := range conditions {
		if len(c.needs.OneRole) == 0 {
			c.needs.OneRole = one.needs.OneRole
		}
		c.needs.EachScope = append(c.needs.EachScope, one.needs.EachScope...)
	}
	c.check = func(ctx context.Context, u *auth.User) error {
		for _, one := range conditions {
			if err := one.check(ctx, u); err != nil {
				return err
			}
		}
		return nil
	}
	return c
}

// Any lets those call who meet at least one condition. Others get the answer of
// the first.
func Any(conditions ...*Condition) *Condition {
	c := join(" or ", conditions)
	c.needs.OneRole, c.needs.EachScope = whateverTheWay(conditions)
	for _, one := range conditions {
		if len(one.needs.Schemes) == 0 {
			c.needs.Schemes = nil // Some way in takes any scheme.
		}
	}
	c.check = func(ctx context.Context, u *auth.User) error {
		first := Denied()
		for i, one := range conditions {
			err := one.check(ctx, u)
			if err == nil {
				return nil
			}
			if i == 0 {
				first = err
			}
		}
		return first
	}
	return c
}

// whateverTheWay returns what callers need by whichever of the conditions they come.
func whateverTheWay(conditions []*Condition) (oneRole, eachScope []string) {
	for _, one := range conditions {
		if len(one.needs.OneRole) == 0 {
			oneRole = nil
			break
		}
		oneRole = append(oneRole, one.needs.OneRole...)
	}
	for i, one := range conditions {
		if i == 0 {
			eachScope = slices.Clone(one.needs.EachScope)
		}
		eachScope = slices.DeleteFunc(eachScope, func(s string) bool { return !slices.Contains(one.needs.EachScope, s) })
	}
	return oneRole, eachScope
}

// join returns a condition that is about all that the conditions are about.
func join(word string, conditions []*Condition) *Condition {
	c := &Condition{needs: operation.Needs{Caller: true}}
	var names []string
	for _, one := range conditions {
		names = append(names, bracketed(one.name))
		c.mistakes = append(c.mistakes, one.mistakes...)
		c.needs.Schemes = append(c.needs.Schemes, one.needs.Schemes...)
		c.needs.Roles = append(c.needs.Roles, one.needs.Roles...)
		c.needs.Scopes = append(c.needs.Scopes, one.needs.Scopes...)
	}
	c.name = strings.Join(names, word)
	if len(conditions) == 0 {
		c.mistakes = append(c.mistakes, errors.New("access rule: no condition"))
	}
	return c
}

// bracketed returns a name that cannot be misread among others.
func bracketed(name string) string {
	if strings.Contains(name, " or ") || strings.Contains(name, " and ") {
		return "(" + name + ")"
	}
	return name
}

func deniedUnless(ok bool) error {
	if ok {
		return nil
	}
	return Denied()
}
