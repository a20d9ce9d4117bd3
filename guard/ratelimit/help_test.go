package ratelimit_test

import (
	"context"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fastness/fastness/guard/ratelimit"
	"github.com/fastness/fastness/problem"
)

const minute = time.Minute

func memory(t testing.TB, cfg ratelimit.MemoryConfig) *ratelimit.Memory {
	t.Helper()
	m, err := ratelimit.NewMemory(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func limiter(t testing.TB, cfg ratelimit.Config) *ratelimit.Limiter {
	t.Helper()
	l, err := ratelimit.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func spend(key string, a ratelimit.Algorithm, quotas ...ratelimit.Quota) *ratelimit.Spend {
	return &ratelimit.Spend{Key: []byte(key), Cost: 1, Algorithm: a, Quotas: quotas, States: make([]ratelimit.State, len(quotas))}
}

type atomicCounter struct{ n atomic.Uint64 }

func (c *atomicCounter) add() uint64 { return c.n.Add(1) }

// clock is a clock that a test sets.
type clock struct{ nanos atomic.Int64 }

func newClock() *clock {
	c := new(clock)
	c.nanos.Store(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).UnixNano())
	return c
}

func (c *clock) now() time.Time          { return time.Unix(0, c.nanos.Load()).UTC() }
func (c *clock) advance(d time.Duration) { c.nanos.Add(int64(d)) }

// status sends a request and returns what it is answered with.
func status(l *ratelimit.Limiter, c ratelimit.Caller) int {
	err := l.Check(context.Background(), http.Header{}, c)
	if err == nil {
		return http.StatusOK
	}
	return problem.From(err).Status
}
