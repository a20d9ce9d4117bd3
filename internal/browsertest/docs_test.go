package browsertest_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/fastness/fastness/internal/browsertest"
	"github.com/fastness/fastness/openapi"
	"github.com/fastness/fastness/openapi/docs"
)

// lamps is a small API with its document and its page.
type lamps struct {
	*httptest.Server
	listed, created atomic.Int32
}

func serveLamps(t *testing.T, start func(http.Handler) *httptest.Server) *lamps {
	t.Helper()
	text, err := lampsDocument().JSON()
	if err != nil {
		t.Fatal(err)
	}
	page, err := docs.New(docs.Config{Title: "Lamps & <more>"})
	if err != nil {
		t.Fatal(err)
	}
	api := new(lamps)
	mux := http.NewServeMux()
	mux.Handle("/docs", http.StripPrefix("/docs", page))
	mux.Handle("/docs/", http.StripPrefix("/docs", page))
	mux.HandleFunc("GET /openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(text)
	})
	mux.HandleFunc("GET /lamps", func(w http.ResponseWriter, _ *http.Request) {
		api.listed.Add(1)
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `[{"name":"Lamp","price":"19.90"}]`)
	})
	mux.HandleFunc("POST /lamps", func(w http.ResponseWriter, r *http.Request) {
		var lamp struct{ Name string }
		if err := json.NewDecoder(r.Body).Decode(&lamp); err != nil || lamp.Name != "Lamp" {
			w.WriteHeader(http.StatusUnprocessableEntity)
			return
		}
		api.created.Add(1)
		w.WriteHeader(http.StatusCreated)
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { // Browsers ask for /favicon.ico.
		w.WriteHeader(http.StatusNoContent)
	})
	api.Server = start(mux)
	t.Cleanup(api.Close)
	return api
}

func lampsDocument() *openapi.Document {
	lamp := &openapi.Schema{Type: openapi.Types{"object"}, Required: []string{"name"}}
	lamp.Properties.Set("name", &openapi.Schema{Type: openapi.Types{"string"}, MaxLength: new(120), Description: "What it is called"})
	lamp.Properties.Set("price", &openapi.Schema{Type: openapi.Types{"string", "null"}, Format: "decimal"})
	ref := &openapi.Schema{Ref: "#/components/schemas/Lamp"}

	var ok openapi.Response
	ok.Description = "The lamps"
	ok.Content.Set("application/json", &openapi.MediaType{Schema: &openapi.Schema{Type: openapi.Types{"array"}, Items: ref}})
	list := &openapi.Operation{OperationID: "listLamps", Summary: "List the lamps", Tags: []string{"lamps"}, Parameters: []*openapi.Parameter{{
		Name: "limit", In: "query", Description: "How many at most", Schema: &openapi.Schema{Type: openapi.Types{"integer"}, Default: json.RawMessage("20")},
	}}}
	list.Responses.Set("200", &ok)

	body := &openapi.RequestBody{Required: true}
	body.Content.Set("application/json", &openapi.MediaType{Schema: ref, Example: json.RawMessage(`{"name":"Lamp","price":"19.90"}`)})
	create := &openapi.Operation{
		OperationID: "createLamp", Summary: "Put a lamp up for sale", Tags: []string{"lamps"}, RequestBody: body,
		Description: "Only *sellers* may do this. See `GET /lamps`.",
		Security:    []openapi.SecurityRequirement{{"bearer": nil}},
	}
	create.Responses.Set("201", &openapi.Response{Description: "Created"})
	create.Responses.Set("422", &openapi.Response{Description: "Not a lamp"})

	doc := &openapi.Document{
		Info: openapi.Info{Title: "Lamps", Version: "1.0.0", Description: "An API that sells lamps, and **nothing** else."},
		Tags: []openapi.Tag{{Name: "lamps", Description: "What is for sale"}},
	}
	doc.Paths.Set("/lamps", &openapi.PathItem{Get: list, Post: create})
	doc.Components.Schemas.Set("Lamp", lamp)
	doc.Components.SecuritySchemes.Set("bearer", &openapi.SecurityScheme{Type: "http", Scheme: "bearer"})
	return doc
}

var tries = []browsertest.Try{{Operation: "listLamps", Status: 200}, {Operation: "createLamp", Status: 201}}

func TestDocsPageWorksUnderItsPolicy(t *testing.T) {
	b := browsertest.Open(t)
	api := serveLamps(t, httptest.NewServer)
	shots := os.Getenv("FASTNESS_SCREENSHOTS")
	if shots == "" {
		shots = t.TempDir()
	}
	browsertest.CheckDocs(t, b, browsertest.Docs{URL: api.URL + "/docs", Operations: 2, Tries: tries, Screenshots: shots})
	if api.listed.Load() != 1 || api.created.Load() != 1 {
		t.Errorf("server saw %d lists and %d creations, want 1 and 1", api.listed.Load(), api.created.Load())
	}
	if got := browsertest.Evaluate[string](t, b, "document.title"); got != "Lamps & <more>" {
		t.Errorf("title is %q, want it as it was given", got)
	}
}

func TestDocsPageWorksOverTLSAndWithATrailingSlash(t *testing.T) {
	b := browsertest.Open(t, browsertest.AnyCertificate())
	api := serveLamps(t, httptest.NewTLSServer)
	browsertest.CheckDocs(t, b, browsertest.Docs{URL: api.URL + "/docs/", Operations: 2, Tries: tries[:1]})
}

// TestDocsPageOfARunningServer checks the page that $FASTNESS_DOCS_URL names.
func TestDocsPageOfARunningServer(t *testing.T) {
	address := os.Getenv("FASTNESS_DOCS_URL")
	if address == "" {
		t.Skip("FASTNESS_DOCS_URL does not name a page")
	}
	b := browsertest.Open(t, browsertest.AnyCertificate())
	b.Visit(t, address)
	browsertest.WaitForDocs(t, b)
	for _, problem := range b.Problems(t) {
		t.Error(problem)
	}
}

// Without this test, a browser that reports nothing would pass all others.
func TestForbiddenScriptsAndForeignRequestsAreNoticed(t *testing.T) {
	b := browsertest.Open(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Security-Policy", docs.Policy)
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, `<!doctype html><title>bad</title><script>document.title = "worse"</script>
			<p style="color:red">red</p><img src="http://127.0.0.1:9/pixel.png" alt="">`)
	}))
	t.Cleanup(server.Close)
	b.Visit(t, server.URL)
	all := strings.Join(b.Problems(t), "\n")
	for _, want := range []string{
		"policy violation: script-src-elem blocked inline", "policy violation: style-src-attr blocked inline",
		"policy violation: img-src blocked http://127.0.0.1:9/", "browser log: error",
	} {
		if !strings.Contains(all, want) {
			t.Errorf("no %q in:\n%s", want, all)
		}
	}
	if got := browsertest.Evaluate[string](t, b, "document.title"); got != "bad" {
		t.Errorf("title is %q: the policy was not applied", got)
	}
}
