package schema_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/fastness/fastness/problem"
	"github.com/fastness/fastness/schema"
)

// violationsOf decodes data as a T and returns what is wrong with it.
func violationsOf[T any](t *testing.T, data string) []problem.Violation {
	t.Helper()
	typ, err := schema.For[T]()
	if err != nil {
		t.Fatal(err)
	}
	_, err = typ.Decode(t.Context(), []byte(data))
	p, ok := errors.AsType[*problem.Problem](err)
	if !ok {
		t.Fatalf("Decode(%.60s) = %v, want a problem", data, err)
	}
	return p.Errors
}

func TestLongNamesAreNotEchoedWhateverRuleIsBroken(t *testing.T) {
	type ids struct {
		IDs map[string]string `json:"ids" format:"uuid"`
	}
	v := violationsOf[ids](t, `{"ids":{"`+strings.Repeat("x", 5000)+`":"no"}}`)
	if len(v) != 1 || v[0].Code != "uuid_parsing" || len(v[0].Pointer()) > 100 {
		t.Errorf("violations %+v, want one uuid_parsing with a short pointer", v)
	}
}

func TestFormatSaysWhyTheTextIsWrong(t *testing.T) {
	type event struct {
		Day string `json:"day" format:"date"`
	}
	v := violationsOf[event](t, `{"day":"2020-13-01"}`)
	const want = "Input should be a valid date or datetime, month value is outside expected range of 1-12"
	if len(v) != 1 || v[0].Detail != want {
		t.Errorf("violations %+v, want %q", v, want)
	}
}

func TestPatternIsShownAsItIsDeclared(t *testing.T) {
	type code struct {
		Code string `json:"code" pattern:"^a{s}$"`
	}
	v := violationsOf[code](t, `{"code":"b"}`)
	if want := "String should match pattern '^a{s}$'"; len(v) != 1 || v[0].Detail != want {
		t.Errorf("violations %+v, want %q", v, want)
	}
}
