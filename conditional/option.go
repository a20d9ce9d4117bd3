package conditional

import (
	"errors"
	"reflect"
	"strings"

	"github.com/fastness/fastness/internal/operation"
)

// What follows are options of an app's operations.

// On says by which of its objects, that of type T, an operation is conditional, and
// makes it so whatever its method: where it loads several that have a version, or
// where a POST changes one. T has a provider and the method Version.
func On[T any]() operation.Option {
	return operation.Func(func(s *operation.Spec) { s.Conditional.On = reflect.TypeFor[T]() })
}

// TagContent gives the answers of a GET operation, or of all of a group, an ETag by
// their bytes, unless they have one of their own, and answers 304 to whom has them.
// That saves what is sent, not what is done.
func TagContent() operation.Option {
	return operation.Func(func(s *operation.Spec) { s.Conditional.Content = true })
}

// InsecureLastWriteWins says why nobody need say which version they have seen,
// though the object has one. Who says it is still held to it.
func InsecureLastWriteWins(reason string) operation.Option {
	return operation.Func(func(s *operation.Spec) {
		if strings.TrimSpace(reason) == "" {
			s.Mistakes = append(s.Mistakes, errors.New("conditional.InsecureLastWriteWins: the reason is empty, want why that is right"))
			return
		}
		s.Conditional.InsecureLastWriteWins = reason
		s.OptOuts = append(s.OptOuts, operation.OptOut{Name: "conditional.InsecureLastWriteWins", Reason: reason})
	})
}
