package access_test

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/fastness/fastness/scan"
)

const lockerDocument = `{"openapi": "3.0.3", "info": {"title": "Lockers", "version": "1"}, "security": [{"key": []}],
"components": {"securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-Box-Key"}}},
"paths": {
"/signUp": {"post": {"security": [], "requestBody": {"content": {"application/json": {"schema": {"type": "object", "required": ["eMail", "pin"], "properties": {"eMail": {"type": "string"}, "pin": {"type": "string", "pattern": "^[0-9]{4}$"}}}}}}, "responses": {"200": {"description": "in"}}}},
"/signIn": {"post": {"security": [], "requestBody": {"content": {"application/json": {"schema": {"type": "object", "required": ["eMail", "pin"], "properties": {"eMail": {"type": "string"}, "pin": {"type": "string"}}}}}}, "responses": {"200": {"description": "in"}}}},
"/profile": {"get": {"responses": {"200": {"description": "me"}}}},
"/profile/update": {"post": {"requestBody": {"content": {"application/json": {"schema": {"type": "object", "properties": {"motto": {"type": "string"}}}}}}, "responses": {"200": {"description": "changed"}}}},
"/addressBook": {"get": {"responses": {"200": {"description": "mine"}}}, "post": {"requestBody": {"content": {"application/json": {"schema": {"type": "object", "required": ["label"], "properties": {"label": {"type": "string"}}}}}}, "responses": {"200": {"description": "made"}}}},
"/piers": {"get": {"responses": {"200": {"description": "all"}}}},
"/addressBook/{entryCode}/move": {"post": {"parameters": [{"name": "entryCode", "in": "path", "required": true, "schema": {"type": "string"}}], "requestBody": {"content": {"application/json": {"schema": {"type": "object", "required": ["pier_slug"], "properties": {"pier_slug": {"type": "string"}}}}}}, "responses": {"200": {"description": "moved"}}}},
"/addressBook/{entryCode}": {"get": {"parameters": [{"name": "entryCode", "in": "path", "required": true, "schema": {"type": "string"}}], "responses": {"200": {"description": "one"}}},
	"delete": {"parameters": [{"name": "entryCode", "in": "path", "required": true, "schema": {"type": "string"}}], "responses": {"200": {"description": "gone"}}}}}}`

// locker is an API of PINs, codes, and 200 for everything.
type locker struct {
	tierInSignUp, tierInUpdate, removeAny, moveAny bool

	mu      sync.Mutex
	people  map[string]map[string]any
	entries map[string]map[string]any
	next    int
}

func (l *locker) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	ok := func(v any) { _ = json.NewEncoder(w).Encode(map[string]any{"status": "ok", "data": v}) }
	no := func(code string) {
		_ = json.NewEncoder(w).Encode(map[string]any{"status": "error", "error": map[string]any{"code": code}})
	}
	shown := func(p map[string]any) map[string]any {
		return map[string]any{"eMail": p["eMail"], "accountTier": p["accountTier"], "motto": p["motto"]}
	}
	w.Header().Set("Content-Type", "application/json")
	in := map[string]any{}
	if r.Method == "POST" {
		in = body(r)
	}
	mail, pin := fmt.Sprint(in["eMail"]), fmt.Sprint(in["pin"])
	switch r.URL.Path {
	case "/signUp":
		if !strings.Contains(mail, "@") || !regexp.MustCompile(`^[0-9]{4}$`).MatchString(pin) || l.people[mail] != nil {
			no("BAD_FIELDS")
			return
		}
		p := map[string]any{"eMail": mail, "pin": pin, "accountTier": "basic", "motto": ""}
		if tier, has := in["accountTier"].(string); has && l.tierInSignUp {
			p["accountTier"] = tier
		}
		l.people[mail] = p
		ok(shown(p))
		return
	case "/signIn":
		if p := l.people[mail]; p == nil || p["pin"] != pin {
			no("WRONG")
		} else {
			ok(map[string]any{"sessionKey": fmt.Sprintf("%x", mail)})
		}
		return
	}
	key, _ := hex.DecodeString(r.Header.Get("X-Box-Key"))
	me := string(key)
	p := l.people[me]
	if p == nil {
		no("SIGN_IN_FIRST")
		return
	}
	code, below := strings.CutPrefix(r.URL.Path, "/addressBook/")
	code, moves := strings.CutSuffix(code, "/move")
	switch e := l.entries[code]; {
	case r.Method == "GET" && r.URL.Path == "/profile":
		ok(shown(p))
	case r.Method == "POST" && r.URL.Path == "/profile/update":
		for name, v := range in {
			if text, isText := v.(string); isText && (name == "motto" || name == "accountTier" && l.tierInUpdate) {
				p[name] = text
			}
		}
		ok(shown(p))
	case r.Method == "POST" && r.URL.Path == "/addressBook" && in["label"] != nil:
		l.next++
		code := fmt.Sprintf("ab-%c%05d", 'a'+l.next%7, l.next*37)
		l.entries[code] = map[string]any{"of": me, "code": code, "label": in["label"], "pier": "old-town"}
		ok(map[string]any{"entryCode": code, "label": in["label"]})
	case r.Method == "GET" && r.URL.Path == "/addressBook":
		out := []any{}
		for i := range l.next + 1 {
			if e := l.entries[fmt.Sprintf("ab-%c%05d", 'a'+i%7, i*37)]; e != nil && e["of"] == me {
				out = append(out, map[string]any{"entryCode": e["code"], "label": e["label"]})
			}
		}
		ok(out)
	case below && e == nil, below && e["of"] != me && (r.Method != "DELETE" || !l.removeAny) && (!moves || !l.moveAny):
		no("UNKNOWN_ENTRY")
	case below && r.Method == "DELETE":
		delete(l.entries, code)
		ok(map[string]any{"removed": code})
	case below && r.Method == "GET":
		ok(map[string]any{"entryCode": e["code"], "label": e["label"], "pier_slug": e["pier"]})
	case moves && (in["pier_slug"] == "old-town" || in["pier_slug"] == "new-port"):
		e["pier"] = in["pier_slug"]
		ok(map[string]any{"pier_slug": e["pier"]})
	case r.Method == "GET" && r.URL.Path == "/piers":
		ok([]any{map[string]any{"slug": "old-town"}, map[string]any{"slug": "new-port"}})
	default:
		no("NO_SUCH_CALL")
	}
}

func TestAnAPIOfPINsAndCodes(t *testing.T) {
	t.Parallel()
	for want, l := range map[string]*locker{
		"BP-01 POST /signUp":                       {tierInSignUp: true},
		"BP-02 POST /profile/update":               {tierInUpdate: true},
		"AZ-03 DELETE /addressBook/{entryCode}":    {removeAny: true},
		"AZ-02 POST /addressBook/{entryCode}/move": {moveAny: true},
		"": {},
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			l.entries, l.people = map[string]map[string]any{}, map[string]map[string]any{}
			for mail, pin := range map[string]string{"alice@box.example": "4821", "bob@box.example": "7350"} {
				l.people[mail] = map[string]any{"eMail": mail, "pin": pin, "accountTier": "basic", "motto": ""}
			}
			r, err := scan.Run(context.Background(), scan.Config{
				Handler: l, Text: []byte(lockerDocument), Checks: []string{"AZ-01", "AZ-02", "AZ-03", "BP-01", "BP-02", "AU-11"},
				Users: []scan.User{{Username: "alice@box.example", Password: "4821"}, {Username: "bob@box.example", Password: "7350"}},
			})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range r.Findings {
				got = append(got, f.Kind.ID+" "+f.Places[0].Method+" "+f.Places[0].Path)
			}
			if len(got) > 1 || !slices.Contains(append(got, ""), want) || want == "" && len(got) > 0 {
				t.Errorf("found %q, want %q", got, want)
			}
		})
	}
}
