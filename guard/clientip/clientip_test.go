package clientip_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/fastness/fastness/guard/clientip"
)

func clients(t testing.TB, cfg clientip.Config) *clientip.Clients {
	t.Helper()
	c, err := clientip.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func request(peer string, fields ...string) *http.Request {
	r := &http.Request{RemoteAddr: peer, Header: http.Header{}}
	for i := 0; i < len(fields); i += 2 {
		r.Header.Add(fields[i], fields[i+1])
	}
	return r
}

func TestSpoofedFieldOfAStrangerIsIgnored(t *testing.T) {
	for name, c := range map[string]*clientip.Clients{
		"nobody is trusted": clients(t, clientip.Config{}),
		"others are":        clients(t, clientip.Config{Trust: []string{"10.0.0.0/8"}}),
		"others are, by Forwarded": clients(t, clientip.Config{
			Trust: []string{"10.0.0.0/8"}, Field: clientip.Forwarded,
		}),
	} {
		for i := range 10_000 {
			spoofed := fmt.Sprintf("198.51.%d.%d", i/256, i%256)
			r := request("203.0.113.7:4711", "X-Forwarded-For", spoofed, "Forwarded", "for="+spoofed+";proto=https", "X-Forwarded-Proto", "https",
				"X-Real-IP", spoofed, "True-Client-IP", spoofed, "CF-Connecting-IP", spoofed)
			got := c.Find(r)
			if got.Addr != netip.MustParseAddr("203.0.113.7") || got.TLS || !got.Ignored {
				t.Fatalf("%s: %s moves the client: %+v", name, spoofed, got)
			}
		}
	}
}

func TestFieldIsReadFromTheRight(t *testing.T) {
	c := clients(t, clientip.Config{Trust: []string{"10.0.0.0/8", "192.0.2.1", "2001:db8:1::/48"}})
	const proxy = "10.1.2.3:80"
	for _, tt := range []struct {
		name   string
		fields []string
		want   string
	}{
		{"one entry", []string{"203.0.113.7"}, "203.0.113.7"},
		{"what the client wrote before it", []string{"1.1.1.1, 8.8.8.8, 203.0.113.7"}, "203.0.113.7"},
		{"a chain of proxies", []string{"1.1.1.1, 203.0.113.7, 192.0.2.1, 10.9.9.9"}, "203.0.113.7"},
		{"the client claims to be a proxy", []string{"1.1.1.1, 10.0.0.1, 203.0.113.7, 10.9.9.9"}, "203.0.113.7"},
		{"several lines are one list", []string{"1.1.1.1", "203.0.113.7", "10.9.9.9"}, "203.0.113.7"},
		{"only proxies", []string{"10.0.0.5, 10.0.0.6"}, "10.0.0.5"},
		{"no entry", nil, "10.1.2.3"},
		{"an empty field", []string{""}, "10.1.2.3"},
		{"an empty entry at the right", []string{"203.0.113.7,"}, "10.1.2.3"},
		{"no address at the right", []string{"203.0.113.7, unknown"}, "10.1.2.3"},
		{"no address behind a proxy", []string{"203.0.113.7, _hidden, 10.9.9.9"}, "10.9.9.9"},
		{"a port", []string{"203.0.113.7:1234"}, "203.0.113.7"},
		{"IPv6", []string{"2001:db8::7"}, "2001:db8::7"},
		{"IPv6 with a port", []string{"[2001:db8::7]:1234"}, "2001:db8::7"},
		{"IPv6 in brackets", []string{"[2001:db8::7]"}, "2001:db8::7"},
		{"a proxy with IPv6", []string{"203.0.113.7, 2001:db8:1::9"}, "203.0.113.7"},
		{"IPv4 in IPv6", []string{"::ffff:203.0.113.7"}, "203.0.113.7"},
		{"a proxy as IPv4 in IPv6", []string{"203.0.113.7, ::ffff:10.0.0.1"}, "203.0.113.7"},
		{"a zone", []string{"fe80::1%eth0"}, "10.1.2.3"},
		{"octal", []string{"010.0.0.1"}, "10.1.2.3"},
		{"a number", []string{"3405803783"}, "10.1.2.3"},
		{"a name", []string{"localhost"}, "10.1.2.3"},
		{"brackets without an end", []string{"[2001:db8::7"}, "10.1.2.3"},
		{"something behind the brackets", []string{"[2001:db8::7]x"}, "10.1.2.3"},
		{"tabs and spaces", []string{"1.1.1.1,\t 203.0.113.7 \t"}, "203.0.113.7"},
		{"thousands of entries", []string{strings.Repeat("10.0.0.1,", 5000) + "10.0.0.1"}, "10.0.0.1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := request(proxy)
			if tt.fields != nil {
				r.Header["X-Forwarded-For"] = tt.fields
			}
			r.Header.Set("Forwarded", "for=6.6.6.6") // the field that this proxy passes on
			if got := c.Find(r); got.Addr.String() != tt.want || got.Ignored {
				t.Errorf("client %+v, want %s", got, tt.want)
			}
		})
	}
}

func TestForwardedIsReadFromTheRight(t *testing.T) {
	c := clients(t, clientip.Config{Trust: []string{"10.0.0.0/8"}, Field: clientip.Forwarded})
	for _, tt := range []struct {
		name, field, want string
		tls               bool
	}{
		{"one element", "for=203.0.113.7;proto=https", "203.0.113.7", true},
		{"names in another case", "For=203.0.113.7;PROTO=HTTPS", "203.0.113.7", true},
		{"a chain", "for=1.1.1.1, for=203.0.113.7;proto=https, for=10.0.0.9;proto=http", "203.0.113.7", true},
		{"a quoted IPv6 with a port", `for="[2001:db8:cafe::17]:4711";proto=http`, "2001:db8:cafe::17", false},
		{"all parameters", `by=10.0.0.9;for=203.0.113.7;host="a.example";proto=https`, "203.0.113.7", true},
		{"a quote that the client leaves open", `for=", for=203.0.113.7`, "203.0.113.7", false},
		{"a quote that the client leaves open, and closes what follows", `for="1.1.1.1, for="203.0.113.7"`, "203.0.113.7", false},
		{"a comma in quotes", `for="203.0.113.7,1.1.1.1"`, "10.1.2.3", false},
		{"a hidden client", "for=203.0.113.7, for=_gazonk", "10.1.2.3", false},
		{"unknown", "for=unknown", "10.1.2.3", false},
		{"no for", "proto=https;by=10.0.0.1", "10.1.2.3", false},
		{"for twice", "for=1.1.1.1;for=203.0.113.7", "10.1.2.3", false},
		{"proto twice", "for=1.1.1.1;proto=http;proto=https", "10.1.2.3", false},
		{"an escape", `for="203.0.113\.7"`, "10.1.2.3", false},
		{"no value", "for", "10.1.2.3", false},
		{"half a quote", `for="203.0.113.7`, "10.1.2.3", false},
		{"nothing", "", "10.1.2.3", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := request("10.1.2.3:80", "Forwarded", tt.field, "X-Forwarded-For", "6.6.6.6")
			if got := c.Find(r); got.Addr.String() != tt.want || got.TLS != tt.tls {
				t.Errorf("client %+v, want %s, TLS %v", got, tt.want, tt.tls)
			}
		})
	}
}

func TestProxySaysWhetherTheClientHasTLS(t *testing.T) {
	c := clients(t, clientip.Config{Trust: []string{"10.0.0.0/8"}})
	for _, tt := range []struct {
		name   string
		peer   string
		protos []string
		want   bool
	}{
		{"https", "10.0.0.1:1", []string{"https"}, true},
		{"http", "10.0.0.1:1", []string{"http"}, false},
		{"none", "10.0.0.1:1", nil, false},
		{"two", "10.0.0.1:1", []string{"https", "http"}, false},
		{"a stranger", "203.0.113.7:1", []string{"https"}, false},
	} {
		r := request(tt.peer)
		if tt.protos != nil {
			r.Header["X-Forwarded-Proto"] = tt.protos
		}
		if got := c.Find(r).TLS; got != tt.want {
			t.Errorf("%s: TLS is %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestNewNamesEveryMistake(t *testing.T) {
	_, err := clientip.New(clientip.Config{Trust: []string{"10.0.0.0/8", "10.0.0.1/8", "proxy.example", "0.0.0.0/0", "::/0", "", "::ffff:10.0.0.0/104"}, Field: 9})
	for _, want := range []string{"Field is 9", `"10.0.0.1/8", which has bits beyond its length; want "10.0.0.0/8"`, `"proxy.example"`, `"0.0.0.0/0", which is everybody`, `"::/0", which is everybody`, `Trust has ""`, "as IPv4"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in %v", want, err)
		}
	}
	if _, err := clientip.New(clientip.Config{Trust: []string{"0.0.0.0/0"}, InsecureTrustAny: "a private network of containers"}); err != nil {
		t.Error(err)
	}
}

func TestFindAllocatesNothing(t *testing.T) {
	c := clients(t, clientip.Config{Trust: []string{"10.0.0.0/8"}})
	r := request("10.1.2.3:80", "X-Forwarded-For", "1.1.1.1, 203.0.113.7, 10.0.0.9", "X-Forwarded-Proto", "https")
	if n := testing.AllocsPerRun(100, func() { c.Find(r) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// FuzzFind shows that nothing to the left of what the proxy appends moves the
// client.
func FuzzFind(f *testing.F) {
	for _, seed := range []string{"", "1.1.1.1", `for="`, `for="a, for=b"`, ", ,", "10.0.0.1,", `for=1.1.1.1;proto="https`, "[::1", `\"`} {
		f.Add(seed)
	}
	x := clients(f, clientip.Config{Trust: []string{"10.0.0.0/8"}})
	rfc := clients(f, clientip.Config{Trust: []string{"10.0.0.0/8"}, Field: clientip.Forwarded})
	want := netip.MustParseAddr("203.0.113.7")
	f.Fuzz(func(t *testing.T, forged string) {
		r := request("10.1.2.3:80", "X-Forwarded-For", forged+", 203.0.113.7, 10.0.0.9", "Forwarded", forged+`, for="203.0.113.7";proto=https, for=10.0.0.9`)
		if got := x.Find(r); got.Addr != want {
			t.Errorf("X-Forwarded-For: %q moves the client to %v", forged, got.Addr)
		}
		if got := rfc.Find(r); got.Addr != want || !got.TLS {
			t.Errorf("Forwarded: %q moves the client to %+v", forged, got)
		}
	})
}

func Example() {
	clients, err := clientip.New(clientip.Config{Trust: []string{"10.0.0.0/8"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	handler := clients.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		fmt.Println(clientip.From(r.Context()).Addr)
	}))
	for _, peer := range []string{"10.0.0.1:443", "203.0.113.99:5555"} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = peer
		r.Header.Set("X-Forwarded-For", "8.8.8.8, 203.0.113.7")
		handler.ServeHTTP(httptest.NewRecorder(), r)
	}
	// Output:
	// 203.0.113.7
	// 203.0.113.99
}
