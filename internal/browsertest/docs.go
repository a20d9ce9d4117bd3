package browsertest

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
)

// Docs says what to expect of a documentation page.
type Docs struct {
	// URL is the address of the page.
	URL string
	// Operations is how many operations it shows.
	Operations int
	// Tries are executed one after the other.
	Tries []Try
	// Screenshots is a folder for light.png and dark.png. Empty takes none.
	Screenshots string
}

// Try executes an operation from the page, with the example values that it
// offers.
type Try struct {
	// Operation is an operationId.
	Operation string
	// Status is what the page must show as the answer.
	Status int
}

// CheckDocs opens a documentation page and fails the test unless it renders
// its operations, executes them, stores nothing in the browser, and does all of
// that without one violation of its policy, one error on the console, or one
// request to another origin.
func CheckDocs(t *testing.T, b *Browser, d Docs) {
	t.Helper()
	b.Visit(t, d.URL)
	WaitForDocs(t, b)
	if got := Evaluate[int](t, b, `document.querySelectorAll(".opblock").length`); got != d.Operations {
		t.Errorf("page shows %d operations, want %d", got, d.Operations)
	}
	if got := Evaluate[string](t, b, `typeof window.ui.getSystem`); got != "function" {
		t.Errorf("window.ui.getSystem is %s, want a function", got)
	}
	for _, try := range d.Tries {
		b.try(t, try)
	}
	// A token in the storage of the browser would outlive the page and be there
	// for any script of the origin.
	if got := Evaluate[int](t, b, `localStorage.length + sessionStorage.length + document.cookie.length`); got != 0 {
		t.Errorf("page stored something in the browser, want nothing")
	}
	if d.Screenshots != "" {
		for _, scheme := range []string{"light", "dark"} {
			b.ColorScheme(t, scheme)
			if err := os.WriteFile(filepath.Join(d.Screenshots, scheme+".png"), b.Screenshot(t), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, problem := range b.Problems(t) {
		t.Error(problem)
	}
}

// WaitForDocs returns when the page shows its first operation.
func WaitForDocs(t *testing.T, b *Browser) {
	t.Helper()
	b.Do(t, "the document renders", chromedp.WaitVisible(chromedp.CSS("html[data-docs=ready] .opblock")))
}

// resolved is a promise that Swagger UI has resolved the references of an
// operation. It starts when the operation opens; who clicks faster than that,
// as no person does, sends nothing.
const resolved = `new Promise((done) => {
	const { specSelectors, getStore } = window.ui.getSystem();
	const [path, method] = Object.entries(specSelectors.specJson().toJS().paths)
		.flatMap(([path, item]) => Object.entries(item).map(([method, op]) => [path, method, op]))
		.find(([, , op]) => op.operationId === %q);
	const look = () => { if (specSelectors.specResolvedSubtree(["paths", path, method])) done(true); };
	getStore().subscribe(look);
	look();
})`

func (b *Browser) try(t *testing.T, try Try) {
	t.Helper()
	block := fmt.Sprintf(`.opblock[id$="-%s"]`, try.Operation)
	status := block + " .live-responses-table tr.response td.response-col_status"
	b.Do(t, try.Operation+" opens", chromedp.Click(chromedp.CSS(block+" .opblock-summary-control")))
	b.await(t, try.Operation+" is resolved", fmt.Sprintf(resolved, try.Operation))
	b.Do(t, try.Operation+" executes", chromedp.Click(chromedp.CSS(block+" .execute")))
	b.Do(t, try.Operation+" shows an answer", chromedp.WaitVisible(chromedp.CSS(status)))
	shown := Evaluate[string](t, b, fmt.Sprintf("document.querySelector(%q).innerText.trim().slice(0, 3)", status))
	if want := fmt.Sprint(try.Status); shown != want {
		t.Errorf("%s: page shows status %s, want %s", try.Operation, shown, want)
	}
}
