package fastness_test

import (
	"context"
	"strconv"
	"testing"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/conditional"
	"github.com/fastness/fastness/fastnesstest"
	"github.com/fastness/fastness/idempotency"
	"github.com/fastness/fastness/internal/guidetest"
	"github.com/fastness/fastness/problem"
	"github.com/fastness/fastness/schema"
)

// What follows is the code of docs/updates.md.

type Article struct {
	ID       int64   `json:"id" readOnly:"true"`
	Title    string  `json:"title" minLength:"1" maxLength:"200"`
	Summary  *string `json:"summary,omitzero" maxLength:"1000"`
	From     int     `json:"from" minimum:"0"`
	To       int     `json:"to" minimum:"0"`
	Featured bool    `json:"featured,omitzero" writableBy:"editor"`
	Revision int64   `json:"-"`
}

func (a Article) Version() string { return strconv.FormatInt(a.Revision, 10) }

func (a Article) Validate() error {
	if a.To < a.From {
		return schema.Invalid("it ends before it begins").At("to")
	}
	return nil
}

type LockedArticle struct {
	Article
	row *Article
}

func (l *LockedArticle) save(a Article) Article {
	a.Revision++
	*l.row = a
	return a
}

type changeArticleInput struct {
	Article *LockedArticle // loaded by a provider, which decides who may have it
	Body    fastness.MergePatch[Article]
}

func changeArticle(_ context.Context, in changeArticleInput) (Article, error) {
	changed, err := in.Body.Apply(in.Article.Article)
	if err != nil {
		return Article{}, err
	}
	return in.Article.save(changed), nil
}

func openKeys(context.Context, struct{}) (*idempotency.Keys, func(error) error, error) {
	keys, err := idempotency.New(idempotency.Config{Store: idempotency.NewMemory(0)})
	return keys, nil, err
}

func TestGuideToUpdatesShowsCodeThatRuns(t *testing.T) {
	guidetest.Shows(t, "docs/updates.md", 4, "guide_updates_test.go")
}

// newArticles returns the app of the guide.
func newArticles(t *testing.T) (*fastness.App, *Article) {
	t.Helper()
	row := &Article{ID: 1, Title: "Old", From: 5, To: 9, Revision: 1}
	app := fastness.New(fastness.Config{Title: "Articles", Version: "1.0.0", Roles: []string{"editor", "seller", "customer", "admin"}})
	app.Authenticate(letters{name: "letter", header: "X-Letter", users: people()})
	fastness.Provide(app, func(_ context.Context, in struct {
		ID int64 `path:"id"`
	}) (*LockedArticle, error) {
		if in.ID != row.ID {
			return nil, problem.New(404, "")
		}
		return &LockedArticle{*row, row}, nil
	})
	changeNotes := changeArticle
	makeOrder := func(context.Context, struct{}) (fastness.Created[string], error) {
		row.To++
		return fastness.Created[string]{Body: strconv.Itoa(row.To)}, nil
	}
	fastness.Patch(app, "/articles/{id}", changeArticle, access.Public, fastness.OperationID("change"))
	fastness.Patch(app, "/articles/{id}/notes", changeNotes, access.Public, conditional.InsecureLastWriteWins("notes have one author"))
	fastness.Patch(app, "/articles/{id}/patched", func(_ context.Context, in struct {
		Article *LockedArticle
		Body    fastness.JSONPatch[Article]
	}) (Article, error) {
		changed, err := in.Body.Apply(in.Article.Article)
		if err != nil {
			return Article{}, err
		}
		return in.Article.save(changed), nil
	}, access.Public)
	fastness.ProvideApp(app, openKeys)
	fastness.Post(app, "/orders", makeOrder, access.Authenticated, idempotency.Required())
	return app, row
}

func TestGuideToUpdatesRuns(t *testing.T) {
	app, row := newArticles(t)
	api := fastnesstest.New(t, app)
	anyVersion := fastnesstest.Header("If-Match", "*")
	for _, tt := range []struct{ body, pointer, code string }{
		{`{"title": null}`, "/title", "string_type"},
		{`{"id": 8}`, "/id", "read_only"},
		{`{"revision": 8}`, "/revision", "extra_forbidden"},
		{`{"featured": true}`, "/featured", "read_only"},
		{`{"to": 3}`, "/to", "value_error"},
	} {
		api.Patch("/articles/1", fastnesstest.JSON(tt.body), anyVersion).Want(422).WantViolation("body", tt.pointer, tt.code)
	}
	if row.Revision != 1 {
		t.Fatalf("a refused patch has changed the article: %+v", row)
	}
	merge := fastnesstest.Header("Content-Type", "application/merge-patch+json")
	api.Patch("/articles/1", fastnesstest.JSON(`{"title": "New", "summary": "s"}`), anyVersion, merge).WantJSON(`{"id":1,"title":"New","summary":"s","from":5,"to":9}`)
	api.Patch("/articles/1", fastnesstest.JSON(`{"summary": null}`), anyVersion, merge).WantJSON(`{"id":1,"title":"New","from":5,"to":9}`)
	api.Patch("/articles/1", fastnesstest.JSON(`{}`)).WantProblem(428, "precondition_required")
	api.Patch("/articles/1/notes", fastnesstest.JSON(`{"title": "Newer"}`)).Want(200)
}

// A list of operations is no merge patch, and an object no list of operations.
func TestPatchOfAnotherFormatIsRefused(t *testing.T) {
	app, row := newArticles(t)
	api := fastnesstest.New(t, app)
	anyVersion := fastnesstest.Header("If-Match", "*")
	operations := fastnesstest.JSON(`[{"op": "replace", "path": "/title", "value": "New"}]`)
	typed := func(name string) fastnesstest.Option { return fastnesstest.Header("Content-Type", name) }
	api.Patch("/articles/1", operations, anyVersion, typed("application/json-patch+json")).WantProblem(415, "unsupported_media_type").
		WantHeader("Accept-Patch", "application/merge-patch+json, application/json")
	for _, other := range []string{"application/json", "application/merge-patch+json", "text/plain", "application/x+json"} {
		api.Patch("/articles/1/patched", operations, anyVersion, typed(other)).Want(415).WantHeader("Accept-Patch", "application/json-patch+json")
	}
	api.Patch("/articles/1", fastnesstest.JSON(`{"title": "New"}`), anyVersion, typed("text/plain")).Want(415)
	if row.Title != "Old" {
		t.Errorf("the title is %q", row.Title)
	}
	api.Patch("/articles/1/patched", operations, anyVersion, typed("application/json-patch+json")).WantJSON(`{"id":1,"title":"New","from":5,"to":9}`)
	api.Patch("/articles/1/patched", fastnesstest.JSON(`[{"op":"test","path":"/title","value":"Old"}]`), anyVersion, typed("application/json-patch+json")).
		WantProblem(409, "patch_test_failed").WantViolation("body", "/0/value", "patch_test_failed")
	api.Patch("/articles/1/patched", fastnesstest.JSON(`[{"op":"replace","path":"/id","value":2}]`), anyVersion, typed("application/json-patch+json")).
		Want(422).WantViolation("body", "/0/path", "read_only")
}
