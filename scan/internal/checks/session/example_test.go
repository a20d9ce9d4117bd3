package session_test

import (
	"fmt"

	"github.com/fastness/fastness/scan/internal/checks/session"
)

func Example() {
	for _, c := range session.Checks() {
		fmt.Println(c.Kind.ID, c.Kind.Title)
	}
	// Output:
	// CS-01 Other sites change things in the name of a user
	// CSRF-03 A GET changes something
	// WS-01 A WebSocket tells others what is a user's
}
