// Package work defines the work that every peer of the benchmark does: the
// two operations, the body of the second, its rules, and the right answers.
//
// A peer reads the rules in the form that it knows: `validate` tags for
// go-playground/validator, JSON Schema names (`minLength`, `pattern`, …) for
// frameworks that follow them, [Order.Check] for code written by hand, and
// ogenapi/openapi.yaml for generated code. They say the same thing.
package work

import "math"

// Order is the body of POST /orders.
type Order struct {
	Name     string   `json:"name" validate:"required,max=120" minLength:"1" maxLength:"120"`
	Email    string   `json:"email" validate:"required,email" format:"email"`
	SKU      string   `json:"sku" validate:"sku" pattern:"^[A-Z]{3}-[0-9]{4}$"`
	Status   string   `json:"status" validate:"oneof=draft open paid shipped" enum:"draft,open,paid,shipped"`
	Quantity int      `json:"quantity" validate:"min=1,max=1000" minimum:"1" maximum:"1000"`
	Price    float64  `json:"price" validate:"min=0.01,max=100000" minimum:"0.01" maximum:"100000"`
	Discount float64  `json:"discount,omitzero" validate:"min=0,max=90" minimum:"0" maximum:"90"`
	Tags     []string `json:"tags" validate:"max=10,dive,min=1,max=24" maxItems:"10" minLength:"1" maxLength:"24" nullable:"false"`
	Address  Address  `json:"address"`
	Lines    []Line   `json:"lines" validate:"min=1,max=50,dive" minItems:"1" maxItems:"50" nullable:"false"`
	Note     string   `json:"note,omitzero" validate:"max=1000" maxLength:"1000"`
}

// Address is where an [Order] goes.
type Address struct {
	Street  string `json:"street" validate:"required,max=100" minLength:"1" maxLength:"100"`
	City    string `json:"city" validate:"required,max=60" minLength:"1" maxLength:"60"`
	Zip     string `json:"zip" validate:"zip" pattern:"^[0-9]{5}$"`
	Country string `json:"country" validate:"oneof=AT CH DE FR NL PL" enum:"AT,CH,DE,FR,NL,PL"`
}

// Line is one position of an [Order].
type Line struct {
	SKU       string  `json:"sku" validate:"sku" pattern:"^[A-Z]{3}-[0-9]{4}$"`
	Qty       int     `json:"qty" validate:"min=1,max=500" minimum:"1" maximum:"500"`
	UnitPrice float64 `json:"unit_price" validate:"min=0,max=10000" minimum:"0" maximum:"10000"`
}

// Receipt is the answer of POST /orders and of POST /seller/orders.
type Receipt struct {
	ID       int64    `json:"id"`
	SKU      string   `json:"sku"`
	Status   string   `json:"status"`
	Customer string   `json:"customer"`
	Pieces   int      `json:"pieces"`
	Subtotal float64  `json:"subtotal"`
	Discount float64  `json:"discount"`
	Total    float64  `json:"total"`
	Currency string   `json:"currency"`
	ShipTo   string   `json:"ship_to"`
	Country  string   `json:"country"`
	Tags     []string `json:"tags"`
	// Seller is the verified caller of POST /seller/orders; nobody else has one.
	Seller string `json:"seller,omitzero"`
}

// Item is the answer of GET /items/{id}.
type Item struct {
	ID   int64  `json:"id"`
	Q    string `json:"q"`
	Name string `json:"name"`
}

// What a store would give is the same for everybody here, so that the answers
// of two peers can be compared.
const (
	OrderID  = 730_211
	Currency = "EUR"
	ItemName = "Reading lamp"
)

// Find is what the handler of GET /items/{id} does.
func Find(id int64, q string) Item {
	return Item{ID: id, Q: q, Name: ItemName}
}

// Place is what the handler of POST /orders does with a valid order.
func Place(o *Order) Receipt {
	r := Receipt{
		ID:       OrderID,
		SKU:      o.SKU,
		Status:   o.Status,
		Customer: o.Email,
		Currency: Currency,
		ShipTo:   o.Address.City,
		Country:  o.Address.Country,
		Tags:     o.Tags,
	}
	for i := range o.Lines {
		r.Pieces += o.Lines[i].Qty
		r.Subtotal += float64(o.Lines[i].Qty) * o.Lines[i].UnitPrice
	}
	r.Subtotal, r.Discount, r.Total = Totals(r.Subtotal, o.Discount)
	return r
}

// PlaceFor is what the handler of POST /seller/orders does with a valid order
// of a caller who was verified.
func PlaceFor(seller string, o *Order) Receipt {
	r := Place(o)
	r.Seller = seller
	return r
}

// Totals rounds the sum of the lines and takes percent off it. It stands alone
// for the peer whose types are generated.
func Totals(sum, percent float64) (subtotal, discount, total float64) {
	subtotal = cents(sum)
	discount = cents(subtotal * percent / 100)
	return subtotal, discount, cents(subtotal - discount)
}

func cents(amount float64) float64 { return math.Round(amount*100) / 100 }
