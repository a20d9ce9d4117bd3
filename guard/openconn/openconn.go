// Package openconn bounds how many connections are open at once that last longer than
// a request: WebSockets, and streams of events. Each costs memory for as long as its
// client likes, and a limit of requests does not notice: ten thousand handshakes in a
// day are few.
//
//	limit, err := openconn.New(openconn.Config{})
//	close, err := limit.Open(openconn.Caller{User: user.ID, Addr: addr})
//	if err != nil {
//		… // a *problem.Problem, 429 or 503
//	}
//	defer close()
//
// or, for a handler that serves one such connection until it returns:
//
//	mux.Handle("GET /events", limit.Handler(events))
//
// There are three caps: of one user, of one client address, and of all together. Who is
// at their own is answered 429, and when there is no room for anybody 503. The caps are
// of one process; N instances have N times as many. An IPv6 network of 64 bits counts
// as one address, since one client has at least as many to choose from (RFC 6177).
package openconn

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"sync"

	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/guard/clientip"
	"github.com/fastness/fastness/problem"
)

// DefaultTotal is how many connections may be open at once by default. Quiet WebSockets
// of that number take some 150 MB of memory.
const DefaultTotal = 10_000

// Config configures a [Limit]. The zero value is the secure choice.
type Config struct {
	// Total is how many connections may be open in this process. The default is
	// [DefaultTotal]. A server that counts all its connections has to allow more, or
	// none is left for requests.
	Total int
	// PerUser is how many one user may have, whatever devices and addresses they use.
	// The default is 10.
	PerUser int
	// PerClient is how many may come from one address. Behind it may be an office, so
	// it is more than PerUser. The default is 100.
	PerClient int
	// InsecurePerClientUnlimited, if not empty, says why one address may have any
	// number: because all come by a proxy whose clients are not known, perhaps.
	InsecurePerClientUnlimited string
}

// Limit counts open connections. It is safe for concurrent use.
type Limit struct {
	cfg Config

	mu    sync.Mutex // guards following; an entry is there while it counts something
	total int
	users map[string]int
	addrs map[netip.Prefix]int
}

// Caller is who opens a connection.
type Caller struct {
	// User is the id of the verified user, or "" if nobody is known.
	User string
	// Addr is the client's address. Callers without a valid one count as one.
	Addr netip.Addr
}

// New returns a limit, or an error that names every mistake in cfg.
func New(cfg Config) (*Limit, error) {
	var mistakes []error
	for _, field := range []struct {
		name  string
		value *int
		or    int
	}{
		{"Total", &cfg.Total, DefaultTotal}, {"PerUser", &cfg.PerUser, 10}, {"PerClient", &cfg.PerClient, 100},
	} {
		if *field.value < 0 {
			mistakes = append(mistakes, fmt.Errorf("%s is %d, want at least 1", field.name, *field.value))
		}
		if field.name == "PerClient" && *field.value > 0 && cfg.InsecurePerClientUnlimited != "" {
			mistakes = append(mistakes, errors.New("PerClient and InsecurePerClientUnlimited contradict each other"))
		}
		if *field.value == 0 {
			*field.value = field.or
		}
	}
	if len(mistakes) > 0 {
		return nil, fmt.Errorf("openconn config: %w", errors.Join(mistakes...))
	}
	return &Limit{cfg: cfg, users: make(map[string]int), addrs: make(map[netip.Prefix]int)}, nil
}

// Open counts one more connection of c until close is called, which may be more than
// once. The error is a [*problem.Problem]: 429 if c has too many, 503 if all together
// do.
func (l *Limit) Open(c Caller) (close func(), err error) {
	key := network(c.Addr)
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case c.User != "" && l.users[c.User] >= l.cfg.PerUser:
		return nil, tooMany("this user has too many connections open")
	case l.cfg.InsecurePerClientUnlimited == "" && l.addrs[key] >= l.cfg.PerClient:
		return nil, tooMany("this client has too many connections open")
	case l.total >= l.cfg.Total:
		return nil, problem.New(http.StatusServiceUnavailable, "the server has too many connections open").
			Named("overloaded").With("Retry-After", "10")
	}
	l.total++
	l.addrs[key]++
	if c.User != "" {
		l.users[c.User]++
	}
	left := false
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if !left {
			left = true
			l.leave(c.User, key)
		}
	}, nil
}

func tooMany(detail string) error {
	return problem.New(http.StatusTooManyRequests, detail).Named("too_many_connections").With("Retry-After", "10")
}

// leave counts one less. The caller holds mu.
func (l *Limit) leave(user string, key netip.Prefix) {
	l.total--
	if l.addrs[key]--; l.addrs[key] == 0 {
		delete(l.addrs, key)
	}
	if user == "" {
		return
	}
	if l.users[user]--; l.users[user] == 0 {
		delete(l.users, user)
	}
}

// network is what an address counts as.
func network(addr netip.Addr) netip.Prefix {
	addr = addr.Unmap().WithZone("")
	bits := 32
	if addr.Is6() {
		bits = 64
	}
	p, err := addr.Prefix(bits)
	if err != nil { // No address.
		return netip.Prefix{}
	}
	return p
}

// Count returns how many connections are open.
func (l *Limit) Count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.total
}

// Handler refuses connections beyond the caps. A connection counts until next returns.
// Its user is that of [auth.From], and its address that of [clientip.From]: put the
// handlers that find them out in front.
func (l *Limit) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := Caller{Addr: clientip.From(r.Context()).Addr}
		if u := auth.From(r.Context()); u != nil {
			c.User = u.ID
		}
		if !c.Addr.IsValid() { // Nobody has found out who is behind a proxy.
			c.Addr = clientip.Peer(r)
		}
		close, err := l.Open(c)
		if err != nil {
			problem.Write(w, problem.From(err))
			return
		}
		defer close()
		next.ServeHTTP(w, r)
	})
}
