package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
)

func TestItemLivesFromPostToDelete(t *testing.T) {
	s := openShop(t, t.TempDir())
	path, created := s.create(`{"name":"Lamp","description":"Brass","price":10,"tax":1.5}`)
	want := map[string]any{
		"item_id": json.Number("7"), "name": "Lamp", "description": "Brass", "draft": false, "seller": "s1", "stock": nil, "picture": nil,
		"price": json.Number("10"), "tax": json.Number("1.5"), "price_with_tax": json.Number("11.5"),
	}
	if path != "/items/7" || !maps.Equal(created, want) {
		t.Errorf("POST = %s %v, want /items/7 %v", path, created, want)
	}

	read := s.get(path + "?q=shade").decode(t)
	if read["q"] != "shade" {
		t.Errorf("GET ?q=shade answers q = %v, want shade", read["q"])
	}
	delete(read, "q")
	if !maps.Equal(read, want) {
		t.Errorf("GET = %v, want %v", read, want)
	}
	if q, there := s.get(path).decode(t)["q"]; !there || q != nil {
		t.Errorf("GET without q answers q = %v, want null", q)
	}
	if head := s.call(http.MethodHead, path, ""); head.status != http.StatusOK { // The server drops the body.
		t.Errorf("HEAD = %d, want 200", head.status)
	}

	replaced := s.call(http.MethodPut, path, `{"name":"Lantern","price":12}`)
	want["name"], want["description"], want["tax"] = "Lantern", nil, nil
	want["price"], want["price_with_tax"] = json.Number("12"), json.Number("12")
	if got := replaced.decode(t); replaced.status != http.StatusOK || !maps.Equal(got, want) {
		t.Errorf("PUT = %d %v, want 200 %v", replaced.status, got, want)
	}

	if got := s.call(http.MethodDelete, path, ""); got.status != http.StatusNoContent || got.body != "" {
		t.Errorf("DELETE = %d %q, want 204 without a body", got.status, got.body)
	}
	for _, method := range []string{http.MethodGet, http.MethodPatch, http.MethodPut, http.MethodDelete} {
		if got := s.call(method, path, bodyFor(method)); got.status != http.StatusNotFound {
			t.Errorf("%s after DELETE = %d, want 404", method, got.status)
		}
	}
	if again, _ := s.create(`{"name":"Lamp","price":1}`); again == path {
		t.Errorf("a new item got the path %s of one that is gone", again)
	}
}

// bodyFor returns a body that the method takes on an item.
func bodyFor(method string) string {
	switch method {
	case http.MethodPut:
		return `{"name":"x","price":1}`
	case http.MethodPatch:
		return `{"name":"x"}`
	}
	return ""
}

func TestPatchChangesOnlyWhatWasSent(t *testing.T) {
	for _, tt := range []struct {
		name, change string
		want         map[string]any // what differs
	}{
		{"nothing", `{}`, nil},
		{"the name", `{"name":"Lantern"}`, map[string]any{"name": "Lantern"}},
		{"the description", `{"description":"Tin"}`, map[string]any{"description": "Tin"}},
		{"the description to null", `{"description":null}`, map[string]any{"description": nil}},
		{"the price", `{"price":0}`, map[string]any{"price": json.Number("0"), "price_with_tax": json.Number("1.5")}},
		{"the tax", `{"tax":2}`, map[string]any{"tax": json.Number("2"), "price_with_tax": json.Number("12")}},
		{"the tax to null", `{"tax":null}`, map[string]any{"tax": nil, "price_with_tax": json.Number("10")}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := openShop(t, t.TempDir())
			path, want := s.create(`{"name":"Lamp","description":"Brass","price":10,"tax":1.5}`)
			maps.Copy(want, tt.want)
			patched := s.call(http.MethodPatch, path, tt.change)
			if got := patched.decode(t); patched.status != http.StatusOK || !maps.Equal(got, want) {
				t.Errorf("PATCH %s = %d %v, want 200 %v", tt.change, patched.status, got, want)
			}
			stored := s.get(path).decode(t)
			delete(stored, "q")
			if !maps.Equal(stored, want) {
				t.Errorf("GET after PATCH %s = %v, want %v", tt.change, stored, want)
			}
		})
	}
}

// With floats 0.1 + 0.2 is 0.30000000000000004.
func TestPriceWithTaxIsExact(t *testing.T) {
	s := openShop(t, t.TempDir())
	for _, tt := range []struct{ price, tax, want string }{
		{"0.1", "0.2", "0.3"},
		{"10", "1.5", "11.5"},
		{"10", "null", "10"},
		{"0", "0", "0"},
		{"1.10", "2.20", "3.3"},
		{"9007199254740993", "0.01", "9007199254740993.01"},
		{"99999999999999999999999999.99", "0.01", "100000000000000000000000000"},
	} {
		path, _ := s.create(fmt.Sprintf(`{"name":"x","price":%s,"tax":%s}`, tt.price, tt.tax))
		if got := s.get(path); !strings.Contains(got.body, `"price_with_tax":`+tt.want+"}") {
			t.Errorf("%s with tax %s: %s, want price_with_tax %s", tt.price, tt.tax, got.body, tt.want)
		}
	}
}

func TestWhatIsNotDeclaredIsRefused(t *testing.T) {
	s := openShop(t, t.TempDir()).as(admin())
	before := s.get("/items/1").body
	for _, tt := range []struct{ name, method, path, body, wantCode string }{
		{"an unknown member", "POST", "/items/", `{"name":"x","price":1,"colour":"red"}`, "extra_forbidden"},
		{"an id of the caller's", "POST", "/items/", `{"item_id":1,"name":"x","price":1}`, "extra_forbidden"},
		{"a changed id", "PATCH", "/items/1", `{"item_id":2}`, "extra_forbidden"},
		{"a total of the caller's", "PATCH", "/items/1", `{"price_with_tax":0}`, "extra_forbidden"},
		{"a seller of the caller's", "PATCH", "/items/1", `{"seller":"s2"}`, "extra_forbidden"},
		{"a new item of another seller", "POST", "/items/", `{"name":"x","price":1,"seller":"s2"}`, "extra_forbidden"},
		{"a negative cost", "PATCH", "/items/1", `{"cost":-1}`, "greater_than_equal"},
		{"an item for sale that hides", "PATCH", "/items/1", `{"draft":true}`, "value_error"},
		{"a draft by replacement", "PUT", "/items/1", `{"name":"x","price":1,"draft":true}`, "extra_forbidden"},
		{"an empty name", "POST", "/items/", `{"name":"","price":1}`, "string_too_short"},
		{"a name of 121 characters", "POST", "/items/", `{"name":"` + strings.Repeat("é", 121) + `","price":1}`, "string_too_long"},
		{"a name that is null", "PATCH", "/items/1", `{"name":null}`, "string_type"},
		{"a long description", "PATCH", "/items/1", `{"description":"` + strings.Repeat("x", 10_001) + `"}`, "string_too_long"},
		{"a negative price", "POST", "/items/", `{"name":"x","price":-5}`, "greater_than_equal"},
		{"a negative tax", "PATCH", "/items/1", `{"tax":-0.01}`, "greater_than_equal"},
		{"a price that is text", "PATCH", "/items/1", `{"price":"1"}`, "float_type"},
		{"no price", "PUT", "/items/1", `{"name":"x"}`, "missing"},
		{"no items", "GET", "/items/?limit=0", "", "greater_than_equal"},
		{"too many items", "GET", "/items/?limit=101", "", "less_than_equal"},
		{"items before the first", "GET", "/items/?offset=-1", "", "greater_than_equal"},
		{"two limits", "GET", "/items/?limit=1&limit=2", "", "duplicate_parameter"},
		{"an id that is no number", "GET", "/items/x", "", "int_parsing"},
		{"an id below the first", "GET", "/items/0", "", "greater_than_equal"},
		{"a long q", "GET", "/items/1?q=" + strings.Repeat("x", 51), "", "string_too_long"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := s.call(tt.method, tt.path, tt.body)
			if got.status != http.StatusUnprocessableEntity || !strings.Contains(got.body, `"code":"`+tt.wantCode+`"`) {
				t.Errorf("%s %s = %d %s, want 422 with code %s", tt.method, tt.path, got.status, got.body, tt.wantCode)
			}
		})
	}
	if after := s.get("/items/1").body; after != before || s.total() != fmt.Sprint(samples) {
		t.Errorf("after refused requests item 1 is %s of %s, want %s of %d", after, s.total(), before, samples)
	}
}

func TestLongestContentsAreStored(t *testing.T) {
	s := openShop(t, t.TempDir())
	name, description := strings.Repeat("é", 120), strings.Repeat("ü", 10_000)
	path, _ := s.create(fmt.Sprintf(`{"name":%q,"description":%q,"price":1}`, name, description))
	if got := s.get(path).decode(t); got["name"] != name || got["description"] != description {
		t.Errorf("GET %s does not answer with the longest name and description", path)
	}
}

func TestListPagesFromTheNewest(t *testing.T) {
	s := openShop(t, t.TempDir())
	s.create(`{"name":"newest","price":1}`)
	var names []string
	for offset := range samples + 2 {
		list := s.get(fmt.Sprintf("/items/?limit=1&offset=%d", offset)).decode(t)
		if got := list["total"]; got != json.Number("7") {
			t.Errorf("total at offset %d is %v, want 7", offset, got)
		}
		for _, item := range list["items"].([]any) {
			names = append(names, item.(map[string]any)["name"].(string))
		}
	}
	if len(names) != samples+1 || names[0] != "newest" || names[1] != "Bread for the garrison" || names[6] != "Portcullis, small" {
		t.Errorf("the pages hold %q, want 7 names from the newest", names)
	}
	if got := s.get("/items/?offset=100").body; !strings.Contains(got, `"items":[]`) {
		t.Errorf("a page beyond the end is %s, want an empty list", got)
	}
}

// What a caller sends is an argument of a statement, never a part of its text.
func TestSQLInNamesIsText(t *testing.T) {
	s := openShop(t, t.TempDir())
	names := storable([]string{
		`'); DROP TABLE items; --`, `" OR 1=1 --`, `x' || (SELECT seller FROM items) || '`, "%", `\'`, "\\u0000",
	})
	for _, name := range names {
		path, created := s.create(fmt.Sprintf(`{"name":"%s","price":1}`, strings.NewReplacer(`"`, `\"`, `\'`, `\\'`).Replace(name)))
		if got := s.get(path).decode(t); got["name"] != created["name"] {
			t.Errorf("name %q was stored as %q", created["name"], got["name"])
		}
	}
	for _, q := range []string{"1'%20OR%20'1'='1", "1;DROP%20TABLE%20items"} {
		if got := s.get("/items/?limit=" + q); got.status != http.StatusUnprocessableEntity && got.status != http.StatusBadRequest {
			t.Errorf("limit=%s = %d, want a refusal", q, got.status)
		}
	}
	if got, stored := s.total(), samples+len(names); got != fmt.Sprint(stored) {
		t.Errorf("%s items are for sale, want %d", got, stored)
	}
}
