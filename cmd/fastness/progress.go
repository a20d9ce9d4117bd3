package main

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/fastness/fastness/scan"
)

// progress shows how far a scan is: one line that changes on a terminal, else a line now
// and then.
type progress struct {
	p     *program
	quiet bool

	mu    sync.Mutex
	stage string
	last  time.Duration
	shown bool
}

// How often a line is written without a terminal, and with one.
const (
	everyLine   = 10 * time.Second
	everyChange = 100 * time.Millisecond
)

func newProgress(p *program, quiet bool) *progress { return &progress{p: p, quiet: quiet} }

func (s *progress) show(at scan.Progress) {
	s.mu.Lock()
	defer s.mu.Unlock()
	every := everyLine
	if s.p.terminal[2] {
		every = everyChange
	}
	if s.quiet || at.Stage == s.stage && at.Elapsed-s.last < every {
		return
	}
	s.stage, s.last = at.Stage, at.Elapsed
	line := describe(at)
	if !s.p.terminal[2] {
		fmt.Fprintln(s.p.stderr, line)
		return
	}
	width := s.p.width()
	if width == 0 {
		width = 80
	}
	if runes := []rune(line); len(runes) >= width {
		line = string(runes[:width-1])
	}
	fmt.Fprintf(s.p.stderr, "\r\x1b[K%s", line)
	s.shown = true
}

// end clears the line.
func (s *progress) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shown {
		fmt.Fprint(s.p.stderr, "\r\x1b[K")
	}
}

func describe(at scan.Progress) string {
	parts := []string{at.Stage}
	if at.Check != "" {
		parts[0] += " " + at.Check
	}
	if at.Of > 0 {
		parts = append(parts, fmt.Sprintf("%d/%d", at.Done, at.Of))
	}
	if at.Operations > 0 {
		parts = append(parts, fmt.Sprintf("%d operations", at.Operations))
	}
	parts = append(parts, fmt.Sprintf("%d requests (%.0f/s)", at.Requests, at.PerSecond), fmt.Sprintf("%d findings", at.Findings))
	if at.Left > 0 {
		parts = append(parts, "about "+at.Left.Round(time.Second).String()+" left")
	}
	return safe(strings.Join(parts, "  "))
}
