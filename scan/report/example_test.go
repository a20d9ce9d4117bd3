package report_test

import (
	"os"
	"time"

	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/report"
)

func Example() {
	r := report.Report{
		Target: "http://127.0.0.1:8080", Title: "Orders", APIVersion: "1.0", Profile: "ci", Seed: 7, Requests: 120, Duration: 2 * time.Second,
		Operations: []report.Operation{{Method: "GET", Path: "/orders/{id}", Answers: []report.Answer{{User: "alice", Status: 200}}}},
		Findings: []*finding.Finding{{
			Kind:     finding.Kind{ID: "AZ-01", Title: "Another user's object can be read", OWASP: "API1:2023", CWE: 639},
			Severity: finding.High, Proven: true, Claim: "bob reads an order of alice",
			Places: []finding.Place{{Method: "GET", Path: "/orders/{id}", Parameter: "path id", Users: "bob as alice"}},
		}},
	}
	if err := report.Write(os.Stdout, report.Terminal, r.Publish(), report.Options{}); err != nil {
		panic(err)
	}
	// Output:
	// Orders 1.0  http://127.0.0.1:8080
	// profile ci, seed 7, 120 requests in 2s (60.0/s)
	//
	// 1 high   1 of 1 operations reached   score 70 (C)
	//
	//  HIGH  Another user's object can be read  AZ-01
	//     bob reads an order of alice
	//     at  GET /orders/{id} (path id), bob as alice
	//     API1:2023 · CWE-639 · fingerprint 58182464cd6d935e72b0578a2b87723f
	//
	// Operations: 1 of 1 reached
	//   all of them answered 2xx to somebody
	//
	// Checks: 1 ran, 0 were skipped, 0 failed
	//
	// The worst finding is high.
}
