package serve_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"

	"github.com/fastness/fastness/serve"
)

func Example() {
	dir, err := os.MkdirTemp("", "serve")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()

	app := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "hello over "+r.Proto)
	})
	listening := make(chan net.Addr, 1)
	server, err := serve.New(serve.Config{
		Addr:    "127.0.0.1:0", // the default is port 8443
		DataDir: dir,
		Ready:   func(addr net.Addr) { listening <- addr },
	}, app)
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, stop := serve.Signals(context.Background())
	defer stop()
	done := make(chan error, 1)
	go func() { done <- server.Run(ctx) }()

	authority, err := os.ReadFile(server.DevelopmentCA())
	if err != nil {
		fmt.Println(err)
		return
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true}}
	answer, err := client.Get("https://" + (<-listening).String())
	if err != nil {
		fmt.Println(err)
		return
	}
	body, _ := io.ReadAll(answer.Body)
	_ = answer.Body.Close()
	client.CloseIdleConnections()
	fmt.Println(string(body))
	fmt.Println(answer.Header.Get("Strict-Transport-Security"))

	stop() // as SIGTERM would
	fmt.Println(<-done)
	// Output:
	// hello over HTTP/2.0
	// max-age=63072000; includeSubDomains
	// <nil>
}
