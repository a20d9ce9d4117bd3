package database

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fastness/fastness/secret"
)

// A server elsewhere, and a URL that says nothing about TLS: its certificate is
// verified for its name, and plain text is no way out.
func TestServerElsewhereMustShowItsCertificate(t *testing.T) {
	for _, url := range []string{
		"postgres://shop@db.internal/shop", "postgresql://shop@192.0.2.1/shop", "postgres://shop@[2001:db8::1]/shop",
		"postgres:///shop?host=db.internal", "postgres://shop@localhost,db.internal/shop", "postgres://shop@db.internal/shop?sslmode=verify-full",
	} {
		found, err := parse(secret.New(url), &Config{})
		if err != nil {
			t.Errorf("%s: %v", url, err)
			continue
		}
		config := found.(postgresServer).config
		hosts := map[string]bool{config.Host: config.TLSConfig != nil && !config.TLSConfig.InsecureSkipVerify && config.TLSConfig.ServerName == config.Host}
		for _, other := range config.Fallbacks {
			strict := other.TLSConfig != nil && !other.TLSConfig.InsecureSkipVerify && other.TLSConfig.ServerName == other.Host
			if before, seen := hosts[other.Host]; seen {
				strict = strict && before
			}
			hosts[other.Host] = strict
		}
		for host, strict := range hosts {
			if !strict {
				t.Errorf("%s: %s need not show a certificate for its name", url, host)
			}
		}
	}
	// On this machine nobody is in between.
	for _, url := range []string{"postgres://shop@localhost/shop?sslmode=disable", "postgres:///shop?host=/run/postgresql", "postgres://shop@[::1]/shop"} {
		if _, err := parse(secret.New(url), &Config{}); err != nil {
			t.Errorf("%s: %v", url, err)
		}
	}
	found, err := parse(secret.New("postgres://shop@db.internal/shop?sslmode=disable"), &Config{InsecureTLS: "a network of our own"})
	if err != nil || strings.Contains(found.String(), "shop@") {
		t.Errorf("with InsecureTLS: %v, %v", found, err)
	}
}

// What a file of services or the environment says is held to the same rules as the URL.
func TestServiceFileWeakensNothing(t *testing.T) {
	file := filepath.Join(t.TempDir(), "services")
	if err := os.WriteFile(file, []byte("[weak]\nhost=db.internal\nsslmode=disable\n[text]\nhost=localhost\ndefault_query_exec_mode=simple_protocol\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	weak := map[string]string{"PGSERVICEFILE": file, "PGSERVICE": "weak"}
	for _, tt := range []struct {
		url, want string // want is in the error, or empty if the server must show its certificate
		env       map[string]string
	}{
		{"postgres:///shop?service=weak&servicefile=" + file, "", nil},
		{"postgres:///shop", "", weak},
		{"postgres://shop@other.internal/shop", "", weak},
		{"postgres:///shop?service=text&servicefile=" + file, "is simple protocol", nil},
		{"postgres:///shop", "is simple protocol", map[string]string{"PGSERVICEFILE": file, "PGSERVICE": "text"}},
		{"postgres:///shop", "want sslmode=verify-full", map[string]string{"PGHOST": "db.internal", "PGSSLMODE": "prefer"}},
		{"postgres://shop@db.internal/shop", "want sslmode=verify-full", map[string]string{"PGSSLMODE": "allow"}},
		{"postgres:///shop", "", map[string]string{"PGHOST": "db.internal"}},
	} {
		t.Run(tt.url, func(t *testing.T) {
			for _, name := range []string{"PGHOST", "PGSSLMODE", "PGSERVICE", "PGSERVICEFILE"} {
				t.Setenv(name, tt.env[name])
			}
			found, err := parse(secret.New(tt.url), &Config{})
			if tt.want != "" {
				if err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("%v, want %q", err, tt.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if config := found.(postgresServer).config; isLocal(config.Host) || config.TLSConfig == nil || config.TLSConfig.InsecureSkipVerify {
				t.Errorf("%s need not show a certificate", config.Host)
			}
		})
	}
}
