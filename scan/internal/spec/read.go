package spec

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Bounds of a document. The largest public ones have 12 MB and a million nodes.
const (
	maxBytes     = 64 << 20
	maxNodes     = 4_000_000
	maxNodeDepth = 500
)

var (
	errTooLarge = errors.New("the document is too large")
	errTooDeep  = errors.New("the document is nested too deeply")
)

// reader turns bytes into nodes. It counts them over all files of a document.
type reader struct {
	nodes, limit int
	notes        []string
	seen         map[*yaml.Node]*node
}

// read reads JSON or YAML. What had to be forgiven is in notes.
func (r *reader) read(data []byte) (*node, error) {
	r.notes = nil
	data = bytes.TrimSpace(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")))
	if len(data) == 0 {
		return nil, errors.New("the document is empty")
	}
	var partial *node
	var jsonErr error
	if data[0] == '{' || data[0] == '[' {
		partial, jsonErr = r.readJSON(data)
		if jsonErr == nil || errors.Is(jsonErr, errTooLarge) || errors.Is(jsonErr, errTooDeep) {
			return partial, jsonErr
		}
	}
	n, err := r.readYAML(data)
	switch {
	case err == nil && jsonErr != nil:
		r.notes = append(r.notes, "it is not JSON, though it looks so: "+jsonErr.Error())
	case err != nil && jsonErr != nil && len(partial.keys) > 0:
		r.notes = append(r.notes, "it ends in the middle, or is broken: "+jsonErr.Error())
		return partial, nil
	case err != nil && jsonErr != nil:
		return nil, jsonErr
	}
	return n, err
}

func (r *reader) count() error {
	if r.nodes++; r.nodes > r.limit {
		return errTooLarge
	}
	return nil
}

func (r *reader) readJSON(data []byte) (*node, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	root := &node{}
	err := r.jsonValue(d, root, 0)
	if err == nil {
		if _, more := d.Token(); more != io.EOF {
			r.notes = append(r.notes, "something follows the document")
		}
	}
	return root, err
}

// jsonValue fills n, also with what came before an error.
func (r *reader) jsonValue(d *json.Decoder, n *node, depth int) error {
	if err := r.count(); err != nil {
		return err
	}
	if depth > maxNodeDepth {
		return errTooDeep
	}
	token, err := d.Token()
	if err != nil {
		return err
	}
	switch token := token.(type) {
	case json.Delim:
		return r.jsonContainer(d, n, token, depth)
	case bool:
		n.kind, n.text = isBool, strconv.FormatBool(token)
	case json.Number:
		n.kind, n.text = isNumber, token.String()
	case string:
		n.kind, n.text = isString, token
	}
	return nil
}

func (r *reader) jsonContainer(d *json.Decoder, n *node, open json.Delim, depth int) error {
	n.kind = isList
	if open == '{' {
		n.kind = isObject
	}
	for d.More() {
		key := ""
		if open == '{' {
			token, err := d.Token()
			if err != nil {
				return err
			}
			key, _ = token.(string)
		}
		child := &node{}
		err := r.jsonValue(d, child, depth+1)
		if open == '{' {
			r.member(n, key, child)
		} else {
			n.items = append(n.items, child)
		}
		if err != nil {
			return err
		}
	}
	_, err := d.Token()
	return err
}

func (r *reader) member(n *node, key string, child *node) {
	if !n.set(key, child) && len(r.notes) < 20 {
		r.notes = append(r.notes, "the name "+strconv.Quote(cut(key, 80))+" is there twice")
	}
}

func (r *reader) readYAML(data []byte) (*node, error) {
	root, err := parseYAML(data)
	if err != nil {
		if clean := forgiveYAML(data); !bytes.Equal(clean, data) {
			if again, failed := parseYAML(clean); failed == nil {
				r.notes = append(r.notes, "it is not YAML: "+err.Error())
				root, err = again, nil
			}
		}
	}
	if err != nil {
		return nil, err
	}
	r.seen = map[*yaml.Node]*node{}
	defer func() { r.seen = nil }()
	return r.yamlNode(root, 0)
}

func parseYAML(data []byte) (root *yaml.Node, err error) {
	defer func() {
		if p := recover(); p != nil { // The parser has panicked on hostile documents before.
			err = fmt.Errorf("the YAML cannot be read: %v", p)
		}
	}()
	root = &yaml.Node{}
	if err := yaml.Unmarshal(data, root); err != nil {
		return nil, err
	}
	return root, nil
}

// forgiveYAML replaces what keeps YAML from being read: tabs at the start of lines, and
// bytes that are not UTF-8.
func forgiveYAML(data []byte) []byte {
	lines := strings.Split(strings.ToValidUTF8(string(data), "\uFFFD"), "\n")
	for i, line := range lines {
		rest := strings.TrimLeft(line, " \t")
		if indent := line[:len(line)-len(rest)]; strings.Contains(indent, "\t") {
			lines[i] = strings.ReplaceAll(indent, "\t", "  ") + rest
		}
	}
	return []byte(strings.Join(lines, "\n"))
}

func (r *reader) yamlNode(y *yaml.Node, depth int) (*node, error) {
	for y != nil && y.Kind == yaml.AliasNode {
		y = y.Alias
	}
	if y == nil || y.Kind == 0 {
		return &node{}, nil
	}
	if y.Kind == yaml.DocumentNode {
		if len(y.Content) == 0 {
			return &node{}, nil
		}
		return r.yamlNode(y.Content[0], depth)
	}
	if n := r.seen[y]; n != nil {
		return n, nil
	}
	if err := r.count(); err != nil {
		return nil, err
	}
	if depth > maxNodeDepth {
		return nil, errTooDeep
	}
	n := &node{}
	r.seen[y] = n
	switch y.Kind {
	case yaml.SequenceNode:
		n.kind = isList
		for _, child := range y.Content {
			e, err := r.yamlNode(child, depth+1)
			if err != nil {
				return nil, err
			}
			n.items = append(n.items, e)
		}
	case yaml.MappingNode:
		n.kind = isObject
		return n, r.yamlObject(n, y, depth)
	default:
		n.kind, n.text = yamlScalar(y)
	}
	return n, nil
}

func (r *reader) yamlObject(n *node, y *yaml.Node, depth int) error {
	var merged []*node
	for i := 0; i+1 < len(y.Content); i += 2 {
		key, err := r.yamlNode(y.Content[i], depth+1)
		if err != nil {
			return err
		}
		child, err := r.yamlNode(y.Content[i+1], depth+1)
		if err != nil {
			return err
		}
		switch {
		case y.Content[i].Tag == "!!merge" && child.kind == isList:
			merged = append(merged, child.items...)
		case y.Content[i].Tag == "!!merge":
			merged = append(merged, child)
		case key.kind != isList && key.kind != isObject:
			r.member(n, key.text, child)
		}
	}
	for _, m := range merged {
		if m.kind != isObject || m == n {
			continue
		}
		for i, key := range m.keys {
			if n.get(key) != nil {
				continue
			}
			if err := r.count(); err != nil {
				return err
			}
			n.set(key, m.items[i])
		}
	}
	return nil
}

func yamlScalar(y *yaml.Node) (kind, string) {
	switch y.ShortTag() {
	case "!!null":
		return isNull, ""
	case "!!bool":
		return isBool, strings.ToLower(y.Value)
	case "!!int", "!!float":
		if json.Valid([]byte(y.Value)) {
			return isNumber, y.Value
		}
		var f float64
		if err := y.Decode(&f); err == nil && f-f == 0 { // not infinite
			return isNumber, strconv.FormatFloat(f, 'f', -1, 64)
		}
	}
	return isString, y.Value
}

func itoa(i int) string { return strconv.Itoa(i) }

// cut shortens a text that goes into a message.
func cut(text string, n int) string {
	if len(text) <= n {
		return text
	}
	return strings.ToValidUTF8(text[:n], "") + "…"
}
