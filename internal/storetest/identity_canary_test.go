package storetest

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/fastness/fastness/sqldb"
)

// transcript is all that a test's apps print, and the secrets that must not be in
// it. Each test that has one searches it at its end, and the database, too: what
// leaks is found by the test that first makes it leak.
type transcript struct {
	mu      sync.Mutex
	printed bytes.Buffer
	secrets map[string]bool
}

func newTranscript(t testing.TB, db *sqldb.DB) *transcript {
	p := &transcript{secrets: make(map[string]bool)}
	t.Cleanup(func() {
		p.search(t, "what was printed", p.text())
		p.search(t, "the database", everything(t, db))
		for line := range strings.Lines(string(p.text())) {
			if t.Failed() && strings.Contains(line, "level=ERROR") {
				t.Log(line)
			}
		}
	})
	return p
}

// Write keeps a line of a log, or an answer.
func (p *transcript) Write(line []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.printed.Write(line)
}

func (p *transcript) text() []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	return bytes.Clone(p.printed.Bytes())
}

// plant says what is secret. Short texts, codes of six digits, would be found
// anywhere.
func (p *transcript) plant(secrets ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range secrets {
		if len(s) >= 12 {
			p.secrets[s] = true
		}
	}
}

// search reports secrets, as they are and as encodings that a log might use.
func (p *transcript) search(t testing.TB, where string, text []byte) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for s := range p.secrets {
		for form, encoded := range map[string]string{
			"clear": s, "base64": base64.RawStdEncoding.EncodeToString([]byte(s)), "base64url": base64.RawURLEncoding.EncodeToString([]byte(s)), "hexadecimal": hex.EncodeToString([]byte(s)),
			"a URL": url.QueryEscape(s), "a list of bytes": strings.Trim(fmt.Sprint([]byte(s)), "[]"),
		} {
			if i := bytes.Index(text, []byte(encoded)); i >= 0 {
				t.Errorf("%s has the secret %.4s… as %s, after %q", where, s, form, text[max(0, i-120):i])
				break
			}
		}
	}
}

// everything returns the values of all tables.
func everything(t testing.TB, db *sqldb.DB) []byte {
	t.Helper()
	query := "SELECT name FROM sqlite_master WHERE type = 'table'"
	if db.Dialect == sqldb.PostgreSQL {
		query = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
	}
	var tables []string
	for row := range rowsOf(t, db, query) {
		tables = append(tables, string(row[0]))
	}
	var all bytes.Buffer
	for _, table := range tables {
		for row := range rowsOf(t, db, "SELECT * FROM "+table) {
			for _, value := range row {
				all.Write(value)
				all.WriteByte('\n')
			}
		}
	}
	return all.Bytes()
}

// rowsOf yields the rows of a query. They are good until the next one.
func rowsOf(t testing.TB, db *sqldb.DB, query string) func(yield func(row []sql.RawBytes) bool) {
	return func(yield func([]sql.RawBytes) bool) {
		rows, err := db.Write.QueryContext(context.Background(), query)
		if err != nil {
			t.Error(err)
			return
		}
		columns, err := rows.Columns()
		row, into := make([]sql.RawBytes, len(columns)), make([]any, len(columns))
		for i := range row {
			into[i] = &row[i]
		}
		for err == nil && rows.Next() {
			if err = rows.Scan(into...); err == nil && !yield(row) {
				break
			}
		}
		if err := errors.Join(err, rows.Err(), rows.Close()); err != nil {
			t.Error(err)
		}
	}
}
