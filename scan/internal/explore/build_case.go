package explore

import (
	"github.com/fastness/fastness/scan/internal/login"
	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/internal/spec"
)

// Case returns a request that ought to be a valid one, of what is known now. Nothing is
// sent.
func (x *Explorer) Case(op *spec.Operation, user *login.User) *probe.Case {
	c, _ := x.build(op, user, false)
	return c
}
