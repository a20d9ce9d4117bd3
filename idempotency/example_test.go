package idempotency_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/fastness/fastness/idempotency"
)

func Example() {
	keys, err := idempotency.New(idempotency.Config{Store: idempotency.NewMemory(0)})
	if err != nil {
		fmt.Println(err)
		return
	}
	orders := 0
	order := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		orders++
		w.WriteHeader(http.StatusCreated)
		fmt.Fprintf(w, "order %d", orders)
	})
	handler := keys.Handler(func(r *http.Request) string { return r.Header.Get("User") }, order)
	for _, body := range []string{"lamp", "lamp", "chair"} {
		r := httptest.NewRequest("POST", "/orders", strings.NewReader(body))
		r.Header.Set("User", "ann")
		r.Header.Set("Idempotency-Key", `"8e03978e-40d5-43e8-bc93-6894a57f9324"`)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		fmt.Println(w.Code, w.Header().Get("Idempotent-Replayed"), orders)
	}
	// Output:
	// 201  1
	// 201 true 1
	// 422  1
}
