package fastness_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/fastnesstest"
	"github.com/fastness/fastness/guard/openconn"
	"github.com/fastness/fastness/guard/ratelimit"
	"github.com/fastness/fastness/problem"
	"github.com/fastness/fastness/ws"
)

// readTx and writeTx are like the transactions of package sqldb.
type (
	readTx  struct{ open *bool }
	writeTx struct{}
	loaded  struct{ name string }
)

func (readTx) Writes() bool  { return false }
func (writeTx) Writes() bool { return true }

func TestWrongWebSocketsAreMistakes(t *testing.T) {
	app := fastness.New(fastness.Config{
		Title: "T", Version: "1", WebSockets: ws.Config{Rate: "many"}, Connections: openconn.Config{PerUser: -1},
	})
	fastness.Provide(app, func(context.Context, struct{}) (readTx, error) { return readTx{}, nil })
	fastness.Provide(app, func(context.Context, struct{}) (writeTx, error) { return writeTx{}, nil })
	fastness.Provide(app, func(context.Context, struct{ Tx writeTx }) (loaded, error) { return loaded{}, nil })
	type conn = *fastness.Socket[string, string]
	fastness.WebSocket(app, "/rule", func(context.Context, struct{}, conn) error { return nil })
	fastness.WebSocket(app, "/body", func(context.Context, struct{ Body chatMessage }, conn) error { return nil }, access.Public)
	fastness.WebSocket(app, "/read", func(context.Context, struct{ Tx readTx }, conn) error { return nil }, access.Public)
	fastness.WebSocket(app, "/write", func(context.Context, struct{ Tx writeTx }, conn) error { return nil }, access.Public)
	fastness.WebSocket(app, "/loaded", func(context.Context, struct{ O loaded }, conn) error { return nil }, access.Public)
	fastness.WebSocket(app, "/types", func(context.Context, struct{}, *fastness.Socket[chan int, func()]) error { return nil }, access.Public)
	fastness.WebSocket(app, "/limits", func(context.Context, struct{}, conn) error { return nil }, access.Public, ws.Rate("often"), ws.MessageLimit(-1))
	fastness.WebSocket(app, "/status", func(context.Context, struct{}, conn) error { return nil }, access.Public, fastness.Status(201))
	fastness.WebSocket(app, "/tasks", func(context.Context, struct{ Background *fastness.Background }, conn) error { return nil }, access.Public)
	fastness.WebSocket[struct{}, string, string](app, "/nothing", nil, access.Public)
	err := app.Start(t.Context())
	for _, want := range []string{
		"config: WebSockets: ws config: Rate: ", "config: Connections: openconn config: PerUser is -1", "GET /rule: no access rule", "GET /body: the body of a GET",
		"GET /read: it gets a fastness_test.readTx, which has ended", "GET /write: it gets a fastness_test.writeTx, which has ended",
		"GET /tasks: it gets a *fastness.Background",
		"GET /loaded: a provider gets a fastness_test.writeTx, which writes", "GET /types: ws protocol: messages that come", "messages that go",
		`GET /limits: ws.Rate: "often" is no limit`, "ws.MessageLimit is -1", "GET /status: a WebSocket answers 101", "GET /nothing: no function",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Start() lacks %q: %v", want, err)
		}
	}
}

// TestNoTransactionStaysOpenWhileAConnectionLives: clean-ups run before the first message.
func TestNoTransactionStaysOpenWhileAConnectionLives(t *testing.T) {
	open, failed := false, error(nil)
	app := fastness.New(fastness.Config{Title: "T", Version: "1", Logger: slog.New(slog.DiscardHandler)})
	fastness.ProvideCleanup(app, func(context.Context, struct{}) (readTx, func(error) error, error) {
		open = true
		return readTx{&open}, func(err error) error { open, failed = false, err; return err }, nil
	})
	fastness.Provide(app, func(_ context.Context, in struct {
		Tx   readTx
		Name string `path:"name"`
	}) (loaded, error) {
		if !*in.Tx.open || in.Name == "none" {
			return loaded{}, problem.New(404, "there is none")
		}
		return loaded{in.Name}, nil
	})
	fastness.WebSocket(app, "/ws/{name}", func(_ context.Context, in struct {
		Object loaded
		Name   string `path:"name"`
	}, conn *fastness.Socket[ws.None, bool]) error {
		return conn.Send(open)
	}, access.Public)
	api := fastnesstest.New(t, app)
	if fastnesstest.Dial[ws.None, bool](api, "/ws/lamp").Receive() {
		t.Error("the transaction is open")
	}
	api.Get("/ws/none", fastnesstest.Handshake()).WantProblem(404, "")
	if open || failed == nil {
		t.Errorf("after a refusal it is open: %v, and its clean-up got %v", open, failed)
	}
}

// secretEvent has a member that is not for everybody.
type secretEvent struct {
	Text  string `json:"text"`
	Price int    `json:"price" visibleTo:"clerk"`
}

// TestMembersOfMessagesThatAreNotForEverybody are left out and refused as in bodies.
func TestMembersOfMessagesThatAreNotForEverybody(t *testing.T) {
	app := fastness.New(fastness.Config{Title: "T", Version: "1", Roles: []string{"clerk"}, Logger: slog.New(slog.DiscardHandler)})
	app.Authenticate(newNamed(false))
	fastness.WebSocket(app, "/ws", func(_ context.Context, _ struct{}, conn *fastness.Socket[ws.None, secretEvent]) error {
		return conn.Send(secretEvent{"lamp", 7})
	}, access.Authenticated)
	api := fastnesstest.New(t, app)
	for role, want := range map[string]int{"": 0, "clerk": 7} {
		conn := fastnesstest.Dial[ws.None, secretEvent](api, "/ws", fastnesstest.As(auth.User{ID: "ada", Roles: auth.SetOf(role)}))
		if got := conn.Receive(); got.Price != want {
			t.Errorf("role %q sees %d, want %d", role, got.Price, want)
		}
	}
}

// TestAHandlerThatPanicsEndsItsOwnConnectionOnly, and shows nothing.
func TestAHandlerThatPanicsEndsItsOwnConnectionOnly(t *testing.T) {
	var log bytes.Buffer
	app := fastness.New(fastness.Config{Title: "T", Version: "1", Logger: slog.New(slog.NewTextHandler(&log, nil))})
	fastness.WebSocket(app, "/ws", func(ctx context.Context, _ struct{}, conn *fastness.Socket[string, string]) error {
		if m, err := conn.Receive(ctx); err != nil || m == "panic" {
			panic("broken: " + m)
		}
		return conn.Send("fine")
	}, access.Public)
	api := fastnesstest.New(t, app)
	other := fastnesstest.Dial[string, string](api, "/ws")
	conn := fastnesstest.Dial[string, string](api, "/ws")
	conn.Send("panic")
	conn.WantClosed(1011)
	other.Send("go on")
	if got := other.Receive(); got != "fine" {
		t.Errorf("the other one: %q", got)
	}
	if err := app.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(log.String(), "broken: panic") || !strings.Contains(log.String(), "close_code=1011") {
		t.Errorf("log %s", log.String())
	}
}

func TestTheDocumentSaysWhatGoesOverAWebSocket(t *testing.T) {
	app := chatApp(t, fastness.Config{}, access.Authenticated, ws.Rate("5/second"), ws.MessageLimit(1000))
	doc, err := app.Document()
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Paths map[string]map[string]struct {
			Responses map[string]any
			Socket    struct {
				Receive struct {
					Content, Rate string
					MaxLength     int
					Schema        map[string]string
				}
				Send struct {
					Content string
					Schema  map[string]string
				}
				Subprotocol string
			} `json:"x-websocket"`
		}
		Components struct{ Schemas map[string]any }
	}
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	op := got.Paths["/ws/{room}"]["get"]
	if s := op.Socket; s.Receive.Content != "json" || s.Receive.Rate != "5/second" || s.Receive.MaxLength != 1000 || s.Subprotocol != "bearer" ||
		got.Components.Schemas[strings.TrimPrefix(s.Receive.Schema["$ref"], "#/components/schemas/")] == nil ||
		got.Components.Schemas[strings.TrimPrefix(s.Send.Schema["$ref"], "#/components/schemas/")] == nil {
		t.Errorf("x-websocket: %+v", s)
	}
	for _, status := range []string{"101", "400", "401", "403", "422", "426", "429", "503"} {
		if op.Responses[status] == nil {
			t.Errorf("the document lacks the answer %s", status)
		}
	}
	if op.Responses["200"] != nil {
		t.Error("the document promises a 200")
	}
}

// TestAnIdleConnectionIsSmall opens many over loopback, and counts what they take of
// memory, heap and stacks, and how many goroutines they have. They are without TLS, which
// takes some 10 KiB more.
func TestAnIdleConnectionIsSmall(t *testing.T) {
	const warm, n = 100, 1500
	app := chatApp(t, fastness.Config{
		RateLimit:   ratelimit.Config{InsecureUnlimited: "all come from here"},
		Connections: openconn.Config{PerUser: n + warm, PerClient: n + warm}, Logger: slog.New(slog.DiscardHandler),
	}, access.Authenticated)
	server := httptest.NewServer(app)
	defer server.Close()
	port := server.Listener.Addr().(*net.TCPAddr).Port
	var open []int
	defer func() {
		for _, fd := range open {
			_ = syscall.Close(fd)
		}
	}()
	memory := func() (bytes int64, goroutines int) {
		var m runtime.MemStats
		for range 4 { // Stacks shrink by half each time.
			runtime.GC()
		}
		runtime.ReadMemStats(&m)
		return int64(m.HeapInuse + m.StackInuse), runtime.NumGoroutine()
	}
	for range warm {
		open = append(open, openIdle(t, port, "ada"))
	}
	before, goroutinesBefore := memory()
	for range n {
		open = append(open, openIdle(t, port, "ada"))
	}
	after, goroutinesAfter := memory()
	each, goroutines := (after-before)/n, float64(goroutinesAfter-goroutinesBefore)/n
	t.Logf("%d bytes and %.2f goroutines an idle connection", each, goroutines)
	if each > 12<<10 && !raceEnabled {
		t.Errorf("an idle connection takes %d bytes, want 12 KiB at most", each)
	}
	if goroutines > 1.5 {
		t.Errorf("an idle connection has %.2f goroutines, want 1", goroutines)
	}
}

// TestAUserCannotOpenTenThousand: the cap of one user holds, over a real socket.
func TestAUserCannotOpenTenThousand(t *testing.T) {
	_, addr := chatServer(t, fastness.Config{}, access.Authenticated)
	opened := 0
	for range 15 {
		_, res, err := dialChat(t, addr, "/ws/a", http.Header{"X-User": {"ada"}})
		switch {
		case err == nil:
			opened++
		case res == nil || res.StatusCode != 429:
			t.Fatalf("%v, %v, want 429", res, err)
		}
	}
	if opened != 10 {
		t.Errorf("%d connections of one user are open, want 10", opened)
	}
	if _, _, err := dialChat(t, addr, "/ws/a", http.Header{"X-User": {"bob"}}); err != nil {
		t.Errorf("another user: %v", err)
	}
}
