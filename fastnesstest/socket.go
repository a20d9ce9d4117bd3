package fastnesstest

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"time"

	"github.com/coder/websocket"

	"github.com/fastness/fastness/problem"
	"github.com/fastness/fastness/schema"
)

// socketTime is how long a test waits for a message, or for the app to read one.
const socketTime = 5 * time.Second

// Socket is a client's end of a WebSocket of the app, which takes messages of type In
// and gives messages of type Out. What the app sends is read as it comes, so that the
// app never waits for the test.
type Socket[In, Out any] struct {
	api     *API
	target  string
	conn    *websocket.Conn
	in, out *schema.Plan // nil for bytes
	got     chan got
}

// got is a message of the app, or how the connection ended.
type got struct {
	binary bool
	data   []byte
	err    error
}

// Handshake makes a GET request ask for a WebSocket: for tests of who is refused one.
//
//	api.Get("/ws/1", fastnesstest.Handshake(), fastnesstest.Header("Origin", "null")).WantProblem(403, "cross_site")
func Handshake() Option {
	return func(r *request) {
		r.Header.Set("Connection", "Upgrade")
		r.Header.Set("Upgrade", "websocket")
		r.Header.Set("Sec-WebSocket-Version", "13")
		r.Header.Set("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
	}
}

// Dial opens a WebSocket of the app, without a network. An answer that is not 101 ends
// the test. The socket of a [Browser] is one that a page of the app opens: it says so in
// Origin. The types are those of the operation's [fastness.Socket], as the client's
// program has them. The connection is cut when the test ends.
//
//	conn := fastnesstest.Dial[ChatMessage, ChatEvent](api, "/ws/lobby", fastnesstest.As(ada))
//	conn.Send(ChatMessage{Text: "hello"})
//	event := conn.Receive()
//	conn.Close()
func Dial[In, Out any](api *API, target string, options ...Option) *Socket[In, Out] {
	api.t.Helper()
	s := &Socket[In, Out]{api: api, target: target, got: make(chan got, 4096)}
	s.in, s.out = api.messages(target, reflect.TypeFor[In]()), api.messages(target, reflect.TypeFor[Out]())
	r := api.blank(target)
	sent := request{Request: r}
	for _, o := range options {
		o(&sent)
	}
	if api.jar != nil {
		if len(sent.Header["Origin"]) == 0 {
			sent.Header.Set("Origin", originOf(sent.Request))
		}
		api.jar.dress(api, &sent)
	}
	ctx, cancel := context.WithTimeout(context.Background(), socketTime)
	defer cancel()
	pipe := &piper{api: api, sent: sent.Request}
	var err error
	var protocols []string
	if list := sent.Header.Get("Sec-WebSocket-Protocol"); list != "" {
		protocols = strings.Split(strings.ReplaceAll(list, " ", ""), ",")
	}
	s.conn, _, err = websocket.Dial(ctx, "https://"+sent.Host, &websocket.DialOptions{
		HTTPClient: &http.Client{Transport: pipe}, Subprotocols: protocols,
	})
	if err != nil {
		api.t.Fatalf("GET %s: %v; answer %s", target, err, pipe.refusal)
	}
	s.conn.SetReadLimit(-1)
	api.t.Cleanup(func() { _ = s.conn.CloseNow() })
	go s.read()
	return s
}

// messages returns the plan of a type of messages, nil for bytes.
func (a *API) messages(target string, t reflect.Type) *schema.Plan {
	a.t.Helper()
	if t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8 {
		return nil
	}
	plan, err := a.types.Plan(t, "")
	if err != nil {
		a.t.Fatalf("GET %s: %v", target, err)
	}
	return plan
}

// read keeps what the app sends.
func (s *Socket[In, Out]) read() {
	for {
		typ, data, err := s.conn.Read(context.Background())
		s.got <- got{typ == websocket.MessageBinary, data, err}
		if err != nil {
			return
		}
	}
}

// Send sends a message. One that the app does not read in time ends the test.
func (s *Socket[In, Out]) Send(m In) {
	s.api.t.Helper()
	v := reflect.ValueOf(&m).Elem()
	if s.in == nil {
		s.write(websocket.MessageBinary, v.Bytes())
		return
	}
	data, err := s.in.Append(nil, v)
	if err != nil {
		s.api.t.Fatalf("GET %s: message: %v", s.target, err)
	}
	s.write(websocket.MessageText, data)
}

// SendText sends a text as it is: for what is wrong on purpose.
func (s *Socket[In, Out]) SendText(text string) {
	s.api.t.Helper()
	s.write(websocket.MessageText, []byte(text))
}

func (s *Socket[In, Out]) write(typ websocket.MessageType, data []byte) {
	s.api.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), socketTime)
	defer cancel()
	if err := s.conn.Write(ctx, typ, data); err != nil {
		s.api.t.Fatalf("GET %s: the message cannot be sent: %v", s.target, err)
	}
}

// next returns what the app sent next.
func (s *Socket[In, Out]) next() got {
	s.api.t.Helper()
	timer := time.NewTimer(socketTime)
	defer timer.Stop()
	select {
	case m := <-s.got:
		if m.err != nil {
			s.got <- m // It stays so.
		}
		return m
	case <-timer.C:
		s.api.t.Fatalf("GET %s: there was no message for %v", s.target, socketTime)
		return got{}
	}
}

// Receive waits for the next message. Another one, or none, ends the test.
func (s *Socket[In, Out]) Receive() (m Out) {
	s.api.t.Helper()
	next := s.next()
	switch {
	case next.err != nil:
		s.api.t.Fatalf("GET %s: want a message, and the connection ended: %v", s.target, next.err)
	case s.out == nil && next.binary:
		reflect.ValueOf(&m).Elem().SetBytes(next.data)
		return m
	case s.out == nil || next.binary:
		s.api.t.Fatalf("GET %s: a text where binary messages are wanted, or the other way round: %q", s.target, next.data)
	}
	report := schema.Report{In: "message"}
	s.out.Decode(&report, next.data, reflect.ValueOf(&m).Elem())
	if err := report.Err(); err != nil {
		s.api.t.Fatalf("GET %s: want a message, got %s: %v", s.target, next.data, err)
	}
	return m
}

// WantProblem waits for the next message, which is to be the problem document by which
// the app answers a message that it refuses.
func (s *Socket[In, Out]) WantProblem(status int, code string) {
	s.api.t.Helper()
	next := s.next()
	if next.err != nil {
		s.api.t.Fatalf("GET %s: want a problem, and the connection ended: %v", s.target, next.err)
	}
	res := &Response{
		Status: status, Header: http.Header{"Content-Type": {problem.MediaType}}, Body: next.data,
		t: s.api.t, types: s.api.types, request: "GET " + s.target,
	}
	res.WantProblem(status, code)
}

// WantClosed waits until the app closes the connection, and reports another code, or a
// message that comes before.
func (s *Socket[In, Out]) WantClosed(code int) {
	s.api.t.Helper()
	next := s.next()
	switch closed, ok := errors.AsType[websocket.CloseError](next.err); {
	case next.err == nil:
		s.api.t.Errorf("GET %s: want the end by %d, got %s", s.target, code, next.data)
	case !ok:
		s.api.t.Errorf("GET %s: want the end by %d, the connection broke: %v", s.target, code, next.err)
	case int(closed.Code) != code:
		s.api.t.Errorf("GET %s: closed by %d %q, want %d", s.target, closed.Code, closed.Reason, code)
	}
}

// Close closes the connection as a client does that is done, and waits for the app to
// answer.
func (s *Socket[In, Out]) Close() {
	s.api.t.Helper()
	if err := s.conn.Close(websocket.StatusNormalClosure, ""); err != nil {
		s.api.t.Errorf("GET %s: the app does not answer the close: %v", s.target, err)
	}
}

// piper is a network of one connection: what the app takes over is one end of a pipe.
type piper struct {
	api     *API
	sent    *http.Request
	refusal string
}

// RoundTrip implements [http.RoundTripper].
func (p *piper) RoundTrip(r *http.Request) (*http.Response, error) {
	for name, values := range r.Header {
		p.sent.Header[name] = values
	}
	ours, theirs := net.Pipe()
	w := &pipeWriter{ResponseRecorder: httptest.NewRecorder(), end: theirs}
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		p.api.app.ServeHTTP(w, p.sent)
		if !w.taken {
			_ = theirs.Close()
		}
	}()
	in := bufio.NewReader(ours)
	res, err := http.ReadResponse(in, r)
	<-answered
	if !w.taken {
		res = w.Result()
		p.refusal = res.Status + " " + w.Body.String()
		return res, nil
	}
	if err != nil {
		return nil, err
	}
	res.Body = &pipeEnd{in, ours}
	return res, nil
}

// pipeWriter is a ResponseWriter whose connection can be taken over.
type pipeWriter struct {
	*httptest.ResponseRecorder
	end   net.Conn
	taken bool
}

// Hijack implements [http.Hijacker].
func (w *pipeWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	w.taken = true
	return w.end, bufio.NewReadWriter(bufio.NewReader(w.end), bufio.NewWriter(w.end)), nil
}

// pipeEnd is the client's end, of which something may have been read already.
type pipeEnd struct {
	in *bufio.Reader
	io.WriteCloser
}

// Read implements [io.Reader].
func (e *pipeEnd) Read(p []byte) (int, error) { return e.in.Read(p) }
