package outbound

import (
	"context"
	"fmt"
	"net/netip"
	"syscall"
)

// notPublic are the IPv4 networks that are not the public internet, after the
// special-purpose registry of IANA (RFC 6890).
var notPublic = [...]netip.Prefix{
	v4(0, 0, 0, 0, 8),        // this network; Linux connects 0.0.0.0 to itself
	v4(10, 0, 0, 0, 8),       // private
	v4(100, 64, 0, 0, 10),    // carrier-grade NAT; metadata of one cloud
	v4(127, 0, 0, 0, 8),      // loopback
	v4(168, 63, 129, 16, 32), // the platform of another cloud, to its own machines
	v4(169, 254, 0, 0, 16),   // link-local; metadata of most clouds
	v4(172, 16, 0, 0, 12),    // private
	v4(192, 0, 0, 0, 24),     // protocol assignments; metadata of a third
	v4(192, 0, 2, 0, 24),     // documentation
	v4(192, 88, 99, 0, 24),   // relays of 6to4
	v4(192, 168, 0, 0, 16),   // private
	v4(198, 18, 0, 0, 15),    // benchmarks
	v4(198, 51, 100, 0, 24),  // documentation
	v4(203, 0, 113, 0, 24),   // documentation
	v4(224, 0, 0, 0, 4),      // multicast
	v4(240, 0, 0, 0, 4),      // reserved, and broadcast
}

// globalUnicast is all of IPv6 that is given to anybody. What is outside of it is
// not public: loopback, mapped and compatible IPv4, NAT64, unique local,
// link-local, site-local, multicast, discard.
var globalUnicast = [...]netip.Prefix{v6(0x2000, 0, 3)}

// notPublic6 are the parts of it that are not public.
var notPublic6 = [...]netip.Prefix{
	v6(0x2001, 0x0000, 23), // protocol assignments: Teredo, benchmarks, ORCHID
	v6(0x2001, 0x0db8, 32), // documentation
	v6(0x2002, 0x0000, 16), // 6to4, which holds an IPv4 address
	v6(0x3fff, 0x0000, 20), // documentation (RFC 9637)
}

// nat64 is the prefix behind which a translator reaches IPv4 (RFC 6052).
var nat64 = [...]netip.Prefix{netip.PrefixFrom(netip.AddrFrom16([16]byte{0, 0x64, 0xff, 0x9b}), 96)}

func v4(a, b, c, d byte, bits int) netip.Prefix {
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{a, b, c, d}), bits)
}

func v6(a, b uint16, bits int) netip.Prefix {
	return netip.PrefixFrom(netip.AddrFrom16([16]byte{byte(a >> 8), byte(a), byte(b >> 8), byte(b)}), bits)
}

func within(networks []netip.Prefix, addr netip.Addr) bool {
	for _, n := range networks {
		if n.Contains(addr) {
			return true
		}
	}
	return false
}

// public reports whether anybody on the internet could connect to addr as well.
func public(addr netip.Addr) bool {
	if addr.Is4() {
		return !within(notPublic[:], addr)
	}
	return within(globalUnicast[:], addr) && !within(notPublic6[:], addr)
}

// mayConnect returns an ErrForbiddenAddress unless addr is public or one of
// Config.InsecurePrivateNetworks. No prefix contains an address with a zone, nor
// an IPv4 address in IPv6, so both are refused.
func (p *policy) mayConnect(addr netip.Addr) error {
	if public(addr) {
		return nil
	}
	if !within(p.private, addr) {
		return fmt.Errorf("%v: %w", addr, ErrForbiddenAddress)
	}
	if nat64[0].Contains(addr) { // Who allows the translator has not allowed what is behind it.
		bytes := addr.As16()
		return p.mayConnect(netip.AddrFrom4([4]byte(bytes[12:])))
	}
	return nil
}

// control is called by the dialer with the address that it is about to connect to.
func (p *policy) control(_ context.Context, network, address string, _ syscall.RawConn) error {
	target, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%s %s: %w", network, address, ErrForbiddenAddress)
	}
	return p.mayConnect(target.Addr())
}
