package inject_test

import (
	"encoding/base64"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// get fetches an address, as a careless target does.
func get(address string) []byte {
	client := http.Client{Timeout: 2 * time.Second}
	res, err := client.Get(address)
	if err != nil {
		return nil
	}
	defer res.Body.Close()
	text, _ := io.ReadAll(res.Body)
	return text
}

func TestServerSideRequestForgeryIsFound(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var kept []string
	try(t, []string{"SS-01"}, []twin{
		{"a picture that is fetched", body("/picture", "application/json", "picture_url", "uri", "http://example.com/a.png"), func(w http.ResponseWriter, r *http.Request) {
			address, _ := sent(r, "picture_url").(string)
			say(w, 200, map[string]any{"data": base64.StdEncoding.EncodeToString(append([]byte("x"), get(address)...))})
		}, "SS-01 POST /picture"},
		{"a value that only looks like an address", query("/show", "v", "string", "http://example.com/a"), func(w http.ResponseWriter, r *http.Request) {
			get(r.FormValue("v"))
			say(w, 200, map[string]any{"ok": true})
		}, "SS-01 GET /show"},
		{"a hook that is stored and called later", `"/hooks": {` +
			`"get": {"responses": {"200": {"description": "it"}}}, "post": {"requestBody": {"required": true, "content": {"application/x-www-form-urlencoded": {"schema": {"type": "object", "required": ["callback"], "properties": {"callback": {"type": "string"}}}}}}, "responses": {"201": {"description": "it"}}}}`,
			func(w http.ResponseWriter, r *http.Request) {
				mu.Lock()
				defer mu.Unlock()
				if r.Method == http.MethodPost {
					kept = append(kept, r.FormValue("callback"))
					say(w, 201, map[string]any{"id": len(kept)})
					return
				}
				for _, address := range kept {
					get(address)
				}
				say(w, 200, map[string]any{"hooks": len(kept)})
			}, "SS-01 POST /hooks"},
	})
}

func TestAnAddressThatNobodyVisitsIsNoForgery(t *testing.T) {
	t.Parallel()
	try(t, []string{"SS-01"}, []twin{
		{"an address that is stored", body("/homepage", "application/json", "homepage_url", "uri", "http://example.com/"), func(w http.ResponseWriter, r *http.Request) {
			say(w, 200, map[string]any{"homepage_url": sent(r, "homepage_url")})
		}, ""},
		{"an address of a list", query("/proxy", "url", "uri", "http://example.com/"), func(w http.ResponseWriter, r *http.Request) {
			if !strings.HasPrefix(r.FormValue("url"), "http://example.com/") {
				say(w, 400, map[string]string{"error": "not there"})
				return
			}
			say(w, 200, map[string]any{"body": "example"})
		}, ""},
	})
}
