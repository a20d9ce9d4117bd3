package ratelimit_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/fastness/fastness/guard/ratelimit"
)

func Example() {
	limit, err := ratelimit.New(ratelimit.Config{Rule: ratelimit.Per("2/minute", ratelimit.ByClient)})
	if err != nil {
		fmt.Println(err)
		return
	}
	h := limit.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	for range 3 {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
		fmt.Printf("%d %s %q\n", w.Code, w.Header().Get("RateLimit"), w.Header().Get("Retry-After"))
	}
	// Output:
	// 200 "default";r=1;t=60 ""
	// 200 "default";r=0;t=60 ""
	// 429 "default";r=0;t=60 "60"
}
