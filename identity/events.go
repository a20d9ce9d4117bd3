package identity

import (
	"context"
	"net/http"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auditlog"
	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/auth/account"
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

// Origin is where a request comes from, for the log of events and the list of
// sessions. Every handler of the app can ask for it.
type Origin struct {
	account.By
	// Label is what the program calls itself (User-Agent).
	Label string
}

func originOf(ctx context.Context, in struct{ Request *http.Request }) (Origin, error) {
	o := Origin{By: account.By{Request: fastness.RequestID(ctx), Address: clientAddress(ctx)}, Label: in.Request.UserAgent()}
	if u := auth.From(ctx); u != nil {
		o.Actor, o.Session = u.ID, u.Session
	}
	return o, nil
}
