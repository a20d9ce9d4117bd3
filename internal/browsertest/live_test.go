package browsertest_test

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/fastness/fastness/internal/browsertest"
)

// live waits until the page hears what happens, and marks it: a page that is loaded
// again loses the mark.
func live(t *testing.T, b *browsertest.Browser) {
	t.Helper()
	b.Do(t, "the page is live", waitFor(`document.documentElement.dataset.live === "yes"`))
	browsertest.Evaluate[bool](t, b, `window.mark = true`)
}

// shows waits until an expression is true on a page that was not loaded again.
func shows(t *testing.T, b *browsertest.Browser, what, expression string) {
	t.Helper()
	b.Do(t, what, waitFor(`window.mark === true && (`+expression+`)`))
}

func TestTwoWindowsShowEachOthersChanges(t *testing.T) {
	shop := serveShop(t, "ann", "bob", "admin")
	ann, bob := browsertest.Open(t, browsertest.AnyCertificate()), browsertest.Open(t, browsertest.AnyCertificate())
	for name, b := range map[string]*browsertest.Browser{"ann": ann, "bob": bob} {
		b.Visit(t, shop+"/login?next=/items/3/page")
		enter(t, b, name, "/items/3/page")
		live(t, b)
	}

	// What bob buys is gone in ann's window.
	bob.Do(t, "bob orders two", chromedp.Clear(chromedp.CSS("#quantity")), chromedp.SendKeys(chromedp.CSS("#quantity"), "2"),
		chromedp.Click(chromedp.CSS(".buy button")), waitFor(`location.pathname === "/orders/history" && document.readyState === "complete"`))
	shows(t, ann, "ann sees what is left", `document.querySelector("#stock").textContent === "1 left"`)

	// What ann says stands in bob's window, and is as harmless as after loading it.
	bob.Visit(t, shop+"/items/3/page")
	live(t, bob)
	ann.Do(t, "ann writes", chromedp.Click(chromedp.CSS("[value='5']")), chromedp.SendKeys(chromedp.CSS("#title"), "Loud <3"),
		chromedp.SendKeys(chromedp.CSS("#text"), `<p>Heard <b>far</b> away.</p><img src=x onerror="document.title='ran'"><script>document.title='ran'</script>`),
		chromedp.Click(chromedp.CSS("form.fields button")), waitFor(`document.querySelector(".prose") !== null && document.readyState === "complete"`))
	shows(t, bob, "bob reads it", `document.querySelector("#review-list h3")?.textContent === "Loud <3" && document.querySelector("#review-list .prose b") !== null`)
	if got := browsertest.Evaluate[string](t, bob, `document.title + document.querySelectorAll("#review-list script, #review-list [onerror]").length + document.querySelectorAll("#no-reviews").length`); got != "Signal horn – Fastness shop00" {
		t.Errorf("bob's page is %q, want no script and no note that nothing was said", got)
	}
	screenshot(t, bob, "item-live.png")
	live(t, ann)
	ann.Do(t, "ann takes it back", chromedp.Click(chromedp.CSS(".review button.quiet")), waitFor(`document.querySelector(".prose") === null && document.readyState === "complete"`))
	shows(t, bob, "it is gone for bob", `document.querySelector("#review-list article") === null`)

	// The front page and the chart of orders.
	ann.Visit(t, shop+"/")
	live(t, ann)
	bob.Do(t, "bob logs out", chromedp.Click(chromedp.CSS(".bar button")), waitFor(`location.pathname === "/" && document.querySelector(".bar button") === null && document.readyState === "complete"`))
	bob.Visit(t, shop+"/login?next=/admin")
	enter(t, bob, "admin", "/admin")
	live(t, bob)
	height := `Number(document.querySelector("#orders-chart rect:last-child").getAttribute("height")) + Number(document.querySelector("#orders-chart rect:nth-last-child(2)").getAttribute("height"))`
	before := browsertest.Evaluate[float64](t, bob, height)
	if got := fetch(t, ann, "/items/3/buy", `{method: "POST", headers: {"Content-Type": "application/x-www-form-urlencoded", "X-CSRF-Token": "`+csrfToken(t, ann)+`"}, body: "quantity=1"}`); !strings.HasPrefix(got, "200 ") {
		t.Errorf("an order by a script of the page: %s", got)
	}
	shows(t, ann, "the front page", `document.querySelector('[data-stock="3"]').textContent === "Sold out"`)
	shows(t, bob, "the chart", `document.querySelector("#orders-sum").textContent === "2 orders in the last hour" && document.querySelector("#orders-total").textContent === "2"`)
	if after := browsertest.Evaluate[float64](t, bob, height); after <= before {
		t.Errorf("the bars are %v high after an order, and were %v before", after, before)
	}
	screenshot(t, bob, "admin-live.png")
	wantProblems(t, ann, "favicon", "/items/3/x")
	wantProblems(t, bob, "favicon", "/items/3/x")
}
