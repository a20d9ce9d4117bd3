package account_test

import (
	"fmt"

	"github.com/fastness/fastness/scan/internal/check"
	"github.com/fastness/fastness/scan/internal/checks/account"
)

// Checks that try wrong passwords run when nothing else is left to do.
func Example() {
	for _, c := range account.Checks() {
		if c.Kind.ID == "AU-02" {
			fmt.Println(c.Kind.Title, c.Phase == check.Session)
		}
	}
	// Output: Passwords or codes can be tried without a limit true
}
