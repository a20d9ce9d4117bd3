package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"sync"
	"testing"
)

// stockOf reads how many pieces of an item are left, or null.
func (s *shop) stockOf(path string) any {
	s.t.Helper()
	return s.get(path).decode(s.t)["stock"]
}

// orderOf is the body of an order of n pieces of the item at path.
func orderOf(path string, n int) string {
	var id int
	_, _ = fmt.Sscanf(path, "/items/%d", &id) // A path that is none gets a 422.
	return fmt.Sprintf(`{"item_id":%d,"quantity":%d}`, id, n)
}

// parallel runs f n times at once and counts the statuses that it returns.
func parallel(n int, f func(i int) int) map[int]int {
	counts, start := make(map[int]int), make(chan struct{})
	var mu sync.Mutex
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			<-start
			status := f(i)
			mu.Lock()
			defer mu.Unlock()
			counts[status]++
		})
	}
	close(start)
	all.Wait()
	return counts
}

func TestTheLastPieceIsSoldOnce(t *testing.T) {
	s := openShop(t, t.TempDir())
	path, _ := s.create(`{"name":"Last lamp","price":1,"stock":1}`)
	got := parallel(100, func(i int) int {
		return s.as(customer(i)).call(http.MethodPost, "/orders", orderOf(path, 1)).status
	})
	if !maps.Equal(got, map[int]int{http.StatusCreated: 1, http.StatusConflict: 99}) {
		t.Errorf("100 buyers of the last piece get %v, want one 201 and 99 times 409", got)
	}
	if left := s.stockOf(path); left != json.Number("0") {
		t.Errorf("%v are left, want 0", left)
	}
	if orders := ordersOf(t, s.as(admin()).get("/orders")); len(orders) != 1 {
		t.Errorf("there are %d orders, want 1", len(orders))
	}
}

func TestStockIsNeverSoldTwiceOrLost(t *testing.T) {
	s := openShop(t, t.TempDir())
	path, _ := s.create(`{"name":"Lamp","price":1,"stock":10}`)
	got := parallel(40, func(i int) int {
		return s.as(customer(i)).call(http.MethodPost, "/orders", orderOf(path, 1+i%3)).status
	})
	sold := 0
	for _, order := range ordersOf(t, s.as(admin()).get("/orders?limit=100")) {
		sold += order.Quantity
	}
	left, _ := s.stockOf(path).(json.Number)
	if n, err := left.Int64(); err != nil || sold+int(n) != 10 {
		t.Errorf("%d were sold and %s are left of 10 (%v, %v)", sold, left, got, err)
	}
}

func TestWhatIsCancelledGoesBackOnTheShelf(t *testing.T) {
	s := openShop(t, t.TempDir())
	path, _ := s.create(`{"name":"Lamp","price":1,"stock":5}`)
	order := s.as(customer(1)).call(http.MethodPost, "/orders", orderOf(path, 4)).header.Get("Location")
	status := func(status string) int {
		return s.as(admin()).call(http.MethodPatch, order, `{"status":"`+status+`"}`, "If-Match", "*").status
	}
	for _, step := range []struct {
		to   string
		want int
		left string
	}{
		{"sent", 200, "1"}, {"cancelled", 200, "5"}, {"cancelled", 200, "5"}, {"open", 200, "1"}, {"cancelled", 200, "5"},
	} {
		if got := status(step.to); got != step.want || s.stockOf(path) != json.Number(step.left) {
			t.Errorf("%s = %d with %v left, want %d with %s", step.to, got, s.stockOf(path), step.want, step.left)
		}
	}
	if got := s.call(http.MethodPatch, path, `{"stock":3}`); got.status != http.StatusOK {
		t.Fatalf("PATCH of the stock = %d %s", got.status, got.body)
	}
	if got := status("open"); got != http.StatusConflict || s.stockOf(path) != json.Number("3") {
		t.Errorf("reopening an order of 4 with 3 left = %d with %v left, want 409 with 3", got, s.stockOf(path))
	}
	s.call(http.MethodDelete, path, "")
	if got := status("cancelled"); got != http.StatusOK {
		t.Errorf("cancelling the order of an item that is gone = %d, want 200", got)
	}
}

// A seller who changes a price does not put back what was sold in between.
func TestOtherChangesLeaveTheStockAlone(t *testing.T) {
	s := openShop(t, t.TempDir())
	path, _ := s.create(`{"name":"Lamp","price":1,"stock":5}`)
	parallel(20, func(i int) int {
		if i%2 == 0 {
			return s.call(http.MethodPatch, path, fmt.Sprintf(`{"price":%d}`, i)).status
		}
		return s.as(customer(i)).call(http.MethodPost, "/orders", orderOf(path, 1)).status
	})
	if left := s.stockOf(path); left != json.Number("0") {
		t.Errorf("after ten buyers of five pieces %v are left, want 0", left)
	}
}

func TestMadeToOrderNeverRunsOut(t *testing.T) {
	s := openShop(t, t.TempDir())
	path, item := s.create(`{"name":"Lamp","price":1}`)
	if got := s.as(customer(1)).call(http.MethodPost, "/orders", orderOf(path, 1000)); got.status != http.StatusCreated || item["stock"] != nil {
		t.Errorf("1000 of what is made to order = %d %s, want 201", got.status, got.body)
	}
	if got := s.call(http.MethodPatch, path, `{"stock":2}`).decode(t); got["stock"] != json.Number("2") {
		t.Errorf("PATCH of the stock answers %v, want 2", got["stock"])
	}
	if got := s.call(http.MethodPatch, path, `{"stock":null}`).decode(t); got["stock"] != nil {
		t.Errorf("PATCH of the stock with null answers %v, want null", got["stock"])
	}
	for _, wrong := range []string{"-1", "1.5", "1000001", `"3"`} {
		if got := s.call(http.MethodPatch, path, `{"stock":`+wrong+`}`); got.status != http.StatusUnprocessableEntity {
			t.Errorf("a stock of %s = %d, want 422", wrong, got.status)
		}
	}
}

// decodeInto reads the body of an answer 200.
func decodeInto(t *testing.T, r reply, v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(r.body), v); err != nil || r.status != http.StatusOK {
		t.Fatalf("%d %s: %v", r.status, r.body, err)
	}
}
