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

func TestIsOwn(t *testing.T) {
	for _, test := range []struct {
		origin, host string
		tls, own     bool
	}{
		{"https://a.example", "a.example", true, true}, {"https://a.example", "a.example:443", true, true}, {"https://a.example:443", "a.example", true, true},
		{"https://A.example", "a.example", true, true}, {"https://a.example", "a.example", false, true}, {"http://a.example", "a.example", false, true},
		{"http://a.example", "a.example:80", false, true},
		{"http://a.example", "a.example", true, false}, {"https://a.example", "a.example:8443", true, false}, {"https://a.example.evil", "a.example", true, false},
		{"https://evil-a.example", "a.example", true, false}, {"null", "a.example", true, false}, {"https://", "", true, false}, {"", "", false, false}, {"a.example", "a.example", false, false},
	} {
		if got := origin.IsOwn(test.origin, test.host, test.tls); got != test.own {
			t.Errorf("IsOwn(%q, %q, %t) = %t", test.origin, test.host, test.tls, got)
		}
	}
}

func TestTrust(t *testing.T) {
	for entry, wrong := range map[string]string{
		"https://a.example": "", "http://localhost:5173": "", "http://a.example": "say why in InsecureHTTP", "https://*.a.example": "wildcard", "null": "sandboxed", "https://a.example/": "path",
	} {
		if err := origin.Trust(entry, "", "InsecureHTTP"); (err == nil) != (wrong == "") || err != nil && !strings.Contains(err.Error(), wrong) {
			t.Errorf("Trust(%q) = %v, want %q", entry, err, wrong)
		}
	}
	if err := origin.Trust("http://a.example", "a test", "InsecureHTTP"); err != nil {
		t.Errorf("Trust with a reason = %v", err)
	}
}
