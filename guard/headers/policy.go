package headers

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// findings are what is wrong with a Config: what no browser understands, and
// what it understands but nobody should send unexplained.
type findings struct {
	field    string
	mistakes []error
	weak     []error
}

func (f *findings) wrong(format string, args ...any) {
	f.mistakes = append(f.mistakes, fmt.Errorf(f.field+" "+format, args...))
}

func (f *findings) weakness(format string, args ...any) {
	f.weak = append(f.weak, fmt.Errorf(f.field+" "+format+"; say why in InsecurePolicy", args...))
}

// isFieldValue refuses CR, LF and whatever else could end the header.
func isFieldValue(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

func oneOf(good, weak []string) func(*findings, string) {
	return func(f *findings, value string) {
		switch {
		case slices.Contains(weak, value):
			f.weakness("is %q", value)
		case !slices.Contains(good, value):
			f.wrong("is %q, want one of %s", value, strings.TrimPrefix(strings.Join(slices.Concat(good, weak), ", "), ", "))
		}
	}
}

// isSourceList reports whether a directive's value is a list of sources.
func isSourceList(directive string) bool {
	switch directive {
	case "default-src", "connect-src", "font-src", "frame-src", "img-src", "manifest-src", "media-src", "style-src", "style-src-attr",
		"style-src-elem", "worker-src", "child-src", "base-uri", "form-action", "frame-ancestors":
		return true
	}
	return runsScripts(directive)
}

// runsScripts reports whether a directive decides what may run.
func runsScripts(directive string) bool {
	switch directive {
	case "default-src", "script-src", "script-src-elem", "script-src-attr", "object-src":
		return true
	}
	return false
}

// checkCSP parses a policy (CSP3 section 2.2.1). Browsers skip what they do not
// know, so a misspelled directive or a keyword without its quotes is not an
// error there but a hole.
func checkCSP(f *findings, policy string) {
	if strings.Contains(policy, ",") {
		f.wrong("holds a comma, which starts a second policy")
		return
	}
	seen := map[string]bool{}
	for text := range strings.SplitSeq(policy, ";") {
		words := strings.Fields(text)
		if len(words) == 0 {
			continue
		}
		name, sources := strings.ToLower(words[0]), words[1:]
		switch {
		case seen[name]:
			f.wrong("has %s twice; browsers ignore the second", name)
		case isSourceList(name):
			checkSources(f, name, sources)
		case name == "upgrade-insecure-requests", name == "sandbox", name == "report-to", name == "report-uri",
			name == "require-trusted-types-for", name == "trusted-types":
		default:
			f.wrong("has the unknown directive %q", name)
		}
		seen[name] = true
	}
	for _, name := range []string{"base-uri", "frame-ancestors"} { // default-src does not stand in for these.
		if !seen[name] {
			f.weakness("has no %s", name)
		}
	}
	if !seen["default-src"] && !(seen["script-src"] && seen["object-src"]) {
		f.weakness("has neither default-src nor script-src and object-src")
	}
}

func checkSources(f *findings, directive string, sources []string) {
	for _, source := range sources {
		word := strings.ToLower(source)
		quoted := strings.HasPrefix(word, "'")
		switch {
		case !quoted && isKeyword("'"+word+"'"):
			f.wrong("has %s in %s without its quotes, which browsers read as a host", word, directive)
		case strings.HasPrefix(word, "'nonce-"):
			f.wrong("has a nonce in %s; a nonce must be new in each answer", directive)
		case quoted && !isKeyword(word) && !isHash(word):
			f.wrong("has the unknown keyword %s in %s", word, directive)
		case word == "'none'" && len(sources) > 1:
			f.wrong("has 'none' beside other sources in %s, which browsers ignore", directive)
		case directive == "frame-ancestors" && isAnywhere(word):
			f.weakness("has %s in frame-ancestors", word)
		case directive == "base-uri" && isAnywhere(word):
			f.weakness("has %s in base-uri", word)
		case runsScripts(directive) && (isAnywhere(word) || strings.HasPrefix(word, "'unsafe-")):
			f.weakness("has %s in %s", word, directive)
		}
	}
}

func isKeyword(word string) bool {
	switch word {
	case "'none'", "'self'", "'unsafe-inline'", "'unsafe-eval'", "'unsafe-hashes'", "'wasm-unsafe-eval'", "'strict-dynamic'", "'report-sample'":
		return true
	}
	return false
}

func isHash(word string) bool {
	return strings.HasPrefix(word, "'sha256-") || strings.HasPrefix(word, "'sha384-") || strings.HasPrefix(word, "'sha512-")
}

// isAnywhere reports whether a source lets in content that anyone may have made.
func isAnywhere(word string) bool {
	switch word {
	case "*", "http:", "https:", "data:", "blob:", "filesystem:", "ws:", "wss:", "http://*", "https://*":
		return true
	}
	return false
}

// checkPermissions parses a list of features, each with its allowlist
// (a dictionary of RFC 9651).
func checkPermissions(f *findings, policy string) {
	for member := range strings.SplitSeq(policy, ",") {
		name, value, ok := strings.Cut(strings.TrimSpace(member), "=")
		if !ok || name == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz-") != "" {
			f.wrong(`has the member %q, want one like "camera=()"`, member)
			continue
		}
		if value == "*" {
			f.weakness("allows %s everywhere", name)
			continue
		}
		inner, open := strings.CutPrefix(value, "(")
		inner, closed := strings.CutSuffix(inner, ")")
		if value != "self" && !(open && closed) {
			f.wrong("has %s=%s, want a list in parentheses, self or *", name, value)
			continue
		}
		for _, origin := range strings.Fields(inner) {
			quoted := len(origin) > 2 && origin[0] == '"' && origin[len(origin)-1] == '"' && strings.Count(origin, `"`) == 2
			switch {
			case origin == "*":
				f.weakness("allows %s everywhere", name)
			case origin != "self" && origin != "src" && !quoted && value != "self":
				f.wrong("has %s in the list of %s, want self or an origin in double quotes", origin, name)
			}
		}
	}
}

// checkHSTS parses RFC 6797 section 6.1.
func checkHSTS(f *findings, value string) {
	age, subdomains, seen := int64(-1), false, map[string]bool{}
	for directive := range strings.SplitSeq(value, ";") {
		name, arg, _ := strings.Cut(strings.TrimSpace(directive), "=")
		name = strings.ToLower(name)
		if seen[name] {
			f.wrong("has %s twice", name)
		}
		seen[name] = true
		switch name {
		case "max-age":
			seconds, err := strconv.ParseInt(arg, 10, 64)
			if err != nil || seconds < 0 {
				f.wrong("has max-age=%s, want seconds", arg)
				return
			}
			age = seconds
		case "includesubdomains":
			subdomains = true
		case "preload":
		default:
			f.wrong("has the unknown directive %q", name)
		}
	}
	const year = 31536000
	switch {
	case age < 0:
		f.wrong("has no max-age")
	case age < year:
		f.weakness("has max-age=%d, less than a year (%d)", age, year)
	}
	if !subdomains {
		f.weakness("has no includeSubDomains")
	}
}
