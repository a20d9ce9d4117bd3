package passkey_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/passkey"
)

func TestPasskeyLogsIn(t *testing.T) {
	for _, tt := range []struct {
		name    string
		flags   byte
		synced  bool
		methods []string
	}{
		{"one that is bound to its device is a hardware key", present | verified, false, []string{"hwk", "mfa", "user"}},
		{"one that is copied to others is a software key", present | verified | eligible | backedUp, true, []string{"mfa", "swk", "user"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSite(t)
			ann := s.add("ann")
			b, d := s.logIn("ann"), newDevice(s.t)
			d.flags = tt.flags

			options := b.creation()
			if options.RP != (passkey.RelyingParty{ID: "localhost", Name: "Shop & Co"}) || options.User.Name != "ann" || len(options.Exclude) != 0 {
				t.Errorf("options %+v, want those of ann at localhost", options)
			}
			added := b.addPasskey("Laptop", d.create(options)).want(t, http.StatusCreated)
			if got, want := added.header.Get("Location"), "/me/passkeys/"+b64(d.id); got != want {
				t.Errorf("Location is %q, want %q", got, want)
			}
			if event := s.lastEvent(); event.Name != "user_updated" || event.Actor != ann || event.Refused {
				t.Errorf("the event is %+v, want ann's change", event)
			}
			if exclude := b.creation().Exclude; len(exclude) != 1 || exclude[0].ID != b64(d.id) || !slices.Equal(exclude[0].Transports, []string{"internal"}) {
				t.Errorf("excluded are %+v, want the one that there is", exclude)
			}

			other := s.browser()
			other.present(d.get(other.request())).want(t, http.StatusNoContent)
			if id, methods := other.me(); id != ann || !slices.Equal(methods, tt.methods) {
				t.Errorf("logged in is %q by %v, want %q by %v", id, methods, ann, tt.methods)
			}
			views := decode[[]passkey.View](t, other.get("/me/passkeys"))
			if len(views) != 1 || views[0].Name != "Laptop" || views[0].Synced != tt.synced || views[0].LastUsed == nil {
				t.Errorf("the passkeys are %+v, want the one, used and synced: %t", views, tt.synced)
			}
		})
	}
}

// The device cookie of a log-in by password, and whatever session the browser had,
// have no say: a new session begins.
func TestLoginEndsTheSessionThatTheBrowserCameWith(t *testing.T) {
	s := newSite(t)
	_, d := s.enrolled("ann")
	s.add("bob")
	b := s.logIn("bob")
	planted := b.cookies["__Host-session"]
	b.present(d.get(b.request())).want(t, http.StatusNoContent)
	if b.cookies["__Host-session"] == planted {
		t.Error("the cookie is that of before the log-in")
	}
	old := s.browser()
	old.cookies["__Host-session"] = planted
	if id, _ := old.me(); id != "" {
		t.Errorf("the cookie of before is %q's, want nobody's", id)
	}
}

func TestPasskeyWithoutACountLogsInAgainAndAgain(t *testing.T) {
	s := newSite(t)
	s.add("ann")
	b, d := s.logIn("ann"), newDevice(s.t)
	d.count = 0
	b.addPasskey("Phone", d.create(b.creation())).want(t, http.StatusCreated)
	for range 3 {
		b.present(d.sign(b.request().Challenge)).want(t, http.StatusNoContent)
	}
}

func TestRemovingAPasskey(t *testing.T) {
	s := newSite(t)
	ann, d := s.enrolled("ann")
	s.add("bob")
	path := "/me/passkeys/" + b64(d.id)
	b := s.logIn("ann")

	s.logIn("bob").delete(path).wantProblem(t, http.StatusNotFound, "")
	b.delete("/me/passkeys/none").wantProblem(t, http.StatusNotFound, "")

	// Without a password, the last one stays.
	setPasswordChanged := func(micros int64) {
		if _, err := s.core.DB().Write.ExecContext(t.Context(), "UPDATE fastness_accounts SET password_changed = ? WHERE id = ?", micros, ann); err != nil {
			t.Fatal(err)
		}
	}
	setPasswordChanged(0)
	b.delete(path).wantProblem(t, http.StatusConflict, "last_passkey")
	if event := s.lastEvent(); !event.Refused {
		t.Errorf("the event is %+v, want one that is refused", event)
	}
	second := newDevice(s.t)
	b.addPasskey("Phone", second.create(b.creation())).want(t, http.StatusCreated)
	b.delete("/me/passkeys/"+b64(second.id)).want(t, http.StatusNoContent)
	setPasswordChanged(1)
	b.delete(path).want(t, http.StatusNoContent)

	stranger := s.browser()
	stranger.present(d.get(stranger.request())).wantProblem(t, http.StatusUnauthorized, "invalid_credentials")
	b.delete(path).wantProblem(t, http.StatusNotFound, "")
}

func TestThereAreNotEndlesslyManyPasskeys(t *testing.T) {
	s := newSite(t)
	s.add("ann")
	b := s.logIn("ann")
	for range 25 {
		d := newDevice(s.t)
		b.addPasskey("Laptop", d.create(b.creation())).want(t, http.StatusCreated)
	}
	d := newDevice(s.t)
	b.addPasskey("Laptop", d.create(b.creation())).wantProblem(t, http.StatusConflict, "too_many_passkeys")
}

func TestAnotherProcessFinishesWhatOneBegan(t *testing.T) {
	one := newSite(t)
	ann, d := one.enrolled("ann")
	two := openSite(t, one.dir, one.addr, one.later)
	b := two.browser()
	signed := d.get(one.browser().request())
	b.present(signed).want(t, http.StatusNoContent)
	if id, _ := b.me(); id != ann {
		t.Errorf("logged in is %q, want %q", id, ann)
	}
	one.browser().present(signed).wantProblem(t, http.StatusUnauthorized, "invalid_credentials")
}

func TestWhatIsStoredOfAChallengeDoesNotFinishACeremony(t *testing.T) {
	s := newSite(t)
	challenge := s.browser().request().Challenge
	var n int
	row := s.core.DB().Write.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM fastness_passkey_challenges WHERE instr(hash, CAST(? AS BLOB)) > 0", challenge)
	if err := row.Scan(&n); err != nil || n != 0 {
		t.Errorf("%d rows hold the challenge itself, %v; want none", n, err)
	}
	s.later.Add(int64(6 * time.Minute))
	s.browser().request()
	if err := s.core.DB().Write.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM fastness_passkey_challenges").Scan(&n); err != nil || n != 1 {
		t.Errorf("%d challenges after the first has expired, %v; want only the new one", n, err)
	}
}

func TestPageOffersPasskeys(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	login := s.call(b, "GET", "/login?next=/orders", "", "Accept", "text/html").want(t, http.StatusOK)
	if !strings.Contains(login.body, `href="/passkeys/login?next=%2forders"`) || strings.Contains(login.header.Get("Content-Security-Policy"), "script-src") {
		t.Errorf("the page for passwords is %s with the policy %s, want a link and no scripts", login.body, login.header.Get("Content-Security-Policy"))
	}
	page := s.call(b, "GET", `/passkeys/login?next=%22%3E%3Cscript%3E`, "").want(t, http.StatusOK)
	if !strings.Contains(page.body, "to Shop &amp; Co") || strings.Contains(page.body, `"><script>`) {
		t.Errorf("the page is %s, want what is in the address escaped", page.body)
	}
	if policy := page.header.Get("Content-Security-Policy"); !strings.Contains(policy, "script-src 'self';") || strings.Contains(policy, "unsafe") {
		t.Errorf("the page's policy is %q, want scripts of this site only", policy)
	}
}

func TestWrongConfigurationIsAMistakeOfTheApp(t *testing.T) {
	app := fastness.New(fastness.Config{Title: "Shop", Version: "1"})
	passkey.New(passkey.Config{}).Declare(app)
	if err := app.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "passkey: Identity is nil") {
		t.Errorf("Start() = %v, want the mistake", err)
	}
}

func TestSiteOfAnIssuer(t *testing.T) {
	for _, tt := range []struct{ name, issuer, host, origin string }{
		{"the port belongs to the origin only", "https://localhost:8443", "localhost", "https://localhost:8443"},
		{"the usual port is not written", "https://Shop.example:443/api", "shop.example", "https://shop.example"},
		{"an address is no host for passkeys", "https://192.0.2.1", "", ""},
		{"nor is one of six bytes and more", "https://[2001:db8::1]:8443", "", ""},
		{"plain HTTP has none", "http://shop.example", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			host, origin, err := passkey.SiteOf(tt.issuer)
			if host != tt.host || origin != tt.origin || (err != nil) != (tt.host == "") {
				t.Errorf("SiteOf(%q) = %q, %q, %v; want %q, %q", tt.issuer, host, origin, err, tt.host, tt.origin)
			}
		})
	}
}
