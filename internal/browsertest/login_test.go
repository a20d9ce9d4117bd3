package browsertest_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/fastness/fastness/internal/browsertest"
)

const password = "correct horse battery staple"

// serveShop builds the shop, makes its users and starts it. It returns its
// address, such as https://localhost:41234.
func serveShop(t *testing.T, users ...string) (origin string) {
	t.Helper()
	folder := t.TempDir()
	program, data := filepath.Join(folder, "shop"), filepath.Join(folder, "data")
	build := exec.CommandContext(t.Context(), "go", "build", "-C", "../../examples/shop", "-o", program, ".")
	if text, err := build.CombinedOutput(); err != nil {
		t.Fatalf("the shop cannot be built: %v\n%s", err, text)
	}
	for _, name := range users {
		role := "customer"
		if name == "admin" {
			role = name
		}
		add := exec.CommandContext(t.Context(), program, "users", "add", name, "--role", role, "--tenant", "castle", "--password-stdin", "--data", data)
		add.Stdin = strings.NewReader(password + "\n")
		if text, err := add.CombinedOutput(); err != nil {
			t.Fatalf("user %s: %v\n%s", name, err, text)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute) // It outlives t.Context.
	server := exec.CommandContext(ctx, program, "--addr", "127.0.0.1:0", "--data", data, "--log-format", "json")
	log, err := server.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	reader := bufio.NewReader(log)
	for origin == "" {
		line, err := reader.ReadBytes('\n')
		var record struct{ Msg, URL string }
		if json.Unmarshal(line, &record) == nil && record.Msg == "serving" {
			origin = record.URL
		}
		if err != nil {
			break
		}
	}
	rest := make(chan string, 1)
	go func() {
		text, _ := io.ReadAll(reader) // It ends with the process.
		rest <- string(text)
	}()
	t.Cleanup(func() {
		defer cancel()
		_ = server.Process.Signal(syscall.SIGTERM) // Wait tells if it is gone already.
		text := <-rest
		if err := server.Wait(); err != nil || strings.Contains(text, `"level":"ERROR"`) {
			t.Errorf("the shop stopped with %v\n%s", err, text)
		}
	})
	if origin == "" {
		t.Fatal("the shop did not say where it is")
	}
	return origin
}

// fetch sends a request from the page and returns the status and the body.
func fetch(t *testing.T, b *browsertest.Browser, path, options string) (answer string) {
	t.Helper()
	script := fmt.Sprintf("fetch(%q, %s).then(async (r) => r.status + ' ' + await r.text(), (e) => 'failed: ' + e)", path, options)
	b.Do(t, "fetch "+path, chromedp.Func(func(ctx context.Context, tab *chromedp.Target) (err error) {
		answer, err = chromedp.Evaluate[string](script, chromedp.EvalAwaitPromise)(ctx, tab)
		return err
	}))
	return answer
}

// cookies returns those that the browser would send to address.
func cookies(t *testing.T, b *browsertest.Browser, address string) map[string]*network.Cookie {
	t.Helper()
	found := make(map[string]*network.Cookie)
	b.Do(t, "cookies", chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		got, err := cdp.Call(ctx, tab, network.GetCookies, network.GetCookiesParams{URLs: []string{address}})
		for _, c := range got.Cookies {
			found[c.Name] = c
		}
		return err
	}))
	return found
}

// logIn fills the form of the page and sends it.
func logIn(t *testing.T, b *browsertest.Browser, name, password string) {
	t.Helper()
	b.Do(t, "log in", chromedp.SendKeys(chromedp.CSS("#username"), name), chromedp.SendKeys(chromedp.CSS("#password"), password),
		chromedp.Click(chromedp.CSS("form button")))
}

// screenshot writes what the page looks like, if $FASTNESS_SCREENSHOTS says where.
func screenshot(t *testing.T, b *browsertest.Browser, name string) {
	t.Helper()
	if folder := os.Getenv("FASTNESS_SCREENSHOTS"); folder != "" {
		if err := os.WriteFile(filepath.Join(folder, name), b.Screenshot(t), 0o644); err != nil {
			t.Error(err)
		}
	}
}

func wantProblems(t *testing.T, b *browsertest.Browser, allowed ...string) {
	t.Helper()
	for _, problem := range b.Problems(t) {
		excused := false
		for _, text := range allowed {
			excused = excused || strings.Contains(problem, text)
		}
		if !excused {
			t.Error(problem)
		}
	}
}

func TestLogInThroughTheForm(t *testing.T) {
	b := browsertest.Open(t, browsertest.AnyCertificate())
	shop := serveShop(t, "ann")
	b.ColorScheme(t, "light")
	b.Visit(t, shop+"/login?next=/items/")
	screenshot(t, b, "login.png")
	// A browser moves it when it draws, not when the page is there.
	b.Do(t, "the field for the name has the focus", chromedp.Poll[chromedp.Void](`document.activeElement.id === "username"`, chromedp.WithPollingInterval(20*time.Millisecond)))

	logIn(t, b, "ann", "not it")
	b.Do(t, "the page says so", chromedp.WaitVisible(chromedp.CSS("[role=alert]")))
	screenshot(t, b, "login-failed.png")
	if got := browsertest.Evaluate[string](t, b, "location.pathname + ' ' + document.querySelector('[role=alert]').textContent"); got != "/login Name, password or code are wrong." {
		t.Errorf("after a wrong password the page is %q", got)
	}
	if got := cookies(t, b, shop); len(got) != 1 || got["__Host-csrf"] == nil {
		t.Errorf("after a wrong password there are the cookies %v, want that of the form only", got)
	}
	b.ColorScheme(t, "dark")
	screenshot(t, b, "login-failed-dark.png")

	logIn(t, b, "ann", password)
	b.Do(t, "it leads on", chromedp.WaitReady(chromedp.CSS("body")), waitFor("location.pathname === '/items/'"))
	wantCookies(t, cookies(t, b, shop))
	if got := browsertest.Evaluate[string](t, b, "document.cookie"); got != "" {
		t.Errorf("scripts see the cookies %q", got)
	}

	b.Visit(t, shop+"/login")
	logIn(t, b, "ann", password)
	b.Do(t, "it leads to the front page", waitFor("location.pathname === '/' && document.title === 'The Fastness shop'"))
	wantProblems(t, b, "/favicon.ico")

	b.Visit(t, shop+"/docs") // The pages of the shop have no scripts and may connect to nothing.
	me := fetch(t, b, "/me", "{}")
	if !strings.HasPrefix(me, "200 ") || !strings.Contains(me, `"name":"ann"`) || !strings.Contains(me, `"scheme":"session"`) {
		t.Errorf("GET /me by the page = %s, want ann by the session", me)
	}
	order := func(token string) string {
		return fetch(t, b, "/orders", `{method: "POST", headers: {"Content-Type": "application/json"`+token+`}, body: '{"item_id": 1}'}`)
	}
	if got := order(""); !strings.HasPrefix(got, "403 ") || !strings.Contains(got, "csrf_missing_token") {
		t.Errorf("POST /orders by the page without a token = %s, want 403", got)
	}
	token := `, "X-CSRF-Token": "` + csrfToken(t, b) + `"`
	if got := order(token); !strings.HasPrefix(got, "201 ") {
		t.Errorf("POST /orders by the page = %s, want 201", got)
	}
	if got := fetch(t, b, "/logout", `{method: "POST", headers: {"Accept": "*/*"`+token+`}}`); !strings.HasPrefix(got, "204") {
		t.Errorf("POST /logout by the page = %s, want 204", got)
	}
	if got := cookies(t, b, shop)["__Host-session"]; got != nil {
		t.Errorf("after the log-out there is the cookie %+v", got)
	}
	if got := fetch(t, b, "/me", "{}"); !strings.HasPrefix(got, "401 ") {
		t.Errorf("GET /me after the log-out = %s, want 401", got)
	}
	wantProblems(t, b, "/favicon.ico", "status of 401", "status of 403 () ("+shop+"/orders)")
}

// csrfToken returns a token that a script of the page gets.
func csrfToken(t *testing.T, b *browsertest.Browser) string {
	t.Helper()
	status, body, _ := strings.Cut(fetch(t, b, "/csrftoken/", "{}"), " ")
	var got struct {
		Token string `json:"csrf_token"`
	}
	if err := json.Unmarshal([]byte(body), &got); err != nil || status != "200" {
		t.Fatalf("GET /csrftoken/ = %s %s", status, body)
	}
	return got.Token
}

// tokenOfNobody returns a token as an attacker gets one, for another browser.
func tokenOfNobody(t *testing.T, shop string) string {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}}
	res, err := client.Get(shop + "/csrftoken/")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var got struct {
		Token string `json:"csrf_token"`
	}
	if err := json.NewDecoder(res.Body).Decode(&got); err != nil || got.Token == "" {
		t.Fatalf("GET /csrftoken/: %d, %v", res.StatusCode, err)
	}
	return got.Token
}

func wantCookies(t *testing.T, got map[string]*network.Cookie) {
	t.Helper()
	for _, name := range []string{"__Host-session", "__Host-device", "__Host-csrf"} {
		c := got[name]
		if c == nil {
			t.Errorf("there is no cookie %s", name)
			continue
		}
		if !c.HTTPOnly || !c.Secure || c.Path != "/" || c.Domain != "localhost" || c.SameSite != network.CookieSameSiteStrict && c.SameSite != network.CookieSameSiteLax {
			t.Errorf("cookie %s: HttpOnly %t, Secure %t, SameSite %s, Path %s, Domain %s", name, c.HTTPOnly, c.Secure, c.SameSite, c.Path, c.Domain)
		}
		t.Logf("cookie %s: HttpOnly %t, Secure %t, SameSite %s, session %t", name, c.HTTPOnly, c.Secure, c.SameSite, c.Session)
	}
	if len(got) != 3 {
		t.Errorf("there are %d cookies, want 3", len(got))
	}
}

// waitFor waits until an expression is true, whatever page is shown by then.
func waitFor(expression string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for range 500 {
			// While the page changes there is nothing to ask.
			if is, err := chromedp.Evaluate[bool](expression)(ctx, tab); err == nil && is {
				return nil
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-tick.C:
			}
		}
		return errors.New("it never became true: " + expression)
	})
}

// attacks are what a page of somebody else can make a browser send. A page on
// another port of the same host is the worst: SameSite does not stop it.
func attacks(shop, token string) map[string]string {
	form := func(path, enctype, fields string) string {
		return `<form method="post" enctype="` + enctype + `" action="` + shop + path + `">` + fields + `</form><script>document.forms[0].submit()</script>`
	}
	login := `<input name="username" value="eve"><input name="password" value="` + password + `">`
	fetch := func(path, options string) string {
		return `<script>fetch("` + shop + path + `", ` + options + `).finally(() => { document.title = "sent" })</script>`
	}
	planted := `<input name="csrf-token" value="` + token + `">` // For the attacker's own browser.
	return map[string]string{
		"a form with a token":        form("/login", "application/x-www-form-urlencoded", login+planted),
		"a form that passes /secure": form("/secure", "application/x-www-form-urlencoded", planted),
		"a form that logs in":        form("/login", "application/x-www-form-urlencoded", login),
		"a multipart form that does": form("/login", "multipart/form-data", login),
		"a form that orders":         form("/orders", "text/plain", `<input name='{"item_id":1,"note":"' value='forged"}'>`),
		"a form that logs out":       form("/logout", "application/x-www-form-urlencoded", ""),
		"a script that orders":       fetch("/orders", `{method: "POST", mode: "no-cors", credentials: "include", body: '{"item_id":1,"note":"forged"}'}`),
		"a script that asks first":   fetch("/orders", `{method: "POST", credentials: "include", headers: {"Content-Type": "application/json"}, body: '{"item_id":1,"note":"forged"}'}`),
		"a script that logs in":      fetch("/session", `{method: "POST", mode: "no-cors", credentials: "include", body: '{"username":"eve","password":"`+password+`"}'}`),
		"a script that logs out":     fetch("/logout", `{method: "POST", mode: "no-cors", credentials: "include"}`),
		"a script that reads":        `<script>fetch("` + shop + `/me", {credentials: "include"}).then(async (r) => { document.title = "read " + await r.text() }, () => { document.title = "sent" })</script>`,
		"a frame":                    `<iframe src="` + shop + `/login" onload="document.title='sent'"></iframe>`,
	}
}

func TestPagesOfOthersCannotUseTheSession(t *testing.T) {
	b := browsertest.Open(t, browsertest.AnyCertificate())
	shop := serveShop(t, "ann", "eve")
	list := attacks(shop, tokenOfNobody(t, shop))
	evil := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, "<!doctype html><title>evil</title>"+list[r.URL.Query().Get("attack")])
	}))
	t.Cleanup(evil.Close)
	u, err := url.Parse(evil.URL)
	if err != nil {
		t.Fatal(err)
	}
	b.Visit(t, shop+"/login")
	logIn(t, b, "ann", password)
	b.Do(t, "ann is in", waitFor("location.pathname === '/'"))
	session := cookies(t, b, shop)["__Host-session"].Value

	for site, host := range map[string]string{"another port": "localhost", "another site": "127.0.0.1"} {
		for name := range list {
			b.Visit(t, "https://"+host+":"+u.Port()+"/?attack="+url.QueryEscape(name))
			b.Do(t, name, waitFor("document.title !== 'evil'"))
			if got := browsertest.Evaluate[string](t, b, "document.title"); strings.HasPrefix(got, "read") {
				t.Errorf("%s on %s: %s", name, site, got)
			}
			if !strings.HasPrefix(name, "a form") {
				continue
			}
			if got := browsertest.Evaluate[string](t, b, "document.body.innerText"); !strings.Contains(got, `"cross_site"`) && (host == "localhost" || !strings.Contains(got, `"not_authenticated"`)) { // The cookie stays away there.
				t.Errorf("%s on %s is answered with %s, want that it comes from another site", name, site, got)
			}
		}
		b.Visit(t, shop+"/docs")
		if c := cookies(t, b, shop)["__Host-session"]; c == nil || c.Value != session {
			t.Errorf("after attacks from %s the session is another one: %v", site, c)
		}
		if got := fetch(t, b, "/me", "{}"); !strings.Contains(got, `"name":"ann"`) {
			t.Errorf("after attacks from %s the page is used by %s, want ann", site, got)
		}
		if got := fetch(t, b, "/orders", "{}"); got != "200 {\"items\":[]}" {
			t.Errorf("after attacks from %s the orders are %s, want none", site, got)
		}
	}
}
