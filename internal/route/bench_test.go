package route_test

import (
	"fmt"
	"net/url"
	"testing"

	"github.com/fastness/fastness/internal/route"
)

// many returns a tree of n routes over resources as an API has them.
func many(t testing.TB, n int) *route.Tree[int] {
	t.Helper()
	var tr route.Tree[int]
	shapes := []struct{ method, pattern string }{
		{"GET", "/v1/r%d"}, {"POST", "/v1/r%d"}, {"GET", "/v1/r%d/{id}"}, {"PUT", "/v1/r%d/{id}"}, {"GET", "/v1/r%d/{id}/parts/{part}"},
	}
	for i := range n {
		s := shapes[i%len(shapes)]
		if err := tr.Add(s.method, fmt.Sprintf(s.pattern, i/len(shapes)), i); err != nil {
			t.Fatal(err)
		}
	}
	if n == 1 {
		if err := tr.Add("GET", "/v1/r0/{id}", 2); err != nil {
			t.Fatal(err)
		}
	}
	return &tr
}

func searches(t testing.TB, n int) []struct {
	name, method string
	url          *url.URL
	want         route.Outcome
} {
	last := (n - 1) / 5
	return []struct {
		name, method string
		url          *url.URL
		want         route.Outcome
	}{
		{"found", "GET", target(t, fmt.Sprintf("/v1/r%d/12345", last)), route.Found},
		{"found_encoded", "GET", target(t, fmt.Sprintf("/v1/r%d/%%61b%%2Cc%%C3%%A9", last)), route.Found},
		{"404", "GET", target(t, fmt.Sprintf("/v1/s%d/12345", last)), route.NotFound},
		{"404_late", "GET", target(t, fmt.Sprintf("/v1/r%d/12345/none/6", last)), route.NotFound},
		{"405", "PATCH", target(t, fmt.Sprintf("/v1/r%d/12345", last)), route.MethodNotAllowed},
		{"options", "OPTIONS", target(t, fmt.Sprintf("/v1/r%d/12345", last)), route.Options},
		{"400", "GET", target(t, fmt.Sprintf("/v1/r%d/%%2e%%2e", last)), route.Malformed},
	}
}

func TestFindAllocatesNothing(t *testing.T) {
	for _, n := range []int{1, 200, 1000} {
		tr := many(t, n)
		for _, s := range searches(t, n) {
			var got route.Outcome
			allocs := testing.AllocsPerRun(100, func() {
				m := tr.Find(s.method, s.url)
				got = m.Outcome
			})
			if got != s.want || allocs != 0 {
				t.Errorf("%d routes, %s: %v with %v allocations, want %v with 0", n, s.name, got, allocs, s.want)
			}
		}
	}
}

func BenchmarkFind(b *testing.B) {
	for _, n := range []int{1, 200, 1000} {
		tr := many(b, n)
		for _, s := range searches(b, n) {
			b.Run(fmt.Sprintf("%s/routes=%d", s.name, n), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if m := tr.Find(s.method, s.url); m.Outcome != s.want {
						b.Fatal(m.Outcome)
					}
				}
			})
		}
	}
}
