package signed_test

import (
	"bytes"
	_ "embed" // what an authenticator has signed
	"slices"
	"testing"

	"github.com/fastness/fastness/passkey/internal/signed"
)

// A new passkey of "ann" at https://localhost:8443 and a log-in by it, both with
// a challenge of 32 zero bytes.
var (
	//go:embed testdata/registration.json
	registration []byte
	//go:embed testdata/login.json
	login []byte
)

func newSite(t testing.TB, host, origin string) *signed.Site {
	t.Helper()
	site, err := signed.NewSite(host, origin, "Shop")
	if err != nil {
		t.Fatal(err)
	}
	return site
}

func registered(t testing.TB, site *signed.Site) *signed.Key {
	t.Helper()
	r, err := signed.ParseRegistration(registration)
	if err != nil {
		t.Fatal(err)
	}
	key, err := site.Register(r, "ann")
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestPasskeyLogsInWhereItWasMade(t *testing.T) {
	site := newSite(t, "localhost", "https://localhost:8443")
	key := registered(t, site)
	if key.User != "ann" || key.Count != 1 || key.BackupEligible || !slices.Equal(key.Transports, []string{"internal"}) {
		t.Errorf("the passkey is %+v, want ann's, of one device", key)
	}
	l, err := signed.ParseLogin(login)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(l.ID(), key.ID) {
		t.Errorf("the log-in is by %x, want %x", l.ID(), key.ID)
	}
	if used, err := site.LogIn(l, *key); err != nil || used.Count != 1 {
		t.Errorf("LogIn() = %+v, %v; want the passkey", used, err)
	}
	for name, elsewhere := range map[string]*signed.Site{
		"another port": newSite(t, "localhost", "https://localhost:8444"),
		"another host": newSite(t, "shop.example", "https://localhost:8443"),
	} {
		if _, err := elsewhere.LogIn(l, *key); err == nil {
			t.Errorf("%s: LogIn() = nil, want it refused", name)
		}
		r, err := signed.ParseRegistration(registration)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := elsewhere.Register(r, "ann"); err == nil {
			t.Errorf("%s: Register() = nil, want it refused", name)
		}
	}
}

// What somebody makes up is never a log-in by a key that signed nothing, and no
// passkey that cannot be stored.
func FuzzAnswer(f *testing.F) {
	site := newSite(f, "localhost", "https://localhost:8443")
	key := *registered(f, site)
	key.PublicKey = slices.Clone(key.PublicKey)
	// Another key, on the curve as well: its y is replaced by that of -P.
	negate(key.PublicKey[len(key.PublicKey)-32:])
	f.Add(registration)
	f.Add(login)
	f.Add([]byte(`{"id":"AA","rawId":"AA","type":"public-key","response":{}}`))
	f.Fuzz(func(t *testing.T, answer []byte) {
		if l, err := signed.ParseLogin(answer); err == nil {
			if _, err := site.LogIn(l, key); err == nil {
				t.Error("it is a log-in by a key that signed nothing")
			}
		}
		if r, err := signed.ParseRegistration(answer); err == nil {
			if k, err := site.Register(r, "ann"); err == nil && (len(k.ID) == 0 || len(k.ID) > 1023 || len(k.PublicKey) == 0) {
				t.Errorf("the passkey is %+v, which cannot be stored", k)
			}
		}
	})
}

// negate replaces y by p - y, for the p of P-256.
func negate(y []byte) {
	p := []byte("\xff\xff\xff\xff\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff")
	borrow := 0
	for i := len(y) - 1; i >= 0; i-- {
		d := int(p[i]) - int(y[i]) - borrow
		borrow = 0
		if d < 0 {
			d, borrow = d+256, 1
		}
		y[i] = byte(d)
	}
}
