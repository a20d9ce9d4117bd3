package compress_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/fastness/fastness/guard/compress"
)

func Example() {
	gzip, err := compress.New(compress.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	api := gzip.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, "["+strings.Repeat("1,", 2000)+"1]")
	}))
	ask := func(name, value string) {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Accept-Encoding", "gzip")
		r.Header.Set(name, value)
		w := httptest.NewRecorder()
		api.ServeHTTP(w, r)
		fmt.Printf("%q, %v\n", w.Header().Get("Content-Encoding"), w.Body.Len() < 100)
	}
	ask("Accept", "*/*")
	ask("Cookie", "__Host-session=1") // It may hold a secret of the caller.
	// Output:
	// "gzip", true
	// "", false
}

func ExampleRequestHandler() {
	api := compress.RequestHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {}), 1<<20, 0)
	r := httptest.NewRequest("POST", "/", strings.NewReader("…"))
	r.Header.Set("Content-Encoding", "br")
	w := httptest.NewRecorder()
	api.ServeHTTP(w, r)
	fmt.Println(w.Code, w.Header().Get("Accept-Encoding"))
	// Output: 415 gzip
}
