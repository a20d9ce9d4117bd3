package fastness_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/serve"
)

// TestParityOfTheDocs is P35: FastAPI shows its document to everybody, an app
// here only to whom it is meant for. There is one docs page, at /docs.
func TestParityOfTheDocs(t *testing.T) {
	for _, tt := range []struct {
		name   string
		docs   fastness.DocsPolicy
		path   string
		status int
		media  string
		says   string
	}{
		{"the document is hidden outside development", fastness.DocsInDevelopment, "/openapi.json", 404, "application/json", `{"detail":"Not Found"}`},
		{"the docs page is hidden outside development", fastness.DocsInDevelopment, "/docs", 404, "application/json", `{"detail":"Not Found"}`},
		{"the document is hidden where docs are off", fastness.DocsOff, "/openapi.json", 404, "application/json", `{"detail":"Not Found"}`},
		{"the document of a public API is shown", fastness.DocsPublic, "/openapi.json", 200, "application/json", `"openapi": "3.1.`},
		{"the docs page of a public API is shown", fastness.DocsPublic, "/docs", 200, "text/html", `<html`},
	} {
		t.Run("P35 "+tt.name, func(t *testing.T) {
			app := started(t, articleApps(fastness.Config{Docs: tt.docs, Errors: fastness.FastAPIErrors})["first endpoints"])
			w := httptest.NewRecorder()
			r := httptest.NewRequest("GET", tt.path, nil)
			r.Host = "localhost"
			app.ServeHTTP(w, r)
			if got := w.Header().Get("Content-Type"); w.Code != tt.status || !strings.HasPrefix(got, tt.media) {
				t.Errorf("GET %s: %d %s, want %d %s", tt.path, w.Code, got, tt.status, tt.media)
			}
			if !strings.Contains(w.Body.String(), tt.says) {
				t.Errorf("GET %s: %.200s, want %s", tt.path, w.Body, tt.says)
			}
		})
	}
}

// TestParityOverTLS is P36 and P37: the article's Hello World behind TLS.
func TestParityOverTLS(t *testing.T) {
	addr, roots := serveTLS(t, started(t, articleApps(fastness.Config{})["hello"]))
	t.Run("P36 the greeting over TLS", func(t *testing.T) {
		transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
		defer transport.CloseIdleConnections()
		r, err := http.NewRequestWithContext(t.Context(), "GET", "https://"+addr+"/", nil)
		if err != nil {
			t.Fatal(err)
		}
		res, body := exchange(t, transport, r)
		compare(t, ok(`{"message":"Hello World"}`), res, body)
		if got := res.Header.Get("Strict-Transport-Security"); !strings.HasPrefix(got, "max-age=") {
			t.Errorf("Strict-Transport-Security: %q, want a max-age", got)
		}
	})
	t.Run("P37 plain HTTP on the TLS port is told so", func(t *testing.T) {
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		answer, _ := io.ReadAll(conn) // The server may reset the connection after its answer.
		if !strings.HasPrefix(string(answer), "HTTP/1.0 400 ") || strings.Contains(string(answer), "Hello") {
			t.Errorf("answer %q, want a 400 without the greeting", answer)
		}
	})
}

// serveTLS serves app on loopback under a development certificate.
func serveTLS(t *testing.T, app http.Handler) (addr string, roots *x509.CertPool) {
	t.Helper()
	ready, ended := make(chan net.Addr, 1), make(chan error, 1)
	server, err := serve.New(serve.Config{
		Addr: "127.0.0.1:0", DataDir: t.TempDir(), Logger: slog.New(slog.DiscardHandler),
		Ready: func(addr net.Addr) { ready <- addr },
	}, app)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	go func() { ended <- server.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("Run() = %v", err)
		}
	})
	select {
	case listening := <-ready:
		addr = listening.String()
	case err := <-ended:
		ended <- nil
		t.Fatalf("Run() = %v", err)
	}
	authority, err := os.ReadFile(server.DevelopmentCA())
	if err != nil {
		t.Fatal(err)
	}
	roots = x509.NewCertPool()
	if !roots.AppendCertsFromPEM(authority) {
		t.Fatal("the development authority is no certificate")
	}
	return addr, roots
}
