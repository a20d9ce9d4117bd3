package fastness

import "sync"

// notice is given once, to whoever waits for it then or later. Its zero value is one
// that was not given.
type notice struct {
	mu    sync.Mutex
	ch    chan struct{}
	given bool
}

// done returns a channel that is closed once the notice is given.
func (n *notice) done() <-chan struct{} {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.ch == nil {
		n.ch = make(chan struct{})
	}
	return n.ch
}

func (n *notice) give() {
	_ = n.done() // It makes the channel.
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.given {
		n.given = true
		close(n.ch)
	}
}
