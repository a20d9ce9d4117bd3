package main

import (
	"context"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth/access"
)

// spellings are other ways to write /items/{id}. A proxy that guards the one
// must not be passed with another.
func spellings(id string) []string {
	return []string{
		"//items/" + id, "/items//" + id, "///items/" + id, "/./items/" + id, "/items/./" + id, "/items/" + id + "/.", "/items/" + id + "/..",
		"/x/../items/" + id, "/items/x/../" + id, "/..;/items/" + id, "/items/..;/items/" + id, "/items/.;/" + id, "/.;x/items/" + id,
		"/%2e/items/" + id, "/x/%2e%2e/items/" + id, "/x/.%2e/items/" + id, "/x/%2E./items/" + id, "/items%2f" + id, "/items%2F" + id, "%2fitems/" + id,
		"/items%252f" + id, "/items/%252e/" + id, "/%252e%252e/items/" + id, "/items%5c" + id, "/items\\" + id, "\\items\\" + id, "/items/" + id + "%5c",
		"/x/%c0%ae%c0%ae/items/" + id, "/items%c0%af" + id, "/items%e0%80%af" + id, "/%ffitems/" + id, "/items/" + id + "%00", "/items/" + id + "%0a", "/items%00/" + id,
		"/ITEMS/" + id, "/Items/" + id, "/iTems/" + id, "/items/" + id + ";", "/items;/" + id, "/items;x=y/" + id, "/items/" + id + ";a=b",
		"/ｉｔｅｍｓ/" + id, "/%EF%BD%89tems/" + id, "/itemſ/" + id, "/item%C5%BF/" + id, "/ıtems/" + id, "/items/%EF%BC%91", "/іtems/" + id, "/items/" + id + "%E2%80%8B", "/items\u2215" + id,
		"/items/" + id + ".json", "/items/" + id + "%20", "/items/%20" + id, "/items/" + id + "#", "/items/" + id + "%23", "/items/" + id + "%3f", "/items/+" + id, "/items/0" + id, "/items/" + id + ".0",
		"items/" + id, "./items/" + id, "*", "/items/" + id + "/", "/items/" + id + "//", "/items/%zz", "/items/%", "/items/%2",
		"http://localhost//items/" + id, "http://localhost/items%2f" + id, "http://localhost:/items\\" + id, "http:/items/" + id, "http:items/" + id,
	}
}

// The attacker has all rights, so that whatever is reached shows and acts.
func TestOtherSpellingOfAPathReachesNothing(t *testing.T) {
	eachStack(t, func(t *testing.T, s *stack) {
		c := s.client(t)
		path := c.post("/test/items/", `{"name":"a secret draft","price":1,"draft":true}`).header.Get("Location")
		token := "Bearer " + c.logIn(c.account("root", "castle", "admin"))
		if got := c.get(path, "Authorization", token); got.status != http.StatusOK {
			t.Fatalf("the draft for an administrator: %d", got.status)
		}
		ask := func(method, target string) reply {
			return s.one(t, method+" "+target+" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: "+token+"\r\n\r\n")
		}
		for _, id := range []string{"1", strings.TrimPrefix(path, "/items/")} {
			for _, target := range spellings(id) {
				for _, method := range []string{"GET", "DELETE"} {
					got := ask(method, target)
					if strings.Contains(got.body, "a secret draft") {
						t.Errorf("%s %s shows the draft", method, target)
					}
					if got.status == http.StatusTemporaryRedirect && got.header.Get("Location") == "/items/"+id {
						continue // To the one way to write it, where the same rules hold.
					}
					wantProblem(t, method+" "+target, got, 400, 404, 422)
				}
			}
			for _, target := range []string{"/items/" + id, "/%69tems/" + id, "/items/%3" + id[:1] + id[1:], "http://localhost/items/" + id} {
				if got := ask("GET", target); got.status != http.StatusOK { // Decoded once, it is the same path.
					t.Errorf("%s: %d, want 200 as for the plain path", target, got.status)
				}
				raw := "DELETE " + target + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
				wantProblem(t, target+" by nobody", s.one(t, raw), http.StatusUnauthorized)
			}
			if got := c.get("/items/"+id, "Authorization", token); got.status != http.StatusOK {
				t.Errorf("the item is gone: %d", got.status)
			}
		}
	})
}

// climbs are ways out of a folder, as many as there are combinations.
func climbs() (targets []string) {
	up := []string{"..", "%2e%2e", ".%2e", "%252e%252e", "..;", "%c0%ae%c0%ae", "%uff0e%uff0e", "．．", "..%00", "....", ".../..", "%2e%2e%3b"}
	slash := []string{"/", "%2f", "\\", "%5c", "%252f", "//", "%c0%af", "%25c0%25af", "/./"}
	files := []string{"etc/passwd", "canary.txt", "main.go", "dev-ca%2fca-key.pem"}
	for _, prefix := range []string{"/files/", "/files/sub/", "/"} {
		for _, u := range up {
			for _, s := range slash {
				for _, depth := range []int{1, 2, 9} {
					for _, file := range files {
						targets = append(targets, prefix+strings.Repeat(u+s, depth)+file)
					}
				}
			}
		}
	}
	return append(targets, plainClimbs()...)
}

// plainClimbs are those that are not made of parts; all of them are tried.
func plainClimbs() []string {
	return []string{
		"/files//etc/passwd", "/files/file:///etc/passwd", "/files/%2fetc%2fpasswd", "/files/C:/canary.txt", "/files/link", "/files/out/canary.txt", "/files/link/",
		"/files/inside.txt%00.png", "/files/inside.txt/../link", "/files/..", "/files/.", "/files../canary.txt", "/static/../main.go", "/static/..%2fmain.go",
		"/static//shop.css", "/static/", "/static", "/static/home.html", "/static/shop.css/", "/static/shop.css%00", "/static/.", "/static/%2e%2e/go.mod",
	}
}

const canary = "canary: what lies outside must not be seen"

// sealed says of what cannot be opened that it is not there. To net/http a link
// that leads out is a failure of the server, a 500.
type sealed struct{ fs.FS }

func (s sealed) Open(name string) (fs.File, error) {
	file, err := s.FS.Open(name)
	if err != nil {
		return nil, fs.ErrNotExist
	}
	return file, nil
}

// filesApp serves a folder in the way that Go has for it: an os.Root, which no
// path and no link leaves.
func filesApp(t *testing.T) *fastness.App {
	t.Helper()
	outside := t.TempDir()
	inside := filepath.Join(outside, "public")
	for _, err := range []error{
		os.MkdirAll(filepath.Join(inside, "sub"), 0o700),
		os.WriteFile(filepath.Join(outside, "canary.txt"), []byte(canary), 0o600),
		os.WriteFile(filepath.Join(inside, "inside.txt"), []byte("inside"), 0o600),
		os.Symlink(filepath.Join(outside, "canary.txt"), filepath.Join(inside, "link")),
		os.Symlink("..", filepath.Join(inside, "out")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	root, err := os.OpenRoot(inside)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = root.Close() })
	app := newApp(unlimited())
	fastness.Mount(app, "/files", http.FileServerFS(sealed{root.FS()}), access.Public)
	fastness.Mount(app, "/loose", http.FileServer(http.Dir(inside)), access.Public)
	return app
}

func TestTraversalStaysInside(t *testing.T) {
	for _, args := range [][]string{nil, plainHTTP[:]} {
		name, step := "over TLS", 37 // Each takes a handshake.
		if args != nil {
			name, step = "over plain HTTP", 5
		}
		t.Run(name, func(t *testing.T) {
			s := serveApp(t, filesApp(t), args...)
			c := s.client(t)
			if got := c.get("/files/inside.txt"); got.status != http.StatusOK || got.body != "inside" {
				t.Fatalf("the file inside: %d %q", got.status, got.body)
			}
			if got := c.get("/loose/link"); got.body != canary {
				t.Errorf("http.Dir does not follow the link (%d): what is os.Root for?", got.status)
			}
			targets := climbs()
			for i, target := range targets {
				if i%step != 0 && i < len(targets)-len(plainClimbs()) {
					continue
				}
				got := s.one(t, "GET "+target+" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
				if strings.Contains(got.body, canary) || strings.Contains(got.body, "root:") || strings.Contains(got.body, "PRIVATE KEY") || strings.Contains(got.body, "package main") {
					t.Errorf("%s shows what is outside: %d %.80q", target, got.status, got.body)
				}
				if got.status < 300 || got.status >= 500 {
					t.Errorf("%s: %d %.100q, want it refused", target, got.status, got.body)
				}
			}
		})
	}
}

// Middleware that guards a group sees every request that reaches the group,
// however its path is written.
func TestSpellingDoesNotWalkAroundMiddleware(t *testing.T) {
	reached := func(context.Context, struct{}) (fastness.NoContent, error) { return fastness.NoContent{}, nil }
	guard := fastness.Middleware(func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "guarded", http.StatusForbidden) })
	})
	app := newApp(unlimited())
	admin := app.Group("/office", access.Public, guard)
	fastness.Get(admin, "", reached)
	fastness.Get(admin, "/users", reached)
	fastness.Get(admin, "/users/", reached)
	fastness.Post(admin, "/users", reached)
	s := serveApp(t, app, plainHTTP[:]...)
	for _, path := range []string{
		"/office", "/office/", "/office/users", "/office/users/", "/%6fffice/users", "/office/%75sers", "//office/users", "/office//users", "/office/./users", "/office/..;/office/users",
		"/OFFICE/users", "/office/users/.", "/office%2fusers", "/office/users%2f", "/office\\users", "/x/..%2foffice/users", "/office;x/users", "/office/users;x", "/office/users/?", "/ｏffice/users",
		"/office/users%20", "/office/users%00", "/office/users.json", "http://localhost/office/users",
	} {
		for _, method := range []string{"GET", "POST", "OPTIONS", "PUT"} {
			got := s.one(t, method+" "+path+" HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
			if got.status == http.StatusNoContent && got.header.Get("Allow") == "" || got.status == http.StatusOK {
				t.Errorf("%s %s passed the guard: %d", method, path, got.status)
			}
		}
	}
	if got := s.client(t).get("/office/users"); got.status != http.StatusForbidden {
		t.Errorf("the guard answers %d, want 403", got.status)
	}
}
