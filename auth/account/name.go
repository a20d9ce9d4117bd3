package account

import (
	"net/http"
	"strings"

	"github.com/fastness/fastness/problem"
)

const maxName = 64

// fold returns the form in which names are compared, and whether name is one.
//
// A name is 1 to 64 ASCII letters, digits and . _ - @ +, and begins and ends with
// a letter or a digit. Case does not count. Nothing else is a name: with the
// letters of Unicode come some that look alike (Cyrillic а), some that are
// written in several ways, and some that only one of two programs folds, and
// each makes a user who can pass for another. What people are called belongs into
// the application's own tables. 0 and O, 1 and l remain: a font that tells them
// apart is the best that can be done.
func fold(name string) (canon string, ok bool) {
	if len(name) == 0 || len(name) > maxName || !isAlphanumeric(name[0]) || !isAlphanumeric(name[len(name)-1]) {
		return "", false
	}
	for i := range len(name) {
		if !isAlphanumeric(name[i]) && strings.IndexByte("._-@+", name[i]) < 0 {
			return "", false
		}
	}
	return strings.ToLower(name), true
}

func isAlphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

func badName() error {
	return problem.New(http.StatusUnprocessableEntity,
		"a name has 1 to 64 letters a-z, digits and . _ - @ +, and begins and ends with a letter or a digit").Named("invalid_name")
}
