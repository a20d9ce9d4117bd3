package secret_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fastness/fastness/secret"
)

// fickle is a source that says what a test wants.
type fickle struct {
	mu    sync.Mutex
	text  string
	err   error
	reads int
}

func (f *fickle) set(text string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.text, f.err = text, err
}

func (f *fickle) Read(context.Context) (secret.Text, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.reads++
	return secret.New(f.text), f.err
}

func (f *fickle) String() string { return "fickle" }

// clock is a time that a test moves.
type clock struct{ at atomic.Int64 }

func (c *clock) now() time.Time          { return time.Unix(1_800_000_000, c.at.Load()) }
func (c *clock) pass(time time.Duration) { c.at.Add(int64(time)) }

func reloading(t testing.TB, cfg secret.ReloadingConfig) *secret.Reloading {
	t.Helper()
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	r, err := secret.NewReloading(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func shown(texts []secret.Text) (out string) {
	for _, text := range texts {
		out += text.Reveal() + " "
	}
	return out
}

func TestSecretRotatesAndTheOneBeforeStaysForAWhile(t *testing.T) {
	var c clock
	var changes []string
	source := &fickle{text: "one"}
	r := reloading(t, secret.ReloadingConfig{Source: source, Now: c.now, Overlap: time.Minute, OnChange: func(text secret.Text) { changes = append(changes, text.Reveal()) }})
	want := func(accepted string) {
		t.Helper()
		current, previous, _ := strings.Cut(accepted, " ")
		if got := shown(r.Accepted()); got != accepted || r.Current().Reveal() != current || r.Previous().Reveal() != strings.TrimSpace(previous) {
			t.Errorf("accepted %q, current %q, previous %q, want %q", got, r.Current().Reveal(), r.Previous().Reveal(), accepted)
		}
	}
	want("one ")
	source.set("two", nil)
	c.pass(time.Second - 1)
	want("one ")
	c.pass(1)
	want("two one ")
	c.pass(time.Minute - 1)
	want("two one ")
	c.pass(1)
	want("two ")
	source.set("three", nil)
	c.pass(time.Second)
	want("three two ")
	source.set("", errors.New("away"))
	c.pass(time.Second)
	want("three two ")
	source.set("two", nil) // Back again.
	c.pass(time.Second)
	want("two three ")
	if fmt.Sprint(changes) != "[two three two]" {
		t.Errorf("the changes were %v", changes)
	}
}

func TestLastGoodSecretStaysWhileTheSourceIsBroken(t *testing.T) {
	var c clock
	var log bytes.Buffer
	source := &fickle{text: password}
	accept := func(text secret.Text) error {
		if strings.HasPrefix(text.Reveal(), "weak") {
			return secret.ErrWeak
		}
		return nil
	}
	r := reloading(t, secret.ReloadingConfig{Source: source, Now: c.now, Accept: accept, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	for _, broken := range []struct {
		text string
		err  error
	}{{"", errors.New("the vault is sealed")}, {"half a secr", errors.New("the vault is sealed")}, {"", nil}, {"weak secret", nil}} {
		source.set(broken.text, broken.err)
		c.pass(time.Second)
		if got := r.Current(); got.Reveal() != password || r.Err() == nil || !r.Previous().IsZero() {
			t.Errorf("%q, %v: current %q, Err() = %v", broken.text, broken.err, got.Reveal(), r.Err())
		}
	}
	if n := strings.Count(log.String(), "level=ERROR"); n != 3 { // One for each that differs.
		t.Errorf("%d errors are logged, want 3: %s", n, log.String())
	}
	source.set("next-"+password, nil)
	c.pass(time.Second)
	if r.Current().Reveal() != "next-"+password || r.Err() != nil || r.Previous().Reveal() != password {
		t.Errorf("it works again: %q, %v", r.Current().Reveal(), r.Err())
	}
	if text := log.String(); !strings.Contains(text, "can be read again") || !strings.Contains(text, "has changed") || !strings.Contains(text, "fickle") {
		t.Errorf("the log is %s", text)
	}
	mustNotSpell(t, "the log", log.String())
	mustNotSpell(t, "the log", strings.ReplaceAll(log.String(), "weak secret", password))
}

func TestSourceIsReadOnceASecondAtMost(t *testing.T) {
	var c clock
	source := &fickle{text: "one"}
	r := reloading(t, secret.ReloadingConfig{Source: source, Now: c.now})
	for range 10 {
		for range 100 {
			r.Current()
			r.Accepted()
		}
		c.pass(time.Second)
	}
	if source.reads != 10 {
		t.Errorf("%d readings in 10 seconds", source.reads)
	}
}

// slow is a source that answers when it is let.
type slow struct {
	reads atomic.Int64
	let   chan struct{}
}

func (s *slow) Read(ctx context.Context) (secret.Text, error) {
	if s.reads.Add(1) == 1 {
		return secret.New("one"), nil
	}
	select {
	case <-s.let:
		return secret.New("two"), nil
	case <-ctx.Done():
		return secret.Text{}, ctx.Err()
	}
}

func TestOneWaitsForASlowSourceAndTheOthersDoNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &slow{let: make(chan struct{})}
		r := reloading(t, secret.ReloadingConfig{Source: source})
		time.Sleep(time.Second)
		first := make(chan string)
		go func() { first <- r.Current().Reveal() }()
		synctest.Wait()             // The first one reads,
		time.Sleep(2 * time.Second) // and takes so long that it is time for the next.
		for range 5 {
			if got := r.Current().Reveal(); got != "one" {
				t.Errorf("another one got %q", got)
			}
		}
		close(source.let)
		if got := <-first; got != "two" || source.reads.Load() != 2 {
			t.Errorf("who waited got %q after %d readings", got, source.reads.Load())
		}
	})
}

func TestHungSourceIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := reloading(t, secret.ReloadingConfig{Source: &slow{}})
		time.Sleep(time.Second)
		start := time.Now()
		if got := r.Current().Reveal(); got != "one" || time.Since(start) != 5*time.Second || !errors.Is(r.Err(), context.DeadlineExceeded) {
			t.Errorf("%q after %v, %v", got, time.Since(start), r.Err())
		}
	})
}

func TestWatchSeesChangesThatNobodyAsksFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &fickle{text: "one"}
		changed := make(chan string, 1)
		r := reloading(t, secret.ReloadingConfig{Source: source, Every: 10 * time.Second, OnChange: func(text secret.Text) { changed <- text.Reveal() }})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { r.Watch(ctx); close(ended) }()
		source.set("two", nil)
		start := time.Now()
		if got := <-changed; got != "two" || time.Since(start) != 10*time.Second {
			t.Errorf("%q after %v", got, time.Since(start))
		}
		cancel()
		<-ended
		source.set("three", nil)
		time.Sleep(time.Minute)
		if len(changed) != 0 {
			t.Error("it goes on after its end")
		}
	})
}

func TestWatchThatEndsWhileItReadsLeavesNoError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		r := reloading(t, secret.ReloadingConfig{Source: &slow{}, Logger: slog.New(slog.NewTextHandler(&log, nil))})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { r.Watch(ctx); close(ended) }()
		time.Sleep(2 * time.Second) // It reads since the first.
		cancel()
		<-ended
		if r.Err() != nil || log.Len() != 0 {
			t.Errorf("%v, %s", r.Err(), log.String())
		}
	})
}

// A ticker is not exact to the nanosecond: a reading that comes a moment early
// must not wait for the next turn.
func TestWatchMissesNoTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &fickle{text: "one"}
		var late atomic.Bool
		r := reloading(t, secret.ReloadingConfig{Source: source, Now: func() time.Time {
			if late.Swap(true) {
				return time.Now()
			}
			return time.Now().Add(time.Millisecond)
		}})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go r.Watch(ctx)
		time.Sleep(10*time.Second + time.Millisecond)
		source.mu.Lock()
		defer source.mu.Unlock()
		if source.reads != 11 {
			t.Errorf("%d readings in 10 seconds, want 11", source.reads)
		}
	})
}

func TestNewReloadingNamesEveryMistake(t *testing.T) {
	_, err := secret.NewReloading(t.Context(), secret.ReloadingConfig{Every: time.Millisecond, Timeout: -1, Overlap: -1})
	for _, want := range []string{"Source is missing", "Every is 1ms", "Timeout is -1ns", "Overlap is -1ns"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("NewReloading() = %v, want %q in it", err, want)
		}
	}
	for _, source := range []*fickle{{err: errors.New("away")}, {}} {
		if r, err := secret.NewReloading(t.Context(), secret.ReloadingConfig{Source: source}); err == nil || r != nil {
			t.Errorf("a secret that was never good: %v", err)
		}
	}
	weak := secret.ReloadingConfig{Source: &fickle{text: "changeme"}, Accept: func(text secret.Text) error { return secret.Check(text, secret.Policy{}) }}
	if _, err := secret.NewReloading(t.Context(), weak); !errors.Is(err, secret.ErrWeak) {
		t.Errorf("a weak secret: %v", err)
	}
}

// The file is replaced again and again while many read it: every value that
// anybody sees was put there whole.
func TestFileThatIsReplacedUnderLoadIsNeverReadWrong(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "key")
	value := func(i int) string { return strings.Repeat(fmt.Sprintf("%08d", i), 1000) } // More than a page.
	write(t, path, value(0), 0o600)
	var c clock
	r := reloading(t, secret.ReloadingConfig{Source: secret.File(path), Now: c.now, Overlap: time.Hour})
	done := make(chan struct{})
	var reads, seen, wrong atomic.Int64
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			last := ""
			for {
				select {
				case <-done:
					return
				default:
				}
				for _, text := range r.Accepted() {
					plain := text.Reveal()
					if len(plain) != 8000 || plain != strings.Repeat(plain[:8], 1000) {
						wrong.Add(1)
					}
				}
				if now := r.Current().Reveal(); now < last {
					wrong.Add(1) // Back in time.
				} else if now != last {
					last = now
					seen.Add(1)
				}
				reads.Add(1)
			}
		})
	}
	const rounds = 100
	for i := range rounds {
		next := filepath.Join(dir, "next")
		write(t, next, value(i+1)+"\n", 0o600)
		if err := os.Rename(next, path); err != nil {
			t.Fatal(err)
		}
		c.pass(time.Second)
		for r.Current().Reveal() != value(i+1) { // Another one is reading it.
			c.pass(time.Second)
		}
		if err := r.Err(); err != nil {
			t.Fatal(err)
		}
	}
	close(done)
	wg.Wait()
	if wrong.Load() != 0 || reads.Load() < rounds || seen.Load() < 3 {
		t.Errorf("%d wrong of %d readings, %d changes seen", wrong.Load(), reads.Load(), seen.Load())
	}
	t.Logf("%d replacements, %d readings, %d changes seen, %d wrong", rounds, reads.Load(), seen.Load(), wrong.Load())
}

func BenchmarkCurrent(b *testing.B) {
	r := reloading(b, secret.ReloadingConfig{Source: &fickle{text: "one"}})
	for b.Loop() {
		r.Current()
	}
}
