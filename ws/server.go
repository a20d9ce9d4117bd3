package ws

import (
	"bufio"
	"bytes"
	"context"
	"net"
	"net/http"
	"time"

	"github.com/coder/websocket"

	"github.com/fastness/fastness/observe"
	"github.com/fastness/fastness/problem"
	"github.com/fastness/fastness/schema"
)

// Opening is what a connection is opened with beyond its request. The zero value will
// do.
type Opening struct {
	// Context is that of the handler. The connection ends when it is done: by the
	// problem that is its cause as 4000 and the status, otherwise with 1001. The
	// default has the values of the request's context and does not end with it.
	Context context.Context
	// Watch, if not nil, is called with a function that ends the connection as the end
	// of Context would, by its cause. What it returns is called when it has ended.
	Watch func(end func(cause error)) (stop func())
	// Viewer says for whom messages are, where some members are not for everybody.
	Viewer func() schema.Viewer
	// Problem appends the document of a problem. The default is the one of RFC 9457.
	Problem func(buf []byte, p *problem.Problem) []byte
	// Panic and Failed take what goes wrong in the handler: by default a line in the
	// log of the server.
	Panic  func(value any)
	Failed func(err error)
	// Ended, if not nil, is called once the connection is closed and the handler has
	// returned.
	Ended func(Summary)
}

// Summary is what can be said of a connection that has ended.
type Summary struct {
	// How it ended.
	How Closed
	// Duration is how long it was open.
	Duration time.Duration
	// Received and Sent are how many messages came and went.
	Received, Sent int64
}

func (o *Opening) withDefaults(s *Server, r *http.Request) {
	id := observe.ID(r.Context())
	if o.Context == nil {
		o.Context = context.WithoutCancel(r.Context())
	}
	if o.Viewer == nil {
		o.Viewer = func() schema.Viewer { return nil }
	}
	if o.Problem == nil {
		o.Problem = func(buf []byte, p *problem.Problem) []byte { return p.AppendJSON(buf) }
	}
	if o.Panic == nil {
		o.Panic = func(v any) { observe.LogPanic(context.Background(), s.cfg.Logger, id, v) }
	}
	if o.Failed == nil {
		o.Failed = func(err error) {
			s.cfg.Logger.Error("the handler of a WebSocket failed", "error", observe.Printable(err.Error(), 4<<10), "request_id", id)
		}
	}
}

// How much of a frame is read at once, and written. A longer payload goes past these
// buffers, which each connection has for as long as it is open.
const (
	readBuffer  = 128
	writeBuffer = 128
)

// Open opens a WebSocket as r asks for it, after [CheckHandshake] and
// [Server.CheckOrigin], and runs handle in a goroutine of its own: it returns at once,
// so that net/http keeps neither its goroutine nor its buffers for a connection that is
// quiet for hours. An error is to be answered: nothing was sent yet.
//
// The connection ends when handle returns: with 1000 if that is nil, with 4000 and the
// status for a problem below 500, with 1011 for any other error.
func (p *Protocol[In, Out]) Open(w http.ResponseWriter, r *http.Request, o Opening, handle func(context.Context, *Conn[In, Out]) error) error {
	o.withDefaults(p.server, r)
	if err := p.server.opens(); err != nil {
		return err
	}
	s := &socket{cfg: &p.server.cfg, rate: p.rate, start: time.Now(), gone: make(chan struct{})}
	if err := p.upgrade(s, w, r); err != nil {
		return err
	}
	c := &Conn[In, Out]{socket: s, protocol: p.protocol, viewer: o.Viewer, document: o.Problem}
	s.begin(o.Context, o.Watch)
	p.server.add(s)
	if p.opcode == opClose {
		go c.listen()
	}
	go func() {
		defer p.server.remove(s)
		c.handle(&o, handle)
		<-s.gone
		if o.Ended != nil {
			o.Ended(Summary{How: *s.how(), Duration: time.Since(s.start), Received: s.received.Load(), Sent: s.sent.Load()})
		}
	}()
	return nil
}

// upgrade takes the connection and answers 101.
func (p *protocol) upgrade(s *socket, w http.ResponseWriter, r *http.Request) error {
	taken := &taker{below: w, header: w.Header().Clone(), protocol: p}
	conn, err := websocket.Accept(taken, r, &websocket.AcceptOptions{
		// The origin was checked, more strictly than the library does.
		OriginPatterns: []string{"*"},
		Subprotocols:   []string{BearerProtocol},
		// What is compressed together with a secret tells its length, and a kilobyte
		// can be a gigabyte.
		CompressionMode: websocket.CompressionDisabled,
	})
	if err != nil {
		return problem.New(http.StatusInternalServerError, "").Wrap(err)
	}
	conn.SetReadLimit(p.limit)
	s.conn, s.below = conn, taken.inspector
	return nil
}

// taker is the ResponseWriter from which the library takes the connection. It puts the
// inspector below, and buffers that are smaller than those of net/http. What the
// library writes before is kept until the connection is there: where it cannot be had,
// another answer is given.
type taker struct {
	below     http.ResponseWriter
	header    http.Header
	protocol  *protocol
	inspector *inspector
}

// Header implements [http.ResponseWriter].
func (t *taker) Header() http.Header { return t.header }

// WriteHeader implements [http.ResponseWriter].
func (t *taker) WriteHeader(int) {}

// Write implements [http.ResponseWriter].
func (t *taker) Write(b []byte) (int, error) { return len(b), nil }

// headTime is how long the answer to a handshake may take to be written.
const headTime = 10 * time.Second

// Hijack implements [http.Hijacker].
func (t *taker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(t.below).Hijack()
	if err != nil {
		return nil, nil, err
	}
	var head bytes.Buffer
	head.WriteString("HTTP/1.1 101 Switching Protocols\r\n")
	_ = t.header.Write(&head) // A bytes.Buffer takes everything.
	head.WriteString("\r\n")
	_ = conn.SetWriteDeadline(time.Now().Add(headTime))
	_, _ = conn.Write(head.Bytes()) // If it fails, so does the first frame.
	_ = conn.SetDeadline(time.Time{})
	ahead, _ := rw.Reader.Peek(rw.Reader.Buffered()) // They are there.
	i := newInspector(conn, ahead, t.protocol)
	t.inspector = i
	return i, bufio.NewReadWriter(bufio.NewReaderSize(i, readBuffer), bufio.NewWriterSize(i, writeBuffer)), nil
}

// begin starts what belongs to an open connection.
func (s *socket) begin(parent context.Context, watch func(func(error)) func()) {
	s.moved.L = &s.mu
	s.lastMsg.Store(s.start.UnixNano())
	s.ctx, s.cancel = context.WithCancelCause(parent)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.beat = time.AfterFunc(s.cfg.PingInterval, s.pulse)
	var unhook []func()
	if parent.Done() != nil {
		stop := context.AfterFunc(parent, func() { s.endBy(context.Cause(parent)) })
		unhook = append(unhook, func() { stop() })
	}
	if watch != nil {
		unhook = append(unhook, watch(s.endBy))
	}
	s.unhook = unhook
}

// endBy ends the connection from outside: what waits is not sent any more.
func (s *socket) endBy(cause error) {
	how := newClosed(CodeGoingAway, "")
	if c := closedBy(cause); c.Code >= 4000 || c.Code == CodeTryAgainLater {
		how = c
	}
	s.end(how, false)
}

// opens returns an error if no more connections are opened.
func (s *Server) opens() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping {
		return problem.New(http.StatusServiceUnavailable, "the server is stopping").Named("stopping").With("Retry-After", "1")
	}
	return nil
}

// add counts c among the open ones.
func (s *Server) add(c *socket) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open[c] = struct{}{}; s.stopping { // in the meantime
		go c.end(stops(), false)
	}
}

func stops() *Closed { return newClosed(CodeGoingAway, "the server stops") }

func (s *Server) remove(c *socket) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, c)
	if s.stopping && len(s.open) == 0 {
		s.closeEmpty()
	}
}

func (s *Server) closeEmpty() {
	select {
	case <-s.empty:
	default:
		close(s.empty)
	}
}

// Count returns how many connections are open.
func (s *Server) Count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.open)
}

// Drain closes all connections with 1001, which tells clients to come back, and opens
// no more. It does not wait. For net/http they are no connections any more: its own
// Shutdown neither closes them nor waits for them.
func (s *Server) Drain() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopping = true
	for c := range s.open {
		go c.end(stops(), false)
	}
	if len(s.open) == 0 {
		s.closeEmpty()
	}
}

// Shutdown drains the server and waits until all connections are closed and all
// handlers have returned, or ctx is done: then it cuts what is left.
func (s *Server) Shutdown(ctx context.Context) error {
	s.Drain()
	select {
	case <-s.empty:
		return nil
	case <-ctx.Done():
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.open {
		_ = c.below.Close() // That is what cutting is.
	}
	return ctx.Err()
}
