// Package redis keeps rate limits and replay caches in Redis or Valkey, so that
// all instances of a program share one budget, and carries events between them.
//
//	store, err := redis.New(redis.Config{URL: secret.New("rediss://:…@cache.internal:6379/0")})
//	limit, err := ratelimit.New(ratelimit.Config{Rule: ratelimit.Per("100/minute"), Store: store})
//	seen := store.Replay("csrf")
//	bus, err := store.Bus(redis.BusConfig{})
//
// A request is charged by one script, in one round trip, with the server's
// clock: requests of all instances are counted one after the other, and an
// instance whose clock is wrong gains and loses nothing. Redis 5 or later (6.2 for
// a [Bus]) and Valkey are fine, standalone; the keys of one charge are in one slot.
//
// # When it does not answer
//
// A call waits [Config].Timeout at most. After three failures in a row calls
// fail at once, and each second one of them tries again; when it succeeds, all
// do. What happens to requests meanwhile is said by their rule: see
// [ratelimit.Rule].FailClosed. A replay cache that fails lets nothing pass.
//
// What was counted may be lost: by FLUSHALL, by a restart without persistence,
// by eviction. Callers then have a whole budget again, and a token that was used
// works once more. Give such a server a maxmemory-policy of noeviction.
package redis

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/fastness/fastness/secret"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// Config configures a [Store]. The zero value has no URL, and is an error.
type Config struct {
	// URL is where the server is:
	//
	//	rediss://user:password@host:6379/0
	//	unix://user:password@/run/redis.sock?db=0
	//
	// Required. The scheme redis, without TLS, is for a server on this machine.
	URL secret.Text
	// TLS has the authorities and the client certificate, if the system's
	// authorities are not the right ones. The server is always verified, with
	// TLS 1.2 or later.
	TLS *tls.Config
	// Prefix begins every key, so that two programs can share a server. The
	// default is "fastness".
	Prefix string
	// Timeout is how long a call may take, connecting included: so much longer
	// takes a request while the server is down. The default is 40 ms, the most
	// one second.
	Timeout time.Duration
	// PoolSize is how many connections there may be. The default is 10 for each
	// CPU.
	PoolSize int
	// Logger is told when calls begin to fail at once, and when they stop to.
	// The default is [slog.Default] at that time.
	Logger *slog.Logger
	// InsecurePlaintext, if not empty, says why the connection to another machine
	// needs no TLS: who listens there reads the password, and can answer instead
	// of the server.
	InsecurePlaintext string
}

// Store is a store of rate limits in Redis. It is safe for concurrent use.
type Store struct {
	client  *redis.Client
	prefix  string
	timeout time.Duration
	breaker breaker
	take    *redis.Script
}

// New returns a store, or an error that names every mistake in cfg and never
// the password. It does not connect: a program starts without its Redis, too.
func New(cfg Config) (*Store, error) {
	if cfg.Prefix == "" {
		cfg.Prefix = "fastness"
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = 40 * time.Millisecond
	}
	options, mistakes := cfg.options()
	if strings.ContainsAny(cfg.Prefix, "{}") {
		mistakes = append(mistakes, fmt.Errorf("Prefix is %q, want one without braces", cfg.Prefix))
	}
	if cfg.Timeout < time.Millisecond || cfg.Timeout > time.Second {
		mistakes = append(mistakes, fmt.Errorf("Timeout is %v, want 1ms to 1s", cfg.Timeout))
	}
	if cfg.PoolSize < 0 {
		mistakes = append(mistakes, fmt.Errorf("PoolSize is %d, want at least 1", cfg.PoolSize))
	}
	if len(mistakes) > 0 {
		return nil, fmt.Errorf("redis config: %w", errors.Join(mistakes...))
	}
	return &Store{
		client: redis.NewClient(options), prefix: cfg.Prefix, timeout: cfg.Timeout,
		breaker: breaker{logger: cfg.Logger}, take: redis.NewScript(takeScript),
	}, nil
}

// options reads the URL. Nothing of it is in an error: it holds a password.
func (cfg *Config) options() (*redis.Options, []error) {
	u, err := url.Parse(cfg.URL.Reveal())
	if err != nil || cfg.URL.IsZero() {
		return nil, []error{errors.New("URL is missing or malformed, want one like rediss://user:password@host:6379/0")}
	}
	for name := range u.Query() {
		if name != "db" || u.Scheme != "unix" {
			return nil, []error{errors.New("URL has a parameter, want none but db of the scheme unix")}
		}
	}
	options, err := redis.ParseURL(u.String())
	if err != nil {
		return nil, []error{errors.New("URL is malformed, want one like rediss://user:password@host:6379/0")}
	}
	var mistakes []error
	switch {
	case options.TLSConfig != nil && cfg.TLS != nil:
		name := options.TLSConfig.ServerName
		if options.TLSConfig = cfg.TLS.Clone(); options.TLSConfig.ServerName == "" {
			options.TLSConfig.ServerName = name
		}
	case options.TLSConfig == nil && cfg.TLS != nil:
		mistakes = append(mistakes, errors.New("TLS is set and URL does not begin with rediss://"))
	case options.TLSConfig == nil && u.Scheme != "unix" && !isLoopback(u.Hostname()) && cfg.InsecurePlaintext == "":
		mistakes = append(mistakes, errors.New("URL leads to another machine without TLS, want rediss://"))
	}
	if t := options.TLSConfig; t != nil {
		t.MinVersion = max(t.MinVersion, tls.VersionTLS12)
		if t.InsecureSkipVerify {
			mistakes = append(mistakes, errors.New("TLS does not verify the server, want its authority in RootCAs"))
		}
	}
	if cfg.PoolSize > 0 {
		options.PoolSize = cfg.PoolSize
	}
	options.ContextTimeoutEnabled = true
	options.MaxRetries = -1 // Whether a call that failed was charged is not known: another try could charge it twice.
	options.DialerRetries = 1
	options.DialTimeout = max(cfg.Timeout, time.Second) // It goes on when the call that wanted it has given up.
	options.ReadTimeout, options.WriteTimeout, options.PoolTimeout = cfg.Timeout, cfg.Timeout, cfg.Timeout
	options.DisableIdentity = true
	options.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	return options, mistakes
}

func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

// Close closes the connections.
func (s *Store) Close() error { return s.client.Close() }

// Ping reports whether the server answers within a second, whatever failed
// before: for a check at start or a readiness probe.
func (s *Store) Ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	return s.client.Ping(ctx).Err()
}

// call runs f and waits for the time that a call may take, not longer: some steps
// of the client have time limits of their own, one after the other. The end of the
// request does not count: who could cancel calls by hanging up could make it look
// as if the server were down.
func call[T any](ctx context.Context, s *Store, f func(context.Context) (T, error)) (T, error) {
	return callWithin(ctx, s, s.timeout, f)
}

// callWithin is call with a time of its own.
func callWithin[T any](ctx context.Context, s *Store, timeout time.Duration, f func(context.Context) (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	var none T
	done, err := s.breaker.enter()
	if err != nil {
		return none, err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
	defer cancel()
	results := make(chan result, 1) // What comes too late is nobody's.
	go func() {
		value, err := f(ctx)
		results <- result{value, err}
	}()
	select {
	case r := <-results:
		done(r.err)
		return r.value, r.err
	case <-ctx.Done():
		done(ctx.Err())
		return none, ctx.Err()
	}
}

// name returns the name of a key. What callers send is hashed: it may be long,
// and a list of keys is no list of users.
func (s *Store) name(kind string, key []byte) string {
	sum := sha256.Sum256(key)
	return s.prefix + ":" + kind + ":{" + base64.RawURLEncoding.EncodeToString(sum[:16]) + "}"
}
