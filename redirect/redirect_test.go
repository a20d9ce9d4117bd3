package redirect_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/fastness/fastness/redirect"
)

const site = "https://site.example/dir/page"

func targets(t testing.TB, allow ...string) *redirect.Targets {
	t.Helper()
	all, err := redirect.New(redirect.Config{Allow: allow})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// payloads are targets with which strangers would have the browser leave: every
// way to begin an address, with every spelling of a foreign host, and what is
// known beside.
func payloads() (all []string) {
	begins := []string{
		"//", "///", "////", "/////", `/\`, `\/`, `\\`, `\\\`, `/\/`, `/\\`, `//\`, `/\/\`, `\/\/`,
		"/\t/", "/\n/", "/\r/", "/\r\n/", "\t//", "\n//", "\r\n//", " //", "\x00//", "\x0b//", "\x1f//", "\u00a0//", "\u2028//", "\ufeff//", "/\x00/", "/ /",
		"/\t\\", "\t/\t/\t", "/\u200b/", "/.//", "/..//", "/./\\", "/%2e//", "/%2e%2e//", "/a/..//", "/%09/", "/%5c", "/%2f", "/%2f%2f", "/%0d/", "/%00/",
		"https://", "http://", "HTTPS://", "hTtPs://", "https:", "https:/", "https:///", `https:\\`, `https:/\`, "https:\t//", "ht\ttps://", "\thttps://", "https\n://",
		" https://", "\x01https://", "ftp://", "ws://", "wss://", "file://", "feed:https://", "blob:https://", "view-source:https://", "url:", "://", ":https://",
		"/https://", "./https://", "//https:", "///https://", "//https:///", "／／", "/／", "⁄⁄", "∕∕", "https：//", "http:// ",
	}
	hosts := []string{
		"evil.example", "evil.example/", "evil.example/%2e%2e", "evil.example/..", "evil.example?site.example", "evil.example#site.example",
		"evil.example%23.site.example", "site.example@evil.example", "site.example:443@evil.example", "site.example%40evil.example", "user:pass@evil.example",
		"site.example.evil.example", `evil.example\@site.example`, "evil.example%00.site.example", "evil。example", "ｅvil.example", "evil.example:80",
		"[::1]", "[::ffff:7f00:1]", "127.0.0.1", "2130706433", "0x7f.1", "evil.example\tsite.example", "evil%E3%80%82example", "ℯvil.example", "xn--vil-6kc.example",
	}
	for _, begin := range begins {
		for _, host := range hosts {
			all = append(all, begin+host)
		}
	}
	for _, scheme := range []string{"javascript", "JavaScript", "java\tscript", "java\nscript", "\x01javascript", " javascript", "vbscript", "data", "blob", "about", "jar", "mailto", "tel", "intent", "chrome", "file"} {
		for _, rest := range []string{":alert(1)", "://%0aalert(1)", "://site.example/%0aalert(1)", ":text/html,<script>alert(1)</script>", ":/", ":"} {
			all = append(all, scheme+rest)
		}
	}
	return append(all,
		"", ".", "..", "there", "./there", "../there", "?a=/b", "#/b", "@evil.example", ".evil.example", ":80", "/.", "/..", "/a/.", "/a/../b", "/a/%2e%2E/b", "/%2e/",
		"/.%2e/", "/a/..;/b/../c", "/there\r\nSet-Cookie: a=b", "/there\nX: y", "/there\x7f", "/%", "/there%zz", "/ there", "/there ", "/there\t", "/\x85/evil.example",
		"https://site.example", "https://site.example/", "http://site.example/", "https://site.example:443/", "//site.example/",
	)
}

// listed are targets that begin with a listed origin and lead elsewhere, or may.
func listed() (all []string) {
	for _, o := range []string{"https://accounts.example.com", "http://localhost:5173"} {
		for _, rest := range []string{
			".evil.example", "@evil.example", ":80", ":443@evil.example", "evil.example", "%00.evil.example", "%2eevil.example", "?a", "#a", `\@evil.example`, `\evil.example`,
			"\t.evil.example", "\n@evil.example", " ", "//evil.example", `/\evil.example`, "/\t/evil.example", "/a\r\nX: y", "/../..//evil.example", "/%2e%2e", "/a b", "。evil.example", "0", "-evil.example", "./",
		} {
			all = append(all, o+rest)
		}
	}
	return append(all, "HTTPS://accounts.example.com/", "https://ACCOUNTS.example.com/", "http://accounts.example.com/", "https://accounts.example.com:443/",
		"https://a.accounts.example.com/", "https://user@accounts.example.com/", " https://accounts.example.com/", "//accounts.example.com/", "https:/accounts.example.com/",
		"https://localhost:5173/", "http://localhost/", "http://localhost:51730/")
}

// resolved has node say where a browser goes (WHATWG URL standard): the origin to
// which each target leads from a page of the site.
func resolved(t *testing.T, all []string) []string {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("no node on the PATH: nobody here reads addresses as a browser does; on Debian: apt-get install -y nodejs")
	}
	// JSON replaces what is not UTF-8, and there is none in these lists.
	input, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), node, "-e", `
		let text = "";
		process.stdin.setEncoding("utf8").on("data", (part) => text += part).on("end", () => console.log(JSON.stringify(JSON.parse(text).map((target) => {
			try { const u = new URL(target, "`+site+`"); return u.origin === "null" ? u.protocol : u.origin; } catch { return "no address"; }
		}))));`)
	command.Stdin = bytes.NewReader(input)
	output, err := command.Output()
	if err != nil {
		t.Fatalf("node: %v", err)
	}
	var origins []string
	if err := json.Unmarshal(output, &origins); err != nil || len(origins) != len(all) {
		t.Fatalf("node answers %d of %d: %v", len(origins), len(all), err)
	}
	return origins
}

// taken returns what To makes of those targets that it takes.
func taken(to *redirect.Targets, all []string) (locations []string) {
	for _, target := range all {
		if location, err := to.To(target); err == nil {
			locations = append(locations, location)
		}
	}
	return locations
}

func TestHostileTargetsNeverLeaveTheSite(t *testing.T) {
	all := payloads()
	for _, to := range []*redirect.Targets{targets(t), targets(t, "https://accounts.example.com", "http://localhost:5173"), new(redirect.Targets)} {
		for _, location := range taken(to, all) {
			if where := leads(t, location); where != "https://site.example" {
				t.Errorf("%q leads to %s, says net/url", location, where)
			}
			if !strings.HasPrefix(location, "/") || strings.HasPrefix(location, "//") || strings.ContainsFunc(location, func(r rune) bool { return r <= ' ' || r > '~' || r == '\\' }) {
				t.Errorf("%q is no plain path", location)
			}
		}
	}
	t.Logf("%d targets, %d of them taken as paths of this site", len(all), len(taken(targets(t), all)))
}

func leads(t *testing.T, location string) string {
	base, err := url.Parse(site)
	if err != nil {
		t.Fatal(err)
	}
	u, err := base.Parse(location)
	if err != nil {
		return "no address"
	}
	return u.Scheme + "://" + u.Host
}

func TestBrowsersStayOnTheSite(t *testing.T) {
	all := payloads()
	origins := resolved(t, all)
	off := 0
	to := targets(t)
	for i, target := range all {
		location, err := to.To(target)
		if origins[i] != "https://site.example" {
			if off++; err == nil && location == target {
				t.Errorf("%q leads to %s and is taken", target, origins[i])
			}
		}
	}
	if off < 300 {
		t.Errorf("only %d of %d targets lead anywhere else: they test nothing", off, len(all))
	}
	locations := taken(to, all)
	for i, where := range resolved(t, locations) {
		if where != "https://site.example" {
			t.Errorf("%q leads to %s", locations[i], where)
		}
	}
	t.Logf("%d of %d targets lead elsewhere in a browser; none of the %d locations that were made of them does", off, len(all), len(locations))
}

func TestListedOriginsAreExact(t *testing.T) {
	to := targets(t, "https://accounts.example.com", "http://localhost:5173")
	for _, target := range listed() {
		if location, err := to.To(target); !errors.Is(err, redirect.ErrElsewhere) || location != "" {
			t.Errorf("To(%q) = %q, %v, want ErrElsewhere", target, location, err)
		}
	}
	good := []string{
		"https://accounts.example.com", "https://accounts.example.com/", "https://accounts.example.com/a/b?c=//evil.example#d", "http://localhost:5173/x",
		"https://accounts.example.com/@evil.example", "https://accounts.example.com/%2f%2fevil.example",
	}
	want := map[string]bool{"https://accounts.example.com": true, "http://localhost:5173": true}
	for i, where := range resolved(t, good) {
		if location, err := to.To(good[i]); err != nil || location != good[i] || !want[where] {
			t.Errorf("To(%q) = %q, %v; a browser goes to %s", good[i], location, err, where)
		}
	}
	if location, err := to.To("https://accounts.example.com/ä"); err != nil || location != "https://accounts.example.com/%C3%A4" {
		t.Errorf("a path beyond ASCII: %q, %v", location, err)
	}
	both := targets(t, "https://accounts.example.com", "https://accounts.example.com:8443", "https://accounts.example.community")
	for _, target := range []string{"https://accounts.example.com:8443/x", "https://accounts.example.community/x"} {
		if location, err := both.To(target); err != nil || location != target {
			t.Errorf("an origin that begins like another: %q, %v", location, err)
		}
	}
	if _, err := targets(t).To("https://accounts.example.com/"); err == nil {
		t.Error("an origin that nobody listed is a target")
	}
}

func TestPathKeepsGoodPaths(t *testing.T) {
	for path, want := range map[string]string{
		"/": "/", "/there": "/there", "/a/b?next=//evil.example": "/a/b?next=//evil.example", "/a#b": "/a#b", "/ä": "/%C3%A4",
		"/?q=ä": "/?q=%C3%A4", "/#ä": "/#%C3%A4",
		"/@evil.example": "/@evil.example", "/a:b": "/a:b", "/.evil": "/.evil", "/..evil": "/..evil", "/...": "/...", "/%2f%2fevil.example": "/%2f%2fevil.example",
		"/a//b": "/a//b", "/a;b=c": "/a;b=c", "/a%20b": "/a%20b", "/?a=..&b=/../": "/?a=..&b=/../", "/%2e%2e%2e": "/%2e%2e%2e", "/a?https://evil.example": "/a?https://evil.example",
	} {
		if got, err := redirect.Path(path); err != nil || got != want {
			t.Errorf("Path(%q) = %q, %v, want %q", path, got, err, want)
		}
	}
}

// TestPathRefuses: these are refused and not only kept on the site.
func TestPathRefuses(t *testing.T) {
	for _, path := range []string{
		"", "there", "./there", "../there", "?a=/b", "#/b", "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example", "/\\/evil.example", "/\t/evil.example", "/\n/evil.example",
		"\t//evil.example", " //evil.example", " /there", "/there\r\nSet-Cookie: a=b", "/there\nX: y", "/\x00/evil.example", "/there\x7f", "https://evil.example", "https:evil.example",
		"javascript:alert(1)", "/%", "/there%zz", "\u00a0//evil.example", "/a b", "/there ", "/a?b=\\", "/a#\t",
		"/.", "/..", "/./a", "/a/./b", "/a/../b", "/public/../admin", "/a/%2e/b", "/a/.%2E", "/%2e%2e/b", "/..?a", "/.#a",
	} {
		if location, err := redirect.Path(path); !errors.Is(err, redirect.ErrElsewhere) || location != "" {
			t.Errorf("Path(%q) = %q, %v, want ErrElsewhere", path, location, err)
		}
	}
}

// TestALetterBeyondASCIIDoesNotDecodeTheSlash: who decodes the path and encodes it
// again, because of the letter, sends "//%C3%A9vil.example".
func TestALetterBeyondASCIIDoesNotDecodeTheSlash(t *testing.T) {
	for path, want := range map[string]string{"/%2févil.example": "/%2f%C3%A9vil.example", "/%2Fevil。example": "/%2Fevil%E3%80%82example", "/%2f\xff": "/%2f%FF", "/%2f\"": "/%2f%22"} {
		if got, err := redirect.Path(path); err != nil || got != want {
			t.Errorf("Path(%q) = %q, %v, want %q", path, got, err, want)
		}
	}
}

func TestLongTargetsAreRefused(t *testing.T) {
	fits := "/" + strings.Repeat("a", redirect.MaxLength-1)
	if got, err := redirect.Path(fits); err != nil || got != fits {
		t.Errorf("%d bytes: %v", len(fits), err)
	}
	for _, long := range []string{fits + "a", "/" + strings.Repeat("ä", redirect.MaxLength/4)} {
		if _, err := redirect.Path(long); !errors.Is(err, redirect.ErrTooLong) {
			t.Errorf("%d bytes: %v, want ErrTooLong", len(long), err)
		}
	}
}

func TestOr(t *testing.T) {
	to := targets(t, "https://accounts.example.com")
	for target, want := range map[string]string{"/a": "/a", "https://accounts.example.com/a": "https://accounts.example.com/a", "//evil.example": "/home", "": "/home"} {
		if got := to.Or(target, "/home"); got != want {
			t.Errorf("Or(%q) = %q, want %q", target, got, want)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	for entry, want := range map[string]string{
		"*": "not an origin", "null": "sandboxed", "accounts.example.com": "want one like", "https://accounts.example.com/": "behind the host", "https://a@b.example": "user name",
		"http://accounts.example.com": "no TLS", "https://*.example.com": "wildcard", "https://A.example": "capital", "https://a.example:443": "port 443", "javascript:": "not an origin",
	} {
		if _, err := redirect.New(redirect.Config{Allow: []string{entry}}); err == nil || !strings.HasPrefix(err.Error(), "redirect config: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("Allow %q: %v, want %q", entry, err, want)
		}
	}
	_, err := redirect.New(redirect.Config{Allow: []string{"https://a.example", "https://a.example", "http://b.example", "x"}})
	for _, want := range []string{"twice", "no TLS", "want one like"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in %v", want, err)
		}
	}
}

func TestTheListCannotBeChangedLater(t *testing.T) {
	allow := []string{"https://accounts.example.com"}
	to := targets(t, allow...)
	allow[0] = "https://evil.example"
	if _, err := to.To("https://evil.example/"); err == nil {
		t.Error("the list of the configuration is the list of the targets")
	}
}

// FuzzTo wants that what is taken is plain, stays where it should, and is taken
// again as it is.
func FuzzTo(f *testing.F) {
	for _, target := range slices.Concat(payloads()[:400], listed(), []string{"/a?b#c", "/ä", "/%e4"}) {
		f.Add(target)
	}
	to := targets(f, "https://accounts.example.com")
	base, err := url.Parse(site)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, target string) {
		location, err := to.To(target)
		if err != nil {
			return
		}
		if strings.ContainsFunc(location, func(r rune) bool { return r <= ' ' || r > '~' || r == '\\' }) || len(location) > redirect.MaxLength+len("https://accounts.example.com") {
			t.Errorf("To(%q) = %q", target, location)
		}
		u, err := base.Parse(location)
		if err != nil || u.User != nil || u.Scheme != "https" || u.Host != "site.example" && u.Host != "accounts.example.com" {
			t.Errorf("To(%q) = %q, which leads to %v, %v", target, location, u, err)
		}
		if u.Host == "site.example" && strings.HasPrefix(strings.TrimLeft(location, "/"), "/") || strings.HasPrefix(location, "//") {
			t.Errorf("To(%q) = %q", target, location)
		}
		if again, err := to.To(location); err != nil || again != location {
			t.Errorf("To(%q) = %q, and of that %q, %v", target, location, again, err)
		}
	})
}

func BenchmarkPath(b *testing.B) {
	for _, path := range []string{"/orders?page=2", "//evil.example"} {
		b.Run(fmt.Sprintf("%q", path), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = redirect.Path(path)
			}
		})
	}
}
