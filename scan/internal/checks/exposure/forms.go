package exposure

import (
	"hash/crc32"
	"net/url"
	"regexp"
	"strings"
)

// Secrets that are known by their form.

// form is a way to write a secret.
type form struct {
	what string
	// holds are texts one of which has to be there: they are looked for first, because
	// that is quick.
	holds []string
	re    *regexp.Regexp
	// proof reports whether a text of this form is one for certain, or is nil.
	proof func(string) bool
}

// hashes are forms of password hashes.
func hashes() []form {
	f := func(what, hold, re string) form { return form{what, []string{hold}, regexp.MustCompile(re), nil} }
	return []form{
		f("a password hash (bcrypt)", "$2", `\$2[abxy]\$\d\d\$[./A-Za-z0-9]{53}`),
		f("a password hash (Argon2)", "$argon2", `\$argon2(?:id|i|d)\$(?:v=\d+\$)?m=\d+,t=\d+,p=\d+\$[A-Za-z0-9+/=_-]{8,}\$[A-Za-z0-9+/=_-]{16,}`),
		f("a password hash (scrypt)", "scrypt", `\$scrypt\$[A-Za-z0-9=,]+\$[A-Za-z0-9+/.=_-]{8,}\$[A-Za-z0-9+/.=_-]{16,}|\bscrypt:\d+:\d+:\d+\$[A-Za-z0-9]{4,}\$[0-9a-f]{32,}`),
		f("a password hash (PBKDF2)", "pbkdf2", `\bpbkdf2[_:-]sha(?:1|256|512)[:$]\d+\$[A-Za-z0-9./+=]{4,}\$[A-Za-z0-9./+=]{20,}|\$pbkdf2(?:-sha\d+)?\$\d+\$[A-Za-z0-9./+=]{4,}\$[A-Za-z0-9./+=]{20,}`),
		f("a password hash (crypt)", "$", `\$[156]\$(?:rounds=\d+\$)?[./A-Za-z0-9]{1,16}\$(?:[./A-Za-z0-9]{86}|[./A-Za-z0-9]{43}|[./A-Za-z0-9]{22})\b|\$apr1\$[./A-Za-z0-9]{1,8}\$[./A-Za-z0-9]{22}|\$[PH]\$[./A-Za-z0-9]{31}`),
		f("a password hash (LDAP)", "{S", `\{SSHA(?:256|512)?\}[A-Za-z0-9+/]{20,}={0,2}`),
	}
}

// keys are forms of keys of other services, and of private keys.
func keys() []form {
	return []form{
		{"a private key", []string{"PRIVATE KEY"}, regexp.MustCompile(`-----BEGIN (?:RSA |EC |DSA |OPENSSH |ENCRYPTED )?PRIVATE KEY-----(?:\\[nr]|\s)+[A-Za-z0-9+/=\s\\]{64,}`), nil},
		{"a token of GitHub", []string{"ghp_", "gho_", "ghu_", "ghs_", "ghr_"}, regexp.MustCompile(`\bgh[pousr]_[A-Za-z0-9]{36}\b`), checksummed},
		{"a token of npm", []string{"npm_"}, regexp.MustCompile(`\bnpm_[A-Za-z0-9]{36}\b`), checksummed},
		{"a token of GitLab", []string{"glpat-"}, regexp.MustCompile(`\bglpat-[A-Za-z0-9_-]{20,}`), varied},
		{"an access key of AWS", []string{"AKIA", "ASIA"}, regexp.MustCompile(`\b(?:AKIA|ASIA)[A-Z2-7]{16}\b`), varied},
		{"a live key of Stripe", []string{"_live_"}, regexp.MustCompile(`\b[sr]k_live_[0-9A-Za-z]{24,}`), varied},
		{"a token of Slack", []string{"xox"}, regexp.MustCompile(`\bxox[baprs]-\d{9,}-\d{9,}(?:-\d{9,})?-[A-Za-z0-9]{24,}`), varied},
		{"a webhook of Slack", []string{"hooks.slack.com"}, regexp.MustCompile(`https://hooks\.slack\.com/services/T[A-Z0-9]{8,}/B[A-Z0-9]{8,}/[A-Za-z0-9]{24}`), varied},
		{"a key of SendGrid", []string{"SG."}, regexp.MustCompile(`\bSG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}\b`), varied},
		{"a key of OpenAI", []string{"T3BlbkFJ"}, regexp.MustCompile(`\bsk-[A-Za-z0-9_-]{20,}T3BlbkFJ[A-Za-z0-9_-]{20,}`), nil},
		{"a key of Anthropic", []string{"sk-ant-"}, regexp.MustCompile(`\bsk-ant-[a-z]+\d\d-[A-Za-z0-9_-]{80,}AA\b`), nil},
		{"a token of PyPI", []string{"pypi-AgEIcHlwaS5vcmc"}, regexp.MustCompile(`\bpypi-AgEIcHlwaS5vcmc[A-Za-z0-9_-]{50,}`), nil},
		{"a key of Azure Storage", []string{"AccountKey="}, regexp.MustCompile(`AccountKey=[A-Za-z0-9+/]{86}==`), varied},
		{"the address of a database with its password", []string{"://"}, regexp.MustCompile(`\b(?:postgres(?:ql)?|mysql|mariadb|mongodb(?:\+srv)?|redis|rediss|amqps?|mssql|sqlserver)(?:\+\w+)?://[^\s:/@"'<>]*:[^\s/@"'<>]{3,}@[A-Za-z0-9_.\[\]:-]+`), password},
	}
}

// find returns the first text of a form that is in s, or "".
func (f form) find(s string) string {
	there := false
	for _, h := range f.holds {
		there = there || strings.Contains(s, h)
	}
	if !there {
		return ""
	}
	for _, found := range f.re.FindAllString(s, 20) {
		if f.proof == nil || f.proof(found) {
			return found
		}
	}
	return ""
}

// checksummed reports whether the last six characters are the CRC-32 of those before, in
// base 62, as GitHub and npm make their tokens.
func checksummed(token string) bool {
	_, text, _ := strings.Cut(token, "_")
	const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	want := []byte("000000")
	for i, n := 5, crc32.ChecksumIEEE([]byte(text[:len(text)-6])); n > 0 && i >= 0; i, n = i-1, n/62 {
		want[i] = digits[n%62]
	}
	return string(want) == text[len(text)-6:]
}

// varied reports whether a key is no example: those say so, or repeat few characters.
func varied(key string) bool {
	upper := strings.ToUpper(key)
	for _, word := range []string{"EXAMPLE", "XXXX", "YOUR", "PLACEHOLDER", "REDACTED", "00000000", "12345678", "ABCDEFGH"} {
		if strings.Contains(upper, word) {
			return false
		}
	}
	different := map[rune]bool{}
	for _, r := range key[len(key)/3:] {
		different[r] = true
	}
	return len(different) >= 8
}

// password reports whether the password of an address is a real one.
func password(address string) bool {
	_, rest, _ := strings.Cut(address, "://")
	login, _, _ := strings.Cut(rest, "@")
	_, word, _ := strings.Cut(login, ":")
	return !masked(word) && !strings.ContainsAny(word, "{$<%")
}

// masked reports whether a value hides a secret, or only says what would be there.
func masked(v string) bool {
	trimmed := strings.Trim(v, "*•xX#.-_ …·")
	if trimmed == "" {
		return true
	}
	switch strings.ToLower(trimmed) {
	case "redacted", "[redacted]", "<redacted>", "hidden", "masked", "null", "none", "nil", "undefined", "string", "text", "password", "passwd", "secret",
		"required", "optional", "true", "false", "changeit", "n/a", "unset", "set", "encrypted", "[filtered]", "filtered", "protected", "user", "hash", "token":
		return true
	}
	lower := strings.ToLower(v)
	for _, part := range []string{"****", "••••", "[redacted", "<redacted", "your-", "your_", "<your", "example", "placeholder", "${", "{{", "vault:", "arn:aws:secrets", "sops:", "enc["} {
		if strings.Contains(lower, part) {
			return true
		}
	}
	return false
}

// decoded undoes percent-encoding as far as there is any.
func decoded(s string) string {
	if plain, err := url.QueryUnescape(s); err == nil {
		return s + "\n" + plain
	}
	return s
}
