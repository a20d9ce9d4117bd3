package database

import (
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
