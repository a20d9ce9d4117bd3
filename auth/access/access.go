// Package access says who may call an operation.
//
// An operation without a rule does not start: what is open is open because
// somebody wrote it down.
//
//	fastness.Get(app, "/items/{id}", readItem, access.Public)
//
// A rule on a group holds for its operations, unless one of them has its own.
package access

import (
	"net/http"

	"github.com/fastness/fastness/internal/operation"
	"github.com/fastness/fastness/problem"
)

// Rule is a rule that needs no further parameters. It is an option of an
// operation or of a group.
type Rule int

// Public lets everybody call, without saying who they are.
const Public Rule = 1

// Apply makes the rule the operation's.
func (r Rule) Apply(s *operation.Spec) { s.Access = r }

// String returns "public".
func (r Rule) String() string {
	if r == Public {
		return "public"
	}
	return "nobody"
}

// Check returns nil for Public and refuses for any other value: a rule that
// nobody defined lets nobody in.
func (r Rule) Check(*http.Request) error {
	if r == Public {
		return nil
	}
	return problem.New(http.StatusForbidden, "the caller may not do this").Named("not_permitted")
}
