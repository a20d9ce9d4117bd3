package ws

import (
	"context"
	"net/http"

	"github.com/fastness/fastness/problem"
)

// Handler returns a handler of plain net/http that opens a WebSocket for each request
// and gives it to handle, or an error if the types of the messages are wrong. The
// request is for reading only: its body and its context have ended. Who is calling is
// to be found out in front of it:
//
//	mux.Handle("GET /ws", ws.BearerHandler(schemes.Handler(chat)))
func Handler[In, Out any](s *Server, handle func(context.Context, *http.Request, *Conn[In, Out]) error) (http.Handler, error) {
	p, err := NewProtocol[In, Out](s, nil, Limits{})
	if err != nil {
		return nil, err
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := CheckHandshake(r)
		if err == nil {
			err = s.CheckOrigin(r)
		}
		if err == nil {
			err = p.Open(w, r, Opening{}, func(ctx context.Context, c *Conn[In, Out]) error { return handle(ctx, r, c) })
		}
		if err != nil {
			problem.Write(w, problem.From(err))
		}
	}), nil
}

// BearerHandler calls next with the request that [Bearer] returns.
func BearerHandler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		moved, err := Bearer(r)
		if err != nil {
			problem.Write(w, problem.From(err))
			return
		}
		next.ServeHTTP(w, moved)
	})
}
