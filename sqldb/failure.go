package sqldb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"net"
	"net/http"
	"strings"

	"github.com/fastness/fastness/problem"
)

// failure is what a failure of a database means to a caller. The words are those
// of this table: what a driver says may hold the values of a row, the text of a
// statement, or where the database is.
type failure struct {
	status int
	code   string
	detail string
}

// The failures that callers are told of. All others are an opaque 500.
const (
	noRows int = iota + 1
	duplicate
	reference
	refused
	unfit
	conflict
	slow
	unreachable
	full
)

var failures = [...]failure{
	noRows:    {http.StatusNotFound, "not_found", ""},
	duplicate: {http.StatusConflict, "duplicate", "there is one already"},
	reference: {http.StatusConflict, "reference", "something else refers to it, or what it refers to is not there"},
	// A check judges the state that the change would lead to ("stock >= 0"): the
	// same request may succeed later. That is a conflict (RFC 9110 section 15.5.10).
	refused: {http.StatusConflict, "refused", "that is not possible as things are"},
	// A value that the column can never hold stays wrong, however often it is sent.
	unfit:       {http.StatusUnprocessableEntity, "unfit", "a value cannot be stored"},
	conflict:    {http.StatusServiceUnavailable, "conflict", "others changed the same at the same time; try again"},
	slow:        {http.StatusServiceUnavailable, "timeout", "the database took too long"},
	unreachable: {http.StatusServiceUnavailable, "database_unavailable", "the database cannot be reached at the moment"},
	full:        {http.StatusInsufficientStorage, "storage_full", "there is no room to store it"},
}

// Explain returns an error of a driver as a caller may be told of it: a
// [*problem.Problem] without a word of the driver's, which wraps err, so that
// [errors.Is] and the log still find the cause.
//
//	no rows                                      404 not_found
//	a value that must be unique is there         409 duplicate
//	a foreign key                                409 reference
//	a check                                      409 refused
//	null where none may be, too long, too large  422 unfit
//	a deadlock, a serialization failure          503 conflict
//	a time limit of the database                 503 timeout
//	no connection                                503 database_unavailable
//	the disk is full                             507 storage_full
//
// Any other error is returned as it is: a caller gets an opaque 500. [Tx] and
// [ReadTx] do this by themselves; it is for code that has a pool of its own. The
// drivers that are understood are pgx and modernc.org/sqlite, and others whose
// errors have their methods: SQLState() string, and Code() int.
func (d Dialect) Explain(err error) error {
	if err == nil {
		return nil
	}
	if _, told := errors.AsType[*problem.Problem](err); told {
		return err
	}
	kind := d.kind(err)
	if kind == 0 {
		return err
	}
	return failures[kind].of(err)
}

// collision is the failure of a transaction because of another one.
func collision(err error) error { return failures[conflict].of(err) }

func (f failure) of(err error) error {
	p := problem.New(f.status, f.detail).Named(f.code).Wrap(err)
	if f.status == http.StatusServiceUnavailable {
		p.With("Retry-After", "1")
	}
	return p
}

// Retryable reports whether err is that of a transaction which failed only
// because of another one: run again, it may succeed. [SerialTx] does that.
func (d Dialect) Retryable(err error) bool { return err != nil && d.kind(err) == conflict }

// IsDuplicate reports whether err is that of a value which must be unique and is
// there already. In PostgreSQL the transaction is over with it: ON CONFLICT is
// for those who want to go on.
func (d Dialect) IsDuplicate(err error) bool { return err != nil && d.kind(err) == duplicate }

// kind returns which of the failures err is, or 0.
func (d Dialect) kind(err error) int {
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return noRows
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return 0 // Not the database's doing: the framework knows what to say.
	}
	if d == PostgreSQL {
		if state, ok := errors.AsType[interface {
			error
			SQLState() string
		}](err); ok {
			return kindOfState(state.SQLState())
		}
		if _, ok := errors.AsType[net.Error](err); ok || errors.Is(err, driver.ErrBadConn) {
			return unreachable
		}
		return 0
	}
	if code, ok := errors.AsType[interface {
		error
		Code() int
	}](err); ok {
		return kindOfCode(code.Code())
	}
	if strings.Contains(err.Error(), "UNIQUE constraint failed") {
		return duplicate
	}
	return 0
}

// kindOfState knows the codes of appendix A of PostgreSQL's manual.
func kindOfState(state string) int {
	switch state {
	case "23505", "23P01":
		return duplicate
	case "23503", "23001":
		return reference
	case "23514":
		return refused
	case "23502", "22001", "22003", "22007", "22008", "22021", "22P02", "22P05":
		return unfit
	case "40001", "40P01":
		return conflict
	case "57014", "55P03", "25P03":
		return slow
	case "53300", "57P01", "57P02", "57P03":
		return unreachable
	case "53100":
		return full
	}
	if strings.HasPrefix(state, "08") {
		return unreachable
	}
	return 0
}

// kindOfCode knows the result codes of https://sqlite.org/rescode.html.
func kindOfCode(code int) int {
	switch code {
	case 2067, 1555, 2579: // UNIQUE, PRIMARYKEY, ROWID
		return duplicate
	case 787, 1811: // FOREIGNKEY; TRIGGER, which is how RESTRICT says it
		return reference
	case 275: // CHECK
		return refused
	case 1299, 3091: // NOTNULL, DATATYPE
		return unfit
	}
	switch code & 0xff {
	case 5, 6: // BUSY, LOCKED
		return conflict
	case 9: // INTERRUPT
		return slow
	case 13: // FULL
		return full
	case 18: // TOOBIG
		return unfit
	}
	return 0
}
