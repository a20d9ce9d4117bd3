package main

import (
	"net/http"
	"strings"
	"testing"
)

func TestCreateItemWrapsAndStoresNothing(t *testing.T) {
	s := openShop(t, t.TempDir())
	for body, want := range map[string]string{
		`{"name":"Foo"}`:                       `{"item":{"name":"Foo","description":null}}`,
		`{"name":"Foo","description":null}`:    `{"item":{"name":"Foo","description":null}}`,
		`{"name":"Foo","description":"A bar"}`: `{"item":{"name":"Foo","description":"A bar"}}`,
	} {
		if got := s.call(http.MethodPost, "/create_item/", body); got.status != http.StatusOK || got.body != want {
			t.Errorf("POST %s = %d %s, want 200 %s", body, got.status, got.body, want)
		}
	}
	if got := s.total(); got != "6" {
		t.Errorf("%s items are for sale, want the 6 samples", got)
	}
}

// An answer that repeats credentials hands them to any script that can make
// the request, cookies that are HttpOnly among them.
func TestReadItemShowsNoCredentials(t *testing.T) {
	s := openShop(t, t.TempDir())
	header := []string{"Accept-Language", "en", "X-Forwarded-Proto", "https"}
	for _, name := range []string{
		"Authorization", "Proxy-Authorization", "Proxy-Anything", "Set-Cookie", "X-Api-Key",
		"X-Session-Token", "X-CSRF-Token", "Client-Secret", "X-Auth-User", "X-Password",
	} {
		header = append(header, name, "Canary-1", name, "Canary-2")
	}
	header = append(header, "Cookie", "sid=Canary-3; theme=Canary-4")
	got := s.get("/read_item/7", header...)
	if got.status != http.StatusOK || strings.Contains(got.body, "Canary") {
		t.Errorf("GET = %d %s, want 200 without a credential", got.status, got.body)
	}
	view := got.decode(t)
	headers, cookies := view["headers"].(map[string]any), view["cookies"].(map[string]any)
	if view["item_id"].(interface{ String() string }).String() != "7" {
		t.Errorf("item_id is %v, want 7", view["item_id"])
	}
	for name, want := range map[string]any{
		"host": "localhost", "accept-language": "en", "x-forwarded-proto": "https",
		"authorization": "***", "cookie": "***", "set-cookie": "***", "proxy-authorization": "***", "x-api-key": "***",
		"x-session-token": "***", "client-secret": "***",
	} {
		if headers[name] != want {
			t.Errorf("header %s is %v, want %v", name, headers[name], want)
		}
	}
	if len(cookies) != 2 || cookies["sid"] != "***" || cookies["theme"] != "***" {
		t.Errorf("cookies are %v, want sid and theme, both ***", cookies)
	}
}

func TestReadItemWantsANumber(t *testing.T) {
	s := openShop(t, t.TempDir())
	if got := s.get("/read_item/x"); got.status != http.StatusUnprocessableEntity || !strings.Contains(got.body, "int_parsing") {
		t.Errorf("GET /read_item/x = %d %s, want 422 int_parsing", got.status, got.body)
	}
}
