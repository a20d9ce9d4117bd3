package discover

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// A page of which the path goes on as one likes repeats it in the middle of words that are
// names of other paths: all, count, list, debug, internal, admin.
func TestPathsBelowAPageThatRepeatsThemAreNotThere(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("/state.php/", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, "<title>state</title><p>allow_all on, refcount 7, list of internal functions, debug off, admin off, user me, metrics</p><p>%s</p><p>%s</p>",
			r.URL.Path, strings.TrimPrefix(r.URL.Path, "/state.php"))
	})
	mux.HandleFunc("/{$}", says("text/html", `<a href="/state.php/">state</a>`))
	r := run(t, mux, Config{})
	for _, op := range names(r.Operations) {
		if strings.HasPrefix(op, "GET /state.php/") && op != "GET /state.php/" {
			t.Errorf("%s is found", op)
		}
	}
}
