// Package schema turns a Go type into a plan that decodes, validates, encodes
// and describes its values.
//
// A type is compiled once, when an operation is registered. From then on a JSON
// body is checked and written into the Go value in one walk over its bytes:
// there is no second decoder that could read the body differently from the
// validator, which is how a validated field is smuggled past its rules.
//
//	type NewItem struct {
//		Name  string          `json:"name" minLength:"1" maxLength:"120"`
//		Price decimal.Decimal `json:"price" minimum:"0"`
//		Tags  []string        `json:"tags,omitzero" maxItems:"8" pattern:"^[a-z]+$"`
//	}
//
//	items, err := schema.For[NewItem]()
//	item, err := items.Decode(ctx, body) // a *problem.Problem that lists every violation
//
// # Strict by default
//
// Names match exactly. Duplicate and unknown members, invalid UTF-8, lone
// surrogates, bytes after the value and nesting beyond 64 levels are refused. A
// string is not a number and a number is not a string. Integers that do not fit
// are refused, and so are numbers that a float64 cannot hold as written.
//
// # Absent, null, present
//
//	Name string           `json:"name"`           // required, never null
//	Name string           `json:"name,omitzero"`  // may be absent, never null
//	Name string           `json:"name" default:"Lamp"` // the default applies only where absent
//	Name *string          `json:"name"`           // may be absent or null: nil
//	Name Null[string]     `json:"name"`           // required, may be null
//	Name Opt[string]      `json:"name"`           // absent or a value, and it tells which
//	Name Opt[Null[string]] `json:"name"`          // absent, null and a value, all apart
//
// # Rules
//
// Rules are struct tags with the names of JSON Schema: minimum, maximum,
// exclusiveMinimum, exclusiveMaximum, multipleOf, minLength, maxLength (in
// Unicode code points), pattern (RE2), format, enum, const, minItems, maxItems,
// uniqueItems, minProperties, maxProperties; and for exact decimals maxDigits
// and decimalPlaces. A rule that does not fit a slice or a map applies to its
// items. A rule that fits nothing is an error when the type is compiled.
//
// A tag that is nearly a rule, such as minlength, is an error, too.
//
// Further tags: default (JSON, or the text of a string), example, title, doc (the
// description), deprecated, readOnly (never in requests), writeOnly (never in
// answers), visibleTo and writableBy (see below), required, and
// alias and out (see below).
//
// # Names
//
// A member is called as its tag json says, or else by the style of [Config].Names:
//
//	Price decimal.Decimal `json:"price"`
//	Stock int             `json:"stock" alias:"qty,quantity"` // requests may say qty or quantity, too
//	Net   decimal.Decimal `json:"net_price" out:"net"`        // requests say net_price, answers net
//
// A patch ([MergePatch], [JSONPatch]) has the names of answers, because it is about
// what its caller has read. A violation is told by the name that was sent. Go code
// names a member as requests do: [Fields.Has], [MergePatch.Sent], [InvalidError.At].
// No two members of an object share a name, even if one has it in requests only and
// the other in answers only: what is read and sent back goes where it came from.
//
// # Members that are not for everybody
//
// A member is for all callers, or for those who have one of the roles of a tag:
//
//	Margin decimal.Decimal `json:"margin" visibleTo:"admin,seller"`
//	Status string          `json:"status" writableBy:"admin" default:"draft"`
//
// Nobody else gets a margin: it is left out of the answer, however deep it is.
// Nobody else sends a status: that is a violation at its place, as for a
// read-only member, and what is not sent has its default. So a member that only
// some may send is never required. The two tags say nothing about each other: a
// margin as above can be sent by all. Who the caller is comes with
// [Plan.AppendFor] and [Report.Viewer]; without it no role is held.
//
// A type with methods that read or write it cannot hold such members, nor can a
// union be told apart by one. Whether the roles exist is for the application to
// check, with [Plan.Roles].
//
// # Types
//
// Besides Go's own types: time.Time is a date-time with its offset (RFC 3339),
// time.Duration an ISO 8601 duration such as PT5S, []byte is base64,
// decimal.Decimal (shopspring) an exact number, netip.Addr, netip.Prefix and
// url.URL are strings, json.Number and json.RawMessage are kept as written, and
// an any holds them all. A secret.Text is a string that is read and never
// written; see [Plan.Answerable]. A type with UnmarshalText and MarshalText is a string, a
// type with UnmarshalJSON is anything. What those methods return by [Invalid] is
// shown; of any other error only that there was one.
//
// A type with a method Validate(context.Context) error, or Validate() error, has
// the last word about its values; see [Invalid]. The structs embedded in a type
// are asked first, and the type itself if they do not object; see [Checks]. A
// method must not change anything: one that Go promotes may be asked twice.
//
// A type whose values are strings may list them all by a method Enum() []string.
// Both methods hold for the keys of maps, too.
package schema

import (
	"context"
	"reflect"

	"github.com/fastness/fastness/openapi"
)

// Type is the compiled plan of T. It is safe for concurrent use.
type Type[T any] struct {
	plan *Plan
}

// For compiles T. The error names every mistake in T's declaration.
//
// Where a type belongs to an app whose members have another style, say so with
// [ForNames].
func For[T any]() (*Type[T], error) { return ForNames[T](GoNames) }

// ForNames is For with a style for the members that have no names of their own.
func ForNames[T any](names Style) (*Type[T], error) {
	plan, err := NewTypes(Config{Names: names}).Plan(reflect.TypeFor[T](), "")
	if err != nil {
		return nil, err
	}
	return &Type[T]{plan}, nil
}

// Decode reads one JSON value. The error is a *problem.Problem: of status 400
// if data is not JSON, of status 422 with every violation if it is not as
// declared.
//
// Members that only some may send are refused; see [Type.DecodeFor].
func (t *Type[T]) Decode(ctx context.Context, data []byte) (T, error) {
	return t.DecodeFor(ctx, data, nil)
}

// DecodeFor is Decode for what viewer sent, who may send the members that are
// writable by one of their roles, too.
func (t *Type[T]) DecodeFor(ctx context.Context, data []byte, viewer Viewer) (T, error) {
	var value T
	report := Report{Context: ctx, In: "body", Viewer: viewer}
	t.plan.Decode(&report, data, reflect.ValueOf(&value).Elem())
	if err := report.Err(); err != nil {
		var zero T
		return zero, err
	}
	return value, nil
}

// Append appends the JSON of value to buf. It fails for what JSON cannot hold:
// infinities, and unions without a variant. Members that are not for everybody
// are left out; see [Type.AppendFor].
func (t *Type[T]) Append(buf []byte, value T) ([]byte, error) {
	return t.AppendFor(buf, value, nil)
}

// AppendFor is Append for a viewer, who gets the members that are visible to one
// of their roles, too.
func (t *Type[T]) AppendFor(buf []byte, value T, viewer Viewer) ([]byte, error) {
	return t.plan.AppendFor(buf, reflect.ValueOf(&value).Elem(), viewer)
}

// JSONSchema returns the schema of values that Decode accepts, with the schemas
// of the structs it refers to under "$defs"-free component names in defs.
func (t *Type[T]) JSONSchema() (root *openapi.Schema, defs openapi.Map[*openapi.Schema]) {
	d := NewDescriber()
	root = d.Describe(t.plan, Input)
	return root, d.Components()
}

// Config sets how a set of types is read. The zero value is the strict one.
type Config struct {
	// InsecureIgnoreUnknown, if not empty, says why members that no field
	// declares are dropped instead of refused.
	InsecureIgnoreUnknown string
	// InsecureLaxNumbers, if not empty, says why JSON strings that spell a
	// number are taken for numbers.
	InsecureLaxNumbers string
	// MaxDepth bounds the nesting of arrays and objects. The default is 64.
	MaxDepth int
	// MaxMemory bounds the bytes that the items of lists and maps and what
	// pointers lead to may take, beside the body itself. A body of "{}," repeated
	// is a hundred times as large once each pair of braces is a struct. The
	// default is 32 MiB; more is a 413.
	MaxMemory int
	// Client reads what answers hold and writes what requests hold: read-only
	// and write-only members change places, and computed ones are unknown. Roles
	// are for the server to check: a member that not everybody sees may be absent,
	// and one that not everybody may send is sent unless it is zero.
	Client bool
	// Names says how members are called whose tag json names them not. A name that is
	// written down stays. The default is [GoNames].
	Names Style
}

// Types compiles Go types and remembers them.
type Types struct {
	cfg      Config
	compiler compiler
	decoders decoderPool
	encoders encoderPool
}

// NewTypes returns an empty set of types.
func NewTypes(cfg Config) *Types {
	if cfg.MaxDepth <= 0 {
		cfg.MaxDepth = 64
	}
	if cfg.MaxMemory <= 0 {
		cfg.MaxMemory = 32 << 20
	}
	t := &Types{cfg: cfg}
	t.compiler.client, t.compiler.style, t.compiler.types = cfg.Client, cfg.Names, t
	t.compiler.structs = make(map[reflect.Type]*structNode)
	return t
}

// Plan compiles t with the rules of tag. The error names every mistake.
func (s *Types) Plan(t reflect.Type, tag reflect.StructTag) (*Plan, error) {
	s.compiler.mu.Lock()
	defer s.compiler.mu.Unlock()
	if s.cfg.Names < GoNames || s.cfg.Names > CamelCase {
		s.compiler.mistake("schema config", "Names is %d, want GoNames, SnakeCase or CamelCase", s.cfg.Names)
	}
	rules := parseRules(tag)
	node := s.compiler.compile(t, rules, t.String())
	rules.reportUnused(&s.compiler, t.String())
	p := &Plan{types: s, node: node, typ: t, writableBy: s.compiler.roles(tag, t.String(), "writableBy")}
	s.compiler.misplaced(tag, t.String(), "visibleTo", "alias", "out")
	if err := s.compiler.settle(); err != nil {
		return nil, err
	}
	p.survey()
	return p, nil
}

// Plan decodes, encodes and describes the values of one Go type under one set
// of rules. It is safe for concurrent use.
type Plan struct {
	types *Types
	node  node
	typ   reflect.Type
	// writableBy are the roles that may send the value itself.
	writableBy roles
	// roles are all that are mentioned; sees and sends say whether some members
	// are only for some to see, or to send.
	roles       []string
	sees, sends bool
}

// Type returns the Go type of the plan's values.
func (p *Plan) Type() reflect.Type { return p.typ }

// A node is the plan of one type under one set of rules.
type node interface {
	// decode reads the value at d.pos into v. It reports false after a syntax
	// error, which ends the walk; violations do not.
	decode(d *decoder, v reflect.Value) bool
	// encode appends v.
	encode(e *encoder, v reflect.Value)
	// describe returns the JSON Schema of the node's values.
	describe(d *Describer, mode Mode) *openapi.Schema
}

// inside returns the nodes of the values that a value of n holds. Those of a struct
// are not among them: its members have more to say than their nodes.
func inside(n node) []node {
	switch n := n.(type) {
	case *wrapNode:
		return []node{n.inner}
	case *encodedNode:
		return []node{n.inner}
	case *listNode:
		return []node{n.item}
	case *mapNode:
		return []node{n.value}
	case *checkedNode:
		return []node{n.node}
	case *writtenNode:
		return []node{n.node}
	case *patchNode:
		return []node{n.of}
	case *unionNode:
		all := make([]node, len(n.variants))
		for i := range n.variants {
			all[i] = n.variants[i].plan
		}
		return all
	}
	return nil
}

// A textNode can also read its value from text: a parameter or a form field.
type textNode interface {
	decodeText(d *decoder, s string, v reflect.Value)
}
