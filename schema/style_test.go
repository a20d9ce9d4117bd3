package schema_test

import (
	"reflect"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/fastness/fastness/schema"
)

func TestStyles(t *testing.T) {
	for field, want := range map[string][2]string{
		"Name": {"name", "name"}, "UnitPrice": {"unit_price", "unitPrice"}, "ID": {"id", "id"},
		"ItemID": {"item_id", "itemId"}, "HTTPServer": {"http_server", "httpServer"}, "UserIDs": {"user_ids", "userIds"},
		"URLs": {"urls", "urls"}, "IDsOfItems": {"ids_of_items", "idsOfItems"}, "MD5Sum": {"md5_sum", "md5Sum"},
		"Sha256": {"sha256", "sha256"}, "Line2Street": {"line2_street", "line2Street"}, "X": {"x", "x"}, "XY": {"xy", "xy"},
		"AsIs": {"as_is", "asIs"}, "USState": {"us_state", "usState"}, "IsOK": {"is_ok", "isOk"}, "Item_ID": {"item_id", "itemId"},
		"Item__": {"item", "item"}, "ÜberGröße": {"über_größe", "überGröße"}, "X日本": {"x日本", "x日本"}, "OAuth2Token": {"o_auth2_token", "oAuth2Token"},
		"ASmall": {"a_small", "aSmall"}, "DNSserver": {"dn_sserver", "dnSserver"},
	} {
		if got := schema.SnakeCase.Name(field); got != want[0] {
			t.Errorf("%s in snake_case is %s, want %s", field, got, want[0])
		}
		if got := schema.CamelCase.Name(field); got != want[1] {
			t.Errorf("%s in camelCase is %s, want %s", field, got, want[1])
		}
		if got := schema.GoNames.Name(field); got != field {
			t.Errorf("%s as in Go is %s", field, got)
		}
	}
	if got := schema.CamelCase.Header("XRequestID"); got != "x-request-id" {
		t.Errorf("a header is called %s", got)
	}
}

func FuzzStyle(f *testing.F) {
	for _, name := range []string{"ItemID", "URLs", "Item_ID", "ÜberGröße", "X日本", "A1B2", "_"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if !utf8.ValidString(name) {
			return
		}
		snake, camel := schema.SnakeCase.Name(name), schema.CamelCase.Name(name)
		letters := func(s string) string { return strings.ToLower(strings.ToUpper(strings.ReplaceAll(s, "_", ""))) }
		if letters(snake) != letters(strings.ToLower(name)) && letters(snake) != letters(name) {
			t.Errorf("%q in snake_case is %q: letters are lost", name, snake)
		}
		if strings.Contains(camel, "_") || strings.Contains(snake, "__") || strings.HasPrefix(snake, "_") || strings.HasSuffix(snake, "_") {
			t.Errorf("%q is %q and %q", name, snake, camel)
		}
		for _, r := range snake {
			if unicode.IsUpper(r) && unicode.ToLower(r) != r {
				t.Errorf("%q in snake_case is %q", name, snake)
			}
		}
		if again := schema.SnakeCase.Name(snake); again != snake {
			t.Errorf("%q in snake_case is %q, and that is %q", name, snake, again)
		}
	})
}

// TestMembersWithoutNamesHaveThoseOfTheStyle: a name that is written down wins.
func TestMembersWithoutNamesHaveThoseOfTheStyle(t *testing.T) {
	type inner struct{ PartNo int }
	type base struct{ CreatedBy string }
	type thing struct {
		base
		ItemID    int
		UnitPrice int     `json:",omitzero" out:"net"`
		Old       string  `json:"OldName"`
		InStock   []inner `json:",omitzero" alias:"stock"`
		Any       any     `json:",omitzero"`
	}
	types := schema.NewTypes(schema.Config{Names: schema.CamelCase})
	p, err := types.Plan(reflect.TypeFor[thing](), "")
	if err != nil {
		t.Fatal(err)
	}
	value := thing{base{"me"}, 7, 5, "x", []inner{{3}}, inner{4}}
	got, err := p.Append(nil, reflect.ValueOf(&value).Elem())
	if want := `{"createdBy":"me","itemId":7,"net":5,"OldName":"x","inStock":[{"partNo":3}],"any":{"partNo":4}}`; string(got) != want || err != nil {
		t.Errorf("Append() = %s, %v, want %s", got, err, want)
	}
	for text, want := range map[string]any{
		`{"createdBy":"me","itemId":7,"OldName":"x","unitPrice":1,"stock":[{"partNo":"3"}]}`: refused("/stock/0/partNo int_type"),
		`{"CreatedBy":"me","ItemID":7,"OldName":"x"}`:                                        refused("/CreatedBy extra_forbidden, /ItemID extra_forbidden, /createdBy missing, /itemId missing"),
	} {
		if got := decode(p, text); got != want {
			t.Errorf("%s = %v, want %v", text, got, want)
		}
	}
	d := schema.NewDescriber()
	d.Describe(p, schema.Output)
	components := d.Components()
	s, _ := components.Get("thing")
	if strings.Join(s.Required, " ") != "createdBy itemId OldName" {
		t.Errorf("the document requires %q", s.Required)
	}
}

func TestFieldsThatAStyleCallsTheSameAreAMistake(t *testing.T) {
	type thing struct {
		ItemID int
		ItemId int //nolint:revive // That is the mistake.
		Other  int `json:"item_id"`
	}
	if _, err := schema.NewTypes(schema.Config{}).Plan(reflect.TypeFor[thing](), ""); err != nil {
		t.Errorf("as in Go they differ: %v", err)
	}
	_, err := schema.NewTypes(schema.Config{Names: schema.SnakeCase}).Plan(reflect.TypeFor[thing](), "")
	want := []string{
		`schema_test.thing.ItemId: member "item_id" is declared twice: schema_test.thing.ItemID has that name, too`,
		`schema_test.thing.Other: member "item_id" is declared twice: schema_test.thing.ItemID`,
	}
	for _, text := range want {
		if err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%v, want %s", err, text)
		}
	}
	if _, err := schema.NewTypes(schema.Config{Names: 7}).Plan(reflect.TypeFor[thing](), ""); err == nil || !strings.Contains(err.Error(), "Names is 7") {
		t.Errorf("a style that there is not: %v", err)
	}
}

// TestWhatWasEncodedInAnotherStyleIsNotSent: the document would be wrong about it.
func TestWhatWasEncodedInAnotherStyleIsNotSent(t *testing.T) {
	type thing struct{ ItemID int }
	p, err := schema.NewTypes(schema.Config{Names: schema.SnakeCase}).Plan(reflect.TypeFor[schema.Encoded[thing]](), "")
	if err != nil {
		t.Fatal(err)
	}
	for names, want := range map[schema.Style]string{schema.SnakeCase: `{"item_id":7}`, schema.GoNames: "", schema.CamelCase: ""} {
		things, err := schema.ForNames[thing](names)
		if err != nil {
			t.Fatal(err)
		}
		once, err := things.Encode(thing{7})
		if err != nil {
			t.Fatal(err)
		}
		got, err := p.Append(nil, reflect.ValueOf(&once).Elem())
		if want != "" && (string(got) != want || err != nil) || want == "" && err == nil {
			t.Errorf("made with %d: %s, %v", names, got, err)
		}
	}
}
