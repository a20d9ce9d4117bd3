package browsertest_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/fastness/fastness/internal/browsertest"
)

// hostileReview would run scripts, load from elsewhere and cover the page. Each
// script would give the page another title.
const hostileReview = `<p>kept</p><script>document.title='ran'</script><img src=x onerror="document.title='ran'"><svg onload="document.title='ran'">` +
	`<img src="https://evil.example/pixel.png"><a href="javascript:document.title='ran'">a link</a><iframe srcdoc="<script>parent.document.title='ran'</script>"></iframe>` +
	`<form action="https://evil.example"><input name=password autofocus onfocus="document.title='ran'"></form><div style="position:fixed;inset:0">cover</div>` +
	`<base href="https://evil.example/"><meta http-equiv=refresh content="0;url=https://evil.example"><link rel=stylesheet href=https://evil.example/x.css></div></article>`

// elementsOfReviews names the elements and attributes in reviews.
const elementsOfReviews = `[...new Set([...document.querySelectorAll(".prose *")].flatMap((e) => [e.localName, ...[...e.attributes].map((a) => e.localName + " " + a.name + (a.name === "href" ? "=" + a.value : ""))]))].sort().join(", ")`

// enter logs in by the page, from wherever it leads.
func enter(t *testing.T, b *browsertest.Browser, name, then string) {
	t.Helper()
	logIn(t, b, name, password)
	b.Do(t, name+" is in", waitFor(`document.readyState === "complete" && location.pathname === "`+then+`"`))
}

func press(t *testing.T, b *browsertest.Browser, keys ...string) {
	t.Helper()
	for _, key := range keys {
		b.Do(t, fmt.Sprintf("key %q", key), chromedp.KeyEvent(key))
	}
}

// The whole story, by keyboard where it is a form's turn.
func TestAReviewInTheBrowser(t *testing.T) {
	b := browsertest.Open(t, browsertest.AnyCertificate())
	shop := serveShop(t, "ann", "admin")
	b.Visit(t, shop+"/items/5/page")
	b.Do(t, "to the log-in", chromedp.Click(chromedp.CSS("main a.button")), waitFor(`location.pathname === "/login" && document.readyState === "complete"`))
	spent := browsertest.Evaluate[string](t, b, `document.querySelector("[name=csrf-token]").value`)
	enter(t, b, "ann", "/items/5/page")
	wantCookies(t, cookies(t, b, shop))

	form := `document.querySelector("form.fields")`
	browsertest.Evaluate[bool](t, b, `document.querySelector("[name=stars]").focus(), true`)
	press(t, b, kb.ArrowRight, kb.ArrowRight, kb.ArrowRight, kb.Tab)
	if got := browsertest.Evaluate[string](t, b, `new FormData(`+form+`).get("stars") + document.activeElement.id`); got != "4title" {
		t.Errorf("by keyboard the stars and the focus are %q, want 4title", got)
	}
	b.Do(t, "type", chromedp.KeyEvent("Bright & <3"))
	press(t, b, kb.Tab)
	browsertest.Evaluate[bool](t, b, fmt.Sprintf(`document.activeElement.value = %q, true`, hostileReview))
	press(t, b, kb.Tab)
	if got := browsertest.Evaluate[string](t, b, `document.activeElement.textContent + " " + getComputedStyle(document.activeElement).outlineStyle`); got != "Publish solid" {
		t.Errorf("the focus is on %q, want the button with an outline", got)
	}
	press(t, b, kb.Enter)
	b.Do(t, "the review is there", waitFor(`document.querySelector(".prose") !== null && document.readyState === "complete"`))
	wantInert(t, b)

	if got := post(t, b, shop, "/login", "username=ann&password=x&csrf-token="+spent); !strings.HasPrefix(got, "403 ") {
		t.Errorf("the log-in form with its token a second time: %s, want 403", got)
	}
	forge(t, b, shop)

	b.Visit(t, shop+"/items/5/page")
	session := cookies(t, b, shop)["__Host-session"].Value
	b.Do(t, "log out", chromedp.Click(chromedp.CSS(".bar button")), waitFor(`location.pathname === "/" && document.querySelector(".bar button") === null && document.readyState === "complete"`))
	if c := cookies(t, b, shop)["__Host-session"]; c != nil {
		t.Errorf("after the log-out there is the cookie %v", c)
	}
	if got := statusOf(t, shop+"/me", "__Host-session="+session); got != http.StatusUnauthorized {
		t.Errorf("the old session gets %d, want 401", got)
	}
	for _, problem := range b.Problems(t) { // The policy stopped two images: that is its business.
		if !strings.Contains(problem, "evil.example") && !strings.Contains(problem, "status of 403") && !strings.Contains(problem, "status of 404") && !strings.Contains(problem, "favicon") && !strings.Contains(problem, "/reviews/form") {
			t.Error(problem)
		}
	}
}

// wantInert looks at the review in the page.
func wantInert(t *testing.T, b *browsertest.Browser) {
	t.Helper()
	if got := browsertest.Evaluate[string](t, b, "document.title"); got != "Watchman's lantern – Fastness shop" {
		t.Errorf("the title is %q: a script ran", got)
	}
	if got := browsertest.Evaluate[string](t, b, elementsOfReviews); got != "a, a rel, div, img, img src, p" {
		t.Errorf("the review has %s", got)
	}
	if got := browsertest.Evaluate[string](t, b, `document.querySelector(".review h3").textContent + "|" + document.querySelectorAll("main > .review, main .review form input[name=password]").length`); got != "Bright & <3|0" {
		t.Errorf("around the review there is %q", got)
	}
	// The image is in the markup, and the policy keeps the browser from asking.
	if got := browsertest.Evaluate[string](t, b, `JSON.stringify(performance.getEntriesByType("resource").filter((e) => e.name.includes("evil") && e.transferSize > 0))`); got != "[]" {
		t.Errorf("the page loaded %s", got)
	}
	if got := browsertest.Evaluate[string](t, b, `window.policyViolations.filter((v) => v.includes("evil.example/pixel.png")).join()`); !strings.HasPrefix(got, "img-src blocked") {
		t.Errorf("the policy says %q of the image of another host", got)
	}
}

// post sends a form from a page of the shop, as its scripts could if it had any.
func post(t *testing.T, b *browsertest.Browser, shop, path, fields string) string {
	t.Helper()
	b.Visit(t, shop+"/docs")
	return fetch(t, b, path, fmt.Sprintf(`{method: "POST", headers: {"Content-Type": "application/x-www-form-urlencoded"}, body: %q}`, fields))
}

// forge sends forms from pages of other origins: another port, and another host.
func forge(t *testing.T, b *browsertest.Browser, shop string) {
	t.Helper()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, `<!doctype html><title>evil</title><form method="post" action="`+shop+`/items/1/reviews/form">`+
			`<input name="stars" value="1"><input name="title" value="forged"><input name="text" value="forged"></form><script>document.forms[0].submit()</script>`)
	}))
	t.Cleanup(server.Close)
	for _, evil := range []string{server.URL, strings.Replace(server.URL, "127.0.0.1", "localhost", 1)} {
		b.Visit(t, evil)
		b.Do(t, "the form is sent", waitFor(`location.href.startsWith("`+shop+`/items/1/reviews/form") && document.readyState === "complete"`))
		if got := browsertest.Evaluate[string](t, b, "document.body.textContent"); !strings.Contains(got, `"status":403`) && !strings.Contains(got, `"status":401`) {
			t.Errorf("the form of %s got %s", evil, got)
		}
	}
	b.Visit(t, shop+"/docs")
	if got := fetch(t, b, "/items/1/reviews", "{}"); !strings.Contains(got, `"total":0`) {
		t.Errorf("after forged forms the reviews are %s", got)
	}
}

// statusOf asks as a program with a cookie.
func statusOf(t *testing.T, address, cookie string) int {
	t.Helper()
	command := exec.CommandContext(t.Context(), "curl", "-ks", "-o", "/dev/null", "-w", "%{http_code}", "-H", "Cookie: "+cookie, address)
	out, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	status := 0
	_, _ = fmt.Sscan(string(out), &status)
	return status
}

// A form that is wrong comes back with what was typed; the browser's own checks are
// switched off, as those of an old browser are.
func TestAWrongFormComesBackInTheBrowser(t *testing.T) {
	b := browsertest.Open(t, browsertest.AnyCertificate())
	shop := serveShop(t, "ann")
	b.Visit(t, shop+"/login?next=/items/1/page")
	enter(t, b, "ann", "/items/1/page")
	b.Do(t, "type", chromedp.SendKeys(chromedp.CSS("#title"), "<b>Bold"), chromedp.SendKeys(chromedp.CSS("#text"), "kept</textarea><script>document.title='ran'</script>"))
	browsertest.Evaluate[bool](t, b, `document.querySelector("form.fields").noValidate = true`)
	b.Do(t, "send", chromedp.Click(chromedp.CSS("form.fields button")), waitFor(`document.querySelector("[role=alert]") !== null && document.readyState === "complete"`))
	got := browsertest.Evaluate[string](t, b, `[document.querySelector("#title").value, document.querySelector("#text").value, document.querySelectorAll(".wrong").length, document.title].join("|")`)
	if got != `<b>Bold|kept</textarea><script>document.title='ran'</script>|2|Portcullis, small – Fastness shop` {
		t.Errorf("the form came back as %s", got)
	}
	screenshot(t, b, "item-wrong.png")
	accessible(t, b, axe(t))
	wantProblems(t, b, "favicon", "status of 422")
}

// axe returns the source of axe-core, which is kept outside of the repository. The
// test is skipped where it cannot be had.
func axe(t *testing.T) string {
	t.Helper()
	const version = "4.14.1"
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Skip("there is no folder for axe-core:", err)
	}
	folder := filepath.Join(cache, "fastness-axe-core-"+version)
	file := filepath.Join(folder, "package", "axe.min.js")
	if _, err := os.Stat(file); err != nil {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			t.Skip("axe-core cannot be kept:", err)
		}
		get := exec.CommandContext(t.Context(), "sh", "-c", "npm pack --silent axe-core@"+version+" && tar xzf axe-core-"+version+".tgz package/axe.min.js")
		get.Dir = folder
		if text, err := get.CombinedOutput(); err != nil {
			t.Skipf("axe-core cannot be had from npm: %v\n%s", err, text)
		}
	}
	source, err := os.ReadFile(file)
	if err != nil {
		t.Skip("axe-core cannot be read:", err)
	}
	return string(source)
}

// accessible lets axe-core look at the page that is shown.
func accessible(t *testing.T, b *browsertest.Browser, source string) {
	t.Helper()
	b.Do(t, "axe-core", chromedp.Evaluate[chromedp.Void](source+";0"))
	const ask = `async () => { const r = await axe.run(document); return r.passes.length + "\n" +
		r.violations.filter((v) => v.impact === "serious" || v.impact === "critical").map((v) => v.id + ": " + v.help + ": " + v.nodes.map((n) => n.html).join(" ")).join("\n") }`
	passes, found, _ := strings.Cut(waits(t, b, ask), "\n")
	where := browsertest.Evaluate[string](t, b, "location.pathname")
	if n := 0; found != "" || func() bool { _, err := fmt.Sscan(passes, &n); return err != nil || n < 10 }() {
		t.Errorf("%s: axe-core passes %s rules and finds %s", where, passes, found)
	}
	t.Logf("%s: axe-core passes %s rules", where, passes)
}

func TestPagesOfTheShopAreAccessible(t *testing.T) {
	source := axe(t)
	b := browsertest.Open(t, browsertest.AnyCertificate())
	shop := serveShop(t, "ann", "admin")
	look := func(path, name string) {
		b.Visit(t, shop+path)
		for _, scheme := range []string{"light", "dark"} {
			b.ColorScheme(t, scheme)
			accessible(t, b, source)
			screenshot(t, b, name+"-"+scheme+".png")
		}
		narrow(t, b, true)
		if wide := browsertest.Evaluate[int](t, b, "document.documentElement.scrollWidth"); wide > 360 {
			t.Errorf("%s is %d pixels wide where there are 360", path, wide)
		}
		screenshot(t, b, name+"-narrow.png")
		narrow(t, b, false)
	}
	look("/", "home")
	look("/login", "login")
	b.Visit(t, shop+"/login?next=/items/5/page")
	enter(t, b, "ann", "/items/5/page")
	look("/items/5/page", "item-form")
	b.Visit(t, shop+"/items/5/page")
	b.Do(t, "a review", chromedp.Click(chromedp.CSS("[value='4']")), chromedp.SendKeys(chromedp.CSS("#title"), "Lit the whole gatehouse"),
		chromedp.SendKeys(chromedp.CSS("#text"), "<p>Bright, and <strong>steady</strong> in the wind.</p><ul><li>Brass</li><li>A <a href='https://example.com/wick'>spare wick</a></li></ul>"),
		chromedp.Click(chromedp.CSS("form.fields button")), waitFor(`document.querySelector(".prose") !== null`))
	look("/items/5/page", "item")
	b.Visit(t, shop+"/items/3/page")
	b.Do(t, "an order", chromedp.Clear(chromedp.CSS("#quantity")), chromedp.SendKeys(chromedp.CSS("#quantity"), "2"),
		chromedp.Click(chromedp.CSS(".buy button")), waitFor(`location.pathname === "/orders/history" && document.readyState === "complete"`))
	look("/orders/history#order-1", "orders")
	look("/", "home-ann")
	b.Do(t, "log out", chromedp.Click(chromedp.CSS(".bar button")), waitFor(`document.querySelector(".bar button") === null && document.readyState === "complete"`))
	b.Visit(t, shop+"/admin")
	enter(t, b, "admin", "/admin")
	look("/admin", "admin")
	b.Do(t, "delete", chromedp.Click(chromedp.CSS("button.quiet")), waitFor(`document.querySelector(".review") === null && document.readyState === "complete"`))
	wantProblems(t, b, "favicon")
}

func narrow(t *testing.T, b *browsertest.Browser, on bool) {
	t.Helper()
	width := int64(1280)
	if on {
		width = 360
	}
	b.Do(t, "another width", chromedp.EmulateViewport(width, 780))
}
