package main

import (
	"context"
	"embed"
	"html/template"
	"io/fs"
	"net/http"
	"strings"
	"time"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/pubsub"
	"github.com/fastness/fastness/sqldb"
	"github.com/shopspring/decimal"
)

//go:embed web
var web embed.FS

// pages are the templates of all pages; what they share is in layout.html.
var pages = template.Must(template.New("").Funcs(funcs()).ParseFS(web, "web/*.html"))

func funcs() template.FuncMap {
	return template.FuncMap{"money": money, "stars": stars, "day": day, "moment": moment}
}

type homeInput struct {
	Request *http.Request
	Visitor Visitor
	Live    *Live
	Tx      *sqldb.ReadTx
}

// Home is the front page. Programs get the message, browsers a page with all of
// it.
type Home struct {
	fastness.Page
	Message string      `json:"message" maxLength:"100" example:"Hello World"`
	Items   []shownItem `json:"-"`
	Visitor Visitor     `json:"-"`
	After   pubsub.ID   `json:"-"` // what the page shows
	Origin  string      `json:"-"`
}

// home says hello: to a program in JSON, to a person with a page.
//
// The header Accept decides. What takes anything gets JSON.
func home(ctx context.Context, in homeInput) (fastness.View[Home], error) {
	after := position(ctx, in.Live.items, stockRoom)
	items, err := selectItems(ctx, in.Tx, 12, 0)
	page := Home{Message: "Hello World", Visitor: in.Visitor, After: after, Origin: "https://" + in.Request.Host}
	for _, item := range items {
		page.Items = append(page.Items, shown(item))
	}
	return fastness.View[Home]{Template: pages.Lookup("home.html"), Body: page}, err
}

// money writes an amount with two decimal places, or with all that it has.
func money(amount decimal.Decimal) string {
	if amount.Exponent() < -2 && !amount.Equal(amount.Truncate(2)) {
		return amount.String()
	}
	return amount.StringFixed(2)
}

// stars draws 1 to 5 stars. Beside it the page says the number.
func stars(n int) string {
	n = min(max(n, 0), 5)
	return strings.Repeat("★", n) + strings.Repeat("☆", 5-n)
}

func day(t time.Time) string    { return t.Format("2 January 2006") }
func moment(t time.Time) string { return t.UTC().Format("2 Jan 15:04:05") }

// staticFiles are what the pages load.
func staticFiles() fs.FS {
	files, err := fs.Sub(web, "web/static")
	if err != nil {
		panic(err) // The name is wrong.
	}
	return files
}
