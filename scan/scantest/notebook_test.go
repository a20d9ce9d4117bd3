package scantest_test

import (
	"context"
	"log/slog"
	"net/http"
	"strconv"
	"sync"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/guard/ratelimit"
	"github.com/fastness/fastness/openapi"
	"github.com/fastness/fastness/problem"
)

// keyring logs callers in by a key in a header.
type keyring struct{ users map[string]*auth.User }

func (keyring) Describe() auth.Description {
	return auth.Description{Name: "key", Challenge: "Key", Security: &openapi.SecurityScheme{Type: "apiKey", In: "header", Name: "X-Key"}}
}

func (keyring) Present(r *http.Request) bool { return r.Header.Get("X-Key") != "" }

func (k keyring) Authenticate(_ context.Context, r *http.Request) (*auth.User, error) {
	if u := k.users[r.Header.Get("X-Key")]; u != nil {
		return u, nil
	}
	return nil, &auth.Refusal{}
}

type newNote struct {
	Text string `json:"text" validate:"min=1,max=200"`
}

type note struct {
	ID   int    `json:"id"`
	Text string `json:"text"`
}

type noteInput struct {
	ID     int `path:"id"`
	Caller auth.User
}

// notebook says what is wrong with it.
type notebook struct {
	sharesNotes bool // each note is shown to everybody
	middleware  func(http.Handler) http.Handler
	limit       ratelimit.Config
}

type notes struct {
	sync.Mutex
	texts  []string
	owners []string
}

// newNotebook returns an app that keeps notes, and the keys of its users.
func newNotebook(n notebook) (*fastness.App, map[string]string) {
	keys, kept := map[string]string{}, new(notes)
	users := map[string]*auth.User{}
	for name, role := range map[string]string{"alice": "writer", "bob": "writer", "root": "admin"} {
		keys[name] = "key-of-" + name + "-8d1f0c6e4b2a"
		users[keys[name]] = &auth.User{ID: name, Name: name, Roles: auth.SetOf(role), AllScopes: true, Scheme: "key"}
	}
	app := fastness.New(fastness.Config{Title: "Notes", Version: "1.0.0", Roles: []string{"writer", "admin"}, Logger: slog.New(slog.DiscardHandler), RateLimit: n.limit})
	app.Authenticate(keyring{users})
	if n.middleware != nil {
		app.Use(n.middleware)
	}
	fastness.Post(app, "/notes", func(_ context.Context, in struct {
		Caller auth.User
		Body   newNote
	}) (fastness.Created[note], error) {
		kept.Lock()
		defer kept.Unlock()
		kept.texts, kept.owners = append(kept.texts, in.Body.Text), append(kept.owners, in.Caller.ID)
		made := note{len(kept.texts), in.Body.Text}
		return fastness.Created[note]{Location: "/notes/" + strconv.Itoa(made.ID), Body: made}, nil
	}, access.Authenticated)
	fastness.Get(app, "/notes/{id}", func(_ context.Context, in noteInput) (note, error) {
		kept.Lock()
		defer kept.Unlock()
		if in.ID < 1 || in.ID > len(kept.texts) || kept.owners[in.ID-1] != in.Caller.ID && !n.sharesNotes {
			return note{}, problem.New(http.StatusNotFound, "")
		}
		return note{in.ID, kept.texts[in.ID-1]}, nil
	}, access.Authenticated)
	fastness.Get(app, "/me", func(_ context.Context, in struct{ Caller auth.User }) (map[string]string, error) {
		return map[string]string{"name": in.Caller.Name}, nil
	}, access.Authenticated)
	fastness.Get(app, "/figures", func(context.Context, struct{}) (map[string]int, error) {
		kept.Lock()
		defer kept.Unlock()
		return map[string]int{"notes": len(kept.texts)}, nil
	}, access.Role("admin"), fastness.Hidden())
	return app, keys
}
