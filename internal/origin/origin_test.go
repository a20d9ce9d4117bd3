package origin_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/fastness/fastness/internal/origin"
)

func TestParse(t *testing.T) {
	for entry, want := range map[string]origin.Origin{
		"https://app.example.com": {TLS: true}, "https://app.example.com:8443": {TLS: true}, "http://app.example.com": {}, "https://*.example.com": {TLS: true, Wildcard: true},
		"http://localhost:5173": {Loopback: true}, "http://a.localhost": {Loopback: true}, "http://127.9.9.9": {Loopback: true}, "http://[::1]:1": {Loopback: true},
		"https://[2001:db8::1]": {TLS: true}, "http://192.0.2.1:8080": {}, "https://xn--bcher-kva.example": {TLS: true}, "https://a_b.example": {TLS: true}, "https://*.localhost": {TLS: true, Wildcard: true, Loopback: true},
		"http://localhost.example.com": {}, "https://a:80": {TLS: true}, "http://a:443": {},
	} {
		if got, err := origin.Parse(entry); err != nil || got != want {
			t.Errorf("Parse(%q) = %+v, %v, want %+v", entry, got, err, want)
		}
	}
}

// FuzzParse wants that an entry that is taken is a URL with a host and nothing
// else, to net/url, too.
func FuzzParse(f *testing.F) {
	for _, entry := range []string{"https://app.example.com", "http://localhost:5173", "https://*.example.com", "https://[::1]:8443", "https://a@b", "https://a/", "https://127.1", "https://[::ffff:1.2.3.4]", "null", "*"} {
		f.Add(entry)
	}
	f.Fuzz(func(t *testing.T, entry string) {
		o, err := origin.Parse(entry)
		if err != nil {
			return
		}
		u, err := url.Parse(strings.Replace(entry, "://*.", "://x.", 1))
		if err != nil || u.Hostname() == "" || u.Path != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil || u.Scheme+"://"+u.Host != strings.Replace(entry, "://*.", "://x.", 1) {
			t.Errorf("Parse(%q) takes %+v, %v", entry, u, err)
		}
		if o.TLS != (u.Scheme == "https") || o.Wildcard != strings.Contains(entry, "*") || strings.ToLower(entry) != entry {
			t.Errorf("Parse(%q) = %+v", entry, o)
		}
	})
}
