package cookie_test

import (
	"context"
	"encoding/base64"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/fastness/fastness/cookie"
	"github.com/fastness/fastness/keyring"
	"github.com/fastness/fastness/secret"
)

func ring(t testing.TB) *keyring.Ring {
	t.Helper()
	sealer, err := keyring.NewSealer(secret.New("MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3BxcnN0dXY="))
	if err != nil {
		t.Fatal(err)
	}
	r, err := keyring.Open(t.Context(), keyring.Config{
		Store: &keyring.Memory{}, Sealer: sealer, Logger: slog.New(slog.DiscardHandler),
		Purposes: []keyring.Purpose{{Name: "cookies", Algorithm: keyring.A256GCM}, {Name: "other", Algorithm: keyring.A256GCM}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// sealed returns what the browser gets.
func sealed(t testing.TB, c *cookie.Cookie, value string) string {
	t.Helper()
	made, err := c.Make(t.Context(), value)
	if err != nil {
		t.Fatal(err)
	}
	return made.Value
}

func get(t testing.TB, c *cookie.Cookie, value string) (string, bool) {
	t.Helper()
	got, ok, err := c.Get(with(c.Name() + "=" + value))
	if err != nil {
		t.Fatal(err)
	}
	return got, ok
}

func TestSealedValuesComeBack(t *testing.T) {
	c := made(t, cookie.Config{Name: "a", Keys: ring(t), Purpose: "cookies"})
	for _, value := range []string{"", "v", "any; \"text\"\r\n\x00ä\xff", strings.Repeat("v", 2800)} {
		box := sealed(t, c, value)
		if got, ok := get(t, c, box); !ok || got != value {
			t.Errorf("%q comes back as %q, %v", value, got, ok)
		}
		if len(value) > 8 && strings.Contains(box, value) { // A letter is there by chance.
			t.Errorf("%q shows %q", box, value)
		}
		if value != "" && sealed(t, c, value) == box {
			t.Errorf("%q is sealed twice in the same way", value)
		}
	}
	if err := c.Set(t.Context(), http.Header{}, strings.Repeat("v", 3100)); err == nil || !strings.Contains(err.Error(), "want at most 4096") {
		t.Errorf("a value that is too long: %v", err)
	}
}

func TestForgedValuesAreNone(t *testing.T) {
	keys := ring(t)
	c := made(t, cookie.Config{Name: "a", Keys: keys, Purpose: "cookies"})
	box := sealed(t, c, "role=user")
	raw, err := base64.RawURLEncoding.DecodeString(box)
	if err != nil {
		t.Fatal(err)
	}
	forged := map[string]string{
		"the plain value": "role=admin", "nothing": "", "padding": box + "=", "half of it": box[:len(box)/2], "more": box + "AAAA", "the other alphabet": "+" + box[1:],
	}
	for i := range raw {
		raw[i] ^= 1
		forged["byte "+string(rune('A'+i%26))+strings.Repeat("'", i/26)] = base64.RawURLEncoding.EncodeToString(raw)
		raw[i] ^= 1
	}
	for what, cfg := range map[string]cookie.Config{
		"another cookie":      {Name: "b", Keys: keys, Purpose: "cookies"},
		"another purpose":     {Name: "a", Keys: keys, Purpose: "other"},
		"another ring":        {Name: "a", Keys: ring(t), Purpose: "cookies"},
		"the name for HTTP":   {Name: "a", Keys: keys, Purpose: "cookies", InsecureHTTP: "a test"},
		"the name for a zone": {Name: "a", Keys: keys, Purpose: "cookies", InsecureSubdomains: "a test", Domain: "a.example"},
	} {
		forged[what] = sealed(t, made(t, cfg), "role=admin")
	}
	for what, value := range forged {
		if got, ok := get(t, c, value); ok {
			t.Errorf("%s: %q is taken for %q", what, value, got)
		}
	}
	if got, ok := get(t, c, box); !ok || got != "role=user" {
		t.Errorf("the true one: %q, %v", got, ok)
	}
}

// TestStrayBitsAreRefused: base64 has several spellings of most values, and a
// value that is compared or logged must have one.
func TestStrayBitsAreRefused(t *testing.T) {
	c := made(t, cookie.Config{Name: "a", Keys: ring(t), Purpose: "cookies"})
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	for _, value := range []string{"1", "12"} {
		box := sealed(t, c, value)
		if len(box)%4 == 0 {
			continue // No stray bits in this length.
		}
		last := strings.IndexByte(alphabet, box[len(box)-1])
		if got, ok := get(t, c, box[:len(box)-1]+alphabet[last+1:last+2]); ok {
			t.Errorf("a second spelling of %q is taken", got)
		}
	}
}

func TestSealedValuesEndWhateverTheBrowserKeeps(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	keys, clock := ring(t), func() time.Time { return now }
	c := made(t, cookie.Config{Name: "a", Keys: keys, Purpose: "cookies", MaxAge: time.Hour, Now: clock})
	forever := made(t, cookie.Config{Name: "f", Keys: keys, Purpose: "cookies", Now: clock})
	box, kept := sealed(t, c, "v"), sealed(t, forever, "v")
	now = now.Add(time.Hour - time.Second)
	if _, ok := get(t, c, box); !ok {
		t.Error("it ends too early")
	}
	now = now.Add(time.Second)
	if _, ok := get(t, c, box); ok {
		t.Error("it does not end")
	}
	if _, ok := get(t, forever, kept); !ok {
		t.Error("one of the browser's session ends")
	}
}

type brokenKeys struct{}

func (brokenKeys) Seal(context.Context, string, []byte, ...string) ([]byte, error) {
	return nil, errors.New("no key")
}
func (brokenKeys) Open(context.Context, string, []byte, ...string) ([]byte, bool, error) {
	return []byte("short"), false, nil
}

func TestNothingIsSetWithoutAKey(t *testing.T) {
	c := made(t, cookie.Config{Name: "a", Keys: brokenKeys{}, Purpose: "cookies"})
	h := http.Header{}
	if err := c.Set(t.Context(), h, "v"); err == nil || len(h) > 0 {
		t.Errorf("Set() = %v, header %v", err, h)
	}
	if got, ok := get(t, c, "AAAA"); ok {
		t.Errorf("a box that is too short is %q", got)
	}
}

func FuzzSealed(f *testing.F) {
	c := made(f, cookie.Config{Name: "a", Keys: ring(f), Purpose: "cookies", MaxAge: time.Hour})
	f.Add("AAAA", "v")
	f.Add("RktTMQ", "")
	f.Fuzz(func(t *testing.T, forged, value string) {
		if got, ok, _ := c.Get(with("__Host-a=" + forged)); ok {
			t.Errorf("%q is taken for %q", forged, got)
		}
		box, err := c.Make(t.Context(), value)
		if err != nil {
			return // too long
		}
		if got, ok := get(t, c, box.Value); !ok || got != value {
			t.Errorf("%q comes back as %q, %v", value, got, ok)
		}
	})
}
