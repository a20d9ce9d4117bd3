package sqldb_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"go/token"
	"net/http"
	"reflect"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/fastness/fastness/problem"
	"github.com/fastness/fastness/sqldb"
)

func TestTransactionEndsAsTheOperationDid(t *testing.T) {
	broken := errors.New("broken")
	for _, tt := range []struct {
		name    string
		failure error // of the operation
		failEnd error // of the database
		want    []string
		wantErr error
	}{
		{"success commits", nil, nil, []string{"begin", "INSERT", "commit"}, nil},
		{"an error rolls back", broken, nil, []string{"begin", "INSERT", "roll back"}, nil},
		{"a commit that fails is an error", nil, broken, []string{"begin", "INSERT", "commit"}, broken},
		{"a rollback that fails is an error", sql.ErrNoRows, broken, []string{"begin", "INSERT", "roll back"}, broken},
	} {
		t.Run(tt.name, func(t *testing.T) {
			j := &journal{failEnd: tt.failEnd}
			db := &sqldb.DB{Write: j.open()}
			defer db.Close()
			tx, end, err := sqldb.Begin(t.Context(), sqldb.From{DB: db})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := tx.Exec(t.Context(), "INSERT", 1); err != nil {
				t.Fatal(err)
			}
			if err := end(tt.failure); !errors.Is(err, tt.wantErr) {
				t.Errorf("end(%v) = %v, want %v", tt.failure, err, tt.wantErr)
			}
			if got := j.read(); !slices.Equal(got, tt.want) {
				t.Errorf("the database saw %q, want %q", got, tt.want)
			}
			if stats := db.Write.Stats(); stats.InUse != 0 {
				t.Errorf("%d connections are in use after the end, want 0", stats.InUse)
			}
		})
	}
}

// A caller who goes away must not leave a transaction behind, and what the
// operation did until then must not be committed.
func TestCancelledContextRollsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &journal{}
		db := &sqldb.DB{Write: j.open()}
		defer db.Close()
		ctx, cancel := context.WithCancel(t.Context())
		_, end, err := sqldb.Begin(ctx, sqldb.From{DB: db})
		if err != nil {
			t.Fatal(err)
		}
		cancel()
		synctest.Wait()
		if err := end(nil); !errors.Is(err, context.Canceled) {
			t.Errorf("end(nil) after cancel = %v, want that the caller went away: nothing was committed, and nothing is wrong here", err)
		}
		if got, want := j.read(), []string{"begin", "roll back"}; !slices.Equal(got, want) {
			t.Errorf("the database saw %q, want %q", got, want)
		}
		if stats := db.Write.Stats(); stats.InUse != 0 {
			t.Errorf("%d connections are in use after cancel, want 0", stats.InUse)
		}
	})
}

func TestFailureAfterCancelIsNotHiddenByTheRollback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &journal{}
		db := &sqldb.DB{Write: j.open()}
		defer db.Close()
		ctx, cancel := context.WithCancel(t.Context())
		_, end, err := sqldb.Begin(ctx, sqldb.From{DB: db})
		if err != nil {
			t.Fatal(err)
		}
		cancel()
		synctest.Wait()
		if err := end(context.Canceled); err != nil {
			t.Errorf("end(canceled) = %v, want nil: it is rolled back already", err)
		}
	})
}

func TestBeginThatFailsLeavesNothingToEnd(t *testing.T) {
	broken := errors.New("broken")
	db := &sqldb.DB{Write: (&journal{failBegin: broken}).open()}
	defer db.Close()
	if tx, end, err := sqldb.Begin(t.Context(), sqldb.From{DB: db}); !errors.Is(err, broken) || tx != nil || end != nil {
		t.Errorf("Begin() = %v, end set: %t, %v, want nothing and %v", tx, end != nil, err, broken)
	}
	if tx, end, err := sqldb.BeginRead(t.Context(), sqldb.From{DB: db}); !errors.Is(err, broken) || tx != nil || end != nil {
		t.Errorf("BeginRead() = %v, end set: %t, %v, want nothing and %v", tx, end != nil, err, broken)
	}
}

func TestReadingUsesTheReadPool(t *testing.T) {
	write, read := &journal{}, &journal{}
	for _, tt := range []struct {
		name string
		db   *sqldb.DB
		from *journal
	}{
		{"its own where there is one", &sqldb.DB{Write: write.open(), Read: read.open()}, read},
		{"the one for writing otherwise", &sqldb.DB{Write: write.open()}, write},
	} {
		t.Run(tt.name, func(t *testing.T) {
			defer tt.db.Close()
			_, end, err := sqldb.BeginRead(t.Context(), sqldb.From{DB: tt.db})
			if err != nil {
				t.Fatal(err)
			}
			if err := end(nil); err != nil {
				t.Fatal(err)
			}
			if got, want := tt.from.read(), []string{"begin to read", "commit"}; !slices.Equal(got, want) {
				t.Errorf("the pool saw %q, want %q", got, want)
			}
		})
	}
}

func TestNotFoundIsForMissingRowsOnly(t *testing.T) {
	missing := sqldb.NotFound(fmt.Errorf("item: %w", sql.ErrNoRows), "no such item")
	if p, ok := errors.AsType[*problem.Problem](missing); !ok || p.Status != http.StatusNotFound || p.Detail != "no such item" {
		t.Errorf("NotFound(no rows) = %v, want a 404", missing)
	}
	broken := errors.New("broken")
	if got := sqldb.NotFound(broken, "no such item"); got != broken {
		t.Errorf("NotFound(broken) = %v, want the error itself", got)
	}
	if got := sqldb.NotFound(nil, "no such item"); got != nil {
		t.Errorf("NotFound(nil) = %v, want nil", got)
	}
}

// Only a constant can be a statement: the parameter's type cannot be named
// elsewhere, so "… WHERE name = '" + name + "'" does not compile.
func TestTextMadeAtRunTimeIsNoStatement(t *testing.T) {
	for _, typ := range []reflect.Type{reflect.TypeFor[*sqldb.Tx](), reflect.TypeFor[*sqldb.ReadTx]()} {
		for i := range typ.NumMethod() {
			m := typ.Method(i)
			if m.Name == "Writes" || m.Name == "ForUpdate" || m.Name == "AfterCommit" { // It takes no text.
				continue
			}
			at := 2
			if m.Name == "InsecureSQL" { // No statement, but a reason, which is a constant, too.
				at = 1
			}
			got := m.Type.In(at)
			if got.Kind() != reflect.String || got == reflect.TypeFor[string]() || token.IsExported(got.Name()) {
				t.Errorf("%s.%s takes a statement of type %s, want a string type that is not exported", typ, m.Name, got)
			}
		}
	}
}

// A transaction ends by what the operation returned. In an app nobody calls end:
// fastness.ProvideCleanup does.
func Example() {
	j := &journal{}
	db := &sqldb.DB{Write: j.open()}
	defer db.Close()

	ctx := context.Background()
	tx, end, err := sqldb.Begin(ctx, sqldb.From{DB: db})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = tx.Exec(ctx, "INSERT INTO items (name) VALUES (?)", "Lamp")
	fmt.Println(end(err))
	for _, line := range j.read() {
		fmt.Println(line)
	}
	// Output:
	// <nil>
	// begin
	// INSERT INTO items (name) VALUES (?)
	// commit
}
