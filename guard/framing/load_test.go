package framing_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/fastness/fastness/guard/framing"
)

// Many requests over few connections, so that reads ahead, aborted reads and bodies of
// both kinds meet.
func TestBodiesComeThroughUnchangedUnderLoad(t *testing.T) {
	addr := serve(t, newGuard(t, framing.Config{}), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body) // net/http drops what is unread when the answer begins.
		if err != nil {
			t.Errorf("reading the body: %v", err)
		}
		_, _ = w.Write(body)
	}))
	transport := &http.Transport{MaxConnsPerHost: 4}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	var all sync.WaitGroup
	for worker := range 8 {
		all.Go(func() {
			for i := range 50 {
				want := strings.Repeat(fmt.Sprintf("%d.%d|", worker, i), i*i)
				var body io.Reader = strings.NewReader(want)
				if i%2 == 0 {
					body = io.MultiReader(body) // of unknown length: chunked
				}
				response, err := client.Post("http://"+addr+"/", "text/plain", body)
				if err != nil {
					t.Errorf("post %d.%d: %v", worker, i, err)
					return
				}
				got, err := io.ReadAll(response.Body)
				_ = response.Body.Close()
				if err != nil || string(got) != want {
					t.Errorf("echo %d.%d: %d bytes, %v, want %d bytes", worker, i, len(got), err, len(want))
				}
			}
		})
	}
	all.Wait()
}
