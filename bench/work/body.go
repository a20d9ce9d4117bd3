package work

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
)

//go:embed order.json
var orderJSON []byte

// The requests of the work.
const (
	ItemID     = 4211
	ItemQuery  = "brass"
	ItemPath   = "/items/4211?q=brass"
	OrderPath  = "/orders"
	SellerPath = "/seller/orders"
)

// A Break makes one member of the valid body invalid. Every break keeps the
// JSON well-formed and the member's type, because some decoders stop at the
// first value of a wrong type and would have no list to compare.
type Break struct {
	// Pointer is the JSON pointer (RFC 6901) of the member that is now invalid.
	Pointer string

	old, new string
}

// Breaks lists the violations of the invalid body: eight kinds of rules, at
// three depths.
func Breaks() []Break {
	return []Break{
		{"/name", `"name":"Spring order for the reading room in Zürich"`, `"name":""`},
		{"/email", `"anna.keller@library.example.org"`, `"anna.keller.library.example.org"`},
		{"/sku", `"sku":"LMP-2041","status`, `"sku":"lmp-2041","status`},
		{"/status", `"status":"open"`, `"status":"unknown"`},
		{"/quantity", `"quantity":12`, `"quantity":1001`},
		{"/tags/2", `"second-floor"`, `"second-floor-behind-the-periodicals"`},
		{"/address/zip", `"zip":"80010"`, `"zip":"80x10"`},
		{"/lines/1/qty", `"qty":24`, `"qty":0`},
	}
}

// Pointers returns the pointers of breaks, in their order.
func Pointers(breaks []Break) []string {
	pointers := make([]string, len(breaks))
	for i, b := range breaks {
		pointers[i] = b.Pointer
	}
	return pointers
}

// Body returns the order that a client sends, compact, with each of breaks
// made in it. Without breaks it is valid. It is an error if a break does not
// fit the body exactly once: the benchmark would then measure other work than
// it says.
func Body(breaks ...Break) ([]byte, error) {
	var compact bytes.Buffer
	if err := json.Compact(&compact, orderJSON); err != nil {
		return nil, fmt.Errorf("order.json: %w", err)
	}
	body := compact.Bytes()
	for _, b := range breaks {
		if n := bytes.Count(body, []byte(b.old)); n != 1 {
			return nil, fmt.Errorf("break of %s fits the body %d times, want once", b.Pointer, n)
		}
		body = bytes.Replace(body, []byte(b.old), []byte(b.new), 1)
	}
	return body, nil
}
