package idempotency

import (
	"net/http"
	"strings"

	"github.com/fastness/fastness/internal/operation"
	"github.com/fastness/fastness/problem"
)

// Header is the name of the header with the key, and Replayed that of the header
// which marks an answer that was given before.
const (
	Header   = "Idempotency-Key"
	Replayed = "Idempotent-Replayed"
)

// The least and the most characters of a key. A shorter one can be guessed: it
// protects the stored answer, too.
const minKey, maxKey = 16, 255

// KeyOf returns the key of r, "" if it has none, or a *problem.Problem of status 400
// for one that cannot be read.
func KeyOf(r *http.Request) (string, error) {
	values := r.Header[Header]
	if len(values) == 0 {
		return "", nil
	}
	if len(values) == 1 {
		if key, ok := parseKey(values[0]); ok {
			return key, nil
		}
	}
	return "", problem.New(http.StatusBadRequest, `the Idempotency-Key must be one random text of 16 to 255 characters in quotes, such as "8e03978e-40d5-43e8-bc93-6894a57f9324"`).
		Named("idempotency_key_invalid")
}

// Missing is the answer to a request without a key where one is required.
func Missing() error {
	return problem.New(http.StatusBadRequest, "the operation needs an Idempotency-Key").Named("idempotency_key_missing")
}

// parseKey reads a String of RFC 9651 section 3.3.3, without parameters: two that
// differ in them would be one key to one reader and two to the next.
func parseKey(text string) (string, bool) {
	text = strings.Trim(text, " ")
	if len(text) < 2 || text[0] != '"' || text[len(text)-1] != '"' {
		return "", false
	}
	var key strings.Builder
	inner := text[1 : len(text)-1]
	for i := 0; i < len(inner); i++ {
		c := inner[i]
		switch {
		case c == '\\' && i+1 < len(inner) && (inner[i+1] == '"' || inner[i+1] == '\\'):
			i++
			c = inner[i]
		case c < ' ' || c > '~' || c == '"' || c == '\\':
			return "", false
		}
		key.WriteByte(c)
	}
	return key.String(), key.Len() >= minKey && key.Len() <= maxKey
}

// Required is an option of operations: without a key they are refused. A provider of
// *[Keys] must be declared. It says nothing about operations of a group that change
// nothing.
func Required() operation.Option {
	return operation.Func(func(s *operation.Spec) { s.Idempotency = operation.Idempotency{Keyed: true, Required: true} })
}

// Accepted is an option of operations: a key counts if there is one.
func Accepted() operation.Option {
	return operation.Func(func(s *operation.Spec) { s.Idempotency = operation.Idempotency{Keyed: true} })
}
