package jws_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/fastness/fastness/internal/jws"
)

type vectorGroup struct {
	Comment         string
	Public, Private json.RawMessage
	Tests           []struct {
		ID      int `json:"tcId"`
		Comment string
		JWS     string
		Result  string
	}
}

// wycheproof reads one file of the vectors that others wrote.
func wycheproof(t *testing.T, name string) []vectorGroup {
	t.Helper()
	dir := os.Getenv("FASTNESS_VECTORS")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "vectors")
	}
	data, err := os.ReadFile(filepath.Join(dir, "wycheproof", name))
	if errors.Is(err, os.ErrNotExist) {
		t.Skipf("no test vectors at %s: set FASTNESS_VECTORS to their folder", dir)
	}
	var file struct{ TestGroups []vectorGroup }
	if err := errors.Join(err, json.Unmarshal(data, &file)); err != nil {
		t.Fatal(err)
	}
	return file.TestGroups
}

// material are the members of a JWK that a test looks at itself.
type material struct{ Kty, Alg, Use, Kid, K string }

// vectorKey returns the key of one JWK. A secret is never read from a JWK
// outside of tests, so its checks are here.
func vectorKey(raw json.RawMessage) (*jws.Key, error) {
	var m material
	if err := json.Unmarshal(raw, &m); err != nil {
		return nil, err
	}
	if m.Kty != "oct" {
		return jws.ParseJWK(raw)
	}
	secret, err := jws.Decode(m.K)
	if err != nil {
		return nil, err
	}
	if slices.Equal(secret, make([]byte, 32)) {
		return jws.UncheckedSecret(jws.Algorithm(m.Alg), m.Kid, secret), nil
	}
	return jws.NewSecret(jws.Algorithm(m.Alg), m.Kid, secret)
}

// verify does with one key what a verifier does: the key says how.
func verify(key *jws.Key, token string) error {
	header, _, signed, sig, err := jws.Parse(token, 0)
	switch {
	case err != nil:
		return err
	case header.Algorithm != key.Algorithm():
		return jws.ErrAlgorithm
	}
	return key.Verify([]byte(signed), sig)
}

// waived are the vectors that contradict another one or their own key.
func waived() map[int]string {
	return map[int]string{
		367: "the same bytes as 357, which is valid",
		370: "the same bytes as 357, which is valid",
		372: "called valid, but has a ? in the header",
		373: "called valid, but has a ? in the payload",
		346: "the key is for PS256, the header says PS384",
		350: "the key is for PS256, the header says PS384",
		347: `the key is for "ES521", which does not exist`,
		351: `the key is for "ES521", which does not exist`,
	}
}

func TestWycheproofSignatures(t *testing.T) {
	agreed, total := 0, 0
	for _, group := range wycheproof(t, "json_web_signature_test.json") {
		raw := group.Public
		if raw == nil {
			raw = group.Private
		}
		key, keyErr := vectorKey(raw)
		for _, test := range group.Tests {
			if waived()[test.ID] != "" {
				continue
			}
			total++
			err := keyErr
			if err == nil {
				err = verify(key, test.JWS)
			}
			if (err == nil) != (test.Result == "valid") {
				t.Errorf("%d %s %s: got %v, want %s", test.ID, group.Comment, test.Comment, err, test.Result)
				continue
			}
			agreed++
		}
	}
	if agreed != 393 || total != 393 {
		t.Errorf("agreed with %d of %d, want 393 of 393", agreed, total)
	}
}

// Four of the vectors that are waived verify once their key says what it is for.
func TestMislabelledVectorsVerifyWithTheRightLabel(t *testing.T) {
	found := 0
	for _, group := range wycheproof(t, "json_web_signature_test.json") {
		for _, test := range group.Tests {
			right, ok := map[int][2]string{
				346: {"PS256", "PS384"}, 350: {"PS256", "PS384"}, 347: {"ES521", "ES512"}, 351: {"ES521", "ES512"},
			}[test.ID]
			if !ok {
				continue
			}
			found++
			if err := verifyWith(strings.Replace(string(group.Public), right[0], right[1], 1), test.JWS); err != nil {
				t.Errorf("%d: %v", test.ID, err)
			}
		}
	}
	if found != 4 {
		t.Errorf("found %d, want 4", found)
	}
}

func verifyWith(jwk, token string) error {
	key, err := jws.ParseJWK([]byte(jwk))
	if err != nil {
		return err
	}
	return verify(key, token)
}

func TestWycheproofKeys(t *testing.T) {
	agreed := 0
	for _, group := range wycheproof(t, "json_web_key_test.json") {
		raw := group.Public
		if raw == nil {
			raw = group.Private
		}
		for _, test := range group.Tests {
			err := verifyInSet(raw, test.JWS)
			if (err == nil) != (test.Result == "valid") {
				t.Errorf("%d %s %s: got %v, want %s", test.ID, group.Comment, test.Comment, err, test.Result)
				continue
			}
			agreed++
		}
	}
	if agreed != 26 {
		t.Errorf("agreed with %d, want 26", agreed)
	}
}

// verifyInSet verifies with the key that the header names. A set of secrets is
// read here, as no other code may; of a set with both kinds only the public keys
// count.
func verifyInSet(raw json.RawMessage, token string) error {
	var set struct{ Keys []json.RawMessage }
	if err := json.Unmarshal(raw, &set); err != nil {
		return err
	}
	keys, problems := jws.ParseSet(raw)
	allSecret := !slices.ContainsFunc(set.Keys, func(raw json.RawMessage) bool { return !strings.Contains(string(raw), `"oct"`) })
	if allSecret {
		keys = nil
		for _, raw := range set.Keys {
			key, err := vectorKey(raw)
			if err != nil || slices.ContainsFunc(keys, func(k *jws.Key) bool { return k.ID() == key.ID() }) {
				return errors.Join(err, errors.New("not a usable set of secrets"))
			}
			keys = append(keys, key)
		}
	}
	header, _, _, _, err := jws.Parse(token, 0)
	if err != nil {
		return err
	}
	for _, key := range keys {
		if key.ID() == header.KeyID {
			return verify(key, token)
		}
	}
	return errors.Join(append(problems, errors.New("no key of this id"))...)
}

func TestKeyOfAFlawedGeneratorIsRefused(t *testing.T) {
	for _, group := range wycheproof(t, "json_web_key_test.json") {
		if group.Comment != "jws_rsa_roca_key" {
			continue
		}
		keys, problems := jws.ParseSet(group.Public)
		if len(keys) != 0 || !strings.Contains(fmt.Sprint(problems), "CVE-2017-15361") {
			t.Errorf("ParseSet() = %v, %v, want the flaw to be named", keys, problems)
		}
		return
	}
	t.Error("the vector is missing")
}
