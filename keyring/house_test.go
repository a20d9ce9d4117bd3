package keyring_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fastness/fastness/auditlog"
	"github.com/fastness/fastness/keyring"
	"github.com/fastness/fastness/secret"
)

// clock is a clock that tests put on.
type clock struct{ nanos atomic.Int64 }

func newClock() *clock {
	c := new(clock)
	c.set(time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC))
	return c
}

func (c *clock) set(t time.Time)     { c.nanos.Store(t.UnixNano()) }
func (c *clock) add(d time.Duration) { c.nanos.Add(int64(d)) }
func (c *clock) now() time.Time      { return time.Unix(0, c.nanos.Load()).UTC() }
func (c *clock) off(d time.Duration) func() time.Time {
	return func() time.Time { return c.now().Add(d) }
}

// flaky is a store that fails on demand and counts how it is used.
type flaky struct {
	keyring.Store
	failLoad, failSave atomic.Bool
	loads, saves       atomic.Int64
}

var errDown = errors.New("the store is down")

func (s *flaky) Load(ctx context.Context) ([]byte, string, error) {
	s.loads.Add(1)
	if s.failLoad.Load() {
		return nil, "", errDown
	}
	return s.Store.Load(ctx)
}

func (s *flaky) Save(ctx context.Context, document []byte, version string) (string, error) {
	s.saves.Add(1)
	if s.failSave.Load() {
		return "", errDown
	}
	return s.Store.Save(ctx, document, version)
}

// recorder keeps events.
type recorder struct {
	mu     sync.Mutex
	events []auditlog.Event
	err    error
}

func (r *recorder) Record(_ context.Context, e auditlog.Event) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err != nil {
		return r.err
	}
	r.events = append(r.events, e)
	return nil
}

func (r *recorder) count(name string) (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.events {
		if e.Name == name {
			n++
		}
	}
	return n
}

func kek(c byte) secret.Text {
	key := make([]byte, 32)
	for i := range key {
		key[i] = c + byte(i)
	}
	return secret.New(base64.StdEncoding.EncodeToString(key))
}

func sealer(t testing.TB, current byte, older ...byte) keyring.Sealer {
	t.Helper()
	var rest []secret.Text
	for _, c := range older {
		rest = append(rest, kek(c))
	}
	s, err := keyring.NewSealer(kek(current), rest...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

const (
	tokens  = "access-token"
	cookies = "cookie"
)

// config is what tests begin with: tokens rotate every hour, and a cookie lives
// for a day.
func config(t testing.TB, store keyring.Store, c *clock) keyring.Config {
	return keyring.Config{
		Store: store, Sealer: sealer(t, 1), Now: c.now, Logger: slog.New(slog.DiscardHandler),
		Purposes: []keyring.Purpose{
			{Name: tokens, Algorithm: keyring.EdDSA, Lifetime: time.Hour},
			{Name: cookies, Algorithm: keyring.A256GCM, Retain: 24 * time.Hour},
		},
	}
}

func open(t testing.TB, cfg keyring.Config) *keyring.Ring {
	t.Helper()
	ring, err := keyring.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

func signing(t testing.TB, ring *keyring.Ring, purpose string) *keyring.Key {
	t.Helper()
	k, err := ring.Signing(t.Context(), purpose)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func verifies(t testing.TB, ring *keyring.Ring, id string) bool {
	t.Helper()
	_, err := ring.Verifying(t.Context(), tokens, id)
	if err != nil && !errors.Is(err, keyring.ErrUnknownKey) {
		t.Fatal(err)
	}
	return err == nil
}

// states returns the states of the keys of a purpose, by id.
func states(t testing.TB, ring *keyring.Ring) map[string]keyring.State {
	t.Helper()
	all, err := ring.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	m := make(map[string]keyring.State)
	for _, k := range all {
		m[k.ID] = k.State
	}
	return m
}

func contains(s, part string) bool { return strings.Contains(s, part) }

func containsID(body []byte, id string) bool { return bytes.Contains(body, []byte(`"kid":"`+id+`"`)) }
