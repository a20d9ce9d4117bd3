package wire_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/fastness/fastness/scan/wire"
)

func socketClient(t *testing.T, h http.HandlerFunc) *wire.Client {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	c, err := wire.New(wire.Config{Target: server.URL, Timeout: 2 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func anything(string) bool { return true }

func TestASocketIsHeardAndSpokenTo(t *testing.T) {
	t.Parallel()
	c := socketClient(t, func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true})
		if err != nil {
			return
		}
		_ = conn.Write(r.Context(), websocket.MessageText, []byte("origin "+r.Header.Get("Origin")+" at "+r.URL.RequestURI()))
		_, text, _ := conn.Read(r.Context())
		_ = conn.Write(r.Context(), websocket.MessageText, append([]byte("you said "), text...))
		_, _, _ = conn.Read(r.Context())
	})
	s, ex := c.Socket(t.Context(), wire.Request{Path: "/a%2Fb", Query: "x=1", Header: http.Header{"Origin": {"https://evil.example"}}})
	if s == nil {
		t.Fatal(ex.Err)
	}
	defer s.Close()
	if err := s.Say(t.Context(), "hello"); err != nil {
		t.Fatal(err)
	}
	heard, found := s.Heard(t.Context(), func(text string) bool { return text == "you said hello" })
	if !found || heard.Status != 101 || heard.Text() != "origin https://evil.example at /a%2Fb?x=1\nyou said hello" {
		t.Errorf("%v %d %q", found, heard.Status, heard.Text())
	}
	if n := c.Stats().Requests; n != 1 {
		t.Errorf("%d requests", n)
	}
}

func TestAnUpgradeThatIsNotToThisKeyIsNoSocket(t *testing.T) {
	t.Parallel()
	c := socketClient(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Connection", "Upgrade")
		w.Header().Set("Upgrade", "websocket")
		w.Header().Set("Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=") // That of the example of RFC 6455.
		w.WriteHeader(http.StatusSwitchingProtocols)
	})
	if s, ex := c.Socket(t.Context(), wire.Request{Path: "/"}); s != nil || ex.Status != 101 || ex.Err == nil {
		t.Errorf("%v %d %v", s, ex.Status, ex.Err)
	}
}

func TestAHandshakeThatIsRefusedOrLedElsewhereIsNoSocket(t *testing.T) {
	t.Parallel()
	for _, status := range []int{403, 302, 200} {
		asked := 0
		c := socketClient(t, func(w http.ResponseWriter, _ *http.Request) {
			asked++
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(status)
			fmt.Fprint(w, "not here")
		})
		s, ex := c.Socket(t.Context(), wire.Request{Path: "/"})
		if s != nil || ex.Status != status || ex.Text() != "not here" || ex.Err != nil || asked != 1 {
			t.Errorf("%v %d %q %v, asked %d times", s, ex.Status, ex.Text(), ex.Err, asked)
		}
	}
}

func TestASocketThatFloodsIsLeft(t *testing.T) {
	t.Parallel()
	left := make(chan bool, 1)
	c := socketClient(t, func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		big := []byte(strings.Repeat("x", 64<<10))
		for conn.Write(r.Context(), websocket.MessageText, big) == nil {
		}
		left <- true
	})
	s, ex := c.Socket(t.Context(), wire.Request{Path: "/"})
	if s == nil {
		t.Fatal(ex.Err)
	}
	heard, found := s.Heard(t.Context(), func(string) bool { return false })
	if found || len(heard.Body) > 2<<20 {
		t.Errorf("%v, %d bytes", found, len(heard.Body))
	}
	<-left
}

func TestASocketThatSaysNothingIsWaitedForAsLongAsTheCallerWants(t *testing.T) {
	t.Parallel()
	c := socketClient(t, func(w http.ResponseWriter, r *http.Request) {
		if conn, err := websocket.Accept(w, r, nil); err == nil {
			_, _, _ = conn.Read(r.Context())
		}
	})
	s, ex := c.Socket(t.Context(), wire.Request{Path: "/"})
	if s == nil {
		t.Fatal(ex.Err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, found := s.Heard(ctx, anything); found {
		t.Error("something was heard")
	}
	s.Close()
	if _, found := s.Heard(t.Context(), anything); found { // It is over: this ends at once.
		t.Error("something was heard")
	}
}

type refusing struct{}

func (refusing) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("it was asked")
}

func TestATransportOfTheProcessIsNotAskedForASocket(t *testing.T) {
	t.Parallel()
	c, err := wire.New(wire.Config{Target: "http://api.example.com", Transport: refusing{}})
	if err == nil {
		if s, ex := c.Socket(t.Context(), wire.Request{Path: "/"}); s != nil || !errors.Is(ex.Err, wire.ErrNoUpgrade) {
			t.Errorf("%v %v", s, ex.Err)
		}
		return
	}
	t.Fatal(err)
}
