package fastness_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/fastnesstest"
	"github.com/fastness/fastness/guard/cors"
)

// A page that cannot read an error does not know what is wrong: the headers are on
// every answer, and vary by Origin whoever asks.
func TestAllowedOriginReadsEveryAnswer(t *testing.T) {
	const page = "https://app.example.com"
	app, requests := everyStatus(t, fastness.Config{CORS: cors.Config{Origins: []string{page}, Credentials: true}})
	api := fastnesstest.New(t, app)
	for status, list := range requests {
		for _, r := range list {
			for origin, want := range map[string]string{page: page, "https://evil.example": "", "null": "", "": ""} {
				r.Header.Del("Origin")
				if origin != "" {
					r.Header.Set("Origin", origin)
				}
				r.Header.Set("Sec-Fetch-Site", "same-origin") // Only what may be read is asked here.
				again := r.Clone(t.Context())
				again.Body = http.NoBody
				if r.GetBody != nil {
					again.Body, _ = r.GetBody()
				}
				res := api.Send(again).Want(status).WantHeader("Access-Control-Allow-Origin", want)
				if !strings.Contains(strings.Join(res.Header["Vary"], ","), "Origin") {
					t.Errorf("%s %s: Vary is %q, want Origin in it", r.Method, r.URL, res.Header["Vary"])
				}
			}
		}
	}
}

func TestPreflightAllowsWhatThePathHas(t *testing.T) {
	app, public := open(fastness.Config{CORS: cors.Config{Origins: []string{"https://app.example.com"}, Headers: []string{"Authorization"}}})
	fastness.Get(public, "/a", say("a"))
	api := fastnesstest.New(t, app)
	preflight := func(origin, method string) *fastnesstest.Response {
		return api.Do("OPTIONS", "/a", nil, fastnesstest.Header("Origin", origin), fastnesstest.Header("Access-Control-Request-Method", method),
			fastnesstest.Header("Access-Control-Request-Headers", "authorization"))
	}
	preflight("https://app.example.com", "GET").Want(204).WantHeader("Access-Control-Allow-Origin", "https://app.example.com").WantHeader("Access-Control-Allow-Methods", "GET, HEAD")
	preflight("https://app.example.com", "DELETE").Want(403).WantHeader("Access-Control-Allow-Origin", "")
	preflight("https://evil.example", "GET").Want(403).WantHeader("Access-Control-Allow-Origin", "")
	api.Do("OPTIONS", "/a", nil).Want(204).WantHeader("Allow", "GET, HEAD, OPTIONS")
}

func TestAnyOriginWithCredentialsDoesNotStart(t *testing.T) {
	app, _ := open(fastness.Config{CORS: cors.Config{InsecureAnyOrigin: "public data", Credentials: true, Origins: []string{"null"}}})
	if err := app.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "config: CORS: ") {
		t.Errorf("Start() = %v", err)
	}
}
