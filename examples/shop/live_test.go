package main

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"strings"
	"testing"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/fastnesstest"
)

// events are server-sent events of the shop.
type events struct {
	t    *testing.T
	pull func() (fastness.Event[struct{}], bool)
	stop func()
}

// listen opens a stream, as the caller, when its first event is asked for.
func (s *shop) listen(target string, options ...fastnesstest.Option) *events {
	s.t.Helper()
	if s.caller != nil {
		options = append(options, fastnesstest.As(*s.caller))
	}
	pull, stop := iter.Pull(fastnesstest.Events[struct{}](fastnesstest.New(s.t, s.app), target, options...))
	s.t.Cleanup(stop)
	return &events{s.t, pull, stop}
}

// next returns the next event: its name, id and data.
func (e *events) next() (name, id, data string) {
	e.t.Helper()
	event, ok := e.pull()
	if !ok {
		e.t.Fatal("the stream ended")
	}
	return event.Name, event.ID, event.Text
}

func TestStocksAreToldLive(t *testing.T) {
	s := openShop(t, t.TempDir())
	path, _ := s.create(`{"name":"Lamp","price":1,"stock":5}`)
	hidden, _ := s.create(`{"name":"Secret lamp","price":1,"stock":5,"draft":true}`)
	stream := s.as(nil).listen("/items/live")
	if name, id, _ := stream.next(); name != "begin" || id == "" {
		t.Fatalf("the stream begins with %q, id %q", name, id)
	}
	s.call(http.MethodPatch, hidden, `{"stock":4}`)
	s.as(customer(1)).call(http.MethodPost, "/orders", orderOf(path, 6)) // Refused: nobody hears of it.
	s.as(customer(1)).call(http.MethodPost, "/orders", orderOf(path, 2))
	name, first, data := stream.next()
	if want := fmt.Sprintf(`{"kind":"stock","item_id":%s,"stock":3}`, strings.TrimPrefix(path, "/items/")); name != "stock" || data != want {
		t.Errorf("an order is told as %s %s, want %s", name, data, want)
	}
	s.call(http.MethodPatch, path, `{"stock":null}`)
	if _, _, data := stream.next(); strings.Contains(data, `"stock":`+"3") || strings.Contains(data, hidden) {
		t.Errorf("made to order is told as %s", data)
	}
	stream.stop()

	// Who comes back hears what was missed, and nothing twice.
	s.call(http.MethodPatch, path, `{"stock":9}`)
	again := s.as(nil).listen("/items/live", fastnesstest.Header("Last-Event-ID", first))
	again.next()
	if _, _, data := again.next(); strings.Contains(data, `"stock":3`) || strings.Contains(data, `"stock":9`) {
		t.Errorf("after the first event comes %s", data)
	}
	if _, _, data := again.next(); !strings.Contains(data, `"stock":9`) {
		t.Errorf("then comes %s, want what was missed", data)
	}
	if got := s.get("/items/live", "Last-Event-ID", "1; DROP TABLE"); got.status != http.StatusUnprocessableEntity {
		t.Errorf("an id that is none = %d, want 422", got.status)
	}
}

func TestOrdersAreToldToTheAdministratorsOfTheTenant(t *testing.T) {
	s := openShop(t, t.TempDir())
	castle := s.as(admin()).listen("/admin/orders/live")
	castle.next()
	keep := s.as(caller("k1", "keep", "admin")).listen("/admin/orders/live")
	keep.next()
	s.as(customer(1)).order("a secret")
	s.as(caller("k2", "keep", "customer")).order("another")
	var order OrderEvent
	if _, _, data := castle.next(); json.Unmarshal([]byte(data), &order) != nil || order.OrderID != 1 || strings.Contains(data, "secret") {
		t.Errorf("the castle hears %s", data)
	}
	if _, _, data := keep.next(); json.Unmarshal([]byte(data), &order) != nil || order.OrderID != 2 {
		t.Errorf("the keep hears %s, want its own order", data)
	}
}

func TestAnItemIsFollowedByWebSocket(t *testing.T) {
	app, _ := testApp()
	fastness.ProvideValue(app, inFolder(t, t.TempDir()))
	api := fastnesstest.New(t, app)
	ann := fastnesstest.As(*customer(1))
	// From the beginning: the connection is there before the shop listens for it.
	conn := fastnesstest.Dial[struct{}, ItemEvent](api, "/ws/items/3?after=1")
	fastnesstest.Post[Order](api, "/orders", NewOrder{ItemID: 3, Quantity: 2}, ann, fastnesstest.Status(http.StatusCreated))
	if got := conn.Receive(); got.Kind != "stock" || got.Stock == nil || *got.Stock != 1 {
		t.Errorf("an order is told as %+v, want a stock of 1", got)
	}
	fastnesstest.Post[Review](api, "/items/3/reviews", map[string]any{"stars": 4, "title": "Loud", "text": `<b>Very</b><script>alert(1)</script>`}, ann, fastnesstest.Status(http.StatusCreated))
	got := conn.Receive()
	if got.Kind != "review" || got.Review == nil || got.Review.Title.String() != "Loud" || strings.Contains(string(got.Review.Text.HTML()), "script") {
		t.Errorf("a review is told as %+v, want it, cleaned", got)
	}
	api.Delete(fmt.Sprintf("/items/3/reviews/%d", got.Review.ID), ann)
	if gone := conn.Receive(); gone.Kind != "removed" || gone.ReviewID != got.Review.ID {
		t.Errorf("what is removed is told as %+v", gone)
	}
	api.Get("/ws/items/999", fastnesstest.Handshake()).WantProblem(http.StatusNotFound, "")
	api.Get("/ws/items/3", fastnesstest.Handshake(), fastnesstest.Header("Origin", "https://evil.example")).WantProblem(http.StatusForbidden, "cross_site")
}

// Who asks for pages of items that are not makes no rooms, and who fills the rooms takes
// no page down.
func TestPagesOfWhatIsNotMakeNoRooms(t *testing.T) {
	var live *Live
	s := openShop(t, t.TempDir(), func(app *fastness.App) {
		fastness.Get(app, "/test/live", func(_ context.Context, in struct{ Live *Live }) (fastness.NoContent, error) {
			live = in.Live
			return fastness.NoContent{}, nil
		}, access.Public, fastness.OperationID("testLive"))
	}).as(nil)
	s.get("/test/live")
	for id := range 50 {
		if got := s.get(fmt.Sprintf("/items/%d/page", 1000+id)); got.status != http.StatusNotFound {
			t.Fatalf("the page of item %d = %d, want 404", 1000+id, got.status)
		}
	}
	if rooms := live.items.Stats().Rooms; rooms != 0 {
		t.Errorf("there are %d rooms of items that are not", rooms)
	}
	if err := live.items.Close(); err != nil {
		t.Fatal(err)
	}
	for _, target := range []string{"/", "/items/1/page"} {
		if got := s.get(target, "Accept", browser); got.status != http.StatusOK {
			t.Errorf("%s without live events = %d %s, want the page", target, got.status, got.body)
		}
	}
}
