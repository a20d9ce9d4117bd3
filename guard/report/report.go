// Package report takes what browsers tell about their security policies: that a
// page wanted to load or run what its Content-Security-Policy forbids. It is either
// a page of ours that needs a wider policy, or an injection that the policy has
// stopped; nobody else says so.
//
//	sink, err := report.New(report.Config{})
//	mux.Handle("POST /csp-reports", sink)
//	defaults, err := headers.New(headers.Config{ReportTo: "/csp-reports"})
//
// It takes both formats: application/csp-report, of report-uri (CSP Level 2), and
// application/reports+json, of report-to (Reporting API), and answers 204 without a
// body.
//
// # Anybody can send a report
//
// Nothing proves that a report comes from a browser that has seen our page. So it
// is evidence of nothing by itself, must not trigger anything, and must not be a
// way to fill a disk, to forge a line of a log, or to put somebody's secrets there:
//
//   - A body is at most 64 KiB. Of the reports in one body, 20 count.
//   - Each report becomes one line, of fields that are checked, escaped and cut.
//     What the browser quotes of the page's scripts and its policy is left out.
//   - URLs lose their query, fragment and user name, where tokens are, and data:
//     URLs all that is in them.
//   - A client gets a number of lines a minute, and all together ten times as many.
//     Beyond that the answer is 429, and the next minute begins with a line that
//     says how many were refused.
//
// Limits of requests belong before it as before everything else.
package report

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/fastness/fastness/guard/clientip"
	"github.com/fastness/fastness/problem"
)

// Config configures a [Sink]. The zero value is the secure choice.
type Config struct {
	// Logger takes the lines, at level Warn. The default is slog.Default().
	Logger *slog.Logger
	// MaxBytes is the most bytes of a body. The default is 64 KiB.
	MaxBytes int64
	// PerMinute is how many reports of one client are logged in a minute. The
	// default is 60. All clients together get ten times as many.
	PerMinute int
	// Client returns the address of the client of a request, of which the first 64
	// bits count if it is an IPv6 address. The default is the address of the peer;
	// behind a proxy that is the proxy.
	Client func(*http.Request) netip.Addr
	// Now is the clock. The default is time.Now.
	Now func() time.Time
}

const (
	maxReports = 20    // that count in one body
	maxClients = 10000 // that are counted one by one
)

// Sink takes reports. It is an http.Handler, and safe for concurrent use.
type Sink struct {
	cfg Config

	mu      sync.Mutex
	minute  time.Time      // when it began
	clients map[string]int // reports of each in this minute
	logged  int            // of all
	refused int            // requests
}

// New returns a sink, or an error that names every mistake in cfg.
func New(cfg Config) (*Sink, error) {
	var mistakes []error
	if cfg.MaxBytes < 0 {
		mistakes = append(mistakes, fmt.Errorf("MaxBytes is %d, want at least 1", cfg.MaxBytes))
	}
	if cfg.PerMinute < 0 {
		mistakes = append(mistakes, fmt.Errorf("PerMinute is %d, want at least 1", cfg.PerMinute))
	}
	if len(mistakes) > 0 {
		return nil, fmt.Errorf("report config: %w", errors.Join(mistakes...))
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	if cfg.MaxBytes == 0 {
		cfg.MaxBytes = 64 << 10
	}
	if cfg.PerMinute == 0 {
		cfg.PerMinute = 60
	}
	if cfg.Client == nil {
		cfg.Client = clientip.Peer
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Sink{cfg: cfg, clients: map[string]int{}}, nil
}

// nameOf names whose address addr is.
func nameOf(addr netip.Addr) string {
	if addr.Is6() {
		prefix, _ := addr.Prefix(64) // 64 bits are in range.
		return prefix.String()
	}
	return addr.String()
}

// ServeHTTP answers 204, or a problem: 400, 405, 413, 415 or 429.
func (s *Sink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := s.Take(r); err != nil {
		problem.Write(w, problem.From(err))
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// Take reads the reports of r and logs them. The error is a [*problem.Problem].
func (s *Sink) Take(r *http.Request) error {
	if r.Method != http.MethodPost {
		return problem.New(http.StatusMethodNotAllowed, "").With("Allow", http.MethodPost)
	}
	media, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	read := reader(strings.ToLower(strings.TrimSpace(media)))
	if read == nil || len(r.Header["Content-Encoding"]) > 0 {
		return problem.New(http.StatusUnsupportedMediaType, "this takes reports of browsers").Named("unsupported_media_type")
	}
	client := nameOf(s.cfg.Client(r))
	if err := s.mayReport(r.Context(), client); err != nil {
		return err // Before the body is read: a flood is to cost nothing.
	}
	if r.ContentLength > s.cfg.MaxBytes {
		return tooLarge()
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, s.cfg.MaxBytes+1))
	switch {
	case err != nil:
		return problem.New(http.StatusBadRequest, "the report could not be read").Wrap(err)
	case int64(len(body)) > s.cfg.MaxBytes:
		return tooLarge()
	}
	violations, omitted, err := read(body)
	if err != nil {
		return problem.New(http.StatusBadRequest, "this is not a report of a browser").Named("malformed_report").Wrap(err)
	}
	for i := range violations {
		if !s.count(client) {
			omitted += len(violations) - i
			break
		}
		violations[i].log(r.Context(), s.cfg.Logger)
	}
	if omitted > 0 {
		s.cfg.Logger.LogAttrs(r.Context(), slog.LevelWarn, "policy violations left out", slog.Int("number", omitted))
	}
	return nil
}

func tooLarge() error {
	return problem.New(http.StatusRequestEntityTooLarge, "the report is too large").Named("body_too_large")
}

// mayReport refuses a client that has had its share of the minute.
func (s *Sink) mayReport(ctx context.Context, client string) error {
	s.mu.Lock()
	refused := 0
	if now := s.cfg.Now(); now.Sub(s.minute) >= time.Minute || now.Before(s.minute) {
		refused, s.refused = s.refused, 0
		s.minute, s.logged = now, 0
		clear(s.clients)
	}
	full := s.full(client)
	if full {
		s.refused++
	}
	s.mu.Unlock()
	if refused > 0 {
		s.cfg.Logger.LogAttrs(ctx, slog.LevelWarn, "reports were refused in the last minute", slog.Int("number", refused))
	}
	if full {
		return problem.New(http.StatusTooManyRequests, "too many reports").Named("too_many_reports").With("Retry-After", "60")
	}
	return nil
}

// count takes one report of the client's share, if there is one left. Who comes
// after ten thousand others shares with all who do.
func (s *Sink) count(client string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.full(client) {
		return false
	}
	if _, known := s.clients[client]; !known && len(s.clients) >= maxClients {
		client = ""
	}
	s.clients[client]++
	s.logged++
	return true
}

// full reports whether nothing is left for the client. s.mu must be held.
func (s *Sink) full(client string) bool {
	n, known := s.clients[client]
	if !known && len(s.clients) >= maxClients {
		n = s.clients[""]
	}
	return n >= s.cfg.PerMinute || s.logged >= 10*s.cfg.PerMinute
}
