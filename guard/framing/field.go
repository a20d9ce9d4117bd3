package framing

import (
	"bytes"
	"net/http"
)

// field is a header field that the guard knows, as a bit.
type field uint16

const (
	fieldHost field = 1 << iota
	fieldContentLength
	fieldTransferEncoding
	fieldAuthorization
	fieldContentType
	fieldOrigin
	fieldReferer
	fieldSecFetchSite
	fieldExpect
	fieldUpgrade
	fieldConnection
	fieldCookie
	fieldTrailer
)

// repeatable fields may come more than once. Of the others two are refused: one
// program takes the first, the next one the last, a third one joins them.
const repeatable = fieldUpgrade | fieldConnection | fieldCookie | fieldTrailer

// known returns the field of a name, or 0.
func known[T []byte | string](name T) field {
	var want string
	var f field
	switch len(name) {
	case 4:
		want, f = "host", fieldHost
	case 6:
		switch lower(name[0]) {
		case 'c':
			want, f = "cookie", fieldCookie
		case 'e':
			want, f = "expect", fieldExpect
		default:
			want, f = "origin", fieldOrigin
		}
	case 7:
		switch lower(name[0]) {
		case 'u':
			want, f = "upgrade", fieldUpgrade
		case 't':
			want, f = "trailer", fieldTrailer
		default:
			want, f = "referer", fieldReferer
		}
	case 10:
		want, f = "connection", fieldConnection
	case 12:
		want, f = "content-type", fieldContentType
	case 13:
		want, f = "authorization", fieldAuthorization
	case 14:
		if want, f = "content-length", fieldContentLength; lower(name[0]) == 's' {
			want, f = "sec-fetch-site", fieldSecFetchSite
		}
	case 17:
		want, f = "transfer-encoding", fieldTransferEncoding
	default:
		return 0
	}
	if !fold(name, want) {
		return 0
	}
	return f
}

// fieldLine checks name ":" value (RFC 9112 section 5).
func (h *head) fieldLine(w, line []byte, limits *Config) *refusal {
	if line[0] == ' ' || line[0] == '\t' {
		return badRequest("folded_line", "a header field must be on one line")
	}
	colon := bytes.IndexByte(line, ':')
	if colon < 1 || !all(line[:colon], tokenByte) {
		return badRequest("malformed_field", "a header field must be a name, a colon and a value")
	}
	name, value := line[:colon], line[colon+1:]
	if !all(value, valueByte) {
		return badRequest("malformed_field", "a header field has a control character in its value")
	}
	f := known(name)
	switch {
	case f == 0:
		return nil
	case h.trailer:
		return badRequest("forbidden_trailer", "this field must not be in a trailer section")
	case h.seen&f&^repeatable != 0:
		return badRequest("duplicate_field", "a header field that may come once came twice")
	}
	h.seen |= f
	return h.knownField(w, f, value, limits)
}

func (h *head) knownField(w []byte, f field, value []byte, limits *Config) *refusal {
	switch f {
	case fieldHost:
		at := h.looked - len("\r\n") - len(value)
		trimmed := trim(value)
		at += len(value) - len(bytes.TrimLeft(value, " \t"))
		if !validHost(trimmed) {
			return badRequest("malformed_host", "Host is not well-formed")
		}
		h.host = span{at, at + len(trimmed)}
	case fieldContentLength:
		return h.contentLength(value)
	case fieldTransferEncoding:
		// Whoever decorates this value wants one parser of two not to see it.
		if h.chunked = string(afterSpace(value)) == "chunked"; !h.chunked {
			return &refusal{http.StatusNotImplemented, "unsupported_transfer_encoding",
				`the only transfer encoding served here is "chunked"`}
		}
	case fieldCookie:
		if h.cookies += len(trim(value)); h.cookies > limits.CookieBytes {
			return cookiesTooLarge()
		}
	case fieldConnection:
		h.upgrade = h.upgrade || lists(value, "upgrade")
	case fieldUpgrade:
		if lists(value, "h2c") {
			return badRequest("unsupported_upgrade", "HTTP/2 is not served over an upgrade")
		}
	case fieldExpect:
		if !fold(trim(value), "100-continue") {
			return &refusal{http.StatusExpectationFailed, "unsupported_expectation",
				`the only expectation served here is "100-continue"`}
		}
	case fieldTrailer:
		if lists(value, "transfer-encoding") || lists(value, "content-length") || lists(value, "trailer") {
			return badRequest("forbidden_trailer", "this field must not be in a trailer section")
		}
	}
	return nil
}

func cookiesTooLarge() *refusal {
	return &refusal{http.StatusRequestHeaderFieldsTooLarge, "cookies_too_large", "the cookies are too large"}
}

// maxLengthDigits keeps Content-Length within an int64.
const maxLengthDigits = 18

func (h *head) contentLength(value []byte) *refusal {
	digits := afterSpace(value)
	if !isLength(digits) {
		return badContentLength()
	}
	for _, c := range digits {
		h.length = h.length*10 + int64(c-'0')
	}
	return nil
}

// isLength reports whether digits are a number as everybody writes it. To a parser
// that takes a leading zero for the sign of an octal number, 010 is 8.
func isLength[T []byte | string](digits T) bool {
	return len(digits) > 0 && len(digits) <= maxLengthDigits && (digits[0] != '0' || len(digits) == 1) && all(digits, digitByte)
}

func badContentLength() *refusal {
	return badRequest("malformed_content_length", "Content-Length must be a decimal number")
}

// afterSpace cuts off the one space that every client puts behind the colon.
func afterSpace(value []byte) []byte {
	if len(value) > 0 && value[0] == ' ' {
		return value[1:]
	}
	return value
}
