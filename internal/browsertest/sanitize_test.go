package browsertest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/fastness/fastness/internal/browsertest"
	"github.com/fastness/fastness/sanitize"
)

// A page without any policy that puts markup into itself, and counts what runs.
const bench = `<!doctype html><meta charset=utf-8><title>bench</title><div id=box></div><script>
const box = document.getElementById("box");
function strange(root, tags, attributes) {
	for (const e of root.querySelectorAll("*")) {
		if (e.namespaceURI !== "http://www.w3.org/1999/xhtml" || !tags.includes(e.localName)) return e.namespaceURI + " " + e.localName;
		for (const a of e.attributes)
			if (!attributes.includes(a.name) || a.name.startsWith("on") || /^(href|src)$/.test(a.name) && URL.canParse(a.value, location) && !/^(https?|mailto|tel):$/.test(new URL(a.value, location).protocol))
				return e.localName + " " + a.name + "=" + a.value;
	}
	return "";
}
async function tryAll(address, tags, attributes) {
	const found = [], all = await (await fetch(address)).json();
	for (const markup of all) {
		box.innerHTML = markup;
		const once = box.innerHTML;
		const odd = strange(box, tags, attributes);
		box.innerHTML = once;
		const twice = box.innerHTML;
		// innerHTML writes no newline for the parser to leave out, and a carriage return as it is.
		const expected = markup.replace(/(<pre[^>]*>)\n/g, "$1").replaceAll("&#13;", "\r");
		if (odd) found.push({markup, why: "it has " + odd});
		if (once !== expected) found.push({markup, why: "the browser makes of it " + once});
		if (twice !== once && once === markup) found.push({markup, why: "a second time the browser makes of it " + twice});
	}
	// All of it at once, and time for what loads or begins to run.
	box.innerHTML = all.join("");
	for (const e of box.querySelectorAll("details")) e.open = true;
	await new Promise((done) => {
		const last = document.createElement("img");
		last.onerror = () => requestAnimationFrame(() => setTimeout(done, 300));
		last.src = "/nothing.png";
		document.body.append(last);
	});
	return {tried: all.length, found: found.length, first: found.slice(0, 10), hits: hits.length};
}
</script>`

// counter replaces alert in every page and frame, those that a script makes, too:
// a dialog would wait for somebody to close it.
const counter = `if (window === top) window.hits = []; window.alert = () => { try { top.hits.push(location.href) } catch { /* another origin */ } };`

// count opens a browser that counts.
func count(t *testing.T) *browsertest.Browser {
	t.Helper()
	b := browsertest.Open(t)
	b.Do(t, "alert is counted", chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		_, err := cdp.Call(ctx, tab, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: counter})
		return err
	}))
	return b
}

// tried is what came of markup in the browser.
type tried struct {
	Tried, Found, Hits int
	First              []struct{ Markup, Why string }
}

// attackList reads the attacks of package sanitize.
func attackList(t *testing.T) (list []string) {
	t.Helper()
	text, err := os.ReadFile("../../sanitize/testdata/attacks.json")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]string{}
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	for _, kind := range slices.Sorted(maps.Keys(all)) {
		list = append(list, all[kind]...)
	}
	return list
}

// serveMarkup serves the page, the list as JSON, and each of the list as a page
// of its own, all of them in frames of /frames.
//
// Loaded lists what else was asked for.
func serveMarkup(t *testing.T, list []string) (server *httptest.Server, loaded func() []string) {
	t.Helper()
	var mu sync.Mutex
	var other []string
	mux := http.NewServeMux()
	html := func(pattern string, content func(*http.Request) string) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = io.WriteString(w, content(r))
		})
	}
	html("/{$}", func(*http.Request) string { return bench })
	html("/page/{n}", func(r *http.Request) string {
		var n int
		_, _ = fmt.Sscan(r.PathValue("n"), &n)
		return "<!doctype html><body>" + list[n]
	})
	html("/frames", func(*http.Request) string {
		var b strings.Builder
		b.WriteString("<!doctype html><title>frames</title>")
		for i := range list {
			fmt.Fprintf(&b, "<iframe src=/page/%d></iframe>", i)
		}
		return b.String()
	})
	mux.HandleFunc("/list", func(w http.ResponseWriter, _ *http.Request) { _ = json.NewEncoder(w).Encode(list) })
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusNoContent)
		mu.Lock()
		defer mu.Unlock()
		if r.URL.Path != "/favicon.ico" {
			other = append(other, r.URL.Path)
		}
	})
	server = httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server, func() []string {
		mu.Lock()
		defer mu.Unlock()
		return other
	}
}

// tryMarkup puts each of the list into a page by innerHTML.
func tryMarkup(t *testing.T, b *browsertest.Browser, list, tags, attributes []string) (result tried) {
	t.Helper()
	server, _ := serveMarkup(t, list)
	b.Visit(t, server.URL+"/")
	names, _ := json.Marshal([][]string{tags, attributes})
	const script = `window.result = ""; tryAll("/list", ...%s).then((r) => window.result = JSON.stringify(r), (e) => window.result = JSON.stringify({first: [{why: String(e)}]})); 0`
	browsertest.Evaluate[int](t, b, fmt.Sprintf(script, names))
	b.Do(t, "the markup is tried", waitFor("window.result !== ''"))
	if err := json.Unmarshal([]byte(browsertest.Evaluate[string](t, b, "window.result")), &result); err != nil {
		t.Fatal(err)
	}
	return result
}

// openFrames serves each of the list as a page. It returns in how many of them
// scripts ran, and what they loaded from their own host.
func openFrames(t *testing.T, b *browsertest.Browser, list []string) (ran int, loaded []string) {
	t.Helper()
	server, asked := serveMarkup(t, list)
	b.Visit(t, server.URL+"/frames")
	b.Do(t, "the frames are loaded", waitFor("document.readyState === 'complete'"))
	return browsertest.Evaluate[int](t, b, "new Set(window.hits).size"), asked()
}

func defaultTags() []string {
	return strings.Fields(`a abbr acronym area article aside b bdi bdo blockquote br caption center cite code col colgroup data dd del details dfn div dl dt em
		figcaption figure footer h1 h2 h3 h4 h5 h6 header hgroup hr i img ins kbd li map mark nav ol p pre q rp rt rtc ruby s samp small span strike strong sub
		summary sup table tbody td th thead time tr tt u ul var wbr`)
}

func defaultAttributes() []string {
	return strings.Fields(`lang title href hreflang dir cite align char charoff span datetime size width alt height src start summary colspan headers rowspan scope
		rel open`) // open is what the test sets
}

// cleaned returns each attack in a few places, cleaned.
func cleaned(t *testing.T, p *sanitize.Policy) (list []string) {
	t.Helper()
	for _, attack := range attackList(t) {
		for _, place := range []string{"@", "<p>@", "<table><tr><td>@", "<table>@", "<svg>@", "<math><mtext>@", "<a title='@'>", "<b><i>@</b>", "<style>@", "<select>@", "<noscript>@"} {
			list = append(list, p.Clean(strings.ReplaceAll(place, "@", attack)))
		}
	}
	return list
}

func policy(t *testing.T, cfg sanitize.Config) *sanitize.Policy {
	t.Helper()
	p, err := sanitize.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestCleanedMarkupIsInertInABrowser: nothing of it runs, the page has no
// element and no attribute that is not allowed, and the browser builds exactly
// what was written, so that it is the same after any number of times.
func TestCleanedMarkupIsInertInABrowser(t *testing.T) {
	b := count(t)
	result := tryMarkup(t, b, cleaned(t, policy(t, sanitize.Config{})), defaultTags(), defaultAttributes())
	t.Logf("%d cleaned attacks tried", result.Tried)
	if result.Tried < 3000 || result.Hits != 0 || result.Found != 0 {
		t.Errorf("%d of %d are not as they should be, %d scripts ran; the first: %q", result.Found, result.Tried, result.Hits, result.First)
	}
	for _, problem := range b.Problems(t) {
		t.Error(problem)
	}
}

// TestCleanedPagesAreInertInABrowser: the same as pages that are loaded, with
// the parser of documents and no policy. Without images they load nothing.
func TestCleanedPagesAreInertInABrowser(t *testing.T) {
	for name, cfg := range map[string]sanitize.Config{"default": {}, "basic": sanitize.Basic(), "strict": sanitize.Strict()} {
		t.Run(name, func(t *testing.T) {
			b, p := count(t), policy(t, cfg)
			var list []string
			for _, attack := range attackList(t) {
				list = append(list, p.Clean(attack))
			}
			ran, loaded := openFrames(t, b, list)
			if ran != 0 {
				t.Errorf("scripts ran in %d of %d pages", ran, len(list))
			}
			if name != "default" && len(loaded) > 0 {
				t.Errorf("the pages loaded %q", loaded)
			}
			for _, problem := range b.Problems(t) {
				t.Error(problem)
			}
		})
	}
}

// TestAttacksRunInABrowser: without cleaning, the same tests fail. Otherwise
// they would show nothing.
func TestAttacksRunInABrowser(t *testing.T) {
	b := count(t)
	ran, loaded := openFrames(t, b, attackList(t))
	t.Logf("scripts run in %d of %d pages", ran, len(attackList(t)))
	if ran < 100 {
		t.Errorf("scripts ran in %d pages, want at least 100", ran)
	}
	foreign := slices.ContainsFunc(b.Problems(t), func(s string) bool { return strings.Contains(s, "evil.example") })
	if !foreign || len(loaded) == 0 {
		t.Error("no request to another host was seen, or none to their own")
	}
	var calm []string // What leaves the page cannot be tried in it.
	for _, attack := range attackList(t) {
		if !strings.Contains(attack, "<meta") && !strings.Contains(attack, "<base") {
			calm = append(calm, attack)
		}
	}
	result := tryMarkup(t, b, calm, defaultTags(), defaultAttributes())
	t.Logf("by innerHTML: %d scripts run, %d are not as they should be", result.Hits, result.Found)
	if result.Hits < 30 || result.Found < 200 {
		t.Errorf("%d scripts ran, %d were not as they should be, want at least 30 and 200; %q", result.Hits, result.Found, result.First)
	}
}

// TestABrowserBuildsWhatWasWritten tries the nesting of elements: tags in any
// order, cleaned, are no tag and no text more or less in a browser.
func TestABrowserBuildsWhatWasWritten(t *testing.T) {
	b := count(t)
	tags := append(defaultTags(), strings.Fields(`tfoot form button label fieldset nobr big font section main address menu dir search dialog rb my-tag`)...)
	p := policy(t, sanitize.Config{Tags: tags, Attributes: map[string][]string{}, KeepComments: true})
	other := strings.Fields("svg math select option template style title noscript textarea mtext body frameset hr image plaintext")
	random := rand.New(rand.NewPCG(7, 11))
	seen := map[string]bool{}
	for len(seen) < 6000 {
		var markup strings.Builder
		for range 2 + random.IntN(30) {
			switch tag := tags[random.IntN(len(tags))]; random.IntN(16) {
			case 0:
				markup.WriteString("x")
			case 1:
				markup.WriteString("\n")
			case 2:
				markup.WriteString("<!-- y -->")
			case 3, 4, 5, 6:
				markup.WriteString("</" + tag + ">")
			case 7:
				markup.WriteString("<" + other[random.IntN(len(other))] + ">")
			default:
				markup.WriteString("<" + tag + ">")
			}
		}
		seen[p.Clean(markup.String())] = true
	}
	result := tryMarkup(t, b, slices.Sorted(maps.Keys(seen)), tags, defaultAttributes())
	if result.Tried < 6000 || result.Found != 0 || result.Hits != 0 {
		t.Errorf("%d of %d are not as they should be, %d scripts ran; the first: %q", result.Found, result.Tried, result.Hits, result.First)
	}
}
