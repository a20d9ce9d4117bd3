package serve

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// accept admits connections until ctx is done.
func (s *Server) accept(ctx context.Context, l net.Listener) {
	var delay time.Duration
	for {
		select {
		case s.slots <- struct{}{}:
		case <-ctx.Done():
			return
		}
		nc, err := l.Accept()
		if err == nil {
			delay = 0
			c := s.track(nc)
			s.pending.Go(func() { s.admit(ctx, c) })
			continue
		}
		<-s.slots
		if ctx.Err() != nil {
			return
		}
		// Out of file descriptors, most likely. It passes when connections end;
		// giving up would end the service for good.
		delay = min(max(2*delay, 5*time.Millisecond), time.Second)
		s.cfg.Logger.Error("accepting a connection", "error", err, "retry", delay)
		wait(ctx, delay)
	}
}

// admit brings a connection to the point where HTTP begins.
func (s *Server) admit(ctx context.Context, c *tracked) {
	if s.tls == nil {
		s.hand(s.guard.Conn(c))
		return
	}
	tc := tls.Server(c, s.tls)
	_ = c.SetDeadline(time.Now().Add(s.cfg.ReadHeaderTimeout))
	// A connection that has been accepted is served, so ctx must not end this.
	if err := tc.HandshakeContext(context.WithoutCancel(ctx)); err != nil {
		s.cfg.Logger.Debug("TLS handshake", "remote", c.RemoteAddr().String(), "error", err)
		explainTLS(err)
		_ = c.Close()
		return
	}
	_ = c.SetDeadline(time.Time{})
	if tc.ConnectionState().NegotiatedProtocol == "h2" {
		s.hand(tc)
		return
	}
	s.hand(s.guard.Conn(tc))
}

// hand gives a connection to net/http.
func (s *Server) hand(c net.Conn) {
	s.silent.Store(c, nil)
	s.queue.put(c)
}

// explainTLS answers a client that speaks HTTP to a TLS port.
func explainTLS(err error) {
	record, ok := errors.AsType[tls.RecordHeaderError](err)
	if !ok || record.Conn == nil {
		return
	}
	switch string(record.RecordHeader[:]) {
	case "GET /", "HEAD ", "POST ", "PUT /", "PATCH", "DELET", "OPTIO", "PRI *":
		const text = "Client sent an HTTP request to an HTTPS server.\n"
		_, _ = io.WriteString(record.Conn, "HTTP/1.0 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n"+
			"Cache-Control: no-store\r\nConnection: close\r\n\r\n"+text)
	}
}

// tracked is a connection that the server knows of until it is closed, by whomever.
type tracked struct {
	net.Conn
	once    sync.Once
	release func()
}

func (s *Server) track(nc net.Conn) *tracked {
	c := &tracked{Conn: nc}
	c.release = func() {
		s.mu.Lock()
		delete(s.open, c)
		s.mu.Unlock()
		<-s.slots
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open[c] = struct{}{}
	return c
}

func (s *Server) connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.open)
}

// Close closes the connection and makes room for another one.
func (c *tracked) Close() error {
	err := c.Conn.Close()
	c.once.Do(c.release)
	return err
}

// CloseWrite ends the answers and leaves reading open.
func (c *tracked) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}

// queue is the listener from which net/http takes the admitted connections.
type queue struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newQueue() *queue { return &queue{conns: make(chan net.Conn), done: make(chan struct{})} }

// put hands c over, or closes it if nobody is there to take it.
func (q *queue) put(c net.Conn) {
	select {
	case q.conns <- c:
	case <-q.done:
		_ = c.Close()
	}
}

// Accept returns the next connection.
func (q *queue) Accept() (net.Conn, error) {
	select {
	case c := <-q.conns:
		return c, nil
	case <-q.done:
		return nil, net.ErrClosed
	}
}

// Close ends the queue.
func (q *queue) Close() error {
	q.once.Do(func() { close(q.done) })
	return nil
}

// Addr satisfies net.Listener; nobody asks.
func (q *queue) Addr() net.Addr { return &net.TCPAddr{} }
