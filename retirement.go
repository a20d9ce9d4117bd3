package fastness

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/fastness/fastness/internal/operation"
	"github.com/fastness/fastness/openapi"
	"github.com/fastness/fastness/problem"
)

// Retirement says from when on callers should leave an operation, and until when they
// can call it.
type Retirement = operation.Retirement

// Retire marks an operation, all of a group, or all of an app by [Config].Options, as one
// that callers should leave. Each answer says so in the fields Deprecation (RFC 9745),
// Sunset (RFC 8594) and Link, and the document does; the log says who still calls it, at
// most once a minute for each operation.
//
//	v1 := app.Group("/v1", fastness.Retire(fastness.Retirement{Since: since, Sunset: end, Link: "https://example.com/v2", Gone: true}))
func Retire(r Retirement) Option {
	return operation.Func(func(s *operation.Spec) {
		s.Deprecated, s.Retirement = true, &r
		if r.Since.IsZero() {
			s.Mistakes = append(s.Mistakes, errors.New("retirement: want the time since when the operation is deprecated"))
		}
		if !r.Sunset.IsZero() && r.Sunset.Before(r.Since) { // RFC 9745 section 4
			s.Mistakes = append(s.Mistakes, errors.New("retirement: Sunset is before Since"))
		}
		if r.Gone && r.Sunset.IsZero() {
			s.Mistakes = append(s.Mistakes, errors.New("retirement: Gone needs a Sunset"))
		}
		if u, err := url.Parse(r.Link); r.Link != "" && (err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || u.String() != r.Link) {
			s.Mistakes = append(s.Mistakes, errors.New("retirement: Link is not an https:// URL in its normal form"))
		}
	})
}

// announceRetirement tells callers, and refuses them when the time is over.
func (x *exchange) announceRetirement(op *operationPlan) error {
	r := op.spec.Retirement
	if r == nil {
		return nil
	}
	h := x.out.Header()
	h["Deprecation"] = []string{"@" + strconv.FormatInt(r.Since.Unix(), 10)}
	if !r.Sunset.IsZero() {
		h["Sunset"] = []string{r.Sunset.UTC().Format(http.TimeFormat)}
	}
	if r.Link != "" {
		link := "<" + r.Link + `>; rel="deprecation"; type="text/html"`
		if !r.Sunset.IsZero() {
			link += ", <" + r.Link + `>; rel="sunset"; type="text/html"`
		}
		h.Add("Link", link)
	}
	now := x.ctx.start
	if last := op.told.Load(); now.Unix()-last >= 60 && op.told.CompareAndSwap(last, now.Unix()) {
		x.app.cfg.Logger.WarnContext(&x.ctx, "a deprecated operation was called", "operation", op.id, "client", x.ctx.client.Addr.String(), "request_id", x.ctx.id[0])
	}
	if r.Gone && !now.Before(r.Sunset) {
		p := problem.New(http.StatusGone, "this operation has ended").Named("retired")
		for _, name := range []string{"Deprecation", "Sunset", "Link"} { // Errors drop what was prepared.
			for _, value := range h[name] {
				p = p.With(name, value)
			}
		}
		return p
	}
	return nil
}

// retirement says in the document what the fields of the answers say.
func retirement(o *openapi.Operation, r *operation.Retirement) {
	if r == nil {
		return
	}
	text := "Deprecated since " + r.Since.UTC().Format(time.DateOnly) + "."
	o.Extensions["x-deprecated-since"] = r.Since.UTC().Format(time.RFC3339)
	if !r.Sunset.IsZero() {
		text += " It ends on " + r.Sunset.UTC().Format(time.DateOnly) + "."
		o.Extensions["x-sunset"] = r.Sunset.UTC().Format(time.RFC3339)
	}
	if r.Link != "" {
		text += " See <" + r.Link + ">."
	}
	if o.Description != "" {
		text = o.Description + "\n\n" + text
	}
	o.Description = text
}
