package fastness_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth/access"
	"github.com/shopspring/decimal"
)

type newItem struct {
	Name        string           `json:"name" minLength:"1" maxLength:"20"`
	Description *string          `json:"description"`
	Price       decimal.Decimal  `json:"price" minimum:"0"`
	Tax         *decimal.Decimal `json:"tax" minimum:"0"`
}

type createItem struct {
	ID   int     `path:"id" minimum:"1"`
	Q    *string `query:"q"`
	Body newItem
}

func create(_ context.Context, in createItem) (fastness.Created[newItem], error) {
	return fastness.Created[newItem]{Body: in.Body, Location: fmt.Sprintf("/items/%d", in.ID)}, nil
}

func quiet(cfg fastness.Config) *fastness.App {
	cfg.Title, cfg.Version = "Test", "1"
	cfg.Logger = slog.New(slog.DiscardHandler)
	cfg.Hosts = []string{"example.com"}
	return fastness.New(cfg)
}

func do(t *testing.T, h http.Handler, method, target, body string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func TestSmoke(t *testing.T) {
	app := quiet(fastness.Config{})
	fastness.Post(app, "/items/{id}", create, access.Public)
	for _, body := range []string{`{"name":"a","price":10,"tax":1.5}`, `{"name":"","price":-5,"x":1}`, `{"name":`, ``} {
		res := do(t, app, "POST", "/items/7?q=a", body)
		text, _ := io.ReadAll(res.Body)
		t.Log(res.Status, res.Header, string(text))
	}
	for _, target := range []string{"/items/0", "/items/1/", "/nope", "/items/1%2f2"} {
		res := do(t, app, "POST", target, `{"name":"a","price":1}`)
		text, _ := io.ReadAll(res.Body)
		t.Log(res.Status, res.Header.Get("Location"), string(text))
	}
}
