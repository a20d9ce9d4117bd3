package main

import (
	"context"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/fastness/fastness/scan"
	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/report"
)

// scanProfile names the profile with which leaky is scanned; there is no scan without it,
// since it takes a minute, and minutes with the race detector. make test and make scan run
// deep.
const scanProfile = "FASTNESS_SCAN_PROFILE"

// notYet are flaws that the scanner does not find, and why. One that is found must leave.
func notYet() map[string]string {
	return map[string]string{}
}

var parameters = regexp.MustCompile(`\{[^}]*\}`)

func at(method, path string) string {
	return method + " " + strings.TrimRight(parameters.ReplaceAllString(path, "{}"), "/")
}

// about reports whether a finding is at a place, by one of some checks.
func about(f *report.Finding, checks []string, method, path string) bool {
	if !slices.Contains(checks, f.Check) {
		return false
	}
	// Of a host, and told at one of its places.
	wide := f.Check == "RC-02" || f.Check == "TLS-01" || strings.HasPrefix(f.Check, "HT-") || strings.HasPrefix(f.Check, "CO-")
	return wide || slices.ContainsFunc(f.Places, func(p finding.Place) bool { return at(p.Method, p.Path) == at(method, path) })
}

// The scanner finds every flaw of leaky at its place, and nothing that is none.
func TestScanOfLeakyFindsTheFlaws(t *testing.T) {
	profile := os.Getenv(scanProfile)
	if profile == "" {
		t.Skip("a scan of leaky takes a minute: make scan, or " + scanProfile + "=deep")
	}
	s, err := open(t.TempDir(), "temp")
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s.handler())
	t.Cleanup(func() { server.Close(); _ = s.db.Close() })
	config := scan.Config{Target: server.URL, Document: "openapi.yaml", Profile: scan.Profile(profile), Users: []scan.User{
		{Username: "alice", Password: "Lantern-Alice-1"}, {Username: "bob", Password: "Lantern-Bob-1"},
		{Username: "admin", Password: "Rampart-Admin-1", Admin: true},
	}}
	found := scanned(t, config)
	if config.Checks = timed(t, found); len(config.Checks) > 0 {
		t.Logf("%v measure time, which a busy machine spoils: they run again", config.Checks)
		found.Findings = append(found.Findings, scanned(t, config).Findings...)
	}
	compare(t, found)
}

func scanned(t *testing.T, config scan.Config) *report.Document {
	t.Helper()
	r, err := scan.Run(context.Background(), config)
	if err != nil {
		t.Fatal(err)
	}
	return r.Publish()
}

// timed returns the checks that measure time and have missed a flaw.
func timed(t *testing.T, d *report.Document) (again []string) {
	t.Helper()
	for _, f := range flaws(t) {
		hit := slices.ContainsFunc(d.Findings, func(found report.Finding) bool { return about(&found, f.Checks, f.Method, f.Path) })
		if !hit && (f.Checks[0] == "IN-03" || f.Checks[0] == "RC-03") {
			again = append(again, f.Checks[0])
		}
	}
	return again
}

// compare holds a report against flaws.yaml and traps.yaml.
func compare(t *testing.T, d *report.Document) {
	t.Helper()
	known, explained, found := notYet(), map[int]bool{}, 0
	list := flaws(t)
	for _, f := range list {
		hit := false
		for i := range d.Findings {
			if about(&d.Findings[i], f.Checks, f.Method, f.Path) {
				explained[i] = true
				hit = hit || d.Findings[i].Proven
			}
		}
		switch why := known[f.ID]; {
		case hit && why != "":
			t.Errorf("%s is found: take it out of notYet", f.ID)
		case !hit && why == "":
			t.Errorf("%s is missed: want one of %v at %s %s (%s): %s", f.ID, f.Checks, f.Method, f.Path, f.Parameter, f.Wrong)
		}
		if hit {
			found++
		}
	}
	for i := range d.Findings {
		f := &d.Findings[i]
		if explained[i] || !f.Proven {
			continue
		}
		what := "it is not in flaws.yaml"
		for _, trap := range traps(t) {
			if about(f, trap.LooksLike, trap.Method, trap.Path) {
				what = trap.ID + " is harmless: " + trap.WhyWrong
			}
		}
		t.Errorf("%s at %s is reported, and %s: %s", f.Check, f.Places[0], what, f.Claim)
	}
	t.Logf("%d of %d flaws found, %d requests in %.0f s", found, len(list), d.Requests, d.Seconds)
}
