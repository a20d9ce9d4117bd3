package serve

import (
	"context"
	"net"
)

// NewAt is New with a clock for certificates.
var NewAt = newServer

// ParseAuthorities reads a file of ClientCAs.
var ParseAuthorities = parseAuthorities

// AcceptFrom takes connections from l until ctx is done, and throws them away.
func (s *Server) AcceptFrom(ctx context.Context, l net.Listener) {
	_ = s.queue.Close()
	s.accept(ctx, l)
	s.pending.Wait()
}
