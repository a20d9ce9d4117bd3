// Package host refuses requests for hosts that the server does not serve.
//
// Without it, two attacks work on a default net/http server. In DNS rebinding a
// page of evil.example points its own name at the server's address and reads
// the answers as same-origin, also on a laptop and behind a firewall. And an
// application that builds a link from the Host header mails a password-reset
// link that leads to the attacker. Both send a host that the server never had.
//
//	hosts, err := host.New(host.Config{Allow: []string{"api.example.com"}})
//	server.Handler = hosts.Handler(mux)
//
// A well-formed host that is not allowed is answered 421 (RFC 9110 section
// 15.5.20), a malformed one 400. The zero Config allows the loopback names only.
package host

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/fastness/fastness/problem"
)

// Config configures a [Hosts]. The zero value is the secure choice.
type Config struct {
	// Allow lists the hosts that the server serves:
	//
	//	api.example.com       this name, on any port
	//	api.example.com:8443  this name, on this port
	//	*.example.com         any one label before example.com, not example.com
	//	192.0.2.1  [2001:db8::1]  an address
	//
	// Case and a final full stop make no difference. A request without a port
	// is one for port 80 or 443. Names beyond ASCII are written as the browser
	// sends them: "xn--…".
	//
	// The default is localhost, 127.0.0.1 and [::1] on any port.
	Allow []string
	// InsecureAnyHost, if not empty, says why every well-formed host is served.
	// Links must then never be built from the request.
	InsecureAnyHost string
}

// Hosts decides which hosts are served. It is safe for concurrent use.
type Hosts struct {
	any       bool
	exact     map[string]struct{} // as configured, for hosts that need no work
	names     map[string][]uint16 // the ports of a name; none is any port
	wildcards map[string][]uint16 // ".example.com" for *.example.com
	addrs     map[netip.Addr][]uint16
}

// New returns the hosts, or an error that names every mistake in cfg.
func New(cfg Config) (*Hosts, error) {
	h := &Hosts{
		any:   cfg.InsecureAnyHost != "",
		exact: map[string]struct{}{}, names: map[string][]uint16{}, wildcards: map[string][]uint16{}, addrs: map[netip.Addr][]uint16{},
	}
	if h.any {
		if len(cfg.Allow) > 0 {
			return nil, errors.New("host config: Allow and InsecureAnyHost contradict each other")
		}
		return h, nil
	}
	allow := cfg.Allow
	if len(allow) == 0 {
		allow = []string{"localhost", "127.0.0.1", "[::1]"}
	}
	var mistakes []error
	for _, entry := range allow {
		if err := h.allow(entry); err != nil {
			mistakes = append(mistakes, fmt.Errorf("Allow entry %q %w", entry, err))
		}
	}
	if len(mistakes) > 0 {
		return nil, fmt.Errorf("host config: %w", errors.Join(mistakes...))
	}
	return h, nil
}

func (h *Hosts) allow(entry string) error {
	name, wildcard := strings.CutPrefix(entry, "*.")
	var buf [maxHost]byte
	parsed, ok := parse(&buf, name)
	switch {
	case entry == "*":
		return errors.New("allows any host; say why in InsecureAnyHost")
	case strings.Contains(entry, "://"):
		return errors.New("is a URL, want a host")
	case !ok:
		return errors.New(`is not a host, want one like "api.example.com", "*.example.com" or "[2001:db8::1]:8443"`)
	case wildcard && parsed.addr.IsValid():
		return errors.New("is an address with a wildcard")
	case wildcard && strings.IndexByte(string(parsed.name), '.') < 0 && string(parsed.name) != "localhost":
		return errors.New("allows a whole top-level domain")
	}
	switch {
	case parsed.addr.IsValid():
		h.addrs[parsed.addr] = addPort(h.addrs, parsed.addr, parsed.port)
	case wildcard:
		suffix := "." + string(parsed.name)
		h.wildcards[suffix] = addPort(h.wildcards, suffix, parsed.port)
	default:
		h.names[string(parsed.name)] = addPort(h.names, string(parsed.name), parsed.port)
	}
	if !wildcard {
		h.exact[entry] = struct{}{}
	}
	return nil
}

// addPort returns the ports of key with one more; port 0 makes it any port.
func addPort[K comparable](m map[K][]uint16, key K, port uint16) []uint16 {
	ports, known := m[key]
	if port == 0 || known && len(ports) == 0 {
		return nil
	}
	return append(ports, port)
}

// Check returns a [*problem.Problem] unless r is for an allowed host. It looks
// at everything that may name one: r.Host, the host of a request target in
// absolute form and, in HTTP/2, a Host field beside :authority. Two that differ
// are refused (RFC 9112 section 3.2.2, RFC 9113 section 8.3.1): a proxy may have
// looked at the other one.
func (h *Hosts) Check(r *http.Request) error {
	if r.URL != nil && r.URL.Host != "" && r.URL.Host != r.Host && !strings.EqualFold(r.URL.Host, r.Host) {
		return malformed()
	}
	if field := r.Header["Host"]; len(field) > 0 && (len(field) > 1 || !strings.EqualFold(field[0], r.Host)) {
		return malformed()
	}
	if _, ok := h.exact[r.Host]; ok {
		return nil
	}
	var buf [maxHost]byte
	parsed, ok := parse(&buf, r.Host)
	switch {
	case !ok:
		return malformed()
	case !h.any && !h.serves(parsed):
		return problem.New(http.StatusMisdirectedRequest, "this server does not serve the host of the request").Named("unknown_host")
	}
	return nil
}

func malformed() error {
	return problem.New(http.StatusBadRequest, "the host of the request is missing, malformed or ambiguous").Named("malformed_host")
}

func (h *Hosts) serves(p parsed) bool {
	if p.addr.IsValid() {
		ports, ok := h.addrs[p.addr]
		return ok && allows(ports, p.port)
	}
	if ports, ok := h.names[string(p.name)]; ok && allows(ports, p.port) {
		return true
	}
	for i, c := range p.name {
		if c == '.' { // Only the first label may vary.
			ports, ok := h.wildcards[string(p.name[i:])]
			return ok && allows(ports, p.port)
		}
	}
	return false
}

func allows(ports []uint16, port uint16) bool {
	switch {
	case len(ports) == 0:
		return true
	case port == 0: // Who ended TLS is unknown, so both default ports may be meant.
		return slices.Contains(ports, 443) || slices.Contains(ports, 80)
	}
	return slices.Contains(ports, port)
}

// Handler refuses requests for other hosts.
func (h *Hosts) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := h.Check(r); err != nil {
			problem.Write(w, problem.From(err))
			return
		}
		next.ServeHTTP(w, r)
	})
}
