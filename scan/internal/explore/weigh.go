package explore

import (
	"context"

	"github.com/fastness/fastness/scan/internal/login"
	"github.com/fastness/fastness/scan/internal/spec"
)

// Lists returns the operations that may list a resource.
func (x *Explorer) Lists(resource string) []*spec.Operation {
	var out []*spec.Operation
	for _, op := range x.t.API.Operations {
		if op.Method == "GET" && ResourceOf(op) == resource && !isParameter(op.Segments()[len(op.Segments())-1]) {
			out = append(out, op)
		}
	}
	return out
}

func (x *Explorer) weigh(ctx context.Context, users []*login.User) {}

func (x *Explorer) deleters(ctx context.Context, user *login.User) {}
