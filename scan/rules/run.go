package rules

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/internal/check"
	"github.com/fastness/fastness/scan/internal/explore"
	"github.com/fastness/fastness/scan/internal/login"
	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/internal/spec"
	"github.com/fastness/fastness/scan/wire"
)

// check returns the rule as a check.
func (r *rule) check() check.Check {
	c := check.Check{
		Kind: finding.Kind{
			ID: r.ID, Title: r.Title, Describe: r.Text, Severity: r.severity, OWASP: r.OWASP, CWE: r.CWE, CVSS: r.CVSS, Remedy: finding.Remedy{Text: r.Remedy},
		},
		Phase: check.Read, Alone: r.Detect.timed(), Run: r.run,
	}
	if r.Writes {
		c.Phase = check.Write
	}
	return c
}

// try is a request of a rule, and what controls it.
type try struct {
	place   finding.Place
	user    *login.User
	request func(marker string) wire.Request
	// control is the user and the request that must not fit.
	controlUser *login.User
	control     func() wire.Request
	says        string // what the control is
}

func (r *rule) run(ctx context.Context, t *probe.Target, report check.Report) error {
	tries := r.tries(t)
	for _, each := range tries[:min(len(tries), maxTries)] {
		if err := ctx.Err(); err != nil {
			return err
		}
		r.attempt(ctx, t, each, report)
	}
	if len(tries) > maxTries {
		return fmt.Errorf("the rule fits %d places, and only %d were tried", len(tries), maxTries)
	}
	return nil
}

// attempt sends the control and the request twice, and reports if only the latter fits.
func (r *rule) attempt(ctx context.Context, t *probe.Target, each try, report check.Report) {
	send := func(user *login.User, q wire.Request) *wire.Exchange {
		q.Why = r.ID
		return t.Once(ctx, user, q)
	}
	control := send(each.controlUser, each.control())
	if control.Status == 0 || r.WithoutControl == "" && r.Detect.fits(control, control, t.Marker()) {
		return
	}
	var shown *wire.Exchange
	for range 2 {
		marker := t.Marker()
		ex := send(each.user, each.request(marker))
		if ex.Status == 0 || !r.Detect.fits(ex, control, marker) {
			return
		}
		shown = ex
	}
	claim := check.Claim{
		Place: each.place, Cause: r.ID, Says: r.Title + ", for " + each.user.Called(),
		Control: "The condition fits twice, and not " + each.says + ".", Evidence: []finding.Evidence{{Says: "the condition fits", Exchange: shown}},
	}
	if r.WithoutControl != "" {
		claim.Control = r.WithoutControl
	} else {
		claim.Evidence = append(claim.Evidence, finding.Evidence{Says: each.says, Exchange: control})
	}
	report(claim)
}

// tries returns all requests of the rule, in the order of the document.
func (r *rule) tries(t *probe.Target) (out []try) {
	if q := r.Seed.Request; q != nil {
		if user, ok := r.who(t, nil); ok {
			out = append(out, r.written(t, q, user))
		}
		return out
	}
	for _, op := range t.API.Operations {
		sample := t.AnySample(op)
		switch {
		case sample == nil || !r.wants(op) || !op.Safe() && !r.Writes:
			continue
		case explore.Dangerous(op) != "" && !t.Limits.Destroy:
			continue
		}
		user, ok := r.who(t, sample.User)
		if !ok {
			continue
		}
		for _, change := range r.changed(sample.Case) {
			out = append(out, try{
				place: probe.PlaceOf(op, change.point, user.Called()), user: user,
				request:     func(marker string) wire.Request { c := change.apply(sample.Case, marker); return c.Request() },
				controlUser: sample.User, control: sample.Case.Request, says: "the answer to the request without the changes, as " + sample.User.Called(),
			})
		}
	}
	return out
}

// written is the try of a request that is written down. The control is a path beside it.
func (r *rule) written(t *probe.Target, q *request, user *login.User) try {
	target, query, _ := strings.Cut(q.Path, "?")
	make := func(path, marker string) wire.Request {
		w := wire.Request{Method: strings.ToUpper(q.Method), Path: path, Query: fill(query, marker), Header: http.Header{}, Body: []byte(fill(q.Body, marker))}
		for name, value := range q.Headers {
			w.Header.Set(name, fill(value, marker))
		}
		return w
	}
	return try{
		place: finding.Place{Method: strings.ToUpper(q.Method), Path: target, Users: user.Called()}, user: user,
		request:     func(marker string) wire.Request { return make(fill(target, marker), marker) },
		controlUser: user, control: func() wire.Request { m := t.Marker(); return make(path.Dir(target)+"/"+m, m) },
		says: "the answer to a path that cannot exist",
	}
}

// who returns the user of the rule, and whether there is one. Nil is nobody.
func (r *rule) who(t *probe.Target, owner *login.User) (*login.User, bool) {
	pick := func(list []*login.User) (*login.User, bool) {
		if len(list) == 0 {
			return nil, false
		}
		return list[0], true
	}
	switch r.Send.As {
	case "anonymous":
		return nil, true
	case "other":
		return pick(t.Others(owner))
	case "admin":
		return pick(t.Admins())
	case "", "same":
		if owner == nil && r.Seed.Request != nil {
			return nil, true
		}
		return owner, true
	}
	i := slices.IndexFunc(t.Users, func(u *login.User) bool { return u.Name == r.Send.As })
	if i < 0 {
		return nil, false
	}
	return t.Users[i], true
}

func (r *rule) wants(op *spec.Operation) bool {
	return slices.ContainsFunc(r.Seed.Operations, func(pattern string) bool {
		method, of, found := strings.Cut(pattern, " ")
		if !found {
			method, of = "*", pattern
		}
		ok, _ := path.Match(flat(of), flat(op.Path)) // It was looked at when it was read.
		return ok && (method == "*" || strings.EqualFold(method, op.Method))
	})
}

// flat makes a star stand for slashes, too.
func flat(pattern string) string { return strings.ReplaceAll(pattern, "/", "\x01") }

func safe(method string) bool {
	return slices.Contains([]string{"GET", "HEAD", "OPTIONS"}, strings.ToUpper(method))
}

// change is a way to change a case.
type change struct {
	point string // what is reported
	apply func(c *probe.Case, marker string) *probe.Case
}

func (r *rule) changed(c *probe.Case) (out []change) {
	names := slices.Sorted(maps.Keys(r.Send.Set))
	base := func(c *probe.Case, marker string) *probe.Case {
		c = c.Clone()
		for _, name := range names {
			in, at := point(name)
			c = c.With(in, at, filled(r.Send.Set[name], marker))
		}
		for _, name := range r.Send.Remove {
			in, at := point(name)
			c = c.Without(in, at)
		}
		return c
	}
	if r.Send.Each == nil {
		shown := strings.Join(append(names, r.Send.Remove...), ", ")
		return []change{{shown, base}}
	}
	for _, p := range c.Points() {
		if ok, _ := path.Match(flat(r.Send.Each.Points), flat(p.String())); !ok {
			continue
		}
		for _, value := range r.Send.Each.Values {
			out = append(out, change{p.String(), func(c *probe.Case, marker string) *probe.Case {
				return base(c, marker).With(p.In, p.Name, filled(value, marker))
			}})
		}
	}
	return out
}

func point(name string) (in, at string) {
	in, at, _ = strings.Cut(name, " ")
	return in, at
}

func fill(s, marker string) string { return strings.ReplaceAll(s, "{{marker}}", marker) }

// filled fills the texts of a value, and makes numbers what a case has.
func filled(v any, marker string) any {
	switch v := v.(type) {
	case string:
		return fill(v, marker)
	case int:
		return json.Number(strconv.Itoa(v))
	case float64:
		return json.Number(strconv.FormatFloat(v, 'g', -1, 64))
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = filled(v[i], marker)
		}
		return out
	case map[string]any:
		out := map[string]any{}
		for name := range v {
			out[name] = filled(v[name], marker)
		}
		return out
	}
	return v
}

// timed reports whether the condition measures time.
func (d *detect) timed() bool {
	inner := func(list []detect) bool {
		return slices.ContainsFunc(list, func(d detect) bool { return d.timed() })
	}
	return d.TookOver > 0 || inner(d.All) || inner(d.Any) || d.Not != nil && d.Not.timed()
}

// maxLooked is how much of a body is looked at.
const maxLooked = 1 << 20

// fits reports whether an answer fits. Before is that to the unchanged request.
func (d *detect) fits(ex, before *wire.Exchange, marker string) bool {
	body := string(ex.Body[:min(len(ex.Body), maxLooked)])
	switch {
	case len(d.Status) > 0 && !slices.Contains(d.Status, ex.Status),
		d.TookOver > 0 && ex.Took < d.TookOver,
		d.Differs && ex.Status == before.Status && string(ex.Body) == string(before.Body),
		d.Body != nil && !d.Body.fits(body, body != "", marker),
		d.Not != nil && d.Not.fits(ex, before, marker),
		len(d.Any) > 0 && !slices.ContainsFunc(d.Any, func(d detect) bool { return d.fits(ex, before, marker) }),
		slices.ContainsFunc(d.All, func(d detect) bool { return !d.fits(ex, before, marker) }):
		return false
	}
	for name, m := range d.Header {
		if !m.fits(ex.Header.Get(name), len(ex.Header.Values(name)) > 0, marker) {
			return false
		}
	}
	for pointer, m := range d.JSON {
		text, there := pointed(body, pointer)
		if !m.fits(text, there, marker) {
			return false
		}
	}
	return true
}

func (m *match) fits(text string, there bool, marker string) bool {
	if m == nil {
		return there
	}
	return (m.Exists == nil || *m.Exists == there) &&
		(m.Equals == nil || there && text == fill(*m.Equals, marker)) &&
		(m.Contains == "" || there && strings.Contains(text, fill(m.Contains, marker))) &&
		(m.Matches == "" || there && m.re.MatchString(text))
}

// pointed returns the value at a JSON pointer (RFC 6901), as a text.
func pointed(body, pointer string) (string, bool) {
	dec := json.NewDecoder(strings.NewReader(body))
	dec.UseNumber()
	var v any
	if dec.Decode(&v) != nil {
		return "", false
	}
	for part := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		if pointer == "" {
			break
		}
		part = strings.NewReplacer("~1", "/", "~0", "~").Replace(part)
		switch at := v.(type) {
		case map[string]any:
			inner, ok := at[part]
			if !ok {
				return "", false
			}
			v = inner
		case []any:
			i, err := strconv.Atoi(part)
			if err != nil || i < 0 || i >= len(at) {
				return "", false
			}
			v = at[i]
		default:
			return "", false
		}
	}
	switch v := v.(type) {
	case string:
		return v, true
	case nil:
		return "null", true
	}
	text, err := json.Marshal(v)
	return string(text), err == nil
}
