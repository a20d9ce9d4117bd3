package main

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"slices"
	"strings"
	"testing"
	texttemplate "text/template"
	"time"
)

// pageIn opens a page in Chromium and returns what it became after its scripts
// have run.
func pageIn(t *testing.T, address string) string {
	t.Helper()
	program := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			program = path
			break
		}
	}
	if program == "" {
		t.Skip("there is no Chromium here")
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	page, err := exec.CommandContext(ctx, program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking",
		"--disable-component-update", "--no-first-run", "--user-data-dir="+t.TempDir(), "--timeout=10000", "--dump-dom", address).Output()
	if err != nil {
		t.Fatalf("Chromium: %v", err)
	}
	return string(page)
}

// unescapedPages are the pages by text/template, which does not escape.
func unescapedPages(t *testing.T) *texttemplate.Template {
	t.Helper()
	loose, err := texttemplate.New("").Funcs(texttemplate.FuncMap(funcs())).ParseFS(web, "web/*.html")
	if err == nil {
		// The script of the page has a nonce, and this page has no answer to belong to.
		loose, err = loose.Parse(`{{define "foot"}}</body></html>{{end}}`)
	}
	if err != nil {
		t.Fatal(err)
	}
	return loose
}

// What a browser runs is seen by the title that it gives the page.
func TestMarkupInAnItemDoesNotRunInABrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("starting a browser takes seconds")
	}
	const pwned = "<title>1</title>"
	var names []string
	for _, text := range storable(payloads()) {
		names = append(names, strings.ReplaceAll(text, "alert(1)", "document.title=1"))
	}
	loose := unescapedPages(t)
	bare := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		var out bytes.Buffer
		if err := loose.ExecuteTemplate(&out, "home.html", Home{Items: []shownItem{{ID: 1, Name: names[0]}}}); err != nil {
			t.Error(err)
		}
		_, _ = w.Write(out.Bytes()) // As the browser takes it: text/html.
	}))
	defer bare.Close()
	if page := pageIn(t, bare.URL); !strings.Contains(page, pwned) {
		t.Errorf("nothing runs on a page without escaping and policy: %s", page)
	}

	s := serveShop(t, plainHTTP[:]...)
	c := s.client(t)
	for all := range slices.Chunk(names, len(names)/12+1) { // The page shows twelve items.
		c.create(`{"price":1,"name":` + quote(all[0]) + `,"description":` + quote(strings.Join(all, "\n")) + `}`)
	}
	page := pageIn(t, "http://"+s.addr+"/")
	if !strings.Contains(page, "<title>The Fastness shop</title>") || strings.Contains(page, pwned) {
		t.Errorf("something ran, or the page is another one: %s", page)
	}
	if !strings.Contains(page, "&lt;svg onload=document.title=1&gt;") {
		t.Errorf("the page does not show the payloads: %s", page)
	}
}
