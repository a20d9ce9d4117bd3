package fastness_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/problem"
)

func greet(_ context.Context, in struct {
	Name string `path:"name" maxLength:"20"`
}) (string, error) {
	return "Hello, " + in.Name, nil
}

func ExampleNew() {
	app := fastness.New(fastness.Config{Title: "Hello", Version: "1.0.0"})
	fastness.Get(app, "/hello/{name}", greet, access.Public)

	show(app, "GET", "/hello/Ada", "")
	// Output:
	// 200 "Hello, Ada"
}

type catalog map[int]string

type readEntry struct {
	ID      int     `path:"id" minimum:"1"`
	Catalog catalog // Filled by the provider.
}

func readItem(_ context.Context, in readEntry) (string, error) {
	name, ok := in.Catalog[in.ID]
	if !ok {
		return "", problem.New(http.StatusNotFound, "no item has this id")
	}
	return name, nil
}

func ExampleProvide() {
	app := fastness.New(fastness.Config{Title: "Shop", Version: "1.0.0"})
	fastness.Provide(app, func(_ context.Context, in struct {
		Language string `header:"Accept-Language" enum:"de,en" default:"en"`
	}) (catalog, error) {
		if in.Language == "de" {
			return catalog{7: "Lampe"}, nil
		}
		return catalog{7: "Lamp"}, nil
	})
	fastness.Get(app, "/items/{id}", readItem, access.Public)

	show(app, "GET", "/items/7", "")
	show(app, "GET", "/items/8", "")
	// Output:
	// 200 "Lamp"
	// 404 no item has this id
}

// transaction stands for that of a database.
type transaction struct{ log *[]string }

func ExampleProvideCleanup() {
	var log []string
	app := fastness.New(fastness.Config{Title: "Shop", Version: "1.0.0"})
	fastness.ProvideCleanup(app, func(context.Context, struct{}) (transaction, func(error) error, error) {
		return transaction{&log}, func(err error) error {
			if err != nil {
				log = append(log, "rolled back")
				return nil
			}
			log = append(log, "committed")
			return nil
		}, nil
	})
	fastness.Post(app, "/items", func(_ context.Context, in struct {
		Tx   transaction
		Body struct {
			Name string `json:"name"`
		}
	}) (fastness.NoContent, error) {
		if in.Body.Name == "taken" {
			return fastness.NoContent{}, problem.New(http.StatusConflict, "the name is taken")
		}
		return fastness.NoContent{}, nil
	}, access.Public)

	show(app, "POST", "/items", `{"name":"Lamp"}`)
	show(app, "POST", "/items", `{"name":"taken"}`)
	fmt.Println(log)
	// Output:
	// 204
	// 409 the name is taken
	// [committed rolled back]
}

func ExampleApp_Group() {
	app := fastness.New(fastness.Config{Title: "Shop", Version: "1.0.0"})
	items := app.Group("/items", access.Public, fastness.Tags("items"))
	fastness.Get(items, "/{name}", greet)

	show(app, "GET", "/items/Lamp", "")
	show(app, "GET", "/Lamp", "")
	// Output:
	// 200 "Hello, Lamp"
	// 404 Not Found
}

func ExampleApp_Start() {
	app := fastness.New(fastness.Config{Title: "Shop", Version: "1.0.0"})
	fastness.Get(app, "/items/{id}", greet)
	fmt.Println(app.Start(context.Background()))
	// Output:
	// the app cannot start:
	// GET /items/{id}: no access rule: say who may call, such as access.Public
	// GET /items/{id}: field Name: the path has no {name}
	// GET /items/{id}: path parameter {id} has no field with the tag `path:"id"`
}

// show sends a request and prints the answer.
func show(app *fastness.App, method, target, body string) {
	r := httptest.NewRequest(method, "https://localhost"+target, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	w := httptest.NewRecorder()
	app.ServeHTTP(w, r)
	text := w.Body.String()
	var p struct{ Title, Detail string }
	if w.Code >= 400 && json.Unmarshal(w.Body.Bytes(), &p) == nil {
		text = cmp.Or(p.Detail, p.Title)
	}
	fmt.Println(strings.TrimSpace(fmt.Sprint(w.Code, " ", text)))
}
