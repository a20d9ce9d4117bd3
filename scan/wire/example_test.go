package wire_test

import (
	"fmt"
	"net/http"

	"github.com/fastness/fastness/scan/wire"
)

func Example() {
	ex := wire.Exchange{
		Request: wire.Request{Method: "GET", Path: "/items/", Query: "limit=1"},
		Status:  200, Header: http.Header{"Content-Type": {"application/json; charset=utf-8"}}, Body: []byte(`[]`),
	}
	fmt.Println(ex.Request.Target(), ex.OK(), ex.Media(), ex.Text())
	// Output: /items/?limit=1 true application/json []
}
