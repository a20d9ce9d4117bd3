package schema_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/fastness/fastness/schema"
)

func TestLists(t *testing.T) {
	testRules(t, []ruleCase{
		{"no items are an empty list, not nil", []int(nil), "", "[]", []int{}},
		{"white space between items", []int{}, "", " [ 1 ,\t2\n,\r3 ] ", []int{1, 2, 3}},
		{"null is no list", []int{}, "", "null", refused("list_type")},
		{"an object is no list", []int{}, "", "{}", refused("list_type")},
		{"one item is no list", []int{}, "", "1", refused("list_type")},
		{"null is no item", []int{}, "", "[1,null]", refused("/1 int_type")},
		{"null is an item of pointers", []*int{}, "", "[null]", []*int{nil}},
		{"every bad item is reported", []int{}, "", `[1,"a",2,true]`, refused("/1 int_type, /3 int_type")},
		{"a comma at the end", []int{}, "", "[1,]", malformed("Expecting value")},
		{"a comma too many", []int{}, "", "[1,,2]", malformed("Expecting value")},
		{"no comma", []int{}, "", "[1 2]", malformed("Expecting ',' delimiter")},
		{"no end", []int{}, "", "[1", malformed("Expecting ',' delimiter")},

		{"as many items as allowed", []int{}, `minItems:"2" maxItems:"2"`, "[1,2]", []int{1, 2}},
		{"an item too few", []int{}, `minItems:"2"`, "[1]", refused("too_short")},
		{"an item too many", []int{}, `maxItems:"2"`, "[1,2,3]", refused("too_long")},
		{"what is wrong with items too many is not told", []int{}, `maxItems:"1"`, `[1,"a",{"b":null}]`, refused("too_long")},
		{"but they have to be JSON", []int{}, `maxItems:"1"`, `[1,tru]`, malformed("Expecting value")},
		{"rules of lists are for the outer list", [][]int{}, `maxItems:"1"`, "[[1,2]]", [][]int{{1, 2}}},
		{"lists of lists", [][]int{}, "", `[[1],["a"]]`, refused("/1/0 int_type")},

		{"an array", [2]int{}, "", "[1,2]", [2]int{1, 2}},
		{"an array with an item too few", [2]int{}, "", "[1]", refused("too_short")},
		{"an array with an item too many", [2]int{}, "", "[1,2,3]", refused("too_long")},
		{"an array of bytes is a list of numbers", [2]byte{}, "", "[1,255]", [2]byte{1, 255}},

		{"different items", []int{}, `uniqueItems:"true"`, "[1,2]", []int{1, 2}},
		{"the same item twice", []int{}, `uniqueItems:"true"`, "[1,2,1]", refused("unique_items")},
		{"1 and 1.0 are one number", []float64{}, `uniqueItems:"true"`, "[1,1.0]", refused("unique_items")},
		{"0 and -0 are one number", []float64{}, `uniqueItems:"true"`, "[0,-0]", refused("unique_items")},
		{"1.5 and 15e-1 are one decimal", []decimal.Decimal{}, `uniqueItems:"true"`, "[1.5,15e-1]", refused("unique_items")},
		{"1 and 1.0 are one json.Number", []json.Number{}, `uniqueItems:"true"`, "[1,1.0]", refused("unique_items")},
		{"1 and 1.0 are one number inside anything", []any{}, `uniqueItems:"true"`, `[{"a":[1]},{"a":[1.0]}]`, refused("unique_items")},
		{"1 and \"1\" are two values", []any{}, `uniqueItems:"true"`, `[1,"1"]`, []any{json.Number("1"), "1"}},
		{"an escape is the letter", []string{}, `uniqueItems:"true"`, `["a","\u0061"]`, refused("unique_items")},
		{"the order of members does not matter", []any{}, `uniqueItems:"true"`, `[{"a":1,"b":2},{"b":2,"a":1}]`, refused("unique_items")},
		{"hidden values are compared, too", []token{}, `uniqueItems:"true"`, `["a","b"]`, []token{"a", "b"}},
		{"bad items are not compared", []int{}, `uniqueItems:"true"`, `["a","a"]`, refused("/0 int_type, /1 int_type")},
	})
}

func TestItemsThatDifferOnlyInAWriteOnlyMemberDiffer(t *testing.T) {
	type login struct {
		Name     string `json:"name"`
		Password string `json:"password" writeOnly:"true"`
	}
	testRules(t, []ruleCase{
		{"two passwords", []login{}, `uniqueItems:"true"`, `[{"name":"a","password":"x"},{"name":"a","password":"y"}]`, []login{{"a", "x"}, {"a", "y"}}},
		{"one password", []login{}, `uniqueItems:"true"`, `[{"name":"a","password":"x"},{"name":"a","password":"x"}]`, refused("unique_items")},
	})
}

func TestMaps(t *testing.T) {
	type word string
	testRules(t, []ruleCase{
		{"members", map[string]int{}, "", `{"a":1,"b":2}`, map[string]int{"a": 1, "b": 2}},
		{"no members are an empty map, not nil", map[string]int(nil), "", `{}`, map[string]int{}},
		{"the empty name", map[string]int{}, "", `{"":1}`, map[string]int{"": 1}},
		{"names of a type of their own", map[word]int{}, "", `{"a":1}`, map[word]int{"a": 1}},
		{"a list is no map", map[string]int{}, "", `[]`, refused("dict_type")},
		{"null is no map", map[string]int{}, "", `null`, refused("dict_type")},
		{"a bad value", map[string]int{}, "", `{"a/b~c":"x"}`, refused("/a~1b~0c int_type")},
		{"a name twice", map[string]int{}, "", `{"a":1,"a":2}`, malformed("Duplicate member name")},
		{"a name twice, once escaped", map[string]int{}, "", `{"a":1,"\u0061":2}`, malformed("Duplicate member name")},
		{"a value does not leak into the next", map[string]struct {
			A int `json:"a,omitzero"`
		}{}, "", `{"x":{"a":1},"y":{}}`, map[string]struct {
			A int `json:"a,omitzero"`
		}{"x": {1}, "y": {}}},
		{"a member too few", map[string]int{}, `minProperties:"1"`, `{}`, refused("too_short")},
		{"as many members as allowed", map[string]int{}, `maxProperties:"1"`, `{"a":1}`, map[string]int{"a": 1}},
		{"a member too many", map[string]int{}, `maxProperties:"1"`, `{"a":1,"b":2}`, refused("too_long")},
		{"values have the rules of their type", map[string]string{}, `maxLength:"1"`, `{"a":"bc"}`, refused("/a string_too_long")},
		{"lists inside", map[string][]int{}, "", `{"a":[1,"x"]}`, refused("/a/1 int_type")},
	})
}

type address struct {
	Street string `json:"street" minLength:"1"`
	Zip    string `json:"zip" pattern:"^[0-9]{5}$"`
}

type audited struct {
	CreatedBy string `json:"created_by,omitzero"`
}

type customer struct {
	audited
	Name   string             `json:"name"`
	Home   address            `json:"home"`
	Others map[string]address `json:"others,omitzero"`
	Past   []address          `json:"past,omitzero"`
	Friend *customer          `json:"friend"`
	_      int
	Cache  int `json:"-"`
	Plain  bool
}

func TestStructs(t *testing.T) {
	home := address{"Main St", "12345"}
	const homeJSON = `{"street":"Main St","zip":"12345"}`
	testSent(t, []sentCase[customer]{
		{"nested, embedded and recursive", `{"name":"A","created_by":"me","Plain":true,"home":` + homeJSON + `,"past":[` + homeJSON + `],"others":{"w":` + homeJSON + `},"friend":{"name":"B","Plain":false,"home":` + homeJSON + `}}`,
			customer{audited: audited{"me"}, Name: "A", Home: home, Past: []address{home}, Others: map[string]address{"w": home}, Plain: true, Friend: &customer{Name: "B", Home: home}}},
		{"members in any order", `{"Plain":false,"home":{"zip":"12345","street":"Main St"},"name":"A"}`, customer{Name: "A", Home: home}},
		{"every violation at once, each with its place", `{"home":{"street":"","zip":"x"},"past":[` + homeJSON + `,{"zip":1}],"others":{"w":[]},"Plain":null}`,
			refused("/home/street string_too_short, /home/zip string_pattern_mismatch, /past/1/zip string_type, /past/1/street missing, /others/w model_attributes_type, /Plain bool_type, /name missing")},
		{"an object too shallow", `{"name":"A","Plain":true,"home":"Main St"}`, refused("/home model_attributes_type")},
		{"a member that is not exported", `{"name":"A","Plain":true,"home":` + homeJSON + `,"hidden":1}`, refused("/hidden extra_forbidden")},
		{"a member that has no name", `{"name":"A","Plain":true,"home":` + homeJSON + `,"Cache":1,"-":1}`, refused("/Cache extra_forbidden, /- extra_forbidden")},
		{"the embedded struct's name is no member", `{"name":"A","Plain":true,"home":` + homeJSON + `,"audited":{}}`, refused("/audited extra_forbidden")},
		{"a list is no object", `[]`, refused("model_attributes_type")},
		{"null is no object", `null`, refused("model_attributes_type")},
		{"nothing is missing", ``, refused("missing")},
		{"white space is missing", " \n", refused("missing")},
		{"a comma at the end", `{"name":"A",}`, malformed("Expecting property name enclosed in double quotes")},
		{"a comma too many", `{"name":"A",,}`, malformed("Expecting property name enclosed in double quotes")},
		{"no colon", `{"name" "A"}`, malformed("Expecting ':' delimiter")},
		{"no comma", `{"name":"A" "Plain":true}`, malformed("Expecting ',' delimiter")},
		{"no end", `{"name":"A"`, malformed("Expecting ',' delimiter")},
		{"single quotes", `{'name':'A'}`, malformed("Expecting property name enclosed in double quotes")},
		{"a comment", `{/**/"name":"A"}`, malformed("Expecting property name enclosed in double quotes")},
	})
}

// TestManyMembers crosses the words of the sets that track members.
func TestManyMembers(t *testing.T) {
	for _, n := range []int{64, 65, 128, 129, 200} {
		fields := make([]reflect.StructField, n)
		for i := range fields {
			fields[i] = reflect.StructField{Name: fmt.Sprintf("F%d", i), Type: reflect.TypeFor[int]()}
		}
		wide := reflect.StructOf(fields)
		p, err := schema.NewTypes(schema.Config{}).Plan(wide, "")
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		for i := range n {
			all = append(all, fmt.Sprintf(`"F%d":%d`, i, i))
		}
		if got := reflect.ValueOf(decode(p, "{"+strings.Join(all, ",")+"}")); got.Type() != wide || got.Field(n-1).Int() != int64(n-1) {
			t.Errorf("%d members: Decode() = %v", n, got)
		}
		if got, want := decode(p, "{"+strings.Join(all[:n-1], ",")+"}"), refused(fmt.Sprintf("/F%d missing", n-1)); got != want {
			t.Errorf("%d members without the last: Decode() = %v, want %v", n, got, want)
		}
		if got := decode(p, "{"+strings.Join(append(all, all[n-1]), ",")+"}"); got != malformed("Duplicate member name") {
			t.Errorf("%d members and the last again: Decode() = %v, want it malformed", n, got)
		}
	}
}
