package jws

import (
	"encoding/base64"
	"errors"
	"strings"
)

// ErrMalformed says that a text is not a token in the strict compact form.
var ErrMalformed = errors.New("malformed token")

const (
	// MaxToken is how long a token may be in bytes unless the caller wants it shorter.
	MaxToken = 8 << 10
	// maxHeader bounds what is parsed before a signature was verified.
	maxHeader = 1 << 10
)

// Header is what a token says about its signature. None of it is verified until
// the signature is.
type Header struct {
	Algorithm   Algorithm
	KeyID       string // "kid", printable ASCII, at most 128 characters; "" if there is none
	Type        string // "typ"
	ContentType string // "cty"
}

// Parse takes a token in the compact form (RFC 7515, section 7.1) apart. It
// verifies nothing: signed and sig are for [Key.Verify]. A token is longer than
// max bytes, or than [MaxToken] if max is 0, only to be refused.
//
// There is one spelling of every token. base64url is without padding, line ends
// and stray bits; the header is one JSON object that names no member twice. A
// header is refused if it wants to bring its own key (jwk, jku, x5c, x5u), to be
// understood differently (crit, b64, zip), or to use what is not an [Algorithm].
func Parse(token string, max int) (h Header, payload []byte, signed string, sig []byte, err error) {
	if max <= 0 || max > MaxToken {
		max = MaxToken
	}
	if len(token) > max {
		return h, nil, "", nil, malformed("too long", nil)
	}
	first := strings.IndexByte(token, '.')
	last := strings.LastIndexByte(token, '.')
	if first < 0 || first == last || strings.IndexByte(token[first+1:last], '.') >= 0 {
		return h, nil, "", nil, malformed("want three parts", nil)
	}
	if h, err = parseHeader(token[:first]); err != nil {
		return h, nil, "", nil, err
	}
	if payload, err = Decode(token[first+1 : last]); err != nil {
		return h, nil, "", nil, malformed("payload", err)
	}
	if sig, err = Decode(token[last+1:]); err != nil || len(sig) == 0 {
		return h, nil, "", nil, malformed("signature is empty or not base64url", nil)
	}
	return h, payload, token[:last], sig, nil
}

// malformedError is an [ErrMalformed] whose text is put together only if somebody
// reads it: a flood of bad tokens should be cheap to refuse.
type malformedError struct {
	what  string
	cause error
}

func malformed(what string, cause error) error { return &malformedError{what, cause} }

func (e *malformedError) Error() string {
	if e.cause == nil {
		return ErrMalformed.Error() + ": " + e.what
	}
	return ErrMalformed.Error() + ": " + e.what + ": " + e.cause.Error()
}

func (e *malformedError) Is(target error) bool { return target == ErrMalformed }

func (e *malformedError) Unwrap() error { return e.cause }

func parseHeader(encoded string) (h Header, err error) {
	var buf [maxHeader]byte
	if base64.RawURLEncoding.DecodedLen(len(encoded)) > len(buf) {
		return h, malformed("header is too long", nil)
	}
	n, err := decode(buf[:], encoded)
	if err != nil {
		return h, malformed("header", err)
	}
	o := Object{Data: buf[:n]}
	for o.Next() {
		if err := h.set(o.Name(), o.Value()); err != nil {
			return h, err
		}
	}
	if err := o.Err(); err != nil {
		return h, malformed("header", err)
	}
	if h.Algorithm == "" {
		return h, malformed("no alg", ErrAlgorithm)
	}
	return h, nil
}

func (h *Header) set(name []byte, v Value) (err error) {
	switch string(name) {
	case "alg":
		text, ok := v.bytes()
		if ok {
			h.Algorithm, ok = algorithm(text)
		}
		if !ok {
			return malformed("alg", ErrAlgorithm)
		}
	case "kid":
		h.KeyID, err = headerText(v)
		if h.KeyID == "" && err == nil {
			err = malformed("kid is empty", nil)
		}
	case "typ":
		h.Type, err = headerText(v)
	case "cty":
		h.ContentType, err = headerText(v)
	case "crit", "jku", "x5u", "jwk", "x5c", "b64", "zip":
		return malformed("header has a member that is not allowed", nil)
	}
	return err
}

func headerText(v Value) (string, error) {
	text, ok := v.bytes()
	switch {
	case !ok || !printable(text):
		return "", malformed("header: want short strings of printable ascii", nil)
	case string(text) == "at+jwt": // Known types need no copy.
		return "at+jwt", nil
	}
	return string(text), nil
}

var errBase64 = errors.New("not base64url without padding")

// Decode undoes base64url without padding (RFC 7515, section 2). There is one
// spelling of every value: stray bits and line ends, which encoding/base64
// overlooks, are refused.
func Decode(s string) ([]byte, error) {
	buf := make([]byte, base64.RawURLEncoding.DecodedLen(len(s)))
	n, err := decode(buf, s)
	if err != nil {
		return nil, err
	}
	return buf[:n], nil
}

func decode(dst []byte, s string) (int, error) {
	if strings.ContainsAny(s, "\r\n") {
		return 0, errBase64
	}
	n, err := base64.RawURLEncoding.Strict().Decode(dst, []byte(s))
	if err != nil {
		return 0, errBase64
	}
	return n, nil
}
