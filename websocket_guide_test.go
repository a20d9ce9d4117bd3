package fastness_test

import (
	"context"
	"log/slog"
	"sync"
	"testing"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/fastnesstest"
	"github.com/fastness/fastness/internal/guidetest"
	"github.com/fastness/fastness/problem"
	"github.com/fastness/fastness/ws"
)

// What follows is the code of docs/websockets.md, besides joinRoom.

type ChatMessage struct {
	Text string `json:"text" minLength:"1" maxLength:"1000"`
}

type ChatEvent struct {
	From string `json:"from"`
	Text string `json:"text"`
}

type Quote struct {
	Cents int `json:"cents"`
}

// chatRooms knows who is in which room.
type chatRooms struct {
	mu    sync.Mutex
	rooms map[string]map[*fastness.Socket[ChatMessage, ChatEvent]]bool
}

func (c *chatRooms) join(room string, conn *fastness.Socket[ChatMessage, ChatEvent]) (leave func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.rooms[room] == nil {
		c.rooms[room] = make(map[*fastness.Socket[ChatMessage, ChatEvent]]bool)
	}
	c.rooms[room][conn] = true
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.rooms[room], conn)
	}
}

func (c *chatRooms) tell(room string, event ChatEvent) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for conn := range c.rooms[room] {
		_ = conn.Send(event) // Who cannot be told has gone.
	}
}

func TestGuideToWebSocketsShowsCodeThatRuns(t *testing.T) {
	guidetest.Shows(t, "docs/websockets.md", 4, "websocket_guide_test.go", "websocket_test.go")
}

func TestGuideToWebSocketsRuns(t *testing.T) {
	app := fastness.New(fastness.Config{Title: "Chat", Version: "1", Roles: []string{"moderator"}, Logger: slog.New(slog.DiscardHandler)})
	app.Authenticate(newNamed(false))
	rooms := &chatRooms{rooms: make(map[string]map[*fastness.Socket[ChatMessage, ChatEvent]]bool)}
	quotes := make(chan Quote, 1)
	fastness.WebSocket(app, "/ws/{room}",
		func(ctx context.Context, in joinRoom, conn *fastness.Socket[ChatMessage, ChatEvent]) error {
			leave := rooms.join(in.Room, conn)
			defer leave()
			for {
				m, err := conn.Receive(ctx)
				if err != nil {
					return err // the connection has ended
				}
				rooms.tell(in.Room, ChatEvent{From: in.User.ID, Text: m.Text})
			}
		}, access.Authenticated, ws.Rate("300/minute"))
	fastness.WebSocket(app, "/quotes",
		func(ctx context.Context, _ struct{}, conn *fastness.Socket[ws.None, Quote]) error {
			for {
				select {
				case p := <-quotes:
					if err := conn.Send(p); err != nil {
						return err
					}
				case <-ctx.Done():
					return nil
				}
			}
		}, access.Public)
	fastness.WebSocket(app, "/close", func(ctx context.Context, _ struct{}, conn *fastness.Socket[ws.None, string]) error {
		user, err := conn.Caller(ctx)
		if err != nil {
			return err // closes with 4401 or 4403
		}
		if !user.HasRole("moderator") {
			return problem.New(403, "only moderators close a room")
		}
		return conn.Send("closed")
	}, access.Authenticated)

	api := fastnesstest.New(t, app)
	ada := fastnesstest.Dial[ChatMessage, ChatEvent](api, "/ws/lobby", fastnesstest.As(auth.User{ID: "ada"}))
	ada.Send(ChatMessage{Text: "hello"})
	event := ada.Receive()
	ada.SendText(`{"text":""}`)
	ada.WantProblem(422, "validation")
	ada.Close()
	api.Get("/ws/lobby", fastnesstest.Handshake(), fastnesstest.Header("Origin", "https://evil.example")).WantProblem(403, "cross_site")
	if event != (ChatEvent{"ada", "hello"}) {
		t.Errorf("event %v", event)
	}

	quotes <- Quote{7}
	if got := fastnesstest.Dial[ws.None, Quote](api, "/quotes").Receive(); got.Cents != 7 {
		t.Errorf("price %v", got)
	}
	fastnesstest.Dial[ws.None, string](api, "/close", fastnesstest.As(auth.User{ID: "ada"})).WantClosed(4403)
}
