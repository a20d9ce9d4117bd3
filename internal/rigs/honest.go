package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"
)

// honest is a pair of clients, one of HTTP/1.1 and one of HTTP/2, that ask for a page
// ten times a second each, over connections that they keep.
type honest struct {
	url  string
	stop context.CancelFunc
	done sync.WaitGroup

	mu      sync.Mutex
	ports   map[string]bool // local ones of their connections
	samples []sample
	failed  []string
}

type sample struct {
	at   time.Time
	took time.Duration
}

const (
	honestInterval = 100 * time.Millisecond
	honestTimeout  = 5 * time.Second
)

// newHonest starts the clients. The caller stops them with close.
func newHonest(ctx context.Context, s *shop, path string) *honest {
	ctx, stop := context.WithCancel(ctx)
	h := &honest{url: s.url + path, stop: stop, ports: make(map[string]bool)}
	for _, http2 := range []bool{false, true} {
		transport := &http.Transport{TLSClientConfig: s.tls.Clone(), ForceAttemptHTTP2: http2, DialContext: h.dial}
		h.done.Go(func() {
			defer transport.CloseIdleConnections()
			h.ask(ctx, &http.Client{Transport: transport, Timeout: honestTimeout})
		})
	}
	return h
}

func (h *honest) close() {
	h.stop()
	h.done.Wait()
}

func (h *honest) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	c, err := new(net.Dialer).DialContext(ctx, network, addr)
	if err == nil {
		h.mu.Lock()
		defer h.mu.Unlock()
		_, port, _ := net.SplitHostPort(c.LocalAddr().String())
		h.ports[port] = true
	}
	return c, err
}

// ask asks until ctx is done. A request that waits for the one before it has its
// waiting counted.
func (h *honest) ask(ctx context.Context, client *http.Client) {
	tick := time.NewTicker(honestInterval)
	defer tick.Stop()
	for {
		var begin time.Time
		select {
		case begin = <-tick.C:
		case <-ctx.Done():
			return
		}
		err := h.get(ctx, client)
		took := time.Since(begin)
		if ctx.Err() != nil {
			return
		}
		h.mu.Lock()
		h.samples = append(h.samples, sample{begin, took})
		if err != nil {
			h.failed = append(h.failed, err.Error())
		}
		h.mu.Unlock()
	}
}

func (h *honest) get(ctx context.Context, client *http.Client) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, h.url, nil)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s, want 200", response.Proto, response.Status)
	}
	return nil
}

// owns reports whether a connection from this port is of these clients.
func (h *honest) owns(port string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.ports[port]
}

// failures returns what went wrong so far.
func (h *honest) failures() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.failed)
}

// between returns how many requests began in a span of time, and the time that 99 of
// 100 of them took at most.
func (h *honest) between(from, to time.Time) (n int, p99 time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var took []time.Duration
	for _, s := range h.samples {
		if !s.at.Before(from) && s.at.Before(to) {
			took = append(took, s.took)
		}
	}
	return len(took), percentile(took, 99)
}

// percentile returns the least of the times that p of 100 do not exceed.
func percentile(times []time.Duration, p int) time.Duration {
	if len(times) == 0 {
		return 0
	}
	slices.Sort(times)
	return times[(len(times)*p+99)/100-1]
}
