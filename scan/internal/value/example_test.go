package value_test

import (
	"fmt"
	"math/rand/v2"

	"github.com/fastness/fastness/scan/internal/spec"
	"github.com/fastness/fastness/scan/internal/value"
)

func Example() {
	m := value.Maker{Rand: rand.New(rand.NewPCG(1, 2)), Marker: func() string { return "fz4711aa4711aa" }}
	s := &spec.Schema{Types: []string{"object"}, Names: []string{"title", "qty"}, Properties: map[string]*spec.Schema{
		"title": {Types: []string{"string"}}, "qty": {Types: []string{"integer"}},
	}}
	fmt.Println(m.Make("", "", s, nil), m.Marks)
	// Output: map[qty:1 title:fz4711aa4711aa] map[/title:fz4711aa4711aa]
}
