package redis_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fastness/fastness/redis"
	"github.com/fastness/fastness/secret"
)

func TestConfigMistakes(t *testing.T) {
	const canary = "hunter2"
	for _, tt := range []struct {
		name string
		cfg  redis.Config
		want string
	}{
		{"nothing", redis.Config{}, "URL is missing"},
		{"no URL", redis.Config{URL: secret.New("cache:" + canary)}, "URL is malformed"},
		{"another scheme", redis.Config{URL: secret.New("http://:" + canary + "@localhost")}, "URL is malformed"},
		{"a control character", redis.Config{URL: secret.New("rediss://:" + canary + "\x7f@localhost")}, "URL is missing or malformed"},
		{"a database that is none", redis.Config{URL: secret.New("rediss://:" + canary + "@localhost/x")}, "URL is malformed"},
		{"a switch for verification", redis.Config{URL: secret.New("rediss://:" + canary + "@cache/0?skip_verify=true")}, "URL has a parameter"},
		{"a switch for retries", redis.Config{URL: secret.New("redis://localhost/0?max_retries=3")}, "URL has a parameter"},
		{"plaintext to another machine", redis.Config{URL: secret.New("redis://:" + canary + "@cache.internal")}, "without TLS"},
		{"plaintext to another address", redis.Config{URL: secret.New("redis://:" + canary + "@10.0.0.7")}, "without TLS"},
		{"plaintext to a name that looks local", redis.Config{URL: secret.New("redis://localhost.example.com")}, "without TLS"},
		{"TLS that is not used", redis.Config{URL: secret.New("redis://localhost"), TLS: &tls.Config{}}, "does not begin with rediss"},
		{"TLS that verifies nothing", redis.Config{URL: secret.New("rediss://cache"), TLS: &tls.Config{InsecureSkipVerify: true}}, "does not verify"},
		{"a prefix with a hash tag", redis.Config{URL: secret.New("rediss://cache"), Prefix: "a{b}"}, "Prefix is"},
		{"a long timeout", redis.Config{URL: secret.New("rediss://cache"), Timeout: time.Minute}, "Timeout is 1m0s"},
		{"a negative timeout", redis.Config{URL: secret.New("rediss://cache"), Timeout: -1}, "Timeout is -1ns"},
		{"a negative pool", redis.Config{URL: secret.New("rediss://cache"), PoolSize: -1}, "PoolSize is -1"},
	} {
		_, err := redis.New(tt.cfg)
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), canary) {
			t.Errorf("%s: %v, want %q and no password", tt.name, err, tt.want)
		}
	}
	_, err := redis.New(redis.Config{URL: secret.New("redis://cache"), Prefix: "{", Timeout: -1, PoolSize: -1})
	for _, want := range []string{"redis config: ", "without TLS", "Prefix", "Timeout", "PoolSize"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("New() = %v, want %q, too", err, want)
		}
	}
}

func TestConfigsThatAreFine(t *testing.T) {
	for _, url := range []string{
		"redis://localhost", "redis://127.0.0.1:6379/1", "redis://[::1]:6379", "unix:///run/redis.sock?db=1", "rediss://cache.internal", "rediss://u:p@cache.internal:6380/3",
	} {
		open(t, redis.Config{URL: secret.New(url)})
	}
	open(t, redis.Config{URL: secret.New("redis://cache.internal"), InsecurePlaintext: "a private network of one switch"})
}

// certificate writes a certificate of its own authority, and returns that.
func certificate(t *testing.T, dir, host string) (cert, key string, authority *x509.CertPool) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: host}, DNSNames: []string{host}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, IPAddresses: []net.IP{net.ParseIP("127.0.0.1")},
	}
	if host != "localhost" {
		template.IPAddresses = nil
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	bytes, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for name, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: bytes}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	authority = x509.NewCertPool()
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	authority.AddCert(parsed)
	return cert, key, authority
}

// TestOnlyTheRightServerIsTalkedTo: who listens on the way must not get the
// password.
func TestOnlyTheRightServerIsTalkedTo(t *testing.T) {
	for _, host := range []string{"localhost", "evil.example"} {
		cert, key, authority := certificate(t, t.TempDir(), host)
		plain, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		_, port, _ := net.SplitHostPort(plain.Addr().String())
		_ = plain.Close()
		start(t, "redis-server", "--tls-port", port, "--tls-cert-file", cert, "--tls-key-file", key, "--tls-ca-cert-file", cert, "--tls-auth-clients", "no",
			"--requirepass", "secret")
		url := secret.New("rediss://:secret@127.0.0.1:" + port)
		for _, tt := range []struct {
			name string
			tls  *tls.Config
			ok   bool
		}{
			{"its authority", &tls.Config{RootCAs: authority}, host == "localhost"},
			{"the system's authorities", nil, false},
		} {
			store := open(t, redis.Config{URL: url, TLS: tt.tls})
			err := store.Ping(context.Background())
			if (err == nil) != tt.ok {
				t.Errorf("a server with a certificate of %s, verified by %s: %v", host, tt.name, err)
			}
			if err != nil && !strings.Contains(err.Error(), "x509") && !strings.Contains(err.Error(), "certificate") {
				t.Errorf("%s, %s: refused for another reason: %v", host, tt.name, err)
			}
		}
	}
}

func TestAWrongPasswordIsAnError(t *testing.T) {
	s := start(t, "redis-server", "--requirepass", "secret")
	for password, ok := range map[string]bool{"secret": true, "hunter2": false} {
		store := open(t, redis.Config{URL: secret.New("redis://:" + password + "@127.0.0.1:" + s.port)})
		if err := store.Ping(context.Background()); (err == nil) != ok || err != nil && strings.Contains(err.Error(), password) {
			t.Errorf("password %s: %v", password, err)
		}
	}
}
