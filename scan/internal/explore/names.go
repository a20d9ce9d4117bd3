package explore

import (
	"regexp"
	"slices"
	"strings"

	"github.com/fastness/fastness/scan/internal/spec"
	"github.com/fastness/fastness/scan/internal/value"
)

// Reference is a place of a request that names something that the target has.
type Reference struct {
	In, Name string // as in [probe.Point]; of bodies the JSON pointer
	// Resource is what it names, as "order"; Key by which of its members, as "id".
	Resource, Key string
}

// isKey reports whether a word is how things are named: by a number, a code, a title.
func isKey(word string) bool {
	switch value.Singular(word) {
	case "id", "uuid", "guid", "pk", "oid", "identifier", "key", "slug", "code", "name", "title", "username", "email", "number",
		"no", "num", "ref", "reference", "handle", "sku", "isbn", "vin", "token", "hash", "login":
		return true
	}
	return false
}

// isID reports whether a word is how programs name things, and nobody else.
func isID(word string) bool {
	switch value.Singular(word) {
	case "id", "uuid", "guid", "pk", "oid", "identifier":
		return true
	}
	return false
}

// version is a segment that says which version of the API it is.
var version = regexp.MustCompile(`^v\d+([.-]\d+)*$|^\d+(\.\d+)*$`)

// isNoise reports whether a segment of a path says nothing about what is there.
func isNoise(segment string) bool {
	// Only what begins like one is matched: each check asks this of all operations.
	if segment != "" && strings.IndexByte("vV0123456789", segment[0]) >= 0 && version.MatchString(strings.ToLower(segment)) {
		return true
	}
	switch strings.ToLower(segment) {
	case "api", "rest", "public", "internal", "private", "all", "list", "search", "index", "query", "recent", "latest", "mine", "my", "new", "json", "ajax":
		return true
	}
	return false
}

// isVerb reports whether a word says what is done.
func isVerb(word string) bool {
	switch word {
	case "create", "add", "get", "list", "update", "edit", "delete", "remove", "fetch", "read", "view", "show", "make", "set", "put", "post", "save",
		"insert", "modify", "change", "register", "signup", "submit", "place", "cancel", "approve", "pay", "apply", "validate", "verify", "check",
		"upload", "download", "export", "import", "send", "login", "signin", "logout", "find", "do", "all", "my", "new", "by", "for", "return", "convert", "contact", "join", "leave", "accept", "reject", "confirm", "activate":
		return true
	}
	return false
}

// isParameter reports whether a segment is, or holds, a parameter.
func isParameter(segment string) bool { return strings.Contains(segment, "{") }

// nounOf returns what a segment is about, in the singular, without verbs: "order" of
// "create-orders". Empty if there is nothing but verbs.
func nounOf(segment string) string {
	segment = withoutEnding(segment)
	if isParameter(segment) || isNoise(segment) {
		return ""
	}
	words := value.Words(segment)
	for len(words) > 0 && isVerb(words[0]) {
		words = words[1:]
	}
	for len(words) > 1 && isVerb(words[len(words)-1]) {
		words = words[:len(words)-1]
	}
	if len(words) == 0 {
		return ""
	}
	words = slices.Clone(words)
	words[len(words)-1] = value.Singular(words[len(words)-1])
	noun := strings.Join(words, "")
	if version.MatchString(noun) {
		return ""
	}
	return noun
}

// ResourceOf returns what an operation is about, as "order" of POST /orders, GET
// /orders/{id} and POST /orders/{id}/cancel; or "".
func ResourceOf(op *spec.Operation) string {
	segments := op.Segments()
	for _, segment := range slices.Backward(segments) {
		switch strings.ToLower(segment) {
		case "me", "self", "whoami", "profile", "account", "register", "signup", "sign-up", "registration":
			return "user"
		}
		if noun := nounOf(segment); noun != "" {
			return alias(noun)
		}
	}
	return ""
}

// alias maps words for the same thing: who has an account.
func alias(noun string) string {
	switch noun {
	case "member", "customer", "profile", "person", "useraccount", "userprofile", "appuser", "me", "self":
		return "user"
	}
	return noun
}

// pathReferences returns what the parameters of the path name.
func pathReferences(op *spec.Operation) []Reference {
	var out []Reference
	before := ""
	for _, segment := range op.Segments() {
		if !isParameter(segment) {
			if noun := nounOf(segment); noun != "" {
				before = alias(noun)
			}
			continue
		}
		for _, name := range parametersIn(segment) {
			resource, key := split(name)
			switch {
			case resource == "" || resource == before:
				resource = before
			default:
				resource = alias(resource)
			}
			out = append(out, Reference{In: "path", Name: name, Resource: resource, Key: key})
		}
	}
	return out
}

// inCollections corrects what a parameter names that stands right behind a collection: of
// /address-book/{entryCode} the entries are what the address book has, if the target has
// nothing else that is called entry.
func (x *Explorer) inCollections(references []Reference, op *spec.Operation) []Reference {
	segments := op.Segments()
	for i, r := range references {
		at := slices.Index(segments, "{"+r.Name+"}")
		if at < 1 || r.Resource == "user" || x.resources[r.Resource] {
			continue
		}
		if noun := alias(nounOf(segments[at-1])); noun != "" && x.resources[noun] {
			references[i].Resource, references[i].Key = noun, value.Normal(r.Name)
		}
	}
	return references
}

// parametersIn returns the names of the parameters of a segment.
func parametersIn(segment string) []string {
	var names []string
	for {
		_, after, found := strings.Cut(segment, "{")
		name, rest, closed := strings.Cut(after, "}")
		if !found || !closed {
			return names
		}
		name, _, _ = strings.Cut(strings.TrimSuffix(name, "..."), ":")
		names, segment = append(names, name), rest
	}
}

// split takes a name apart: "orderId" is an order by its id, "title" something by its
// title, "order" an order by its id.
func split(name string) (resource, key string) {
	words := value.Words(name)
	if len(words) == 0 {
		return "", "id"
	}
	last := words[len(words)-1]
	if lower := strings.ToLower(name); len(words) == 1 && len(lower) > 3 && strings.HasSuffix(lower, "id") && !strings.HasSuffix(lower, "uuid") && !strings.HasSuffix(lower, "guid") && lower != "paid" && lower != "valid" {
		return value.Singular(strings.TrimSuffix(lower, "id")), "id" // "userid"
	}
	if !isKey(last) {
		return value.Singular(strings.Join(words, "")), "id"
	}
	rest := slices.Clone(words[:len(words)-1])
	if len(rest) > 0 {
		rest[len(rest)-1] = value.Singular(rest[len(rest)-1])
	}
	return strings.Join(rest, ""), value.Singular(last)
}

// refer returns what the name of a query parameter or member names, of the resources that
// the target is known to have.
func (x *Explorer) refer(name string, s *spec.Schema) (resource, key string, ok bool) {
	words := value.Words(name)
	if len(words) == 0 {
		return "", "", false
	}
	resource, key = split(name)
	explicit := isID(words[len(words)-1]) || key == "id" && value.Singular(words[len(words)-1]) != resource && len(words) == 1
	if resource == "" {
		return "", "", false
	}
	if key == "name" || key == "title" || key == "no" || key == "num" || key == "hash" || key == "token" || key == "login" || key == "key" {
		return "", "", false
	}
	if found := x.known(resource, words); found != "" {
		if explicit || isKey(words[len(words)-1]) {
			return found, key, true
		}
		if s != nil && (s.Is("integer") || s.Format == "uuid") && !s.Is("object") {
			return found, "id", true
		}
		return "", "", false
	}
	return alias(resource), key, explicit
}

// known returns the resource of the target that a name ends in: "account" of
// "toAccountId".
func (x *Explorer) known(resource string, words []string) string {
	if x.resources[alias(resource)] {
		return alias(resource)
	}
	if len(words) > 1 {
		words = words[:len(words)-1]
	}
	for i := range words {
		tail := slices.Clone(words[i:])
		tail[len(tail)-1] = value.Singular(tail[len(tail)-1])
		if noun := alias(strings.Join(tail, "")); x.resources[noun] {
			return noun
		}
	}
	return ""
}
