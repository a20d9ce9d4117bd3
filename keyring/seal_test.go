package keyring_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/fastness/fastness/keyring"
)

func sealed(t testing.TB, ring *keyring.Ring, purpose, text string, context ...string) []byte {
	t.Helper()
	out, err := ring.Seal(t.Context(), purpose, []byte(text), context...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// 111: what was made for one purpose or context is nothing for another.
func TestWhatIsSealedOpensForNothingElse(t *testing.T) {
	c := newClock()
	cfg := config(t, &keyring.Memory{}, c)
	cfg.Purposes = append(cfg.Purposes, keyring.Purpose{Name: "csrf", Algorithm: keyring.A256GCM})
	ring := open(t, cfg)
	message := []byte("message")
	box := sealed(t, ring, cookies, "message", "session", "alice")
	mac, err := ring.MAC(t.Context(), cookies, message, "session", "alice")
	if err != nil {
		t.Fatal(err)
	}
	if got, stale, err := ring.Open(t.Context(), cookies, box, "session", "alice"); err != nil || stale || string(got) != "message" {
		t.Fatalf("Open() = %q, %t, %v", got, stale, err)
	}
	if stale, err := ring.CheckMAC(t.Context(), cookies, message, mac, "session", "alice"); err != nil || stale {
		t.Fatalf("CheckMAC() = %t, %v", stale, err)
	}
	for _, tt := range []struct {
		name, purpose string
		context       []string
	}{
		{"another purpose", "csrf", []string{"session", "alice"}},
		{"a purpose that signs", tokens, []string{"session", "alice"}},
		{"a purpose that does not exist", "other", []string{"session", "alice"}},
		{"another user", cookies, []string{"session", "bob"}},
		{"no context", cookies, nil},
		{"less context", cookies, []string{"session"}},
		{"more context", cookies, []string{"session", "alice", ""}},
		{"the same letters, cut differently", cookies, []string{"sessiona", "lice"}},
		{"in another order", cookies, []string{"alice", "session"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got, _, err := ring.Open(t.Context(), tt.purpose, box, tt.context...); err != keyring.ErrOpen || got != nil {
				t.Errorf("Open() = %q, %v, want ErrOpen and nothing else", got, err)
			}
			if _, err := ring.CheckMAC(t.Context(), tt.purpose, message, mac, tt.context...); err != keyring.ErrOpen {
				t.Errorf("CheckMAC() = %v, want ErrOpen and nothing else", err)
			}
		})
	}
	if _, _, err := ring.Open(t.Context(), cookies, mac, "session", "alice"); err != keyring.ErrOpen {
		t.Error("a MAC opens like something sealed")
	}
	if _, err := ring.CheckMAC(t.Context(), cookies, nil, box, "session", "alice"); err != keyring.ErrOpen {
		t.Error("something sealed is taken for a MAC")
	}
}

func TestNoByteOfWhatIsSealedCanChange(t *testing.T) {
	c := newClock()
	ring := open(t, config(t, &keyring.Memory{}, c))
	message := []byte("message")
	box := sealed(t, ring, cookies, "message")
	mac, err := ring.MAC(t.Context(), cookies, message)
	if err != nil {
		t.Fatal(err)
	}
	for i := range box {
		changed := bytes.Clone(box)
		changed[i] ^= 1
		if _, _, err := ring.Open(t.Context(), cookies, changed); err != keyring.ErrOpen {
			t.Errorf("byte %d changed: Open() = %v, want ErrOpen", i, err)
		}
		if _, _, err := ring.Open(t.Context(), cookies, box[:i]); err != keyring.ErrOpen {
			t.Errorf("cut off after %d: Open() = %v, want ErrOpen", i, err)
		}
	}
	for i := range mac {
		changed := bytes.Clone(mac)
		changed[i] ^= 1
		if _, err := ring.CheckMAC(t.Context(), cookies, message, changed); err != keyring.ErrOpen {
			t.Errorf("byte %d changed: CheckMAC() = %v, want ErrOpen", i, err)
		}
		if _, err := ring.CheckMAC(t.Context(), cookies, message, mac[:i]); err != keyring.ErrOpen {
			t.Errorf("cut off after %d: CheckMAC() = %v, want ErrOpen", i, err)
		}
	}
	if _, err := ring.CheckMAC(t.Context(), cookies, append(mac, 0), mac); err != keyring.ErrOpen {
		t.Errorf("another message: CheckMAC() = %v, want ErrOpen", err)
	}
}

func TestWhatAnEarlierKeySealedOpensAndIsStale(t *testing.T) {
	c := newClock()
	cfg := config(t, &keyring.Memory{}, c)
	cfg.Purposes[1].Lifetime = time.Hour
	ring := open(t, cfg)
	box := sealed(t, ring, cookies, "message")
	mac, err := ring.MAC(t.Context(), cookies, []byte("message"))
	if err != nil {
		t.Fatal(err)
	}
	c.add(61 * time.Minute)
	if got, stale, err := ring.Open(t.Context(), cookies, box); err != nil || !stale || string(got) != "message" {
		t.Errorf("Open() = %q, %t, %v, want it stale", got, stale, err)
	}
	if stale, err := ring.CheckMAC(t.Context(), cookies, []byte("message"), mac); err != nil || !stale {
		t.Errorf("CheckMAC() = %t, %v, want it stale", stale, err)
	}
	c.add(24 * time.Hour)
	if _, _, err := ring.Open(t.Context(), cookies, box); err != keyring.ErrOpen {
		t.Errorf("after the retention Open() = %v, want ErrOpen", err)
	}
}

func TestDataIsNotLostWithTheLifetimeOfItsKey(t *testing.T) {
	c := newClock()
	cfg := config(t, &keyring.Memory{}, c)
	cfg.Purposes[1].Retain = 0 // the default
	ring := open(t, cfg)
	box := sealed(t, ring, cookies, "message")
	c.add(20 * 365 * 24 * time.Hour)
	if got, stale, err := ring.Open(t.Context(), cookies, box); err != nil || !stale || string(got) != "message" {
		t.Errorf("after 20 years Open() = %q, %t, %v", got, stale, err)
	}
}

func TestWhatARevokedKeySealedOpensOnlyByName(t *testing.T) {
	c := newClock()
	ring := open(t, config(t, &keyring.Memory{}, c))
	box := sealed(t, ring, cookies, "message", "a")
	if _, err := ring.OpenRevoked(t.Context(), cookies, "to try", box, "a"); err != keyring.ErrOpen {
		t.Errorf("OpenRevoked() with a good key = %v, want ErrOpen", err)
	}
	if err := ring.Revoke(t.Context(), signing(t, ring, cookies).ID()); err != nil {
		t.Fatal(err)
	}
	if _, _, err := ring.Open(t.Context(), cookies, box, "a"); err != keyring.ErrOpen {
		t.Errorf("Open() = %v, want ErrOpen", err)
	}
	if got, err := ring.OpenRevoked(t.Context(), cookies, "to save the data", box, "a"); err != nil || string(got) != "message" {
		t.Errorf("OpenRevoked() = %q, %v", got, err)
	}
	if _, err := ring.OpenRevoked(t.Context(), cookies, "", box, "a"); err != keyring.ErrOpen {
		t.Errorf("OpenRevoked() without a reason = %v, want ErrOpen", err)
	}
	if _, err := ring.OpenRevoked(t.Context(), cookies, "to try", box, "b"); err != keyring.ErrOpen {
		t.Errorf("OpenRevoked() for another context = %v, want ErrOpen", err)
	}
}

func TestAKeyThatEncryptsTooMuchIsRelieved(t *testing.T) {
	c := newClock()
	store := &flaky{Store: &keyring.Memory{}}
	cfg := config(t, store, c)
	cfg.Purposes[1].SealLimit = 100
	ring := open(t, cfg)
	count := make(map[string]int)
	for range 200 {
		count[string(sealed(t, ring, cookies, "message")[5:31])]++
	}
	for id, n := range count {
		if n > 75 {
			t.Errorf("key %s has encrypted %d messages, want at most 75", id, n)
		}
	}
	if !verifies(t, ring, signing(t, ring, tokens).ID()) {
		t.Error("a key of another purpose is gone")
	}
	store.failSave.Store(true)
	var failed error
	for range 200 {
		if _, failed = ring.Seal(t.Context(), cookies, nil); failed != nil {
			break
		}
	}
	if !errors.Is(failed, keyring.ErrExhausted) {
		t.Errorf("a key that nobody could relieve: %v, want ErrExhausted", failed)
	}
	store.failSave.Store(false)
	c.add(10 * time.Second)
	if _, err := ring.Rotate(t.Context(), cookies); err != nil {
		t.Fatal(err)
	}
	c.add(26 * time.Minute)
	sealed(t, ring, cookies, "message")
}

// Who relieves a key may have a clock that is behind that of who seals with it at
// the same moment.
func TestARelievedKeyIsRetainedByEveryClock(t *testing.T) {
	c := newClock()
	store := &keyring.Memory{}
	cfg := config(t, store, c)
	cfg.Purposes[1].Retain, cfg.Purposes[1].SealLimit = 15*time.Minute, 4
	cfg.Now = c.off(-5 * time.Minute)
	slow := open(t, cfg)
	cfg.Now = c.off(5 * time.Minute)
	fast := open(t, cfg)
	c.add(time.Hour)
	signing(t, slow, cookies)
	box := sealed(t, fast, cookies, "good for 10 minutes")
	for range 3 {
		sealed(t, slow, cookies, "message")
	}
	c.add(9 * time.Minute)
	if _, stale, err := fast.Open(t.Context(), cookies, box); err != nil || !stale {
		t.Errorf("Open() = %t, %v, want it stale and readable", stale, err)
	}
}

func TestDerivedKeysDiffer(t *testing.T) {
	c := newClock()
	cfg := config(t, &keyring.Memory{}, c)
	cfg.Purposes = append(cfg.Purposes, keyring.Purpose{Name: "csrf", Algorithm: keyring.A256GCM})
	ring := open(t, cfg)
	seen := make(map[string]string)
	for _, purpose := range []string{cookies, "csrf"} {
		for _, context := range [][]string{nil, {""}, {"", ""}, {"a"}, {"a", "bc"}, {"ab", "c"}, {"abc"}} {
			k := signing(t, ring, purpose)
			key, err := k.Derive(context...)
			if err != nil || len(key) != 32 {
				t.Fatalf("Derive(%q) = %d bytes, %v", context, len(key), err)
			}
			what := fmt.Sprintf("%s %q", purpose, context)
			if other := seen[string(key)]; other != "" {
				t.Errorf("%s and %s have the same key", what, other)
			}
			seen[string(key)] = what
			if again, err := k.Derive(context...); err != nil || !bytes.Equal(again, key) {
				t.Errorf("%s: another key the second time", what)
			}
		}
	}
}

func TestAKeyDoesOnlyWhatItIsFor(t *testing.T) {
	c := newClock()
	cfg := config(t, &keyring.Memory{}, c)
	cfg.Purposes = append(cfg.Purposes, keyring.Purpose{Name: "internal", Algorithm: keyring.HS256})
	ring := open(t, cfg)
	for _, purpose := range []string{tokens, "internal"} {
		if _, err := ring.Seal(t.Context(), purpose, nil); err == nil {
			t.Errorf("a key for %s encrypts", purpose)
		}
		if _, err := ring.MAC(t.Context(), purpose, nil); err == nil {
			t.Errorf("a key for %s makes MACs", purpose)
		}
		if _, err := signing(t, ring, purpose).Derive("a"); err == nil {
			t.Errorf("keys are derived from one for %s", purpose)
		}
		k := signing(t, ring, purpose)
		sig, err := k.Sign([]byte("a"))
		if err != nil || k.Verify([]byte("a"), sig) != nil || k.Verify([]byte("b"), sig) == nil {
			t.Errorf("a key for %s does not sign, %v", purpose, err)
		}
	}
	k := signing(t, ring, cookies)
	if _, err := k.Sign(nil); err == nil || k.Verify(nil, nil) == nil || k.JWS() != nil {
		t.Error("a key that encrypts signs")
	}
}

// The form of what is sealed is for good: what was written once must be read.
func TestTheFormOfWhatIsSealed(t *testing.T) {
	c := newClock()
	cfg := config(t, &keyring.Memory{}, c)
	cfg.Sealer, cfg.InsecurePlaintext = nil, "to take the key out"
	ring := open(t, cfg)
	box := sealed(t, ring, cookies, "message", "a")
	id := signing(t, ring, cookies).ID()
	root := plainMaterial(t, cfg.Store, id)

	head := "FKS1" + string(rune(len(id))) + id
	if string(box[:len(head)]) != head || len(box) != len(head)+12+len("message")+16 {
		t.Fatalf("it is %d bytes and begins with %s, want %s, nonce, ciphertext and tag", len(box), hex.EncodeToString(box[:8]), head)
	}
	key, err := hkdf.Key(sha256.New, root, nil, "fastness key ring v1 seal\x01\x06cookie", 32)
	if err != nil {
		t.Fatal(err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	nonce, ciphertext := box[len(head):len(head)+12], box[len(head)+12:]
	if got, err := aead.Open(nil, nonce, ciphertext, []byte(head+"\x02\x06cookie\x01a")); err != nil || string(got) != "message" {
		t.Errorf("opened by hand: %q, %v", got, err)
	}
}

func TestNothingShowsAKey(t *testing.T) {
	c := newClock()
	cfg := config(t, &keyring.Memory{}, c)
	cfg.Sealer, cfg.InsecurePlaintext = nil, "to take the key out"
	ring := open(t, cfg)
	k := signing(t, ring, cookies)
	root := plainMaterial(t, cfg.Store, k.ID())
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d", "%q"} {
		text := fmt.Sprintf(verb, k)
		if !contains(text, k.ID()) || contains(text, string(root)) || contains(text, fmt.Sprintf("%x", root)) || contains(text, fmt.Sprint(root)) {
			t.Errorf("%s prints %q", verb, text)
		}
	}
	if data, err := k.MarshalJSON(); err != nil || string(data) != `{"alg":"A256GCM","purpose":"cookie","kid":"`+k.ID()+`"}` {
		t.Errorf("MarshalJSON() = %s, %v", data, err)
	}
}
