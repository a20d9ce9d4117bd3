package passkey_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/auth/account"
)

// attempt is a try to log in as ann, whose device is d.
type attempt struct {
	*site
	ann string
	d   *device
	b   *browser
}

// loginAttacks are what each of them presents. Every one differs from a log-in
// that succeeds by its name only.
func loginAttacks() map[string]func(a *attempt) json.RawMessage {
	sign := func(change func(a *attempt)) func(*attempt) json.RawMessage {
		return func(a *attempt) json.RawMessage {
			o := a.b.request()
			change(a)
			return a.d.get(o)
		}
	}
	return map[string]func(a *attempt) json.RawMessage{
		"ReplayedAssertion": func(a *attempt) json.RawMessage {
			signed := a.d.get(a.b.request())
			a.browser().present(signed).want(a.t, http.StatusNoContent)
			return signed
		},
		"ChallengeOfARegistration": func(a *attempt) json.RawMessage { return a.d.sign(a.logIn("ann").creation().Challenge) },
		"ChallengeOfOnesOwn":       func(a *attempt) json.RawMessage { return a.d.sign(strings.Repeat("A", 43)) },
		"NoChallenge":              func(a *attempt) json.RawMessage { return a.d.sign("") },
		"ChallengeInOtherWords":    func(a *attempt) json.RawMessage { return a.d.sign(a.b.request().Challenge + "=") },
		"ExpiredChallenge":         sign(func(a *attempt) { a.later.Add(int64(5 * time.Minute)) }),
		"OtherOrigin":              sign(func(a *attempt) { a.d.origin = "https://localhost.attacker.example" }),
		"OtherPort":                sign(func(a *attempt) { a.d.origin = "https://localhost:8444" }),
		"OriginWithAPath":          sign(func(a *attempt) { a.d.origin = "https://localhost:8443/page" }),
		"OriginWithoutTLS":         sign(func(a *attempt) { a.d.origin = "http://localhost:8443" }),
		"OriginOfAnApp":            sign(func(a *attempt) { a.d.origin = "android:apk-key-hash:AAAA" }),
		"FrameOnAnotherSite":       sign(func(a *attempt) { a.d.crossOrigin = true }),
		"OtherRPID":                sign(func(a *attempt) { a.d.host = "attacker.example" }),
		"UserVerificationMissing":  sign(func(a *attempt) { a.d.flags &^= verified }),
		"UserPresenceMissing":      sign(func(a *attempt) { a.d.flags &^= present }),
		"BackupEligibilityChanged": sign(func(a *attempt) { a.d.flags |= eligible }),
		"SignCountBack":            sign(func(a *attempt) { a.d.count -= 5 }),
		"SignCountTheSame": func(a *attempt) json.RawMessage {
			a.browser().present(a.d.get(a.b.request())).want(a.t, http.StatusNoContent)
			return a.d.sign(a.b.request().Challenge)
		},
		"SignCountNoMore":     sign(func(a *attempt) { a.d.count = 1<<32 - 1 }), // get makes 0 of it
		"OtherKey":            sign(func(a *attempt) { a.d.key, _ = ecdsa.GenerateKey(elliptic.P256(), rand.Reader) }),
		"OtherCredentialID":   sign(func(a *attempt) { a.d.id = bytes.Repeat([]byte{1}, 20) }),
		"HandleOfAnotherUser": sign(func(a *attempt) { a.d.user = []byte(a.add("bob")) }),
		"NoHandle":            sign(func(a *attempt) { a.d.user = nil }),
		"CredentialIDOfAnotherUser": func(a *attempt) json.RawMessage {
			_, bobs := a.enrolled("bob") // Bob signs with his key, and says that it is ann's.
			bobs.id = a.d.id
			return bobs.get(a.b.request())
		},
		"CredentialIDAndHandleOfAnotherUser": func(a *attempt) json.RawMessage {
			_, bobs := a.enrolled("bob")
			bobs.id, bobs.user = a.d.id, a.d.user
			return bobs.get(a.b.request())
		},
		"RegistrationForALogin": func(a *attempt) json.RawMessage { return a.d.createFor(a.b.request().Challenge) },
		"DisabledUser": sign(func(a *attempt) {
			a.must(a.core.Accounts.Disable(a.t.Context(), account.By{}, a.ann))
		}),
		"LockedUser": sign(func(a *attempt) {
			a.must(a.core.Accounts.Lock(a.t.Context(), account.By{}, a.ann, a.now().Add(time.Hour)))
		}),
		"PasswordWasResetByAnAdministrator": sign(func(a *attempt) {
			a.must(a.core.Reset(a.t.Context(), a.ann))
		}),
		"CredentialOfADeletedUser": sign(func(a *attempt) {
			a.must(a.core.Accounts.Delete(a.t.Context(), account.By{}, a.ann))
		}),
		"SignatureThatWasCut": func(a *attempt) json.RawMessage {
			return bytes.Replace(a.d.get(a.b.request()), []byte(`"signature":"`), []byte(`"signature":"AA`), 1)
		},
		"NothingAtAll": func(*attempt) json.RawMessage { return json.RawMessage(`{}`) },
		"NoObject":     func(*attempt) json.RawMessage { return json.RawMessage(`"passkey"`) },
		"Null":         func(*attempt) json.RawMessage { return json.RawMessage(`null`) },
	}
}

func (s *site) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// Each is refused in the same words, begins no session and leaves an event.
func TestLoginIsRefused(t *testing.T) {
	for name, attack := range loginAttacks() {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			ann, d := s.enrolled("ann")
			a := &attempt{s, ann, d, s.browser()}
			a.b.present(d.get(a.b.request())).want(t, http.StatusNoContent) // It does log in.
			d.count += 10
			a.b.present(d.get(a.b.request())).want(t, http.StatusNoContent)
			a.b = s.browser()

			presented := attack(a)
			got := a.b.present(presented)
			got.wantProblem(t, http.StatusUnauthorized, "invalid_credentials")
			var p struct{ Detail string }
			if p = decode[struct{ Detail string }](t, got); p.Detail != "the passkey is not accepted" {
				t.Errorf("the answer says %q, want what it says to all", p.Detail)
			}
			delete(a.b.cookies, "__Host-csrf") // It came with the token, before the attempt.
			if len(got.header["Set-Cookie"]) != 0 || len(a.b.cookies) != 0 {
				t.Errorf("cookies are set: %q", got.header["Set-Cookie"])
			}
			if event := s.lastEvent(); event.Name != "authn_login_fail" || !event.Refused {
				t.Errorf("the event is %+v, want a log-in that failed", event)
			}
		})
	}
}

// Whoever sends nonsense without end must not fill the log, nor hide in it what
// happens to an account.
func TestNonsenseDoesNotFillTheLog(t *testing.T) {
	s := newSite(t)
	_, d := s.enrolled("ann")
	before := s.lastEvent().Seq
	b := s.browser()
	for range 100 {
		b.present(json.RawMessage(`{}`)).want(t, http.StatusUnauthorized)
	}
	if n := s.lastEvent().Seq - before; n < 50 || n > 70 {
		t.Errorf("%d events of 100 failures, want about 60", n)
	}
	before = s.lastEvent().Seq
	d.count = 0
	b.present(d.get(b.request())).want(t, http.StatusUnauthorized)
	if n := s.lastEvent().Seq - before; n != 1 {
		t.Errorf("%d events of a failure with ann's passkey, want 1", n)
	}
}

func TestSignCountThatGoesBackIsRecordedForItsOwner(t *testing.T) {
	s := newSite(t)
	ann, d := s.enrolled("ann")
	d.count = 0 // A copy of the key that was made before.
	s.browser().present(d.get(s.browser().request())).wantProblem(t, http.StatusUnauthorized, "invalid_credentials")
	event := s.lastEvent()
	if detail := string(event.Details); event.Subject != ann || !strings.Contains(detail, "sign_count") {
		t.Errorf("the event is about %q and says %s, want ann and her count", event.Subject, detail)
	}
}

// Of many requests with one assertion, one is a log-in: whoever can read it on its
// way must not be another.
func TestOneAssertionIsOneLogin(t *testing.T) {
	s := newSite(t)
	_, d := s.enrolled("ann")
	d.count = 0
	if _, err := s.core.DB().Write.ExecContext(t.Context(), "UPDATE fastness_passkeys SET sign_count = 0"); err != nil {
		t.Fatal(err)
	}
	signed := d.sign(s.browser().request().Challenge) // It does not count: the challenge alone decides.
	var wg sync.WaitGroup
	answers := make([]int, 8)
	for i := range answers {
		wg.Go(func() { answers[i] = s.browser().present(signed).status })
	}
	wg.Wait()
	n := 0
	for _, status := range answers {
		if status == http.StatusNoContent {
			n++
		} else if status != http.StatusUnauthorized {
			t.Errorf("answers %v, want 204 and 401 only", answers)
		}
	}
	if n != 1 {
		t.Errorf("%d log-ins by one assertion, want 1: %v", n, answers)
	}
}

// registrationAttacks are what is presented instead of a new passkey.
func registrationAttacks() map[string]func(s *site, b *browser, d *device) json.RawMessage {
	create := func(change func(d *device)) func(*site, *browser, *device) json.RawMessage {
		return func(_ *site, b *browser, d *device) json.RawMessage {
			o := b.creation()
			change(d)
			return d.create(o)
		}
	}
	return map[string]func(s *site, b *browser, d *device) json.RawMessage{
		"ReplayedRegistration": func(_ *site, b *browser, d *device) json.RawMessage {
			made := d.create(b.creation())
			b.addPasskey("Laptop", made).want(b.t, http.StatusCreated)
			return made
		},
		"ChallengeOfALogin":      func(_ *site, b *browser, d *device) json.RawMessage { return d.createFor(b.request().Challenge) },
		"ChallengeOfAnotherUser": func(s *site, _ *browser, d *device) json.RawMessage { return d.create(s.logIn("bob").creation()) },
		"ChallengeOfOnesOwn":     func(_ *site, _ *browser, d *device) json.RawMessage { return d.createFor(strings.Repeat("A", 43)) },
		"ExpiredChallenge": func(s *site, b *browser, d *device) json.RawMessage {
			o := b.creation()
			s.later.Add(int64(5 * time.Minute))
			return d.create(o)
		},
		"OtherOrigin":             create(func(d *device) { d.origin = "https://attacker.example" }),
		"FrameOnAnotherSite":      create(func(d *device) { d.crossOrigin = true }),
		"OtherRPID":               create(func(d *device) { d.host = "attacker.example" }),
		"UserVerificationMissing": create(func(d *device) { d.flags &^= verified }),
		"UserPresenceMissing":     create(func(d *device) { d.flags &^= present }),
		"BackedUpButNotEligible":  create(func(d *device) { d.flags |= backedUp }),
		"KeyOffTheCurve": func(_ *site, b *browser, d *device) json.RawMessage {
			d.spoil = 1
			return d.create(b.creation())
		},
		"LoginForARegistration": func(_ *site, b *browser, d *device) json.RawMessage { return d.sign(b.creation().Challenge) },
		"NothingAtAll":          func(*site, *browser, *device) json.RawMessage { return json.RawMessage(`{}`) },
		"NestedCBOR": func(_ *site, b *browser, d *device) json.RawMessage {
			return d.credential(map[string]any{
				"clientDataJSON":    b64(d.clientData("webauthn.create", b.creation().Challenge)),
				"attestationObject": b64(bytes.Repeat([]byte{0x81}, 16<<10)),
			})
		},
	}
}

func TestRegistrationIsRefused(t *testing.T) {
	for name, attack := range registrationAttacks() {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			s.add("bob")
			ann := s.add("ann")
			b, d := s.logIn("ann"), newDevice(s.t)
			presented := attack(s, b, d)
			before := len(decodeList(t, b))
			b.addPasskey("Laptop", presented).wantProblem(t, http.StatusUnprocessableEntity, "invalid_passkey")
			if n := len(decodeList(t, b)); n != before {
				t.Errorf("%d passkeys, want %d", n, before)
			}
			if event := s.lastEvent(); event.Actor != ann || event.Subject != ann || !event.Refused {
				t.Errorf("the event is %+v, want what ann was refused", event)
			}
		})
	}
}

func decodeList(t *testing.T, b *browser) []json.RawMessage {
	t.Helper()
	return decode[[]json.RawMessage](t, b.get("/me/passkeys").want(t, http.StatusOK))
}

// Who registers the id of somebody else's passkey must not get its log-ins, nor
// keep the owner out.
func TestCredentialIDOfAnotherUserIsNotRegisteredAgain(t *testing.T) {
	s := newSite(t)
	ann, d := s.enrolled("ann")
	s.add("eve")
	b, eves := s.logIn("eve"), newDevice(s.t)
	eves.id = d.id
	b.addPasskey("Mine", eves.create(b.creation())).wantProblem(t, http.StatusConflict, "passkey_exists")
	owner := s.browser()
	owner.present(d.get(owner.request())).want(t, http.StatusNoContent)
	if id, _ := owner.me(); id != ann {
		t.Errorf("ann's passkey logs in %q", id)
	}
}

func TestCrossSiteRequestIsRefused(t *testing.T) {
	s := newSite(t)
	_, d := s.enrolled("eve")
	s.add("ann")
	victim := s.logIn("ann")
	before := victim.cookies["__Host-session"]
	body := `{"credential":` + string(d.get(s.browser().request())) + `}`
	for _, header := range [][]string{
		{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://attacker.example"}, {"Origin", "null"},
		{"Sec-Fetch-Site", "cross-site", "X-CSRF-Token", victim.token()}, // Not even with a token.
	} {
		s.call(victim, "POST", "/passkeys/session", body, header...).wantProblem(t, http.StatusForbidden, "cross_site")
		s.call(victim, "POST", "/passkeys/options", "", header...).wantProblem(t, http.StatusForbidden, "cross_site")
		s.call(victim, "POST", "/me/passkeys/options", "", header...).wantProblem(t, http.StatusForbidden, "cross_site")
		s.call(victim, "DELETE", "/me/passkeys/"+b64(d.id), "", header...).wantProblem(t, http.StatusForbidden, "cross_site")
	}
	// The guard of the app lets pass what does not say where it comes from, since
	// programs send it. A log-in does not, and where a cookie counts a token is missing.
	s.call(victim, "POST", "/passkeys/session", body).wantProblem(t, http.StatusForbidden, "cross_site")
	s.call(victim, "POST", "/passkeys/options", "").wantProblem(t, http.StatusForbidden, "cross_site")
	for _, header := range [][]string{nil, {"Sec-Fetch-Site", "same-origin"}} {
		s.call(victim, "POST", "/me/passkeys/options", "", header...).wantProblem(t, http.StatusForbidden, "csrf_missing_token")
		s.call(victim, "DELETE", "/me/passkeys/"+b64(d.id), "", header...).wantProblem(t, http.StatusForbidden, "csrf_missing_token")
	}
	if victim.cookies["__Host-session"] != before {
		t.Error("the victim's browser has another session")
	}
	s.call(s.browser(), "POST", "/passkeys/session", body, "Sec-Fetch-Site", "same-origin").want(t, http.StatusNoContent)
}

// An open browser that somebody finds is not enough to add a way in.
func TestOldLoginDoesNotChangePasskeys(t *testing.T) {
	s := newSite(t)
	_, d := s.enrolled("ann")
	b := s.logIn("ann")
	o := b.creation()
	for range 2 { // The session stays alive meanwhile.
		s.later.Add(int64(5 * time.Minute))
		b.get("/me").want(t, http.StatusOK)
	}
	for name, got := range map[string]reply{
		"begin":  b.post("/me/passkeys/options", nil),
		"finish": b.addPasskey("Laptop", newDevice(s.t).create(o)),
		"remove": b.delete("/me/passkeys/" + b64(d.id)),
	} {
		got.wantProblem(t, http.StatusUnauthorized, "insufficient_user_authentication")
		if challenge := got.header.Get("WWW-Authenticate"); challenge != `Cookie error="insufficient_user_authentication", max_age="600"` {
			t.Errorf("%s: the challenge is %q, want that of RFC 9470", name, challenge)
		}
	}
	b.get("/me/passkeys").want(t, http.StatusOK)
	b.present(d.get(b.request())).want(t, http.StatusNoContent) // A touch, and it is new again.
	b.creation()
}

func TestTokenOfAnotherProgramDoesNotChangePasskeys(t *testing.T) {
	s := newSite(t)
	ann := s.add("ann")
	bearer := func(client, scope string, since time.Duration) reply {
		u := &auth.User{ID: ann, Client: client, Scheme: "oauth2", Scopes: auth.SetOf(scope), At: s.now().Add(-since)}
		r := httptest.NewRequestWithContext(auth.With(t.Context(), u), "POST", "https://localhost/me/passkeys/options", nil)
		w := httptest.NewRecorder()
		s.app.ServeHTTP(w, r)
		return reply{w.Code, w.Header(), w.Body.String()}
	}
	bearer("game", "account", 0).want(t, http.StatusForbidden)
	bearer("", "account", 0).want(t, http.StatusForbidden)
	bearer("shop", "orders", 0).want(t, http.StatusForbidden)
	bearer("shop", "account", 0).want(t, http.StatusOK)
	bearer("shop", "account", time.Hour).wantProblem(t, http.StatusUnauthorized, "insufficient_user_authentication")
}
