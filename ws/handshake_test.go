package ws_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/openapi"
	"github.com/fastness/fastness/problem"
	"github.com/fastness/fastness/ws"
)

func TestNewNamesEveryMistake(t *testing.T) {
	_, err := ws.New(ws.Config{
		Origins: []string{"null", "https://*.example.com", "http://app.example.com"}, MessageLimit: -1, Rate: "many", Queue: -1,
		WriteTimeout: -1, PingInterval: -1, IdleTimeout: -1,
	})
	for _, want := range []string{
		"ws config: ", `"null"`, "wildcard", "no TLS", "MessageLimit is -1", "Rate: ", "Queue is -1", "WriteTimeout is -1", "PingInterval is -1", "IdleTimeout is -1",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("New() = %v, want %q in it", err, want)
		}
	}
	if _, err := ws.New(ws.Config{Origins: []string{"http://app.example.com"}, InsecureHTTPOrigins: "a test"}); err != nil {
		t.Errorf("with a reason: %v", err)
	}
	if _, err := ws.Handler(newServer(t, ws.Config{}), func(context.Context, *http.Request, *ws.Conn[chan int, struct{ F func() }]) error { return nil }); err == nil ||
		!strings.Contains(err.Error(), "messages that come") || !strings.Contains(err.Error(), "messages that go") {
		t.Errorf("types that are no messages: %v", err)
	}
}

// status sends a handshake with changes and returns the status of the answer, its
// problem code and its header.
func status(t *testing.T, addr, head string) (int, http.Header) {
	t.Helper()
	c := dialRaw(t, addr, head)
	res, err := http.ReadResponse(c.r, nil)
	if err != nil {
		t.Fatal(err)
	}
	if res.StatusCode >= 400 && res.Header.Get("Content-Type") != problem.MediaType {
		t.Errorf("%d comes as %s", res.StatusCode, res.Header.Get("Content-Type"))
	}
	return res.StatusCode, res.Header
}

func TestHandshakesThatAreNoneAreRefused(t *testing.T) {
	addr := site(t, newServer(t, ws.Config{}), repeat[string])
	good := handshakeHead + "\r\n"
	if got, _ := status(t, addr, good); got != 101 {
		t.Fatalf("a good handshake: %d", got)
	}
	without := func(name string) string {
		var kept []string
		for line := range strings.SplitSeq(good, "\r\n") {
			if !strings.HasPrefix(line, name+":") {
				kept = append(kept, line)
			}
		}
		return strings.Join(kept, "\r\n")
	}
	with := func(fields string) string { return handshakeHead + fields + "\r\n\r\n" }
	for name, tt := range map[string]struct {
		head string
		want int
	}{
		"a page asks for it":                 {without("Upgrade"), 426},
		"no Connection":                      {without("Connection"), 426},
		"another Connection":                 {strings.Replace(good, "Connection: Upgrade", "Connection: keep-alive", 1), 426},
		"HTTP/1.0":                           {strings.Replace(good, "HTTP/1.1", "HTTP/1.0", 1), 426},
		"an old version":                     {strings.Replace(good, "Version: 13", "Version: 8", 1), 426},
		"no version":                         {without("Sec-WebSocket-Version"), 426},
		"two versions":                       {with("Sec-WebSocket-Version: 13"), 426},
		"no key":                             {without("Sec-WebSocket-Key"), 400},
		"two keys":                           {with("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="), 400},
		"a short key":                        {strings.Replace(good, "dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZQ==", 1), 400},
		"a key that is not base64":           {strings.Replace(good, "dGhlIHNhbXBsZSBub25jZQ==", "?GhlIHNhbXBsZSBub25jZQ==", 1), 400},
		"a key with other bits at its end":   {strings.Replace(good, "dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZR==", 1), 400},
		"an upgrade to h2c":                  {strings.Replace(good, "Upgrade: websocket", "Upgrade: h2c", 1), 400},
		"an upgrade to h2c or a WebSocket":   {strings.Replace(good, "Upgrade: websocket", "Upgrade: h2c, websocket", 1), 400},
		"two upgrades":                       {with("Upgrade: h2c"), 400},
		"a body":                             {with("Content-Length: 5") + "12345", 400},
		"a body in chunks":                   {with("Transfer-Encoding: chunked") + "0\r\n\r\n", 400},
		"a POST":                             {strings.Replace(good, "GET", "POST", 1), 405},
		"a HEAD":                             {strings.Replace(good, "GET", "HEAD", 1), 405},
		"compression, which is not answered": {with("Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"), 101},
		"names in other cases":               {strings.NewReplacer("Upgrade: websocket", "upgrade: WebSocket", "Connection: Upgrade", "connection: keep-alive, UPGRADE").Replace(good), 101},
		"a subprotocol nobody knows":         {with("Sec-WebSocket-Protocol: chat"), 101},
	} {
		got, h := status(t, addr, tt.head)
		switch {
		case got != tt.want:
			t.Errorf("%s: %d, want %d", name, got, tt.want)
		case got == 101 && (h.Get("Sec-WebSocket-Extensions") != "" || h.Get("Sec-WebSocket-Protocol") != ""):
			t.Errorf("%s: something was agreed on: %v", name, h)
		case got == 426 && h.Get("Upgrade") != "websocket":
			t.Errorf("%s: the answer does not say what to upgrade to: %v", name, h)
		}
	}
}

// TestCompressionIsNotAgreedOn: a frame with the bit of permessage-deflate is then a
// broken one, so that a kilobyte never becomes a gigabyte.
func TestCompressionIsNotAgreedOn(t *testing.T) {
	addr := site(t, newServer(t, ws.Config{}), repeat[string])
	c := dialRaw(t, addr, handshakeHead+"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n")
	if res, err := http.ReadResponse(c.r, nil); err != nil || res.StatusCode != 101 || res.Header.Get("Sec-WebSocket-Extensions") != "" {
		t.Fatalf("%v, %v", res, err)
	}
	c.send(masked(fin|0x40|text, "\xaa\x56\x4a\x01\x00"))
	if _, code := c.end(); code != 1002 {
		t.Errorf("a deflate bomb: closed with %d, want 1002", code)
	}
}

// TestCrossSiteHandshakesAreRefused is the table of origins.
func TestCrossSiteHandshakesAreRefused(t *testing.T) {
	s := newServer(t, ws.Config{Origins: []string{"https://app.example.com", "https://app.example.com:8443"}})
	const own, cookie = "https://api.example.com", "session=1"
	for name, tt := range map[string]struct {
		host   string
		tls    bool
		header http.Header
		ok     bool
	}{
		"a program":                          {"api.example.com", true, http.Header{}, true},
		"a program with a token":             {"api.example.com", true, http.Header{"Authorization": {"Bearer x"}}, true},
		"the own page":                       {"api.example.com", true, http.Header{"Origin": {own}}, true},
		"the own page, logged in":            {"api.example.com", true, http.Header{"Origin": {own}, "Cookie": {cookie}}, true},
		"the own page, as Chromium says":     {"api.example.com", true, http.Header{"Origin": {own}, "Cookie": {cookie}, "Sec-Fetch-Site": {"same-origin"}}, true},
		"the own page on a port":             {"api.example.com:8443", true, http.Header{"Origin": {own + ":8443"}}, true},
		"the own page, its port written out": {"api.example.com:443", true, http.Header{"Origin": {own}}, true},
		"a listed page":                      {"api.example.com", true, http.Header{"Origin": {"https://app.example.com"}, "Cookie": {cookie}}, true},
		"a listed page on its port":          {"api.example.com", true, http.Header{"Origin": {"https://app.example.com:8443"}}, true},
		"a page of a server without TLS":     {"localhost:8080", false, http.Header{"Origin": {"http://localhost:8080"}}, true},
		"a page with TLS, ended by a proxy":  {"api.example.com", false, http.Header{"Origin": {own}}, true},

		"a cookie and no origin":             {"api.example.com", true, http.Header{"Cookie": {cookie}}, false},
		"a browser that hides the origin":    {"api.example.com", true, http.Header{"Sec-Fetch-Site": {"cross-site"}}, false},
		"a browser that says none":           {"api.example.com", true, http.Header{"Sec-Fetch-Site": {"none"}}, false},
		"null":                               {"api.example.com", true, http.Header{"Origin": {"null"}}, false},
		"null and a cookie":                  {"api.example.com", true, http.Header{"Origin": {"null"}, "Cookie": {cookie}}, false},
		"nothing":                            {"api.example.com", true, http.Header{"Origin": {""}}, false},
		"another site":                       {"api.example.com", true, http.Header{"Origin": {"https://evil.example"}}, false},
		"another site with a token":          {"api.example.com", true, http.Header{"Origin": {"https://evil.example"}, "Authorization": {"Bearer x"}}, false},
		"another site that lies in metadata": {"api.example.com", true, http.Header{"Origin": {"https://evil.example"}, "Sec-Fetch-Site": {"same-origin"}}, false},
		"a name that ends like ours":         {"api.example.com", true, http.Header{"Origin": {"https://evilapi.example.com"}}, false},
		"a name that begins like ours":       {"api.example.com", true, http.Header{"Origin": {"https://api.example.com.evil.example"}}, false},
		"a name below ours":                  {"api.example.com", true, http.Header{"Origin": {"https://x.api.example.com"}}, false},
		"a sibling":                          {"api.example.com", true, http.Header{"Origin": {"https://www.example.com"}}, false},
		"a name below a listed one":          {"api.example.com", true, http.Header{"Origin": {"https://x.app.example.com"}}, false},
		"another port":                       {"api.example.com", true, http.Header{"Origin": {own + ":8443"}}, false},
		"another port of a listed page":      {"api.example.com", true, http.Header{"Origin": {"https://app.example.com:9999"}}, false},
		"no TLS, where there is some":        {"api.example.com", true, http.Header{"Origin": {"http://api.example.com"}}, false},
		"a listed page without TLS":          {"api.example.com", true, http.Header{"Origin": {"http://app.example.com"}}, false},
		"a path behind":                      {"api.example.com", true, http.Header{"Origin": {own + "/"}}, false},
		"a user name in front":               {"api.example.com", true, http.Header{"Origin": {"https://api.example.com@evil.example"}}, false},
		"two origins in one":                 {"api.example.com", true, http.Header{"Origin": {own + " https://evil.example"}}, false},
		"two origins":                        {"api.example.com", true, http.Header{"Origin": {own, "https://evil.example"}}, false},
		"another scheme":                     {"api.example.com", true, http.Header{"Origin": {"wss://api.example.com"}}, false},
		"an extension of the browser":        {"api.example.com", true, http.Header{"Origin": {"chrome-extension://api.example.com"}}, false},
		"no host at all":                     {"", true, http.Header{"Origin": {"https://"}}, false},
	} {
		r := httptest.NewRequest("GET", "https://x/ws", nil)
		if !tt.tls {
			r.TLS = nil
		}
		r.Host, r.Header = tt.host, tt.header
		err := s.CheckOrigin(r)
		if p := problem.From(err); tt.ok != (err == nil) || err != nil && (p.Status != 403 || p.Code != "cross_site") {
			t.Errorf("%s: %v, want to pass: %v", name, err, tt.ok)
		}
	}
	proxied := newServer(t, ws.Config{Scheme: func(*http.Request) string { return "https" }})
	r := httptest.NewRequest("GET", "http://api.example.com/ws", nil)
	r.Header.Set("Origin", "http://api.example.com")
	if proxied.CheckOrigin(r) == nil {
		t.Error("a page without TLS counts, though a proxy says that there was some")
	}
	addr := site(t, s, repeat[string])
	if got, _ := status(t, addr, handshakeHead+"Origin: https://evil.example\r\n\r\n"); got != 403 {
		t.Errorf("the handler lets another site in: %d", got)
	}
}

func TestATokenComesBesideASubprotocol(t *testing.T) {
	for name, tt := range map[string]struct {
		header http.Header
		want   string // Authorization, or the status of a refusal
	}{
		"a token":              {http.Header{"Sec-Websocket-Protocol": {"bearer, ey.J0.x-_~"}}, "Bearer ey.J0.x-_~"},
		"in two fields":        {http.Header{"Sec-Websocket-Protocol": {"bearer", "abc"}}, "Bearer abc"},
		"none":                 {http.Header{}, ""},
		"another subprotocol":  {http.Header{"Sec-Websocket-Protocol": {"chat, bearer"}}, ""},
		"a header":             {http.Header{"Authorization": {"Bearer h"}}, "Bearer h"},
		"both":                 {http.Header{"Authorization": {"Bearer h"}, "Sec-Websocket-Protocol": {"bearer, abc"}}, "400"},
		"no token behind":      {http.Header{"Sec-Websocket-Protocol": {"bearer"}}, "400"},
		"two tokens":           {http.Header{"Sec-Websocket-Protocol": {"bearer, a, b"}}, "400"},
		"an empty one":         {http.Header{"Sec-Websocket-Protocol": {"bearer, "}}, "400"},
		"a scheme smuggled in": {http.Header{"Sec-Websocket-Protocol": {"bearer, a b"}}, "400"},
		"a very long one":      {http.Header{"Sec-Websocket-Protocol": {"bearer, " + strings.Repeat("a", 8<<10+1)}}, "400"},
	} {
		r := httptest.NewRequest("GET", "https://api.example.com/ws", nil)
		r.Header = tt.header
		moved, err := ws.Bearer(r)
		got := ""
		if err != nil {
			got = fmt.Sprint(problem.From(err).Status)
		} else {
			got = moved.Header.Get("Authorization")
			if list := strings.Join(moved.Header["Sec-Websocket-Protocol"], ","); strings.HasPrefix(tt.want, "Bearer") && strings.Contains(list, "ey.") {
				t.Errorf("%s: the token is still among the subprotocols: %q", name, list)
			}
		}
		if got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}

// bearerScheme knows one token.
type bearerScheme struct{ auth.Scheme }

func (bearerScheme) Describe() auth.Description {
	return auth.Description{Name: "token", Challenge: "Bearer", Security: &openapi.SecurityScheme{Type: "http", Scheme: "bearer"}}
}
func (bearerScheme) Present(r *http.Request) bool { return r.Header.Get("Authorization") != "" }
func (bearerScheme) Authenticate(_ context.Context, r *http.Request) (*auth.User, error) {
	if r.Header.Get("Authorization") == "Bearer abc" {
		return &auth.User{ID: "ada"}, nil
	}
	return nil, &auth.Refusal{}
}

// On plain net/http the token is found by whoever looks at Authorization.
func TestBearerHandlerGoesInFrontOfTheSchemes(t *testing.T) {
	schemes, err := auth.New(bearerScheme{})
	if err != nil {
		t.Fatal(err)
	}
	h, err := ws.Handler(newServer(t, ws.Config{}), func(ctx context.Context, _ *http.Request, conn *ws.Conn[ws.None, string]) error {
		return conn.Send("hello " + auth.From(ctx).ID)
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(ws.BearerHandler(schemes.Handler(h)))
	defer server.Close()
	addr := strings.TrimPrefix(server.URL, "http://")
	if got, _ := status(t, addr, handshakeHead+"Sec-WebSocket-Protocol: bearer, wrong\r\n\r\n"); got != 401 {
		t.Errorf("a wrong token: %d, want 401", got)
	}
	c := dialRaw(t, addr, handshakeHead+"Sec-WebSocket-Protocol: bearer, abc\r\n\r\n")
	res, err := http.ReadResponse(c.r, nil)
	if err != nil || res.StatusCode != 101 || res.Header.Get("Sec-WebSocket-Protocol") != "bearer" {
		t.Fatalf("the right token: %v, %v", res, err)
	}
	if before, code := c.end(); code != 1000 || len(before) != 1 || string(before[0].payload) != `"hello ada"` {
		t.Errorf("%v, closed with %d", before, code)
	}
}
