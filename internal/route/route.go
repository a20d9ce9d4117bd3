// Package route finds the operation that answers a request, and costs a flood
// nothing to refuse: finding a route, a 404 and a 405 allocate nothing, and the
// price of a refusal does not grow with the number of routes.
//
//	var routes route.Tree[*operation]
//	err := routes.Add("GET", "/items/{id}", readItem)
//	switch m := routes.Find(r.Method, r.URL); m.Outcome {
//	case route.Found:
//		m.Value.serve(w, r, &m.Params)
//	…
//
// # Patterns
//
//	/items           exactly this path; /items/ is another one
//	/items/{id}      one segment, not empty
//	/files/{path...} one or more segments, as "a/b/c"; last in its pattern
//
// A literal segment beats a parameter, a parameter beats a catch-all, from left
// to right; the search goes back if the better choice leads nowhere or has no
// route for the method. A [Tree.AddMount] takes what no route matches.
//
// # What a path may hold
//
// The path is decoded exactly once, segment by segment, before it is matched,
// and nothing is cleaned up: a path that a proxy and an application could read
// in two ways is refused instead of repaired, because a repaired path is how
// "/public/..%2fadmin" passes a proxy's rule and still reaches /admin.
// [Malformed] lists what is refused. Matching is case-sensitive and no Unicode
// form equals another.
package route

import "strings"

// MaxParams is how many parameters one pattern may have. It is fixed so that
// [Params] needs no allocation.
const MaxParams = 8

// Outcome says how a search ended.
type Outcome uint8

const (
	// NotFound: no route has this path; answer 404. A path with an empty
	// segment ("//admin", "/a//b") is never found and never redirected: a
	// Location of "//host" would lead off the site.
	NotFound Outcome = iota
	// Found: Value and Params are set.
	Found
	// MethodNotAllowed: the path has routes, none for the method; answer 405
	// with Allow (RFC 9110 section 15.5.6).
	MethodNotAllowed
	// Options: OPTIONS on a path that has routes but none for OPTIONS itself,
	// or "OPTIONS *"; answer 204 with Allow (RFC 9110 section 9.3.7).
	Options
	// Redirect: only the path with, or without, the trailing slash has routes;
	// answer 307 with Location.
	Redirect
	// Malformed: the path can be read in more than one way; answer 400. These
	// are: "%2f" and "%5c" in a segment, a backslash, NUL and other control
	// characters, bytes that are not UTF-8 (overlong "%c0%ae" among them), a
	// "." or ".." segment in any spelling and with any ";parameter", characters
	// that must be percent-encoded but are not, and a target without a path.
	Malformed
)

// String returns the outcome's name.
func (o Outcome) String() string {
	switch o {
	case NotFound:
		return "NotFound"
	case Found:
		return "Found"
	case MethodNotAllowed:
		return "MethodNotAllowed"
	case Options:
		return "Options"
	case Redirect:
		return "Redirect"
	default:
		return "Malformed"
	}
}

// Match is the result of [Tree.Find].
type Match[T any] struct {
	Outcome Outcome
	// HeadOfGet is set if the route of GET answers a HEAD request.
	HeadOfGet bool
	// Value is the route's value. It is set if Outcome is Found.
	Value T
	// Params are the decoded parameters in the order of the pattern.
	Params Params
	// Allow is the value of the Allow header for MethodNotAllowed and Options:
	// "GET, HEAD, OPTIONS".
	Allow string
	// Location is a reference to the same site for Redirect: an absolute path
	// with the query of the request, in ASCII. It never starts with two slashes.
	Location string
}

// Params are the decoded values of a pattern's parameters, in its order.
type Params struct {
	values [MaxParams]string
	n      int
}

// Len returns how many parameters there are.
func (p *Params) Len() int { return p.n }

// At returns the i-th parameter. It panics if there is none: which parameters
// exist was decided by the pattern.
func (p *Params) At(i int) string { return p.values[:p.n][i] }

func (p *Params) push(value string) {
	p.values[p.n] = value
	p.n++
}

func (p *Params) pop() { p.n-- }

// A method is a place in a leaf's table of values.
type method uint8

// The order is alphabetic, so that an Allow header is sorted.
const (
	methodDelete method = iota
	methodGet
	methodHead
	methodOptions
	methodPatch
	methodPost
	methodPut
	methodOther // any other name: its place in the table stays empty
	methodCount
)

func methodOf(name string) method {
	switch name {
	case "GET":
		return methodGet
	case "POST":
		return methodPost
	case "PUT":
		return methodPut
	case "PATCH":
		return methodPatch
	case "DELETE":
		return methodDelete
	case "HEAD":
		return methodHead
	case "OPTIONS":
		return methodOptions
	default: // Method names are case-sensitive (RFC 9110 section 9.1).
		return methodOther
	}
}

// A methodSet has bit 1<<m set for each method m in it.
type methodSet uint8

// allowHeaders returns the Allow header of every methodSet, by its value, so
// that a 405 builds no string.
func allowHeaders() []string {
	names := [methodOther]string{"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"}
	headers := make([]string, 1<<methodOther)
	for set := range headers {
		var in []string
		for m, name := range names {
			if set&(1<<m) != 0 {
				in = append(in, name)
			}
		}
		headers[set] = strings.Join(in, ", ")
	}
	return headers
}
