package ws_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/fastness/fastness/ws"
)

// newServer returns a server that tells the test what goes wrong.
func newServer(t testing.TB, cfg ws.Config) *ws.Server {
	t.Helper()
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.NewTextHandler(t.Output(), nil))
	}
	s, err := ws.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// site serves handle on a loopback port and returns its address.
func site[In, Out any](t testing.TB, s *ws.Server, handle func(context.Context, *http.Request, *ws.Conn[In, Out]) error) string {
	t.Helper()
	h, err := ws.Handler(s, handle)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(h)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := s.Shutdown(ctx); err != nil {
			t.Errorf("Shutdown() = %v", err)
		}
		server.Close()
	})
	return strings.TrimPrefix(server.URL, "http://")
}

// repeat sends back what comes.
func repeat[T any](ctx context.Context, _ *http.Request, conn *ws.Conn[T, T]) error {
	for {
		m, err := conn.Receive(ctx)
		if err != nil {
			return err
		}
		if err := conn.Send(m); err != nil {
			return err
		}
	}
}

// raw is a client that may do everything wrong.
type raw struct {
	net.Conn
	t testing.TB
	r *bufio.Reader
}

const handshakeHead = "GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

// connect opens a WebSocket. The bytes of ahead are sent with the handshake.
func connect(t testing.TB, addr string, ahead ...byte) *raw {
	t.Helper()
	c := dialRaw(t, addr, handshakeHead+"\r\n"+string(ahead))
	res, err := http.ReadResponse(c.r, nil)
	if err != nil || res.StatusCode != http.StatusSwitchingProtocols || res.Header.Get("Sec-WebSocket-Accept") != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" {
		t.Fatalf("handshake: %v, %v", res, err)
	}
	if ext := res.Header.Get("Sec-WebSocket-Extensions"); ext != "" {
		t.Fatalf("the extension %q was agreed on", ext)
	}
	return c
}

// dialRaw sends text to addr.
func dialRaw(t testing.TB, addr, text string) *raw {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
	return &raw{c, t, bufio.NewReader(c)}
}

// send sends bytes. A server that has closed already does not read them.
func (c *raw) send(parts ...[]byte) {
	for _, p := range parts {
		_, _ = c.Write(p)
	}
}

// frame is one frame as a server sends it.
type frame struct {
	first   byte
	payload []byte
}

func (f frame) String() string {
	if f.first == 0x88 && len(f.payload) >= 2 {
		return fmt.Sprintf("close %d %q", binary.BigEndian.Uint16(f.payload), f.payload[2:])
	}
	return fmt.Sprintf("%#x %.80q", f.first, f.payload)
}

// next returns the next frame, or an error when the connection has ended.
func (c *raw) next() (f frame, err error) {
	var head [2]byte
	if _, err = io.ReadFull(c.r, head[:]); err != nil {
		return f, err
	}
	if head[1]&0x80 != 0 {
		return f, fmt.Errorf("a server must not mask")
	}
	n := uint64(head[1])
	switch n {
	case 126:
		var b [2]byte
		_, err = io.ReadFull(c.r, b[:])
		n = uint64(binary.BigEndian.Uint16(b[:]))
	case 127:
		var b [8]byte
		_, err = io.ReadFull(c.r, b[:])
		n = binary.BigEndian.Uint64(b[:])
	}
	if err != nil {
		return f, err
	}
	f = frame{head[0], make([]byte, n)}
	_, err = io.ReadFull(c.r, f.payload)
	return f, err
}

// end reads to the end of the connection and returns the frames before the close
// frame, and its code: 1005 for one without, 1006 if there is none.
func (c *raw) end() (before []frame, code int) {
	code = 1006
	for {
		f, err := c.next()
		switch {
		case err != nil:
			return before, code
		case f.first == 0x88 && len(f.payload) >= 2:
			code = int(binary.BigEndian.Uint16(f.payload))
			_ = c.Close() // A client closes once it knows.
			return before, code
		case f.first == 0x88:
			return before, 1005
		default:
			before = append(before, f)
		}
	}
}

// The first bytes of frames.
const (
	fin                                                 = 0x80
	rest, text, binaryMessage, closing, ping, pong byte = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
)

// masked returns a frame as a client sends it, with its length in the shortest form.
func masked(first byte, payload string) []byte {
	return maskedAs(first, lengthOf(len(payload)), payload)
}

func lengthOf(n int) []byte {
	switch {
	case n < 126:
		return []byte{byte(n)}
	case n < 1<<16:
		return binary.BigEndian.AppendUint16([]byte{126}, uint16(n))
	}
	return binary.BigEndian.AppendUint64([]byte{127}, uint64(n))
}

// maskedAs returns a frame with a length written as it is given.
func maskedAs(first byte, length []byte, payload string) []byte {
	key := [4]byte{0x12, 0xFF, 0x00, 0xA5}
	out := append([]byte{first, length[0] | 0x80}, length[1:]...)
	out = append(out, key[:]...)
	for i := range len(payload) {
		out = append(out, payload[i]^key[i&3])
	}
	return out
}

// closeFrame returns a close frame.
func closeFrame(code int, reason string) []byte {
	return masked(fin|closing, string(binary.BigEndian.AppendUint16(nil, uint16(code)))+reason)
}
