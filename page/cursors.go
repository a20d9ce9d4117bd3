package page

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/fastness/fastness/problem"
)

// MaxCursor is the most characters that a cursor has.
const MaxCursor = 4096

// MaxAge is the most that [Config].MaxAge can be.
const MaxAge = 7 * 24 * time.Hour

// Config configures [Cursors].
type Config struct {
	// Keys seal the cursors. They are required: [FromRing], [FromSecret], or
	// [EphemeralKeys] for one process. In an app, package identity brings its own.
	Keys Keys
	// MaxAge is how long a cursor is good. The default is 24 hours, the most [MaxAge].
	MaxAge time.Duration
	// Now is the clock. Nil means time.Now.
	Now func() time.Time
}

// Cursors make cursors and read them. They are safe for concurrent use.
type Cursors struct{ cfg Config }

// New returns cursors, or an error that names every mistake in cfg.
func New(cfg Config) (*Cursors, error) {
	var errs []error
	if cfg.Keys == nil {
		errs = append(errs, errors.New("Keys is nil: want those of a key ring or of a secret, or page.EphemeralKeys() for one process"))
	}
	if cfg.MaxAge == 0 {
		cfg.MaxAge = 24 * time.Hour
	}
	if cfg.MaxAge < time.Minute || cfg.MaxAge > MaxAge {
		errs = append(errs, fmt.Errorf("MaxAge is %v, want 1m to %v", cfg.MaxAge, MaxAge))
	}
	if len(errs) > 0 {
		return nil, fmt.Errorf("page config: %w", errors.Join(errs...))
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Cursors{cfg}, nil
}

// Scope is what one request asks for, by whom: cursors are good in the scope that they
// were made in. An app provides it.
type Scope struct {
	cursors *Cursors
	bound   []string
	query   url.Values
}

// Scope returns the scope of a request: its path and its parameters, but for limit, sort
// and cursor. The caller is whoever asks, in as many parts as tell one caller from any
// other: the tenant and the user, for instance.
func (c *Cursors) Scope(r *http.Request, caller ...string) *Scope {
	s := &Scope{cursors: c, query: r.URL.Query()}
	filters := maps.Clone(s.query)
	for _, own := range []string{"cursor", "limit", "sort"} { // The order is bound as it was understood.
		filters.Del(own)
	}
	s.bound = slices.Concat([]string{r.URL.Path, filters.Encode()}, caller)
	return s
}

// associated returns what a cursor is bound to: no two lists of parts give the same.
func (s *Scope) associated(order string) []byte {
	h := sha256.New()
	for _, part := range append([]string{"fastness cursor 1", order}, s.bound...) {
		var length [8]byte
		binary.BigEndian.PutUint64(length[:], uint64(len(part)))
		_, _ = h.Write(length[:]) // A hash never fails.
		_, _ = h.Write([]byte(part))
	}
	return h.Sum(nil)
}

// seal makes a cursor.
func (s *Scope) seal(ctx context.Context, p position, associated []byte) (Cursor, error) {
	p.expires = s.cursors.cfg.Now().Add(s.cursors.cfg.MaxAge)
	plaintext, err := p.append(nil)
	if err != nil {
		return "", err
	}
	sealed, err := s.cursors.cfg.Keys.Seal(ctx, plaintext, associated)
	if err != nil {
		return "", fmt.Errorf("page: cursor: %w", err)
	}
	text := base64.RawURLEncoding.EncodeToString(sealed)
	if len(text) > MaxCursor {
		return "", fmt.Errorf("page: a cursor has %d characters, want at most %d: the texts that the list is sorted by are too long", len(text), MaxCursor)
	}
	return Cursor(text), nil
}

// open reads a cursor.
func (s *Scope) open(ctx context.Context, cursor Cursor, associated []byte) (position, error) {
	if len(cursor) > MaxCursor || strings.ContainsAny(string(cursor), "\r\n") { // base64 would pass over line breaks.
		return position{}, invalidCursor(errPosition)
	}
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(string(cursor))
	if err != nil {
		return position{}, invalidCursor(err)
	}
	plaintext, err := s.cursors.cfg.Keys.Open(ctx, sealed, associated)
	if err != nil {
		return position{}, invalidCursor(err)
	}
	p, err := parsePosition(plaintext)
	if err != nil {
		return position{}, invalidCursor(err)
	}
	if !s.cursors.cfg.Now().Before(p.expires) {
		return position{}, invalidCursor(errors.New("it has expired"))
	}
	return p, nil
}

// invalidCursor does not say what is wrong with a cursor: whoever forges one would
// like to know.
func invalidCursor(cause error) error {
	return refused("cursor", "invalid_cursor", "the cursor is not one of this list, or too old: begin without one").Wrap(cause)
}

// unknownSort lists what there is.
func unknownSort(names []string) error {
	p := refused("sort", "enum", "the list cannot be sorted by that")
	p.Errors[0].Limits = []problem.Limit{{Name: "expected", Value: fmt.Sprint(names)}}
	return p
}

func refused(parameter, code, detail string) *problem.Problem {
	p := problem.New(http.StatusUnprocessableEntity, detail).Named(code)
	p.Errors = []problem.Violation{{In: "query", Path: []problem.Segment{problem.Name(parameter)}, Code: code, Detail: detail}}
	return p
}
