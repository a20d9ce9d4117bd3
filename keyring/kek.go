package keyring

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/fastness/fastness/secret"
)

// LoadKEK reads the key-encryption key in a file, for [NewSealer]. A file that
// others than its owner can read or write is refused. It must not be in the
// folder, the backup or the database that the ring is in.
func LoadKEK(path string) (secret.Text, error) {
	f, err := os.Open(path)
	if err != nil {
		return secret.Text{}, fmt.Errorf("key-encryption key: %w", err)
	}
	defer f.Close()
	if err := private(f); err != nil {
		return secret.Text{}, fmt.Errorf("key-encryption key: %w", err)
	}
	data, err := io.ReadAll(io.LimitReader(f, 1<<10))
	if err != nil {
		return secret.Text{}, fmt.Errorf("key-encryption key: %w", err)
	}
	if _, err := decodeKEK(string(data)); err != nil {
		return secret.Text{}, fmt.Errorf("key-encryption key: %s: %w", path, err)
	}
	return secret.New(string(data)), nil
}

// CreateKEK writes a new key-encryption key to a file that only its owner can
// read. It never replaces a file: what was sealed with the key in it would be
// lost. If there is one, the error is [fs.ErrExist].
func CreateKEK(path string) error {
	var key [kekSize]byte
	rand.Read(key[:])
	text := base64.StdEncoding.EncodeToString(key[:]) + "\n"
	// The file appears whole or not at all: a link, unlike a rename, does not
	// replace what is there.
	temporary := path + "." + rand.Text() + ".tmp"
	defer os.Remove(temporary)
	if err := writeSynced(temporary, []byte(text)); err != nil {
		return fmt.Errorf("key-encryption key: %w", err)
	}
	if err := os.Link(temporary, path); errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("key-encryption key: %s is there already, and is not replaced: %w", path, fs.ErrExist)
	} else if err != nil {
		return fmt.Errorf("key-encryption key: %w", err)
	}
	return syncFolder(filepath.Dir(path))
}

// LoadOrCreateKEK is [LoadKEK], and [CreateKEK] before that if there is no file.
// It is for development: a service whose file was mounted in the wrong place
// should fail rather than begin a new life.
func LoadOrCreateKEK(path string) (secret.Text, error) {
	key, err := LoadKEK(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	if err := CreateKEK(path); err != nil && !errors.Is(err, fs.ErrExist) {
		return secret.Text{}, err
	}
	return LoadKEK(path)
}

// private returns an error if others than its owner can use the file.
func private(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if mode := info.Mode(); mode.Perm()&0o077 != 0 && runtime.GOOS != "windows" { // Windows has no such bits.
		return fmt.Errorf("%s: its mode is %#o, want 0600: others than the owner can use it", f.Name(), mode.Perm())
	}
	return nil
}

// writeSynced writes a file that only its owner can use, and waits until it is
// on the disk. What is left there by a program that died is overwritten.
func writeSynced(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	err = private(f)
	if err == nil {
		_, err = f.Write(data)
	}
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// syncFolder makes a new name in a folder outlast a crash.
func syncFolder(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if runtime.GOOS == "windows" { // Folders cannot be synced there.
		return nil
	}
	return f.Sync()
}
