package fastnesstest_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/fastnesstest"
	"github.com/fastness/fastness/guard/csrf"
)

type line struct {
	Text string `json:"text" minLength:"1"`
}

type spoken struct {
	By   string `json:"by"`
	Text string `json:"text"`
}

func speak(ctx context.Context, in struct{ User auth.User }, conn *fastness.Socket[line, spoken]) error {
	for {
		m, err := conn.Receive(ctx)
		if err != nil {
			return err
		}
		if m.Text == "bye" {
			return nil
		}
		if err := conn.Send(spoken{in.User.ID, m.Text}); err != nil {
			return err
		}
	}
}

func speaking() *fastness.App {
	app := fastness.New(fastness.Config{Title: "Chat", Version: "1", Logger: slog.New(slog.DiscardHandler)})
	app.Authenticate(who{})
	app.UseCSRFKeys(csrf.EphemeralKeys())
	fastness.WebSocket(app, "/ws", speak, access.Authenticated)
	return app
}

func ExampleDial() {
	test := func(t testing.TB) { // func TestChat(t *testing.T)
		api := fastnesstest.New(t, speaking())
		ada := fastnesstest.Dial[line, spoken](api, "/ws", fastnesstest.As(auth.User{ID: "ada"}))
		ada.Send(line{"hello"})
		fmt.Println(ada.Receive())
		ada.SendText(`{"text":""}`)
		ada.WantProblem(422, "validation")
		ada.Send(line{"bye"})
		ada.WantClosed(1000)
		api.Get("/ws", fastnesstest.Handshake()).WantProblem(401, "")
	}
	fmt.Println(watch(test))
	// Output:
	// {ada hello}
	// []
}

// Each mistake about a socket is reported by the method that finds it.
func TestWhatIsWrongWithASocketIsReported(t *testing.T) {
	dial := func(t testing.TB) *fastnesstest.Socket[line, spoken] {
		return fastnesstest.Dial[line, spoken](fastnesstest.New(t, speaking()), "/ws", fastnesstest.As(auth.User{ID: "ada"}))
	}
	for _, tt := range []struct {
		name, want string
		use        func(testing.TB)
	}{
		{"nobody is known", "401", func(t testing.TB) {
			fastnesstest.Dial[line, spoken](fastnesstest.New(t, speaking()), "/ws")
		}},
		{"a problem instead of a message", "want a message", func(t testing.TB) {
			conn := dial(t)
			conn.Send(line{})
			conn.Receive()
		}},
		{"a message instead of a problem", "", func(t testing.TB) {
			conn := dial(t)
			conn.Send(line{"x"})
			conn.WantProblem(422, "")
		}},
		{"a message instead of the end", "want the end by 1000", func(t testing.TB) {
			conn := dial(t)
			conn.Send(line{"x"})
			conn.WantClosed(1000)
		}},
		{"another code", "want 4401", func(t testing.TB) {
			conn := dial(t)
			conn.Send(line{"bye"})
			conn.WantClosed(4401)
		}},
		{"the end instead of a message", "the connection ended", func(t testing.TB) {
			conn := dial(t)
			conn.Send(line{"bye"})
			conn.Receive()
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := watch(tt.use)
			if !slices.ContainsFunc(got, func(m string) bool { return strings.Contains(m, tt.want) }) || len(got) == 0 {
				t.Errorf("reported %q, want %q", got, tt.want)
			}
		})
	}
}

// A browser says from which page it connects.
func TestABrowserConnectsFromTheOwnPage(t *testing.T) {
	browser := fastnesstest.New(t, speaking()).Browser()
	conn := fastnesstest.Dial[line, spoken](browser.API, "/ws", fastnesstest.As(auth.User{ID: "ada"}))
	conn.Send(line{"hello"})
	if got := conn.Receive(); got.Text != "hello" {
		t.Errorf("got %v", got)
	}
	conn.Close()
	browser.Get("/ws", fastnesstest.Handshake(), fastnesstest.FromPage("https://evil.example")).WantProblem(403, "cross_site")
}
