package keyring_test

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fastness/fastness/keyring"
)

func TestARevokedKeyIsRefusedAtOnceAndReplaced(t *testing.T) {
	c := newClock()
	store := &keyring.Memory{}
	ring, other := open(t, config(t, store, c)), open(t, config(t, store, c))
	leaked := signing(t, other, tokens).ID()
	generation := ring.Generation()
	if err := ring.Revoke(t.Context(), leaked); err != nil {
		t.Fatal(err)
	}
	if verifies(t, ring, leaked) {
		t.Error("the key verifies where it was revoked")
	}
	if body, _, err := ring.JWKS(t.Context()); err != nil || containsID(body, leaked) {
		t.Errorf("the key is still published, %v", err)
	}
	if got := ring.Generation(); got <= generation {
		t.Errorf("Generation() = %d after %d: who remembers tokens keeps those of the key", got, generation)
	}
	replacement := signing(t, ring, tokens).ID()
	if replacement == leaked {
		t.Fatal("the key still signs")
	}

	c.add(keyring.DefaultRefresh)
	if other.Generation() != ring.Generation() {
		t.Error("another process does not know after one Refresh")
	}
	if verifies(t, other, leaked) || signing(t, other, tokens).ID() != replacement {
		t.Error("another process uses the key after one Refresh")
	}
	before := ring.Generation()
	if err := ring.Revoke(t.Context(), leaked); err != nil || ring.Generation() != before {
		t.Errorf("to revoke it again: %v, generation %d, want nil and %d", err, ring.Generation(), before)
	}
	if err := ring.Revoke(t.Context(), rand.Text()); !errors.Is(err, keyring.ErrUnknownKey) {
		t.Errorf("to revoke what does not exist: %v, want ErrUnknownKey", err)
	}
	all, err := ring.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(all, func(k keyring.KeyInfo) bool { return k.ID == leaked })
	if i < 0 || all[i].State != keyring.Revoked || all[i].Destroyed.IsZero() || all[i].SealedWith != "" {
		t.Errorf("the key is listed as %+v, want it revoked and its private part erased", all[i])
	}
}

// With a pending successor that the intruder has seen, too, the key that takes
// over must be a new one.
func TestRevokeBeforeLeavesNoKeyOfTheIntruder(t *testing.T) {
	c := newClock()
	store := &keyring.Memory{}
	ring := open(t, config(t, store, c))
	c.add(40 * time.Minute)
	signing(t, ring, tokens)
	old := states(t, ring)
	cookie := signing(t, ring, cookies).ID()
	if err := ring.RevokeBefore(t.Context(), tokens, c.now()); err != nil {
		t.Fatal(err)
	}
	if _, known := old[signing(t, ring, tokens).ID()]; known {
		t.Error("a key of before the break-in signs")
	}
	for id, state := range states(t, ring) {
		if _, known := old[id]; known && id != cookie && state != keyring.Revoked {
			t.Errorf("a key of before is %s, want revoked", state)
		}
	}
	if signing(t, ring, cookies).ID() != cookie {
		t.Error("a key of another purpose was revoked, too")
	}
	c.add(time.Hour)
	young := signing(t, ring, tokens).ID()
	if err := ring.RevokeBefore(t.Context(), tokens, c.now().Add(-50*time.Minute)); err != nil {
		t.Fatal(err)
	}
	if signing(t, ring, tokens).ID() != young {
		t.Error("a key that was made later was revoked")
	}
}

// 104: whoever is second finds the keys of the first.
func TestProcessesThatStartTogetherShareOneKey(t *testing.T) {
	c := newClock()
	store := &keyring.Memory{}
	rings := make([]*keyring.Ring, 8)
	var wg sync.WaitGroup
	for i := range rings {
		wg.Go(func() {
			ring, err := keyring.Open(t.Context(), config(t, store, c))
			if err != nil {
				t.Error(err)
				return
			}
			rings[i] = ring
		})
	}
	wg.Wait()
	if t.Failed() {
		return
	}
	first := signing(t, rings[0], tokens).ID()
	for _, ring := range rings {
		if signing(t, ring, tokens).ID() != first {
			t.Error("two processes sign with different keys")
		}
	}
	if n := len(states(t, rings[0])); n != 2 {
		t.Errorf("the ring has %d keys, want one for each of two purposes", n)
	}
}

// 103: a process that was suspended has an old ring and does not know it. Its
// monotonic clock may have stood still, too.
func TestAProcessThatSleptForDaysAsksBeforeItSigns(t *testing.T) {
	c := newClock()
	store := &keyring.Memory{}
	sleeper, awake := open(t, config(t, store, c)), open(t, config(t, store, c))
	old := signing(t, sleeper, tokens).ID()
	if err := awake.Revoke(t.Context(), signing(t, awake, cookies).ID()); err != nil {
		t.Fatal(err)
	}
	for range 3 * 24 * 2 {
		c.add(30 * time.Minute)
		signing(t, awake, tokens)
	}
	if got, want := signing(t, sleeper, tokens).ID(), signing(t, awake, tokens).ID(); got != want || got == old {
		t.Errorf("it signs with %s, the others with %s", got, want)
	}
	if got, want := signing(t, sleeper, cookies).ID(), signing(t, awake, cookies).ID(); got != want {
		t.Error("it signs with a key that was revoked meanwhile, and has not expired")
	}
}

// 105
func TestAStoreThatIsDownStopsNothingBeforeTheKeysExpire(t *testing.T) {
	c := newClock()
	store := &flaky{Store: &keyring.Memory{}}
	cfg := config(t, store, c)
	var log bytes.Buffer
	cfg.Logger = slog.New(slog.NewJSONHandler(&log, nil))
	cfg.Purposes[0].Lifetime = 24 * time.Hour
	ring := open(t, cfg)
	key := signing(t, ring, tokens).ID()
	log.Reset()
	store.failLoad.Store(true)
	for range 23 * 60 {
		c.add(time.Minute)
		if signing(t, ring, tokens).ID() != key || !verifies(t, ring, key) {
			t.Fatalf("the key is lost while the store is down")
		}
	}
	if !strings.Contains(log.String(), errDown.Error()) || strings.Contains(log.String(), `"level":"INFO"`) {
		t.Errorf("the log is %q, want alarms", log.String())
	}
	if lines := strings.Count(log.String(), "\n"); lines > 23*60 {
		t.Errorf("%d alarms in 23 hours, want at most one a minute", lines)
	}
	c.add(time.Hour)
	if k, err := ring.Signing(t.Context(), tokens); !errors.Is(err, keyring.ErrNoSigningKey) || !errors.Is(err, errDown) {
		t.Fatalf("after the end of the key: %v, %v, want ErrNoSigningKey and the reason", k, err)
	}
	if !verifies(t, ring, key) {
		t.Error("what was signed is not believed while it should be")
	}
	loads := store.loads.Load()
	for range 100 {
		if _, err := ring.Signing(t.Context(), tokens); err == nil {
			t.Fatal("it signs without a key")
		}
	}
	if n := store.loads.Load() - loads; n > 1 {
		t.Errorf("a store that is down was asked %d times in one moment", n)
	}
	store.failLoad.Store(false)
	c.add(2 * time.Second)
	if signing(t, ring, tokens).ID() == key {
		t.Error("an expired key signs")
	}
}

// What cannot be stored is known to nobody else: it must not sign.
func TestAKeyThatWasNotStoredDoesNotSign(t *testing.T) {
	c := newClock()
	store := &flaky{Store: &keyring.Memory{}}
	ring := open(t, config(t, store, c))
	store.failSave.Store(true)
	c.add(2 * time.Hour)
	if k, err := ring.Signing(t.Context(), tokens); !errors.Is(err, keyring.ErrNoSigningKey) || !errors.Is(err, errDown) {
		t.Errorf("Signing() = %v, %v, want ErrNoSigningKey", k, err)
	}
	if _, err := ring.Rotate(t.Context(), tokens); !errors.Is(err, errDown) {
		t.Errorf("Rotate() = %v, want the error of the store", err)
	}
}

func TestWhatCannotBeRecordedDoesNotHappen(t *testing.T) {
	c := newClock()
	events := &recorder{}
	cfg := config(t, &keyring.Memory{}, c)
	cfg.Events = events
	ring := open(t, cfg)
	key := signing(t, ring, tokens).ID()
	events.err = errors.New("the disk is full")
	if err := ring.Revoke(t.Context(), key); !errors.Is(err, events.err) {
		t.Errorf("Revoke() = %v, want the error of the recorder", err)
	}
	if !verifies(t, ring, key) {
		t.Error("the key was revoked and nobody will know")
	}
	events.err = nil
	if err := ring.Revoke(t.Context(), key); err != nil || events.count("key_revoked") != 1 {
		t.Errorf("Revoke() = %v with %d events, want one", err, events.count("key_revoked"))
	}
}

// 109: ids come from strangers.
func TestAFloodOfUnknownIDsReadsTheStoreOnce(t *testing.T) {
	c := newClock()
	store := &flaky{Store: &keyring.Memory{}}
	cfg := config(t, store, c)
	cfg.Refresh = time.Minute
	ring := open(t, cfg)
	loads := store.loads.Load()
	var wg sync.WaitGroup
	var accepted atomic.Int64
	for range 8 {
		wg.Go(func() {
			for range 500 {
				if _, err := ring.Verifying(t.Context(), tokens, rand.Text()); err == nil {
					accepted.Add(1)
				}
			}
		})
	}
	wg.Wait()
	if n := store.loads.Load() - loads; n != 1 || accepted.Load() != 0 {
		t.Errorf("4,000 unknown ids read the store %d times and %d were accepted, want 1 and 0", n, accepted.Load())
	}
	loads = store.loads.Load()
	c.add(11 * time.Second)
	for _, id := range []string{"", "../../dev/null", "' OR 1", strings.Repeat("A", 1<<20), "a\x00b"} {
		if verifies(t, ring, id) {
			t.Errorf("%.20q is accepted", id)
		}
	}
	if n := store.loads.Load() - loads; n != 0 {
		t.Errorf("ids that no key can have read the store %d times, want 0", n)
	}
}

func TestANewKeyOfAnotherProcessIsFoundByItsID(t *testing.T) {
	c := newClock()
	store := &keyring.Memory{}
	ring, other := open(t, config(t, store, c)), open(t, config(t, store, c))
	if err := other.RevokeBefore(t.Context(), tokens, time.Time{}); err != nil {
		t.Fatal(err)
	}
	if !verifies(t, ring, signing(t, other, tokens).ID()) {
		t.Error("a token of the new key is refused until the next refresh")
	}
}

// 110: NTP puts the clock back. What has expired stays so, in this process and in
// one that starts now.
func TestAClockThatIsPutBackReactivatesNothing(t *testing.T) {
	c := newClock()
	store := &keyring.Memory{}
	ring := open(t, config(t, store, c))
	first := signing(t, ring, tokens).ID()
	c.add(50 * time.Minute)
	signing(t, ring, tokens)
	c.add(40 * time.Minute)
	second := signing(t, ring, tokens).ID()
	if second == first || verifies(t, ring, first) {
		t.Fatal("the first key is not gone after 90 minutes")
	}
	c.add(-time.Hour)
	if got := signing(t, ring, tokens).ID(); got != second {
		t.Errorf("%s signs after the jump, want %s as before", got, second)
	}
	if verifies(t, ring, first) {
		t.Error("the key that was gone verifies")
	}
	restarted := open(t, config(t, store, c))
	if got := signing(t, restarted, tokens).ID(); got != second {
		t.Errorf("%s signs in a process that starts after the jump, want %s", got, second)
	}
	if n := len(states(t, restarted)); n > 4 {
		t.Errorf("the jump made %d keys", n)
	}
}

// A machine whose clock is off by years finds that every key has ended. It must
// not take the ring along: neither what signs, nor what is needed to verify.
func TestAClockThatIsYearsOffDoesNotTakeTheRingAlong(t *testing.T) {
	for _, off := range []time.Duration{10 * 365 * 24 * time.Hour, -10 * 365 * 24 * time.Hour} {
		t.Run(off.String(), func(t *testing.T) {
			c := newClock()
			store := &keyring.Memory{}
			ring := open(t, config(t, store, c))
			key, cookie := signing(t, ring, tokens).ID(), signing(t, ring, cookies).ID()
			cfg := config(t, store, c)
			cfg.Now = c.off(off)
			mad := open(t, cfg)
			for range 33 * 60 / 5 {
				signing(t, mad, tokens)
				if got := signing(t, ring, tokens).ID(); got != key {
					t.Fatalf("%s signs, want the key of before", got)
				}
				if got := signing(t, ring, cookies).ID(); got != cookie {
					t.Fatalf("%s encrypts, want the key of before", got)
				}
				c.add(5 * time.Second)
			}
		})
	}
}

// The second of two emergencies is handled where the clock is 10 minutes behind
// that of the first: the new key must sign although it looks older.
func TestAReplacementSignsWhateverTheClockOfWhoMakesIt(t *testing.T) {
	c := newClock()
	store := &keyring.Memory{}
	cfg := config(t, store, c)
	cfg.Now = c.off(5 * time.Minute)
	fast := open(t, cfg)
	cfg.Now = c.off(-5 * time.Minute)
	slow := open(t, cfg)
	for range 3 {
		for _, ring := range []*keyring.Ring{fast, slow} {
			if err := ring.RevokeBefore(t.Context(), tokens, time.Time{}); err != nil {
				t.Fatal(err)
			}
			c.add(keyring.DefaultRefresh)
			if a, b := signing(t, slow, tokens).ID(), signing(t, fast, tokens).ID(); a != b {
				t.Errorf("%s signs here and %s there", a, b)
			}
		}
	}
	if n := len(states(t, slow)); n != 2+6 {
		t.Errorf("6 replacements made the keys %d, want 8", n)
	}
}

// stored returns the document of a store.
func stored(t testing.TB, store keyring.Store) []byte {
	t.Helper()
	document, _, err := store.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return document
}

// with returns a store that has a document.
func with(t testing.TB, document []byte) *keyring.Memory {
	t.Helper()
	m := &keyring.Memory{}
	if _, err := m.Save(t.Context(), document, ""); err != nil {
		t.Fatal(err)
	}
	return m
}

// 106
func TestADamagedRingIsAnErrorAndNeverReplaced(t *testing.T) {
	c := newClock()
	store := &keyring.Memory{}
	open(t, config(t, store, c))
	good := stored(t, store)
	damaged := map[string][]byte{
		"empty": {}, "zeros": make([]byte, len(good)), "half": good[:len(good)/2], "without its last brace": bytes.TrimRight(good, "}\n"),
		"an object": []byte("{}"), "null": []byte("null"), "another file": []byte(`{"format":"other","version":1,"reader":1,"ring":{},"seal":"AA"}`),
		"twice": append(bytes.Clone(good), good...), "too long": append(bytes.Clone(good), bytes.Repeat([]byte(" "), 4<<20)...),
	}
	for i := 0; i < len(good); i += len(good)/50 + 1 {
		flipped := bytes.Clone(good)
		flipped[i] ^= 1
		damaged[fmt.Sprintf("a bit of byte %d flipped", i)] = flipped
	}
	for name, document := range damaged {
		t.Run(name, func(t *testing.T) {
			m := with(t, document)
			ring, err := keyring.Open(t.Context(), config(t, m, c))
			if err == nil {
				if !bytes.Equal(document, stored(t, m)) || len(states(t, ring)) != 2 {
					t.Fatal("a ring was made in place of the damaged one")
				}
				return // The bit was one that means nothing, such as of the version.
			}
			if !bytes.Equal(document, stored(t, m)) {
				t.Error("the damaged ring was written to")
			}
		})
	}
}

// Who can write to the store, but does not have the key of the sealer.
func TestTheRecordsCannotBeForged(t *testing.T) {
	c := newClock()
	store := &keyring.Memory{}
	ring := open(t, config(t, store, c))
	before := stored(t, store)
	leaked := signing(t, ring, tokens).ID()
	if err := ring.Revoke(t.Context(), leaked); err != nil {
		t.Fatal(err)
	}
	good := stored(t, store)
	plain := config(t, &keyring.Memory{}, c)
	plain.Sealer, plain.InsecurePlaintext = nil, "to make a ring without a key"
	open(t, plain)
	for _, tt := range []struct {
		name     string
		document []byte
	}{
		{"a revocation undone", bytes.Replace(good, []byte(`"revoked":`), []byte(`"revokes":`), 1)},
		{"a life prolonged", bytes.Replace(good, []byte(`"expires":"2026`), []byte(`"expires":"2036`), 1)},
		{"a key moved to another purpose", bytes.ReplaceAll(good, []byte(`"purpose":"cookie"`), []byte(`"purpose":"access-token"`))},
		{"a ring of one's own, in plaintext", stored(t, plain.Store)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if bytes.Equal(tt.document, good) {
				t.Fatal("nothing was forged")
			}
			if _, err := keyring.Open(t.Context(), config(t, with(t, tt.document), c)); !errors.Is(err, keyring.ErrCorrupt) {
				t.Errorf("Open() = %v, want ErrCorrupt", err)
			}
		})
	}
	t.Run("an older ring, in which the key was not revoked", func(t *testing.T) {
		_, version, err := store.Load(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := store.Save(t.Context(), before, version); err != nil {
			t.Fatal(err)
		}
		c.add(keyring.DefaultRefresh)
		if verifies(t, ring, leaked) {
			t.Error("the revoked key verifies again")
		}
		if _, err := ring.List(t.Context()); !errors.Is(err, keyring.ErrRolledBack) {
			t.Errorf("List() = %v, want ErrRolledBack", err)
		}
	})
	t.Run("no ring at all", func(t *testing.T) {
		running := &flaky{Store: with(t, good)}
		ring := open(t, config(t, running, c))
		key := signing(t, ring, tokens).ID()
		running.Store = &keyring.Memory{}
		c.add(keyring.DefaultRefresh)
		if got := signing(t, ring, tokens).ID(); got != key || len(stored(t, running)) != 0 {
			t.Errorf("a new ring was made while there was one in use")
		}
	})
}

// 107
func TestTheWrongKeyEncryptionKeyIsNamedAndNothingElse(t *testing.T) {
	c := newClock()
	store := &keyring.Memory{}
	open(t, config(t, store, c))
	before := stored(t, store)
	cfg := config(t, store, c)
	right := cfg.Sealer.KeyID()
	cfg.Sealer = sealer(t, 2)
	_, err := keyring.Open(t.Context(), cfg)
	if err == nil || !contains(err.Error(), right) || !contains(err.Error(), cfg.Sealer.KeyID()) {
		t.Fatalf("Open() = %v, want an error that names %s", err, right)
	}
	for _, secret := range []string{kek(1).Reveal()[:8], kek(2).Reveal()[:8]} {
		if contains(err.Error(), secret) {
			t.Errorf("Open() = %v: it shows a key", err)
		}
	}
	if !bytes.Equal(before, stored(t, store)) {
		t.Error("the ring was changed")
	}
}

func TestTheKeyEncryptionKeyCanBeReplaced(t *testing.T) {
	c := newClock()
	store := &keyring.Memory{}
	first := signing(t, open(t, config(t, store, c)), tokens).ID()
	cfg := config(t, store, c)
	cfg.Sealer = sealer(t, 2, 1)
	ring := open(t, cfg)
	all, err := ring.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range all {
		if k.SealedWith != cfg.Sealer.KeyID() {
			t.Errorf("key %s is sealed with %s, want the new key", k.ID, k.SealedWith)
		}
	}
	cfg.Sealer = sealer(t, 2)
	if got := signing(t, open(t, cfg), tokens).ID(); got != first {
		t.Error("the ring lost its keys")
	}
}

// 108: a newer program has written more than this one knows; after a rollback it
// must be read, and after the next roll-out nothing may be missing.
func TestWhatANewerProgramWroteIsReadAndKept(t *testing.T) {
	c := newClock()
	cfg := config(t, &keyring.Memory{}, c)
	cfg.Sealer, cfg.InsecurePlaintext = nil, "so that the test can write what it likes"
	first := signing(t, open(t, cfg), tokens).ID()
	newer := stored(t, cfg.Store)
	for old, text := range map[string]string{
		`"version":1`:            `"version":2,"added":[1]`,
		`"generation":0`:         `"generation":0,"policy":{"a":1}`,
		`{"activates":`:          `{"hint":"x","activates":`,
		`{"id":"` + first + `",`: `{"hint":"x","id":"` + first + `",`,
	} {
		newer = bytes.Replace(newer, []byte(old), []byte(text), 1)
	}
	newer = bytes.Replace(newer, []byte(`"keys":[`), []byte(`"keys":[{"id":"NEWERNEWERNEWERNEWER","purpose":"access-token","alg":"ML-DSA-65",`+
		`"created":"2026-11-23T11:00:00Z","activates":"2026-11-23T11:00:00Z","expires":"2027-11-23T11:00:00Z","began":"2026-11-23T11:00:00Z","material":"AAAA"},`), 1)
	cfg.Store = with(t, resealPlain(t, newer))
	ring := open(t, cfg)
	if got := signing(t, ring, tokens).ID(); got != first {
		t.Errorf("%s signs, want the key of before", got)
	}
	if verifies(t, ring, "NEWERNEWERNEWERNEWER") {
		t.Error("a key of an unknown algorithm verifies")
	}
	if _, err := ring.Rotate(t.Context(), tokens); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"policy":{"a":1}`, `"hint":"x"`, `ML-DSA-65`} {
		if !bytes.Contains(stored(t, cfg.Store), []byte(want)) {
			t.Errorf("after a rotation by the older program %s is lost", want)
		}
	}
	cfg.Store = with(t, bytes.Replace(newer, []byte(`"reader":1`), []byte(`"reader":2`), 1))
	if _, err := keyring.Open(t.Context(), cfg); !errors.Is(err, keyring.ErrNewer) {
		t.Errorf("a form that this program cannot read: %v, want ErrNewer", err)
	}
}

// resealPlain repairs the checksum of a ring that is stored in plaintext.
func resealPlain(t testing.TB, document []byte) []byte {
	t.Helper()
	var e struct {
		Ring json.RawMessage
	}
	if err := json.Unmarshal(document, &e); err != nil {
		t.Fatal(err)
	}
	return keyring.ResealPlain(document, e.Ring)
}
