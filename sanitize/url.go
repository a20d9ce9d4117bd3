package sanitize

import (
	"net/url"
	"strings"
)

// URLRelative says what becomes of a relative URL: one without a scheme, which
// a browser completes by the address of the page. "//host/path" is one, too.
type URLRelative struct {
	mode    relativeMode
	base    string
	parsed  *url.URL
	rewrite func(string) (string, error)
}

type relativeMode uint8

const (
	passRelative relativeMode = iota
	denyRelative
	rewriteToBase
	rewriteByFunction
)

// PassRelative keeps relative URLs as they are. It is the default.
func PassRelative() URLRelative { return URLRelative{} }

// DenyRelative drops attributes with a relative URL.
func DenyRelative() URLRelative { return URLRelative{mode: denyRelative} }

// RelativeTo resolves relative URLs against an absolute one, as RFC 3986 section
// 5 has it. One that cannot be parsed is dropped.
func RelativeTo(base string) URLRelative { return URLRelative{mode: rewriteToBase, base: base} }

// RewriteRelative replaces each relative URL by what f returns. If f returns an
// error or panics, or its URL is none that the policy allows, the attribute is
// dropped. F must be safe for concurrent use.
func RewriteRelative(f func(relative string) (string, error)) URLRelative {
	return URLRelative{mode: rewriteByFunction, rewrite: f}
}

// url returns the URL that is kept, and whether one is.
func (c *cleaner) url(text string) (string, bool) {
	text, ok := tidyURL(text)
	if !ok {
		return "", false
	}
	scheme, absolute := splitScheme(text)
	if absolute {
		return text, c.policy.schemes[scheme]
	}
	relative := c.policy.relative
	switch {
	case relative.mode == denyRelative:
		return "", false
	case relative.mode == rewriteToBase:
		reference, err := url.Parse(strings.ReplaceAll(text, `\`, "/"))
		if err != nil {
			return "", false
		}
		return relative.parsed.ResolveReference(reference).String(), true
	case relative.mode == rewriteByFunction && !c.verifies:
		text, ok = rewritten(relative.rewrite, text)
		if !ok {
			return "", false
		}
		if text, ok = tidyURL(strings.ToValidUTF8(text, "\uFFFD")); !ok {
			return "", false
		}
		scheme, absolute = splitScheme(text)
		return text, !absolute || c.policy.schemes[scheme]
	}
	return text, true
}

// rewritten asks a function of the application. One that panics said no.
func rewritten(f func(string) (string, error), text string) (out string, ok bool) {
	defer func() {
		if recover() != nil {
			out, ok = "", false
		}
	}()
	out, err := f(text)
	return out, err == nil
}

// tidyURL removes what a browser ignores in a URL: spaces and control characters
// around it, tabs and line ends within (URL Standard section 4.4). Other control
// characters are in no URL that anybody means, so it is refused.
func tidyURL(text string) (string, bool) {
	text = strings.TrimFunc(text, func(r rune) bool { return r <= ' ' })
	if strings.ContainsAny(text, "\t\n\r") {
		text = strings.NewReplacer("\t", "", "\n", "", "\r", "").Replace(text)
	}
	control := strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r >= 0x7f && r <= 0x9f })
	return text, !control
}

// splitScheme returns the scheme of a URL in lower case, and whether it has one.
// What has a colon where a scheme would end and is none counts as a scheme that
// nobody allows: it is not left to the browser to find out what is meant.
func splitScheme(text string) (scheme string, absolute bool) {
	end := strings.IndexAny(text, `:/\?#`)
	if end < 0 || text[end] != ':' {
		return "", false
	}
	scheme = strings.ToLower(text[:end])
	if !isScheme(scheme) {
		return "", true
	}
	return scheme, true
}

// isScheme reports whether s is a scheme in lower case (RFC 3986 section 3.1).
func isScheme(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z':
		case i > 0 && ('0' <= c && c <= '9' || c == '+' || c == '-' || c == '.'):
		default:
			return false
		}
	}
	return s != ""
}
