package openapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

const indent = "  "

// JSON returns the document as indented JSON that ends in a newline. The same
// document gives the same bytes each time. <, > and & are not escaped: serve
// it as application/json with nosniff, and do not paste it into HTML.
func (d *Document) JSON() ([]byte, error) {
	line, err := marshal(d)
	if err != nil {
		return nil, fmt.Errorf("openapi document: %w", err)
	}
	var buf bytes.Buffer
	if err := json.Indent(&buf, line, "", indent); err != nil {
		return nil, fmt.Errorf("openapi document: %w", err)
	}
	buf.WriteByte('\n')
	return buf.Bytes(), nil
}

// YAML returns the document as YAML, with its members in the order of
// [Document.JSON]. Strings that another reader could take for a number, a
// boolean or a date are quoted.
func (d *Document) YAML() ([]byte, error) {
	line, err := marshal(d)
	if err != nil {
		return nil, fmt.Errorf("openapi document: %w", err)
	}
	dec := json.NewDecoder(bytes.NewReader(line))
	dec.UseNumber()
	node, err := yamlNode(dec)
	if err != nil {
		return nil, fmt.Errorf("openapi document: %w", err)
	}
	var buf bytes.Buffer
	enc := yaml.NewEncoder(&buf)
	enc.SetIndent(len(indent))
	if err := enc.Encode(node); err != nil {
		return nil, fmt.Errorf("openapi document: %w", err)
	}
	if err := enc.Close(); err != nil {
		return nil, fmt.Errorf("openapi document: %w", err)
	}
	return buf.Bytes(), nil
}

// yamlNode reads the next JSON value of dec as a YAML node. A Go map would lose
// the order.
func yamlNode(dec *json.Decoder) (*yaml.Node, error) {
	token, err := dec.Token()
	if err != nil {
		return nil, err
	}
	switch value := token.(type) {
	case json.Delim:
		node := &yaml.Node{Kind: yaml.SequenceNode}
		if value == '{' {
			node.Kind = yaml.MappingNode
		}
		for dec.More() { // The names of an object are values like any other here.
			child, err := yamlNode(dec)
			if err != nil {
				return nil, err
			}
			node.Content = append(node.Content, child)
		}
		_, err := dec.Token()
		return node, err
	case string:
		return yamlString(value), nil
	case json.Number:
		node := &yaml.Node{Kind: yaml.ScalarNode, Value: value.String()}
		if tag := node.ShortTag(); tag != "!!int" && tag != "!!float" {
			node.Tag = "!!float" // 1e999 is a number in JSON and a string in YAML.
		}
		return node, nil
	case bool:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: fmt.Sprint(value)}, nil
	default:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Value: "null"}, nil
	}
}

func yamlString(s string) *yaml.Node {
	node := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s}
	switch {
	case !isPlainText(s):
		node.Style = yaml.DoubleQuotedStyle
	case strings.Contains(s, "\n"):
		node.Style = yaml.LiteralStyle
	case ambiguous(s):
		node.Style = yaml.DoubleQuotedStyle
	}
	return node
}

// isPlainText reports whether s means the same in each YAML style: no control
// characters, no exotic line breaks, and no white space at either end or at the
// end of a line, which block styles strip or count as indentation.
func isPlainText(s string) bool {
	if strings.TrimSpace(s) != s || strings.Contains(s, " \n") {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool {
		return r < ' ' && r != '\n' || r >= 0x7f && r < 0xa0 || r == 0x2028 || r == 0x2029 || r >= 0xfeff
	})
}

// ambiguous reports whether a reader of YAML 1.1 or 1.2 could take s for
// something other than a string: 200, 1e3, 12:30:00, 2026-01-01, .inf, no, ~.
func ambiguous(s string) bool {
	if s == "" || strings.ContainsRune("0123456789+-.=<~", rune(s[0])) {
		return true
	}
	return slices.Contains([]string{"y", "n", "yes", "no", "on", "off", "true", "false", "null"}, strings.ToLower(s))
}
