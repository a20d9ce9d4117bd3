package ws

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"

	"github.com/fastness/fastness/guard/ratelimit"
	"github.com/fastness/fastness/problem"
	"github.com/fastness/fastness/schema"
)

// None is the type of messages that are not sent: the other side may only listen. A
// peer that sends one is closed with 1003.
type None struct{}

// Protocol is what goes over the connections of one kind: messages of type In come and
// messages of type Out go. They are JSON in texts; those whose type is a slice of bytes
// are binary, as they are.
type Protocol[In, Out any] struct {
	*protocol
}

// protocol is a Protocol without its types.
type protocol struct {
	server       *Server
	in, out      *schema.Plan // nil for None and for bytes
	opcode       byte         // of In, or opClose for None
	binary, mute bool         // Out is bytes, or None
	limit        int64
	rate         *ratelimit.Messages
	room         buffers
}

// Limits are those of one kind of connection, where they are others than the server's.
type Limits struct {
	// MessageLimit and Rate are as in Config. Empty ones are the server's.
	MessageLimit int64
	Rate         string
}

// NewProtocol compiles the types of the messages, or names every mistake. Types may be
// nil.
func NewProtocol[In, Out any](s *Server, types *schema.Types, limits Limits) (*Protocol[In, Out], error) {
	if types == nil {
		types = schema.NewTypes(schema.Config{})
	}
	p := &protocol{server: s, limit: limits.MessageLimit, opcode: opText}
	if p.limit == 0 {
		p.limit = s.cfg.MessageLimit
	}
	if limits.Rate == "" {
		limits.Rate = s.cfg.Rate
	}
	var errs []error
	var err error
	if p.limit < 0 {
		errs = append(errs, fmt.Errorf("MessageLimit is %d, want more than 0", p.limit))
	}
	if p.rate, err = ratelimit.NewMessages(ratelimit.MessagesConfig{Limit: limits.Rate}); err != nil {
		errs = append(errs, err)
	}
	switch in := reflect.TypeFor[In](); {
	case in == reflect.TypeFor[None]():
		p.opcode = opClose
	case isBytes(in):
		p.opcode = opBinary
	default:
		if p.in, err = types.Plan(in, ""); err != nil {
			errs = append(errs, fmt.Errorf("messages that come: %w", err))
		}
	}
	out := reflect.TypeFor[Out]()
	p.binary, p.mute = isBytes(out), out == reflect.TypeFor[None]()
	if !p.binary && !p.mute {
		if p.out, err = types.Plan(out, ""); err == nil {
			err = p.out.Answerable()
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("messages that go: %w", err))
		}
	}
	if len(errs) > 0 {
		return nil, fmt.Errorf("ws protocol: %w", errors.Join(errs...))
	}
	return &Protocol[In, Out]{p}, nil
}

func isBytes(t reflect.Type) bool {
	return t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8
}

// Plans returns those of the messages that come and go, nil for None and for bytes.
func (p *Protocol[In, Out]) Plans() (in, out *schema.Plan) { return p.in, p.out }

// Limit returns the most bytes of a message that comes.
func (p *Protocol[In, Out]) Limit() int64 { return p.limit }

// Conn is one open WebSocket, on which messages of type In come and messages of type
// Out go. Send may be called by any goroutine, Receive by one at a time.
type Conn[In, Out any] struct {
	*socket
	protocol *protocol
	viewer   func() schema.Viewer
	document func([]byte, *problem.Problem) []byte
}

// Receive waits for the next message. A message that is not as declared is answered
// with its problem document, as a text, and Receive waits for the next one: a peer that
// sends nothing else is stopped by the limit of messages. The error is a [*Closed]: the
// connection has ended. It ends with ctx, too.
//
// Answers to pings, and what the peer says when it closes, are read only while Receive
// waits. A handler that only sends says so by [None] as the type of its messages.
func (c *Conn[In, Out]) Receive(ctx context.Context) (In, error) {
	for {
		var m, none In
		var refusal error
		err := c.receive(ctx, &c.protocol.room, func(data []byte) { refusal = c.decode(ctx, data, &m) })
		if err == nil && refusal == nil {
			return m, nil
		}
		if err == nil {
			p, ok := errors.AsType[*problem.Problem](refusal)
			if !ok { // A Validate method failed.
				return none, refusal
			}
			err = c.Refuse(p)
		}
		if err != nil {
			return none, err
		}
	}
}

// decode reads one message into m.
func (c *Conn[In, Out]) decode(ctx context.Context, data []byte, m *In) error {
	v := reflect.ValueOf(m).Elem()
	if c.protocol.in == nil {
		v.SetBytes(append([]byte{}, data...))
		return nil
	}
	report := schema.Report{Context: ctx, In: "message", Viewer: c.viewer()}
	if len(data) == 0 {
		report.Violate(nil, "missing")
	} else {
		c.protocol.in.Decode(&report, data, v)
	}
	return report.Err()
}

// Send puts a message into the queue and does not wait until it is written: one peer
// that reads slowly must not hold up the others. When the queue is full the connection
// is closed with 1013. Receive waits while half of the queue is taken, so that a peer is
// not asked for more than it takes answers. The error is that, or what the message cannot be encoded for.
func (c *Conn[In, Out]) Send(m Out) error {
	switch {
	case c.protocol.mute:
		return errors.New("ws: no messages are sent on this connection")
	case c.protocol.binary:
		return c.send(message{true, append([]byte{}, reflect.ValueOf(m).Bytes()...)})
	}
	data, err := c.protocol.out.AppendFor(nil, reflect.ValueOf(&m).Elem(), c.viewer())
	if err != nil {
		return err
	}
	return c.send(message{false, data})
}

// Refuse sends a problem document as a text: the answer to a message that was
// understood and cannot be done.
func (c *Conn[In, Out]) Refuse(err error) error {
	return c.send(message{false, c.document(nil, problem.From(err))})
}

// Close ends the connection by a code of 1000, 1008 or 3000 to 4999, once what waits
// is written. The reason is cut to 123 bytes. It does not wait for the peer.
func (c *Conn[In, Out]) Close(code int, reason string) {
	if code != CodeNormal && code != CodePolicy && (code < 3000 || code > 4999) {
		code, reason = CodeInternal, ""
	}
	c.end(newClosed(code, reason), true)
}

// Context returns the context of the connection. It is done when the connection ends,
// with the [*Closed] as its cause.
func (c *Conn[In, Out]) Context() context.Context { return c.ctx }

// handle runs the handler, and ends the connection by what it returns.
func (c *Conn[In, Out]) handle(o *Opening, f func(context.Context, *Conn[In, Out]) error) {
	defer func() {
		if v := recover(); v != nil {
			o.Panic(v)
			c.end(newClosed(CodeInternal, "internal error"), false)
		}
	}()
	err := f(c.ctx, c)
	how := closedBy(err)
	if how.Code == CodeInternal && how.cause != nil && c.how() == nil {
		o.Failed(how.cause)
	}
	c.end(how, err == nil || problem.From(err).Status < http.StatusInternalServerError)
}

// listen reads what a peer sends that may send no messages: the answers to pings, and
// that it closes.
func (c *Conn[In, Out]) listen() {
	for c.receive(c.ctx, &c.protocol.room, func([]byte) {}) == nil {
	}
}
