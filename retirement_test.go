package fastness_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/fastnesstest"
)

// retired returns an app whose group /v1 ends a day from now.
func retired(t *testing.T, gone bool) (*fastnesstest.API, *fastness.App, *strings.Builder) {
	var log strings.Builder
	app, _ := open(fastness.Config{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	v1 := app.Group("/v1", access.Public, fastness.Retire(fastness.Retirement{
		Since: time.Unix(946684800, 0), Sunset: time.Now().Add(24 * time.Hour), Link: "https://example.com/v2", Gone: gone,
	}))
	fastness.Get(v1, "/items", say("old"), fastness.OperationID("oldItems"))
	return fastnesstest.New(t, app), app, &log
}

func TestRetiredOperationSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // The bubble begins at 2000-01-01.
		api, app, log := retired(t, false)
		for range 3 {
			api.Get("/v1/items").WantHeader("Deprecation", "@946684800").WantHeader("Sunset", "Sun, 02 Jan 2000 00:00:00 GMT").
				WantHeader("Link", `<https://example.com/v2>; rel="deprecation"; type="text/html", <https://example.com/v2>; rel="sunset"; type="text/html"`)
		}
		if n := strings.Count(log.String(), "a deprecated operation was called"); n != 1 {
			t.Errorf("%d lines for 3 calls in a moment, want 1", n)
		}
		time.Sleep(48 * time.Hour)
		api.Get("/v1/items") // Without Gone it may go on.
		if n := strings.Count(log.String(), "a deprecated operation was called"); n != 2 {
			t.Errorf("%d lines, want another one later", n)
		}
		document, err := app.Document()
		if err != nil {
			t.Fatal(err)
		}
		item, _ := document.Paths.Get("/v1/items")
		if o := item.Get; !o.Deprecated || !strings.Contains(o.Description, "It ends on 2000-01-02. See <https://example.com/v2>.") || o.Extensions["x-sunset"] != "2000-01-02T00:00:00Z" {
			t.Errorf("the document says %v, %q, %v", o.Deprecated, o.Description, o.Extensions)
		}
	})
}

func TestRetiredOperationIsGoneAfterItsSunset(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api, _, _ := retired(t, true)
		time.Sleep(24*time.Hour - time.Second)
		api.Get("/v1/items")
		time.Sleep(time.Second)
		api.Get("/v1/items", fastnesstest.Status(410)).WantProblem(410, "retired").WantHeader("Deprecation", "@946684800")
	})
}

func TestLinkOfTheOperationDoesNotHideTheRetirement(t *testing.T) {
	app, public := open(fastness.Config{})
	fastness.Get(public, "/items", func(context.Context, none) (fastness.Result[string], error) {
		return fastness.Result[string]{Body: "x", Header: map[string][]string{"Link": {`</items?page=2>; rel="next"`}}}, nil
	}, fastness.Retire(fastness.Retirement{Since: time.Unix(1, 0), Link: "https://example.com/v2"}))
	res := fastnesstest.New(t, app).Get("/items")
	if links := res.Header.Values("Link"); len(links) != 2 {
		t.Errorf("links are %q, want that of the operation and that of its retirement", links)
	}
}

func TestWrongRetirementIsAMistake(t *testing.T) {
	app, public := open(fastness.Config{})
	fastness.Get(public, "/a", say(""), fastness.Retire(fastness.Retirement{Gone: true, Link: "javascript:alert(1)"}))
	fastness.Get(public, "/b", say(""), fastness.Retire(fastness.Retirement{Since: time.Unix(2, 0), Sunset: time.Unix(1, 0), Link: "https://a/>; rel=x"}))
	err := app.Start(t.Context())
	for _, want := range []string{"GET /a: retirement: want the time since", "Gone needs a Sunset", "GET /a: retirement: Link is not", "GET /b: retirement: Sunset is before", "GET /b: retirement: Link is not"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Start() = %v, want %q", err, want)
		}
	}
}
