package framing

import (
	"bytes"
	"net/http"
)

// span is a part of a head. It is kept as offsets because the bytes may move
// while the rest of the head comes in.
type span struct{ from, to int }

func (s span) of(w []byte) []byte { return w[s.from:s.to] }

// head is what is known of a request head, or of a trailer section, of which not
// every line may have come.
type head struct {
	trailer bool

	line   int // where the line begins that is being read
	looked int // up to where a line end has been looked for
	fields int // where the field lines begin; 0 while the request line is read

	count     int // of field lines
	cookies   int // bytes of Cookie values
	minor     byte
	seen      field // bits
	chunked   bool
	length    int64 // by Content-Length
	upgrade   bool  // Connection lists it
	authority span  // of a target in absolute form
	host      span
}

// Longest method, and what a request line has beside method and target.
const (
	maxMethod  = 32
	lineExtras = len("  HTTP/1.1\r\n")
)

// scan reads the lines of w that have not been read. It returns the length of the
// section once its empty line is there.
func (h *head) scan(w []byte, limits *Config) (int, *refusal) {
	if h.looked == 0 && !h.trailer && classes[w[0]]&methodByte == 0 {
		return 0, badRequest("malformed_request_line", "a request must begin with a method in capital letters")
	}
	for {
		end := bytes.IndexByte(w[h.looked:], '\n')
		complete := end >= 0
		if end += h.looked + 1; !complete {
			end = len(w)
		}
		if r := h.tooLong(end, limits); r != nil {
			return 0, r
		}
		h.looked = end
		if !complete {
			return 0, nil
		}
		line := w[h.line : end-1]
		if len(line) == 0 || line[len(line)-1] != '\r' {
			return 0, badRequest("bare_line_feed", "lines must end in CRLF")
		}
		line = line[:len(line)-1]
		if len(line) == 0 && (h.fields > 0 || h.trailer) {
			return end, nil
		}
		if r := h.readLine(w, line, limits); r != nil {
			return 0, r
		}
		h.line = end
	}
}

// tooLong checks the limits for a section that has come up to end. What it says
// must not depend on how much more has come with it.
func (h *head) tooLong(end int, limits *Config) *refusal {
	switch {
	case h.trailer:
		if end > limits.TrailerBytes {
			return badRequest("trailer_too_large", "the trailer section is too large")
		}
	case h.fields == 0:
		if end > maxMethod+limits.TargetBytes+lineExtras {
			return targetTooLong()
		}
	case end-h.fields > limits.HeadBytes:
		return &refusal{http.StatusRequestHeaderFieldsTooLarge, "header_too_large", "the header section is too large"}
	}
	return nil
}

func targetTooLong() *refusal {
	return &refusal{http.StatusRequestURITooLong, "target_too_long", "the request target is too long"}
}

func (h *head) readLine(w, line []byte, limits *Config) *refusal {
	if h.fields == 0 && !h.trailer {
		h.fields = h.looked
		return h.requestLine(line, limits)
	}
	if h.count++; h.count > limits.Fields {
		return &refusal{http.StatusRequestHeaderFieldsTooLarge, "too_many_fields", "the request has too many header fields"}
	}
	return h.fieldLine(w, line, limits)
}

// requestLine checks method SP target SP version (RFC 9112 section 3).
func (h *head) requestLine(line []byte, limits *Config) *refusal {
	sp := bytes.IndexByte(line, ' ')
	last := bytes.LastIndexByte(line, ' ')
	if sp < 0 || sp == last {
		return badRequest("malformed_request_line", "a request line must be a method, a target and a version")
	}
	method, target, version := line[:sp], line[sp+1:last], line[last+1:]
	if len(method) > maxMethod || !all(method, methodByte) {
		return badRequest("malformed_method", "a method must be a token in capital letters")
	}
	switch {
	case len(version) != len("HTTP/1.1") || string(version[:5]) != "HTTP/" ||
		classes[version[5]]&classes[version[7]]&digitByte == 0 || version[6] != '.':
		return badRequest("malformed_request_line", "a request line must end in an HTTP version")
	case version[5] != '1' || version[7] > '1':
		return &refusal{http.StatusHTTPVersionNotSupported, "unsupported_version", "only HTTP/1.1 and HTTP/1.0 are served here"}
	}
	h.minor = version[7] - '0'
	if r := checkMethod(string(method)); r != nil {
		return r
	}
	if len(target) > limits.TargetBytes {
		return targetTooLong()
	}
	return h.target(string(method) == http.MethodOptions, target, sp+1)
}

// checkMethod refuses the methods that no resource has: CONNECT asks for a tunnel,
// TRACE shows a script the cookies that it must not see.
func checkMethod(method string) *refusal {
	if method == http.MethodConnect || method == http.MethodTrace {
		return &refusal{http.StatusMethodNotAllowed, "method_not_allowed", "this method is not served here"}
	}
	return nil
}

// target checks the three forms that are left without CONNECT (RFC 9112 section
// 3.2); offset is where it begins in the head.
func (h *head) target(isOptions bool, target []byte, offset int) *refusal {
	if !all(target, targetByte) || len(target) == 0 {
		return badTarget()
	}
	switch {
	case target[0] == '/':
	case len(target) == 1 && target[0] == '*' && isOptions:
	default:
		scheme := len("http://")
		if len(target) > scheme && lower(target[4]) == 's' {
			scheme++
		}
		if len(target) <= scheme || !fold(target[:scheme], "http://") && !fold(target[:scheme], "https://") {
			return badTarget()
		}
		end := scheme
		for end < len(target) && target[end] != '/' && target[end] != '?' {
			end++
		}
		if !validHost(target[scheme:end]) {
			return badTarget()
		}
		h.authority = span{offset + scheme, offset + end}
		target = target[end:]
	}
	if !validEscapes(target) {
		return badTarget()
	}
	return nil
}

func badTarget() *refusal {
	return badRequest("malformed_target", "the request target is not well-formed")
}

// check decides on what the fields of a complete head say together.
func (h *head) check(w []byte) *refusal {
	host, authority := h.host.of(w), h.authority.of(w)
	switch {
	case h.minor == 1 && h.seen&fieldHost == 0:
		return badRequest("missing_host", "an HTTP/1.1 request must have a Host")
	case len(authority) > 0 && h.seen&fieldHost != 0 && !sameHost(host, authority):
		return badRequest("host_mismatch", "Host must be the host of the request target")
	case h.chunked && h.seen&fieldContentLength != 0:
		return badRequest("ambiguous_length", "a request must not have both Content-Length and Transfer-Encoding")
	case h.chunked && h.minor == 0:
		return badRequest("ambiguous_length", "an HTTP/1.0 request must not have Transfer-Encoding")
	case h.upgrades() && (h.chunked || h.length > 0):
		return badRequest("upgrade_with_body", "an upgrade request must not have a body")
	}
	return nil
}

// upgrades reports whether the request asks for another protocol. In HTTP/1.0
// Upgrade means nothing (RFC 9110 section 7.8).
func (h *head) upgrades() bool {
	return h.upgrade && h.seen&fieldUpgrade != 0 && h.minor == 1
}
