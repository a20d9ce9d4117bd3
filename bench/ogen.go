package main

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/fastness/fastness/bench/ogenapi"
	"github.com/fastness/fastness/bench/work"
)

// NewOgen is the server that ogen generated, with its default error handler.
func NewOgen() (http.Handler, error) {
	return ogenapi.NewServer(ogenWork{})
}

type ogenWork struct{}

func (ogenWork) GetItem(_ context.Context, in ogenapi.GetItemParams) (*ogenapi.Item, error) {
	item := work.Find(in.ID, in.Q.Or(""))
	return &ogenapi.Item{ID: item.ID, Q: item.Q, Name: item.Name}, nil
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
