package ws_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/coder/websocket"

	"github.com/fastness/fastness/ws"
)

type shout struct {
	Text string `json:"text" maxLength:"100"`
}

type echo struct {
	Text string `json:"text"`
}

func Example() {
	server, err := ws.New(ws.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	handler, err := ws.Handler(server, func(ctx context.Context, _ *http.Request, conn *ws.Conn[shout, echo]) error {
		for {
			m, err := conn.Receive(ctx)
			if err != nil {
				return err
			}
			if err := conn.Send(echo{strings.ToUpper(m.Text)}); err != nil {
				return err
			}
		}
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	site := httptest.NewServer(handler)
	defer site.Close()

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	client, _, err := websocket.Dial(ctx, site.URL, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, text := range []string{`{"text":"hello"}`, `{"text":"hello","admin":true}`} {
		if err := client.Write(ctx, websocket.MessageText, []byte(text)); err != nil {
			fmt.Println(err)
			return
		}
		_, answer, err := client.Read(ctx)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%.60s\n", answer)
	}
	stopping := make(chan error)
	go func() { stopping <- server.Shutdown(ctx) }()
	_, _, err = client.Read(ctx)
	fmt.Println(websocket.CloseStatus(err))
	fmt.Println(<-stopping)
	// Output:
	// {"text":"HELLO"}
	// {"title":"Unprocessable Entity","status":422,"detail":"the r
	// StatusGoingAway
	// <nil>
}
