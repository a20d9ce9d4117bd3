package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth/access"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// h2conn is a client of HTTP/2 that may send whatever it likes.
type h2conn struct {
	t *testing.T
	*http2.Framer
	conn net.Conn
}

func (s *stack) h2(t *testing.T, settings ...http2.Setting) *h2conn {
	t.Helper()
	conn := s.dial(t, "h2")
	c := &h2conn{t, http2.NewFramer(conn, conn), conn}
	c.AllowIllegalWrites = true
	c.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	_, err := io.WriteString(conn, http2.ClientPreface)
	if err = errors.Join(err, c.WriteSettings(settings...)); err != nil {
		t.Fatal(err)
	}
	return c
}

// block encodes fields, in pairs.
func block(fields ...string) []byte {
	var out bytes.Buffer
	encoder := hpack.NewEncoder(&out)
	for i := 0; i < len(fields); i += 2 {
		_ = encoder.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]}) // To memory.
	}
	return out.Bytes()
}

func request(method, path string, fields ...string) []byte {
	return block(append([]string{":method", method, ":scheme", "https", ":authority", "localhost", ":path", path}, fields...)...)
}

// maxFrame is the most bytes of a frame that every server takes (RFC 9113 section
// 4.2).
const maxFrame = 16 << 10

// ask sends a request on stream 1, whose head is block, and returns the answer.
// A reset stream or connection is one too, with status 0.
func (c *h2conn) ask(block []byte, body string) (got reply) {
	c.t.Helper()
	first := min(len(block), maxFrame)
	err := c.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block[:first], EndHeaders: first == len(block), EndStream: body == ""})
	for rest := block[first:]; len(rest) > 0; {
		n := min(len(rest), maxFrame)
		err = errors.Join(err, c.WriteContinuation(1, n == len(rest), rest[:n]))
		rest = rest[n:]
	}
	if body != "" {
		err = errors.Join(err, c.WriteData(1, true, []byte(body)))
	}
	if err != nil {
		c.t.Fatal(err)
	}
	for {
		frame, err := c.ReadFrame()
		switch f := frame.(type) {
		case *http2.MetaHeadersFrame:
			got.header = make(http.Header)
			for _, field := range f.Fields {
				got.header.Add(field.Name, field.Value)
			}
			got.status, _ = strconv.Atoi(got.header.Get(":status"))
		case *http2.DataFrame:
			got.body += string(f.Data())
		case *http2.RSTStreamFrame, *http2.GoAwayFrame:
			return got
		}
		if err != nil {
			if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
				c.t.Error("no answer")
			}
			return got
		}
		if frame.Header().StreamID == 1 && frame.Header().Flags.Has(http2.FlagDataEndStream) {
			return got
		}
	}
}

// What HTTP/1 frames with its fields must not survive in HTTP/2: a proxy that
// translates would write it out.
func TestHTTP2RequestThatWouldSmuggleIsRefused(t *testing.T) {
	s := serveShop(t)
	post := func(fields ...string) []byte {
		return request("POST", "/test/items/", append([]string{"content-type", "application/json"}, fields...)...)
	}
	for name, tt := range map[string]struct {
		head   []byte
		status []int // 0 is the end of the stream without an answer
	}{
		"transfer-encoding":            {post("transfer-encoding", "chunked"), []int{400, 0}},
		"connection":                   {post("connection", "close"), []int{400, 0}},
		"keep-alive":                   {post("keep-alive", "1"), []int{400, 0}},
		"upgrade":                      {post("upgrade", "h2c"), []int{400, 0}},
		"a length that is too short":   {post("content-length", "5"), []int{400, 0}},
		"a length that is too long":    {post("content-length", "500"), []int{400, 0}},
		"two lengths":                  {post("content-length", "5", "content-length", "27"), []int{400, 0}},
		"a length with a sign":         {post("content-length", "+27"), []int{400, 0}},
		"a line break in a value":      {post("x", "a\r\ntransfer-encoding: chunked"), []int{0}},
		"a line break in a name":       {post("x\r\nhost", "evil.example"), []int{0}},
		"a capital in a name":          {post("Transfer-Encoding", "chunked"), []int{0}},
		"a colon in a name":            {post("host:", "evil.example"), []int{0}},
		"an unknown pseudo-header":     {post(":protocol", "websocket"), []int{0, 400}},
		"a late pseudo-header":         {post("x", "y", ":path", "/"), []int{0}},
		"two content types":            {post("content-type", "text/plain"), []int{400}},
		"two credentials":              {post("authorization", "a", "authorization", "b"), []int{400}},
		"another host":                 {post("host", "evil.example"), []int{400}},
		"no path":                      {block(":method", "POST", ":scheme", "https", ":authority", "localhost", ":path", ""), []int{0, 400}},
		"a path without a slash":       {request("POST", "test/items/", "content-type", "application/json"), []int{0, 400}},
		"a request line in the path":   {request("POST", "/test/items/ HTTP/1.1\r\nHost: localhost\r\n\r\n", "content-type", "application/json"), []int{0, 400}},
		"a request line in the method": {request("POST /test/items/ HTTP/1.1\r\n", "/test/items/", "content-type", "application/json"), []int{0, 400}},
		"an absolute path":             {request("POST", "https://evil.example/test/items/", "content-type", "application/json"), []int{0, 400}},
		"a foreign authority":          {block(":method", "POST", ":scheme", "https", ":authority", "evil.example", ":path", "/test/items/"), []int{421}},
		"user information":             {block(":method", "POST", ":scheme", "https", ":authority", "a@localhost", ":path", "/test/items/"), []int{0, 400}},
		"no authority":                 {block(":method", "POST", ":scheme", "https", ":path", "/test/items/"), []int{0, 400}},
		"TRACE":                        {request("TRACE", "/items/"), []int{405}},
		"CONNECT":                      {block(":method", "CONNECT", ":authority", "localhost:22"), []int{405, 400, 0}},
		"33 KB of fields":              {post("x", strings.Repeat("v", 33_000)), []int{431}},
		"101 fields":                   {post(slices.Repeat([]string{"x", "y"}, 100)...), []int{431}},
		"8 KiB and a byte of path":     {request("GET", "/"+strings.Repeat("t", 8<<10)), []int{414}},
		"16 KiB of cookies":            {post(slices.Repeat([]string{"cookie", strings.Repeat("c", 1024)}, 17)...), []int{431}},
		"an escaped slash":             {request("GET", "/items%2f1"), []int{400}},
		"dots in the path":             {request("GET", "/x/../items/1"), []int{400}},
	} {
		got := s.h2(t).ask(tt.head, poisoned)
		if !slices.Contains(tt.status, got.status) {
			t.Errorf("%s: %d %.200s, want %v", name, got.status, got.body, tt.status)
		}
		// The fields of a connection net/http refuses itself, in a text. And a reset
		// may follow the head and overtake the body.
		if got.body != "" && got.header.Get("X-Request-Id") != "" {
			wantProblem(t, name, got, tt.status...)
		}
	}
	if got := s.h2(t).ask(post(), poisoned); got.status != http.StatusCreated {
		t.Errorf("a fair request: %d %s, want 201", got.status, got.body)
	}
	if got := s.client(t).total(); got != strconv.Itoa(samples+1) {
		t.Errorf("%s items are for sale, want the samples and one", got)
	}
}

// Rapid reset (CVE-2023-44487): a stream that the client takes back no longer
// counts as open, but its handler runs on. Unbounded, one connection starts as
// many as it likes.
func TestRapidResetStartsNoMoreHandlersThanStreams(t *testing.T) {
	const streams, allowed = 1_000, 100
	var running, most atomic.Int64
	release := make(chan struct{})
	app := newApp(unlimited())
	fastness.Get(app, "/wait", func(context.Context, struct{}) (fastness.NoContent, error) {
		n := running.Add(1)
		for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
		}
		<-release
		running.Add(-1)
		return fastness.NoContent{}, nil
	}, access.Public)
	s := serveApp(t, app)
	c := s.h2(t)
	told := make(chan http2.ErrCode, 1)
	go func() {
		defer close(told)
		for {
			frame, err := c.ReadFrame()
			if away, ok := frame.(*http2.GoAwayFrame); ok {
				told <- away.ErrCode
				return
			}
			if err != nil {
				return
			}
		}
	}()
	head := request("GET", "/wait")
	for i := range streams {
		id := uint32(2*i + 1)
		err := c.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: head, EndHeaders: true, EndStream: true})
		if errors.Join(err, c.WriteRSTStream(id, http2.ErrCodeCancel)) != nil {
			break // The server has had enough.
		}
	}
	if reason, ok := <-told; ok && reason != http2.ErrCodeEnhanceYourCalm {
		t.Errorf("the server ends the connection with %v, want %v", reason, http2.ErrCodeEnhanceYourCalm)
	} else if !ok {
		t.Log("the connection ended without a word")
	}
	if got := s.client(t).get("/items/1"); got.status != http.StatusOK {
		t.Errorf("others get %d during the attack, want 200", got.status)
	}
	if n := most.Load(); n == 0 || n > allowed {
		t.Errorf("%d handlers ran at once, want 1 to %d", n, allowed)
	}
	close(release)
}

// flood writes what next gives until the server closes the connection, or until
// it has taken all of it. It returns how many bytes the server took.
func (c *h2conn) flood(most int, next func() error) (sent int, closed bool) {
	counted := &counter{Conn: c.conn}
	c.Framer = http2.NewFramer(counted, c.conn)
	c.AllowIllegalWrites = true
	for counted.n < most {
		if err := next(); err != nil {
			timeout, ok := errors.AsType[net.Error](err)
			return counted.n, !ok || !timeout.Timeout()
		}
	}
	return counted.n, false
}

type counter struct {
	net.Conn
	n int
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.n += n
	return n, err
}

// A head in CONTINUATION frames without end (CVE-2023-45288) keeps a server
// decoding, and one that collects it has it in memory.
func TestContinuationFloodIsCutOff(t *testing.T) {
	s := serveShop(t)
	c := s.h2(t)
	_ = c.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: request("GET", "/items/"), EndStream: true})
	junk := block("x", strings.Repeat("v", 8<<10))
	sent, closed := c.flood(64<<20, func() error { return c.WriteContinuation(1, false, junk) })
	if !closed || sent > 16<<20 { // The kernel's buffers hold some of it.
		t.Errorf("the server took %d bytes, closed: %t", sent, closed)
	}
	if got := s.client(t).get("/items/1"); got.status != http.StatusOK {
		t.Errorf("others get %d, want 200", got.status)
	}
}

// Control frames want an answer each. A client that reads none makes a server
// that queues them grow.
func TestControlFrameFloodIsBounded(t *testing.T) {
	s := serveShop(t)
	others := s.client(t)
	for name, next := range map[string]func(*h2conn) error{
		"SETTINGS":            func(c *h2conn) error { return c.WriteSettings() },
		"PING":                func(c *h2conn) error { return c.WritePing(false, [8]byte{}) },
		"PRIORITY":            func(c *h2conn) error { return c.WritePriority(1, http2.PriorityParam{}) },
		"an empty DATA frame": func(c *h2conn) error { return c.WriteData(1, false, nil) },
		"an unknown frame":    func(c *h2conn) error { return c.WriteRawFrame(0xfa, 0, 0, nil) },
		"RST_STREAM":          func(c *h2conn) error { return c.WriteRSTStream(1, http2.ErrCodeCancel) },
	} {
		t.Run(name, func(t *testing.T) {
			before, busy := heap(), goroutines()
			c := s.h2(t)
			_ = c.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: request("POST", "/test/items/", "content-type", "application/json"), EndHeaders: true})
			ended := make(chan string, 1)
			go func() {
				sent, closed := c.flood(256<<10, func() error { return next(c) })
				_ = c.conn.Close()
				ended <- fmt.Sprintf("%d bytes, closed by the server: %t", sent, closed)
			}()
			for range 5 {
				if got := others.get("/items/1"); got.status != http.StatusOK {
					t.Errorf("others get %d during the flood, want 200", got.status)
				}
			}
			t.Log(<-ended)
			if n := goroutines() - busy; n > 20 {
				t.Errorf("the flood has %d goroutines", n)
			}
			if grown := heap() - before; grown > 32<<20 {
				t.Errorf("the heap grew by %d bytes", grown)
			}
		})
	}
}

func heap() int64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}
