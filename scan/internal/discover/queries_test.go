package discover

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/fastness/fastness/scan/wire"
)

func TestGraphQLThatTakesPOSTAlone(t *testing.T) {
	for _, queries := range []bool{true, false} {
		var posted []string
		mux := http.NewServeMux()
		mux.HandleFunc("POST /", func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			posted = append(posted, r.URL.Path+" "+string(body))
			if r.URL.Path != "/graphql" {
				w.WriteHeader(404)
				return
			}
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, `{"data":{"__typename":"Query"}}`)
		})
		s := httptest.NewServer(mux)
		c, err := wire.New(wire.Config{Target: s.URL})
		if err != nil {
			t.Fatal(err)
		}
		r := Run(t.Context(), Config{Send: c.Do, Queries: queries})
		c.Close()
		s.Close()
		if got := slices.Contains(names(r.Operations), "POST /graphql"); got != queries {
			t.Errorf("queries %v: found %v in %q", queries, got, names(r.Operations))
		}
		for _, p := range posted {
			if !queries || !slices.Contains([]string{"/graphql", "/api/graphql", "/v1/graphql", "/gql"}, p[:len(p)-len(` {"query":"{__typename}"}`)]) {
				t.Errorf("queries %v: was sent %s", queries, p)
			}
		}
	}
}
