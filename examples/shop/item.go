package main

import (
	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/filestore"
	"github.com/shopspring/decimal"
)

// Item is an item as the shop keeps it. What callers send and what they get are
// types of their own, in views.go: a new field here is neither writable nor
// visible until somebody says so.
type Item struct {
	ID          int64
	Name        string
	Description *string
	Price       decimal.Decimal
	Tax         *decimal.Decimal
	// Cost is what the seller paid. It is for administrators.
	Cost *decimal.Decimal
	// Stock is how many pieces there are. Nil: it is made to order.
	Stock *int
	// Picture is the key of its picture, or none.
	Picture filestore.Key
	// Seller is the id of the user who sells it, or "" for the shop itself.
	Seller string
	// Tenant is the id of the tenant whose administrators look after it, or "" for
	// what those without a tenant do.
	Tenant string
	// Draft says that it is not for sale yet.
	Draft bool
}

// OwnedBy reports whether u may change the item, and see it while it is a draft.
// A credential that is not for items does neither, whoever it belongs to.
func (i Item) OwnedBy(u *auth.User) bool {
	switch {
	case !u.HasScope("items"):
		return false
	case u.HasRole("admin") && (u.Tenant.IsZero() || u.Tenant.String() == i.Tenant):
		return true
	}
	return u.HasRole("seller") && u.ID == i.Seller
}
