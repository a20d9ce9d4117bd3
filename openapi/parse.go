package openapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// maxDepth bounds how deep a document may nest. Each level of an API is two or
// three of these; each is one more reading of all that is inside, so a hostile
// document must not choose the depth.
const maxDepth = 128

// ErrVersion is the error of [Parse] for a document that is not of OpenAPI 3.1.
var ErrVersion = errors.New("want a document of OpenAPI 3.1")

// Parse reads a document of OpenAPI 3.1 in JSON or YAML. It ignores members
// that it does not know, and does not follow references; [Document.Validate]
// finds those that lead nowhere.
//
// A document may come from a stranger. Parse refuses what readers would
// understand differently (a name twice in one object, invalid UTF-8, YAML merge
// keys) and what costs far more than its size (nesting deeper than 128 levels,
// YAML aliases that expand without end). How long data may be is up to the
// caller.
func Parse(data []byte) (*Document, error) {
	doc, err := parse(data)
	if err != nil {
		return nil, fmt.Errorf("openapi document: %w", err)
	}
	return doc, nil
}

func parse(data []byte) (*Document, error) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if !utf8.Valid(data) {
		return nil, errors.New("invalid UTF-8")
	}
	line, err := normalize(data)
	if err != nil {
		return nil, err
	}
	var head struct {
		OpenAPI any `json:"openapi"`
	}
	if err := json.Unmarshal(line, &head); err != nil {
		return nil, errors.New("want an object")
	}
	if version, _ := head.OpenAPI.(string); !strings.HasPrefix(version, "3.1.") {
		return nil, ErrVersion
	}
	doc := new(Document)
	if err := unmarshal(line, doc); err != nil {
		return nil, err
	}
	return doc, nil
}

// normalize returns the JSON or YAML of data as JSON on one line.
func normalize(data []byte) ([]byte, error) {
	if first := bytes.TrimLeft(data, " \t\r\n"); len(first) == 0 || first[0] != '{' {
		return yamlToJSON(data)
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	if err := checkValue(dec, 0); err != nil {
		return nil, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("want one JSON value, have more after it")
	}
	var line bytes.Buffer
	err := json.Compact(&line, data)
	return line.Bytes(), err
}

// checkValue reads one JSON value and refuses names that are used twice and
// nesting that is too deep.
func checkValue(dec *json.Decoder, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("nested deeper than %d levels", maxDepth)
	}
	token, err := dec.Token()
	if err != nil {
		return err
	}
	delim, ok := token.(json.Delim)
	if !ok {
		return nil
	}
	names := make(map[string]bool)
	for dec.More() {
		if delim == '{' {
			name, err := dec.Token()
			if err != nil {
				return err
			}
			if names[name.(string)] {
				return fmt.Errorf("name used twice in the object before byte %d", dec.InputOffset())
			}
			names[name.(string)] = true
		}
		if err := checkValue(dec, depth+1); err != nil {
			return err
		}
	}
	_, err = dec.Token()
	return err
}

// yamlToJSON returns the only YAML document of data as JSON on one line.
func yamlToJSON(data []byte) ([]byte, error) {
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc, more yaml.Node
	if err := dec.Decode(&doc); err != nil {
		return nil, err
	}
	if err := dec.Decode(&more); !errors.Is(err, io.EOF) {
		return nil, errors.New("want one YAML document, have more after it")
	}
	if len(doc.Content) != 1 {
		return nil, errors.New("want an object")
	}
	// An alias of an alias of an alias doubles what it writes each time. No
	// honest document grows sixteenfold.
	w := yamlWriter{limit: 16*len(data) + 4096}
	err := w.value(doc.Content[0], 0)
	return w.buf, err
}

type yamlWriter struct {
	buf   []byte
	limit int
}

func (w *yamlWriter) value(node *yaml.Node, depth int) error {
	switch {
	case depth > maxDepth:
		return fmt.Errorf("line %d: nested deeper than %d levels", node.Line, maxDepth)
	case len(w.buf) > w.limit:
		return fmt.Errorf("line %d: aliases expand to too much", node.Line)
	}
	switch node.Kind {
	case yaml.AliasNode:
		return w.value(node.Alias, depth+1)
	case yaml.SequenceNode:
		return w.sequence(node, depth)
	case yaml.MappingNode:
		return w.mapping(node, depth)
	default:
		return w.scalar(node)
	}
}

func (w *yamlWriter) sequence(node *yaml.Node, depth int) error {
	w.buf = append(w.buf, '[')
	for i, item := range node.Content {
		if i > 0 {
			w.buf = append(w.buf, ',')
		}
		if err := w.value(item, depth+1); err != nil {
			return err
		}
	}
	w.buf = append(w.buf, ']')
	return nil
}

func (w *yamlWriter) mapping(node *yaml.Node, depth int) error {
	w.buf = append(w.buf, '{')
	names := make(map[string]bool)
	for i := 0; i+1 < len(node.Content); i += 2 {
		key := node.Content[i]
		if key.Kind == yaml.AliasNode {
			key = key.Alias
		}
		switch {
		case key.Kind != yaml.ScalarNode:
			return fmt.Errorf("line %d: want a name that is a string", key.Line)
		case key.ShortTag() == "!!merge":
			return fmt.Errorf("line %d: merge keys are not part of OpenAPI (3.1, 4.3)", key.Line)
		case names[key.Value]:
			return fmt.Errorf("line %d: name used twice in the object", key.Line)
		}
		names[key.Value] = true
		if i > 0 {
			w.buf = append(w.buf, ',')
		}
		if err := w.json(key.Value); err != nil { // The status 200 is a name, and so a string.
			return err
		}
		w.buf = append(w.buf, ':')
		if err := w.value(node.Content[i+1], depth+1); err != nil {
			return err
		}
	}
	w.buf = append(w.buf, '}')
	return nil
}

// scalar writes a scalar of the JSON schema of YAML 1.2. All that is beyond it,
// such as dates, is a string.
func (w *yamlWriter) scalar(node *yaml.Node) error {
	switch node.ShortTag() {
	case "!!null":
		w.buf = append(w.buf, "null"...)
		return nil
	case "!!int", "!!float":
		if isNumber(node.Value) {
			w.buf = append(w.buf, node.Value...)
			return nil
		}
		fallthrough // 0x1F and 1_000 need the other notation; .inf has none.
	case "!!bool":
		var value any
		if err := node.Decode(&value); err != nil {
			return err
		}
		return w.json(value)
	default:
		return w.json(node.Value)
	}
}

func (w *yamlWriter) json(value any) error {
	out, err := marshal(value)
	w.buf = append(w.buf, out...)
	return err
}

func isNumber(s string) bool {
	var n json.Number
	return s != "" && s[0] != '"' && s[0] != 'n' && json.Unmarshal([]byte(s), &n) == nil
}
