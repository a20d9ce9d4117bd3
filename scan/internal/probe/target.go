package probe

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync/atomic"

	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/internal/login"
	"github.com/fastness/fastness/scan/internal/spec"
	"github.com/fastness/fastness/scan/wire"
)

// Doer sends a request.
type Doer interface {
	Do(context.Context, wire.Request) *wire.Exchange
}

// Keeper keeps users logged in.
type Keeper interface {
	// Keep is given an answer to a user. It reports whether the user was logged out, and
	// is logged in again.
	Keep(context.Context, *login.User, *wire.Exchange) (again bool)
	// Register makes a user that nobody will miss, or returns an error if the target does
	// not let it.
	Register(ctx context.Context, purpose string) (*login.User, error)
	// LogIn logs a user in anew, with what it knows, and returns the user with its new
	// credentials; the user itself keeps those that it has.
	LogIn(context.Context, *login.User) (*login.User, error)
}

// Target is the API that is scanned, for a check.
type Target struct {
	*World
	// Limits are what the scan may do.
	Limits Limits

	config  TargetConfig
	markers atomic.Uint64
	salt    atomic.Pointer[string]
}

// Limits are what a scan may do beside reading.
type Limits struct {
	// Write allows requests that change something; Destroy such that remove what the scan
	// did not make.
	Write, Destroy bool
	// Deep allows probes that take long or many requests.
	Deep bool
}

// TargetConfig makes a target.
type TargetConfig struct {
	World    *World
	Client   Doer
	Keeper   Keeper
	Listener Listener // or nil
	Limits   Limits
	Seed     uint64
	Logger   *slog.Logger
	// Report takes findings.
	Report func(*finding.Finding)
}

// Listener is an address of the scan's own that the target may be made to call.
type Listener interface {
	// URL returns an address that nobody else knows.
	URL(token string) string
	// Hit waits a moment for a request to the address of a token, and returns what came.
	Hit(ctx context.Context, token string) (request string, ok bool)
}

// NewTarget returns a target.
func NewTarget(config TargetConfig) *Target {
	return &Target{World: config.World, Limits: config.Limits, config: config}
}

// Send sends a case in the name of a user, nil for nobody. A user who was logged out is
// logged in again, and the request repeated once. Why is the id of the check, or what the
// request is for.
func (t *Target) Send(ctx context.Context, user *login.User, c *Case, why string) *wire.Exchange {
	r := c.Request()
	r.Why = why
	return t.Do(ctx, user, r)
}

// Do is Send for a request that is no case.
func (t *Target) Do(ctx context.Context, user *login.User, r wire.Request) *wire.Exchange {
	plain := r
	plain.Header = r.Header.Clone()
	user.Apply(&plain)
	ex := t.config.Client.Do(ctx, plain)
	t.see(ex)
	if user != nil && t.config.Keeper != nil && t.config.Keeper.Keep(ctx, user, ex) {
		plain = r
		plain.Header = r.Header.Clone()
		user.Apply(&plain)
		ex = t.config.Client.Do(ctx, plain)
		t.see(ex)
	}
	return ex
}

// Once is Do for a request whose credentials may be refused: nobody is logged in again.
func (t *Target) Once(ctx context.Context, user *login.User, r wire.Request) *wire.Exchange {
	r.Header = r.Header.Clone()
	user.Apply(&r)
	ex := t.config.Client.Do(ctx, r)
	t.see(ex)
	return ex
}

// Register makes a user that nobody will miss.
func (t *Target) Register(ctx context.Context, purpose string) (*login.User, error) {
	return t.config.Keeper.Register(ctx, purpose)
}

// LogIn logs a user in anew: the one that is returned has new credentials.
func (t *Target) LogIn(ctx context.Context, u *login.User) (*login.User, error) {
	return t.config.Keeper.LogIn(ctx, u)
}

// Client returns what sends the requests.
func (t *Target) Client() Doer { return t.config.Client }

// Listener returns the scan's own address, or nil if the target cannot reach it.
func (t *Target) Listener() Listener { return t.config.Listener }

// Marker returns an unguessable text of letters and digits that was never used before.
// The same seed gives the same markers, if they are asked for in the same order.
func (t *Target) Marker() string {
	return "fz" + hex.EncodeToString(t.derived("marker", t.markers.Add(1))[:10])
}

// Rand returns random numbers for a purpose: always the same for the same seed.
func (t *Target) Rand(purpose string) *rand.Rand {
	sum := t.derived(purpose, 0)
	return rand.New(rand.NewPCG(binary.BigEndian.Uint64(sum), binary.BigEndian.Uint64(sum[8:])))
}

// Salt makes all markers from now on others than those of a scan with the same seed and
// another salt: the target may still hold what that one left.
func (t *Target) Salt(salt string) { t.salt.Store(&salt) }

func (t *Target) derived(purpose string, n uint64) []byte {
	if salt := t.salt.Load(); salt != nil {
		purpose += "\n" + *salt
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%d\n%s\n%d", t.config.Seed, purpose, n))
	return sum[:]
}

// Report adds a finding.
func (t *Target) Report(f *finding.Finding) { t.config.Report(f) }

// Logger takes what a person may want to know who wonders why something was not found.
func (t *Target) Logger() *slog.Logger { return t.config.Logger }

// PlaceOf returns where a finding is.
func PlaceOf(op *spec.Operation, point string, users string) finding.Place {
	return finding.Place{Method: op.Method, Path: op.Path, Parameter: point, Users: users}
}
