package login

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/fastness/fastness/scan/wire"
)

// locator says where an answer has a value.
type locator struct {
	in   string // body, header, cookie, input or regex
	name string
	expr *regexp.Regexp
}

// parseLocator reads what [Step.Extract] describes. A text without a place is one of the
// body.
func parseLocator(text string) (locator, error) {
	in, name, ok := strings.Cut(text, ":")
	if !ok {
		return locator{in: "body", name: text}, nil
	}
	switch in {
	case "body":
		return locator{in: in, name: name}, nil
	case "header", "cookie", "input":
		if name == "" {
			return locator{}, fmt.Errorf("%q names nothing", text)
		}
		return locator{in: in, name: name}, nil
	case "regex":
		expr, err := regexp.Compile(name)
		if err != nil {
			return locator{}, fmt.Errorf("%q: %w", text, err)
		}
		return locator{in: in, expr: expr}, nil
	}
	return locator{}, fmt.Errorf("%q is in no place that an answer has: want body, header, cookie, input or regex", text)
}

// String is the inverse of parseLocator.
func (l locator) String() string {
	if l.expr != nil {
		return "regex:" + l.expr.String()
	}
	return l.in + ":" + l.name
}

// in returns the value that an answer has at the place, or "".
func (l locator) of(ex *wire.Exchange) string {
	switch l.in {
	case "header":
		return withoutScheme(ex.Header.Get(l.name))
	case "cookie":
		for _, c := range setCookies(ex) {
			if c.Name == l.name && !gone(c) {
				return c.Value
			}
		}
	case "input":
		return inputValue(ex, l.name)
	case "regex":
		m := l.expr.FindStringSubmatch(ex.Text())
		if len(m) > 1 {
			return m[1]
		}
		if len(m) == 1 {
			return m[0]
		}
	default:
		if l.name == "" || l.name == "/" {
			return strings.Trim(strings.TrimSpace(ex.Text()), `"`)
		}
		return scalar(lookup(decoded(ex), l.name))
	}
	return ""
}

// withoutScheme cuts the name of a scheme off a value like "Bearer x".
func withoutScheme(value string) string {
	if scheme, rest, ok := strings.Cut(value, " "); ok && len(scheme) < 12 && !strings.ContainsAny(scheme, "=;,") {
		return strings.TrimSpace(rest)
	}
	return value
}

// decoded returns the body as a decoded JSON document, or nil if it is none, whatever its
// media type says.
func decoded(ex *wire.Exchange) any {
	text := bytes.TrimSpace(ex.Body)
	if len(text) == 0 || !bytes.ContainsRune([]byte(`{["0123456789-`), rune(text[0])) {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return nil
	}
	return v
}

// lookup returns the value at a JSON pointer or a path of names between dots, or nil.
func lookup(v any, path string) any {
	sep := "."
	if strings.HasPrefix(path, "/") {
		path, sep = path[1:], "/"
	}
	for part := range strings.SplitSeq(path, sep) {
		if sep == "/" {
			part = strings.ReplaceAll(strings.ReplaceAll(part, "~1", "/"), "~0", "~")
		}
		switch container := v.(type) {
		case map[string]any:
			v = container[part]
		case []any:
			i, err := strconv.Atoi(part)
			if err != nil || i < 0 || i >= len(container) {
				return nil
			}
			v = container[i]
		default:
			return nil
		}
	}
	return v
}

// scalar returns a value as a text, or "" if it has members.
func scalar(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}
