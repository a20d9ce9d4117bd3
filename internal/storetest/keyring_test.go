package storetest

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/fastness/fastness/keyring"
	"github.com/fastness/fastness/secret"
	"github.com/fastness/fastness/sqldb"
)

// eachRingStore runs a test over an empty store of each kind. The function that
// it gets opens the same store once more, as another process would.
func eachRingStore(t *testing.T, test func(t *testing.T, again func(testing.TB) keyring.Store)) {
	t.Run("File", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "ring.json")
		test(t, func(testing.TB) keyring.Store { return keyring.File(path) })
	})
	t.Run("Memory", func(t *testing.T) {
		store := &keyring.Memory{}
		test(t, func(testing.TB) keyring.Store { return store })
	})
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		test(t, func(t testing.TB) keyring.Store { return sqlRing(t, openAgain(t, db)) })
	})
}

func sqlRing(t testing.TB, db *sqldb.DB) keyring.Store {
	t.Helper()
	store, err := keyring.SQL(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	return store
}

const ringTokens = "access-token"

// ringConfig is that of hourly keys. All processes have the same sealer.
func ringConfig(t testing.TB, store keyring.Store, now func() time.Time) keyring.Config {
	t.Helper()
	sealer, err := keyring.NewSealer(secret.New(base64.StdEncoding.EncodeToString([]byte("a key-encryption key of 32 bytes"))))
	if err != nil {
		t.Fatal(err)
	}
	return keyring.Config{
		Store: store, Sealer: sealer, Now: now, Logger: slog.New(slog.DiscardHandler),
		Purposes: []keyring.Purpose{{Name: ringTokens, Algorithm: keyring.EdDSA, Lifetime: time.Hour}},
	}
}

func openRing(t testing.TB, cfg keyring.Config) *keyring.Ring {
	t.Helper()
	ring, err := keyring.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

func TestRingStoreKeepsTheLastDocument(t *testing.T) {
	eachRingStore(t, func(t *testing.T, again func(testing.TB) keyring.Store) {
		ctx := t.Context()
		a, b := again(t), again(t)
		if document, version, err := a.Load(ctx); err != nil || document != nil || version != "" {
			t.Fatalf("an empty store: Load() = %q, %q, %v", document, version, err)
		}
		first, err := a.Save(ctx, []byte("first"), "")
		if err != nil || first == "" {
			t.Fatalf("Save() = %q, %v", first, err)
		}
		if _, err := b.Save(ctx, []byte("lost"), ""); !errors.Is(err, keyring.ErrConflict) {
			t.Errorf("a second first document: %v, want ErrConflict", err)
		}
		if document, version, err := b.Load(ctx); err != nil || string(document) != "first" || version != first {
			t.Errorf("Load() = %q, %q, %v, want the first document", document, version, err)
		}
		large := bytes.Repeat([]byte("\x00\xff'\"\\"), 100_000)
		second, err := b.Save(ctx, large, first)
		if err != nil || second == first {
			t.Fatalf("Save() = %q, %v", second, err)
		}
		for _, version := range []string{first, "", "nonsense", "'; DROP TABLE fastness_key_ring; --"} {
			if _, err := a.Save(ctx, []byte("lost"), version); !errors.Is(err, keyring.ErrConflict) {
				t.Errorf("Save over version %q: %v, want ErrConflict", version, err)
			}
		}
		if document, version, err := a.Load(ctx); err != nil || !bytes.Equal(document, large) || version != second {
			t.Errorf("Load() = %d bytes, %q, %v, want the second document", len(document), version, err)
		}
		ended, cancel := context.WithCancel(ctx)
		cancel()
		if _, err := a.Save(ended, []byte("late"), second); !errors.Is(err, context.Canceled) {
			t.Errorf("Save for somebody who went away: %v, want that as its error", err)
		}
	})
}

// Everybody counts up by one, as often as it takes: nothing is lost.
func TestRingStoreLosesNoSave(t *testing.T) {
	eachRingStore(t, func(t *testing.T, again func(testing.TB) keyring.Store) {
		const processes, each = 4, 15
		var wg sync.WaitGroup
		for range processes {
			store := again(t)
			wg.Go(func() {
				for range each {
					for {
						document, version, err := store.Load(t.Context())
						if err != nil {
							t.Error(err)
							return
						}
						_, err = store.Save(t.Context(), append(document, 'x'), version)
						if errors.Is(err, keyring.ErrConflict) {
							continue
						}
						if err != nil {
							t.Error(err)
							return
						}
						break
					}
				}
			})
		}
		wg.Wait()
		if document, _, err := again(t).Load(t.Context()); err != nil || len(document) != processes*each {
			t.Errorf("%d of %d saves are there, %v", len(document), processes*each, err)
		}
	})
}

func TestDamagedRingDoesNotStart(t *testing.T) {
	eachRingStore(t, func(t *testing.T, again func(testing.TB) keyring.Store) {
		store := again(t)
		openRing(t, ringConfig(t, store, time.Now))
		document, version, err := store.Load(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for name, damaged := range map[string][]byte{"empty": {}, "half": document[:len(document)/2], "zeros": make([]byte, len(document))} {
			if version, err = store.Save(t.Context(), damaged, version); err != nil {
				t.Fatal(err)
			}
			if _, err := keyring.Open(t.Context(), ringConfig(t, again(t), time.Now)); !errors.Is(err, keyring.ErrCorrupt) {
				t.Errorf("%s: Open() = %v, want ErrCorrupt", name, err)
			}
			if got, _, err := store.Load(t.Context()); err != nil || !bytes.Equal(got, damaged) {
				t.Errorf("%s: it was written to, %v", name, err)
			}
		}
	})
}

func TestRingFileIsItsOwners(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ring.json")
	// What a program left that died while it wrote.
	if err := os.WriteFile(path+".new", []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	openRing(t, ringConfig(t, keyring.File(path), time.Now))
	for _, name := range []string{path, path + ".lock"} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v, want mode 0600", filepath.Base(name), info.Mode(), err)
		}
	}
	if _, err := os.Stat(path + ".new"); err == nil {
		t.Error("a file is left over")
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := keyring.Open(t.Context(), ringConfig(t, keyring.File(path), time.Now)); err == nil {
		t.Error("a ring that everybody can read was opened")
	}
}

// ringToken is what was signed, and with what.
type ringToken struct {
	Key     string
	Text    []byte
	Sig     []byte
	Expires time.Time
}

const ringTTL = 10 * time.Minute

// issueRing signs a token by the clock of a process.
func issueRing(ctx context.Context, ring *keyring.Ring, now time.Time) (ringToken, error) {
	k, err := ring.Signing(ctx, ringTokens)
	if err != nil {
		return ringToken{}, err
	}
	t := ringToken{Key: k.ID(), Text: []byte(rand.Text()), Expires: now.Add(ringTTL)}
	t.Sig, err = k.Sign(t.Text)
	return t, err
}

// verifyRing verifies a token as a service does.
func verifyRing(ctx context.Context, ring *keyring.Ring, t ringToken) error {
	k, err := ring.Verifying(ctx, ringTokens, t.Key)
	if err != nil {
		return fmt.Errorf("key %s: %w", t.Key, err)
	}
	return k.Verify(t.Text, t.Sig)
}
