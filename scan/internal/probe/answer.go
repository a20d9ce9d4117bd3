package probe

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/fastness/fastness/scan/wire"
)

// Leaf is a value of an answer that contains no other.
type Leaf struct {
	Pointer string // JSON pointer; the indices of arrays are "*"
	Value   any
}

// Text returns the value as parameters write it.
func (l Leaf) Text() string { return Text(l.Value) }

// Name returns the last name of the pointer: "email" of "/users/*/email".
func (l Leaf) Name() string {
	parts := strings.Split(l.Pointer, "/")
	for _, part := range slices.Backward(parts) {
		if part != "*" && part != "" {
			return unescapePointer(part)
		}
	}
	return ""
}

// maxLeaves of an answer that are looked at.
const maxLeaves = 5000

// Decode returns the JSON of an answer, whatever media type it claims, or false.
func Decode(ex *wire.Exchange) (v any, ok bool) {
	text := bytes.TrimSpace(ex.Body)
	if len(text) == 0 || !strings.ContainsRune(`{["`, rune(text[0])) && !ex.IsJSON() {
		return nil, false
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if decoder.Decode(&v) != nil {
		return nil, false
	}
	return v, true
}

// Leaves returns the values of a JSON answer in order, or nil.
func Leaves(ex *wire.Exchange) []Leaf {
	v, ok := Decode(ex)
	if !ok {
		return nil
	}
	return LeavesOf(v)
}

// LeavesOf is Leaves of a decoded document.
func LeavesOf(v any) []Leaf { return appendLeaves(nil, "", v) }

func appendLeaves(out []Leaf, at string, v any) []Leaf {
	if len(out) >= maxLeaves {
		return out
	}
	switch v := v.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			out = appendLeaves(out, at+"/"+escapePointer(name), v[name])
		}
	case []any:
		for _, e := range v {
			out = appendLeaves(out, at+"/*", e)
		}
	default:
		out = append(out, Leaf{Pointer: at, Value: v})
	}
	return out
}

// Shape returns the structure of an answer without its values: what stays the same
// between two objects of a kind.
func Shape(ex *wire.Exchange) string {
	v, ok := Decode(ex)
	if !ok {
		return ex.Media()
	}
	var b strings.Builder
	writeShape(&b, v, 0)
	return b.String()
}

func writeShape(b *strings.Builder, v any, depth int) {
	switch v := v.(type) {
	case map[string]any:
		b.WriteByte('{')
		if depth < maxDepth {
			for _, name := range slices.Sorted(maps.Keys(v)) {
				b.WriteString(name + ":")
				writeShape(b, v[name], depth+1)
				b.WriteByte(',')
			}
		}
		b.WriteByte('}')
	case []any:
		b.WriteByte('[')
		if len(v) > 0 && depth < maxDepth {
			writeShape(b, v[0], depth+1)
		}
		b.WriteByte(']')
	case nil:
		b.WriteByte('?') // null may stand for anything.
	default:
		fmt.Fprintf(b, "%T", v)
	}
}

// Refused reports whether an answer says no: by its status, by leading to a log-in, or by
// a body that is only an error although the status is one of success.
func Refused(ex *wire.Exchange) bool {
	switch {
	case ex.Status >= 400 || ex.Status < 200:
		return true
	case ex.Status >= 300:
		to := strings.ToLower(ex.Header.Get("Location"))
		return strings.Contains(to, "login") || strings.Contains(to, "log-in") || strings.Contains(to, "signin") || strings.Contains(to, "sign-in") || strings.Contains(to, "auth")
	}
	v, ok := Decode(ex)
	if !ok {
		return false
	}
	m, ok := v.(map[string]any)
	return ok && isError(m)
}

// isError reports whether an object says that something failed, and nothing else: APIs
// that answer 200 to everything look like that.
func isError(m map[string]any) bool {
	bad := false
	for name, v := range m {
		switch strings.ToLower(name) {
		case "success", "ok", "succeeded":
			if v == true {
				return false
			}
			bad = bad || v == false
		case "error", "errors", "error_message", "errormessage", "err":
			bad = bad || v != nil && v != false && v != "" && !isEmpty(v)
		case "status", "result":
			text := strings.ToLower(Text(v))
			switch text {
			case "error", "fail", "failed", "failure", "denied", "unauthorized", "forbidden", "not found", "401", "403", "404":
				bad = true
			}
		case "code", "status_code", "statuscode":
			switch Text(v) {
			case "400", "401", "403", "404", "405", "409", "422", "500":
				bad = true
			}
		case "data":
			if v != nil && !isEmpty(v) {
				return false
			}
		}
	}
	return bad
}

func isEmpty(v any) bool {
	switch v := v.(type) {
	case []any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	}
	return false
}

// Granted reports whether an answer is one of success that is not a refusal in disguise.
func Granted(ex *wire.Exchange) bool { return ex.OK() && !Refused(ex) }

// Holds reports whether the answer has a text, in its body or in a header.
func Holds(ex *wire.Exchange, text string) bool {
	if text == "" {
		return false
	}
	if bytes.Contains(ex.Body, []byte(text)) {
		return true
	}
	for _, values := range ex.Header {
		for _, v := range values {
			if strings.Contains(v, text) {
				return true
			}
		}
	}
	return false
}
