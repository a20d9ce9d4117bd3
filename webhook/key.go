package webhook

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/fastness/fastness/secret"
)

// The prefixes of secrets.
const (
	hmacPrefix    = "whsec_"
	privatePrefix = "whsk_"
	publicPrefix  = "whpk_"
)

// How many bytes an HMAC secret may have.
const (
	minSecret = 24
	maxSecret = 64
)

// NewSecret returns a new secret of 256 random bits for HMAC-SHA256: whsec_ and
// base64. Sender and receiver have the same one.
func NewSecret() secret.Text {
	var bytes [32]byte
	rand.Read(bytes[:])
	return secret.New(hmacPrefix + base64.StdEncoding.EncodeToString(bytes[:]))
}

// NewKeyPair returns a new ed25519 key, whsk_…, for the sender, and its public
// half, whpk_…, for the receiver, who can then verify and not sign.
func NewKeyPair() (private, public secret.Text) {
	var seed [ed25519.SeedSize]byte
	rand.Read(seed[:])
	half := ed25519.NewKeyFromSeed(seed[:]).Public().(ed25519.PublicKey)
	return secret.New(privatePrefix + base64.StdEncoding.EncodeToString(seed[:])),
		secret.New(publicPrefix + base64.StdEncoding.EncodeToString(half))
}

// key is one of HMAC or ed25519. Fields that it does not have are nil.
type key struct {
	shared  []byte
	private ed25519.PrivateKey
	public  ed25519.PublicKey
}

// use is what a key is for.
type use int

const (
	signing use = iota
	verifying
)

// parseKeys reads secrets. Its error names every mistake by the place of the
// secret, and shows none.
func parseKeys(secrets []secret.Text, to use) ([]key, error) {
	var mistakes []error
	if len(secrets) == 0 || len(secrets) > maxSecrets {
		mistakes = append(mistakes, fmt.Errorf("there are %d secrets, want 1 to %d", len(secrets), maxSecrets))
	}
	keys := make([]key, 0, len(secrets))
	for i, text := range secrets {
		k, err := parseKey(text.Reveal(), to)
		if err != nil {
			mistakes = append(mistakes, fmt.Errorf("secret %d %w", i, err))
			continue
		}
		keys = append(keys, k)
	}
	return keys, errors.Join(mistakes...)
}

// checkStrength returns an error for secrets of HMAC that can be guessed: zeros,
// repetitions, words. It takes too long to be asked for each message.
func checkStrength(secrets []secret.Text) error {
	var mistakes []error
	for i, text := range secrets {
		encoded, ok := strings.CutPrefix(text.Reveal(), hmacPrefix)
		bytes, err := decode(encoded)
		if !ok || err != nil { // Said elsewhere.
			continue
		}
		texts := []string{encoded}
		if strings.Trim(string(bytes), printable) == "" { // Somebody has encoded words.
			texts = append(texts, string(bytes))
		}
		for _, t := range texts {
			if err := secret.Check(secret.New(t), secret.Policy{MinBits: 128}); err != nil {
				mistakes = append(mistakes, fmt.Errorf("secret %d: %w", i, err))
				break
			}
		}
	}
	return errors.Join(mistakes...)
}

// printable are the characters that people write secrets with.
const printable = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~\r\n"

func parseKey(text string, to use) (key, error) {
	if encoded, ok := strings.CutPrefix(text, hmacPrefix); ok {
		bytes, err := decode(encoded)
		switch {
		case err != nil:
			return key{}, err
		case len(bytes) < minSecret || len(bytes) > maxSecret:
			return key{}, fmt.Errorf("has %d bytes, want %d to %d", len(bytes), minSecret, maxSecret)
		}
		return key{shared: bytes}, nil
	}
	if encoded, ok := strings.CutPrefix(text, privatePrefix); ok && to == signing {
		seed, err := decode(encoded)
		if len(seed) == ed25519.PrivateKeySize { // The public half comes after it.
			seed = seed[:ed25519.SeedSize]
		}
		if err != nil || len(seed) != ed25519.SeedSize {
			return key{}, errors.New("is no ed25519 key in base64")
		}
		return key{private: ed25519.NewKeyFromSeed(seed)}, nil
	}
	if encoded, ok := strings.CutPrefix(text, publicPrefix); ok && to == verifying {
		public, err := decode(encoded)
		if err != nil || len(public) != ed25519.PublicKeySize {
			return key{}, errors.New("is no public ed25519 key in base64")
		}
		return key{public: public}, nil
	}
	if to == signing {
		return key{}, errors.New("does not begin with whsec_ or whsk_")
	}
	return key{}, errors.New("does not begin with whsec_ or whpk_")
}

// decode reads base64. The error of the library would say where the mistake is,
// which is something about a secret.
func decode(text string) ([]byte, error) {
	bytes, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || strings.ContainsAny(text, "\r\n") {
		return nil, errors.New("is no base64")
	}
	return bytes, nil
}

// sign returns the signature with its version.
func (k *key) sign(content []byte) string {
	if k.private != nil {
		return "v1a," + base64.StdEncoding.EncodeToString(ed25519.Sign(k.private, content))
	}
	mac := hmac.New(sha256.New, k.shared)
	mac.Write(content)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// matches reports whether one of the signatures is of the key. Signatures of HMAC
// are compared as texts, in a time that does not tell how much was right.
func (k *key) matches(content []byte, signatures []string) bool {
	if k.public != nil {
		for _, s := range signatures {
			if encoded, ok := strings.CutPrefix(s, "v1a,"); ok {
				signature, err := decode(encoded)
				if err == nil && ed25519.Verify(k.public, content, signature) {
					return true
				}
			}
		}
		return false
	}
	want := []byte(k.sign(content))
	found := 0
	for _, s := range signatures {
		found |= subtle.ConstantTimeCompare([]byte(s), want)
	}
	return found == 1
}
