package scan_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/fastness/fastness/scan"
)

const slashed = `{"openapi":"3.1.0","info":{"title":"Slashed","version":"1"},"paths":{
"/things/":{"get":{"security":[],"responses":{"200":{"description":"all"}}}},
"/live":{"get":{"security":[],"responses":{"200":{"description":"events"}}}}}}`

// slashes has a list at a path with a slash at its end, as net/http leads to, and a
// stream that does not end.
func slashes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /things/{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `[{"id":1,"name":"lamp"}]`)
	})
	mux.HandleFunc("GET /live", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprint(w, "data: 1\n\n")
		<-r.Context().Done()
	})
	return mux
}

func TestPathThatLeadsToADocumentedOneIsNoDiscovery(t *testing.T) {
	r, err := scan.Run(context.Background(), scan.Config{Handler: slashes(), Text: []byte(slashed), NoRegister: true, Profile: scan.Quick})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range r.Findings {
		if f.Kind.ID == "IV-01" {
			t.Errorf("%s: %s", f.Places[0], f.Claim)
		}
	}
}

func TestStreamThatDoesNotEndHasAnAnswer(t *testing.T) {
	begun := time.Now()
	r, err := scan.Run(context.Background(), scan.Config{Handler: slashes(), Text: []byte(slashed), NoRegister: true, Profile: scan.Passive})
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range r.Operations {
		if !o.Reached() {
			t.Errorf("%s %s: %s", o.Method, o.Path, o.Word())
		}
	}
	if took := time.Since(begun); took > 20*time.Second {
		t.Errorf("the scan took %v", took)
	}
}
