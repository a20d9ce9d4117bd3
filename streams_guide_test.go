package fastness_test

import (
	"context"
	"io"
	"iter"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/fastnesstest"
	"github.com/fastness/fastness/internal/guidetest"
)

// What follows is the code of docs/streams.md.

type Price struct {
	ID    int64 `json:"id"`
	Cents int   `json:"cents"`
}

type Prices struct{ all []Price }

func (p *Prices) All(ctx context.Context) iter.Seq2[Price, error] { return p.After(ctx, 0) }

func (p *Prices) After(ctx context.Context, last int64) iter.Seq2[Price, error] {
	return func(yield func(Price, error) bool) {
		for _, price := range p.all {
			if price.ID > last && !yield(price, ctx.Err()) {
				return
			}
		}
	}
}

type watchPrices struct {
	Last   fastness.Opt[int64] `header:"Last-Event-ID"` // where a client that comes back goes on
	Prices *Prices
}

func watch(ctx context.Context, in watchPrices) (fastness.SSE[Price], error) {
	return fastness.SSE[Price]{Events: func(yield func(fastness.Event[Price], error) bool) {
		for price, err := range in.Prices.After(ctx, in.Last.Or(0)) {
			if !yield(fastness.Event[Price]{ID: strconv.FormatInt(price.ID, 10), Data: price}, err) {
				return
			}
		}
	}}, nil
}

func exportPrices(ctx context.Context, in watchPrices) (fastness.JSONLines[Price], error) {
	return fastness.JSONLines[Price]{Items: in.Prices.All(ctx)}, nil
}

type invoices struct{}

func (invoices) Open(int64) (io.ReadSeeker, error) { return strings.NewReader("%PDF"), nil }

type invoiceInput struct {
	ID       int64 `path:"id"`
	Invoices invoices
}

func readInvoice(ctx context.Context, in invoiceInput) (fastness.Download, error) {
	file, err := in.Invoices.Open(in.ID)
	return fastness.Download{Content: file, Name: "Invoice " + strconv.FormatInt(in.ID, 10) + ".pdf", Version: "7"}, err
}

type putPhoto struct {
	ID   int64           `path:"id"`
	Body fastness.Stream `accept:"image/png, image/jpeg"`
}

func savePhoto(_ context.Context, in putPhoto) (int64, error) { return io.Copy(io.Discard, in.Body) }

func TestGuideToStreamsRuns(t *testing.T) {
	app := fastness.New(fastness.Config{Title: "Prices", Version: "1.0.0", Logger: fastnesstest.Logger(t)})
	fastness.ProvideValue(app, &Prices{[]Price{{1, 100}, {2, 200}, {3, 300}}})
	fastness.ProvideValue(app, invoices{})
	web := fstest.MapFS{"shop.css": {Data: []byte("body{}")}}
	dist := fstest.MapFS{"index.html": {Data: []byte("<!doctype html>")}}
	fastness.Get(app, "/prices", watch, access.Public, fastness.StreamLimits{Heartbeat: 10 * time.Second, Longest: 10 * time.Minute})
	fastness.Get(app, "/prices.jsonl", exportPrices, access.Public)
	fastness.Get(app, "/invoices/{id}", readInvoice, access.Public)
	fastness.Put(app, "/photos/{id}", savePhoto, access.Public, fastness.BodyLimit(50<<20), fastness.Timeout(10*time.Minute))
	fastness.Static(app, "/static", web, access.Public)
	fastness.Frontend(app, "/", dist, access.Public)
	api := fastnesstest.New(t, app)

	var prices []Price
	for event := range fastnesstest.Events[Price](api, "/prices") {
		prices = append(prices, event.Data)
	}
	if len(prices) != 3 || prices[2].Cents != 300 {
		t.Errorf("prices %v", prices)
	}
	for event := range fastnesstest.Events[Price](api, "/prices", fastnesstest.Header("Last-Event-ID", "2")) {
		if event.ID != "3" {
			t.Errorf("it goes on with %+v, want 3", event)
		}
	}
	api.Get("/prices", fastnesstest.Header("Last-Event-ID", "2\x00")).Want(422)
	if res := api.Get("/prices.jsonl").Want(200); strings.Count(string(res.Body), "\n") != 3 {
		t.Errorf("%q", res.Body)
	}
	api.Get("/invoices/7").Want(200).WantHeader("Content-Disposition", `attachment; filename="Invoice 7.pdf"`)
	api.Put("/photos/7", fastnesstest.Raw{ContentType: "image/png", Body: make([]byte, 2<<20)}).Want(200).WantJSON("2097152")
	api.Get("/static/shop.css").Want(200)
	api.Get("/basket", fastnesstest.Accept("text/html")).Want(200)
}

func TestGuideToStreamsShowsCodeThatRuns(t *testing.T) {
	guidetest.Shows(t, "docs/streams.md", 4, "streams_guide_test.go")
}
