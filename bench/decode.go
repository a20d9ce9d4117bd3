package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"

	"github.com/bytedance/sonic"
	"github.com/danielgtaylor/huma/v2"
	"github.com/go-faster/jx"
	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/fastness/fastness/bench/ogenapi"
	"github.com/fastness/fastness/bench/work"
)

func decodeThenValidator() (func([]byte) error, error) {
	v, err := newValidator()
	if err != nil {
		return nil, err
	}
	return func(body []byte) error {
		o := new(work.Order)
		if err := json.Unmarshal(body, o); err != nil {
			return err
		}
		return v.Struct(o)
	}, nil
}

func decodeThenCheck() (func([]byte) error, error) {
	return func(body []byte) error {
		o := new(work.Order)
		if err := json.Unmarshal(body, o); err != nil {
			return err
		}
		if bad := o.Check(); bad != nil {
			return fmt.Errorf("%d rules are broken", len(bad))
		}
		return nil
	}, nil
}

// decodeTwice validates the tree with Huma's validator, which is the one at
// hand that follows the tags of the work; the schema is made once, and the
// path buffer and the result are reset as Huma itself does.
func decodeTwice() (func([]byte) error, error) {
	registry := huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer)
	schema := huma.SchemaFromType(registry, reflect.TypeFor[work.Order]())
	path, result := huma.NewPathBuffer(make([]byte, 0, 128), 0), new(huma.ValidateResult)
	return func(body []byte) error {
		var tree any
		if err := json.Unmarshal(body, &tree); err != nil {
			return err
		}
		path.Reset()
		result.Reset()
		huma.Validate(registry, schema, path, huma.ModeWriteToServer, tree, result)
		if len(result.Errors) > 0 {
			return errors.Join(result.Errors...)
		}
		return json.Unmarshal(body, new(work.Order))
	}, nil
}

func decodeV2() (func([]byte) error, error) {
	check, strict := work.Compile(), jsonv2.RejectUnknownMembers(true)
	return func(body []byte) error {
		o := new(work.Order)
		if err := jsonv2.Unmarshal(body, o, strict); err != nil {
			return err
		}
		return check(o)
	}, nil
}

func decodeSonic() (func([]byte) error, error) {
	check := work.Compile()
	strict := sonic.Config{DisallowUnknownFields: true, ValidateString: true, CopyString: true}.Froze()
	return func(body []byte) error {
		o := new(work.Order)
		if err := strict.Unmarshal(body, o); err != nil {
			return err
		}
		return check(o)
	}, nil
}

// decodeOgen does what the generated server does with a body that it has read.
func decodeOgen() (func([]byte) error, error) {
	return func(body []byte) error {
		d := jx.DecodeBytes(body)
		o := new(ogenapi.Order)
		if err := o.Decode(d); err != nil {
			return err
		}
		if err := d.Skip(); !errors.Is(err, io.EOF) {
			return errors.New("want nothing after the value")
		}
		return o.Validate()
	}, nil
}

func floorSyntax() (func([]byte) error, error) {
	return func(body []byte) error {
		if !jsontext.Value(body).IsValid() {
			return errors.New("want JSON")
		}
		return nil
	}, nil
}

// floorCopy is the memory that the answer of a decoder needs: the struct and
// the bytes that its strings point into, in one allocation.
func floorCopy() (func([]byte) error, error) {
	type pinned struct {
		_     work.Order
		_     [3]work.Line
		_     [5]string
		bytes [1100]byte
	}
	var kept *pinned
	return func(body []byte) error {
		kept = new(pinned)
		if n := copy(kept.bytes[:], body); n != len(body) {
			return errors.New("the body does not fit")
		}
		return nil
	}, nil
}
