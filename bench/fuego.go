package main

import (
	"encoding/json"
	"net/http"
	"strings"
	"unicode"

	"github.com/go-fuego/fuego"
	"github.com/go-fuego/fuego/option"

	"github.com/fastness/fastness/bench/work"
)

// NewFuego is Fuego without its request logger and its start-up messages, with
// the validator taught the rules of the work.
func NewFuego(t Terms) (http.Handler, error) {
	v, err := newValidator()
	if err != nil {
		return nil, err
	}
	server := fuego.NewServer(
		fuego.WithoutLogger(),
		fuego.WithoutStartupMessages(),
		fuego.WithValidator(v),
		fuego.WithEngineOptions(fuego.WithOpenAPIConfig(fuego.OpenAPIConfig{Disabled: true, DisableLocalSave: true, DisableMessages: true})),
	)
	fuego.Get(server, "/items/{id}", func(c fuego.ContextNoBody) (work.Item, error) {
		id, err := c.PathParamIntErr("id")
		if err != nil {
			return work.Item{}, fuego.BadRequestError{Err: err, Detail: "want an integer"}
		}
		return work.Find(int64(id), c.QueryParam("q")), nil
	}, option.Query("q", "what to look for"))
	place := func(c fuego.ContextWithBody[work.Order], seller string) (work.Receipt, error) {
		o, err := c.Body()
		if err != nil {
			return work.Receipt{}, err
		}
		return work.PlaceFor(seller, &o), nil
	}
	fuego.Post(server, "/orders", func(c fuego.ContextWithBody[work.Order]) (work.Receipt, error) { return place(c, "") })
	fuego.Post(server, "/seller/orders", func(c fuego.ContextWithBody[work.Order]) (work.Receipt, error) {
		return place(c, sellerOf(c.Context()))
	}, option.Middleware(newGuard(t).Handler))
	return server.Mux, nil
}

// FuegoErrors reads Fuego's problem document, which names Go fields:
// "Order.Lines[1].UnitPrice" and so on.
func FuegoErrors(body []byte) ([]string, error) {
	var problem struct {
		Errors []struct {
			Name string `json:"name"`
		} `json:"errors"`
	}
	if err := json.Unmarshal(body, &problem); err != nil {
		return nil, err
	}
	paths := make([]string, len(problem.Errors))
	for i, e := range problem.Errors {
		_, path, _ := strings.Cut(e.Name, ".")
		paths[i] = pointer(snake(path))
	}
	return paths, nil
}

// snake turns UnitPrice into unit_price and SKU into sku.
func snake(name string) string {
	var b strings.Builder
	var before rune
	for _, c := range name {
		if unicode.IsUpper(c) && unicode.IsLower(before) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(c))
		before = c
	}
	return b.String()
}
