package exposure

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/internal/check"
	"github.com/fastness/fastness/scan/internal/login"
	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/internal/spec"
	"github.com/fastness/fastness/scan/wire"
)

// undeclared compares the members of answers with the document.
func undeclared() check.Check {
	return check.Check{Kind: kindUndeclared(), Phase: check.Passive, Run: func(_ context.Context, t *probe.Target, report check.Report) error {
		for _, op := range t.API.Operations {
			for _, s := range samples(t, op) {
				if claim, found := moreThanDeclared(op, s.Exchange, s.User); found {
					report(claim)
					break
				}
			}
		}
		return nil
	}}
}

// samples are those of an operation of the document, of everybody who is no admin first.
func samples(t *probe.Target, op *spec.Operation) (out []*probe.Sample) {
	if op.Found != "" {
		return nil
	}
	for _, u := range slices.Concat([]*login.User{nil}, t.Ordinary(), t.Admins()) {
		if s := t.Sample(op, u); s != nil && s.Exchange != nil {
			out = append(out, s)
		}
	}
	return out
}

func moreThanDeclared(op *spec.Operation, ex *wire.Exchange, user *login.User) (claim check.Claim, found bool) {
	schema := declared(op, ex)
	v, ok := probe.Decode(ex)
	if schema == nil || !ok {
		return claim, false
	}
	extra := map[string]bool{}
	collect(schema, v, "", extra, 0)
	var secret, plainOnes []string
	for _, at := range slices.Sorted(maps.Keys(extra)) {
		if telling(plain(lastName(at))) {
			secret = append(secret, strings.TrimPrefix(at, "/"))
		} else {
			plainOnes = append(plainOnes, strings.TrimPrefix(at, "/"))
		}
	}
	if len(extra) == 0 {
		return claim, false
	}
	claim = check.Claim{
		Place: probe.PlaceOf(op, "", user.Called()), Cause: "more than is declared", Severity: as(finding.Info),
		Says:     "answers have members that the document does not declare: " + cut(strings.Join(plainOnes, ", "), 150),
		Control:  "the document declares the members of this answer, and these are not among them",
		Evidence: []finding.Evidence{evidence("the answer has them", ex)},
	}
	if len(secret) > 0 {
		claim.Cause, claim.Severity = strings.Join(lasts(secret), " "), as(finding.Medium) // The same members elsewhere are the same mistake.
		claim.Says = fmt.Sprintf("the answer to %s has members that the document does not declare, and that by their names are not for callers: %s", user.Called(), cut(strings.Join(secret, ", "), 150))
	}
	return claim, true
}

// lasts are the names of members without what they are part of.
func lasts(pointers []string) (out []string) {
	for _, at := range pointers {
		out = append(out, lastName("/"+at))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// declared returns the schema of an answer, if it says which members there are.
func declared(op *spec.Operation, ex *wire.Exchange) *spec.Schema {
	a := op.Answer(ex.Status)
	if a == nil {
		return nil
	}
	for _, m := range a.Media {
		if m.Type == ex.Media() || strings.HasSuffix(m.Type, "json") && ex.IsJSON() {
			return m.Schema
		}
	}
	return nil
}

// collect notes the members that a schema does not have.
func collect(s *spec.Schema, v any, at string, extra map[string]bool, depth int) {
	if s == nil || depth > 8 || len(extra) > 40 {
		return
	}
	switch v := v.(type) {
	case map[string]any:
		if len(s.Properties) == 0 && len(s.AnyOf) == 0 || s.Additional != nil {
			for name, p := range s.Properties {
				collect(p, v[name], at+"/"+name, extra, depth+1)
			}
			return
		}
		for name, e := range v {
			p := s.Property(name)
			if p == nil {
				if e != nil {
					extra[at+"/"+name] = true
				}
				continue
			}
			collect(p, e, at+"/"+name, extra, depth+1)
		}
	case []any:
		for _, e := range v[:min(len(v), 20)] {
			collect(s.Items, e, at, extra, depth+1)
		}
	}
}

// telling reports whether a name is of what is for the owner of the data, or for the
// program, only.
func telling(p string) bool {
	for _, part := range []string{"password", "passwd", "hash", "salt", "secret", "token", "apikey", "privatekey", "ssn", "socialsecurity", "cardnumber", "cvv", "iban", "internal", "cost", "margin", "supplier", "wholesale", "purchaseprice", "markup", "profit", "salary", "birthdate", "dateofbirth", "ipaddress", "lastip", "isadmin", "isstaff", "issuperuser", "fraud", "riskscore", "creditscore", "adminnote", "stafnote", "privatenote", "debug", "diagnosis"} {
		if strings.Contains(p, part) {
			return true
		}
	}
	switch p {
	case "email", "phone", "dob", "homeaddress", "address", "balance", "pin", "otp", "mfa", "notes", "flags", "sql", "query", "stack", "trace":
		return p != "address" && p != "notes" && p != "flags" && p != "query"
	}
	return false
}
