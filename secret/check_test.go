package secret_test

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/fastness/fastness/secret"
)

// weak are secrets that people have used, and what they do to pass a check.
func weak() []string {
	pad := func(unit string, n int) string { return strings.Repeat(unit, n/len(unit)+1)[:n] }
	return []string{
		"", "secret", "changeme", "your-256-bit-secret", "a-string-secret-at-least-256-bits-long", "a-valid-string-secret-that-is-at-least-512-bits-long-which-is-very-long",
		"09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7", "09D25E094FAA6CA2556C818166B7A9563B93F7099F6F0F4CAA6CF63B88E8D3E7",
		"\"09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7\"", "09d25e09-4faa6ca2-556c8181-66b7a956-3b93f709-9f6f0f4c-aa6cf63b-88e8d3e7", "x09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7x",
		"django-insecure-0#0h2-p6b&t3q!7)n6l0y1n+qk!l$2*b=d^x3ak&o!n4l%9k5w", "django-insecure-" + pad("q8Zt!", 50),
		"404E635266556A586E3272357538782F413F4428472B4B6250645367566B5970", "bQeThWmZq4t7w!z$C&F)J@NcRfUjXn2r5u8x/A?D*G-KaPdSgVkYp3s6v9y$B&E)",
		"ThisTokenIsNotSoSecretChangeIt", "thisisaverylongsecretkeythatshouldbeatleast256bitslongforhs256", "my_super_secret_jwt_signing_key_for_production_2024_do_not_share!",
		"super-secret-jwt-token-with-at-least-32-characters-long", "SuperSecretPasswordThatIsVeryLongAndVerySecure1234567890SuperSecret", "mys3cr3tk3ymys3cr3tk3ymys3cr3tk3ymys3cr3tk3y!!",
		"reallyreallyreallyreallyverysafe", "<random_string_at_least_32_characters_long_please_change_this_value>", "CHANGE_THIS_TO_SOMETHING_RANDOM_CHANGE_THIS_TO_SOMETHING_RANDOM",
		"test123-test123-test123-test123-test123-test123-test123", "01234567890abcde01234567890abcde01234567890abcde01234567890abcde", "**********************************************************************",
		pad("a", 64), pad("ab", 64), pad("abc123", 90), pad("0", 200), pad("deadbeef", 64), pad("A1b2C3d4!", 99), pad("\x00", 64), pad("\xff\x00", 64), pad("password", 64), pad("Secret!1", 80),
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", "zyxwvutsrqponmlkjihgfedcba9876543210ZYXWVUTSRQPONMLKJIHGFEDCBA", "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
		"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", "1234567890123456789012345678901234567890123456789012345678901234567890123456789012345678",
		"qwertyuiopasdfghjklzxcvbnmqwertyuiopasdfghjklzxcvbnmQWERTYUIOP", "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p1qaz2wsx3edc4rfv5tgb6yhn", "qwertyuiopasdfghjklzxcvbnm123456",
		"24tngvzaictc" + pad("0", 100), "the quick brown fox jumps over the lazy dog and then sleeps till noon again", "Correct-Horse-Battery-Staple-Correct-Horse-Battery-Staple",
		"0a6b944d-d2fb-46fc-a85e-0295c986cd9f", "13dc93ee-16f3-4ab5-9ba8-a1990f4317aa", "1fff2f470577340c79ee83b7ac99bcf33e8b92123cf2f62511e24b621ee261", "Secret1234567890123456789012345678901234567890!",
		"0JqF84JhmKqCPyRbSvDHYSsp6ljwW9NK", "hunter2hunter2hunter2hunter2hunter2hunter2hunter2", strings.Repeat("日本語", 20), strings.Repeat("\u212a", 50), strings.Repeat("\u023a", 80), // Their lower case is shorter, and longer.
		"$#MyS0ngsapl1cati0n#$", "Admin@123Admin@123Admin@123Admin@123Admin@123Admin@123",
		"your-256-bit-secret                       \xe20001001100",
	}
}

func TestWeakSecretsAreRefused(t *testing.T) {
	for _, text := range weak() {
		err := secret.Check(secret.New(text), secret.Policy{})
		if !errors.Is(err, secret.ErrWeak) {
			t.Errorf("%q: %v, want ErrWeak", text, err)
		} else if len(text) > 6 && strings.Contains(err.Error(), text) {
			t.Errorf("%q: the error shows it: %v", text, err)
		}
	}
}

func TestWordWithDigitsIsRefused(t *testing.T) {
	for _, word := range []string{"password", "jwtsecret", "company", "Summer", "P4ssw0rd", "s3cr3t", "admin"} {
		for _, text := range []string{word + "1", word + "2024!", "123" + word + "456", word + "_" + word + "_" + word + "2025", word + "1234567890987654321234567890"} {
			if err := secret.Check(secret.New(text), secret.Policy{MinBits: 64}); !errors.Is(err, secret.ErrWeak) {
				t.Errorf("%q: %v, want ErrWeak", text, err)
			}
		}
	}
}

func TestCheckSaysWhatIsWrong(t *testing.T) {
	random := make([]byte, 40_000)
	rand.Read(random)
	for _, tt := range []struct {
		text string
		bits int
		want string
	}{
		{"", 0, "it is empty"},
		{"changeme", 0, "a tutorial or a template"},
		{"Secret-Key_2024", 64, "a tutorial or a template"},
		{hex.EncodeToString(random), 0, "more than 65536 bytes"},
		{hex.EncodeToString(random[:16]), 0, "128 random bits at most, want 256"},
		{"13dc93ee-16f3-4ab5-9ba8-a1990f4317ab", 128, "122 random bits at most, want 128"},
		{"1415926535897932384626433832795028841971693993751058209749445923078164", 0, "233 random bits at most, want 256"},
		{"dacbbdacadcbdabcaacdbbcadcdabdbacbddcaabcdbbadcacadbbcdaabdcbcad", 0, "words, repetitions or sequences"}, // 64 times one of four
		{"ribbon cactus lantern pickle orchard thimble", 0, "97 random bits at most, want 256"},
	} {
		err := secret.Check(secret.New(tt.text), secret.Policy{MinBits: tt.bits})
		if !errors.Is(err, secret.ErrWeak) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%.80q for %d bits: %v, want %q in it", tt.text, tt.bits, err, tt.want)
		}
	}
}

// What a random generator makes is taken, in whatever encoding.
func TestRandomSecretsAreTaken(t *testing.T) {
	random := func(n int) []byte {
		b := make([]byte, n)
		rand.Read(b)
		return b
	}
	encodings := map[string]func([]byte) string{
		"hex": hex.EncodeToString, "HEX": func(b []byte) string { return strings.ToUpper(hex.EncodeToString(b)) }, "base64": base64.StdEncoding.EncodeToString,
		"base64url": base64.RawURLEncoding.EncodeToString, "bytes": func(b []byte) string { return string(b) }, "base32": base32.StdEncoding.EncodeToString,
	}
	for name, encode := range encodings {
		few := 17
		if name == "bytes" { // By chance, 17 of them are text.
			few = 20
		}
		for range 500 {
			if text := encode(random(32)); secret.Check(secret.New(text), secret.Policy{}) != nil {
				t.Errorf("32 bytes as %s: %q: %v", name, text, secret.Check(secret.New(text), secret.Policy{}))
			}
			if text := encode(random(few)); secret.Check(secret.New(text), secret.Policy{MinBits: 128}) != nil {
				t.Errorf("%d bytes as %s: %q: %v", few, name, text, secret.Check(secret.New(text), secret.Policy{MinBits: 128}))
			}
		}
	}
	for range 500 {
		if text := rand.Text(); secret.Check(secret.New(text), secret.Policy{MinBits: 128}) != nil {
			t.Errorf("rand.Text %q: %v", text, secret.Check(secret.New(text), secret.Policy{MinBits: 128}))
		}
	}
}

func TestLengthDecidesForWhat(t *testing.T) {
	b := [16]byte{0x8f, 0x12, 0xa7, 0x03, 0x5c, 0xee, 0x41, 0x90, 0x22, 0xfb, 0x6d, 0xc8, 0x17, 0x39, 0xb4, 0x50}
	text := secret.New(hex.EncodeToString(b[:]))
	for bits, ok := range map[int]bool{64: true, 128: true, 129: false, 256: false, 0: false} {
		if err := secret.Check(text, secret.Policy{MinBits: bits}); (err == nil) != ok {
			t.Errorf("128 bits for %d: %v", bits, err)
		}
	}
	for _, bits := range []int{-1, 1, 63} {
		if err := secret.Check(text, secret.Policy{MinBits: bits}); err == nil || !strings.Contains(err.Error(), "MinBits") {
			t.Errorf("a policy of %d bits: %v", bits, err)
		}
	}
	if err := secret.Check(secret.New(strings.Repeat("x", 64<<10+1)), secret.Policy{}); !errors.Is(err, secret.ErrWeak) {
		t.Errorf("more than 64 KiB: %v", err)
	}
}

// Nothing makes the check fail or lets a text through that is the same twice.
func FuzzCheck(f *testing.F) {
	for _, text := range weak() {
		f.Add(text, 256)
	}
	f.Fuzz(func(t *testing.T, text string, bits int) {
		if len(text) > 1<<12 {
			return
		}
		policy := secret.Policy{MinBits: bits}
		err := secret.Check(secret.New(text), policy)
		if err == nil && (bits < 0 || bits > 0 && bits < 64 || float64(len(text)*8) < float64(bits)) {
			t.Errorf("%q passes for %d bits", text, bits)
		}
		if err != nil && len(text) > 12 && strings.Contains(err.Error(), text) {
			t.Errorf("the error shows %q", text)
		}
		for _, bad := range []string{"changeme-" + text[:min(len(text), 2)], strings.Repeat(text[:min(len(text), 8)], 40), "your-256-bit-secret" + text} {
			if secret.Check(secret.New(bad), secret.Policy{}) == nil {
				t.Errorf("%q passes", bad)
			}
		}
	})
}

func BenchmarkCheck(b *testing.B) {
	text := secret.New(fmt.Sprintf("%x", "\x8f\x12\xa7\x03\x5c\xee\x41\x90\x22\xfb\x6d\xc8\x17\x39\xb4\x50\xd1\x0e\x7a\x95\x63\x2b\xf8\x46\xac\x77\x01\x9e\xd3\x58\xc0\x2f"))
	for b.Loop() {
		if err := secret.Check(text, secret.Policy{}); err != nil {
			b.Fatal(err)
		}
	}
}
