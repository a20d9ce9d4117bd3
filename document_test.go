package fastness_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/fastnesstest"
	"github.com/fastness/fastness/openapi"
	"github.com/fastness/fastness/problem"
	"github.com/fastness/fastness/schema"
)

type (
	// License has the name of a type of another package, which is used, too.
	License struct {
		Key string `json:"key" maxLength:"20"`
	}
	author struct {
		ID       int    `json:"id" readOnly:"true"`
		Name     string `json:"name" minLength:"1" maxLength:"80" example:"Ada" doc:"As on the cover."`
		Password string `json:"password" writeOnly:"true" minLength:"12"`
	}
	book struct {
		Title    string          `json:"title" minLength:"1"`
		Author   author          `json:"author"`
		Sequel   *book           `json:"sequel,omitzero"`
		License  License         `json:"license"`
		Other    openapi.License `json:"other"`
		_        schema.Computed `name:"slug" method:"Slug"`
		Language string          `json:"language" enum:"de,en" default:"en"`
	}
	shelf struct{ room int }
)

func (b book) Slug() string { return strings.ToLower(b.Title) }

type findBooks struct {
	Shelf  shelf
	Author []string  `query:"author" maxItems:"3" default:""`
	Since  time.Time `query:"since" default:"2000-01-01T00:00:00Z" doc:"Published then or later."`
	Limit  int       `query:"limit" minimum:"1" maximum:"100" default:"10" example:"20"`
	Old    string    `query:"old" default:"" deprecated:"true"`
	Agent  *string   `header:"user-agent"`
	Theme  *string   `cookie:"theme"`
}

type putBook struct {
	ID   string `path:"id" format:"uuid"`
	Body book
}

type uploadCover struct {
	ID    string          `path:"id" format:"uuid"`
	Title string          `form:"title" maxLength:"50" doc:"Shown below the cover."`
	Cover fastness.File   `form:"cover"`
	More  []fastness.File `form:"more"`
}

func listBooks(context.Context, findBooks) ([]book, error) { return nil, nil }
func replaceBook(_ context.Context, in putBook) (fastness.Created[book], error) {
	return fastness.Created[book]{Body: in.Body}, nil
}
func addCover(context.Context, uploadCover) (fastness.NoContent, error) {
	return fastness.NoContent{}, nil
}
func exportBooks(context.Context, none) (fastness.Raw, error) {
	return fastness.Raw{ContentType: "text/csv"}, nil
}

const librarySource = `package library

// listBooks lists the books of a shelf. The newest come first.
//
// Nothing is sorted in Markdown.
func listBooks() {}

// ReplaceBook is another function.
func ReplaceBook() {}
`

// library is an app with everything that a document can hold.
func library() *fastness.App {
	app := fastness.New(fastness.Config{
		Logger: slog.New(slog.DiscardHandler),
		Title:  "Library", Version: "2.1.0", Description: "Books.", Terms: "https://example.com/terms",
		Contact: &openapi.Contact{Name: "Ada", URL: "https://example.com"}, License: &openapi.License{Name: "Apache-2.0"},
		Servers: []openapi.Server{{URL: "https://api.example.com"}},
		Tags:    []openapi.Tag{{Name: "books", Description: "What stands on shelves."}},
		Source:  fstest.MapFS{"library.go": {Data: []byte(librarySource)}},
	})
	fastness.Provide(app, func(_ context.Context, in struct {
		Room int `header:"X-Room" minimum:"1" doc:"Where the shelf stands."`
	}) (shelf, error) {
		return shelf{in.Room}, nil
	})
	books := app.Group("/books", access.Public, fastness.Tags("books"))
	fastness.Get(books, "", listBooks, fastness.Response[*problem.Problem](404, "There is no such shelf."))
	fastness.Put(books, "/{id}", replaceBook, fastness.Summary("Put a book back"), fastness.Deprecated(),
		fastness.Example("short", book{Title: "A"}), fastness.Extension("x-since", 2),
		fastness.Response[License](402, "The licence is not paid."))
	fastness.Post(books, "/{id}/covers", addCover, fastness.Tags("covers"), fastness.Description("Up to a megabyte."))
	fastness.Get(app, "/export", exportBooks, access.Public, fastness.ResponseDescription("A table."))
	fastness.Get(app, "/internal", say(""), access.Public, fastness.Hidden())
	fastness.Get(app, "/files/{path...}", func(context.Context, struct {
		Path string `path:"path"`
	}) (string, error) {
		return "", nil
	}, access.Public)
	return app
}

func writtenDocument(t *testing.T, app *fastness.App) (*openapi.Document, []byte) {
	t.Helper()
	doc, err := app.Document()
	if err != nil {
		t.Fatal(err)
	}
	text, err := doc.JSON()
	if err != nil {
		t.Fatal(err)
	}
	return doc, text
}

func TestDocumentOfTheLibrary(t *testing.T) {
	doc, text := writtenDocument(t, library())
	if err := doc.Validate(); err != nil {
		t.Error(err)
	}
	var indented bytes.Buffer
	if err := json.Indent(&indented, append(text, '\n'), "", "  "); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join("testdata", "openapi.json")
	if *update {
		if err := os.WriteFile(file, indented.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v (go test -run %s -update writes it)", err, t.Name())
	}
	if !bytes.Equal(indented.Bytes(), want) {
		got, expected := strings.Split(indented.String(), "\n"), strings.Split(string(want), "\n")
		i := 0
		for i < min(len(got), len(expected)) && got[i] == expected[i] {
			i++
		}
		t.Errorf("the document differs from %s in line %d: %q, want %q (-update writes it anew)", file, i+1, got[min(i, len(got)-1)], expected[min(i, len(expected)-1)])
	}
}

func TestDocumentIsTheSameEachTime(t *testing.T) {
	_, first := writtenDocument(t, library())
	for range 20 {
		if _, again := writtenDocument(t, library()); !bytes.Equal(first, again) {
			t.Fatal("two runs made two documents")
		}
	}
}

func operation(t *testing.T, doc *openapi.Document, method, path string) *openapi.Operation {
	t.Helper()
	if item, ok := doc.Paths.Get(path); ok {
		for m, op := range item.Operations() {
			if m == method {
				return op
			}
		}
	}
	t.Fatalf("the document has no %s %s", method, path)
	return nil
}

func statuses(op *openapi.Operation) (codes []string) {
	for status := range op.Responses.All() {
		codes = append(codes, status)
	}
	slices.Sort(codes)
	return codes
}

func TestDocumentNamesEveryRefusal(t *testing.T) {
	doc, _ := writtenDocument(t, library())
	for where, want := range map[string]string{
		"GET /books":              "200 400 404 421 422 429 431 500 503",
		"PUT /books/{id}":         "201 400 402 403 408 413 415 421 422 429 500 503",
		"POST /books/{id}/covers": "204 400 403 408 413 415 421 422 429 500 503 507",
		"GET /export":             "200 400 421 429 500 503",
	} {
		method, path, _ := strings.Cut(where, " ")
		if got := strings.Join(statuses(operation(t, doc, method, path)), " "); got != want {
			t.Errorf("%s has the answers %s, want %s", where, got, want)
		}
	}
}

// TestRefusalsAreWhatTheDocumentSays: a client that was generated from the
// document must know every answer.
func TestRefusalsAreWhatTheDocumentSays(t *testing.T) {
	app := library()
	doc, _ := writtenDocument(t, app)
	api := fastnesstest.New(t, app)
	const id = "/books/3f2504e0-4f89-41d3-9a0c-0305e82c3301"
	for _, c := range []struct {
		method, path string
		res          *fastnesstest.Response
	}{
		{"GET", "/books", api.Get("/books?limit=0")},
		{"GET", "/books", api.Get("/books", fastnesstest.Header("Cookie", strings.Repeat("a=1; ", 200)+"a=1"), fastnesstest.Header("X-Room", "1"))},
		{"GET", "/books", api.Get("/books?a=%zz", fastnesstest.Header("X-Room", "1"))},
		{"PUT", "/books/{id}", api.Put(id, fastnesstest.JSON(`{`))},
		{"PUT", "/books/{id}", api.Put(id, fastnesstest.Raw{ContentType: "text/plain", Body: []byte("x")})},
		{"PUT", "/books/{id}", api.Put(id, fastnesstest.JSON(strings.Repeat(" ", 2<<20)))},
		{"PUT", "/books/{id}", api.Put(id, nil)},
		{"POST", "/books/{id}/covers", api.Post(id+"/covers", fastnesstest.JSON(`{}`))},
		{"GET", "/export", api.Get("/export", fastnesstest.Header("Host", "evil.example"))},
	} {
		documented := statuses(operation(t, doc, c.method, c.path))
		if status := c.res.Status; status < 400 || !slices.Contains(documented, strconv.Itoa(status)) {
			t.Errorf("%s %s answers %d %s, documented are %v", c.method, c.path, status, c.res.Body, documented)
		}
	}
}

func TestRequestsAndAnswersHaveSchemasOfTheirOwn(t *testing.T) {
	doc, _ := writtenDocument(t, library())
	in, _ := doc.Components.Schemas.Get("authorInput")
	out, _ := doc.Components.Schemas.Get("author")
	if in == nil || out == nil {
		t.Fatal("the components author and authorInput are not both there")
	}
	has := func(s *openapi.Schema, name string) bool { _, ok := s.Properties.Get(name); return ok }
	if has(in, "id") || !has(in, "password") || !has(out, "id") || has(out, "password") {
		t.Errorf("authorInput is %+v, author %+v: want password only in, id only out", in.Properties, out.Properties)
	}
	book, _ := doc.Components.Schemas.Get("book")
	bookIn, _ := doc.Components.Schemas.Get("bookInput")
	if book == nil || bookIn == nil || !has(book, "slug") || has(bookIn, "slug") {
		t.Error("the computed slug must be in answers and not in requests")
	}
}

func TestTypesOfOneNameAreToldApart(t *testing.T) {
	_, text := writtenDocument(t, library())
	var doc struct {
		Components struct {
			Schemas map[string]struct{ Properties map[string]any }
		}
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	var found []string
	for name, s := range doc.Components.Schemas {
		if strings.Contains(strings.ToLower(name), "license") {
			found = append(found, name)
			if _, ok := s.Properties["key"]; ok == strings.Contains(name, "openapi") {
				t.Errorf("component %s has the members of the other type", name)
			}
		}
	}
	if len(found) != 2 || slices.Contains(found, "License") {
		t.Errorf("components %q, want two, both with their packages", found)
	}
}

func TestDocumentSaysWhatTheDeclarationSays(t *testing.T) {
	doc, _ := writtenDocument(t, library())
	list := operation(t, doc, "GET", "/books")
	if list.Summary != "Lists the books of a shelf" || list.Description != "The newest come first.\n\nNothing is sorted in Markdown." {
		t.Errorf("summary %q, description %q, want those of the comment", list.Summary, list.Description)
	}
	if list.Extensions["x-access"] != "public" || list.Security == nil {
		t.Errorf("access %v, security %v, want public and none", list.Extensions["x-access"], list.Security)
	}
	put := operation(t, doc, "PUT", "/books/{id}")
	if put.Summary != "Put a book back" || !put.Deprecated || put.Extensions["x-since"] != 2 || !slices.Equal(put.Tags, []string{"books"}) {
		t.Errorf("PUT is %+v", put)
	}
	media, _ := put.RequestBody.Content.Get("application/json")
	if example, _ := media.Examples.Get("short"); example == nil || !bytes.Contains(example.Value, []byte(`"title":"A"`)) {
		t.Errorf("example %+v", example)
	}
	cover := operation(t, doc, "POST", "/books/{id}/covers")
	if cover.Summary != "Add cover" || cover.Description != "Up to a megabyte." || !slices.Equal(cover.Tags, []string{"books", "covers"}) {
		t.Errorf("POST is %+v", cover)
	}
	if _, hidden := doc.Paths.Get("/internal"); hidden {
		t.Error("the hidden operation is in the document")
	}
	var names []string
	for _, p := range list.Parameters {
		names = append(names, p.In+" "+p.Name)
		if (p.Name == "old") != p.Deprecated {
			t.Errorf("parameter %s: deprecated is %v", p.Name, p.Deprecated)
		}
	}
	if want := []string{"query author", "query since", "query limit", "query old", "header User-Agent", "header X-Room", "cookie theme"}; !slices.Equal(names, want) {
		t.Errorf("parameters %q, want %q", names, want)
	}
	var tags []string
	for _, tag := range doc.Tags {
		tags = append(tags, tag.Name)
	}
	if !slices.Equal(tags, []string{"books", "covers"}) {
		t.Errorf("tags %q, want the described one first", tags)
	}
}

func TestAuthorHasTheLastWordAboutTheDocument(t *testing.T) {
	app, public := open(fastness.Config{EditDocument: func(d *openapi.Document) { d.Info.Title = "Edited" }})
	fastness.Get(public, "/", say(""))
	if doc, _ := writtenDocument(t, app); doc.Info.Title != "Edited" {
		t.Errorf("title %q, want Edited", doc.Info.Title)
	}
	broken, public := open(fastness.Config{EditDocument: func(d *openapi.Document) { d.Paths = openapi.Map[*openapi.PathItem]{}; d.Info.Title = "" }})
	fastness.Get(public, "/", say(""))
	if err := broken.Start(t.Context()); err == nil {
		t.Error("Start() = nil with a document that is not valid")
	}
}

func TestSourceThatDoesNotParseIsAMistake(t *testing.T) {
	app, public := open(fastness.Config{Source: fstest.MapFS{"a.go": {Data: []byte("package")}}})
	fastness.Get(public, "/", say(""))
	if err := app.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "source") {
		t.Errorf("Start() = %v, want the mistake in the source", err)
	}
}

func TestServedDocumentIsTheDocument(t *testing.T) {
	app, public := open(fastness.Config{Docs: fastness.DocsPublic})
	fastness.Get(public, "/", say(""))
	_, text := writtenDocument(t, app)
	api := fastnesstest.New(t, app)
	api.Get("/openapi.json").Want(200).WantJSON(string(text))
	res := api.Get("/openapi.yaml").Want(200).WantHeader("Content-Type", "application/yaml")
	doc, err := openapi.Parse(res.Body)
	if err != nil || doc.Info.Title != "Test" {
		t.Errorf("the YAML does not parse: %v", err)
	}
}
