package main

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
)

// browser is how a browser asks for a page.
const browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"

func TestHomeIsJSONForPrograms(t *testing.T) {
	s := openShop(t, t.TempDir())
	for _, accept := range []string{"", "*/*", "application/json"} {
		var header []string
		if accept != "" {
			header = []string{"Accept", accept}
		}
		got := s.get("/", header...)
		if got.body != `{"message":"Hello World"}` || got.header.Get("Content-Type") != "application/json" {
			t.Errorf("GET / with Accept %q = %s %s, want the message in JSON", accept, got.header.Get("Content-Type"), got.body)
		}
	}
}

func TestHomeListsItemsForBrowsers(t *testing.T) {
	s := openShop(t, t.TempDir())
	got := s.get("/", "Accept", browser)
	if got.status != http.StatusOK || got.header.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Fatalf("GET / = %d %s, want a page", got.status, got.header.Get("Content-Type"))
	}
	for _, want := range []string{
		"Bread for the garrison", "<strong>0.30</strong>", `href="/items/6/page"`, "curl -k https://localhost/items/", "<h1>", `lang="en"`,
	} {
		if !strings.Contains(got.body, want) {
			t.Errorf("the page does not have %s", want)
		}
	}
	if policy := got.header.Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") {
		t.Errorf("the page's policy is %s", policy)
	}
}

// activeIn finds what the policy of a page would have to allow: scripts, styles and
// handlers within the page, beside the one script that the shop has.
func activeIn(page string) string { return active.FindString(ownScript.ReplaceAllString(page, "")) }

var (
	nonce     = regexp.MustCompile(`nonce-[\w-]+`)
	ownScript = regexp.MustCompile(`<script src="/static/live\.js" nonce="[\w-]{22,}" defer></script>\n</body>\n</html>\s*$`)
)

var active = regexp.MustCompile(`(?i)<script|<style|<iframe|<object|<[^>]*\sstyle\s*=|<[^>]*\son\w+\s*=|javascript:|data:`)

func TestPageHasNothingActive(t *testing.T) {
	s := openShop(t, t.TempDir())
	if found := activeIn(s.get("/", "Accept", browser).body); found != "" {
		t.Errorf("the page has %q", found)
	}
}

func TestScriptInAnItemIsText(t *testing.T) {
	s := openShop(t, t.TempDir())
	s.create(`{"name":"<script>alert(1)</script>","description":"\"><img src=x onerror=alert(2)><style>*{}</style>{{.}}","price":1}`)
	got := s.get("/", "Accept", browser).body
	if found := activeIn(got); found != "" {
		t.Errorf("the page has %q", found)
	}
	for _, want := range []string{"&lt;script&gt;alert(1)&lt;/script&gt;", "&lt;img src=x onerror=alert(2)&gt;", "{{.}}"} {
		if !strings.Contains(got, want) {
			t.Errorf("the page does not show %s", want)
		}
	}
}

func TestForeignHostDoesNotGetIntoThePage(t *testing.T) {
	s := openShop(t, t.TempDir())
	got := s.get("/", "Accept", browser, "X-Forwarded-Host", "evil.example")
	if strings.Contains(got.body, "evil.example") {
		t.Error("the page names the host of X-Forwarded-Host")
	}
}

func TestPageLoadsOnlyWhatTheShopServes(t *testing.T) {
	s := openShop(t, t.TempDir())
	page := s.get("/", "Accept", browser).body
	wants := map[string]string{"/static/shop.css": "text/css; charset=utf-8", "/static/shop.svg": "image/svg+xml", "/static/live.js": "text/javascript; charset=utf-8"}
	for _, match := range regexp.MustCompile(`(?:<link[^>]*href|src)="([^"]*)"`).FindAllStringSubmatch(page, -1) {
		want, known := wants[match[1]]
		got := s.get(match[1])
		if !known || got.status != http.StatusOK || got.header.Get("Content-Type") != want || got.body == "" {
			t.Errorf("%s = %d %s, want 200 %s", match[1], got.status, got.header.Get("Content-Type"), want)
		}
	}
	for _, target := range []string{"/static/", "/static/home.html", "/static/..%2fmain.go"} {
		if got := s.get(target); got.status != http.StatusNotFound && got.status != http.StatusBadRequest {
			t.Errorf("%s = %d, want it not served", target, got.status)
		}
	}
}

func TestEmptyShopSaysSo(t *testing.T) {
	s := openShop(t, t.TempDir()).as(admin())
	for _, id := range "123456" {
		s.call(http.MethodDelete, "/items/"+string(id), "")
	}
	if got := s.get("/", "Accept", browser); !strings.Contains(got.body, "The shelves are empty") {
		t.Errorf("the page of an empty shop = %d %s", got.status, got.body)
	}
}

func TestMoneyIsNotRounded(t *testing.T) {
	for in, want := range map[string]string{"1": "1.00", "0.1": "0.10", "0.125": "0.125", "1.500": "1.50", "1e3": "1000.00"} {
		if got := money(decimal.RequireFromString(in)); got != want {
			t.Errorf("money(%s) = %s, want %s", in, got, want)
		}
	}
}
