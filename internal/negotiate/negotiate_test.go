package negotiate_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/fastness/fastness/internal/negotiate"
)

func Example() {
	ranges, ok := negotiate.Parse([]string{"application/cbor, application/json;q=0.5"})
	fmt.Println(ok, ranges.Best([]string{"application/json"}, []string{"application/cbor"}))
	// Output:
	// true 1
}

func TestBestIsWhatIsWantedMost(t *testing.T) {
	for accept, want := range map[string]int{
		"":                                   0,
		"*/*":                                0,
		"application/*":                      0,
		"application/cbor":                   1,
		"application/json":                   0,
		"APPLICATION/CBOR":                   1,
		"application/json, application/cbor": 0,
		"application/cbor, */*":              1,
		"application/cbor;q=0.9, */*":        0,
		"application/cbor;q=0.9, application/json;q=.9": -2,
		"application/cbor;q=0, */*":                     0,
		"application/json;q=0, */*;q=0.1":               1,
		"application/json;q=0":                          -1,
		"*/*;q=0":                                       -1,
		"text/html":                                     -1,
		"text/html, application/xhtml+xml, */*;q=0.8":   0,
		`application/cbor;x="a,b;q=0";q=0.4, application/json;q=0.3`: 1,
		", ,application/cbor,":                   1,
		"application/cbor;charset=utf-8;q=1.000": 1,
	} {
		ranges, ok := negotiate.Parse([]string{accept})
		got := -2
		if ok {
			got = ranges.Best([]string{"application/json"}, []string{"application/cbor"})
		}
		if got != want {
			t.Errorf("%s: %d, want %d", accept, got, want)
		}
	}
}

func TestWhatIsNotInTheGrammarIsRefused(t *testing.T) {
	for _, accept := range []string{
		"*", "application", "application/", "/json", "*/json", "a/b/c", "a/b;q", "a/b;q=", "a/b;q=2", "a/b;q=1.001", "a/b;q=0.1234",
		"a/b;q=-1", "a/b;q=.5", "a/b;q=0.5;q=0.6", "a/b;q=NaN", `a/b;x="`, `a/b;x="\"`, "a/b;x=y z", "a b/c", "a/b\x00", "a/b;q=0,5",
		strings.Repeat("a/b,", 33), "a/" + strings.Repeat("b", 2048),
	} {
		if ranges, ok := negotiate.Parse([]string{accept}); ok {
			t.Errorf("%.40q is read as %v", accept, ranges)
		}
	}
	if _, ok := negotiate.Parse([]string{strings.Repeat("a", 1000) + "/b", strings.Repeat("a", 1100) + "/b"}); ok {
		t.Error("many fields are read that are too long together")
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"", "*/*", "a/b;q=0.5, c/d", `a/b;x="\",";q=1`, "text/html, */*;q=.2"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, accept string) {
		ranges, ok := negotiate.Parse([]string{accept})
		if !ok {
			return
		}
		if len(ranges) > 32 {
			t.Fatalf("%d ranges", len(ranges))
		}
		best := ranges.Best([]string{"application/json"}, []string{"application/cbor"})
		if best < -1 || best > 1 || len(ranges) == 0 && best != 0 {
			t.Fatalf("%q: %d", accept, best)
		}
		// The order of the offers decides only between equal wishes.
		turned := ranges.Best([]string{"application/cbor"}, []string{"application/json"})
		if (best == -1) != (turned == -1) {
			t.Fatalf("%q: %d, turned around %d", accept, best, turned)
		}
	})
}
