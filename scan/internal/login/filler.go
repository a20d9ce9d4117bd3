package login

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"

	"github.com/fastness/fastness/scan/internal/spec"
)

// filler fills the body of a registration, and learns from what the target says is wrong
// with it.
type filler struct {
	person *person
	fields []field
	rules  map[string]*rule // by the plain name of a field
	// forced is the password, if it is not to be made to fit.
	forced string
}

// rule is what the target said of a field.
type rule struct {
	drop     bool
	value    any // instead of another, if not nil
	min, max int
	charset  *regexp.Regexp // characters that must go
	tries    int
}

func newFiller(fields []field, p *person) *filler {
	f := &filler{person: p, rules: map[string]*rule{}}
	for _, one := range fields {
		if one.schema.ReadOnly || one.role == otherField && !one.required && !isConfirm(one.name()) {
			continue
		}
		if p := plain(one.name()); !one.required && slices.Contains([]string{"id", "userid", "uid"}, p) {
			continue
		}
		f.fields = append(f.fields, one)
	}
	if len(fields) == 0 {
		for _, name := range []string{"username", "email", "password"} {
			f.add(name)
		}
	}
	return f
}

// add adds a field that the document does not have.
func (f *filler) add(name string) {
	one := field{at: strings.Split(name, "."), schema: &spec.Schema{}, required: true}
	one.role, one.rank = roleOf(one.name(), "", "")
	f.fields = append(f.fields, one)
}

func (f *filler) rule(name string) *rule {
	r := f.rules[plain(name)]
	if r == nil {
		r = &rule{}
		f.rules[plain(name)] = r
	}
	return r
}

// body returns the body.
func (f *filler) body() map[string]any {
	doc := map[string]any{}
	f.person.extra = map[string]string{}
	for i := range f.fields {
		one := &f.fields[i]
		r := f.rule(one.name())
		if r.drop {
			continue
		}
		v := f.value(one, r)
		if f.forced != "" && (one.role == passwordField || isConfirm(one.name())) && !f.besidePassword(one) {
			v = f.forced
		}
		put(doc, one.at, v)
		if s, ok := v.(string); ok {
			f.note(one, s)
		} else if one.role != otherField {
			f.note(one, fmt.Sprint(v))
		}
	}
	return doc
}

// note keeps what was sent, for the log-in.
func (f *filler) note(one *field, v string) {
	switch {
	case isConfirm(one.name()):
	case one.role == passwordField && !f.besidePassword(one):
		f.person.password = v
	case emailLike(one.name(), one.schema.Format):
		f.person.email, f.person.extra["email"] = v, v
	case phoneLike(one.name(), one.schema.Format):
		f.person.phone, f.person.extra["phone"] = v, v
	case slices.Contains([]string{"username", "login", "user", "nickname", "handle", "userlogin", "loginname"}, plain(one.name())):
		f.person.username = v
	}
	if one.role != otherField {
		f.person.extra[one.name()] = v
	}
}

// besidePassword reports whether a field is a PIN that a password stands beside. Alone, a
// PIN is what the log-in asks for.
func (f *filler) besidePassword(one *field) bool {
	return isPIN(one.name()) && slices.ContainsFunc(f.fields, func(other field) bool { return other.role == passwordField && !isPIN(other.name()) })
}

func isPIN(name string) bool { return strings.HasPrefix(plain(name), "pin") }

func isConfirm(name string) bool {
	p := plain(name)
	return strings.Contains(p, "pass") && (strings.Contains(p, "conf") || strings.Contains(p, "repeat") || strings.Contains(p, "again") || strings.Contains(p, "retype") || strings.HasSuffix(p, "2"))
}

// value returns what a field holds.
func (f *filler) value(one *field, r *rule) any {
	if r.value != nil {
		return r.value
	}
	s := one.schema
	text, ok := f.identity(one)
	switch {
	case !ok && len(s.Enum) > 0:
		return harmless(s.Enum)
	case s.Is("boolean"):
		return agrees(one.name())
	case s.Is("integer"), s.Is("number"):
		return number(s)
	case s.Is("array"):
		return []any{}
	case s.Is("object") && !s.Is("string"):
		return map[string]any{}
	case !ok && s.Default != nil:
		return s.Default
	case !ok && len(s.Examples) > 0 && one.role == otherField:
		return s.Examples[0]
	case !ok:
		text = f.text(one)
	}
	return f.fit(text, one, r)
}

// identity returns the value of a field that is part of who somebody is.
func (f *filler) identity(one *field) (string, bool) {
	p := plain(one.name())
	switch {
	case isPIN(p):
		return "4826", true
	case one.role == passwordField:
		return f.person.password, true
	case emailLike(one.name(), one.schema.Format):
		return f.person.email, true
	case phoneLike(one.name(), one.schema.Format):
		return f.person.phone, true
	case p == "name", strings.HasSuffix(p, "fullname"), p == "displayname":
		if chosen := chosen(f.fields, userField); chosen != nil && chosen.name() == one.name() {
			return f.person.username, true
		}
		return f.person.name, true
	case one.role == userField:
		return f.person.username, true
	}
	return "", false
}

// text returns the value of any other text.
func (f *filler) text(one *field) string {
	p := plain(one.name())
	switch one.schema.Format {
	case "date":
		return "1990-01-15"
	case "date-time":
		return "1990-01-15T10:00:00Z"
	case "uri", "url":
		return "https://example.com/"
	case "uuid":
		return "6f1d3c52-9a77-4e0b-8f3e-0b9d2c4a7e11"
	}
	for _, known := range [...][2]string{{"first", "Fz"}, {"last", "Scan"}, {"surname", "Scan"}, {"birth", "1990-01-15"}, {"dob", "1990-01-15"}, {"country", "US"}, {"zip", "10115"},
		{"postal", "10115"}, {"postcode", "10115"}, {"city", "Berlin"}, {"street", "Street 1"}, {"address", "Street 1"}, {"url", "https://example.com/"}, {"website", "https://example.com/"},
		{"gender", "other"}, {"lang", "en"}, {"locale", "en"}, {"currency", "EUR"}, {"role", "user"}, {"age", "30"}, {"date", "1990-01-15"}} {
		if strings.Contains(p, known[0]) {
			return known[1]
		}
	}
	return f.person.name
}

// fit makes a text as long as it must be, and of the characters that it may have.
func (f *filler) fit(text string, one *field, r *rule) string {
	if r.charset != nil {
		text = r.charset.ReplaceAllString(text, "")
	}
	least, most := r.min, math.MaxInt
	if one.schema.MinLength != nil {
		least = max(least, *one.schema.MinLength)
	}
	if one.schema.MaxLength != nil {
		most = *one.schema.MaxLength
	}
	if r.max > 0 {
		most = min(most, r.max)
	}
	for len(text) < least && len(text) < 1000 {
		text = lengthen(text)
	}
	if len(text) > most && most > 0 {
		text = shorten(text, most)
	}
	if one.schema.Pattern == "" {
		return text
	}
	expr, err := regexp.Compile(one.schema.Pattern)
	if err != nil || expr.MatchString(text) {
		return text
	}
	plainText := regexp.MustCompile(`[^A-Za-z0-9]`).ReplaceAllString(text, "")
	digits := regexp.MustCompile(`[^0-9]`).ReplaceAllString(text+"15551234567", "")
	for _, other := range []string{plainText, strings.ToLower(plainText), strings.ToUpper(plainText), digits, "+" + digits, digits[:4], digits[:min(len(digits), 6)], digits[:10], "Fz", "fz", "555-123-4567", "US", "10115"} {
		if expr.MatchString(other) && len(other) >= least && len(other) <= most {
			return other
		}
	}
	return text
}

// lengthen keeps the end of an e-mail address.
func lengthen(text string) string {
	if local, domain, ok := strings.Cut(text, "@"); ok {
		return local + "x@" + domain
	}
	return text + "x7"
}

// shorten keeps the beginning and the end, which is what differs, and of an e-mail address its domain.
func shorten(text string, most int) string {
	if local, domain, ok := strings.Cut(text, "@"); ok && most > len(domain)+1 {
		return local[max(0, len(local)-(most-len(domain)-1)):] + "@" + domain
	}
	if most > 4 {
		return text[:2] + text[len(text)-most+2:]
	}
	return text[len(text)-most:]
}

func number(s *spec.Schema) any {
	n := 30.0
	if s.Minimum != nil && n < *s.Minimum {
		n = *s.Minimum + 1
	}
	if s.Maximum != nil && n > *s.Maximum {
		n = *s.Maximum
	}
	return int64(n)
}

// agrees answers a yes-or-no question: to terms it says yes.
func agrees(name string) bool {
	p := plain(name)
	return slices.ContainsFunc([]string{"term", "agree", "accept", "consent", "tos", "privacy", "active", "enabled"}, func(part string) bool { return strings.Contains(p, part) })
}

// harmless returns a value that gives no rights.
func harmless(enum []any) any {
	for _, v := range enum {
		if s := strings.ToLower(fmt.Sprint(v)); !strings.Contains(s, "admin") && !strings.Contains(s, "root") && !strings.Contains(s, "staff") && v != nil {
			return v
		}
	}
	return enum[0]
}
