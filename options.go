package fastness

import (
	"fmt"
	"net/http"
	"reflect"
	"time"

	"github.com/fastness/fastness/internal/operation"
)

// Tags adds tags to the operation.
func Tags(tags ...string) Option {
	return operation.Func(func(s *operation.Spec) { s.Tags = append(s.Tags, tags...) })
}

// Summary sets the operation's summary. The default is the first sentence of
// the function's doc comment.
func Summary(text string) Option {
	return operation.Func(func(s *operation.Spec) { s.Summary = text })
}

// Description sets the operation's description, in Markdown. The default is the
// rest of the function's doc comment.
func Description(text string) Option {
	return operation.Func(func(s *operation.Spec) { s.Description = text })
}

// OperationID sets the operation's id, which clients are generated from. The
// default is the function's name.
func OperationID(id string) Option {
	return operation.Func(func(s *operation.Spec) { s.ID = id })
}

// Deprecated marks the operation as one that callers should leave.
func Deprecated() Option {
	return operation.Func(func(s *operation.Spec) { s.Deprecated = true })
}

// Hidden leaves the operation out of the document. It is as protected as any
// other.
func Hidden() Option {
	return operation.Func(func(s *operation.Spec) { s.Hidden = true })
}

// Status sets the status of a normal answer, 200 to 299.
func Status(code int) Option {
	return operation.Func(func(s *operation.Spec) {
		if code < 200 || code > 299 {
			s.Mistakes = append(s.Mistakes, fmt.Errorf("status is %d, want 200 to 299", code))
		}
		s.Status = code
	})
}

// ResponseDescription describes the normal answer.
func ResponseDescription(text string) Option {
	return operation.Func(func(s *operation.Spec) { s.StatusText = text })
}

// Response documents one more answer that the operation can give, whose body is
// a T. For a problem document let T be *problem.Problem.
func Response[T any](status int, description string) Option {
	return operation.Func(func(s *operation.Spec) {
		if http.StatusText(status) == "" {
			s.Mistakes = append(s.Mistakes, fmt.Errorf("response status %d is unknown", status))
		}
		s.Responses = append(s.Responses, operation.Response{
			Status: status, Description: description, Type: reflect.TypeFor[T](),
		})
	})
}

// Example adds a named example of the request body to the document.
func Example(name string, value any) Option {
	return operation.Func(func(s *operation.Spec) {
		s.Examples = append(s.Examples, operation.Example{Name: name, Value: value})
	})
}

// Extension adds an x-… member to the operation in the document.
func Extension(name string, value any) Option {
	return operation.Func(func(s *operation.Spec) {
		if len(name) < 3 || name[:2] != "x-" {
			s.Mistakes = append(s.Mistakes, fmt.Errorf("extension %q must begin with x-", name))
		}
		if s.Extensions == nil {
			s.Extensions = make(map[string]any)
		}
		s.Extensions[name] = value
	})
}

// BodyLimit sets the most bytes that the request body may have. The default is
// [Config].BodyLimit.
func BodyLimit(bytes int64) Option {
	return operation.Func(func(s *operation.Spec) {
		if bytes <= 0 {
			s.Mistakes = append(s.Mistakes, fmt.Errorf("body limit is %d bytes, want more than 0", bytes))
		}
		s.BodyLimit = bytes
	})
}

// GzipBody lets callers gzip the request body, as programs do that send much. The
// body limit is of what comes out of it, which may be 100 times what went in.
func GzipBody() Option {
	return operation.Func(func(s *operation.Spec) { s.Gzip = true })
}

// Timeout sets how long the operation may take before its context ends. The
// default is [Config].Timeout.
func Timeout(d time.Duration) Option {
	return operation.Func(func(s *operation.Spec) {
		if d <= 0 {
			s.Mistakes = append(s.Mistakes, fmt.Errorf("timeout is %v, want more than 0", d))
		}
		s.Timeout = d
	})
}

// Middleware wraps the operation, or each of a group, in plain net/http
// middleware. The first one is the outermost. It runs after the access rule.
func Middleware(m ...func(http.Handler) http.Handler) Option {
	return operation.Func(func(s *operation.Spec) {
		s.Mistakes = append(s.Mistakes, missingMiddleware(m)...)
		s.Middleware = append(s.Middleware, m...)
	})
}

func missingMiddleware(list []func(http.Handler) http.Handler) (mistakes []error) {
	for i, m := range list {
		if m == nil {
			mistakes = append(mistakes, fmt.Errorf("middleware %d is nil", i+1))
		}
	}
	return mistakes
}

// Requires runs the provider of T for the operation, or for each of a group,
// though no field asks for its value: a check that must pass, for instance.
func Requires[T any]() Option {
	return operation.Func(func(s *operation.Spec) { s.Requires = append(s.Requires, reflect.TypeFor[T]()) })
}
