package token

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"hash"
	"maps"
	"strings"

	"github.com/fastness/fastness/scan/internal/login"
)

// jwt is a signed token (RFC 7519), taken apart and not verified.
type jwt struct {
	head, claims map[string]any
	raw          [3]string // as they were, between the dots
}

// maxToken is how long a token may be that is looked at.
const maxToken = 16 << 10

// parse takes a token apart. What is none is false: tokens may be anything.
func parse(text string) (t jwt, ok bool) {
	parts := strings.Split(text, ".")
	if len(parts) != 3 || len(text) > maxToken {
		return t, false
	}
	copy(t.raw[:], parts)
	t.head, t.claims = decodePart(parts[0]), decodePart(parts[1])
	_, hasAlg := t.head["alg"].(string)
	return t, hasAlg && t.claims != nil
}

func decodePart(part string) (m map[string]any) {
	text, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(part, "="))
	if err != nil {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if d.Decode(&m) != nil {
		return nil
	}
	return m
}

func (t jwt) alg() string { s, _ := t.head["alg"].(string); return s }

// signed is what the signature is of.
func (t jwt) signed() string { return t.raw[0] + "." + t.raw[1] }

// broken is the token with another signature of the same length. The end stays: its last
// bits may mean nothing.
func (t jwt) broken() string {
	signature := []byte(t.raw[2])
	for i := range signature[:min(len(signature), 12)] {
		if signature[i] == 'A' {
			signature[i] = 'B'
		} else {
			signature[i] = 'A'
		}
	}
	return t.signed() + "." + string(signature)
}

// with returns copies of head and claims with other members; nil removes one.
func with(m map[string]any, changes map[string]any) map[string]any {
	m = maps.Clone(m)
	for name, v := range changes {
		if v == nil {
			delete(m, name)
		} else {
			m[name] = v
		}
	}
	return m
}

// unsigned returns a token up to its signature.
func unsigned(head, claims map[string]any) string { return encodePart(head) + "." + encodePart(claims) }

func encodePart(m map[string]any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(m) // It was decoded from JSON, or holds texts and numbers.
	return base64.RawURLEncoding.EncodeToString(bytes.TrimRight(b.Bytes(), "\n"))
}

// hashOf returns the hash of an HMAC algorithm (RFC 7518, section 3.2), or nil.
func hashOf(alg string) func() hash.Hash {
	switch alg {
	case "HS256":
		return sha256.New
	case "HS384":
		return sha512.New384
	case "HS512":
		return sha512.New
	}
	return nil
}

// mac signs with a secret.
func mac(alg string, secret []byte, text string) string {
	m := hmac.New(hashOf(alg), secret)
	m.Write([]byte(text))
	return text + "." + base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}

// bearer is a user whose requests carry a JWT.
type bearer struct {
	user       *login.User
	credential login.Credential
	rest       []login.Credential // guards
	token      jwt
}

// bearerOf returns the token of a user, or false.
func bearerOf(u *login.User) (b bearer, ok bool) {
	for _, c := range u.Credentials() {
		if t, is := parse(c.Value); is && !ok {
			b, ok = bearer{user: u, credential: c, token: t}, true
		} else if c.Guard {
			b.rest = append(b.rest, c)
		}
	}
	return b, ok
}

// as returns the user with another token and nothing else that says who it is. Nobody
// logs it in again.
func (b bearer) as(token string) *login.User {
	c := b.credential
	c.Value = token
	u := login.NewUser(b.user.Name, append([]login.Credential{c}, b.rest...)...)
	u.Hide(b.user.Secrets()...)
	return u
}

// parameter says where the token is.
func (b bearer) parameter() string { return b.credential.In + " " + b.credential.Name }
