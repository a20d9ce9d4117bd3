package account_test

import (
	"net/http"
	"testing"
)

var rest = []string{"AU-04", "AU-05", "AU-06", "AU-07", "AU-12", "AUTHN-10"}

// A site that does all of it right is left in peace.
func TestAStrongSiteIsNoFinding(t *testing.T) {
	t.Parallel()
	s := newSite()
	s.limit = 12
	wants(t, findings(t, s, append(rest, "AU-02", "AU-03")...))
	polite := newSite()
	polite.polite, polite.limit = true, 12
	wants(t, findings(t, polite, append(rest, "AU-02", "AU-03")...))
}

func TestAnswersThatNameUsersAreFound(t *testing.T) {
	t.Parallel()
	s := newSite()
	s.says = true
	wants(t, findings(t, s, "AU-04"), "AU-04 POST /forgot: the answer says whether a user exists: 202 for one, 404 for another", "AU-04 POST /login: the answer says whether a user exists: 401 for one, 404 for another")
}

func TestPasswordsOfOneLetterAreFound(t *testing.T) {
	t.Parallel()
	s := newSite()
	s.weak = func(p string) bool { return p == "" }
	wants(t, findings(t, s, "AU-05"), `AU-05 POST /register (body password): a user may have the password "1"`)
}

func TestPasswordsOfSixDigitsAreFound(t *testing.T) {
	t.Parallel()
	s := newSite()
	s.weak = func(p string) bool { return len(p) < 6 }
	wants(t, findings(t, s, "AU-05"), `the password "123456"`)
}

func TestPasswordsThatAreOnEveryListAreFound(t *testing.T) {
	t.Parallel()
	s := newSite()
	s.passwords["test"] = "test"
	wants(t, findings(t, s, "AU-06"), "AU-06 POST /login (body password): test logs in")
}

// A log-in that lets everybody in says nothing about passwords.
func TestLogInForEverybodyIsNoDefaultPassword(t *testing.T) {
	t.Parallel()
	s := newSite()
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/login" {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.welcome(w, "alice")
			return
		}
		s.ServeHTTP(w, r)
	})
	wants(t, findingsOf(t, h, "AU-06"))
}

func TestTokensAfterTheLogOutAreFound(t *testing.T) {
	t.Parallel()
	s := newSite()
	s.keepTokens = true
	wants(t, findings(t, s, "AU-07"), "AU-07 POST /logout: after the log-out, the token is as good as before")
}

func TestTokensAfterANewPasswordAreFound(t *testing.T) {
	t.Parallel()
	s := newSite()
	s.keepOld = true
	wants(t, findings(t, s, "AU-07"), "AU-07 POST /me/password: after a change of the password")
}

func TestRefreshTokensThatAreGoodForEverAreFound(t *testing.T) {
	t.Parallel()
	s := newSite()
	s.keepFresh = true
	wants(t, findings(t, s, "AUTHN-10"), "AUTHN-10 POST /refresh (body /refresh_token): a refresh token is good for any number of uses")
}

func TestResetThatTellsTheCodeIsFound(t *testing.T) {
	t.Parallel()
	s := newSite()
	s.tellCode = true
	wants(t, findings(t, s, "AU-12"), "AU-12 POST /forgot: who asks for a reset of a password gets the code in the answer")
}
