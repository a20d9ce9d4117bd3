package oracle_test

import (
	"encoding/json"
	"net/netip"
	"net/url"
	"reflect"
	"time"

	"github.com/shopspring/decimal"

	"github.com/fastness/fastness/schema"
)

// Each type below has the rules of one kind; together they have them all.

type integers struct {
	Int8     int8   `json:"int8"`
	Uint8    uint8  `json:"uint8" maximum:"100"`
	Int16    int16  `json:"int16" exclusiveMinimum:"-5" exclusiveMaximum:"5"`
	Uint16   uint16 `json:"uint16,omitzero" multipleOf:"3"`
	Int32    int32  `json:"int32,omitzero" minimum:"-2.5"`
	Uint32   uint32 `json:"uint32,omitzero"`
	Int64    int64  `json:"int64,omitzero" maximum:"9007199254740993"`
	Uint64   uint64 `json:"uint64,omitzero" maximum:"18446744073709551614"`
	Choice   int    `json:"choice,omitzero" enum:"1,2,-3"`
	Constant int    `json:"constant,omitzero" const:"7"`
}

type fractions struct {
	Float     float64         `json:"float" minimum:"-1.5" exclusiveMaximum:"0.1"`
	Free      float64         `json:"free"`
	Tenths    float64         `json:"tenths,omitzero" multipleOf:"0.1"`
	Single    float32         `json:"single,omitzero" minimum:"0.7" maximum:"1.69999999"`
	Price     decimal.Decimal `json:"price" minimum:"0" decimalPlaces:"2"`
	Digits    decimal.Decimal `json:"digits,omitzero" maxDigits:"5"`
	Quarters  decimal.Decimal `json:"quarters,omitzero" multipleOf:"0.25" exclusiveMinimum:"0"`
	AsWritten json.Number     `json:"as_written,omitzero" maximum:"1e3" minimum:"-0.001"`
}

type size string

func (size) Enum() []string { return []string{"S", "M", "L"} }

type texts struct {
	Short    string   `json:"short" minLength:"2" maxLength:"4"`
	Code     string   `json:"code" pattern:"^[A-Z]{3}-[0-9]{2,4}$"`
	Inside   string   `json:"inside,omitzero" pattern:"é|ab" maxLength:"6"`
	Choice   string   `json:"choice" enum:"draft,open,é"`
	Size     size     `json:"size,omitzero"`
	Constant string   `json:"constant,omitzero" const:"yes"`
	Items    []string `json:"items,omitzero" minLength:"1" maxLength:"2"`
}

type formats struct {
	UUID     string        `json:"uuid,omitzero" format:"uuid"`
	Date     string        `json:"date,omitzero" format:"date"`
	Time     time.Time     `json:"time"`
	Length   time.Duration `json:"length,omitzero"`
	Email    string        `json:"email,omitzero" format:"email"`
	Host     string        `json:"host,omitzero" format:"hostname" maxLength:"20"`
	Link     string        `json:"link,omitzero" format:"uri"`
	IPv4     string        `json:"ipv4,omitzero" format:"ipv4"`
	Address  netip.Addr    `json:"address"`
	Network  netip.Prefix  `json:"network"`
	URL      url.URL       `json:"url"`
	Bytes    []byte        `json:"bytes" minLength:"3" maxLength:"7"`
	AnyBytes []byte        `json:"any_bytes,omitzero"`
}

type lists struct {
	Two    []int                `json:"two" minItems:"2" maxItems:"2" maximum:"9"`
	Unique []float64            `json:"unique" uniqueItems:"true" maxItems:"4"`
	Set    []any                `json:"set,omitzero" uniqueItems:"true"`
	Words  []string             `json:"words,omitzero" uniqueItems:"true" minItems:"1"`
	Times  []time.Time          `json:"times,omitzero" uniqueItems:"true"`
	Nested [][]bool             `json:"nested,omitzero" maxItems:"2"`
	Array  [3]int8              `json:"array,omitzero"`
	Nulls  []*string            `json:"nulls,omitzero"`
	Pairs  []struct{ A, B int } `json:"pairs,omitzero" uniqueItems:"true"`
}

type dictionaries struct {
	Some   map[string]int             `json:"some" minProperties:"1" maxProperties:"3" minimum:"0"`
	Any    map[string]any             `json:"any,omitzero"`
	Deep   map[string]map[string]bool `json:"deep,omitzero" maxProperties:"2"`
	Lists  map[string][]string        `json:"lists,omitzero" maxItems:"1" maxLength:"2"`
	Absent map[string]*int            `json:"absent,omitzero"`
}

type optional struct {
	Required string                          `json:"required"`
	Zero     int                             `json:"zero,omitzero"`
	Empty    []int                           `json:"empty,omitempty"`
	Pointer  *string                         `json:"pointer" minLength:"1"`
	Asked    *int                            `json:"asked" required:"true"`
	Null     schema.Null[float64]            `json:"null" maximum:"5"`
	Opt      schema.Opt[bool]                `json:"opt"`
	Both     schema.Opt[schema.Null[string]] `json:"both" enum:"a,b"`
	Preset   int                             `json:"preset" default:"3" maximum:"3"`
	Choice   *string                         `json:"choice" const:"x"`
	Struct   *integers                       `json:"struct"`
	Inner    schema.Null[struct{ A *[]int }] `json:"inner"`
	Pet      *pet                            `json:"pet"`
}

type tree struct {
	Name  string          `json:"name" maxLength:"3"`
	Left  *tree           `json:"left"`
	Kids  []tree          `json:"kids,omitzero" maxItems:"2"`
	Named map[string]tree `json:"named,omitzero"`
}

type pet struct {
	schema.Union `discriminator:"kind"`
	Cat          *cat
	Dog          *dog
}

type cat struct {
	Kind  string `json:"kind" const:"cat"`
	Lives int8   `json:"lives" minimum:"0" maximum:"9"`
}

type dog struct {
	Kids []pet  `json:"kids,omitzero" maxItems:"2"`
	Kind string `json:"kind" const:"dog"`
	Name string `json:"name" minLength:"1"`
}

type amount struct {
	schema.Union
	Number *float64 `minimum:"0"`
	Words  *string  `maxLength:"3"`
	Range  *[]int   `minItems:"2"`
	Flag   *bool    `const:"true"`
	Object *cat
}

type amounts struct {
	One  amount              `json:"one"`
	Many []amount            `json:"many,omitzero"`
	None schema.Null[amount] `json:"none"`
}

type base struct {
	ID      int    `json:"id" readOnly:"true"`
	Created string `json:"created" readOnly:"true" default:"never"`
}

type account struct {
	base
	schema.Fields
	Name     string          `json:"name" alias:"title" maxLength:"5"`
	Password string          `json:"password" writeOnly:"true" minLength:"3"`
	_        schema.Computed `name:"size" method:"Size" minimum:"0"`
	_        schema.Computed `name:"tags" method:"Tags"`
}

func (a account) Size() int { return len(a.Name) }

func (a *account) Tags() []string { return nil }

type accounts struct {
	One  account            `json:"one"`
	Many map[string]account `json:"many,omitzero"`
}

type anything struct {
	Any  any              `json:"any"`
	Raw  json.RawMessage  `json:"raw"`
	Null schema.Null[any] `json:"null"`
	Opt  schema.Opt[any]  `json:"opt"`
	Flag bool             `json:"flag"`
	True schema.Opt[bool] `json:"true" const:"true"`
	List []json.Number    `json:"list,omitzero" maximum:"2"`
}

// subjects are what the engine and the validator must agree about.
func subjects() []reflect.Type {
	return []reflect.Type{
		reflect.TypeFor[integers](), reflect.TypeFor[fractions](), reflect.TypeFor[texts](), reflect.TypeFor[formats](),
		reflect.TypeFor[lists](), reflect.TypeFor[dictionaries](), reflect.TypeFor[optional](), reflect.TypeFor[tree](),
		reflect.TypeFor[pet](), reflect.TypeFor[amounts](), reflect.TypeFor[accounts](), reflect.TypeFor[anything](),
	}
}
