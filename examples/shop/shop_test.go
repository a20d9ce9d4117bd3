package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/sqldb"
)

func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	os.Exit(m.Run())
}

// samples is how many items the migrations put up for sale.
const samples = 6

// shop is a started shop on a database file, and the database that it opened.
type shop struct {
	t   *testing.T
	app *fastness.App
	db  *sqldb.DB
}

// openShop starts the shop on the files in dir. More declares operations that
// only a test needs.
func openShop(t *testing.T, dir string, more ...func(*fastness.App)) *shop {
	t.Helper()
	s := &shop{t: t, app: newApp()}
	fastness.ProvideValue(s.app, fastness.Settings{DataDir: dir})
	fastness.Get(s.app, "/test/database", func(_ context.Context, in struct{ DB *sqldb.DB }) (fastness.NoContent, error) {
		s.db = in.DB
		return fastness.NoContent{}, nil
	}, access.Public)
	for _, declare := range more {
		declare(s.app)
	}
	if err := s.app.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.stop)
	if got := s.get("/test/database"); got.status != http.StatusNoContent || s.db == nil {
		t.Fatalf("the shop's database: status %d, want 204", got.status)
	}
	return s
}

// stop stops the shop; a second time does nothing.
func (s *shop) stop() {
	if err := s.app.Stop(context.Background()); err != nil {
		s.t.Errorf("Stop() = %v", err)
	}
}

// reply is what the shop answered.
type reply struct {
	status int
	header http.Header
	body   string
}

// decode reads the body as an object. Numbers stay as they are written.
func (r reply) decode(t *testing.T) map[string]any {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(r.body))
	decoder.UseNumber()
	var object map[string]any
	if err := decoder.Decode(&object); err != nil {
		t.Fatalf("body %q: %v", r.body, err)
	}
	return object
}

func (s *shop) get(target string, header ...string) reply {
	return s.call(http.MethodGet, target, "", header...)
}

// call sends a request with a JSON body, if any, and headers in pairs.
func (s *shop) call(method, target, body string, header ...string) reply {
	return s.callWith(context.Background(), method, target, body, header...)
}

func (s *shop) callWith(ctx context.Context, method, target, body string, header ...string) reply {
	r := httptest.NewRequestWithContext(ctx, method, target, strings.NewReader(body))
	r.Host = "localhost"
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	s.app.ServeHTTP(w, r)
	text, _ := io.ReadAll(w.Result().Body) // It is in memory.
	return reply{w.Code, w.Result().Header, string(text)}
}

// create creates an item and returns its path and the answer.
func (s *shop) create(body string) (path string, item map[string]any) {
	s.t.Helper()
	got := s.call(http.MethodPost, "/items/", body)
	if got.status != http.StatusCreated {
		s.t.Fatalf("POST /items/ %s = %d %s, want 201", body, got.status, got.body)
	}
	return got.header.Get("Location"), got.decode(s.t)
}

// total returns how many items are for sale.
func (s *shop) total() string {
	s.t.Helper()
	n, _ := s.get("/items/").decode(s.t)["total"].(json.Number)
	return n.String()
}

// logs redirects the log of shops that are opened from now on.
func logs(t *testing.T) *bytes.Buffer {
	t.Helper()
	before := slog.Default()
	t.Cleanup(func() { slog.SetDefault(before) })
	var log bytes.Buffer
	slog.SetDefault(slog.New(slog.NewJSONHandler(&log, nil)))
	return &log
}
