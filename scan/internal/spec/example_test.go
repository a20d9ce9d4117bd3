package spec_test

import (
	"fmt"

	"github.com/fastness/fastness/scan/internal/spec"
)

func Example() {
	api, err := spec.Parse([]byte(`
openapi: 3.0.3
servers: [{url: "https://prod.example/api/v1"}]
paths:
  /users/{id}:
    get:
      security: [{token: []}]
      responses:
        200: {content: {application/json: {schema: {$ref: "#/components/schemas/User"}}}}
components:
  schemas:
    User: {properties: {id: {type: integer}, email: {type: string, format: email}}}
`), spec.ParseConfig{})
	if err != nil {
		fmt.Println(err)
		return
	}
	o := api.Operations[0]
	fmt.Println(o, o.ID, o.NeedsLogIn(), o.Result().Names)
	fmt.Printf("%q\n", api.Bases)
	for _, c := range api.Complaints {
		fmt.Println(c.Where, c.What)
	}
	fmt.Println(o.Result().Check(map[string]any{"id": "one", "email": "a@b"}))
	// Output:
	// GET /api/v1/users/{id} get_users_id true [id email]
	// ["/api/v1" ""]
	// /paths/~1users~1{id}/get/security/0 there is no security scheme token
	// /paths/~1users~1{id}/get the path parameter id is not declared
	// [{/id is of type string, not integer}]
}
