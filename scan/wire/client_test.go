package wire

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
)

// serve starts a target and returns a client for it.
func serve(t *testing.T, h http.HandlerFunc, change ...func(*Config)) *Client {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return connect(t, s.URL, change...)
}

// connect returns a client.
func connect(t *testing.T, target string, change ...func(*Config)) *Client {
	t.Helper()
	config := Config{Target: target}
	for _, f := range change {
		f(&config)
	}
	c, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func TestPathsAndQueriesAreSentAsTheyAre(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.RequestURI) })
	for _, path := range []string{
		"/", "/a/../b", "/%2e%2e/x", "//a//b", "//host/x", "/a%00b", "/a|b{c}\"<>^`\\", "/a;b=c", "/ü", "/a%2fb", "/.", "/[1]", "///",
	} {
		for _, query := range []string{"", "a=1&b=%zz", "q=<x>'\"{}|", "a=%0d%0a"} {
			r := Request{Method: "GET", Path: path, Query: query}
			if ex := c.Do(t.Context(), r); ex.Err != nil || ex.Text() != r.Target() {
				t.Errorf("%q arrived as %q, %v", r.Target(), ex.Text(), ex.Err)
			}
		}
	}
}
