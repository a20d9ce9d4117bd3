package auth_test

import (
	"testing"

	"github.com/fastness/fastness/auth"
)

// A user who is kept past the standing that they were made for would keep the
// roles that were taken away.
func TestMemoIsOfOneStandingAndScheme(t *testing.T) {
	var m auth.Memo
	made := 0
	newUser := func(s *auth.Standing, scheme string) *auth.User {
		made++
		return &auth.User{Roles: s.Roles, Scheme: scheme}
	}
	admin, nobody := &auth.Standing{Roles: auth.SetOf("admin")}, &auth.Standing{}
	first := m.User(admin, "key", newUser)
	if again := m.User(admin, "key", newUser); again != first || made != 1 {
		t.Errorf("the user of one standing was made %d times", made)
	}
	if u := m.User(nobody, "key", newUser); u.HasRole("admin") {
		t.Error("the user kept a role that the standing no longer has")
	}
	if u := m.User(nobody, "cookie", newUser); u.Scheme != "cookie" {
		t.Errorf("the user is of the scheme %q, want cookie", u.Scheme)
	}
}
