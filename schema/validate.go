package schema

import (
	"context"
	"errors"
	"reflect"
	"strings"
)

// Checks are the Validate methods of a type: its own, and those of the structs
// embedded in it. Go alone would not find them all: of two embedded types with
// Validate it promotes neither, and a type's own hides the one below it, so that
// a rule vanishes when a second one is added.
type Checks struct {
	own      bool
	embedded []embeddedChecks
}

type embeddedChecks struct {
	field int
	typ   reflect.Type
	Checks
}

// ChecksOf returns the checks of t, or nil if it has none. A struct that is
// embedded under a name of its own (json:"name") is a member like any other.
func ChecksOf(t reflect.Type) *Checks {
	c := checksOf(t)
	if c.none() {
		return nil
	}
	return &c
}

func checksOf(t reflect.Type) Checks {
	c := Checks{own: Validates(t)}
	if t.Kind() != reflect.Struct {
		return c
	}
	for i := range t.NumField() {
		sf := t.Field(i)
		name, _, _ := strings.Cut(sf.Tag.Get("json"), ",")
		if !sf.Anonymous || sf.Type.Kind() != reflect.Struct || name != "" {
			continue
		}
		if inner := checksOf(sf.Type); !inner.none() {
			c.embedded = append(c.embedded, embeddedChecks{i, sf.Type, inner})
		}
	}
	return c
}

func (c *Checks) none() bool { return !c.own && len(c.embedded) == 0 }

// Validate asks the embedded structs, all of them, and then v itself, if none of
// them objected: so it may rely on what they promise, and an error that it
// passes on or that is its own by promotion is reported once. A method that Go
// promotes and that objects to nothing is asked under both names: which is which
// cannot be told, and not to ask could be to skip a rule. V must be addressable.
func (c *Checks) Validate(ctx context.Context, v reflect.Value) error {
	var wrong []error
	for i := range c.embedded {
		e := &c.embedded[i]
		// The type may be unexported, and reflect would not let go of its value.
		inner := reflect.NewAt(e.typ, v.Field(e.field).Addr().UnsafePointer()).Elem()
		if err := e.Validate(ctx, inner); err != nil {
			wrong = append(wrong, err)
		}
	}
	switch {
	case wrong != nil:
		return errors.Join(wrong...)
	case c.own:
		return validate(ctx, v)
	}
	return nil
}

// ask reports what the checks of n object to in v.
func (d *decoder) ask(n *structNode, v reflect.Value) {
	ctx := d.report.Context
	if ctx == nil {
		ctx = context.Background()
	}
	if err := n.checks.Validate(ctx, v); err != nil {
		d.report.reject(err, d.path, n, d.answers)
	}
}
