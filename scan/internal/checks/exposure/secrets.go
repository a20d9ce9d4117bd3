package exposure

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/internal/check"
	"github.com/fastness/fastness/scan/internal/login"
	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/wire"
)

// secretsInAnswers looks for secrets in what the target answers when nobody attacks it.
func secretsInAnswers() check.Check {
	kind := kindSecrets()
	d := &secretDetector{once: newOnce(), forms: slices.Concat(hashes(), keys())}
	return check.Check{Kind: kind, Phase: check.Passive, Look: func(t *probe.Target, ex *wire.Exchange, report check.Report) {
		if len(ex.Body) == 0 || !ex.OK() || attacks(ex) || guessed(ex) || isScript(ex) || isDocument(ex) {
			return
		}
		if !d.once.first(ex.Request.User, ex.Request.Method, ex.Request.Path, head(ex)) {
			return
		}
		found := d.secrets(t, ex)
		if len(found) == 0 {
			return
		}
		worst, names, says := found[0], "", ""
		for i, s := range found {
			if s.severity > worst.severity {
				worst = s
			}
			names += s.what + " " + lastName(s.name) + "\n"
			says += []string{"", " and "}[min(i, 1)] + s.what + s.where()
		}
		report(check.Claim{
			Place: place(t, ex, ""), Cause: names, Severity: as(worst.severity), // The same members elsewhere are the same mistake.
			Says: "the answer to " + who(ex) + " holds " + says, Control: worst.control,
			Evidence: []finding.Evidence{evidence("it is in the answer", ex)},
		})
	}}
}

// secret is one that an answer holds.
type secret struct {
	what, name, control string
	severity            finding.Severity
}

func (s secret) where() string {
	if s.name == "" {
		return ""
	}
	return ", in " + s.name
}

type secretDetector struct {
	once  *once
	forms []form
}

func who(ex *wire.Exchange) string {
	if ex.Request.User == "" {
		return "anybody"
	}
	return ex.Request.User
}

// secrets returns those in an answer, one of each kind.
func (d *secretDetector) secrets(t *probe.Target, ex *wire.Exchange) (out []secret) {
	add := func(s secret) {
		if !slices.ContainsFunc(out, func(have secret) bool { return strings.HasPrefix(have.what, s.what) }) {
			out = append(out, s)
		}
	}
	body := head(ex)
	for _, f := range d.forms {
		if found := f.find(body); found != "" && !sent(ex, found) {
			add(secret{what: f.what, name: nameOf(ex, found), severity: finding.High, control: "the form of the value leaves no other reading, and the request does not have it"})
		}
	}
	for _, u := range t.Users {
		word := u.Known["password"]
		if len(word) < 6 || !strings.Contains(body, word) {
			continue
		}
		switch {
		case !sent(ex, word):
			add(secret{what: "the password of " + u.Name + " as it is", name: nameOf(ex, word), severity: finding.High, control: "the scan knows the password, and the request does not have it: it is stored readable"})
		case echoed(ex, word):
			add(secret{what: "the password that was sent", name: nameOf(ex, word), severity: finding.Medium, control: "the member that has it is named after a password, and other fields are not all repeated as they came"})
		}
	}
	if v, ok := probe.Decode(ex); ok {
		d.walk(t, ex, v, "", nil, add, 0)
	} else if name, ok := environment(body); ok && isDocumented(t, ex) {
		add(secret{what: "secrets of the environment", name: name, severity: finding.High, control: "several settings stand in the form NAME=value, and the value is not masked"})
	}
	return out
}

// walk looks at members by their names.
func (d *secretDetector) walk(t *probe.Target, ex *wire.Exchange, v any, at string, around map[string]any, add func(secret), depth int) {
	if depth > 12 {
		return
	}
	switch v := v.(type) {
	case map[string]any:
		for _, name := range sortedNames(v) {
			d.walk(t, ex, v[name], at+"/"+name, v, add, depth+1)
		}
	case []any:
		for _, e := range v[:min(len(v), 50)] {
			d.walk(t, ex, e, at, around, add, depth+1)
		}
	case string:
		if around == nil || v == "" || masked(v) || sent(ex, v) || len(v) > 4000 || markerForm.MatchString(v) && ex.Request.User != "" && !strings.Contains(plain(lastName(at)), "password") {
			return
		}
		if s, ok := named(t, ex, lastName(at), v, around); ok {
			s.name = strings.TrimPrefix(at, "/")
			add(s)
		}
	}
}

// markerForm is that of texts that the scan makes up.
var markerForm = regexp.MustCompile(`fz[0-9a-f]{20}`)

// settingName is how programs call a secret of their environment.
var settingName = regexp.MustCompile(`^[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*$`)

// named returns what a member is, by its name, its value and what stands beside it.
func named(t *probe.Target, ex *wire.Exchange, name, v string, around map[string]any) (secret, bool) {
	p := plain(name)
	switch {
	case isDocumented(t, ex) && settingName.MatchString(name) && strings.Contains(name, "_") && isSecretWord(p) && !strings.ContainsAny(v, " \t"):
		return secret{what: "secrets of the environment", severity: finding.High, control: "the member is named as settings are, and its value is not masked"}, true
	case isHashName(p) && digestForm.MatchString(v):
		return secret{what: "a password hash", severity: finding.High, control: "the member is named after one, and its value is a digest that is not in the request"}, true
	case isPasswordName(p) && !strings.ContainsAny(v, " \t\n") && len(v) <= 200 && ofSomebody(t, around, p):
		return secret{what: "a password", severity: finding.High, control: "it stands beside the name of a user, is not masked, and is not in the request"}, true
	case isResetName(p) && ex.Request.User == "" && ex.Request.Method == "POST" && secretLike(v, 4):
		return secret{what: "the code that proves who is asking", severity: finding.High, control: "nobody is logged in, and the answer has what should have gone to the owner of the account only"}, true
	case isKeyName(p) && ex.Request.Method == "GET" && secretLike(v, 16) && !givesKeys(ex.Request.Path) && personal(t, around):
		return secret{what: "an API key or secret", severity: finding.Medium, control: "reading asks for no key: it stands among other members, is not masked, and is not in the request"}, true
	}
	return secret{}, false
}

// digestForm is a digest in hexadecimal or base64, or one in the forms of [hashes].
var digestForm = regexp.MustCompile(`^(?:[0-9a-fA-F]{32,128}|[A-Za-z0-9+/_-]{27,88}={0,2}|[^\s]*\$[^\s]{20,}|\{[A-Z0-9]+\}[^\s]{16,}|sha\d+[:$][^\s]{16,})$`)

func isSecretWord(p string) bool {
	for _, w := range []string{"secret", "password", "passwd", "privatekey", "apikey", "accesskey", "authtoken", "accesstoken", "credential", "signingkey", "encryptionkey", "masterkey"} {
		if strings.Contains(p, w) {
			return !strings.HasSuffix(p, "url") && !strings.HasSuffix(p, "file") && !strings.HasSuffix(p, "path") && !strings.HasSuffix(p, "length") && !strings.HasSuffix(p, "policy") && !strings.HasSuffix(p, "name")
		}
	}
	return false
}

func isHashName(p string) bool {
	return strings.Contains(p, "hash") && (strings.Contains(p, "pass") || strings.Contains(p, "pwd") || strings.Contains(p, "pw")) ||
		p == "hashedpassword" || p == "encryptedpassword" || p == "passworddigest" || p == "passwordsalt" || p == "encodedpassword" || isPasswordName(p)
}

func isPasswordName(p string) bool {
	switch p {
	case "password", "passwd", "pwd", "pass", "userpassword", "plainpassword", "passphrase", "passcode", "temppassword", "temporarypassword", "initialpassword", "dbpassword", "rawpassword", "oldpassword", "currentpassword", "passwordplain", "clearpassword", "secretanswer", "securityanswer":
		return true
	}
	return false
}

func isResetName(p string) bool {
	switch p {
	case "resettoken", "passwordresettoken", "resetcode", "otp", "otpcode", "onetimepassword", "verificationcode", "verificationtoken", "confirmationcode", "resetpasswordtoken", "resetlink", "reseturl", "mfacode", "smscode", "recoverycode", "pincode":
		return true
	}
	return false
}

func isKeyName(p string) bool {
	switch p {
	case "apikey", "apisecret", "secretkey", "privatekey", "clientsecret", "accesskey", "secretaccesskey", "jwtsecret", "signingkey", "encryptionkey", "masterkey", "totpsecret", "mfasecret", "otpsecret", "twofactorsecret", "resettoken", "passwordresettoken", "rememberToken", "remembertoken", "sessiontoken", "authtoken", "webhooksecret", "sharedsecret":
		return true
	}
	return false
}

// givesKeys reports whether to hand out keys is what a path is for.
func givesKeys(path string) bool {
	path = strings.ToLower(path)
	for _, w := range []string{"key", "token", "secret", "credential", "2fa", "mfa", "totp", "setup", "enroll", "webhook", "invite", "client", "app/", "apps", "application", "integration", "csrf", "captcha", "oauth", "session", "login", "auth", "share", "license"} {
		if strings.Contains(path, w) {
			return true
		}
	}
	return false
}

// secretLike reports whether a value looks like nothing that a person would write.
func secretLike(v string, least int) bool {
	return len(v) >= least && !strings.ContainsAny(v, " \t\n<>") && strings.ContainsAny(v, "0123456789-_.=") || len(v) >= 24 && !strings.ContainsAny(v, " \t\n<>/")
}

// ofSomebody reports whether an object is an account: beside the password it has an
// identity that looks like one. Texts of a form ("password": "Passwort") have none.
func ofSomebody(t *probe.Target, around map[string]any, own string) bool {
	for name, v := range around {
		p, text := plain(name), probe.Text(v)
		if p == own || text == "" {
			continue
		}
		if strings.Contains(text, "@") && strings.Contains(text, ".") && strings.Contains(p, "mail") {
			return true
		}
		switch p {
		case "id", "userid", "uid", "uuid", "accountid":
			if _, err := strconv.Atoi(text); err == nil || len(text) >= 20 {
				return true
			}
		case "username", "login", "user", "name", "account", "host", "database", "dbname":
			if p == "host" || p == "database" || p == "dbname" || isKnown(t, text) {
				return true
			}
		case "role", "admin", "isadmin", "createdat", "balance":
			return true
		}
	}
	return false
}

// personal reports whether what stands around is an account or a configuration, not the
// key itself as it is handed out.
func personal(t *probe.Target, around map[string]any) bool {
	return len(around) >= 3 && ofSomebody(t, around, "")
}

func isKnown(t *probe.Target, text string) bool {
	return slices.ContainsFunc(t.Users, func(u *login.User) bool {
		return u.Known["username"] == text || u.Known["email"] == text || u.Name == text
	})
}

// echoed reports whether a member that is named after a password has it.
func echoed(ex *wire.Exchange, word string) bool {
	leaves := probe.Leaves(ex)
	for _, leaf := range leaves {
		if leaf.Text() == word && isPasswordName(plain(leaf.Name())) && !strings.Contains(leaf.Pointer, "input") && !strings.Contains(leaf.Pointer, "request") {
			return len(leaves) > 1
		}
	}
	return false
}

// isDocumented reports whether the document names the operation. What it does not name, and
// has settings in it, is for developers: see IV-04.
func isDocumented(t *probe.Target, ex *wire.Exchange) bool {
	op := operation(t, ex)
	return op != nil && op.Found == ""
}

// setting is a line of a file with settings.
var setting = regexp.MustCompile(`(?m)^(?:export )?([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)\s*[=:]\s*["']?([^\s"'#]{3,})`)

// environment reports whether a text is a list of settings with a secret among them.
func environment(body string) (name string, ok bool) {
	lines := setting.FindAllStringSubmatch(body, 200)
	for _, l := range lines {
		if isSecretWord(plain(l[1])) && !masked(l[2]) {
			return l[1], len(lines) >= 2
		}
	}
	return "", false
}

// nameOf returns the member that has a text, or "".
func nameOf(ex *wire.Exchange, text string) string {
	for _, leaf := range probe.Leaves(ex) {
		if strings.Contains(leaf.Text(), text) {
			return strings.TrimPrefix(leaf.Pointer, "/")
		}
	}
	return ""
}

func lastName(pointer string) string { return pointer[strings.LastIndexByte(pointer, '/')+1:] }

func sortedNames(m map[string]any) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// isScript reports whether an answer is a script or a page; see INFO-02.
func isScript(ex *wire.Exchange) bool {
	return strings.Contains(ex.Media(), "javascript") || ex.Media() == "text/html" || strings.HasSuffix(ex.Request.Path, ".js")
}

// isDocument reports whether an answer is the description of an API.
func isDocument(ex *wire.Exchange) bool {
	start := string(ex.Body[:min(len(ex.Body), 4000)])
	return ex.Request.Why == "document" || strings.Contains(start, `"openapi"`) || strings.Contains(start, `"swagger"`) || strings.HasPrefix(start, "openapi:") || strings.HasPrefix(start, "swagger:") || strings.Contains(fmt.Sprint(ex.Request.Path), "openapi.")
}
