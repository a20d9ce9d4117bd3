package page

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/fastness/fastness/problem"
	"github.com/fastness/fastness/secret"
	"github.com/fastness/fastness/sqldb"
)

type item struct {
	ID    int64
	Cost  int64 // callers do not see it
	Name  string
	Price *int64
}

func (item) Orders() Orders[item] {
	price := By(sqldb.Constant("price"), func(i item) *int64 { return i.Price })
	name := By(sqldb.Constant("name"), func(i item) string { return i.Name })
	return Orders[item]{
		Default: "name",
		By: map[string][]Column[item]{
			"name": {name}, "price": {price}, "mixed": {name.Descending(), price},
			"cost":  {By(sqldb.Constant("cost"), func(i item) int64 { return i.Cost })},
			"names": {name.Descending(), By(sqldb.Constant("cost"), func(i item) int64 { return i.Cost })},
		},
		Unique: By(sqldb.Constant("id"), func(i item) int64 { return i.ID }),
	}
}

// renamed is item after a deployment: what was called name is another column now.
type renamed struct{ item }

func (renamed) Orders() Orders[renamed] {
	return Orders[renamed]{
		Default: "name",
		By:      map[string][]Column[renamed]{"name": {By(sqldb.Constant("title"), func(i renamed) string { return i.Name })}},
		Unique:  By(sqldb.Constant("id"), func(i renamed) int64 { return i.ID }),
	}
}

func newCursors(t testing.TB, cfg Config) *Cursors {
	t.Helper()
	if cfg.Keys == nil {
		cfg.Keys = EphemeralKeys()
	}
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// windowOf reads a request as a handler does.
func windowOf[T Listed[T]](c *Cursors, target string, caller ...string) (*Window[T], error) {
	r := httptest.NewRequest(http.MethodGet, target, nil)
	q, err := Parse[T](r, c.Scope(r, caller...))
	if err != nil {
		return nil, err
	}
	return q.Window(context.Background())
}

// nextOf returns the cursor of the second page, after two rows of which one is shown.
func nextOf(t testing.TB, c *Cursors, target string, caller ...string) string {
	t.Helper()
	w, err := windowOf[item](c, target, caller...)
	if err != nil {
		t.Fatal(err)
	}
	p, err := w.Page(t.Context(), []item{{ID: 7, Name: "Lamp", Cost: 4242}, {ID: 8, Name: "Desk"}})
	if err != nil || p.Next == "" {
		t.Fatalf("Page() = %+v, %v", p, err)
	}
	return string(p.Next)
}

func isInvalidCursor(err error) bool {
	p, ok := errors.AsType[*problem.Problem](err)
	return ok && p.Status == http.StatusUnprocessableEntity && p.Code == "invalid_cursor" && len(p.Errors) == 1 && p.Errors[0].Pointer() == "/cursor"
}

func TestCursorOfAnotherListIsRefused(t *testing.T) {
	c := newCursors(t, Config{})
	const list = "/items?limit=1&min=3&tag=a&tag=b&sort=name"
	cursor := nextOf(t, c, list, "acme", "eve")
	for _, ok := range []string{
		list, "/items?tag=a&tag=b&min=3&limit=1", "/items?min=3&tag=a&tag=b&limit=100&sort=name", // sort=name is the default.
	} {
		if _, err := windowOf[item](c, ok+"&cursor="+cursor, "acme", "eve"); err != nil {
			t.Errorf("%s: %v", ok, err)
		}
	}
	for name, target := range map[string]string{
		"another operation":    "/orders?limit=1&min=3&tag=a&tag=b",
		"another object":       "/items/1?limit=1&min=3&tag=a&tag=b",
		"another filter":       "/items?limit=1&min=4&tag=a&tag=b",
		"a filter less":        "/items?limit=1&tag=a&tag=b",
		"a filter more":        "/items?limit=1&min=3&tag=a&tag=b&max=4",
		"filters turned round": "/items?limit=1&min=3&tag=b&tag=a",
		"another order":        "/items?limit=1&min=3&tag=a&tag=b&sort=cost",
		"another direction":    "/items?limit=1&min=3&tag=a&tag=b&sort=-name",
	} {
		if _, err := windowOf[item](c, target+"&cursor="+cursor, "acme", "eve"); !isInvalidCursor(err) {
			t.Errorf("%s: %v, want invalid_cursor", name, err)
		}
	}
	if _, err := windowOf[renamed](c, list+"&cursor="+cursor, "acme", "eve"); !isInvalidCursor(err) {
		t.Errorf("a column that has changed: %v, want invalid_cursor", err)
	}
}

func TestCursorOfAnotherCallerIsRefused(t *testing.T) {
	c := newCursors(t, Config{})
	cursor := nextOf(t, c, "/items?limit=1", "acme", "eve")
	for _, caller := range [][]string{{"acme", "adam"}, {"other", "eve"}, {"acmeeve"}, {"acme", "eve", ""}, {"eve", "acme"}, {}} {
		if _, err := windowOf[item](c, "/items?limit=1&cursor="+cursor, caller...); !isInvalidCursor(err) {
			t.Errorf("caller %q: %v, want invalid_cursor", caller, err)
		}
	}
}

func TestForgedCursorIsRefused(t *testing.T) {
	c := newCursors(t, Config{})
	cursor := nextOf(t, c, "/items?limit=1")
	sealed, _ := base64.RawURLEncoding.DecodeString(cursor)
	plain, _ := position{expires: time.Now().Add(time.Hour), values: []any{"x", int64(1)}}.append(nil)
	forged := map[string]string{
		"no cursor": "1", "a position in clear": base64.RawURLEncoding.EncodeToString(plain),
		"of another key": nextOf(t, newCursors(t, Config{}), "/items?limit=1"),
		"with padding":   cursor + "=", "with a line break": cursor[:8] + "%0A" + cursor[8:],
		"too long": cursor + strings.Repeat("A", MaxCursor), "empty": "", "SQL": "%27%20OR%201%3D1--",
		"doubled": cursor + cursor, "of nothing but zeros": strings.Repeat("A", len(cursor)),
	}
	for i := range sealed {
		flipped := append([]byte{}, sealed...)
		flipped[i] ^= 1
		forged["a bit of byte "+string(rune('0'+i%10))+strings.Repeat(".", i/10)] = base64.RawURLEncoding.EncodeToString(flipped)
	}
	for i := range len(cursor) {
		forged["truncated"+strings.Repeat(".", i)] = cursor[:i]
	}
	for name, text := range forged {
		if _, err := windowOf[item](c, "/items?limit=1&cursor="+text); !isInvalidCursor(err) {
			t.Errorf("%s: %v, want invalid_cursor", name, err)
		}
	}
	if _, err := windowOf[item](c, "/items?limit=1&cursor="+cursor); err != nil {
		t.Error(err)
	}
}

// openAll opens whatever it gets, and counts.
type openAll struct {
	Keys
	n *int
}

func (k openAll) Open(context.Context, []byte, []byte) ([]byte, error) {
	*k.n++
	return position{expires: time.Now().Add(time.Hour), values: []any{"x", int64(1)}}.append(nil)
}

func TestLongCursorIsNotOpened(t *testing.T) {
	n := 0
	c := newCursors(t, Config{Keys: openAll{EphemeralKeys(), &n}})
	if _, err := windowOf[item](c, "/items?cursor="+strings.Repeat("A", MaxCursor)); err != nil || n != 1 {
		t.Errorf("a cursor of %d characters: %v, opened %d times", MaxCursor, err, n)
	}
	if _, err := windowOf[item](c, "/items?cursor="+strings.Repeat("A", MaxCursor+4)); !isInvalidCursor(err) || n != 1 {
		t.Errorf("a longer one: %v, opened %d times", err, n)
	}
	if _, err := windowOf[item](c, "/items?sort=mixed&cursor=AAAA"); !isInvalidCursor(err) { // of three columns
		t.Errorf("a position with a value less: %v", err)
	}
}

func TestCursorExpires(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	c := newCursors(t, Config{MaxAge: time.Hour, Now: func() time.Time { return now }})
	cursor := nextOf(t, c, "/items?limit=1")
	now = now.Add(time.Hour - time.Second)
	if _, err := windowOf[item](c, "/items?limit=1&cursor="+cursor); err != nil {
		t.Errorf("before its time: %v", err)
	}
	now = now.Add(time.Second)
	if _, err := windowOf[item](c, "/items?limit=1&cursor="+cursor); !isInvalidCursor(err) {
		t.Errorf("after its time: %v, want invalid_cursor", err)
	}
}

// TestCursorHidesWhatTheListIsSortedBy: a caller who may sort by a column that is not
// shown must not read its values, nor how long they are.
func TestCursorHidesWhatTheListIsSortedBy(t *testing.T) {
	c := newCursors(t, Config{})
	w, err := windowOf[item](c, "/items?limit=1")
	if err != nil {
		t.Fatal(err)
	}
	lengths := map[int]bool{}
	for _, name := range []string{"", "TOP SECRET", "a name of some forty characters, or so."} {
		p, err := w.Page(t.Context(), []item{{ID: 7, Name: name}, {ID: 8}})
		if err != nil {
			t.Fatal(err)
		}
		sealed, err := base64.RawURLEncoding.DecodeString(string(p.Next))
		if err != nil || name != "" && strings.Contains(string(sealed), name) {
			t.Errorf("the cursor shows %q (%v)", name, err)
		}
		lengths[len(sealed)] = true
	}
	if len(lengths) != 1 {
		t.Errorf("the lengths of cursors are %v, want one", lengths)
	}
	if one, other := nextOf(t, c, "/items?limit=1"), nextOf(t, c, "/items?limit=1"); one == other {
		t.Error("two cursors of one position are the same: whoever sees them knows that the values are")
	}
}

func TestProcessesShareASecret(t *testing.T) {
	old, current := secret.New(strings.Repeat("o", 32)), secret.New(strings.Repeat("c", 32))
	keys := func(s secret.Text, older ...secret.Text) Keys {
		k, err := FromSecret(s, older...)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	before := newCursors(t, Config{Keys: keys(old)})
	cursor := nextOf(t, before, "/items?limit=1")
	for name, c := range map[string]struct {
		keys Keys
		ok   bool
	}{"the same": {keys(old), true}, "a new one, and that": {keys(current, old), true}, "a new one": {keys(current), false}} {
		if _, err := windowOf[item](newCursors(t, Config{Keys: c.keys}), "/items?limit=1&cursor="+cursor); (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := FromSecret(secret.New("short"), secret.New("too")); err == nil || !strings.Contains(err.Error(), "secret 0") || !strings.Contains(err.Error(), "secret 1") {
		t.Errorf("FromSecret of short ones = %v, want both named", err)
	}
}

func TestConfigNamesEveryMistake(t *testing.T) {
	_, err := New(Config{MaxAge: 8 * 24 * time.Hour, Keys: FromRing(nil, "cursor")})
	if err == nil || !strings.HasPrefix(err.Error(), "page config: ") || !strings.Contains(err.Error(), "Keys is nil") || !strings.Contains(err.Error(), "MaxAge is 192h") {
		t.Errorf("New() = %v", err)
	}
}

func FuzzCursor(f *testing.F) {
	c := newCursors(f, Config{})
	f.Add(nextOf(f, c, "/items?limit=1"))
	f.Add("")
	f.Add("AAAA")
	r := httptest.NewRequest(http.MethodGet, "/items?limit=1", nil)
	known := nextOf(f, c, "/items?limit=1")
	f.Add(known)
	f.Fuzz(func(t *testing.T, text string) {
		_, err := CursorQuery[item]{Limit: 1, Cursor: Cursor(text), Scope: c.Scope(r)}.Window(t.Context())
		switch {
		case err == nil && text != "" && len(text) < len(known):
			t.Errorf("%q is a cursor", text)
		case err != nil && !isInvalidCursor(err):
			t.Errorf("%q: %v", text, err)
		}
	})
}
