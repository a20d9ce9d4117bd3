// Package auditlog keeps what happened to the security of a system, so that
// nobody can change it unnoticed.
//
//	log, err := auditlog.Open(ctx, auditlog.Config{DB: db})
//	…
//	err = log.Record(ctx, auditlog.Event{Name: "authz_admin", Actor: admin, Subject: user})
//
// Each event is a row in a table and a line in the structured log.
//
// # The chain
//
// Every row holds the SHA-256 hash of itself and of the hash before it, so a row
// that was changed, deleted, put in or moved breaks the chain at that place, and
// [Log.Verify] names it. All processes that share the database append to one
// chain.
//
// Who may write to the database can also compute the whole chain anew, or cut off
// its end. No chain in the same database can show that. What shows it is an
// [Anchor], the number and the hash of one event, kept where that person cannot
// write: every line in the structured log has one, Verify and [Log.Head] return
// one. A chain that does not contain an anchor that it once contained was
// rewritten or cut.
//
// # What is stored
//
// Texts are stored as [observe.Printable] writes them: one line, no control
// characters, nothing that turns the direction of the text. All sizes are
// bounded. Details that are a [slog.LogValuer] are asked for what they want to
// show, so a secret is *** here as in every log.
//
// # Where
//
// The table may be in the database of the application. With SQLite, which has one
// writer at a time, an event that is recorded while the same request holds a
// transaction waits for that transaction, in vain: give the log a file of its own.
// With synchronous=NORMAL a power failure may cost SQLite its last commits, and the
// log then ends before the anchors of its last lines, as if it had been cut off;
// synchronous=FULL costs the events a flush each, and nothing else.
package auditlog
