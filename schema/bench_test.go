package schema_test

import (
	"testing"

	"github.com/fastness/fastness/schema"
)

type benchLine struct {
	SKU       string  `json:"sku" pattern:"^[A-Z]{3}-[0-9]{4}$"`
	Qty       int     `json:"qty" minimum:"1" maximum:"100"`
	UnitPrice float64 `json:"unit_price" minimum:"0"`
}

type benchOrder struct {
	Name   string      `json:"name" minLength:"1" maxLength:"120"`
	Email  string      `json:"email" format:"email"`
	Status string      `json:"status" enum:"draft,open,paid,shipped"`
	Tags   []string    `json:"tags" maxItems:"10" minLength:"1" maxLength:"20"`
	Lines  []benchLine `json:"lines" minItems:"1" maxItems:"50"`
}

// BenchmarkDecode shows what one walk over a small body costs.
func BenchmarkDecode(b *testing.B) {
	orders, err := schema.For[benchOrder]()
	if err != nil {
		b.Fatal(err)
	}
	body := []byte(`{"name":"Spring order","email":"anna@example.org","status":"open","tags":["a","b","c"],` +
		`"lines":[{"sku":"LMP-2041","qty":12,"unit_price":9.95},{"sku":"LMP-2042","qty":1,"unit_price":19.5}]}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := orders.Decode(b.Context(), body); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkAppend shows what the encoding of the same value costs.
func BenchmarkAppend(b *testing.B) {
	orders, err := schema.For[benchOrder]()
	if err != nil {
		b.Fatal(err)
	}
	lines := []benchLine{{"LMP-2041", 12, 9.95}, {"LMP-2042", 1, 19.5}}
	order := benchOrder{"Spring order", "anna@example.org", "open", []string{"a", "b", "c"}, lines}
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		if buf, err = orders.Append(buf[:0], order); err != nil {
			b.Fatal(err)
		}
	}
}
