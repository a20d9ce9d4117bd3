package main

import (
	"net"
	"net/http"
	"sync"

	"golang.org/x/time/rate"

	"github.com/fastness/fastness/bench/work"
)

// Terms are those on which callers get into work c.
type Terms struct {
	Signing
	// Limit is how many requests one client may send in a minute,
	// whoever is calling.
	Limit int
}

// noHindrance is a limit that never refuses while a peer is timed: nobody here
// answers sixteen million requests in a second.
const noHindrance = 1_000_000_000

// limiter is a limit by client as tutorials write it: a token bucket of
// golang.org/x/time/rate for each address, in a map behind a mutex. Nothing
// ever leaves the map.
type limiter struct {
	perMinute int
	mu        sync.Mutex
	clients   map[string]*rate.Limiter
}

func newLimiter(perMinute int) *limiter {
	return &limiter{perMinute: perMinute, clients: make(map[string]*rate.Limiter)}
}

// allow charges one request to a client.
func (l *limiter) allow(address string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	client, found := l.clients[address]
	if !found {
		client = rate.NewLimiter(rate.Limit(l.perMinute)/60, l.perMinute)
		l.clients[address] = client
	}
	return client.Allow()
}

// hostOf returns the address in "address:port", or "".
func hostOf(peer string) string {
	address, _, _ := net.SplitHostPort(peer) // net/http writes nothing else.
	return address
}

// Handler is the limit as middleware of net/http, for the requests of work c.
func (l *limiter) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == work.SellerPath && !l.allow(hostOf(r.RemoteAddr)) {
			answer(w, http.StatusTooManyRequests, pathErrors{})
			return
		}
		next.ServeHTTP(w, r)
	})
}
