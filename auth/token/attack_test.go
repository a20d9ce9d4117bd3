package token_test

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fastness/fastness/auth/token"
	"github.com/fastness/fastness/internal/jws"
)

// target is a verifier that an attacker tries, with the keys of its issuer.
type target struct {
	*token.Verifier
	ring *ring
	key  *jws.Key
	good string
}

func newTarget(t *testing.T, alg jws.Algorithm) *target {
	t.Helper()
	r := newRing(t, alg)
	tg := &target{newVerifier(t, r, newClock()), r, r.keys[0], ""}
	tg.good = forge(t, tg.key, headerOf(tg.key), goodPayload())
	// What is attacked is good as it is: each refusal below has one reason.
	mustAccept(t, tg, "the token as it is", tg.good)
	return tg
}

// forge signs with the true key: only the defence under test can refuse.
func (tg *target) forge(t *testing.T, header, payload string) string {
	return forge(t, tg.key, header, payload)
}

func TestAlgNoneIsRefused(t *testing.T) {
	tg := newTarget(t, jws.ES256)
	_, after, _ := strings.Cut(tg.good, ".")
	payload, sig, _ := strings.Cut(after, ".")
	for _, alg := range []string{"none", "None", "NONE", "nOnE", "noNE", ""} {
		header := encode(fmt.Appendf(nil, `{"alg":%q,"kid":%q,"typ":"at+jwt"}`, alg, tg.key.ID()))
		mustRefuse(t, tg, alg+" without a signature", header+"."+payload+".")
		mustRefuse(t, tg, alg+" with a signature", header+"."+payload+"."+sig)
		mustRefuse(t, tg, alg+" with a true signature", tg.forge(t, with(t, headerOf(tg.key), "ES256", alg), goodPayload()))
	}
}

func TestPublicKeyAsSecretIsRefused(t *testing.T) {
	tg := newTarget(t, jws.EdDSA)
	jwk, err := tg.key.PublicJWK()
	if err != nil {
		t.Fatal(err)
	}
	x, _, _ := strings.Cut(strings.SplitAfter(string(jwk), `"x":"`)[1], `"`)
	raw, err := base64.RawURLEncoding.DecodeString(x)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(ed25519.PublicKey(raw))
	if err != nil {
		t.Fatal(err)
	}
	block := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	for name, secret := range map[string][]byte{
		"jwk": jwk, "raw": raw, "der": der, "pem": block, "pem without its last line end": block[:len(block)-1],
	} {
		for _, alg := range []jws.Algorithm{jws.HS256, jws.HS384, jws.HS512} {
			for len(secret) < 64 { // HMAC pads a key with zeros anyway.
				secret = append(secret, 0)
			}
			mac, err := jws.NewSecret(alg, tg.key.ID(), secret)
			if err != nil {
				t.Fatal(err)
			}
			mustRefuse(t, tg, name, forge(t, mac, headerOf(mac), goodPayload()))
			mustRefuse(t, tg, name+", called by its own name", forge(t, mac, headerOf(tg.key), goodPayload()))
		}
	}
}

// The key is right and so is the signature, but the header names an algorithm that
// the key is not for. One key that is used in two ways is weaker than either.
func TestAlgorithmOtherThanTheKeysIsRefused(t *testing.T) {
	tg := newTarget(t, jws.ES256)
	for _, alg := range []string{"ES384", "ES512", "EdDSA", "HS256", "RS256", "PS256"} {
		mustRefuse(t, tg, alg, tg.forge(t, with(t, headerOf(tg.key), "ES256", alg), goodPayload()))
	}
}

func TestForgedEllipticSignatureIsRefused(t *testing.T) {
	tg := newTarget(t, jws.ES256)
	dot := strings.LastIndexByte(tg.good, '.')
	sig, err := base64.RawURLEncoding.DecodeString(tg.good[dot+1:])
	if err != nil {
		t.Fatal(err)
	}
	zero := make([]byte, 32)
	n, _ := new(big.Int).SetString("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", 16)
	join := func(parts ...[]byte) (all []byte) {
		for _, p := range parts {
			all = append(all, p...)
		}
		return all
	}
	for name, forged := range map[string][]byte{
		"r and s are zero": join(zero, zero),
		"r is zero":        join(zero, sig[32:]),
		"s is zero":        join(sig[:32], zero),
		"r is the order":   join(n.Bytes(), sig[32:]),
		"63 bytes":         sig[:63],
		"65 bytes":         join(sig, zero[:1]),
		"a zero in front":  join(zero[:1], sig),
		"DER":              join([]byte{0x30, 0x44, 2, 0x20}, sig[:32], []byte{2, 0x20}, sig[32:]),
		"one bit changed":  join([]byte{sig[0] ^ 1}, sig[1:]),
	} {
		mustRefuse(t, tg, name, tg.good[:dot+1]+encode(forged))
	}
}

// A token that brings its own key, or says where one is, is refused, and nothing
// is fetched.
func TestTokenCannotBringItsOwnKey(t *testing.T) {
	tg := newTarget(t, jws.ES256)
	canary, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer canary.Close()
	var heard atomic.Bool
	done := make(chan struct{})
	go func() {
		defer close(done)
		if conn, err := canary.Accept(); err == nil {
			heard.Store(true)
			conn.Close()
		}
	}()
	own, err := jws.Generate(jws.ES256, "mine")
	if err != nil {
		t.Fatal(err)
	}
	jwk, err := own.PublicJWK()
	if err != nil {
		t.Fatal(err)
	}
	url := fmt.Sprintf(`"http://%s/keys"`, canary.Addr())
	for name, member := range map[string]string{"jwk": string(jwk), "jku": url, "x5u": url, "x5c": `["MIIB"]`} {
		for _, kid := range []string{"mine", tg.key.ID()} {
			header := fmt.Sprintf(`{"alg":"ES256","kid":%q,"typ":"at+jwt",%q:%s}`, kid, name, member)
			mustRefuse(t, tg, name+" with its own signature", forge(t, own, header, goodPayload()))
			mustRefuse(t, tg, name+" with a true signature", tg.forge(t, header, goodPayload()))
		}
	}
	canary.Close()
	<-done
	if heard.Load() {
		t.Error("somebody has called the address in the token")
	}
}

// Whatever a kid is, the key store sees at most 128 characters of printable ASCII.
func TestForgedKeyIDIsRefused(t *testing.T) {
	tg := newTarget(t, jws.ES256)
	tg.ring.asked = nil
	for _, kid := range []string{
		`"../../dev/null"`, `"' OR 1 --"`, `"key-1\u0000"`, `"key-1\n"`, `"` + strings.Repeat("a", 129) + `"`,
		`["key-1"]`, `{"a":"key-1"}`, `null`, `1`, `true`, `""`, `"KEY-1"`, `"key-1 "`, `"clé"`,
	} {
		mustRefuse(t, tg, kid, tg.forge(t, with(t, headerOf(tg.key), `"key-1"`, kid), goodPayload()))
	}
	mustRefuse(t, tg, "no kid", tg.forge(t, with(t, headerOf(tg.key), `"kid":"key-1",`, ``), goodPayload()))
	mustRefuse(t, tg, "a kid of a megabyte", tg.forge(t, with(t, headerOf(tg.key), `key-1`, strings.Repeat("a", 1<<20)), goodPayload()))
	for _, id := range tg.ring.asked {
		if len(id) > 128 || strings.ContainsFunc(id, func(r rune) bool { return r < ' ' || r > '~' }) {
			t.Errorf("the key store was asked for %q", id)
		}
	}
}

func TestCriticalHeaderIsRefused(t *testing.T) {
	tg := newTarget(t, jws.ES256)
	for _, member := range []string{`"crit":["exp"]`, `"crit":[]`, `"crit":["b64"],"b64":false`, `"b64":false`, `"b64":true`, `"zip":"DEF"`} {
		mustRefuse(t, tg, member, tg.forge(t, with(t, headerOf(tg.key), `"typ"`, member+`,"typ"`), goodPayload()))
	}
}

func TestNameThatOccursTwiceIsRefused(t *testing.T) {
	tg := newTarget(t, jws.ES256)
	for _, member := range []string{`"alg":"ES256"`, `"kid":"key-1"`, `"typ":"at+jwt"`, `"\u0074yp":"at+jwt"`, `"a":{"b":1,"b":1}`} {
		mustRefuse(t, tg, "header with "+member, tg.forge(t, with(t, headerOf(tg.key), `{`, `{`+member+`,`), goodPayload()))
	}
	for _, member := range []string{
		`"sub":"u-17"`, `"sub":"admin"`, `"\u0073ub":"u-17"`, `"exp":9999999999`, `"x":1,"x":1`, `"x":{"y":1,"y":2}`, `"x":[{"y":1,"y":2}]`,
	} {
		mustRefuse(t, tg, "payload with "+member, tg.forge(t, headerOf(tg.key), with(t, goodPayload(), `{`, `{`+member+`,`)))
	}
	mustAccept(t, tg, "a claim that nobody knows", tg.forge(t, headerOf(tg.key), with(t, goodPayload(), `{`, `{"x":{"sub":"u-18"},"Sub":1,`)))
}

func TestStrangeTimesAreRefused(t *testing.T) {
	tg := newTarget(t, jws.ES256)
	now := noon().Unix()
	exp, iat := fmt.Sprintf(`"exp":%d`, now+600), fmt.Sprintf(`"iat":%d`, now)
	for _, claim := range []string{"exp", "iat", "nbf", "auth_time"} {
		for _, value := range []string{
			fmt.Sprintf(`"%d"`, now), fmt.Sprintf("%d.0", now), fmt.Sprintf("%d.5", now), "1.7e9", "1e308", "1e400", "-1", "-0",
			"9223372036854775808", "999999999999999999999999", "253402300800", "null", "true", "[1]", "{}",
		} {
			payload := goodPayload()
			switch claim {
			case "exp":
				payload = with(t, payload, exp, `"exp":`+value)
			case "iat":
				payload = with(t, payload, iat, `"iat":`+value)
			default:
				payload = with(t, payload, `{`, `{"`+claim+`":`+value+`,`)
			}
			mustRefuse(t, tg, claim+" "+value, tg.forge(t, headerOf(tg.key), payload))
		}
	}
	for _, tt := range []struct {
		name, old, new string
		wanted         bool
	}{
		{"ended within the leeway", exp, fmt.Sprintf(`"exp":%d`, now-29), true},
		{"ended as long ago as the leeway", exp, fmt.Sprintf(`"exp":%d`, now-30), false},
		{"issued within the leeway", iat, fmt.Sprintf(`"iat":%d`, now+30), true},
		{"issued in the future", iat, fmt.Sprintf(`"iat":%d`, now+31), false},
		{"begins within the leeway", exp, fmt.Sprintf(`"nbf":%d,%s`, now+30, exp), true},
		{"begins in the future", exp, fmt.Sprintf(`"nbf":%d,%s`, now+31, exp), false},
		{"begins after 61 seconds", exp, fmt.Sprintf(`"nbf":%d,%s`, now+61, exp), false},
		{"ends before it was issued", exp, fmt.Sprintf(`"exp":%d`, now-10), false},
		{"ends before it begins", exp, fmt.Sprintf(`"nbf":%d,"exp":%d`, now+20, now+20), false},
	} {
		payload := with(t, goodPayload(), tt.old, tt.new)
		if tt.name == "ended within the leeway" || tt.name == "ended as long ago as the leeway" {
			payload = with(t, payload, iat, fmt.Sprintf(`"iat":%d`, now-600))
		}
		text := tg.forge(t, headerOf(tg.key), payload)
		if tt.wanted {
			mustAccept(t, tg, tt.name, text)
		} else {
			mustRefuse(t, tg, tt.name, text)
		}
	}
}

func TestTokenForSomebodyElseIsRefused(t *testing.T) {
	tg := newTarget(t, jws.ES256)
	aud, iss := `"aud":"`+audience+`"`, `"iss":"`+issuerName+`"`
	for _, claim := range []string{
		`"aud":[]`, `"aud":["https://other.example"]`, `"aud":"` + audience + `/"`, `"aud":"` + audience[:len(audience)-1] + `"`,
		`"aud":"https://API.shop.example"`, `"aud":" ` + audience + `"`, `"aud":"` + audience + ` https://other.example"`,
		`"aud":[["` + audience + `"]]`, `"aud":{"a":"` + audience + `"}`, `"aud":["` + audience + `",1]`, `"aud":1`, `"aud":null`, `"aud":""`,
	} {
		mustRefuse(t, tg, claim, tg.forge(t, headerOf(tg.key), with(t, goodPayload(), aud, claim)))
	}
	for _, claim := range []string{
		`"iss":"` + issuerName + `/"`, `"iss":"https://SHOP.example"`, `"iss":"http://shop.example"`, `"iss":"` + issuerName + `\u0000"`,
		`"iss":["` + issuerName + `"]`, `"iss":""`, `"iss":null`, `"iss":"https://shop.example.evil.example"`,
	} {
		mustRefuse(t, tg, claim, tg.forge(t, headerOf(tg.key), with(t, goodPayload(), iss, claim)))
	}
	mustAccept(t, tg, "several audiences", tg.forge(t, headerOf(tg.key), with(t, goodPayload(), aud, `"aud":["https://other.example","`+audience+`"]`)))
	mustAccept(t, tg, "an issuer with escapes", tg.forge(t, headerOf(tg.key), with(t, goodPayload(), iss, `"iss":"https:\/\/shop.ex\u0061mple"`)))
}

// Everything else that the issuer signs with the same key, or gives out, is not an
// access token.
func TestTokenOfAnotherKindIsRefused(t *testing.T) {
	tg := newTarget(t, jws.ES256)
	for _, typ := range []string{"JWT", "jwt", "id_token", "logout+jwt", "dpop+jwt", "rt+jwt", "secevent+jwt", "at+jwt ", "application/", "application/jwt", "application/application/at+jwt", "t+jwt", ""} {
		mustRefuse(t, tg, "typ "+typ, tg.forge(t, with(t, headerOf(tg.key), "at+jwt", typ), goodPayload()))
	}
	mustRefuse(t, tg, "no typ", tg.forge(t, with(t, headerOf(tg.key), `,"typ":"at+jwt"`, ``), goodPayload()))
	for _, typ := range []string{"AT+JWT", "application/at+jwt", "Application/At+Jwt"} {
		mustAccept(t, tg, "typ "+typ, tg.forge(t, with(t, headerOf(tg.key), "at+jwt", typ), goodPayload()))
	}
	for _, opaque := range []string{"NMLGA6CQLUSNEXQXR6DLCSCNUV", "rt_NMLGA6CQLUSNEXQXR6DLCSCNUV", "dXNlcjpwYXNzd29yZA==", "a.b", "a.b.c"} {
		mustRefuse(t, tg, "an opaque token", opaque)
	}
}

func TestSecondSpellingOfATokenIsRefused(t *testing.T) {
	tg := newTarget(t, jws.ES256)
	p := strings.Split(tg.good, ".")
	last := p[2][len(p[2])-1]
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	stray := string(alphabet[strings.IndexByte(alphabet, last)+1]) // The last character has 4 bits too many, all zero.
	for name, text := range map[string]string{
		"padding":                    tg.good + "==",
		"a space behind":             tg.good + " ",
		"a line end behind":          tg.good + "\n",
		"a line end inside":          p[0] + "." + p[1][:8] + "\r\n" + p[1][8:] + "." + p[2],
		"stray bits":                 tg.good[:len(tg.good)-1] + stray,
		"the other alphabet":         p[0] + "." + p[1] + "." + strings.NewReplacer("-", "+", "_", "/").Replace(p[2]) + "+/",
		"a dot behind":               tg.good + ".",
		"a dot in front":             "." + tg.good,
		"two dots":                   p[0] + "." + p[1],
		"four dots":                  tg.good + ".x.x",
		"the JSON form":              fmt.Sprintf(`{"protected":%q,"payload":%q,"signature":%q}`, p[0], p[1], p[2]),
		"the general JSON form":      fmt.Sprintf(`{"payload":%q,"signatures":[{"protected":%q,"signature":%q}]}`, p[1], p[0], p[2]),
		"braces":                     "{" + tg.good + "}",
		"nothing":                    "",
		"five megabytes":             tg.good + strings.Repeat("A", 5<<20),
		"a header of ten thousand":   encode([]byte(with(t, headerOf(tg.key), `{`, `{"x":"`+strings.Repeat("x", 10_000)+`",`))) + "." + p[1] + "." + p[2],
		"ten thousand opening signs": strings.Repeat("[", 10_000),
	} {
		mustRefuse(t, tg, name, text)
	}
	long := with(t, goodPayload(), `{`, `{"x":"`+strings.Repeat("x", 6_300)+`",`)
	if text := tg.forge(t, headerOf(tg.key), long); len(text) <= 8<<10 || len(text) > 9<<10 {
		t.Fatalf("the token has %d bytes", len(text))
	} else {
		mustRefuse(t, tg, "signed, but longer than 8 KiB", text)
	}
	short := with(t, goodPayload(), `{`, `{"x":"`+strings.Repeat("x", 5_500)+`",`)
	mustAccept(t, tg, "almost 8 KiB", tg.forge(t, headerOf(tg.key), short))
}

// An encrypted token asks for work before anything is verified: a key derived in
// two billion rounds, a payload that unpacks to gigabytes.
func TestEncryptedTokenIsRefusedAtOnce(t *testing.T) {
	tg := newTarget(t, jws.ES256)
	header := encode([]byte(`{"alg":"PBES2-HS512+A256KW","enc":"A256GCM","p2c":2147483647,"p2s":"AAAA","zip":"DEF"}`))
	begin := time.Now()
	for range 10 {
		mustRefuse(t, tg, "five parts", header+".AAAA.AAAA.AAAA.AAAA")
		mustRefuse(t, tg, "three parts", header+".AAAA.AAAA")
	}
	if took := time.Since(begin); took > 100*time.Millisecond {
		t.Errorf("twenty refusals took %v", took)
	}
}

func TestMissingClaimIsRefused(t *testing.T) {
	tg := newTarget(t, jws.ES256)
	now := noon().Unix()
	for _, claim := range []string{
		`"iss":"` + issuerName + `",`, `"aud":"` + audience + `",`, `"sub":"u-17",`, `"client_id":"web",`, `"jti":"t-1",`, fmt.Sprintf(`"iat":%d,`, now), fmt.Sprintf(`,"exp":%d`, now+600),
	} {
		mustRefuse(t, tg, "without "+claim, tg.forge(t, headerOf(tg.key), with(t, goodPayload(), claim, "")))
	}
	for _, claim := range []string{`"sub":"u-17"`, `"client_id":"web"`, `"jti":"t-1"`} {
		name, _, _ := strings.Cut(claim, ":")
		for _, value := range []string{`""`, `1`, `null`, `["u-17"]`, `"a\u0000b"`, `"a\u001b[2Jb"`, `"` + strings.Repeat("a", 257) + `"`} {
			mustRefuse(t, tg, name+" "+value, tg.forge(t, headerOf(tg.key), with(t, goodPayload(), claim, name+":"+value)))
		}
	}
	for _, claim := range []string{
		`"scope":["a"]`, `"scope":1`, `"roles":"admin"`, `"roles":[1]`, `"roles":[""]`, `"amr":"pwd"`, `"sid":1`, `"sid":""`, `"tenant":["a"]`,
		`"ver":"1"`, `"ver":1.0`, `"ver":-1`, `"all_scopes":"true"`, `"all_scopes":1`, `"all_scopes":false`, `"all_scopes":true,"scope":"a"`,
	} {
		mustRefuse(t, tg, claim, tg.forge(t, headerOf(tg.key), with(t, goodPayload(), `{`, `{`+claim+`,`)))
	}
}

func TestStrangeHeaderAndPayloadAreRefused(t *testing.T) {
	tg := newTarget(t, jws.ES256)
	for _, payload := range []string{``, `null`, `[]`, `"x"`, `1`, `{}`, goodPayload() + `{}`, goodPayload() + "\x00", "\ufeff" + goodPayload(), with(t, goodPayload(), `web`, "\xff"), strings.Repeat(`{"a":`, 1000)} {
		mustRefuse(t, tg, payload, tg.forge(t, headerOf(tg.key), payload))
	}
}

// A key that was withdrawn verifies nothing from then on, though its tokens were
// remembered.
func TestTokenOfAWithdrawnKeyIsRefusedAtOnce(t *testing.T) {
	tg := newTarget(t, jws.EdDSA)
	if tg.Remembered() == 0 {
		t.Fatal("the token is not remembered, so this test shows nothing")
	}
	tg.ring.withdraw()
	mustRefuse(t, tg, "a key that was withdrawn", tg.good)
}

// The reason is for the log. It must not carry what was sent into it.
func TestRefusalDoesNotEchoTheToken(t *testing.T) {
	tg := newTarget(t, jws.ES256)
	const canary = "CANARY"
	for _, text := range []string{
		canary, canary + "." + canary + "." + canary,
		tg.forge(t, with(t, headerOf(tg.key), "key-1", canary), goodPayload()),
		tg.forge(t, headerOf(tg.key), with(t, goodPayload(), `{`, `{"scope":["`+canary+`"],`)),
		tg.forge(t, headerOf(tg.key), with(t, goodPayload(), issuerName, canary)),
	} {
		_, err := tg.Verify(t.Context(), text)
		if !errors.Is(err, token.ErrInvalid) || strings.Contains(err.Error(), canary) {
			t.Errorf("Verify() = %v", err)
		}
	}
}
