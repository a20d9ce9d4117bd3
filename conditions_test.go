package fastness_test

import (
	"context"
	"html/template"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/conditional"
	"github.com/fastness/fastness/fastnesstest"
	"github.com/fastness/fastness/openapi"
	"github.com/fastness/fastness/problem"
)

// draft is an object with a version.
type draft struct {
	ID       int    `json:"id" readOnly:"true"`
	Text     string `json:"text" maxLength:"99"`
	Secret   string `json:"secret,omitzero" visibleTo:"editor" writableBy:"editor"`
	Revision int    `json:"-"`
}

func (d draft) Version() string { return strconv.Itoa(d.Revision) }

// drafts is a table of one row, which is locked while a request changes it.
type drafts struct {
	mu     sync.Mutex
	row    draft
	loaded int
}

type lockedDraft struct {
	draft
	table *drafts
}

func (l *lockedDraft) save(d draft) draft {
	d.Revision++
	l.table.row = d
	return d
}

// newDrafts returns an app that shows and changes a draft.
func newDrafts(t *testing.T, options ...fastness.Option) (*fastness.App, *drafts) {
	t.Helper()
	table := &drafts{row: draft{ID: 1, Text: "first", Secret: "x", Revision: 1}}
	app := fastness.New(fastness.Config{Title: "Drafts", Version: "1", Roles: []string{"editor"}})
	app.Authenticate(letters{name: "letter", header: "X-Letter", users: people()})
	fastness.ProvideCleanup(app, func(context.Context, struct {
		ID int `path:"id"`
	}) (*lockedDraft, func(error) error, error) {
		table.mu.Lock()
		table.loaded++
		return &lockedDraft{table.row, table}, func(error) error { table.mu.Unlock(); return nil }, nil
	})
	type id struct {
		ID int `path:"id"`
	}
	fastness.Get(app, "/drafts/{id}", func(_ context.Context, in struct {
		id
		User *auth.User
	}) (draft, error) {
		table.mu.Lock()
		defer table.mu.Unlock()
		if in.ID != 1 {
			return draft{}, problem.New(404, "")
		}
		return table.row, nil
	}, access.Public)
	change := func(_ context.Context, in struct {
		Draft *lockedDraft
		Body  fastness.MergePatch[draft]
	}) (draft, error) {
		changed, err := in.Body.Apply(in.Draft.draft)
		if err != nil {
			return draft{}, err
		}
		return in.Draft.save(changed), nil
	}
	fastness.Patch(app, "/drafts/{id}", change, append([]fastness.Option{access.Public, fastness.OperationID("changeDraft")}, options...)...)
	fastness.Put(app, "/drafts/{id}", func(_ context.Context, in struct {
		Draft *lockedDraft
		Body  draft
	}) (draft, error) {
		in.Body.ID, in.Body.Revision = in.Draft.ID, in.Draft.Revision
		return in.Draft.save(in.Body), nil
	}, access.Public)
	fastness.Post(app, "/notes", func(context.Context, struct{}) (fastness.NoContent, error) { return fastness.NoContent{}, nil }, access.Public)
	return app, table
}

func TestChangeWithoutTheVersionSeenIsRefused(t *testing.T) {
	app, table := newDrafts(t)
	api := fastnesstest.New(t, app)
	api.Patch("/drafts/1", map[string]any{"text": "second"}).WantProblem(428, "precondition_required")
	api.Put("/drafts/1", map[string]any{"text": "second"}).WantProblem(428, "precondition_required")
	if table.loaded != 0 {
		t.Errorf("the draft was loaded %d times for nobody", table.loaded)
	}
	tag := api.Get("/drafts/1").Want(200).Header.Get("ETag")
	for _, match := range []string{`"1"`, "W/" + tag, `"x", "y"`} {
		api.Patch("/drafts/1", map[string]any{"text": "second"}, fastnesstest.Header("If-Match", match)).WantProblem(412, "precondition_failed")
	}
	for _, match := range []string{"", "x", `"a" "b"`, "*, *", tag + "x", `"`} {
		api.Patch("/drafts/1", map[string]any{"text": "second"}, fastnesstest.Header("If-Match", match)).WantProblem(400, "entity_tags_invalid")
	}
	api.Patch("/drafts/1", map[string]any{"text": "second"}, fastnesstest.Header("If-Match", tag), fastnesstest.Header("If-None-Match", "*")).WantProblem(412, "precondition_failed")
	if table.row.Text != "first" {
		t.Errorf("the draft is %+v", table.row)
	}
	changed := api.Patch("/drafts/1", map[string]any{"text": "second"}, fastnesstest.Header("If-Match", `"x", `+tag)).Want(200)
	if next := changed.Header.Get("ETag"); next == tag || next == "" || next != api.Get("/drafts/1").Header.Get("ETag") {
		t.Errorf("the change answers with the tag %q, before it was %q", next, tag)
	}
	api.Patch("/drafts/1", map[string]any{"text": "third"}, fastnesstest.Header("If-Match", tag)).WantProblem(412, "precondition_failed")
	if put := api.Put("/drafts/1", map[string]any{"text": "third"}, fastnesstest.Header("If-Match", "*")).Want(200); put.Header.Get("ETag") != "" {
		t.Error("the answer to a PUT has a tag, as if it were what was sent")
	}
}

func TestOfManyWhoSawTheSameVersionOneWins(t *testing.T) {
	app, table := newDrafts(t)
	api := fastnesstest.New(t, app)
	tag := api.Get("/drafts/1").Header.Get("ETag")
	statuses := make(chan int, 50)
	var all sync.WaitGroup
	for i := range 50 {
		all.Go(func() {
			statuses <- api.Patch("/drafts/1", map[string]any{"text": strconv.Itoa(i)}, fastnesstest.Header("If-Match", tag)).Status
		})
	}
	all.Wait()
	close(statuses)
	won := 0
	for status := range statuses {
		if status == 200 {
			won++
		} else if status != 412 {
			t.Errorf("status %d, want 200 or 412", status)
		}
	}
	if won != 1 || table.row.Revision != 2 {
		t.Errorf("%d won and the revision is %d, want 1 and 2", won, table.row.Revision)
	}
}

func TestWhatTheCallerHasIsNotSentAgain(t *testing.T) {
	app, _ := newDrafts(t)
	api := fastnesstest.New(t, app)
	tag := api.Get("/drafts/1").Want(200).Header.Get("ETag")
	if !strings.HasPrefix(tag, `"`) || strings.Contains(tag, "1\"") && len(tag) < 10 {
		t.Fatalf("the tag is %q", tag)
	}
	for _, seen := range []string{tag, "W/" + tag, `"a", W/"b" ,` + tag, "*", ", ," + tag} {
		for _, method := range []string{"GET", "HEAD"} {
			res := api.Do(method, "/drafts/1", nil, fastnesstest.Header("If-None-Match", seen)).Want(304)
			if len(res.Body) > 0 || res.Header.Get("ETag") != tag || res.Header.Get("Content-Type") != "" {
				t.Errorf("304 to %s: %v %q", seen, res.Header, res.Body)
			}
		}
	}
	for _, seen := range []string{`"other"`, "W/\"other\"", "x", "", strings.Repeat(`"a",`, 60) + tag} {
		api.Get("/drafts/1", fastnesstest.Header("If-None-Match", seen)).Want(200)
	}
	api.Get("/drafts/2", fastnesstest.Header("If-None-Match", "*")).Want(404)
}

// Who became an editor has not what an editor sees.
func TestTagDependsOnWhoLooks(t *testing.T) {
	app, _ := newDrafts(t)
	api := fastnesstest.New(t, app)
	editor := fastnesstest.As(auth.User{ID: "ann", Roles: auth.SetOf("editor")})
	tag := api.Get("/drafts/1").Header.Get("ETag")
	seen := api.Get("/drafts/1", editor, fastnesstest.Header("If-None-Match", tag)).Want(200)
	if !strings.Contains(string(seen.Body), "secret") || seen.Header.Get("ETag") == tag {
		t.Errorf("an editor got %s with the tag %s", seen.Body, seen.Header.Get("ETag"))
	}
	api.Patch("/drafts/1", map[string]any{"secret": "y"}, editor, fastnesstest.Header("If-Match", tag)).Want(200) // It is the same version.
}

func TestIfMatchOfWhatHasNoVersionIsRefused(t *testing.T) {
	app, _ := newDrafts(t)
	api := fastnesstest.New(t, app)
	api.Post("/notes", nil, fastnesstest.Header("If-Match", `"a"`)).WantProblem(412, "precondition_failed")
	api.Post("/notes", nil, fastnesstest.Header("If-Match", "*")).Want(204)
	api.Post("/notes", nil).Want(204)
}

func TestLastWriteWinsOnlyWithAReason(t *testing.T) {
	app, _ := newDrafts(t, conditional.InsecureLastWriteWins("one person writes"))
	api := fastnesstest.New(t, app)
	api.Patch("/drafts/1", map[string]any{"text": "second"}).Want(200)
	api.Patch("/drafts/1", map[string]any{"text": "second"}, fastnesstest.Header("If-Match", `"a"`)).WantProblem(412, "precondition_failed")
	if audit := app.Audit(); !slices.ContainsFunc(audit, func(o fastness.OptOut) bool { return o.Name == "conditional.InsecureLastWriteWins" }) {
		t.Errorf("the audit says %v", audit)
	}
	app, _ = newDrafts(t, conditional.InsecureLastWriteWins(" "))
	if err := app.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "the reason is empty") {
		t.Errorf("without a reason: %v", err)
	}
	app, _ = newDrafts(t, conditional.On[draft]())
	if err := app.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "no provider of a fastness_test.draft") {
		t.Errorf("an object that nobody provides: %v", err)
	}
}

func TestTwoVersionsAreAMistake(t *testing.T) {
	app, _ := newDrafts(t)
	fastness.Provide(app, func(context.Context, struct{}) (draft, error) { return draft{}, nil })
	both := func(context.Context, struct {
		One *lockedDraft
		Two draft
	}) (fastness.NoContent, error) {
		return fastness.NoContent{}, nil
	}
	fastness.Delete(app, "/both/{id}", both, access.Public, fastness.OperationID("both"))
	fastness.Delete(app, "/one/{id}", both, access.Public, conditional.On[*lockedDraft](), fastness.OperationID("one"))
	err := app.Start(t.Context())
	if err == nil || !strings.Contains(err.Error(), "DELETE /both/{id}: it loads a") || strings.Contains(err.Error(), "/one/") {
		t.Errorf("Start() = %v", err)
	}
}

func TestContentHasATag(t *testing.T) {
	app := fastness.New(fastness.Config{Title: "T", Version: "1"})
	text := "hello"
	fastness.Get(app, "/text", func(context.Context, struct{}) (string, error) { return text, nil }, access.Public, conditional.TagContent())
	fastness.Get(app, "/own", func(context.Context, struct{}) (fastness.Result[string], error) {
		return fastness.Result[string]{Body: text, Header: map[string][]string{"ETag": {`"mine"`}, "Last-Modified": {"Mon, 02 Jan 2006 15:04:05 GMT"}}}, nil
	}, access.Public)
	fastness.Get(app, "/page", func(context.Context, struct{}) (fastness.View[versionedPage], error) {
		return fastness.View[versionedPage]{Template: template.Must(template.New("").Parse(`<script nonce="{{.Nonce}}"></script>`))}, nil
	}, access.Public, conditional.TagContent())
	api := fastnesstest.New(t, app)
	if tag := api.Get("/page", fastnesstest.Accept("text/html")).Want(200).Header.Get("ETag"); tag != "" {
		t.Errorf("a page with a nonce has the tag %s", tag)
	}
	tag := api.Get("/text").Want(200).Header.Get("ETag")
	api.Get("/text", fastnesstest.Header("If-None-Match", tag)).Want(304)
	text = "bye"
	api.Get("/text", fastnesstest.Header("If-None-Match", tag)).Want(200)
	api.Get("/own", fastnesstest.Header("If-None-Match", `"mine"`)).Want(304)
	api.Get("/own", fastnesstest.Header("If-Modified-Since", "Mon, 02 Jan 2006 15:04:05 GMT")).Want(304)
	api.Get("/own", fastnesstest.Header("If-Modified-Since", "Mon, 02 Jan 2006 15:04:04 GMT")).Want(200)
	api.Get("/own", fastnesstest.Header("If-Modified-Since", "Mon, 02 Jan 2006 15:04:05 GMT"), fastnesstest.Header("If-None-Match", `"x"`)).Want(200)
}

func TestConditionsAreInTheDocument(t *testing.T) {
	app, _ := newDrafts(t)
	document, err := app.Document()
	if err != nil {
		t.Fatal(err)
	}
	item, _ := document.Paths.Get("/drafts/{id}")
	for _, status := range []string{"412", "428"} {
		if _, ok := item.Patch.Responses.Get(status); !ok {
			t.Errorf("the document has no %s", status)
		}
	}
	has := func(name string, required bool) bool {
		return slices.ContainsFunc(item.Patch.Parameters, func(p *openapi.Parameter) bool { return p.Name == name && p.Required == required })
	}
	if !has("If-Match", true) {
		t.Error("the document does not ask for If-Match")
	}
	if _, ok := item.Get.Responses.Get("304"); !ok {
		t.Error("the document has no 304")
	}
	body := item.Patch.RequestBody
	for _, name := range []string{"application/merge-patch+json", "application/json"} {
		if _, ok := body.Content.Get(name); !ok {
			t.Errorf("the document has no body of type %s", name)
		}
	}
	patch, ok := document.Components.Schemas.Get("draftPatch")
	if !ok || len(patch.Required) != 0 || patch.Properties.Len() != 2 {
		t.Errorf("the schema of the patch is %+v", patch)
	}
}

// versionedPage is a page of an object with a version.
type versionedPage struct {
	fastness.Page
	Item    int64    `json:"item"`
	Reviews []string `json:"reviews"`
}

func (versionedPage) Version() string { return "1" }
