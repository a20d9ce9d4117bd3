package main

import "github.com/shopspring/decimal"

// Item is an item as the shop keeps it. What callers send and what they get are
// types of their own, in views.go: a new field here is neither writable nor
// visible until somebody says so.
type Item struct {
	ID          int64
	Name        string
	Description *string
	Price       decimal.Decimal
	Tax         *decimal.Decimal
	// Preview is the hash of the token that shows a draft; nil once the item is
	// for sale.
	Preview []byte
}

// Draft reports whether the item is not for sale yet.
func (i Item) Draft() bool { return i.Preview != nil }
