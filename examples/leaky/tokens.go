package main

import (
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Tokens are made and read by hand: there was no time to look for a library.

type tokenHead struct {
	Alg string `json:"alg"`
	Typ string `json:"typ"`
	KID string `json:"kid"`
}

type tokenClaims struct {
	Sub      int64  `json:"sub"`
	Name     string `json:"name"`
	Role     string `json:"role"`
	Issuer   string `json:"iss"`
	Audience string `json:"aud"`
	Expires  int64  `json:"exp"`
}

// makeKeys writes the keys of tokens: ours, and that of the partner who sells for us.
func makeKeys(folder string) error {
	// FLAW LK-26 (JW-03, API2:2023, CWE-326): the secret of all tokens is in every list of passwords
	if err := os.WriteFile(filepath.Join(folder, "default.key"), []byte("secret123"), 0o600); err != nil {
		return err
	}
	partner, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	public, err := x509.MarshalPKIXPublicKey(&partner.PublicKey)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, "partner.pem"), pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}), 0o600)
}

func encodePart(v any) string {
	data, err := json.Marshal(v)
	must(err)
	return base64.RawURLEncoding.EncodeToString(data)
}

func decodePart(part string, v any) bool {
	data, err := base64.RawURLEncoding.DecodeString(part)
	return err == nil && json.Unmarshal(data, v) == nil
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

// sign makes an access token.
func (s *shop) sign(u user, expires time.Time) string {
	key, err := os.ReadFile(filepath.Join(s.dir, "keys", "default.key"))
	must(err)
	text := encodePart(tokenHead{"HS256", "JWT", "default.key"}) + "." +
		encodePart(tokenClaims{u.id, u.name, u.role, "leaky", "shop", expires.Unix()})
	return text + "." + base64.RawURLEncoding.EncodeToString(mac(key, text))
}

// byToken returns whose token it is.
func (s *shop) byToken(token string) (user, bool) {
	parts := strings.Split(token, ".")
	var head tokenHead
	var claims tokenClaims
	if len(parts) != 3 || !decodePart(parts[0], &head) || !decodePart(parts[1], &claims) || !s.verified(head, parts) {
		return user{}, false
	}
	// FLAW LK-27 (JW-05, API2:2023, CWE-613): nobody looks at exp
	// FLAW LK-28 (JW-07, API2:2023, CWE-345): nobody looks at iss and aud
	return s.userBy("id", claims.Sub)
}

// verified checks the signature as the head of the token wants it.
func (s *shop) verified(head tokenHead, parts []string) bool {
	// FLAW LK-29 (JW-02, API2:2023, CWE-347): a token without a signature is one of ours
	if strings.EqualFold(head.Alg, "none") {
		return true
	}
	// FLAW LK-30 (JW-06, API2:2023, CWE-22): the token says which file its key is in, and may say any
	key, err := os.ReadFile(filepath.Join(s.dir, "keys", head.KID))
	if err != nil {
		return false
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		return false
	}
	text := parts[0] + "." + parts[1]
	switch head.Alg {
	case "HS256":
		// FLAW LK-31 (JW-04, API2:2023, CWE-347): the partner's public key, which everybody has, is good as a secret
		return hmac.Equal(signature, mac(key, text))
	case "RS256":
		public, ok := publicKey(key)
		sum := sha256.Sum256([]byte(text))
		return ok && rsa.VerifyPKCS1v15(public, crypto.SHA256, sum[:], signature) == nil
	}
	return false
}

func publicKey(text []byte) (*rsa.PublicKey, bool) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, false
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	public, ok := key.(*rsa.PublicKey)
	return public, ok && err == nil
}

// jwks publishes the partner's key. That it is public is right.
func (s *shop) jwks(w http.ResponseWriter, _ *http.Request) {
	text, err := os.ReadFile(filepath.Join(s.dir, "keys", "partner.pem"))
	must(err)
	key, _ := publicKey(text)
	reply(w, 200, map[string]any{"keys": []any{map[string]any{
		"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "partner.pem",
		"n": base64.RawURLEncoding.EncodeToString(key.N.Bytes()),
		"e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(key.E)).Bytes()),
	}}})
}

// exportMe is for the archive of the caller. The gateway has verified the token, the team
// thought. There is no gateway.
func (s *shop) exportMe(w http.ResponseWriter, r *http.Request) {
	_, payload, _ := strings.Cut(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "), ".")
	payload, _, _ = strings.Cut(payload, ".")
	var claims tokenClaims
	// FLAW LK-32 (JW-01, API2:2023, CWE-347): the signature is not looked at
	if !decodePart(payload, &claims) || claims.Sub == 0 {
		fail(w, 401, "log in first")
		return
	}
	reply(w, 200, map[string]any{
		"user":      s.row("SELECT "+publicUser+", phone FROM users WHERE id = ?", claims.Sub),
		"addresses": s.all("SELECT * FROM addresses WHERE user_id = ?", claims.Sub),
		"orders":    s.all("SELECT * FROM orders WHERE customer_id = ?", claims.Sub),
	})
}

// downloads lists what the caller may fetch with a browser, which sends no header.
func (s *shop) downloads(w http.ResponseWriter, _ *http.Request, u user) {
	// FLAW LK-99 (AU-08, API2:2023, CWE-598): the answer has addresses with the token of the session in them
	token := s.sign(u, time.Now().Add(24*time.Hour))
	reply(w, 200, map[string]any{"orders": "/v2/orders?access_token=" + token})
}
