package clienttest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/fastness/fastness/internal/browsertest"
)

// section is the part of Swagger UI's dialog that is about the code flow.
const section = `[...document.querySelectorAll(".dialog-ux .auth-container")].find((e) => e.innerText.includes("authorizationCode"))`

// mark makes an element of the page findable.
func mark(expression, id string) chromedp.Action[chromedp.Void] {
	return chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`(%s).id = %q`, expression, id))
}

func TestTheDocsPageLogsIn(t *testing.T) {
	w := newWorld(t, func(o *options) { o.server.DocsClient = "docs" })
	b := browsertest.Open(t, browsertest.AnyCertificate())
	b.Visit(t, w.issuer+"/login?next=/docs")
	b.Do(t, "log in", typeIn("username", "ada"), typeIn("password", goodPassword), chromedp.Click(chromedp.CSS("button")))
	browsertest.WaitForDocs(t, b)
	b.Do(t, "open the dialog", chromedp.Click(chromedp.CSS(".btn.authorize.unlocked")), chromedp.WaitVisible(chromedp.CSS(".dialog-ux")))
	if got := browsertest.Evaluate[string](t, b, section+`.querySelector("input[id^=client_id]").value`); got != "docs" {
		t.Errorf("the dialog offers the client %q, want docs", got)
	}
	b.Do(t, "ask for a code",
		mark(section+`.querySelector('input[type="checkbox"][data-value="items"]').labels[0]`, "the-scope"), chromedp.Click(chromedp.CSS("#the-scope")),
		mark(section+`.querySelector("button.authorize")`, "the-button"), chromedp.Click(chromedp.CSS("#the-button")))
	b.Do(t, "have a token", chromedp.Evaluate[chromedp.Void](`new Promise((done) => {
		const { authSelectors, getStore } = window.ui.getSystem();
		const look = () => { if (authSelectors.authorized().toJS().oauth2?.token) done(); };
		getStore().subscribe(look); look(); })`, chromedp.EvalAwaitPromise))
	token := browsertest.Evaluate[string](t, b, `window.ui.getSystem().authSelectors.authorized().toJS().oauth2.token.access_token`)
	if status := w.call(t, "/items", token); status != 204 {
		t.Errorf("GET /items with the page's token: %d", status)
	}
	for _, problem := range b.Problems(t) {
		if !strings.Contains(problem, "/favicon.ico") { // The page to log in has no icon.
			t.Error(problem)
		}
	}
}
