package schema_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/fastness/fastness/schema"
)

type bid struct {
	Item string `json:"item" minLength:"1"`
	Sum  int    `json:"sum" minimum:"1"`
	ID   int    `json:"id" readOnly:"true"`
}

type bids struct {
	Last schema.Encoded[bid]   `json:"last"`
	All  []schema.Encoded[bid] `json:"all"`
}

func typeFor[T any](t *testing.T) *schema.Type[T] {
	t.Helper()
	typ, err := schema.For[T]()
	if err != nil {
		t.Fatal(err)
	}
	return typ
}

func TestEncodedIsWrittenAsItIs(t *testing.T) {
	one, err := typeFor[bid](t).Encode(bid{"<b>", 3, 7})
	if err != nil {
		t.Fatal(err)
	}
	got, err := typeFor[bids](t).Append(nil, bids{Last: one, All: []schema.Encoded[bid]{one, one}})
	single := `{"item":"\u003cb\u003e","sum":3,"id":7}`
	if want := `{"last":` + single + `,"all":[` + single + `,` + single + `]}`; err != nil || string(got) != want {
		t.Errorf("Append() = %s, %v, want %s", got, err, want)
	}
	if std, err := json.Marshal(one); err != nil || string(std) != single {
		t.Errorf("encoding/json writes %s, %v", std, err)
	}
}

func TestEncodedIsDescribedAsItsType(t *testing.T) {
	want, _ := typeFor[bid](t).JSONSchema()
	got, defs := typeFor[schema.Encoded[bid]](t).JSONSchema()
	if !reflect.DeepEqual(got, want) || defs.Len() != 1 {
		t.Errorf("the schema is %+v with %d components, want %+v with 1", got, defs.Len(), want)
	}
}

func TestEncodedIsReadAsItsTypeIs(t *testing.T) {
	typ := typeFor[schema.Encoded[bid]](t)
	got, err := typ.Decode(t.Context(), []byte(" { \"item\": \"a\\u003c<\",\r\n \"sum\": 1 } "))
	if err != nil || string(got.Bytes()) != `{"item":"a\u003c\u003c","sum":1}` {
		t.Errorf("Decode() = %s, %v", got.Bytes(), err)
	}
	for _, text := range []string{`{"item":"","sum":1}`, `{"item":"a","sum":0}`, `{"item":"a"}`, `{"item":"a","sum":1,"id":2}`, `{"item":"a","sum":1,"sum":1}`, `{`, `null`} {
		if _, err := typ.Decode(t.Context(), []byte(text)); err == nil {
			t.Errorf("Decode(%s) = nil, want an error: it is not as a bid is declared", text)
		}
	}
}

func TestWhatWasNotEncodedIsNotWritten(t *testing.T) {
	if got, err := typeFor[bids](t).Append(nil, bids{}); err == nil {
		t.Errorf("Append() = %s, want an error", got)
	}
	if got, err := json.Marshal(schema.Encoded[bid]{}); err == nil {
		t.Errorf("Marshal() = %s, want an error", got)
	}
}

// What is encoded once has no viewer.
func TestMembersForSomeAreNotEncodedForAll(t *testing.T) {
	type inner struct {
		Cost int `json:"cost" visibleTo:"admin"`
	}
	type outer struct {
		List []map[string]*inner `json:"list"`
	}
	for _, err := range []error{errorOf[schema.Encoded[inner]](), errorOf[schema.Encoded[outer]](), errorOf[struct {
		E schema.Encoded[outer] `json:"e"`
	}]()} {
		if err == nil || !strings.Contains(err.Error(), "visibleTo") {
			t.Errorf("error is %v, want one about visibleTo", err)
		}
	}
}

func errorOf[T any]() error {
	_, err := schema.For[T]()
	return err
}

func FuzzAlreadyEncoded(f *testing.F) {
	for _, s := range []string{`{"a":1}`, "[1,\n2]", `"</script>"`, "\"\u2028\"", "", "{", " 1 ", "1E700", "\"\xff\""} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := schema.AlreadyEncoded[any](data)
		if err != nil {
			return
		}
		if !utf8.Valid(e.Bytes()) {
			t.Errorf("%q becomes %q, which is no UTF-8", data, e.Bytes())
		}
		if strings.ContainsAny(string(e.Bytes()), "\r\n<>&\u2028\u2029") {
			t.Errorf("%q becomes %q, which breaks out of a line or an element", data, e.Bytes())
		}
		value := func(text []byte) (v any) {
			d := json.NewDecoder(bytes.NewReader(text))
			d.UseNumber() // 1E700 is a number, too.
			if err := d.Decode(&v); err != nil {
				t.Errorf("%q: %v", text, err)
			}
			return v
		}
		if !reflect.DeepEqual(value(data), value(e.Bytes())) {
			t.Errorf("%q becomes %q, which is another value", data, e.Bytes())
		}
	})
}

func ExampleEncoded() {
	type Bid struct {
		Sum int `json:"sum"`
	}
	bids, _ := schema.For[Bid]()
	once, _ := bids.Encode(Bid{Sum: 12})
	fmt.Println(string(once.Bytes()))
	// Output: {"sum":12}
}
