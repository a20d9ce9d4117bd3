package passkey_test

import (
	"context"
	"fmt"
	"net"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"

	"github.com/fastness/fastness/passkey"
)

// tab is a tab of Chromium with an authenticator that is not there.
type tab struct {
	t      *testing.T
	ctx    context.Context
	origin string
	key    webauthn.AuthenticatorID

	mu       sync.Mutex
	problems []string
}

// openTab starts Chromium, or skips the test where there is none.
func openTab(t *testing.T, origin string) *tab {
	t.Helper()
	if testing.Short() {
		t.Skip("starting a browser takes seconds")
	}
	program, err := exec.LookPath("chromium")
	if err != nil {
		if program, err = exec.LookPath("google-chrome"); err != nil {
			t.Skip("no Chromium on the PATH; on Debian: apt-get install -y chromium")
		}
	}
	b := &tab{t: t, origin: origin}
	ctx, stopClock := context.WithTimeout(t.Context(), 90*time.Second)
	ctx, stopProcess := chromedp.NewExecAllocator(ctx,
		chromedp.ExecPath(program), chromedp.UserDataDir(t.TempDir()),
		chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.Flag("ignore-certificate-errors", true),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-default-apps", true),
		chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("disable-sync", true))
	ctx, stopTab := chromedp.NewContext(ctx, chromedp.WithListener(b.listen))
	t.Cleanup(func() { stopTab(); stopProcess(); stopClock() })
	b.ctx = ctx
	call(b, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{
		Source: `window.policyViolations = [];
			document.addEventListener("securitypolicyviolation", (e) => window.policyViolations.push(e.effectiveDirective + " blocked " + e.blockedURI));`,
	})
	t.Cleanup(func() { _ = chromedp.Cancel(ctx) }) // It waits for the browser, which writes to its profile to the end.
	call(b, webauthn.Enable, webauthn.EnableParams{})
	b.key = call(b, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
		Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportInternal,
		HasResidentKey: true, HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true,
	}}).AuthenticatorID
	return b
}

func call[P, R any](b *tab, command cdp.Command[P, R], params P) R {
	b.t.Helper()
	result, err := chromedp.Call(b.ctx, command, params)
	if err != nil {
		b.t.Fatalf("%s: %v", command.Method, err)
	}
	return result
}

// listen notes what goes wrong. It must not wait.
func (b *tab) listen(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError {
			b.problems = append(b.problems, e.Entry.Text+" "+e.Entry.URL)
		}
	case *runtime.EventExceptionThrown:
		b.problems = append(b.problems, e.ExceptionDetails.Text)
	}
}

// wantNoProblems wants a page on which nothing was blocked and nothing failed.
func (b *tab) wantNoProblems() {
	b.t.Helper()
	if blocked := eval[[]string](b, "window.policyViolations"); len(blocked) != 0 {
		b.t.Errorf("the policy of the page: %q", blocked)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, p := range b.problems {
		if !strings.Contains(p, "favicon.ico") {
			b.t.Errorf("the browser says: %s", p)
		}
	}
}

func (b *tab) do(why string, steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, stop := context.WithTimeout(b.ctx, 20*time.Second)
	defer stop()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.t.Fatalf("%s: %v; the page is %s", why, err, eval[string](b, "location.href + ' ' + document.body.innerText"))
	}
}

func eval[T any](b *tab, expression string) T {
	b.t.Helper()
	value, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	return value
}

func (b *tab) visit(path string) { b.t.Helper(); b.do("open "+path, chromedp.Navigate(b.origin+path)) }

// arrive waits until the browser is at a path.
func (b *tab) arrive(path string) {
	b.t.Helper()
	b.until(fmt.Sprintf("location.href === %q", b.origin+path))
}

// until waits until an expression is true. The page that it is asked of may go
// away meanwhile, which is an error of the question only.
func (b *tab) until(expression string) {
	b.t.Helper()
	ctx, stop := context.WithTimeout(b.ctx, 20*time.Second)
	defer stop()
	for chromedp.Do(ctx, chromedp.Poll[chromedp.Void](expression)) != nil {
		if ctx.Err() != nil {
			b.t.Fatalf("wait for %s: the page is %s", expression, eval[string](b, "location.href + ' ' + document.body.innerText"))
		}
	}
}

// press opens the page for passkeys and presses the button.
func (b *tab) press(next string) {
	b.t.Helper()
	b.visit("/passkeys/login?next=" + next)
	b.do("press the button", chromedp.Click(chromedp.CSS("button")))
}

// wantAlert waits for what the page says.
func (b *tab) wantAlert(text string) {
	b.t.Helper()
	b.do("wait for the alert", chromedp.WaitVisible(chromedp.CSS("[role=alert]")))
	if got := eval[string](b, "document.querySelector('[role=alert]').textContent"); got != text {
		b.t.Errorf("the page says %q, want %q", got, text)
	}
}

func (b *tab) logOut() {
	b.t.Helper()
	if status := eval[int](b, `fetch("/csrftoken/").then(r => r.json())
		.then(t => fetch("/logout", {method: "POST", headers: {"X-CSRF-Token": t.csrf_token}})).then(r => r.status)`); status != 204 {
		b.t.Errorf("POST /logout = %d, want 204", status)
	}
}

// serveTLS serves a site at a port of localhost.
func serveTLS(t *testing.T) (s *site, origin string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s = openSite(t, t.TempDir(), listener.Addr().String(), new(atomic.Int64))
	server := httptest.NewUnstartedServer(s.app)
	_ = server.Listener.Close()
	server.Listener, server.EnableHTTP2 = listener, true
	server.StartTLS()
	t.Cleanup(server.Close)
	return s, fmt.Sprintf("https://localhost:%d", listener.Addr().(*net.TCPAddr).Port)
}

// enrol logs in by password and adds a passkey with the script.
func (b *tab) enrol(name string) passkey.View {
	b.t.Helper()
	b.visit("/login?next=/passkeys/login")
	b.do("log in by password", chromedp.SendKeys(chromedp.CSS("#username"), name),
		chromedp.SendKeys(chromedp.CSS("#password"), password), chromedp.Click(chromedp.CSS("button")))
	b.arrive("/passkeys/login")
	return eval[passkey.View](b, `import("/passkeys/passkey.js").then(m => m.addPasskey("Chromium"))`)
}

func TestChromiumAddsAPasskeyAndLogsIn(t *testing.T) {
	s, origin := serveTLS(t)
	ann := s.add("ann")
	b := openTab(t, origin)

	if added := b.enrol("ann"); added.Name != "Chromium" || added.Synced {
		t.Errorf("added is %+v, want a passkey of this device", added)
	}
	if got := eval[string](b, `import("/passkeys/passkey.js").then(m => m.addPasskey("Again")).catch(e => e.reason)`); got != "exists" {
		t.Errorf("a second passkey on the same device: %q, want that it exists", got)
	}
	b.logOut()
	if status := eval[int](b, `fetch("/me").then(r => r.status)`); status != 401 {
		t.Errorf("GET /me after the log-out = %d, want 401", status)
	}
	b.mu.Lock()
	b.problems = nil // The 401 is one of them.
	b.mu.Unlock()

	b.visit("/login?next=/me")
	b.wantNoProblems()
	b.do("choose passkeys", chromedp.Click(chromedp.CSS(".way a")))
	b.arrive("/passkeys/login?next=%2fme")
	b.wantNoProblems()
	b.do("press the button", chromedp.WaitVisible(chromedp.CSS("button")), chromedp.Click(chromedp.CSS("button")))
	b.arrive("/me")
	me := eval[struct {
		ID      string   `json:"id"`
		Methods []string `json:"methods"`
	}](b, `JSON.parse(document.body.innerText)`)
	if me.ID != ann || strings.Join(me.Methods, " ") != "hwk mfa user" {
		t.Errorf("logged in is %+v, want ann by a hardware key", me)
	}
	if scripts := eval[string](b, "document.cookie"); scripts != "" {
		t.Errorf("scripts see the cookies %q, want none", scripts)
	}
}

func TestChromiumIsRefused(t *testing.T) {
	s, origin := serveTLS(t)
	ann := s.add("ann")
	b := openTab(t, origin)
	b.enrol("ann")
	b.logOut()
	yes, no := true, false
	answers := func(bits webauthn.SetResponseOverrideBitsParams) {
		bits.AuthenticatorID = b.key
		call(b, webauthn.SetResponseOverrideBits, bits)
	}

	t.Log("an authenticator that lies about its user")
	answers(webauthn.SetResponseOverrideBitsParams{IsBadUV: &yes})
	b.press("/me")
	b.wantAlert("The passkey is not accepted.")
	t.Log("an authenticator that cannot sign")
	answers(webauthn.SetResponseOverrideBitsParams{IsBogusSignature: &yes})
	b.press("/me")
	b.wantAlert("The passkey is not accepted.")
	if event := s.lastEvent(); event.Subject != ann || !event.Refused {
		t.Errorf("the event is %+v, want one about ann", event)
	}
	answers(webauthn.SetResponseOverrideBitsParams{IsBogusSignature: &no})

	t.Log("a user who is not recognized")
	call(b, webauthn.SetUserVerified, webauthn.SetUserVerifiedParams{AuthenticatorID: b.key})
	b.press("/me")
	b.wantAlert("Nothing was signed. Please try again.")
	call(b, webauthn.SetUserVerified, webauthn.SetUserVerifiedParams{AuthenticatorID: b.key, IsUserVerified: true})

	t.Log("a page at another name of this host")
	b.origin = strings.Replace(origin, "localhost", "127.0.0.1", 1)
	b.press("/me")
	b.wantAlert("This browser has no passkeys for this address.")
	b.origin = origin

	b.press("/me") // It does work otherwise.
	b.arrive("/me")
}

func TestPageAddsAndRemovesPasskeys(t *testing.T) {
	s, origin := serveTLS(t)
	s.add("ann")
	b := openTab(t, origin)
	b.visit("/passkeys") // Nobody is logged in.
	b.arrive("/login?next=/passkeys")
	b.mu.Lock()
	b.problems = nil // The 401 is one of them.
	b.mu.Unlock()
	b.do("log in by password", chromedp.SendKeys(chromedp.CSS("#username"), "ann"),
		chromedp.SendKeys(chromedp.CSS("#password"), password), chromedp.Click(chromedp.CSS("button")))
	b.arrive("/passkeys")
	b.untilListed(0)
	b.do("add", chromedp.SendKeys(chromedp.CSS("#name"), "<b>Laptop</b>"), chromedp.Click(chromedp.CSS("form button")))
	b.untilListed(1)
	if got := eval[string](b, "document.querySelector('li span').innerText"); !strings.HasPrefix(got, "<b>Laptop</b>\nOn one device, not used yet") {
		t.Errorf("the list says %q, want the name as it was typed", got)
	}
	b.wantNoProblems()
	if dir := os.Getenv("FASTNESS_SCREENSHOTS"); dir != "" {
		b.screenshot(filepath.Join(dir, "passkeys.png"))
		b.visit("/passkeys/login")
		b.screenshot(filepath.Join(dir, "passkey-login.png"))
		b.visit("/login")
		b.screenshot(filepath.Join(dir, "login.png"))
		b.visit("/passkeys")
		b.untilListed(1)
	}
	b.do("remove", chromedp.Click(chromedp.CSS("li button")))
	b.untilListed(0)
	b.wantNoProblems()
	s.later.Add(int64(10 * time.Minute))
	b.do("add", chromedp.SendKeys(chromedp.CSS("#name"), "Laptop"), chromedp.Click(chromedp.CSS("form button")))
	b.arrive("/login?next=/passkeys")
}

// untilListed waits until the page shows n passkeys and can be used.
func (b *tab) untilListed(n int) {
	b.t.Helper()
	b.until(fmt.Sprintf("document.readyState === 'complete' && !document.querySelector('main').inert && document.querySelectorAll('li').length === %d", n))
}

func (b *tab) screenshot(file string) {
	b.t.Helper()
	image, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	if err == nil {
		err = os.WriteFile(file, image, 0o600)
	}
	if err != nil {
		b.t.Error(err)
	}
}

// What the address says must not lead to another site after a log-in.
func TestLoginLeadsToThisSiteOnly(t *testing.T) {
	s, origin := serveTLS(t)
	s.add("ann")
	b := openTab(t, origin)
	b.enrol("ann")
	for _, next := range []string{
		"https://attacker.example/", "//attacker.example", `/\attacker.example`, "https:attacker.example", "javascript:alert(1)",
		"blob:" + origin + "/x", "%09//attacker.example", origin + "@attacker.example",
	} {
		b.press(strings.ReplaceAll(next, " ", "%20"))
		b.until("location.pathname !== '/passkeys/login' && document.readyState === 'complete'")
		if at := eval[string](b, "location.origin"); at != origin {
			t.Errorf("next=%s leads to %s", next, at)
		}
	}
}
