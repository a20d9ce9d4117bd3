package fastness_test

import (
	"context"
	"html/template"
	"regexp"
	"strings"
	"testing"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/fastnesstest"
)

type greetingPage struct {
	fastness.Page
	Name string `json:"name"`
}

func TestPageHasItsNonceInThePolicy(t *testing.T) {
	app, public := open(fastness.Config{})
	var kept *greetingPage
	page := template.Must(template.New("").Parse(`<script nonce="{{.Nonce}}">1</script><p>{{.Name}}</p><script nonce="{{.Nonce}}">2</script>`))
	plain := template.Must(template.New("").Parse(`<p>{{.Name}}</p>`))
	fastness.Get(public, "/a", func(context.Context, none) (fastness.View[greetingPage], error) {
		return fastness.View[greetingPage]{Template: page, Body: greetingPage{Name: "<Ann>"}}, nil
	})
	fastness.Get(public, "/b", func(context.Context, none) (fastness.View[*greetingPage], error) {
		kept = &greetingPage{Name: "Bob"}
		return fastness.View[*greetingPage]{Template: plain, Body: kept}, nil
	})
	api := fastnesstest.New(t, app)
	api.Get("/a").WantJSON(`{"name":"\u003cAnn\u003e"}`)
	seen := map[string]bool{}
	for range 3 {
		res := api.Get("/a", fastnesstest.Header("Accept", "text/html"))
		found := regexp.MustCompile(`nonce="([A-Za-z0-9_-]{22})"`).FindAllStringSubmatch(string(res.Body), -1)
		if len(found) != 2 || found[0][1] != found[1][1] || seen[found[0][1]] {
			t.Fatalf("the page is %s", res.Body)
		}
		seen[found[0][1]] = true
		if policy := res.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "script-src 'nonce-"+found[0][1]+"' 'strict-dynamic'") || strings.Contains(policy, "unsafe") {
			t.Errorf("the policy is %s", policy)
		}
	}
	res := api.Get("/b", fastnesstest.Header("Accept", "text/html"))
	if policy := res.Header.Get("Content-Security-Policy"); strings.Contains(policy, "script-src") || !strings.Contains(policy, "default-src 'none'") {
		t.Errorf("a page that asks for no nonce has the policy %s", policy)
	}
	if _, err := kept.Nonce(); err == nil {
		t.Error("a page that was kept still makes nonces")
	}
}

func TestURLOfAnOperation(t *testing.T) {
	app, public := open(fastness.Config{})
	fastness.Get(public, "/items/{id}/files/{path...}", func(context.Context, struct {
		ID   string `path:"id"`
		Path string `path:"path"`
	}) (string, error) {
		return "", nil
	}, fastness.OperationID("readFile"))
	if _, err := app.URL("readFile", 1, "a"); err == nil {
		t.Error("an app that has not started knows addresses")
	}
	if err := app.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		args []any
		want string
	}{
		{[]any{7, "a/b c"}, "/items/7/files/a/b%20c"},
		{[]any{"ä?#%/\\", "x"}, "/items/%C3%A4%3F%23%25%2F%5C/files/x"},
		{[]any{"//evil.example", "x"}, "/items/%2F%2Fevil.example/files/x"},
		{[]any{7}, ""}, {[]any{"", "x"}, ""}, {[]any{"..", "x"}, ""}, {[]any{".", "x"}, ""},
	} {
		if got, err := app.URL("readFile", tt.args...); got != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("URL(%q) = %q, %v, want %q", tt.args, got, err, tt.want)
		}
	}
	if _, err := app.URL("nothing"); err == nil {
		t.Error("an operation that is not there has an address")
	}
}
