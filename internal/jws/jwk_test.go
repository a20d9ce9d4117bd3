package jws_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/fastness/fastness/internal/jws"
)

const (
	rsaN    = `"n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"`
	point   = `"x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"`
	ecJWK   = `{"kty":"EC","crv":"P-256","kid":"ec",` + point + `}`
	edJWK   = `{"kty":"OKP","crv":"Ed25519","kid":"ed","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`
	rsaJWK  = `{"kty":"RSA","kid":"rsa",` + rsaN + `,"e":"AQAB"}`
	octJWK  = `{"kty":"oct","kid":"oct","alg":"HS256","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T"}`
	privJWK = `{"kty":"EC","crv":"P-256","kid":"private",` + point + `,"d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}`
)

func TestJWKIsReadStrictly(t *testing.T) {
	with := func(jwk, members string) string { return strings.Replace(jwk, "{", "{"+members+",", 1) }
	for _, tt := range []struct {
		name, jwk string
		want      jws.Algorithm // "": refused
	}{
		{"the curve decides the algorithm", ecJWK, jws.ES256},
		{"Ed25519 is EdDSA", edJWK, jws.EdDSA},
		{"an RSA key without alg is for RS256", rsaJWK, jws.RS256},
		{"an RSA key for PS512", with(rsaJWK, `"alg":"PS512"`), jws.PS512},
		{"alg that fits", with(ecJWK, `"alg":"ES256"`), jws.ES256},
		{"use sig", with(ecJWK, `"use":"sig"`), jws.ES256},
		{"key_ops verify", with(ecJWK, `"key_ops":["verify"]`), jws.ES256},
		{"members that nobody knows", with(ecJWK, `"x5t":"a","nested":{"d":1}`), jws.ES256},
		{"alg of another curve", with(ecJWK, `"alg":"ES384"`), ""},
		{"alg of another kind", with(rsaJWK, `"alg":"HS256"`), ""},
		{"alg none", with(rsaJWK, `"alg":"none"`), ""},
		{"alg for encryption", with(rsaJWK, `"alg":"RSA-OAEP"`), ""},
		{"alg that is no string", with(rsaJWK, `"alg":["RS256"]`), ""},
		{"use enc", with(ecJWK, `"use":"enc"`), ""},
		{"use that is no string", with(ecJWK, `"use":null`), ""},
		{"key_ops without verify", with(ecJWK, `"key_ops":["encrypt"]`), ""},
		{"empty key_ops", with(ecJWK, `"key_ops":[]`), ""},
		{"key_ops that is no list", with(ecJWK, `"key_ops":"verify"`), ""},
		{"a point that is not on the curve", strings.Replace(ecJWK, "VEU", "VEQ", 1), ""},
		{"a short coordinate", strings.Replace(ecJWK, "f83OJ3D2", "f83O", 1), ""},
		{"coordinates of 33 and 31 bytes", strings.Replace(ecJWK, point, shifted(t), 1), ""},
		{"no coordinate", strings.Replace(ecJWK, `"y"`, `"z"`, 1), ""},
		{"a curve that nobody knows", strings.Replace(ecJWK, "P-256", "secp256k1", 1), ""},
		{"an Ed25519 key of 31 bytes", strings.Replace(edJWK, "11qYAYKx", "11qY", 1), ""},
		{"X25519", strings.Replace(edJWK, "Ed25519", "X25519", 1), ""},
		{"a curve for an RSA key", with(rsaJWK, `"crv":"P-256"`), ""},
		{"exponent 1", strings.Replace(rsaJWK, "AQAB", "AQ", 1), ""},
		{"exponent 3", strings.Replace(rsaJWK, "AQAB", "Aw", 1), ""},
		{"an even exponent", strings.Replace(rsaJWK, "AQAB", "AQAC", 1), ""},
		{"an exponent of 5 bytes", strings.Replace(rsaJWK, "AQAB", "AQAAAAE", 1), ""},
		{"an exponent with a leading zero", strings.Replace(rsaJWK, "AQAB", "AAEAAQ", 1), ""},
		{"a modulus with a leading zero", strings.Replace(rsaJWK, `"n":"`, `"n":"AAAA`, 1), ""},
		{"a modulus of 1,024 bits", strings.Replace(rsaJWK, rsaN, `"n":"`+strings.Repeat("wwww", 42)+`ww"`, 1), ""},
		{"a modulus of 16,384 bits", strings.Replace(rsaJWK, rsaN, `"n":"`+strings.Repeat("wwwx", 683)+`"`, 1), ""},
		{"an even modulus", strings.Replace(rsaJWK, "yuXpoQ", "yuXpoA", 1), ""},
		{"padded base64", strings.Replace(ecJWK, "VEU", "VEU=", 1), ""},
		{"stray bits in base64", strings.Replace(ecJWK, "VEU", "VEV", 1), ""},
		{"a line end in base64", strings.Replace(ecJWK, "f83O", `f8\n3O`, 1), ""},
		{"the other base64", strings.Replace(ecJWK, "x_FE", "x/FE", 1), ""},
		{"two kids", with(ecJWK, `"kid":"other"`), ""},
		{"two kids, one of them escaped", with(ecJWK, `"k\u0069d":"other"`), ""},
		{"two members of one name inside", with(ecJWK, `"x":{"a":1,"a":1}`), ""},
		{"a kid that is a number", with(edJWK[:1]+edJWK[len(`{"kty":"OKP",`):], `"kid":1`), ""},
		{"a kid of 129 characters", strings.Replace(ecJWK, `"ec"`, `"`+strings.Repeat("a", 129)+`"`, 1), ""},
		{"a kid with an escape sequence of terminals", strings.Replace(ecJWK, `"ec"`, `"\u001b[2J"`, 1), ""},
		{"no kty", strings.Replace(ecJWK, `"kty"`, `"kti"`, 1), ""},
		{"a secret", octJWK, ""},
		{"a private key", privJWK, ""},
		{"a list", `[` + ecJWK + `]`, ""},
		{"something behind the end", ecJWK + `{}`, ""},
		{"nothing", ``, ""},
	} {
		key, err := jws.ParseJWK([]byte(tt.jwk))
		if tt.want == "" {
			if err == nil {
				t.Errorf("%s: ParseJWK() = %v, want an error", tt.name, key)
			}
			continue
		}
		if err != nil || key.Algorithm() != tt.want {
			t.Errorf("%s: ParseJWK() = %v, %v, want %s", tt.name, key, err, tt.want)
		}
	}
}

// shifted is the point of ecJWK, with the first byte of y at the end of x.
func shifted(t *testing.T) string {
	x, y := bytesOf(t, "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"), bytesOf(t, "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0")
	return fmt.Sprintf(`"x":%q,"y":%q`, encode(append(x, y[0])), encode(y[1:]))
}

func TestPrivateKeyIsNoPublicKey(t *testing.T) {
	for _, jwk := range []string{octJWK, privJWK} {
		if key, err := jws.ParseJWK([]byte(jwk)); !errors.Is(err, jws.ErrPrivate) {
			t.Errorf("ParseJWK() = %v, %v, want ErrPrivate", key, err)
		}
	}
}

func TestSetKeepsWhatCanBeUsed(t *testing.T) {
	set := func(keys ...string) string { return `{"other":[1],"keys":[` + strings.Join(keys, ",") + `]}` }
	for _, tt := range []struct {
		name, set string
		want      string
		problems  int
	}{
		{"all keys can be used", set(ecJWK, edJWK, rsaJWK), "ec ed rsa", 0},
		{"an encryption key is left out", set(ecJWK, strings.Replace(rsaJWK, "{", `{"use":"enc",`, 1)), "ec", 1},
		{"secrets and private keys are left out", set(octJWK, privJWK, edJWK), "ed", 2},
		{"a key without an id is left out", set(strings.Replace(ecJWK, `"kid":"ec",`, "", 1), edJWK), "ed", 1},
		{"both keys of one id are left out", set(ecJWK, strings.Replace(edJWK, `"ed"`, `"ec"`, 1), rsaJWK), "rsa", 1},
		{"an element that is no object", set(`"x"`, edJWK), "ed", 1},
		{"an empty set", set(), "", 1},
		{"no keys", `{}`, "", 1},
		{"keys that are no list", `{"keys":{}}`, "", 1},
		{"two lists", `{"keys":[` + ecJWK + `],"keys":[]}`, "", 1},
		{"no object", `[]`, "", 1},
		{"too many keys", set(strings.Split(strings.Repeat(edJWK+"\n", 100), "\n")[:100]...), "", 1},
	} {
		keys, problems := jws.ParseSet([]byte(tt.set))
		var ids []string
		for _, k := range keys {
			ids = append(ids, k.ID())
		}
		if got := strings.Join(ids, " "); got != tt.want || len(problems) != tt.problems {
			t.Errorf("%s: ParseSet() = %q, %v, want %q and %d problems", tt.name, got, problems, tt.want, tt.problems)
		}
	}
}

func FuzzParseJWK(f *testing.F) {
	for _, seed := range []string{ecJWK, edJWK, rsaJWK, octJWK, privJWK, `{"keys":[` + ecJWK + `]}`, `{"kty":"EC","k\u0069d":{}}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		jws.ParseSet(data)
		key, err := jws.ParseJWK(data)
		if err != nil {
			return
		}
		again, err := key.PublicJWK()
		if err != nil {
			t.Fatalf("%v cannot be published: %v", key, err)
		}
		if k, err := jws.ParseJWK(again); err != nil || k.ID() != key.ID() || k.Algorithm() != key.Algorithm() {
			t.Fatalf("%s is read as %v, %v", again, k, err)
		}
	})
}

func FuzzParsePrivate(f *testing.F) {
	key, err := jws.Generate(jws.ES256, "test")
	if err != nil {
		f.Fatal(err)
	}
	form, err := key.MarshalPrivate()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(form)
	f.Add([]byte(`{"version":1,"alg":"HS256","kid":"a","key":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		key, err := jws.ParsePrivate(data)
		if err != nil {
			return
		}
		if sig, err := key.Sign(data); err != nil || key.Verify(data, sig) != nil {
			t.Fatalf("%v does not verify what it signed", fmt.Sprint(key))
		}
	})
}
