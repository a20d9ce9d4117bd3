package fastness_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth/access"
)

func health(t *testing.T, app *fastness.App, path string) (status int, body string) {
	t.Helper()
	res := do(t, app, "GET", path, "")
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(text)
}

func TestFailedReadinessNamesOnlyTheCheck(t *testing.T) {
	var log bytes.Buffer
	app := fastness.New(fastness.Config{Title: "T", Version: "1", Hosts: []string{"example.com"}, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	app.Ready("cache", func(context.Context) error { return nil })
	app.Ready("database", func(context.Context) error { return errors.New("dial db.internal: refused") })
	app.Ready("queue", func(context.Context) error { panic("broken queue") })
	status, body := health(t, app, "/health/ready")
	if status != 503 || !strings.Contains(body, `"detail":"not ready: database, queue"`) || strings.Contains(body, "internal") {
		t.Errorf("status %d, body %s", status, body)
	}
	for _, part := range []string{"check=database", "db.internal", "check=queue", "broken queue"} {
		if !strings.Contains(log.String(), part) {
			t.Errorf("the log does not say %q:\n%s", part, log.String())
		}
	}
	if strings.Contains(log.String(), "level=ERROR") {
		t.Errorf("the request itself is logged as an error:\n%s", log.String())
	}
	if status, body := health(t, app, "/health/live"); status != 200 || body != `{"status":"ok"}` {
		t.Errorf("live: status %d, body %s", status, body)
	}
}

// Anybody may ask for readiness. It must not be a way to load the database.
func TestFloodOfReadinessRunsTheChecksOnceASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		app := quiet(fastness.Config{})
		var runs atomic.Int64
		app.Ready("database", func(context.Context) error { runs.Add(1); return nil })
		for second := range int64(3) {
			for range 100 {
				if status, body := health(t, app, "/health/ready"); status != 200 {
					t.Fatalf("status %d, body %s", status, body)
				}
			}
			if runs.Load() != second+1 {
				t.Errorf("the check ran %d times in %d seconds", runs.Load(), second+1)
			}
			time.Sleep(time.Second)
		}
	})
}

func TestCheckThatHangsIsNotReadyAndNotStartedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		app := quiet(fastness.Config{})
		var runs atomic.Int64
		release := make(chan struct{})
		app.Ready("database", func(context.Context) error { // deaf to its context
			runs.Add(1)
			<-release
			return nil
		})
		for range 3 {
			began := time.Now()
			status, body := health(t, app, "/health/ready")
			if took := time.Since(began); status != 503 || !strings.Contains(body, "database") || took > time.Second {
				t.Errorf("status %d, body %s, after %v", status, body, took)
			}
			time.Sleep(time.Second)
		}
		if runs.Load() != 1 {
			t.Errorf("the check was started %d times, want 1", runs.Load())
		}
		close(release)
		synctest.Wait()
		if status, body := health(t, app, "/health/ready"); status != 200 {
			t.Errorf("after it ended: status %d, body %s", status, body)
		}
	})
}

// Whoever asks first and hangs up must not make the app look broken to others.
func TestCallerWhoHangsUpDoesNotSpoilTheCheck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		app := quiet(fastness.Config{})
		app.Ready("database", func(ctx context.Context) error {
			select {
			case <-time.After(100 * time.Millisecond):
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
		ctx, hangUp := context.WithCancel(t.Context())
		hangUp()
		r, err := http.NewRequestWithContext(ctx, "GET", "http://example.com/health/ready", nil)
		if err != nil {
			t.Fatal(err)
		}
		w := &lockedWriter{header: http.Header{}}
		app.ServeHTTP(w, r)
		if status, body := health(t, app, "/health/ready"); status != 200 {
			t.Errorf("status %d, body %s", status, body)
		}
	})
}

type lockedWriter struct {
	lockedBuffer
	header http.Header
}

func (w *lockedWriter) Header() http.Header { return w.header }
func (w *lockedWriter) WriteHeader(int)     {}

func TestHealthOfTheApplicationWins(t *testing.T) {
	own := func(context.Context, struct{}) (string, error) { return "own", nil }
	app := quiet(fastness.Config{})
	fastness.Get(app, "/health/live", own, access.Public)
	if status, body := health(t, app, "/health/live"); status != 200 || body != `"own"` {
		t.Errorf("its operation: status %d, body %s", status, body)
	}
	if status, body := health(t, app, "/health/ready"); status != 200 || body != `{"status":"ok"}` {
		t.Errorf("the other check: status %d, body %s", status, body)
	}
	mounted := quiet(fastness.Config{})
	fastness.Mount(mounted, "/health", http.NotFoundHandler(), access.Public)
	fastness.Mount(mounted, "/", http.NotFoundHandler(), access.Public)
	if status, _ := health(t, mounted, "/health/live"); status != 404 {
		t.Errorf("its mount of /health: status %d, want 404", status)
	}
	all := quiet(fastness.Config{})
	fastness.Mount(all, "/", http.NotFoundHandler(), access.Public)
	if status, _ := health(t, all, "/health/live"); status != 200 {
		t.Errorf("beside a mount of everything: status %d, want 200", status)
	}
}

func TestHealthIsNotInTheDocument(t *testing.T) {
	if _, err := lineApp(fastness.Config{}).Document(); err == nil {
		t.Error("an app whose input has no provider has a document")
	}
	app := lineApp(fastness.Config{})
	fastness.ProvideValue(app, fastness.Settings{})
	document, err := app.Document()
	if err != nil {
		t.Fatal(err)
	}
	if text, err := document.JSON(); err != nil || bytes.Contains(text, []byte("/health")) {
		t.Errorf("the document speaks of health (%v)", err)
	}
}

func TestReadinessChecksThatCannotBe(t *testing.T) {
	app := quiet(fastness.Config{})
	pass := func(context.Context) error { return nil }
	app.Ready("database", pass)
	app.Ready("database", pass)
	app.Ready("", pass)
	app.Ready("nothing", nil)
	err := app.Start(t.Context())
	if err == nil {
		t.Fatal("it started")
	}
	for _, part := range []string{`"database" is there twice`, `readiness check "": want`, `readiness check "nothing": want`} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%v: does not say %s", err, part)
		}
	}
}

// pinged is a value that tells whether it is there.
type pinged struct{ away error }

func (p *pinged) Ping(context.Context) error { return p.away }

func TestReadinessFollowsWhatTheAppDependsOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		app, value := quiet(fastness.Config{}), new(pinged)
		fastness.ProvideValue(app, value)
		if status, body := health(t, app, "/health/ready"); status != 200 {
			t.Errorf("status %d, body %s, want 200", status, body)
		}
		value.away = errors.New("dial db.internal: refused")
		time.Sleep(time.Second) // Of the bubble's clock.
		if status, body := health(t, app, "/health/ready"); status != 503 || !strings.Contains(body, "not ready: fastness_test.pinged") || strings.Contains(body, "internal") {
			t.Errorf("status %d, body %s, want 503 and the name of the type only", status, body)
		}
	})
}

func TestReadinessFollowsWhatAnAppBelowDependsOn(t *testing.T) {
	app, below := quiet(fastness.Config{}), fastness.New(fastness.Config{Title: "Below", Version: "1"})
	fastness.ProvideValue(below, &pinged{errors.New("away")})
	fastness.Mount(app, "/v1", below)
	if status, body := health(t, app, "/health/ready"); status != 503 || !strings.Contains(body, "not ready: /v1 fastness_test.pinged") {
		t.Errorf("status %d, body %s, want 503", status, body)
	}
}
