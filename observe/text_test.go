package observe_test

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/fastness/fastness/observe"
)

func TestPrintable(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		max      int
		want     string
	}{
		{"plain text stays", "GET /items?", 20, "GET /items?"},
		{"letters stay", "café 漢字", 20, "café 漢字"},
		{"a line break is escaped", "a\r\nb", 20, `a\r\nb`},
		{"an escape sequence is escaped", "\x1b[2J", 20, `\x1b[2J`},
		{"NUL is escaped", "\x00", 20, `\x00`},
		{"a turn of direction is escaped", "\u202e", 20, `\u202e`},
		{"a line separator is escaped", "\u2028", 20, `\u2028`},
		{"a character without width is escaped", "\u200b\ufeff", 20, `\u200b\ufeff`},
		{"a tag character is escaped", "\U000e0041", 20, `\U000e0041`},
		{"a byte that is no text is escaped", "\xff", 20, `\xff`},
		{"the replacement character stays", "\ufffd", 20, "\ufffd"},
		{"a quotation mark stays", `'"`, 20, `'"`},
		{"an escape cannot be forged", `\u202e`, 20, `\\u202e`},
		{"a text that fits is not cut", "abcd", 4, "abcd"},
		{"a text that is too long is cut", "abcde", 4, "abcd…"},
		{"a cut does not split a character", "abcé", 4, "abc…"},
		{"a cut does not split an escape", "abc\n", 4, "abc…"},
		{"nothing stays nothing", "", 4, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := observe.Printable(tt.in, tt.max); got != tt.want {
				t.Errorf("Printable(%q, %d) = %q, want %q", tt.in, tt.max, got, tt.want)
			}
		})
	}
}

func FuzzPrintable(f *testing.F) {
	f.Add(hostile, 10)
	f.Add("plain", 3)
	f.Add(`\n`+"\n", 100)
	f.Fuzz(func(t *testing.T, s string, max int) {
		if max < 0 || max > 1<<16 {
			return
		}
		got := observe.Printable(s, max)
		if len(got) > max+len("…") || !utf8.ValidString(got) {
			t.Fatalf("Printable(%q, %d) = %q", s, max, got)
		}
		if i := strings.IndexFunc(got, func(r rune) bool { return !strconv.IsPrint(r) }); i >= 0 {
			t.Fatalf("Printable(%q, %d) = %q: byte %d does not print", s, max, got, i)
		}
		if 4*len(s)+10*strings.Count(s, "\\") <= max { // Nothing was cut, so nothing may be lost.
			back, err := strconv.Unquote(`"` + strings.ReplaceAll(got, `"`, `\"`) + `"`)
			if err != nil || back != s {
				t.Fatalf("Printable(%q) = %q reads as %q (%v)", s, got, back, err)
			}
		}
	})
}

func TestIDsAreDistinctAndWellFormed(t *testing.T) {
	var ids observe.IDs
	var mu sync.Mutex
	seen := map[string]bool{}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 2000 {
				id := ids.New()
				raw, err := hex.DecodeString(id)
				mu.Lock()
				if err != nil || len(raw) != 16 || strings.ToLower(id) != id || seen[id] || id == strings.Repeat("0", 32) {
					t.Errorf("id %q", id)
				}
				seen[id] = true
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if a, b := observe.NewID(), observe.NewID(); len(a) != 32 || a == b {
		t.Errorf("NewID gave %q and %q", a, b)
	}
}

func TestAllocations(t *testing.T) {
	var ids observe.IDs
	ctx := observe.WithID(context.Background(), "id")
	logger := slog.New(slog.NewJSONHandler(io.Discard, nil))
	access := observe.Access{Method: "GET", Route: "/items/{id}", Path: "/items/7", Status: 200, Duration: time.Millisecond, RequestID: "id"}
	quiet := slog.New(slog.DiscardHandler)
	for _, tt := range []struct {
		name string
		most float64
		f    func()
	}{
		{"an id is its text", 1, func() { _ = ids.New() }},
		{"the id of a context is free", 0, func() { _ = observe.ID(ctx) }},
		{"a harmless text is free", 0, func() { _ = observe.Printable("/items/7", 256) }},
		{"a line that nobody wants is free", 0, func() { access.Log(ctx, quiet) }},
		{"a line", 3, func() { access.Log(ctx, logger) }},
	} {
		// The race detector makes sync.Pool forget, so the average counts.
		if n := testing.AllocsPerRun(1000, tt.f); n > tt.most {
			t.Errorf("%s: %v allocations, want at most %v", tt.name, n, tt.most)
		}
	}
}

func BenchmarkIDs(b *testing.B) {
	var ids observe.IDs
	b.Run("IDs.New", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_ = ids.New()
		}
	})
	b.Run("IDs.New parallel", func(b *testing.B) {
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				_ = ids.New()
			}
		})
	})
	b.Run("NewID", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_ = observe.NewID()
		}
	})
}

func BenchmarkHandler(b *testing.B) {
	h := observe.Handler(observe.Config{Logger: slog.New(slog.NewJSONHandler(io.Discard, nil))})(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {}))
	r := httptest.NewRequest("GET", "/items/7", nil)
	w := httptest.NewRecorder()
	b.ReportAllocs()
	for b.Loop() {
		h.ServeHTTP(w, r)
	}
}

func BenchmarkAccessLog(b *testing.B) {
	logger := slog.New(slog.NewJSONHandler(io.Discard, nil))
	a := observe.Access{Method: "GET", Route: "/items/{id}", Path: "/items/7", Status: 200, Duration: time.Millisecond, RequestID: "id", UserAgent: "curl/8.1", Client: netip.MustParseAddr("192.0.2.1")}
	b.ReportAllocs()
	for b.Loop() {
		a.Log(b.Context(), logger)
	}
}

func ExampleHandler() {
	plain := slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		switch a.Key {
		case "time", "duration_ms", "request_id": // they differ each time
			return slog.Attr{}
		}
		return a
	}})
	mux := http.NewServeMux()
	mux.HandleFunc("GET /items/{id}", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "Lamp") })
	h := observe.Handler(observe.Config{Logger: slog.New(plain)})(mux)

	r := httptest.NewRequest("GET", "/items/7?token=secret", nil)
	r.Header.Set("User-Agent", "me\nlevel=INFO msg=forged")
	h.ServeHTTP(httptest.NewRecorder(), r)
	// Output:
	// level=INFO msg=request method=GET route="GET /items/{id}" path=/items/7 status=200 bytes=4 client=192.0.2.1 user_agent="me\\nlevel=INFO msg=forged"
}

func ExampleAccess_Log() {
	logger := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == "time" {
			return slog.Attr{}
		}
		return a
	}}))
	line := observe.Access{Method: "GET", Path: "/", Status: 200, Duration: 2 * time.Millisecond, RequestID: "7f"}
	line.Log(context.Background(), logger)
	// Output:
	// level=INFO msg=request method=GET route="" path=/ status=200 bytes=0 duration_ms=2 client="" user_agent="" request_id=7f
}
