package scantest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/fastness/fastness/guard/ratelimit"
	"github.com/fastness/fastness/scan"
	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/scantest"
)

// recorder is a test whose failures are looked at.
type recorder struct {
	testing.TB
	failed []string
	ended  bool
}

func (r *recorder) Helper()                           {}
func (r *recorder) Log(...any)                        {}
func (r *recorder) Logf(string, ...any)               {}
func (r *recorder) Error(args ...any)                 { r.failed = append(r.failed, fmt.Sprint(args...)) }
func (r *recorder) Errorf(format string, args ...any) { r.Error(fmt.Sprintf(format, args...)) }
func (r *recorder) Fatalf(format string, args ...any) { r.Fatal(fmt.Sprintf(format, args...)) }
func (r *recorder) Fatal(args ...any) {
	r.Error(args...)
	r.ended = true
	runtime.Goexit()
}

// failures returns what a scan fails a test with.
func failures(t *testing.T, handler http.Handler, options ...scantest.Option) string {
	t.Helper()
	r, done := &recorder{TB: t}, make(chan struct{})
	go func() {
		defer close(done)
		scantest.Run(r, handler, options...)
	}()
	<-done
	return strings.Join(r.failed, "\n")
}

func people(keys map[string]string) scantest.Option {
	return scantest.Users(
		scan.User{Name: "alice", Token: keys["alice"], Roles: []string{"writer"}},
		scan.User{Name: "bob", Token: keys["bob"], Roles: []string{"writer"}},
		scan.User{Name: "root", Token: keys["root"], Roles: []string{"admin"}, Admin: true},
	)
}

func only(checks ...string) scantest.Option {
	return scantest.Configure(func(c *scan.Config) { c.Checks = checks })
}

func TestFindingFailsTheTestInWordsThatSuffice(t *testing.T) {
	app, keys := newNotebook(notebook{sharesNotes: true})
	got := failures(t, app, people(keys), only("AZ-01"))
	for _, want := range []string{"high AZ-01", "GET /notes/{id} (path id)", "what:", "proof:", "curl ", "mend:"} {
		if !strings.Contains(got, want) {
			t.Errorf("the failure does not say %q:\n%s", want, got)
		}
	}
	for name, key := range keys {
		if strings.Contains(got, key) {
			t.Errorf("the failure shows the key of %s", name)
		}
	}
}

func TestSeverityFromWhichATestFails(t *testing.T) {
	app, keys := newNotebook(notebook{sharesNotes: true})
	if got := failures(t, app, people(keys), only("AZ-01"), scantest.FailFrom(finding.Critical)); got != "" {
		t.Errorf("a high finding fails a test that is to fail from critical on:\n%s", got)
	}
}

func TestKnownFindingDoesNotFail(t *testing.T) {
	file := filepath.Join(t.TempDir(), "known.yaml")
	known := "suppress: [{check: AZ-01, path: '*', reason: notes are shared until the merge, until: " + time.Now().AddDate(0, 1, 0).Format(time.DateOnly) + "}]"
	if err := os.WriteFile(file, []byte(known), 0o600); err != nil {
		t.Fatal(err)
	}
	app, keys := newNotebook(notebook{sharesNotes: true})
	if got := failures(t, app, people(keys), only("AZ-01"), scantest.Baseline(file)); got != "" {
		t.Errorf("a known finding fails:\n%s", got)
	}
}

// instead answers a path before the app does: a handler that somebody put in front.
func instead(path string) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != path {
				next.ServeHTTP(w, r)
				return
			}
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, `{"notes":12}`)
		})
	}
}

func TestRuleThatAMiddlewarePassesByIsFound(t *testing.T) {
	app, keys := newNotebook(notebook{middleware: instead("/figures")})
	got := failures(t, app, people(keys), only("AZ-09"))
	for _, want := range []string{"critical AZ-09", "GET /figures", "somebody who is not logged in may call it (200)", "needs a log-in"} {
		if !strings.Contains(got, want) {
			t.Errorf("the failure does not say %q:\n%s", want, got)
		}
	}
}

func TestRoleThatIsNotAskedForIsFound(t *testing.T) {
	bypass := instead("/figures")
	app, keys := newNotebook(notebook{middleware: func(next http.Handler) http.Handler {
		shown := bypass(next)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("X-Key") == "" { // It asks for a key, and not whose it is.
				next.ServeHTTP(w, r)
				return
			}
			shown.ServeHTTP(w, r)
		})
	}})
	got := failures(t, app, people(keys), only("AZ-09"))
	for _, want := range []string{"high AZ-09", "alice may call it (200)", "needs the role admin"} {
		if !strings.Contains(got, want) {
			t.Errorf("the failure does not say %q:\n%s", want, got)
		}
	}
	if strings.Contains(got, "root may") || strings.Contains(got, "not logged in may") {
		t.Errorf("who may, or is refused, is reported:\n%s", got)
	}
}

func TestAnswerWithoutARouteIsFound(t *testing.T) {
	app, keys := newNotebook(notebook{middleware: instead("/metrics")})
	got := failures(t, app, people(keys), only("AZ-09"))
	if !strings.Contains(got, "AZ-09") || !strings.Contains(got, "/metrics") || !strings.Contains(got, "does not declare") {
		t.Errorf("what no route stands for is not found:\n%s", got)
	}
}

func TestAppOnWhichEveryRuleHoldsPasses(t *testing.T) {
	app, keys := newNotebook(notebook{})
	if got := failures(t, app, people(keys), only("AZ-09")); got != "" {
		t.Errorf("a safe app fails:\n%s", got)
	}
}

func TestLimitOfTheAppDoesNotStopTheScan(t *testing.T) {
	clock := scantest.NewClock()
	app, keys := newNotebook(notebook{limit: ratelimit.Config{Rule: ratelimit.Rule{Limit: "3/hour"}, Now: clock.Now}})
	begun := time.Now()
	r := scantest.Run(t, app, people(keys), only("AZ-01"), scantest.Time(clock))
	if ahead := clock.Now().Sub(begun); ahead < time.Hour {
		t.Errorf("the clock went on by %v: the limit never stopped the scan", ahead)
	}
	for _, o := range r.Operations {
		if o.Method+" "+o.Path == "GET /notes/{id}" && !o.Reached() {
			t.Error("GET /notes/{id} was not reached")
		}
	}
}

func TestScanThatReachesLittleFails(t *testing.T) {
	app, _ := newNotebook(notebook{})
	got := failures(t, app, only("AZ-01"), scantest.Users(scan.User{Name: "alice", Token: "none"}, scan.User{Name: "bob", Token: "no"}))
	if !strings.Contains(got, "what was not reached was not tested") {
		t.Errorf("a scan that reached nothing passes:\n%s", got)
	}
}

func TestAppThatDoesNotStartEndsTheTest(t *testing.T) {
	app, _ := newNotebook(notebook{})
	app.Mistake(fmt.Errorf("a declaration is wrong"))
	if got := failures(t, app); !strings.Contains(got, "a declaration is wrong") {
		t.Errorf("got %q", got)
	}
}

func TestReportsAreWrittenWhereTheVariableSays(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "reports")
	t.Setenv(scantest.Reports, folder)
	app, keys := newNotebook(notebook{})
	scantest.Run(t, app, people(keys), only("AZ-09"))
	for _, ending := range []string{"html", "json", "sarif", "xml"} {
		text, err := os.ReadFile(filepath.Join(folder, t.Name()+"."+ending))
		if err != nil || len(text) == 0 {
			t.Errorf("%s: %d bytes, %v", ending, len(text), err)
		}
	}
}

// plain is an API that has nothing to do with Fastness.
func plain(document string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		if document == "" {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, document)
	})
	mux.HandleFunc("GET /things/{id}", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Key") != "a" && r.Header.Get("X-Key") != "b" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]string{"id": r.PathValue("id")})
	})
	return mux
}

const things = `{"openapi":"3.1.0","info":{"title":"Things","version":"1"},"security":[{"key":[]}],
"components":{"securitySchemes":{"key":{"type":"apiKey","in":"header","name":"X-Key"}}},
"paths":{"/things/{id}":{"get":{"parameters":[{"name":"id","in":"path","required":true,"schema":{"type":"integer"}}],"responses":{"200":{"description":"it"}}}}}}`

func TestHandlerOfAnyMakeIsScanned(t *testing.T) {
	file := filepath.Join(t.TempDir(), "things.json")
	if err := os.WriteFile(file, []byte(things), 0o600); err != nil {
		t.Fatal(err)
	}
	users := scantest.Users(scan.User{Name: "alice", Token: "a"}, scan.User{Name: "bob", Token: "b"})
	for name, c := range map[string]struct {
		handler http.Handler
		options []scantest.Option
	}{
		"document found":       {plain(things), nil},
		"document from a file": {plain(""), []scantest.Option{scantest.Document(file)}},
	} {
		t.Run(name, func(t *testing.T) {
			r := scantest.Run(t, c.handler, append(c.options, users, only("AZ-01"))...)
			if len(r.Operations) == 0 || r.Title != "Things" {
				t.Errorf("%d operations of %q", len(r.Operations), r.Title)
			}
		})
	}
}
