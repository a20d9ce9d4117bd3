package password_test

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/fastness/fastness/auth/password"
	"github.com/fastness/fastness/problem"
	"github.com/fastness/fastness/secret"
)

//go:embed common.txt
var commonList string

func newPolicy(t testing.TB, cfg password.PolicyConfig) *password.Policy {
	t.Helper()
	p, err := password.NewPolicy(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// codes returns the codes that p finds in a password.
func codes(t testing.TB, p *password.Policy, text string, names ...string) string {
	t.Helper()
	found, err := p.Check(t.Context(), secret.New(text), names...)
	if err != nil {
		t.Fatalf("Check: %v", err)
	}
	var list []string
	for _, v := range found {
		list = append(list, v.Code)
	}
	return strings.Join(list, " ")
}

func TestWhichPasswordsAreTaken(t *testing.T) {
	p := newPolicy(t, password.PolicyConfig{Words: []string{"Fastness Shop", "shop"}})
	names := []string{"Ada-Lovelace", "ada.lovelace@example.com", "", " "}
	tests := []struct{ name, text, want string }{
		{"nothing", "", "password_too_short"},
		{"eleven characters", "kd93kfq02lx", "password_too_short"},
		{"twelve", "kd93kfq02lxz", ""},
		{"eleven code points of four bytes", strings.Repeat("🔑🔒", 5) + "🔑", "password_too_short"},
		{"twelve code points", "🔑🔒🗝🚪🏠🏰🛡⚔🧱🪟🔐🔓", ""},
		{"sixty-four", "the quick brown fox jumps over the lazy dog and then sleeps well", ""},
		{"128", strings.Repeat("0123 abcd EFGH ñ🔑", 8)[:128], ""},
		{"1024 bytes", strings.Repeat("ab cd ef gh 12_", 100)[:1024], ""},
		{"1025 bytes", strings.Repeat("ab cd ef gh 12_", 100)[:1025], "password_too_long"},
		{"a leading space", " correct horse", ""},
		{"a NUL inside", "correct\x00horse", ""},
		{"no digits, no capitals, no signs", "correcthorsebatterystaple", ""},
		{"digits only", "490275618302", ""},
		{"one of the list", "1qaz2wsx3edc", "password_common"},
		{"one of the list in capitals", "1QAZ2wsx3EDC", "password_common"},
		{"a common one and a year", "Sunshine2024", "password_common"},
		{"a common one between signs", "!!password!!", "password_common"},
		{"a common one and five digits", "sunshine20241", ""},
		{"a common one within a phrase", "my sunshine is gone", ""},
		{"one letter", "aaaaaaaaaaaa", "password_common"},
		{"a piece again and again", "abc12abc12abc12", "password_common"},
		{"counting up", "123456789012", "password_common"},
		{"counting down", "987654321098", "password_common"},
		{"the alphabet", "ABCDEFGHIJKL", "password_common"},
		{"the user's name", "Ada-Lovelace", "password_is_name"},
		{"the user's name in capitals", "ADA-LOVELACE", "password_is_name"},
		{"the e-mail address", "ada.lovelace@example.com", "password_is_name"},
		{"the part before the @", "Ada.Lovelace", "password_is_name"},
		{"the name of the service", "fastness shop", "password_is_name"},
		{"a name again and again", "shopshopshopshop", "password_is_name password_common"},
		{"a name within a phrase", "ada-lovelace wrote it", ""},
	}
	for _, tt := range tests {
		if got := codes(t, p, tt.text, names...); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestViolationsDoNotRepeatThePassword(t *testing.T) {
	p := newPolicy(t, password.PolicyConfig{MaxBytes: 256})
	for _, text := range []string{"hunter2", "Dragonfly1999", "zyxwvutsrqponm", "ada.lovelace", strings.Repeat("tiger ", 60)} {
		found, err := p.Check(t.Context(), secret.New(text), "ada.lovelace@example.com")
		if len(found) == 0 || err != nil {
			t.Errorf("%s is taken: %v", text, err)
		}
		if said := strings.ToLower(fmt.Sprint(found)); strings.Contains(said, strings.ToLower(text[:5])) {
			t.Errorf("%s: %s", text, said)
		}
	}
}

// OWASP ASVS 5.0, 6.2.4, wants 3,000.
func TestEveryMemberOfTheListIsRefused(t *testing.T) {
	p := newPolicy(t, password.PolicyConfig{MinLength: 8})
	lines := strings.Split(strings.TrimSuffix(commonList, "\n"), "\n")
	if len(lines) < 3000 {
		t.Errorf("the list has %d members, want at least 3000", len(lines))
	}
	for i, line := range lines {
		if i > 0 && lines[i-1] >= line {
			t.Fatalf("line %d is not behind the one before it: the list is searched as if it were", i+1)
		}
		if got := codes(t, p, strings.ToUpper(line)); got != password.CodeCommon {
			t.Errorf("member %d: %q", i+1, got)
		}
		if i%97 == 0 && codes(t, p, line+" of the sea, "+line) != "" {
			t.Errorf("a phrase with member %d is refused", i+1)
		}
	}
}

func TestWrongPoliciesAreRefusedWithAllMistakes(t *testing.T) {
	_, err := password.NewPolicy(password.PolicyConfig{MinLength: 7, MaxBytes: 255})
	if err == nil || !strings.Contains(err.Error(), "MinLength is 7") || !strings.Contains(err.Error(), "MaxBytes is 255") {
		t.Errorf("NewPolicy() = %v, want both mistakes", err)
	}
	for _, cfg := range []password.PolicyConfig{{MinLength: 65}, {MinLength: -1}, {MaxBytes: -1}, {MaxBytes: 4097}} {
		if _, err := password.NewPolicy(cfg); err == nil {
			t.Errorf("%+v is taken", cfg)
		}
	}
	newPolicy(t, password.PolicyConfig{MinLength: 8, MaxBytes: 256})
}

func TestABreachListIsAskedLastAndFailsClosed(t *testing.T) {
	asked := 0
	var answer error
	cfg := password.PolicyConfig{Breached: func(_ context.Context, p secret.Text) (bool, error) {
		asked++
		return p.Reveal() == "a breached password", answer
	}}
	p := newPolicy(t, cfg)
	if got := codes(t, p, "a breached password"); got != password.CodeBreached {
		t.Errorf("a breached password: %q", got)
	}
	if got := codes(t, p, "an unheard-of password"); got != "" || asked != 2 {
		t.Errorf("another: %q after %d questions", got, asked)
	}
	if codes(t, p, "short"); asked != 2 {
		t.Error("it is asked about a password that is refused anyway")
	}

	answer = errors.New("connection refused")
	_, err := p.Check(t.Context(), secret.New("an unheard-of password"))
	if down, ok := errors.AsType[*problem.Problem](err); !ok || down.Status != 503 || !errors.Is(err, answer) {
		t.Errorf("while the list is down: %v, want a problem of status 503", err)
	}
	cfg.InsecureAcceptUnchecked = "new users matter more"
	if got := codes(t, newPolicy(t, cfg), "an unheard-of password"); got != "" {
		t.Errorf("with a reason to accept: %q", got)
	}
}
