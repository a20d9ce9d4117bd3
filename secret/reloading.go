package secret

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// ReloadingConfig configures a [Reloading].
type ReloadingConfig struct {
	// Source is where the secret comes from.
	Source Source
	// Every is how often it is read again, at most. The default, and the least,
	// is one second.
	Every time.Duration
	// Timeout is how long one reading may take. The default is 5 seconds.
	Timeout time.Duration
	// Overlap is for how long Previous returns the secret before. The default is
	// an hour: what was signed with it a moment ago is on its way, and what has
	// leaked must end.
	Overlap time.Duration
	// Accept, if not nil, returns an error for a value that must not be used, such
	// as that of [Check]. The one before stays then.
	Accept func(Text) error
	// OnChange, if not nil, is called with each new value, one at a time.
	OnChange func(Text)
	// Logger gets a line when the source breaks, when it works again and when the
	// value changes, never a value. The default is [slog.Default].
	Logger *slog.Logger
	// Now tells the time. The default is [time.Now].
	Now func() time.Time
}

// Reloading is a secret that is read again while the program runs, so that it
// rotates without a restart. While its source is broken the last good value
// stays. It is safe for concurrent use.
//
//	current, err := secret.NewReloading(ctx, secret.ReloadingConfig{Source: secret.File("/run/secrets/hmac")})
//	…
//	sign(current.Current())
//	verify(current.Accepted())
type Reloading struct {
	cfg   ReloadingConfig
	state atomic.Pointer[state]
	next  atomic.Int64 // when to read again, in nanoseconds
	read  sync.Mutex   // whoever has it reads
}

type state struct {
	current, previous Text
	until             time.Time // of previous
	err               error
}

// NewReloading reads the secret, and returns an error if that fails or cfg has a
// mistake.
func NewReloading(ctx context.Context, cfg ReloadingConfig) (*Reloading, error) {
	var mistakes []error
	if cfg.Source == nil {
		mistakes = append(mistakes, errors.New("Source is missing"))
	}
	if cfg.Every < 0 || cfg.Every > 0 && cfg.Every < time.Second {
		mistakes = append(mistakes, fmt.Errorf("Every is %v, want at least a second", cfg.Every))
	}
	if cfg.Timeout < 0 {
		mistakes = append(mistakes, fmt.Errorf("Timeout is %v, want a positive duration", cfg.Timeout))
	}
	if cfg.Overlap < 0 {
		mistakes = append(mistakes, fmt.Errorf("Overlap is %v, want a positive duration", cfg.Overlap))
	}
	if len(mistakes) > 0 {
		return nil, fmt.Errorf("secret config: %w", errors.Join(mistakes...))
	}
	r := &Reloading{cfg: cfg.withDefaults()}
	text, err := r.readOnce(ctx)
	if err != nil {
		return nil, err
	}
	r.state.Store(&state{current: text})
	r.next.Store(r.cfg.Now().Add(r.cfg.Every).UnixNano())
	return r, nil
}

func (cfg ReloadingConfig) withDefaults() ReloadingConfig {
	if cfg.Every == 0 {
		cfg.Every = time.Second
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = 5 * time.Second
	}
	if cfg.Overlap == 0 {
		cfg.Overlap = time.Hour
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return cfg
}

// Current returns the secret. If the last reading is longer ago than Every, it
// reads first; of many at once one reads, and the others get the value that is
// there.
func (r *Reloading) Current() Text {
	r.refresh()
	return r.state.Load().current
}

// Previous returns the secret before the current one while the overlap lasts,
// and an empty text otherwise.
func (r *Reloading) Previous() Text {
	r.refresh()
	return r.previous(r.state.Load())
}

// Accepted returns the secrets with which something may be signed that comes in
// now: the current one and, while the overlap lasts, the one before.
func (r *Reloading) Accepted() []Text {
	r.refresh()
	s := r.state.Load()
	if previous := r.previous(s); !previous.IsZero() {
		return []Text{s.current, previous}
	}
	return []Text{s.current}
}

func (r *Reloading) previous(s *state) Text {
	if r.cfg.Now().Before(s.until) {
		return s.previous
	}
	return Text{}
}

// Err returns the error of the last reading, and nil if it went well. It is for
// health checks.
func (r *Reloading) Err() error { return r.state.Load().err }

// Watch reads the secret again and again until ctx ends, so that OnChange is
// called though nobody asks for the value.
func (r *Reloading) Watch(ctx context.Context) {
	ticker := time.NewTicker(r.cfg.Every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			r.reload(ctx)
		}
	}
}

// refresh reads the source if it is time.
func (r *Reloading) refresh() {
	if r.cfg.Now().UnixNano() >= r.next.Load() {
		r.reload(context.Background())
	}
}

// reload reads the source if nobody else does.
//
// It reads the whole secret instead of asking whether the file has changed: the
// time of a file is as coarse as the clock of its disk, and a value that was
// changed twice in a moment would be missed for good.
func (r *Reloading) reload(ctx context.Context) {
	if !r.read.TryLock() {
		return
	}
	defer r.read.Unlock()
	now := r.cfg.Now()
	r.next.Store(now.Add(r.cfg.Every).UnixNano())
	old := r.state.Load()
	text, err := r.readOnce(ctx)
	if err != nil {
		if ctx.Err() != nil { // Watch ends, and nothing is wrong with the source.
			return
		}
		if old.err == nil || old.err.Error() != err.Error() {
			r.cfg.Logger.Error("the secret cannot be read again, the last good value stays", "error", err)
		}
		r.state.Store(&state{current: old.current, previous: old.previous, until: old.until, err: err})
		return
	}
	if old.err != nil {
		r.cfg.Logger.Info("the secret can be read again", "source", fmt.Sprint(r.cfg.Source))
	}
	if text.Equal(old.current) {
		r.state.Store(&state{current: old.current, previous: old.previous, until: old.until})
		return
	}
	r.state.Store(&state{current: text, previous: old.current, until: now.Add(r.cfg.Overlap)})
	r.cfg.Logger.Info("the secret has changed", "source", fmt.Sprint(r.cfg.Source))
	if r.cfg.OnChange != nil {
		r.cfg.OnChange(text)
	}
}

func (r *Reloading) readOnce(ctx context.Context) (Text, error) {
	ctx, cancel := context.WithTimeout(ctx, r.cfg.Timeout)
	defer cancel()
	text, err := r.cfg.Source.Read(ctx)
	if err != nil {
		return Text{}, err
	}
	if text.IsZero() {
		return Text{}, errors.New("secret: the source returned an empty one")
	}
	if r.cfg.Accept != nil {
		if err := r.cfg.Accept(text); err != nil {
			return Text{}, fmt.Errorf("secret of %v: %w", r.cfg.Source, err)
		}
	}
	return text, nil
}
