package framing_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/fastness/fastness/guard/framing"
)

// A request of HTTP/2 comes to the handler without a guarded connection.
func TestParsedRequestsAreHeldToTheSameRules(t *testing.T) {
	handler := newGuard(t, framing.Config{}).Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	for _, tt := range []struct {
		name   string
		method string
		target string
		header http.Header
		status int
		code   string
	}{
		{"a fair one passes", "POST", "/", http.Header{"Content-Length": {"5"}, "Cookie": {"a=b", "c=d"}}, 204, ""},
		{"a method in lower case", "get", "/", nil, 400, "malformed_method"},
		{"a method with a space", "GET /x", "/", nil, 400, "malformed_method"},
		{"TRACE", "TRACE", "/", nil, 405, "method_not_allowed"},
		{"8 KiB of target pass", "GET", target(8 << 10), nil, 204, ""},
		{"a byte more does not", "GET", target(8<<10 + 1), nil, 414, "target_too_long"},
		{"two content types", "POST", "/", http.Header{"Content-Type": {"a/a", "b/b"}}, 400, "duplicate_field"},
		{"two lengths", "POST", "/", http.Header{"Content-Length": {"5", "5"}}, 400, "duplicate_field"},
		{"a length with a sign", "POST", "/", http.Header{"Content-Length": {"+5"}}, 400, "malformed_content_length"},
		{"a length with a space", "POST", "/", http.Header{"Content-Length": {" 5"}}, 400, "malformed_content_length"},
		{"a length with a leading zero", "POST", "/", http.Header{"Content-Length": {"05"}}, 400, "malformed_content_length"},
		{"a length of zero passes", "POST", "/", http.Header{"Content-Length": {"0"}}, 204, ""},
		{"an empty length", "POST", "/", http.Header{"Content-Length": {""}}, 400, "malformed_content_length"},
		{"a length beyond int64", "POST", "/", http.Header{"Content-Length": {"9999999999999999999"}}, 400, "malformed_content_length"},
		{"101 fields", "GET", "/", http.Header{"X": make([]string, 101)}, 431, "too_many_fields"},
		{"a header section that is too large", "GET", "/", http.Header{"X": {strings.Repeat("v", 32<<10)}}, 431, "header_too_large"},
		{"cookies that are too large", "GET", "/", http.Header{"Cookie": {strings.Repeat("c", 8<<10), strings.Repeat("c", 8<<10+1)}}, 431, "cookies_too_large"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest("POST", tt.target, nil)
			r.Method, r.Header, r.ProtoMajor, r.ProtoMinor = tt.method, tt.header, 2, 0
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, r)
			if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.code) {
				t.Errorf("%d %s, want %d %s", w.Code, w.Body, tt.status, tt.code)
			}
		})
	}
}
