package fastness_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/auth/access"
)

type joinRoom struct {
	User auth.User
	Room string `path:"room" maxLength:"40"`
}

type chatMessage struct {
	Text string `json:"text" minLength:"1" maxLength:"100"`
}

type chatEvent struct {
	Room string `json:"room"`
	From string `json:"from"`
	Text string `json:"text"`
}

// chat says back what it is told.
func chat(ctx context.Context, in joinRoom, conn *fastness.Socket[chatMessage, chatEvent]) error {
	for {
		m, err := conn.Receive(ctx)
		if err != nil {
			return err
		}
		if err := conn.Send(chatEvent{in.Room, in.User.ID, m.Text}); err != nil {
			return err
		}
	}
}

// chatServer serves an app with a chat on a loopback port, and returns its address.
func chatServer(t *testing.T, cfg fastness.Config, options ...fastness.Option) (*fastness.App, string) {
	t.Helper()
	app := chatApp(t, cfg, options...)
	server := httptest.NewServer(app)
	t.Cleanup(server.Close)
	return app, strings.TrimPrefix(server.URL, "http://")
}

func dialChat(t *testing.T, addr, path string, header http.Header, protocols ...string) (*websocket.Conn, *http.Response, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	conn, res, err := websocket.Dial(ctx, "ws://"+addr+path, &websocket.DialOptions{HTTPHeader: header, Subprotocols: protocols})
	if err == nil {
		t.Cleanup(func() { _ = conn.CloseNow() })
	}
	return conn, res, err
}

func TestAChatOverARealSocket(t *testing.T) {
	_, addr := chatServer(t, fastness.Config{}, access.Authenticated)
	conn, res, err := dialChat(t, addr, "/ws/lobby", http.Header{"X-User": {"ada"}})
	if err != nil {
		t.Fatalf("dial: %v %v", res, err)
	}
	if res.Header.Get("X-Request-Id") == "" || res.Header.Get("Content-Security-Policy") == "" {
		t.Errorf("the answer lacks what every answer has: %v", res.Header)
	}
	say := func(text string) map[string]any {
		t.Helper()
		if err := conn.Write(t.Context(), websocket.MessageText, []byte(text)); err != nil {
			t.Fatal(err)
		}
		_, data, err := conn.Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var got map[string]any
		if err := json.Unmarshal(data, &got); err != nil {
			t.Fatal(err)
		}
		return got
	}
	if got := say(`{"text":"hello"}`); got["from"] != "ada" || got["room"] != "lobby" || got["text"] != "hello" {
		t.Errorf("echo: %v", got)
	}
	if got := say(`{"text":"","x":1}`); got["status"] != 422.0 || len(got["errors"].([]any)) != 2 {
		t.Errorf("a bad message is answered with %v, want a problem with two violations", got)
	}
	if got := say(`{`); got["status"] != 400.0 {
		t.Errorf("no JSON is answered with %v", got)
	}
	if got := say(`{"text":"again"}`); got["text"] != "again" {
		t.Errorf("the connection does not go on: %v", got)
	}
	if err := conn.Ping(conn.CloseRead(t.Context())); err != nil {
		t.Errorf("ping: %v", err)
	}
	if err := conn.Close(websocket.StatusNormalClosure, "bye"); err != nil {
		t.Errorf("close: %v", err)
	}
}
