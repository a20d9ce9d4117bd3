package main

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// fence is no defence of the shop, but of who runs it: a page that is open in their
// browser could send requests to loopback, and this program runs commands. Browsers
// say in Sec-Fetch-Site where a request comes from, and no page can change that. Who
// sends no such header is no browser, and has the machine anyway. Names that nobody
// can register, as evil.example, pass: a scanner plays an attacker's page with them.
func fence(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		site := r.Header.Get("Sec-Fetch-Site")
		if site == "" || ((site == "same-origin" || site == "none") && harmless(r.Host)) {
			next.ServeHTTP(w, r)
			return
		}
		if origin, err := url.Parse(r.Header.Get("Origin")); err == nil && origin.Host != "" && harmless(origin.Host) && !loopback(origin.Host) {
			next.ServeHTTP(w, r)
			return
		}
		http.Error(w, "leaky answers no pages of other sites: it is too dangerous for that", http.StatusForbidden)
	})
}

// harmless reports whether no stranger can own the name.
func harmless(host string) bool {
	if loopback(host) {
		return true
	}
	name := strings.TrimSuffix(strings.ToLower(hostname(host)), ".")
	for _, end := range []string{"example", "test", "invalid", "localhost", "example.com", "example.org", "example.net"} {
		if name == end || strings.HasSuffix(name, "."+end) {
			return true
		}
	}
	return false
}

func loopback(host string) bool {
	name := hostname(host)
	ip, err := netip.ParseAddr(strings.Trim(name, "[]"))
	return name == "localhost" || err == nil && ip.IsLoopback()
}

func hostname(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	return host
}
