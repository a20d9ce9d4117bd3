// Package browsertest looks at pages as a browser does: it opens them in
// headless Chromium and reports what a policy blocked, what failed, and which
// other hosts were asked for something.
//
// It is a module of its own, so that nobody who builds an API downloads a
// browser driver.
package browsertest

import (
	"context"
	"fmt"
	"net/url"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// limit bounds one test in the browser. Chromium on a busy machine is slow to
// start; a page that is still not there by then will not come.
const limit = 60 * time.Second

// Browser is a tab of a headless Chromium with a new, empty profile.
type Browser struct {
	ctx context.Context

	mu       sync.Mutex
	origin   string
	problems []string
}

// Option changes how the browser starts.
type Option = chromedp.ExecAllocatorOption

// AnyCertificate makes the browser accept certificates that nobody signed, such
// as the one that a development server makes for itself.
func AnyCertificate() Option { return chromedp.Flag("ignore-certificate-errors", true) }

// Open starts the browser, or skips the test where there is none. The test ends it.
func Open(t *testing.T, opts ...Option) *Browser {
	t.Helper()
	opts = append([]Option{
		chromedp.ExecPath(chromium(t)),
		chromedp.UserDataDir(t.TempDir()),
		chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.Flag("window-size", "1280,900"),
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-default-apps", true),
		chromedp.Flag("disable-dev-shm-usage", true),
		chromedp.Flag("disable-sync", true),
	}, opts...)

	b := new(Browser)
	ctx, stopClock := context.WithTimeout(t.Context(), limit)
	ctx, stopProcess := chromedp.NewExecAllocator(ctx, opts...)
	ctx, stopTab := chromedp.NewContext(ctx, chromedp.WithListener(b.listen))
	t.Cleanup(func() { stopTab(); stopProcess(); stopClock() })
	b.ctx = ctx

	// The script runs before any of the page, and no policy applies to it.
	_, err := chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{
		Source: `window.policyViolations = [];
			document.addEventListener("securitypolicyviolation", (e) =>
				window.policyViolations.push(e.effectiveDirective + " blocked " + e.blockedURI + " at " + e.sourceFile + ":" + e.lineNumber));`,
	})
	if err != nil {
		t.Fatalf("start of Chromium: %v", err)
	}
	// chromedp.Cancel waits for the browser, which writes to its profile to the end.
	t.Cleanup(func() { _ = chromedp.Cancel(ctx) })
	return b
}

func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Skip("no Chromium on the PATH; on Debian: apt-get install -y chromium")
	return ""
}

// listen notes what goes wrong. It runs in the loop that reads the browser's
// messages and must not wait.
func (b *Browser) listen(event any) {
	switch e := event.(type) {
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning {
			b.note("browser log: %s: %s (%s)", e.Entry.Level, e.Entry.Text, e.Entry.URL)
		}
	case *runtime.EventExceptionThrown:
		text := e.ExceptionDetails.Text
		if e.ExceptionDetails.Exception != nil {
			text += " " + e.ExceptionDetails.Exception.Description
		}
		b.note("exception: %s", text)
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning {
			for _, arg := range e.Args {
				b.note("console %s: %s%s", e.Type, arg.Value, arg.Description)
			}
		}
	case *network.EventRequestWillBeSent:
		b.noteForeign(e.Request.URL)
	}
}

func (b *Browser) note(format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.problems = append(b.problems, fmt.Sprintf(format, args...))
}

func (b *Browser) noteForeign(address string) {
	b.mu.Lock()
	origin := b.origin
	b.mu.Unlock()
	u, err := url.Parse(address)
	if err == nil && (u.Scheme == "data" || u.Scheme == "blob" || u.Scheme+"://"+u.Host == origin) {
		return
	}
	b.note("request to another origin: %s", address)
}

// Visit opens a page. From then on, requests to other origins are problems.
func (b *Browser) Visit(t *testing.T, address string) {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	b.mu.Lock()
	b.origin = u.Scheme + "://" + u.Host
	b.mu.Unlock()
	b.Do(t, "open "+address, chromedp.Navigate(address))
}

// Do runs steps and ends the test if they fail; why names them.
func (b *Browser) Do(t *testing.T, why string, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		t.Fatalf("%s: %v; so far: %q", why, err, b.Problems(t))
	}
}

// Evaluate returns the value of a JavaScript expression.
func Evaluate[T any](t *testing.T, b *Browser, expression string) T {
	t.Helper()
	value, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	return value
}

// await ends the test if the promise is not kept.
func (b *Browser) await(t *testing.T, why, promise string) {
	t.Helper()
	if _, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](promise, chromedp.EvalAwaitPromise)); err != nil {
		t.Fatalf("%s: %v; so far: %q", why, err, b.Problems(t))
	}
}

// Problems returns what went wrong since [Open]: violations of the page's
// policy, errors and warnings of the console, requests to other origins.
func (b *Browser) Problems(t *testing.T) []string {
	t.Helper()
	violations, err := chromedp.Run(b.ctx, chromedp.Evaluate[[]string]("window.policyViolations"))
	b.mu.Lock()
	defer b.mu.Unlock()
	all := append([]string(nil), b.problems...)
	if err != nil {
		all = append(all, "policy violations are unknown: "+err.Error())
	}
	for _, v := range violations {
		all = append(all, "policy violation: "+v)
	}
	return all
}

// ColorScheme makes the page believe that the user prefers "light" or "dark",
// and no motion: a screenshot must not show half of a transition.
func (b *Browser) ColorScheme(t *testing.T, scheme string) {
	t.Helper()
	b.Do(t, "prefer "+scheme, chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		_, err := cdp.Call(ctx, tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{
				{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
			},
		})
		return err
	}))
}

// Screenshot returns the whole page as a PNG.
func (b *Browser) Screenshot(t *testing.T) []byte {
	t.Helper()
	b.Do(t, "scroll up", chromedp.Evaluate[chromedp.Void]("window.scrollTo(0, 0)"))
	image, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		t.Fatalf("screenshot: %v", err)
	}
	return image
}
