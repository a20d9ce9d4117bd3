package jws_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"strings"
	"testing"

	"github.com/fastness/fastness/internal/jws"
)

func algorithms() []jws.Algorithm {
	return []jws.Algorithm{
		jws.EdDSA, jws.ES256, jws.ES384, jws.ES512, jws.HS256, jws.HS384, jws.HS512,
		jws.RS256, jws.RS384, jws.RS512, jws.PS256, jws.PS384, jws.PS512,
	}
}

// generated returns a new key. The RSA key is that of an RFC, which is not new
// but takes no time.
func generated(t *testing.T, alg jws.Algorithm) *jws.Key {
	t.Helper()
	if alg[0] == 'R' || alg[0] == 'P' {
		return private(t, alg, rfc7515RSA(t))
	}
	key, err := jws.Generate(alg, "test")
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestEveryAlgorithmVerifiesWhatItSigned(t *testing.T) {
	for _, alg := range algorithms() {
		t.Run(string(alg), func(t *testing.T) {
			key := generated(t, alg)
			data := []byte("what is signed")
			sig, err := key.Sign(data)
			if err != nil || !key.CanSign() {
				t.Fatalf("Sign() = %v, CanSign() = %v", err, key.CanSign())
			}
			verifiers := []*jws.Key{key, restored(t, key)}
			if !alg.Symmetric() {
				verifiers = append(verifiers, published(t, key))
			}
			for _, k := range verifiers {
				if err := k.Verify(data, sig); err != nil {
					t.Errorf("%v: Verify() = %v", k, err)
				}
				for i := range sig {
					sig[i] ^= 1
					if err := k.Verify(data, sig); !errors.Is(err, jws.ErrSignature) {
						t.Fatalf("byte %d changed: Verify() = %v, want ErrSignature", i, err)
					}
					sig[i] ^= 1
				}
				for _, bad := range [][]byte{nil, sig[:len(sig)-1], append(bytes.Clone(sig), 0), make([]byte, len(sig))} {
					if err := k.Verify(data, bad); !errors.Is(err, jws.ErrSignature) {
						t.Errorf("signature of %d bytes: Verify() = %v, want ErrSignature", len(bad), err)
					}
				}
			}
		})
	}
}

func restored(t *testing.T, key *jws.Key) *jws.Key {
	t.Helper()
	data, err := key.MarshalPrivate()
	if err != nil {
		t.Fatal(err)
	}
	again, err := jws.ParsePrivate(data)
	if err != nil || again.ID() != key.ID() || again.Algorithm() != key.Algorithm() || !again.CanSign() {
		t.Fatalf("ParsePrivate() = %v, %v", again, err)
	}
	return again
}

func published(t *testing.T, key *jws.Key) *jws.Key {
	t.Helper()
	data, err := key.PublicJWK()
	if err != nil {
		t.Fatal(err)
	}
	public, err := jws.ParseJWK(data)
	if err != nil || public.ID() != key.ID() || public.CanSign() {
		t.Fatalf("ParseJWK(%s) = %v, %v", data, public, err)
	}
	if _, err := public.Sign(nil); !errors.Is(err, jws.ErrCannotSign) {
		t.Errorf("Sign() of a public key = %v", err)
	}
	if _, err := public.MarshalPrivate(); !errors.Is(err, jws.ErrCannotSign) {
		t.Errorf("MarshalPrivate() of a public key = %v", err)
	}
	return public
}

// An attacker who may choose the salt has many signatures for one message.
func TestSignatureWithAnotherSaltLengthIsRefused(t *testing.T) {
	// Signed with a salt of 20 bytes, as the vectors "saltLength" are; here the
	// key of another algorithm has another salt and another hash.
	a, b := generated(t, jws.PS256), generated(t, jws.PS384)
	sig, err := b.Sign([]byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Verify([]byte("x"), sig); !errors.Is(err, jws.ErrSignature) {
		t.Errorf("Verify() = %v", err)
	}
}

func TestEllipticNumbersOutOfRangeAreRefused(t *testing.T) {
	key := generated(t, jws.ES256)
	order, _ := new(big.Int).SetString("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", 16)
	data := []byte("x")
	sig, err := key.Sign(data)
	if err != nil {
		t.Fatal(err)
	}
	zero := make([]byte, 32)
	n := order.FillBytes(make([]byte, 32))
	for name, bad := range map[string][]byte{
		"r and s are zero": append(bytes.Clone(zero), zero...),
		"r is zero":        append(bytes.Clone(zero), sig[32:]...),
		"s is zero":        append(bytes.Clone(sig[:32]), zero...),
		"r is the order":   append(bytes.Clone(n), sig[32:]...),
		"s is the order":   append(bytes.Clone(sig[:32]), n...),
		"63 bytes":         sig[:63],
		"65 bytes":         append([]byte{0}, sig...),
		"DER":              der(sig),
	} {
		if err := key.Verify(data, bad); !errors.Is(err, jws.ErrSignature) {
			t.Errorf("%s: Verify() = %v, want ErrSignature", name, err)
		}
	}
}

func der(sig []byte) []byte {
	out := []byte{0x30, 0}
	for _, half := range [][]byte{sig[:32], sig[32:]} {
		number := new(big.Int).SetBytes(half).Bytes()
		if number[0] >= 0x80 {
			number = append([]byte{0}, number...)
		}
		out = append(append(out, 2, byte(len(number))), number...)
	}
	out[1] = byte(len(out) - 2)
	return out
}

func TestWeakSecretsAreRefused(t *testing.T) {
	long := []byte(strings.Repeat("0123456789abcdef", 4))
	for _, tt := range []struct {
		name   string
		alg    jws.Algorithm
		id     string
		secret []byte
		wanted bool
	}{
		{"as long as the hash", jws.HS256, "a", long[:32], true},
		{"longer than the hash", jws.HS256, "a", long, true},
		{"one byte too short for SHA-256", jws.HS256, "a", long[:31], false},
		{"one byte too short for SHA-384", jws.HS384, "a", long[:47], false},
		{"one byte too short for SHA-512", jws.HS512, "a", long[:63], false},
		{"empty", jws.HS256, "a", nil, false},
		{"zeros", jws.HS256, "a", make([]byte, 32), false},
		{"one letter", jws.HS256, "a", bytes.Repeat([]byte("a"), 32), false},
		{"an asymmetric algorithm", jws.ES256, "a", long, false},
		{"no algorithm", "none", "a", long, false},
		{"no id", jws.HS256, "", long, false},
		{"an id with a line end", jws.HS256, "a\nb", long, false},
		{"an id that is too long", jws.HS256, strings.Repeat("a", 129), long, false},
	} {
		if _, err := jws.NewSecret(tt.alg, tt.id, tt.secret); (err == nil) != tt.wanted {
			t.Errorf("%s: NewSecret() = %v, want accepted: %v", tt.name, err, tt.wanted)
		}
	}
	for _, alg := range []jws.Algorithm{"", "none", "HS25", "hs256", "ES521"} {
		if _, err := jws.Generate(alg, "a"); err == nil {
			t.Errorf("Generate(%q) made a key", alg)
		}
	}
}

func TestGeneratedRSAKeyIsLarge(t *testing.T) {
	key, err := jws.Generate(jws.PS256, "test")
	if err != nil {
		t.Fatal(err)
	}
	sig, err := key.Sign(nil)
	if err != nil || len(sig) != 3072/8 {
		t.Errorf("signature has %d bytes (%v), want 384", len(sig), err)
	}
}

// Whoever prints, logs or encodes a key, or a struct that holds one, shows what
// is public.
func TestPrivatePartNeverShows(t *testing.T) {
	for _, alg := range algorithms() {
		key := generated(t, alg)
		data, err := key.MarshalPrivate()
		if err != nil {
			t.Fatal(err)
		}
		var form struct{ Key string }
		if err := json.Unmarshal(data, &form); err != nil {
			t.Fatal(err)
		}
		raw := bytesOf(t, form.Key)
		secret := raw[len(raw)-24:]
		holder := struct {
			Name string
			K    *jws.Key
			V    jws.Key
		}{"x", key, *key}
		var log bytes.Buffer
		slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "key", key, "holder", holder)
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "key", *key, "holder", holder)
		encoded, err := json.Marshal(holder)
		if err != nil {
			t.Fatal(err)
		}
		shown := log.String() + string(encoded)
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%b", "%T"} {
			shown += fmt.Sprintf(verb, key) + fmt.Sprintf(verb, *key) + fmt.Sprintf(verb, holder) + fmt.Sprintf(verb, []any{key})
		}
		for _, canary := range []string{
			string(secret), fmt.Sprintf("%x", secret), encode(secret)[:30], form.Key[:40],
			strings.Trim(fmt.Sprint(secret), "[]"), fmt.Sprintf("%#v", secret)[7:60],
		} {
			if strings.Contains(shown, canary) {
				t.Errorf("%s: %q shows", alg, canary)
			}
		}
		if !strings.Contains(key.String(), `"test"`) || key.GoString() != key.String() {
			t.Errorf("String() = %s, want the id", key)
		}
	}
}

func TestDamagedPrivateFormIsRefused(t *testing.T) {
	data, err := generated(t, jws.ES256).MarshalPrivate()
	if err != nil {
		t.Fatal(err)
	}
	form := string(data)
	for name, bad := range map[string]string{
		"cut":                 form[:len(form)-5],
		"a later version":     strings.Replace(form, `"version":1`, `"version":2`, 1),
		"no version":          strings.Replace(form, `"version":1,`, ``, 1),
		"another algorithm":   strings.Replace(form, `ES256`, `ES384`, 1),
		"a key used as a MAC": strings.Replace(form, `ES256`, `none`, 1),
		"two algorithms":      strings.Replace(form, `{`, `{"alg":"HS256",`, 1),
		"an unknown member":   strings.Replace(form, `{`, `{"exp":1,`, 1),
		"damaged material":    strings.Replace(form, `"key":"MIG`, `"key":"MIH`, 1),
	} {
		if key, err := jws.ParsePrivate([]byte(bad)); err == nil {
			t.Errorf("%s: ParsePrivate() = %v", name, key)
		}
	}
}

func TestSecretHasNoPublicPart(t *testing.T) {
	if data, err := generated(t, jws.HS256).PublicJWK(); err == nil {
		t.Errorf("PublicJWK() = %s", data)
	}
}
