package redis

import (
	"cmp"
	"errors"
	"log/slog"
	"sync"
	"time"
)

// ErrDown is returned without a call while the server does not answer.
var ErrDown = errors.New("redis: the server did not answer and is asked again within a second")

const (
	failures = 3           // in a row, after which calls fail at once
	retry    = time.Second // after which one call tries again
)

// breaker lets calls fail at once while the server does not answer, so that a
// server that hangs does not hold up every request for the whole timeout.
type breaker struct {
	logger *slog.Logger

	mu     sync.Mutex
	failed int       // in a row
	next   time.Time // when one call tries again
	probes bool      // one call is trying
}

// enter returns what the call has to report its result to, or an error.
func (b *breaker) enter() (done func(error), err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failed < failures {
		return b.done, nil
	}
	if b.probes || time.Now().Before(b.next) {
		return nil, ErrDown
	}
	b.probes = true
	return b.probed, nil
}

func (b *breaker) probed(err error) {
	b.mu.Lock()
	b.probes = false
	b.mu.Unlock()
	b.done(err)
}

func (b *breaker) done(err error) {
	b.mu.Lock()
	before := b.failed
	if err == nil {
		b.failed = 0
	} else if b.failed++; b.failed >= failures {
		b.next = time.Now().Add(retry)
	}
	now := b.failed
	b.mu.Unlock()
	logger := cmp.Or(b.logger, slog.Default()) // A store is made before fastness.Main sets it.
	switch {
	case before < failures && now >= failures:
		logger.Error("redis: the server does not answer", slog.Any("error", err))
	case before >= failures && now == 0:
		logger.Info("redis: the server answers again")
	}
}
