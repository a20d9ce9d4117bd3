package schema

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/fastness/fastness/problem"
)

// encoder appends JSON. Its first error stays.
type encoder struct {
	buf   []byte
	err   error
	depth int
	// compares is set where equal values must give equal texts: numbers lose
	// their spelling, and methods that hide a value are not asked.
	compares bool
	// viewer is whom the text is for.
	viewer Viewer
}

// encoderPool keeps encoders from one answer to the next.
type encoderPool struct{ pool sync.Pool }

func (p *encoderPool) get() *encoder {
	if e, ok := p.pool.Get().(*encoder); ok {
		return e
	}
	return &encoder{}
}

func (p *encoderPool) put(e *encoder) {
	*e = encoder{}
	p.pool.Put(e)
}

// maxEncodeDepth stops the encoding of a value that contains itself.
const maxEncodeDepth = 1000

// Append appends the JSON of v to buf. < > & and the line separators U+2028 and
// U+2029 are escaped, so that an answer cannot break out of a script element.
// Members that are not for everybody are left out; see [Plan.AppendFor].
func (p *Plan) Append(buf []byte, v reflect.Value) ([]byte, error) {
	return p.AppendFor(buf, v, nil)
}

// AppendFor is Append for a viewer, who gets the members that are visible to one
// of their roles, too.
func (p *Plan) AppendFor(buf []byte, v reflect.Value, viewer Viewer) ([]byte, error) {
	e := p.types.encoders.get()
	defer p.types.encoders.put(e)
	e.buf, e.viewer = buf, viewer
	p.node.encode(e, v)
	return e.buf, e.err
}

func (e *encoder) fail(format string, args ...any) {
	if e.err == nil {
		e.err = fmt.Errorf(format, args...)
	}
	e.null()
}

// enter counts one more level of nesting. Every value that can contain itself
// does so through a struct or an interface. After an error nothing is worth
// encoding: two members that lead back would double the work with each level.
func (e *encoder) enter(t reflect.Type) bool {
	if e.err != nil {
		return false
	}
	if e.depth++; e.depth > maxEncodeDepth {
		e.fail("a value of type %s contains itself", t)
		return false
	}
	return true
}

func (e *encoder) null() { e.buf = append(e.buf, "null"...) }

func (e *encoder) string(s string) { e.buf = problem.AppendString(e.buf, s) }

// raw appends JSON text of somebody else's making: compacted, escaped and
// checked, because a broken part would break the whole answer.
func (e *encoder) raw(text []byte) {
	var compact bytes.Buffer
	if err := json.Compact(&compact, text); err != nil {
		e.fail("raw JSON: %w", err)
		return
	}
	var escaped bytes.Buffer
	json.HTMLEscape(&escaped, compact.Bytes())
	e.buf = append(e.buf, escaped.Bytes()...)
}

// float appends f as ECMAScript does, as encoding/json does.
func (e *encoder) float(f float64, bits int) {
	if math.IsInf(f, 0) || math.IsNaN(f) {
		e.fail("%v is no JSON number", f)
		return
	}
	format := byte('f')
	if abs := math.Abs(f); abs != 0 && (bits == 64 && (abs < 1e-6 || abs >= 1e21) || bits == 32 && (float32(abs) < 1e-6 || float32(abs) >= 1e21)) {
		format = 'e'
	}
	e.buf = strconv.AppendFloat(e.buf, f, format, -1, bits)
	if n := len(e.buf); format == 'e' && n >= 4 && e.buf[n-4] == 'e' && (e.buf[n-3] == '-' || e.buf[n-3] == '+') && e.buf[n-2] == '0' {
		e.buf[n-2] = e.buf[n-1] // e-09 becomes e-9
		e.buf = e.buf[:n-1]
	}
}

func sortedKeys(m reflect.Value) []reflect.Value {
	keys := m.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
	return keys
}

// dynamicNode returns the plan of a type that is only known when a value of it
// is encoded: what an any holds.
func (c *compiler) dynamicNode(t reflect.Type) (node, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n, ok := c.dynamic[t]; ok {
		return n, nil
	}
	n := c.compile(t, &rules{used: map[string]bool{}}, t.String())
	if err := c.settle(); err != nil {
		return nil, err
	}
	if c.dynamic == nil {
		c.dynamic = make(map[reflect.Type]node)
	}
	c.dynamic[t] = n
	return n, nil
}
