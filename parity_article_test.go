package fastness_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/schema"
	"github.com/shopspring/decimal"
)

// The apps of the article whose recorded answers the parity tests compare with,
// each as a FastAPI user would write it here.

// articleApps returns an app for each block of the article, under cfg.
func articleApps(cfg fastness.Config) map[string]*fastness.App {
	apps := make(map[string]*fastness.App)
	for name, declare := range map[string]func(*fastness.App){
		"first endpoints": firstEndpoints,
		"raw request":     rawRequest,
		"prices":          prices,
		"hello":           hello("message", "Hello World"),
		"csrf":            hello("message", "Hello from Escape"),
		"failing":         failing,
	} {
		cfg.Title, cfg.Version = name, "1.0.0"
		cfg.Logger = slog.New(slog.DiscardHandler)
		apps[name] = fastness.New(cfg)
		declare(apps[name])
	}
	return apps
}

// describedItem is the article's Item. Its description is null by default, so
// it may be null.
type describedItem struct {
	Name        string  `json:"name"`
	Description *string `json:"description"`
}

type postItem struct{ Body describedItem }

type getItem struct {
	ID int     `path:"item_id" minimum:"1"`
	Q  *string `query:"q"`
}

type foundItem struct {
	ID int     `json:"item_id"`
	Q  *string `json:"q"`
}

// strictItem is the Item as Pydantic 2 reads `description: str = None`.
type strictItem struct {
	Body struct {
		Name        string `json:"name"`
		Description string `json:"description,omitzero"`
	}
}

func firstEndpoints(app *fastness.App) {
	fastness.Post(app, "/items/", func(_ context.Context, in postItem) (describedItem, error) {
		return in.Body, nil
	}, access.Public)
	fastness.Get(app, "/items/{item_id}", func(_ context.Context, in getItem) (foundItem, error) {
		return foundItem(in), nil
	}, access.Public)
	fastness.Post(app, "/strict/", func(_ context.Context, in strictItem) (fastness.NoContent, error) {
		return fastness.NoContent{}, nil
	}, access.Public)
	fastness.Get(app, "/unbounded/{item_id}", func(_ context.Context, in struct {
		ID int `path:"item_id"`
	}) (map[string]int, error) {
		return map[string]int{"item_id": in.ID}, nil
	}, access.Public)
}

type createdItem struct {
	Item describedItem `json:"item"`
}

type readRaw struct {
	ID      int `path:"item_id"`
	Request *http.Request
}

type seenRequest struct {
	ID      int               `json:"item_id"`
	Headers map[string]string `json:"headers"`
	Cookies map[string]string `json:"cookies"`
}

func rawRequest(app *fastness.App) {
	fastness.Post(app, "/create_item/", func(_ context.Context, in postItem) (createdItem, error) {
		return createdItem{in.Body}, nil
	}, access.Public)
	fastness.Get(app, "/read_item/{item_id}", func(_ context.Context, in readRaw) (seenRequest, error) {
		return echo(in.ID, in.Request), nil
	}, access.Public)
}

// echo describes the request that it got, without the credentials in it.
func echo(id int, r *http.Request) seenRequest {
	seen := seenRequest{ID: id, Headers: map[string]string{"host": r.Host}, Cookies: map[string]string{}}
	for name, values := range r.Header {
		seen.Headers[strings.ToLower(name)] = strings.Join(values, ", ")
	}
	for _, secret := range []string{"authorization", "cookie"} {
		if _, sent := seen.Headers[secret]; sent {
			seen.Headers[secret] = "***"
		}
	}
	for _, c := range r.Cookies() {
		seen.Cookies[c.Name] = "***"
	}
	return seen
}

type pricedItem struct {
	Name        string           `json:"name"`
	Description *string          `json:"description"`
	Price       decimal.Decimal  `json:"price" minimum:"0"`
	Tax         *decimal.Decimal `json:"tax" minimum:"0"`
	_           schema.Computed  `name:"price_with_tax" method:"PriceWithTax"`
}

// PriceWithTax adds exactly: 0.1 and 0.2 are 0.3.
func (i pricedItem) PriceWithTax() decimal.Decimal {
	if i.Tax == nil {
		return i.Price
	}
	return i.Price.Add(*i.Tax)
}

func prices(app *fastness.App) {
	fastness.Post(app, "/items/", func(_ context.Context, in struct{ Body pricedItem }) (pricedItem, error) {
		return in.Body, nil
	}, access.Public)
}

func hello(name, text string) func(*fastness.App) {
	return func(app *fastness.App) {
		fastness.Get(app, "/", func(context.Context, struct{}) (map[string]string, error) {
			return map[string]string{name: text}, nil
		}, access.Public)
	}
}

const privateText = "dial tcp 10.0.0.7:5432: password authentication failed"

func failing(app *fastness.App) {
	fastness.Get(app, "/error", func(context.Context, struct{}) (fastness.NoContent, error) {
		return fastness.NoContent{}, errors.New(privateText)
	}, access.Public)
	fastness.Get(app, "/panic", func(context.Context, struct{}) (fastness.NoContent, error) {
		panic(privateText)
	}, access.Public)
}

// started fails the test if the app's declarations have mistakes.
func started(t *testing.T, app *fastness.App) *fastness.App {
	t.Helper()
	if err := app.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := app.Stop(context.Background()); err != nil {
			t.Errorf("Stop() = %v", err)
		}
	})
	return app
}
