package fastnesstest_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/fastnesstest"
)

type newItem struct {
	Name string `json:"name" minLength:"1"`
}

type item struct {
	ID   int    `json:"id"`
	Name string `json:"name"`
}

func createItem(_ context.Context, in struct{ Body newItem }) (fastness.Created[item], error) {
	return fastness.Created[item]{Body: item{7, in.Body.Name}, Location: "/items/7"}, nil
}

func Example() {
	app := fastness.New(fastness.Config{Title: "Shop", Version: "1.0.0"})
	fastness.Post(app, "/items", createItem, access.Public)

	test := func(t testing.TB) { // func TestItems(t *testing.T)
		api := fastnesstest.New(t, app)
		made := fastnesstest.Post[item](api, "/items", newItem{"Lamp"}, fastnesstest.Status(201))
		fmt.Println(made.ID, made.Name)
		api.Post("/items", newItem{}).WantViolation("body", "/name", "string_too_short")
		api.Post("/items", newItem{}).Want(201)
	}
	for _, message := range watch(test) {
		fmt.Println(message[:40])
	}
	// Output:
	// 7 Lamp
	// POST /items: status 422, want 201; body
}
