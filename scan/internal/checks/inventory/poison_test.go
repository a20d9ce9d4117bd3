package inventory_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// cdn answers a page that loads a script, which names the host of who asked for it first.
// Key is what the cache keeps it by; without one it is not kept.
func cdn(key func(*http.Request) string, reflects func(*http.Request) string) http.HandlerFunc {
	var mu sync.Mutex
	kept := map[string]string{}
	return guarded("/me", func(w http.ResponseWriter, r *http.Request) bool {
		switch r.URL.Path {
		case "/":
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, `<title>Castle</title><script src="/assets/settings.js"></script>`)
			return true
		case "/assets/settings.js":
		default:
			return false
		}
		w.Header().Set("Content-Type", "text/javascript")
		text := `window.API = "https://` + reflects(r) + `/";`
		if key != nil {
			mu.Lock()
			defer mu.Unlock()
			at := key(r)
			if kept[at] == "" {
				kept[at] = text
			}
			text = kept[at]
		}
		fmt.Fprint(w, text)
		return true
	})
}

func forwarded(r *http.Request) string {
	if h := r.Header.Get("X-Forwarded-Host"); h != "" {
		return h
	}
	return r.Host
}

func TestAPoisonedScriptThatIsOnlyLoadedByAPageIsFound(t *testing.T) {
	byAddress := func(r *http.Request) string { return r.URL.RequestURI() }
	want(t, found(t, "CA-01", get("/me"), cdn(byAddress, forwarded)), "GET /assets/settings.js (header X-Forwarded-Host)")
}

func TestScriptsThatNobodyCanPoisonAreNoFinding(t *testing.T) {
	silent(t, found(t, "CA-01", get("/me"), cdn(nil, forwarded)))
	silent(t, found(t, "CA-01", get("/me"), cdn(func(r *http.Request) string { return r.URL.RequestURI() + " " + forwarded(r) }, forwarded)))
	silent(t, found(t, "CA-01", get("/me"), cdn(func(r *http.Request) string { return r.URL.Path }, func(*http.Request) string { return "api.example.com" })))
	// It repeats whatever it was last told, at any address: that is no cache.
	var mu sync.Mutex
	last := ""
	silent(t, found(t, "CA-01", get("/me"), guarded("/me", func(w http.ResponseWriter, r *http.Request) bool {
		mu.Lock()
		defer mu.Unlock()
		if h := r.Header.Get("X-Forwarded-Host"); h != "" {
			last = h
		}
		if r.URL.Path == "/" || strings.HasPrefix(r.URL.Path, "/log") {
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, `<a href="/log">last host: `+last+`</a>`)
			return true
		}
		return false
	})))
}
