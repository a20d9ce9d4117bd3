package cookie

import (
	"net/http"
	"strings"
	"unicode"

	"github.com/fastness/fastness/problem"
)

// Get returns the value that r has of the cookie. There is none (ok is false) if
// the browser sent none, or one that no server could have set: with a byte that no
// cookie can have or, where values are sealed, one that was not sealed for this
// cookie, or long ago. That is no error, so that a key which is gone locks nobody
// out.
//
// The error is a [*problem.Problem] with status 400 if the cookie comes more than
// once, or under a name that only looks like its own, with white space around it.
// What other cookies look like is not looked at.
func (c *Cookie) Get(r *http.Request) (value string, ok bool, err error) {
	n := 0
	for _, field := range r.Header["Cookie"] {
		for pair := range strings.SplitSeq(field, ";") {
			name, v, named := strings.Cut(pair, "=")
			if !named || !strings.Contains(name, c.name) || strings.TrimFunc(name, isBlank) != c.name {
				continue
			}
			// White space that some parsers cut off gets a name past the browser,
			// which guards the prefix of what it reads as the name.
			if n++; n > 1 || strings.TrimPrefix(name, " ") != c.name {
				return "", false, problem.New(http.StatusBadRequest, "a cookie is there more than once").Named("ambiguous_cookie")
			}
			value = v
		}
	}
	if n == 0 || !isValue(value) {
		return "", false, nil
	}
	if c.cfg.Keys == nil {
		return value, true, nil
	}
	value, ok = c.open(r.Context(), value)
	return value, ok, nil
}

func isBlank(r rune) bool { return r <= ' ' || unicode.IsSpace(r) || unicode.IsControl(r) }
