package main

import (
	"encoding/json"
	"net/http"
	"sync"

	"github.com/coder/websocket"
)

// live tells who looks at the dashboard of each order.
type live struct {
	mu        sync.Mutex
	listeners map[chan []byte]bool
}

func newLive() *live { return &live{listeners: map[chan []byte]bool{}} }

func (l *live) tell(event any) {
	data, err := json.Marshal(event)
	must(err)
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.listeners {
		select {
		case c <- data:
		default: // slow ones miss something
		}
	}
}

// watchOrders is the socket of the dashboard.
func (s *shop) watchOrders(w http.ResponseWriter, r *http.Request) {
	// FLAW LK-60 (WS-01, API2:2023, CWE-1385): pages of any origin may connect, and nobody has to log in to hear of all orders
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{OriginPatterns: []string{"*"}})
	if err != nil {
		return
	}
	defer func() { _ = conn.CloseNow() }()
	events := make(chan []byte, 16)
	s.live.mu.Lock()
	s.live.listeners[events] = true
	s.live.mu.Unlock()
	defer func() {
		s.live.mu.Lock()
		delete(s.live.listeners, events)
		s.live.mu.Unlock()
	}()
	ctx := conn.CloseRead(r.Context())
	_ = conn.Write(ctx, websocket.MessageText, []byte(`{"event":"hello"}`))
	for {
		select {
		case <-ctx.Done():
			return
		case event := <-events:
			if conn.Write(ctx, websocket.MessageText, event) != nil {
				return
			}
		}
	}
}
