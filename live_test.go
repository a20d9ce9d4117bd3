package fastness_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/fastnesstest"
	"github.com/fastness/fastness/guard/openconn"
	"github.com/fastness/fastness/guard/ratelimit"
	"github.com/fastness/fastness/internal/guidetest"
	"github.com/fastness/fastness/pubsub"
	"github.com/fastness/fastness/pubsub/pubsubtest"
	"github.com/fastness/fastness/schema"
	"github.com/fastness/fastness/sqldb"
	"github.com/fastness/fastness/ws"
)

// What follows is the code of docs/live.md.

type bid struct {
	Sum int `json:"sum" minimum:"1"`
}

type placeBid struct {
	Item int64 `path:"item_id"`
	Tx   *sqldb.Tx
	Live *pubsub.Hub[bid]
	Body bid
}

func placeLive(ctx context.Context, in placeBid) (fastness.NoContent, error) {
	// … store it, by in.Tx, and then:
	return fastness.NoContent{}, in.Live.PublishTx(ctx, in.Tx, room(in.Item), in.Body)
}

// room names the room of an item that the caller may see.
func room(item int64) string { return fmt.Sprint("item-", item) }

type watchLiveInput struct {
	Item int64                   `path:"item_id"`
	Last fastness.Opt[pubsub.ID] `header:"Last-Event-ID"`
	Live *pubsub.Hub[bid]
}

func watchLive(ctx context.Context, in watchLiveInput) (fastness.SSE[schema.Encoded[bid]], error) {
	sub, err := in.Live.Subscribe(ctx, room(in.Item), in.Last.Or(pubsub.Now))
	if err != nil {
		return fastness.SSE[schema.Encoded[bid]]{}, err
	}
	return fastness.SSE[schema.Encoded[bid]]{Events: func(yield func(fastness.Event[schema.Encoded[bid]], error) bool) {
		if !yield(fastness.Event[schema.Encoded[bid]]{ID: sub.After().String(), Name: "ready", Text: "{}"}, nil) {
			sub.Close()
			return
		}
		for e, err := range sub.Events() {
			out := fastness.Event[schema.Encoded[bid]]{ID: e.ID.String(), Data: e.JSON}
			if e.Gap {
				out.Name, out.Text = "gap", "{}" // The page loads the bids anew.
			}
			if !yield(out, err) {
				return
			}
		}
	}}, nil
}

type followInput struct {
	Item  int64                   `path:"item_id"`
	After fastness.Opt[pubsub.ID] `query:"after"`
	Live  *pubsub.Hub[bid]
}

type bidEvent struct {
	ID  pubsub.ID           `json:"id"`
	Gap bool                `json:"gap,omitzero"`
	Bid schema.Encoded[bid] `json:"bid,omitzero"`
}

func followLive(ctx context.Context, in followInput, conn *fastness.Socket[ws.None, bidEvent]) error {
	sub, err := in.Live.Subscribe(ctx, room(in.Item), in.After.Or(pubsub.Now))
	if err != nil {
		return err
	}
	for e, err := range sub.Events() {
		if err != nil {
			return err // Too slow, or the hub stops: 1013, come back.
		}
		if err := conn.Send(bidEvent{ID: e.ID, Gap: e.Gap, Bid: e.JSON}); err != nil {
			return err
		}
		if err := conn.Flush(); err != nil {
			return err
		}
	}
	return nil
}

// openLive is the provider of the hub.
func openLive(_ context.Context, in struct{ Bus pubsub.Bus }) (*pubsub.Hub[bid], func(error) error, error) {
	hub, err := pubsub.New[bid](pubsub.Config{Name: "bids", Bus: in.Bus})
	if err != nil {
		return nil, nil, err
	}
	return hub, func(error) error { return hub.Close() }, nil
}

// bidApp is one process.
func bidApp(t testing.TB, bus pubsub.Bus, hub *pubsub.Hub[bid]) *fastness.App {
	t.Helper()
	app := fastness.New(fastness.Config{
		Title: "Bids", Version: "1", Logger: slog.New(slog.DiscardHandler),
		Connections: openconn.Config{PerClient: 2_000}, RateLimit: ratelimit.Config{InsecureUnlimited: "all come from here"},
	})
	fastness.ProvideValue(app, pubsubtest.NoDatabase(t))
	fastness.ProvideCleanup(app, sqldb.Begin)
	if hub != nil {
		fastness.ProvideValue(app, hub)
	} else {
		fastness.ProvideValue(app, bus)
		fastness.ProvideApp(app, openLive)
	}
	fastness.Post(app, "/items/{item_id}/bids", placeLive, access.Public)
	fastness.Get(app, "/items/{item_id}/bids/events", watchLive, access.Public)
	fastness.WebSocket(app, "/ws/items/{item_id}/bids", followLive, access.Public)
	return app
}

func TestGuideToLiveEventsShowsCodeThatRuns(t *testing.T) {
	guidetest.Shows(t, "docs/live.md", 4, "live_test.go")
}

// Two processes, one client on each: what is posted to one is heard from the other,
// by events and by a WebSocket, and a client that comes back goes on.
func TestBidsAreHeardInEveryProcess(t *testing.T) {
	bus := &pubsubtest.Memory{}
	here, there := fastnesstest.New(t, bidApp(t, bus, nil)), fastnesstest.New(t, bidApp(t, bus, nil))
	socket := fastnesstest.Dial[ws.None, struct {
		ID  pubsub.ID `json:"id"`
		Bid bid       `json:"bid"`
	}](there, "/ws/items/7/bids?after=1")
	for sum := 1; sum <= 3; sum++ {
		here.Post("/items/7/bids", bid{Sum: sum}).Want(204)
		here.Post("/items/8/bids", bid{Sum: 100 + sum}).Want(204)
	}
	var first pubsub.ID
	for sum := 1; sum <= 3; sum++ {
		got := socket.Receive()
		if got.Bid.Sum != sum {
			t.Errorf("the WebSocket got %+v, want %d", got, sum)
		}
		if sum == 1 {
			first = got.ID
		}
	}
	socket.Close()
	var seen []string
	for e := range fastnesstest.Events[bid](there, "/items/7/bids/events", fastnesstest.Header("Last-Event-ID", first.String())) {
		seen = append(seen, fmt.Sprint(e.Name, e.Data.Sum))
		if e.Data.Sum == 3 {
			break
		}
	}
	if got := strings.Join(seen, " "); got != "ready0 2 3" {
		t.Errorf("the events are %q, want ready0 2 3", got)
	}
	here.Post("/items/7/bids", bid{Sum: 0}).Want(422)
}

// TestAThousandWebSocketsLoseNothing: real connections, each with a reader that keeps
// up.
func TestAThousandWebSocketsLoseNothing(t *testing.T) {
	connections, events := 1_000, 50
	if testing.Short() || raceEnabled {
		connections, events = 100, 50
	}
	liveSockets(t, connections, events)
}

func BenchmarkBroadcastToAThousandWebSockets(b *testing.B) {
	for b.Loop() {
		liveSockets(b, 1_000, 10_000)
	}
}

func liveSockets(t testing.TB, connections, events int) {
	hub, err := pubsub.New[bid](pubsub.Config{History: 16_384, HistoryBytes: 32 << 20})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(bidApp(t, nil, hub))
	defer server.Close()
	defer func() { _ = hub.Close() }()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	var lost, read atomic.Int64
	var readers sync.WaitGroup
	for range connections {
		conn, res, err := websocket.Dial(ctx, server.URL+"/ws/items/7/bids?after=1", &websocket.DialOptions{HTTPHeader: http.Header{}})
		if err != nil {
			t.Fatalf("dial: %v %v", res, err)
		}
		readers.Go(func() {
			defer func() { _ = conn.CloseNow() }()
			for n := 1; n <= events; n++ {
				_, data, err := conn.Read(ctx)
				if err != nil {
					t.Errorf("after %d events: %v", n-1, err)
					return
				}
				if !strings.HasSuffix(string(data), fmt.Sprintf(`"bid":{"sum":%d}}`, n)) {
					lost.Add(1)
				}
				read.Add(1)
			}
		})
	}
	// In bursts of 500: the readers share the machine with the server, and one that does
	// not get to read for ten seconds is no healthy one.
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for n := 1; n <= events; n++ {
		if err := hub.Publish(ctx, room(7), bid{Sum: n}); err != nil {
			t.Fatal(err)
		}
		for n%500 == 0 && read.Load() < int64(n*connections) && !t.Failed() {
			<-tick.C
		}
	}
	readers.Wait()
	if n := lost.Load(); n != 0 {
		t.Errorf("%d of %d messages were lost or out of order", n, connections*events)
	}
}
