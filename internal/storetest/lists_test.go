package storetest

import (
	"context"
	"net/http"
	"testing"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/fastnesstest"
	"github.com/fastness/fastness/page"
	"github.com/fastness/fastness/sqldb"
)

// entry is a row of a list.
type entry struct {
	ID int64 `json:"id"`
}

func (entry) Orders() page.Orders[entry] {
	id := page.By(sqldb.Constant("id"), func(e entry) int64 { return e.ID })
	return page.Orders[entry]{Default: "id", By: map[string][]page.Column[entry]{"id": {id}}, Unique: id}
}

// TestCursorsAreThoseOfTheKeyRing: a cursor of one process counts in another one, also
// after a rotation of its key, and not after the key has leaked.
func TestCursorsAreThoseOfTheKeyRing(t *testing.T) {
	w := newIdentityWorld(t, openSQLite(t, t.TempDir()+"/users.db"))
	start := func() *identityApp {
		a := w.build(t, nil)
		fastness.Get(a.app, "/entries", func(ctx context.Context, in struct{ page.CursorQuery[entry] }) (page.Page[entry], error) {
			window, err := in.Window(ctx)
			if err != nil {
				return page.Page[entry]{}, err
			}
			return window.Page(ctx, []entry{{1}, {2}})
		}, access.Public)
		a.API = fastnesstest.New(t, a.app)
		a.Get("/core").Want(http.StatusNoContent)
		return a
	}
	one, other := start(), start()
	var first page.Page[entry]
	one.Get("/entries?limit=1").Want(http.StatusOK).JSON(&first)
	second := "/entries?limit=1&cursor=" + string(first.Next)
	other.Get(second).Want(http.StatusOK)
	if _, err := one.core.Ring.Rotate(t.Context(), "cursor"); err != nil {
		t.Fatal(err)
	}
	one.Get(second).Want(http.StatusOK)
	keys, err := one.core.Ring.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range keys {
		if k.Purpose == "cursor" {
			if err := one.core.Ring.Revoke(t.Context(), k.ID); err != nil {
				t.Fatal(err)
			}
		}
	}
	one.Get(second).WantProblem(http.StatusUnprocessableEntity, "invalid_cursor")
}
