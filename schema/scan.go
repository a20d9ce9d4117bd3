package schema

import (
	"encoding/binary"
	"strings"
	"unicode/utf8"

	"github.com/fastness/fastness/problem"
)

// maxNumberLength bounds the digits of one number. Arithmetic on a number of a
// million digits takes seconds; no honest one is this long.
const maxNumberLength = 512

// decoder walks once over the bytes of one JSON text.
type decoder struct {
	cfg    *Config
	report *Report
	data   []byte
	// strings holds the strings of a small body: one allocation for all. Those of a
	// large body are made one by one, so that one kept string does not keep a
	// megabyte alive.
	strings strings.Builder
	shares  bool
	ascii   bool
	pos     int
	depth   int
	path    []problem.Segment
	// deepest is how long path ever was: so much of it names what a caller sent.
	deepest int
	spent   int // bytes that were made for items and pointers
	// sketches says that the text is a merge patch whose target is not known yet.
	sketches bool
	// answers says that the text has the names of answers, as patches do.
	answers bool
	said    *said // or nil
}

// down adds a step to the path and returns its place.
func (d *decoder) down() int {
	d.path = append(d.path, problem.Segment{})
	d.deepest = max(d.deepest, len(d.path))
	return len(d.path) - 1
}

// up removes the last step.
func (d *decoder) up() { d.path = d.path[:len(d.path)-1] }

// fail ends the walk with a syntax error at d.pos. It returns false so that
// callers can return it.
func (d *decoder) fail(reason string) bool {
	d.report.malformed = true
	d.report.violations, d.report.omitted = nil, 0 // What was read before is not worth a word.
	d.report.Violate(nil, "json_invalid", limit("error", reason), limit("offset", d.pos))
	return false
}

// spend takes bytes from what a body may need. It reports false if there is too
// little left, which ends the walk.
func (d *decoder) spend(bytes int) bool {
	if d.spent += bytes; d.spent <= d.cfg.MaxMemory || d.cfg.MaxMemory == 0 {
		return true
	}
	d.report.oversize = true
	d.report.violations, d.report.omitted = nil, 0
	d.violate("too_complex")
	return false
}

// violate records a violation at the current path.
func (d *decoder) violate(code string, limits ...problem.Limit) {
	d.report.Violate(d.path, code, limits...)
}

// broken records a violation of a compiled rule at the current path.
func (d *decoder) broken(f *fault) { d.report.fault(d.path, f) }

// space skips white space. Most bodies have none.
func (d *decoder) space() {
	if d.pos < len(d.data) && d.data[d.pos] > ' ' {
		return
	}
	d.skipSpace()
}

func (d *decoder) skipSpace() {
	for d.pos < len(d.data) {
		switch d.data[d.pos] {
		case ' ', '\t', '\n', '\r':
			d.pos++
		default:
			return
		}
	}
}

// peek returns the next byte, or 0 at the end, which starts no value either.
func (d *decoder) peek() byte {
	if d.pos < len(d.data) {
		return d.data[d.pos]
	}
	return 0
}

// enter counts one more level of nesting.
func (d *decoder) enter() bool {
	d.depth++
	if d.depth > d.cfg.MaxDepth {
		return d.fail("Too deeply nested")
	}
	return true
}

// readNumber passes over the number at d.pos and returns its text, and whether
// it is written as an integer.
func (d *decoder) readNumber() (text []byte, integer, ok bool) {
	start := d.pos
	i := start
	data := d.data
	if i < len(data) && data[i] == '-' {
		i++
	}
	first := i
	for i < len(data) && '0' <= data[i] && data[i] <= '9' {
		i++
	}
	if i == first || (data[first] == '0' && i-first > 1) {
		return nil, false, d.fail("Expecting value")
	}
	integer = true
	if i < len(data) && data[i] == '.' {
		integer = false
		i++
		first = i
		for i < len(data) && '0' <= data[i] && data[i] <= '9' {
			i++
		}
		if i == first {
			return nil, false, d.fail("Expecting value")
		}
	}
	if i < len(data) && data[i]|0x20 == 'e' {
		integer = false
		i++
		if i < len(data) && (data[i] == '+' || data[i] == '-') {
			i++
		}
		first = i
		for i < len(data) && '0' <= data[i] && data[i] <= '9' {
			i++
		}
		if i == first {
			return nil, false, d.fail("Expecting value")
		}
	}
	d.pos = i
	return data[start:i], integer, true
}

// literal passes over true, false or null.
func (d *decoder) literal(word string) bool {
	if len(d.data)-d.pos < len(word) || string(d.data[d.pos:d.pos+len(word)]) != word {
		return d.fail("Expecting value")
	}
	d.pos += len(word)
	return true
}

// skip passes over any value, checking nothing but its syntax. The names of an
// object that nobody asked for are not compared: the object is refused, or
// ignored, as a whole.
func (d *decoder) skip() bool {
	switch c := d.peek(); c {
	case '"':
		_, _, _, ok := d.skipString()
		return ok
	case 't':
		return d.literal("true")
	case 'f':
		return d.literal("false")
	case 'n':
		return d.literal("null")
	case '[':
		return d.elements(func(int) bool { return d.skip() })
	case '{':
		return d.members(func(int, int, bool) bool { return d.skip() })
	default:
		_, _, ok := d.readNumber()
		return ok
	}
}

// begin passes over the bracket at d.pos, up to the first item. It reports
// whether there is none, and then has passed over the closing bracket, too.
func (d *decoder) begin(closing byte) (empty, ok bool) {
	if !d.enter() {
		return false, false
	}
	d.pos++
	d.space()
	if d.peek() != closing {
		return false, true
	}
	d.pos++
	d.depth--
	return true, true
}

// elements walks over the array at d.pos. For each item it calls item, which
// must pass over the value at d.pos.
func (d *decoder) elements(item func(i int) bool) bool {
	if empty, ok := d.begin(']'); empty || !ok {
		return ok
	}
	for i := 0; ; i++ {
		if !item(i) {
			return false
		}
		d.space()
		switch d.peek() {
		case ',':
			d.pos++
			d.space()
		case ']':
			d.pos++
			d.depth--
			return true
		default:
			return d.fail("Expecting ',' delimiter")
		}
	}
}

// members walks over the object at d.pos. For each member it calls member with
// the place of the name; member must pass over the value at d.pos.
func (d *decoder) members(member func(start, end int, escaped bool) bool) bool {
	if empty, ok := d.begin('}'); empty || !ok {
		return ok
	}
	for {
		start, end, escaped, ok := d.name()
		if !ok || !member(start, end, escaped) {
			return false
		}
		more, ok := d.next()
		if !ok {
			return false
		}
		if !more {
			return true
		}
	}
}

// name passes over a member's name and its colon, up to the value.
func (d *decoder) name() (start, end int, escaped, ok bool) {
	if d.peek() != '"' {
		return 0, 0, false, d.fail("Expecting property name enclosed in double quotes")
	}
	start, end, escaped, ok = d.skipString()
	if !ok {
		return 0, 0, false, false
	}
	return start, end, escaped, d.colon()
}

// colon passes over the colon after a name, up to the value.
func (d *decoder) colon() bool {
	if d.peek() != ':' {
		d.space()
		if d.peek() != ':' {
			return d.fail("Expecting ':' delimiter")
		}
	}
	d.pos++
	d.space()
	return true
}

// next passes over what follows a member: a comma, up to the next name, or the
// brace that ends the object.
func (d *decoder) next() (more, ok bool) {
	d.space()
	switch d.peek() {
	case ',':
		d.pos++
		d.space()
		return true, true
	case '}':
		d.pos++
		d.depth--
		return false, true
	default:
		return false, d.fail("Expecting ',' delimiter")
	}
}

// isASCII reports whether data has no byte above 0x7F.
func isASCII(data []byte) bool {
	i := 0
	for ; i+8 <= len(data); i += 8 {
		if binary.LittleEndian.Uint64(data[i:])&highBits != 0 {
			return false
		}
	}
	for ; i < len(data); i++ {
		if data[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func isASCIIString(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
