package fastness_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"syscall"
	"testing"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/guard/csrf"
	"github.com/fastness/fastness/openapi"
)

// namedScheme takes the name of a user, in a header or in a cookie.
type namedScheme struct {
	cookie bool
	ada    *auth.User
}

func newNamed(cookie bool) namedScheme {
	s := namedScheme{cookie: cookie, ada: &auth.User{ID: "ada", AllScopes: true}}
	s.ada.Scheme = s.Describe().Name
	return s
}

func (s namedScheme) Describe() auth.Description {
	d := auth.Description{Name: "name", Challenge: "Name", Security: &openapi.SecurityScheme{Type: "apiKey", In: "header", Name: "X-User"}}
	if s.cookie {
		d = auth.Description{Name: "cookie", Challenge: "Cookie", Ambient: true, Security: &openapi.SecurityScheme{Type: "apiKey", In: "cookie", Name: "user"}}
	}
	return d
}

func (s namedScheme) read(r *http.Request) string {
	if !s.cookie {
		token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		return r.Header.Get("X-User") + token
	}
	if c, err := r.Cookie("user"); err == nil {
		return c.Value
	}
	return ""
}

func (s namedScheme) Present(r *http.Request) bool { return s.read(r) != "" }

func (s namedScheme) Authenticate(_ context.Context, r *http.Request) (*auth.User, error) {
	switch name := s.read(r); name {
	case "wrong":
		return nil, &auth.Refusal{Reason: errors.New("a wrong name")}
	case "ada":
		return s.ada, nil // The schemes of the house share users between requests, too.
	default:
		return &auth.User{ID: name, AllScopes: true}, nil
	}
}

// chatApp returns an app with a chat at /ws/{room}.
func chatApp(t *testing.T, cfg fastness.Config, options ...fastness.Option) *fastness.App {
	t.Helper()
	cfg.Title, cfg.Version = "Chat", "1"
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.NewTextHandler(t.Output(), nil))
	}
	app := fastness.New(cfg)
	app.Authenticate(newNamed(false), newNamed(true))
	app.UseCSRFKeys(csrf.EphemeralKeys())
	fastness.WebSocket(app, "/ws/{room}", chat, options...)
	if err := app.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := app.Stop(context.Background()); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	return app
}

// openIdle opens a WebSocket and leaves it alone until the test ends. Of its own end
// this process has a file descriptor and no memory.
func openIdle(t *testing.T, port int, user string) (descriptor int) {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	head := "GET /ws/lobby HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX-User: " + user +
		"\r\nOrigin: http://localhost\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36\r\nAccept-Encoding: gzip, deflate, br\r\nAccept-Language: en\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
	if err = syscall.Connect(fd, &syscall.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}}); err == nil {
		_, err = syscall.Write(fd, []byte(head))
	}
	var answer [12]byte
	if err == nil {
		_, err = syscall.Read(fd, answer[:])
	}
	if err != nil || string(answer[:]) != "HTTP/1.1 101" {
		t.Fatalf("handshake: %q, %v", answer, err)
	}
	return fd
}
