package main

import (
	"context"
	"errors"
	"sync"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth/access"
)

// roomEvent is what is told to everybody in a room.
type roomEvent struct {
	Stock int `json:"stock"`
}

type roomSocket = fastness.Socket[roomEvent, roomEvent]

// newRoom declares an app that has one room. What is sent to /tell by a PATCH is told to
// all who are in it.
func newRoom() *fastness.App {
	var mu sync.Mutex
	inside := make(map[*roomSocket]struct{})
	app := fastness.New(fastness.Config{Title: "Room", Version: "1.0.0"})
	fastness.WebSocket(app, "/room", func(ctx context.Context, _ struct{}, conn *roomSocket) error {
		mu.Lock()
		inside[conn] = struct{}{}
		mu.Unlock()
		defer func() {
			mu.Lock()
			defer mu.Unlock()
			delete(inside, conn)
		}()
		for {
			if _, err := conn.Receive(ctx); err != nil {
				return err
			}
		}
	}, access.Public)
	fastness.Patch(app, "/tell", func(_ context.Context, in struct{ Body roomEvent }) (fastness.NoContent, error) {
		mu.Lock()
		defer mu.Unlock()
		var wrong []error
		for conn := range inside {
			wrong = append(wrong, conn.Send(in.Body))
		}
		return fastness.NoContent{}, errors.Join(wrong...)
	}, access.Public)
	return app
}
