package storetest

import (
	"testing"

	"github.com/fastness/fastness/sanitize"
	"github.com/fastness/fastness/sqldb"
)

// TestCleanedHTMLAndTextAreStoredAndRead: what was cleaned comes back as it is,
// and what another program wrote is cleaned when it is read.
func TestCleanedHTMLAndTextAreStoredAndRead(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		ctx := t.Context()
		title, err := sanitize.NewText(" Café 'x' ")
		if err != nil {
			t.Fatal(err)
		}
		body := sanitize.Clean("<p>a &amp; b\r\n<a href=/x>c</a>\u00a0<script>x()</script>")
		if _, err := db.Write.ExecContext(ctx, "CREATE TABLE article (id INTEGER PRIMARY KEY, title TEXT, body TEXT)"); err != nil {
			t.Fatal(err)
		}
		if _, err := db.Write.ExecContext(ctx, "INSERT INTO article (id, title, body) VALUES (1, $1, $2)", title, body); err != nil {
			t.Fatal(err)
		}
		if _, err := db.Write.ExecContext(ctx, "INSERT INTO article (id, body) VALUES (2, '<b>x</b><img src=x onerror=alert(1)>')"); err != nil {
			t.Fatal(err)
		}
		var readTitle sanitize.Text
		var readBody sanitize.HTML
		if err := db.Write.QueryRowContext(ctx, "SELECT title, body FROM article WHERE id = 1").Scan(&readTitle, &readBody); err != nil || readTitle != title || readBody != body {
			t.Errorf("%q and %q came back as %q and %q (%v)", title, body, readTitle, readBody, err)
		}
		if err := db.Write.QueryRowContext(ctx, "SELECT title, body FROM article WHERE id = 2").Scan(&readTitle, &readBody); err != nil || !readTitle.IsZero() || readBody.String() != `<b>x</b><img src="x">` {
			t.Errorf("NULL and what another program wrote are %q and %q (%v)", readTitle, readBody, err)
		}
	})
}
