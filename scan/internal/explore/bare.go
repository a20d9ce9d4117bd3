package explore

import (
	"path"
	"slices"
	"strings"

	"github.com/fastness/fastness/scan/internal/spec"
	"github.com/fastness/fastness/scan/internal/value"
)

// programs are endings of names of programs that answer requests, as in /order.php?id=7.
var programs = [...]string{".php", ".asp", ".aspx", ".ashx", ".asmx", ".jsp", ".jspx", ".do", ".action", ".cgi", ".pl", ".py", ".rb", ".cfm", ".json", ".xml", ".html"}

// withoutEnding returns a segment without the ending of a program.
func withoutEnding(segment string) string {
	if ending := path.Ext(segment); ending != "" && len(ending) < len(segment) && slices.Contains(programs[:], strings.ToLower(ending)) {
		return strings.TrimSuffix(segment, ending)
	}
	return segment
}

// BareID returns what a parameter names that is called "id" and no more, outside of the path:
// what the operation is about, as in GET /order?id=7 and in POST /order/cancel with id=7. It
// is "" if the operation makes something new, whose id it may be, or names it in its path.
func BareID(op *spec.Operation, in, name string) string {
	name = strings.TrimPrefix(name, "/")
	if in != "query" && in != "body" || !isID(strings.ToLower(name)) || strings.Contains(op.Path, "{") {
		return ""
	}
	if op.Method == "POST" && !changes(op) {
		return ""
	}
	return ResourceOf(op)
}

// changes reports whether the path of an operation says that it does something with what is
// there already.
func changes(op *spec.Operation) bool {
	segments := op.Segments()
	if len(segments) == 0 {
		return false
	}
	words := value.Words(withoutEnding(segments[len(segments)-1]))
	return slices.ContainsFunc(words, func(word string) bool {
		switch word {
		case "create", "add", "make", "new", "register", "signup", "insert", "login", "signin", "logout", "search", "list", "all", "my", "by", "for", "import", "upload", "place", "submit":
			return false
		}
		return isVerb(word)
	})
}

// hasBareID reports whether an operation names an object outside of its path.
func hasBareID(op *spec.Operation) bool {
	return slices.ContainsFunc(op.Params, func(p *spec.Param) bool { return BareID(op, p.In, p.Name) != "" })
}

// bareAction reports whether a POST does something with an object that its body names.
func bareAction(op *spec.Operation) bool {
	if op.Method != "POST" || op.Body == nil || !changes(op) {
		return false
	}
	for _, m := range op.Body.Media {
		if m.Schema != nil && slices.ContainsFunc(m.Schema.Names, func(name string) bool { return BareID(op, "body", name) != "" }) {
			return true
		}
	}
	return false
}
