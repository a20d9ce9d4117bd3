package ws

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/fastness/fastness/guard/ratelimit"
	"github.com/fastness/fastness/internal/origin"
)

// Config configures a [Server]. The zero value is the secure choice.
type Config struct {
	// Origins are those whose pages may connect beside the server's own:
	// "https://app.example.com", as browsers write them.
	Origins []string
	// InsecureHTTPOrigins, if not empty, says why Origins may have some without TLS,
	// other than loopback: their pages are anybody's on the way.
	InsecureHTTPOrigins string
	// Scheme says by what scheme a browser has sent a request, "https" or "http",
	// where a proxy in front ends TLS. Nil means that of the connection.
	Scheme func(*http.Request) string

	// MessageLimit is the most bytes of a message. The default is 64 KiB.
	MessageLimit int64
	// Rate is how many messages a peer may send; see [ratelimit.Parse]. The default
	// is "100/minute". More is closed with 1008.
	Rate string
	// Queue is how many messages may wait for a peer that reads slowly, and
	// QueueBytes how large they may be together. The defaults are 64 and 1 MiB. A
	// peer for which more would have to wait is dropped.
	Queue      int
	QueueBytes int
	// WriteTimeout is how long one message may take to be written. The default is 10
	// seconds.
	WriteTimeout time.Duration
	// PingInterval is how often a peer is asked whether it is still there. One that
	// says nothing for two intervals is dropped. The default is 30 seconds.
	PingInterval time.Duration
	// IdleTimeout is how long a connection may have no message in either direction.
	// The default is 1 hour.
	IdleTimeout time.Duration
	// Logger takes what goes wrong in handlers. The default is slog.Default().
	Logger *slog.Logger
}

func (c Config) withDefaults() Config {
	set := func(d *time.Duration, or time.Duration) {
		if *d == 0 {
			*d = or
		}
	}
	set(&c.WriteTimeout, 10*time.Second)
	set(&c.PingInterval, 30*time.Second)
	set(&c.IdleTimeout, time.Hour)
	if c.MessageLimit == 0 {
		c.MessageLimit = 64 << 10
	}
	if c.Queue == 0 {
		c.Queue = 64
	}
	if c.QueueBytes == 0 {
		c.QueueBytes = 1 << 20
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return c
}

func (c *Config) validate() (mistakes []error) {
	for _, d := range []struct {
		name  string
		value time.Duration
	}{{"WriteTimeout", c.WriteTimeout}, {"PingInterval", c.PingInterval}, {"IdleTimeout", c.IdleTimeout}} {
		if d.value < 0 {
			mistakes = append(mistakes, fmt.Errorf("%s is %v, want more than 0", d.name, d.value))
		}
	}
	if c.MessageLimit < 0 {
		mistakes = append(mistakes, fmt.Errorf("MessageLimit is %d, want more than 0", c.MessageLimit))
	}
	if c.Queue < 0 || c.QueueBytes < 0 {
		mistakes = append(mistakes, fmt.Errorf("Queue is %d and QueueBytes %d, want more than 0", c.Queue, c.QueueBytes))
	}
	for _, entry := range c.Origins {
		if err := origin.Trust(entry, c.InsecureHTTPOrigins, "InsecureHTTPOrigins"); err != nil {
			mistakes = append(mistakes, fmt.Errorf("origin %q %w", entry, err))
		}
	}
	return mistakes
}

// Server opens WebSockets and knows those that are open. It is safe for concurrent
// use.
type Server struct {
	cfg     Config
	origins map[string]struct{}

	mu       sync.Mutex // guards following
	open     map[*socket]struct{}
	stopping bool
	empty    chan struct{} // closed when nothing is open any more, once it stops
}

// New returns a server, or an error that names every mistake in cfg.
func New(cfg Config) (*Server, error) {
	cfg = cfg.withDefaults()
	mistakes := cfg.validate()
	if _, err := ratelimit.NewMessages(ratelimit.MessagesConfig{Limit: cfg.Rate}); err != nil {
		mistakes = append(mistakes, fmt.Errorf("Rate: %w", err))
	}
	if len(mistakes) > 0 {
		return nil, fmt.Errorf("ws config: %w", errors.Join(mistakes...))
	}
	s := &Server{cfg: cfg, origins: make(map[string]struct{}), open: make(map[*socket]struct{}), empty: make(chan struct{})}
	for _, entry := range cfg.Origins {
		s.origins[entry] = struct{}{}
	}
	return s, nil
}
