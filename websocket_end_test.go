package fastness_test

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/fastnesstest"
	"github.com/fastness/fastness/guard/cors"
	"github.com/fastness/fastness/guard/csrf"
	"github.com/fastness/fastness/guard/openconn"
)

type flaky struct{}

// TestAHandshakeThatPanicsGivesItsPlaceBack: else who makes a provider panic takes the places of
// all connections, one by one.
func TestAHandshakeThatPanicsGivesItsPlaceBack(t *testing.T) {
	app := fastness.New(fastness.Config{Title: "T", Version: "1", Logger: slog.New(slog.DiscardHandler), Connections: openconn.Config{PerUser: 1}})
	app.Authenticate(newNamed(false))
	fastness.Provide(app, func(_ context.Context, in struct {
		Fail bool `query:"fail" required:"false"`
	}) (flaky, error) {
		if in.Fail {
			panic("the provider is broken")
		}
		return flaky{}, nil
	})
	fastness.WebSocket(app, "/ws", func(ctx context.Context, _ struct{ Flaky flaky }, conn *fastness.Socket[chatMessage, chatEvent]) error {
		_, err := conn.Receive(ctx)
		return err
	}, access.Authenticated)
	api, ada := fastnesstest.New(t, app), fastnesstest.Header("X-User", "ada")
	for range 2 {
		api.Get("/ws?fail=true", fastnesstest.Handshake(), ada).Want(http.StatusInternalServerError)
	}
	fastnesstest.Dial[chatMessage, chatEvent](api, "/ws", ada).Close()
}

// TestThePasswordInABrowserIsNotForPagesOfOtherSites: a browser sends the name and the password that
// its user has typed once with every handshake, whatever page asks for it.
func TestThePasswordInABrowserIsNotForPagesOfOtherSites(t *testing.T) {
	for name, config := range map[string]cors.Config{
		"a page that CORS lists":                  {Origins: []string{"https://shared.example"}},
		"a page that CORS lists with credentials": {Origins: []string{"https://shared.example"}, Credentials: true},
		"a page of nobody":                        {},
	} {
		t.Run(name, func(t *testing.T) {
			basic, err := auth.NewBasic(auth.BasicConfig{Realm: "chat", Verify: func(_ context.Context, _ *http.Request, user, _ string) (*auth.User, error) {
				return &auth.User{ID: user, AllScopes: true}, nil
			}})
			if err != nil {
				t.Fatal(err)
			}
			app := fastness.New(fastness.Config{Title: "T", Version: "1", Logger: slog.New(slog.DiscardHandler), CORS: config})
			app.Authenticate(basic)
			app.UseCSRFKeys(csrf.EphemeralKeys())
			fastness.WebSocket(app, "/ws/{room}", chat, access.Authenticated)
			api := fastnesstest.New(t, app)
			password, page := fastnesstest.Header("Authorization", "Basic YWRhOnB3"), fastnesstest.Header("Origin", "https://shared.example")
			api.Get("/ws/a", fastnesstest.Handshake(), password, page).WantProblem(http.StatusForbidden, "cross_site")
			fastnesstest.Dial[chatMessage, chatEvent](api, "/ws/a", password).Close()
			fastnesstest.Dial[chatMessage, chatEvent](api, "/ws/a", password, fastnesstest.Header("Origin", "https://localhost")).Close()
		})
	}
}

// TestAConnectionIsOfOneTenant: who was moved to another one, or is another issuer's user of the same
// name, does not go on reading what the connection was opened for.
func TestAConnectionIsOfOneTenant(t *testing.T) {
	tenant := func(name string) auth.Tenant { return auth.NewTenant(name) }
	before := auth.User{ID: "ada", Tenant: tenant("north"), Issuer: "https://a.example", AllScopes: true}
	for name, change := range map[string]func(*auth.User){
		"another tenant": func(u *auth.User) { u.Tenant = tenant("south") },
		"no tenant":      func(u *auth.User) { u.Tenant = auth.Tenant{} },
		"another issuer": func(u *auth.User) { u.Issuer = "https://b.example" },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				scheme, now := new(changing), before
				scheme.user.Store(&before)
				app := fastness.New(fastness.Config{Title: "T", Version: "1", Logger: slog.New(slog.DiscardHandler)})
				app.Authenticate(scheme)
				fastness.WebSocket(app, "/ws/{room}", chat, access.Authenticated)
				conn := fastnesstest.Dial[chatMessage, chatEvent](fastnesstest.New(t, app), "/ws/a", fastnesstest.Header("X-Key", "k"))
				time.Sleep(time.Minute)
				change(&now)
				scheme.user.Store(&now)
				conn.WantClosed(4401)
			})
		})
	}
}

// chatRoom is an object that a rule is about.
type chatRoom struct{ name string }

// TestARuleAboutAnObjectIsAskedAgain: who is taken off the list of those who may have an object does
// not go on getting what happens to it.
func TestARuleAboutAnObjectIsAskedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var banned atomic.Bool
		app := fastness.New(fastness.Config{Title: "T", Version: "1", Logger: slog.New(slog.DiscardHandler)})
		app.Authenticate(newNamed(false))
		fastness.Provide(app, func(_ context.Context, in struct {
			Room string `path:"room"`
		}) (chatRoom, error) {
			return chatRoom{in.Room}, nil
		})
		fastness.WebSocket(app, "/ws/{room}", func(ctx context.Context, _ struct{ Room chatRoom }, conn *fastness.Socket[chatMessage, chatEvent]) error {
			_, err := conn.Receive(ctx)
			return err
		}, access.Authenticated, access.Object("its members", func(_ context.Context, u auth.User, r chatRoom) error {
			if u.ID == "ada" && r.name == "lobby" && banned.Load() {
				return access.Hidden()
			}
			return nil
		}))
		conn := fastnesstest.Dial[chatMessage, chatEvent](fastnesstest.New(t, app), "/ws/lobby", fastnesstest.Header("X-User", "ada"))
		time.Sleep(time.Minute)
		banned.Store(true)
		conn.WantClosed(4404)
	})
}

// TestWebSocketsOfAMountedAppCountWithAllOthers: the app above says how many there may be, and its stop
// is theirs, too.
func TestWebSocketsOfAMountedAppCountWithAllOthers(t *testing.T) {
	quiet := slog.New(slog.DiscardHandler)
	below := fastness.New(fastness.Config{Title: "B", Version: "1"})
	below.Authenticate(newNamed(false), newNamed(true))
	below.UseCSRFKeys(csrf.EphemeralKeys())
	fastness.WebSocket(below, "/ws/{room}", chat, access.Authenticated)
	app := fastness.New(fastness.Config{Title: "T", Version: "1", Logger: quiet, Connections: openconn.Config{PerUser: 2}})
	app.Authenticate(newNamed(false))
	fastness.WebSocket(app, "/ws/{room}", chat, access.Authenticated)
	fastness.Mount(app, "/below", below)
	api, ada := fastnesstest.New(t, app), fastnesstest.Header("X-User", "ada")
	one := fastnesstest.Dial[chatMessage, chatEvent](api, "/ws/a", ada)
	two := fastnesstest.Dial[chatMessage, chatEvent](api, "/below/ws/a", ada)
	api.Get("/ws/a", fastnesstest.Handshake(), ada).WantProblem(http.StatusTooManyRequests, "too_many_connections")
	api.Get("/below/ws/a", fastnesstest.Handshake(), ada).WantProblem(http.StatusTooManyRequests, "too_many_connections")
	eve := fastnesstest.Header("X-User", "eve")
	api.Get("/below/ws/a", fastnesstest.Handshake(), eve, fastnesstest.Header("Origin", "https://evil.example")).WantProblem(http.StatusForbidden, "cross_site")
	api.Get("/below/ws/a", fastnesstest.Handshake(), fastnesstest.Cookie("user", "ada")).WantProblem(http.StatusForbidden, "cross_site")
	if err := app.Stop(context.Background()); err != nil {
		t.Error(err)
	}
	one.WantClosed(1001)
	two.WantClosed(1001)
}

// TestWebSocketsOfAMountedAppHearOfAStopAtOnce: not only when the last request is over.
func TestWebSocketsOfAMountedAppHearOfAStopAtOnce(t *testing.T) {
	arrived, release := make(chan struct{}), make(chan struct{})
	free := sync.OnceFunc(func() { close(release) })
	below := fastness.New(fastness.Config{Title: "B", Version: "1"})
	fastness.WebSocket(below, "/ws", func(ctx context.Context, _ struct{}, conn *fastness.Socket[chatMessage, chatMessage]) error {
		_, err := conn.Receive(ctx)
		return err
	}, access.Public)
	app := lineApp(fastness.Config{})
	fastness.Get(app, "/slow", func(context.Context, struct{}) (string, error) {
		close(arrived)
		<-release
		return "", nil
	}, access.Public)
	fastness.Mount(app, "/below", below)
	s := serveLine(t, app, "--drain-delay", "0s", "--grace", "20s")
	t.Cleanup(free)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: s.roots}}}
	conn, _, err := websocket.Dial(t.Context(), "wss://"+strings.TrimPrefix(s.url, "https://")+"/below/ws", &websocket.DialOptions{HTTPClient: client})
	if err != nil {
		t.Fatal(err)
	}
	slow := make(chan error, 1)
	go func() {
		res, err := client.Get(s.url + "/slow")
		if err == nil {
			err = res.Body.Close()
		}
		slow <- err
	}()
	<-arrived
	s.stop()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if _, _, err := conn.Read(ctx); websocket.CloseStatus(err) != websocket.StatusGoingAway {
		t.Errorf("%v, want 1001", err)
	}
	free()
	if err := <-slow; err != nil {
		t.Error(err)
	}
	if exit := <-s.exit; exit != 0 {
		t.Errorf("exit %d: %s", exit, s.text())
	}
}
