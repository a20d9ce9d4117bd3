package ws

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"github.com/fastness/fastness/guard/ratelimit"
)

// message is one that waits to be written.
type message struct {
	binary bool
	data   []byte
}

// socket is one connection, whatever its messages are. While nothing happens it has
// no goroutine besides that of its handler, and no buffer.
type socket struct {
	cfg   *Config
	conn  *websocket.Conn
	below *inspector
	rate  *ratelimit.Messages
	spent *ratelimit.Connection // from the first message on
	start time.Time

	ctx    context.Context
	cancel context.CancelCauseFunc
	unhook []func()      // from what may end it
	gone   chan struct{} // closed once the connection is

	busy     atomic.Bool // Receive runs
	reading  atomic.Bool // and waits for its peer
	received atomic.Int64
	sent     atomic.Int64
	lastMsg  atomic.Int64 // UnixNano

	mu      sync.Mutex // guards following
	ended   *Closed    // how it ends, once it does
	queue   []message
	bytes   int
	writing bool
	moved   sync.Cond // signalled when the queue gets shorter
	beat    *time.Timer
	pinged  int64 // lastRead when the last ping was sent
}

// end closes the connection, once: c is how. What waits to be written is written
// before if flush is set. It does not wait for it.
func (s *socket) end(c *Closed, flush bool) {
	s.mu.Lock()
	if s.ended != nil {
		s.mu.Unlock()
		return
	}
	s.ended = c
	if !flush {
		s.queue, s.bytes = nil, 0
	}
	s.beat.Stop()
	s.moved.Broadcast()
	unhook := s.unhook
	s.mu.Unlock()
	for _, stop := range unhook {
		stop()
	}
	s.cancel(c)
	go s.hangUp(c, flush)
}

// hangUp writes the close frame and waits a moment for the peer's.
func (s *socket) hangUp(c *Closed, flush bool) {
	defer close(s.gone)
	if c.ByPeer || c.Code == CodeAbnormal {
		_ = s.conn.CloseNow() // It is closed already, or broken.
		return
	}
	s.mu.Lock()
	for flush && s.writing { // Each write has a time limit, and after the first failure the rest fails.
		s.moved.Wait()
	}
	s.mu.Unlock()
	_ = s.conn.Close(websocket.StatusCode(c.Code), c.Reason) // It is closed in any case.
}

// how returns how the connection ended, or nil.
func (s *socket) how() *Closed {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ended
}

// send puts a message into the queue.
func (s *socket) send(m message) error {
	s.mu.Lock()
	if s.ended != nil {
		defer s.mu.Unlock()
		return s.ended
	}
	if len(s.queue) >= s.cfg.Queue || s.bytes+len(m.data) > s.cfg.QueueBytes && len(s.queue) > 0 {
		s.mu.Unlock()
		slow := newClosed(CodeTryAgainLater, "messages are read too slowly")
		s.end(slow, false)
		return slow
	}
	s.queue = append(s.queue, m)
	s.bytes += len(m.data)
	start := !s.writing
	s.writing = true
	s.mu.Unlock()
	if start {
		go s.write()
	}
	return nil
}

// write writes what waits, and ends when nothing does.
func (s *socket) write() {
	for {
		s.mu.Lock()
		if len(s.queue) == 0 {
			s.queue, s.writing = nil, false
			s.moved.Broadcast()
			s.mu.Unlock()
			return
		}
		m := s.queue[0]
		s.queue[0] = message{}
		s.queue = s.queue[1:]
		s.bytes -= len(m.data)
		s.moved.Broadcast()
		s.mu.Unlock()

		ctx, cancel := context.WithTimeout(context.Background(), s.cfg.WriteTimeout)
		err := s.conn.Write(ctx, messageType(m.binary), m.data)
		cancel()
		if err != nil {
			s.end(broken(err), false)
			s.mu.Lock()
			s.queue, s.bytes = nil, 0
			s.mu.Unlock()
			continue
		}
		s.sent.Add(1)
		s.lastMsg.Store(time.Now().UnixNano())
	}
}

func messageType(binary bool) websocket.MessageType {
	if binary {
		return websocket.MessageBinary
	}
	return websocket.MessageText
}

func broken(err error) *Closed {
	return &Closed{Code: CodeAbnormal, ByPeer: true, cause: err}
}

// errTwoReaders is a mistake of a handler.
var errTwoReaders = errors.New("ws: Receive is called by two goroutines at once")

// buffers keeps the room of messages from one to the next.
type buffers struct{ pool sync.Pool }

func (b *buffers) get() *[]byte {
	if buf, ok := b.pool.Get().(*[]byte); ok {
		return buf
	}
	buf := make([]byte, 0, 4<<10)
	return &buf
}

func (b *buffers) put(buf *[]byte) {
	if cap(*buf) <= 64<<10 {
		*buf = (*buf)[:0]
		b.pool.Put(buf)
	}
}

// receive reads one message and hands it to use, which must not keep it. It ends with
// ctx, and the connection with it: half a message cannot be read later.
func (s *socket) receive(ctx context.Context, room *buffers, use func(data []byte)) error {
	if !s.busy.CompareAndSwap(false, true) {
		return errTwoReaders
	}
	defer s.busy.Store(false)
	if ctx != s.ctx && ctx.Done() != nil {
		stop := context.AfterFunc(ctx, func() { s.end(newClosed(CodeIdle, "no message came in time"), false) })
		defer stop()
	}
	if c := s.awaitRoom(); c != nil {
		return c
	}
	s.reading.Store(true)
	defer s.reading.Store(false)
	_, r, err := s.conn.Reader(context.Background()) // It ends with the connection.
	if err != nil {
		return s.failed(err)
	}
	if s.spent == nil {
		s.spent = s.rate.Connection()
	}
	if _, ok := s.spent.Take(); !ok {
		many := newClosed(CodePolicy, "too many messages")
		s.end(many, false)
		return many
	}
	buf := room.get()
	defer room.put(buf)
	if err := readAll(r, buf); err != nil {
		return s.failed(err)
	}
	if c := s.how(); c != nil { // In the meantime: it is not to be heard any more.
		return c
	}
	s.received.Add(1)
	s.lastMsg.Store(time.Now().UnixNano())
	use(*buf)
	return nil
}

// awaitRoom waits until no more than half of the queue is taken. Who asks faster than
// the answers can be written is not read from meanwhile. It returns how the connection
// has ended, or nil.
func (s *socket) awaitRoom() *Closed {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.ended == nil && (len(s.queue) > s.cfg.Queue/2 || s.bytes > s.cfg.QueueBytes/2) {
		s.moved.Wait()
	}
	return s.ended
}

// readAll reads r into buf. The room grows with what comes: a length is only a
// promise.
func readAll(r io.Reader, buf *[]byte) error {
	data := (*buf)[:0]
	for {
		if len(data) == cap(data) {
			data = append(data, 0)[:len(data)]
		}
		n, err := r.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		*buf = data
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// failed ends the connection on which reading failed, and says why.
func (s *socket) failed(err error) error {
	c := broken(err)
	closed, byPeer := errors.AsType[websocket.CloseError](err)
	switch fault := s.below.fault.Load(); {
	case fault != nil:
		c = fault
	case byPeer:
		c = &Closed{Code: int(closed.Code), Reason: closed.Reason, ByPeer: true}
	}
	s.end(c, false)
	return s.how()
}

// pulse runs at every interval while the connection is open.
func (s *socket) pulse() {
	now, last := time.Now(), s.below.lastRead.Load()
	if now.Sub(time.Unix(0, s.lastMsg.Load())) >= s.cfg.IdleTimeout {
		s.end(newClosed(CodeIdle, "there was no message for a long time"), false)
		return
	}
	s.mu.Lock()
	// Of a handler that is at work nobody reads the answers of the peer.
	dead := s.pinged != 0 && s.pinged == last && s.reading.Load()
	s.pinged = 0
	if s.reading.Load() {
		s.pinged = last
	}
	if s.ended == nil {
		s.beat.Reset(s.cfg.PingInterval)
	}
	s.mu.Unlock()
	if dead {
		s.end(&Closed{Code: CodeAbnormal, Reason: "the peer does not answer", ByPeer: true}, false)
		return
	}
	// Not within s.ctx: the library cuts the connection when that ends, close frame and all.
	ctx, cancel := context.WithTimeout(context.Background(), s.cfg.WriteTimeout)
	defer cancel()
	_ = s.conn.Ping(ctx) // A peer that does not answer is found out the next time.
}
