package ratelimit_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"github.com/fastness/fastness/guard/ratelimit"
)

func BenchmarkTake(b *testing.B) {
	for _, a := range []ratelimit.Algorithm{ratelimit.SlidingWindow, ratelimit.GCRA} {
		b.Run(a.String(), func(b *testing.B) {
			m := memory(b, ratelimit.MemoryConfig{})
			s := spend("203.0.113.7", a, ratelimit.Quota{Count: 1_000_000, Window: minute})
			b.ReportAllocs()
			for b.Loop() {
				_ = m.Take(context.Background(), s)
			}
		})
	}
}

// BenchmarkTakeParallel has 4,096 keys for each goroutine. Where each has a
// memory of its own nothing is shared: what that costs on two cores is the
// machine's part.
func BenchmarkTakeParallel(b *testing.B) {
	for _, shared := range []bool{true, false} {
		b.Run(fmt.Sprintf("shared=%t", shared), func(b *testing.B) {
			common := memory(b, ratelimit.MemoryConfig{})
			var next atomicCounter
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				m := common
				if !shared {
					m = memory(b, ratelimit.MemoryConfig{})
				}
				s := spend("", ratelimit.SlidingWindow, ratelimit.Quota{Count: 1_000_000, Window: minute})
				var key [8]byte
				n := next.add()
				for i := uint64(0); pb.Next(); i++ {
					key[0], key[1], key[7] = byte(i), byte(i>>8)&15, byte(n)
					s.Key = key[:]
					_ = m.Take(context.Background(), s)
				}
			})
		})
	}
}

// nothing is a ResponseWriter that does nothing but keep the header.
type nothing http.Header

func (w nothing) Header() http.Header         { return http.Header(w) }
func (w nothing) Write(b []byte) (int, error) { return len(b), nil }
func (w nothing) WriteHeader(int)             {}

func BenchmarkCheck(b *testing.B) {
	for _, bm := range []struct{ name, limit string }{{"200", "1000000000/minute"}, {"429", "1/hour"}} {
		l := limiter(b, ratelimit.Config{Rule: ratelimit.Per(bm.limit)})
		r := httptest.NewRequest("GET", "/", nil)
		c := ratelimit.Caller{Request: r, Addr: netip.MustParseAddr("192.0.2.1")}
		b.Run(bm.name+" Check", func(b *testing.B) {
			w := nothing{}
			b.ReportAllocs()
			for b.Loop() {
				clear(w)
				_ = l.Check(r.Context(), w.Header(), c)
			}
		})
		b.Run(bm.name+" Handler", func(b *testing.B) {
			h := l.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"id":1}`)) }))
			w := nothing{}
			b.ReportAllocs()
			for b.Loop() {
				clear(w)
				h.ServeHTTP(w, r)
			}
		})
	}
}
