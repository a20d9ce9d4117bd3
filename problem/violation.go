package problem

import "strconv"

// Violation is one way in which a request is not as declared. It says where,
// which rule and the rule's limits; never the value that was sent, which may be
// a password.
type Violation struct {
	// In says which part of the request: "body", "query", "path", "header",
	// "cookie" or "form".
	In string
	// Path leads to the value inside that part.
	Path []Segment
	// Code is the rule's stable name, in the vocabulary of FastAPI's error
	// types: "missing", "greater_than_equal", "string_too_short" …
	Code string
	// Detail is the rule as an English sentence.
	Detail string
	// Limits are the rule's parameters, in a fixed order.
	Limits []Limit
}

// Segment is one step of a path: the name of a member or the index of an item.
type Segment struct {
	Name string
	// Index is the place of an item in an array. It counts if Name is empty
	// and IsIndex is set.
	Index   int
	IsIndex bool
}

// Name returns the step to a member.
func Name(name string) Segment { return Segment{Name: name} }

// Index returns the step to an item of an array.
func Index(i int) Segment { return Segment{Index: i, IsIndex: true} }

// Limit is one parameter of a rule, such as ge = 0.
type Limit struct {
	Name string
	// Value is a string, an int, a bool or a json.Number.
	Value any
}

// Pointer returns the violation's path as a JSON Pointer (RFC 6901).
func (v Violation) Pointer() string {
	var buf []byte
	for _, s := range v.Path {
		buf = append(buf, '/')
		buf = appendPointerSegment(buf, s)
	}
	return string(buf)
}

func appendPointerSegment(buf []byte, s Segment) []byte {
	if s.IsIndex {
		return strconv.AppendInt(buf, int64(s.Index), 10)
	}
	for i := range len(s.Name) {
		switch c := s.Name[i]; c {
		case '~':
			buf = append(buf, "~0"...)
		case '/':
			buf = append(buf, "~1"...)
		default:
			buf = append(buf, c)
		}
	}
	return buf
}
