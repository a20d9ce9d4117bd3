// Package problem holds the errors that are safe to show to a caller, and
// writes them as RFC 9457 problem documents.
//
// An error that leaves an API is read by two people. The caller needs to know
// what to change; the operator needs to know why it happened. A [Problem] keeps
// the two apart: its fields are what the caller sees, its cause is what the log
// sees, and nothing moves from the second to the first by accident.
//
//	if errors.Is(err, sql.ErrNoRows) {
//		return problem.New(http.StatusNotFound, "no item has this id").Wrap(err)
//	}
//
// An error that is not a Problem is an opaque 500 to the caller, whatever its
// text says: see [From].
package problem

import (
	"errors"
	"log/slog"
	"net/http"
)

// MediaType is the content type of a problem document (RFC 9457 section 6.1).
const MediaType = "application/problem+json"

// Problem is one problem document. Every exported field is shown to the caller.
type Problem struct {
	// Type is a URI reference that names the kind of problem. Empty means
	// "about:blank": the status says it all (RFC 9457 section 4.2.1).
	Type string
	// Title is the kind of problem in a few words. Empty means the text of
	// Status.
	Title string
	// Status is the HTTP status code, 400 to 599.
	Status int
	// Detail explains this occurrence. It must not hold what the caller sent.
	Detail string
	// Code is a stable name of the problem for programs, if Status alone does
	// not tell which it is.
	Code string
	// Instance names this occurrence; the app fills it with the request id.
	Instance string
	// Errors lists what is wrong with the request, for status 422 and 400.
	Errors []Violation
	// Omitted counts the violations beyond the cap that Errors leaves out.
	Omitted int
	// Extensions are further members, encoded by encoding/json. A name that a
	// field above uses is left out.
	Extensions map[string]any

	header http.Header
	cause  error
}

// New returns a problem with a status and an explanation for the caller.
func New(status int, detail string) *Problem {
	return &Problem{Status: status, Detail: detail}
}

// Wrap keeps cause for the log. The caller never sees it.
func (p *Problem) Wrap(cause error) *Problem {
	p.cause = cause
	return p
}

// With sets a response header that goes with the problem, such as Retry-After.
func (p *Problem) With(name, value string) *Problem {
	if p.header == nil {
		p.header = make(http.Header, 1)
	}
	p.header.Set(name, value)
	return p
}

// Add adds one more value of a response header, such as a second challenge.
func (p *Problem) Add(name, value string) *Problem {
	if p.header == nil {
		p.header = make(http.Header, 1)
	}
	p.header.Add(name, value)
	return p
}

// Named sets the stable code of the problem.
func (p *Problem) Named(code string) *Problem {
	p.Code = code
	return p
}

// Extend adds a member to the document.
func (p *Problem) Extend(name string, value any) *Problem {
	if p.Extensions == nil {
		p.Extensions = make(map[string]any, 1)
	}
	p.Extensions[name] = value
	return p
}

// Header returns the response headers that go with the problem. It may be nil.
func (p *Problem) Header() http.Header { return p.header }

// Error says what the caller sees and, after a colon, the cause. It is for
// logs, never for answers.
func (p *Problem) Error() string {
	text := p.Detail
	if text == "" {
		text = p.title()
	}
	if p.cause != nil {
		return text + ": " + p.cause.Error()
	}
	return text
}

// LogValue is the text of Error: encoded as JSON, a problem leaves out its cause.
func (p *Problem) LogValue() slog.Value { return slog.StringValue(p.Error()) }

// Unwrap returns the cause.
func (p *Problem) Unwrap() error { return p.cause }

func (p *Problem) title() string {
	switch {
	case p.Title != "":
		return p.Title
	case http.StatusText(p.Status) != "":
		return http.StatusText(p.Status)
	default:
		return "Error"
	}
}

// From returns the problem in err's chain, or an opaque 500 that keeps err as
// its cause. Of an unknown error nothing is shown: driver texts name hosts,
// tables and values.
func From(err error) *Problem {
	if p, ok := err.(*Problem); ok {
		return p
	}
	if p, ok := errors.AsType[*Problem](err); ok {
		return p
	}
	return New(http.StatusInternalServerError, "").Wrap(err)
}
