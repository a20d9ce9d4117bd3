package keyring_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/fastness/fastness/keyring"
)

func TestAKeyLivesThroughItsStates(t *testing.T) {
	c := newClock()
	cfg := config(t, &keyring.Memory{}, c)
	events := &recorder{}
	cfg.Events = events
	ring := open(t, cfg)
	first := signing(t, ring, tokens)
	if got := states(t, ring)[first.ID()]; got != keyring.Active {
		t.Fatalf("the first key of an empty ring is %s, want active at once", got)
	}
	sig, err := first.Sign([]byte("token"))
	if err != nil {
		t.Fatal(err)
	}

	c.add(36 * time.Minute) // 15 minutes to announce, 2 x 5 of skew, before the hour is over
	var second keyring.KeyInfo
	all, err := ring.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range all {
		if k.Purpose == tokens && k.ID != first.ID() {
			second = k
		}
	}
	if second.State != keyring.Pending {
		t.Fatalf("after 36 minutes, the second key is %q, want pending", second.State)
	}
	if signing(t, ring, tokens).ID() != first.ID() {
		t.Fatal("a key signs that was just announced")
	}
	if !verifies(t, ring, second.ID) {
		t.Error("a pending key does not verify: another process may sign with it already")
	}

	c.add(25 * time.Minute)
	if got := signing(t, ring, tokens).ID(); got != second.ID {
		t.Fatalf("after 61 minutes %s signs, want the successor", got)
	}
	if got := states(t, ring)[first.ID()]; got != keyring.Retiring {
		t.Errorf("the first key is %s, want retiring", got)
	}
	k, err := ring.Verifying(t.Context(), tokens, first.ID())
	if err != nil {
		t.Fatalf("a retiring key does not verify: %v", err)
	}
	if err := k.Verify([]byte("token"), sig); err != nil {
		t.Errorf("the token of before the rotation: %v", err)
	}

	c.add(15 * time.Minute)
	if verifies(t, ring, first.ID()) {
		t.Error("a key verifies after its retention")
	}
	if body, _, err := ring.JWKS(t.Context()); err != nil || containsID(body, first.ID()) || !containsID(body, second.ID) {
		t.Errorf("published after its retention: %s, %v", body, err)
	}
	for range 3 {
		c.add(15 * time.Minute)
		signing(t, ring, tokens)
	}
	all, err = ring.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(all, func(k keyring.KeyInfo) bool { return k.ID == first.ID() })
	if i < 0 || all[i].State != keyring.Gone || all[i].Destroyed.IsZero() || all[i].SealedWith != "" {
		t.Errorf("the first key is %+v, want it gone and its private part erased", all[i])
	}
	if got := events.count("key_destroyed"); got != 1 {
		t.Errorf("%d events of erased keys, want 1", got)
	}
}

// The lead of an announcement is there for processes whose clocks differ. What
// somebody fetched from any of them, at most max-age ago, must have every key
// that signs.
func TestNoRotationSurprisesWhoKeepsThePublishedKeys(t *testing.T) {
	c := newClock()
	store := &keyring.Memory{}
	var rings []*keyring.Ring
	for _, off := range []time.Duration{-5 * time.Minute, 0, 5 * time.Minute} {
		cfg := config(t, store, c)
		cfg.Purposes = cfg.Purposes[:1]
		cfg.Now = c.off(off)
		rings = append(rings, open(t, cfg))
	}
	type copyOf struct {
		body    []byte
		fetched time.Time
	}
	copies := make([]copyOf, len(rings))
	signed := make(map[string]bool)
	for step := range 10*60*2 + 60 {
		for i, ring := range rings {
			if c.now().Sub(copies[i].fetched) >= 5*time.Minute {
				body, keep, err := ring.JWKS(t.Context())
				if err != nil || keep != 5*time.Minute {
					t.Fatalf("JWKS may be kept for %v, %v, want 5m", keep, err)
				}
				copies[i] = copyOf{body, c.now()}
			}
		}
		for i, ring := range rings {
			k := signing(t, ring, tokens)
			signed[k.ID()] = true
			for j := range copies {
				if !containsID(copies[j].body, k.ID()) {
					t.Fatalf("step %d: process %d signs with a key that the copy of %v ago lacks", step, i, c.now().Sub(copies[j].fetched))
				}
			}
		}
		c.add(30 * time.Second)
	}
	if len(signed) != 11 {
		t.Errorf("%d keys signed in ten and a half hours, want 11", len(signed))
	}
}

func TestRotateAnnouncesFirst(t *testing.T) {
	c := newClock()
	ring := open(t, config(t, &keyring.Memory{}, c))
	old := signing(t, ring, tokens)
	next, err := ring.Rotate(t.Context(), tokens)
	if err != nil {
		t.Fatal(err)
	}
	if next.State != keyring.Pending || next.Activates.Sub(c.now()) != 25*time.Minute {
		t.Errorf("Rotate() = %s, to sign in %v, want pending for 25m", next.State, next.Activates.Sub(c.now()))
	}
	if signing(t, ring, tokens).ID() != old.ID() {
		t.Error("the new key signs before anybody knows it")
	}
	again, err := ring.Rotate(t.Context(), tokens)
	if err != nil || again.ID != next.ID {
		t.Errorf("a second Rotate() = %s, %v, want the key that is announced already", again.ID, err)
	}
	c.add(25 * time.Minute)
	if signing(t, ring, tokens).ID() != next.ID {
		t.Error("the new key does not sign when it was announced to")
	}
	if !verifies(t, ring, old.ID()) {
		t.Error("the old key does not verify")
	}
	c.add(15 * time.Minute)
	if verifies(t, ring, old.ID()) {
		t.Error("the old key verifies as if it had not been rotated")
	}
}

func TestRotateBringsASuccessorForward(t *testing.T) {
	c := newClock()
	cfg := config(t, &keyring.Memory{}, c)
	cfg.Purposes[0].Lifetime = 4 * time.Hour
	cfg.Purposes[0].Announce = 2 * time.Hour
	ring := open(t, cfg)
	c.add(110 * time.Minute) // The successor is announced, to sign after 240 minutes.
	first := signing(t, ring, tokens)
	next, err := ring.Rotate(t.Context(), tokens)
	if err != nil {
		t.Fatal(err)
	}
	if want := 130 * time.Minute; next.Activates.Sub(c.now()) != want {
		t.Errorf("the successor signs in %v, want %v: as soon as it is announced for long enough", next.Activates.Sub(c.now()), want)
	}
	c.add(130 * time.Minute)
	if got := signing(t, ring, tokens).ID(); got != next.ID || got == first.ID() {
		t.Errorf("%s signs, want the successor", got)
	}
}

// The rule of the package comment, case by case.
func TestEveryProcessChoosesTheSameKey(t *testing.T) {
	type key = keyring.Choice
	a := key{ID: "A", Created: 1, Activates: 1, Expires: 3, Began: 1}
	b := key{ID: "B", Created: 2.5, Activates: 3, Expires: 5}
	for _, tt := range []struct {
		name string
		at   float64
		keys []key
		want string
	}{
		{"no keys", 2, nil, ""},
		{"the only one", 2, []key{a}, "A"},
		{"the successor waits", 2.9, []key{a, b}, "A"},
		{"it signs one skew early, for clocks that are ahead", 2.92, []key{a, b}, "B"},
		{"the order of the records says nothing", 2.92, []key{b, a}, "B"},
		{"an expired one never", 3, []key{a}, ""},
		{"a successor that is not known long enough waits for the end", 2.95, []key{a, {ID: "B", Created: 2.9, Activates: 3, Expires: 5}}, "A"},
		{"and signs when nothing else can", 3, []key{a, {ID: "B", Created: 2.9, Activates: 3, Expires: 5}}, "B"},
		{"of two that nobody knows, the one activated first", 3.01, []key{{ID: "B", Created: 3, Activates: 3, Expires: 5}, {ID: "C", Created: 2.99, Activates: 2.99, Expires: 5}}, "C"},
		{"of two made in the same moment, the smaller id", 3.01, []key{{ID: "C", Created: 3, Activates: 3, Expires: 5}, {ID: "B", Created: 3, Activates: 3, Expires: 5}}, "B"},
		{"of two that are known, too", 3.5, []key{{ID: "C", Created: 3, Activates: 3, Expires: 5}, {ID: "B", Created: 3, Activates: 3, Expires: 5}}, "B"},
		{"a revoked one never", 2, []key{{ID: "A", Created: 1, Activates: 1, Expires: 3, Began: 1, Revoked: 1.5}}, ""},
		{"what has begun shuts out those before it, although the clock says otherwise", 2, []key{a, {ID: "B", Created: 2.5, Activates: 3, Expires: 5, Began: 3}}, "B"},
		{"even when it is revoked", 2, []key{a, {ID: "B", Created: 2.5, Activates: 3, Expires: 5, Began: 3, Revoked: 3.1}}, ""},
		{"a clock that is off by years shuts out nothing", 2, []key{a, {ID: "Z", Created: 9e4, Activates: 9e4, Expires: 9e4 + 2, Began: 9e4}}, "A"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := keyring.Choose(tt.at, tt.keys...); got != tt.want {
				t.Errorf("at hour %v %q signs, want %q", tt.at, got, tt.want)
			}
		})
	}
}

func TestMistakesOfTheConfigurationAreNamedAtOnce(t *testing.T) {
	_, err := keyring.Open(t.Context(), keyring.Config{
		Skew: -1, Refresh: time.Hour,
		Purposes: []keyring.Purpose{
			{Name: "Tokens", Algorithm: "none", Lifetime: time.Minute, Announce: -1, Retain: -1, SealLimit: 1 << 33},
			{Name: "short", Algorithm: keyring.EdDSA, Lifetime: 20 * time.Minute},
			{Name: "short", Algorithm: keyring.EdDSA},
		},
	})
	if err == nil {
		t.Fatal("Open() = nil")
	}
	for _, want := range []string{
		"Store is nil", "Sealer is nil", "Skew is", "Refresh is", "[0].Name", "[0].Algorithm", "[0].Lifetime", "[0].Announce", "[0].Retain", "[0].SealLimit",
		"[1].Lifetime is 20m0s, want at least Announce + 2 Skew + Refresh", "[2].Name occurs twice",
	} {
		if !contains(err.Error(), want) {
			t.Errorf("Open() = %v, want also %q", err, want)
		}
	}
	c := newClock()
	cfg := config(t, &keyring.Memory{}, c)
	cfg.InsecurePlaintext = "because"
	if _, err := keyring.Open(t.Context(), cfg); err == nil {
		t.Error("a Sealer that is not used was accepted")
	}
}

func TestTenMinutesAreEnoughIfTheyFit(t *testing.T) {
	c := newClock()
	cfg := config(t, &keyring.Memory{}, c)
	cfg.Skew = time.Minute
	cfg.Purposes[0].Lifetime, cfg.Purposes[0].Announce = 10*time.Minute, 7*time.Minute
	ring := open(t, cfg)
	first := signing(t, ring, tokens).ID()
	c.add(5 * time.Minute)
	signing(t, ring, tokens)
	c.add(5 * time.Minute)
	if signing(t, ring, tokens).ID() == first {
		t.Error("the key signs after its 10 minutes")
	}
}

func TestAPurposeThatIsNotConfiguredIsAMistake(t *testing.T) {
	c := newClock()
	ring := open(t, config(t, &keyring.Memory{}, c))
	if _, err := ring.Signing(t.Context(), "other"); !errors.Is(err, keyring.ErrPurpose) {
		t.Errorf("Signing(other) = %v, want ErrPurpose", err)
	}
	if _, err := ring.Verifying(t.Context(), "other", signing(t, ring, tokens).ID()); !errors.Is(err, keyring.ErrPurpose) {
		t.Errorf("Verifying(other) = %v, want ErrPurpose", err)
	}
	if _, err := ring.Rotate(t.Context(), "other"); !errors.Is(err, keyring.ErrPurpose) {
		t.Errorf("Rotate(other) = %v, want ErrPurpose", err)
	}
	if err := ring.RevokeBefore(t.Context(), "other", time.Time{}); !errors.Is(err, keyring.ErrPurpose) {
		t.Errorf("RevokeBefore(other) = %v, want ErrPurpose", err)
	}
}

func TestOnlyAHundredTombstonesAreKept(t *testing.T) {
	c := newClock()
	cfg := config(t, &keyring.Memory{}, c)
	cfg.Purposes = cfg.Purposes[:1]
	ring := open(t, cfg)
	for range 150 * 3 {
		c.add(20 * time.Minute)
		signing(t, ring, tokens)
	}
	gone := 0
	for _, s := range states(t, ring) {
		if s == keyring.Gone {
			gone++
		}
	}
	if gone != 100 {
		t.Errorf("%d keys are gone and remembered, want 100", gone)
	}
}

func TestALongerRetentionProlongsTheKeysThatAreThere(t *testing.T) {
	c := newClock()
	store := &keyring.Memory{}
	cfg := config(t, store, c)
	old := signing(t, open(t, cfg), tokens).ID()
	cfg.Purposes[0].Retain = 2 * time.Hour
	ring := open(t, cfg)
	c.add(59 * time.Minute)
	signing(t, ring, tokens)
	c.add(119 * time.Minute)
	if !verifies(t, ring, old) {
		t.Error("the key is gone after the retention that was configured before")
	}
}
