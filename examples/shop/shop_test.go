package main

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/guard/ratelimit"
	"github.com/fastness/fastness/identity"
	"github.com/fastness/fastness/sqldb"
)

// asShop is the variable by which the program of the tests is the shop itself.
const asShop = "FASTNESS_TEST_AS_SHOP"

func TestMain(m *testing.M) {
	if os.Getenv(asShop) != "" {
		main()
		return
	}
	slog.SetDefault(slog.New(slog.DiscardHandler))
	os.Exit(m.Run())
}

// samples is how many items the migrations put up for sale.
const samples = 6

// seller sells items in most tests. They are in the context of a request, as a
// scheme puts a caller there, so no credential has to be verified.
func seller() *auth.User { return caller("s1", "castle", "seller") }

func admin() *auth.User { return caller("a1", "castle", "admin") }

func caller(id, tenant string, roles ...string) *auth.User {
	return &auth.User{ID: id, Name: id, Roles: auth.SetOf(roles...), AllScopes: true, Tenant: auth.NewTenant(tenant)}
}

// parts are what a test wants of the inside of a shop that has started.
type parts struct {
	db   *sqldb.DB
	core *identity.Core
}

// unlimited are the limits of tests that are about something else.
func unlimited() limits {
	const many = "1000000/second"
	return limits{
		items: many, reviews: many, general: ratelimit.Config{Rule: ratelimit.Rule{Limit: many}},
		identity: identity.Limits{LogIn: many, SignUp: many, Tokens: many},
	}
}

// testApp declares the shop, and under /test the operations on items for all
// callers: attacks on how requests are read must get as far as that, and a raw
// request is easier to read without a credential.
func testApp() (*fastness.App, *parts) {
	app, inside := newApp(unlimited()), new(parts)
	test := app.Group("/test", access.Public)
	fastness.Get(test, "/parts", func(_ context.Context, in struct {
		DB   *sqldb.DB
		Core *identity.Core
	}) (fastness.NoContent, error) {
		*inside = parts{in.DB, in.Core}
		return fastness.NoContent{}, nil
	})
	fastness.Post(test, "/items/", func(ctx context.Context, in struct {
		Tx   *sqldb.Tx
		Body NewItem
	}) (fastness.Created[ItemView], error) {
		return createItem(ctx, createItemInput{Seller: *seller(), Tx: in.Tx, Body: in.Body})
	}, fastness.OperationID("testCreate"))
	fastness.Put(test, "/items/{item_id}", replaceItem, fastness.OperationID("testReplace"))
	fastness.Patch(test, "/items/{item_id}", changeItem, fastness.OperationID("testChange"))
	fastness.Delete(test, "/items/{item_id}", deleteItem, fastness.OperationID("testDelete"))
	return app, inside
}

// shop is a started shop on database files, and the caller of its requests.
type shop struct {
	*parts
	t      *testing.T
	app    *fastness.App
	caller *auth.User
}

// as returns the same shop for another caller: nil is nobody.
func (s *shop) as(u *auth.User) *shop {
	other := *s
	other.caller = u
	return &other
}

// openShop starts the shop on the files in dir. More declares operations that
// only one test needs.
func openShop(t *testing.T, dir string, more ...func(*fastness.App)) *shop {
	t.Helper()
	app, inside := testApp()
	s := &shop{t: t, app: app, parts: inside, caller: seller()}
	fastness.ProvideValue(s.app, inFolder(t, dir))
	for _, declare := range more {
		declare(s.app)
	}
	if err := s.app.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.stop)
	if got := s.get("/test/parts"); got.status != http.StatusNoContent || s.db == nil {
		t.Fatalf("the shop's database: status %d, want 204", got.status)
	}
	return s
}

// stop stops the shop; a second time does nothing.
func (s *shop) stop() {
	if err := s.app.Stop(context.Background()); err != nil {
		s.t.Errorf("Stop() = %v", err)
	}
}

// reply is what the shop answered.
type reply struct {
	status int
	header http.Header
	body   string
}

// decode reads the body as an object. Numbers stay as they are written.
func (r reply) decode(t *testing.T) map[string]any {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(r.body))
	decoder.UseNumber()
	var object map[string]any
	if err := decoder.Decode(&object); err != nil {
		t.Fatalf("body %q: %v", r.body, err)
	}
	return object
}

func (s *shop) get(target string, header ...string) reply {
	return s.call(http.MethodGet, target, "", header...)
}

// call sends a request of the shop's caller with a JSON body, if any, and headers
// in pairs.
func (s *shop) call(method, target, body string, header ...string) reply {
	return s.callWith(context.Background(), method, target, body, header...)
}

func (s *shop) callWith(ctx context.Context, method, target, body string, header ...string) reply {
	if s.caller != nil {
		ctx = auth.With(ctx, s.caller)
	}
	r := httptest.NewRequestWithContext(ctx, method, target, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	return s.send(r, header...)
}

func (s *shop) send(r *http.Request, header ...string) reply {
	r.Host = "localhost"
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	if strings.HasSuffix(r.URL.Path, "/live") {
		s.serveBeginning(w, r)
	} else {
		s.app.ServeHTTP(w, r)
	}
	text, _ := io.ReadAll(w.Result().Body) // It is in memory.
	return reply{w.Code, w.Result().Header, string(text)}
}

// serveBeginning serves a stream up to the first thing that is sent.
func (s *shop) serveBeginning(w *httptest.ResponseRecorder, r *http.Request) {
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	s.app.ServeHTTP(&oneWrite{w, cancel}, r.WithContext(ctx))
}

// oneWrite is a caller who has heard enough after the first write.
type oneWrite struct {
	*httptest.ResponseRecorder
	leave func()
}

func (w *oneWrite) Write(p []byte) (int, error) {
	defer w.leave()
	return w.ResponseRecorder.Write(p)
}

// create creates an item and returns its path and the answer.
func (s *shop) create(body string) (path string, item map[string]any) {
	s.t.Helper()
	got := s.call(http.MethodPost, "/items/", body)
	if got.status != http.StatusCreated {
		s.t.Fatalf("POST /items/ %s = %d %s, want 201", body, got.status, got.body)
	}
	return got.header.Get("Location"), got.decode(s.t)
}

// total returns how many items are for sale.
func (s *shop) total() string {
	s.t.Helper()
	n, _ := s.get("/items/").decode(s.t)["total"].(json.Number)
	return n.String()
}
