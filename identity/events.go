package identity

import (
	"context"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auditlog"
)

// stamped records events with the request and the client that they come from,
// where the rooms below do not know them.
type stamped struct{ log *auditlog.Log }

// Record records e.
func (s stamped) Record(ctx context.Context, e auditlog.Event) error {
	if e.Request == "" {
		e.Request = fastness.RequestID(ctx)
	}
	if e.Address == "" {
		e.Address = clientAddress(ctx)
	}
	return s.log.Record(ctx, e)
}

// clientAddress returns the address that a request comes from, or "".
func clientAddress(ctx context.Context) string {
	if addr := fastness.ClientAddr(ctx); addr.IsValid() {
		return addr.String()
	}
	return ""
}
