package openapi_test

import (
	"fmt"

	"github.com/fastness/fastness/openapi"
)

func Example() {
	doc := &openapi.Document{Info: openapi.Info{Title: "Shop", Version: "1.0"}}
	list := &openapi.Operation{OperationID: "listItems", Summary: "List what is for sale"}
	list.Responses.Set("200", &openapi.Response{Description: "OK"})
	doc.Paths.Set("/items", &openapi.PathItem{Get: list})

	text, err := doc.YAML()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(string(text))
	// Output:
	// openapi: "3.1.0"
	// info:
	//   title: Shop
	//   version: "1.0"
	// paths:
	//   /items:
	//     get:
	//       summary: List what is for sale
	//       operationId: listItems
	//       responses:
	//         "200":
	//           description: OK
}

func ExampleParse() {
	doc, err := openapi.Parse([]byte(`{
		"openapi": "3.1.0",
		"info": {"title": "Shop", "version": "1.0"},
		"paths": {"/items/{id}": {"get": {"operationId": "readItem"}}}
	}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	for path, item := range doc.Paths.All() {
		for method, op := range item.Operations() {
			fmt.Println(method, path, op.OperationID)
		}
	}
	fmt.Println(doc.Validate())
	// Output:
	// GET /items/{id} readItem
	// #/paths/~1items~1{id}/get: {id} of the path is not declared as a path parameter
}
