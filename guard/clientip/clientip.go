// Package clientip finds out which client a request comes from, behind proxies
// that the operator trusts and nobody else.
//
//	clients, err := clientip.New(clientip.Config{Trust: []string{"10.0.0.0/8"}})
//	server.Handler = clients.Handler(mux)
//	addr := clientip.From(r.Context()).Addr
//
// By default nothing is trusted and the client is the other end of the
// connection. The field X-Forwarded-For is written by whoever feels like it: a
// limit or a log that believes its first entry can be walked around with one
// header line. Here a connection that does not come from a trusted proxy has its
// fields ignored; one that does has them read from the right, where the nearest
// proxy wrote, to the left, for as long as each entry is a trusted proxy itself.
// The first one that is not is the client. What stands to the left of it is the
// client's own writing.
//
// An entry that is no address ends the walk: the client is then the proxy that
// wrote it, which is too coarse and never forged.
package clientip

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
)

// Config configures [Clients]. The zero value trusts nobody.
type Config struct {
	// Trust are the networks and addresses of the proxies: "10.0.0.0/8",
	// "2001:db8::7".
	Trust []string
	// Field is the header field in which they say whom they speak for. The
	// default is X-Forwarded-For. Proxies that write one of the two pass the other
	// on as the client sent it, so only one can be believed.
	Field Field
	// InsecureTrustAny, if not empty, says why every peer may say whom it speaks
	// for. Without it a network such as 0.0.0.0/0 is refused.
	InsecureTrustAny string
}

// Field is a header field in which proxies say whom they speak for.
type Field int

const (
	// XForwardedFor is a list of addresses; X-Forwarded-Proto says whether the
	// client's connection had TLS.
	XForwardedFor Field = iota
	// Forwarded is the field of RFC 7239.
	Forwarded
)

// Clients finds clients. It is safe for concurrent use.
type Clients struct {
	trust []netip.Prefix
	field Field
}

// Client is where a request comes from.
type Client struct {
	// Addr is the client's address, without a zone and never IPv4 in IPv6. It is
	// the zero Addr if the connection has none.
	Addr netip.Addr
	// TLS says that the client's connection is encrypted: the one that came here,
	// or the one to the proxy that says so.
	TLS bool
	// Ignored says that the request has a field that would have named another
	// client, had its sender been trusted.
	Ignored bool
}

// New returns the clients, or an error that names every mistake in cfg.
func New(cfg Config) (*Clients, error) {
	c := &Clients{field: cfg.Field}
	var mistakes []error
	if cfg.Field != XForwardedFor && cfg.Field != Forwarded {
		mistakes = append(mistakes, fmt.Errorf("Field is %d, want XForwardedFor or Forwarded", cfg.Field))
	}
	for _, text := range cfg.Trust {
		prefix, err := parsePrefix(text)
		switch {
		case err != nil:
			mistakes = append(mistakes, err)
		case prefix.Bits() == 0 && cfg.InsecureTrustAny == "":
			mistakes = append(mistakes, fmt.Errorf("Trust has %q, which is everybody; say why in InsecureTrustAny", text))
		default:
			c.trust = append(c.trust, prefix)
		}
	}
	if cfg.InsecureTrustAny != "" {
		c.trust = append(c.trust, netip.PrefixFrom(netip.IPv4Unspecified(), 0), netip.PrefixFrom(netip.IPv6Unspecified(), 0))
	}
	if len(mistakes) > 0 {
		return nil, fmt.Errorf("clientip config: %w", errors.Join(mistakes...))
	}
	return c, nil
}

// parsePrefix reads a network or an address.
func parsePrefix(text string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(text); err == nil && addr.Zone() == "" {
		addr = addr.Unmap()
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	prefix, err := netip.ParsePrefix(text)
	switch {
	case err != nil:
		return prefix, fmt.Errorf("Trust has %q, want a network such as 10.0.0.0/8 or an address", text)
	case prefix.Masked() != prefix:
		return prefix, fmt.Errorf("Trust has %q, which has bits beyond its length; want %q", text, prefix.Masked())
	case prefix.Addr().Is4In6():
		return prefix, fmt.Errorf("Trust has %q, want the network as IPv4", text)
	}
	return prefix, nil
}

// Trusted reports whether addr is one of the proxies.
func (c *Clients) Trusted(addr netip.Addr) bool {
	for _, p := range c.trust {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

// Find returns the client of r. It allocates nothing.
func (c *Clients) Find(r *http.Request) Client {
	client := Client{Addr: Peer(r), TLS: r.TLS != nil}
	if len(c.trust) == 0 || !c.Trusted(client.Addr) {
		client.Ignored = len(r.Header["X-Forwarded-For"]) > 0 || len(r.Header["Forwarded"]) > 0
		return client
	}
	if c.field == Forwarded {
		return c.walkForwarded(client, r.Header["Forwarded"])
	}
	if protos := r.Header["X-Forwarded-Proto"]; len(protos) == 1 {
		client.TLS = strings.EqualFold(protos[0], "https")
	}
	return c.walkAddresses(client, r.Header["X-Forwarded-For"])
}

// walkAddresses goes through X-Forwarded-For from the right.
func (c *Clients) walkAddresses(client Client, fields []string) Client {
	for i := len(fields) - 1; i >= 0; i-- {
		for list, more := fields[i], true; more; {
			var entry string
			list, entry, more = lastItem(list)
			addr, ok := parseNode(entry)
			if !ok {
				return client
			}
			if client.Addr = addr; !c.Trusted(addr) {
				return client
			}
		}
	}
	return client
}

// lastItem cuts the last item off a list.
func lastItem(list string) (rest, item string, more bool) {
	i := strings.LastIndexByte(list, ',')
	if i < 0 {
		return "", strings.Trim(list, " \t"), false
	}
	return list[:i], strings.Trim(list[i+1:], " \t"), true
}

// parseNode reads an address with or without a port (RFC 7239 section 6). A name
// that hides one, "unknown" or "_gazonk", is no address.
func parseNode(s string) (netip.Addr, bool) {
	if strings.HasPrefix(s, "[") {
		inner, port, ok := strings.Cut(s[1:], "]")
		if !ok || port != "" && port[0] != ':' {
			return netip.Addr{}, false
		}
		s = inner
	} else if host, _, ok := strings.Cut(s, ":"); ok && strings.Count(s, ":") == 1 {
		s = host
	}
	addr, err := netip.ParseAddr(s)
	if err != nil || addr.Zone() != "" {
		return netip.Addr{}, false
	}
	return addr.Unmap(), true
}

// Peer returns the address at the other end of the connection of r, without a
// zone and never IPv4 in IPv6.
func Peer(r *http.Request) netip.Addr {
	addr, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return addr.Addr().Unmap().WithZone("")
}

type key struct{}

// With returns a context in which [From] finds client.
func With(ctx context.Context, client Client) context.Context {
	return context.WithValue(ctx, key{}, client)
}

// From returns the client of the request that ctx belongs to, or the zero Client.
func From(ctx context.Context) Client {
	client, _ := ctx.Value(key{}).(Client)
	return client
}

// Handler finds the client before next runs; there, [From] returns it.
func (c *Clients) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(With(r.Context(), c.Find(r))))
	})
}
