package page

import (
	"cmp"
	"database/sql/driver"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/fastness/fastness/sqldb"
)

// Listed is a row of a list, which says by what the list may be sorted. Two lists of
// the same rows with other orders are of two types.
type Listed[T any] interface{ Orders() Orders[T] }

// Orders are those in which a list may be asked for. Each is one that an index of the
// database should have: callers cannot combine them.
type Orders[T any] struct {
	// Default is the order if the caller names none: a name of By, with a leading "-"
	// if it is turned round.
	Default string
	// By are the orders by their names, which have the characters a-z, A-Z, 0-9, "_" and ".": those of
	// the members, in the style of the app, are what callers expect.
	By map[string][]Column[T]
	// Unique is a column that no two rows of the list share, and that is never null:
	// each order ends with it, so that it is one order only.
	Unique Column[T]
}

// Column is what rows are sorted by. [By] makes one.
type Column[T any] struct {
	sql      sqldb.Fragment
	typ      reflect.Type
	value    func(T) any
	down     bool
	nullable bool
}

// By returns a column: what it is in SQL, and its value in a row that was read. The
// value is what the statement would be given as an argument to find it: an integer, a
// float, a text, a bool, a time or a [driver.Valuer] of them. It is a pointer if the
// column can be null. Texts should be bounded: a cursor holds them, and has at most
// [MaxCursor] characters.
func By[T, V any](column sqldb.Fragment, value func(T) V) Column[T] {
	c := Column[T]{sql: column, typ: reflect.TypeFor[V]()}
	c.nullable = c.typ.Kind() == reflect.Pointer
	if value != nil {
		c.value = func(row T) any { return value(row) }
	}
	return c
}

// Descending returns the column sorted the other way.
func (c Column[T]) Descending() Column[T] {
	c.down = !c.down
	return c
}

// of returns the value of a row, as drivers take it.
func (c Column[T]) of(row T) (any, error) {
	v, err := driver.DefaultParameterConverter.ConvertValue(c.value(row))
	if err != nil {
		return nil, fmt.Errorf("column %s: %w", c.sql, err)
	}
	if v == nil && !c.nullable {
		return nil, fmt.Errorf("column %s is null in a row: want a function that returns a pointer", c.sql)
	}
	return v, nil
}

// mistake says what is wrong with the column, or nothing.
func (c Column[T]) mistake() string {
	valuer := reflect.TypeFor[driver.Valuer]()
	switch {
	case c.sql.String() == "" || strings.Contains(c.sql.String(), "?"):
		return "want the name of a column, or an expression without arguments"
	case c.value == nil:
		return "the function that returns its value is nil"
	case c.typ.PkgPath() == "database/sql":
		return "want a pointer for what can be null"
	case c.typ.Implements(valuer), c.typ.String() == "time.Time", c.typ.String() == "*time.Time":
		return ""
	}
	t := c.typ
	if c.nullable {
		t = t.Elem()
	}
	switch kind := t.Kind(); {
	case kind == reflect.Bool, kind == reflect.String, reflect.Int <= kind && kind <= reflect.Uint64, kind == reflect.Float32, kind == reflect.Float64:
		return ""
	}
	return fmt.Sprintf("values of type %s cannot be sorted", c.typ)
}

// isOrderName reports whether name is one that callers can write as it is.
func isOrderName(name string) bool {
	return name != "" && len(name) <= 64 && strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.") == ""
}

// check names every mistake.
func (o Orders[T]) check() error {
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if len(o.By) == 0 {
		wrong("By is empty")
	}
	if _, ok := o.By[strings.TrimPrefix(o.Default, "-")]; !ok {
		wrong("Default is %q, want a name of By", o.Default)
	}
	for _, name := range slices.Sorted(maps.Keys(o.By)) {
		columns := o.By[name]
		if !isOrderName(name) {
			wrong("By: the name %q: want a-z, A-Z, 0-9, _ and .", name)
		}
		if len(columns) == 0 || len(columns) > 8 {
			wrong("By: %q has %d columns, want 1 to 8", name, len(columns))
		}
		for i, c := range columns {
			if m := c.mistake(); m != "" {
				wrong("By: %q: column %d: %s", name, i+1, m)
			}
		}
	}
	if m := o.Unique.mistake(); m != "" {
		wrong("Unique: %s", m)
	} else if o.Unique.nullable {
		wrong("Unique: a column that can be null is no such column")
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("orders of %s: %w", reflect.TypeFor[T](), err)
	}
	return nil
}

// names returns what callers may ask for, the default first.
func (o Orders[T]) names() []string {
	var all []string
	for name := range o.By {
		all = append(all, name, "-"+name)
	}
	slices.SortFunc(all, func(a, b string) int {
		if a == o.Default || b == o.Default {
			return cmp.Compare(btoi(b == o.Default), btoi(a == o.Default))
		}
		return cmp.Or(cmp.Compare(strings.TrimPrefix(a, "-"), strings.TrimPrefix(b, "-")), cmp.Compare(len(a), len(b)))
	})
	return all
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// order is one order, of one direction.
type order[T any] struct{ keys []Column[T] }

// order finds the one that a caller asks for. Nothing but a name of By finds one.
func (o Orders[T]) order(asked string) (order[T], error) {
	plain, down := strings.CutPrefix(cmp.Or(asked, o.Default), "-")
	columns, ok := o.By[plain]
	if !ok {
		return order[T]{}, unknownSort(o.names())
	}
	found := order[T]{keys: append(slices.Clone(columns), o.Unique)}
	for i := range found.keys {
		if down {
			found.keys[i] = found.keys[i].Descending()
		}
	}
	return found, nil
}

// values returns where a row stands in the order.
func (o order[T]) values(row T) ([]any, error) {
	values := make([]any, len(o.keys))
	for i, k := range o.keys {
		var err error
		if values[i], err = k.of(row); err != nil {
			return nil, err
		}
	}
	return values, nil
}
