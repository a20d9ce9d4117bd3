package database_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/database/databasetest"
	"github.com/fastness/fastness/fastnesstest"
	"github.com/fastness/fastness/page"
	"github.com/fastness/fastness/sqldb"
)

type listThings struct {
	page.CursorQuery[thing]

	MinPrice *int64   `query:"min_price"`
	Search   *string  `query:"q" minLength:"1" maxLength:"20000"`
	Names    []string `query:"name" maxItems:"3"`
	Caller   *auth.User
	Tx       *sqldb.ReadTx
}

// where is how an operation turns parameters into conditions.
func (in listThings) where() sqldb.Fragment {
	name := sqldb.And()
	if in.Search != nil {
		name = sqldb.Condition(`name LIKE ? ESCAPE '\'`, "%"+sqldb.Like(*in.Search)+"%")
	}
	if len(in.Names) > 0 {
		name = sqldb.And(name, sqldb.OneOf("name", in.Names))
	}
	return sqldb.And(sqldb.Given("price >= ?", in.MinPrice), name)
}

type leafThings struct {
	page.Query[thing]

	Count bool `query:"count" default:"false"`
	Tx    *sqldb.ReadTx
}

type manyThings struct {
	Limit  page.Limit       `query:"limit" minimum:"1" maximum:"500" default:"100"`
	Sort   page.Sort[thing] `query:"sort" required:"false"`
	Cursor page.Cursor      `query:"cursor" required:"false"`
	Scope  *page.Scope
}

func newListAPI(t *testing.T, db *sqldb.DB, more ...func(*fastness.Config)) *fastnesstest.API {
	t.Helper()
	cfg := fastness.Config{
		Title: "Things", Version: "1", Logger: fastnesstest.Logger(t), Cursors: page.Config{Keys: page.EphemeralKeys()},
	}
	for _, change := range more {
		change(&cfg)
	}
	app := fastness.New(cfg)
	basic, err := auth.NewBasic(auth.BasicConfig{Realm: "things", Verify: func(context.Context, *http.Request, string, string) (*auth.User, error) { return nil, nil }})
	if err != nil {
		t.Fatal(err)
	}
	app.Authenticate(basic)
	fastness.ProvideValue(app, db)
	fastness.ProvideCleanup(app, sqldb.BeginRead)
	cursored := func(ctx context.Context, in listThings) (page.Page[thing], error) {
		return in.Select(ctx, in.Tx, selectThings, scanThing, in.where())
	}
	fastness.Get(app, "/things", cursored, access.Public)
	fastness.Get(app, "/others", cursored, access.Public)
	fastness.Get(app, "/leaf", func(ctx context.Context, in leafThings) (page.Page[thing], error) {
		p, err := in.Select(ctx, in.Tx, selectThings, scanThing)
		if err == nil && in.Count {
			p.Total = new(int64)
			*p.Total, err = page.Count(ctx, in.Tx, 3, sqldb.Constant("SELECT 1 FROM things"))
		}
		return p, err
	}, access.Public)
	fastness.Get(app, "/many", func(ctx context.Context, in struct {
		manyThings
		Tx *sqldb.ReadTx
	}) (page.Page[int64], error) {
		p, err := page.CursorQuery[thing](in.manyThings).Select(ctx, in.Tx, selectThings, scanThing)
		return page.Map(p, func(t thing) int64 { return t.ID }), err
	}, access.Public)
	if err := db.Tx(t.Context(), func(tx *sqldb.Tx) error {
		for i, name := range []string{"Lamp", "100%", "a_b", "axb", `back\slash`} {
			price := int64(i)
			if err := insertThing(t.Context(), tx, thing{ID: int64(i), Name: name, Price: &price, Created: time.Unix(int64(i), 0).UTC()}); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return fastnesstest.New(t, app)
}

func eachList(t *testing.T, test func(t *testing.T, api *fastnesstest.API)) {
	databasetest.Each(t, func(t *testing.T, db *sqldb.DB) { test(t, newListAPI(t, db)) }, things)
}

// found returns the ids of a page, and the page.
func found(api *fastnesstest.API, target string, options ...fastnesstest.Option) (string, page.Page[thing]) {
	var p page.Page[thing]
	api.Get(target, options...).Want(http.StatusOK).JSON(&p)
	var b strings.Builder
	for _, id := range ids(p.Items) {
		b.WriteByte('0' + byte(id))
	}
	return b.String(), p
}

func TestListsOfAnApp(t *testing.T) {
	eachList(t, func(t *testing.T, api *fastnesstest.API) {
		got, p := found(api, "/things?limit=2&sort=-created&min_price=1")
		if got != "43" || p.Next == "" || p.Prev != "" {
			t.Errorf("the first page is %s: %+v", got, p)
		}
		res := api.Get("/things?limit=2&sort=-created&min_price=1")
		link, _, _ := strings.Cut(strings.TrimPrefix(res.Header.Get("Link"), "<"), `>; rel="next"`)
		if got, p = found(api, "/things"+link); got != "21" || p.Next != "" || p.Prev == "" {
			t.Errorf("the second page is %s: %+v", got, p)
		}
		if got, p = found(api, "/things?limit=2&sort=-created&min_price=1&cursor="+string(p.Prev)); got != "43" || p.Prev != "" || p.Next == "" {
			t.Errorf("the page before is %s: %+v", got, p)
		}
		if got, _ = found(api, "/leaf?limit=2&offset=2&sort=created"); got != "23" {
			t.Errorf("from the third on: %s", got)
		}
		api.Get("/leaf?limit=2&offset=2").WantHeader("Link", `<?limit=2&offset=4>; rel="next", <?limit=2&offset=0>; rel="prev"`)
		if _, p = found(api, "/leaf?limit=1&count=true"); p.Total == nil || *p.Total != 4 {
			t.Errorf("counted to %v, want 4, which is more than 3", p.Total)
		}
		if _, p = found(api, "/leaf"); p.Total != nil {
			t.Error("counted though nobody asked")
		}
		api.Get("/many?limit=500").WantJSON(`{"items":[1,0,2,3,4]}`)
	})
}

// TestSortIsNotSQL: whatever is no order of the list never comes near a statement.
func TestSortIsNotSQL(t *testing.T) {
	eachList(t, func(t *testing.T, api *fastnesstest.API) {
		for _, sort := range []string{
			"id", "name,price", "name desc", "name--", "-", "", "--name", "NAME", "1", "name;DROP TABLE things", "name' OR '1'='1",
			"(SELECT CASE WHEN 1=1 THEN name ELSE price END)", "pg_sleep(5)", "name\x00", "nаme",
		} {
			for _, list := range []string{"/things", "/leaf", "/many"} {
				res := api.Get(list + "?sort=" + url.QueryEscape(sort))
				if res.WantProblem(422, "validation"); sort != "name\x00" {
					res.WantViolation("query", "/sort", "enum")
				}
			}
		}
		got, _ := found(api, "/things?sort=name")
		if len(got) != 5 {
			t.Errorf("after that the list is %s", got)
		}
	})
}

func TestPagesAreBounded(t *testing.T) {
	eachList(t, func(t *testing.T, api *fastnesstest.API) {
		for target, at := range map[string]string{
			"/things?limit=0": "/limit", "/things?limit=101": "/limit", "/things?limit=1000000000": "/limit", "/things?limit=-1": "/limit", "/things?limit=1e9": "/limit",
			"/things?limit=99999999999999999999": "/limit", "/leaf?limit=101": "/limit", "/many?limit=501": "/limit",
			"/leaf?offset=10001": "/offset", "/leaf?offset=1000000000000000000": "/offset", "/leaf?offset=-1": "/offset",
			"/things?cursor=" + strings.Repeat("A", 4097): "/cursor", "/things?cursor=": "/cursor", "/things?name=a&name=b&name=c&name=d": "/name",
		} {
			res := api.Get(target).WantProblem(422, "validation")
			if !strings.Contains(string(res.Body), `"pointer":"`+at) {
				t.Errorf("%.40s: %s", target, res.Body)
			}
		}
	})
}

// TestWildcardsOfCallersAreText: a caller who sends % searches for %.
func TestWildcardsOfCallersAreText(t *testing.T) {
	eachList(t, func(t *testing.T, api *fastnesstest.API) {
		for search, want := range map[string]string{
			"%": "1", "_": "2", `\`: "4", "a_b": "2", "0%": "1", "%a%": "", "'": "", `\%`: "", strings.Repeat("%", 4000): "", "Lamp": "0",
		} {
			if got, _ := found(api, "/things?sort=created&q="+url.QueryEscape(search)); got != want {
				t.Errorf("%.10s finds %q, want %q", search, got, want)
			}
		}
		if got, _ := found(api, "/things?sort=created&name=Lamp&name=a_b&name="+url.QueryEscape("x') OR ('1'='1")); got != "02" {
			t.Errorf("one of three names finds %q, want 02", got)
		}
	})
}

// TestCursorsOfOthersAreRefused: those of another operation, list and caller, and what
// is none.
func TestCursorsOfOthersAreRefused(t *testing.T) {
	eachList(t, func(t *testing.T, api *fastnesstest.API) {
		eve := fastnesstest.As(auth.User{ID: "eve"})
		_, first := found(api, "/things?limit=2&min_price=1", eve)
		cursor := "&cursor=" + string(first.Next)
		another := "A"
		if cursor[40] == 'A' {
			another = "B"
		}
		if got, _ := found(api, "/things?limit=2&min_price=1"+cursor, eve); len(got) != 2 {
			t.Errorf("the second page is %q", got)
		}
		for name, refused := range map[string]*fastnesstest.Response{
			"another operation": api.Get("/others?limit=2&min_price=1"+cursor, eve),
			"another filter":    api.Get("/things?limit=2&min_price=0"+cursor, eve),
			"no filter":         api.Get("/things?limit=2"+cursor, eve),
			"another order":     api.Get("/things?limit=2&min_price=1&sort=created"+cursor, eve),
			"another caller":    api.Get("/things?limit=2&min_price=1"+cursor, fastnesstest.As(auth.User{ID: "adam"})),
			"another tenant":    api.Get("/things?limit=2&min_price=1"+cursor, fastnesstest.As(auth.User{ID: "eve", Tenant: auth.NewTenant("acme")})),
			"another client":    api.Get("/things?limit=2&min_price=1"+cursor, fastnesstest.As(auth.User{ID: "eve", Client: "game"})),
			"another issuer":    api.Get("/things?limit=2&min_price=1"+cursor, fastnesstest.As(auth.User{ID: "eve", Issuer: "https://elsewhere.example"})),
			"nobody":            api.Get("/things?limit=2&min_price=1" + cursor),
			"truncated":         api.Get("/things?limit=2&min_price=1"+cursor[:len(cursor)-4], eve),
			"changed":           api.Get("/things?limit=2&min_price=1"+cursor[:40]+another+cursor[41:], eve),
			"forged":            api.Get("/things?limit=2&min_price=1&cursor=AQAAAAAAAAAAAAECAAAAAAAAAAE", eve),
		} {
			t.Run(name, func(*testing.T) {
				refused.WantProblem(422, "invalid_cursor").WantViolation("query", "/cursor", "invalid_cursor")
			})
		}
	})
}
