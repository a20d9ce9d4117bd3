package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/sqldb"
	"github.com/shopspring/decimal"
)

func TestDataSurvivesARestart(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "not", "yet there", "100%?#")
	s := openShop(t, dir)
	path, _ := s.create(`{"name":"Lamp","price":0.1,"tax":0.2}`)
	draft, _ := s.create(draftLamp)
	s.as(admin()).call(http.MethodDelete, "/items/1", "")
	want := s.get(path).body
	s.stop()

	s = openShop(t, dir)
	if got := s.get(path).body; got != want {
		t.Errorf("after a restart GET = %s, want %s", got, want)
	}
	if got := s.get(draft); got.status != http.StatusOK {
		t.Errorf("after a restart the draft is %d for its seller, want 200", got.status)
	}
	if got := s.as(nil).get(draft); got.status != http.StatusNotFound {
		t.Errorf("after a restart the draft is %d for others, want 404", got.status)
	}
	if got := s.get("/items/1"); got.status != http.StatusNotFound {
		t.Errorf("after a restart a deleted sample = %d, want 404", got.status)
	}
}

func TestDatabaseIsForItsOwnerOnly(t *testing.T) {
	onlyFiles(t)
	dir := filepath.Join(t.TempDir(), "data")
	openShop(t, dir).create(`{"name":"Lamp","price":1}`)
	for _, name := range []string{".", "shop.db", "shop.db-wal", "users.db", "users.db-wal", "master.key", "first-administrator.token"} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if mode := info.Mode().Perm(); mode&0o077 != 0 {
			t.Errorf("%s has mode %v, want nothing for others", name, mode)
		}
	}
}

func TestDatabaseThatCannotBeOpenedKeepsTheShopClosed(t *testing.T) {
	onlyFiles(t)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "shop.db"), []byte(strings.Repeat("this is no database", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	app := newApp(unlimited())
	fastness.ProvideValue(app, inFolder(t, dir))
	if err := app.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "shop.db") {
		t.Errorf("Start() = %v, want an error that names shop.db", err)
	}
}

type insertInput struct{ Tx *sqldb.Tx }

// insert stores an item and then does what end does.
func insert(end func(*sqldb.Tx) error) func(context.Context, insertInput) (fastness.NoContent, error) {
	return func(ctx context.Context, in insertInput) (fastness.NoContent, error) {
		if _, err := insertItem(ctx, in.Tx, Item{Name: "half", Price: decimal.New(1, 0)}); err != nil {
			return fastness.NoContent{}, err
		}
		return fastness.NoContent{}, end(in.Tx)
	}
}

func TestFailedOperationStoresNothing(t *testing.T) {
	var cancel context.CancelFunc
	ends := map[string]func(*sqldb.Tx) error{
		"error": func(*sqldb.Tx) error { return errors.New("broken after the insert") },
		"panic": func(*sqldb.Tx) error { panic("broken after the insert") },
		"cancel": func(tx *sqldb.Tx) error {
			cancel()
			for err := error(nil); err == nil; { // Behind middleware the transaction learns of it a moment later.
				_, err = tx.Exec(t.Context(), "UPDATE items SET name = name WHERE id = 0")
			}
			return nil
		},
	}
	s := openShop(t, t.TempDir(), func(app *fastness.App) {
		for name, end := range ends {
			fastness.Post(app, "/test/"+name, insert(end), access.Public)
		}
		fastness.Post(app, "/test/good", insert(func(*sqldb.Tx) error { return nil }), access.Public)
	})
	for name := range ends {
		ctx, stop := context.WithCancel(t.Context())
		cancel = stop
		got := s.callWith(ctx, http.MethodPost, "/test/"+name, "")
		stop()
		if got.status < 500 || strings.Contains(got.body, "broken") {
			t.Errorf("%s: %d %s, want an opaque 5xx", name, got.status, got.body)
		}
		if got := s.total(); got != fmt.Sprint(samples) {
			t.Errorf("%s: %s items are for sale, want the %d samples: half of an operation was stored", name, got, samples)
		}
	}
	if got := s.call(http.MethodPost, "/test/good", ""); got.status != http.StatusNoContent {
		t.Errorf("after the failures an insert = %d %s, want 204", got.status, got.body)
	}
	if got := s.total(); got != fmt.Sprint(samples+1) {
		t.Errorf("%s items are for sale, want %d", got, samples+1)
	}
}

// A statement behind GET that writes is a mistake that must not work.
func TestReadTransactionCannotWrite(t *testing.T) {
	s := openShop(t, t.TempDir(), func(app *fastness.App) {
		fastness.Get(app, "/test/write", func(ctx context.Context, in struct{ Tx *sqldb.ReadTx }) (fastness.NoContent, error) {
			var id int
			return fastness.NoContent{}, in.Tx.QueryRow(ctx, "DELETE FROM items RETURNING id").Scan(&id)
		}, access.Public)
	})
	if got := s.get("/test/write"); got.status != http.StatusInternalServerError {
		t.Errorf("a DELETE in a ReadTx = %d, want 500", got.status)
	}
	if got := s.total(); got != fmt.Sprint(samples) {
		t.Errorf("%s items are for sale, want %d", got, samples)
	}
}

func TestThousandRequestsLeakNoConnection(t *testing.T) {
	s := openShop(t, t.TempDir()).as(admin())
	const each = 200
	kinds := []struct {
		method, path, body string
		want               int
	}{
		{http.MethodPost, "/items/", `{"name":"Lamp","price":1}`, http.StatusCreated},
		{http.MethodPatch, "/items/1", `{"price":2}`, http.StatusOK},
		{http.MethodGet, "/items/2", "", http.StatusOK},
		{http.MethodGet, "/items/", "", http.StatusOK},
		{http.MethodGet, "/items/999999", "", http.StatusNotFound},
	}
	var wg sync.WaitGroup
	for _, kind := range kinds {
		for range each {
			wg.Go(func() {
				if got := s.call(kind.method, kind.path, kind.body); got.status != kind.want {
					t.Errorf("%s %s = %d %s, want %d", kind.method, kind.path, got.status, got.body, kind.want)
				}
			})
		}
	}
	wg.Wait()
	if got := s.total(); got != fmt.Sprint(samples+each) {
		t.Errorf("%s items are for sale, want %d", got, samples+each)
	}
	wantPools(t, s.db)
}

// Each of two writers loads the item, waits for the lock, and must then see
// what the other one wrote.
func TestConcurrentChangesDoNotOverwriteEachOther(t *testing.T) {
	s := openShop(t, t.TempDir())
	path, _ := s.create(`{"name":"old","description":"old","price":1}`)
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() { s.call(http.MethodPatch, path, `{"name":"new"}`) })
		wg.Go(func() { s.call(http.MethodPatch, path, `{"description":"new"}`) })
	}
	wg.Wait()
	if got := s.get(path).decode(t); got["name"] != "new" || got["description"] != "new" {
		t.Errorf("after changes of both: %v, want both new", got)
	}
}
