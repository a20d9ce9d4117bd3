package auditlog

import (
	"sync"
	"time"
)

// Allowance is of one event a second, of which a minute's worth can be saved. It is
// for events that anybody can cause without having tried anything, such as a log-in
// with a made-up credential: they must not fill the log. Its zero value has all that
// can be saved. It is safe for concurrent use.
type Allowance struct {
	mu    sync.Mutex
	spent time.Time // up to when all is spent
}

// Take reports whether an event may be recorded at a time, and if so, spends it.
func (a *Allowance) Take(now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if oldest := now.Add(-time.Minute); a.spent.Before(oldest) {
		a.spent = oldest
	}
	if a.spent.After(now.Add(-time.Second)) {
		return false
	}
	a.spent = a.spent.Add(time.Second)
	return true
}
