package outbound_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fastness/fastness/outbound"
)

// canary listens on every address of this machine, and counts who connects.
type canary struct {
	port  uint16
	count atomic.Int64
}

func newCanary(t *testing.T) *canary {
	t.Helper()
	l, err := net.Listen("tcp", ":0") // Both families.
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	c := &canary{port: uint16(l.Addr().(*net.TCPAddr).Port)}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return // The test is over.
			}
			c.count.Add(1)
			conn.Close()
		}
	}()
	return c
}

// wantSilence fails if anybody has connected. A connection of its own, which
// must arrive, shows that the canary is alive and has seen what came before.
func (c *canary) wantSilence(t *testing.T) {
	t.Helper()
	conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", c.port))
	if err != nil {
		t.Fatal(err)
	}
	_, _ = conn.Read(make([]byte, 1)) // The canary hangs up.
	conn.Close()
	if n := c.count.Load(); n != 1 {
		t.Errorf("the canary saw %d connections", n-1)
	}
}

func newClient(t testing.TB, cfg outbound.Config) *outbound.Client {
	t.Helper()
	client, err := outbound.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.CloseIdleConnections)
	return client
}

// spellings are hosts of URLs that lead inside, as attackers write them. The
// port of the canary is put in the place of PORT.
func spellings() []string {
	return []string{
		// loopback
		"127.0.0.1:PORT", "127.0.0.2:PORT", "127.127.127.127:PORT", "127.255.255.254:PORT", "localhost:PORT", "LOCALHOST:PORT", "localhost.:PORT",
		"127.0.0.1.:PORT", "[::1]:PORT", "[0:0:0:0:0:0:0:1]:PORT", "[0000::0001]:PORT", "0.0.0.0:PORT", "0:PORT", "[::]:PORT", "[::%25lo]:PORT", "[::1%25lo]:PORT",
		// other bases, fewer parts, more zeros
		"2130706433:PORT", "0x7f000001:PORT", "0X7F000001:PORT", "017700000001:PORT", "0x7f.0.0.1:PORT", "0177.0.0.1:PORT", "0x7f.0x0.0x0.0x1:PORT",
		"127.1:PORT", "127.0.1:PORT", "127.0.0.01:PORT", "127.000.000.001:PORT", "00000127.0.0.1:PORT", "127.0.0.0x1:PORT", "0x7f.1:PORT", "4294967297:PORT",
		"0x7f000001.:PORT", "127.0.0.1.0x:PORT", "+127.0.0.1:PORT", "127.0.0.256:PORT", "127.0.0.1.0:PORT",
		// IPv4 in IPv6
		"[::ffff:127.0.0.1]:PORT", "[::ffff:7f00:1]:PORT", "[0:0:0:0:0:ffff:127.0.0.1]:PORT", "[::127.0.0.1]:PORT", "[::7f00:1]:PORT", "[::ffff:0:127.0.0.1]:PORT",
		"[64:ff9b::127.0.0.1]:PORT", "[64:ff9b::7f00:1]:PORT", "[64:ff9b:1::7f00:1]:PORT", "[2002:7f00:1::]:PORT", "[2001:0:7f00:1::]:PORT", "[2001::5ef5:79fd]:PORT",
		"[fe80::5efe:127.0.0.1]:PORT", "[::ffff:127.0.0.1%25lo]:PORT",
		// letters that are turned into others
		"127。0。0。1:PORT", "127.0.0.1:PORT", "①②⑦.⓪.⓪.①:PORT", "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ:PORT", "loc%C2%ADalhost:PORT",
		// metadata of clouds
		"169.254.169.254", "169.254.169.254:80", "[::ffff:169.254.169.254]", "[::ffff:a9fe:a9fe]", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "169.254.43518",
		"[fd00:ec2::254]", "100.100.100.200", "192.0.0.192", "168.63.129.16", "[fd20:ce::254]", "169.254.170.2",
		// networks that are not public
		"10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.0.1", "192.168.255.255", "100.64.0.1", "100.127.255.255", "0.1.2.3", "192.0.0.1", "192.0.2.1",
		"192.88.99.1", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
		"[fc00::1]", "[fd12:3456::1]", "[fe80::1]", "[febf::1]", "[fec0::1]", "[ff02::1]", "[100::1]", "[2001:db8::1]", "[3fff::1]", "[2001:2::1]", "[2001:10::1]", "[5f00::1]",
		"[64:ff9b::10.0.0.1]", "[2002:a00:1::]", "[::10.0.0.1]", "[::2]", "[4000::1]", "[1::1]",
		// user information, and what parsers disagree about
		"public.example@127.0.0.1:PORT", "127.0.0.1:PORT@public.example", "public.example:x@127.0.0.1:PORT", "public.example\\@127.0.0.1:PORT",
		"127.0.0.1:PORT#public.example", "127.0.0.1:PORT?public.example", "127.0.0.1:0PORT", "127.0.0.1:+PORT", "127.0.0.1:", "%6c%6f%63%61%6c%68%6f%73%74:PORT", "127.0.0.1%00:PORT",
		"127.0.0.1%0d%0aX:PORT", "127.0.0.1%20:PORT", "127.0.0.1,public.example:PORT", "[127.0.0.1]:PORT", "[public.example]:PORT", "::1:PORT", ":PORT", "", "..:PORT", "localhost..:PORT",
	}
}

// lookalikes are names, and no DNS has them.
func lookalikes() []string {
	return []string{"127.0.0.1e0:PORT", "127.0.0.-1:PORT", "public.example:443#@127.0.0.1:PORT", "LOCALHOST.EXAMPLE:PORT", "127.0.0.1.nip.example:PORT", "xn--127001-rr3ebb:PORT"}
}

func TestNoSpellingOfAnInnerAddressIsConnectedTo(t *testing.T) {
	c := newCanary(t)
	resolver, _ := dns(t, nil)
	client := newClient(t, outbound.Config{Ports: []uint16{80, 443, c.port}, InsecurePlainHTTP: "the canary has no certificate", Resolver: resolver, Timeout: 5 * time.Second})
	refused := 0
	for _, spelling := range lookalikes() {
		res, err := client.HTTP().Get("http://" + strings.ReplaceAll(spelling, "PORT", fmt.Sprint(c.port)))
		if err == nil {
			res.Body.Close()
		}
		if _, ok := errors.AsType[*net.DNSError](err); !ok {
			t.Errorf("%s: %v, want that there is no such name", spelling, err)
		}
	}
	for _, spelling := range spellings() {
		for _, scheme := range []string{"http://", "https://"} {
			text := scheme + strings.ReplaceAll(spelling, "PORT", fmt.Sprint(c.port)) + "/latest/meta-data/"
			res, err := client.HTTP().Get(text)
			if err == nil {
				res.Body.Close()
				t.Errorf("%s was fetched", text)
				continue
			}
			if _, parses := url.Parse(text); parses != nil { // The standard library refused it.
				continue
			}
			refused++
			if !errors.Is(err, outbound.ErrForbiddenURL) && !errors.Is(err, outbound.ErrForbiddenAddress) && !strings.Contains(err.Error(), "no Host in request URL") {
				t.Errorf("%s: %v, want ErrForbiddenURL or ErrForbiddenAddress", text, err)
			}
		}
	}
	if refused < 200 {
		t.Errorf("only %d URLs came as far as the client", refused)
	}
	c.wantSilence(t)
}

// A URL is also put together by hand, without the checks of url.Parse.
func TestHandMadeURLIsRefused(t *testing.T) {
	c := newCanary(t)
	client := newClient(t, outbound.Config{Ports: []uint16{c.port}, InsecurePlainHTTP: "test", Timeout: 5 * time.Second})
	port := fmt.Sprint(c.port)
	for _, u := range []*url.URL{
		{Scheme: "http", Host: "127.0.0.1:" + port}, {Scheme: "http", Host: "::1:" + port}, {Scheme: "http", Host: "[::1%lo]:" + port},
		{Scheme: "http", Host: "a\r\nb:" + port}, {Scheme: "http", Host: "a b:" + port}, {Scheme: "http", Host: "127.0.0.1\x00.example:" + port},
		{Scheme: "http", Host: "\u0130\xff:" + port}, {Scheme: "http", Opaque: "//127.0.0.1:" + port}, {Scheme: "HTTP", Host: "localhost:" + port},
		{Scheme: "http", Host: "public.example:" + port, Opaque: "//127.0.0.1:" + port + "/"}, {Scheme: "http", Host: "a.b:99999"}, {Scheme: "http", Host: "a.b:-1"},
		{Scheme: "http", Host: "a.b:0" + port}, {Scheme: "http", Host: "[8.8.8.8]:" + port}, {Scheme: "http", Host: "[::ffff:8.8.8.8%lo]:" + port},
		{Scheme: "http", Host: strings.Repeat("a.", 126) + "ab:" + port}, {Scheme: "http", Host: strings.Repeat("a", 64) + ":" + port},
		{Scheme: "", Host: "public.example"}, {}, nil,
	} {
		if err := client.Check(u); !errors.Is(err, outbound.ErrForbiddenURL) && !errors.Is(err, outbound.ErrForbiddenAddress) {
			t.Errorf("Check(%+v) = %v", u, err)
		}
		if u == nil {
			continue
		}
		req := &http.Request{Method: "GET", URL: u, Header: http.Header{}}
		if res, err := client.Do(req); err == nil {
			res.Body.Close()
			t.Errorf("%+v was fetched", u)
		}
	}
	c.wantSilence(t)
}

func TestOtherSchemesAreRefused(t *testing.T) {
	client := newClient(t, outbound.Config{})
	for _, text := range []string{
		"file:///etc/passwd", "file://localhost/etc/passwd", "gopher://127.0.0.1:6379/_FLUSHALL", "ftp://public.example/", "dict://127.0.0.1:11211/stats", "ldap://public.example",
		"data:text/plain,x", "javascript:alert(1)", "jar:https://public.example!/", "unix:///var/run/docker.sock", "http+unix://docker/", "ws://public.example/", "http://public.example/", "http://public.example:443/",
		"//public.example/", "/etc/passwd", "public.example", "https:public.example", "https:///x",
	} {
		u, err := url.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if err := client.Check(u); !errors.Is(err, outbound.ErrForbiddenURL) {
			t.Errorf("Check(%s) = %v, want ErrForbiddenURL", text, err)
		}
		if res, err := client.HTTP().Get(text); err == nil {
			res.Body.Close()
			t.Errorf("%s was fetched", text)
		}
	}
}

func TestPublicURLsPassTheCheck(t *testing.T) {
	client := newClient(t, outbound.Config{})
	for _, text := range []string{
		"https://public.example/", "HTTPS://Public.Example:443/a?b=c#d", "https://xn--bcher-kva.example/", "https://bücher.example/", "https://8.8.8.8/", "https://[2606:4700::1111]/",
		"https://[::ffff:8.8.8.8]/", "https://a_b.example/", "https://1and1.example/", "https://0x7f.example/", "https://BÜCHER.example/", "https://例え.テスト/", "https://intranet/", "https://169.253.255.255/", "https://172.32.0.1/", "https://[2001:200::1]/",
		"https://223.255.255.255/", "https://100.128.0.1/", "https://198.20.0.1/",
	} {
		u, err := url.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if err := client.Check(u); err != nil {
			t.Errorf("Check(%s) = %v", text, err)
		}
	}
}

func TestNameWithAnInnerAddressIsNotConnectedTo(t *testing.T) {
	c := newCanary(t)
	inner := []string{"127.0.0.1", "10.0.0.7", "169.254.169.254", "0.0.0.0", "::1", "::", "::ffff:127.0.0.1", "fe80::1", "64:ff9b::7f00:1", "fd00:ec2::254", "100.100.100.200"}
	answers := map[string][][]string{}
	for i, addr := range inner {
		answers[fmt.Sprintf("n%d.attacker.test", i)] = [][]string{{addr}}
	}
	answers["all.attacker.test"] = [][]string{inner}
	resolver, _ := dns(t, answers)
	client := newClient(t, outbound.Config{Ports: []uint16{c.port}, Resolver: resolver, Timeout: 5 * time.Second})
	for name := range answers {
		res, err := client.HTTP().Get(fmt.Sprintf("https://%s:%d/", name, c.port))
		if err == nil {
			res.Body.Close()
		}
		if !errors.Is(err, outbound.ErrForbiddenAddress) {
			t.Errorf("%s: %v, want ErrForbiddenAddress", name, err)
		}
	}
	c.wantSilence(t)
}

// A look before the fetch sees the first answer, the connection gets the second.
func TestRebindingBetweenLookAndConnectionIsRefused(t *testing.T) {
	c := newCanary(t)
	resolver, asked := dns(t, map[string][][]string{"rebind.attacker.test": {{"8.8.8.8"}, {"127.0.0.1"}}})
	client := newClient(t, outbound.Config{Ports: []uint16{c.port}, Resolver: resolver, Timeout: 5 * time.Second})
	text := fmt.Sprintf("https://rebind.attacker.test:%d/", c.port)
	u, _ := url.Parse(text)
	if err := client.Check(u); err != nil {
		t.Fatal(err)
	}
	if addrs, err := resolver.LookupHost(context.Background(), u.Hostname()); err != nil || len(addrs) != 1 || addrs[0] != "8.8.8.8" {
		t.Fatalf("the first look-up: %v, %v", addrs, err)
	}
	for range 5 {
		res, err := client.HTTP().Get(text)
		if err == nil {
			res.Body.Close()
		}
		if !errors.Is(err, outbound.ErrForbiddenAddress) {
			t.Errorf("after the answer has changed: %v, want ErrForbiddenAddress", err)
		}
	}
	if n := asked.lookUps("rebind.attacker.test"); n != 6 {
		t.Errorf("%d look-ups of 6 fetches: one that is looked up twice can change in between", n)
	}
	c.wantSilence(t)
}

func TestPrivateNetworkThatIsAllowedOpensNoOther(t *testing.T) {
	c := newCanary(t)
	one := netip.MustParsePrefix("10.1.2.0/24")
	client := newClient(t, outbound.Config{
		Ports:                   []uint16{443, c.port},
		InsecurePrivateNetworks: []outbound.PrivateNetwork{{Prefix: one, InsecureReason: "the billing service"}, {Prefix: netip.MustParsePrefix("64:ff9b::/96"), InsecureReason: "DNS64"}},
	})
	for host, want := range map[string]error{
		"10.1.2.3": nil, "[::ffff:10.1.2.3]": nil, "10.1.3.1": outbound.ErrForbiddenAddress, "127.0.0.1": outbound.ErrForbiddenAddress, "169.254.169.254": outbound.ErrForbiddenAddress,
		"[64:ff9b::8.8.8.8]": nil, "[64:ff9b::10.1.2.3]": nil, "[64:ff9b::169.254.169.254]": outbound.ErrForbiddenAddress, "[64:ff9b::7f00:1]": outbound.ErrForbiddenAddress, "[::1]": outbound.ErrForbiddenAddress,
	} {
		if err := client.Check(&url.URL{Scheme: "https", Host: host}); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", host, err, want)
		}
	}
	c.wantSilence(t)
}
