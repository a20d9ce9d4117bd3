package limits_test

import (
	"fmt"
	"net/http"
	"testing"
)

const payments = `"/payments": {"get": {"responses": {"200": {"description": "mine"}}}, "post": {"requestBody": {"content": {"application/json": {"schema": {"type": "object", "required": ["product_id", "price"],
	"properties": {"product_id": {"type": "integer", "example": 1}, "price": {"type": "number", "example": 8.5}}}}}}, "responses": {"201": {"description": "made"}}}},
"/products/{product_id}": {"get": {"parameters": [{"name": "product_id", "in": "path", "required": true, "schema": {"type": "integer"}, "example": 1}], "responses": {"200": {"description": "it"}}}}`

// till takes payments whose price the request says, if a rule lets it.
func till(price func(asked float64) (float64, bool)) http.Handler {
	mux := http.NewServeMux()
	var paid []map[string]any
	mux.HandleFunc("GET /products/1", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, 200, map[string]any{"id": 1, "price": 8.5})
	})
	mux.HandleFunc("GET /payments", func(w http.ResponseWriter, r *http.Request) {
		mine := []any{}
		for _, p := range paid {
			if p["payer"] == who(r) {
				mine = append(mine, p)
			}
		}
		answer(w, 200, mine)
	})
	mux.HandleFunc("POST /payments", func(w http.ResponseWriter, r *http.Request) {
		in, ok := body(w, r, 1<<16)
		if !ok {
			return
		}
		asked, _ := in["price"].(float64)
		is, ok := price(asked)
		if !ok || in["product_id"] != 1.0 {
			answer(w, 409, map[string]any{"error": "the price is another one"})
			return
		}
		p := map[string]any{"id": len(paid) + 1, "payer": who(r), "product_id": 1, "price": is}
		paid = append(paid, p)
		answer(w, 201, p)
	})
	return locked(mux)
}

func TestPriceThatTheRequestSaysIsFound(t *testing.T) {
	found(t, scanned(t, "FLOW-03", till(func(asked float64) (float64, bool) { return asked, true }), payments), "POST /payments (body /price)")
}

func TestPriceThatIsComparedIsLeftAlone(t *testing.T) {
	silent(t, scanned(t, "FLOW-03", till(func(asked float64) (float64, bool) { return asked, asked == 8.5 }), payments), "POST /payments")
	silent(t, scanned(t, "FLOW-03", till(func(float64) (float64, bool) { return 8.5, true }), payments), "POST /payments")
}

func TestNumbersThatMayBeBelowZeroAreLeftAlone(t *testing.T) {
	for name, x := range map[string]struct{ path, member, rest string }{
		"expenses":         {"/expenses", "price", ""},
		"corrections":      {"/stock-adjustments", "quantity", ""},
		"declared as such": {"/orders", "quantity", `, "minimum": -100`},
		"a temperature":    {"/readings", "celsius", ""},
	} {
		t.Run(name, func(t *testing.T) {
			var kept []any
			mux := http.NewServeMux()
			mux.HandleFunc("GET "+x.path, func(w http.ResponseWriter, _ *http.Request) { answer(w, 200, kept) })
			mux.HandleFunc("POST "+x.path, func(w http.ResponseWriter, r *http.Request) {
				if in, ok := body(w, r, 1<<16); ok {
					in["id"] = len(kept) + 1
					kept = append(kept, in)
					answer(w, 201, in)
				}
			})
			document := fmt.Sprintf(`%q: {"get": {"responses": {"200": {"description": "all"}}}, "post": {"requestBody": {"content": {"application/json": {"schema": {"type": "object", "required": [%q],
	"properties": {%q: {"type": "number"%s}}}}}}, "responses": {"201": {"description": "made"}}}}`, x.path, x.member, x.member, x.rest)
			silent(t, scanned(t, "FLOW-01", locked(mux), document), "POST "+x.path)
		})
	}
}
