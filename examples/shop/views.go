package main

import (
	"context"
	"fmt"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/schema"
	"github.com/shopspring/decimal"
)

// ItemContents is what a caller says about an item.
type ItemContents struct {
	Name        string           `json:"name" minLength:"1" maxLength:"120" example:"Lamp"`
	Description *string          `json:"description" maxLength:"10000" example:"Brass, with a green shade."`
	Price       decimal.Decimal  `json:"price" minimum:"0" example:"42.50" doc:"Without tax."`
	Tax         *decimal.Decimal `json:"tax" minimum:"0" example:"8.08" doc:"The amount, not the rate."`
	Cost        *decimal.Decimal `json:"cost,omitzero" minimum:"0" example:"30" doc:"What the seller paid. Only administrators see it again."`
	Stock       *int             `json:"stock,omitzero" minimum:"0" maximum:"1000000" example:"12" doc:"How many pieces there are. Without it the item is made to order and never runs out."`
}

// NewItem is what a caller sends to create an item.
type NewItem struct {
	ItemContents
	Draft bool `json:"draft,omitzero" doc:"Keep the item from everybody but its seller."`
}

// ItemChange is what a caller sends to change an item: any of the members.
type ItemChange struct {
	Name        fastness.Opt[string]                         `json:"name" minLength:"1" maxLength:"120" example:"Lamp"`
	Description fastness.Opt[fastness.Null[string]]          `json:"description" maxLength:"10000" example:"Brass, with a green shade."`
	Price       fastness.Opt[decimal.Decimal]                `json:"price" minimum:"0" example:"42.50" doc:"Without tax."`
	Tax         fastness.Opt[fastness.Null[decimal.Decimal]] `json:"tax" minimum:"0" example:"8.08" doc:"The amount, not the rate."`
	Cost        fastness.Opt[fastness.Null[decimal.Decimal]] `json:"cost" minimum:"0" example:"30" doc:"What the seller paid."`
	Stock       fastness.Opt[fastness.Null[int]]             `json:"stock" minimum:"0" maximum:"1000000" example:"12" doc:"How many pieces there are. Null: made to order."`
	Draft       fastness.Opt[bool]                           `json:"draft" doc:"false puts a draft up for sale."`
}

// Validate refuses to hide what was for sale: who saw it would get a 404.
func (c ItemChange) Validate(context.Context) error {
	if c.Draft.Or(false) {
		return schema.Invalid("an item cannot become a draft").At("draft")
	}
	return nil
}

// ItemView is an item as callers see it.
type ItemView struct {
	ID          int64            `json:"item_id" minimum:"1" example:"7"`
	Name        string           `json:"name" maxLength:"120" example:"Lamp"`
	Description *string          `json:"description" maxLength:"10000" example:"Brass, with a green shade."`
	Price       decimal.Decimal  `json:"price" minimum:"0" example:"42.50" doc:"Without tax."`
	Tax         *decimal.Decimal `json:"tax" minimum:"0" example:"8.08" doc:"The amount, not the rate."`
	Stock       *int             `json:"stock" minimum:"0" maximum:"1000000" example:"12" doc:"How many pieces are left. Null: it is made to order."`
	Picture     *string          `json:"picture" maxLength:"100" example:"/items/7/picture" doc:"The path of its picture. Null: it has none."`
	Draft       bool             `json:"draft" doc:"The item is not for sale yet."`
	Seller      string           `json:"seller" maxLength:"64" doc:"The id of the user who sells it, or empty for the shop itself."`
	Cost        *decimal.Decimal `json:"cost,omitzero" visibleTo:"admin" minimum:"0" example:"30" doc:"What the seller paid."`

	_ schema.Computed `name:"price_with_tax" method:"PriceWithTax" doc:"The sum, exactly." example:"50.58"`
}

// PriceWithTax adds exactly: these are decimals, not floats.
func (v ItemView) PriceWithTax() decimal.Decimal {
	if v.Tax == nil {
		return v.Price
	}
	return v.Price.Add(*v.Tax)
}

// FoundItem is the answer to who asked for an item.
type FoundItem struct {
	ItemView
	Q *string `json:"q" maxLength:"50" doc:"The parameter q of the request."`
}

// ItemList is a part of the list of items.
type ItemList struct {
	Items []ItemView `json:"items" maxItems:"100"`
	Total int        `json:"total" minimum:"0" doc:"How many items there are in all."`
}

func (c ItemContents) item() Item {
	return Item{Name: c.Name, Description: c.Description, Price: c.Price, Tax: c.Tax, Cost: c.Cost, Stock: c.Stock}
}

// viewOf returns the item as u may see it. The tag of Cost keeps it from all but
// administrators, and this from those of other tenants.
func viewOf(i Item, u *auth.User) ItemView {
	view := ItemView{
		ID: i.ID, Name: i.Name, Description: i.Description, Price: i.Price, Tax: i.Tax, Stock: i.Stock, Draft: i.Draft,
		Seller: i.Seller,
	}
	if !i.Picture.IsZero() {
		path := fmt.Sprintf("/items/%d/picture", i.ID)
		view.Picture = &path
	}
	if i.OwnedBy(u) {
		view.Cost = i.Cost
	}
	return view
}

func viewsOf(items []Item, u *auth.User) []ItemView {
	views := make([]ItemView, len(items))
	for i := range items {
		views[i] = viewOf(items[i], u)
	}
	return views
}
