package wire

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// pace says when the next request may go.
type pace struct {
	rate  float64
	begun time.Time

	mu    sync.Mutex
	next  time.Time // of the rate
	quiet time.Time // until when the target wants to be left alone
}

// wait returns when it is the caller's turn. A request that is to see limits does not
// wait for those that others have met.
func (p *pace) wait(ctx context.Context, now bool) error {
	p.mu.Lock()
	at := time.Now()
	if !now && p.quiet.After(at) {
		at = p.quiet
	}
	if p.rate > 0 {
		if p.next.After(at) {
			at = p.next
		}
		p.next = at.Add(time.Duration(float64(time.Second) / p.rate))
	}
	p.mu.Unlock()
	return sleep(ctx, time.Until(at))
}

// hold lets nobody go for some time.
func (p *pace) hold(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if until := time.Now().Add(d); until.After(p.quiet) {
		p.quiet = until
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// maxTries of a request that is answered with 429 or 503.
const maxTries = 2

// patience returns how long to wait before a request is sent again, if it is.
func (c *Client) patience(ex *Exchange, try int) (time.Duration, bool) {
	if ex.Status != http.StatusTooManyRequests && ex.Status != http.StatusServiceUnavailable || try >= maxTries {
		return 0, false
	}
	wait, told := retryAfter(ex.Header, time.Now())
	if !told {
		// Without a word about how long, 503 may be an answer like others.
		if ex.Status == http.StatusServiceUnavailable {
			return 0, false
		}
		wait = time.Second
	}
	return wait, wait <= c.config.MaxWait || c.config.Wait != nil
}

// retryAfter reads the field (RFC 9110, section 10.2.3): seconds or a date.
func retryAfter(h http.Header, now time.Time) (time.Duration, bool) {
	text := h.Get("Retry-After")
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second, true
	}
	date, err := http.ParseTime(text)
	if err != nil {
		return 0, false
	}
	if own, err := http.ParseTime(h.Get("Date")); err == nil {
		now = own // The clock of the target may differ from ours.
	}
	return max(0, date.Sub(now)), true
}

// health counts exchanges without an answer.
type health struct {
	down     atomic.Bool
	mu       sync.Mutex
	failures int
	slow     int
}

func (h *health) ok() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.failures, h.slow = 0, 0
}

// fail counts a failure. Requests that are under way when the target falls over fail all
// at once, and it may be up again in a moment: connections that are refused have waited
// for it ([Client.exchange]); answers that do not come have taken their time. An answer
// that breaks off says less, and counts less.
func (h *health) fail(c *Client, err error) {
	limit := c.config.MaxFailures
	var refused *dialError
	h.mu.Lock()
	defer h.mu.Unlock()
	h.failures++
	if errors.As(err, &refused) || errors.Is(err, ErrTimeout) {
		h.slow++
	}
	if h.slow >= limit || h.failures >= 5*limit {
		h.down.Store(true)
	}
}
