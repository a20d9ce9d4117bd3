package spec

import (
	"encoding/json"
	"slices"
	"strings"
)

// kind of a node. The zero value is null.
type kind uint8

const (
	isNull kind = iota
	isBool
	isNumber
	isString
	isList
	isObject
)

// node is a value of a document with the order of its members. YAML aliases are shared
// nodes: a graph that can be circular, of the size of the document.
type node struct {
	kind  kind
	text  string // of a scalar
	keys  []string
	items []*node // of a list, or the values of keys
	index map[string]int
}

// indexed is the number of members from which on an object is looked up by a map.
const indexed = 10

func (n *node) get(key string) *node {
	if i := n.find(key); i >= 0 {
		return n.items[i]
	}
	return nil
}

// find returns the position of a member, or -1.
func (n *node) find(key string) int {
	if n == nil || n.kind != isObject {
		return -1
	}
	if n.index == nil && len(n.keys) < indexed {
		return slices.Index(n.keys, key)
	}
	if n.index == nil {
		n.index = make(map[string]int, len(n.keys))
		for i, k := range n.keys {
			n.index[k] = i
		}
	}
	if i, ok := n.index[key]; ok {
		return i
	}
	return -1
}

// put adds or replaces a member.
func (n *node) put(key string, value *node) {
	if i := n.find(key); i >= 0 {
		n.items[i] = value
		return
	}
	if n.index != nil {
		n.index[key] = len(n.keys)
	}
	n.keys = append(n.keys, key)
	n.items = append(n.items, value)
}

// set adds a member. Of a name that is there twice the members are joined, so that a path
// that is written once for each method keeps all; of other values the last counts.
// It reports whether the name was new.
func (n *node) set(key string, value *node) bool {
	old := n.get(key)
	if old != nil && old != value && old.kind == isObject && value.kind == isObject {
		for i, k := range value.keys {
			old.put(k, value.items[i])
		}
		return false
	}
	n.put(key, value)
	return old == nil
}

// place is a node and how it was reached: in which file, below which name. A nil place is
// one that is not there.
type place struct {
	node *node
	file *file
	up   *place
	key  string
}

func (p *place) kind() kind {
	if p == nil {
		return isNull
	}
	return p.node.kind
}

// get returns the member of an object, or nil.
func (p *place) get(key string) *place {
	if p == nil {
		return nil
	}
	if n := p.node.get(key); n != nil {
		return &place{node: n, file: p.file, up: p, key: key}
	}
	return nil
}

// first returns the first of several members that is there.
func (p *place) first(keys ...string) *place {
	for _, key := range keys {
		if m := p.get(key); m != nil {
			return m
		}
	}
	return nil
}

// children returns the members of an object or the elements of a list.
func (p *place) children() []*place {
	if p == nil {
		return nil
	}
	out := make([]*place, len(p.node.items))
	for i, n := range p.node.items {
		key := ""
		if p.node.kind == isObject {
			key = p.node.keys[i]
		} else {
			key = itoa(i)
		}
		out[i] = &place{node: n, file: p.file, up: p, key: key}
	}
	return out
}

// text returns the member if it is a scalar.
func (p *place) text(key string) string {
	m := p.get(key)
	if m == nil || m.node.kind == isList || m.node.kind == isObject {
		return ""
	}
	return m.node.text
}

// truth returns the member as a switch; "true" in quotes is one, too.
func (p *place) truth(key string) bool { return strings.EqualFold(p.text(key), "true") }

// texts returns the member as a list of strings; a single string is one.
func (p *place) texts(key string) []string {
	m := p.get(key)
	switch m.kind() {
	case isNull:
		return nil
	case isList:
		var out []string
		for _, e := range m.node.items {
			if e.kind == isString || e.kind == isNumber || e.kind == isBool {
				out = append(out, e.text)
			}
		}
		return out
	case isObject:
		return nil
	}
	return []string{m.node.text}
}

// pointer returns the JSON pointer of the place (RFC 6901), after the file if it is not
// the main one.
func (p *place) pointer() string {
	if p == nil {
		return ""
	}
	var parts []string
	at := p
	for ; at.up != nil; at = at.up {
		parts = append(parts, strings.ReplaceAll(strings.ReplaceAll(at.key, "~", "~0"), "/", "~1"))
	}
	var b strings.Builder
	if !p.file.main {
		b.WriteString(p.file.name + "#")
	}
	for i := len(parts) - 1; i >= 0; i-- {
		b.WriteByte('/')
		b.WriteString(parts[i])
	}
	return b.String()
}

// Bounds of a value that is taken out of a document.
const (
	maxValueDepth = 32
	maxValueNodes = 5000
)

// value returns the node as decoded JSON with numbers as json.Number. What is beyond the
// bounds is null.
func (p *place) value() any {
	if p == nil {
		return nil
	}
	budget := maxValueNodes
	return p.node.value(0, &budget)
}

func (n *node) value(depth int, budget *int) any {
	*budget--
	if depth > maxValueDepth || *budget < 0 {
		return nil
	}
	switch n.kind {
	case isBool:
		return n.text == "true"
	case isNumber:
		return json.Number(n.text)
	case isString:
		return n.text
	case isList:
		out := make([]any, 0, min(len(n.items), max(*budget, 0)))
		for _, e := range n.items {
			if *budget < 0 {
				break
			}
			out = append(out, e.value(depth+1, budget))
		}
		return out
	case isObject:
		out := map[string]any{}
		for i, k := range n.keys {
			if *budget < 0 {
				break
			}
			out[k] = n.items[i].value(depth+1, budget)
		}
		return out
	}
	return nil
}
