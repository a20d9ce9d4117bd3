package fastness

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/guard/clientip"
	"github.com/fastness/fastness/guard/compress"
	"github.com/fastness/fastness/guard/cors"
	"github.com/fastness/fastness/guard/csrf"
	"github.com/fastness/fastness/guard/framing"
	"github.com/fastness/fastness/guard/headers"
	"github.com/fastness/fastness/guard/inflight"
	"github.com/fastness/fastness/guard/openconn"
	"github.com/fastness/fastness/guard/ratelimit"
	"github.com/fastness/fastness/guard/report"
	"github.com/fastness/fastness/openapi"
	"github.com/fastness/fastness/ws"
)

// TestEveryGuardIsNeeded attacks an app with all of its guards, and again with
// one of them taken out: the first attack fails and the second one succeeds. So
// whoever takes a guard out of the chain, or breaks it, is told; and a guard that
// stops nothing would be, too. It names each step of the chain and each folder of
// guard/, and fails if there is one that it does not know.
func TestEveryGuardIsNeeded(t *testing.T) {
	known := map[string]bool{
		// What a request is for, and doing it, are no guards.
		"route, method allowlist, time limit": true, "operation": true,
		"the app that is mounted there, without its guards": true,
	}
	for _, g := range guardsToTakeOut() {
		known[g.step], known[g.folder] = true, true
		t.Run(cmp.Or(g.step, g.folder), func(t *testing.T) {
			if g.attack(t, guardedApp(t, g, false)) {
				t.Error("the attack succeeds")
			}
			if !g.attack(t, guardedApp(t, g, true)) {
				t.Error("the attack fails without the guard, too: it shows nothing")
			}
		})
	}
	app := guardedApp(t, guardToTakeOut{}, false)
	for _, s := range app.steps {
		if !known[s.name] {
			t.Errorf("nobody shows what the step %q is needed for", s.name)
		}
	}
	folders, err := os.ReadDir("guard")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range folders {
		if !known[f.Name()] {
			t.Errorf("nobody shows what guard/%s is needed for", f.Name())
		}
	}
}

// guardToTakeOut is a guard, how to take it out, and what succeeds without it.
type guardToTakeOut struct {
	step   string // of the chain, "" if it is none
	folder string // of guard/, "" if it is none
	cfg    Config
	remove func(*App) // nil takes out the step
	attack func(*testing.T, *App) (succeeds bool)
}

func guardsToTakeOut() []guardToTakeOut {
	return []guardToTakeOut{
		{
			step: "client address, by trusted proxies only", folder: "clientip",
			cfg: Config{Proxies: clientip.Config{Trust: []string{"192.0.2.1"}}},
			attack: func(_ *testing.T, a *App) bool { // One client uses up what another one has.
				send(a, "GET", "/seldom", "X-Forwarded-For", "203.0.113.1")
				return send(a, "GET", "/seldom", "X-Forwarded-For", "203.0.113.2").Code == 429
			},
		},
		{
			step: "security headers, on every answer", folder: "headers",
			attack: func(_ *testing.T, a *App) bool { // A page frames an error and runs what is in it.
				return send(a, "GET", "/nothing").Header().Get("Content-Security-Policy") == ""
			},
		},
		{
			step: "cross-origin resource sharing, by exact origins", folder: "cors",
			cfg: Config{CORS: cors.Config{Origins: []string{"https://app.example.com"}}},
			attack: func(_ *testing.T, a *App) bool { // Of two origins, a proxy has looked at the other one.
				return send(a, "GET", "/open", "Origin", "https://app.example.com", "Origin", "https://evil.example").Code == 200
			},
		},
		{
			step: "in-flight cap", folder: "inflight", cfg: Config{MaxInFlight: 1},
			attack: func(_ *testing.T, a *App) bool { // Requests without end fill the memory.
				inside, leave := make(chan struct{}), make(chan struct{})
				var waiting sync.WaitGroup
				waiting.Go(func() {
					r := httptest.NewRequest("GET", "http://localhost/wait", nil)
					a.ServeHTTP(httptest.NewRecorder(), r.WithContext(context.WithValue(r.Context(), waitKey{}, [2]chan struct{}{inside, leave})))
				})
				<-inside
				code := send(a, "GET", "/open").Code
				close(leave)
				waiting.Wait()
				return code == 200
			},
		},
		{
			step: "host allowlist", folder: "host",
			attack: func(_ *testing.T, a *App) bool { // A name that was bound to this machine's address reads along.
				return send(a, "GET", "/open", "Host", "evil.example").Code == 200
			},
		},
		{
			step: "rate limit by client", folder: "ratelimit", cfg: Config{RateLimit: ratelimit.Config{Rule: ratelimit.Rule{Limit: "2/day"}}},
			attack: func(_ *testing.T, a *App) bool { // Somebody copies the whole catalogue.
				send(a, "GET", "/open")
				send(a, "GET", "/nothing")
				return send(a, "GET", "/open").Code == 200
			},
		},
		{
			step: "WebSocket: handshake, Origin",
			attack: func(t *testing.T, a *App) bool { // A cookie comes along, and nobody says from which page.
				return strings.HasPrefix(handshake(t, a, "Cookie: user=ann\r\n"), "HTTP/1.1 101")
			},
		},
		{
			step: "authentication: who is calling",
			attack: func(_ *testing.T, a *App) bool { // Nobody finds out who calls: whom the rule lets in, is refused.
				return send(a, "GET", "/own", "X-User", "ann").Code != 200
			},
		},
		{
			step: "cross-site request: Fetch Metadata, Origin", folder: "csrf",
			attack: func(_ *testing.T, a *App) bool { // A page of another site has its visitor's browser send a form.
				return send(a, "POST", "/open", "Sec-Fetch-Site", "cross-site").Code == 200
			},
		},
		{
			step: "cross-site request: token",
			attack: func(_ *testing.T, a *App) bool { // A browser says nothing of where the form comes from.
				return send(a, "POST", "/own", "Cookie", "user=ann").Code == 200
			},
		},
		{
			step:   "access rule",
			attack: func(_ *testing.T, a *App) bool { return send(a, "GET", "/admin", "X-User", "ann").Code == 200 },
		},
		{
			step: "rate limit by caller and operation",
			attack: func(_ *testing.T, a *App) bool { // Codes are tried one after the other.
				send(a, "GET", "/seldom")
				return send(a, "GET", "/seldom").Code == 200
			},
		},
		{
			folder: "framing", remove: func(a *App) { a.development.Store(true) }, // Which serverOf takes for it.
			attack: func(t *testing.T, a *App) bool { // The rest of a body is a request of its own.
				return strings.Contains(smuggled(t, a), `"open"`)
			},
		},
		{
			folder: "compress",
			remove: func(a *App) { a.gzip, _ = compress.New(compress.Config{InsecureSecrets: "it is taken out"}) },
			attack: func(_ *testing.T, a *App) bool { // The length of an answer tells what is in it.
				return send(a, "GET", "/long", "X-User", "ann", "Accept-Encoding", "gzip").Header().Get("Content-Encoding") == "gzip"
			},
		},
		{
			folder: "replay", remove: func(a *App) { a.csrf.once = a.csrf.guard },
			attack: func(_ *testing.T, a *App) bool { // A token that was written down somewhere is used again.
				given := send(a, "GET", "/token")
				cookie, _, _ := strings.Cut(given.Header().Get("Set-Cookie"), ";")
				token := strings.TrimSuffix(strings.TrimPrefix(given.Body.String(), `{"csrf_token":"`), `"}`)
				use := func() int { return send(a, "POST", "/once", "Cookie", cookie, "X-Csrf-Token", token).Code }
				return use() != 200 || use() == 200
			},
		},
		{
			folder: "openconn", remove: func(a *App) { a.connections, _ = openconn.New(openconn.Config{PerUser: 1 << 20}) },
			attack: func(_ *testing.T, a *App) bool { // One user takes the memory for connections that everybody has.
				code := 0
				for range 11 {
					code = send(a, "GET", "/lasting", "X-User", "ann").Code
				}
				return code == 200
			},
		},
		{
			folder: "report", cfg: Config{Headers: headers.Config{ReportTo: "/reports"}},
			remove: func(a *App) {
				a.reports, _ = report.New(report.Config{PerMinute: 1_000_000, Logger: slog.New(slog.DiscardHandler)})
			},
			attack: func(_ *testing.T, a *App) bool { // Reports fill the disk.
				code := 0
				for range 100 {
					code = send(a, "POST", "/reports", "Content-Type", "application/csp-report", "", `{"csp-report":{"effective-directive":"script-src"}}`).Code
				}
				return code == 204
			},
		},
	}
}

type waitKey struct{}

// guardedApp returns an app with all guards, or without g.
func guardedApp(t *testing.T, g guardToTakeOut, without bool) *App {
	t.Helper()
	cfg := g.cfg
	cfg.Title, cfg.Version, cfg.Roles, cfg.Logger = "Guarded", "1", []string{"admin"}, slog.New(slog.DiscardHandler)
	cfg.CSRF.Keys = csrf.EphemeralKeys()
	a := New(cfg)
	a.Authenticate(testScheme{"header"}, testScheme{"cookie"})
	say := func(text string) func(context.Context, struct{}) (string, error) {
		return func(context.Context, struct{}) (string, error) { return text, nil }
	}
	Get(a, "/open", say("open"), access.Public)
	Get(a, "/seldom", say("seldom"), access.Public, ratelimit.Per("1/day", ratelimit.ByClient))
	Get(a, "/own", say("own"), access.Authenticated)
	Get(a, "/long", say(strings.Repeat("a secret ", 1000)), access.Authenticated)
	Post(a, "/open", say("done"), access.Public)
	Post(a, "/own", say("done"), access.Authenticated)
	Get(a, "/admin", say("admin"), access.Role("admin"))
	Get(a, "/token", NewCSRFToken, access.Public)
	Post(a, "/once", say("once"), access.Public, csrf.OneTimeToken())
	Get(a, "/lasting", func(ctx context.Context, _ struct{}) (string, error) {
		_, err := ctx.Value(exchangeKey{}).(*exchange).openConnection() // It stays open.
		return "open", err
	}, access.Authenticated)
	WebSocket(a, "/ws", func(context.Context, struct{}, *Socket[ws.None, string]) error { return nil }, access.Authenticated)
	Get(a, "/wait", func(ctx context.Context, _ struct{}) (string, error) {
		gates := ctx.Value(waitKey{}).([2]chan struct{})
		close(gates[0])
		<-gates[1]
		return "waited", nil
	}, access.Public)
	if err := a.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	switch {
	case !without:
	case g.remove != nil:
		g.remove(a)
	default:
		for i := range a.steps {
			if a.steps[i].name == g.step {
				a.steps[i].run = func(*exchange) error { return nil }
			}
		}
		if g.folder == "inflight" { // It is asked to let everybody in, since Leave must match.
			a.inflight, _ = inflight.New(inflight.Config{InsecureUnlimited: "it is taken out"})
		}
	}
	return a
}

// testScheme takes the name of a user, in a header or in a cookie.
type testScheme struct{ in string }

func (s testScheme) Describe() auth.Description {
	name := map[string]string{"header": "X-User", "cookie": "user"}[s.in]
	return auth.Description{
		Name: s.in, Challenge: "Name", Ambient: s.in == "cookie",
		Security: &openapi.SecurityScheme{Type: "apiKey", In: s.in, Name: name},
	}
}

func (s testScheme) name(r *http.Request) string {
	if s.in == "header" {
		return r.Header.Get("X-User")
	}
	c, err := r.Cookie("user")
	if err != nil {
		return ""
	}
	return c.Value
}

func (s testScheme) Present(r *http.Request) bool { return s.name(r) != "" }

func (s testScheme) Authenticate(_ context.Context, r *http.Request) (*auth.User, error) {
	return &auth.User{ID: s.name(r), Scheme: s.in, AllScopes: true}, nil
}

// send sends a request with these header fields; the one without a name is the
// body.
func send(a *App, method, path string, fields ...string) *httptest.ResponseRecorder {
	var body io.Reader
	for i := 0; i < len(fields); i += 2 {
		if fields[i] == "" {
			body = strings.NewReader(fields[i+1])
		}
	}
	r := httptest.NewRequest(method, "http://localhost"+path, body)
	r.RemoteAddr = "192.0.2.1:1234"
	for i := 0; i < len(fields); i += 2 {
		switch fields[i] {
		case "":
		case "Host":
			r.Host = fields[i+1]
		default:
			r.Header.Add(fields[i], fields[i+1])
		}
	}
	w := httptest.NewRecorder()
	a.ServeHTTP(w, r)
	return w
}

// handshake asks for the WebSocket and returns the answer.
func handshake(t *testing.T, a *App, fields string) string {
	t.Helper()
	server := httptest.NewServer(a)
	defer server.Close()
	conn, err := net.Dial("tcp", strings.TrimPrefix(server.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n%s\r\n", fields)
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return line
}

// smuggled sends a request whose body is another one to some, and returns all
// answers.
func smuggled(t *testing.T, a *App) string {
	t.Helper()
	guard, err := framing.New(framing.Config{})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(a)
	if !a.development.Load() {
		server.Config.Handler, server.Config.ConnContext = guard.Handler(a), guard.ConnContext
		server.Listener = guard.Listener(server.Listener)
	}
	server.Start()
	defer server.Close()
	conn, err := net.Dial("tcp", strings.TrimPrefix(server.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	poison := "GET /open HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
	fmt.Fprintf(conn, "POST /nothing HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n%s", len(poison)+5, poison)
	answers, err := io.ReadAll(bufio.NewReader(conn))
	if err != nil {
		t.Fatal(err)
	}
	return string(answers)
}
