package securitytxt_test

import (
	"fmt"
	"time"

	"github.com/fastness/fastness/securitytxt"
)

func Example() {
	file, err := securitytxt.New(securitytxt.Config{
		Contact:            []string{"mailto:security@example.com", "https://example.com/report"},
		PreferredLanguages: []string{"en", "de"},
		Canonical:          []string{"https://example.com/.well-known/security.txt"},
		Now:                func() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(file.Text())
	// Output:
	// Contact: mailto:security@example.com
	// Contact: https://example.com/report
	// Expires: 2027-05-22T12:00:00Z
	// Preferred-Languages: en, de
	// Canonical: https://example.com/.well-known/security.txt
}
