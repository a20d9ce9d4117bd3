package fastness_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth/access"
)

type orderLine struct {
	Name     string   `json:"name" minLength:"1" maxLength:"80" pattern:"^[A-Za-z ]+$"`
	Quantity int      `json:"quantity" minimum:"1" maximum:"1000"`
	Price    float64  `json:"price" minimum:"0"`
	Tags     []string `json:"tags" maxItems:"5" maxLength:"20"`
}

type linesInput struct {
	Body struct {
		Lines []orderLine `json:"lines" maxItems:"100000"`
	}
}

func countLines(_ context.Context, in linesInput) (pathAnswer, error) {
	return pathAnswer{len(in.Body.Lines)}, nil
}

// BenchmarkGrowth shows what a request costs as bodies grow, and as operations do: the
// first is to be linear in bytes, the second flat.
func BenchmarkGrowth(b *testing.B) {
	const line = `{"name":"Watchman lantern","quantity":3,"price":42.50,"tags":["brass","light"]}`
	for _, size := range []int{1 << 10, 4 << 10, 64 << 10, 1 << 20} {
		body := `{"lines":[` + strings.Repeat(line+",", max(1, size/(len(line)+1))-1) + line + `]}`
		b.Run(fmt.Sprintf("body=%dKiB", size>>10), func(b *testing.B) {
			app := costApp()
			fastness.Post(app, "/lines", countLines, access.Public, fastness.BodyLimit(2<<20))
			b.SetBytes(int64(len(body)))
			askFor(b, app, http.MethodPost, "/lines", body)
		})
	}
	for _, n := range []int{10, 100, 1000} {
		b.Run(fmt.Sprintf("operations=%d", n), func(b *testing.B) {
			app := costApp()
			for i := range n {
				fastness.Get(app, fmt.Sprintf("/r%d/{id}/of", i), readPath, access.Public)
			}
			askFor(b, app, http.MethodGet, fmt.Sprintf("/r%d/7/of", n-1), "")
		})
	}
}

// askFor sends the same request again and again.
func askFor(b *testing.B, app *fastness.App, method, target, body string) {
	b.Helper()
	if err := app.Start(b.Context()); err != nil {
		b.Fatal(err)
	}
	reader := strings.NewReader(body)
	r, w := httptest.NewRequest(method, target, io.NopCloser(reader)), &discard{header: make(http.Header)}
	r.ContentLength = int64(len(body))
	r.Header.Set("Content-Type", "application/json")
	b.ReportAllocs()
	for b.Loop() {
		reader.Reset(body)
		clear(w.header)
		if app.ServeHTTP(w, r); w.status != http.StatusOK {
			b.Fatalf("status %d, want 200", w.status)
		}
	}
}
