package work_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/fastness/fastness/bench/work"
)

func decode(t *testing.T, breaks ...work.Break) *work.Order {
	t.Helper()
	body, err := work.Body(breaks...)
	if err != nil {
		t.Fatal(err)
	}
	var o work.Order
	if err := json.Unmarshal(body, &o); err != nil {
		t.Fatal(err)
	}
	return &o
}

func TestTheValidBodyIsAboutOneKilobyteAndBreaksNoRule(t *testing.T) {
	body, err := work.Body()
	if err != nil {
		t.Fatal(err)
	}
	if len(body) < 1000 || len(body) > 1048 {
		t.Errorf("the body has %d bytes, want about 1024", len(body))
	}
	if bad := decode(t).Check(); bad != nil {
		t.Errorf("Check() = %v, want none", bad)
	}
	if err := work.Compile()(decode(t)); err != nil {
		t.Errorf("compiled check = %v, want nil", err)
	}
}

func TestTheInvalidBodyBreaksExactlyTheRulesThatItNames(t *testing.T) {
	var got []string
	for _, v := range decode(t, work.Breaks()...).Check() {
		got = append(got, v.Path)
	}
	if want := work.Pointers(work.Breaks()); !slices.Equal(got, want) {
		t.Errorf("Check() lists %q, want %q", got, want)
	}
}

func TestEachBreakAloneIsSeenByBothFormsOfTheRules(t *testing.T) {
	compiled := work.Compile()
	for _, b := range work.Breaks() {
		o := decode(t, b)
		if bad := o.Check(); len(bad) != 1 || bad[0].Path != b.Pointer {
			t.Errorf("%s: Check() = %v, want that one", b.Pointer, bad)
		}
		if err := compiled(o); err == nil {
			t.Errorf("%s: the compiled check took it", b.Pointer)
		}
	}
}

func TestTheReceiptAddsUpAndIsAboutThreeHundredBytes(t *testing.T) {
	r := work.Place(decode(t))
	if r.Pieces != 40 || r.Subtotal != 842 || r.Discount != 63.15 || r.Total != 778.85 {
		t.Errorf("receipt = %+v", r)
	}
	answer, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	if len(answer) < 250 || len(answer) > 350 {
		t.Errorf("the answer has %d bytes, want about 300", len(answer))
	}
}
