package spec

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestComplaintsAndOperationsAreBounded(t *testing.T) {
	var b strings.Builder
	b.WriteString("{\"paths\":{")
	for i := range maxOperations + 10 {
		fmt.Fprintf(&b, "\"/p%d/{id}\":{\"get\":{}},", i)
	}
	b.WriteString("\"/z\":{}}}")
	api := parsed(t, b.String(), ParseConfig{})
	equal(t, "operations", len(api.Operations), maxOperations)
	equal(t, "complaints", len(api.Complaints), maxComplaints)
}

func TestAWideAliasBombAsAnExampleIsCut(t *testing.T) {
	var b strings.Builder
	b.WriteString("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n")
	for i := 1; i < 7; i++ { // ten million values, less deep than the bound
		fmt.Fprintf(&b, "a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d,", i-1), 10), ","))
	}
	b.WriteString("paths: {/a: {get: {parameters: [{name: q, in: query, example: *a6}]}}}\n")
	within(t, 3*time.Second, 20, func() { parsed(t, b.String(), ParseConfig{}) })
}

func TestCheckHasABudget(t *testing.T) {
	s := &Schema{Types: []string{"object"}}
	for range 20 { // 4^20 alternatives
		s = &Schema{AnyOf: []*Schema{{AnyOf: []*Schema{s, s}}, {AnyOf: []*Schema{s, s}}}}
	}
	within(t, 5*time.Second, 200, func() { s.Check("no object") })
}
