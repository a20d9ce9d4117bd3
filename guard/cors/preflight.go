package cors

import (
	"net/http"
	"slices"
	"strings"

	"github.com/fastness/fastness/problem"
)

// Preflight decides about r if it is a preflight: OPTIONS with an Origin and an
// Access-Control-Request-Method, sent by a browser before a request that no form
// could send. Otherwise, and if the policy allows no origin at all, it is
// (false, nil).
//
// If the request that is to follow is allowed, the headers that say so are in h,
// and the caller answers 204 without a body. If not, Preflight returns a
// [*problem.Problem] with status 403, and h has no header that allows anything.
// The browser would not send the request in either case; the 403 is for who reads
// logs.
//
// allow is the value of Allow for the path, such as "GET, POST", or "" if that is
// not known: then Methods alone decides. A preflight carries no credentials, so
// it must be answered before authentication.
func (p *Policy) Preflight(h http.Header, r *http.Request, allow string) (handled bool, err error) {
	if r.Method != http.MethodOptions || len(r.Header["Origin"]) == 0 || len(r.Header["Access-Control-Request-Method"]) == 0 {
		return false, nil
	}
	if !p.any && len(p.exact) == 0 && len(p.wildcards) == 0 {
		return false, nil
	}
	vary(h, p.varyAll)
	// What Set said is of an answer that is not to come.
	delete(h, "Access-Control-Allow-Origin")
	delete(h, "Access-Control-Allow-Credentials")
	delete(h, "Access-Control-Expose-Headers")
	methods := p.methodsOf(allow)
	if detail := p.refuses(r, methods); detail != "" {
		return false, problem.New(http.StatusForbidden, detail).Named("cors_forbidden")
	}
	if p.any {
		h["Access-Control-Allow-Origin"] = p.star
	} else {
		p.allow(h, r)
	}
	h["Access-Control-Allow-Methods"] = one(strings.Join(methods, ", "))
	h["Access-Control-Allow-Headers"] = p.allowHeaders
	h["Access-Control-Max-Age"] = p.maxAge
	if p.private && len(r.Header["Access-Control-Request-Private-Network"]) > 0 {
		h["Access-Control-Allow-Private-Network"] = p.yes
	}
	return true, nil
}

// refuses says why not, or "".
func (p *Policy) refuses(r *http.Request, methods []string) string {
	origin, asked := r.Header["Origin"], r.Header["Access-Control-Request-Method"]
	switch {
	case len(origin) > 1 || !p.any && !p.Allowed(origin[0]):
		return "pages of this origin may not read answers"
	case len(asked) > 1 || !slices.Contains(methods, asked[0]):
		return "pages of other origins may not use this method here"
	case !p.allowsHeaders(r.Header["Access-Control-Request-Headers"]):
		return "pages of other origins may not set one of these headers"
	}
	return ""
}

// methodsOf returns those of the policy that the path has, too.
func (p *Policy) methodsOf(allow string) []string {
	if allow == "" {
		return p.methods
	}
	both := make([]string, 0, len(p.methods))
	for name := range strings.SplitSeq(allow, ",") {
		if name = strings.TrimSpace(name); slices.Contains(p.methods, name) {
			both = append(both, name)
		}
	}
	return both
}

// allowsHeaders reports whether each name of a list is allowed. Browsers write
// them in lower case and without spaces; what does not is compared more slowly.
func (p *Policy) allowsHeaders(fields []string) bool {
	for _, field := range fields {
		for name := range strings.SplitSeq(field, ",") {
			if _, ok := p.headers[name]; ok {
				continue
			}
			name = strings.ToLower(strings.Trim(name, " \t"))
			if _, ok := p.headers[name]; !ok && name != "" {
				return false
			}
		}
	}
	return true
}
