package wire

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/netip"
	"net/url"
	"sync"
	"sync/atomic"
	"time"
)

// Errors of exchanges.
var (
	// ErrSpent is that MaxRequests have been sent.
	ErrSpent = errors.New("the scan has sent as many requests as it may")
	// ErrTargetDown is that the target has not answered for some time. It stays so.
	ErrTargetDown = errors.New("the target is down")
	// ErrTimeout is that an answer took too long, or its body did.
	ErrTimeout = errors.New("the answer took too long")
)

// Client sends requests to one target. It is safe for concurrent use.
type Client struct {
	config    Config
	target    *url.URL
	addresses []netip.AddrPort
	sender    http.RoundTripper
	good      atomic.Int32 // which address answered last
	pace      pace
	health    health

	mu    sync.Mutex // of what follows, and held while the observer runs
	seq   int
	stats Stats
	cert  error
}

// Stats are what a client has done so far.
type Stats struct {
	// Requests were sent; Errors of them had no whole answer.
	Requests, Errors int
	// Bytes of bodies were read, after decompression.
	Bytes    int64
	ByStatus map[int]int
	// Waited is how often and how long the target had asked for patience.
	Waited  int
	WaitFor time.Duration
	// Elapsed is the time since the client was made.
	Elapsed time.Duration
}

// Rate returns the requests per second.
func (s Stats) Rate() float64 {
	if s.Elapsed <= 0 {
		return 0
	}
	return float64(s.Requests) / s.Elapsed.Seconds()
}

// New returns a client. It looks up the address of the target and does not connect.
func New(config Config) (*Client, error) {
	config.fill()
	config.Header = config.Header.Clone()
	u, mistake := parseTarget(config.Target)
	c := &Client{config: config, target: u, sender: config.Transport}
	pool, wrong := roots(config.CAFile)
	err := errors.Join(mistake, config.check(), wrong)
	if mistake == nil && config.Transport == nil {
		c.addresses, mistake = pin(u)
		err = errors.Join(err, mistake)
		c.sender = c.transport(pool)
	}
	if err != nil {
		return nil, fmt.Errorf("wire config: %w", err)
	}
	c.pace = pace{rate: config.Rate, begun: time.Now()}
	c.stats.ByStatus = make(map[int]int)
	return c, nil
}

// Target returns scheme://host[:port].
func (c *Client) Target() string { return c.target.Scheme + "://" + c.target.Host }

// Base returns the path of the configured target, without a slash at its end. It is not
// added to the paths of requests.
func (c *Client) Base() string {
	base := c.target.EscapedPath()
	for base != "" && base[len(base)-1] == '/' {
		base = base[:len(base)-1]
	}
	return base
}

// Network reports whether requests cross a network, and are not handed to a handler of the
// same process.
func (c *Client) Network() bool { return c.config.Transport == nil }

// Certificate returns what is wrong with the certificate of the target, or nil.
func (c *Client) Certificate() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cert
}

// Stats returns what was done so far.
func (c *Client) Stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.stats
	s.ByStatus = maps.Clone(s.ByStatus)
	s.Elapsed = time.Since(c.pace.begun)
	return s
}

// Close ends the connections that nobody uses.
func (c *Client) Close() {
	if t, ok := c.sender.(interface{ CloseIdleConnections() }); ok {
		t.CloseIdleConnections()
	}
}

// Do sends a request and reads the answer, within the bounds. It does not follow
// redirects. An answer of 429 or 503 is asked for again once the target has had the time
// that it wants, unless the request says [Request.NoRetry].
func (c *Client) Do(ctx context.Context, r Request) *Exchange {
	r, err := c.clean(r)
	if err != nil {
		return c.seen(&Exchange{Request: r, At: time.Now(), Err: err})
	}
	for try := 0; ; try++ {
		ex := c.once(ctx, r)
		wait, ok := c.patience(ex, try)
		if !ok || r.NoRetry || ctx.Err() != nil {
			return ex
		}
		c.waited(wait)
		if c.config.Wait == nil {
			c.pace.hold(wait)
		} else if c.config.Wait(ctx, wait) != nil {
			return ex
		}
	}
}

// once sends a request one time.
func (c *Client) once(ctx context.Context, r Request) *Exchange {
	ex := &Exchange{Request: r, At: time.Now()}
	if ex.Err = c.allowed(ctx, r.NoRetry); ex.Err != nil {
		return c.seen(ex)
	}
	ex.At = time.Now()
	c.exchange(ctx, ex)
	if ex.Status == 0 && ctx.Err() == nil {
		c.health.fail(c, ex.Err)
	} else if ex.Status != 0 {
		c.health.ok()
	}
	return c.seen(ex)
}

// allowed waits for the turn of a request.
func (c *Client) allowed(ctx context.Context, now bool) error {
	if c.health.down.Load() {
		return ErrTargetDown
	}
	c.mu.Lock()
	spent := c.stats.Requests >= c.config.MaxRequests
	if !spent {
		c.stats.Requests++
	}
	c.mu.Unlock()
	if spent {
		return ErrSpent
	}
	return c.pace.wait(ctx, now)
}

// seen counts an exchange and shows it to the observer.
func (c *Client) seen(ex *Exchange) *Exchange {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seq++
	ex.Seq, ex.Origin = c.seq, c.Target()
	if ex.Err != nil {
		c.stats.Errors++
	}
	if ex.Status != 0 {
		c.stats.ByStatus[ex.Status]++
	}
	c.stats.Bytes += int64(len(ex.Body))
	if c.config.Observer != nil {
		c.config.Observer(ex)
	}
	return ex
}

func (c *Client) waited(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stats.Waited++
	c.stats.WaitFor += d
}

func (c *Client) certificate(err error) {
	if err == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cert = err
}

// noteCertificate keeps what a handshake failed of.
func (c *Client) noteCertificate(err error) {
	var wrong *tls.CertificateVerificationError
	if errors.As(err, &wrong) {
		c.certificate(wrong.Err)
	}
}
