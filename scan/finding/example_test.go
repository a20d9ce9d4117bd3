package finding_test

import (
	"fmt"

	"github.com/fastness/fastness/scan/finding"
)

func Example() {
	f := finding.Finding{
		Kind:     finding.Kind{ID: "AZ-01", Title: "Another user's object can be read", OWASP: "API1:2023", CWE: 639},
		Severity: finding.High, Proven: true,
		Claim:  "bob reads an order of alice",
		Places: []finding.Place{{Method: "GET", Path: "/orders/{id}", Parameter: "path id", Users: "bob as alice"}},
	}
	fmt.Println(f.Severity, f.Kind.ID, f.Places[0], "-", f.Claim)
	// Output: high AZ-01 GET /orders/{id} (path id) - bob reads an order of alice
}
