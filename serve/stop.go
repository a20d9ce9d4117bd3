package serve

import (
	"context"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// Signals returns a context that is done at the first SIGINT or SIGTERM, for
// [Server.Run]. From then on signals do what they do by default, so a second one
// ends the process at once. Call stop to free its resources.
func Signals(parent context.Context) (ctx context.Context, stop context.CancelFunc) {
	ctx, stop = context.WithCancel(parent)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		select {
		case <-signals:
		case <-ctx.Done():
		}
		// First this: whoever sees the server stop may send the second signal.
		signal.Stop(signals)
		stop()
	}()
	return ctx, stop
}

// startDrain says that the server will stop, and waits for those to hear it who send
// requests here.
func (s *Server) startDrain(grace context.Context) {
	s.drain.Store(true)
	// Answers say from now on that the connection closes, and clients come back over
	// another one, perhaps to another server. Idle connections are closed.
	s.http.SetKeepAlivesEnabled(false)
	if s.cfg.OnDrain != nil {
		s.cfg.OnDrain()
	}
	wait(grace, s.cfg.DrainDelay)
}

// How long a connection that was accepted may take to send its first request before
// the server stops, and how often to look. net/http drops a request without an answer
// if the stop comes while it is read.
const (
	settleTime = 250 * time.Millisecond
	pollTime   = 5 * time.Millisecond
)

// finish waits until all connections have come to their end, or grace is over. It
// returns how many are left.
func (s *Server) finish(grace context.Context) int {
	handshakes := make(chan struct{})
	go func() {
		defer close(handshakes)
		s.pending.Wait() // Each has a time limit.
	}()
	select {
	case <-handshakes:
	case <-grace.Done():
	}
	// Once more after the last: net/http looks for a stop just after it says that a
	// request has come.
	for deadline, again := time.Now().Add(settleTime), true; again && time.Now().Before(deadline); {
		again = s.anySilent()
		wait(grace, pollTime)
	}
	_ = s.http.Shutdown(grace) // What it says, the count says too.
	// Those that net/http has given away, such as WebSockets.
	for s.connections() > 0 && grace.Err() == nil {
		wait(grace, pollTime)
	}
	return s.connections()
}

// cutOff closes what is left.
func (s *Server) cutOff() {
	_ = s.http.Close()
	_ = s.queue.Close()
	s.mu.Lock()
	left := make([]*tracked, 0, len(s.open))
	for c := range s.open {
		left = append(left, c)
	}
	s.mu.Unlock()
	for _, c := range left {
		_ = c.Close()
	}
}

func wait(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// connState takes a connection that has sent a request, or has ended, out of the set
// of those that have not.
func (s *Server) connState(c net.Conn, state http.ConnState) {
	if state != http.StateNew {
		s.silent.Delete(c)
	}
}

func (s *Server) anySilent() bool {
	found := false
	s.silent.Range(func(any, any) bool {
		found = true
		return false
	})
	return found
}
