// Package scantest scans an API inside a Go test, without a network: an app of Fastness or
// any other [http.Handler].
//
//	func TestScanFindsNothing(t *testing.T) {
//		app := newApp()
//		scantest.Run(t, app, scantest.Users(
//			scan.User{Username: "alice", Password: "…", Roles: []string{"customer"}},
//			scan.User{Username: "bob", Password: "…", Roles: []string{"customer"}},
//			scan.User{Username: "root", Password: "…", Roles: []string{"admin"}, Admin: true},
//		))
//	}
//
// The test fails with each flaw that is proven: what is wrong, where, why it is no false
// alarm, and a request that shows it. It writes and removes what it made itself, so give
// the handler a database of its own.
//
// # What an app says
//
// Of a *fastness.App the scan has the document, and the routes, with those that the
// document hides: each access rule is held against what happens, as nobody, and as each
// user who has not the role or the scope; and what the app answers without a route is a
// finding. The app is started, and stopped when the test ends. Other handlers are asked for
// their document at the usual places, unless [Document] names it.
//
// # Rate limits
//
// They are part of what is scanned. Each user comes from a loopback address of its own, a
// new one for each check. Where a limit stops the scan nevertheless, it waits as it is
// told, and no test wants to wait for a minute: an app that takes its time from a [Clock]
// has it moved on instead.
//
//	clock := scantest.NewClock()
//	app := newApp(fastness.Config{RateLimit: ratelimit.Config{Now: clock.Now}})
//	scantest.Run(t, app, scantest.Time(clock), …)
//
// # Reports
//
// If the variable FASTNESS_SCAN_REPORTS names a folder, each scan writes its report there,
// as HTML, JSON, SARIF and JUnit, in files that are named after the test.
package scantest

import (
	"context"
	"net/http"
	"os"
	"testing"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/scan"
	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/report"
)

// Option says more about a scan.
type Option func(*settings)

type settings struct {
	scan     scan.Config
	from     finding.Severity
	baseline string
	reached  float64
}

// Users are who the scan is. Two ordinary ones are needed for most of what it finds;
// missing ones are registered if the API lets it. Their Roles and Scopes are what the
// routes of an app are held against.
func Users(users ...scan.User) Option {
	return func(s *settings) { s.scan.Users = append(s.scan.Users, users...) }
}

// Profile says how much the scan does. The default is [scan.CI].
func Profile(p scan.Profile) Option { return func(s *settings) { s.scan.Profile = p } }

// Document is the file of the OpenAPI document.
func Document(file string) Option {
	return func(s *settings) { s.scan.Document, s.scan.Text = file, nil }
}

// FailFrom is the severity from which on a proven finding fails the test. The default is
// [finding.Info], which is all of them.
func FailFrom(from finding.Severity) Option { return func(s *settings) { s.from = from } }

// Baseline is a file of findings that do not count for some time; see [report.Baseline].
func Baseline(file string) Option { return func(s *settings) { s.baseline = file } }

// Reach fails the test if a smaller part of the operations, from 0 to 1, was answered with
// a success: of what a scan cannot reach it says nothing. The default is 0.5.
func Reach(part float64) Option { return func(s *settings) { s.reached = part } }

// Time moves the clock on where the app asks for patience.
func Time(c *Clock) Option {
	return func(s *settings) { s.scan.Wait = c.wait }
}

// Configure changes all else of the scan, such as patterns of operations that are left
// out, or the checks that run.
func Configure(change func(*scan.Config)) Option { return func(s *settings) { change(&s.scan) } }

// Run scans a handler, and fails the test for what it finds. It returns the report, or
// ends the test if there could be no scan.
func Run(t testing.TB, handler http.Handler, options ...Option) *report.Report {
	t.Helper()
	s := &settings{reached: 0.5, scan: scan.Config{Handler: handler, Target: "https://localhost", Profile: scan.CI}}
	if app, ok := handler.(*fastness.App); ok {
		if err := s.readApp(t, app); err != nil {
			t.Fatalf("the app cannot be scanned: %v", err)
		}
	}
	for _, option := range options {
		option(s)
	}
	known, err := s.readBaseline()
	if err != nil {
		t.Fatal(err)
	}
	r, err := scan.Run(t.Context(), s.scan)
	if err != nil {
		t.Fatal(err)
	}
	d := r.Publish()
	s.judge(t, d, known)
	if folder := os.Getenv(Reports); folder != "" {
		if err := writeReports(folder, t.Name(), d); err != nil {
			t.Errorf("%s: %v", Reports, err)
		}
	}
	return r
}

// readApp starts an app, and takes its document and routes.
func (s *settings) readApp(t testing.TB, app *fastness.App) error {
	if err := app.Start(t.Context()); err != nil {
		return err
	}
	t.Cleanup(func() {
		if err := app.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Errorf("the app does not stop: %v", err)
		}
	})
	document, err := app.Document()
	if err != nil {
		return err
	}
	if s.scan.Text, err = document.JSON(); err != nil {
		return err
	}
	routes, err := app.Routes()
	if err != nil {
		return err
	}
	for _, r := range routes {
		s.scan.Access = append(s.scan.Access, scan.Access{Method: r.Method, Path: r.Path, Caller: r.Caller, Roles: r.Roles, Scopes: r.Scopes})
	}
	return nil
}
