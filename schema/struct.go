package schema

import (
	"reflect"
)

// structNode is the plan of a struct: an object with known members.
type structNode struct {
	typ      reflect.Type
	fields   []field
	byName   map[string]int // names and aliases of what may be sent
	byAnswer map[string]int // the same in patches, which call members as answers do
	owners   map[string]string
	required bitset
	defaults []int // fields with a default
	computed []computed
	checks   *Checks // or nil
	presence []int   // where the struct keeps which members were sent, or nil
}

// field is one member of an object.
type field struct {
	name     string // in requests, and in Go code
	out      string // in answers, and in patches
	aliases  []string
	styled   bool // the style has named it
	index    []int
	plan     node
	optional bool // may be absent from a request
	omit     omission
	// asksZero says that the type may have an IsZero method, which omitZero asks.
	// Asking a value that has none would cost an allocation for each answer.
	asksZero bool
	preset   *preset
	readOnly bool
	// writeOnly members are read and never written.
	writeOnly bool
	// veiled members are not for everybody to see, sealed ones not for everybody
	// to send: for nobody, or for those who have one of the roles.
	veiled, sealed bool
	// partial members have veiled ones inside, so that who looks decides whether
	// they are zero.
	partial               bool
	doc                   document
	visibleTo, writableBy roles
}

// omission says when a member is left out of an answer.
type omission int

const (
	omitNever omission = iota
	omitZero
	omitEmpty
	omitAbsent // an Opt without a value
)

// preset is the default of a field: JSON text, decoded afresh for each request
// so that no two share a slice.
type preset struct{ text []byte }

// bitset holds one bit for each field.
type bitset []uint64

func (b bitset) set(i int)      { b[i>>6] |= 1 << (i & 63) }
func (b bitset) has(i int) bool { return b[i>>6]&(1<<(i&63)) != 0 }

func (n *structNode) decode(d *decoder, v reflect.Value) bool {
	if d.peek() != '{' {
		d.violate("model_attributes_type")
		return d.skip()
	}
	before := d.report.count()
	var small [2]uint64
	seen := bitset(small[:])
	if len(n.fields) > 128 {
		seen = make(bitset, (len(n.fields)+63)/64)
	}
	if !n.decodeMembers(d, v, seen) {
		return false
	}
	n.finish(d, v, seen)
	if n.checks != nil && d.report.count() == before {
		d.ask(n, v)
	}
	return true
}

// decodeMembers reads the members. Most clients send them in the order of the
// declaration, so the next field is guessed before it is looked up.
func (n *structNode) decodeMembers(d *decoder, v reflect.Value, seen bitset) bool {
	if empty, ok := d.begin('}'); empty || !ok {
		return ok
	}
	guess := 0
	d.down()
	for {
		i, ok := n.member(d, guess)
		if !ok {
			return false
		}
		if i >= 0 {
			if seen.has(i) {
				return d.fail("Duplicate member name")
			}
			seen.set(i)
			f := &n.fields[i]
			if !f.plan.decode(d, fieldAt(v, f.index)) {
				return false
			}
			guess = i + 1
		}
		more, ok := d.next()
		if !ok {
			return false
		}
		if !more {
			d.up()
			return true
		}
	}
}

// fieldAt returns the field, through embedded structs.
func fieldAt(v reflect.Value, index []int) reflect.Value {
	if len(index) == 1 {
		return v.Field(index[0])
	}
	for _, i := range index {
		v = v.Field(i)
	}
	return v
}

// member passes over a name, up to the value, and returns the field's number.
// For a name that may not be sent it passes over the value, too, and returns -1.
func (n *structNode) member(d *decoder, guess int) (i int, ok bool) {
	if guess < len(n.fields) && !n.fields[guess].sealed {
		name := d.wire(&n.fields[guess])
		end := d.pos + 1 + len(name)
		if end < len(d.data) && d.data[end] == '"' && d.data[d.pos] == '"' && string(d.data[d.pos+1:end]) == name {
			d.pos = end + 1
			d.path[len(d.path)-1].Name = name
			return guess, d.colon()
		}
	}
	start, end, escaped, ok := d.name()
	if !ok {
		return 0, false
	}
	name := d.data[start:end]
	if escaped {
		name = []byte(d.content(start, end, true))
	}
	if i, known := n.known(d)[string(name)]; known && n.fields[i].writableBy.include(d.report.Viewer) {
		d.met(&n.fields[i], name)
		return i, true
	}
	return -1, n.refuse(d, start, end, escaped)
}

// refuse passes over a member that may not be sent: one that nobody declared,
// that only answers have, or that is for others to send. The last two are never
// ignored: who sends them believes that they count.
func (n *structNode) refuse(d *decoder, start, end int, escaped bool) bool {
	name := d.content(start, end, escaped)
	f := n.written(d, name)
	d.path[len(d.path)-1].Name = name
	switch {
	case f != nil:
		d.violate("read_only")
	case d.cfg.InsecureIgnoreUnknown == "":
		d.violate("extra_forbidden")
	}
	return d.skip()
}

// finish reports what is missing and fills in the defaults.
func (n *structNode) finish(d *decoder, v reflect.Value, seen bitset) {
	for word, bits := range n.required {
		if bits&^seen[word] == 0 {
			continue
		}
		for i := word << 6; i < min(len(n.fields), word<<6+64); i++ {
			if n.required.has(i) && !seen.has(i) {
				d.path[d.down()].Name = d.wire(&n.fields[i])
				d.violate("missing")
				d.up()
			}
		}
	}
	for _, i := range n.defaults {
		if !seen.has(i) {
			n.fields[i].setDefault(d.cfg, v)
		}
	}
	if n.presence != nil {
		fieldAt(v, n.presence).Addr().Interface().(*Fields).record(n, seen)
	}
}

func (f *field) setDefault(cfg *Config, v reflect.Value) {
	inner := decoder{cfg: cfg, report: &Report{Viewer: everyRole{}}, data: f.preset.text, ascii: isASCII(f.preset.text)}
	f.plan.decode(&inner, fieldAt(v, f.index)) // It was decoded once at registration, so it cannot fail.
}

func (n *structNode) encode(e *encoder, v reflect.Value) {
	if !e.enter(n.typ) {
		return
	}
	e.buf = append(e.buf, '{')
	n.encodeMembers(e, v, true)
	e.buf = append(e.buf, '}')
	e.depth--
}

func (n *structNode) encodeMembers(e *encoder, v reflect.Value, first bool) {
	for i := range n.fields {
		f := &n.fields[i]
		if f.veiled && !e.shows(f) {
			continue
		}
		value := fieldAt(v, f.index)
		if f.omit != omitNever && f.omitted(e, value) {
			continue
		}
		first = e.member(f.out, first)
		f.plan.encode(e, value)
	}
	for i := range n.computed {
		c := &n.computed[i]
		if !e.compares && !c.visibleTo.include(e.viewer) {
			continue
		}
		first = e.member(c.name, first)
		c.encode(e, v)
	}
}

// member appends a name and its colon.
func (e *encoder) member(name string, first bool) bool {
	if !first {
		e.buf = append(e.buf, ',')
	}
	e.buf = append(e.buf, '"')
	e.buf = append(e.buf, name...) // Names that need escaping are refused at compilation.
	e.buf = append(e.buf, '"', ':')
	return false
}

func (f *field) omitted(e *encoder, v reflect.Value) bool {
	switch f.omit {
	case omitAbsent:
		w, ok := f.plan.(*wrapNode)
		if !ok {
			return false
		}
		_, present := w.open(v)
		return !present
	case omitZero:
		if f.partial {
			v = e.seen(f.plan, v)
		}
		if !f.asksZero {
			return v.IsZero()
		}
		if z, ok := v.Interface().(interface{ IsZero() bool }); ok && (v.Kind() != reflect.Pointer || !v.IsNil()) {
			return z.IsZero()
		}
		return v.IsZero()
	case omitEmpty:
		switch v.Kind() {
		case reflect.Array, reflect.Map, reflect.Slice, reflect.String:
			return v.Len() == 0
		case reflect.Struct:
			return false
		default:
			return v.IsZero()
		}
	default:
		return false
	}
}

// computed is a member of answers that a method gives.
type computed struct {
	name   string
	method int
	onPtr  bool
	result node
	doc    document
	// visibleTo are the roles that see the member.
	visibleTo roles
}

func (c *computed) encode(e *encoder, v reflect.Value) {
	if c.onPtr {
		if !v.CanAddr() {
			moved := reflect.New(v.Type()).Elem()
			moved.Set(v)
			v = moved
		}
		v = v.Addr()
	}
	c.result.encode(e, v.Method(c.method).Call(nil)[0])
}
