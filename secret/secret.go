// Package secret holds texts that must not leak: passwords, keys, tokens. It says
// where they come from, and whether they are worth keeping.
//
// A [Text] goes in easily and comes out only by its name. It is decoded like a
// string, from JSON, forms, flags and environment; it prints as *** whatever the
// verb; and everything that would write it down, an encoder or a database
// driver, gets an error. What is left is [Text.Reveal], which a reviewer can
// search for.
//
//	type LogIn struct {
//		Username string      `form:"username"`
//		Password secret.Text `form:"password" maxLength:"1024"`
//	}
//
// A [Source] reads one from where it is kept; settings name it by a reference, so
// that the secret itself stands in no argument and no file of the program.
// [Check] refuses what can be guessed. A [Reloading] reads it again while the
// program runs, and knows the one before, so that nothing fails while it rotates.
//
//	source, err := secret.Parse("file:/run/secrets/hmac") // or env:NAME, env-or-file:NAME
//	…
//	key, err := secret.NewReloading(ctx, secret.ReloadingConfig{
//		Source: source,
//		Accept: func(t secret.Text) error { return secret.Check(t, secret.Policy{}) },
//	})
//	…
//	sign(key.Current())
//	verify(key.Accepted()) // the current one, and for an hour the one before
//
// To rotate, rename a new file over the old one: within a second it is the
// current one. A variable cannot be changed from outside while the process runs.
//
// It guards against mistakes, not against who can read the memory of the
// process: Go's collector moves and keeps copies, so nothing here claims to wipe
// them.
package secret

import (
	"crypto/sha256"
	"crypto/subtle"
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
)

// ErrEncode is what encoders and database drivers get instead of a secret. To
// send or to store one on purpose, use [Text.Reveal].
var ErrEncode = errors.New("secret: a secret.Text is not written down")

// redacted stands where a secret would have been printed.
const redacted = "***"

// Text is a secret text. The zero value is empty.
//
// Two of them cannot be compared with ==, which would tell by its time how much
// of a guess was right: use [Text.Equal].
type Text struct {
	_ [0]func() // makes == a compile-time error

	// content is behind a pointer because package fmt cannot call methods of
	// unexported fields: it prints a string in there, and of a pointer only
	// its address.
	content *string
}

// New returns text as a secret.
func New(text string) Text {
	if text == "" {
		return Text{}
	}
	return Text{content: &text}
}

// Reveal returns the text itself.
func (t Text) Reveal() string {
	if t.content == nil {
		return ""
	}
	return *t.content
}

// IsZero reports whether the text is empty.
func (t Text) IsZero() bool { return t.content == nil }

// Equal reports whether both texts are the same. Its time depends on their
// lengths and not on where they differ.
func (t Text) Equal(other Text) bool {
	a, b := sha256.Sum256([]byte(t.Reveal())), sha256.Sum256([]byte(other.Reveal()))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
}

// UnmarshalText reads a secret. It keeps a copy: what it was read from may be a
// buffer that the next request reuses.
func (t *Text) UnmarshalText(text []byte) error {
	*t = New(string(text))
	return nil
}

// String returns ***, or nothing for an empty text: whether a secret was set at
// all is what a log is asked first.
func (t Text) String() string {
	if t.IsZero() {
		return ""
	}
	return redacted
}

// GoString is String, for %#v.
func (t Text) GoString() string { return "secret.Text(" + t.String() + ")" }

// Format prints the same as String for every verb: %x and %q, too, would
// otherwise spell the text.
func (t Text) Format(f fmt.State, verb rune) {
	text := t.String()
	if verb == 'v' && f.Flag('#') {
		text = t.GoString()
	}
	_, _ = f.Write([]byte(text)) // Package fmt keeps the error of what it writes to.
}

// LogValue redacts the text in structured logs.
func (t Text) LogValue() slog.Value { return slog.StringValue(t.String()) }

// MarshalText always fails with [ErrEncode]. A silent *** in an answer would
// look as if it worked.
func (t Text) MarshalText() ([]byte, error) { return nil, ErrEncode }

// MarshalJSON always fails with [ErrEncode].
func (t Text) MarshalJSON() ([]byte, error) { return nil, ErrEncode }

// Value always fails with [ErrEncode]: a password is stored as a hash, a key
// encrypted.
func (t Text) Value() (driver.Value, error) { return nil, ErrEncode }
