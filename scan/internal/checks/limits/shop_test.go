package limits_test

import (
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"
)

const goods = `"/wallet": {"get": {"responses": {"200": {"description": "what the caller has"}}}},
"/products": {"get": {"responses": {"200": {"description": "all"}}}, "post": {"requestBody": {"content": {"application/json": {"schema": {"type": "object", "required": ["title", "stock"],
	"properties": {"title": {"type": "string"}, "stock": {"type": "integer", "minimum": 1, "maximum": 20}}}}}}, "responses": {"201": {"description": "made"}}}},
"/products/{product_id}": {"get": {"parameters": [{"name": "product_id", "in": "path", "required": true, "schema": {"type": "integer"}}], "responses": {"200": {"description": "it"}}}},
"/orders": {"get": {"responses": {"200": {"description": "mine"}}}, "post": {"requestBody": {"content": {"application/json": {"schema": {"type": "object", "required": ["product_id", "quantity"],
	"properties": {"product_id": {"type": "integer"}, "quantity": {"type": "integer"}}}}}}, "responses": {"201": {"description": "made"}}}},
"/orders/{order_id}": {"get": {"parameters": [{"name": "order_id", "in": "path", "required": true, "schema": {"type": "integer"}}], "responses": {"200": {"description": "it"}}}}`

// market sells products of which there are so many. The zero value is sound.
type market struct {
	belowZero, keepsBelowZero, ownPrice, races, wraps, echoes, backorders bool
	cost                                                                  string // the member that overrides the price

	mu       sync.Mutex
	stock    []int
	orders   []map[string]any
	balances map[string]float64
}

const costs = 8.5

func (m *market) handler() http.Handler {
	m.balances = map[string]float64{}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /wallet", m.locked(func(w http.ResponseWriter, r *http.Request) {
		answer(w, 200, map[string]any{"owner": who(r), "balance": m.balances[who(r)]})
	}))
	mux.HandleFunc("GET /products", m.locked(func(w http.ResponseWriter, _ *http.Request) {
		list := []any{}
		for i := range m.stock {
			list = append(list, m.product(i))
		}
		answer(w, 200, list)
	}))
	mux.HandleFunc("POST /products", m.locked(func(w http.ResponseWriter, r *http.Request) {
		in, ok := body(w, r, 1<<16)
		stock, isNumber := in["stock"].(float64)
		if !ok {
			return
		}
		if !isNumber || stock < 1 || stock > 1000 {
			answer(w, 422, map[string]any{"error": "stock is from 1 to 1000"})
			return
		}
		m.stock = append(m.stock, int(stock))
		made := m.product(len(m.stock) - 1)
		made["title"] = in["title"]
		answer(w, 201, made)
	}))
	mux.HandleFunc("GET /products/{id}", m.locked(func(w http.ResponseWriter, r *http.Request) {
		if i, err := strconv.Atoi(r.PathValue("id")); err == nil && i > 0 && i <= len(m.stock) {
			answer(w, 200, m.product(i-1))
			return
		}
		answer(w, 404, map[string]any{"error": "no such product"})
	}))
	mux.HandleFunc("GET /orders", m.locked(func(w http.ResponseWriter, r *http.Request) {
		list := []any{}
		for _, o := range m.orders {
			if o["customer"] == who(r) {
				list = append(list, o)
			}
		}
		answer(w, 200, list)
	}))
	mux.HandleFunc("GET /orders/{id}", m.locked(func(w http.ResponseWriter, r *http.Request) {
		if i, err := strconv.Atoi(r.PathValue("id")); err == nil && i > 0 && i <= len(m.orders) && m.orders[i-1]["customer"] == who(r) {
			answer(w, 200, m.orders[i-1])
			return
		}
		answer(w, 404, map[string]any{"error": "no such order"})
	}))
	mux.HandleFunc("POST /orders", m.order)
	return locked(mux)
}

func (m *market) locked(f http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		m.mu.Lock()
		defer m.mu.Unlock()
		f(w, r)
	}
}

func (m *market) product(i int) map[string]any {
	return map[string]any{"id": i + 1, "title": fmt.Sprint("product ", i+1), "stock": m.stock[i], "price": costs}
}

func (m *market) order(w http.ResponseWriter, r *http.Request) {
	in, ok := body(w, r, 1<<16)
	if !ok {
		return
	}
	id, _ := in["product_id"].(float64)
	asked, _ := in["quantity"].(float64)
	quantity := int(asked)
	if m.wraps {
		quantity = int(int32(int64(asked)))
	}
	m.mu.Lock()
	known := id >= 1 && int(id) <= len(m.stock)
	if !known {
		m.mu.Unlock()
		answer(w, 404, map[string]any{"error": "no such product"})
		return
	}
	if m.echoes && quantity < 1 { // It is said, and not done.
		m.mu.Unlock()
		answer(w, 201, map[string]any{"quantity": quantity, "message": "noted"})
		return
	}
	if quantity < 1 && !m.belowZero && !m.keepsBelowZero {
		m.mu.Unlock()
		answer(w, 422, map[string]any{"error": "quantity is above zero"})
		return
	}
	if m.stock[int(id)-1] < quantity && !m.backorders {
		m.mu.Unlock()
		answer(w, 409, map[string]any{"error": "out of stock"})
		return
	}
	if m.races {
		m.mu.Unlock()
		time.Sleep(15 * time.Millisecond)
		m.mu.Lock()
	}
	defer m.mu.Unlock()
	m.stock[int(id)-1] -= quantity
	price := costs
	if own, isNumber := in[m.cost].(float64); m.ownPrice && isNumber {
		price = own
	}
	if !m.keepsBelowZero {
		m.balances[who(r)] -= price * float64(quantity)
	}
	o := map[string]any{"id": len(m.orders) + 1, "customer": who(r), "product_id": id, "quantity": quantity, "total": price * float64(quantity)}
	m.orders = append(m.orders, o)
	answer(w, 201, o)
}

func TestQuantityBelowZeroThatPaysIsFound(t *testing.T) {
	r := scanned(t, "FLOW-01", (&market{belowZero: true}).handler(), goods)
	found(t, r, "POST /orders (body /quantity)")
	if len(r.Findings) > 0 && r.Findings[0].Severity.String() != "high" {
		t.Errorf("it gives money back, and is %v", r.Findings[0].Severity)
	}
}

func TestQuantityBelowZeroThatIsKeptIsFound(t *testing.T) {
	found(t, scanned(t, "FLOW-01", (&market{keepsBelowZero: true}).handler(), goods), "POST /orders (body /quantity)")
}

func TestQuantitiesBelowZeroThatDoNothingAreLeftAlone(t *testing.T) {
	silent(t, scanned(t, "FLOW-01", (&market{}).handler(), goods), "POST /orders")
	silent(t, scanned(t, "FLOW-01", (&market{echoes: true}).handler(), goods), "POST /orders")
}

func TestOwnPriceIsFound(t *testing.T) {
	found(t, scanned(t, "FLOW-03", (&market{ownPrice: true, cost: "unit_price"}).handler(), goods), "POST /orders (body /unit_price)")
}

func TestPricesOfTheShopAreLeftAlone(t *testing.T) {
	silent(t, scanned(t, "FLOW-03", (&market{}).handler(), goods), "POST /orders")
}

func TestNumberThatIsCutIsFound(t *testing.T) {
	found(t, scanned(t, "FLOW-05", (&market{wraps: true, belowZero: true}).handler(), goods), "POST /orders (body /quantity)")
}

func TestNumbersThatAreNotCutAreLeftAlone(t *testing.T) {
	silent(t, scanned(t, "FLOW-05", (&market{}).handler(), goods), "POST /orders")
}

func TestLastPieceThatIsSoldTwiceIsFound(t *testing.T) {
	found(t, scanned(t, "FLOW-02", (&market{races: true}).handler(), goods), "POST /orders (body /product_id)")
}

func TestLastPieceThatIsSoldOnceIsLeftAlone(t *testing.T) {
	silent(t, scanned(t, "FLOW-02", (&market{}).handler(), goods), "POST /orders")
	silent(t, scanned(t, "FLOW-02", (&market{backorders: true}).handler(), goods), "POST /orders")
}
