package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth/access"
)

// poisoned is the body of a request that must not be seen: whoever parses it
// puts an item up for sale.
const poisoned = `{"name":"poison","price":1}`

func poison() string {
	return "POST /test/items/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: " +
		strconv.Itoa(len(poisoned)) + "\r\nConnection: close\r\n\r\n" + poisoned
}

// smuggle is a request with framing fields that hides the poison in its body,
// for those who go by the length, or behind it, for those who go by the chunks.
func smuggle(fields string) string {
	return "POST /test/items/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n" + fields + "\r\n0\r\n\r\n" + poison()
}

// hidden is the length of what smuggle has behind its head.
func hidden() string { return strconv.Itoa(len("0\r\n\r\n" + poison())) }

// wantBare wants that a plain net/http server with the same shop serves raw
// twice and so takes the poison: the attack is real.
func wantBare(t *testing.T, raw string) {
	t.Helper()
	s := openShop(t, t.TempDir())
	server := httptest.NewServer(s.app)
	defer server.Close()
	replies := (&stack{addr: server.Listener.Addr().String()}).send(t, raw)
	if len(replies) != 2 || replies[1].status != http.StatusCreated || s.total() != strconv.Itoa(samples+1) {
		t.Errorf("net/http alone: %v; want two answers and the poison for sale", replies)
	}
}

func TestSmuggledRequestIsNeverParsed(t *testing.T) {
	wantBare(t, smuggle("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"))
	length := "Content-Length: " + hidden() + "\r\n"
	attacks := map[string]string{
		"Content-Length and chunks":       smuggle(length + "Transfer-Encoding: chunked\r\n"),
		"chunks and Content-Length":       smuggle("Transfer-Encoding: chunked\r\n" + length),
		"a short Content-Length":          smuggle("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"),
		"two Transfer-Encoding":           smuggle("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
		"chunked and identity":            smuggle("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n"),
		"chunked, identity":               smuggle("Transfer-Encoding: chunked, identity\r\n"),
		"identity, chunked":               smuggle("Transfer-Encoding: identity, chunked\r\n"),
		"gzip, chunked":                   smuggle("Transfer-Encoding: gzip, chunked\r\n"),
		"chunked twice":                   smuggle("Transfer-Encoding: chunked, chunked\r\n"),
		"quoted":                          smuggle("Transfer-Encoding: \"chunked\"\r\n"),
		"in capitals":                     smuggle("Transfer-Encoding: CHUNKED\r\n"),
		"another word":                    smuggle("Transfer-Encoding: xchunked\r\n"),
		"a folded value":                  smuggle("Transfer-Encoding:\r\n chunked\r\n" + length),
		"an underscore":                   smuggle("Transfer_Encoding: chunked\r\n" + "Content-Length: +5\r\n"),
		"two Content-Length":              smuggle("Content-Length: 5\r\n" + length),
		"two equal Content-Length":        smuggle(length + length),
		"a list in Content-Length":        smuggle("Content-Length: 5, " + hidden() + "\r\n"),
		"a sign in Content-Length":        smuggle("Content-Length: +" + hidden() + "\r\n"),
		"hexadecimal Content-Length":      smuggle("Content-Length: 0x5\r\n"),
		"chunks in HTTP/1.0":              strings.Replace(smuggle("Transfer-Encoding: chunked\r\n"), "HTTP/1.1", "HTTP/1.0", 1),
		"HTTP/1.9":                        strings.Replace(smuggle(length), "HTTP/1.1", "HTTP/1.9", 1),
		"bare line feeds":                 strings.ReplaceAll(smuggle(length), "\r\n", "\n"),
		"one bare line feed":              smuggle("X: y\n" + length),
		"a bare carriage return":          smuggle("X: y\rTransfer-Encoding: chunked\r\n" + length),
		"a space before the colon":        smuggle("Transfer-Encoding : chunked\r\n" + length),
		"a folded first field":            smuggle(" X: y\r\n" + length),
		"a NUL in a value":                smuggle("X: \x00\r\n" + length),
		"a method in lower case":          strings.Replace(smuggle(length), "POST", "post", 1),
		"a space in the target":           strings.Replace(smuggle(length), "/items/ ", "/items/ x ", 1),
		"an upgrade with a body":          smuggle("Connection: upgrade\r\nUpgrade: websocket\r\n" + length),
		"an upgrade to HTTP/2":            smuggle("Connection: upgrade, http2-settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n" + length),
		"a trailer that is a length":      smuggle("Transfer-Encoding: chunked\r\nTrailer: content-length\r\n"),
		"empty lines before the request":  "\r\n\r\n" + smuggle(length),
		"HTTP/0.9":                        "GET /items/\r\n\r\n" + poison(),
		"the preface of HTTP/2":           "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + poison(),
		"a request line without end":      "GET /items/ HTTP/1.1\x00\r\n\r\n" + poison(),
		"a Host that is no host":          strings.Replace(smuggle(length), "Host: localhost", "Host: localhost/../x", 1),
		"two Host":                        smuggle("Host: localhost\r\n" + length),
		"no Host":                         strings.Replace(smuggle(length), "Host: localhost\r\n", "", 1),
		"a target of another host":        strings.Replace(smuggle(length), "POST /", "POST http://evil.example/", 1),
		"user information in the target":  strings.Replace(smuggle(length), "POST /", "POST http://a@localhost/", 1),
		"an expectation nobody can meet":  smuggle("Expect: 200-ok\r\n" + length),
		"Content-Length behind an escape": smuggle("Content-Length\x1b: 5\r\n" + length),
	}
	for _, c := range []byte("\x00\x01\x04\x08\x09\x0a\x0b\x0c\x0d\x1f \x7f\x80\xa0\xff,;") {
		b := string(c)
		attacks[fmt.Sprintf("%#x before the name", c)] = smuggle(b + "Transfer-Encoding: chunked\r\n" + length)
		attacks[fmt.Sprintf("%#x behind the name", c)] = smuggle("Transfer-Encoding" + b + ": chunked\r\n" + length)
		attacks[fmt.Sprintf("%#x before the value", c)] = smuggle("Transfer-Encoding: " + b + "chunked\r\n" + length)
		attacks[fmt.Sprintf("%#x behind the value", c)] = smuggle("Transfer-Encoding: chunked" + b + "\r\n" + length)
		attacks[fmt.Sprintf("%#x in the length", c)] = smuggle("Transfer-Encoding: chunked\r\nContent-Length: 5" + b + "\r\n")
	}
	eachStack(t, func(t *testing.T, s *stack) {
		c := s.client(t)
		for name, raw := range attacks {
			got := s.one(t, raw)
			wantProblem(t, name, got, http.StatusBadRequest, http.StatusNotImplemented, http.StatusHTTPVersionNotSupported, http.StatusExpectationFailed)
			if got.header.Get("Connection") != "close" {
				t.Errorf("%s: Connection is %q, want close", name, got.header.Get("Connection"))
			}
		}
		if got := c.total(); got != strconv.Itoa(samples) {
			t.Errorf("%s items are for sale, want the %d samples: some poison was taken", got, samples)
		}
	})
}

func TestBrokenChunksEndTheConnection(t *testing.T) {
	eachStack(t, func(t *testing.T, s *stack) {
		for name, chunks := range map[string]string{
			"a chunk extension":       "1b;a=b\r\n" + poisoned + "\r\n0\r\n\r\n",
			"a hexadecimal prefix":    "0x1b\r\n" + poisoned + "\r\n0\r\n\r\n",
			"a sign":                  "-1\r\n\r\n",
			"an overflow":             "1000000000000001b\r\n" + poisoned + "\r\n0\r\n\r\n",
			"17 digits":               "0000000000000001b\r\n" + poisoned + "\r\n0\r\n\r\n",
			"a bare line feed":        "1b\n" + poisoned + "\r\n0\r\n\r\n",
			"no line end behind it":   "1b\r\n" + poisoned + "xx0\r\n\r\n",
			"a size that is too long": "1a\r\n" + poisoned + "\r\n0\r\n\r\n",
			"a length in the trailer": "1b\r\n" + poisoned + "\r\n0\r\nContent-Length: 5\r\n\r\n",
			"a host in the trailer":   "1b\r\n" + poisoned + "\r\n0\r\nHost: evil.example\r\n\r\n",
			"a bare trailer line":     "1b\r\n" + poisoned + "\r\n0\r\nX: y\n\r\n",
		} {
			raw := "POST /test/items/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + poison()
			wantProblem(t, name, s.one(t, raw), http.StatusBadRequest)
		}
		if got := s.client(t).total(); got != strconv.Itoa(samples) {
			t.Errorf("%s items are for sale, want the %d samples", got, samples)
		}
	})
}

// get is a request for the list of items, which closes the connection.
func getItems(fields string) string {
	return "GET /items/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + fields + "\r\n"
}

func TestHeadLimits(t *testing.T) {
	header := func(size int) string { // The section with its empty line has size bytes.
		return getItems("X: " + strings.Repeat("v", size-len("Host: localhost\r\nConnection: close\r\nX: \r\n\r\n")) + "\r\n")
	}
	target := func(size int) string {
		path := "/" + strings.Repeat("t", size-1)
		return strings.Replace(getItems(""), "/items/", path, 1)
	}
	eachStack(t, func(t *testing.T, s *stack) {
		for _, tt := range []struct {
			name, raw string
			status    int
		}{
			{"32 KiB of fields pass", header(32 << 10), 200},
			{"a byte more does not", header(32<<10 + 1), 431},
			{"33 KB do not", header(33_000), 431},
			{"a megabyte does not", header(1 << 20), 431},
			{"100 fields pass", getItems(strings.Repeat("X: y\r\n", 98)), 200},
			{"101 fields do not", getItems(strings.Repeat("X: y\r\n", 99)), 431},
			{"8 KiB of target pass", target(8 << 10), 404},
			{"a byte more does not", target(8<<10 + 1), 414},
			{"16 KiB of cookies do not", getItems("Cookie: " + strings.Repeat("c", 16<<10+1) + "\r\n"), 431},
		} {
			got := s.one(t, tt.raw)
			if tt.status == 200 && got.status == 200 {
				continue
			}
			wantProblem(t, tt.name, got, tt.status)
		}
	})
}

// Of two Authorization fields a proxy checks one and the app believes the other.
func TestRepeatedFieldsAreRefused(t *testing.T) {
	eachStack(t, func(t *testing.T, s *stack) {
		for _, fields := range []string{
			"Authorization: Bearer a\r\nAuthorization: Bearer b\r\n", "authorization: a\r\nAUTHORIZATION: a\r\n",
			"Content-Type: application/json\r\nContent-Type: text/plain\r\n", "Host: localhost\r\n", "Host: evil.example\r\n",
			"Origin: https://localhost\r\nOrigin: https://evil.example\r\n", "Sec-Fetch-Site: same-origin\r\nSec-Fetch-Site: cross-site\r\n",
		} {
			got := s.one(t, getItems(fields)+poison())
			wantProblem(t, fields, got, http.StatusBadRequest)
		}
		for _, fields := range []string{ // Credentials of one kind, and of two.
			"X-API-Key: a\r\nX-API-Key: b\r\n", "X-API-Key: a\r\nx-api-key: a\r\n", "Authorization: Bearer a\r\nX-API-Key: a\r\n",
		} {
			for _, path := range []string{"/items/", "/me"} { // To the first nobody need say who they are.
				got := s.one(t, strings.Replace(getItems(fields), "/items/", path, 1))
				wantProblem(t, path+" "+fields, got, http.StatusBadRequest)
			}
		}
	})
}

// A body that is too large is refused before it is sent, not after.
func TestExpectationIsAnsweredBeforeTheBody(t *testing.T) {
	expect := func(length int, media string) string {
		return "POST /test/items/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: " + media + "\r\nExpect: 100-continue\r\nContent-Length: " + strconv.Itoa(length) + "\r\n\r\n"
	}
	eachStack(t, func(t *testing.T, s *stack) {
		wantProblem(t, "too large", s.one(t, expect(2<<20, "application/json")), http.StatusRequestEntityTooLarge)
		// The body of these two would be small, so net/http waits for it behind the answer.
		wantProblem(t, "no JSON", s.first(t, expect(10, "text/plain")), http.StatusUnsupportedMediaType)
		wantProblem(t, "another method", s.first(t, strings.Replace(expect(10, "application/json"), "POST", "PUT", 1)), http.StatusMethodNotAllowed)

		conn := s.dial(t)
		defer conn.Close()
		_, _ = io.WriteString(conn, strings.Replace(expect(len(poisoned), "application/json"), "Host", "Connection: close\r\nHost", 1))
		r := bufio.NewReader(conn)
		if line, err := r.ReadString('\n'); err != nil || line != "HTTP/1.1 100 Continue\r\n" {
			t.Fatalf("the answer to a fair expectation is %q (%v)", line, err)
		}
		_, _ = r.ReadString('\n')
		_, _ = io.WriteString(conn, poisoned)
		if replies, _ := readReplies(r, http.MethodPost); len(replies) != 1 || replies[0].status != http.StatusCreated {
			t.Errorf("the answers are %v, want 201", replies)
		}
	})
}

// The rest of a body that is refused for its size is not read: 1 GiB of it would
// keep the connection, and the network, busy.
func TestTooLargeBodyIsNotRead(t *testing.T) {
	filler := strings.Repeat(" ", 64<<10)
	eachStack(t, func(t *testing.T, s *stack) {
		for name, framing := range map[string]string{"by length": "Content-Length: 1073741824", "in chunks": "Transfer-Encoding: chunked"} {
			conn := s.dial(t)
			head := "POST /test/items/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n" + framing + "\r\n\r\n"
			block := filler
			if name == "in chunks" {
				block = "10000\r\n" + filler + "\r\n"
			}
			sent := make(chan int, 1)
			go func() {
				n, _ := io.WriteString(conn, head)
				for n < 256<<20 {
					more, err := io.WriteString(conn, block)
					if n += more; err != nil {
						break
					}
				}
				sent <- n
			}()
			replies, err := readReplies(bufio.NewReader(conn), http.MethodPost)
			_ = conn.Close()
			if n := <-sent; n > 32<<20 { // 1 MiB, and what the kernel keeps for both.
				t.Errorf("%s: the server took %d bytes", name, n)
			}
			if len(replies) != 1 {
				t.Fatalf("%s: %d answers (%v), want 1", name, len(replies), err)
			}
			wantProblem(t, name, replies[0], http.StatusRequestEntityTooLarge)
			if replies[0].header.Get("Connection") != "close" {
				t.Errorf("%s: the connection goes on", name)
			}
		}
		c := s.client(t)
		exact := poisoned + strings.Repeat(" ", 1<<20-len(poisoned))
		c.create(exact)
		if s.tls == nil {
			wantProblem(t, "a byte too many", c.post("/test/items/", exact+" "), http.StatusRequestEntityTooLarge)
		}
	})
}

func TestHeadIsGetWithoutBody(t *testing.T) {
	eachStack(t, func(t *testing.T, s *stack) {
		for _, path := range []string{"/", "/items/", "/items/1", "/items/99", "/items/x", "/nowhere", "/static/shop.css", "/static/shop.svg", "/openapi.json", "/docs", "/health/ready", "/read_item/7"} {
			for _, accept := range []string{"*/*", browser} {
				raw := "GET " + path + " HTTP/1.1\r\nHost: localhost\r\nAccept: " + accept + "\r\nConnection: close\r\n\r\n"
				get := s.one(t, raw)
				conn := s.dial(t)
				_, _ = io.WriteString(conn, strings.Replace(raw, "GET", "HEAD", 1))
				all, err := io.ReadAll(conn)
				_ = conn.Close()
				text, body, found := bytes.Cut(all, []byte("\r\n\r\n"))
				if err != nil || !found || len(body) > 0 {
					t.Errorf("HEAD %s: %q is behind the head (%v)", path, body, err)
				}
				res, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(append(text, "\r\n\r\n"...))), &http.Request{Method: http.MethodHead})
				if err != nil {
					t.Fatal(err)
				}
				_ = res.Body.Close()
				for _, own := range []string{"Date", "X-Request-Id", "Connection", "Ratelimit", "Server-Timing"} {
					get.header.Del(own)
					res.Header.Del(own)
				}
				if res.StatusCode != get.status || nonce.ReplaceAllString(fmt.Sprint(res.Header), "") != nonce.ReplaceAllString(fmt.Sprint(get.header), "") {
					t.Errorf("HEAD %s: %d %v, want %d %v", path, res.StatusCode, res.Header, get.status, get.header)
				}
			}
		}
	})
}

// A thousand overlapping ranges make a server with range requests send a
// thousand times what it has.
func TestRangesDoNotMultiplyTheAnswer(t *testing.T) {
	ranges := "Range: bytes=0-" + strings.Repeat(",0-", 1_000) + "\r\n"
	eachStack(t, func(t *testing.T, s *stack) {
		for _, path := range []string{"/static/shop.css", "/static/shop.svg", "/items/", "/openapi.json", "/docs"} {
			plain := s.one(t, strings.Replace(getItems(""), "/items/", path, 1))
			got := s.one(t, strings.Replace(getItems(ranges), "/items/", path, 1))
			if got.status != plain.status && got.status != http.StatusRequestedRangeNotSatisfiable || len(got.body) > max(len(plain.body), 1024) {
				t.Errorf("%s: %d with %d bytes, want %d with %d, or 416", path, got.status, len(got.body), plain.status, len(plain.body))
			}
		}
	})
}

func TestCompressedBodyIsRefused(t *testing.T) {
	var bomb bytes.Buffer
	w := gzip.NewWriter(&bomb)
	_, _ = w.Write(bytes.Repeat([]byte(" "), 4<<20))
	_ = w.Close()
	eachStack(t, func(t *testing.T, s *stack) {
		c := s.client(t)
		for _, encoding := range []string{"gzip", "GZIP", "x-gzip", "deflate", "br", "zstd", "gzip, gzip", "identity", "unknown", ""} {
			wantProblem(t, encoding, c.post("/test/items/", bomb.String(), "Content-Encoding", encoding), http.StatusUnsupportedMediaType)
		}
	})
}

func TestMethodOverrideIsIgnored(t *testing.T) {
	eachStack(t, func(t *testing.T, s *stack) {
		c := s.client(t)
		for _, header := range []string{"X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "_method"} {
			if got := c.get("/items/1?_method=DELETE", header, "DELETE"); got.status != http.StatusOK {
				t.Errorf("GET with %s: %d, want 200", header, got.status)
			}
			wantProblem(t, header, c.post("/items/1?_method=DELETE", `{"_method":"DELETE"}`, header, "DELETE"), http.StatusMethodNotAllowed)
		}
		if got := c.total(); got != strconv.Itoa(samples) {
			t.Errorf("%s items are for sale, want the %d samples", got, samples)
		}
		for _, method := range []string{"TRACE", "TRACK", "PROPFIND", "BREW", "X"} {
			got := s.one(t, strings.Replace(getItems("Cookie: secret=canary\r\n"), "GET", method, 1))
			wantProblem(t, method, got, http.StatusMethodNotAllowed, http.StatusNotImplemented)
			if strings.Contains(got.body, "canary") {
				t.Errorf("%s shows the request", method)
			}
		}
	})
}

// Under a name of its own a page is same-origin with whatever answers to it.
func TestForeignHostIsRefused(t *testing.T) {
	eachStack(t, func(t *testing.T, s *stack) {
		for _, host := range []string{
			"evil.example", "localhost.evil.example", "evil.localhost", "evil-localhost", "localhost.localdomain", "127.0.0.1.nip.io",
			"127.0.0.2", "0.0.0.0", "127.1", "2130706433", "0x7f000001", "[::ffff:127.0.0.1]", "[::]", "169.254.169.254",
		} {
			to := func(path string) reply {
				return s.one(t, strings.NewReplacer("localhost", host, "/items/", path).Replace(getItems("")))
			}
			for _, path := range []string{"/items/", "/", "/nowhere", "/docs", "/openapi.json", "/health", "/health/live/x"} {
				wantProblem(t, host, to(path), http.StatusMisdirectedRequest, http.StatusBadRequest)
			}
			// A probe goes to the address of the machine. It learns nothing else.
			for _, path := range []string{"/health/live", "/health/ready"} {
				if got := to(path); got.body != `{"status":"ok"}` && got.status != http.StatusMisdirectedRequest {
					t.Errorf("%s at %s: %d %s", path, host, got.status, got.body)
				}
			}
		}
		for _, host := range []string{"localhost", "LOCALHOST", "localhost:1", "127.0.0.1", "[::1]:8443"} {
			for _, header := range []string{"X-Forwarded-Host", "Forwarded", "X-Host", "X-Original-Host"} {
				raw := strings.Replace(getItems("Accept: "+browser+"\r\n"+header+": evil.example\r\n"), "localhost", host, 1)
				got := s.one(t, strings.Replace(raw, "/items/", "/", 1))
				if got.status != http.StatusOK || strings.Contains(got.body, "evil") {
					t.Errorf("Host %s with %s: %d, the page names the other host: %t", host, header, got.status, strings.Contains(got.body, "evil"))
				}
			}
		}
	})
}

// A handler that copies a line break into a header has written another header,
// or another answer. That is its mistake, so it is a 500; but none of it is sent.
func TestLineBreakFromAHandlerIsNotSent(t *testing.T) {
	type echo struct {
		Q string `query:"q"`
	}
	app := newApp(unlimited())
	fastness.Get(app, "/echo/value", func(_ context.Context, in echo) (fastness.Result[string], error) {
		return fastness.Result[string]{Header: http.Header{"X-Echo": {in.Q}}, Body: "x"}, nil
	}, access.Public)
	fastness.Get(app, "/echo/name", func(_ context.Context, in echo) (fastness.Result[string], error) {
		return fastness.Result[string]{Header: http.Header{in.Q: {"x"}}, Body: "x"}, nil
	}, access.Public)
	fastness.Get(app, "/echo/location", func(_ context.Context, in echo) (fastness.Redirect, error) {
		return fastness.Redirect{Path: in.Q}, nil
	}, access.Public)
	fastness.Get(app, "/echo/cookie", func(_ context.Context, in echo) (fastness.Result[string], error) {
		return fastness.Result[string]{Cookies: []*http.Cookie{{Name: "q", Value: in.Q}}, Body: "x"}, nil
	}, access.Public)
	s := serveApp(t, app, plainHTTP[:]...)
	s.log.excused = "/echo/"
	for _, where := range []string{"value", "name", "location", "cookie"} {
		for _, q := range []string{
			"/x\r\nX-Evil: 1", "/x\nX-Evil: 1", "/x\rX-Evil: 1", "/x\r\n\r\n<script>alert(1)</script>", "/x\u560d\u560aX-Evil: 1", "/x\x00", "/x\u2028X-Evil: 1",
			"//evil.example", "/\\evil.example", "https://evil.example", "/\t/evil.example", "javascript:alert(1)", "/../..//evil.example", "x; Domain=evil.example; Path=/",
		} {
			got := s.one(t, strings.Replace(getItems(""), "/items/", "/echo/"+where+"?q="+url.QueryEscape(q), 1))
			if got.header.Get("X-Evil") != "" || strings.Contains(got.body, "<script") || strings.Contains(got.header.Get("Set-Cookie"), "; Domain") {
				t.Errorf("%s %q: %v %q", where, q, got.header, got.body)
			}
			if location := got.header.Get("Location"); location != "" && (strings.HasPrefix(location, "//") || !strings.HasPrefix(location, "/") || strings.ContainsAny(location, "\\\t")) {
				t.Errorf("%s %q leads to %q", where, q, location)
			}
			if strings.ContainsAny(got.header.Get("X-Echo"), "\r\n\x00") || got.status == http.StatusOK && where == "value" && strings.ContainsAny(q, "\r\n\x00") {
				t.Errorf("%s %q: %d with X-Echo %q", where, q, got.status, got.header.Get("X-Echo"))
			}
		}
	}
}

// A line break from a request that gets into a header of the answer is a header
// of the attacker's.
func TestLineBreaksDoNotGetIntoHeaders(t *testing.T) {
	eachStack(t, func(t *testing.T, s *stack) {
		for _, path := range []string{
			"/items?x=%0d%0aSet-Cookie:%20a=b", "/items/1/?x=%0d%0a%0d%0a<script>", "/items/1%0d%0aSet-Cookie:%20a=b", "/%0d%0aSet-Cookie:a=b/",
			"/items?x=%E5%98%8D%E5%98%8ASet-Cookie:%20a=b", "//evil.example/%2f..", "/%5cevil.example/", "/items/1/%E2%80%A8Set-Cookie:a=b/",
		} {
			got := s.one(t, strings.Replace(getItems("X-Request-Id: a\tSet-Cookie: a=b\r\n"), "/items/", path, 1))
			if got.header.Get("Set-Cookie") != "" {
				t.Errorf("%s sets a cookie: %v", path, got.header)
			}
			location := got.header.Get("Location")
			if strings.HasPrefix(location, "//") || strings.Contains(location, "evil.example") || location != "" && !strings.HasPrefix(location, "/items") {
				t.Errorf("%s leads to %q", path, location)
			}
			if !slices.Contains([]int{200, 307, 400, 404, 422}, got.status) {
				t.Errorf("%s: %d", path, got.status)
			}
		}
	})
}
