package cedar

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/cedar-policy/cedar-go/types"

	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/internal/operation"
)

// Rule is a rule about the caller: an option of an operation or of a group. Its
// Condition goes into access.All and access.Any; alone there, a mistake in the
// action's name is found not at start but by denying everybody.
type Rule struct {
	*access.Condition
	mistake error
}

// Apply makes the rule the operation's.
func (r *Rule) Apply(s *operation.Spec) {
	r.Condition.Apply(s)
	if r.mistake != nil {
		s.Mistakes = append(s.Mistakes, r.mistake)
	}
}

// Action returns a rule that lets those call whom the policies permit the action
// on API::"self". An action that the schema does not have, or not for that
// resource, is a mistake that the app names at start.
func (p *Policies) Action(name string) *Rule {
	action, mistake := p.action(name, true)
	return &Rule{access.If("policy "+name, func(ctx context.Context, u auth.User) error {
		if !p.permits(ctx, &u, action, self()) {
			return access.Denied()
		}
		return nil
	}), mistake}
}

// Object returns an option by which the policies decide who may do the action to
// the object of type T that a provider loaded; see [access.Object]. Whoever may
// not gets 403; with [HiddenObject] they get 404.
//
// The resource is what policies see of the object, and must be what the schema
// says. Its Parents are all that it is in, not only the nearest.
func Object[T any](p *Policies, action string, resource func(T) types.Entity) operation.Option {
	return object(p, action, resource, access.Denied)
}

// HiddenObject is [Object] for objects whose very existence is nobody's business
// who may not have them.
func HiddenObject[T any](p *Policies, action string, resource func(T) types.Entity) operation.Option {
	return object(p, action, resource, access.Hidden)
}

func object[T any](p *Policies, name string, resource func(T) types.Entity, refusal func() error) operation.Option {
	action, mistake := p.action(name, false)
	rule := access.Object("policy "+name, func(ctx context.Context, u auth.User, object T) error {
		if !p.permits(ctx, &u, action, resource(object)) {
			return refusal()
		}
		return nil
	})
	return operation.Func(func(s *operation.Spec) {
		rule.Apply(s)
		if mistake != nil {
			s.Mistakes = append(s.Mistakes, mistake)
		}
	})
}

// action returns the action of a name, and what is wrong with it.
func (p *Policies) action(name string, alone bool) (action types.EntityUID, mistake error) {
	action = types.NewEntityUID("Action", types.String(name))
	declared, ok := p.actions[action]
	applies := declared.AppliesTo
	switch {
	case !ok:
		mistake = errors.New("the schema has no such action")
	case applies == nil || !slices.Contains(applies.Principals, "User"):
		mistake = errors.New("by the schema no User does that")
	case len(applies.Context) > 0:
		mistake = errors.New("by the schema it has a context, and requests have none")
	case alone && !slices.Contains(applies.Resources, "API"):
		mistake = errors.New("by the schema it is not about the API, but about an object")
	case !alone && slices.ContainsFunc(applies.Resources, isBuiltIn):
		mistake = errors.New("by the schema it is not about objects alone: API, User and Role are none")
	}
	if mistake != nil {
		mistake = fmt.Errorf("policy %s: %w", name, mistake)
	}
	return action, mistake
}

// isBuiltIn reports whether t is a type of what this package makes. If an object
// could be a User, it could be the caller, with the roles that a row says.
func isBuiltIn(t types.EntityType) bool { return t == "API" || t == "User" || t == "Role" }
