package session_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/coder/websocket"

	"github.com/fastness/fastness/scan"
	"github.com/fastness/fastness/scan/finding"
)

const post = `{"openapi": "3.1.0", "info": {"title": "Post", "version": "1"},
"components": {"securitySchemes": {"cookie": {"type": "apiKey", "in": "cookie", "name": "session"}}}, "security": [{"cookie": []}],
"paths": {
"/login": {"post": {"security": [], "requestBody": {"content": {"application/json": {"schema": {"type": "object", "required": ["username", "password"], "properties": {"username": {"type": "string"}, "password": {"type": "string"}}}}}}, "responses": {"200": {"description": "in"}}}},
"/letters": {"post": {"requestBody": {"content": {"application/json": {"schema": {"type": "object", "required": ["text"], "properties": {"text": {"type": "string"}}}}}}, "responses": {"201": {"description": "made"}}}},
"/letters/{letter_id}": {"get": {"parameters": [{"name": "letter_id", "in": "path", "required": true, "schema": {"type": "string"}}], "responses": {"200": {"description": "it"}}}},
"/news": {"get": {"responses": {"101": {"description": "A message for each letter."}}}}}}`

// office keeps letters, and tells of them over a WebSocket.
type office struct {
	mu      sync.Mutex
	letters map[string]map[string]string
	ears    map[chan string]string // who listens

	public     bool // letters are for everybody
	everywhere bool // there is a WebSocket at any address
	silent     bool // nothing is told of letters
	open       bool // nobody needs to log in to listen
	all        bool // those who listen hear of everybody's letters
	origin     bool // other origins are refused
	greets     bool // the first message names the user
	board      bool // the first message names all users, to everybody
	stamped    bool // only what was asked for with a token of the page is told
	sameSite   http.SameSite
}

func (o *office) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	user := ""
	if c, err := r.Cookie("session"); err == nil {
		user, _ = strings.CutPrefix(c.Value, "s-0123456789-")
	}
	var in map[string]string
	_ = json.NewDecoder(r.Body).Decode(&in)
	if r.URL.Path == "/news" || o.everywhere && r.Header.Get("Upgrade") != "" {
		o.listen(w, r, user)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	o.mu.Lock()
	defer o.mu.Unlock()
	id, one := strings.CutPrefix(r.URL.Path, "/letters/")
	letter := o.letters[id]
	switch {
	case r.URL.Path == "/login" && in["password"] == "Lantern-1-"+in["username"]:
		http.SetCookie(w, &http.Cookie{Name: "session", Value: "s-0123456789-" + in["username"], Path: "/", HttpOnly: true, SameSite: o.sameSite})
		fmt.Fprint(w, `{"ok": true}`)
	case user == "" && !(o.public && one && letter != nil):
		http.Error(w, `{"error": "log in first"}`, http.StatusUnauthorized)
	case r.URL.Path == "/letters" && r.Method == "POST" && in["text"] != "":
		letter = map[string]string{"id": fmt.Sprintf("l-%d", 100+len(o.letters)), "text": in["text"], "owner": user}
		o.letters[letter["id"]] = letter
		text, _ := json.Marshal(letter)
		for ear, who := range o.ears {
			if !o.silent && (o.all || who == user) {
				select {
				case ear <- string(text):
				default:
				}
			}
		}
		w.WriteHeader(http.StatusCreated)
		_ = json.NewEncoder(w).Encode(letter)
	case one && letter != nil && (o.public || letter["owner"] == user) && r.Method == "GET":
		_ = json.NewEncoder(w).Encode(letter)
	default:
		http.Error(w, `{"error": "not here"}`, http.StatusNotFound)
	}
}

func (o *office) listen(w http.ResponseWriter, r *http.Request, user string) {
	if user == "" && !o.open {
		http.Error(w, `{"error": "log in first"}`, http.StatusUnauthorized)
		return
	}
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: !o.origin})
	if err != nil {
		return
	}
	defer func() { _ = conn.CloseNow() }()
	ear := make(chan string, 64)
	if !o.stamped {
		o.mu.Lock()
		o.ears[ear] = user
		o.mu.Unlock()
	}
	ctx := conn.CloseRead(r.Context())
	hello := `{"event":"hello"}`
	if o.greets && user != "" {
		hello = `{"user":"` + user + `"}`
	}
	if o.board {
		hello = `{"here":["alice.a","bob.b"]}`
	}
	for {
		if conn.Write(ctx, websocket.MessageText, []byte(hello)) != nil {
			return
		}
		select {
		case hello = <-ear:
		case <-ctx.Done():
			return
		}
	}
}

func listening(t *testing.T, o *office) []*finding.Finding {
	t.Helper()
	o.letters, o.ears = map[string]map[string]string{}, map[chan string]string{}
	server := httptest.NewServer(o)
	defer server.Close()
	r, err := scan.Run(t.Context(), scan.Config{
		Target: server.URL, Text: []byte(post), Checks: []string{"WS-01"}, NoRegister: true,
		Users: []scan.User{{Username: "alice.a", Password: "Lantern-1-alice.a"}, {Username: "bob.b", Password: "Lantern-1-bob.b"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range r.Checks {
		if c.Failed != "" {
			t.Error(c.Failed)
		}
	}
	return r.Findings
}

func TestWebSocketsThatTellOthersAreFound(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]*office{
		"nobody hears all":                    {open: true, all: true, origin: true},
		"another user hears all":              {all: true, origin: true},
		"other sites, with the name":          {greets: true},
		"other sites, with what is made":      {},
		"other sites, beside an open greeter": {greets: true, open: true, silent: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if found := listening(t, o); len(found) != 1 || !strings.HasPrefix(found[0].Places[0].String(), "GET /news") {
				t.Errorf("%d findings", len(found))
			}
		})
	}
}

func TestWebSocketsThatTellNobodyElseAreNoFinding(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]*office{
		"the origin is checked":           {origin: true, greets: true},
		"SameSite":                        {greets: true, sameSite: http.SameSiteLaxMode},
		"a public feed":                   {open: true, all: true, public: true},
		"a feed of nothing":               {open: true, silent: true},
		"a feed for users of public news": {all: true, public: true, origin: true},
		"an echo at any address":          {open: true, all: true, everywhere: true},
		"a board of who is here":          {open: true, board: true, silent: true},
		"a message must hold a token":     {stamped: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, f := range listening(t, o) {
				t.Errorf("%s: %s", f.Places[0], f.Claim)
			}
		})
	}
}

func TestAHandlerOfTheSameProcessIsAskedForNoWebSocket(t *testing.T) {
	t.Parallel()
	o := &office{open: true, all: true, letters: map[string]map[string]string{}, ears: map[chan string]string{}}
	r, err := scan.Run(t.Context(), scan.Config{Handler: o, Text: []byte(post), Checks: []string{"WS-01"}, NoRegister: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range r.Checks {
		if c.Kind.ID == "WS-01" && !strings.Contains(c.Failed, "same process") {
			t.Errorf("the check says %q", c.Failed)
		}
	}
	if len(r.Findings) > 0 {
		t.Errorf("%d findings", len(r.Findings))
	}
}
