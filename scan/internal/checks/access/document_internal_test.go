package access

import (
	"testing"

	"github.com/fastness/fastness/scan/wire"
)

func TestWordsOfADocumentAreNobodysSecrets(t *testing.T) {
	for body, want := range map[string]bool{
		`{"openapi":"3.1.0","paths":{},"info":{"title":"customer"}}`: true,
		`{"swagger":"2.0","paths":{}}`:                               true,
		`{"paths":["customer"]}`:                                     false,
		`{"username":"customer"}`:                                    false,
		`customer`:                                                   false,
	} {
		if got := describesAPI(&wire.Exchange{Status: 200, Body: []byte(body)}); got != want {
			t.Errorf("%s: %t, want %t", body, got, want)
		}
	}
}
