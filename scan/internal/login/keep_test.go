package login_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fastness/fastness/scan/internal/login"
)

// sessions is a target whose tokens end.
type sessions struct {
	mu      sync.Mutex
	made    int
	uses    map[string]int // by token: how often it still counts
	perUse  int            // of new tokens
	deny    func(http.ResponseWriter)
	logIn   func(http.ResponseWriter, *http.Request) bool // false if it has answered
	forbid  string                                        // a path that is forbidden with 401
	renewed []time.Time
}

func (s *sessions) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.uses == nil {
		s.uses = map[string]int{}
	}
	if r.URL.Path == "/login" {
		if s.logIn != nil && !s.logIn(w, r) {
			return
		}
		m := readJSON(r)
		name, _ := m["username"].(string)
		if name == "" || passwords()[name] != m["password"] {
			writeJSON(w, 401, object{"error": "wrong password"})
			return
		}
		s.made++
		s.renewed = append(s.renewed, time.Now())
		t := fmt.Sprintf("%s-token-%06d", name, s.made)
		s.uses[t] = s.perUse
		writeJSON(w, 200, object{"token": t})
		return
	}
	t := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	if s.uses[t] == 0 {
		s.deny(w)
		return
	}
	s.uses[t]--
	if r.URL.Path == s.forbid {
		writeJSON(w, 401, object{"error": "this is not yours"})
		return
	}
	name, _, _ := strings.Cut(t, "-token-")
	writeJSON(w, 200, object{"username": name, "path": r.URL.Path})
}

func deny401(w http.ResponseWriter) { writeJSON(w, 401, object{"error": "token expired"}) }

func sessionConfig() login.Config {
	return login.Config{API: api(op("GET", "/me"), op("GET", "/things"), withBody("POST", "/login", "username", "password")),
		Accounts: []login.Account{alice()}, PerMinute: 1000}
}

func TestWhatALoggedOutAnswerLooksLike(t *testing.T) {
	for name, deny := range map[string]func(http.ResponseWriter){
		"401":                     deny401,
		"403 as strangers get it": func(w http.ResponseWriter) { writeJSON(w, 403, object{"detail": "Forbidden"}) },
		"200 with an error":       func(w http.ResponseWriter) { writeJSON(w, 200, object{"error": "token expired"}) },
		"200 with success false":  func(w http.ResponseWriter) { writeJSON(w, 200, object{"success": false, "message": "please log in"}) },
		"400 about the token":     func(w http.ResponseWriter) { writeJSON(w, 400, object{"message": "Invalid token"}) },
		"500 about the token":     func(w http.ResponseWriter) { writeJSON(w, 500, object{"message": "jwt expired"}) },
		"302 to the log-in":       func(w http.ResponseWriter) { w.Header().Set("Location", "/auth/login?next=x"); w.WriteHeader(302) },
		"200 with a page to log in": func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, `<form><input name=p type="password"></form>`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := &sessions{perUse: 5, deny: deny}
			tg := &target{Handler: s}
			k, users := start(t, tg, sessionConfig())
			for i := range 30 {
				if ex := tg.call(k, users[0], "GET", "/things"); !strings.Contains(ex.Text(), "alice") {
					t.Fatalf("request %d: the answer is %d %s, want that to alice", i, ex.Status, ex.Text())
				}
			}
			if s.made > 16 {
				t.Errorf("%d log-ins for 30 requests of tokens that count 5 times", s.made)
			}
		})
	}
}

func TestTokensThatEndAfterTwoRequestsAreRenewed(t *testing.T) {
	s := &sessions{perUse: 2, deny: deny401}
	tg := &target{Handler: s}
	k, users := start(t, tg, sessionConfig())
	for i := range 10 {
		if ex := tg.call(k, users[0], "GET", "/things"); ex.Status != 200 {
			t.Fatalf("request %d: status %d, want 200", i, ex.Status)
		}
	}
}

func TestARefusalIsNoLogOut(t *testing.T) {
	s := &sessions{perUse: 1000, deny: deny401, forbid: "/secret"}
	tg := &target{Handler: s}
	k, users := start(t, tg, sessionConfig())
	made, before := s.made, tg.count("GET", "/me")
	for range 30 {
		if ex := tg.call(k, users[0], "GET", "/secret"); ex.Status != 401 {
			t.Fatalf("status %d, want 401", ex.Status)
		}
	}
	if s.made != made {
		t.Errorf("%d log-ins, want %d: a refused request is no reason to log in", s.made, made)
	}
	if n := tg.count("GET", "/me") - before; n > 1 {
		t.Errorf("the check was asked %d times for the same refusal, want once", n)
	}
}

func TestForgedCredentialsAreNotReplacedByGoodOnes(t *testing.T) {
	s := &sessions{perUse: 1000, deny: deny401}
	tg := &target{Handler: s}
	k, users := start(t, tg, sessionConfig())
	made := s.made
	forged := users[0].With(0, "alice-token-forged")
	if ex := tg.call(k, forged, "GET", "/things"); ex.Status != 401 {
		t.Errorf("status %d, want 401: the request was repeated as the real user", ex.Status)
	}
	if s.made != made {
		t.Error("a copy with a forged credential was logged in")
	}
}

func TestALogInThatIsRefusedLaterIsNotHammered(t *testing.T) {
	s := &sessions{perUse: 3, deny: deny401}
	tg := &target{Handler: s}
	k, users := start(t, tg, sessionConfig())
	s.logIn = func(w http.ResponseWriter, r *http.Request) bool {
		writeJSON(w, 401, object{"error": "wrong password"})
		return false
	}
	before := tg.count("POST", "/login")
	for range 50 {
		tg.call(k, users[0], "GET", "/things")
	}
	if n := tg.count("POST", "/login") - before; n > 2 {
		t.Errorf("%d log-ins that were refused, want at most 2", n)
	}
	if err := k.Identities()[0].Err; err == nil || !strings.Contains(err.Error(), "wrong password") {
		t.Errorf("the identity says %v, want that it is logged out", err)
	}
}

func TestALogInWithoutEffectIsNotHammered(t *testing.T) {
	s := &sessions{perUse: 5, deny: deny401}
	tg := &target{Handler: s}
	k, users := start(t, tg, sessionConfig())
	s.mu.Lock()
	s.perUse = 0
	s.mu.Unlock()
	before := tg.count("POST", "/login")
	for range 50 {
		tg.call(k, users[0], "GET", "/things")
	}
	if n := tg.count("POST", "/login") - before; n > 2 {
		t.Errorf("%d log-ins that did not help, want at most 2", n)
	}
}

func TestManyRequestsOfALoggedOutUserLogInOnce(t *testing.T) {
	s := &sessions{perUse: 1000, deny: deny401}
	tg := &target{Handler: s}
	k, users := start(t, tg, sessionConfig())
	s.mu.Lock()
	clear(s.uses)
	s.mu.Unlock()
	made := s.made
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			if ex := tg.call(k, users[0], "GET", "/things"); ex.Status != 200 {
				t.Errorf("status %d, want 200", ex.Status)
			}
		})
	}
	wg.Wait()
	if s.made != made+1 {
		t.Errorf("%d log-ins, want 1", s.made-made)
	}
}

func TestALimitedLogInWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var at []time.Time
		refused := 0
		s := &sessions{perUse: 1000, deny: deny401}
		s.logIn = func(w http.ResponseWriter, r *http.Request) bool {
			for len(at) > 0 && time.Since(at[0]) >= time.Minute {
				at = at[1:]
			}
			if len(at) >= 5 {
				refused++
				w.Header().Set("Retry-After", "60")
				writeJSON(w, 429, object{"error": "slow down"})
				return false
			}
			at = append(at, time.Now())
			return true
		}
		tg := &target{Handler: s}
		config := sessionConfig()
		config.PerMinute = 0
		k, users := start(t, tg, config)
		for range 12 {
			if _, err := k.LogIn(t.Context(), users[0]); err != nil {
				t.Fatal(err)
			}
		}
		if refused > 3 {
			t.Errorf("%d log-ins were limited, want at most 3 of 13", refused)
		}
	})
}

func TestATokenIsRenewedBeforeItEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := 0
		s := http.NewServeMux()
		s.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
			writeJSON(w, 200, object{"access_token": jwt(object{"sub": "alice", "iat": time.Now().Unix() - 7200, "exp": time.Now().Unix() - 7200 + 60}), "nonce": 1})
		})
		s.HandleFunc("GET /me", func(w http.ResponseWriter, r *http.Request) {
			claims := claimsOf(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
			exp, _ := claims["exp"].(float64)
			if int64(exp)+7200 < time.Now().Unix() {
				if exp != 0 {
					ended++
				}
				deny401(w)
				return
			}
			writeJSON(w, 200, object{"username": claims["sub"]})
		})
		tg := &target{Handler: s}
		config := sessionConfig()
		k, users := start(t, tg, config)
		for range 100 {
			if ex := tg.call(k, users[0], "GET", "/me"); ex.Status != 200 {
				t.Fatalf("status %d, want 200", ex.Status)
			}
			time.Sleep(5 * time.Second)
		}
		if ended > 0 {
			t.Errorf("%d requests were sent with a token that had ended", ended)
		}
	})
}

func TestASecondSessionIsAnother(t *testing.T) {
	s := &sessions{perUse: 1000, deny: deny401}
	tg := &target{Handler: s}
	k, users := start(t, tg, sessionConfig())
	second, err := k.LogIn(t.Context(), users[0])
	if err != nil {
		t.Fatal(err)
	}
	if second.Credentials()[0].Value == users[0].Credentials()[0].Value || second.Known["username"] != "alice" {
		t.Errorf("the second session is %+v, want other credentials of alice", second.Credentials())
	}
	if len(second.Secrets()) < 3 {
		t.Errorf("the second session hides %d values, want its password and both tokens", len(second.Secrets()))
	}
}

func TestAWrongPasswordIsTriedAFewTimesOnly(t *testing.T) {
	tg := &target{Handler: &sessions{perUse: 1000, deny: deny401}}
	k, err := login.New(login.Config{Client: tg, NoRegister: true, Accounts: []login.Account{{Username: "alice", Password: "wrong"}},
		API: api(op("GET", "/me"), op("POST", "/login"))})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.Start(t.Context()); err == nil {
		t.Error("a wrong password logs in")
	}
	if n := tg.count("POST", "/login"); n > 4 {
		t.Errorf("%d log-ins with a wrong password, want at most 4", n)
	}
}

func TestLogInsOfAUserAreSpread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &sessions{perUse: 1000, deny: deny401}
		config := sessionConfig()
		config.PerMinute = 3
		k, users := start(t, &target{Handler: s}, config)
		for range 8 {
			if _, err := k.LogIn(t.Context(), users[0]); err != nil {
				t.Fatal(err)
			}
		}
		for i := 3; i < len(s.renewed); i++ {
			if within := s.renewed[i].Sub(s.renewed[i-3]); within < time.Minute {
				t.Errorf("four log-ins within %v, want at most three in a minute", within)
			}
		}
	})
}
