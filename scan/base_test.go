package scan_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/fastness/fastness/scan"
)

// below serves a list and an object under a base, and pages that are all alike elsewhere if
// rest is set.
func below(base string, rest bool) http.Handler {
	mux := http.NewServeMux()
	for path, answer := range map[string]string{"/boats": `[{"id":1,"name":"Swan"}]`, "/harbours": `[{"id":7,"name":"North"}]`} {
		mux.HandleFunc("GET "+base+path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, answer)
		})
	}
	if rest {
		mux.HandleFunc("GET /api/", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<!doctype html><div id=root></div>") })
	}
	return mux
}

func boats(server string) []byte {
	return fmt.Appendf(nil, `{"openapi":"3.0.0","info":{"title":"Boats","version":"1"},"servers":[{"url":%q}],"paths":{
"/boats":{"get":{"responses":{"200":{"description":"all"}}}},"/harbours":{"get":{"responses":{"200":{"description":"all"}}}}}}`, server)
}

func TestDocumentThatNamesAnotherBaseIsUsed(t *testing.T) {
	for _, c := range []struct{ named, real string }{
		{"https://boats.example/api/v2", "/v2"},
		{"https://boats.example/gateway/boats/v1", "/boats/v1"},
		{"https://boats.example/v4", "/api/v4"},
		{"https://boats.example/api/v1/public", "/api/v1"},
		{"/", "/api/v1"},
		{"https://boats.example/staging", "/rest"},
		{"https://boats.example/", ""},
	} {
		r, err := scan.Run(context.Background(), scan.Config{Handler: below(c.real, false), Text: boats(c.named), NoRegister: true, Profile: scan.Passive})
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range r.Operations {
			if !o.Reached() || !strings.HasPrefix(o.Path, c.real+"/") {
				t.Errorf("%s for %s: %s %s: %s", c.named, c.real, o.Method, o.Path, o.Word())
			}
		}
	}
}

func TestBaseUnderWhichAllPathsAreAlikeIsNotTaken(t *testing.T) {
	r, err := scan.Run(context.Background(), scan.Config{Handler: below("/v2", true), Text: boats("https://boats.example/old"), NoRegister: true, Profile: scan.Passive})
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range r.Operations {
		if o.Path != "/v2/boats" && o.Path != "/v2/harbours" {
			t.Errorf("the operation is taken to be at %s", o.Path)
		}
	}
}
