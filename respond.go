package fastness

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/observe"
	"github.com/fastness/fastness/problem"
)

// encode makes the bytes of the answer, in the exchange's buffer.
func (x *exchange) encode(op *operationPlan, a *answer) (err error) {
	if a.elsewhere != "" {
		location, err := x.app.targets.To(a.elsewhere)
		if err != nil {
			return problem.New(http.StatusInternalServerError, "").Wrap(err)
		}
		a.header = http.Header{"Location": {location}}
	}
	if a.page != nil {
		if err := a.page.render(x, a); err != nil {
			return err
		}
	}
	if op.table != nil {
		return op.table.render(x, op.output, a)
	}
	if !a.body.IsValid() || op.output == nil {
		return nil
	}
	x.encoded, err = op.output.AppendFor(x.encoded[:0], a.body, x.ctx.user)
	a.raw, a.content = x.encoded, "application/json"
	return err
}

// send writes the answer: one header, one write.
func (x *exchange) send(a *answer) {
	x.enterPart(inEncode)
	h := x.prepare(a)
	data := a.raw
	if a.status == http.StatusNoContent || a.status == http.StatusNotModified {
		x.out.WriteHeader(a.status)
		return
	}
	if a.content != "" {
		x.contentType(h, a.content)
	}
	if len(data) > 0 && !x.app.cfg.NoCompression {
		data = x.app.gzip.Body(h, x.r, a.status, nil, data)
	}
	// net/http counts the length of a short body by itself.
	if len(data) > 2048 || x.r.Method == http.MethodHead {
		h["Content-Length"] = []string{strconv.Itoa(len(data))}
	}
	x.out.WriteHeader(a.status)
	if len(data) > 0 && x.r.Method != http.MethodHead {
		_, _ = x.out.Write(data) // The caller is gone if this fails.
	}
}

// prepare writes what the operation says into the header.
func (x *exchange) prepare(a *answer) http.Header {
	x.untouched = false
	h := x.out.Header()
	for name, values := range a.header {
		if name == "Vary" || name == "Link" { // Others said what the answer depends on, too.
			values = append(h[name], values...)
		}
		h[name] = values
	}
	if x.app.locales != nil {
		x.vary("Accept-Language")
	}
	for _, c := range a.cookies {
		setCookie(h, c)
	}
	return h
}

// contentType sets the header, from a shared value where there is one.
func (x *exchange) contentType(h http.Header, content string) {
	switch content {
	case "application/json":
		h["Content-Type"] = x.app.jsonType
	case problem.MediaType:
		h["Content-Type"] = x.app.problemType
	default:
		h["Content-Type"] = []string{content}
	}
}

// setCookie adds a cookie that no script can read and no other site sends.
func setCookie(h http.Header, c *http.Cookie) {
	safe := *c
	safe.Secure, safe.HttpOnly = true, true
	if safe.SameSite != http.SameSiteStrictMode {
		safe.SameSite = http.SameSiteLaxMode
	}
	if safe.Path == "" {
		safe.Path = "/"
	}
	if text := safe.String(); text != "" {
		h.Add("Set-Cookie", text)
	}
}

// cleanUp runs the clean-ups of the providers, the last one first, and returns
// the error that the caller will see.
func (x *exchange) cleanUp(err error) error {
	for i := range slices.Backward(x.states) {
		s := &x.states[i]
		if s.cleanup == nil {
			continue
		}
		cleanup := s.cleanup
		s.cleanup = nil
		failed := x.runCleanup(cleanup, err)
		switch {
		case failed == nil || errors.Is(err, failed):
		case err == nil:
			err = failed
		default: // The caller gets the first error; this one is for the log.
			x.logFailure(slog.LevelError, failed)
			err = errors.Join(err, failed)
		}
	}
	if err != nil {
		x.after.drop()
	}
	return err
}

// runCleanup makes an error of a panic, so that the other clean-ups run.
func (x *exchange) runCleanup(cleanup func(error) error, err error) (failed error) {
	defer func() {
		if v := recover(); v != nil {
			observe.LogPanic(&x.ctx, x.app.cfg.Logger, x.ctx.id[0], v)
			failed = fmt.Errorf("clean-up: panic: %v", v)
		}
	}()
	return cleanup(err)
}

func (x *exchange) removeFiles() {
	x.incoming.end()
	if err := x.files.Remove(); err != nil {
		x.app.cfg.Logger.WarnContext(&x.ctx, "an upload could not be removed", "error", err, "request_id", x.ctx.id[0])
	}
	x.files = nil
}

// fail answers with the problem in err, and logs its cause.
func (x *exchange) fail(err error) {
	if err == errAnswered {
		return
	}
	p := x.problemOf(err)
	if x.sent.Started() {
		return
	}
	if !x.leadToLogIn(p) {
		x.answerProblem(p)
	}
}

// problemOf returns the problem in err, and logs its cause.
func (x *exchange) problemOf(err error) *problem.Problem {
	p := problem.From(err)
	if p.Status < 400 || p.Status > 599 { // Such a problem is a mistake of ours, and no answer.
		p = problem.New(http.StatusInternalServerError, "")
	}
	switch {
	case p.Status < 500:
	case errors.Is(err, context.Canceled) && x.r.Context().Err() != nil:
		// The caller went away in the middle: nobody reads an answer, and nothing
		// is wrong here.
		p = problem.New(http.StatusServiceUnavailable, "the caller went away").Named("canceled")
		x.logFailure(slog.LevelInfo, err)
	case errors.Is(err, context.DeadlineExceeded) && p.Status == http.StatusInternalServerError:
		p = problem.New(http.StatusServiceUnavailable, "the operation took too long").Named("timeout").With("Retry-After", "1")
		x.logFailure(slog.LevelError, err)
	default:
		x.logFailure(slog.LevelError, err)
	}
	return p
}

// maxLoggedError is how much of an error's text the log keeps: some repeat what
// was sent.
const maxLoggedError = 4 << 10

// logFailure writes the cause that the caller does not see.
func (x *exchange) logFailure(level slog.Level, err error) {
	x.app.cfg.Logger.Log(&x.ctx, level, "request failed", "error", observe.Printable(err.Error(), maxLoggedError), "request_id", x.ctx.id[0],
		"method", observe.Printable(x.r.Method, 16), "route", x.route())
}

// answerProblem sends a copy of p that names this request.
func (x *exchange) answerProblem(p *problem.Problem) {
	body, status, content := x.encodeProblem(p)
	h := x.out.Header()
	if !x.untouched || x.forked {
		observe.DropPrepared(h)
	}
	for name, values := range p.Header() {
		h[name] = values
	}
	body, content = x.problemInFormat(body, content)
	x.tellLanguage()
	x.contentType(h, content)
	h["Cache-Control"] = x.app.noStore
	if x.r.Method == http.MethodHead {
		h["Content-Length"] = []string{strconv.Itoa(len(body))}
	}
	x.out.WriteHeader(status)
	if x.r.Method != http.MethodHead {
		_, _ = x.out.Write(body) // The caller is gone if this fails.
	}
}

// encodeProblem makes the document of a copy of p that names this request, in the
// exchange's buffer.
func (x *exchange) encodeProblem(p *problem.Problem) (body []byte, status int, content string) {
	x.shown = *p
	if x.shown.Instance == "" {
		x.shown.Instance = "urn:request:" + x.ctx.id[0]
	}
	x.translate(&x.shown)
	if _, ours := x.app.cfg.Errors.(ErrorFormat); !ours { // Others may add to the document, and p may be shared.
		x.shown.Extensions = maps.Clone(p.Extensions)
	}
	body, status, content = x.app.cfg.Errors.Encode(x.encoded[:0], &x.shown)
	x.encoded = body
	return body, status, content
}

// route returns the pattern of the request's operation.
func (x *exchange) route() string {
	if seen := x.behind.Load(); seen != nil {
		return seen.route
	}
	switch e := x.match.Value; {
	case e.operation != nil:
		return e.operation.path
	case e.builtin != nil:
		return e.builtin.path
	case e.mount != nil:
		return e.mount.prefix
	default:
		return ""
	}
}

// caller returns the verified caller of the request, or nil.
func (x *exchange) caller() *auth.User {
	if seen := x.behind.Load(); seen != nil {
		return seen.user
	}
	return x.ctx.user
}

// log writes the access log.
func (x *exchange) log(logger *slog.Logger, aborted bool) {
	if x.later.Load() || !logger.Enabled(&x.ctx, slog.LevelInfo) {
		return
	}
	line := x.accessLine()
	line.Aborted = aborted
	if line.Status == 0 && !aborted { // A handler that writes nothing: net/http answers for it.
		line.Status = http.StatusOK
	}
	line.Code, line.Duration = x.shown.Code, time.Since(x.ctx.start)
	line.Log(&x.ctx, logger)
}

// accessLine is what the access log says of any request.
func (x *exchange) accessLine() observe.Access {
	line := observe.AccessOf(x.r, &x.sent)
	line.Route, line.RequestID, line.Client = x.route(), x.ctx.id[0], x.ctx.client.Addr
	if u := x.caller(); u != nil {
		line.User = u.ID
	}
	return line
}
