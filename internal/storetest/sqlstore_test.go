package storetest

import (
	"sync"
	"testing"

	"github.com/fastness/fastness/internal/sqlstore"
	"github.com/fastness/fastness/sqldb"
)

func TestTablesAreMadeOnceByWhoeverComesFirst(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		tables := sqlstore.Tables{Name: "things", Steps: []string{
			"CREATE TABLE things (id {int} PRIMARY KEY, data {bytes} NOT NULL) {strict};\nCREATE INDEX things_data ON things (data)",
		}}
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				if _, err := sqlstore.Open(t.Context(), db, tables); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		tables.Steps = append(tables.Steps, "ALTER TABLE things ADD COLUMN name TEXT NOT NULL DEFAULT ''")
		s, err := sqlstore.Open(t.Context(), db, tables)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Exec(t.Context(), "INSERT INTO things (id, data, name) VALUES (?, ?, ?)", 1, []byte{0}, "a"); err != nil {
			t.Error(err)
		}
		if _, err := s.Exec(t.Context(), "INSERT INTO things (id, data, name) VALUES (?, ?, ?)", 1, []byte{0}, "a"); !sqlstore.Duplicate(err) {
			t.Errorf("a second row of the same id: %v, want a duplicate", err)
		}
		tables.Steps = tables.Steps[:1]
		if _, err := sqlstore.Open(t.Context(), db, tables); err == nil {
			t.Error("a program older than its database opened it")
		}
	})
}

// Two processes on one database: neither finds half-way that it came too late.
func TestTransactionsOfTwoProcessesQueue(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		tables := sqlstore.Tables{Name: "counters", Steps: []string{"CREATE TABLE counters (n {int} NOT NULL) {strict};\nINSERT INTO counters VALUES (0)"}}
		var wg sync.WaitGroup
		const each = 50
		for _, db := range []*sqldb.DB{db, openAgain(t, db)} {
			s, err := sqlstore.Open(t.Context(), db, tables)
			if err != nil {
				t.Fatal(err)
			}
			wg.Go(func() {
				for range each {
					if err := s.Write(t.Context(), func(tx *sqlstore.Tx) error { return increment(t, tx) }); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		var n int
		if err := db.Write.QueryRow("SELECT n FROM counters").Scan(&n); err != nil || n != 2*each {
			t.Errorf("%d increments counted, %v, want %d", n, err, 2*each)
		}
	})
}

func increment(t *testing.T, tx *sqlstore.Tx) error {
	var n int
	if err := tx.Lock(t.Context(), "SELECT n FROM counters").Scan(&n); err != nil {
		return err
	}
	_, err := tx.Exec(t.Context(), "UPDATE counters SET n = ?", n+1)
	return err
}

// An administrator may have made serializable the default.
func TestLockWaitsWhateverTheDefaultIsolation(t *testing.T) {
	db := openPostgres(t)
	if _, err := db.Write.Exec("DO $$ BEGIN EXECUTE 'ALTER DATABASE ' || current_database() || ' SET default_transaction_isolation = serializable'; END $$"); err != nil {
		t.Fatal(err)
	}
	db = openAgain(t, db)
	s, err := sqlstore.Open(t.Context(), db, sqlstore.Tables{Name: "counters", Steps: []string{
		"CREATE TABLE counters (n {int} NOT NULL);\nINSERT INTO counters VALUES (0)"}})
	if err != nil {
		t.Fatal(err)
	}
	var level string
	if err := s.QueryRow(t.Context(), "SHOW transaction_isolation").Scan(&level); err != nil || level != "serializable" {
		t.Fatalf("the default is %s, %v", level, err)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 25 {
				if err := s.Write(t.Context(), func(tx *sqlstore.Tx) error { return increment(t, tx) }); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}
