package schema_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/fastness/fastness/problem"
	"github.com/fastness/fastness/schema"
)

type stay struct {
	From  int    `json:"from" minimum:"0"`
	To    int    `json:"to"`
	Guest string `json:"guest,omitzero"`
}

var errDatabase = errors.New("connect to db.internal:5432: password of postgres refused")

type guestKey struct{}

func (s stay) Validate(ctx context.Context) error {
	var wrong []error
	if s.To <= s.From {
		wrong = append(wrong, schema.Invalid("to must be after from").At("to"))
	}
	if s.Guest == "nobody" {
		wrong = append(wrong, fmt.Errorf("look up the guest: %w", schema.Invalid("no such guest").At("guest").Named("no_guest").With("guests", 3)))
	}
	if s.Guest == "down" {
		wrong = append(wrong, errDatabase)
	}
	if s.Guest == "me" && ctx.Value(guestKey{}) == nil {
		wrong = append(wrong, schema.Invalid("nobody is signed in"))
	}
	return errors.Join(wrong...)
}

type trip struct {
	Stays []stay             `json:"stays"`
	Extra map[string]stay    `json:"extra,omitzero"`
	Even  even               `json:"even,omitzero"`
	Evens schema.Opt[[]even] `json:"evens"`
}

// even has a rule that no tag can say.
type even int

func (e even) Validate(context.Context) error {
	if e%2 != 0 {
		return schema.Invalid("must be even")
	}
	return nil
}

func TestValidateHasTheLastWord(t *testing.T) {
	testSent(t, []sentCase[trip]{
		{"valid", `{"stays":[{"from":1,"to":2}],"even":4}`, trip{Stays: []stay{{From: 1, To: 2}}, Even: 4}},
		{"the place is below the value", `{"stays":[{"from":1,"to":2},{"from":2,"to":1}]}`, refused("/stays/1/to value_error")},
		{"inside a map", `{"stays":[],"extra":{"a/b":{"from":2,"to":1}}}`, refused("/extra/a~1b/to value_error")},
		{"several at once", `{"stays":[{"from":2,"to":1,"guest":"nobody"}]}`, refused("/stays/0/to value_error, /stays/0/guest no_guest")},
		{"a value that breaks a tag is not asked", `{"stays":[{"from":-1,"to":-2}]}`, refused("/stays/0/from greater_than_equal")},
		{"its neighbour still is", `{"stays":[{"from":-1,"to":-2},{"from":2,"to":1}]}`, refused("/stays/0/from greater_than_equal, /stays/1/to value_error")},
		{"a type that is no struct", `{"stays":[],"even":3}`, refused("/even value_error")},
		{"inside an Opt of a list", `{"stays":[],"evens":[2,3]}`, refused("/evens/1 value_error")},
		{"absent values are not asked", `{"stays":[]}`, trip{Stays: []stay{}}},
	})
}

func TestTheContextReachesValidate(t *testing.T) {
	stays := typed[stay](t)
	body := []byte(`{"from":1,"to":2,"guest":"me"}`)
	if _, err := stays.Decode(context.WithValue(t.Context(), guestKey{}, true), body); err != nil {
		t.Errorf("Decode() = %v with a guest in the context", err)
	}
	if _, err := stays.Decode(t.Context(), body); verdict(err) != refused("value_error") {
		t.Errorf("Decode() = %v without a guest in the context", err)
	}
	report := schema.Report{} // without a context
	plan(t, stay{}, "").Decode(&report, body, reflectNew[stay]())
	if verdict(report.Err()) != refused("value_error") {
		t.Errorf("Decode() = %v without a context", report.Err())
	}
}

func TestInvalidSaysWhatTheCallerSees(t *testing.T) {
	_, err := typed[stay](t).Decode(t.Context(), []byte(`{"from":1,"to":2,"guest":"nobody"}`))
	p, ok := errors.AsType[*problem.Problem](err)
	if !ok || len(p.Errors) != 1 {
		t.Fatalf("Decode() = %v, want one violation", err)
	}
	const want = `{"in":"body","pointer":"/guest","code":"no_guest","detail":"no such guest","limits":{"guests":3}}`
	if got := string(p.Errors[0].AppendJSON(nil)); got != want {
		t.Errorf("violation %s, want %s", got, want)
	}
}

// TestUnknownErrorOfValidateIsNotShown: a database's error text has hosts and
// statements in it.
func TestUnknownErrorOfValidateIsNotShown(t *testing.T) {
	for _, body := range []string{
		`{"from":1,"to":2,"guest":"down"}`,
		`{"from":2,"to":1,"guest":"down"}`, // beside a violation
	} {
		_, err := typed[stay](t).Decode(t.Context(), []byte(body))
		if !errors.Is(err, errDatabase) {
			t.Errorf("%s: Decode() = %v, want the cause for the log", body, err)
		}
		shown := problem.From(err)
		if text := string(shown.AppendJSON(nil)); shown.Status != http.StatusInternalServerError || strings.Contains(text, "internal:5432") {
			t.Errorf("%s: the caller sees %s", body, text)
		}
	}
}

func TestReportsMerge(t *testing.T) {
	var query, body schema.Report
	query.In, body.In = "query", "body"
	query.Violate([]problem.Segment{problem.Name("limit")}, "missing")
	body.Prefix = []problem.Segment{problem.Name("item")}
	plan(t, stay{}, "").Decode(&body, []byte(`{"from":"x","to":1}`), reflectNew[stay]())
	query.Merge(&body)
	if query.OK() {
		t.Fatal("OK() with violations")
	}
	p, _ := errors.AsType[*problem.Problem](query.Err())
	if got := verdict(p); got != refused("/limit missing, /item/from int_type") || p.Errors[0].In != "query" || p.Errors[1].In != "body" {
		t.Errorf("merged: %v in %s and %s", got, p.Errors[0].In, p.Errors[1].In)
	}
	body.Fail(errDatabase)
	query.Merge(&body)
	if !errors.Is(query.Err(), errDatabase) {
		t.Errorf("Err() = %v, want the failure", query.Err())
	}
}
