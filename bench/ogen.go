package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/ogen-go/ogen/ogenerrors"

	"github.com/fastness/fastness/bench/ogenapi"
	"github.com/fastness/fastness/bench/work"
)

// NewOgen is the server that ogen generated, with its default error handler,
// which knows no status for a caller who lacks a role. The limit stands before
// it: its own middleware runs when the body has been decoded.
func NewOgen(t Terms) (http.Handler, error) {
	guard := newGuard(t)
	server, err := ogenapi.NewServer(ogenWork{}, ogenGuard{guard}, ogenapi.WithErrorHandler(
		func(ctx context.Context, w http.ResponseWriter, r *http.Request, err error) {
			if errors.Is(err, errNoRole) {
				answer(w, http.StatusForbidden, pathErrors{})
				return
			}
			ogenerrors.DefaultErrorHandler(ctx, w, r, err)
		}))
	if err != nil {
		return nil, err
	}
	return guard.limit.Handler(server), nil
}

type ogenGuard struct{ *guard }

// HandleBearer is called with the roles that openapi.yaml asks for.
func (g ogenGuard) HandleBearer(ctx context.Context, _ ogenapi.OperationName, t ogenapi.Bearer) (context.Context, error) {
	c, err := g.verify(t.Token, t.Roles...)
	if err != nil {
		return nil, err
	}
	return context.WithValue(ctx, callerKey{}, c), nil
}

type ogenWork struct{}

func (ogenWork) GetItem(_ context.Context, in ogenapi.GetItemParams) (*ogenapi.Item, error) {
	item := work.Find(in.ID, in.Q.Or(""))
	return &ogenapi.Item{ID: item.ID, Q: item.Q, Name: item.Name}, nil
}

// CreateSellerOrder is work.PlaceFor on the generated types.
func (w ogenWork) CreateSellerOrder(ctx context.Context, o *ogenapi.Order) (*ogenapi.Receipt, error) {
	r, err := w.CreateOrder(ctx, o)
	if err == nil {
		r.Seller.SetTo(sellerOf(ctx))
	}
	return r, err
}

// CreateOrder is work.Place on the generated types.
func (ogenWork) CreateOrder(_ context.Context, o *ogenapi.Order) (*ogenapi.Receipt, error) {
	r := &ogenapi.Receipt{
		ID:       work.OrderID,
		Sku:      string(o.Sku),
		Status:   string(o.Status),
		Customer: o.Email,
		Currency: work.Currency,
		ShipTo:   o.Address.City,
		Country:  string(o.Address.Country),
		Tags:     o.Tags,
	}
	for i := range o.Lines {
		r.Pieces += o.Lines[i].Qty
		r.Subtotal += float64(o.Lines[i].Qty) * o.Lines[i].UnitPrice
	}
	r.Subtotal, r.Discount, r.Total = work.Totals(r.Subtotal, o.Discount.Or(0))
	return r, nil
}

// OgenErrors reads ogen's message, which nests one list in another:
// "… invalid: name (…), lines (invalid: [1] (invalid: qty (…)))".
func OgenErrors(body []byte) ([]string, error) {
	var message struct {
		Text string `json:"error_message"`
	}
	if err := json.Unmarshal(body, &message); err != nil {
		return nil, err
	}
	_, list, _ := strings.Cut(message.Text, "invalid:")
	return nested("", list), nil
}

// nested collects the members of a list "name (reason), name (reason)" whose
// reason is no list itself.
func nested(prefix, list string) (paths []string) {
	for list != "" {
		name, rest, found := strings.Cut(list, " (")
		if !found {
			return paths
		}
		reason, after := closing(rest)
		path := prefix + "/" + strings.Trim(name, " ,[]")
		if inner, ok := strings.CutPrefix(reason, "invalid:"); ok {
			paths = append(paths, nested(path, inner)...)
		} else {
			paths = append(paths, path)
		}
		list = after
	}
	return paths
}

// closing splits s at the parenthesis that closes the one before it.
func closing(s string) (inside, after string) {
	depth := 1
	for i, c := range s {
		switch c {
		case '(':
			depth++
		case ')':
			depth--
		}
		if depth == 0 {
			return s[:i], s[i+1:]
		}
	}
	return s, ""
}
