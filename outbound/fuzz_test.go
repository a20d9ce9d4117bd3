package outbound_test

import (
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/fastness/fastness/outbound"
)

// asC reads a host as inet_aton of a C library does: one to four numbers, in
// octal, decimal or hexadecimal, of which the last one fills what is left.
func asC(host string) (netip.Addr, bool) {
	parts := strings.Split(strings.TrimSuffix(host, "."), ".")
	if len(parts) > 4 {
		return netip.Addr{}, false
	}
	var value uint64
	for i, part := range parts {
		base, digits := 10, part
		switch {
		case strings.HasPrefix(part, "0x"), strings.HasPrefix(part, "0X"):
			base, digits = 16, part[2:]
		case len(part) > 1 && part[0] == '0':
			base, digits = 8, part[1:]
		}
		n, err := strconv.ParseUint(digits, base, 64)
		last := i == len(parts)-1
		if err != nil || !last && n > 255 || last && n>>(8*(5-len(parts))) != 0 {
			return netip.Addr{}, false
		}
		if last {
			value |= n
		} else {
			value |= n << (24 - 8*i)
		}
	}
	return netip.AddrFrom4([4]byte{byte(value >> 24), byte(value >> 16), byte(value >> 8), byte(value)}), true
}

// What passes the check is a name that nobody reads as an address, or a public
// address that everybody reads alike.
func FuzzCheck(f *testing.F) {
	for _, spelling := range spellings() {
		f.Add(strings.ReplaceAll(spelling, "PORT", "443"))
	}
	for _, host := range []string{"8.8.8.8", "[2606:4700::1]", "bücher.example", "a.example:443", "0x7f.1", "xn--a", "1.1"} {
		f.Add(host)
	}
	client, err := outbound.New(outbound.Config{})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, host string) {
		for _, u := range []*url.URL{{Scheme: "https", Host: host}, parsed(host)} {
			if u == nil || client.Check(u) != nil {
				continue
			}
			name := strings.TrimSuffix(u.Host, ":443")
			if inner, ok := strings.CutPrefix(name, "["); ok {
				addr, err := netip.ParseAddr(strings.TrimSuffix(inner, "]"))
				if addr = addr.Unmap(); err != nil || addr.Zone() != "" || !addr.IsGlobalUnicast() || addr.IsPrivate() {
					t.Errorf("%q passes", host)
				}
				continue
			}
			if strings.ContainsAny(name, "\x00\r\n\t /\\?#@:%[]<>\"'`{}|^ ,;&=+") || strings.HasSuffix(name, ".") || name == "" {
				t.Errorf("%q passes", host)
			}
			addr, isAddr := asC(name)
			if isAddr && (addr.String() != name || addr.IsLoopback() || addr.IsPrivate() || addr.IsLinkLocalUnicast() || addr.IsMulticast() || addr.IsUnspecified()) {
				t.Errorf("%q passes, and a C library reads %v", host, addr)
			}
		}
	})
}

// parsed returns the URL with that host, or nil if there is none.
func parsed(host string) *url.URL {
	u, err := url.Parse("https://" + host + "/")
	if err != nil {
		return nil
	}
	return u
}
