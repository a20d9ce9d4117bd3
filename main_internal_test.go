package fastness

import (
	"context"
	"os"
	"strings"
	"testing"
)

func TestSecretSettingsAreNotShown(t *testing.T) {
	for _, tt := range []struct{ name, value, want string }{
		{"addr", "127.0.0.1:1", "127.0.0.1:1"},
		{"tls-key", "/etc/key.pem", "/etc/key.pem"},
		{"tls-key", "-----BEGIN PRIVATE KEY-----", "(redacted)"},
		{"smtp-password", "hunter2", "(redacted)"},
		{"client-secret", "hunter2", "(redacted)"},
		{"api-token", "hunter2", "(redacted)"},
		{"key-material", "hunter2", "(redacted)"},
		{"smtp-password", "", "-"},
		{"insecure-plain-http", "a\nb", `a\nb`},
	} {
		if got := shownValue(tt.name, tt.value); got != tt.want {
			t.Errorf("shownValue(%q, %q) = %q, want %q", tt.name, tt.value, got, tt.want)
		}
	}
}

func TestFirstSignalStopsAndSecondEnds(t *testing.T) {
	signals := make(chan os.Signal)
	stopped := func(ctx context.Context) int {
		<-ctx.Done()
		return 0
	}
	go func() { signals <- os.Interrupt }()
	if exit := supervise(signals, stopped); exit != 0 {
		t.Errorf("a program that stops: exit status %d, want 0", exit)
	}
	never := make(chan struct{})
	defer close(never)
	go func() { signals <- os.Interrupt; signals <- os.Interrupt }()
	exit := supervise(signals, func(ctx context.Context) int {
		<-never
		return 0
	})
	if exit != 1 {
		t.Errorf("a program that hangs: exit status %d, want 1", exit)
	}
	if exit := supervise(signals, func(context.Context) int { return 7 }); exit != 7 {
		t.Errorf("a program that ends by itself: exit status %d, want 7", exit)
	}
}

func TestTrustNamesTheFile(t *testing.T) {
	for _, system := range []string{"linux", "darwin", "windows", "plan9"} {
		if line := trust(system, "/data/ca.pem", "https://localhost:1"); !strings.Contains(line, "/data/ca.pem") || strings.Contains(line, "\n") {
			t.Errorf("trust(%s) = %q", system, line)
		}
	}
}
