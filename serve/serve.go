// Package serve puts an http.Handler on the network safely: TLS with reloaded
// certificates, HTTP/1 and HTTP/2 with limits, the framing guard, and a stop that
// loses no request.
//
//	server, err := serve.New(serve.Config{DataDir: "shop-data"}, app)
//	…
//	ctx, stop := serve.Signals(context.Background())
//	defer stop()
//	err = server.Run(ctx)
//
// That is https://localhost:8443. To see no warning in a browser, trust the
// authority in the file [Server.DevelopmentCA]: it can vouch for localhost and for
// nothing else, and its key never leaves DataDir.
//
// Next to it plain HTTP can be answered, where people look for it first:
//
//	redirect, err := serve.NewRedirect(serve.RedirectConfig{
//		Origin: func(*http.Request) (string, error) { return "https://api.example.com", nil },
//	})
//	server, err := serve.New(serve.Config{Addr: ":443", RedirectAddr: ":80", Redirect: redirect, …}, app)
//
// Browsers that ask for a page are led to HTTPS; programs are refused, and nothing is
// served. See [Redirect].
//
// # Connections
//
// The framing guard must see plain text, so the server does the TLS handshake itself
// and then gives the connection to net/http: one that speaks HTTP/2 as it is, one of
// HTTP/1 in the guard. TLS is 1.3, or 1.2 with forward secrecy and authenticated
// encryption. A client that speaks plain HTTP to the TLS port is told so; it is not
// redirected, for then its credentials would have crossed the network already and
// nobody would notice.
//
// # HSTS
//
// Every answer over TLS says Strict-Transport-Security, the development certificate's
// too, so that what is tested is what is served; none over plain HTTP does (RFC 6797
// section 7.2). Browsers take it only from a certificate that they trust, and not for
// an IP address. One that trusts the development authority may then insist on HTTPS
// for all ports of localhost: use https://127.0.0.1:8443 if that is in the way.
package serve

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fastness/fastness/guard/framing"
)

// Server serves one handler on one address, once.
type Server struct {
	cfg     Config
	guard   *framing.Guard
	http    *http.Server
	tls     *tls.Config // nil for plain HTTP
	devCA   string
	queue   *queue
	slots   chan struct{}
	ran     atomic.Bool
	drain   atomic.Bool
	silent  sync.Map // net.Conn that have not sent a request yet
	pending sync.WaitGroup
	plain   *Server // answers at RedirectAddr, or nil

	mu   sync.Mutex // guards following
	addr net.Addr
	open map[*tracked]struct{}
}

// New returns a server, or an error that names every mistake in cfg. It reads the
// certificate files, or makes the development certificate if there is none yet.
func New(cfg Config, handler http.Handler) (*Server, error) {
	return newServer(cfg, handler, time.Now)
}

func newServer(cfg Config, handler http.Handler, now func() time.Time) (*Server, error) {
	cfg = cfg.withDefaults()
	guard, framingErr := framing.New(cfg.Framing)
	mistakes := errors.Join(cfg.validate(), framingErr)
	if handler == nil {
		mistakes = errors.Join(mistakes, errors.New("handler is nil, want a handler"))
	}
	s := &Server{cfg: cfg, guard: guard, queue: newQueue(), open: make(map[*tracked]struct{})}
	if !cfg.PlainHTTP && cfg.validateTLS() == nil && (mistakes == nil || cfg.TLSCert != "") {
		mistakes = errors.Join(mistakes, s.setUpTLS(now))
	}
	if mistakes != nil {
		return nil, fmt.Errorf("serve config: %w", mistakes)
	}
	s.slots = make(chan struct{}, cfg.MaxConns)
	s.http = s.newHTTP(handler)
	if cfg.RedirectAddr != "" {
		plain, err := newPlain(cfg)
		if err != nil {
			return nil, err
		}
		s.plain = plain
	}
	return s, nil
}

// newPlain returns the server of RedirectAddr: one like any other, with small limits
// and without anything to serve.
func newPlain(cfg Config) (*Server, error) {
	limit := min(cfg.ReadHeaderTimeout, 5*time.Second)
	small := Config{
		Addr: cfg.RedirectAddr, PlainHTTP: true,
		ReadHeaderTimeout: limit, ReadTimeout: limit, WriteTimeout: limit, IdleTimeout: limit,
		DrainDelay: cfg.DrainDelay, GracePeriod: cfg.GracePeriod, MaxConns: min(cfg.MaxConns, 1024),
		Framing: framing.Config{TargetBytes: 4 << 10, HeadBytes: 8 << 10, Render: cfg.Redirect.render},
		Logger:  cfg.Logger,
	}
	if cfg.TLSCert != "" || cfg.InsecureDevelopmentCertificate != "" {
		small.InsecurePlainHTTP = "nothing is served, and credentials are refused"
	}
	return newServer(small, cfg.Redirect, time.Now)
}

func (s *Server) newHTTP(handler http.Handler) *http.Server {
	limits := s.guard.Limits()
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(s.tls != nil)
	return &http.Server{
		Handler:           HSTS(s.guard.Handler(handler)),
		ReadHeaderTimeout: s.cfg.ReadHeaderTimeout,
		ReadTimeout:       s.cfg.ReadTimeout,
		WriteTimeout:      s.cfg.WriteTimeout,
		IdleTimeout:       s.cfg.IdleTimeout,
		MaxHeaderBytes:    limits.TargetBytes + limits.HeadBytes,
		ErrorLog:          log.New(errorLog{s.cfg.Logger}, "", 0),
		ConnContext:       s.guard.ConnContext,
		ConnState:         s.connState,
		Protocols:         protocols,
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams: 100,
			// The least there is (RFC 9113 section 4.2). net/http makes room for a whole
			// frame when its 9 bytes of header are there: with its 1 MiB, ten thousand
			// silent connections would hold 10 GiB.
			MaxReadFrameSize: 16 << 10,
			SendPingTimeout:  30 * time.Second,
			PingTimeout:      15 * time.Second,
			WriteByteTimeout: 30 * time.Second,
		},
		// net/http would answer "OPTIONS *" itself, around every guard of the handler.
		DisableGeneralOptionsHandler: true,
	}
}

// HSTS returns a handler that tells browsers to come back over HTTPS only, in every
// answer of next that goes over TLS. [Server] has it built in.
func HSTS(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.TLS != nil {
			w.Header().Set("Strict-Transport-Security", "max-age=63072000; includeSubDomains")
		}
		next.ServeHTTP(w, r)
	})
}

// Addr returns the address that the server listens on, or nil before it does.
func (s *Server) Addr() net.Addr {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.addr
}

// RedirectAddr returns the address of the listener for plain HTTP, or nil if there is
// none, or none yet.
func (s *Server) RedirectAddr() net.Addr {
	if s.plain == nil {
		return nil
	}
	return s.plain.Addr()
}

// Draining reports whether the server was told to stop. A readiness check should
// fail from then on; the requests that are under way are still served.
func (s *Server) Draining() bool { return s.drain.Load() }

// DevelopmentCA returns the file with the certificate of the development authority,
// or "" if the server has a certificate of its own.
func (s *Server) DevelopmentCA() string { return s.devCA }

// Run listens and serves until ctx is done, and then stops gracefully. It returns nil
// if every request came to its end, and an error if the grace period was too short or
// the server could not listen. A Server runs once.
func (s *Server) Run(ctx context.Context) error {
	if !s.ran.CompareAndSwap(false, true) {
		return errors.New("serve: the server ran already")
	}
	listener, err := s.listen(ctx)
	if err != nil {
		return fmt.Errorf("serve: %w", err)
	}
	if s.plain == nil {
		s.warn()
		return s.serve(ctx, listener)
	}
	plain, err := s.plain.listen(ctx)
	if err != nil {
		_ = listener.Close()
		s.mu.Lock()
		s.addr = nil
		s.mu.Unlock()
		return fmt.Errorf("serve: RedirectAddr: %w", err)
	}
	s.warn()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	go func() {
		defer stop() // One does not go on without the other.
		ended <- s.plain.serve(ctx, plain)
	}()
	err = s.serve(ctx, listener)
	stop()
	return errors.Join(err, <-ended)
}

// serve serves what listener accepts until ctx is done.
func (s *Server) serve(ctx context.Context, listener net.Listener) error {
	requests, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	s.http.BaseContext = func(net.Listener) context.Context { return requests }
	served := make(chan error, 1)
	go func() { served <- s.http.Serve(s.queue) }()
	accepted := make(chan struct{})
	accepting, stopAccepting := context.WithCancel(requests)
	defer stopAccepting()
	go func() {
		defer close(accepted)
		s.accept(accepting, listener)
	}()
	if s.cfg.Ready != nil {
		s.cfg.Ready(listener.Addr())
	}

	var failed error
	select {
	case <-ctx.Done():
	case failed = <-served:
		served <- failed
	}
	grace, cancel := context.WithTimeout(requests, s.cfg.GracePeriod)
	defer cancel()
	s.startDrain(grace)
	stopAccepting()
	_ = listener.Close()
	<-accepted
	left := s.finish(grace)
	cut()
	s.cutOff()
	<-served
	switch {
	case failed != nil:
		return fmt.Errorf("serve: %w", failed)
	case left > 0:
		return fmt.Errorf("serve: %d connections had to be cut after %v", left, s.cfg.GracePeriod)
	}
	return nil
}

func (s *Server) listen(ctx context.Context) (net.Listener, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", s.cfg.Addr)
	if err != nil {
		return nil, err
	}
	// "localhost" is what the resolver says it is.
	reason := s.cfg.InsecurePlainHTTP + s.cfg.InsecureDevelopmentCertificate
	if (s.tls == nil || s.devCA != "") && reason == "" && !isLoopback(l.Addr().String()) {
		_ = l.Close()
		return nil, errors.New("the address turned out not to be loopback, want a certificate")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.addr = l.Addr()
	return l, nil
}

// warn tells the operator which protections are off, and why.
func (s *Server) warn() {
	if reason := s.cfg.InsecurePlainHTTP; reason != "" {
		s.cfg.Logger.Warn("serving without TLS", "reason", reason)
	}
	if reason := s.cfg.InsecureDevelopmentCertificate; reason != "" && s.devCA != "" {
		s.cfg.Logger.Warn("serving with the development certificate", "reason", reason)
	}
}
