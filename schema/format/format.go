// Package format holds the string formats of JSON Schema and OpenAPI as strict
// checks, and the typed parsers that go with them.
//
//	f, ok := format.Lookup("date-time")
//	if err := f.Check("2026-02-30T10:00:00Z"); err != nil { … } // a *Mistake
//
// # Strictness
//
// Two programs that read one string differently are how a check is walked
// around: the validator sees one host, the client library connects to another.
// So where a specification leaves a choice, a check takes the reading in which
// every parser agrees: no leading zeros in an IPv4 address, no zone in an IPv6
// address, no trailing dot in a host name, no quoted local part in an e-mail
// address, no line break in base64.
//
// # Cost
//
// A check takes time linear in its input and allocates nothing when it passes,
// except "regex", which has to compile the pattern. Strings are not measured
// here unless the specification gives a limit; the body's size limit and the
// schema's maxLength do that.
//
// # Errors
//
// Codes and sentences follow FastAPI, so that clients written for it keep
// working. No sentence contains a byte of the value.
package format

import (
	"slices"

	"github.com/fastness/fastness/problem"
)

// Format is one named string format.
type Format struct {
	// Name is the value of the schema keyword "format".
	Name string
	// Code and Message are what a string without the format fails with if
	// nothing more exact is known; Check says more.
	Code, Message string
	// Check returns nil if s has the format, or a [*Mistake]. It is safe for
	// concurrent use.
	Check func(s string) error
}

// Mistake says why a string does not have a format. It is an error whose text
// may be shown to the caller: it holds nothing of the value.
type Mistake struct {
	code, detail string
	limitName    string
	limit        any
}

// Code returns the stable name of the rule, in the vocabulary of FastAPI's
// error types: "uuid_parsing", "url_scheme" …
func (m *Mistake) Code() string { return m.code }

// Error returns the rule as an English sentence.
func (m *Mistake) Error() string { return m.detail }

// Limits returns the rule's parameters, which FastAPI calls ctx. It may be nil.
func (m *Mistake) Limits() []problem.Limit {
	if m.limitName == "" {
		return nil
	}
	return []problem.Limit{{Name: m.limitName, Value: m.limit}}
}

// because returns the mistake that FastAPI writes as a sentence, a comma and
// the reason, with the reason once more in ctx.error.
func because(code, sentence, reason string) error {
	return &Mistake{code, sentence + ", " + reason, "error", reason}
}

func plain(code, sentence string) error { return &Mistake{code: code, detail: sentence} }

// Lookup returns the format called name.
func Lookup(name string) (Format, bool) {
	i, found := slices.BinarySearchFunc(formats[:], name, func(f Format, name string) int {
		switch {
		case f.Name < name:
			return -1
		case f.Name > name:
			return 1
		}
		return 0
	})
	if !found {
		return Format{}, false
	}
	return formats[i], true
}

// Names returns the names of all formats in alphabetical order.
func Names() []string {
	names := make([]string, len(formats))
	for i, f := range formats {
		names[i] = f.Name
	}
	return names
}

// formats is sorted by name; it is never written to.
var formats = [...]Format{
	{"base64", codeBase64, sayBase64, checkBase64},
	{"base64url", codeBase64, sayBase64URL, checkBase64URL},
	{"byte", codeBase64, sayBase64, checkBase64},
	{"cidr", codeNetwork, sayNetwork, checkCIDR},
	{"date", codeDate, sayDate, checkDate},
	{"date-time", codeDateTime, sayDateTime, checkDateTime},
	{"duration", codeDuration, sayDuration, checkDuration},
	{"email", codeValue, sayEmail, checkEmail},
	{"hostname", codeValue, sayHostname, checkHostname},
	{"http-url", codeURL, sayURL, checkHTTPURL},
	{"ip", codeIP, sayIP, checkIP},
	{"ipv4", codeIPv4, sayIPv4, checkIPv4},
	{"ipv6", codeIPv6, sayIPv6, checkIPv6},
	{"json-pointer", codeValue, sayPointer, checkJSONPointer},
	{"phone", codeValue, sayPhone, checkPhone},
	{"regex", codeRegex, sayRegex, checkRegex},
	{"time", codeTime, sayTime, checkTime},
	{"uri", codeURL, sayURL, checkURI},
	{"uri-reference", codeURL, sayURL, checkURIReference},
	{"url", codeURL, sayURL, checkHTTPURL},
	{"uuid", codeUUID, sayUUID, checkUUID},
}

// codeValue is FastAPI's code for what a plain function refuses.
const codeValue = "value_error"

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

func isHex(c byte) bool { return isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'f' }
