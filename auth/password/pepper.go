package password

import (
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"

	"github.com/fastness/fastness/secret"
)

// ErrPepper is the error for a hash that names a pepper which is not among
// [Config.Peppers]. Nobody with such a hash can log in until it is there again.
var ErrPepper = errors.New("password: the hash names a pepper that is not configured")

// Pepper is a key that is mixed into passwords before they are hashed: HMAC-
// SHA-256 of the password under Key.
type Pepper struct {
	// ID names the pepper in hashes, as keyid=: 1 to 8 letters, digits, hyphens
	// or underscores.
	ID string
	// Key has at least 32 bytes.
	Key secret.Text
}

func validatePeppers(peppers []Pepper) (errs []error) {
	seen := make(map[string]bool)
	for i, p := range peppers {
		if !isPepperID(p.ID) {
			errs = append(errs, fmt.Errorf("Peppers[%d].ID is %q, want 1 to 8 letters, digits, hyphens or underscores", i, p.ID))
		}
		if seen[p.ID] {
			errs = append(errs, fmt.Errorf("Peppers[%d].ID %q is there twice", i, p.ID))
		}
		seen[p.ID] = true
		if n := len(p.Key.Reveal()); n < sha256.Size {
			errs = append(errs, fmt.Errorf("Peppers[%d].Key has %d bytes, want at least %d", i, n, sha256.Size))
		}
	}
	return errs
}

func isPepperID(id string) bool {
	return id != "" && len(id) <= 8 && strings.IndexFunc(id, func(r rune) bool {
		return r != '-' && r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	}) < 0
}

// peppered returns what is hashed for text under the pepper called id.
func (h *Hasher) peppered(id, text string) ([]byte, error) {
	if id == "" {
		return []byte(text), nil
	}
	for _, p := range h.peppers {
		if p.ID == id {
			mac := hmac.New(sha256.New, []byte(p.Key.Reveal()))
			mac.Write([]byte(text))
			return mac.Sum(nil), nil
		}
	}
	return nil, ErrPepper
}
