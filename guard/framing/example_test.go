package framing_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"

	"github.com/fastness/fastness/guard/framing"
)

func Example() {
	app := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Println("served", r.URL.Path)
	})
	guard, err := framing.New(framing.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	server := &http.Server{Handler: guard.Handler(app), ConnContext: guard.ConnContext}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	go func() { _ = server.Serve(guard.Listener(listener)) }()
	defer func() { _ = server.Close() }()

	// To one parser this is one request with a body of 37 bytes, to another one
	// it is two requests.
	client, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = client.Close() }()
	fmt.Fprint(client, "POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 37\r\nTransfer-Encoding: chunked\r\n\r\n"+
		"0\r\n\r\nGET /admin HTTP/1.1\r\nHost: shop\r\n\r\n")
	answer, err := http.ReadResponse(bufio.NewReader(client), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = answer.Body.Close() }()
	fmt.Println(answer.Status, answer.Header.Get("Content-Type"), "closes:", answer.Close)
	// Output: 400 Bad Request application/problem+json closes: true
}
