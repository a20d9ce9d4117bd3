package main

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"

	"github.com/go-playground/validator/v10"

	"github.com/fastness/fastness/bench/work"
)

// newValidator returns go-playground/validator with the two rules of the work
// that it has no tag for, and with the names that clients know.
func newValidator() (*validator.Validate, error) {
	v := validator.New(validator.WithRequiredStructEnabled())
	return v, teach(v)
}

func teach(v *validator.Validate) error {
	v.RegisterTagNameFunc(func(f reflect.StructField) string {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		return name
	})
	return errors.Join(
		v.RegisterValidation("sku", func(f validator.FieldLevel) bool { return work.IsSKU(f.Field().String()) }),
		v.RegisterValidation("zip", func(f validator.FieldLevel) bool { return work.IsZip(f.Field().String()) }),
	)
}

// fieldErrors is the answer to an invalid body of the peers that use the
// validator and leave the shape of the answer to the author.
type fieldErrors struct {
	Errors []fieldError `json:"errors"`
}

type fieldError struct {
	Field string `json:"field"`
	Rule  string `json:"rule"`
}

// listed returns what the validator found, or one entry for a body that was
// not decoded.
func listed(err error) fieldErrors {
	found, ok := errors.AsType[validator.ValidationErrors](err)
	if !ok {
		return fieldErrors{[]fieldError{{Rule: "body"}}}
	}
	list := make([]fieldError, len(found))
	for i, f := range found {
		list[i] = fieldError{Field: f.Namespace(), Rule: f.Tag()}
	}
	return fieldErrors{list}
}

// FieldList reads what listed made: "Order.lines[1].qty" and so on.
func FieldList(body []byte) ([]string, error) {
	var list fieldErrors
	if err := json.Unmarshal(body, &list); err != nil {
		return nil, err
	}
	paths := make([]string, len(list.Errors))
	for i, f := range list.Errors {
		_, path, _ := strings.Cut(f.Field, ".")
		paths[i] = pointer(path)
	}
	return paths, nil
}

// pointer turns lines[1].qty into /lines/1/qty.
func pointer(path string) string {
	return "/" + strings.NewReplacer(".", "/", "[", "/", "]", "").Replace(path)
}
