package explore

import (
	"context"
	"net/http"
	"strings"

	"github.com/fastness/fastness/scan/internal/login"
	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/internal/spec"
	"github.com/fastness/fastness/scan/wire"
)

// The outcomes of an operation, as coverage has them.
const (
	OK           = "OK"
	Unauthorized = "UNAUTHORIZED"
	Forbidden    = "FORBIDDEN"
	NotFound     = "NOT FOUND"
	RateLimited  = "RATE LIMITED"
	ServerError  = "SERVER ERROR"
	Redirected   = "REDIRECTED"
	Validation   = "VALIDATION"
	NoAnswer     = "NO ANSWER"
	Skipped      = "SKIPPED"
	HeldBack     = "HELD BACK"
)

// OutcomeOf says what an answer means for the coverage.
func OutcomeOf(ex *wire.Exchange) string {
	switch {
	case ex.Status == 0:
		return NoAnswer
	case probe.Granted(ex):
		return OK
	case ex.Status == http.StatusUnauthorized:
		return Unauthorized
	case ex.Status == http.StatusForbidden:
		return Forbidden
	case ex.Status == http.StatusNotFound || ex.Status == http.StatusGone || ex.Status == http.StatusMethodNotAllowed || ex.Status == http.StatusNotImplemented:
		return NotFound
	case ex.Status == http.StatusTooManyRequests:
		return RateLimited
	case ex.Status >= 500:
		return ServerError
	case ex.Status >= 300 && ex.Status < 400:
		if probe.Refused(ex) {
			return Unauthorized
		}
		if seeOther(ex) {
			return OK
		}
		return Redirected
	}
	return Validation
}

// seeOther reports whether an answer is how pages say that a form was taken: by leading to
// a page (RFC 9110, section 15.4.4). What is wrong with a form is said in the form itself.
func seeOther(ex *wire.Exchange) bool {
	switch ex.Request.Method {
	case http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete:
		form := strings.HasPrefix(ex.Request.Header.Get("Content-Type"), "application/x-www-form-urlencoded") || strings.HasPrefix(ex.Request.Header.Get("Content-Type"), "multipart/form-data")
		return form && (ex.Status == http.StatusFound || ex.Status == http.StatusSeeOther) && ex.Header.Get("Location") != ""
	}
	return false
}

// try is one request of an attempt.
type try struct {
	c     *probe.Case
	marks map[string]string
}

// attempt sends requests to an operation until one succeeds, and returns that, or nil.
func (x *Explorer) attempt(ctx context.Context, op *spec.Operation, user *login.User) *probe.Sample {
	if sample := x.t.Sample(op, user); sample != nil {
		return sample
	}
	repair := &repair{x: x, op: op, user: user, sent: map[string]bool{}}
	next := x.first(op, user)
	limit := x.config.Tries
	if user == nil && op.Safe() {
		limit = 1
	}
	var ex, refused *wire.Exchange
	tries := 0
	for next != nil && tries < limit && ctx.Err() == nil {
		r := next.c.Request()
		key := r.Target() + "\n" + r.Header.Get("Content-Type") + "\n" + r.Header.Get("Sec-Fetch-Site") + "\n" + r.Header.Get("If-Match") + "\n" + string(r.Body)
		if repair.sent[key] {
			next = repair.other(next, ex)
			tries++ // It ends, whatever repairs do.
			continue
		}
		repair.sent[key] = true
		tries++
		r.Why = "explore"
		ex = x.t.Do(ctx, user, r)
		if OutcomeOf(ex) == OK {
			x.t.Cover(probe.Coverage{Op: op, User: user.Called(), Outcome: OK, Status: ex.Status, Tries: tries})
			return x.learn(op, user, next, ex)
		}
		if tries == 1 && ex.Status == 404 && x.elsewhere(ctx, op, user) {
			next, tries = x.first(op, user), 0
			continue
		}
		if refused == nil && OutcomeOf(ex) == Validation {
			refused = ex
		}
		next = repair.after(ctx, next, ex)
	}
	c := probe.Coverage{Op: op, User: user.Called(), Outcome: Skipped, Tries: tries, Note: "out of time"}
	if ex != nil {
		c.Outcome, c.Status, c.Note = OutcomeOf(ex), ex.Status, noteOf(ex)
		if refused != nil && c.Outcome == Validation { // The first says more than what repairs led to.
			c.Note = noteOf(refused)
		}
	}
	x.t.Cover(c)
	return nil
}

// elsewhere looks whether an operation without parameters is not below the base of the
// others, which documents say in many ways, and corrects its path.
func (x *Explorer) elsewhere(ctx context.Context, op *spec.Operation, user *login.User) bool {
	if op.Template == "" || op.Template == op.Path || strings.Contains(op.Path, "{") || !op.Safe() || x.moved[op.ID] {
		return false
	}
	x.moved[op.ID] = true
	c, _ := x.build(op, user, false)
	r := c.Request()
	r.Path, r.Why = op.Template, "explore"
	if ex := x.t.Do(ctx, user, r); ex.Status == 0 || ex.Status == 404 || ex.Status == 405 {
		return false
	}
	op.Path = op.Template
	return true
}

// first returns the first request: as another user's that succeeded, else from the
// document.
func (x *Explorer) first(op *spec.Operation, user *login.User) *try {
	if template := x.t.AnySample(op); template != nil {
		if user == nil && op.Safe() {
			return &try{template.Case.Clone(), template.Markers}
		}
		c, marks := x.Renew(template, user)
		return &try{c, marks}
	}
	c, marks := x.build(op, user, false)
	return &try{c, marks}
}

// learn keeps what succeeded.
func (x *Explorer) learn(op *spec.Operation, user *login.User, done *try, ex *wire.Exchange) *probe.Sample {
	s := &probe.Sample{Case: done.c, User: user, Exchange: ex, Markers: done.marks}
	x.t.Learn(s)
	x.harvest(op, user, ex)
	if user != nil && op.Safe() && x.canary[user.Called()] == nil && (mine(op) || op.NeedsLogIn()) {
		x.canary[user.Called()] = done.c
	}
	return s
}

// maxNote of a refusal, in bytes.
const maxNote = 160

// noteOf returns the beginning of a refusal, on one line.
func noteOf(ex *wire.Exchange) string {
	if ex.Err != nil {
		return ex.Err.Error()
	}
	text := strings.Join(strings.Fields(ex.Text()), " ")
	if len(text) > maxNote {
		text = strings.ToValidUTF8(text[:maxNote], "") + "…"
	}
	return text
}
