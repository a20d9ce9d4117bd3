package field_test

import (
	"net/http"
	"testing"

	"github.com/fastness/fastness/internal/field"
)

// net/http names a cookie by a token, too, and is asked about every byte.
func TestTokensAreThoseOfTheStandardLibrary(t *testing.T) {
	if field.IsToken("") {
		t.Error("nothing is a token")
	}
	for c := range 256 {
		name := "a" + string([]byte{byte(c)}) + "b"
		want := (&http.Cookie{Name: name, Value: "x"}).Valid() == nil
		if got := field.IsToken(name); got != want || field.IsTokenChar(byte(c)) != want {
			t.Errorf("IsToken(%q) = %v, want %v", name, got, want)
		}
	}
}
