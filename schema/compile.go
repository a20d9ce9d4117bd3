package schema

import (
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"net/url"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/shopspring/decimal"

	"github.com/fastness/fastness/secret"
)

// compiler turns types into nodes and collects the mistakes in them.
type compiler struct {
	mu      sync.Mutex
	structs map[reflect.Type]*structNode
	dynamic map[reflect.Type]node
	errs    []error
	fresh   []reflect.Type // structs of this compilation
	open    []reflect.Type // types that are being compiled, since the last struct
	after   []func()       // what needs all structs complete
	client  bool           // read-only and write-only change places
	style   Style
	types   *Types
}

// mistake records what is wrong with a declaration.
func (c *compiler) mistake(where, format string, args ...any) {
	c.errs = append(c.errs, fmt.Errorf("%s: %s", where, fmt.Sprintf(format, args...)))
}

// settle ends a compilation. Types with mistakes are forgotten: whoever asks for
// them again is told again.
func (c *compiler) settle() error {
	for _, f := range c.after {
		f()
	}
	err := errors.Join(c.errs...)
	if err != nil {
		for _, t := range c.fresh {
			delete(c.structs, t)
		}
	}
	c.errs, c.fresh, c.open, c.after = nil, nil, nil, nil
	return err
}

// compile returns the node of t under r. Where names the field for mistakes.
func (c *compiler) compile(t reflect.Type, r *rules, where string) node {
	if slices.Contains(c.open, t) {
		c.mistake(where, "type %s contains itself without a struct between", t)
		return &anyNode{}
	}
	c.open = append(c.open, t)
	defer func() { c.open = c.open[:len(c.open)-1] }()
	n := c.special(t, r, where)
	byKind := n == nil
	if byKind {
		n = c.byKind(t, r, where)
	}
	if n == nil {
		c.mistake(where, "values of type %s cannot be encoded in JSON", t)
		n = &anyNode{}
	}
	c.ruled(t, n, where)
	if _, isStruct := n.(*structNode); !isStruct && Validates(t) {
		n = &checkedNode{n}
	}
	if byKind && writesItself(t) && !c.client { // A client writes what the server reads.
		n = &writtenNode{n, t}
	}
	c.opaque(t, n, where)
	return n
}

// ruled refuses rules that nobody reads: those of the fields of a struct that
// reads itself, and the texts that a type lists whose values are no strings.
func (c *compiler) ruled(t reflect.Type, n node, where string) {
	switch n.(type) {
	case *intNode, *floatNode, *boolNode, *literalNode:
		if isEnumerated(t) {
			c.mistake(where, "method Enum of %s lists texts, and its values are none", t)
		}
	case *customNode, *textTypeNode:
		if t.Kind() != reflect.Struct {
			return
		}
		for _, f := range reflect.VisibleFields(t) {
			for _, name := range slices.Sorted(maps.Keys(parseRules(f.Tag).values)) {
				c.mistake(where, "%s reads itself: rule %s of its field %s checks nothing", t, name, f.Name)
			}
		}
	}
}

// special returns the node of a type that is known by name or by its methods.
func (c *compiler) special(t reflect.Type, r *rules, where string) node {
	switch t {
	case reflect.TypeFor[time.Time]():
		return &timeNode{}
	case reflect.TypeFor[time.Duration]():
		return &durationNode{}
	case reflect.TypeFor[decimal.Decimal]():
		return c.decimal(r, where)
	case reflect.TypeFor[json.RawMessage]():
		return &rawNode{}
	case reflect.TypeFor[json.Number]():
		return &literalNode{bounds: r.bounds(c, where)}
	case reflect.TypeFor[netip.Addr]():
		return c.text(t, r, where, "ip")
	case reflect.TypeFor[netip.Prefix]():
		return c.text(t, r, where, "cidr")
	case reflect.TypeFor[url.URL]():
		return c.url(r, where)
	case reflect.TypeFor[secret.Text]():
		return c.secret(r, where)
	}
	if n := c.encoded(t, r, where); n != nil {
		return n
	}
	if kind, inner, ok := wrapped(t); ok {
		return c.wrap(kind, t, inner, r, where)
	}
	if of, format, ok := patchedBy(t); ok {
		return c.patch(of, format, where)
	}
	if t.Kind() == reflect.Struct && isUnion(t) {
		return c.union(t, where)
	}
	pointer := reflect.PointerTo(t)
	switch {
	case t.Kind() == reflect.Pointer || t.Kind() == reflect.Interface:
		return nil
	case pointer.Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) && t.Implements(reflect.TypeFor[encoding.TextMarshaler]()):
		format := ""
		if t.Kind() == reflect.Array && t.Len() == 16 && t.Name() == "UUID" {
			format = "uuid"
		}
		return c.text(t, r, where, format)
	case pointer.Implements(reflect.TypeFor[json.Unmarshaler]()):
		return customOf(t)
	case pointer.Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) && pointer.Implements(reflect.TypeFor[encoding.TextMarshaler]()):
		return c.text(t, r, where, "")
	case pointer.Implements(reflect.TypeFor[encoding.TextUnmarshaler]()):
		c.mistake(where, "%s has UnmarshalText and no MarshalText: what is read could not be written", t)
	}
	return nil
}

func (c *compiler) byKind(t reflect.Type, r *rules, where string) node {
	switch t.Kind() {
	case reflect.String:
		return c.string(t, r, where)
	case reflect.Bool:
		return c.bool(r, where)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return c.int(t, r, where)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return c.uint(t, r, where)
	case reflect.Float32, reflect.Float64:
		return c.float(t, r, where)
	case reflect.Struct:
		return c.structOf(t)
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return c.bytes(r, where)
		}
		return c.list(t, r, where)
	case reflect.Array:
		return c.list(t, r, where)
	case reflect.Map:
		return c.mapOf(t, r, where)
	case reflect.Pointer:
		return c.wrap(kindPointer, t, t.Elem(), r, where)
	case reflect.Interface:
		if t.NumMethod() == 0 {
			return &anyNode{compiler: c}
		}
	}
	return nil
}

// checkedNode calls Validate after a value that is no struct was read.
type checkedNode struct{ node }

func (n *checkedNode) decode(d *decoder, v reflect.Value) bool {
	before := d.report.count()
	if !n.node.decode(d, v) {
		return false
	}
	if d.report.count() == before {
		d.checkValue(n.node, v)
	}
	return true
}

func (n *checkedNode) decodeText(d *decoder, s string, v reflect.Value) {
	before := d.report.count()
	inner, ok := n.node.(textNode)
	if !ok {
		d.violate("model_attributes_type")
		return
	}
	inner.decodeText(d, s, v)
	if d.report.count() == before {
		d.checkValue(n.node, v)
	}
}

func (r *Report) count() int { return len(r.violations) + int(r.omitted) }
