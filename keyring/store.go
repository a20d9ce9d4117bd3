package keyring

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"sync"
)

// ErrConflict is what [Store.Save] returns if the document has changed since it
// was loaded.
var ErrConflict = errors.New("the key ring was changed by somebody else")

// Store keeps one document, which is the whole ring. It is safe for concurrent
// use, by as many processes as share it.
type Store interface {
	// Load returns the document and its version, which differs between any two
	// documents. The version is "" if nothing was ever saved.
	Load(ctx context.Context) (document []byte, version string, err error)
	// Save replaces the document in one atomic step if version is still that of
	// the stored one, and returns the new version; or it returns [ErrConflict]. When
	// it returns nil, the document outlasts a crash; when the program dies before
	// that, either document is there, whole.
	Save(ctx context.Context, document []byte, version string) (saved string, err error)
}

// Memory is a store in memory, for tests and examples. The zero value is empty.
type Memory struct {
	mu       sync.Mutex
	document []byte
}

// Load returns the document.
func (m *Memory) Load(ctx context.Context) ([]byte, string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return bytes.Clone(m.document), versionOf(m.document), ctx.Err()
}

// Save replaces the document.
func (m *Memory) Save(ctx context.Context, document []byte, version string) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return "", err
	}
	if version != versionOf(m.document) {
		return "", ErrConflict
	}
	m.document = bytes.Clone(document)
	return versionOf(m.document), nil
}

// versionOf is the version of a document where nobody counts. Each document has
// a number in it that only rises, so none ever comes twice.
func versionOf(document []byte) string {
	if document == nil {
		return ""
	}
	sum := sha256.Sum256(document)
	return hex.EncodeToString(sum[:])
}
