package csrf_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fastness/fastness/guard/csrf"
	"github.com/fastness/fastness/keyring"
	"github.com/fastness/fastness/secret"
)

// clock is a time that tests move.
type clock struct{ t time.Time }

func newClock() *clock               { return &clock{time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)} }
func (c *clock) now() time.Time      { return c.t }
func (c *clock) add(d time.Duration) { c.t = c.t.Add(d) }

// browser keeps the cookie of one host.
type browser struct{ cookie string }

// page asks for a token, and keeps the cookie that comes with it.
func (b *browser) page(t testing.TB, g *csrf.Guard, session string) (token string, h http.Header) {
	t.Helper()
	h = http.Header{}
	token, err := g.Token(h, b.request("GET", ""), session)
	if err != nil {
		t.Fatal(err)
	}
	b.cookie, _, _ = strings.Cut(h.Get("Set-Cookie"), ";")
	return token, h
}

// request has the cookie and, if there is one, the token.
func (b *browser) request(method, token string) *http.Request {
	r := httptest.NewRequest(method, "https://example.com/", nil)
	if b.cookie != "" {
		r.Header.Set("Cookie", "theme=dark; "+b.cookie)
	}
	if token != "" {
		r.Header.Set("X-CSRF-Token", token)
	}
	return r
}

func (b *browser) send(t testing.TB, g *csrf.Guard, session, token string) string {
	t.Helper()
	return code(t, g.Check(b.request("POST", token), session))
}

func TestTokenIsGoodForItsBrowserAndSession(t *testing.T) {
	g := guard(t, csrf.Config{})
	alice, mallory := &browser{}, &browser{}
	token, h := alice.page(t, g, "session of alice")
	mallory.page(t, g, "session of mallory")
	if got := alice.send(t, g, "session of alice", token); got != "" {
		t.Errorf("the own token: %q", got)
	}
	if got := alice.send(t, g, "session of alice", token); got != "" {
		t.Errorf("the own token again: %q", got)
	}
	if got := mallory.send(t, g, "session of alice", token); got != "csrf_mismatch" {
		t.Errorf("in another browser: %q", got)
	}
	if got := h.Get("Cache-Control"); got != "no-store" {
		t.Errorf("the page may be kept by a cache: Cache-Control %q", got)
	}
}

// The attacker has logged in with their own account and plants their cookie, with
// a token that fits it, in the victim's browser (from a sibling domain, through a
// browser that does not know the prefix).
func TestPlantedPairOfTheAttackerIsRefused(t *testing.T) {
	g := guard(t, csrf.Config{})
	attacker := &browser{}
	token, _ := attacker.page(t, g, "session of the attacker")
	stranger := &browser{}
	early, _ := stranger.page(t, g, "") // before any log-in
	for name, planted := range map[string]struct{ cookie, token string }{
		"of the attacker's session": {attacker.cookie, token},
		"of nobody's session":       {stranger.cookie, early},
	} {
		victim := &browser{planted.cookie}
		if got := victim.send(t, g, "session of the victim", planted.token); got != "csrf_mismatch" {
			t.Errorf("a pair %s: %q", name, got)
		}
		victim = &browser{}
		victim.page(t, g, "session of the victim")
		for _, session := range []string{"session of the victim", "session of the attacker", ""} {
			for _, cookies := range []string{victim.cookie + "; " + planted.cookie, planted.cookie + "; " + victim.cookie} {
				both := &browser{cookies}
				if got := both.send(t, g, session, planted.token); got != "csrf_invalid" {
					t.Errorf("a pair %s beside the victim's cookie, in the %q: %q", name, session, got)
				}
			}
		}
	}
}

func TestTwoCookiesAreRefused(t *testing.T) {
	g := guard(t, csrf.Config{})
	b, other := &browser{}, &browser{}
	token, _ := b.page(t, g, "")
	other.page(t, g, "")
	for _, tt := range []struct {
		name   string
		fields []string
		want   string
	}{
		{"one", []string{b.cookie}, ""},
		{"one among others", []string{"a=b; " + b.cookie + "; c=d"}, ""},
		{"one without spaces", []string{"a=b;" + b.cookie + ";c=d"}, ""},
		{"one of a longer name", []string{"x" + other.cookie + "; " + b.cookie}, ""},
		{"another after it", []string{b.cookie + "; " + other.cookie}, "csrf_invalid"},
		{"another before it", []string{other.cookie + "; " + b.cookie}, "csrf_invalid"},
		{"the same twice", []string{b.cookie + "; " + b.cookie}, "csrf_invalid"},
		{"in two fields", []string{b.cookie, other.cookie}, "csrf_invalid"},
		{"another in small letters", []string{b.cookie + "; " + strings.Replace(other.cookie, "__Host", "__host", 1)}, "csrf_invalid"},
		{"another behind a space that is none of ASCII", []string{b.cookie + "; \u00a0" + other.cookie}, "csrf_invalid"},
		{"another behind a byte that is no text", []string{b.cookie + "; \x85" + other.cookie}, "csrf_invalid"},
		{"another behind a control character", []string{b.cookie + "; \x1f" + other.cookie}, "csrf_invalid"},
		{"another behind a quote", []string{b.cookie + "; \"" + other.cookie}, "csrf_invalid"},
		{"only one behind a foreign space", []string{"\u2003" + b.cookie}, "csrf_invalid"},
		{"only one in capitals", []string{strings.Replace(b.cookie, "__Host-csrf", "__HOST-CSRF", 1)}, "csrf_invalid"},
		{"a value in quotes", []string{strings.Replace(b.cookie, "=", `="`, 1) + `"`}, "csrf_invalid"},
		{"a short value", []string{b.cookie[:len(b.cookie)-1]}, "csrf_invalid"},
		{"a long value", []string{b.cookie + "A"}, "csrf_invalid"},
		{"no value", []string{"__Host-csrf="}, "csrf_invalid"},
		{"only a name", []string{"__Host-csrf"}, "csrf_invalid"},
		{"a value of other characters", []string{"__Host-csrf=" + strings.Repeat("+", 43)}, "csrf_invalid"},
		{"none", []string{"a=b"}, "csrf_missing_cookie"},
		{"another name", []string{"csrf=" + strings.Repeat("A", 43)}, "csrf_missing_cookie"},
		{"its name as a value", []string{"a=__Host-csrf"}, "csrf_missing_cookie"},
		{"an empty field", []string{""}, "csrf_missing_cookie"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := b.request("POST", token)
			r.Header["Cookie"] = tt.fields
			if got := code(t, g.Check(r, "")); got != tt.want {
				t.Errorf("Check() = %q, want %q", got, tt.want)
			}
			if got := code(t, g.Verify(r, "", token)); got != tt.want {
				t.Errorf("Verify() = %q, want %q", got, tt.want)
			}
		})
	}
}

// Log-in and log-out are other sessions: a form of before does not count after.
func TestTokenOfBeforeTheLogInEndsWithIt(t *testing.T) {
	g := guard(t, csrf.Config{})
	b := &browser{}
	before, _ := b.page(t, g, "")
	if got := b.send(t, g, "", before); got != "" {
		t.Fatalf("the log-in form: %q", got)
	}
	if got := b.send(t, g, "session 1", before); got != "csrf_mismatch" {
		t.Errorf("the log-in form's token after the log-in: %q", got)
	}
	during, _ := b.page(t, g, "session 1")
	if got := b.send(t, g, "session 1", during); got != "" {
		t.Errorf("a token of the session: %q", got)
	}
	if got := b.send(t, g, "", during); got != "csrf_mismatch" {
		t.Errorf("after the log-out: %q", got)
	}
	if got := b.send(t, g, "session 2", during); got != "csrf_mismatch" {
		t.Errorf("after the next log-in: %q", got)
	}
}

func TestTokenIsGoodForItsActionOnly(t *testing.T) {
	g := guard(t, csrf.Config{})
	b := &browser{}
	plain, _ := b.page(t, g, "s")
	remove, _ := b.page(t, g.For("delete account"), "s")
	for _, tt := range []struct {
		name  string
		g     *csrf.Guard
		token string
		want  string
	}{
		{"its action", g.For("delete account"), remove, ""},
		{"no action", g, remove, "csrf_mismatch"},
		{"another action", g.For("change password"), remove, "csrf_mismatch"},
		{"a token without an action", g.For("delete account"), plain, "csrf_mismatch"},
		{"no action is no action", g.For("delete account").For(""), plain, ""},
	} {
		if got := b.send(t, tt.g, "s", tt.token); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
	// The end of the session is not the beginning of the action.
	ab, _ := b.page(t, g.For("b"), "a")
	if got := b.send(t, g, "ab", ab); got != "csrf_mismatch" {
		t.Errorf("session a, action b is session ab: %q", got)
	}
	swapped, _ := b.page(t, g.For("s"), "delete account")
	if got := b.send(t, g.For("delete account"), "s", swapped); got != "csrf_mismatch" {
		t.Errorf("session and action can be swapped: %q", got)
	}
}

func TestTokenExpires(t *testing.T) {
	c := newClock()
	g := guard(t, csrf.Config{Now: c.now})
	b := &browser{}
	token, _ := b.page(t, g, "")
	for _, tt := range []struct {
		after time.Duration
		want  string
	}{
		{0, ""}, {time.Hour - time.Second, ""}, {time.Hour, "csrf_expired"}, {24 * time.Hour, "csrf_expired"},
		{-5 * time.Minute, ""}, {-5*time.Minute - time.Second, "csrf_invalid"}, // the clocks of two processes
	} {
		c.t = newClock().t.Add(tt.after)
		if got := b.send(t, g, "", token); got != tt.want {
			t.Errorf("after %v: %q, want %q", tt.after, got, tt.want)
		}
	}
	short := guard(t, csrf.Config{Now: c.now, MaxAge: 2 * time.Second})
	token, _ = b.page(t, short, "")
	if c.add(2 * time.Second); b.send(t, short, "", token) != "csrf_expired" {
		t.Error("MaxAge does not count")
	}
}

func TestForgedTokensAreRefused(t *testing.T) {
	g := guard(t, csrf.Config{})
	b := &browser{}
	token, _ := b.page(t, g, "")
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		t.Fatal(err)
	}
	elsewhere, _ := b.page(t, guard(t, csrf.Config{}), "")
	for name, forged := range map[string]string{
		"a text": "token", "the cookie's value": strings.TrimPrefix(b.cookie, "__Host-csrf="), "of other keys": elsewhere,
		"zeros": base64.RawURLEncoding.EncodeToString(make([]byte, len(raw))), "with padding": token + "=", "with a line end": token[:9] + "\n" + token[9:],
		"with a return": token + "\r", "with a space": " " + token, "twice": token + token, "cut off": token[:len(token)-1], "a part": token[:20],
		"long": strings.Repeat("A", 100_000), "not ASCII": token[:10] + "é" + token[12:], "standard base64": "+/" + token[2:], "NUL": token + "\x00",
	} {
		if got := b.send(t, g, "", forged); got != "csrf_invalid" {
			t.Errorf("%s: %q", name, got)
		}
	}
	for i := range raw {
		changed := bytes.Clone(raw)
		changed[i] ^= 1
		if got := b.send(t, g, "", base64.RawURLEncoding.EncodeToString(changed)); got != "csrf_invalid" {
			t.Errorf("byte %d changed: %q", i, got)
		}
	}
	if n := len(raw) % 3; n != 0 { // The last character has bits that nobody reads.
		last := strings.IndexByte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", token[len(token)-1])
		other := token[:len(token)-1] + string("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"[last|1])
		if got := b.send(t, g, "", other); other != token && got != "csrf_invalid" {
			t.Errorf("two texts for one token: %q", got)
		}
	}
	if got := b.send(t, g, "", token); got != "" {
		t.Errorf("the token itself: %q", got)
	}
}

// plainKeys seal nothing. What is no token must be refused even then.
type plainKeys struct{}

func (plainKeys) Seal(_ context.Context, plaintext, associated []byte) ([]byte, error) {
	return append(bytes.Clone(associated), plaintext...), nil
}

func (plainKeys) Open(_ context.Context, sealed, associated []byte) ([]byte, error) {
	rest, ok := bytes.CutPrefix(sealed, associated)
	if !ok || len(associated) == 0 {
		return nil, errors.New("bound to something else")
	}
	return rest, nil
}

// watchedKeys count what they open, and say of all of it that it is wrong.
type watchedKeys struct {
	plainKeys
	opened int
}

func (k *watchedKeys) Open(ctx context.Context, sealed, associated []byte) ([]byte, error) {
	k.opened++
	plain, _ := k.plainKeys.Open(ctx, sealed, associated)
	return plain, errors.New("it cannot be opened")
}

func TestWhatKeysRefuseIsRefused(t *testing.T) {
	keys := &watchedKeys{}
	g := guard(t, csrf.Config{Keys: keys})
	b := &browser{}
	token, _ := b.page(t, g, "")
	if got := b.send(t, g, "", token); got != "csrf_invalid" || keys.opened != 1 {
		t.Errorf("a text beside an error: %q", got)
	}
	// A long text costs nothing but its length.
	if got := b.send(t, g, "", strings.Repeat("A", 2000)); got != "csrf_invalid" || keys.opened != 1 {
		t.Errorf("a long text: %q, opened %d times", got, keys.opened)
	}
}

// What the same keys have sealed for something else is not taken for a token.
func TestAnotherSealedTextIsNoToken(t *testing.T) {
	g := guard(t, csrf.Config{Keys: plainKeys{}})
	b := &browser{}
	token, _ := b.page(t, g, "")
	raw, _ := base64.RawURLEncoding.DecodeString(token)
	version := bytes.IndexByte(raw, 1)
	for name, other := range map[string][]byte{
		"shorter": raw[:len(raw)-1], "longer": append(bytes.Clone(raw), 0), "empty": raw[:version], "nothing": {1},
		"of another version": append(append(bytes.Clone(raw[:version]), 2), raw[version+1:]...),
		"bound to nothing":   raw[version:],
	} {
		if got := b.send(t, g, "", base64.RawURLEncoding.EncodeToString(other)); got != "csrf_invalid" {
			t.Errorf("%s: %q", name, got)
		}
	}
	if got := b.send(t, g, "", token); got != "" {
		t.Errorf("the token itself: %q", got)
	}
}

// An answer that is compressed gives away a secret that is the same in each of
// them (BREACH).
func TestEveryAnswerHasAnotherToken(t *testing.T) {
	c := newClock()
	g := guard(t, csrf.Config{Now: c.now, Keys: csrf.EphemeralKeys()})
	b := &browser{}
	b.page(t, g, "s")
	const n = 200
	tokens := make([][]byte, n)
	for i := range tokens {
		token, _ := b.page(t, g, "s")
		tokens[i], _ = base64.RawURLEncoding.DecodeString(token)
	}
	for i := range tokens[0] {
		seen := map[byte]int{}
		for _, token := range tokens {
			seen[token[i]]++
		}
		for value, times := range seen { // By chance, a value comes 0.8 times.
			if times > n/10 {
				t.Errorf("byte %d is %d in %d of %d tokens", i, value, times, n)
			}
		}
	}
}

func TestReplayedTokenIsRefused(t *testing.T) {
	c := newClock()
	memory := &used{}
	g := guard(t, csrf.Config{OneTime: true, Replay: memory, Now: c.now})
	b, thief := &browser{}, &browser{}
	thief.page(t, g, "")
	token, _ := b.page(t, g, "s")
	other, _ := b.page(t, g, "s")
	if got := thief.send(t, g, "s", token); got != "csrf_mismatch" {
		t.Fatalf("in another browser: %q", got)
	}
	if got := b.send(t, g, "s", token); got != "" {
		t.Fatalf("a thief has used it up: %q", got)
	}
	if got := b.send(t, g, "s", token); got != "csrf_replayed" {
		t.Errorf("again: %q", got)
	}
	if got := b.send(t, g.For("x"), "s", token); got != "csrf_mismatch" {
		t.Errorf("for an action: %q", got)
	}
	if got := b.send(t, g, "s", other); got != "" {
		t.Errorf("another token of the browser: %q", got)
	}
	if until := memory.until[0]; until.Before(c.t.Add(time.Hour)) || until.After(c.t.Add(time.Hour+10*time.Minute)) {
		t.Errorf("is remembered until %v, which is not how long it is good", until)
	}
	if c.add(time.Hour); b.send(t, g, "s", token) != "csrf_expired" {
		t.Error("a token that is remembered does not expire")
	}
	last, _ := b.page(t, g, "s")
	memory.down = errors.New("dial tcp 10.0.0.7:6379: connection refused")
	err := g.Check(b.request("POST", last), "s")
	if got := code(t, err); got != "csrf_unavailable" || !errors.Is(err, memory.down) {
		t.Errorf("without its memory: %v", err)
	}
}

// The default memory is the process's.
func TestOneTokenAtOncePassesOnce(t *testing.T) {
	g := guard(t, csrf.Config{OneTime: true})
	b := &browser{}
	token, _ := b.page(t, g, "")
	var wg sync.WaitGroup
	results := make(chan string, 32)
	for range cap(results) {
		wg.Go(func() { results <- b.send(t, g, "", token) })
	}
	wg.Wait()
	close(results)
	passed := 0
	for got := range results {
		if got == "" {
			passed++
		} else if got != "csrf_replayed" {
			t.Errorf("refused as %q", got)
		}
	}
	if passed != 1 {
		t.Errorf("%d of %d passed", passed, cap(results))
	}
}

// used is a memory of used tokens.
type used struct {
	mu    sync.Mutex
	ids   map[string]bool
	until []time.Time
	down  error
}

func (u *used) First(_ context.Context, id string, until time.Time) (bool, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.down != nil {
		return false, u.down
	}
	if u.ids == nil {
		u.ids = map[string]bool{}
	}
	u.until = append(u.until, until)
	first := !u.ids[id]
	u.ids[id] = true
	return first, nil
}

// brokenKeys are out of reach.
type brokenKeys struct{ csrf.Keys }

func (brokenKeys) Seal(context.Context, []byte, []byte) ([]byte, error) {
	return nil, errors.New("the ring is away")
}

func TestNoTokenWithoutKeys(t *testing.T) {
	g := guard(t, csrf.Config{Keys: brokenKeys{csrf.EphemeralKeys()}})
	token, err := g.Token(http.Header{}, httptest.NewRequest("GET", "/", nil), "")
	if got := code(t, err); got != "csrf_unavailable" || token != "" {
		t.Errorf("Token() = %q, %v", token, err)
	}
}

func ring(t testing.TB, c *clock, retain time.Duration) *keyring.Ring {
	t.Helper()
	sealer, err := keyring.NewSealer(secret.New("MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3BxcnN0dXY="))
	if err != nil {
		t.Fatal(err)
	}
	r, err := keyring.Open(t.Context(), keyring.Config{
		Store: &keyring.Memory{}, Sealer: sealer, Logger: slog.New(slog.DiscardHandler), Now: c.now,
		Purposes: []keyring.Purpose{
			{Name: "csrf", Algorithm: keyring.A256GCM, Lifetime: time.Hour, Retain: retain},
			{Name: "cookies", Algorithm: keyring.A256GCM, Lifetime: time.Hour},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// A form that is open while the key rotates can still be sent. One sealed with a
// key that is revoked cannot.
func TestKeysRotateUnderAnOpenForm(t *testing.T) {
	c := newClock()
	keys := ring(t, c, time.Hour+5*time.Minute)
	g := guard(t, csrf.Config{Keys: csrf.FromRing(keys, "csrf"), Now: c.now})
	b := &browser{}
	old, _ := b.page(t, g, "s")
	before, err := keys.Signing(t.Context(), "csrf")
	if err != nil {
		t.Fatal(err)
	}
	for range 55 {
		c.add(time.Minute)
		if c.t.Minute() == 20 {
			if _, err := keys.Rotate(t.Context(), "csrf"); err != nil {
				t.Fatal(err)
			}
		}
		if got := b.send(t, g, "s", old); got != "" {
			t.Fatalf("after %v: %q", c.t.Sub(newClock().t), got)
		}
	}
	if now, err := keys.Signing(t.Context(), "csrf"); err != nil || now.ID() == before.ID() {
		t.Fatalf("the key has not rotated (%v)", err)
	}
	if err := keys.Revoke(t.Context(), before.ID()); err != nil {
		t.Fatal(err)
	}
	if got := b.send(t, g, "s", old); got != "csrf_invalid" {
		t.Errorf("of a revoked key: %q", got)
	}
	fresh, _ := b.page(t, g, "s")
	if got := b.send(t, g, "s", fresh); got != "" {
		t.Errorf("of the new key: %q", got)
	}
}

// A token of one purpose is nothing for another, either way round.
func TestWhatTheRingSealsForOthersIsNoToken(t *testing.T) {
	c := newClock()
	keys := ring(t, c, 2*time.Hour)
	g := guard(t, csrf.Config{Keys: csrf.FromRing(keys, "csrf"), Now: c.now})
	other := guard(t, csrf.Config{Keys: csrf.FromRing(keys, "cookies"), Now: c.now})
	b := &browser{}
	token, _ := b.page(t, g, "")
	foreign, _ := b.page(t, other, "")
	if got := b.send(t, g, "", foreign); got != "csrf_invalid" {
		t.Errorf("a text for another purpose: %q", got)
	}
	raw, _ := base64.RawURLEncoding.DecodeString(token)
	for _, purpose := range []string{"csrf", "cookies"} {
		if _, _, err := keys.Open(t.Context(), purpose, raw, "session"); err == nil {
			t.Errorf("the token opens for %s as something else", purpose)
		}
	}
}

func ExampleGuard_For() {
	guard, err := csrf.New(csrf.Config{Keys: csrf.EphemeralKeys()})
	if err != nil {
		fmt.Println(err)
		return
	}
	w := httptest.NewRecorder()
	page := httptest.NewRequest("GET", "https://example.com/account", nil)
	token, _ := guard.For("delete account").Token(w.Header(), page, "session 7")

	r := httptest.NewRequest("POST", "https://example.com/password", nil)
	r.AddCookie(w.Result().Cookies()[0])
	fmt.Println(guard.For("delete account").Verify(r, "session 7", token))
	fmt.Println(guard.For("change password").Verify(r, "session 7", token))
	// Output:
	// <nil>
	// the CSRF token is for another browser, session or action
}
