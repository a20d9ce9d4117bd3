package token_test

import (
	"fmt"

	"github.com/fastness/fastness/scan/internal/checks/token"
)

func Example() {
	for _, c := range token.Checks()[1:4] {
		fmt.Println(c.Kind.ID, c.Kind.Title)
	}
	// Output:
	// JW-01 The signature of tokens is not verified
	// JW-02 Tokens without a signature are accepted
	// JW-03 Tokens are signed with a secret that can be guessed
}
