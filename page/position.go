package page

import (
	"encoding/binary"
	"errors"
	"math"
	"time"
)

// position is where a page begins: what a cursor holds.
type position struct {
	back    bool // the page ends there
	expires time.Time
	values  []any // as driver.Value
}

const (
	positionVersion = 1
	// positionBlock is what the length of a position is rounded up to, so that the
	// length of a cursor does not tell that of a text which is not shown.
	positionBlock = 64
	maxValues     = 16
)

// The kinds of values.
const (
	isNull byte = iota + 1
	isInt
	isFloat
	isText
	isBytes
	isFalse
	isTrue
	isTime
)

var errPosition = errors.New("it is no position")

// append writes p: the version, the direction, the expiry, the values and zeros.
func (p position) append(b []byte) ([]byte, error) {
	b = append(b, positionVersion, 0)
	if p.back {
		b[len(b)-1] = 1
	}
	b = binary.BigEndian.AppendUint64(b, uint64(p.expires.Unix()))
	b = append(b, byte(len(p.values)))
	for _, v := range p.values {
		switch v := v.(type) {
		case nil:
			b = append(b, isNull)
		case int64:
			b = binary.BigEndian.AppendUint64(append(b, isInt), uint64(v))
		case float64:
			b = binary.BigEndian.AppendUint64(append(b, isFloat), math.Float64bits(v))
		case string:
			b = append(binary.AppendUvarint(append(b, isText), uint64(len(v))), v...)
		case []byte:
			b = append(binary.AppendUvarint(append(b, isBytes), uint64(len(v))), v...)
		case bool:
			if v {
				b = append(b, isTrue)
			} else {
				b = append(b, isFalse)
			}
		case time.Time: // Seconds and nanoseconds: a time of the year 1 is one, too.
			b = binary.BigEndian.AppendUint64(append(b, isTime), uint64(v.Unix()))
			b = binary.BigEndian.AppendUint32(b, uint32(v.Nanosecond()))
		default:
			return nil, errPosition
		}
	}
	for len(b)%positionBlock != 0 {
		b = append(b, 0)
	}
	return b, nil
}

// parsePosition undoes append. It reads what this package has sealed, and still
// believes nothing.
func parsePosition(b []byte) (p position, err error) {
	r := reader{b: b}
	version, flags := r.byte(), r.byte()
	seconds := int64(r.uint64())
	n := int(r.byte())
	if r.failed || version != positionVersion || flags > 1 || n == 0 || n > maxValues {
		return position{}, errPosition
	}
	p.back, p.expires = flags == 1, time.Unix(seconds, 0)
	for range n {
		p.values = append(p.values, r.value())
	}
	for _, c := range r.b {
		r.failed = r.failed || c != 0
	}
	if r.failed || len(r.b) >= positionBlock {
		return position{}, errPosition
	}
	return p, nil
}

// reader takes values off a text. What is missing is zero, and failed.
type reader struct {
	b      []byte
	failed bool
}

func (r *reader) take(n uint64) []byte {
	if r.failed || n > uint64(len(r.b)) {
		r.failed = true
		return nil
	}
	taken := r.b[:n]
	r.b = r.b[n:]
	return taken
}

func (r *reader) byte() byte {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) uint64() uint64 {
	if b := r.take(8); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

func (r *reader) text() []byte {
	n, size := binary.Uvarint(r.b)
	if size <= 0 {
		r.failed = true
		return nil
	}
	r.take(uint64(size))
	return r.take(n)
}

func (r *reader) value() any {
	switch r.byte() {
	case isNull:
		return nil
	case isInt:
		return int64(r.uint64())
	case isFloat:
		return math.Float64frombits(r.uint64())
	case isText:
		return string(r.text())
	case isBytes:
		return append([]byte{}, r.text()...)
	case isFalse:
		return false
	case isTrue:
		return true
	case isTime:
		seconds, b := int64(r.uint64()), r.take(4)
		if b == nil || binary.BigEndian.Uint32(b) >= 1e9 {
			r.failed = true
			return nil
		}
		return time.Unix(seconds, int64(binary.BigEndian.Uint32(b))).UTC()
	default:
		r.failed = true
		return nil
	}
}
