package schema_test

import (
	"context"
	"errors"
	"reflect"
	"testing"

	"github.com/fastness/fastness/schema"
)

// window and signed have rules of their own and are embedded side by side:
// Go promotes neither of the two methods.
type window struct {
	From int `json:"from"`
	To   int `json:"to"`
}

func (w window) Validate(context.Context) error {
	if w.To <= w.From {
		return schema.Invalid("to must be after from").At("to")
	}
	return nil
}

type signed struct {
	Reason string `json:"reason"`
}

func (a *signed) Validate() error {
	if a.Reason == "because" {
		return schema.Invalid("that is no reason").At("reason")
	}
	return nil
}

type booking struct {
	window
	signed
	Room int `json:"room"`
}

// suite hides the methods below it with one of its own.
type suite struct {
	booking
	Beds int `json:"beds"`
}

func (s suite) Validate(context.Context) error {
	if s.Beds > s.Room {
		return schema.Invalid("more beds than rooms").At("beds")
	}
	return nil
}

// promoted has a Validate method only because window has one.
type promoted struct {
	window
}

// passesOn calls what it hides.
type passesOn struct {
	window
}

func (p passesOn) Validate(ctx context.Context) error { return errors.Join(p.window.Validate(ctx)) }

func TestTwoEmbeddedTypesAreBothAsked(t *testing.T) {
	testSent(t, []sentCase[booking]{
		{"valid", `{"from":1,"to":2,"reason":"x","room":1}`, booking{window{1, 2}, signed{"x"}, 1}},
		{"the first objects", `{"from":2,"to":1,"reason":"x","room":1}`, refused("/to value_error")},
		{"the second objects", `{"from":1,"to":2,"reason":"because","room":1}`, refused("/reason value_error")},
		{"both object", `{"from":2,"to":1,"reason":"because","room":1}`, refused("/to value_error, /reason value_error")},
		{"not before the tags are kept", `{"from":"2","to":1,"reason":"because","room":1}`, refused("/from int_type")},
	})
}

func TestAnOuterValidateDoesNotHideTheEmbeddedOnes(t *testing.T) {
	testSent(t, []sentCase[suite]{
		{"valid", `{"from":1,"to":2,"reason":"x","room":2,"beds":2}`, suite{booking{window{1, 2}, signed{"x"}, 2}, 2}},
		{"what is hidden two levels down objects", `{"from":2,"to":1,"reason":"x","room":2,"beds":2}`, refused("/to value_error")},
		{"the outer one objects", `{"from":1,"to":2,"reason":"x","room":1,"beds":2}`, refused("/beds value_error")},
		{"the outer one may rely on the inner ones", `{"from":2,"to":1,"reason":"x","room":1,"beds":2}`, refused("/to value_error")},
	})
}

func TestAViolationOfAnEmbeddedTypeIsReportedOnce(t *testing.T) {
	for _, err := range []error{
		decodeErr[promoted](t, `{"from":2,"to":1}`),
		decodeErr[passesOn](t, `{"from":2,"to":1}`),
	} {
		if verdict(err) != refused("/to value_error") {
			t.Errorf("Decode() = %v, want one violation", err)
		}
	}
}

func decodeErr[T any](t *testing.T, text string) error {
	t.Helper()
	_, err := typed[T](t).Decode(t.Context(), []byte(text))
	return err
}

func TestChecksOf(t *testing.T) {
	type named struct {
		window `json:"window"`
		Other  struct{ signed }
	}
	for _, c := range []struct {
		name string
		typ  any
		want bool
	}{
		{"a type's own", window{}, true},
		{"embedded ones", booking{}, true},
		{"a promoted one", named{}, true},
		{"no struct", even(0), true},
		{"none", member{}, false},
	} {
		if got := schema.ChecksOf(reflect.TypeOf(c.typ)) != nil; got != c.want {
			t.Errorf("%s: ChecksOf(%T) found %v, want %v", c.name, c.typ, got, c.want)
		}
	}
}
