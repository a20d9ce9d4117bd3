package main

import (
	"context"
	"embed"
	"html/template"
	"net/http"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/sqldb"
	"github.com/shopspring/decimal"
)

//go:embed web
var web embed.FS

var homeTemplate = template.Must(template.New("home.html").
	Funcs(template.FuncMap{"money": money}).ParseFS(web, "web/home.html"))

type homeInput struct {
	App     *fastness.App
	Request *http.Request
	Tx      *sqldb.ReadTx
}

// Home is the front page. Programs get the message, browsers a page with all of
// it.
type Home struct {
	Message string     `json:"message" maxLength:"100" example:"Hello World"`
	Items   []homeItem `json:"-"`
	Docs    bool       `json:"-"`
	Origin  string     `json:"-"`
}

// homeItem is what the page says of an item. An ItemView has a member for
// administrators, which a template would show to everybody.
type homeItem struct {
	ID           int64
	Name         string
	Description  *string
	PriceWithTax decimal.Decimal
	Tax          *decimal.Decimal
}

func homeItems(items []Item) []homeItem {
	shown := make([]homeItem, len(items))
	for i, item := range items {
		view := viewOf(item, nil)
		shown[i] = homeItem{view.ID, view.Name, view.Description, view.PriceWithTax(), view.Tax}
	}
	return shown
}

// home says hello: to a program in JSON, to a person with a page.
//
// The header Accept decides. What takes anything gets JSON.
func home(ctx context.Context, in homeInput) (fastness.View[Home], error) {
	items, err := selectItems(ctx, in.Tx, 12, 0)
	return fastness.View[Home]{
		Template: homeTemplate,
		Body: Home{
			Message: "Hello World",
			Items:   homeItems(items),
			Docs:    in.App.DocsShown(),
			Origin:  "https://" + in.Request.Host,
		},
	}, err
}

// money writes an amount with two decimal places, or with all that it has.
func money(amount decimal.Decimal) string {
	if amount.Exponent() < -2 && !amount.Equal(amount.Truncate(2)) {
		return amount.String()
	}
	return amount.StringFixed(2)
}

func styleSheet(context.Context, struct{}) (fastness.Raw, error) {
	return static("web/shop.css", "text/css; charset=utf-8")
}

func icon(context.Context, struct{}) (fastness.Raw, error) {
	return static("web/shop.svg", "image/svg+xml")
}

func static(name, contentType string) (fastness.Raw, error) {
	data, err := web.ReadFile(name)
	return fastness.Raw{ContentType: contentType, Body: data}, err
}
