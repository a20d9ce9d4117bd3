package sanitize

import (
	"database/sql/driver"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/fastness/fastness/openapi"
	"github.com/fastness/fastness/schema"
)

// Text is plain text, such as a name or a title. It is put in order while it is
// decoded: white space around it is removed, line ends become "\n", and it is
// normalised to Unicode's form NFC, so that what looks alike compares alike.
// It is refused if it holds
//
//   - markup: a < that begins a tag or a comment. "a < b" and "<3" are fine. What
//     shows text must escape it all the same; this is for what forgets.
//   - control characters other than tab and line end, which forge lines in logs
//     and steer terminals
//   - the characters that change the direction of writing over other characters,
//     by which "exe.gpj" is shown as "jpg.exe"
//   - text that is not UTF-8
//
// The tags minLength and maxLength hold of the characters that were sent.
// MinLength holds of what is left, too: spaces alone are too short.
type Text struct{ text string }

// NewText returns s as plain text, or an error that says why it is none.
func NewText(s string) (Text, error) {
	s, err := tidyText(s)
	return Text{s}, err
}

// String returns the text.
func (t Text) String() string { return t.text }

// IsZero reports whether the text is empty.
func (t Text) IsZero() bool { return t.text == "" }

// Length returns how many characters the text has, for the rule minLength.
func (t Text) Length() int { return utf8.RuneCountInString(t.text) }

// MarshalText returns the text.
func (t Text) MarshalText() ([]byte, error) { return []byte(t.text), nil }

// UnmarshalText reads a text. It is not changed if that fails.
func (t *Text) UnmarshalText(text []byte) error {
	s, err := tidyText(string(text))
	if err == nil {
		t.text = s
	}
	return err
}

// Value stores the text as a string.
func (t Text) Value() (driver.Value, error) { return t.text, nil }

// Scan reads a text from a database as it is: a row that an older program wrote
// must remain readable, and text is escaped where it is shown. NULL is empty.
func (t *Text) Scan(value any) (err error) {
	t.text, err = scanned(value)
	return err
}

// JSONSchema describes the text as a string.
func (Text) JSONSchema() *openapi.Schema {
	return &openapi.Schema{
		Type:        openapi.Types{"string"},
		Description: "Plain text. White space around it is removed; markup and control characters are refused.",
	}
}

func tidyText(s string) (string, error) {
	if !utf8.ValidString(s) {
		return "", schema.Invalid("Text should be valid UTF-8").Named("text_encoding")
	}
	if strings.IndexByte(s, '\r') >= 0 {
		s = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(s)
	}
	// Normalising comes first: it can make one character of what was two.
	s = strings.TrimFunc(norm.NFC.String(s), unicode.IsSpace)
	for _, r := range s {
		switch {
		case r < ' ' && r != '\n' && r != '\t', r >= 0x7f && r <= 0x9f, r == '\u2028', r == '\u2029':
			return "", schema.Invalid("Text should have no control characters").Named("text_control")
		case r >= '\u202a' && r <= '\u202e', r >= '\u2066' && r <= '\u2069':
			return "", schema.Invalid("Text should not change the direction of writing").Named("text_direction")
		}
	}
	if isHTML(s) {
		return "", schema.Invalid("Text should have no markup; put a space behind <").Named("text_markup")
	}
	return s, nil
}
