package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/bench/work"
	"github.com/fastness/fastness/schema"
)

type findItem struct {
	ID int64  `path:"id"`
	Q  string `query:"q" default:""`
}

type placeOrder struct {
	Body work.Order
}

// NewFastness returns the work as Fastness operations, with every default
// defence on. The log is discarded, because no other peer has one here.
func NewFastness() (http.Handler, error) {
	app := fastness.New(fastness.Config{
		Title: "Bench", Version: "1", Logger: slog.New(slog.DiscardHandler),
		Hosts: []string{"bench.example", "127.0.0.1", "localhost"},
	})
	fastness.Get(app, "/items/{id}", func(_ context.Context, in findItem) (work.Item, error) {
		return work.Find(in.ID, in.Q), nil
	}, access.Public)
	fastness.Post(app, "/orders", func(_ context.Context, in placeOrder) (work.Receipt, error) {
		return work.Place(&in.Body), nil
	}, access.Public)
	return app, app.Start(context.Background())
}

// FastnessErrors returns the pointers that a problem document lists.
func FastnessErrors(answer []byte) ([]string, error) {
	var document struct {
		Errors []struct {
			Pointer string `json:"pointer"`
		} `json:"errors"`
	}
	if err := json.Unmarshal(answer, &document); err != nil {
		return nil, fmt.Errorf("problem document: %w", err)
	}
	pointers := make([]string, len(document.Errors))
	for i, e := range document.Errors {
		pointers[i] = e.Pointer
	}
	return pointers, nil
}

func decodeFastness() (func(body []byte) error, error) {
	orders, err := schema.For[work.Order]()
	if err != nil {
		return nil, err
	}
	return func(body []byte) error {
		_, err := orders.Decode(context.Background(), body)
		return err
	}, nil
}
