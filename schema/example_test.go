package schema_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/shopspring/decimal"

	"github.com/fastness/fastness/problem"
	"github.com/fastness/fastness/schema"
)

// show prints the violations that err lists.
func show(err error) {
	p, ok := errors.AsType[*problem.Problem](err)
	if !ok {
		fmt.Println(err)
		return
	}
	for _, v := range p.Errors {
		fmt.Printf("%s %s: %s\n", v.Pointer(), v.Code, v.Detail)
	}
}

type NewItem struct {
	Name  string          `json:"name" minLength:"1" maxLength:"120"`
	Price decimal.Decimal `json:"price" minimum:"0"`
	Tags  []string        `json:"tags,omitzero" maxItems:"8" pattern:"^[a-z]+$"`
}

func ExampleFor() {
	items, err := schema.For[NewItem]()
	if err != nil {
		fmt.Println(err) // Every mistake in the declaration.
		return
	}
	item, err := items.Decode(context.Background(), []byte(`{"name":"Lamp","price":19.99}`))
	fmt.Println(item.Name, item.Price, err)

	_, err = items.Decode(context.Background(), []byte(`{"name":"","price":-1,"tags":["new","Old"],"PRICE":1}`))
	show(err)
	// Output:
	// Lamp 19.99 <nil>
	// /name string_too_short: String should have at least 1 character
	// /price greater_than_equal: Input should be greater than or equal to 0
	// /tags/1 string_pattern_mismatch: String should match pattern '^[a-z]+$'
	// /PRICE extra_forbidden: Extra inputs are not permitted
}

type Span struct {
	From int `json:"from"`
	To   int `json:"to"`
}

// Validate sees values whose members are all as declared.
func (s Span) Validate(context.Context) error {
	if s.To < s.From {
		return schema.Invalid("the end is before the start").At("to")
	}
	return nil
}

func ExampleInvalid() {
	spans, err := schema.For[[]Span]()
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = spans.Decode(context.Background(), []byte(`[{"from":1,"to":2},{"from":2,"to":1}]`))
	show(err)
	// Output:
	// /1/to value_error: Value error, the end is before the start
}

type Payment struct {
	schema.Union `discriminator:"method"`
	Card         *Card
	Transfer     *Transfer
}

type Card struct {
	Method string `json:"method" const:"card"`
	Token  string `json:"token" writeOnly:"true"`
}

type Transfer struct {
	Method string `json:"method" const:"transfer"`
	IBAN   string `json:"iban" pattern:"^[A-Z]{2}[0-9A-Z]{13,32}$"`
}

func ExampleUnion() {
	payments, err := schema.For[Payment]()
	if err != nil {
		fmt.Println(err)
		return
	}
	payment, err := payments.Decode(context.Background(), []byte(`{"method":"card","token":"tok_1"}`))
	fmt.Println(payment.Card != nil, payment.Transfer != nil, err)

	_, err = payments.Decode(context.Background(), []byte(`{"method":"cash"}`))
	show(err)

	text, err := payments.Append(nil, Payment{Transfer: &Transfer{IBAN: "DE02120300000000202051"}})
	fmt.Println(string(text), err)
	// Output:
	// true false <nil>
	//  union_tag_invalid: Input tag does not match any of the expected tags: 'card', 'transfer'
	// {"method":"transfer","iban":"DE02120300000000202051"} <nil>
}

type Profile struct {
	Nick schema.Opt[string]              `json:"nick" minLength:"1"`
	Bio  schema.Opt[schema.Null[string]] `json:"bio"`
}

func ExampleOpt() {
	profiles, err := schema.For[Profile]()
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, body := range []string{`{}`, `{"nick":"ann","bio":null}`, `{"bio":"hello"}`, `{"nick":null}`} {
		profile, err := profiles.Decode(context.Background(), []byte(body))
		if err != nil {
			show(err)
			continue
		}
		nick, hasNick := profile.Nick.Get()
		bio, hasBio := profile.Bio.Get()
		fmt.Printf("nick %v %q, bio %v %q\n", hasNick, nick, hasBio, bio.Or("none"))
	}
	// Output:
	// nick false "", bio false "none"
	// nick true "ann", bio true "none"
	// nick false "", bio true "hello"
	// /nick string_type: Input should be a valid string
}

type ItemChange struct {
	schema.Fields
	Name  string `json:"name,omitzero"`
	Stock int    `json:"stock,omitzero" minimum:"0"`
}

func ExampleFields() {
	changes, err := schema.For[ItemChange]()
	if err != nil {
		fmt.Println(err)
		return
	}
	change, err := changes.Decode(context.Background(), []byte(`{"stock":0}`))
	fmt.Println(change.Has("name"), change.Has("stock"), change.Names(), err)
	// Output:
	// false true [stock] <nil>
}

type Invoice struct {
	Net decimal.Decimal `json:"net"`
	Tax decimal.Decimal `json:"tax"`
	_   schema.Computed `name:"gross" method:"Gross"`
}

func (i Invoice) Gross() decimal.Decimal { return i.Net.Add(i.Tax) }

func ExampleComputed() {
	invoices, err := schema.For[Invoice]()
	if err != nil {
		fmt.Println(err)
		return
	}
	text, err := invoices.Append(nil, Invoice{Net: decimal.RequireFromString("0.1"), Tax: decimal.RequireFromString("0.2")})
	fmt.Println(string(text), err)
	// Output:
	// {"net":0.1,"tax":0.2,"gross":0.3} <nil>
}

// Caller is somebody with one role.
type Caller string

func (c Caller) HasRole(name string) bool { return string(c) == name }

type Offer struct {
	Name   string          `json:"name"`
	Margin decimal.Decimal `json:"margin,omitzero" visibleTo:"admin,seller"`
	Status string          `json:"status" default:"draft" writableBy:"admin"`
}

func ExampleViewer() {
	offers, err := schema.For[Offer]()
	if err != nil {
		fmt.Println(err)
		return
	}
	offer := Offer{"Lamp", decimal.RequireFromString("4.5"), "open"}
	for _, viewer := range []schema.Viewer{nil, Caller("buyer"), Caller("seller")} {
		text, err := offers.AppendFor(nil, offer, viewer)
		fmt.Println(string(text), err)
	}
	_, err = offers.DecodeFor(context.Background(), []byte(`{"name":"Lamp","status":"open"}`), Caller("seller"))
	show(err)
	// Output:
	// {"name":"Lamp","status":"open"} <nil>
	// {"name":"Lamp","status":"open"} <nil>
	// {"name":"Lamp","margin":4.5,"status":"open"} <nil>
	// /status read_only: Field is read-only
}
