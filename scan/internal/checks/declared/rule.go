package declared

import (
	"slices"
	"strings"

	"github.com/fastness/fastness/scan/internal/login"
	"github.com/fastness/fastness/scan/internal/spec"
)

// Rule is who may call an operation, by the program itself.
type Rule struct {
	// Method may be "*", which is any. Path is a template, as "/orders/{id}"; a star or
	// "{rest...}" at its end stands for all that follows.
	Method, Path string
	// Caller says that nobody passes without a log-in. Whoever has none of Roles, or lacks
	// one of Scopes, is refused; who has them may be refused all the same.
	Caller        bool
	Roles, Scopes []string
}

func (r Rule) String() string { return r.Method + " " + r.Path }

// refuses returns why a user must be refused, or "" if that is not known.
func (r Rule) refuses(u *login.User) string {
	switch {
	case !r.Caller:
		return ""
	case u == nil:
		return "it needs a log-in"
	case len(r.Roles) > 0 && u.Roles != nil && !slices.ContainsFunc(r.Roles, func(role string) bool { return slices.Contains(u.Roles, role) }):
		return "it needs the role " + strings.Join(r.Roles, " or ")
	}
	for _, scope := range r.Scopes {
		if u.Scopes != nil && !slices.Contains(u.Scopes, scope) {
			return "it needs the scope " + scope
		}
	}
	return ""
}

// covers reports whether a rule is about an operation.
func (r Rule) covers(op *spec.Operation) bool {
	return (r.Method == "*" || r.Method == op.Method || r.Method == "GET" && op.Method == "HEAD") && fits(split(r.Path), split(op.Path))
}

// same reports whether a template is that of the rule, but for the names of parameters.
func (r Rule) same(op *spec.Operation) bool {
	return r.Method == op.Method && slices.EqualFunc(split(r.Path), split(op.Path), func(a, b string) bool {
		return a == b || parameter(a) && parameter(b)
	})
}

// fits reports whether a path or template is one that a template stands for.
func fits(template, path []string) bool {
	for i, segment := range template {
		switch {
		case segment == "*" || strings.HasSuffix(segment, "...}"):
			return true
		case i >= len(path):
			return false
		case segment != path[i] && !parameter(segment):
			return false
		}
	}
	return len(template) == len(path)
}

func split(path string) []string { return strings.Split(strings.Trim(path, "/"), "/") }

func parameter(segment string) bool { return strings.HasPrefix(segment, "{") }
