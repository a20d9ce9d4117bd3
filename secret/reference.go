package secret

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Parse returns the source that a reference names:
//
//	env:NAME           the variable NAME
//	env-or-file:NAME   the variable NAME, or the file that NAME_FILE names
//	file:/run/secrets/hmac   the file, by its absolute path
//
// References stand in settings, where the secret itself must not. An error never
// shows what was given: it may be the secret, put where its reference belongs.
func Parse(reference string) (Source, error) { return Resolver{}.Parse(reference) }

// Resolver makes sources of references. The zero value knows the schemes of
// [Parse].
type Resolver struct {
	// Schemes are further ones, such as "vault", each with what makes a source of
	// what stands after the colon. Its error must not show that. Those of [Parse]
	// cannot be replaced.
	Schemes map[string]func(rest string) (Source, error)
	// InsecureReadableFiles, if not empty, says why the files may be readable by
	// everybody on the machine; see [FileConfig].
	InsecureReadableFiles string
}

// Parse returns the source that a reference names.
func (r Resolver) Parse(reference string) (Source, error) {
	scheme, rest, _ := strings.Cut(reference, ":")
	switch scheme {
	case "env", "env-or-file":
		if !isVariable(rest) {
			return nil, fmt.Errorf("secret reference: after %s: is no name of a variable", scheme)
		}
		if scheme == "env" {
			return Env(rest), nil
		}
		return envOrFile{rest, FileConfig{InsecureReadable: r.InsecureReadableFiles}}, nil
	case "file":
		if !strings.HasPrefix(rest, "/") || strings.HasPrefix(rest, "//") || strings.ContainsRune(rest, 0) {
			return nil, errors.New("secret reference: after file: is no absolute path, want one like file:/run/secrets/hmac")
		}
		return file{rest, r.InsecureReadableFiles}, nil
	}
	if open := r.Schemes[scheme]; open != nil {
		source, err := open(rest)
		if err != nil {
			return nil, fmt.Errorf("secret reference: %s: %w", scheme, err)
		}
		if source == nil {
			return nil, fmt.Errorf("secret reference: %s: there is no source", scheme)
		}
		return source, nil
	}
	known := append([]string{"env", "env-or-file", "file"}, slices.Sorted(maps.Keys(r.Schemes))...)
	return nil, fmt.Errorf("secret reference: it does not begin with one of %s: and is perhaps the secret itself", strings.Join(known, ":, "))
}

// isVariable reports whether name is one of a variable (POSIX 1003.1 section 8.1,
// and lower case, which many use).
func isVariable(name string) bool {
	for i := range len(name) {
		switch c := name[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', c == '_', i > 0 && '0' <= c && c <= '9':
		default:
			return false
		}
	}
	return name != ""
}
