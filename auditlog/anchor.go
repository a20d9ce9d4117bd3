package auditlog

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"
)

// Hash is a SHA-256 hash. Its text is 64 hexadecimal digits.
type Hash [sha256.Size]byte

// String returns the digits, in lower case.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// MarshalText returns the digits.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText reads 64 digits.
func (h *Hash) UnmarshalText(text []byte) error {
	if len(text) != hex.EncodedLen(len(h)) {
		return errors.New("not a hash, want 64 hexadecimal digits")
	}
	var read Hash
	if _, err := hex.Decode(read[:], text); err != nil {
		return errors.New("not a hash, want 64 hexadecimal digits")
	}
	*h = read
	return nil
}

// Anchor is the number and the hash of one event. Keep it where nobody can write
// who can write to the database: it proves that this event, and all before it,
// were in the log. The zero Anchor is that of an empty log, and proves nothing.
type Anchor struct {
	Seq  int64
	Hash Hash
}

// IsZero reports whether the anchor is that of an empty log.
func (a Anchor) IsZero() bool { return a == Anchor{} }

// String returns the anchor in the form "17:c0ffee…", with all digits.
func (a Anchor) String() string { return strconv.FormatInt(a.Seq, 10) + ":" + a.Hash.String() }

// MarshalText returns [Anchor.String].
func (a Anchor) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads what [Anchor.String] wrote.
func (a *Anchor) UnmarshalText(text []byte) error {
	read, err := ParseAnchor(string(text))
	if err == nil {
		*a = read
	}
	return err
}

// ParseAnchor reads what [Anchor.String] wrote.
func ParseAnchor(text string) (Anchor, error) {
	number, digits, ok := strings.Cut(text, ":")
	seq, err := strconv.ParseInt(number, 10, 64)
	if !ok || err != nil || seq < 0 || strconv.FormatInt(seq, 10) != number {
		return Anchor{}, errors.New(`not an anchor, want a number, ":" and a hash`)
	}
	a := Anchor{Seq: seq}
	if err := a.Hash.UnmarshalText([]byte(digits)); err != nil {
		return Anchor{}, err
	}
	if seq == 0 && !a.IsZero() {
		return Anchor{}, errors.New("not an anchor: there is no event 0")
	}
	return a, nil
}
