package wire_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/fastness/fastness/scan/wire"
)

func Example() {
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		fmt.Fprintf(w, "%q", r.RequestURI)
	}))
	defer target.Close()

	client, err := wire.New(wire.Config{Target: target.URL})
	if err != nil {
		fmt.Println(err)
		return
	}
	ex := client.Do(context.Background(), wire.Request{Method: "GET", Path: "/a/../b", Query: "limit=1"})
	fmt.Println(ex.Status, ex.Media(), ex.Text())
	// Output: 200 application/json "/a/../b?limit=1"
}
