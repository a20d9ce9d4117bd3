package outbound

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// Config configures a [Client]. The zero value is the secure choice.
type Config struct {
	// AllowHosts lists the hosts that may be fetched from:
	//
	//	hooks.example.com   this name
	//	*.example.com       any one label before example.com, not example.com
	//	198.51.100.7  [2001:db8::1]  an address
	//
	// Whatever is listed, its address must be public. The default is every host
	// with a public address.
	AllowHosts []string
	// Ports are the ports that may be connected to. The default is 443, and 80
	// with InsecurePlainHTTP.
	Ports []uint16
	// Timeout is how long one fetch may take, from the look-up of the name to the
	// last byte of the body, over all redirects. The default is 10 seconds. A
	// context of the request can make it shorter.
	Timeout time.Duration
	// MaxBody is how many bytes of an answer's body are read, as sent and also as
	// decompressed. Reading further is [ErrBodyTooLarge]. The default is 10 MiB.
	MaxBody int64
	// MaxRedirects is how many redirects are followed. The default is none: the
	// answer is the redirect. Each one is checked like a first URL, never leads
	// from HTTPS to HTTP, and one to another origin loses all header fields but
	// Accept, Accept-Language, Content-Type, Range and User-Agent.
	MaxRedirects int
	// RootCAs are the authorities that are believed. The default is those of the
	// system.
	RootCAs *x509.CertPool
	// Resolver looks names up. The default is [net.DefaultResolver]. It is not
	// trusted: what it says is checked.
	Resolver *net.Resolver
	// Now tells the time by which certificates are judged. The default is
	// [time.Now].
	Now func() time.Time
	// InsecurePlainHTTP, if not empty, says why URLs with http: may be fetched.
	// Anybody on the way can read and change what is sent and answered.
	InsecurePlainHTTP string
	// InsecurePrivateNetworks are networks that may be connected to though they
	// are not public, each with the reason.
	InsecurePrivateNetworks []PrivateNetwork
}

// PrivateNetwork is a network that is not public and may be connected to.
type PrivateNetwork struct {
	Prefix netip.Prefix
	// InsecureReason says why requests that somebody else directs may reach it.
	InsecureReason string
}

// policy is what a Config comes to.
type policy struct {
	any      bool // every host
	names    map[string]struct{}
	suffixes map[string]struct{} // ".example.com" for *.example.com
	addrs    map[netip.Addr]struct{}
	ports    []uint16
	plain    bool // http: too
	private  []netip.Prefix
	timeout  time.Duration
	maxBody  int64
	maxHops  int
}

const (
	defaultTimeout = 10 * time.Second
	defaultMaxBody = 10 << 20
	maxHeader      = 64 << 10
)

func (cfg *Config) policy() (*policy, error) {
	p := &policy{
		any: len(cfg.AllowHosts) == 0, names: map[string]struct{}{}, suffixes: map[string]struct{}{}, addrs: map[netip.Addr]struct{}{},
		ports: slices.Clone(cfg.Ports), plain: cfg.InsecurePlainHTTP != "",
		timeout: cfg.Timeout, maxBody: cfg.MaxBody, maxHops: cfg.MaxRedirects,
	}
	var mistakes []error
	mistake := func(format string, args ...any) { mistakes = append(mistakes, fmt.Errorf(format, args...)) }
	for _, entry := range cfg.AllowHosts {
		if err := p.allow(entry); err != nil {
			mistake("AllowHosts entry %q %w", entry, err)
		}
	}
	if slices.Contains(cfg.Ports, 0) {
		mistake("Ports has 0, want 1 to 65535")
	}
	if cfg.Timeout < 0 {
		mistake("Timeout is %v, want a positive duration", cfg.Timeout)
	}
	if cfg.MaxBody < 0 {
		mistake("MaxBody is %d, want at least 1", cfg.MaxBody)
	}
	if cfg.MaxRedirects < 0 || cfg.MaxRedirects > 10 {
		mistake("MaxRedirects is %d, want 0 to 10", cfg.MaxRedirects)
	}
	for _, n := range cfg.InsecurePrivateNetworks {
		switch {
		case !n.Prefix.IsValid():
			mistake("InsecurePrivateNetworks has a network that is none, want one like 10.1.2.0/24")
		case n.Prefix.Bits() == 0:
			mistake("InsecurePrivateNetworks entry %v opens every network, want the one that is needed", n.Prefix)
		case strings.TrimSpace(n.InsecureReason) == "":
			mistake("InsecurePrivateNetworks entry %v has no InsecureReason, want why it may be reached", n.Prefix)
		}
		p.private = append(p.private, n.Prefix)
	}
	if len(mistakes) > 0 {
		return nil, fmt.Errorf("outbound config: %w", errors.Join(mistakes...))
	}
	p.fillIn()
	return p, nil
}

func (p *policy) fillIn() {
	if p.timeout == 0 {
		p.timeout = defaultTimeout
	}
	if p.maxBody == 0 {
		p.maxBody = defaultMaxBody
	}
	if len(p.ports) == 0 {
		p.ports = []uint16{443}
		if p.plain {
			p.ports = append(p.ports, 80)
		}
	}
}

// allow adds an entry of AllowHosts.
func (p *policy) allow(entry string) error {
	name, wildcard := strings.CutPrefix(entry, "*.")
	host, addr, err := parseHost(name)
	switch {
	case entry == "*":
		return errors.New("allows any host, which is the default: leave AllowHosts empty")
	case strings.Contains(entry, "://"):
		return errors.New("is a URL, want a host")
	case err != nil:
		return errors.New(`is not a host, want one like "hooks.example.com", "*.example.com" or "198.51.100.7", without a port`)
	case wildcard && addr.IsValid():
		return errors.New("is an address with a wildcard")
	case wildcard && !strings.Contains(host, "."):
		return errors.New("allows a whole top-level domain")
	case addr.IsValid():
		p.addrs[addr] = struct{}{}
	case wildcard:
		p.suffixes["."+host] = struct{}{}
	default:
		p.names[host] = struct{}{}
	}
	return nil
}

// newTransport returns the transport that makes connections. Its dialer asks the
// policy about each address after the name was looked up and before the first
// packet is sent: there is nothing in between that could answer differently.
func (p *policy) newTransport(cfg Config) *http.Transport {
	dialer := &net.Dialer{
		Timeout:        p.timeout,
		Resolver:       cfg.Resolver,
		ControlContext: p.control,
	}
	return &http.Transport{
		Proxy:                  nil, // A proxy of the environment would connect for us, unchecked.
		DialContext:            dialer.DialContext,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: cfg.RootCAs, Time: cfg.Now},
		TLSHandshakeTimeout:    p.timeout,
		ResponseHeaderTimeout:  p.timeout,
		MaxResponseHeaderBytes: maxHeader,
		MaxIdleConns:           100,
		IdleConnTimeout:        90 * time.Second,
		ForceAttemptHTTP2:      true,
		DisableCompression:     true, // The room decompresses itself, to bound what comes in as well as what comes out.
	}
}
