package page

import (
	"database/sql"
	"database/sql/driver"
	"errors"
	"math"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/fastness/fastness/problem"
	"github.com/fastness/fastness/sqldb"
)

func TestOrdersListTheDefaultFirst(t *testing.T) {
	want := []string{"name", "-name", "cost", "-cost", "mixed", "-mixed", "names", "-names", "price", "-price"}
	got := Sort[item]("").Enum()
	if got[0] != "name" || len(got) != len(want) {
		t.Errorf("Enum() = %v", got)
	}
	slices.Sort(got)
	slices.Sort(want)
	if !reflect.DeepEqual(got, want) {
		t.Errorf("Enum() = %v, want %v", got, want)
	}
}

type wronglyListed struct{}

func (wronglyListed) Orders() Orders[wronglyListed] {
	value := func(wronglyListed) int64 { return 0 }
	return Orders[wronglyListed]{
		Default: "created",
		By: map[string][]Column[wronglyListed]{
			"a b": {By(sqldb.Constant("a"), value)}, "none": {}, "argument": {By(sqldb.Constant("lower(?)"), value)},
			"nil":  {By[wronglyListed, int64](sqldb.Constant("a"), nil)},
			"null": {By(sqldb.Constant("a"), func(wronglyListed) sql.NullInt64 { return sql.NullInt64{} })},
			"list": {By(sqldb.Constant("a"), func(wronglyListed) []string { return nil })},
		},
		Unique: By(sqldb.Constant("id"), func(wronglyListed) *int64 { return nil }),
	}
}

func TestWrongOrdersAreMistakes(t *testing.T) {
	field := reflect.StructField{Tag: `query:"order"`}
	err := Sort[wronglyListed]("").Declared(field)
	if err == nil {
		t.Fatal("no mistake")
	}
	for _, want := range []string{
		`query:"sort"`, `Default is "created"`, `the name "a b"`, `"none" has 0 columns`, `"argument": column 1: want the name of a column`,
		`"nil": column 1: the function`, `"null": column 1: want a pointer`, `"list": column 1: values of type []string`, "Unique: a column that can be null",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the mistakes do not say %q:\n%v", want, err)
		}
	}
	for _, f := range []interface {
		Declared(reflect.StructField) error
	}{Limit(0), Offset(0), Cursor("")} {
		if f.Declared(reflect.StructField{Tag: `query:"other"`}) == nil {
			t.Errorf("%T takes another name", f)
		}
	}
	if Limit(0).Declared(reflect.StructField{Tag: `query:"limit" minimum:"1" maximum:"1000000000"`}) == nil ||
		Limit(0).Declared(reflect.StructField{Tag: `query:"limit" maximum:"10"`}) == nil ||
		Offset(0).Declared(reflect.StructField{Tag: `query:"offset" minimum:"0"`}) == nil {
		t.Error("a parameter without a bound is no mistake")
	}
}

func TestKeysetsAreComparedInTheirOrder(t *testing.T) {
	three := int64(3)
	for _, c := range []struct {
		sort, cursor  string // of the row
		row           item
		where, order  string
		before, other string // the condition and order of the page before
	}{
		{sort: "name", row: item{ID: 7, Name: "Lamp"}, where: "((name, id) > (?, ?))", order: "name, id",
			before: "((name, id) < (?, ?))", other: "name DESC, id DESC"},
		{sort: "-name", row: item{ID: 7, Name: "Lamp"}, where: "((name, id) < (?, ?))", order: "name DESC, id DESC",
			before: "((name, id) > (?, ?))", other: "name, id"},
		{sort: "price", row: item{ID: 7, Price: &three},
			where: "((price > ? OR price IS NULL) OR ((price = ?) AND (id > ?)))", order: "price NULLS LAST, id",
			before: "((price < ?) OR ((price = ?) AND (id < ?)))", other: "price DESC NULLS FIRST, id DESC"},
		{sort: "price", row: item{ID: 7},
			where: "((FALSE) OR ((price IS NULL) AND (id > ?)))", order: "price NULLS LAST, id",
			before: "((price IS NOT NULL) OR ((price IS NULL) AND (id < ?)))", other: "price DESC NULLS FIRST, id DESC"},
		{sort: "names", row: item{ID: 7, Name: "Lamp"},
			where:  "((name <= ?) AND ((name < ?) OR ((name = ?) AND ((cost > ?) OR ((cost = ?) AND (id > ?))))))",
			order:  "name DESC, cost, id",
			before: "((name >= ?) AND ((name > ?) OR ((name = ?) AND ((cost < ?) OR ((cost = ?) AND (id < ?))))))",
			other:  "name, cost DESC, id DESC"},
	} {
		cursors := newCursors(t, Config{})
		r := httptest.NewRequest(http.MethodGet, "/items?sort="+c.sort, nil)
		q := CursorQuery[item]{Limit: 1, Sort: Sort[item](c.sort), Scope: cursors.Scope(r)}
		w, err := q.Window(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for back, want := range map[bool][2]string{false: {c.where, c.order}, true: {c.before, c.other}} {
			if q.Cursor, err = w.cursor(t.Context(), c.row, back); err != nil {
				t.Fatal(err)
			}
			at, err := q.Window(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if got := [2]string{at.Where().String(), at.OrderBy().String()}; got != want {
				t.Errorf("%s, back %v:\n got %v\nwant %v", c.sort, back, got, want)
			}
		}
	}
}

func TestParseRefusesWhatIsNotDeclared(t *testing.T) {
	c := newCursors(t, Config{})
	for target, want := range map[string]string{
		"/?limit=0": "limit", "/?limit=101": "limit", "/?limit=1000000000": "limit", "/?limit=1e9": "limit", "/?limit=": "limit",
		"/?sort=secret": "enum", "/?sort=name;DROP": "", "/?sort=name%3B+DROP+TABLE+items": "enum", "/?sort=--name": "enum", "/?sort=id": "enum",
		"/?sort=name,id": "enum", "/?sort=NAME": "enum", "/?sort=%2Bname": "enum", "/?sort=": "enum", "/?sort=(CASE+WHEN+1%3D1+THEN+name+END)": "enum",
		"/?cursor=": "invalid_cursor", "/?cursor=x&cursor=y": "repeated", "/?limit=1&limit=2": "repeated", "/?sort=name&sort=name": "repeated",
	} {
		_, err := windowOf[item](c, target)
		p, ok := errors.AsType[*problem.Problem](err)
		if !ok || p.Code != want || want != "" && (p.Status != http.StatusUnprocessableEntity || len(p.Errors) != 1) || want == "" && p.Status != http.StatusBadRequest {
			t.Errorf("%s: %v, want %q", target, err, want)
		}
	}
	if q, err := Parse[item](httptest.NewRequest(http.MethodGet, "/?limit=7&sort=-cost&cursor=x&min=3", nil), nil); err != nil || q.Limit != 7 || q.Sort != "-cost" || q.Cursor != "x" {
		t.Errorf("Parse() = %+v, %v", q, err)
	}
}

// TestOrderThatNobodyChecked: a struct that is filled by hand is held to the same.
func TestOrderThatNobodyChecked(t *testing.T) {
	c := newCursors(t, Config{})
	scope := c.Scope(httptest.NewRequest(http.MethodGet, "/", nil))
	for name, q := range map[string]CursorQuery[item]{
		"an order":       {Limit: 1, Sort: "id; DROP TABLE items", Scope: scope},
		"no limit":       {Scope: scope},
		"a large limit":  {Limit: math.MaxInt, Scope: scope},
		"no scope":       {Limit: 1},
		"a wrong cursor": {Limit: 1, Cursor: "x", Scope: scope},
	} {
		if _, err := q.Window(t.Context()); err == nil {
			t.Errorf("%s: no error", name)
		}
		if _, err := q.Select(t.Context(), nil, sqldb.Fragment{}, nil); err == nil {
			t.Errorf("%s: no error of Select", name)
		}
	}
	for name, q := range map[string]Query[item]{
		"an order":        {Limit: 1, Sort: "id; DROP TABLE items", Scope: scope},
		"no limit":        {Scope: scope},
		"a large offset":  {Limit: 1, Offset: 1_000_000_000_000_000_000, Scope: scope},
		"a negative one":  {Limit: 1, Offset: -1, Scope: scope},
		"no scope either": {Limit: 1},
	} {
		if _, err := q.Select(t.Context(), nil, sqldb.Fragment{}, nil); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// forgetful is a row whose column can be null, which nobody said.
type forgetful struct{ Price *price }

type price int64

func (p *price) Value() (driver.Value, error) {
	if p == nil {
		return nil, nil
	}
	return int64(*p), nil
}

func (forgetful) Orders() Orders[forgetful] {
	value := By(sqldb.Constant("price"), func(f forgetful) driver.Valuer { return f.Price })
	return Orders[forgetful]{Default: "price", By: map[string][]Column[forgetful]{"price": {value}}, Unique: value}
}

// TestNullWhereNoneIsIsAnError: a comparison with null finds no rows, and the list
// would seem to end there.
func TestNullWhereNoneIsIsAnError(t *testing.T) {
	w, err := windowOf[forgetful](newCursors(t, Config{}), "/?limit=1")
	if err != nil {
		t.Fatal(err)
	}
	if p, err := w.Page(t.Context(), make([]forgetful, 2)); err == nil {
		t.Errorf("Page() = %+v, want an error", p)
	}
}

func TestLinksKeepTheFilters(t *testing.T) {
	c := newCursors(t, Config{})
	w, err := windowOf[item](c, "/items?limit=1&q=%3E%3B+rel%3D%22next%22%0D%0AX:+y&sort=-name")
	if err != nil {
		t.Fatal(err)
	}
	p, err := w.Page(t.Context(), []item{{ID: 1}, {ID: 2}})
	if err != nil {
		t.Fatal(err)
	}
	if want := "<?cursor=" + string(p.Next) + `&limit=1&q=%3E%3B+rel%3D%22next%22%0D%0AX%3A+y&sort=-name>; rel="next"`; p.LinkHeader() != want {
		t.Errorf("Link: %s, want %s", p.LinkHeader(), want)
	}
	if last, err := w.Page(t.Context(), nil); err != nil || last.LinkHeader() != "" || last.Items == nil || last.Next != "" || last.Prev != "" {
		t.Errorf("an empty page is %+v, %v", last, err)
	}
	if _, err := w.Page(t.Context(), []item{{Name: strings.Repeat("x", MaxCursor)}, {}}); err == nil {
		t.Error("a text of any length fits into a cursor")
	}
	if w, err = windowOf[item](c, "/items?limit=1&q="+strings.Repeat("x", maxLink)); err != nil {
		t.Fatal(err)
	}
	if long, err := w.Page(t.Context(), []item{{ID: 1}, {ID: 2}}); err != nil || long.Next == "" || long.LinkHeader() != "" {
		t.Errorf("a list with a long filter: %+v, %v", long, err)
	}
	if m := Map(p, func(i item) int64 { return i.ID }); !reflect.DeepEqual(m.Items, []int64{1}) || m.Next != p.Next || m.LinkHeader() != p.LinkHeader() {
		t.Errorf("Map() = %+v", m)
	}
}
