package page

import (
	"errors"
	"fmt"
	"reflect"
	"strconv"
)

// The bounds that no declaration can pass.
const (
	// MaxLimit is the most rows of a page.
	MaxLimit = 1000
	// MaxOffset is the most rows that a [Query] passes over.
	MaxOffset = 1_000_000
)

// Limit is the most rows of a page, as the parameter limit.
type Limit int

// Offset is how many rows to pass over, as the parameter offset.
type Offset int

// Cursor is where a page begins, as the parameter cursor, and in a [Page] where
// another one does. Callers cannot see what is in it. Empty means the first page.
type Cursor string

// Sort is the order of a list, as the parameter sort: one of the [Orders] of T. Empty
// means the default.
type Sort[T Listed[T]] string

// Enum lists the orders, the default first.
func (Sort[T]) Enum() []string {
	var row T
	return row.Orders().names()
}

// What follows is asked by an app when it starts.

// Declared says what is wrong with a field of an input, or nil.
func (Limit) Declared(field reflect.StructField) error {
	return errors.Join(named(field, "limit"), bounded(field, "minimum", 1, MaxLimit), bounded(field, "maximum", 1, MaxLimit))
}

// Declared says what is wrong with a field of an input, or nil.
func (Offset) Declared(field reflect.StructField) error {
	return errors.Join(named(field, "offset"), bounded(field, "minimum", 0, MaxOffset), bounded(field, "maximum", 0, MaxOffset))
}

// Declared says what is wrong with a field of an input, or nil.
func (Cursor) Declared(field reflect.StructField) error { return named(field, "cursor") }

// Declared says what is wrong with a field of an input, or with the orders, or nil.
func (Sort[T]) Declared(field reflect.StructField) error {
	var row T
	return errors.Join(named(field, "sort"), row.Orders().check())
}

// named wants the name that a cursor is not bound to.
func named(field reflect.StructField, name string) error {
	if field.Tag.Get("query") != name {
		return fmt.Errorf("want the tag `query:%q`: links to other pages have that name", name)
	}
	return nil
}

func bounded(field reflect.StructField, tag string, least, most int) error {
	if n, err := strconv.Atoi(field.Tag.Get(tag)); err != nil || n < least || n > most {
		return fmt.Errorf("want the tag %s, from %d to %d", tag, least, most)
	}
	return nil
}
