package main

import (
	"context"
	"net/http"
	"os"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth/access"
)

type in struct {
	ID       int `path:"id"`
	Settings fastness.Settings
}

func read(ctx context.Context, i in) (map[string]int, error) { return map[string]int{"id": i.ID}, nil }

type item struct{ Name string }
type post struct{ Body item }

func create(ctx context.Context, i post) (item, error) { return i.Body, nil }

func main() {
	app := fastness.New(fastness.Config{Title: "Demo", Version: "1.2.0"})
	if os.Getenv("BAD") == "" {
		fastness.Get(app, "/items/{id}", read, access.Public, fastness.Timeout(5e9))
		fastness.Post(app, "/items", create, access.Public)
		fastness.Mount(app, "/legacy", http.NotFoundHandler(), access.Public)
	} else {
		fastness.Get(app, "/items/{idx}", read)
	}
	fastness.Main(app)
}
