package filestore

import (
	"crypto/rand"
	"database/sql/driver"
	"fmt"
	"strings"
)

// keyLength is that of [rand.Text]: 130 bits, five a letter.
const keyLength = 26

// Key is the name of a file in a store: 26 lower-case letters and digits, chosen at
// random. The zero Key is that of no file. A Key comes out of [Store.Save] or
// [ParseKey]; no other text can become one, neither from JSON or a path nor from a
// database.
type Key struct{ text string }

func newKey() Key { return Key{strings.ToLower(rand.Text())} }

// ParseKey returns the key that was written so. Its error is a problem with status
// 404: what is no key is the key of no file.
func ParseKey(text string) (Key, error) {
	if len(text) != keyLength || strings.Trim(text, "abcdefghijklmnopqrstuvwxyz234567") != "" {
		return Key{}, notFound()
	}
	return Key{text}, nil
}

// String returns the text of the key, "" for the zero Key.
func (k Key) String() string { return k.text }

// IsZero reports whether it is the key of no file.
func (k Key) IsZero() bool { return k.text == "" }

// MarshalText writes the key.
func (k Key) MarshalText() ([]byte, error) { return []byte(k.text), nil }

// UnmarshalText reads a key; an empty text is the zero Key.
func (k *Key) UnmarshalText(text []byte) (err error) {
	*k = Key{}
	if len(text) > 0 {
		*k, err = ParseKey(string(text))
	}
	return err
}

// Value writes the key into a database; the zero Key is NULL.
func (k Key) Value() (driver.Value, error) {
	if k.IsZero() {
		return nil, nil
	}
	return k.text, nil
}

// Scan reads a key from a database; NULL is the zero Key.
func (k *Key) Scan(value any) error {
	switch v := value.(type) {
	case nil:
		*k = Key{}
		return nil
	case string:
		return k.UnmarshalText([]byte(v))
	case []byte:
		return k.UnmarshalText(v)
	}
	return fmt.Errorf("filestore: a key cannot be read from a %T", value)
}
