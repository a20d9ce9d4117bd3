// Package access says who may call an operation.
//
// An operation without a rule does not start: what is open is open because
// somebody wrote it down.
//
//	fastness.Get(app, "/items/{id}", readItem, access.Public)
//	fastness.Get(app, "/me", readMe, access.Authenticated)
//	fastness.Post(app, "/items", createItem, access.Role("seller", "admin"))
//
// A rule on a group holds for its operations, unless one of them has its own.
// The caller's roles are those of this moment, not those that a token was issued
// with; see package auth.
//
// # Objects
//
// Whether a caller may have this order is not a question of their role. It is
// answered where the order is loaded: by a provider that does not find what is
// not the caller's, or by a rule about the object that a provider loaded:
//
//	fastness.Put(item, "", replaceItem, access.Role("seller"), access.Object("its seller", isSeller))
//
//	func isSeller(_ context.Context, u auth.User, item Item) error {
//		if item.Seller != u.ID {
//			return access.Denied() // or access.Hidden(), if not even its existence may be known
//		}
//		return nil
//	}
package access

import (
	"context"
	"net/http"
	"reflect"

	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/internal/operation"
	"github.com/fastness/fastness/problem"
)

// Rule is a rule that needs no further parameters. It is an option of an
// operation or of a group.
type Rule int

const (
	// Public lets everybody call, without saying who they are. Who says so
	// nevertheless is verified if the operation asks for a *auth.User.
	Public Rule = iota + 1
	// Authenticated lets everybody call who proves who they are.
	Authenticated
)

// Apply makes the rule the operation's.
func (r Rule) Apply(s *operation.Spec) { s.Access = r }

// String returns "public" or "authenticated".
func (r Rule) String() string {
	switch r {
	case Public:
		return "public"
	case Authenticated:
		return "authenticated"
	}
	return "nobody"
}

// Needs says that all but Public need a caller.
func (r Rule) Needs() operation.Needs { return operation.Needs{Caller: r != Public} }

// Check refuses for a value that is no rule: a rule that nobody defined lets
// nobody in.
func (r Rule) Check(_ context.Context, u *auth.User) error {
	if r == Public || r == Authenticated && u != nil {
		return nil
	}
	return Denied()
}

// Denied returns the refusal of callers who are known and may not do this: 403.
func Denied() error {
	return problem.New(http.StatusForbidden, "Not enough permissions").Named("not_permitted")
}

// Hidden returns the refusal of callers who may not even know that the object
// exists: 404, in the words of an object that does not.
func Hidden() error { return problem.New(http.StatusNotFound, "") }

// Object returns an option by which a rule holds for the object of type T that
// the operation works with. T needs a provider, which loads the object once; the
// rule sees it before the operation and all other providers after it do. The
// name tells readers of the routes who may: "its owner".
//
// Rules about objects add to each other, and to the rule about the caller, who
// must have proved who they are.
func Object[T any](name string, may func(ctx context.Context, u auth.User, object T) error) operation.Option {
	return operation.Func(func(s *operation.Spec) {
		t := reflect.TypeFor[T]()
		s.Requires = append(s.Requires, t)
		s.Objects = append(s.Objects, operation.ObjectRule{
			Name: name, Type: t,
			Check: func(ctx context.Context, u *auth.User, object reflect.Value) error {
				if u == nil {
					return Denied()
				}
				value, ok := object.Interface().(T)
				if !ok {
					return Denied()
				}
				return may(ctx, *u, value)
			},
		})
	})
}
