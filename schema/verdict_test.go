package schema_test

import (
	"errors"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/fastness/fastness/problem"
	"github.com/fastness/fastness/schema"
)

// refused is the verdict on a value that is not as declared: the violations in
// their order, each as its JSON Pointer and its code, with commas between. The
// value itself has an empty pointer, of which nothing is written.
type refused string

// malformed is the verdict on bytes that are no JSON: the reason.
type malformed string

// verdict renders what err says: "" for nil, a refused or malformed verdict for
// a problem, and the error itself where it is none.
func verdict(err error) any {
	if err == nil {
		return refused("")
	}
	p, ok := errors.AsType[*problem.Problem](err)
	switch {
	case !ok:
		return err
	case p.Status == http.StatusBadRequest && len(p.Errors) == 1:
		return malformed(p.Errors[0].Limits[0].Value.(string))
	case p.Status != http.StatusUnprocessableEntity:
		return err
	}
	said := make([]string, len(p.Errors))
	for i, v := range p.Errors {
		said[i] = strings.TrimSpace(v.Pointer() + " " + v.Code)
	}
	return refused(strings.Join(said, ", "))
}

// plan compiles the type of value under the rules of tag.
func plan(t testing.TB, value any, tag reflect.StructTag) *schema.Plan {
	t.Helper()
	p, err := schema.NewTypes(schema.Config{}).Plan(reflect.TypeOf(value), tag)
	if err != nil {
		t.Fatalf("Plan(%T, %s) = %v", value, tag, err)
	}
	return p
}

// typed compiles T.
func typed[T any](t testing.TB) *schema.Type[T] {
	t.Helper()
	compiled, err := schema.For[T]()
	if err != nil {
		t.Fatal(err)
	}
	return compiled
}

// decode returns the value that p reads from text, or the verdict on it.
func decode(p *schema.Plan, text string) any {
	v := reflect.New(p.Type()).Elem()
	report := schema.Report{In: "body"}
	p.Decode(&report, []byte(text), v)
	if err := report.Err(); err != nil {
		return verdict(err)
	}
	return v.Interface()
}

// decodeText returns the value that p reads from parameters, or the verdict.
func decodeText(p *schema.Plan, texts ...string) any {
	v := reflect.New(p.Type()).Elem()
	report := schema.Report{In: "query"}
	p.DecodeText(&report, texts, v)
	if err := report.Err(); err != nil {
		return verdict(err)
	}
	return v.Interface()
}

// encode returns the JSON that p writes of v, or the error.
func encode(p *schema.Plan, v any) (string, error) {
	at := reflect.New(p.Type()).Elem()
	at.Set(reflect.ValueOf(v))
	text, err := p.Append(nil, at)
	return string(text), err
}

// ruleCase is one JSON text for a Go type under the rules of a tag.
type ruleCase struct {
	name string
	into any // a value of the type
	tag  reflect.StructTag
	json string
	want any // the decoded value, a refused or a malformed verdict
}

func testRules(t *testing.T, cases []ruleCase) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := decode(plan(t, c.into, c.tag), c.json); !reflect.DeepEqual(got, c.want) {
				t.Errorf("%T with %s from %.80s = %#v, want %#v", c.into, c.tag, c.json, got, c.want)
			}
		})
	}
}

// sentCase is one JSON text for a struct.
type sentCase[T any] struct {
	name string
	json string
	want any // a T, a refused or a malformed verdict
}

func testSent[T any](t *testing.T, cases []sentCase[T]) {
	t.Helper()
	into := typed[T](t)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			value, err := into.Decode(t.Context(), []byte(c.json))
			var got any = value
			if err != nil {
				got = verdict(err)
			}
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("%T from %.120s = %#v, want %#v", value, c.json, got, c.want)
			}
		})
	}
}

func typeOf(value any) reflect.Type { return reflect.TypeOf(value) }

// typesPlan compiles the type of value in a set of its own.
func typesPlan(value any, tag string) (*schema.Plan, error) {
	return schema.NewTypes(schema.Config{}).Plan(typeOf(value), reflect.StructTag(tag))
}

func laxTypes() *schema.Types {
	return schema.NewTypes(schema.Config{InsecureLaxNumbers: "a client that we cannot change"})
}

func reflectNew[T any]() reflect.Value { return reflect.New(reflect.TypeFor[T]()).Elem() }

func newOf(p *schema.Plan) reflect.Value { return reflect.New(p.Type()).Elem() }
