package route_test

import (
	"fmt"
	"net/http/httptest"

	"github.com/fastness/fastness/internal/route"
)

func Example() {
	var routes route.Tree[string]
	_ = routes.Add("GET", "/items/{id}", "read an item") // a nil error: the pattern is right
	_ = routes.Add("DELETE", "/items/{id}", "delete an item")

	for _, request := range []string{"GET /items/7", "PATCH /items/7", "GET /items/7/", "GET /items/..%2fadmin", "GET /"} {
		var method, target string
		_, _ = fmt.Sscan(request, &method, &target)
		m := routes.Find(method, httptest.NewRequest(method, target, nil).URL)
		switch m.Outcome {
		case route.Found:
			fmt.Println(200, m.Value, m.Params.At(0))
		case route.MethodNotAllowed:
			fmt.Println(405, m.Allow)
		case route.Redirect:
			fmt.Println(307, m.Location)
		case route.Malformed:
			fmt.Println(400)
		default:
			fmt.Println(404)
		}
	}
	// Output:
	// 200 read an item 7
	// 405 DELETE, GET, HEAD, OPTIONS
	// 307 /items/7
	// 400
	// 404
}
