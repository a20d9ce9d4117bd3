package fastness_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/guard/csrf"
	"github.com/fastness/fastness/openapi"
)

// namedScheme takes the name of a user, in a header or in a cookie.
type namedScheme struct{ cookie bool }

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
	if name := s.read(r); name != "wrong" {
		return &auth.User{ID: name, AllScopes: true}, nil
	}
	return nil, &auth.Refusal{Reason: errors.New("a wrong name")}
}

// chatApp returns an app with a chat at /ws/{room}.
func chatApp(t *testing.T, cfg fastness.Config, options ...fastness.Option) *fastness.App {
	t.Helper()
	cfg.Title, cfg.Version = "Chat", "1"
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.NewTextHandler(t.Output(), nil))
	}
	app := fastness.New(cfg)
	app.Authenticate(namedScheme{}, namedScheme{cookie: true})
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
