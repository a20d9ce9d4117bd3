package webhook

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	neturl "net/url"
	"strconv"
	"time"

	"github.com/fastness/fastness/outbound"
)

// Message is one event for one endpoint.
type Message struct {
	// ID names the event, as [NewID] makes it. Each attempt has the same.
	ID string
	// Body is what is signed and sent. It is best below 20 KB.
	Body []byte
	// ContentType is that of the body. The default is application/json.
	ContentType string
	// At is the time of this attempt. The default is now.
	At time.Time
}

// Verdict is what to do after an attempt.
type Verdict int

const (
	// Retry says that the attempt failed and another may not: try again, each
	// time after a longer while and not at the same second as everybody else,
	// and not before Result.RetryAfter.
	Retry Verdict = iota
	// Delivered says that the receiver has the message.
	Delivered
	// Gone says that the receiver wants no more messages (410): disable the
	// endpoint.
	Gone
	// GiveUp says that no attempt can succeed: the URL, or the message itself, is
	// refused here, before anything is sent.
	GiveUp
)

// String returns the verdict in a word, for the log.
func (v Verdict) String() string {
	if v < Retry || v > GiveUp {
		return "Verdict(" + strconv.Itoa(int(v)) + ")"
	}
	return [...]string{"retry", "delivered", "gone", "give up"}[v]
}

// Result is what became of one attempt.
type Result struct {
	Verdict Verdict
	// Status is that of the answer, 0 if there was none.
	Status int
	// RetryAfter is how long the receiver wants to be left alone, at most a day;
	// 0 if it does not say.
	RetryAfter time.Duration
}

const (
	maxRetryAfter = 24 * time.Hour
	maxDrained    = 4 << 10 // of an answer, so that its connection can be used again
)

// Send signs a message and posts it once. The error is nil only if the message is
// delivered. Redirects are failures, as is every status but 2xx. When to try
// again is for the queue that holds the message: an attempt that waits in a
// goroutine is lost with the process.
func (s *Signer) Send(ctx context.Context, client *outbound.Client, url string, m Message) (Result, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(m.Body))
	if err != nil {
		return Result{Verdict: GiveUp}, fmt.Errorf("webhook: %w", outbound.ErrForbiddenURL) // Its text has the URL.
	}
	if err := client.Check(req.URL); err != nil {
		return Result{Verdict: GiveUp}, fmt.Errorf("webhook: %w", err)
	}
	at := m.At
	if at.IsZero() {
		at = time.Now()
	}
	if err := s.Sign(req.Header, m.ID, at, m.Body); err != nil {
		return Result{Verdict: GiveUp}, err
	}
	req.Header.Set("Content-Type", "application/json")
	if m.ContentType != "" {
		req.Header.Set("Content-Type", m.ContentType)
	}
	res, err := client.Do(req)
	if why, ok := errors.AsType[*neturl.Error](err); ok { // Its text has the URL, which is often a secret of the receiver's.
		err = why.Err
	}
	if err != nil {
		return Result{}, fmt.Errorf("webhook: %w", err)
	}
	defer res.Body.Close()
	_, _ = io.CopyN(io.Discard, res.Body, maxDrained) // The status is all that counts.
	return judge(res, at)
}

// judge says what an answer means.
func judge(res *http.Response, now time.Time) (Result, error) {
	r := Result{Status: res.StatusCode}
	switch {
	case res.StatusCode >= 200 && res.StatusCode < 300:
		r.Verdict = Delivered
		return r, nil
	case res.StatusCode == http.StatusGone:
		r.Verdict = Gone
		return r, errors.New("webhook: the receiver wants no more messages")
	}
	r.RetryAfter = retryAfter(res.Header.Get("Retry-After"), now)
	return r, fmt.Errorf("webhook: the receiver answered %d", res.StatusCode)
}

// retryAfter reads the field, in seconds or as a date (RFC 9110 section 10.2.3).
func retryAfter(text string, now time.Time) time.Duration {
	var wait time.Duration
	if seconds, err := strconv.ParseUint(text, 10, 32); err == nil {
		wait = time.Duration(seconds) * time.Second
	} else if at, err := http.ParseTime(text); err == nil {
		wait = at.Sub(now)
	}
	return min(max(wait, 0), maxRetryAfter)
}
