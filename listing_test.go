package fastness_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/fastnesstest"
	lists "github.com/fastness/fastness/page"
	"github.com/fastness/fastness/sqldb"
)

// listedItem is a row of a list.
type listedItem struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
}

func (listedItem) Orders() lists.Orders[listedItem] {
	return lists.Orders[listedItem]{
		Default: "-name",
		By:      map[string][]lists.Column[listedItem]{"name": {lists.By(sqldb.Constant("name"), func(i listedItem) string { return i.Name })}},
		Unique:  lists.By(sqldb.Constant("id"), func(i listedItem) int64 { return i.ID }),
	}
}

type listedInput struct{ lists.CursorQuery[listedItem] }

// listTwo has two rows for every page.
func listTwo(ctx context.Context, in listedInput) (lists.Page[listedItem], error) {
	w, err := in.Window(ctx)
	if err != nil {
		return lists.Page[listedItem]{}, err
	}
	return w.Page(ctx, []listedItem{{1, "Lamp"}, {2, "Desk"}})
}

// badlyListed has no orders.
type badlyListed struct{}

func (badlyListed) Orders() lists.Orders[badlyListed] { return lists.Orders[badlyListed]{} }

func TestListsThatAreDeclaredWronglyDoNotStart(t *testing.T) {
	app := fastness.New(fastness.Config{Title: "Items", Version: "1", Cursors: lists.Config{MaxAge: 1}})
	fastness.Get(app, "/items", listTwo, access.Public)
	fastness.Get(app, "/names", func(context.Context, struct {
		Rows  lists.Limit             `query:"rows" minimum:"1" maximum:"100000" default:"10"`
		From  lists.Offset            `query:"offset" minimum:"0" default:"0"`
		After lists.Cursor            `query:"after" required:"false"`
		Order lists.Sort[listedItem]  `query:"order" required:"false"`
		Bad   lists.Sort[badlyListed] `query:"sort" required:"false"`
	}) (string, error) {
		return "", nil
	}, access.Public)
	err := app.Start(t.Context())
	if err == nil {
		t.Fatal("it starts")
	}
	for _, want := range []string{
		"config: Cursors: GET /items answers in pages: page config: Keys is nil", "MaxAge is 1ns",
		"GET /names: field Rows: want the tag `query:\"limit\"`", "want the tag maximum, from 1 to 1000",
		"GET /names: field From: want the tag maximum, from 0 to 1000000",
		"GET /names: field After: want the tag `query:\"cursor\"`", "GET /names: field Order: want the tag `query:\"sort\"`",
		"GET /names: field Bad: orders of fastness_test.badlyListed: By is empty", "method Enum of page.Sort",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the mistakes do not say %q:\n%v", want, err)
		}
	}
}

func TestAppWithoutListsNeedsNoKeysOfCursors(t *testing.T) {
	app := fastness.New(fastness.Config{Title: "Items", Version: "1"})
	fastness.Get(app, "/", func(context.Context, struct{}) (string, error) { return "", nil }, access.Public)
	if err := app.Start(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestListsInTheDocument(t *testing.T) {
	app := fastness.New(fastness.Config{Title: "Items", Version: "1"})
	app.UseCursorKeys(lists.EphemeralKeys())
	fastness.Get(app, "/items", listTwo, access.Public)
	fastness.Get(app, "/wrapped", func(ctx context.Context, in listedInput) (fastness.Result[lists.Page[listedItem]], error) {
		p, err := listTwo(ctx, in)
		return fastness.Result[lists.Page[listedItem]]{Body: p, Header: http.Header{"Link": {`</terms>; rel="terms-of-service"`}}}, err
	}, access.Public)
	document, err := app.Document()
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/items", "/wrapped"} {
		item, _ := document.Paths.Get(path)
		for _, p := range item.Get.Parameters {
			if p.Name == "sort" {
				if len(p.Schema.Enum) != 2 || p.Schema.Enum[0] != "-name" || p.Required {
					t.Errorf("%s: sort is %+v", path, p)
				}
			}
		}
		res, _ := item.Get.Responses.Get("200")
		if _, ok := res.Headers.Get("Link"); !ok {
			t.Errorf("%s: the answer has no header Link", path)
		}
	}
	api := fastnesstest.New(t, app)
	var first lists.Page[listedItem]
	res := api.Get("/items?limit=1&sort=name")
	res.Want(http.StatusOK).JSON(&first)
	want := "<?cursor=" + string(first.Next) + `&limit=1&sort=name>; rel="next"`
	if link := res.Header.Get("Link"); link != want {
		t.Errorf("Link: %s, want %s", link, want)
	}
	if links := api.Get("/wrapped?limit=1").Header.Values("Link"); len(links) != 2 {
		t.Errorf("Link: %q, want that of the operation and that of the page", links)
	}
	api.Get("/wrapped?limit=1&cursor="+string(first.Next)).WantProblem(422, "invalid_cursor")
	api.Get("/items?limit=1&sort=name&cursor=" + string(first.Next)).Want(http.StatusOK)
}

// ownLinks is a body of the application's that makes its own links.
type ownLinks struct{ link string }

func (o ownLinks) LinkHeader() string { return o.link }

func TestLinkHeaderCannotBreakTheAnswer(t *testing.T) {
	app := fastness.New(fastness.Config{Title: "Items", Version: "1", Logger: fastnesstest.Logger(t)})
	fastness.Get(app, "/", func(context.Context, struct{}) (ownLinks, error) {
		return ownLinks{"</>; rel=\"next\"\r\nSet-Cookie: a=b"}, nil
	}, access.Public)
	res := fastnesstest.New(t, app).Get("/").Want(http.StatusInternalServerError)
	if res.Header.Get("Link") != "" || res.Header.Get("Set-Cookie") != "" {
		t.Errorf("the header is %v", res.Header)
	}
}

// TestCursorsOfMountedAppsAreTheirOwn: two apps that share keys and paths share no
// cursors.
func TestCursorsOfMountedAppsAreTheirOwn(t *testing.T) {
	keys := lists.EphemeralKeys()
	app := fastness.New(fastness.Config{Title: "Both", Version: "1"})
	for _, prefix := range []string{"/a", "/b"} {
		below := fastness.New(fastness.Config{Title: prefix, Version: "1", Cursors: lists.Config{Keys: keys}})
		fastness.Get(below, "/items", listTwo, access.Public)
		fastness.Mount(app, prefix, below)
	}
	api := fastnesstest.New(t, app)
	var first lists.Page[listedItem]
	api.Get("/a/items?limit=1").Want(http.StatusOK).JSON(&first)
	api.Get("/a/items?limit=1&cursor=" + string(first.Next)).Want(http.StatusOK)
	api.Get("/b/items?limit=1&cursor="+string(first.Next)).WantProblem(422, "invalid_cursor")
}
