package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const tokenHeader = "X-Preview-Token"

// createDraft returns the path of a new draft and the token that shows it.
func createDraft(s *shop) (path, token string) {
	s.t.Helper()
	path, item := s.create(`{"name":"Secret lamp","price":1,"draft":true}`)
	token, _ = item["preview_token"].(string)
	if len(token) < 26 || item["draft"] != true {
		s.t.Fatalf("POST of a draft = %v, want draft true and a preview token of at least 26 characters", item)
	}
	return path, token
}

var instance = regexp.MustCompile(`"instance":"[^"]*"`)

// anonymous returns the body of a problem without its request id.
func anonymous(r reply) string { return instance.ReplaceAllString(r.body, "") }

func TestDraftIsMissingWithoutItsToken(t *testing.T) {
	s := openShop(t, t.TempDir())
	path, token := createDraft(s)
	_, other := createDraft(s)
	hash := sha256.Sum256([]byte(token))
	attempts := map[string][]string{
		"no token":                 nil,
		"an empty token":           {tokenHeader, ""},
		"a wrong token":            {tokenHeader, strings.Repeat("A", len(token))},
		"a part of the token":      {tokenHeader, token[:len(token)-1]},
		"more than the token":      {tokenHeader, token + "A"},
		"the token in lower case":  {tokenHeader, strings.ToLower(token)},
		"another draft's token":    {tokenHeader, other},
		"what the database holds":  {tokenHeader, hex.EncodeToString(hash[:])},
		"the token elsewhere":      {"Authorization", "Bearer " + token},
		"the token in another way": {"X-Preview", token},
	}
	for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		never := s.call(method, "/items/999999", bodyFor(method))
		for name, header := range attempts {
			got := s.call(method, path, bodyFor(method), header...)
			if got.status != http.StatusNotFound {
				t.Errorf("%s with %s = %d %s, want 404", method, name, got.status, got.body)
			}
			if anonymous(got) != anonymous(never) {
				t.Errorf("%s with %s = %s, which tells a draft from no item: %s", method, name, got.body, never.body)
			}
		}
		if got := s.call(method, path, bodyFor(method), tokenHeader, token, tokenHeader, "x"); got.status != http.StatusUnprocessableEntity {
			t.Errorf("%s with two tokens = %d, want 422", method, got.status)
		}
	}
	if got := s.get(path, tokenHeader, token).decode(t); got["name"] != "Secret lamp" {
		t.Errorf("the draft after all attempts is %v, want it unchanged", got)
	}
}

func TestDraftIsShownToItsToken(t *testing.T) {
	s := openShop(t, t.TempDir())
	path, token := createDraft(s)
	got := s.get(path, tokenHeader, token)
	if item := got.decode(t); got.status != http.StatusOK || item["draft"] != true {
		t.Errorf("GET with the token = %d %v, want 200 and a draft", got.status, item)
	}
	if strings.Contains(got.body, token) || strings.Contains(got.body, "preview") {
		t.Errorf("GET tells the token again: %s", got.body)
	}
	if got.header.Get("Cache-Control") != "no-store" || got.header.Get("Vary") != tokenHeader {
		t.Errorf("GET of a draft has %v, want no-store: a cache would show it to anybody", got.header)
	}
	if got := s.call(http.MethodPut, path, `{"name":"Better lamp","price":2}`, tokenHeader, token); got.decode(t)["draft"] != true {
		t.Errorf("PUT with the token = %d %s, want a draft still", got.status, got.body)
	}
	if got := s.get(path); got.status != http.StatusNotFound {
		t.Errorf("GET without the token after PUT = %d, want 404", got.status)
	}
}

func TestDraftsAreNotListed(t *testing.T) {
	s := openShop(t, t.TempDir())
	createDraft(s)
	for _, got := range []reply{s.get("/items/?limit=100"), s.get("/", "Accept", "text/html"), s.get("/")} {
		if got.status != http.StatusOK || strings.Contains(got.body, "Secret") {
			t.Errorf("%d %s shows a draft", got.status, got.body)
		}
	}
	if got := s.total(); got != fmt.Sprint(samples) {
		t.Errorf("total is %s with a draft, want %d: the number tells of it", got, samples)
	}
}

func TestPublishedDraftIsForEverybody(t *testing.T) {
	s := openShop(t, t.TempDir())
	path, token := createDraft(s)
	if got := s.call(http.MethodPatch, path, `{"draft":false}`, tokenHeader, token); got.decode(t)["draft"] != false {
		t.Fatalf("PATCH draft false = %d %s, want an item for sale", got.status, got.body)
	}
	if got := s.get(path); got.status != http.StatusOK {
		t.Errorf("GET without the token = %d, want 200", got.status)
	}
	if got := s.total(); got != fmt.Sprint(samples+1) {
		t.Errorf("%s items are for sale, want %d", got, samples+1)
	}
}

func TestPublishedItemHasNoToken(t *testing.T) {
	s := openShop(t, t.TempDir())
	if _, item := s.create(`{"name":"Lamp","price":1,"draft":false}`); item["preview_token"] != nil {
		t.Errorf("POST without draft = %v, want no token", item)
	}
}

// Who gets a copy of the files or the log must not be able to open drafts.
func TestTokenIsKeptNowhere(t *testing.T) {
	log := logs(t)
	dir := t.TempDir()
	s := openShop(t, dir)
	path, token := createDraft(s)
	s.get(path, tokenHeader, token)
	s.stop()
	if !strings.Contains(log.String(), path) || strings.Contains(log.String(), token) {
		t.Errorf("the log is %s, want the request without its token", log)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("files in the data directory: %v, %v", files, err)
	}
	found := false
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		found = found || strings.Contains(string(data), "Secret lamp")
		if strings.Contains(string(data), token) {
			t.Errorf("%s holds the token", name)
		}
	}
	if !found {
		t.Error("no file holds the draft: this test looks in the wrong place")
	}
}

// A comparison that stops at the first difference tells, by its time, how much
// of a guess is right. What a clock would show only in the mean, the source
// shows for sure.
func TestTokensAreComparedInConstantTime(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "load.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	safe := false
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			name := fmt.Sprint(n.X, ".", n.Sel.Name)
			safe = safe || name == "subtle.ConstantTimeCompare"
			switch name {
			case "bytes.Equal", "bytes.Compare", "strings.Compare", "strings.EqualFold", "slices.Equal":
				t.Errorf("load.go uses %s", name)
			}
		case *ast.BinaryExpr:
			if n.Op == token.EQL || n.Op == token.NEQ {
				right, isName := n.Y.(*ast.Ident)
				_, isLiteral := n.Y.(*ast.BasicLit)
				if !isLiteral && (!isName || right.Name != "nil") {
					t.Errorf("load.go compares %v with %v", n.X, n.Y)
				}
			}
		}
		return true
	})
	if !safe {
		t.Error("load.go does not use subtle.ConstantTimeCompare")
	}
}
