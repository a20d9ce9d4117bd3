package main

import (
	"embed"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/openapi"
	"github.com/fastness/fastness/problem"
	"github.com/fastness/fastness/sqldb"
)

// source lets the API document quote the comments of the operations.
//
//go:embed *.go
var source embed.FS

// newApp declares the shop. Nothing is opened until it starts.
func newApp() *fastness.App {
	app := fastness.New(fastness.Config{
		Title:       "Shop",
		Version:     "1.0.0",
		Description: "A small shop: the reference application of Fastness.",
		Tags: []openapi.Tag{
			{Name: "items", Description: "What is for sale."},
			{Name: "requests", Description: "How a request looks from the inside."},
		},
		Source: source,
	})

	fastness.ProvideValue(app, app)
	fastness.ProvideApp(app, openDB)
	fastness.ProvideCleanup(app, sqldb.Begin)
	fastness.ProvideCleanup(app, sqldb.BeginRead)
	fastness.Provide(app, loadItem)
	fastness.Provide(app, lockItem)

	items := app.Group("/items", access.Public, fastness.Tags("items"))
	fastness.Get(items, "/", listItems)
	fastness.Post(items, "/", createItem)

	item := items.Group("/{item_id}", fastness.Response[*problem.Problem](404, "No such item, or a draft of somebody else."))
	fastness.Get(item, "", readItem)
	fastness.Put(item, "", replaceItem)
	fastness.Patch(item, "", changeItem)
	fastness.Delete(item, "", deleteItem)

	requests := app.Group("", access.Public, fastness.Tags("requests"))
	fastness.Post(requests, "/create_item/", wrapItem)
	fastness.Get(requests, "/read_item/{item_id}", readRequest)

	pages := app.Group("", access.Public)
	fastness.Get(pages, "/", home)
	fastness.Get(pages, "/static/shop.css", styleSheet, fastness.Hidden())
	fastness.Get(pages, "/static/shop.svg", icon, fastness.Hidden())
	return app
}
