package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/fastnesstest"
)

// events reads server-sent events of the shop, as a request of its caller.
type events struct {
	t     *testing.T
	lines *bufio.Scanner
	stop  func()
}

// listen opens a stream.
func (s *shop) listen(target string, header ...string) *events {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 30*time.Second)
	if s.caller != nil {
		ctx = auth.With(ctx, s.caller)
	}
	r, w := io.Pipe()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target, http.NoBody)
	if err != nil {
		s.t.Fatal(err)
	}
	request.Host, request.RequestURI = "localhost", target
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.app.ServeHTTP(&pipeWriter{w, make(http.Header)}, request)
		_ = w.Close() // It never fails.
	}()
	e := &events{t: s.t, lines: bufio.NewScanner(r), stop: func() { cancel(); _ = r.Close(); <-done }}
	s.t.Cleanup(e.stop)
	return e
}

// pipeWriter is an answer that is read while it is written.
type pipeWriter struct {
	io.Writer
	header http.Header
}

func (w *pipeWriter) Header() http.Header              { return w.header }
func (w *pipeWriter) WriteHeader(int)                  {}
func (w *pipeWriter) Flush()                           {}
func (w *pipeWriter) SetWriteDeadline(time.Time) error { return nil }

// next returns the next event: its name, id and data.
func (e *events) next() (name, id, data string) {
	e.t.Helper()
	for e.lines.Scan() {
		field, value, _ := strings.Cut(e.lines.Text(), ": ")
		switch field {
		case "event":
			name = value
		case "id":
			id = value
		case "data":
			data = value
		case "":
			if name+data != "" {
				return name, id, data
			}
		}
	}
	e.t.Fatalf("the stream ended: %v", e.lines.Err())
	return "", "", ""
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
	again := s.as(nil).listen("/items/live", "Last-Event-ID", first)
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
