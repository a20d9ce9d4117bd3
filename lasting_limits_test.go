package fastness_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth/access"
)

// pacedWriter is a connection whose client takes so long for each write. It keeps the
// deadlines that it is given, in the time of a test.
type pacedWriter struct {
	header   http.Header
	pace     time.Duration
	deadline time.Time
	reads    []time.Time // deadlines of reading
	body     bytes.Buffer
}

func (w *pacedWriter) Header() http.Header { return w.header }
func (w *pacedWriter) WriteHeader(int)     {}
func (w *pacedWriter) FlushError() error   { return nil }

func (w *pacedWriter) SetWriteDeadline(t time.Time) error {
	w.deadline = t
	return nil
}

func (w *pacedWriter) SetReadDeadline(t time.Time) error {
	w.reads = append(w.reads, t)
	return nil
}

func (w *pacedWriter) Write(p []byte) (int, error) {
	if left := time.Until(w.deadline); !w.deadline.IsZero() && left < w.pace {
		time.Sleep(left)
		return 0, os.ErrDeadlineExceeded
	}
	time.Sleep(w.pace)
	if w.body.Len() < 1<<10 {
		w.body.Write(p)
	}
	return len(p), nil
}

// lastingApp has an answer of each kind that lasts.
func lastingApp(t *testing.T) *fastness.App {
	t.Helper()
	app, public := open(fastness.Config{Logger: slog.New(slog.DiscardHandler)})
	limits := fastness.StreamLimits{Write: 7 * time.Second, Heartbeat: 3 * time.Second, Longest: time.Minute}
	fastness.Get(public, "/file", func(context.Context, none) (fastness.Download, error) {
		return fastness.Download{Content: &endless{closed: func() {}}}, nil
	}, limits)
	fastness.Get(public, "/quiet", func(ctx context.Context, _ none) (fastness.SSE[string], error) {
		return fastness.SSE[string]{Events: func(func(fastness.Event[string], error) bool) { <-ctx.Done() }}, nil
	}, limits)
	fastness.Post(public, "/body", func(_ context.Context, in struct{ Body fastness.Stream }) (fastness.JSONLines[string], error) {
		_, err := io.ReadAll(io.LimitReader(in.Body, 5))
		return fastness.JSONLines[string]{Items: func(yield func(string, error) bool) { yield("a", nil) }}, err
	}, limits)
	fastness.Post(public, "/unread", func(context.Context, none) (fastness.JSONLines[string], error) {
		return fastness.JSONLines[string]{Items: func(yield func(string, error) bool) { yield("a", nil) }}, nil
	}, limits)
	fastness.Static(app, "/static", fstest.MapFS{"large.bin": {Data: make([]byte, 32<<20)}}, access.Public, limits)
	if err := app.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return app
}

// lasts returns how long the answer to r takes.
func lasts(app *fastness.App, w *pacedWriter, r *http.Request) time.Duration {
	begin := time.Now()
	func() {
		defer func() { _ = recover() }() // What is cut is, by http.ErrAbortHandler.
		app.ServeHTTP(w, r)
	}()
	synctest.Wait()
	return time.Since(begin)
}

// TestSlowReaderOfAFileIsCut: neither who reads nothing, nor who reads a little just often
// enough, keeps a file and a place in flight for long.
func TestSlowReaderOfAFileIsCut(t *testing.T) {
	for _, path := range []string{"/file", "/static/large.bin"} {
		for _, tt := range []struct {
			name        string
			pace        time.Duration
			least, most time.Duration
		}{
			{"reads nothing", time.Hour, 7 * time.Second, 7 * time.Second},
			{"reads now and then", 5 * time.Second, 55 * time.Second, 70 * time.Second},
		} {
			synctest.Test(t, func(t *testing.T) {
				w := &pacedWriter{header: http.Header{}, pace: tt.pace}
				took := lasts(lastingApp(t), w, httptest.NewRequest("GET", "http://localhost"+path, nil))
				if took < tt.least || took > tt.most {
					t.Errorf("GET %s by who %s lasts %v, want %v to %v", path, tt.name, took, tt.least, tt.most)
				}
			})
		}
	}
}

// TestQuietStreamSaysThatItIsThere: once when it opens, then as often as it was told.
func TestQuietStreamSaysThatItIsThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &pacedWriter{header: http.Header{}}
		ctx, cancel := context.WithTimeout(t.Context(), 29*time.Second)
		defer cancel()
		lasts(lastingApp(t), w, httptest.NewRequest("GET", "http://localhost/quiet", nil).WithContext(ctx))
		if n := strings.Count(w.body.String(), ":\n\n"); n != 10 { // At 1, 4, … 28 seconds.
			t.Errorf("%d heartbeats in 29 seconds, want 10: %q", n, w.body.String())
		}
	})
}

// TestReadingIsNotLimitedWhileAnAnswerLasts: the limit of the server would look like a
// caller who is gone. What was not read of a body keeps its limit: otherwise its sender
// could leave the connection hanging.
func TestReadingIsNotLimitedWhileAnAnswerLasts(t *testing.T) {
	for name, tt := range map[string]struct {
		method, path, body string
		free               bool
	}{
		"events without a body":    {"GET", "/quiet", "", true},
		"a file":                   {"GET", "/static/large.bin", "", false}, // It does not watch.
		"a download":               {"GET", "/file", "", true},
		"a body that was read":     {"POST", "/body", "012", true},
		"a body, not read to end":  {"POST", "/body", "0123456789", false},
		"a body that nobody wants": {"POST", "/unread", "0123456789", false},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := &pacedWriter{header: http.Header{}}
			if tt.path == "/file" {
				w.pace = time.Second
			}
			r := httptest.NewRequest(tt.method, "http://localhost"+tt.path, nil)
			if tt.body != "" {
				r = httptest.NewRequest(tt.method, "http://localhost"+tt.path, strings.NewReader(tt.body))
				r.Header.Set("Content-Type", "application/octet-stream")
			}
			took := lasts(lastingApp(t), w, r)
			freed := false
			for _, deadline := range w.reads {
				freed = freed || deadline.IsZero()
			}
			if freed != tt.free {
				t.Errorf("%s: reading without a limit is %v, want %v (%v, after %v)", name, freed, tt.free, w.reads, took)
			}
			if n := len(w.reads); n > 0 && w.reads[n-1].IsZero() {
				t.Errorf("%s: reading has no limit when the answer is over", name)
			}
		})
	}
}
