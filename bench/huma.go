package main

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/fastness/fastness/bench/work"
)

type humaItemInput struct {
	ID int64  `path:"id"`
	Q  string `query:"q"`
}

type humaItemOutput struct{ Body work.Item }

type humaOrderInput struct{ Body work.Order }

type humaOrderOutput struct{ Body work.Receipt }

// NewHuma is Huma on ServeMux with its default configuration, less the hook
// that adds a $schema member and a Link header to each answer: no other peer
// sends them.
func NewHuma(t Terms) (http.Handler, error) {
	mux := http.NewServeMux()
	config := huma.DefaultConfig("bench", "1")
	config.CreateHooks = nil
	api := humago.New(mux, config)
	huma.Get(api, "/items/{id}", func(_ context.Context, in *humaItemInput) (*humaItemOutput, error) {
		return &humaItemOutput{work.Find(in.ID, in.Q)}, nil
	})
	huma.Post(api, "/orders", func(_ context.Context, in *humaOrderInput) (*humaOrderOutput, error) {
		return &humaOrderOutput{work.Place(&in.Body)}, nil
	})
	huma.Register(api, huma.Operation{
		Method: http.MethodPost, Path: "/seller/orders", OperationID: "place-seller-order",
		Middlewares: huma.Middlewares{newGuard(t).huma(api)},
	}, func(ctx context.Context, in *humaOrderInput) (*humaOrderOutput, error) {
		return &humaOrderOutput{work.PlaceFor(sellerOf(ctx), &in.Body)}, nil
	})
	return mux, nil
}

// huma is the guard as middleware of Huma.
func (g *guard) huma(api huma.API) func(huma.Context, func(huma.Context)) {
	return func(c huma.Context, next func(huma.Context)) {
		caller, err := g.admit(hostOf(c.RemoteAddr()), c.Header("Authorization"))
		if err != nil {
			refused := make(http.Header)
			status := refusal(refused, err)
			if challenge := refused.Get("WWW-Authenticate"); challenge != "" {
				c.SetHeader("WWW-Authenticate", challenge)
			}
			_ = huma.WriteErr(api, c, status, err.Error()) // The client is gone: nobody is left to tell.
			return
		}
		next(huma.WithValue(c, callerKey{}, caller))
	}
}

// HumaErrors reads Huma's problem document: "body.lines[1].qty" and so on.
func HumaErrors(body []byte) ([]string, error) {
	var problem struct {
		Errors []struct {
			Location string `json:"location"`
		} `json:"errors"`
	}
	if err := json.Unmarshal(body, &problem); err != nil {
		return nil, err
	}
	paths := make([]string, len(problem.Errors))
	for i, e := range problem.Errors {
		paths[i] = pointer(strings.TrimPrefix(e.Location, "body."))
	}
	return paths, nil
}
