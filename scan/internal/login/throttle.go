package login

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/fastness/fastness/scan/wire"
)

// How long a log-in waits for a limit of the target to pass, and how often.
const (
	usualWait  = 61 * time.Second
	longestOne = 2 * time.Minute
	patience   = 2
)

// throttle spreads the log-ins of an account: a scan must not be what locks a user.
type throttle struct {
	mu     sync.Mutex
	logIns []time.Time
	until  time.Time // no log-in before
}

// limitedError is errLimited, with the time to wait.
type limitedError struct{ after time.Duration }

func (limitedError) Error() string      { return errLimited.Error() }
func (limitedError) Unwrap() error      { return errLimited }
func limitedBy(ex *wire.Exchange) error { return limitedError{retryAfter(ex)} }

// retryAfter returns how long an answer says to wait (RFC 9110, section 10.2.3).
func retryAfter(ex *wire.Exchange) time.Duration {
	text := ex.Header.Get("Retry-After")
	if n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64); err == nil && n >= 0 && n < 1<<31 {
		return time.Duration(n)*time.Second + time.Second
	}
	at, err := http.ParseTime(text)
	date, dateErr := http.ParseTime(ex.Header.Get("Date"))
	if err == nil && dateErr == nil && at.After(date) {
		return at.Sub(date) + time.Second
	}
	return usualWait
}

// admit waits until a log-in may be sent, and counts it.
func (t *throttle) admit(ctx context.Context, perMinute int) error {
	for {
		wait := t.take(time.Now(), perMinute)
		if wait <= 0 {
			return nil
		}
		if wait > longestOne {
			return errLimited
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C:
		}
	}
}

// take counts a log-in, or returns how long it must wait.
func (t *throttle) take(now time.Time, perMinute int) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	for len(t.logIns) > 0 && now.Sub(t.logIns[0]) >= time.Minute {
		t.logIns = t.logIns[1:]
	}
	wait := t.until.Sub(now)
	if len(t.logIns) >= perMinute {
		wait = max(wait, t.logIns[0].Add(time.Minute).Sub(now))
	}
	if wait <= 0 {
		t.logIns = append(t.logIns, now)
	}
	return wait
}

// pause forbids log-ins for a time.
func (t *throttle) pause(d time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if until := time.Now().Add(d); until.After(t.until) {
		t.until = until
	}
}

// patiently does a log-in, and once more when the target says that it may later.
func (k *Keeper) patiently(ctx context.Context, e *entry, do func() error) error {
	for try := 0; ; try++ {
		if err := k.all.admit(ctx, 1<<30); err != nil {
			return err
		}
		if err := e.throttle.admit(ctx, k.config.PerMinute); err != nil {
			return err
		}
		err := do()
		var limit limitedError
		if !errors.As(err, &limit) {
			return err
		}
		k.config.Logger.Info("the target limits log-ins", "user", e.account.Name, "wait", limit.after)
		if limit.after > longestOne || try == patience {
			k.all.pause(min(limit.after, longestOne))
			return fmt.Errorf("%w: it says to come again after %v", errLimited, limit.after)
		}
		k.all.pause(limit.after) // It may count by address.
	}
}
