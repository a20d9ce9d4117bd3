package fastness_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/fastnesstest"
	"github.com/fastness/fastness/guard/cors"
	"github.com/fastness/fastness/guard/csrf"
	"github.com/fastness/fastness/guard/openconn"
	"github.com/fastness/fastness/guard/ratelimit"
	"github.com/fastness/fastness/openapi"
	"github.com/fastness/fastness/ws"
)

// TestAWebSocketIsRefusedBeforeTheUpgrade wants the answers of any other operation.
func TestAWebSocketIsRefusedBeforeTheUpgrade(t *testing.T) {
	app := chatApp(t, fastness.Config{
		Roles: []string{"clerk"}, Connections: openconn.Config{PerUser: 1},
		CSRF: csrf.Config{TrustedOrigins: []string{"https://trusted.example"}}, CORS: cors.Config{Origins: []string{"https://shared.example"}},
	}, access.Authenticated)
	api := fastnesstest.New(t, app)
	header, shake := fastnesstest.Header, fastnesstest.Handshake()
	for name, tt := range map[string]struct {
		path    string
		options []fastnesstest.Option
		status  int
		code    string
	}{
		"nobody":                    {"/ws/a", nil, 401, ""},
		"a wrong name":              {"/ws/a", []fastnesstest.Option{header("X-User", "wrong")}, 401, ""},
		"a wrong token beside":      {"/ws/a", []fastnesstest.Option{header("Sec-WebSocket-Protocol", "bearer, wrong")}, 401, ""},
		"a token in the URL":        {"/ws/a?access_token=ada&token=ada", nil, 401, ""},
		"another path":              {"/wss/a", []fastnesstest.Option{header("X-User", "ada")}, 404, ""},
		"a parameter that is wrong": {"/ws/much-too-long-to-be-the-name-of-any-room-of-this-house", []fastnesstest.Option{header("X-User", "ada")}, 422, "validation"},
		"another host":              {"/ws/a", []fastnesstest.Option{header("X-User", "ada"), header("Host", "evil.example")}, 421, ""},
		"another site":              {"/ws/a", []fastnesstest.Option{header("X-User", "ada"), header("Origin", "https://evil.example")}, 403, "cross_site"},
		"a sandboxed frame":         {"/ws/a", []fastnesstest.Option{header("X-User", "ada"), header("Origin", "null")}, 403, "cross_site"},
		"a cookie without Origin":   {"/ws/a", []fastnesstest.Option{fastnesstest.Cookie("user", "ada")}, 403, "cross_site"},
		"another port":              {"/ws/a", []fastnesstest.Option{fastnesstest.Cookie("user", "ada"), header("Origin", "https://localhost:8443")}, 403, "cross_site"},
		"a page that is shared with, and a cookie": {"/ws/a", []fastnesstest.Option{fastnesstest.Cookie("user", "ada"), header("Origin", "https://shared.example")}, 403, "cross_site"},
	} {
		t.Run(name, func(t *testing.T) {
			api.With(t).Get(tt.path, append([]fastnesstest.Option{shake}, tt.options...)...).WantProblem(tt.status, tt.code)
		})
	}
	api.Get("/ws/a", header("X-User", "ada")).WantProblem(426, "websocket_required").WantHeader("Upgrade", "websocket")
	api.Do("HEAD", "/ws/a", nil, shake, header("X-User", "ada")).Want(405)
	api.Post("/ws/a", nil, shake, header("X-User", "ada")).Want(405)
	api.Do("GET", "/ws/a", fastnesstest.JSON("{}"), shake, header("X-User", "ada")).WantProblem(400, "malformed_handshake")

	for name, options := range map[string][]fastnesstest.Option{
		"a program":            {header("X-User", "ada")},
		"a token beside":       {header("Sec-WebSocket-Protocol", "bearer, ada"), header("Origin", "https://localhost")},
		"the own page":         {fastnesstest.Cookie("user", "ada"), header("Origin", "https://localhost")},
		"a trusted page":       {fastnesstest.Cookie("user", "ada"), header("Origin", "https://trusted.example")},
		"a shared page, token": {header("Sec-WebSocket-Protocol", "bearer, ada"), header("Origin", "https://shared.example")},
	} {
		t.Run(name, func(t *testing.T) {
			conn := fastnesstest.Dial[chatMessage, chatEvent](api.With(t), "/ws/a", options...)
			conn.Send(chatMessage{"hi"})
			if got := conn.Receive(); got.From != "ada" {
				t.Errorf("got %v", got)
			}
			api.With(t).Get("/ws/a", append(options, shake)...).WantProblem(429, "too_many_connections")
			conn.Close()
			for deadline := time.Now().Add(5 * time.Second); api.With(t).Get("/ws/much-too-long-to-be-the-name-of-any-room-of-this-house", append(options, shake)...).Status == 429; {
				if time.Now().After(deadline) {
					t.Fatal("a connection that was closed still counts")
				}
			}
		})
	}
}

func TestRateLimitsAndRulesHoldForHandshakes(t *testing.T) {
	api := fastnesstest.New(t, chatApp(t, fastness.Config{Roles: []string{"clerk"}}, access.Role("clerk"), ratelimit.Per("1/minute")))
	shake, ada := fastnesstest.Handshake(), fastnesstest.Header("X-User", "ada")
	api.Get("/ws/a", shake, ada).WantProblem(403, "")
	api = fastnesstest.New(t, chatApp(t, fastness.Config{}, access.Authenticated, ratelimit.Per("1/minute")))
	fastnesstest.Dial[chatMessage, chatEvent](api, "/ws/a", ada).Close()
	api.Get("/ws/a", shake, ada).WantProblem(429, "")
}

// changing is a scheme with one user, who changes.
type changing struct{ user atomic.Pointer[auth.User] }

func (*changing) Describe() auth.Description {
	return auth.Description{Name: "key", Challenge: "Key", Security: &openapi.SecurityScheme{Type: "apiKey", In: "header", Name: "X-Key"}}
}
func (*changing) Present(r *http.Request) bool { return r.Header.Get("X-Key") != "" }
func (c *changing) Authenticate(context.Context, *http.Request) (*auth.User, error) {
	if u := c.user.Load(); u != nil {
		return u, nil
	}
	return nil, &auth.Refusal{Reason: errors.New("logged out")}
}

// TestAConnectionEndsWithTheRightToIt: log-out, the end of a token and a lost role close it within
// five seconds, whether anything is sent or not.
func TestAConnectionEndsWithTheRightToIt(t *testing.T) {
	clerk := auth.User{ID: "ada", Roles: auth.SetOf("clerk"), AllScopes: true}
	for _, tt := range []struct {
		name   string
		change func(*changing)
		code   int
	}{
		{"log-out", func(c *changing) { c.user.Store(nil) }, 4401},
		{"the token ends", func(c *changing) {
			u := clerk
			u.Until = time.Now().Add(time.Second)
			c.user.Store(&u)
		}, 4401},
		{"the role is taken away", func(c *changing) {
			u := clerk
			u.Roles = auth.SetOf("guest")
			c.user.Store(&u)
		}, 4403},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				scheme := new(changing)
				scheme.user.Store(&clerk)
				app := fastness.New(fastness.Config{Title: "T", Version: "1", Roles: []string{"clerk", "guest"}, Logger: slog.New(slog.DiscardHandler)})
				app.Authenticate(scheme)
				fastness.WebSocket(app, "/ws/{room}", chat, access.Role("clerk"), fastness.Timeout(time.Second))
				api := fastnesstest.New(t, app)
				conn := fastnesstest.Dial[chatMessage, chatEvent](api, "/ws/a", fastnesstest.Header("X-Key", "k"))
				time.Sleep(10 * time.Minute) // The time limit of the operation is one second.
				conn.Send(chatMessage{"still here"})
				if got := conn.Receive(); got.Text != "still here" {
					t.Errorf("got %v", got)
				}
				tt.change(scheme)
				start := time.Now()
				conn.WantClosed(tt.code)
				if took := time.Since(start); took > 5*time.Second {
					t.Errorf("it took %v", took)
				}
			})
		})
	}
}

// TestWhatAMessageDoesIsAskedForThatMessage: Caller knows of a change before the connection is closed.
func TestWhatAMessageDoesIsAskedForThatMessage(t *testing.T) {
	scheme := new(changing)
	scheme.user.Store(&auth.User{ID: "ada", Roles: auth.SetOf("moderator"), AllScopes: true})
	app := fastness.New(fastness.Config{Title: "T", Version: "1", Roles: []string{"moderator"}, Logger: slog.New(slog.DiscardHandler)})
	app.Authenticate(scheme)
	fastness.WebSocket(app, "/ws", func(ctx context.Context, _ struct{}, conn *fastness.Socket[chatMessage, bool]) error {
		for {
			if _, err := conn.Receive(ctx); err != nil {
				return err
			}
			user, err := conn.Caller(ctx)
			if err != nil {
				return err
			}
			if err := conn.Send(user.HasRole("moderator")); err != nil {
				return err
			}
		}
	}, access.Authenticated)
	conn := fastnesstest.Dial[chatMessage, bool](fastnesstest.New(t, app), "/ws", fastnesstest.Header("X-Key", "k"))
	ask := func() bool { conn.Send(chatMessage{"may I?"}); return conn.Receive() }
	if !ask() {
		t.Error("a moderator is none")
	}
	scheme.user.Store(&auth.User{ID: "ada", AllScopes: true})
	if ask() {
		t.Error("who is no moderator any more may still")
	}
	scheme.user.Store(nil)
	conn.Send(chatMessage{"may I?"})
	conn.WantClosed(4401)
}

// TestOpenConnectionsAreNoRequestsInFlight: quiet connections do not take the places of requests.
func TestOpenConnectionsAreNoRequestsInFlight(t *testing.T) {
	app := fastness.New(fastness.Config{Title: "T", Version: "1", MaxInFlight: 1, Logger: slog.New(slog.DiscardHandler)})
	passed := 0
	app.Use(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { passed++; next.ServeHTTP(w, r) })
	})
	fastness.WebSocket(app, "/ws", func(ctx context.Context, _ struct{}, conn *fastness.Socket[ws.None, string]) error {
		<-ctx.Done()
		return nil
	}, access.Public, fastness.Middleware(func(next http.Handler) http.Handler { return next }))
	fastness.Get(app, "/", func(context.Context, struct{}) (string, error) { return "served", nil }, access.Public)
	api := fastnesstest.New(t, app)
	for range 3 {
		fastnesstest.Dial[ws.None, string](api, "/ws")
	}
	api.Get("/").Want(200)
	if passed != 4 {
		t.Errorf("%d requests passed the middleware, want 4", passed)
	}
}

// TestAWebSocketHasOneLineInTheLog, when it ends.
func TestAWebSocketHasOneLineInTheLog(t *testing.T) {
	for name, middleware := range map[string]bool{"alone": false, "behind middleware": true} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			cfg := fastness.Config{Title: "T", Version: "1", Logger: slog.New(slog.NewJSONHandler(&log, nil))}
			app := fastness.New(cfg)
			app.Authenticate(newNamed(false))
			returned := make(chan struct{})
			talk := func(ctx context.Context, in joinRoom, conn *fastness.Socket[chatMessage, chatEvent]) error {
				defer close(returned)
				return chat(ctx, in, conn)
			}
			options := []fastness.Option{access.Authenticated}
			if middleware {
				pass := func(next http.Handler) http.Handler { return next }
				app.Use(pass)
				options = append(options, fastness.Middleware(pass))
			}
			fastness.WebSocket(app, "/ws/{room}", talk, options...)
			api := fastnesstest.New(t, app)
			conn := fastnesstest.Dial[chatMessage, chatEvent](api, "/ws/a?token=secret", fastnesstest.Header("Sec-WebSocket-Protocol", "bearer, ada"))
			for range 3 {
				conn.Send(chatMessage{"x"})
				conn.Receive()
			}
			conn.SendText(`{"text":1}`)
			conn.WantProblem(422, "validation")
			if log.Len() > 0 {
				t.Errorf("a line while it is open: %s", log.String())
			}
			conn.Close()
			<-returned
			if err := app.Stop(t.Context()); err != nil { // It waits for the line.
				t.Fatal(err)
			}
			var line struct {
				Status            int
				Route, User, Path string
				CloseCode         int `json:"close_code"`
				Received, Sent    int
				DurationMS        float64 `json:"duration_ms"`
				RequestID         string  `json:"request_id"`
			}
			if err := json.Unmarshal(log.Bytes(), &line); err != nil { // also if there are two
				t.Fatalf("%v: %s", err, log.String())
			}
			if line.Status != 101 || line.Route != "/ws/{room}" || line.Path != "/ws/a" || line.User != "ada" || line.CloseCode != 1000 ||
				line.Received != 4 || line.Sent != 4 || line.DurationMS == 0 || len(line.RequestID) != 32 {
				t.Errorf("log %s", log.String())
			}
			if strings.Contains(log.String(), "secret") {
				t.Errorf("the query is in the log: %s", log.String())
			}
		})
	}
}

// TestAProgramThatStopsTellsItsWebSockets over TLS, on a real socket.
func TestAProgramThatStopsTellsItsWebSockets(t *testing.T) {
	app := lineApp(fastness.Config{})
	fastness.WebSocket(app, "/ws", func(ctx context.Context, _ struct{}, conn *fastness.Socket[chatMessage, chatMessage]) error {
		for {
			if _, err := conn.Receive(ctx); err != nil {
				return err
			}
		}
	}, access.Public)
	s := serveLine(t, app, "--drain-delay", "0s", "--grace", "10s")
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: s.roots}}}
	conns := make([]*websocket.Conn, 20)
	for i := range conns {
		var err error
		if conns[i], _, err = websocket.Dial(t.Context(), "wss://"+strings.TrimPrefix(s.url, "https://")+"/ws", &websocket.DialOptions{HTTPClient: client}); err != nil {
			t.Fatal(err)
		}
	}
	start := time.Now()
	s.stop()
	for i, c := range conns {
		if _, _, err := c.Read(t.Context()); websocket.CloseStatus(err) != websocket.StatusGoingAway {
			t.Errorf("connection %d: %v, want 1001", i+1, err)
		}
	}
	if exit := <-s.exit; exit != 0 || time.Since(start) > 5*time.Second {
		t.Errorf("exit %d after %v: %s", exit, time.Since(start), s.text())
	}
}
