package csrf_test

import (
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/fastness/fastness/guard/csrf"
)

// seen is what a real browser has sent in one case, and what became of it.
type seen struct{ code, site, origin string }

// site is the server under attack. It keeps what it has seen, by the name of the
// case.
type site struct {
	t     *testing.T
	guard *csrf.Guard
	mu    sync.Mutex
	cases map[string]seen
	more  chan struct{}
}

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	check := s.guard.CheckOrigin
	if strings.HasPrefix(name, "effects") {
		check = s.guard.CheckEffects
	}
	err := check(r)
	if err == nil && s.guard.NeedsToken(r) {
		err = s.guard.Check(r, "")
	}
	s.mu.Lock()
	s.cases[name] = seen{code(s.t, err), r.Header.Get("Sec-Fetch-Site"), r.Header.Get("Origin")}
	s.mu.Unlock()
	select {
	case s.more <- struct{}{}:
	default:
	}
	if name == "own-form" { // The way goes on to the attacker's pages.
		http.Redirect(w, r, r.URL.Query().Get("next"), http.StatusSeeOther)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// script sends what a page can send, as the cases with the prefix.
const script = `<!doctype html><title>%[1]s</title><body><script>
const prefix = %[1]q, target = %[2]q;
new WebSocket(target.replace("http", "ws") + "/case/" + prefix + "-websocket");
new Image().src = target + "/case/effects-" + prefix + "-image";
fetch(target + "/case/" + prefix + "-fetch", {method: "POST", mode: "no-cors", credentials: "include", body: "a=b"}).catch(() => {});
const sandbox = document.createElement("iframe");
sandbox.sandbox = "allow-scripts allow-forms";
sandbox.srcdoc = '<form method=post action="' + target + '/case/' + prefix + '-sandbox"></form><script>document.forms[0].submit()</scr' + 'ipt>';
document.body.append(sandbox);
</script>`

// What browsers send is what the rules are about. A Chromium visits the own page, a
// page of a sibling (same site, another origin) and one of another site.
func TestInARealBrowser(t *testing.T) {
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("there is no chromium in PATH: " + err.Error())
	}
	g := guard(t, csrf.Config{InsecureHTTP: "a test on loopback"})
	s := &site{t: t, guard: g, cases: map[string]seen{}, more: make(chan struct{}, 1)}
	mux := http.NewServeMux()
	mux.Handle("/case/{name}", s)
	own := httptest.NewServer(mux)
	defer own.Close()
	attacker := http.NewServeMux()
	other := httptest.NewServer(attacker)
	defer other.Close()

	ownURL := strings.Replace(own.URL, "127.0.0.1", "localhost", 1)
	sibling := strings.Replace(other.URL, "127.0.0.1", "localhost", 1)
	mux.HandleFunc("GET /start", func(w http.ResponseWriter, r *http.Request) {
		token, err := g.Token(w.Header(), r, "")
		if err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Referrer-Policy", "no-referrer") // the policy that makes browsers write Origin: null
		fmt.Fprintf(w, script, "own", ownURL)
		fmt.Fprintf(w, `<form method=post action="/case/own-form?next=%s"><input type=hidden name=csrf-token value="%s"></form><script>
			fetch("/case/own-header", {method: "DELETE", headers: {"X-CSRF-Token": %q}}).then(() =>
			setTimeout(() => document.forms[0].submit(), 1500));</script>`, html.EscapeString(sibling+"/sibling"), html.EscapeString(token), token)
	})
	page := func(prefix, next string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			fmt.Fprintf(w, script, prefix, ownURL)
			fmt.Fprintf(w, `<iframe name=hidden></iframe><form method=post target=hidden action="%s/case/%s-form"></form><script>document.forms[0].submit();
				if (%q) setTimeout(() => location = %q, 1500)</script>`, ownURL, prefix, next, next)
		}
	}
	attacker.HandleFunc("GET /sibling", page("sibling", other.URL+"/foreign"))
	attacker.HandleFunc("GET /foreign", page("foreign", ""))

	browse(t, path, ownURL+"/start")
	want := map[string]string{
		"own-websocket": "", "own-fetch": "csrf_missing_token", "own-header": "", "own-form": "", "own-sandbox": "cross_site", "effects-own-image": "",
		"sibling-websocket": "cross_site", "sibling-fetch": "cross_site", "sibling-form": "cross_site", "sibling-sandbox": "cross_site", "effects-sibling-image": "cross_site",
		"foreign-websocket": "cross_site", "foreign-fetch": "cross_site", "foreign-form": "cross_site", "foreign-sandbox": "cross_site", "effects-foreign-image": "cross_site",
	}
	s.wait(len(want))
	for name, code := range want {
		got := s.cases[name]
		t.Logf("%-21s Sec-Fetch-Site %-12q Origin %-26q %s", name, got.site, got.origin, got.code)
		if got.code != code {
			t.Errorf("%s: %q, want %q", name, got.code, code)
		}
	}
	// Why null passes beside same-origin.
	if form := s.cases["own-form"]; form.site != "same-origin" || form.origin != "null" {
		t.Errorf("the form of an own page with no-referrer has Sec-Fetch-Site %q and Origin %q", form.site, form.origin)
	}
}

// wait returns when n cases were seen, or after half a minute, with the lock held.
func (s *site) wait(n int) {
	late := time.After(30 * time.Second)
	for {
		s.mu.Lock()
		if len(s.cases) >= n {
			return
		}
		s.mu.Unlock()
		select {
		case <-s.more:
		case <-late:
			s.mu.Lock()
			s.t.Errorf("%d of %d cases were seen", len(s.cases), n)
			return
		}
	}
}

// browse opens a page in a Chromium with an empty profile, which the test ends with
// all of its processes.
func browse(t *testing.T, path, page string) {
	t.Helper()
	cmd := exec.Command(path, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-dev-shm-usage",
		"--disable-background-networking", "--disable-component-update", "--disable-default-apps", "--disable-sync", "--disable-quic",
		"--remote-debugging-port=0", "--user-data-dir="+t.TempDir(), page)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // The group has nothing but this browser.
		_ = cmd.Wait()                                      // It was killed.
	})
}
