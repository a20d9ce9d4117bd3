package token

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fastness/fastness/internal/jws"
)

// When keys are fetched again.
const (
	minFresh     = time.Minute // however short the issuer says they are good for
	maxFresh     = time.Hour   // however long
	usualFresh   = 15 * time.Minute
	retryAfter   = time.Minute
	betweenLoads = 10 * time.Second // for ids that are not known
	defaultStale = 24 * time.Hour
)

// RemoteConfig configures a [Remote].
type RemoteConfig struct {
	// Issuer is the URL of an issuer whose keys are found by OpenID Connect
	// Discovery. What is found must name the same issuer, byte for byte.
	Issuer string
	// JWKS is the URL of the keys, if they are not to be discovered. Either Issuer or
	// JWKS is required.
	JWKS string
	// Algorithms are those that the issuer signs with (RFC 7518, section 3.1); keys
	// for others are left out. The default is EdDSA, ES256, RS256 and PS256. Secrets
	// are never taken from elsewhere, so those for HMAC are a mistake.
	Algorithms []string
	// MaxStale is for how long the last good keys are used while the issuer cannot be
	// reached: 24 hours by default. After that, no token is good.
	MaxStale time.Duration
	// Transport fetches. The default is [http.DefaultTransport]. Redirects are never
	// followed.
	Transport http.RoundTripper
	// Log gets what is wrong with the keys. The default is [slog.Default].
	Log *slog.Logger
	// InsecurePlainHTTP, if not empty, says why keys may be fetched over HTTP. Who is
	// on the way can then replace them, and sign what they like.
	InsecurePlainHTTP string
}

// Remote are the keys of an issuer elsewhere, fetched when they are first asked
// for and refreshed in the background for as long as the issuer says they are good
// (between a minute and an hour). Close ends that. It is safe for concurrent use.
type Remote struct {
	cfg        RemoteConfig
	client     *http.Client
	set        atomic.Pointer[remoteSet]
	generation atomic.Uint64
	life       context.Context // until Close
	end        context.CancelFunc

	mu      sync.Mutex
	loading *load     // nil: none at the moment
	started time.Time // of the last load
	timer   *time.Timer
	closed  bool
}

// remoteSet is what one load has found.
type remoteSet struct {
	keys map[string]*jws.Key
	at   time.Time
}

// load is a load that goes on. Everybody who needs it waits for the same.
type load struct {
	done chan struct{}
	err  error
}

var errClosed = errors.New("the keys are closed")

// NewRemote returns the keys of an issuer, or an error that names every mistake in
// cfg. It fetches nothing yet; see [Remote.Load].
func NewRemote(cfg RemoteConfig) (*Remote, error) {
	if len(cfg.Algorithms) == 0 {
		cfg.Algorithms = []string{"EdDSA", "ES256", "RS256", "PS256"}
	}
	if cfg.MaxStale == 0 {
		cfg.MaxStale = defaultStale
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	var errs []error
	if (cfg.Issuer == "") == (cfg.JWKS == "") {
		errs = append(errs, errors.New("want either Issuer or JWKS"))
	}
	if cfg.Issuer != "" {
		errs = append(errs, checkURL("Issuer", cfg.Issuer, cfg.InsecurePlainHTTP != ""))
	}
	if cfg.JWKS != "" {
		errs = append(errs, checkURL("JWKS", cfg.JWKS, cfg.InsecurePlainHTTP != ""))
	}
	for _, name := range cfg.Algorithms {
		if alg := jws.Algorithm(name); !alg.Known() || alg.Symmetric() {
			errs = append(errs, fmt.Errorf("Algorithms: %q is not one that a public key verifies", name))
		}
	}
	if cfg.MaxStale < retryAfter {
		errs = append(errs, fmt.Errorf("MaxStale is %v, want at least %v", cfg.MaxStale, retryAfter))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("remote keys: %w", err)
	}
	r := &Remote{cfg: cfg, client: newClient(cfg.Transport)}
	r.life, r.end = context.WithCancel(context.Background())
	return r, nil
}

// checkURL wants a URL that can be fetched safely.
func checkURL(field, text string, plain bool) error {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" || u.RawQuery != "" && field == "Issuer" {
		return fmt.Errorf("%s: want a URL of scheme, host and path", field)
	}
	if u.Scheme != "https" && !(u.Scheme == "http" && plain) {
		return fmt.Errorf("%s: want https, or a reason in InsecurePlainHTTP", field)
	}
	return nil
}

// Load fetches the keys now, unless that is going on already. A program that calls
// it when it starts learns early that an issuer cannot be reached.
func (r *Remote) Load(ctx context.Context) error {
	r.mu.Lock()
	l, err := r.begin()
	r.mu.Unlock()
	if err != nil {
		return err
	}
	return l.wait(ctx)
}

// Generation changes when a key is withdrawn or replaced, and when the keys are
// too old to be used.
func (r *Remote) Generation() uint64 { return r.generation.Load() }

// Key returns the key of an id, or nil if the issuer has none. An id that is not
// known makes the keys load again, at most once in 10 seconds: the issuer may have
// a new one, and an attacker has many.
func (r *Remote) Key(ctx context.Context, id string) (*jws.Key, error) {
	if key := r.find(id); key != nil {
		return key, nil
	}
	l, err := r.reload()
	if err != nil {
		return nil, err
	}
	if l != nil {
		if err := l.wait(ctx); err != nil && r.fresh() == nil {
			return nil, err
		}
	}
	if r.fresh() == nil {
		return nil, errors.New("no keys have been fetched lately")
	}
	return r.find(id), nil
}

// fresh returns the keys unless they are too old to be used.
func (r *Remote) fresh() *remoteSet {
	if set := r.set.Load(); set != nil && time.Since(set.at) < r.cfg.MaxStale {
		return set
	}
	return nil
}

func (r *Remote) find(id string) *jws.Key {
	if set := r.fresh(); set != nil {
		return set.keys[id]
	}
	return nil
}

// reload returns the load that may bring a key, or nil if the last was just now.
func (r *Remote) reload() (*load, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.loading == nil && !r.started.IsZero() && time.Since(r.started) < betweenLoads {
		return nil, nil
	}
	return r.begin()
}

// begin returns the load that goes on, or a new one. The lock is held.
func (r *Remote) begin() (*load, error) {
	if r.closed {
		return nil, errClosed
	}
	if r.loading == nil {
		r.loading = &load{done: make(chan struct{})}
		r.started = time.Now()
		go r.run(r.loading)
	}
	return r.loading, nil
}

// run fetches once and says when to fetch again. It belongs to nobody's request:
// a caller who goes away must not end what others wait for.
func (r *Remote) run(l *load) {
	keys, fresh, err := r.fetch()
	if err != nil {
		fresh = retryAfter
		r.cfg.Log.Warn("the keys of an issuer cannot be fetched", "issuer", r.cfg.Issuer, "jwks", r.cfg.JWKS, "error", err)
		r.retire()
	} else {
		r.replace(keys)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.closed {
		r.again(fresh)
	}
	r.loading = nil
	l.err = err
	close(l.done)
}

// again starts the next load after a while. The lock is held.
func (r *Remote) again(after time.Duration) {
	if r.timer != nil {
		r.timer.Stop()
	}
	r.timer = time.AfterFunc(after, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.begin() // Closed is the only error.
	})
}

// replace puts new keys in the place of the old ones.
func (r *Remote) replace(keys map[string]*jws.Key) {
	old := r.set.Swap(&remoteSet{keys: keys, at: time.Now()})
	if old == nil {
		return
	}
	for id, key := range old.keys {
		if !same(key, keys[id]) {
			r.generation.Add(1)
			return
		}
	}
}

// retire forgets keys that are too old, so that no token is remembered either.
func (r *Remote) retire() {
	if old := r.set.Load(); old != nil && r.fresh() == nil && r.set.CompareAndSwap(old, nil) {
		r.generation.Add(1)
		r.cfg.Log.Error("the last good keys of an issuer are too old to be used", "issuer", r.cfg.Issuer, "jwks", r.cfg.JWKS)
	}
}

func same(a, b *jws.Key) bool {
	if b == nil {
		return false
	}
	x, errX := a.PublicJWK()
	y, errY := b.PublicJWK()
	return errX == nil && errY == nil && string(x) == string(y)
}

// usable returns the keys for algorithms that are allowed.
func (r *Remote) usable(keys []*jws.Key) map[string]*jws.Key {
	usable := make(map[string]*jws.Key, len(keys))
	var left []string
	for _, key := range keys {
		if slices.Contains(r.cfg.Algorithms, string(key.Algorithm())) {
			usable[key.ID()] = key
		} else {
			left = append(left, key.String())
		}
	}
	if left != nil {
		r.cfg.Log.Debug("keys for algorithms that are not allowed are left out", "keys", strings.Join(left, ", "))
	}
	return usable
}

// Close stops fetching, and returns when nothing runs any more. The keys that are
// there can be used for MaxStale.
func (r *Remote) Close() {
	r.mu.Lock()
	r.closed = true
	if r.timer != nil {
		r.timer.Stop()
	}
	l := r.loading
	r.mu.Unlock()
	r.end()
	if l != nil {
		<-l.done
	}
}

func (l *load) wait(ctx context.Context) error {
	select {
	case <-l.done:
		return l.err
	case <-ctx.Done():
		return ctx.Err()
	}
}
