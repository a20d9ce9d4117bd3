package token

import (
	"context"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/internal/check"
	"github.com/fastness/fastness/scan/internal/explore"
	"github.com/fastness/fastness/scan/internal/login"
	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/internal/spec"
	"github.com/fastness/fastness/scan/wire"
)

// inAddress looks for credentials that are, or may be, part of addresses.
func inAddress(*lab) check.Check {
	return check.Check{Kind: kindInAddress(), Phase: check.Read, Run: func(ctx context.Context, t *probe.Target, report check.Report) error {
		for _, look := range []func(context.Context, *probe.Target, check.Report){sentInAddress, takenFromAddress, linksWithTokens} {
			look(ctx, t, report)
		}
		return ctx.Err()
	}}
}

// sentInAddress reports credentials that users cannot send otherwise.
func sentInAddress(ctx context.Context, t *probe.Target, report check.Report) {
	for _, op := range t.API.Operations {
		if login.IsLogIn(op) && slices.ContainsFunc(login.FieldsOf(op), func(f login.Field) bool { return f.Password && f.In == "query" }) {
			report(check.Claim{
				Place: probe.PlaceOf(op, "query password", ""), Hint: !usedForLogIn(t, op),
				Says:    "the log-in takes the password as a part of the address",
				Control: "the document declares it so, and users log in with it",
			})
		}
	}
	for _, u := range t.Users {
		for _, c := range u.Credentials() {
			if c.In != "query" {
				continue
			}
			for _, op := range t.API.Operations {
				if s := t.Sample(op, u); s != nil {
					report(check.Claim{
						Place: probe.PlaceOf(op, "query "+c.Name, u.Called()), Cause: "sent " + c.Name,
						Says: "the credential is a part of each address: " + c.Name, Control: "it is how " + u.Called() + " is known to the target",
						Evidence: []finding.Evidence{{Says: "the credential in the address", Exchange: s.Exchange}},
					})
					return
				}
			}
		}
	}
}

// usedForLogIn reports whether a user was logged in by an operation.
func usedForLogIn(t *probe.Target, op *spec.Operation) bool {
	return slices.ContainsFunc(t.Seen(op), func(ex *wire.Exchange) bool { return ex.OK() }) || t.AnySample(op) != nil
}

// usualParameters are what tokens are called in addresses.
var usualParameters = [...]string{"access_token", "token", "auth_token", "api_key", "apikey", "jwt", "auth", "key", "session", "sid", "authorization", "bearer", "api_token", "accessToken", "authToken", "sessionid"}

// takenFromAddress sends the credential of a user as a parameter, and not where it belongs.
func takenFromAddress(ctx context.Context, t *probe.Target, report check.Report) {
	tried := 0
	parts := map[string]bool{}
	for _, op := range t.API.Operations {
		if op.Method != "GET" || explore.Dangerous(op) != "" || tried >= 6 || ctx.Err() != nil {
			continue
		}
		part := strings.Join(op.Segments()[:min(len(op.Segments()), 2)], "/")
		for _, u := range t.Ordinary() {
			s, credential := t.Sample(op, u), single(u)
			if s == nil || credential == nil || parts[part] {
				continue
			}
			parts[part] = true
			tried++
			if c, name, found := takesParameter(ctx, t, op, s, u, *credential); found {
				report(c)
				sameParameter(ctx, t, c, name, u, *credential, report)
				return
			}
			break
		}
	}
}

// single returns the only credential of a user, if it is a header or a cookie, or nil.
func single(u *login.User) *login.Credential {
	credentials := slices.DeleteFunc(u.Credentials(), func(c login.Credential) bool { return c.Guard })
	if len(credentials) != 1 || credentials[0].In == "query" || credentials[0].Prefix == "Basic " {
		return nil
	}
	return &credentials[0]
}

// sameParameter looks for more operations that take the same parameter.
func sameParameter(ctx context.Context, t *probe.Target, c check.Claim, name string, u *login.User, credential login.Credential, report check.Report) {
	more := 0
	for _, op := range t.API.Operations {
		s := t.Sample(op, u)
		if op.Method != "GET" || s == nil || explore.Dangerous(op) != "" || more >= 40 || ctx.Err() != nil || op.Path == c.Place.Path {
			continue
		}
		more++
		r := s.Case.Request()
		r.Why, r.User = "AU-08", u.Name
		if !turnsAway(t.Once(ctx, nil, r)) {
			continue
		}
		if ex := t.Once(ctx, nil, inQuery(r, credential.Value, name)); probe.Granted(ex) && probe.Shape(ex) == probe.Shape(s.Exchange) {
			c.Place = probe.PlaceOf(op, "query "+name, u.Called())
			report(c)
		}
	}
}

// inQuery adds a value to the address of a request, by one or more names.
func inQuery(r wire.Request, value string, names ...string) wire.Request {
	for _, name := range names {
		if r.Query != "" {
			r.Query += "&"
		}
		r.Query += url.QueryEscape(name) + "=" + url.QueryEscape(value)
	}
	return r
}

func takesParameter(ctx context.Context, t *probe.Target, op *spec.Operation, s *probe.Sample, u *login.User, credential login.Credential) (c check.Claim, name string, found bool) {
	names := slices.Clone(usualParameters[:])
	for _, scheme := range t.API.Schemes {
		if strings.EqualFold(scheme.In, "query") && !slices.Contains(names, scheme.Name) && scheme.Name != "" {
			names = append(names, scheme.Name)
		}
	}
	slices.Sort(names[len(usualParameters):])
	if !slices.Contains(names, credential.Name) && credential.In == "cookie" {
		names = append(names, credential.Name)
	}
	send := func(value string, names ...string) *wire.Exchange {
		r := s.Case.Request()
		r.Why, r.User = "AU-08", u.Name
		return t.Once(ctx, nil, inQuery(r, value, names...))
	}
	if !probe.Granted(send(credential.Value, names...)) {
		return c, "", false
	}
	nobody := t.Send(ctx, nil, s.Case, "AU-08")
	valid := t.Send(ctx, u, s.Case, "AU-08")
	if !turnsAway(nobody) || !probe.Granted(valid) {
		return c, "", false
	}
	for _, name := range names {
		let := send(credential.Value, name)
		other := send(t.Marker(), name)
		if probe.Granted(let) && probe.Shape(let) == probe.Shape(valid) && turnsAway(other) {
			return check.Claim{
				Place: probe.PlaceOf(op, "query "+name, u.Called()), Cause: "taken from the address",
				Says:     "the token may be a part of the address: " + name,
				Control:  "without it, and with a made-up one at the same place, the request is refused",
				Evidence: []finding.Evidence{{Says: "nobody is refused", Exchange: nobody}, {Says: "a made-up token", Exchange: other}, {Says: "the token in the address is let in", Exchange: let}},
			}, name, true
		}
	}
	return c, "", false
}

// tokenInLink matches links that carry a token.
var tokenInLink = regexp.MustCompile(`(?i)[?&]((?:[\w-]*[_-])?(?:access_?token|auth_?token|id_?token|token|jwt|session(?:_?id)?|sid|api_?key|auth))=([A-Za-z0-9._~%+/=-]{16,})`)

// linksWithTokens looks for links in answers with a token that is good for more than the
// link: as the credential of the user.
func linksWithTokens(ctx context.Context, t *probe.Target, report check.Report) {
	for _, op := range t.API.Operations {
		for _, u := range t.Ordinary() {
			s, credential := t.Sample(op, u), single(u)
			if s == nil || credential == nil || ctx.Err() != nil {
				continue
			}
			text := strings.ReplaceAll(s.Exchange.Text(), `\u0026`, "&")
			m := tokenInLink.FindStringSubmatch(text)
			if m == nil {
				continue
			}
			value, err := url.QueryUnescape(m[2])
			if err != nil {
				continue
			}
			if gate, ex := goodFor(ctx, t, u, *credential, value); gate != nil {
				report(check.Claim{
					Place:    probe.PlaceOf(op, "query "+m[1], u.Called()),
					Says:     "the answer has a link with a token in it (" + m[1] + "), which is good for everything that " + u.Called() + " may do",
					Control:  "sent as " + credential.In + " " + credential.Name + ", it is let in at " + gate.String() + ", where nobody and a made-up one are not",
					Evidence: []finding.Evidence{{Says: "the link", Exchange: s.Exchange}, {Says: "its token, elsewhere", Exchange: ex}},
				})
			}
			break
		}
	}
}

// goodFor returns an operation that lets a token in which it would not let in otherwise.
func goodFor(ctx context.Context, t *probe.Target, u *login.User, c login.Credential, value string) (*spec.Operation, *wire.Exchange) {
	tried := 0
	for _, op := range t.API.Operations {
		s := t.Sample(op, u)
		if op.Method != "GET" || s == nil || tried >= 4 || explore.Dangerous(op) != "" {
			continue
		}
		tried++
		as := func(value string) *wire.Exchange {
			one := c
			one.Value = value
			r := s.Case.Request()
			r.Why = "AU-08"
			return t.Once(ctx, login.NewUser(u.Name, one), r)
		}
		if turnsAway(as(t.Marker() + "." + t.Marker() + "." + t.Marker())) {
			if ex := as(value); probe.Granted(ex) {
				return op, ex
			}
		}
	}
	return nil, nil
}
