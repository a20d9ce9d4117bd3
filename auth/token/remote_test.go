package token_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fastness/fastness/auth/token"
	"github.com/fastness/fastness/internal/jws"
)

// site is an issuer elsewhere, as a transport: no network, so that the time of a
// test may be made up.
type site struct {
	mu     sync.Mutex
	pages  map[string]string
	header http.Header
	status int
	delay  time.Duration
	err    error
	asked  map[string]int
}

func newSite(pages map[string]string) *site {
	return &site{pages: pages, header: http.Header{}, status: 200, asked: map[string]int{}}
}

func (s *site) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	s.asked[r.URL.String()]++
	page, ok := s.pages[r.URL.String()]
	status, delay, err, header := s.status, s.delay, s.err, s.header.Clone()
	s.mu.Unlock()
	select {
	case <-time.After(delay):
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	if !ok {
		status = 404
	}
	return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(page)), Request: r}, err
}

func (s *site) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

func (s *site) count(url string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked[url]
}

const jwksURL = "https://keys.example/jwks"

func setOf(t *testing.T, keys ...*jws.Key) string {
	t.Helper()
	var list []string
	for _, k := range keys {
		list = append(list, string(want[[]byte](t)(k.PublicJWK())))
	}
	return `{"keys":[` + strings.Join(list, ",") + `]}`
}

func newRemote(t *testing.T, s *site, cfg token.RemoteConfig) *token.Remote {
	t.Helper()
	if cfg.Issuer == "" && cfg.JWKS == "" {
		cfg.JWKS = jwksURL
	}
	cfg.Transport = s
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	r := want[*token.Remote](t)(token.NewRemote(cfg))
	t.Cleanup(r.Close)
	return r
}

// has reports whether a key is there.
func has(t *testing.T, r *token.Remote, id string) (found bool, err error) {
	t.Helper()
	key, err := r.Key(t.Context(), id)
	return key != nil, err
}

func TestKeysAreFoundByDiscovery(t *testing.T) {
	key := newRing(t, jws.EdDSA).keys[0]
	const issuer = "https://accounts.example/tenant/"
	for _, tt := range []struct {
		name, document string
		wanted         bool
	}{
		{"its own document", `{"issuer":"` + issuer + `","jwks_uri":"` + jwksURL + `","x":[1]}`, true},
		{"another issuer's document", `{"issuer":"https://accounts.example/other/","jwks_uri":"` + jwksURL + `"}`, false},
		{"another spelling of the issuer", `{"issuer":"https://accounts.example/tenant","jwks_uri":"` + jwksURL + `"}`, false},
		{"keys over http", `{"issuer":"` + issuer + `","jwks_uri":"http://keys.example/jwks"}`, false},
		{"keys in a file", `{"issuer":"` + issuer + `","jwks_uri":"file:///etc/passwd"}`, false},
		{"no keys", `{"issuer":"` + issuer + `"}`, false},
		{"two issuers", `{"issuer":"` + issuer + `","jwks_uri":"` + jwksURL + `","issuer":"x"}`, false},
		{"no document", `<html>`, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newSite(map[string]string{"https://accounts.example/tenant/.well-known/openid-configuration": tt.document})
			for _, url := range []string{jwksURL, "http://keys.example/jwks", "file:///etc/passwd"} {
				s.pages[url] = setOf(t, key)
			}
			r := newRemote(t, s, token.RemoteConfig{Issuer: issuer})
			found, err := has(t, r, key.ID())
			if found != tt.wanted || (err == nil) != tt.wanted {
				t.Errorf("%s: Key() = %v, %v, want %v", tt.name, found, err, tt.wanted)
			}
		})
	}
}

func TestAnswersThatAreNoKeySetAreRefused(t *testing.T) {
	key := newRing(t, jws.ES256).keys[0]
	for _, tt := range []struct {
		name   string
		change func(*site)
	}{
		{"a page of a proxy", func(s *site) { s.pages[jwksURL] = "<html>log in</html>" }},
		{"more than 256 KiB", func(s *site) { s.pages[jwksURL] += strings.Repeat(" ", 256<<10) }},
		{"a redirect", func(s *site) {
			s.status = http.StatusFound
			s.header.Set("Location", jwksURL+"2")
			s.pages[jwksURL+"2"] = s.pages[jwksURL]
		}},
		{"status 500", func(s *site) { s.status = 500 }},
		{"status 203", func(s *site) { s.status = 203 }},
		{"no answer", func(s *site) { s.err = errors.New("refused") }},
		{"an answer after 6 seconds", func(s *site) { s.delay = 6 * time.Second }},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newSite(map[string]string{jwksURL: setOf(t, key)})
			tt.change(s)
			r := newRemote(t, s, token.RemoteConfig{})
			begin := time.Now()
			if found, err := has(t, r, key.ID()); found || err == nil {
				t.Errorf("%s: Key() = %v, %v", tt.name, found, err)
			}
			if took := time.Since(begin); took > 5*time.Second {
				t.Errorf("%s: took %v", tt.name, took)
			}
			if n := s.count(jwksURL + "2"); n != 0 {
				t.Errorf("%s: the redirect was followed", tt.name)
			}
			if err := r.Load(t.Context()); err == nil {
				t.Errorf("%s: Load() is no error", tt.name)
			}
		})
	}
}

// An issuer that publishes its private key has none: everybody can sign with it.
func TestSecretsInAKeySetAreNotUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		good := newRing(t, jws.ES256).keys[0]
		const private = `{"kty":"EC","crv":"P-256","kid":"private","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}`
		const secret = `{"kty":"oct","kid":"secret","alg":"HS256","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T"}`
		set := with(t, setOf(t, good), `[`, `[`+private+`,`+secret+`,`)
		r := newRemote(t, newSite(map[string]string{jwksURL: set}), token.RemoteConfig{Log: slog.New(slog.NewTextHandler(&log, nil))})
		for id, wanted := range map[string]bool{good.ID(): true, "private": false, "secret": false} {
			if found, err := has(t, r, id); found != wanted || err != nil {
				t.Errorf("Key(%s) = %v, %v, want %v", id, found, err, wanted)
			}
		}
		if !strings.Contains(log.String(), "publishes a private key") || strings.Contains(log.String(), "jpsQnnGQmL") {
			t.Errorf("log: %s", &log)
		}
	})
}

func TestOnlyAllowedAlgorithmsAreUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		keys := newRing(t, jws.EdDSA, jws.ES256, jws.ES384).keys
		s := newSite(map[string]string{jwksURL: setOf(t, keys...)})
		usual := newRemote(t, s, token.RemoteConfig{})
		narrow := newRemote(t, s, token.RemoteConfig{Algorithms: []string{"ES384"}})
		for i, wanted := range []bool{true, true, false} {
			if found, _ := has(t, usual, keys[i].ID()); found != wanted {
				t.Errorf("by default: %v is there: %v", keys[i], found)
			}
			if found, _ := has(t, narrow, keys[i].ID()); found == wanted {
				t.Errorf("with ES384: %v is there: %v", keys[i], found)
			}
		}
	})
}

// Case 109: ids that nobody knows come by the thousand.
func TestFloodOfUnknownIDsLoadsOnceInTenSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		key := newRing(t, jws.EdDSA).keys[0]
		s := newSite(map[string]string{jwksURL: setOf(t, key)})
		s.delay = time.Second
		r := newRemote(t, s, token.RemoteConfig{})
		flood := func() {
			var group sync.WaitGroup
			for i := range 200 {
				group.Go(func() {
					if found, err := has(t, r, fmt.Sprint("unknown-", i)); found || err != nil {
						t.Errorf("Key() = %v, %v", found, err)
					}
				})
			}
			group.Wait()
		}
		flood()
		flood()
		if n := s.count(jwksURL); n != 1 {
			t.Errorf("loaded %d times at first, want 1", n)
		}
		time.Sleep(10 * time.Second)
		flood()
		flood()
		if n := s.count(jwksURL); n != 2 {
			t.Errorf("loaded %d times after 10 seconds, want 2", n)
		}
		if found, err := has(t, r, key.ID()); !found || err != nil {
			t.Errorf("Key() = %v, %v", found, err)
		}
	})
}

func TestNewKeyIsFoundAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		keys := newRing(t, jws.EdDSA, jws.EdDSA).keys
		s := newSite(map[string]string{jwksURL: setOf(t, keys[0])})
		r := newRemote(t, s, token.RemoteConfig{})
		has(t, r, keys[0].ID())
		generation := r.Generation()
		s.set(func() { s.pages[jwksURL] = setOf(t, keys...) })
		time.Sleep(11 * time.Second)
		if found, err := has(t, r, keys[1].ID()); !found || err != nil {
			t.Errorf("Key() = %v, %v", found, err)
		}
		if r.Generation() != generation {
			t.Error("a key more is no reason to forget what was verified")
		}
	})
}

func TestWithdrawnKeyIsGoneAfterTheNextLoad(t *testing.T) {
	for name, change := range map[string]func(t *testing.T, s *site, old, other *jws.Key){
		"withdrawn":     func(t *testing.T, s *site, _, other *jws.Key) { s.pages[jwksURL] = setOf(t, other) },
		"all withdrawn": func(t *testing.T, s *site, _, _ *jws.Key) { s.pages[jwksURL] = `{"keys":[]}` },
		"replaced": func(t *testing.T, s *site, old, other *jws.Key) {
			s.pages[jwksURL] = with(t, setOf(t, other), other.ID(), old.ID())
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			keys := newRing(t, jws.EdDSA, jws.EdDSA).keys
			s := newSite(map[string]string{jwksURL: setOf(t, keys[0])})
			s.header.Set("Cache-Control", "public, max-age=120")
			r := newRemote(t, s, token.RemoteConfig{})
			v := want[*token.Verifier](t)(token.NewVerifier(token.VerifierConfig{Issuer: issuerName, Audience: audience, Keys: r, Now: noon}))
			text := forge(t, keys[0], headerOf(keys[0]), goodPayload())
			mustAccept(t, v, name, text)
			s.set(func() { change(t, s, keys[0], keys[1]) })
			time.Sleep(119 * time.Second)
			mustAccept(t, v, name, text)
			time.Sleep(2 * time.Second)
			mustRefuse(t, v, name, text)
			if n := s.count(jwksURL); n > 3 {
				t.Errorf("%s: loaded %d times", name, n)
			}
		})
	}
}

func TestKeysAreLoadedAgainWithinBounds(t *testing.T) {
	for control, after := range map[string]time.Duration{
		"max-age=1": time.Minute, "max-age=0": time.Minute, "no-store": time.Minute, "no-cache, max-age=600": time.Minute,
		"max-age=120": 2 * time.Minute, "": 15 * time.Minute, "max-age=x": 15 * time.Minute, "max-age=-5": 15 * time.Minute,
		"max-age=31536000": time.Hour, "max-age=99999999999999999999": 15 * time.Minute, `public, MAX-AGE="600"`: 10 * time.Minute,
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newSite(map[string]string{jwksURL: `{"keys":[]}`})
			s.header.Set("Cache-Control", control)
			r := newRemote(t, s, token.RemoteConfig{})
			if err := r.Load(t.Context()); err != nil {
				t.Fatal(err)
			}
			time.Sleep(after - time.Second)
			synctest.Wait()
			early := s.count(jwksURL)
			time.Sleep(2 * time.Second)
			synctest.Wait()
			if late := s.count(jwksURL); early != 1 || late != 2 {
				t.Errorf("%q: loaded %d times before %v and %d after, want 1 and 2", control, early, after, late)
			}
		})
	}
}

// The last good keys are used while the issuer is down, but not for ever.
func TestLastGoodKeysAreKeptForADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		key := newRing(t, jws.EdDSA).keys[0]
		s := newSite(map[string]string{jwksURL: setOf(t, key)})
		r := newRemote(t, s, token.RemoteConfig{})
		v := want[*token.Verifier](t)(token.NewVerifier(token.VerifierConfig{Issuer: issuerName, Audience: audience, Keys: r, Now: noon}))
		text := forge(t, key, headerOf(key), goodPayload())
		mustAccept(t, v, "at first", text)
		s.set(func() { s.err = errors.New("down") })
		time.Sleep(23*time.Hour + 59*time.Minute)
		mustAccept(t, v, "after almost a day", text)
		mustRefuse(t, v, "an unknown id after almost a day", forge(t, key, with(t, headerOf(key), "key-1", "key-2"), goodPayload()))
		time.Sleep(2 * time.Minute)
		if _, err := v.Verify(t.Context(), text); !errors.Is(err, token.ErrUnavailable) {
			t.Errorf("after a day: Verify() = %v, want ErrUnavailable", err)
		}
		s.set(func() { s.err = nil })
		time.Sleep(time.Minute)
		mustAccept(t, v, "when the issuer is back", text)
	})
}

func TestCallerWhoGoesAwayDoesNotEndTheLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		key := newRing(t, jws.EdDSA).keys[0]
		s := newSite(map[string]string{jwksURL: setOf(t, key)})
		s.delay = 3 * time.Second
		r := newRemote(t, s, token.RemoteConfig{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := r.Key(ctx, key.ID()); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Key() = %v, want that of the context", err)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if found, err := has(t, r, key.ID()); !found || err != nil || s.count(jwksURL) != 1 {
			t.Errorf("Key() = %v, %v after %d loads", found, err, s.count(jwksURL))
		}
	})
}

func TestClosedKeysLoadNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		key := newRing(t, jws.EdDSA).keys[0]
		s := newSite(map[string]string{jwksURL: setOf(t, key)})
		r := newRemote(t, s, token.RemoteConfig{})
		has(t, r, key.ID())
		s.set(func() { s.delay = 4 * time.Second })
		time.Sleep(15*time.Minute + time.Second) // A load goes on.
		r.Close()
		n := s.count(jwksURL)
		time.Sleep(2 * time.Hour)
		if s.count(jwksURL) != n {
			t.Error("loaded after Close")
		}
		if found, err := has(t, r, key.ID()); !found || err != nil {
			t.Errorf("the keys that are there: Key() = %v, %v", found, err)
		}
		if err := r.Load(t.Context()); err == nil {
			t.Error("Load() after Close is no error")
		}
	})
}

// Over a real connection, with a certificate that nobody trusts, there are no keys.
func TestCertificateOfTheIssuerIsVerified(t *testing.T) {
	key := newRing(t, jws.EdDSA).keys[0]
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, setOf(t, key)) }))
	defer server.Close()
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
	for name, tt := range map[string]struct {
		transport http.RoundTripper
		wanted    bool
	}{
		"trusted":     {server.Client().Transport, true},
		"not trusted": {nil, false},
	} {
		r := want[*token.Remote](t)(token.NewRemote(token.RemoteConfig{JWKS: server.URL, Transport: tt.transport, Log: slog.New(slog.DiscardHandler)}))
		if found, err := has(t, r, key.ID()); found != tt.wanted || (err == nil) != tt.wanted {
			t.Errorf("%s: Key() = %v, %v", name, found, err)
		}
		r.Close()
	}
}
