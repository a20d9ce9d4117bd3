package fastness_test

import (
	"strings"
	"testing"

	"github.com/fastness/fastness"
)

// TestServerTimingIsForDevelopmentOnly: over a socket, with the certificate for this
// machine and without.
func TestServerTimingIsForDevelopmentOnly(t *testing.T) {
	development := serveLine(t, lineApp(fastness.Config{}), "--drain-delay", "0s")
	for _, h2 := range []bool{false, true} {
		res, body, err := get(development.client(t, h2), development.url+"/lines/3")
		if err != nil || res.StatusCode != 200 {
			t.Fatalf("%s (%v)", body, err)
		}
		told := res.Header["Server-Timing"]
		if len(told) != 1 || !strings.HasPrefix(told[0], "guards;dur=") || !strings.Contains(told[0], ", total;dur=") {
			t.Errorf("with HTTP/2 %v: Server-Timing is %q", h2, told)
		}
	}
	production := serveLine(t, lineApp(fastness.Config{}), "--insecure-plain-http", "a proxy on this machine ends TLS", "--drain-delay", "0s")
	for _, path := range []string{"/lines/3", "/lines/x", "/nope", "/docs"} {
		res, body, err := get(production.client(t, false), production.url+path)
		if err != nil || res.Header["Server-Timing"] != nil {
			t.Errorf("%s: %q, %s (%v)", path, res.Header["Server-Timing"], body, err)
		}
	}
}
