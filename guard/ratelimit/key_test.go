package ratelimit_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/guard/ratelimit"
)

func from(addr string) ratelimit.Caller {
	c := ratelimit.Caller{Request: httptest.NewRequest("GET", "/", nil)}
	if addr != "" {
		c.Addr = netip.MustParseAddr(addr)
	}
	return c
}

func (c callers) with(user *auth.User) ratelimit.Caller {
	d := from(string(c))
	d.User = user
	return d
}

type callers string

func keyOf(k ratelimit.Key, c ratelimit.Caller) string { return string(k(nil, c)) }

func TestOneIPv6NetworkIsOneClient(t *testing.T) {
	first := keyOf(ratelimit.ByClient, from("2001:db8:1:2::1"))
	for i := range 1000 {
		if addr := fmt.Sprintf("2001:db8:1:2:%x::%x", i, i*7+1); keyOf(ratelimit.ByClient, from(addr)) != first {
			t.Fatalf("%s is another client than 2001:db8:1:2::1", addr)
		}
	}
	if keyOf(ratelimit.ByClient, from("2001:db8:1:3::1")) == first {
		t.Error("another /64 is the same client")
	}
}

func TestAMappedAddressIsTheIPv4Client(t *testing.T) {
	want := keyOf(ratelimit.ByClient, from("192.0.2.7"))
	if keyOf(ratelimit.ByClient, from("::ffff:192.0.2.7")) != want || keyOf(ratelimit.ByClient, from("::ffff:c000:0207")) != want {
		t.Error("::ffff:192.0.2.7 is not 192.0.2.7")
	}
	// Were it cut to its /64, all of IPv4 would be one client.
	if keyOf(ratelimit.ByClient, from("::ffff:192.0.2.8")) == want {
		t.Error("all mapped addresses are one client")
	}
}

func TestAZoneIsNoOtherClient(t *testing.T) {
	if keyOf(ratelimit.ByClient, from("fe80::1%eth0")) != keyOf(ratelimit.ByClient, from("fe80::1%eth1")) {
		t.Error("a zone makes another client")
	}
}

func TestForwardedForDoesNotMoveTheKey(t *testing.T) {
	l := limiter(t, ratelimit.Config{Rule: ratelimit.Per("5/minute")})
	h := l.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	allowed := 0
	for i := range 10_000 {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("X-Forwarded-For", fmt.Sprintf("198.51.%d.%d", i/256, i%256))
		r.Header.Set("Forwarded", fmt.Sprintf("for=198.51.%d.%d", i/256, i%256))
		r.Header.Set("X-Real-IP", fmt.Sprintf("198.51.%d.%d", i/256, i%256))
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, r); w.Code == 200 {
			allowed++
		}
	}
	if allowed != 5 {
		t.Errorf("%d of 10,000 with made-up addresses are allowed, want 5", allowed)
	}
}

func TestKeysTellCallersApart(t *testing.T) {
	anna, ben := &auth.User{ID: "anna"}, &auth.User{ID: "ben"}
	app := func(id, client string) *auth.User { return &auth.User{ID: id, Client: client} }
	header := func(values ...string) ratelimit.Caller {
		c := from("192.0.2.1")
		c.Request.Header["X-Tenant"] = values
		return c
	}
	here, there := callers("192.0.2.1"), callers("192.0.2.2")
	byHeader := ratelimit.ByHeader("x-tenant")
	for _, tt := range []struct {
		name string
		key  ratelimit.Key
		a, b ratelimit.Caller
		same bool
	}{
		{"by client: one address", ratelimit.ByClient, here.with(anna), here.with(ben), true},
		{"by client: two addresses", ratelimit.ByClient, here.with(anna), there.with(anna), false},
		{"by client: none", ratelimit.ByClient, from(""), from(""), true},
		{"by user: one user in two places", ratelimit.ByUser, here.with(anna), there.with(anna), true},
		{"by user: two at one address", ratelimit.ByUser, here.with(anna), here.with(ben), false},
		{"by user: nobody is the client", ratelimit.ByUser, here.with(nil), there.with(nil), false},
		{"by user: no id is the client", ratelimit.ByUser, here.with(&auth.User{}), there.with(&auth.User{}), false},
		{"by key: two keys of one user", ratelimit.ByAPIKey, here.with(app("anna", "k1")), here.with(app("anna", "k2")), false},
		{"by key: one key in two places", ratelimit.ByAPIKey, here.with(app("anna", "k1")), there.with(app("anna", "k1")), true},
		{"by key: one OAuth client of two users", ratelimit.ByAPIKey, here.with(app("anna", "shop")), here.with(app("ben", "shop")), false},
		{"by key: client and user run together", ratelimit.ByAPIKey, here.with(app("ben", "a")), here.with(app("n", "abe")), false},
		{"by key: no key is the user", ratelimit.ByAPIKey, here.with(anna), there.with(anna), true},
		{"by key: nobody is the client", ratelimit.ByAPIKey, here.with(nil), there.with(nil), false},
		{"by header", byHeader, header("a"), header("b"), false},
		{"by header: absent is the client", byHeader, header(), here.with(nil), true},
		{"by header: empty is the client", byHeader, header(""), here.with(nil), true},
		{"by header: two are the client", byHeader, header("a", "b"), here.with(nil), true},
		{"by header: too long is the client", byHeader, header(strings.Repeat("a", 257)), here.with(nil), true},
		{"by header: the longest", byHeader, header(strings.Repeat("a", 256)), here.with(nil), false},
		{"by two: the same", ratelimit.By(ratelimit.ByUser, ratelimit.ByClient), here.with(anna), here.with(anna), true},
		{"by two: one differs", ratelimit.By(ratelimit.ByUser, ratelimit.ByClient), here.with(anna), there.with(anna), false},
		{"by none is by client", ratelimit.By(), here.with(nil), there.with(nil), true},
		{"by nil is by client", ratelimit.By(nil), here.with(nil), there.with(nil), false},
	} {
		if a, b := keyOf(tt.key, tt.a), keyOf(tt.key, tt.b); (a == b) != tt.same {
			t.Errorf("%s: keys %q and %q", tt.name, a, b)
		}
	}
}

// TestPartsOfAKeyCannotBeMoved: with parts that are only joined, who can choose
// one of them could move its border.
func TestPartsOfAKeyCannotBeMoved(t *testing.T) {
	text := func(s string) ratelimit.Key {
		return func(b []byte, _ ratelimit.Caller) []byte { return append(b, s...) }
	}
	seen := map[string]string{}
	for _, parts := range [][]string{{"ab", "c"}, {"a", "bc"}, {"abc"}, {"a", "b", "c"}, {"a\x00", "bc"}, {"a", "\x00bc"}, {"a\x00\x00\x00\x02bc"}} {
		keys := make([]ratelimit.Key, len(parts))
		for i, p := range parts {
			keys[i] = text(p)
		}
		k, name := keyOf(ratelimit.By(keys...), from("192.0.2.1")), fmt.Sprintf("%q", parts)
		if other, ok := seen[k]; ok {
			t.Errorf("%s and %s have one key", name, other)
		}
		seen[k] = name
	}
}

// TestAnEmptyKeyIsNotUnlimited: some limiters do not count callers whose key is
// empty.
func TestAnEmptyKeyIsNotUnlimited(t *testing.T) {
	for name, key := range map[string]ratelimit.Key{
		"nothing":          func(b []byte, _ ratelimit.Caller) []byte { return b },
		"nil":              func([]byte, ratelimit.Caller) []byte { return nil },
		"nothing of two":   ratelimit.By(func(b []byte, _ ratelimit.Caller) []byte { return b }),
		"cut":              func(b []byte, _ ratelimit.Caller) []byte { return b[:0] },
		"a header, absent": ratelimit.ByHeader("X-Key"),
	} {
		l := limiter(t, ratelimit.Config{Rule: ratelimit.Per("2/minute", key)})
		for i, want := range []int{200, 200, 429} {
			if got := status(l, from("192.0.2.1")); got != want {
				t.Errorf("%s: request %d: %d, want %d", name, i+1, got, want)
			}
		}
		if got := status(l, from("192.0.2.2")); got != 200 {
			t.Errorf("%s: another client: %d", name, got)
		}
	}
}

// TestACustomKeyCannotBeAnothersFallback: what an application makes a key of may
// be the caller's text.
func TestACustomKeyCannotBeAnothersFallback(t *testing.T) {
	key := func(b []byte, c ratelimit.Caller) []byte { return append(b, c.Request.Header.Get("X-Key")...) }
	l := limiter(t, ratelimit.Config{Rule: ratelimit.Per("1/minute", key)})
	victim, attacker := from("49.50.51.52"), from("192.0.2.1")
	attacker.Request.Header.Set("X-Key", "41234") // What ByClient writes for 49.50.51.52.
	if got := keyOf(ratelimit.ByClient, victim); got != "41234" {
		t.Fatalf("ByClient writes %q: this test attacks nothing", got)
	}
	if status(l, attacker) != 200 || status(l, victim) != 200 {
		t.Error("the attacker spent the victim's budget")
	}
}
