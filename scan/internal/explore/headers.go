package explore

import (
	"context"
	"net/http"
	"strings"

	"github.com/fastness/fastness/scan/internal/login"
	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/wire"
)

// fromElsewhere are what a refusal says of a request that no page of the target's own sent.
var fromElsewhere = [...]string{
	"cross-site", "cross_site", "cross site", "cross-origin", "cross origin", "sec-fetch", "same-origin", "same origin", "same-site", "same site", "another site",
	"other site", "origin header", "missing origin", "no origin", "invalid origin", "bad origin", "origin not", "origin is not", "referer", "referrer",
}

// ownPage returns the request as a page of the target sends it (Fetch, section 3.2; Fetch
// Metadata), if that is what the answer misses, or nil.
func (r *repair) ownPage(last *try, ex *wire.Exchange) *try {
	if last.c.Header["Sec-Fetch-Site"] != nil || ex.Origin == "" {
		return nil
	}
	text := strings.ToLower(ex.Text())
	for _, words := range fromElsewhere {
		if !strings.Contains(text, words) {
			continue
		}
		c := last.c.With("header", "Sec-Fetch-Site", "same-origin").With("header", "Sec-Fetch-Mode", "cors")
		return &try{c.With("header", "Origin", ex.Origin).With("header", "Referer", ex.Origin+"/"), last.marks}
	}
	return nil
}

// anyVersion is If-Match for whatever version there is (RFC 9110, section 13.1.1). It does
// not go stale, as an ETag in a request that checks repeat does.
const anyVersion = "*"

// condition returns the request under the condition that the answer wants (RFC 6585,
// section 3): that there is the object, else that it is as it was read. It returns nil if
// the answer is about something else.
func (r *repair) condition(ctx context.Context, last *try, ex *wire.Exchange) *try {
	have := probe.Text(last.c.Header["If-Match"])
	required := ex.Status == http.StatusPreconditionRequired || ex.Status == http.StatusPreconditionFailed
	switch {
	case required && last.c.Header["If-Match"] == nil:
		return &try{last.c.With("header", "If-Match", anyVersion), last.marks}
	case have != anyVersion || !required && !strings.Contains(strings.ToLower(ex.Text()), "match") && !strings.Contains(strings.ToLower(ex.Text()), "etag"):
		return nil
	}
	for _, op := range r.x.t.API.Operations {
		if op.Method != http.MethodGet || op.Path != r.op.Path {
			continue
		}
		seen := r.x.t.Send(ctx, r.user, &probe.Case{Op: op, Path: last.c.Path}, "explore")
		if tag := seen.Header.Get("ETag"); probe.Granted(seen) && tag != "" {
			return &try{last.c.With("header", "If-Match", tag), last.marks}
		}
	}
	return nil
}

// lean returns a refused request once without what need not be in it: the rest may be what
// the user may not have, as an object of another's.
func (r *repair) lean() *try {
	if r.leaned || r.op.Safe() || r.op.Body == nil || len(r.op.Body.Media) == 0 {
		return nil
	}
	r.leaned = true
	s := r.op.Body.Media[0].Schema
	if s == nil || len(s.Names) <= len(s.Required) {
		return nil
	}
	c, marks := r.x.build(r.op, r.user, true)
	return &try{c, marks}
}

// thereNow reads what was not there before something was put there.
func (x *Explorer) thereNow(ctx context.Context, user *login.User) {
	for _, op := range x.ordered() {
		if op.Method != http.MethodGet || x.t.Sample(op, user) != nil || x.t.Held(op) != "" || ctx.Err() != nil {
			continue
		}
		for _, put := range x.t.API.Operations {
			s := x.t.Sample(put, user)
			if put.Method != http.MethodPut || put.Path != op.Path || s == nil {
				continue
			}
			c, marks := x.build(op, user, false)
			for name, v := range s.Case.Path {
				c.Path[name] = v
			}
			ex := x.t.Send(ctx, user, c, "explore")
			if OutcomeOf(ex) == OK {
				x.t.Cover(probe.Coverage{Op: op, User: user.Called(), Outcome: OK, Status: ex.Status, Tries: 1})
				x.learn(op, user, &try{c, marks}, ex)
			}
		}
	}
}
