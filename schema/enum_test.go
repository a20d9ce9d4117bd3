package schema_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/fastness/fastness/schema"
)

// role lists its texts.
type role string

func (role) Enum() []string { return []string{"guest", "member"} }

// roleByPointer does it by a method of its pointer.
type roleByPointer string

func (*roleByPointer) Enum() []string { return []string{"guest", "member"} }

// roleNumber is a number that reads and writes itself as one of its texts.
type roleNumber int

func (roleNumber) Enum() []string { return []string{"guest", "member"} }

func (r roleNumber) MarshalText() ([]byte, error) { return []byte(r.Enum()[r]), nil }

func (r *roleNumber) UnmarshalText(text []byte) error {
	if string(text) == "member" {
		*r = 1
	}
	return nil // Whatever else there is: the list is what refuses it.
}

// slug is a name with a rule that no tag can say.
type slug string

func (s slug) Validate() error {
	if strings.ToLower(string(s)) != string(s) {
		return schema.Invalid("must be in lower case")
	}
	return nil
}

// folded reads itself, in whatever case.
type folded string

func (f folded) MarshalText() ([]byte, error) { return []byte("<" + f + ">"), nil }

func (f *folded) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		return schema.Invalid("must not be empty").Named("empty")
	}
	*f = folded(strings.ToLower(string(text)))
	return nil
}

func TestEnumOfATypeIsChecked(t *testing.T) {
	testRules(t, []ruleCase{
		{"by value", role(""), "", `"root"`, refused("enum")},
		{"by pointer", roleByPointer(""), "", `"root"`, refused("enum")},
		{"by pointer, one of them", roleByPointer(""), "", `"guest"`, roleByPointer("guest")},
		{"in a list", []roleByPointer{}, "", `["guest","root"]`, refused("/1 enum")},
		{"of a type that reads itself", roleNumber(0), "", `"root"`, refused("enum")},
		{"of a type that reads itself, one of them", roleNumber(0), "", `"member"`, roleNumber(1)},
		{"a tag chooses among them", role(""), `enum:"member"`, `"guest"`, refused("enum")},
	})
}

func TestMapKeysHaveTheRulesOfTheirType(t *testing.T) {
	testRules(t, []ruleCase{
		{"an enum", map[role]int{}, "", `{"guest":1,"root":2}`, refused("/root enum")},
		{"an enum, kept", map[role]int{}, "", `{"guest":1,"member":2}`, map[role]int{"guest": 1, "member": 2}},
		{"an enum, escaped", map[role]int{}, "", `{"\u0067uest":1}`, map[role]int{"guest": 1}},
		{"an enum by pointer", map[roleByPointer]int{}, "", `{"root":2}`, refused("/root enum")},
		{"the value of a refused key is not read", map[role]int{}, "", `{"root":"x","guest":"y"}`, refused("/root enum, /guest int_type")},
		{"its syntax is", map[role]int{}, "", `{"root":[1,]}`, malformed("Expecting value")},
		{"a method Validate", map[slug]int{}, "", `{"a":1,"B":2}`, refused("/B value_error")},
		{"a method UnmarshalText", map[folded]int{}, "", `{"Ab":1}`, map[folded]int{"ab": 1}},
		{"a method UnmarshalText that objects", map[folded]int{}, "", `{"":1}`, refused("/ empty")},
		{"two spellings of one key", map[folded]int{}, "", `{"a":1,"A":2}`, malformed("Duplicate member name")},
		{"rules of the tag are about the values", map[role]string{}, `maxLength:"1"`, `{"guest":"a"}`, map[role]string{"guest": "a"}},
	})
}

func TestMapKeysAreWrittenAsTheirTypeSays(t *testing.T) {
	for want, value := range map[string]any{
		`{"guest":1}`:           map[role]int{"guest": 1},
		`{"\u003cab\u003e":1}`:  map[folded]int{"ab": 1},
		`{"\u003cab\u003e":[]}`: map[folded][]int{"ab": {}},
	} {
		if got, err := encode(plan(t, value, ""), value); err != nil || got != want {
			t.Errorf("Append(%#v) = %s (%v), want %s", value, got, err, want)
		}
	}
}

func TestMapKeysAreDescribed(t *testing.T) {
	roles, plain := typed[map[role]int](t), typed[map[slug]int](t)
	if s, _ := roles.JSONSchema(); s.PropertyNames == nil || fmt.Sprint(s.PropertyNames.Enum) != "[guest member]" {
		t.Errorf("propertyNames of map[role]int = %+v, want the enum", s.PropertyNames)
	}
	if s, _ := plain.JSONSchema(); s.PropertyNames != nil {
		t.Errorf("propertyNames of map[slug]int = %+v, want none", s.PropertyNames)
	}
}

type emptyRole string

func (emptyRole) Enum() []string { return nil }

type countedRole int

func (countedRole) Enum() []string { return []string{"guest"} }

func TestAnEnumThatWouldCheckNothingIsAMistake(t *testing.T) {
	for _, c := range []struct {
		name string
		into any
		tag  string
		want string
	}{
		{"it lists nothing", emptyRole(""), "", "method Enum of schema_test.emptyRole lists nothing"},
		{"of a number", countedRole(0), "", "method Enum of schema_test.countedRole lists texts, and its values are none"},
		{"a tag adds to it", role(""), `enum:"guest,root"`, `enum or const: "root" is none of those that schema_test.role lists`},
		{"of a key that writes itself as JSON", map[token]int{}, "", "map keys of type schema_test.token have MarshalJSON, want MarshalText"},
	} {
		if _, err := typesPlan(c.into, c.tag); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: Plan() = %v, want %q", c.name, err, c.want)
		}
	}
}
