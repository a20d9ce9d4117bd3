package storetest

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/auth/apikey"
	"github.com/fastness/fastness/problem"
	"github.com/fastness/fastness/sqldb"
)

func (w *sessionWorld) keys(t testing.TB, db *sqldb.DB, change ...func(*apikey.Config)) *apikey.Keys {
	t.Helper()
	cfg := apikey.Config{DB: db, Accounts: w, Events: w, Now: w.now, Prefix: "shop"}
	for _, c := range change {
		c(&cfg)
	}
	k, err := apikey.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func createKey(t testing.TB, k *apikey.Keys, owner string) (*apikey.Key, string) {
	t.Helper()
	key, text, err := k.Create(t.Context(), apikey.Request{Owner: owner, Name: "export", Scopes: auth.SetOf("items")})
	if err != nil {
		t.Fatal(err)
	}
	return key, text
}

func keyScheme(t testing.TB, k *apikey.Keys) *apikey.Scheme {
	t.Helper()
	s, err := apikey.NewScheme(apikey.SchemeConfig{Keys: k})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func withKey(text string) *http.Request {
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("X-API-Key", text)
	return r
}

func wantKey(t *testing.T, k *apikey.Keys, text string, want bool) *auth.User {
	t.Helper()
	u, err := keyScheme(t, k).Authenticate(t.Context(), withKey(text))
	_, refused := errors.AsType[*auth.Refusal](err)
	if want && err != nil || !want && !refused {
		t.Errorf("the key: %v, want it taken: %v", err, want)
	}
	return u
}

func TestAPIKeyIsItsOwnerForItsScopes(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		w := newSessionWorld()
		k := w.keys(t, db)
		key, text := createKey(t, k, "ada")
		now := w.now()
		want := &apikey.Key{ID: key.ID, Name: "export", Owner: "ada", Scopes: auth.SetOf("items"), Created: now, Expires: now.Add(90 * 24 * time.Hour)}
		if !reflect.DeepEqual(key, want) || !strings.HasPrefix(text, "shop_"+key.ID+"_") {
			t.Errorf("Create() = %+v, %d bytes, want %+v", key, len(text), want)
		}
		if list, err := k.List(t.Context(), "ada"); err != nil || len(list) != 1 || !reflect.DeepEqual(list[0], want) {
			t.Errorf("List() = %+v, %v", list, err)
		}
		u := wantKey(t, k, text, true)
		caller := &auth.User{ID: "ada", Name: "Ada", Roles: auth.SetOf("admin"), Scopes: auth.SetOf("items"), Client: key.ID, Scheme: "apiKey", Until: key.Expires}
		if !reflect.DeepEqual(u, caller) {
			t.Errorf("the caller is %+v, want %+v", u, caller)
		}
		w.become("ada", func(u *auth.Standing) { u.Roles = auth.Set{} })
		if demoted := wantKey(t, k, text, true); demoted.HasRole("admin") || !u.HasRole("admin") {
			t.Errorf("roles are %v after the owner was demoted, and %v in the request before", demoted.Roles, u.Roles)
		}
		w.become("ada", func(u *auth.Standing) { u.Epoch++ }) // A change of the password is none of a machine's business.
		wantKey(t, k, text, true)
		w.become("ada", func(u *auth.Standing) { u.Active = false })
		wantKey(t, k, text, false)
		if e := w.events[0]; e.Name != "authn_token_created" || e.Actor != "ada" || e.Subject != key.ID || eventDetail(e, "scopes") != "items" {
			t.Errorf("the event is %+v", e)
		}
	})
}

func TestAPIKeyIsNotForEverybody(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		w := newSessionWorld()
		k := w.keys(t, db, func(c *apikey.Config) { c.PerOwner = 2 })
		w.become("bob", func(u *auth.Standing) { u.Active = false })
		for _, owner := range []string{"bob", "nobody"} {
			if _, _, err := k.Create(t.Context(), apikey.Request{Owner: owner, Name: "x"}); !errors.Is(err, apikey.ErrRefused) {
				t.Errorf("%s got a key: %v", owner, err)
			}
		}
		for name, r := range map[string]apikey.Request{
			"no owner":           {Name: "x"},
			"no name":            {Owner: "ada", Name: " "},
			"a name of lines":    {Owner: "ada", Name: "a\nb"},
			"a name of bytes":    {Owner: "ada", Name: "a\xff"},
			"a scope of two":     {Owner: "ada", Name: "x", Scopes: auth.SetOf("a b")},
			"longer than a year": {Owner: "ada", Name: "x", Lifetime: 367 * 24 * time.Hour},
			"already over":       {Owner: "ada", Name: "x", Lifetime: -time.Hour},
		} {
			if _, text, err := k.Create(t.Context(), r); err == nil || errors.Is(err, apikey.ErrRefused) || text != "" {
				t.Errorf("%s: %v, want a mistake", name, err)
			}
		}
		first, _ := createKey(t, k, "ada")
		createKey(t, k, "ada")
		if _, _, err := k.Create(t.Context(), apikey.Request{Owner: "ada", Name: "x"}); !errors.Is(err, apikey.ErrRefused) {
			t.Errorf("a third key of two: %v", err)
		}
		if _, err := k.Revoke(t.Context(), first.ID); err != nil {
			t.Error(err)
		}
		createKey(t, k, "ada")
		long := w.keys(t, db, func(c *apikey.Config) { c.InsecureLifetime = "a test" })
		if _, _, err := long.Create(t.Context(), apikey.Request{Owner: "ada", Name: "x", Lifetime: 1000 * 24 * time.Hour}); err != nil {
			t.Errorf("a long key with a reason: %v", err)
		}
		if reason := keyScheme(t, long).Describe().OptOuts["InsecureLifetime"]; reason != "a test" {
			t.Errorf("the scheme says %q about it", reason)
		}
	})
}

func TestAPIKeyExpires(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		w := newSessionWorld()
		k := w.keys(t, db)
		key, text := createKey(t, k, "ada")
		w.pass(key.Expires.Sub(w.now()) - time.Microsecond)
		wantKey(t, k, text, true)
		w.pass(time.Microsecond)
		wantKey(t, k, text, false)
		if n, err := k.Purge(t.Context()); err != nil || n != 0 {
			t.Errorf("Purge() = %d, %v, want none", n, err)
		}
		w.pass(90*24*time.Hour + time.Second)
		if n, err := k.Purge(t.Context()); err != nil || n != 1 {
			t.Errorf("Purge() = %d, %v, want 1", n, err)
		}
	})
}

func TestRevokedAPIKeyIsDead(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		w := newSessionWorld()
		k, other := w.keys(t, db), w.keys(t, openAgain(t, db))
		key, text := createKey(t, k, "ada")
		bobs, bobsText := createKey(t, k, "bob")
		for range 2 { // The first use is written down, the second is in memory.
			wantKey(t, k, text, true)
			wantKey(t, other, text, true)
		}
		for id, want := range map[string]bool{bobs.ID: false, "\x00": false, "": false, key.ID: true} {
			if done, err := k.RevokeOf(t.Context(), "ada", id); err != nil || done != want {
				t.Errorf("RevokeOf(%q) = %v, %v, want %v", id, done, err, want)
			}
		}
		wantKey(t, k, text, false) // At once here,
		w.pass(4 * time.Second)
		wantKey(t, other, text, false) // and soon everywhere.
		if done, err := k.Revoke(t.Context(), key.ID); err != nil || done {
			t.Errorf("Revoke() of what is revoked = %v, %v", done, err)
		}
		wantKey(t, k, bobsText, true)
		if n, err := k.RevokeAll(auth.With(t.Context(), &auth.User{ID: "root"}), "bob"); err != nil || n != 1 {
			t.Errorf("RevokeAll() = %d, %v", n, err)
		}
		wantKey(t, k, bobsText, false)
		if e := w.events[len(w.events)-1]; e.Name != "authn_token_revoked" || e.Actor != "root" || e.Subject != bobs.ID {
			t.Errorf("the event is %+v", e)
		}
	})
}

func TestUseOfAnAPIKeyIsWrittenDown(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		w := newSessionWorld()
		k := w.keys(t, db)
		key, text := createKey(t, k, "ada")
		start := w.now()
		for _, step := range []struct{ after, noted time.Duration }{{0, 0}, {599 * time.Second, 0}, {time.Second, 600 * time.Second}} {
			w.pass(step.after)
			wantKey(t, k, text, true)
			if list, err := k.List(t.Context(), "ada"); err != nil || list[0].ID != key.ID || list[0].LastUsed.Sub(start) != step.noted {
				t.Errorf("%+v, %v, want it used %v after the start", list, err, step.noted)
			}
		}
	})
}

// The id of a key is in lists and logs: whoever knows it, and the checksum, still
// has to guess 256 bits.
func TestAPIKeyWithAnotherSecretIsRefused(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		w := newSessionWorld()
		k := w.keys(t, db)
		key, text := createKey(t, k, "ada")
		_, others := createKey(t, k, "bob")
		for range 2 { // The first use is written down, the second is in memory.
			wantKey(t, k, text, true)
		}
		forged := "shop_" + key.ID + others[len("shop_")+16:len(others)-6]
		wantKey(t, k, forged+crc(forged), false)
		unknown := "shop_" + strings.Repeat("0", 16) + others[len("shop_")+16:len(others)-6]
		wantKey(t, k, unknown+crc(unknown), false)
	})
}

// A copy of the database has nothing that a request could carry.
func TestDumpOfAPIKeysCannotBeUsed(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		w := newSessionWorld()
		k := w.keys(t, db)
		key, text := createKey(t, k, "ada")
		secret := text[len("shop_")+17:]
		for _, stored := range dumpOf(t, db, "fastness_api_keys") {
			if strings.Contains(stored, secret[:20]) {
				t.Errorf("the dump has a secret as it is: %q", stored)
			}
			for _, tried := range []string{stored, hex.EncodeToString([]byte(stored)), base64.RawURLEncoding.EncodeToString([]byte(stored))} {
				padded := "shop_" + key.ID + "_" + (tried + strings.Repeat("0", 43))[:43]
				wantKey(t, k, tried, false)
				wantKey(t, k, padded+crc(padded), false)
			}
		}
		wantKey(t, k, text, true)
	})
}

func TestRevokedAPIKeyCountsAtOnce(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		w := newSessionWorld()
		k := w.keys(t, db)
		s := keyScheme(t, k)
		for range 20 {
			key, text := createKey(t, k, "ada")
			var over atomic.Bool
			var wg sync.WaitGroup
			for range 4 {
				wg.Go(func() {
					for {
						after := over.Load()
						if _, err := s.Authenticate(t.Context(), withKey(text)); after && err == nil {
							t.Error("a key was taken after it was revoked")
						}
						if after {
							return
						}
						w.pass(time.Second) // The cache loads again and again.
					}
				})
			}
			if _, err := k.Revoke(t.Context(), key.ID); err != nil {
				t.Error(err)
			}
			over.Store(true)
			wg.Wait()
		}
	})
}

func TestFailureIsNoRefusalOfAnAPIKey(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		w := newSessionWorld()
		k := w.keys(t, db)
		_, text := createKey(t, k, "ada")
		ended, stop := context.WithCancel(t.Context())
		stop()
		fails := func(what string, err error) {
			t.Helper()
			_, refused := errors.AsType[*auth.Refusal](err)
			if err == nil || refused || problem.From(err).Status != http.StatusInternalServerError {
				t.Errorf("%s: %v, want a failure", what, err)
			}
		}
		_, err := keyScheme(t, k).Authenticate(ended, withKey(text))
		fails("no database", err)
		w.down = errors.New("no accounts")
		_, err = keyScheme(t, k).Authenticate(t.Context(), withKey(text))
		fails("no accounts", err)
		w.down, w.full = nil, errors.New("full")
		if _, text, err := k.Create(t.Context(), apikey.Request{Owner: "ada", Name: "x"}); !errors.Is(err, w.full) || text != "" {
			t.Errorf("a key that is not recorded: %v", err)
		}
		if list, err := k.List(t.Context(), "ada"); err != nil || len(list) != 1 {
			t.Errorf("%d keys, %v, want only the one that was recorded", len(list), err)
		}
		wantKey(t, k, text, true)
		if _, err := k.RevokeAll(t.Context(), "ada"); !errors.Is(err, w.full) {
			t.Errorf("a revocation that is not recorded: %v", err)
		}
		wantKey(t, k, text, false) // Whatever the log says.
	})
}

// crc makes the checksum of a key the way the documentation says, as an attacker
// would.
func crc(text string) string {
	const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	sum := uint32(0xffffffff)
	for _, b := range []byte(text) {
		sum ^= uint32(b)
		for range 8 {
			sum = sum>>1 ^ 0xedb88320&-(sum&1)
		}
	}
	sum = ^sum
	digits := ""
	for range 6 {
		digits = fmt.Sprintf("%c%s", alphabet[sum%62], digits)
		sum /= 62
	}
	return digits
}
