package keyring

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"strings"
	"time"

	"github.com/fastness/fastness/auditlog"
)

// Algorithm is what the keys of a purpose are for.
type Algorithm string

const (
	// EdDSA signs with Ed25519 (RFC 8037). Others verify with the published key.
	EdDSA Algorithm = "EdDSA"
	// ES256 signs with ECDSA on P-256 and SHA-256 (RFC 7518, section 3.4).
	ES256 Algorithm = "ES256"
	// HS256 signs with HMAC and SHA-256. Who verifies could sign: it is for tokens
	// that do not leave the service.
	HS256 Algorithm = "HS256"
	// A256GCM encrypts with AES-256-GCM, and derives keys for what is neither a
	// token nor encrypted. See [Ring.Seal], [Ring.MAC] and [Key.Derive].
	A256GCM Algorithm = "A256GCM"
)

// Forever is how long a purpose retains keys whose data is never too old to be
// read.
const Forever = time.Duration(math.MaxInt64)

// The defaults of [Config], and of [Purpose].
const (
	DefaultSkew    = 5 * time.Minute
	DefaultRefresh = 5 * time.Second

	defaultLifetime = 90 * 24 * time.Hour
	defaultAnnounce = 15 * time.Minute
	defaultRetain   = 15 * time.Minute
)

// Purpose is what keys are for. A key is never used for another purpose than
// its own.
type Purpose struct {
	// Name names the purpose for good: it is bound to everything that the keys
	// seal. 1 to 64 of the characters a-z, 0-9, dot and hyphen.
	Name string
	// Algorithm is that of new keys. Keys that exist keep theirs: after a change,
	// the new one comes with the next rotation.
	Algorithm Algorithm
	// Lifetime is how long a key signs. The default is 90 days; the shortest is
	// 10 minutes, and it must leave time for Announce, twice the Skew and one Refresh.
	Lifetime time.Duration
	// Announce is how long a key is published, at least, before it signs: the time
	// for which others may keep a copy of the published keys, and Skew. The default
	// is 15 minutes.
	Announce time.Duration
	// Retain is how long a key verifies after it has signed for the last time: the
	// lifetime of what it signed, and Skew. The default is 15 minutes,
	// and [Forever] for A256GCM, because what is encrypted is lost with its key.
	Retain time.Duration
	// SealLimit is how many messages one process encrypts with one A256GCM key.
	// At three quarters a new key takes over, and at the limit [Ring.Seal] fails.
	// Nonces are random: the sum over all processes should stay below 2^32 (NIST
	// SP 800-38D, section 8.3), which is the largest limit. The default is 2^28.
	SealLimit uint64
}

// Config configures a [Ring]. Only Purposes are needed besides Store and Sealer.
type Config struct {
	// Store keeps the ring. Processes that share a store share the ring.
	Store Store
	// Sealer encrypts the keys at rest.
	Sealer Sealer
	// InsecurePlaintext, if not empty, says why the keys may be stored without
	// encryption, and takes the place of Sealer. Who can read the store can sign
	// whatever they like.
	InsecurePlaintext string
	// Purposes are what this process uses keys for. Keys of other purposes are
	// left alone.
	Purposes []Purpose
	// Skew is how far the clock of a process may be off the true time. The
	// default is [DefaultSkew], the largest 1 hour.
	Skew time.Duration
	// Refresh is how old the copy of the ring may be that a process uses while the
	// store answers; it is what a revocation takes to arrive everywhere. It is read
	// again a little earlier, at random. The default is [DefaultRefresh].
	Refresh time.Duration
	// Events gets every key that is made, begins to sign, is revoked or is erased,
	// before that is stored: of two processes that do it at once, one has recorded
	// in vain. Nil discards them; they are logged in any case.
	Events auditlog.Recorder
	// Logger gets what people must act upon. Nil means slog.Default.
	Logger *slog.Logger
	// Now is the clock. Nil means time.Now.
	Now func() time.Time
}

func (c Config) withDefaults() Config {
	defaults := func(d *time.Duration, value time.Duration) {
		if *d == 0 {
			*d = value
		}
	}
	defaults(&c.Skew, DefaultSkew)
	defaults(&c.Refresh, DefaultRefresh)
	c.Purposes = append([]Purpose(nil), c.Purposes...)
	for i := range c.Purposes {
		p := &c.Purposes[i]
		defaults(&p.Lifetime, defaultLifetime)
		defaults(&p.Announce, defaultAnnounce)
		if p.Algorithm == A256GCM {
			defaults(&p.Retain, Forever)
		}
		defaults(&p.Retain, defaultRetain)
		if p.SealLimit == 0 {
			p.SealLimit = 1 << 28
		}
	}
	if c.Events == nil {
		c.Events = auditlog.Discard{}
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

const (
	minLifetime = 10 * time.Minute
	maxLifetime = 5 * 365 * 24 * time.Hour
	maxRetain   = 100 * 365 * 24 * time.Hour
)

func (c *Config) validate() error {
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if c.Store == nil {
		wrong("Store is nil")
	}
	switch {
	case c.Sealer == nil && c.InsecurePlaintext == "":
		wrong("Sealer is nil: keys are not stored in plaintext")
	case c.Sealer != nil && c.InsecurePlaintext != "":
		wrong("Sealer and InsecurePlaintext exclude each other")
	}
	if c.Skew < 0 || c.Skew > time.Hour {
		wrong("Skew is %v, want 0 to 1h", c.Skew)
	}
	if c.Refresh < time.Second || c.Refresh > 10*time.Minute {
		wrong("Refresh is %v, want 1s to 10m", c.Refresh)
	}
	if len(c.Purposes) == 0 {
		wrong("Purposes is empty")
	}
	seen := make(map[string]bool)
	for i, p := range c.Purposes {
		for _, problem := range c.problems(p) {
			wrong("Purposes[%d].%s", i, problem)
		}
		if seen[p.Name] {
			wrong("Purposes[%d].Name occurs twice", i)
		}
		seen[p.Name] = true
	}
	return errors.Join(errs...)
}

func (c *Config) problems(p Purpose) (all []string) {
	wrong := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	if !isPurpose(p.Name) {
		wrong("Name: want 1 to 64 of the characters a-z, 0-9, dot and hyphen")
	}
	if !p.Algorithm.known() {
		wrong("Algorithm: want EdDSA, ES256, HS256 or A256GCM")
	}
	if p.Lifetime < minLifetime || p.Lifetime > maxLifetime {
		wrong("Lifetime is %v, want %v to %v", p.Lifetime, minLifetime, maxLifetime)
	}
	if p.Announce < 0 || p.Announce > maxLifetime {
		wrong("Announce is %v, want 0 to %v", p.Announce, maxLifetime)
	}
	if p.Retain < 0 || p.Retain > maxRetain && p.Retain != Forever {
		wrong("Retain is %v, want 0 to %v, or Forever", p.Retain, maxRetain)
	}
	if lead := c.lead(p); lead > p.Lifetime {
		wrong("Lifetime is %v, want at least Announce + 2 Skew + Refresh, which is %v: a successor could not be announced in time", p.Lifetime, lead)
	}
	if p.SealLimit > 1<<32 {
		wrong("SealLimit is %d, want at most %d", p.SealLimit, uint64(1)<<32)
	}
	return all
}

// announced is how long before its activation a key is made. A clock that is
// ahead reaches the activation Skew too early, and one Skew more before it the
// key counts as active; one of the two is part of Announce already.
func (c *Config) announced(p Purpose) time.Duration { return p.Announce + 2*c.Skew }

// lead is how long before the end of a key its successor is made. Up to one
// Refresh passes until somebody looks.
func (c *Config) lead(p Purpose) time.Duration { return c.announced(p) + c.Refresh }

func (a Algorithm) known() bool {
	return a.asymmetric() || a == HS256 || a == A256GCM
}

func (a Algorithm) asymmetric() bool { return a == EdDSA || a == ES256 }

func isPurpose(name string) bool {
	return name != "" && len(name) <= 64 && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789.-") == ""
}
