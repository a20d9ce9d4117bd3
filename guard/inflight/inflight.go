// Package inflight bounds how many requests a server works on at once, so that
// a flood gets quick refusals instead of taking the memory of the whole process.
//
// There is no queue: whoever waits in a queue holds a connection, a goroutine
// and a place that a shorter request could use, and a caller who has given up
// is served all the same. A refused caller gets 503 with Retry-After and may
// ask another instance. The cap is of one process; N instances take N times as
// much.
//
//	limit, err := inflight.New(inflight.Config{Max: 500})
//	server.Handler = limit.Handler(mux)
package inflight

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/fastness/fastness/problem"
)

// Config configures a [Limit]. The zero value is the secure choice.
type Config struct {
	// Max is how many requests may be in flight at once. The default is 1024.
	// It is memory that decides: Max times what one request may hold, body
	// included, must fit.
	Max int
	// RetryAfter is what a refused caller is asked to wait, rounded up to
	// seconds. The default is one second.
	RetryAfter time.Duration
	// InsecureUnlimited, if not empty, says why any number of requests may be in
	// flight. They are still counted.
	InsecureUnlimited string
}

// Limit counts requests in flight. It is safe for concurrent use and must not
// be copied.
type Limit struct {
	max        int64
	retryAfter string

	_     [64]byte // The counter is written by every request; the fields above are only read.
	count atomic.Int64
	_     [64]byte
}

// New returns a limit, or an error that names every mistake in cfg.
func New(cfg Config) (*Limit, error) {
	var mistakes []error
	if cfg.Max < 0 {
		mistakes = append(mistakes, fmt.Errorf("Max is %d, want at least 1", cfg.Max))
	}
	if cfg.RetryAfter < 0 {
		mistakes = append(mistakes, fmt.Errorf("RetryAfter is %v, want a positive duration", cfg.RetryAfter))
	}
	if cfg.Max > 0 && cfg.InsecureUnlimited != "" {
		mistakes = append(mistakes, errors.New("Max and InsecureUnlimited contradict each other"))
	}
	if len(mistakes) > 0 {
		return nil, fmt.Errorf("inflight config: %w", errors.Join(mistakes...))
	}
	l := &Limit{max: int64(cfg.Max), retryAfter: "1"}
	switch {
	case cfg.InsecureUnlimited != "":
		l.max = 1<<63 - 1
	case cfg.Max == 0:
		l.max = 1024
	}
	if cfg.RetryAfter > 0 {
		l.retryAfter = strconv.FormatInt(int64((cfg.RetryAfter+time.Second-1)/time.Second), 10)
	}
	return l, nil
}

// Enter takes a place, which [Limit.Leave] gives back, or returns a
// [*problem.Problem] with status 503. It never waits, and never admits more
// than Max.
func (l *Limit) Enter() error {
	for {
		// Reading before writing keeps a flood of refusals off the cache line
		// that the admitted requests write.
		n := l.count.Load()
		if n >= l.max {
			return problem.New(http.StatusServiceUnavailable, "the server is busy, try again later").
				Named("overloaded").With("Retry-After", l.retryAfter)
		}
		if l.count.CompareAndSwap(n, n+1) {
			return nil
		}
	}
}

// Leave gives back the place of one Enter that returned nil. It panics if there
// is none: the limit would grow by one each time.
func (l *Limit) Leave() {
	if l.count.Add(-1) < 0 {
		panic("inflight: Leave without Enter")
	}
}

// Count returns how many requests are in flight.
func (l *Limit) Count() int { return int(l.count.Load()) }

// Handler refuses requests beyond the limit. A request holds its place until
// next returns or panics; a hijacked connection for as long as its handler runs.
func (l *Limit) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := l.Enter(); err != nil {
			problem.Write(w, problem.From(err))
			return
		}
		defer l.Leave()
		next.ServeHTTP(w, r)
	})
}
