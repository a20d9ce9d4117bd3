package wire

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// ErrNoUpgrade is that a target within the process has no connection to make a WebSocket of.
var ErrNoUpgrade = errors.New("a handler of the same process cannot be asked for a WebSocket")

const (
	// maxTexts and maxHeard bound what is kept of a socket: messages, and bytes of all.
	maxTexts = 256
	maxHeard = 1 << 20
	// maxMessage is how many bytes a message may have. A longer one ends the socket.
	maxMessage = 256 << 10
)

// Socket is a WebSocket of the target. What the target says is read at once, within
// bounds, until Close.
type Socket struct {
	conn *websocket.Conn
	done context.CancelFunc
	ex   *Exchange

	mu    sync.Mutex
	texts []string
	more  chan struct{} // closed, and made anew, with each message; closed for good at the end
	over  bool
}

// Socket asks for a WebSocket (RFC 6455, section 4.1) at the path of a request. Without one
// the socket is nil; the exchange says why. It counts as one request, and the handshake is
// bound by [Config.Timeout].
func (c *Client) Socket(ctx context.Context, r Request) (*Socket, *Exchange) {
	r.Method, r.Body = http.MethodGet, nil
	r, err := c.clean(r)
	ex := &Exchange{Request: r, At: time.Now(), Header: http.Header{}}
	switch {
	case err != nil:
		ex.Err = err
	case !c.Network():
		ex.Err = ErrNoUpgrade
	default:
		ex.Err = c.allowed(ctx, r.NoRetry)
	}
	if ex.Err != nil {
		return nil, c.seen(ex)
	}
	conn := c.shake(ctx, ex)
	if ex.Status == 0 && ctx.Err() == nil {
		c.health.fail(c, ex.Err)
	} else if ex.Status != 0 {
		c.health.ok()
	}
	c.seen(ex)
	if conn == nil {
		return nil, ex
	}
	reading, done := context.WithCancel(ctx)
	s := &Socket{conn: conn, done: done, ex: ex, more: make(chan struct{})}
	go s.read(reading)
	return s, ex
}

// shake does the handshake. That the answer is one to this key is verified by the library.
func (c *Client) shake(ctx context.Context, ex *Exchange) *websocket.Conn {
	ctx, cancel := context.WithTimeout(ctx, c.config.Timeout)
	defer cancel()
	t := &shaker{client: c, ex: ex}
	ex.At = time.Now()
	conn, _, err := websocket.Dial(ctx, c.Target(), &websocket.DialOptions{HTTPClient: &http.Client{
		Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}})
	ex.Took = time.Since(ex.At)
	if err != nil {
		c.noteCertificate(err)
		if ex.Status == 0 || ex.Status == http.StatusSwitchingProtocols { // Other answers say it themselves.
			ex.Err = explain(ctx, err)
		}
		return nil
	}
	conn.SetReadLimit(maxMessage)
	return conn
}

// shaker sends the request of a handshake as the scan sends all others: to the pinned
// address, with the path as it is, and once.
type shaker struct {
	client *Client
	ex     *Exchange
	sent   bool
}

// RoundTrip implements [http.RoundTripper].
func (s *shaker) RoundTrip(r *http.Request) (*http.Response, error) {
	if s.sent {
		return nil, errors.New("a handshake is not led elsewhere")
	}
	s.sent = true
	for _, name := range []string{"Connection", "Upgrade", "Sec-WebSocket-Version", "Sec-WebSocket-Key"} {
		s.ex.Request.Header.Set(name, r.Header.Get(name))
	}
	res, err := s.client.sender.RoundTrip(s.client.request(r.Context(), s.ex.Request))
	if err != nil {
		return nil, err
	}
	s.ex.Status, s.ex.Proto, s.ex.Header = res.StatusCode, res.Proto, res.Header.Clone()
	if res.StatusCode != http.StatusSwitchingProtocols {
		s.client.body(r.Context(), s.ex, res.Body)
		_ = res.Body.Close() // It was read, as far as it is of use.
		res.Body = http.NoBody
	}
	return res, nil
}

// read keeps what the target says, until it ends, says too much, or Close.
func (s *Socket) read(ctx context.Context) {
	defer func() { _ = s.conn.CloseNow() }()
	for n, size := 0, 0; n < maxTexts && size < maxHeard; n++ {
		_, data, err := s.conn.Read(ctx)
		if err != nil {
			break
		}
		size += len(data)
		s.mu.Lock()
		s.texts = append(s.texts, string(data))
		close(s.more)
		s.more = make(chan struct{})
		s.mu.Unlock()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over = true
	close(s.more)
}

// Heard waits until a message came that is wanted, the target ended the socket, or ctx is
// done, and returns the handshake with all messages so far as its body, one in a line, and
// whether a wanted one is among them.
func (s *Socket) Heard(ctx context.Context, wanted func(text string) bool) (*Exchange, bool) {
	for looked := 0; ; {
		s.mu.Lock()
		texts, more, over := s.texts, s.more, s.over
		s.mu.Unlock()
		for ; looked < len(texts); looked++ {
			if wanted(texts[looked]) {
				return s.exchange(texts), true
			}
		}
		if over {
			return s.exchange(texts), false
		}
		select {
		case <-more:
		case <-ctx.Done():
			return s.exchange(texts), false
		}
	}
}

func (s *Socket) exchange(texts []string) *Exchange {
	ex := *s.ex
	ex.Body = []byte(strings.Join(texts, "\n"))
	return &ex
}

// Say sends a text.
func (s *Socket) Say(ctx context.Context, text string) error {
	return s.conn.Write(ctx, websocket.MessageText, []byte(text))
}

// Close ends the socket. It does not wait for the target to agree.
func (s *Socket) Close() { s.done() }
