package clienttest_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/fastness/fastness/internal/browsertest"
)

func typeIn(name, text string) chromedp.Action[chromedp.Void] {
	return chromedp.SendKeys(chromedp.CSS(`input[name="`+name+`"]`), text)
}

// visited makes the browser find the sites of the clients at a server that shows
// where it was reached.
func visited(t *testing.T) browsertest.Option {
	t.Helper()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, `<!doctype html><title>client</title><p id="arrived">There you are.</p>`)
	}))
	t.Cleanup(server.Close)
	at := server.Listener.Addr().String()
	return chromedp.Flag("host-resolver-rules", "MAP web.example:443 "+at+", MAP stats.example:443 "+at)
}

// TestARealBrowserComesBackToTheClient: a policy of a page holds for where its form
// leads, through all redirects, and a browser that obeys it would stop at the
// client's door.
func TestARealBrowserComesBackToTheClient(t *testing.T) {
	w := newWorld(t, nil)
	b := browsertest.Open(t, browsertest.AnyCertificate(), visited(t))
	arrived := func(prefix string) url.Values {
		t.Helper()
		b.Do(t, "come back", chromedp.WaitVisible(chromedp.CSS("#arrived")))
		at, err := url.Parse(browsertest.Evaluate[string](t, b, "location.href"))
		if err != nil || !strings.HasPrefix(at.String(), prefix) {
			t.Fatalf("the browser is at %s (%v), want %s", at, err, prefix)
		}
		return at.Query()
	}

	web := w.program("web", webCallback)
	b.Visit(t, web.authorizeURL())
	b.Do(t, "log in", typeIn("username", "ada"), typeIn("password", goodPassword), chromedp.Click(chromedp.CSS("button")))
	if got := web.exchange(t, arrived("https://web.example/callback").Get("code")); got.Access == "" {
		t.Errorf("no tokens: %d %q", got.status, got.Error)
	}

	stats := w.program("stats", statsCallback)
	stats.secret = statsSecret
	b.Do(t, "ask for more", chromedp.Navigate(stats.authorizeURL()))
	if folder := os.Getenv("FASTNESS_SCREENSHOTS"); folder != "" {
		b.Do(t, "see the question", chromedp.WaitVisible(chromedp.CSS(`button[value="allow"]`)))
		writeFile(t, filepath.Join(folder, "consent.png"), b.Screenshot(t))
	}
	b.Do(t, "allow", chromedp.Click(chromedp.CSS(`button[value="allow"]`)))
	if got := stats.exchange(t, arrived("https://stats.example/cb").Get("code"), "client_id", ""); got.Access == "" {
		t.Errorf("no tokens: %d %q", got.status, got.Error)
	}
	for _, problem := range b.Problems(t) {
		if strings.Contains(problem, "policy") || strings.Contains(problem, "Content Security") {
			t.Error(problem)
		}
	}
}
