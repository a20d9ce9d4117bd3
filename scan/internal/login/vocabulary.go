package login

import (
	"regexp"
	"slices"
	"strings"

	"github.com/fastness/fastness/scan/internal/spec"
)

var (
	logInText    = regexp.MustCompile(`(?i)log[-_ ]?in\b|log[-_]?in|sign[-_ ]?in|log[-_]?on\b|authenticat|(^|[/_. -])(auth|tokens?|sessions?|access[-_]?tokens?|jwt|obtain[-_ ]token|oauth2?)($|[/_. -])|createToken|createSession|getToken|connexion|anmeld`)
	registerText = regexp.MustCompile(`(?i)regist(er|ration)|sign[-_ ]?up|create[-_ ]?(user|account)|new[-_]?(user|account)|(user|account)[-_]?create|enrol|join\b`)
	// otherText is in operations that take passwords and are no log-in.
	otherText = regexp.MustCompile(`(?i)refresh|log-?_?out|sign-?_?out|revoke|reset|forgot|recover|change|update|verif|confirm|activat|delete|resend|introspect|validate|check|2fa|mfa|totp|webauthn|passkey`)
)

// The names of what stands for a user, and of passwords, as [plain] has them.
var (
	userNames = [...]string{"username", "user", "login", "email", "mail", "emailaddress", "useremail", "phone", "mobile", "phonenumber", "mobilenumber", "mobilephone",
		"telephone", "tel", "msisdn", "account", "accountname", "accountid", "identifier", "identity", "nick", "nickname", "handle", "userlogin", "loginid", "loginname",
		"userid", "uid", "usernameoremail", "emailorusername", "loginoremail", "principal", "name", "uname", "customerid", "customernumber", "id", "benutzername", "usuario", "utilisateur"}
	passwordNames = [...]string{"password", "passwd", "pass", "pwd", "passphrase", "passcode", "pin", "pincode", "pinnumber", "secret", "userpassword", "loginpassword",
		"plainpassword", "rawpassword", "passwort", "kennwort", "contrasena", "clave", "senha", "motdepasse", "mdp", "psw", "pw"}
)

// role is what a field of a log-in is for.
type role int

const (
	otherField role = iota
	userField
	passwordField
)

// roleOf says what a field is for by its name, and how sure that is: less is surer.
func roleOf(name, format, kind string) (role, int) {
	p := plain(name)
	if i := slices.Index(passwordNames[:], p); i >= 0 || strings.EqualFold(format, "password") || strings.EqualFold(kind, "password") || strings.Contains(p, "password") {
		return passwordField, max(0, i)
	}
	if i := slices.Index(userNames[:], p); i >= 0 {
		return userField, i
	}
	switch {
	case strings.EqualFold(format, "email"), strings.EqualFold(kind, "email"):
		return userField, 3
	case strings.HasSuffix(p, "username"), strings.HasSuffix(p, "email"), strings.HasSuffix(p, "login"):
		return userField, len(userNames)
	}
	return otherField, 0
}

// emailLike, phoneLike report what a field wants by its name.
func emailLike(name, format string) bool {
	return strings.EqualFold(format, "email") || strings.Contains(plain(name), "mail")
}

func phoneLike(name, format string) bool {
	p := plain(name)
	return strings.EqualFold(format, "phone") || strings.Contains(p, "phone") || strings.Contains(p, "mobile") || p == "tel" || p == "msisdn" || p == "telephone"
}

// field is a scalar that an operation takes.
type field struct {
	at       []string // the names on the way to it
	schema   *spec.Schema
	required bool
	role     role
	rank     int
}

func (f *field) name() string { return f.at[len(f.at)-1] }

// fieldsOf returns the fields of a schema.
func fieldsOf(s *spec.Schema) (fields []field) {
	collectFields(s, nil, true, 0, &fields)
	return fields
}

func collectFields(s *spec.Schema, at []string, required bool, depth int, fields *[]field) {
	if s == nil || depth > 3 {
		return
	}
	if len(s.Names) == 0 && len(s.Properties) == 0 {
		if len(s.AnyOf) > 0 {
			collectFields(s.AnyOf[0], at, required, depth+1, fields)
			return
		}
		if len(at) > 0 && !s.Is("object") && !s.ReadOnly {
			f := field{at: slices.Clone(at), schema: s, required: required}
			f.role, f.rank = roleOf(f.name(), s.Format, "")
			*fields = append(*fields, f)
		}
		return
	}
	for _, name := range s.Names {
		collectFields(s.Properties[name], append(slices.Clone(at), name), required && s.Requires(name), depth+1, fields)
	}
}

// chosen returns the field of a role that is the likeliest, or nil: a user may be named by
// several, of which the required ones count more.
func chosen(fields []field, r role) *field {
	var best *field
	for i := range fields {
		f := &fields[i]
		if f.role != r {
			continue
		}
		if best == nil || f.required && !best.required || f.required == best.required && f.rank < best.rank {
			best = f
		}
	}
	return best
}

// textOf is what names an operation, for people and programs.
func textOf(op *spec.Operation) string {
	return strings.Join([]string{op.Path, op.ID, op.Summary}, " ")
}

// registerRank says how much an operation looks like one that makes a user, 0 if it does
// not.
func registerRank(op *spec.Operation) int {
	if op.Method != "POST" && op.Method != "PUT" || strings.Contains(op.Path, "{") || otherText.MatchString(op.Path) {
		return 0
	}
	rank := 0
	switch {
	case registerText.MatchString(op.Path), registerText.MatchString(op.ID):
		rank += 60
	case usersPath.MatchString(op.Path):
		rank += 30
	case registerText.MatchString(op.Summary):
		rank += 20
	case logInText.MatchString(op.Path), logInText.MatchString(op.ID):
		return 0
	}
	fields, _, _ := inputsOf(op)
	if chosen(fields, passwordField) != nil {
		rank += 40
	}
	if chosen(fields, userField) != nil {
		rank += 10
	}
	if op.NeedsLogIn() {
		rank -= 30
	}
	if rank < 50 {
		return 0
	}
	return rank
}

// usersPath matches where users are.
var usersPath = regexp.MustCompile(`(?i)/(users?|accounts?|customers?|members?|clients?|people|persons?)(/create|/new|/add)?/?$`)
