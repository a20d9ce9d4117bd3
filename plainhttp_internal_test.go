package fastness

import (
	"net"
	"net/http"
	"testing"
)

func TestWhereARequestWithoutTLSIsLedTo(t *testing.T) {
	const reason = "a test"
	for _, tt := range []struct {
		name     string
		settings Settings
		hosts    []string
		host     string
		port     int
		want     string
	}{
		{"the port of HTTPS goes without saying", Settings{TLSCert: "x"}, []string{"api.example.com"}, "api.example.com:80", 443, "https://api.example.com"},
		{"another is said", Settings{TLSCert: "x"}, []string{"api.example.com"}, "api.example.com:80", 8443, "https://api.example.com:8443"},
		{"one of several names", Settings{TLSCert: "x"}, []string{"*.example.com"}, "a.example.com", 443, "https://a.example.com"},
		{"a name that is not there", Settings{TLSCert: "x"}, []string{"*.example.com"}, "example.com", 443, ""},
		{"in development the public URL is elsewhere", Settings{PublicURL: "https://api.example.com"}, nil, "localhost", 8443, "https://localhost:8443"},
		{"elsewhere it counts", Settings{TLSCert: "x", PublicURL: "https://api.example.com"}, []string{"*.example.com"}, "www.example.com", 8443, "https://api.example.com"},
		{"any host is taken for the public URL", Settings{TLSCert: "x", PublicURL: "https://api.example.com"}, nil, "evil.example", 8443, "https://api.example.com"},
	} {
		cfg := Config{Title: "T", Version: "1", Hosts: tt.hosts}
		if tt.hosts == nil && tt.settings.TLSCert != "" {
			cfg.InsecureAnyHost = reason
		}
		app := New(cfg)
		if err := app.compile(); err != nil {
			t.Fatal(err)
		}
		got, err := tt.settings.redirectOrigin(app, &http.Request{Host: tt.host}, &net.TCPAddr{Port: tt.port})
		if got != tt.want || (err != nil) != (tt.want == "") {
			t.Errorf("%s: %q (%v), want %q", tt.name, got, err, tt.want)
		}
	}
}
