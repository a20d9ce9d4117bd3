package session_test

import (
	"context"
	"fmt"
	"html"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/fastness/fastness/scan"
)

// pages is a site of pages and forms. A form of it that is taken leads to a page.
type pages struct {
	mu    sync.Mutex
	mails map[string]string
	// guarded forms hold a token, without which they are refused.
	guarded bool
}

func (p *pages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	user := ""
	if c, err := r.Cookie("sitting"); err == nil {
		user = strings.TrimPrefix(c.Value, "sitting-0123456789-")
	}
	switch r.Method + " " + r.URL.Path {
	case "GET /login":
		fmt.Fprint(w, `<form method="post" action="/login"><input name="username"><input name="password" type="password"></form>`)
	case "POST /login":
		name := r.FormValue("username")
		if r.FormValue("password") != "Lantern-1-"+name {
			fmt.Fprint(w, `<p>Wrong.</p><form method="post" action="/login"><input name="username"><input name="password" type="password"></form>`)
			return
		}
		http.SetCookie(w, &http.Cookie{Name: "sitting", Value: "sitting-0123456789-" + name, Path: "/", HttpOnly: true})
		http.Redirect(w, r, "/berth", http.StatusFound)
	case "GET /":
		fmt.Fprint(w, `<a href="/login">in</a> <a href="/berth">berth</a>`)
	case "GET /berth", "POST /berth/mail":
		if user == "" {
			http.Redirect(w, r, "/login", http.StatusFound)
			return
		}
		if r.Method == "POST" {
			if p.guarded && r.FormValue("csrf_token") != "g-"+user {
				http.Error(w, "no", http.StatusForbidden)
				return
			}
			if !strings.Contains(r.FormValue("email"), "@") {
				http.Error(w, "an address is wanted", http.StatusBadRequest)
				return
			}
			p.mails[user] = r.FormValue("email")
			http.Redirect(w, r, "/berth", http.StatusFound)
			return
		}
		fmt.Fprintf(w, `<p>%s, %s</p><form method="post" action="/berth/mail"><input name="email" type="email" value="%s@mail.example">`, user, html.EscapeString(p.mails[user]), user)
		if p.guarded {
			fmt.Fprintf(w, `<input type="hidden" name="csrf_token" value="g-%s">`, user)
		}
		fmt.Fprint(w, `</form>`)
	default:
		http.NotFound(w, r)
	}
}

func TestAFormThatLeadsToAPageIsForged(t *testing.T) {
	t.Parallel()
	for _, guarded := range []bool{false, true} {
		r, err := scan.Run(context.Background(), scan.Config{
			Profile: scan.CI, Handler: &pages{mails: map[string]string{}, guarded: guarded}, Checks: []string{"CS-01"},
			Users: []scan.User{{Username: "alice", Password: "Lantern-1-alice"}, {Username: "bob", Password: "Lantern-1-bob"}},
		})
		if err != nil {
			t.Fatal(err)
		}
		if found := len(r.Findings) == 1; found == guarded {
			t.Errorf("guarded %t: %d findings", guarded, len(r.Findings))
		}
	}
}
