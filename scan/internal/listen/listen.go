// Package listen is an address of the scan's own. A target that can be made to call it
// gives itself away: nobody else knows the token in the path.
//
//	l, err := listen.New(listen.Config{})
//	defer l.Close()
//	l.Answer(token, listen.Answer{Body: marker})
//	… send a request that holds l.URL(token) …
//	request, called := l.Hit(ctx, token)
//
// It remembers a bounded number of requests, of each its beginning, and answers who does
// not speak HTTP too: what they say is kept, if a token is in it.
package listen

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"regexp"
	"strings"
	"sync"
	"time"
)

// Config says where to listen.
type Config struct {
	// Address is where to listen; the default is 127.0.0.1:0, which only this machine
	// reaches.
	Address string
	// Public is the address under which the target reaches it, as http://host:port; the
	// default is that of the listener.
	Public string
	// Wait is how long Hit waits for a request; the default is 1 s.
	Wait time.Duration
}

// Answer is what who calls an address is told.
type Answer struct {
	// Body is the answer; the default is the token.
	Body string
	// Type is its media type; the default is text/plain.
	Type string
	// Redirect sends the caller on to an address, with 302. It may be one of another token.
	Redirect string
}

// Bounds of what is kept.
const (
	maxTokens  = 10_000
	maxRequest = 8 << 10
	maxConns   = 64
	patience   = 2 * time.Second // with a caller who says nothing
)

// Listener listens. It is safe for concurrent use.
type Listener struct {
	config Config
	socket net.Listener
	room   chan struct{}
	done   sync.WaitGroup

	mu      sync.Mutex
	closed  bool
	conns   map[net.Conn]bool
	answers map[string]Answer
	hits    map[string]string        // the first request of a token
	waiting map[string]chan struct{} // closed by a hit
}

// New starts to listen.
func New(config Config) (*Listener, error) {
	if config.Address == "" {
		config.Address = "127.0.0.1:0"
	}
	if config.Wait <= 0 {
		config.Wait = time.Second
	}
	socket, err := net.Listen("tcp", config.Address)
	if err != nil {
		return nil, fmt.Errorf("listen config: %w", err)
	}
	if config.Public == "" {
		config.Public = "http://" + socket.Addr().String()
	}
	config.Public = strings.TrimRight(config.Public, "/")
	l := &Listener{
		config: config, socket: socket, room: make(chan struct{}, maxConns), conns: make(map[net.Conn]bool),
		answers: make(map[string]Answer), hits: make(map[string]string), waiting: make(map[string]chan struct{}),
	}
	l.done.Go(l.accept)
	return l, nil
}

// URL returns the address of a token.
func (l *Listener) URL(token string) string { return l.config.Public + "/" + token }

// Address returns host:port, for who is made to connect without HTTP.
func (l *Listener) Address() string {
	_, address, _ := strings.Cut(l.config.Public, "://")
	return address
}

// Answer says what the callers of a token are told.
func (l *Listener) Answer(token string, a Answer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.answers) < maxTokens {
		l.answers[token] = a
	}
}

// Hit waits a moment for a request to the address of a token, and returns its beginning.
func (l *Listener) Hit(ctx context.Context, token string) (request string, ok bool) {
	l.mu.Lock()
	request, ok = l.hits[token]
	signal := l.waiting[token]
	if !ok && signal == nil && len(l.waiting) < maxTokens {
		signal = make(chan struct{})
		l.waiting[token] = signal
	}
	l.mu.Unlock()
	if ok {
		return request, true
	}
	timer := time.NewTimer(l.config.Wait)
	defer timer.Stop()
	select {
	case <-signal:
	case <-timer.C:
	case <-ctx.Done():
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	request, ok = l.hits[token]
	return request, ok
}

// Close ends it.
func (l *Listener) Close() error {
	l.mu.Lock()
	l.closed = true
	for conn := range l.conns {
		_ = conn.Close() // It ends who reads from it.
	}
	l.mu.Unlock()
	err := l.socket.Close()
	l.done.Wait()
	return err
}

func (l *Listener) accept() {
	for {
		conn, err := l.socket.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			time.Sleep(10 * time.Millisecond) // No file descriptors: it may pass.
			continue
		}
		select {
		case l.room <- struct{}{}:
		default:
			_ = conn.Close() // Too many at once.
			continue
		}
		if !l.keep(conn) {
			return
		}
		l.done.Go(func() {
			defer func() { <-l.room }()
			defer l.forget(conn)
			l.serve(conn)
		})
	}
}

func (l *Listener) keep(conn net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		_ = conn.Close() // Nobody waits for it.
		return false
	}
	l.conns[conn] = true
	return true
}

func (l *Listener) forget(conn net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.conns, conn)
	_ = conn.Close() // All was said.
}

// serve reads one request, or what else comes, and answers once.
func (l *Listener) serve(conn net.Conn) {
	_ = conn.SetDeadline(time.Now().Add(patience)) // A connection that cannot have one is closed by Close.
	said := read(conn)
	token, known := l.note(said)
	if !isHTTP(said) {
		return
	}
	l.mu.Lock()
	a := l.answers[token]
	l.mu.Unlock()
	if a.Body == "" && known {
		a.Body = token
	}
	if a.Type == "" {
		a.Type = "text/plain; charset=utf-8"
	}
	status, location := "200 OK", ""
	if a.Redirect != "" {
		status, location = "302 Found", "Location: "+a.Redirect+"\r\n"
	}
	if strings.HasPrefix(said, "HEAD ") {
		a.Body = ""
	}
	fmt.Fprintf(conn, "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %d\r\nConnection: close\r\n%s\r\n%s", status, a.Type, len(a.Body), location, a.Body)
}

// read returns the beginning of what a caller says: the head of a request and what of its
// body came along, or a few lines.
func read(conn net.Conn) string {
	from := bufio.NewReaderSize(conn, maxRequest)
	for n := 1; n <= maxRequest; {
		if _, err := from.Peek(n); err != nil {
			break
		}
		n = from.Buffered()
		text, _ := from.Peek(n) // As much as is there.
		if head, _, whole := strings.Cut(string(text), "\r\n\r\n"); whole || !isHTTP(head) && strings.Contains(head, "\n") {
			break
		}
		n++
	}
	text, _ := from.Peek(from.Buffered()) // As much as is there.
	return string(text)
}

// requestLine is the beginning of a request.
var requestLine = regexp.MustCompile(`^[A-Z]{3,20} \S+ HTTP/1\.[01]\r?\n`)

func isHTTP(said string) bool { return requestLine.MatchString(said) }

// tokens are long and of letters and digits, wherever they stand.
var tokens = regexp.MustCompile(`[A-Za-z0-9]{8,}`)

// note keeps the first request of each token that somebody knows of, or that is the path.
func (l *Listener) note(said string) (token string, known bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, found := range tokens.FindAllString(said, 200) {
		_, answered := l.answers[found]
		signal, waited := l.waiting[found]
		inPath := isHTTP(said) && strings.Contains(strings.SplitN(said, " ", 3)[1], found)
		if !answered && !waited && !inPath && isHTTP(said) {
			continue
		}
		if _, again := l.hits[found]; !again && len(l.hits) < maxTokens {
			l.hits[found] = said
			if waited {
				close(signal)
				delete(l.waiting, found)
			}
		}
		if token == "" {
			token = found
		}
	}
	return token, token != ""
}
