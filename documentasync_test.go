package fastness_test

import (
	"context"
	"log/slog"
	"os"
	"strings"
	"testing"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/fastnesstest"
	"github.com/fastness/fastness/openapi"
	"github.com/fastness/fastness/schema"
	"github.com/fastness/fastness/ws"
)

type watchBids struct {
	Item  string               `path:"item" maxLength:"8" doc:"Which item."`
	After fastness.Opt[int64]  `query:"after" minimum:"1"`
	Trace fastness.Opt[string] `header:"X-Trace" maxLength:"20"`
}

type placedBid struct {
	schema.Union `discriminator:"kind"`
	Euro         *euroBid `json:"euro"`
	Gold         *goldBid `json:"gold"`
}

type euroBid struct {
	Kind string `json:"kind" const:"euro"`
	Sum  int    `json:"sum" minimum:"1"`
}

type goldBid struct {
	Kind   string  `json:"kind" const:"gold"`
	Ounces float64 `json:"ounces"`
}

// liveApp has a WebSocket of each kind.
func liveApp(t *testing.T, cfg fastness.Config) *fastness.App {
	t.Helper()
	cfg.Title, cfg.Version, cfg.Logger = "Live", "1.2.3", slog.New(slog.DiscardHandler)
	app := fastness.New(cfg)
	app.Authenticate(namedScheme{})
	fastness.WebSocket(app, "/ws/{room}", chat, access.Authenticated, fastness.Tags("chat"))
	fastness.WebSocket(app, "/ws/items/{item}/bids", func(_ context.Context, _ watchBids, _ *fastness.Socket[ws.None, schema.Encoded[euroBid]]) error {
		return nil
	},
		access.Public, fastness.Summary("Watch bids"), fastness.OperationID("watchBids"))
	fastness.WebSocket(app, "/ws/bids", func(_ context.Context, _ struct{}, _ *fastness.Socket[placedBid, ws.None]) error { return nil }, access.Authenticated, fastness.OperationID("placeBids"))
	fastness.WebSocket(app, "/ws/bytes", func(_ context.Context, _ struct{}, _ *fastness.Socket[[]byte, []byte]) error { return nil }, access.Public, fastness.OperationID("bytes"))
	fastness.WebSocket(app, "/ws/hidden", func(_ context.Context, _ struct{}, _ *fastness.Socket[[]byte, []byte]) error { return nil }, access.Public, fastness.OperationID("hidden"), fastness.Hidden())
	return app
}

func TestWebSocketsHaveAnAsyncAPIDocument(t *testing.T) {
	app := liveApp(t, fastness.Config{Docs: fastness.DocsPublic})
	doc, err := app.AsyncDocument()
	if err != nil {
		t.Fatal(err)
	}
	text, err := doc.JSON()
	if err != nil {
		t.Fatal(err)
	}
	const golden = "testdata/asyncapi.golden.json"
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(golden, append(text, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil || string(want) != string(text)+"\n" {
		t.Errorf("the document is not that of %s (%v; UPDATE=1 writes it):\n%s", golden, err, text)
	}
	api := fastnesstest.New(t, app)
	api.Get("/asyncapi.json").Want(200).WantHeader("Content-Type", "application/json").WantJSON(string(text))
}

// What an OpenAPI document does not show is not shown here either.
func TestTheAsyncAPIDocumentIsAsHiddenAsTheOther(t *testing.T) {
	hidden := fastnesstest.New(t, liveApp(t, fastness.Config{Docs: fastness.DocsOff}))
	hidden.Get("/asyncapi.json").Want(404)
	doc, err := liveApp(t, fastness.Config{}).AsyncDocument()
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := doc.Channels.Get("hidden"); ok {
		t.Error("a hidden WebSocket is in the document")
	}
	without := fastness.New(fastness.Config{Title: "t", Version: "1", Docs: fastness.DocsPublic})
	if doc, err := without.AsyncDocument(); doc != nil || err != nil {
		t.Errorf("AsyncDocument() of an app without WebSockets = %v, %v", doc, err)
	}
	fastnesstest.New(t, without).Get("/asyncapi.json").Want(404)
}

func TestServersOfTheAsyncAPIDocument(t *testing.T) {
	doc, err := liveApp(t, fastness.Config{Servers: []openapi.Server{{URL: "https://api.example.com/v1"}, {URL: "/"}}}).AsyncDocument()
	if err != nil {
		t.Fatal(err)
	}
	s, _ := doc.Servers.Get("server1")
	if doc.Servers.Len() != 1 || s == nil || s.Host != "api.example.com" || s.Protocol != "wss" || s.Pathname != "/v1" {
		t.Errorf("the servers are %+v", s)
	}
}

func TestAsyncAPIOperationsAreThoseOfTheApp(t *testing.T) {
	doc, err := liveApp(t, fastness.Config{}).AsyncDocument()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for name, o := range doc.Operations.All() {
		got = append(got, name+" "+o.Action)
	}
	want := "chatReceive receive, chatSend send, watchBidsSend send, placeBidsReceive receive, placeBidsSend send, bytesReceive receive, bytesSend send"
	if strings.Join(got, ", ") != want {
		t.Errorf("operations are %s, want %s", strings.Join(got, ", "), want)
	}
	for _, name := range []string{"watchBidsSend", "chatSend"} {
		o, _ := doc.Operations.Get(name)
		if public := name == "watchBidsSend"; public != (len(o.Security) == 0) {
			t.Errorf("%s needs %+v", name, o.Security)
		}
	}
	if c, _ := doc.Channels.Get("watchBids"); c == nil {
		t.Error("no channel watchBids")
	} else if m, _ := c.Messages.Get("sent"); m.Payload.Ref != "#/components/schemas/euroBid" {
		t.Errorf("what is encoded once is described as %+v, want its type", m.Payload)
	}
}
