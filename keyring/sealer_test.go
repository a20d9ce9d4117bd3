package keyring_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/fastness/fastness/keyring"
	"github.com/fastness/fastness/secret"
)

func TestASealerOpensOnlyWhatItSealedForThat(t *testing.T) {
	s := sealer(t, 1)
	box, err := s.Seal(t.Context(), []byte("key"), []byte("a"))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := s.Open(t.Context(), box, []byte("a")); err != nil || string(got) != "key" {
		t.Fatalf("Open() = %q, %v", got, err)
	}
	if got, err := sealer(t, 2, 1).Open(t.Context(), box, []byte("a")); err != nil || string(got) != "key" {
		t.Errorf("Open() with the key as an older one = %q, %v", got, err)
	}
	if _, err := s.Open(t.Context(), box, []byte("b")); !errors.Is(err, keyring.ErrCorrupt) {
		t.Errorf("bound to something else: %v, want ErrCorrupt", err)
	}
	for i := range box {
		changed := bytes.Clone(box)
		changed[i] ^= 1
		if _, err := s.Open(t.Context(), changed, []byte("a")); err == nil {
			t.Errorf("byte %d changed, and it opens", i)
		}
		if _, err := s.Open(t.Context(), box[:i], []byte("a")); err == nil {
			t.Errorf("cut off after %d, and it opens", i)
		}
	}
}

func TestAWeakKeyEncryptionKeyIsRefused(t *testing.T) {
	for _, text := range []string{"", "secret", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", kek(1).Reveal()[4:], kek(1).Reveal() + "AAAA", strings.Repeat("!", 44)} {
		if _, err := keyring.NewSealer(secret.New(text)); err == nil || text != "" && contains(err.Error(), text) {
			t.Errorf("NewSealer(%q) = %v, want an error that does not show it", text, err)
		}
	}
	if _, err := keyring.NewSealer(kek(1), secret.New("bad"), secret.New("bad")); err == nil || strings.Count(err.Error(), "\n") != 1 {
		t.Errorf("two bad keys: %v, want both named", err)
	}
}

func TestTheKeyEncryptionKeyLivesInAFileOfItsOwner(t *testing.T) {
	path := filepath.Join(t.TempDir(), "kek")
	if _, err := keyring.LoadKEK(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("LoadKEK() without a file = %v, want ErrNotExist: it makes none", err)
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	keys := make(map[string]bool)
	for range 8 {
		wg.Go(func() {
			key, err := keyring.LoadOrCreateKEK(path)
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			keys[key.Reveal()] = true
		})
	}
	wg.Wait()
	if len(keys) != 1 {
		t.Errorf("processes that started together have %d keys, want 1", len(keys))
	}
	key, err := keyring.LoadKEK(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := keyring.NewSealer(key); err != nil {
		t.Error(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("its mode is %v, %v, want 0600", info.Mode(), err)
	}
	if err := keyring.CreateKEK(path); !errors.Is(err, fs.ErrExist) {
		t.Errorf("CreateKEK() over a file = %v, want ErrExist", err)
	}
	if names, err := os.ReadDir(filepath.Dir(path)); err != nil || len(names) != 1 {
		t.Errorf("%d files are left, %v, want the key alone", len(names), err)
	}
	for _, mode := range []fs.FileMode{0o640, 0o604, 0o620, 0o602, 0o666} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := keyring.LoadKEK(path); err == nil || !contains(err.Error(), "0600") {
			t.Errorf("LoadKEK() of mode %v = %v, want a refusal", mode, err)
		}
		if _, err := keyring.LoadOrCreateKEK(path); err == nil {
			t.Errorf("LoadOrCreateKEK() of mode %v = nil, want a refusal", mode)
		}
	}
	if err := os.WriteFile(path, []byte("not a key"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := keyring.LoadOrCreateKEK(path); err == nil || contains(err.Error(), "not a key") {
		t.Errorf("LoadOrCreateKEK() of something else = %v, want an error that does not show it", err)
	}
}
