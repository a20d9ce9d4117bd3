package framing

import (
	"crypto/rand"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// heldBytes is the size of the buffer in which a connection keeps what it must not
// pass yet. A head that comes in one piece needs none.
const heldBytes = 4 << 10

// A verdict is the refusal of a connection's last request.
type verdict struct {
	*refusal
	inBody bool   // the head has passed: there is a request to answer
	path   string // of the request in the place of the refused one
}

// conn is a connection with a guard. net/http has at most one Read under way, in
// whatever goroutine; Write, Close and the deadlines may come at any time.
type conn struct {
	net.Conn
	guard  *Guard
	stream stream

	// held is bytes to deliver, held[off:ready], and behind them the beginning
	// of a head or a trailer. Only Read touches it.
	held       []byte
	off, ready int
	pooled     *[heldBytes]byte // that held began in
	err        error            // came together with bytes that go first
	discarded  int              // bytes behind the refused request

	deadline sync.Mutex // guards following
	outer    time.Time  // the read deadline of the server
	head     time.Time  // until when the rest of the head must be here

	upgrade  atomic.Uint32
	refused  atomic.Pointer[verdict]
	answered atomic.Bool // the refused request; nothing is left to do but to close
	closing  atomic.Bool
}

// States of an upgrade.
const (
	upgradeNone    uint32 = iota
	upgradeAsked          // the head has passed
	upgradeServed         // its handler is running: the next answer decides
	upgradeRefused        // the connection goes on with HTTP
	upgradeDone           // the bytes are no longer HTTP
)

type stater interface{ ConnectionState() tls.ConnectionState }

// tlsConn has the method by which net/http knows that there is TLS beneath.
type tlsConn struct {
	*conn
	stater
}

// Read returns bytes that may be seen.
func (c *conn) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for {
		if c.off < c.ready {
			return c.deliver(p), nil
		}
		if err := c.err; err != nil {
			c.err = nil
			return 0, err
		}
		var n int
		var err error
		switch {
		case c.refused.Load() != nil:
			return c.discard(p)
		case len(c.held) == 0:
			n, err = c.readThrough(p)
		default:
			err = c.readOn()
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
}

// readThrough reads into p itself: the case of a stream in good order.
func (c *conn) readThrough(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n == 0 {
		return 0, err
	}
	c.err = err
	pass, r := c.scan(p[:n])
	switch {
	case r != nil:
		c.refuse(r)
	case pass < n:
		c.hold(p[pass:n])
		c.startHead()
	}
	return pass, nil
}

// readOn reads more of the head or trailer that is held. It returns no bytes; they
// are ready to deliver if the section is complete.
func (c *conn) readOn() error {
	c.room()
	n, err := c.Conn.Read(c.held[len(c.held):cap(c.held)])
	if n == 0 {
		if c.tooSlow(err) {
			c.endHead()
			c.refuse(&refusal{http.StatusRequestTimeout, "head_timeout", "the request did not come in time"})
			return nil
		}
		return err
	}
	c.err = err
	c.held = c.held[:len(c.held)+n]
	pass, r := c.scan(c.held)
	if pass > 0 || r != nil {
		c.endHead()
	}
	c.ready = pass
	switch {
	case r != nil:
		c.refuse(r)
	case 0 < pass && pass < len(c.held):
		c.startHead()
	}
	return nil
}

// scan returns how many bytes at the front of w may pass.
func (c *conn) scan(w []byte) (int, *refusal) {
	pass := 0
	for pass < len(w) {
		if c.stream.stage == atUpgrade {
			switch c.upgrade.Load() {
			case upgradeDone:
				return len(w), nil
			case upgradeRefused:
				c.upgrade.Store(upgradeNone)
				c.stream.stage = atHead
			}
		}
		n, r := c.stream.step(w[pass:])
		pass += n
		if r != nil {
			return pass, r
		}
		if n == 0 {
			break
		}
		if c.stream.stage == atUpgrade {
			c.upgrade.Store(upgradeAsked)
		}
	}
	return pass, nil
}

// refuse puts something in the place of what must not pass: behind a head that has
// passed a line that no body reader takes, otherwise a request of our own. Its path
// is made after the last byte of the client was let through, so no earlier request
// can have it.
func (c *conn) refuse(r *refusal) {
	v := &verdict{refusal: r, path: "/" + rand.Text()}
	switch c.stream.stage {
	case atChunkSize, atChunkEnd, atTrailer:
		v.inBody = true
	}
	c.held = c.held[:c.ready]
	if v.inBody {
		// Wrong as a chunk size, as the end of a chunk and as a trailer, which
		// net/http looks at only if it ends in two CRLF.
		c.hold([]byte("x\r\n\r\n"))
	} else {
		c.hold([]byte("GET " + v.path + " HTTP/1.1\r\nHost: refused.invalid\r\nConnection: close\r\n\r\n"))
	}
	c.ready = len(c.held)
	c.refused.Store(v)
}

func (c *conn) deliver(p []byte) int {
	n := copy(p, c.held[c.off:c.ready])
	if c.off += n; c.off == c.ready {
		c.held = c.held[:copy(c.held, c.held[c.ready:])]
		c.off, c.ready = 0, 0
		if len(c.held) == 0 {
			c.release()
		}
	}
	return n
}

// hold appends to held.
func (c *conn) hold(b []byte) {
	if c.held == nil {
		c.pooled, _ = c.guard.buffers.Get().(*[heldBytes]byte)
		c.held = c.pooled[:0]
	}
	c.held = append(c.held, b...)
}

// room makes room behind held. The limits on heads bound how often.
func (c *conn) room() {
	if len(c.held) < cap(c.held) {
		return
	}
	grown := append(make([]byte, 0, 2*cap(c.held)), c.held...)
	c.release()
	c.held = grown
}

func (c *conn) release() {
	if c.pooled != nil {
		c.guard.buffers.Put(c.pooled)
		c.pooled = nil
	}
	c.held = nil
}

// maxDiscard bounds what is read and thrown away behind a refused request.
const maxDiscard = 256 << 10

// discard reads behind a refused request, so that the server sees the client go
// away but nothing of what it sends.
func (c *conn) discard(p []byte) (int, error) {
	for c.discarded < maxDiscard && !c.answered.Load() {
		n, err := c.Conn.Read(p)
		c.discarded += n
		if err != nil {
			return 0, err
		}
	}
	return 0, io.EOF
}

const switching = "HTTP/1.1 101 "

// Write writes an answer. The first one after an upgrade request says what the
// connection speaks from then on.
func (c *conn) Write(p []byte) (int, error) {
	if c.upgrade.Load() == upgradeServed {
		switch {
		case len(p) < len(switching) || p[9] != '1':
			c.upgrade.Store(upgradeRefused)
		case string(p[:len(switching)]) == switching:
			c.upgrade.Store(upgradeDone)
		} // Another 1xx comes before the answer.
	}
	return c.Conn.Write(p)
}

// linger is how long a client may take to read the answer to a refused request.
const linger = 500 * time.Millisecond

// Close closes the connection. Behind a refused request there may be bytes that
// were never read; closing at once would make TCP reset the connection, and the
// client lose the answer that tells it why (RFC 9112 section 9.6).
func (c *conn) Close() error {
	if c.answered.Load() && c.closing.CompareAndSwap(false, true) && c.CloseWrite() == nil {
		_ = c.Conn.SetReadDeadline(time.Now().Add(linger))
		_, _ = io.CopyN(io.Discard, c.Conn, maxDiscard)
	}
	return c.Conn.Close()
}

// CloseWrite ends the answers and leaves reading open.
func (c *conn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}

// SetDeadline sets both deadlines.
func (c *conn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.Conn.SetWriteDeadline(t))
}

// SetReadDeadline sets the deadline for reading. While a head is coming in, its own
// may be earlier.
func (c *conn) SetReadDeadline(t time.Time) error {
	c.deadline.Lock()
	defer c.deadline.Unlock()
	c.outer = t
	return c.setReadDeadlineLocked()
}

func (c *conn) setReadDeadlineLocked() error {
	t := c.outer
	if !c.head.IsZero() && (t.IsZero() || c.head.Before(t)) {
		t = c.head
	}
	return c.Conn.SetReadDeadline(t)
}

// startHead starts the clock for the rest of a head.
func (c *conn) startHead() {
	c.deadline.Lock()
	defer c.deadline.Unlock()
	c.head = time.Now().Add(c.guard.cfg.HeadTimeout)
	_ = c.setReadDeadlineLocked() // If the connection is gone, reading it says so.
}

func (c *conn) endHead() {
	c.deadline.Lock()
	defer c.deadline.Unlock()
	c.head = time.Time{}
	_ = c.setReadDeadlineLocked()
}

// tooSlow reports whether err is a timeout and the time for the head is over.
func (c *conn) tooSlow(err error) bool {
	timeout, ok := errors.AsType[net.Error](err)
	if !ok || !timeout.Timeout() {
		return false
	}
	c.deadline.Lock()
	defer c.deadline.Unlock()
	return !c.head.IsZero() && !time.Now().Before(c.head)
}
