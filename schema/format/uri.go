package format

import (
	"strconv"
	"strings"
)

const (
	codeURL = "url_parsing"
	sayURL  = "Input should be a valid URL"
)

const (
	whyEmpty     = "input is empty"
	whyRelative  = "relative URL without a base"
	whyScheme    = "invalid scheme"
	whyCharacter = "invalid character"
	whyEscape    = "invalid percent escape"
	whyUserinfo  = "user information is not allowed"
	whyEmptyHost = "empty host"
	whyHost      = "invalid host"
	whyIPv6      = "invalid IPv6 address"
	whyPort      = "invalid port number"
)

// maxURL is the limit of Pydantic's HttpUrl.
const maxURL = 2083

// uri is a URI reference in its parts (RFC 3986 section 3).
type uri struct {
	scheme       string
	hasAuthority bool
	hasUserinfo  bool
	host, port   string
	hasPort      bool
}

// checkURI accepts a URI of RFC 3986 with its scheme. Every character and every
// percent escape is checked, which net/url does not do.
func checkURI(s string) error {
	if _, why := scanURI(s, false); why != "" {
		return because(codeURL, sayURL, why)
	}
	return nil
}

func checkURIReference(s string) error {
	if _, why := scanURI(s, true); why != "" {
		return because(codeURL, sayURL, why)
	}
	return nil
}

// checkHTTPURL accepts an absolute http or https URL as a client should be
// given one. User information is refused: "https://bank.example@evil.example"
// is for fooling people, and a password does not belong in a URL. The host is
// a host name or an address in its one canonical form, so that "0x7f.1",
// "2130706433" and "127.1" are not a way around a list of hosts.
func checkHTTPURL(s string) error {
	if len(s) > maxURL {
		return &Mistake{"url_too_long", "URL should have at most " + strconv.Itoa(maxURL) + " characters", "max_length", maxURL}
	}
	u, why := scanURI(s, false)
	switch {
	case why != "":
		return because(codeURL, sayURL, why)
	case !strings.EqualFold(u.scheme, "http") && !strings.EqualFold(u.scheme, "https"):
		const schemes = "'http' or 'https'"
		return &Mistake{"url_scheme", "URL scheme should be " + schemes, "expected_schemes", schemes}
	case u.host == "":
		return because(codeURL, sayURL, whyEmptyHost)
	case u.hasUserinfo:
		return because(codeURL, sayURL, whyUserinfo)
	case u.hasPort && !isPort(u.port):
		return because(codeURL, sayURL, whyPort)
	case u.host[0] != '[' && !isWebHost(u.host) && checkIPv4(u.host) != nil:
		return because(codeURL, sayURL, whyHost)
	}
	return nil
}

// isWebHost reports whether s is a host name that no URL parser takes for an
// IPv4 address: browsers read a last label of 0x and hexadecimal digits as one.
func isWebHost(s string) bool {
	last := s[strings.LastIndexByte(s, '.')+1:]
	if len(last) >= 2 && last[0] == '0' && last[1]|0x20 == 'x' {
		digits := last[2:]
		for digits != "" && isHex(digits[0]) {
			digits = digits[1:]
		}
		if digits == "" {
			return false
		}
	}
	return isHostname(s)
}

func isPort(s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return err == nil && n > 0 && s[0] != '0'
}

// scanURI reads s as a URI, or as a URI reference if relative is set, and says
// why it could not.
func scanURI(s string, relative bool) (u uri, why string) {
	rest := s
	// A colon before any of / ? # ends a scheme: the first segment of a
	// relative path must not hold one (RFC 3986 section 4.2).
	end := strings.IndexAny(s, ":/?#")
	switch {
	case s == "" && !relative:
		return u, whyEmpty
	case end >= 0 && s[end] == ':':
		u.scheme, rest = s[:end], s[end+1:]
		if !isScheme(u.scheme) {
			return u, whyScheme
		}
	case !relative:
		return u, whyRelative
	}
	rest, fragment, _ := strings.Cut(rest, "#")
	rest, query, _ := strings.Cut(rest, "?")
	if after, ok := strings.CutPrefix(rest, "//"); ok {
		u.hasAuthority = true
		slash := strings.IndexByte(after, '/')
		if slash < 0 {
			slash = len(after)
		}
		if why = u.scanAuthority(after[:slash]); why != "" {
			return u, why
		}
		rest = after[slash:]
	}
	if why = scanChars(rest, ":@/"); why != "" {
		return u, why
	}
	if why = scanChars(query, ":@/?"); why != "" {
		return u, why
	}
	return u, scanChars(fragment, ":@/?")
}

func isScheme(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !isLetter(c) && (i == 0 || !isDigit(c) && c != '+' && c != '-' && c != '.') {
			return false
		}
	}
	return s != ""
}

func (u *uri) scanAuthority(s string) (why string) {
	if userinfo, host, ok := strings.Cut(s, "@"); ok {
		u.hasUserinfo, s = true, host
		if why = scanChars(userinfo, ":"); why != "" {
			return why
		}
	}
	end := strings.IndexByte(s, ':')
	if strings.HasPrefix(s, "[") {
		if end = strings.IndexByte(s, ']') + 1; end == 0 || !isIPv6(s[1:end-1]) {
			return whyIPv6
		}
		if end == len(s) {
			end = -1
		} else if s[end] != ':' {
			return whyIPv6
		}
	}
	u.host = s
	if end >= 0 {
		u.host, u.port, u.hasPort = s[:end], s[end+1:], true
		if countDigits(u.port) != len(u.port) {
			return whyPort
		}
	}
	if strings.HasPrefix(u.host, "[") {
		return ""
	}
	if why = scanChars(u.host, ""); why == "" && hidesASCII(u.host) {
		return whyHost
	}
	return why
}

// hidesASCII reports whether an ASCII character of a valid host is percent
// encoded. Nothing needs that but a host that wants not to be recognised, and
// net/url refuses it as well.
func hidesASCII(host string) bool {
	for {
		at := strings.IndexByte(host, '%')
		if at < 0 {
			return false
		}
		if host[at+1] < '8' {
			return true
		}
		host = host[at+3:]
	}
}

// scanChars accepts the unreserved characters and sub-delimiters of RFC 3986
// section 2, percent escapes and the extra characters.
func scanChars(s, extra string) (why string) {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case isLetter(c) || isDigit(c):
		case c == '%':
			if len(s) < i+3 || !isHex(s[i+1]) || !isHex(s[i+2]) {
				return whyEscape
			}
			i += 2
		case strings.IndexByte("-._~!$&'()*+,;=", c) < 0 && strings.IndexByte(extra, c) < 0:
			return whyCharacter
		}
	}
	return ""
}
