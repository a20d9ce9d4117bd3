package host_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/fastness/fastness/guard/host"
	"github.com/fastness/fastness/problem"
)

func hosts(t testing.TB, cfg host.Config) *host.Hosts {
	t.Helper()
	h, err := host.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// status is what Check answers for a Host; 200 is no error.
func status(t testing.TB, h *host.Hosts, name string) int {
	t.Helper()
	return statusOf(t, h.Check(&http.Request{Host: name, URL: &url.URL{Path: "/"}}))
}

func statusOf(t testing.TB, err error) int {
	t.Helper()
	if err == nil {
		return 200
	}
	var p *problem.Problem
	if !errors.As(err, &p) {
		t.Fatalf("error %v is no problem", err)
	}
	return p.Status
}

func TestCheck(t *testing.T) {
	h := hosts(t, host.Config{Allow: []string{
		"api.example.com", "*.Tenant.example.com", "admin.example.com:8443", "tls.example.com:443", "192.0.2.1", "[2001:db8::1]:8443", "xn--bcher-kva.example",
		"two.example.com:81", "two.example.com:82", "*.p.example.com:9000",
	}})
	for _, tt := range []struct {
		name, host string
		want       int
	}{
		{"a listed name", "api.example.com", 200},
		{"any port", "api.example.com:8080", 200},
		{"another case", "API.Example.COM", 200},
		{"a final full stop", "api.example.com.", 200},
		{"a final full stop before the port", "api.example.com.:443", 200},
		{"one label for the wildcard", "a.tenant.example.com", 200},
		{"one label for the wildcard, any port", "A-1.TENANT.example.com:81", 200},
		{"two labels for the wildcard", "a.b.tenant.example.com", 421},
		{"no label for the wildcard", "tenant.example.com", 421},
		{"the listed port", "admin.example.com:8443", 200},
		{"another port", "admin.example.com:8444", 421},
		{"no port where one is listed", "admin.example.com", 421},
		{"no port stands for 443", "tls.example.com", 200},
		{"443 is 443", "tls.example.com:443", 200},
		{"the first of two ports", "two.example.com:81", 200},
		{"the second of two ports", "two.example.com:82", 200},
		{"the third of two ports", "two.example.com:83", 421},
		{"a wildcard with its port", "x.p.example.com:9000", 200},
		{"a wildcard with another port", "x.p.example.com:9001", 421},
		{"an address", "192.0.2.1:80", 200},
		{"an IPv6 address with its port", "[2001:db8::1]:8443", 200},
		{"an IPv6 address in its long form", "[2001:0DB8:0:0::0001]:8443", 200},
		{"an IPv6 address with another port", "[2001:db8::1]:1", 421},
		{"a name beyond ASCII as browsers send it", "xn--bcher-kva.example", 200},
		{"another name", "evil.example", 421},
		{"a name that ends like a listed one", "evilapi.example.com", 421},
		{"a listed name as a prefix", "api.example.com.evil.example", 421},
		{"a loopback name that is not listed", "localhost", 421},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := status(t, h, tt.host); got != tt.want {
				t.Errorf("Check(%q) = %d, want %d", tt.host, got, tt.want)
			}
		})
	}
}

func TestZeroConfigServesLoopbackOnly(t *testing.T) {
	h := hosts(t, host.Config{})
	for name, want := range map[string]int{
		"localhost": 200, "LOCALHOST:8443": 200, "localhost.": 200, "127.0.0.1:80": 200, "127.0.0.1.": 200, "[::1]:9": 200, "[0:0::1]": 200,
		"example.com": 421, "127.0.0.2": 421, "0.0.0.0": 421, "127.1": 421, "2130706433": 421, "0x7f.0.0.1": 421, "0177.0.0.1": 421,
		"[::ffff:127.0.0.1]": 421, "a.localhost": 421, "localhost.evil.example": 421, "127.0.0.1.evil.example": 421,
	} {
		if got := status(t, h, name); got != want {
			t.Errorf("Check(%q) = %d, want %d", name, got, want)
		}
	}
}

func TestMalformedHostsAreRefused(t *testing.T) {
	all := hosts(t, host.Config{InsecureAnyHost: "test of the syntax"})
	listed := hosts(t, host.Config{Allow: []string{"api.example.com"}})
	for _, name := range []string{
		"", ".", "..", "api.example.com..", ".api.example.com", "api..example.com", "user@api.example.com", "api.example.com@evil.example",
		"api.example.com/", "api.example.com/path", "api.example.com?x", "api.example.com#x", `api.example.com\evil.example`,
		"api.example.com\r\nX: y", "api.example.com\x00", "api.example.com\t", " api.example.com", "api.example.com ", "api.example.com,evil.example",
		"api.example.com:", "api.example.com:0", "api.example.com:080", "api.example.com:65536", "api.example.com:99999999999", "api.example.com:-1",
		"api.example.com:80:80", "api.example.com:http", "api.example.com:80@evil.example", "%61pi.example.com", "api.example.com%00", "api。example.com",
		"bücher.example", "api.example.com\u202e", "::1", "[::1", "[::1]x", "[::1]:", "[::1]80", "[fe80::1%25eth0]", "[fe80::1%eth0]", "[127.0.0.1]", "[]", "[", "[v1.x]",
		"*", "*.example.com", "{api}", "'api'", "<script>", strings.Repeat("a", 64) + ".example", strings.Repeat("a.", 128), strings.Repeat("a", 100_000),
	} {
		for _, h := range []*host.Hosts{all, listed} {
			if got := status(t, h, name); got != 400 {
				t.Errorf("Check(%.80q) = %d, want 400", name, got)
			}
		}
	}
	if got := status(t, all, "anything.example:1"); got != 200 {
		t.Errorf("InsecureAnyHost answers %d for a well-formed host", got)
	}
}

func TestTwoHostsThatDifferAreRefused(t *testing.T) {
	h := hosts(t, host.Config{Allow: []string{"api.example.com", "www.example.com"}})
	for _, tt := range []struct {
		name string
		r    http.Request
		want int
	}{
		{"the same host in the target", http.Request{Host: "api.example.com", URL: &url.URL{Host: "API.example.com"}}, 200},
		{"another host in the target", http.Request{Host: "api.example.com", URL: &url.URL{Host: "www.example.com"}}, 400},
		{"the same host in HTTP/2's Host field", http.Request{Host: "api.example.com", Header: http.Header{"Host": {"api.example.com"}}}, 200},
		{"another host in HTTP/2's Host field", http.Request{Host: "api.example.com", Header: http.Header{"Host": {"www.example.com"}}}, 400},
		{"two Host fields", http.Request{Host: "api.example.com", Header: http.Header{"Host": {"api.example.com", "api.example.com"}}}, 400},
	} {
		if got := statusOf(t, h.Check(&tt.r)); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
}

func TestNewNamesEveryMistake(t *testing.T) {
	_, err := host.New(host.Config{Allow: []string{
		"*", "https://api.example.com", "*.com", "*.192.0.2.1", "a b", "bücher.example", "api.example.com/", "", "x.*.example.com", "good.example.com",
	}})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		`"*" allows any host; say why`, `"https://api.example.com" is a URL`, `"*.com" allows a whole top-level domain`, `"*.192.0.2.1" is an address`,
		`"a b" is not a host`, `"bücher.example" is not a host`, `"api.example.com/" is not a host`, `"" is not a host`, `"x.*.example.com" is not a host`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in %v", want, err)
		}
	}
	if strings.Contains(err.Error(), "good.example.com") {
		t.Errorf("the right entry is named: %v", err)
	}
	if _, err := host.New(host.Config{Allow: []string{"a.example"}, InsecureAnyHost: "why"}); err == nil {
		t.Error("a list and any host at once are accepted")
	}
	if _, err := host.New(host.Config{Allow: []string{"*.localhost"}}); err != nil {
		t.Errorf("*.localhost: %v", err)
	}
}

// Over a real connection: an absolute target overrides the Host field in
// net/http, so the target's host is what must be allowed.
func TestRebindingAndAbsoluteTargetOverRealHTTP(t *testing.T) {
	h := hosts(t, host.Config{})
	server := httptest.NewServer(h.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "secret") })))
	defer server.Close()
	for _, tt := range []struct{ name, request, want string }{
		{"a rebound name", "GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n", "HTTP/1.1 421 "},
		{"a foreign absolute target", "GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", "HTTP/1.1 421 "},
		{"userinfo", "GET / HTTP/1.1\r\nHost: localhost@evil.example\r\nConnection: close\r\n\r\n", "HTTP/1.1 400 "},
		{"no host in HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", "HTTP/1.0 400 "},
		{"an empty host", "GET / HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n", "HTTP/1.1 400 "},
		{"the right host", "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", "HTTP/1.1 200 "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			conn, err := net.Dial("tcp", server.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if _, err := io.WriteString(conn, tt.request); err != nil {
				t.Fatal(err)
			}
			answer, err := io.ReadAll(conn)
			if err != nil || !strings.HasPrefix(string(answer), tt.want) || strings.Contains(string(answer), "secret") != (tt.want[9:12] == "200") {
				t.Errorf("answer %q (%v), want %s", answer, err, tt.want)
			}
			if strings.Contains(string(answer), "evil.example") {
				t.Errorf("the answer echoes the host: %q", answer)
			}
		})
	}
}

func TestAllowedHostAllocatesNothing(t *testing.T) {
	h := hosts(t, host.Config{Allow: []string{"api.example.com", "*.example.org", "[::1]"}})
	for _, name := range []string{"api.example.com", "API.example.com.:8443", "Tenant.Example.org:1", "[0::1]:80", "API.example.com"} {
		r := &http.Request{Host: name, URL: &url.URL{Path: "/"}, Header: http.Header{}}
		var err error
		if n := testing.AllocsPerRun(100, func() { err = h.Check(r) }); n != 0 || err != nil {
			t.Errorf("%s: %v allocations, %v", name, n, err)
		}
	}
}

func FuzzCheck(f *testing.F) {
	for _, seed := range []string{"localhost", "LOCALHOST:80", "[::1]:8443", "127.0.0.1.", "a@localhost", "localhost:", "x.tenant.example.com", "xn--a", "[fe80::1%1]", "a..b"} {
		f.Add(seed)
	}
	h := hosts(f, host.Config{Allow: []string{"localhost", "*.tenant.example.com:8443", "[::1]", "127.0.0.1"}})
	all := hosts(f, host.Config{InsecureAnyHost: "fuzzing"})
	f.Fuzz(func(t *testing.T, name string) {
		if status(t, all, name) == 200 {
			// What is accepted must be read the same way by net/url.
			u, err := url.Parse("http://" + name + "/")
			if err != nil || u.Host != name || u.User != nil || u.Path != "/" {
				t.Fatalf("%q is accepted, but net/url reads %+v (%v)", name, u, err)
			}
		}
		if status(t, h, name) != 200 {
			return
		}
		u, err := url.Parse("http://" + name)
		if err != nil {
			t.Fatal(err)
		}
		plain := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
		ip := net.ParseIP(plain)
		ours := plain == "localhost" || strings.HasSuffix(plain, ".tenant.example.com") && strings.Count(plain, ".") == 3 && u.Port() == "8443" ||
			ip != nil && (ip.Equal(net.IPv6loopback) || ip.Equal(net.IPv4(127, 0, 0, 1)))
		if !ours {
			t.Errorf("%q is allowed", name)
		}
	})
}

func BenchmarkCheck(b *testing.B) {
	h := hosts(b, host.Config{Allow: []string{"api.example.com"}})
	for _, name := range []string{"api.example.com", "API.example.com:443", "evil.example", "a@b"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			r := &http.Request{Host: name, URL: &url.URL{Path: "/"}, Header: http.Header{}}
			for b.Loop() {
				_ = h.Check(r) // the error is not what is measured
			}
		})
	}
}

func Example() {
	hosts, err := host.New(host.Config{Allow: []string{"api.example.com", "*.tenants.example.com"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, name := range []string{"api.example.com", "acme.tenants.example.com:8443", "evil.example", "api.example.com@evil.example"} {
		err := hosts.Check(&http.Request{Host: name})
		if err == nil {
			fmt.Println(200)
			continue
		}
		fmt.Println(problem.From(err).Status, err)
	}
	// Output:
	// 200
	// 200
	// 421 this server does not serve the host of the request
	// 400 the host of the request is missing, malformed or ambiguous
}
