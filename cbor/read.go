package cbor

import (
	"encoding/binary"
	"math"
	"math/big"
	"strconv"
	"unicode/utf8"

	"github.com/fastness/fastness/problem"
)

// The major types (RFC 8949 section 3.1), and the tags that are taken (section 3.4).
const (
	unsigned = iota
	negative
	byteString
	text
	array
	mapping
	tag
	simple
)

const (
	tagTime     = 0
	tagBig      = 2
	tagBigMinus = 3
	tagDecimal  = 4
)

// maxBig is how many bytes a big integer may have: to write one in digits takes more
// than linear time.
const maxBig = 128

// maxExponent bounds that of a decimal fraction.
const maxExponent = 9999

// reader makes JSON of one well-formed item, in one walk over its bytes. It makes no
// values on the way: an array of empty maps costs no more than its text.
type reader struct {
	data []byte
	at   int
	json []byte
}

// head reads the beginning of an item. It is well-formed, so it ends within the data.
func (r *reader) head() (major byte, info byte, value uint64) {
	major, info = r.data[r.at]>>5, r.data[r.at]&31
	r.at++
	switch info {
	case 24:
		value = uint64(r.data[r.at])
		r.at++
	case 25:
		value = uint64(binary.BigEndian.Uint16(r.data[r.at:]))
		r.at += 2
	case 26:
		value = uint64(binary.BigEndian.Uint32(r.data[r.at:]))
		r.at += 4
	case 27:
		value = binary.BigEndian.Uint64(r.data[r.at:])
		r.at += 8
	default:
		value = uint64(info)
	}
	return major, info, value
}

// bytes returns the content of a string of n bytes.
func (r *reader) bytes(n uint64) []byte {
	content := r.data[r.at : r.at+int(n)] //nolint:gosec // It is within the data.
	r.at += len(content)
	return content
}

func (r *reader) item() error {
	start := r.at
	major, info, n := r.head()
	switch major {
	case unsigned, negative:
		r.integer(major == negative, n)
		return nil
	case text:
		return r.text(n)
	case array:
		return r.list(n)
	case mapping:
		return r.object(n)
	case tag:
		return r.tagged(start, n)
	case simple:
		return r.simple(start, info, n)
	}
	return refused(start, "a byte string, want base64 text")
}

// integer writes n, or -1-n.
func (r *reader) integer(negative bool, n uint64) {
	switch {
	case !negative:
		r.json = strconv.AppendUint(r.json, n, 10)
	case n == math.MaxUint64:
		r.json = append(r.json, "-18446744073709551616"...)
	default:
		r.json = strconv.AppendUint(append(r.json, '-'), n+1, 10)
	}
}

func (r *reader) text(n uint64) error {
	start := r.at
	content := r.bytes(n)
	if !utf8.Valid(content) {
		return refused(start, "a text that is not UTF-8")
	}
	r.json = problem.AppendString(r.json, string(content))
	return nil
}

func (r *reader) list(n uint64) error {
	r.json = append(r.json, '[')
	for i := range n {
		if i > 0 {
			r.json = append(r.json, ',')
		}
		if err := r.item(); err != nil {
			return err
		}
	}
	r.json = append(r.json, ']')
	return nil
}

func (r *reader) object(n uint64) error {
	r.json = append(r.json, '{')
	for i := range n {
		if i > 0 {
			r.json = append(r.json, ',')
		}
		start := r.at
		major, _, length := r.head()
		if major != text {
			return refused(start, "a key that is no text")
		}
		if err := r.text(length); err != nil {
			return err
		}
		r.json = append(r.json, ':')
		if err := r.item(); err != nil {
			return err
		}
	}
	r.json = append(r.json, '}')
	return nil
}

// simple writes a literal or a floating-point number.
func (r *reader) simple(start int, info byte, n uint64) error {
	switch info {
	case 20:
		r.json = append(r.json, "false"...)
		return nil
	case 21:
		r.json = append(r.json, "true"...)
		return nil
	case 22:
		r.json = append(r.json, "null"...)
		return nil
	case 25:
		return r.float(start, half(uint16(n)))
	case 26:
		return r.float(start, float64(math.Float32frombits(uint32(n))))
	case 27:
		return r.float(start, math.Float64frombits(n))
	}
	return refused(start, "a simple value that is not false, true or null")
}

func (r *reader) float(start int, v float64) error {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return refused(start, "a number that is not finite")
	}
	r.json = strconv.AppendFloat(r.json, v, 'g', -1, 64)
	return nil
}

// half returns the value of a half-precision number (RFC 8949 appendix D).
func half(bits uint16) float64 {
	exponent, fraction := int(bits>>10&31), float64(bits&1023)
	var v float64
	switch exponent {
	case 0:
		v = math.Ldexp(fraction, -24)
	case 31:
		v = math.NaN() // Or an infinity: neither is taken.
	default:
		v = math.Ldexp(fraction+1024, exponent-25)
	}
	if bits>>15 == 1 {
		v = math.Copysign(v, -1)
	}
	return v
}

// tagged writes the item that a tag gives a meaning to.
func (r *reader) tagged(start int, number uint64) error {
	switch number {
	case tagTime:
		if at := r.at; r.data[at]>>5 == text {
			_, _, n := r.head()
			return r.text(n)
		}
		return refused(start, "a date that is no text")
	case tagBig, tagBigMinus:
		return r.big(start, number == tagBigMinus)
	case tagDecimal:
		return r.decimal(start)
	}
	return refused(start, "a tag that is not taken")
}

// big writes a big integer (RFC 8949 section 3.4.3).
func (r *reader) big(start int, negative bool) error {
	major, _, n := r.head()
	if major != byteString || n > maxBig {
		return refused(start, "a big integer that is no byte string of up to 128 bytes")
	}
	v := new(big.Int).SetBytes(r.bytes(n))
	if negative {
		v.Not(v)
	}
	r.json = v.Append(r.json, 10)
	return nil
}

// decimal writes a decimal fraction (RFC 8949 section 3.4.4): an array of exponent and
// mantissa.
func (r *reader) decimal(start int) error {
	const want = "a decimal fraction that is not an exponent of up to 9999 and an integer"
	if major, _, n := r.head(); major != array || n != 2 {
		return refused(start, want)
	}
	sign, _, exponent := r.head()
	if sign > negative || exponent > maxExponent {
		return refused(start, want)
	}
	switch major, _, n := r.head(); {
	case major <= negative:
		r.integer(major == negative, n)
	case major == tag && (n == tagBig || n == tagBigMinus):
		if err := r.big(start, n == tagBigMinus); err != nil {
			return err
		}
	default:
		return refused(start, want)
	}
	r.json = append(r.json, 'e')
	r.integer(sign == negative, exponent)
	return nil
}
