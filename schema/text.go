package schema

import (
	"encoding"
	"encoding/base64"
	"net/url"
	"reflect"
	"time"

	"github.com/fastness/fastness/openapi"
	"github.com/fastness/fastness/schema/format"
)

// refused records the error of a type's own parser.
func (d *decoder) refused(err error, code string) {
	switch e := err.(type) {
	case nil:
	case *InvalidError:
		d.report.reject(e, d.path, nil, false)
	default:
		d.violate(code)
	}
}

// textTypeNode is the plan of a type that is written as a string: by its own
// UnmarshalText and MarshalText, or by functions that do the same.
type textTypeNode struct {
	*stringNode
	typ   reflect.Type
	read  func(s string, v reflect.Value) error
	write func(v reflect.Value) (string, error)
}

func (c *compiler) text(t reflect.Type, r *rules, where, defaultFormat string) node {
	n := &textTypeNode{stringNode: c.string(t, r, where).(*stringNode), typ: t, read: unmarshalText, write: marshalText}
	if f, ok := format.Lookup(defaultFormat); ok && n.format == nil {
		n.format = &f
	}
	return n
}

func (n *textTypeNode) decode(d *decoder, v reflect.Value) bool {
	var s string
	before := d.report.count()
	if !n.stringNode.decode(d, reflect.ValueOf(&s).Elem()) {
		return false
	}
	if d.report.count() == before {
		n.parse(d, s, v)
	}
	return true
}

func (n *textTypeNode) decodeText(d *decoder, s string, v reflect.Value) {
	before := d.report.count()
	n.check(d, s, d.ascii)
	if d.report.count() == before {
		n.parse(d, s, v)
	}
}

// measured types keep less than what was sent: they trim it, or clean it. What
// they keep is not shorter than minLength either. Length counts characters.
type measured interface{ Length() int }

func (n *textTypeNode) parse(d *decoder, s string, v reflect.Value) {
	if err := n.read(s, v); err != nil {
		d.refused(err, "value_error")
		return
	}
	if n.min <= 0 {
		return
	}
	if m, ok := v.Addr().Interface().(measured); ok && m.Length() < n.min {
		d.broken(n.tooShort)
	}
}

func unmarshalText(s string, v reflect.Value) error {
	return v.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(s))
}

func marshalText(v reflect.Value) (string, error) {
	text, err := addressed(v).(encoding.TextMarshaler).MarshalText()
	return string(text), err
}

func (n *textTypeNode) encode(e *encoder, v reflect.Value) {
	text, err := n.write(v)
	if err != nil {
		e.fail("%s: %w", n.typ, err)
		return
	}
	e.string(text)
}

func (n *textTypeNode) describe(d *Describer, mode Mode) *openapi.Schema {
	rules := n.stringNode.describe(d, mode)
	s := describedBy(n.typ)
	if s == nil {
		return rules
	}
	if s.MinLength == nil && s.MaxLength == nil && s.Pattern == "" {
		s.MinLength, s.MaxLength, s.Pattern = rules.MinLength, rules.MaxLength, rules.Pattern
		if _, ok := reflect.New(n.typ).Interface().(measured); ok && mode == Output { // What is kept differs from what was checked.
			s.MaxLength, s.Pattern = nil, ""
		}
	}
	return s
}

// timeNode is the plan of a time.Time: an RFC 3339 date-time with its offset.
type timeNode struct{}

func (n *timeNode) decode(d *decoder, v reflect.Value) bool {
	return d.readQuoted(n, "datetime_type", v)
}

func (n *timeNode) decodeText(d *decoder, s string, v reflect.Value) {
	t, err := format.ParseDateTime(s)
	if err != nil {
		f, _ := format.Lookup("date-time")
		d.misformed(err, &f)
		return
	}
	v.Set(reflect.ValueOf(t))
}

func (n *timeNode) encode(e *encoder, v reflect.Value) {
	t := v.Interface().(time.Time)
	if _, offset := t.Zone(); offset%60 != 0 || offset <= -24*3600 || offset >= 24*3600 {
		t = t.UTC() // RFC 3339 cannot write the offset, and rounding it would move the moment.
	}
	if year := t.Year(); year < 0 || year > 9999 {
		e.fail("year %d cannot be written in RFC 3339", year)
		return
	}
	e.buf = append(t.AppendFormat(append(e.buf, '"'), time.RFC3339Nano), '"')
}

func (n *timeNode) describe(*Describer, Mode) *openapi.Schema {
	return &openapi.Schema{Type: openapi.Types{"string"}, Format: "date-time"}
}

// durationNode is the plan of a time.Duration: ISO 8601, such as PT1H30M.
type durationNode struct{}

func (n *durationNode) decode(d *decoder, v reflect.Value) bool {
	return d.readQuoted(n, "time_delta_type", v)
}

func (n *durationNode) decodeText(d *decoder, s string, v reflect.Value) {
	x, err := format.ParseDuration(s)
	if err != nil {
		f, _ := format.Lookup("duration")
		d.misformed(err, &f)
		return
	}
	v.SetInt(int64(x))
}

func (n *durationNode) encode(e *encoder, v reflect.Value) {
	e.buf = append(format.AppendDuration(append(e.buf, '"'), time.Duration(v.Int())), '"')
}

func (n *durationNode) describe(*Describer, Mode) *openapi.Schema {
	return &openapi.Schema{Type: openapi.Types{"string"}, Format: "duration"}
}

// bytesNode is the plan of a []byte: base64 with padding (RFC 4648 section 4).
// Its minLength and maxLength count the decoded bytes.
type bytesNode struct{ min, max int }

func (c *compiler) bytes(r *rules, where string) node {
	n := &bytesNode{}
	n.min, n.max = r.pair(c, where, "minLength", "maxLength")
	return n
}

func (n *bytesNode) decode(d *decoder, v reflect.Value) bool {
	return d.readQuoted(n, "bytes_type", v)
}

func (n *bytesNode) decodeText(d *decoder, s string, v reflect.Value) {
	raw, err := base64.StdEncoding.Strict().DecodeString(s)
	switch {
	case err != nil || len(s)%4 != 0 || len(s) != base64.StdEncoding.EncodedLen(len(raw)): // DecodeString skips line ends.
		d.violate("bytes_invalid_encoding", limit("encoding", "base64"))
	case len(raw) < n.min:
		d.violate("bytes_too_short", limit("min_length", n.min))
	case n.max >= 0 && len(raw) > n.max:
		d.violate("bytes_too_long", limit("max_length", n.max))
	default:
		v.SetBytes(raw)
	}
}

func (n *bytesNode) encode(e *encoder, v reflect.Value) {
	e.buf = append(base64.StdEncoding.AppendEncode(append(e.buf, '"'), v.Bytes()), '"')
}

func (n *bytesNode) describe(*Describer, Mode) *openapi.Schema {
	s := &openapi.Schema{Type: openapi.Types{"string"}, ContentEncoding: "base64"}
	// A validator compares the encoded text, four characters for three bytes.
	if n.min > 0 {
		low := base64.StdEncoding.EncodedLen(n.min)
		s.MinLength = &low
	}
	if n.max >= 0 {
		high := base64.StdEncoding.EncodedLen(n.max)
		s.MaxLength = &high
	}
	s.Pattern = "^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?$"
	return s
}

// url returns the plan of a url.URL, which has no methods for text: an absolute
// http or https URL unless format says otherwise.
func (c *compiler) url(r *rules, where string) node {
	n := c.text(reflect.TypeFor[url.URL](), r, where, "http-url").(*textTypeNode)
	n.read = func(s string, v reflect.Value) error {
		u, err := url.Parse(s)
		if err == nil {
			v.Set(reflect.ValueOf(*u))
		}
		return err
	}
	n.write = func(v reflect.Value) (string, error) {
		u := v.Interface().(url.URL)
		return u.String(), nil
	}
	return n
}
