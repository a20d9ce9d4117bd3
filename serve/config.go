package serve

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fastness/fastness/guard/framing"
)

// Config configures a [Server]. The zero value with a DataDir is HTTPS on loopback
// with a development certificate. No time limit can be turned off: a handler that
// streams for longer extends its own with http.ResponseController.
type Config struct {
	// Addr is the TCP address to listen on. The default is "127.0.0.1:8443".
	Addr string
	// TLSCert and TLSKey are PEM files with the certificate chain, leaf first, and
	// its private key. They are read again when they change. Without them a
	// development certificate is made.
	TLSCert, TLSKey string
	// ClientCAs are PEM files with the certificates of authorities and no keys. If
	// there are any, the server asks for client certificates and takes those that
	// one of these authorities has signed for client authentication; a connection
	// with another one is refused, one without is not. They are read again when they
	// change, and hold for new connections. Who a certificate belongs to is for
	// auth.ClientCertificate to say.
	ClientCAs []string
	// RequireClientCertificate refuses connections without a client certificate,
	// for a service that nobody but other services calls.
	RequireClientCertificate bool
	// DataDir is the folder in which the development certificate and its
	// authority live, in "dev-ca".
	DataDir string
	// PlainHTTP serves HTTP/1 without TLS. It is allowed on loopback only, for a
	// proxy on the same machine that ends TLS.
	PlainHTTP bool
	// InsecurePlainHTTP, if not empty, says why HTTP may be served without TLS on
	// whatever address. It implies PlainHTTP.
	InsecurePlainHTTP string
	// InsecureDevelopmentCertificate, if not empty, says why the development
	// certificate, which is valid for localhost only, may be served on an address
	// that is not loopback.
	InsecureDevelopmentCertificate string

	// ReadHeaderTimeout limits the TLS handshake and, again, each request head.
	// The default is 5 seconds.
	ReadHeaderTimeout time.Duration
	// ReadTimeout limits reading a request with its body. The default is 30 seconds.
	ReadTimeout time.Duration
	// WriteTimeout limits a request from the end of its head to the end of the
	// answer. The default is 60 seconds.
	WriteTimeout time.Duration
	// IdleTimeout limits how long a connection may wait for its next request. The
	// default is 60 seconds.
	IdleTimeout time.Duration
	// DrainDelay is how long the server goes on accepting connections after
	// [Server.Draining] turned true, for a load balancer to take notice. It is
	// part of the grace period. The default is 0.
	DrainDelay time.Duration
	// GracePeriod is how long requests may take to finish after the server was
	// told to stop. The default is 15 seconds.
	GracePeriod time.Duration
	// MaxConns limits the open connections, those in a handshake and those of
	// other protocols included. More wait in the kernel. The default is 10,000.
	MaxConns int

	// RedirectAddr, if not empty, is the TCP address of a second listener, without
	// TLS, for people who type an address without "https://": usually port 80. It
	// serves nothing: Redirect answers there. Its limits are its own and not to be
	// set: one request a connection, a head of 8 KiB after a target of 4 KiB, within
	// 5 seconds, and 1024 connections. It stops when the server does. The default is
	// none; plain HTTP gets no answer then.
	RedirectAddr string
	// Redirect answers at RedirectAddr. It is required there.
	Redirect *Redirect

	// Framing sets the limits of request heads, those of HTTP/2 included. Its
	// HeadTimeout defaults to ReadHeaderTimeout.
	Framing framing.Config
	// Logger is told what goes wrong. The default is slog.Default().
	Logger *slog.Logger
	// Ready, if not nil, is called once when the server listens on addr.
	Ready func(addr net.Addr)
	// OnDrain, if not nil, is called once after [Server.Draining] turned true. It
	// is the place to tell WebSockets to end; it must not wait for them.
	OnDrain func()
}

func (cfg Config) withDefaults() Config {
	setDefault(&cfg.Addr, "127.0.0.1:8443")
	setDefault(&cfg.ReadHeaderTimeout, 5*time.Second)
	setDefault(&cfg.ReadTimeout, 30*time.Second)
	setDefault(&cfg.WriteTimeout, 60*time.Second)
	setDefault(&cfg.IdleTimeout, 60*time.Second)
	setDefault(&cfg.GracePeriod, 15*time.Second)
	setDefault(&cfg.MaxConns, 10_000)
	setDefault(&cfg.Framing.HeadTimeout, cfg.ReadHeaderTimeout)
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	cfg.PlainHTTP = cfg.PlainHTTP || cfg.InsecurePlainHTTP != ""
	return cfg
}

func setDefault[T comparable](field *T, value T) {
	if *field == *new(T) {
		*field = value
	}
}

func (cfg Config) validate() error {
	mistakes := []error{validateAddr("Addr", cfg.Addr), cfg.validateTLS(), cfg.validateRedirect()}
	for _, limit := range [...]struct {
		name  string
		value time.Duration
		least time.Duration
	}{
		{"ReadHeaderTimeout", cfg.ReadHeaderTimeout, 1},
		{"ReadTimeout", cfg.ReadTimeout, 1},
		{"WriteTimeout", cfg.WriteTimeout, 1},
		{"IdleTimeout", cfg.IdleTimeout, 1},
		{"GracePeriod", cfg.GracePeriod, 1},
		{"DrainDelay", cfg.DrainDelay, 0},
	} {
		if limit.value < limit.least {
			mistakes = append(mistakes, fmt.Errorf("%s is %v, want a time limit", limit.name, limit.value))
		}
	}
	if cfg.DrainDelay > 0 && cfg.DrainDelay >= cfg.GracePeriod {
		mistakes = append(mistakes, fmt.Errorf("DrainDelay is %v, want less than GracePeriod, which is %v", cfg.DrainDelay, cfg.GracePeriod))
	}
	if cfg.MaxConns < 1 {
		mistakes = append(mistakes, fmt.Errorf("MaxConns is %d, want at least 1", cfg.MaxConns))
	}
	return errors.Join(mistakes...)
}

func validateAddr(field, addr string) error {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf(`%s is not an address, want a form like "127.0.0.1:8443"`, field)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("the port of %s is not a number from 0 to 65535", field)
	}
	return nil
}

func (cfg Config) validateRedirect() error {
	if cfg.RedirectAddr == "" {
		return nil
	}
	mistakes := []error{validateAddr("RedirectAddr", cfg.RedirectAddr)}
	mistake := func(wrong bool, text string) {
		if wrong {
			mistakes = append(mistakes, errors.New(text))
		}
	}
	mistake(cfg.Redirect == nil, "RedirectAddr is set and Redirect is nil, want one made by NewRedirect")
	mistake(cfg.PlainHTTP, "RedirectAddr is set although plain HTTP is to be served, so there is no HTTPS to redirect to")
	mistake(cfg.RedirectAddr == cfg.Addr && !strings.HasSuffix(cfg.Addr, ":0"), "RedirectAddr is that of the HTTPS listener, want another port")
	mistake(!cfg.PlainHTTP && cfg.TLSCert == "" && cfg.InsecureDevelopmentCertificate == "" && !isLoopback(cfg.RedirectAddr),
		"RedirectAddr is not loopback and the certificate is for this machine only, want a certificate or a reason in InsecureDevelopmentCertificate")
	return errors.Join(mistakes...)
}

func (cfg Config) validateTLS() error {
	files := cfg.TLSCert != "" || cfg.TLSKey != ""
	loopback := isLoopback(cfg.Addr)
	var mistakes []error
	mistake := func(wrong bool, text string) {
		if wrong {
			mistakes = append(mistakes, errors.New(text))
		}
	}
	mistake(files && (cfg.TLSCert == "" || cfg.TLSKey == ""), "of TLSCert and TLSKey one is empty, want both or none")
	mistake(files && cfg.PlainHTTP, "TLSCert or TLSKey is set although plain HTTP is to be served, want one of them")
	mistake(cfg.PlainHTTP && !loopback && cfg.InsecurePlainHTTP == "",
		"PlainHTTP is set and Addr is not loopback, want TLS or a reason in InsecurePlainHTTP")
	mistake(len(cfg.ClientCAs) > 0 && cfg.PlainHTTP, "ClientCAs is set although plain HTTP is to be served, which has no client certificates")
	mistake(slices.Contains(cfg.ClientCAs, ""), "ClientCAs has an empty name, want names of files")
	mistake(cfg.RequireClientCertificate && len(cfg.ClientCAs) == 0,
		"RequireClientCertificate is set and ClientCAs is empty, want the authorities to trust")
	development := !files && !cfg.PlainHTTP
	mistake(development && cfg.DataDir == "",
		"DataDir is empty, want a folder for the development certificate, or TLSCert and TLSKey")
	mistake(development && !loopback && cfg.InsecureDevelopmentCertificate == "",
		"TLSCert is empty and Addr is not loopback, want a certificate or a reason in InsecureDevelopmentCertificate")
	return errors.Join(mistakes...)
}

// isLoopback reports whether addr, host and port, can only be reached from this
// machine. Names other than localhost are not trusted to stay where they are.
func isLoopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}
