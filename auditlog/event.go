package auditlog

import (
	"context"
	"log/slog"
)

// Event is something that matters to security: who did what to whom, from
// where, and whether it was let happen. The names are those of the OWASP Logging
// Vocabulary where it has one.
//
// What is longer than its limit is cut and ends in "…".
type Event struct {
	// Name says what happened: "authn_login_success", "authz_admin". It must not
	// be empty. At most 64 bytes are kept.
	Name string
	// Actor is the id of the user who did it, or "" if nobody knows. At most 256
	// bytes are kept, as of Subject and Request.
	Actor string
	// Subject is the id of what it was done to: a user, a key, a session.
	Subject string
	// Address is the client's address, without port. At most 64 bytes are kept.
	Address string
	// Request is the id of the request.
	Request string
	// Refused is true if it was tried and not let happen.
	Refused bool
	// Details are further facts, none of them secret. Of two with one name the
	// later counts. At most 32 are kept, groups included, of 1 KiB each and 8 KiB
	// in all; if some were left out, one named "…" says how many.
	Details []slog.Attr
}

// Recorder takes events. Those that change something are recorded before the
// change counts: an error of the recorder is an error of the change.
//
// Record is not called inside a transaction: the recorder has its own, which
// with SQLite would wait for the first one to end.
type Recorder interface {
	Record(ctx context.Context, e Event) error
}

// Discard is a recorder that keeps nothing: for tests and examples.
type Discard struct{}

// Record does nothing.
func (Discard) Record(context.Context, Event) error { return nil }
