// Package form parses what a request sends besides JSON: the query string,
// urlencoded bodies, cookies, multipart bodies and the Content-Type.
//
// All of them are read one way only. A string that two parsers could read
// differently is refused with a [problem.Problem], not repaired: a pair that is
// dropped here and kept by the proxy in front is how a check is walked around.
// Nothing is merged either. Order and repeats are kept, so that the caller can
// refuse a name that came twice.
//
//   - A structure that cannot be read is a 400.
//   - What is larger or more than allowed is a 413, in cookies a 431.
//   - A media type or charset that nobody here reads is a 415.
//
// No problem tells what was sent.
package form

import (
	"iter"
	"net/http"

	"github.com/fastness/fastness/problem"
)

// Pair is one name with its value, decoded.
type Pair struct{ Name, Value string }

// Pairs are the pairs of a query, a form or the cookies, as they came.
type Pairs []Pair

// Lookup returns the first value of name and how often the name came. It does
// not allocate.
func (p Pairs) Lookup(name string) (value string, times int) {
	for i := range p {
		if p[i].Name != name {
			continue
		}
		if times == 0 {
			value = p[i].Value
		}
		times++
	}
	return value, times
}

// Each yields all values of name in the order in which they came.
func (p Pairs) Each(name string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range p {
			if p[i].Name == name && !yield(p[i].Value) {
				return
			}
		}
	}
}

func malformed(code, detail string) *problem.Problem {
	return problem.New(http.StatusBadRequest, detail).Named(code)
}

func tooLarge(code, detail string) *problem.Problem {
	return problem.New(http.StatusRequestEntityTooLarge, detail).Named(code)
}

func isControl(c byte) bool { return c < ' ' || c == 0x7f }
