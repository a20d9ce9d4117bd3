package fastness_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/fastnesstest"
	"github.com/fastness/fastness/guard/cors"
	"github.com/fastness/fastness/guard/ratelimit"
)

type version string

// twoApps returns an app and another below /v1.
func twoApps(cfg fastness.Config) (outer, v1 *fastness.App) {
	outer, public := open(cfg)
	v1 = fastness.New(fastness.Config{Title: "V1", Version: "1.4", Options: []fastness.Option{access.Public}})
	fastness.ProvideValue(outer, version("outer"))
	fastness.ProvideValue(v1, version("v1"))
	get := func(_ context.Context, in struct{ Version version }) (string, error) { return string(in.Version), nil }
	fastness.Get(public, "/items", get, fastness.OperationID("listItems"))
	fastness.Get(v1, "/items", get, fastness.OperationID("listItems"))
	fastness.Get(v1, "/items/{id}", func(_ context.Context, in struct {
		ID int `path:"id"`
	}) (int, error) {
		return in.ID, nil
	}, fastness.OperationID("readItem"))
	fastness.Mount(outer, "/v1", v1)
	return outer, v1
}

func TestMountedAppHasItsOwnProvidersAndPaths(t *testing.T) {
	outer, v1 := twoApps(fastness.Config{})
	url := serveOnSocket(t, outer)
	for path, want := range map[string]string{"/items": `"outer"`, "/v1/items": `"v1"`, "/v1/items/7": "7"} {
		res, err := http.Get(url + path)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if res.StatusCode != 200 || string(body) != want {
			t.Errorf("GET %s = %d %s, want %s", path, res.StatusCode, body, want)
		}
	}
	if path, err := v1.URL("readItem", 7); err != nil || path != "/v1/items/7" {
		t.Errorf("URL() = %q, %v, want /v1/items/7", path, err)
	}
	if path, err := outer.URL("listItems"); err != nil || path != "/items" {
		t.Errorf("URL() of the outer app = %q, %v, want /items", path, err)
	}
	api := fastnesstest.New(t, outer)
	api.Get("/v1/nothing", fastnesstest.Status(404))
	api.Get("/v1/items/7/", fastnesstest.Status(307)).WantHeader("Location", "/v1/items/7")
	api.Do("PUT", "/v1/items", nil, fastnesstest.Status(405)).WantHeader("Allow", "GET, HEAD, OPTIONS")
	api.Get("/v1/items/x", fastnesstest.Status(422))
	api.Get("/v1/items/%2e%2e/items", fastnesstest.Status(400))
}

func TestDocumentOfAMountedAppKnowsItsPrefix(t *testing.T) {
	outer, v1 := twoApps(fastness.Config{Docs: fastness.DocsPublic})
	document, err := outer.Document()
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := document.Paths.Get("/items/{id}"); ok || document.Servers[0].URL != "/" {
		t.Error("the document of the outer app has what is below")
	}
	if document, err = v1.Document(); err != nil || document.Servers[0].URL != "/v1" || document.Info.Title != "V1" {
		t.Errorf("the document of v1 is %q at %v, %v, want V1 at /v1", document.Info.Title, document.Servers, err)
	}
	// Whether a document is shown is for each app to say.
	fastnesstest.New(t, outer).Get("/v1/openapi.json", fastnesstest.Status(404))
}

// One request is counted once, gets one id and one line in the log.
func TestGuardsRunOnceForAMountedApp(t *testing.T) {
	var log strings.Builder
	outer, _ := twoApps(fastness.Config{
		Logger:    slog.New(slog.NewTextHandler(&log, nil)),
		RateLimit: ratelimit.Config{Rule: ratelimit.Per("3/minute")},
		CORS:      cors.Config{Origins: []string{"https://web.example"}},
	})
	api := fastnesstest.New(t, outer)
	for range 3 {
		res := api.Get("/v1/items", fastnesstest.Header("Origin", "https://web.example"))
		for _, name := range []string{"X-Request-Id", "X-Content-Type-Options", "Access-Control-Allow-Origin", "Vary"} {
			if n := len(res.Header.Values(name)); n != 1 {
				t.Errorf("%s is there %d times: %v", name, n, res.Header.Values(name))
			}
		}
	}
	api.Get("/v1/items", fastnesstest.Status(429))
	if n := strings.Count(log.String(), "msg=request "); n != 4 || !strings.Contains(log.String(), "route=/v1/items") {
		t.Errorf("%d lines for 4 requests:\n%s", n, log.String())
	}
	api = fastnesstest.New(t, first(twoApps(fastness.Config{CORS: cors.Config{Origins: []string{"https://web.example"}}})))
	api.Do("OPTIONS", "/v1/items", nil, fastnesstest.Header("Origin", "https://web.example"), fastnesstest.Header("Access-Control-Request-Method", "GET"), fastnesstest.Status(204))
}

func first[A, B any](a A, _ B) A { return a }

func TestOperationOfAMountedAppIsClosedByItsOwnRule(t *testing.T) {
	outer, _ := open(fastness.Config{})
	v1 := fastness.New(fastness.Config{Title: "V1", Version: "1"})
	v1.Authenticate(letters{name: "letter", header: "X-Letter", users: people()})
	fastness.Get(v1, "/secret", say("secret"), access.Authenticated)
	fastness.Mount(outer, "/v1", v1)
	api := fastnesstest.New(t, outer)
	api.Get("/v1/secret", fastnesstest.Status(401))
	api.Get("/v1/secret", fastnesstest.Header("X-Letter", "ann"))
}

// Hosts that are given below would be believed to hold.
func TestWrongMountOfAnAppIsAMistake(t *testing.T) {
	outer, public := open(fastness.Config{})
	good := func() *fastness.App { return fastness.New(fastness.Config{Title: "V", Version: "1"}) }
	v1 := good()
	fastness.Mount(outer, "/v1", v1)
	fastness.Mount(outer, "/again", v1)
	fastness.Mount(outer, "/v2", good(), access.Public)
	fastness.Mount(public, "/v3", good())
	fastness.Mount(outer, "/v4", fastness.New(fastness.Config{Title: "V", Version: "1", Hosts: []string{"v4.example"}, CORS: cors.Config{Origins: []string{"https://web.example"}}}))
	fastness.Mount(outer, "/", good())
	fastness.Mount(outer, "/self", outer)
	noRule := good()
	fastness.Get(noRule, "/x", say("x"))
	fastness.Mount(outer, "/v5", noRule)
	fastness.Mount(outer, "/{v}", good())
	err := outer.Start(t.Context())
	for _, want := range []string{
		"mount /again: the app is mounted at /v1 already", "mount /v2: an app has its own options", "mount /v3: an app has its own options",
		"mount /v4: config: Hosts: that of the app above counts", "config: CORS: that of the app above counts", "mount /: an app needs a prefix",
		"mount /self: it is the app itself", "mount /v5: ", "GET /x: ", "a prefix has no parameters",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Start() = %v, want %q", err, want)
		}
	}
}

func TestMountedAppStartsAndStopsWithTheOther(t *testing.T) {
	outer, v1 := twoApps(fastness.Config{})
	var order []string
	hook := func(what string) func(context.Context) error {
		return func(context.Context) error { order = append(order, what); return nil }
	}
	outer.OnStart(hook("start outer"))
	v1.OnStart(hook("start v1"))
	outer.OnStop(hook("stop outer"))
	v1.OnStop(hook("stop v1"))
	v1.Ready("database", func(context.Context) error { return io.ErrUnexpectedEOF })
	api := fastnesstest.New(t, outer)
	if p := api.Get("/health/ready", fastnesstest.Status(503)).Problem(); p.Detail != "not ready: /v1 database" {
		t.Errorf("readiness says %q, want that of v1", p.Detail)
	}
	if err := outer.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	if want := []string{"start v1", "start outer", "stop outer", "stop v1"}; !slices.Equal(order, want) {
		t.Errorf("the order is %q, want %q", order, want)
	}
}

func TestCommandsListMountedApps(t *testing.T) {
	for args, want := range map[string]string{
		"routes":               "/v1/items/{id}",
		"openapi --mount /v1":  `"title": "V1"`,
		"openapi --mount /v11": "no app is mounted at /v11",
		"audit":                "/v1: config",
	} {
		outer, _ := open(fastness.Config{})
		v1 := fastness.New(fastness.Config{Title: "V1", Version: "1.4", Options: []fastness.Option{access.Public}, Docs: fastness.DocsPublic})
		fastness.Get(v1, "/items/{id}", func(_ context.Context, in struct {
			ID int `path:"id"`
		}) (int, error) {
			return in.ID, nil
		})
		fastness.Mount(outer, "/v1", v1)
		var out strings.Builder
		outer.Run(t.Context(), append([]string{"shop"}, strings.Fields(args)...), &out, &out)
		if text := strings.ReplaceAll(out.String(), `":"`, `": "`); !strings.Contains(text, want) {
			t.Errorf("%s: %s\nwant %q", args, text, want)
		}
	}
}

// A proxy takes /api away; callers must see it again.
func TestRootPathIsInURLsRedirectsAndTheDocument(t *testing.T) {
	outer, v1 := twoApps(fastness.Config{RootPath: "/api"})
	api := fastnesstest.New(t, outer)
	api.Get("/items/", fastnesstest.Status(307)).WantHeader("Location", "/api/items")
	api.Get("/v1/items/", fastnesstest.Status(307)).WantHeader("Location", "/api/v1/items")
	if path, err := outer.URL("listItems"); err != nil || path != "/api/items" {
		t.Errorf("URL() = %q, %v", path, err)
	}
	document, err := v1.Document()
	if err != nil || document.Servers[0].URL != "/api/v1" {
		t.Errorf("servers are %v, %v, want /api/v1", document.Servers, err)
	}
	for _, wrong := range []string{"api", "/api/", "//evil.example", "/{x}"} {
		app, _ := open(fastness.Config{RootPath: wrong})
		if err := app.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "RootPath") {
			t.Errorf("RootPath %q: Start() = %v, want a mistake", wrong, err)
		}
	}
}
