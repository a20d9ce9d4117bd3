package exposure

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/internal/check"
	"github.com/fastness/fastness/scan/internal/login"
	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/internal/spec"
	"github.com/fastness/fastness/scan/wire"
)

// personalData looks for addresses and numbers of users in what others and strangers read,
// and for payment cards in what anybody does.
func personalData() check.Check {
	kind := kindPersonal()
	once := newOnce()
	return check.Check{
		Kind: kind, Phase: check.Read,
		Look: func(t *probe.Target, ex *wire.Exchange, report check.Report) {
			if !ex.OK() || len(ex.Body) == 0 || attacks(ex) || guessed(ex) || !once.first(ex.Request.Path, head(ex)) {
				return
			}
			v, ok := probe.Decode(ex)
			if !ok {
				return
			}
			if number, ok := card(v, 0); ok && !sent(ex, number) {
				at := place(t, ex, "")
				report(check.Claim{
					Place: at, Cause: "card " + at.String(), Says: "the answer to " + who(ex) + " holds the number of a payment card with its security code",
					Control:  "the check digit of the number is right, a security code stands beside it, and the request has neither",
					Evidence: []finding.Evidence{evidence("it is in the answer", ex)},
				})
			}
		},
		Run: func(ctx context.Context, t *probe.Target, report check.Report) error {
			for _, op := range t.API.Operations {
				if op.Method == http.MethodGet && ctx.Err() == nil && t.Held(op) == "" {
					showsOthers(ctx, t, op, kind.ID, report)
				}
			}
			return ctx.Err()
		},
	}
}

// showsOthers asks as each ordinary user, and as nobody, for what all of them have read.
func showsOthers(ctx context.Context, t *probe.Target, op *spec.Operation, why string, report check.Report) {
	var asked []string
	for _, of := range append(t.Ordinary(), nil) {
		s := t.Sample(op, of)
		if s == nil || namesUser(t, s.Case) {
			continue
		}
		r := s.Case.Request()
		if slices.Contains(asked, r.Target()) || len(asked) >= 3 {
			continue
		}
		asked = append(asked, r.Target())
		for _, viewer := range append([]*login.User{nil}, t.Ordinary()...) {
			ex := t.Send(ctx, viewer, s.Case, why)
			owner, leaf, ok := othersData(t, ex, viewer)
			if !ok {
				continue
			}
			severity, reader := finding.Medium, viewer.Called()
			if viewer == nil {
				severity, reader = finding.High, "anybody"
			}
			report(check.Claim{
				Place: probe.PlaceOf(op, "", viewer.Called()+" as "+owner.Name), Cause: op.ID, Severity: as(severity),
				Says:     fmt.Sprintf("%s reads what belongs to %s: %s", reader, owner.Name, strings.TrimPrefix(leaf.Pointer, "/")),
				Control:  "the value is that of " + owner.Name + " for certain, the request names neither it nor " + owner.Name + ", and the member is not named as a public contact",
				Evidence: []finding.Evidence{evidence("it is in the answer to "+reader, ex)},
			})
			return
		}
	}
}

// namesUser reports whether a request names a user, or something that is private: whether
// others may ask for that is for the checks of access to say.
func namesUser(t *probe.Target, c *probe.Case) bool {
	for _, p := range c.Points() {
		text := probe.Text(p.Value)
		if text == "" {
			continue
		}
		for _, u := range t.Users {
			for kind, known := range u.Known {
				if known == text && (kind != "id" && len(text) >= 3 || len(text) >= 8 || userLike(p.Last()) || userLike(before(c.Op.Path, p.Name))) {
					return true
				}
			}
		}
		for _, o := range t.Objects(nil) {
			if p.In == "path" && probe.Text(o.ID) == text && o.Private() && o.Owner != nil && strings.Contains(plain(before(c.Op.Path, p.Name)), plain(o.Resource)) {
				return true
			}
		}
	}
	return false
}

func userLike(name string) bool {
	p := plain(name)
	for _, w := range []string{"user", "account", "owner", "customer", "member", "author", "person", "profile"} {
		if strings.Contains(p, w) {
			return true
		}
	}
	return false
}

// before returns the segment of a path template that stands before a parameter.
func before(path, param string) string {
	prefix, _, _ := strings.Cut(path, "{"+param)
	parts := strings.Split(strings.Trim(prefix, "/"), "/")
	return parts[len(parts)-1]
}

// othersData returns a value of an answer that belongs to another user than the one who
// reads it.
func othersData(t *probe.Target, ex *wire.Exchange, viewer *login.User) (owner *login.User, leaf probe.Leaf, ok bool) {
	if !probe.Granted(ex) {
		return nil, leaf, false
	}
	for _, leaf := range probe.Leaves(ex) {
		text := leaf.Text()
		if len(text) < 6 || public(leaf) {
			continue
		}
		for _, u := range t.Users {
			if u == viewer || u.Admin {
				continue
			}
			for _, kind := range []string{"email", "phone"} {
				if u.Known[kind] == text && (viewer == nil || viewer.Known[kind] != text) && u.Known["username"] != text && !sent(ex, text) {
					return u, leaf, true
				}
			}
		}
	}
	return nil, leaf, false
}

// public reports whether a member is meant to be seen by all.
func public(leaf probe.Leaf) bool {
	p := plain(leaf.Pointer)
	for _, w := range []string{"contact", "support", "public", "business", "office", "helpdesk"} {
		if strings.Contains(p, w) {
			return true
		}
	}
	return false
}

// card returns the number of a payment card that has a security code beside it.
func card(v any, depth int) (number string, ok bool) {
	switch v := v.(type) {
	case map[string]any:
		code := false
		for _, name := range sortedNames(v) {
			text := probe.Text(v[name])
			switch plain(name) {
			case "cvv", "cvc", "cvv2", "cvc2", "securitycode", "cardcvv", "cardcvc", "cardsecuritycode":
				code = len(text) >= 3 && len(text) <= 4 && strings.Trim(text, "0123456789") == ""
			default:
				if digits := strings.NewReplacer(" ", "", "-", "").Replace(text); luhn(digits) {
					number = text
				}
			}
		}
		if code && number != "" {
			return number, true
		}
		for _, name := range sortedNames(v) {
			if found, ok := card(v[name], depth+1); ok && depth < 12 {
				return found, true
			}
		}
	case []any:
		for _, e := range v[:min(len(v), 50)] {
			if found, ok := card(e, depth+1); ok && depth < 12 {
				return found, true
			}
		}
	}
	return "", false
}

// luhn reports whether a text is a number of 13 to 19 digits whose check digit is right
// (ISO/IEC 7812-1).
func luhn(digits string) bool {
	if len(digits) < 13 || len(digits) > 19 || strings.Trim(digits, "0") == "" {
		return false
	}
	sum := 0
	for i := range len(digits) {
		d := int(digits[len(digits)-1-i]) - '0'
		if d < 0 || d > 9 {
			return false
		}
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0
}
