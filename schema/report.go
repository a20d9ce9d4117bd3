package schema

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/fastness/fastness/problem"
)

// DefaultMaxViolations is how many violations a [Report] lists before it only
// counts: enough for a person, too few to make an answer of an attack.
const DefaultMaxViolations = 20

// maxEchoedName bounds how much of an unknown member's name a violation
// repeats.
const maxEchoedName = 64

// Report collects what is wrong with one request, over all its parts. The zero
// value is ready to use.
type Report struct {
	// Context is handed to Validate methods. Nil means context.Background.
	Context context.Context
	// In names the part that is being read: "body", "query" …
	In string
	// Prefix leads from that part to the value that is being read.
	Prefix []problem.Segment
	// Viewer is the caller. Nil is nobody, who may send only what all may.
	Viewer Viewer

	violations []problem.Violation
	room       []problem.Segment // of the violations' paths
	scratch    decoder           // reads single texts
	read       *readPart         // the last that has members that are not for everybody
	spelt      *spelling         // the last use of an alias
	omitted    int32
	malformed  bool
	oversize   bool
	failure    error
}

// readPart is a value that was read, and the way to it.
type readPart struct {
	prefix []problem.Segment
	node   node
	before *readPart
}

// Add records a violation in the current part. The path starts at the part.
func (r *Report) Add(v problem.Violation) {
	if r.full() {
		return
	}
	if v.In == "" {
		v.In = r.In
	}
	r.violations = append(r.violations, v)
}

// Violate records that the value at path breaks the rule code.
func (r *Report) Violate(path []problem.Segment, code string, limits ...problem.Limit) {
	if r.full() {
		return
	}
	r.violations = append(r.violations, problem.Violation{
		In: r.In, Path: r.place(path), Code: code, Detail: message(code, limits), Limits: slices.Clone(limits),
	})
}

// fault is a violation of a rule whose limits are known when the rule is
// compiled: all but the place is ready.
type fault struct {
	code, detail string
	limits       []problem.Limit
}

func newFault(code string, limits ...problem.Limit) *fault {
	return &fault{code, message(code, limits), limits}
}

func (r *Report) fault(path []problem.Segment, f *fault) {
	if r.full() {
		return
	}
	if r.violations == nil {
		r.violations = make([]problem.Violation, 0, 8)
	}
	r.violations = append(r.violations, problem.Violation{
		In: r.In, Path: r.place(path), Code: f.code, Detail: f.detail, Limits: f.limits,
	})
}

// full reports whether a violation can only be counted, and counts it. It is
// asked before anything is made for one: a body can hold half a million.
func (r *Report) full() bool {
	if len(r.violations) < DefaultMaxViolations {
		return false
	}
	r.omitted++
	return true
}

// place returns the way from the current part to path; names that are too long
// to repeat are cut. All ways of a report share their room.
func (r *Report) place(path []problem.Segment) []problem.Segment {
	if r.room == nil {
		r.room = make([]problem.Segment, 0, 16)
	}
	start := len(r.room)
	r.room = append(append(r.room, r.Prefix...), path...)
	full := r.room[start:len(r.room):len(r.room)]
	for i := range full {
		if len(full[i].Name) > maxEchoedName {
			full[i].Name = cut(full[i].Name, maxEchoedName)
		}
	}
	return full
}

// Fail records an error that is not the caller's: it becomes an opaque 500.
func (r *Report) Fail(err error) { r.failure = errors.Join(r.failure, err) }

// OK reports whether nothing is wrong so far.
func (r *Report) OK() bool {
	return len(r.violations) == 0 && r.failure == nil
}

// Err returns nil, the problem with every violation (status 422, or 400 if a
// body is not JSON at all), or the error of a Validate method.
func (r *Report) Err() error {
	switch {
	case r.failure != nil:
		return r.failure
	case len(r.violations) == 0:
		return nil
	}
	p := problem.New(http.StatusUnprocessableEntity, "the request is not as declared").Named("validation")
	if r.malformed {
		p = problem.New(http.StatusBadRequest, "the body is not valid JSON").Named("json_invalid")
	}
	if r.oversize {
		p = problem.New(http.StatusRequestEntityTooLarge, "the body holds more items than can be kept").Named("too_complex")
	}
	p.Errors, p.Omitted = r.violations, int(r.omitted)
	return p
}

// Invalid returns an error by which a Validate method says that a value breaks
// a rule of its own. The text is shown to the caller, so it must not hold what
// the caller sent. Any other error from Validate is an internal one: a 500.
func Invalid(text string) *InvalidError {
	return &InvalidError{code: "value_error", text: text}
}

// InvalidError is a violation found by a Validate method.
type InvalidError struct {
	path   []problem.Segment
	code   string
	text   string
	limits []problem.Limit
}

// At says which member is to blame, as the names and indexes (string or int)
// that lead to it from the validated value.
func (e *InvalidError) At(path ...any) *InvalidError {
	for _, step := range path {
		switch step := step.(type) {
		case int:
			e.path = append(e.path, problem.Index(step))
		case string:
			e.path = append(e.path, problem.Name(step))
		}
	}
	return e
}

// Named replaces the code "value_error" by one of the application's own.
func (e *InvalidError) Named(code string) *InvalidError {
	e.code = code
	return e
}

// With adds a parameter of the rule: a string, an int, a bool or a json.Number.
func (e *InvalidError) With(name string, value any) *InvalidError {
	e.limits = append(e.limits, problem.Limit{Name: name, Value: value})
	return e
}

// detail says it as Pydantic does: a rule with a name of its own speaks for itself.
func (e *InvalidError) detail() string {
	if e.code != "value_error" {
		return e.text
	}
	return "Value error, " + e.text
}

// Error returns the text.
func (e *InvalidError) Error() string { return e.text }

// Reject records the violations in the tree of err, which a Validate method gave,
// and fails with the rest. Source says to which part of the request the first
// step of a path belongs. Of a member that the caller neither sees nor may send
// nothing is said but that there is something wrong around it.
func (r *Report) Reject(err error, source func(name string) string) {
	each(err, func(err error) {
		if e, ok := errors.AsType[*InvalidError](err); ok && len(e.path) > 0 {
			r.In = source(e.path[0].Name)
		} else {
			r.In = source("")
		}
		r.reject(err, nil, nil, false)
	})
}

// each calls f with the errors that err joins.
func each(err error, f func(error)) {
	joined, ok := err.(interface{ Unwrap() []error })
	found := false
	if ok {
		for _, e := range joined.Unwrap() {
			if e != nil {
				each(e, f)
				found = true
			}
		}
	}
	if !found { // An error that joins nothing is an error all the same.
		f(err)
	}
}

// reject records what a Validate method says about the value of n at path. Answers
// says that what was read has the names of answers.
func (r *Report) reject(err error, path []problem.Segment, n node, answers bool) {
	each(err, func(err error) {
		e, ok := errors.AsType[*InvalidError](err)
		if !ok {
			r.Fail(err)
			return
		}
		if r.full() {
			return
		}
		e = r.discreet(e, path)
		r.Add(problem.Violation{
			Path: append(r.place(path), r.asSent(n, answers, path, e.path)...), Code: e.code,
			Detail: e.detail(), Limits: e.limits,
		})
	})
}

// discreet returns e, which is about the value at path, or what may be said of it
// to a caller who neither sees nor may send the member that it names: they did
// not choose its value, and the text could tell them what it is.
func (r *Report) discreet(e *InvalidError, path []problem.Segment) *InvalidError {
	if r.read == nil || len(e.path) == 0 {
		return e
	}
	whole := slices.Concat(r.Prefix, path, e.path)
	told := len(whole)
	for part := r.read; part != nil; part = part.before {
		if k := len(part.prefix); k <= len(whole) && slices.Equal(part.prefix, whole[:k]) {
			told = min(told, k+tellable(part.node, whole[k:], r.Viewer))
		}
	}
	if told == len(whole) {
		return e
	}
	start := len(whole) - len(e.path)
	return &InvalidError{path: whole[start:max(start, told)], code: "value_error", text: "for a reason that is not shown"}
}

// cut returns at most n bytes of s, at a rune boundary.
func cut(s string, n int) string {
	for n > 0 && s[n]&0xC0 == 0x80 {
		n--
	}
	return s[:n] + "…"
}

// Merge adds what other collected.
func (r *Report) Merge(other *Report) {
	for _, v := range other.violations {
		r.Add(v)
	}
	r.omitted += other.omitted
	for s := other.spelt; s != nil && !r.fullOfSpellings(); s = s.before {
		r.remember(s.in, s.path, s.member)
	}
	for part := other.read; part != nil; part = part.before {
		r.read = &readPart{part.prefix, part.node, r.read}
	}
	if other.failure != nil {
		r.Fail(other.failure)
	}
}
