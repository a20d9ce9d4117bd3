package account_test

import (
	"net/url"
	"testing"
	"time"

	"github.com/fastness/fastness/auth/account"
)

const rfcSecret = "12345678901234567890"

// RFC 4226, appendix D.
func TestCodesOfRFC4226(t *testing.T) {
	for i, want := range []string{"755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"} {
		if got := account.HOTP([]byte(rfcSecret), uint64(i), 6); got != want {
			t.Errorf("counter %d: %s, want %s", i, got, want)
		}
	}
}

// RFC 6238, appendix B, the rows of SHA-1.
func TestCodesOfRFC6238(t *testing.T) {
	for seconds, want := range map[uint64]string{
		59: "94287082", 1111111109: "07081804", 1111111111: "14050471",
		1234567890: "89005924", 2000000000: "69279037", 20000000000: "65353130",
	} {
		if got := account.HOTP([]byte(rfcSecret), seconds/30, 8); got != want {
			t.Errorf("at %d s: %s, want %s", seconds, got, want)
		}
	}
}

func TestCodesOfOtherSteps(t *testing.T) {
	now := time.Unix(1_800_000_010, 0)
	step := now.Unix() / 30
	code := func(s int64) string { return account.HOTP([]byte(rfcSecret), uint64(s), 6) }
	for _, tt := range []struct {
		name string
		of   int64
		used int64
		ok   bool
	}{
		{"the code of now is right", step, 0, true},
		{"the code before is right for a clock that is slow", step - 1, 0, true},
		{"the code after is right for a clock that is fast", step + 1, 0, true},
		{"an older code is wrong", step - 2, 0, false},
		{"a later code is wrong", step + 2, 0, false},
		{"a code that was used is wrong", step, step, false},
		{"a code before the one that was used is wrong", step - 1, step, false},
		{"the code after the one that was used is right", step + 1, step, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := account.Match([]byte(rfcSecret), code(tt.of), now, tt.used)
			if ok != tt.ok || ok && got != tt.of {
				t.Errorf("step %d, %v", got-step, ok)
			}
		})
	}
	for _, code := range []string{"", "0", "000000000", "12345a", "７５５２２４"} {
		if _, ok := account.Match([]byte(rfcSecret), code, now, 0); ok {
			t.Errorf("%q is right", code)
		}
	}
}

func TestAppsReadTheURI(t *testing.T) {
	u, err := url.Parse(account.URI("My Shop", "alice@example.org", []byte(rfcSecret)))
	if err != nil {
		t.Fatal(err)
	}
	if u.Scheme != "otpauth" || u.Host != "totp" || u.Path != "/My Shop:alice@example.org" {
		t.Errorf("%s", u)
	}
	want := "algorithm=SHA1&digits=6&issuer=My%20Shop&period=30&secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
	if u.RawQuery != want {
		t.Errorf("query %s, want %s", u.RawQuery, want)
	}
}
