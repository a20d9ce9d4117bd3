package serve

import (
	"context"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// checkEvery is how often files may be looked at.
const checkEvery = time.Second

// renewed is something in files, which somebody else renews.
type renewed[T any] struct {
	what    string // in the log
	files   []string
	read    func() (*T, error)
	note    func(*T) slog.Attr // for the log
	logger  *slog.Logger
	now     func() time.Time
	current atomic.Pointer[T]

	mu      sync.Mutex // guards following
	checked time.Time
	seen    []os.FileInfo
}

// latest returns what was last read well. A renewal may be several writes, of which
// one may not have happened yet; what cannot be used is logged and tried again when
// the files change once more.
func (r *renewed[T]) latest() *T {
	if r.mu.TryLock() { // Handshakes need not wait for the disk.
		defer r.mu.Unlock()
		if now := r.now(); now.Sub(r.checked).Abs() >= checkEvery {
			r.checked = now
			if r.changedLocked() {
				if value, err := r.read(); err != nil {
					r.logger.Error("the new "+r.what+" is not used", "error", err)
				} else {
					r.current.Store(value)
					r.logger.LogAttrs(context.Background(), slog.LevelInfo, r.what+" renewed", r.note(value))
				}
			}
		}
	}
	return r.current.Load()
}

// load reads the files for the first time.
func (r *renewed[T]) load() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.checked = r.now()
	r.changedLocked()
	value, err := r.read()
	if err == nil {
		r.current.Store(value)
	}
	return err
}

// changedLocked reports whether the files are not those that it saw the last time.
func (r *renewed[T]) changedLocked() bool {
	if r.seen == nil {
		r.seen = make([]os.FileInfo, len(r.files))
	}
	changed := false
	for i, name := range r.files {
		info, err := os.Stat(name)
		old := r.seen[i]
		if err != nil {
			info = nil
		}
		if (info == nil) != (old == nil) || info != nil &&
			(!os.SameFile(info, old) || info.Size() != old.Size() || !info.ModTime().Equal(old.ModTime())) {
			changed = true
		}
		r.seen[i] = info
	}
	return changed
}
