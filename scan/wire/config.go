package wire

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"time"
)

// Config is what a client may do.
type Config struct {
	// Target is the only address that is ever contacted, as scheme://host[:port][/base].
	Target string
	// Transport sends the requests of a scan within the process. It must end when the
	// context of a request does. Nil is an own one, over the network and never through a
	// proxy.
	Transport http.RoundTripper
	// MaxRequests is how many are sent; the default is 100 000. Later ones fail with
	// [ErrSpent].
	MaxRequests int
	// Rate is how many requests are sent in a second; 0 is as fast as the target answers.
	Rate float64
	// MaxBody is how much of an answer is read, in bytes, before and after it is
	// decompressed; the default is 2 MiB.
	MaxBody int64
	// Timeout is how long an exchange may take, the body included; the default is 10 s.
	Timeout time.Duration
	// MaxWait is how long Do waits where the target asks for patience (Retry-After, RFC
	// 9110, section 10.2.3) or is just starting again; the default is 3 s, negative is not
	// at all.
	MaxWait time.Duration
	// Wait is how Do waits where the target asks for patience, however long. Nil is to let
	// the time pass, up to MaxWait.
	Wait func(context.Context, time.Duration) error
	// MaxFailures is how many exchanges without an answer, one after the other, mean that
	// the target is down ([ErrTargetDown]); the default is 10.
	MaxFailures int
	// Header goes with every request that does not say otherwise.
	Header http.Header
	// CAFile holds certificates, in PEM, that are trusted beside those of the system.
	CAFile string
	// InsecureCertificates is why a certificate that fails does not stop the scan. What is
	// wrong with it is told by [Client.Certificate] all the same.
	InsecureCertificates string
	// Observer sees each exchange, one at a time and in the order of Seq. It must not
	// call Do.
	Observer func(*Exchange)
}

func (c *Config) fill() {
	def(&c.MaxRequests, 100_000)
	def(&c.MaxBody, 2<<20)
	def(&c.Timeout, 10*time.Second)
	def(&c.MaxWait, 3*time.Second)
	def(&c.MaxFailures, 10)
}

func def[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

func (c *Config) check() error {
	var mistakes []error
	add := func(bad bool, format string, args ...any) {
		if bad {
			mistakes = append(mistakes, fmt.Errorf(format, args...))
		}
	}
	add(c.MaxRequests < 0, "MaxRequests is negative")
	add(c.Rate < 0, "Rate is negative")
	add(c.MaxBody < 0, "MaxBody is negative")
	add(c.Timeout < 0, "Timeout is negative")
	add(c.MaxFailures < 0, "MaxFailures is negative")
	if err := checkHeader(c.Header); err != nil {
		mistakes = append(mistakes, err)
	}
	return errors.Join(mistakes...)
}

// parseTarget returns the address, of which the scan uses scheme and host.
func parseTarget(target string) (*url.URL, error) {
	u, err := url.Parse(target)
	switch {
	case err != nil:
		return nil, fmt.Errorf("Target: %w", err)
	case u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		return nil, fmt.Errorf("Target %q is no address like https://api.example.com/v1", target)
	case u.User != nil:
		return nil, errors.New("Target holds a password: users are given apart")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return nil, fmt.Errorf("Target %q has a query or a fragment", target)
	}
	return u, nil
}

// pin resolves the name of the target, once: who answers later with another address does
// not lead the scan to another machine.
func pin(u *url.URL) ([]netip.AddrPort, error) {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	number, err := net.DefaultResolver.LookupPort(ctx, "tcp", port)
	if err != nil {
		return nil, fmt.Errorf("Target: %w", err)
	}
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", u.Hostname())
	if err != nil {
		return nil, fmt.Errorf("Target: %w", err)
	}
	addresses := make([]netip.AddrPort, 0, len(found))
	for _, ip := range found {
		addresses = append(addresses, netip.AddrPortFrom(ip.Unmap(), uint16(number)))
	}
	if len(addresses) == 0 {
		return nil, fmt.Errorf("Target: %s has no address", u.Hostname())
	}
	return addresses, nil
}

// roots returns nil for those of the system.
func roots(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("CAFile: %w", err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("CAFile %s holds no certificate in PEM", file)
	}
	return pool, nil
}

// maxHeader is how many bytes of header fields an answer may have.
const maxHeader = 256 << 10

// transport returns what sends over the network.
func (c *Client) transport(pool *x509.CertPool) *http.Transport {
	return &http.Transport{
		Proxy:                  nil, // Not that of the environment: the scan talks to the target alone.
		DialContext:            c.dial,
		TLSClientConfig:        c.tls(pool),
		ForceAttemptHTTP2:      true,
		DisableCompression:     true, // Done here, within bounds.
		MaxResponseHeaderBytes: maxHeader,
		MaxIdleConnsPerHost:    32,
		// Many servers close a connection that was idle for 2 or 5 s. A request that is
		// under way at that moment is lost, and one that is no GET is not sent again.
		IdleConnTimeout:     time.Second,
		TLSHandshakeTimeout: c.config.Timeout,
		ReadBufferSize:      16 << 10,
	}
}

// tls returns a configuration that verifies, or, if there is a reason not to, one that
// notes what is wrong and goes on.
func (c *Client) tls(pool *x509.CertPool) *tls.Config {
	t := &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS10} // Whether it should offer TLS 1.0 is for a check to say.
	if c.config.InsecureCertificates != "" {
		t.InsecureSkipVerify = true
		t.VerifyConnection = func(state tls.ConnectionState) error {
			c.certificate(verify(state, pool, c.target.Hostname()))
			return nil
		}
	}
	return t
}

func verify(state tls.ConnectionState, pool *x509.CertPool, host string) error {
	between := x509.NewCertPool()
	for _, cert := range state.PeerCertificates[1:] {
		between.AddCert(cert)
	}
	_, err := state.PeerCertificates[0].Verify(x509.VerifyOptions{DNSName: host, Roots: pool, Intermediates: between})
	return err
}

// dial connects to the pinned addresses, whatever it is asked for.
func (c *Client) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	var mistakes []error
	first := int(c.good.Load())
	for i := range c.addresses {
		n := (first + i) % len(c.addresses)
		conn, err := (&net.Dialer{Timeout: c.config.Timeout}).DialContext(ctx, "tcp", c.addresses[n].String())
		if err == nil {
			c.good.Store(int32(n))
			return conn, nil
		}
		mistakes = append(mistakes, err)
	}
	return nil, &dialError{errors.Join(mistakes...)}
}

// dialError is that nothing was sent, so that any request may be tried again.
type dialError struct{ error }

func (e *dialError) Unwrap() error { return e.error }

// checkHeader returns what of it cannot be sent.
func checkHeader(h http.Header) error {
	var mistakes []error
	for name := range h {
		if !isToken(name) {
			mistakes = append(mistakes, fmt.Errorf("%q is no name of a header field", name))
		}
	}
	return errors.Join(mistakes...)
}

// isToken reports whether s is one (RFC 9110, section 5.6.2).
func isToken(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c <= ' ' || c >= 0x7f || strings.IndexByte(`"(),/:;<=>?@[\]{}`, c) >= 0 {
			return false
		}
	}
	return s != ""
}
