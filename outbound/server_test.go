package outbound_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fastness/fastness/outbound"
	"github.com/fastness/fastness/problem"
)

// site is a server on the loopback address and a configuration that reaches it,
// and only it, as https://example.com and https://www.example.com.
type site struct {
	*httptest.Server
	cfg   outbound.Config
	conns atomic.Int64
	asked *names
}

func newSite(t *testing.T, h http.HandlerFunc) *site {
	t.Helper()
	s := &site{Server: httptest.NewUnstartedServer(h)}
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			s.conns.Add(1)
		}
	}
	s.Config.ErrorLog = nil
	s.EnableHTTP2 = true
	s.StartTLS()
	t.Cleanup(s.Close)
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	resolver, asked := dns(t, map[string][][]string{
		"example.com": {{"127.0.0.1"}}, "www.example.com": {{"127.0.0.1"}}, "inner.example.com": {{"127.0.0.2"}}, "other.test": {{"127.0.0.1"}},
		"flip.example.com": {{"127.0.0.1"}, {"127.0.0.2"}},
	})
	s.asked = asked
	s.cfg = outbound.Config{
		Ports: []uint16{s.port()}, RootCAs: roots, Resolver: resolver, Timeout: 5 * time.Second,
		InsecurePrivateNetworks: []outbound.PrivateNetwork{{Prefix: netip.MustParsePrefix("127.0.0.1/32"), InsecureReason: "the server of the test"}},
	}
	return s
}

func (s *site) port() uint16 { return uint16(s.Listener.Addr().(*net.TCPAddr).Port) }

// at returns a URL of the site.
func (s *site) at(host, path string) string {
	return fmt.Sprintf("https://%s:%d%s", host, s.port(), path)
}

// get returns the status and the body, or the error of either.
func get(client *outbound.Client, url string) (int, string, error) {
	res, err := client.HTTP().Get(url)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	return res.StatusCode, string(text), err
}

func TestAPublicServerIsFetched(t *testing.T) {
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.Host, r.Method, r.URL.RequestURI(), r.Proto)
	})
	client := newClient(t, s.cfg)
	status, text, err := get(client, s.at("EXAMPLE.com", "/a?b=c"))
	if want := fmt.Sprintf("example.com:%dGET/a?b=cHTTP/2.0", s.port()); err != nil || status != 200 || text != want {
		t.Errorf("%d %s %v, want %s", status, text, err, want)
	}
}

func TestRedirects(t *testing.T) {
	var inside atomic.Int64
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		to, _ := url.QueryUnescape(r.URL.RawQuery)
		switch {
		case strings.HasPrefix(r.Host, "inner."):
			inside.Add(1)
		case r.URL.Path == "/again":
			n, _ := strconv.Atoi(to)
			http.Redirect(w, r, fmt.Sprintf("/again?%d", n+1), http.StatusFound)
		case to != "":
			http.Redirect(w, r, to, http.StatusTemporaryRedirect)
		default:
			fmt.Fprint(w, r.Header, r.Host)
		}
	})
	from := func(to string) string { return s.at("example.com", "/?"+url.QueryEscape(to)) }
	never := newClient(t, s.cfg)
	cfg := s.cfg
	cfg.MaxRedirects, cfg.InsecurePlainHTTP = 3, "test"
	some := newClient(t, cfg)

	for _, to := range []string{s.at("www.example.com", "/"), s.at("inner.example.com", "/"), "http://169.254.169.254/", "file:///etc/passwd"} {
		if status, _, err := get(never, from(to)); status != 307 || err != nil {
			t.Errorf("to %s, and none is followed: %d, %v", to, status, err)
		}
	}
	if status, _, err := get(some, from(s.at("www.example.com", "/"))); status != 200 || err != nil {
		t.Errorf("one is followed: %d, %v", status, err)
	}
	for to, want := range map[string]error{
		s.at("inner.example.com", "/"):                       outbound.ErrForbiddenAddress,
		s.at("127.0.0.2", "/"):                               outbound.ErrForbiddenAddress,
		s.at("[::1]", "/"):                                   outbound.ErrForbiddenAddress,
		"https://169.254.169.254/latest/":                    outbound.ErrForbiddenURL, // its port
		s.at("169.254.169.254", "/"):                         outbound.ErrForbiddenAddress,
		s.at("2130706433", "/"):                              outbound.ErrForbiddenURL,
		fmt.Sprintf("http://example.com:%d/", s.port()):      outbound.ErrForbiddenRedirect,
		fmt.Sprintf("https://u:p@example.com:%d/", s.port()): outbound.ErrForbiddenURL,
		"file:///etc/passwd":                                 outbound.ErrForbiddenRedirect,
		"gopher://127.0.0.1/":                                outbound.ErrForbiddenRedirect,
		s.at("example.com", "/again"):                        outbound.ErrForbiddenRedirect,
	} {
		if status, _, err := get(some, from(to)); !errors.Is(err, want) {
			t.Errorf("to %s: %d, %v, want %v", to, status, err, want)
		}
	}
	if inside.Load() != 0 {
		t.Errorf("%d requests came inside", inside.Load())
	}
}

func TestCredentialsDoNotFollowToAnotherOrigin(t *testing.T) {
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		if to, _ := url.QueryUnescape(r.URL.RawQuery); to != "" {
			http.Redirect(w, r, to, http.StatusPermanentRedirect)
			return
		}
		fmt.Fprint(w, r.Header)
	})
	cfg := s.cfg
	cfg.MaxRedirects = 3
	client := newClient(t, cfg)
	send := func(method, to string, body io.Reader) (string, error) {
		req, _ := http.NewRequest(method, s.at("example.com", "/?"+url.QueryEscape(to)), body)
		for _, name := range []string{"Authorization", "Cookie", "X-Api-Key", "Proxy-Authorization", "Referer", "Accept", "Webhook-Signature"} {
			req.Header.Set(name, "canary-of-"+name)
		}
		res, err := client.Do(req)
		if err != nil {
			return "", err
		}
		defer res.Body.Close()
		text, err := io.ReadAll(res.Body)
		return string(text), err
	}
	// The second is a subdomain, to which net/http would send all of it; the third returns to the first origin by way of another.
	back := s.at("example.com", "/")
	for _, to := range []string{s.at("127.0.0.1", "/"), s.at("www.example.com", "/"), s.at("www.example.com", "/?"+url.QueryEscape(back))} {
		text, err := send("GET", to, nil)
		if err != nil || strings.Count(text, "canary-of-") != 1 || !strings.Contains(text, "canary-of-Accept") {
			t.Errorf("to %s came %s, %v", to, text, err)
		}
	}
	text, err := send("GET", back, nil)
	if err != nil || !strings.Contains(text, "canary-of-X-Api-Key") || !strings.Contains(text, "canary-of-Authorization") {
		t.Errorf("within the origin came %s, %v", text, err)
	}
	if strings.Contains(text, "canary-of-Referer") || strings.Contains(text, "Referer") {
		t.Errorf("a Referer was sent: %s", text)
	}
	if _, err := send("POST", s.at("www.example.com", "/"), strings.NewReader("client_secret=x")); !errors.Is(err, outbound.ErrForbiddenRedirect) {
		t.Errorf("the body went to another host: %v", err)
	}
	if _, err := send("POST", back, strings.NewReader("client_secret=x")); err != nil {
		t.Errorf("the body within the origin: %v", err)
	}
}

func TestNoCookieIsKeptAndNoRefererSent(t *testing.T) {
	var seen []string
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, r.Header.Get("Cookie")+r.Header.Get("Referer"))
		http.SetCookie(w, &http.Cookie{Name: "track", Value: "1", Path: "/"})
		if r.URL.Path == "/" {
			http.Redirect(w, r, "/next", http.StatusFound)
		}
	})
	cfg := s.cfg
	cfg.MaxRedirects = 1
	client := newClient(t, cfg)
	client.HTTP().Jar, _ = cookiejar.New(nil) // Of a copy.
	for range 2 {
		if _, _, err := get(client, s.at("example.com", "/?token=secret")); err != nil {
			t.Fatal(err)
		}
	}
	if text := strings.Join(seen, ""); len(seen) != 4 || text != "" {
		t.Errorf("the server was told %q", seen)
	}
}

func TestTooMuchIsNotRead(t *testing.T) {
	zeros := func(n int) []byte {
		var out bytes.Buffer
		zip := gzip.NewWriter(&out)
		_, _ = zip.Write(make([]byte, n))
		zip.Close()
		return out.Bytes()
	}
	empty := zeros(0) // A gzip file may be many, each of nothing.
	bomb := zeros(8 << 20)
	var sent atomic.Int64
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		send := func(p []byte) bool {
			n, err := w.Write(p)
			sent.Add(int64(n))
			w.(http.Flusher).Flush()
			return err == nil
		}
		switch r.URL.Path {
		case "/exact":
			send(make([]byte, 4096))
		case "/announced":
			w.Header().Set("Content-Length", "4097")
			send(make([]byte, 4097))
		case "/endless":
			for send(make([]byte, 1024)) {
			}
		case "/bomb":
			w.Header().Set("Content-Encoding", "gzip")
			send(bomb)
		case "/nothing":
			w.Header().Set("Content-Encoding", "GZIP")
			for send(bytes.Repeat(empty, 16)) {
			}
		case "/small":
			w.Header().Set("Content-Encoding", "gzip")
			send(zeros(4096))
		case "/torn":
			w.Header().Set("Content-Encoding", "gzip")
			send(zeros(4096)[:12])
		}
	})
	cfg := s.cfg
	cfg.MaxBody = 4096
	client := newClient(t, cfg)
	for path, want := range map[string]error{
		"/exact": nil, "/small": nil, "/announced": outbound.ErrBodyTooLarge, "/endless": outbound.ErrBodyTooLarge, "/bomb": outbound.ErrBodyTooLarge,
		"/nothing": outbound.ErrBodyTooLarge, "/torn": io.ErrUnexpectedEOF,
	} {
		_, text, err := get(client, s.at("example.com", path))
		if !errors.Is(err, want) || len(text) > 4096 || want == nil && len(text) != 4096 {
			t.Errorf("%s: %d bytes, %v, want %v", path, len(text), err, want)
		}
	}
	if res, err := client.HTTP().Get(s.at("example.com", "/announced")); !errors.Is(err, outbound.ErrBodyTooLarge) {
		res.Body.Close()
		t.Errorf("a size that is announced: %v, want that nothing is read", err)
	}
	res, err := client.HTTP().Head(s.at("example.com", "/announced"))
	if err != nil || res.ContentLength != 4097 {
		t.Errorf("HEAD has no body to be too large: %v", err)
	}
	if sent.Load() > 16<<20 {
		t.Errorf("the server could send %d bytes", sent.Load())
	}
}

func TestCallerDecompressesWhatItAskedFor(t *testing.T) {
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		zip := gzip.NewWriter(w)
		fmt.Fprint(zip, r.Header.Get("Accept-Encoding"))
		zip.Close()
	})
	client := newClient(t, s.cfg)
	res, err := client.HTTP().Get(s.at("example.com", "/"))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if text, _ := io.ReadAll(res.Body); string(text) != "gzip" || !res.Uncompressed || res.Header.Get("Content-Encoding") != "" || res.ContentLength != -1 {
		t.Errorf("%s %v", text, res)
	}
	part, _ := http.NewRequest("GET", s.at("example.com", "/"), nil)
	part.Header.Set("Range", "bytes=0-9")
	res, err = client.Do(part)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.Uncompressed { // A part of a gzip file is none.
		t.Error("a range was decompressed")
	}
	req, _ := http.NewRequest("GET", s.at("example.com", "/"), nil)
	req.Header.Set("Accept-Encoding", "gzip, br")
	raw, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Body.Close()
	if text, _ := io.ReadAll(raw.Body); raw.Header.Get("Content-Encoding") != "gzip" || !bytes.HasPrefix(text, []byte{0x1f, 0x8b}) {
		t.Errorf("%x %v", text, raw.Header)
	}
}

func TestHeadersBeyondTheLimitAreRefused(t *testing.T) {
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		for i := range 100 {
			w.Header().Set(fmt.Sprintf("X-%d", i), strings.Repeat("a", 1<<10))
		}
	})
	client := newClient(t, s.cfg)
	if status, _, err := get(client, s.at("example.com", "/")); err == nil {
		t.Errorf("100 KiB of headers came: %d", status)
	}
}

func TestCertificateThatIsNotInOrderIsRefused(t *testing.T) {
	s := newSite(t, func(http.ResponseWriter, *http.Request) {})
	strangers := s.cfg
	strangers.RootCAs = nil
	later := s.cfg
	later.Now = func() time.Time { return time.Date(2190, 1, 1, 0, 0, 0, 0, time.UTC) }
	for _, tt := range []struct {
		name, host string
		cfg        outbound.Config
	}{
		{"of an authority that nobody knows", "example.com", strangers},
		{"of another host", "other.test", s.cfg},
		{"that has ended", "example.com", later},
	} {
		_, _, err := get(newClient(t, tt.cfg), s.at(tt.host, "/"))
		if _, ok := errors.AsType[*tls.CertificateVerificationError](err); !ok {
			t.Errorf("a certificate %s: %v", tt.name, err)
		}
	}
}

func TestOldTLSIsRefused(t *testing.T) {
	s := newSite(t, func(http.ResponseWriter, *http.Request) {})
	s.TLS.MaxVersion = tls.VersionTLS11
	s.TLS.MinVersion = tls.VersionTLS10
	if _, _, err := get(newClient(t, s.cfg), s.at("example.com", "/")); err == nil || !strings.Contains(err.Error(), "protocol version") {
		t.Errorf("a server with TLS 1.1: %v", err)
	}
}

func TestSlowServerIsGivenUp(t *testing.T) {
	for _, where := range []string{"/before", "/within"} {
		s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/within" {
				fmt.Fprint(w, "a")
				w.(http.Flusher).Flush()
			}
			<-r.Context().Done()
		})
		cfg := s.cfg
		cfg.Timeout = 100 * time.Millisecond
		start := time.Now()
		_, _, err := get(newClient(t, cfg), s.at("example.com", where))
		var timeout net.Error
		if !errors.As(err, &timeout) || !timeout.Timeout() || time.Since(start) > 3*time.Second {
			t.Errorf("%s: %v after %v", where, err, time.Since(start))
		}
		if p := problem.From(outbound.Problem(err)); p.Status != 422 {
			t.Errorf("%s: Problem() has status %d", where, p.Status)
		}
	}
}

// TestMain puts a proxy in the environment of all tests: net/http reads it once.
// Whoever asked it would get nowhere.
func TestMain(m *testing.M) {
	for _, name := range []string{"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY"} {
		if err := os.Setenv(name, "http://192.0.2.1:1"); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

func TestProxyOfTheEnvironmentIsNotAsked(t *testing.T) {
	s := newSite(t, func(http.ResponseWriter, *http.Request) {})
	req, _ := http.NewRequest("GET", s.at("example.com", "/"), nil)
	if proxy, err := http.ProxyFromEnvironment(req); err != nil || proxy == nil {
		t.Fatalf("the environment has the proxy %v, %v: the test would show nothing", proxy, err)
	}
	if _, _, err := get(newClient(t, s.cfg), req.URL.String()); err != nil {
		t.Error(err)
	}
}

// The second fetch has the connection of the first, whose address was checked;
// once that is closed, the new address is checked.
func TestReusedConnectionIsToTheAddressThatWasChecked(t *testing.T) {
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.Context().Value(http.LocalAddrContextKey))
	})
	client := newClient(t, s.cfg)
	for range 3 {
		status, text, err := get(client, s.at("flip.example.com", "/"))
		if status != 200 || err != nil || !strings.HasPrefix(text, "127.0.0.1:") {
			t.Fatalf("%d %s %v", status, text, err)
		}
	}
	if s.conns.Load() != 1 || s.asked.lookUps("flip.example.com") != 1 {
		t.Errorf("%d connections, %d look-ups, want one each", s.conns.Load(), s.asked.lookUps("flip.example.com"))
	}
	client.CloseIdleConnections()
	if _, _, err := get(client, s.at("flip.example.com", "/")); !errors.Is(err, outbound.ErrForbiddenAddress) {
		t.Errorf("a new connection: %v", err)
	}
}

func TestHostThatIsNotListedIsRefused(t *testing.T) {
	cfg := outbound.Config{AllowHosts: []string{"Hooks.Example", "*.partner.example", "8.8.8.8", "[2606:4700::1]", "bücher.example"}}
	client := newClient(t, cfg)
	for host, want := range map[string]error{
		"hooks.example": nil, "HOOKS.example:443": nil, "a.partner.example": nil, "8.8.8.8": nil, "[::ffff:808:808]": nil, "[2606:4700:0::1]": nil, "xn--bcher-kva.example": nil,
		"evilhooks.example": outbound.ErrForbiddenURL, "hooks.example.evil.example": outbound.ErrForbiddenURL, "partner.example": outbound.ErrForbiddenURL,
		"a.b.partner.example": outbound.ErrForbiddenURL, "xpartner.example": outbound.ErrForbiddenURL, "8.8.4.4": outbound.ErrForbiddenURL, "hooks.example:8443": outbound.ErrForbiddenURL,
		"hooks.example.": outbound.ErrForbiddenURL, "*.partner.example": outbound.ErrForbiddenURL,
	} {
		if err := client.Check(&url.URL{Scheme: "https", Host: host}); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", host, err, want)
		}
	}
}

// closer notes that it was closed.
type closer struct {
	io.Reader
	closed bool
}

func (c *closer) Close() error { c.closed = true; return nil }

func TestHostOfTheRequestIsThatOfTheURL(t *testing.T) {
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Host) })
	client := newClient(t, s.cfg)
	body := &closer{Reader: strings.NewReader("x")}
	req, _ := http.NewRequest("POST", s.at("example.com", "/"), body)
	req.Host = "inner.example.com"
	if res, err := client.Do(req); !errors.Is(err, outbound.ErrForbiddenURL) {
		res.Body.Close()
		t.Errorf("another Host was sent: %v", err)
	}
	if !body.closed {
		t.Error("the body of a request that was refused stays open")
	}
}

func TestNewNamesEveryMistake(t *testing.T) {
	_, err := outbound.New(outbound.Config{
		AllowHosts: []string{"*", "https://a.example", "*.com", "*.8.8.8.8", "a..b", "a.example:443", ""}, Ports: []uint16{0}, Timeout: -1, MaxBody: -1, MaxRedirects: 11,
		InsecurePrivateNetworks: []outbound.PrivateNetwork{{}, {Prefix: netip.MustParsePrefix("0.0.0.0/0"), InsecureReason: "all"}, {Prefix: netip.MustParsePrefix("10.0.0.0/8"), InsecureReason: " "}},
	})
	for _, want := range []string{`"*" allows any`, `"https://a.example" is a URL`, `"*.com" allows a whole`, `"*.8.8.8.8" is an address`, `"a..b" is not`, `"a.example:443" is not`, `"" is not`,
		"Ports has 0", "Timeout is -1ns", "MaxBody is -1", "MaxRedirects is 11", "a network that is none", "0.0.0.0/0 opens", "10.0.0.0/8 has no InsecureReason"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("New() = %v, want %q in it", err, want)
		}
	}
}

// Whoever could tell a refused address from a closed port would map the network.
func TestProblemsOfAllFailuresAreTheSame(t *testing.T) {
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, strings.Repeat("a", 99)) })
	cfg := s.cfg
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	shut := uint16(closed.Addr().(*net.TCPAddr).Port)
	cfg.Ports, cfg.MaxBody = append(cfg.Ports, shut), 10
	client := newClient(t, cfg)
	documents := map[string][]string{}
	for _, text := range []string{
		s.at("inner.example.com", "/"), s.at("10.0.0.7", "/"), s.at("nobody.example.com", "/"), s.at("other.test", "/"), s.at("example.com", "/"),
		fmt.Sprintf("https://example.com:%d/", shut), "https://2130706433/", "file:///x",
	} {
		_, _, err := get(client, text)
		p := problem.From(outbound.Problem(err))
		document, _ := p.MarshalJSON()
		documents[string(document)] = append(documents[string(document)], text)
		if p.Status != 422 || !errors.Is(p, err) {
			t.Errorf("%s: %v is no 422 with the cause", text, p)
		}
	}
	if len(documents) != 1 {
		t.Errorf("the failures can be told apart: %v", documents)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	req, _ := http.NewRequestWithContext(ctx, "GET", s.at("example.com", "/"), nil)
	if res, err := client.Do(req); err == nil || !errors.Is(outbound.Problem(err), context.Canceled) || problem.From(outbound.Problem(err)).Status == 422 {
		res.Body.Close()
		t.Errorf("the caller has gone: %v", outbound.Problem(err))
	}
	if other := errors.New("disk full"); outbound.Problem(other) != other || outbound.Problem(nil) != nil {
		t.Error("Problem takes what is not of a fetch")
	}
}
