package scan

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/fastness/fastness/scan/internal/check"
	"github.com/fastness/fastness/scan/internal/checks/declared"
	"github.com/fastness/fastness/scan/internal/login"
	"github.com/fastness/fastness/scan/internal/spec"
)

// User is a user that the target has, and how they log in.
type User = login.Account

// LogIn is how users log in.
type LogIn = login.Method

// Config is what to scan, as whom, and how far to go. Only Target is needed, or Handler.
type Config struct {
	// Target is the address of the API: scheme, host, and a path if all of it is below
	// one. No other host is ever contacted.
	Target string
	// Handler is scanned within the process if it is not nil, without a network. Target
	// is then what it takes itself for; the default is http://localhost.
	Handler http.Handler
	// Document is the file or the address of the OpenAPI document; Text is the document
	// itself. Without either, it is looked for at the usual places, and then the API is
	// crawled.
	Document string
	Text     []byte

	// Users are who the scan is. Two ordinary ones are needed for most of what it finds;
	// missing ones are registered if the API lets it.
	Users []User
	// LogIn is how users log in that do not say it themselves. The default is to find out.
	LogIn *LogIn
	// LoggedOut says what answers to somebody who is logged out look like, if they are
	// unusual.
	LoggedOut login.Signs
	// NoRegister forbids to register users at the target.
	NoRegister bool

	Profile Profile
	// ReadOnly forbids everything but GET, HEAD and OPTIONS, apart from logging in.
	ReadOnly bool
	// Destructive allows to remove what the scan did not make, and operations that are
	// held back otherwise.
	Destructive bool
	// Include and Exclude are patterns of operations, as "GET /admin/*" or "/users/*": a
	// star stands for any text. None means all, and none.
	Include, Exclude []string
	// Checks are the ids of the checks that run; none means those of the profile.
	// Without are those that do not.
	Checks, Without []string
	// Own are checks beside those of the catalogue.
	Own []check.Check

	// Rate is requests per second; 0 is as fast as the target answers.
	Rate float64
	// MaxRequests and MaxTime end a scan early. The defaults are those of the profile.
	MaxRequests int
	MaxTime     time.Duration
	// Timeout of a request; the default is 10 s.
	Timeout time.Duration
	// Header goes with every request.
	Header http.Header
	// CAFile has certificates that are trusted beside those of the system.
	CAFile string
	// InsecureCertificates is why a certificate that fails does not stop the scan.
	InsecureCertificates string
	// Listen is the address on which the scan waits to be called by the target, as
	// "127.0.0.1:0", which is the default. Public is how the target reaches it, as
	// "http://scanner.example:8000".
	Listen, Public string
	// Wait is how the scan waits where the target asks for patience, however long that is.
	// A test moves the clock of its handler. Nil is to let some seconds pass.
	Wait func(context.Context, time.Duration) error
	// Seed makes a scan repeat itself.
	Seed uint64

	// Access is what the program says itself about who may call what: all that it answers.
	Access []Access
	// Logger takes what a person may want to know; the default is to say nothing.
	Logger *slog.Logger
	// Progress is told how far the scan is, one call at a time.
	Progress func(Progress)
}

// Access is who may call an operation, by the program itself: what is declared is held
// against what is enforced.
type Access = declared.Rule

// Progress is how far a scan is.
type Progress struct {
	Stage      string // as "log-in", "explore", "check"
	Check      string // the id of the check that has begun
	Done, Of   int    // checks
	Operations int
	Findings   int
	Requests   int
	PerSecond  float64
	Elapsed    time.Duration
	// Left is a guess, or 0.
	Left time.Duration
}

// prepare returns the settings of the profile, or every mistake at once.
func (c *Config) prepare() (profile, error) {
	var mistakes []error
	if c.Target == "" && c.Handler == nil {
		mistakes = append(mistakes, errors.New("Target is empty and Handler is nil: there is nothing to scan"))
	}
	if c.Handler != nil && c.Target == "" {
		c.Target = "http://localhost"
	}
	if c.Document != "" && c.Text != nil {
		mistakes = append(mistakes, errors.New("Document and Text: want at most one"))
	}
	p, err := c.Profile.settings()
	if err != nil {
		mistakes = append(mistakes, err)
	}
	ids := c.catalogue()
	for _, id := range slices.Concat(c.Checks, c.Without) {
		if !slices.ContainsFunc(ids, func(k check.Check) bool { return k.Kind.ID == id }) {
			mistakes = append(mistakes, fmt.Errorf("check %q is not in the catalogue", id))
		}
	}
	for _, pattern := range slices.Concat(c.Include, c.Exclude) {
		if _, err := path.Match(flat(pattern), ""); err != nil || !strings.Contains(pattern, "/") && !strings.Contains(pattern, "*") {
			mistakes = append(mistakes, fmt.Errorf(`pattern %q: want as "GET /admin/*"`, pattern))
		}
	}
	if c.MaxRequests < 0 || c.MaxTime < 0 || c.Timeout < 0 || c.Rate < 0 {
		mistakes = append(mistakes, errors.New("MaxRequests, MaxTime, Timeout and Rate must not be negative"))
	}
	if len(mistakes) > 0 {
		return p, fmt.Errorf("scan config: %w", errors.Join(mistakes...))
	}
	if c.MaxRequests == 0 {
		c.MaxRequests = p.requests
	}
	if c.MaxTime == 0 {
		c.MaxTime = p.time
	}
	if c.ReadOnly {
		p.limits.Write, p.last = false, min(p.last, check.Read)
	}
	p.limits.Destroy = c.Destructive
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return p, nil
}

// flat makes a pattern one of [path.Match] in which a star stands for slashes, too.
func flat(pattern string) string { return strings.ReplaceAll(pattern, "/", "\x01") }

// wants reports whether an operation is to be scanned.
func (c *Config) wants(op *spec.Operation) bool {
	matches := func(patterns []string) bool {
		return slices.ContainsFunc(patterns, func(pattern string) bool {
			method, of, found := strings.Cut(pattern, " ")
			if !found {
				method, of = "*", pattern
			}
			ok, _ := path.Match(flat(of), flat(op.Path)) // The pattern is a valid one.
			return ok && (method == "*" || strings.EqualFold(method, op.Method))
		})
	}
	return (len(c.Include) == 0 || matches(c.Include)) && !matches(c.Exclude)
}
