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
// since it takes minutes. make scan runs deep.
const scanProfile = "FASTNESS_SCAN_PROFILE"

// notYet are flaws that the scanner does not find, and why. One that is found must leave.
func notYet() map[string]string {
	const noCheck = "there is no check "
	return map[string]string{
		"LK-05": noCheck + "IV-05",
		"LK-13": noCheck + "DE-02",
		"LK-24": noCheck + "HTTP-01",
		"LK-37": noCheck + "FLOW",
		"LK-48": noCheck + "DE-03",
		"LK-51": noCheck + "IV-05",
		"LK-53": noCheck + "DE-02",
		"LK-58": noCheck + "CA-01",
		"LK-59": noCheck + "CA-01",
		"LK-60": noCheck + "WS-01",
		"LK-76": noCheck + "TLS-01",
		"LK-80": noCheck + "IV-03",
		"LK-84": noCheck + "RC-03",
		"LK-85": noCheck + "GQ-01",
		"LK-86": noCheck + "GQ-01",
		"LK-88": noCheck + "SC-03",
		"LK-89": noCheck + "SC-03",
		"LK-90": noCheck + "INFO-02",
		"LK-06": "RC-02 tells of another operation that reads as much, and not of this one",
		"LK-35": "BP-01 does not try a price that the document describes",
		"LK-38": "BF-01 does not buy the last piece at once",
		"LK-43": "CSRF-03 does not see the change by this GET",
	}
}

// consequences are what flaws of flaws.yaml lead to elsewhere, or by another check: true,
// and no flaws of their own.
func consequences() map[string]string {
	return map[string]string{
		"AU-01 GET /internal/users":       "IV-01 has the operation: nobody is asked to log in",
		"AU-01 GET /v1/orders/{}":         "the old version asks nobody to log in",
		"IV-02 GET /v1/orders/{}":         "the old version is alive for orders, too",
		"IV-04 GET /.env":                 "the file with the settings is served",
		"DE-01 POST /v2/me/address":       "the answer is the whole row of the user, as that of GET /v2/me",
		"AU-07 PUT /v2/users/{}/password": "tokens do not end, whatever changes the password",
		"RC-02 PUT /v2/me":                "no operation has a limit of the body",
		"SC-01 GET /v2/items":             "the index of the search fails, and nothing catches it",
		"SC-01 GET /v2/items/search":      "the statement is made of the text",
		"SC-02 GET /v2/items/search":      "errors of the database are answered as they are",
		"SC-01 PATCH /v2/items/{}":        "members of any type go into the statement",
		"SC-01 PATCH /v2/me":              "members of any type go into the statement",
		"AU-08 GET /v2/me/downloads":      "it hands out the addresses with tokens",
		"AU-04 POST /v2/auth/forgot":      "it says whether a user exists",
	}
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
	wide := strings.HasPrefix(f.Check, "HT-") || strings.HasPrefix(f.Check, "CO-") // Of a host, and told at one of its places.
	return wide || slices.ContainsFunc(f.Places, func(p finding.Place) bool { return at(p.Method, p.Path) == at(method, path) })
}

// The scanner finds every flaw of leaky at its place, and nothing that is none.
func TestScanOfLeakyFindsTheFlaws(t *testing.T) {
	profile := os.Getenv(scanProfile)
	if profile == "" {
		t.Skip("a scan of leaky takes minutes: make scan, or " + scanProfile + "=deep")
	}
	s, err := open(t.TempDir(), "temp")
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s.handler())
	t.Cleanup(func() { server.Close(); _ = s.db.Close() })
	r, err := scan.Run(context.Background(), scan.Config{Target: server.URL, Document: "openapi.yaml", Profile: scan.Profile(profile), Users: []scan.User{
		{Username: "alice", Password: "Lantern-Alice-1"}, {Username: "bob", Password: "Lantern-Bob-1"},
		{Username: "admin", Password: "Rampart-Admin-1", Admin: true},
	}})
	if err != nil {
		t.Fatal(err)
	}
	compare(t, r.Publish())
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
		if consequences()[f.Check+" "+at(f.Places[0].Method, f.Places[0].Path)] != "" {
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
