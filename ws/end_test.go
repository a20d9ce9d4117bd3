package ws_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/fastness/fastness/problem"
	"github.com/fastness/fastness/ws"
)

// TestNothingIsTakenAfterTheEnd: the right to a connection ends while its handler waits for a
// message. A peer that does not read, so that the close frame cannot be written either, and sends one
// more message instead, is not heard.
func TestNothingIsTakenAfterTheEnd(t *testing.T) {
	s := newServer(t, ws.Config{})
	p, err := ws.NewProtocol[string, string](s, nil, ws.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan func(error), 1)
	got := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		watch := func(end func(error)) func() { ended <- end; return func() {} }
		err := p.Open(w, r, ws.Opening{Watch: watch}, func(_ context.Context, c *ws.Conn[string, string]) error {
			if err := c.Send(strings.Repeat("x", 16<<20)); err != nil { // The close frame waits behind it.
				t.Error(err)
			}
			m, err := c.Receive(context.Background())
			got <- m
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	c := connect(t, server.Listener.Addr().String())
	end := <-ended
	if _, err := c.r.Peek(1); err != nil { // It is being written.
		t.Fatal(err)
	}
	end(problem.New(http.StatusUnauthorized, "logged out"))
	c.send(masked(fin|text, `"one more order"`))
	if m := <-got; m != "" {
		t.Errorf("the handler got %q from who was logged out", m)
	}
	_ = c.Close()
}
