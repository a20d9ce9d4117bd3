package storetest

import (
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/fastness/fastness/auth/account"
	"github.com/fastness/fastness/fastnesstest"
	"github.com/fastness/fastness/secret"
)

// A server hears of a new password some seconds later. What a thief asks it for
// until then must not last: they would ask all the time.
func TestNothingThatLastsIsMadeByWhoIsOut(t *testing.T) {
	for name, recover := range map[string]func(t *testing.T, here *identityApp, id string, owner *http.Cookie){
		"an administrator gives the user a new password": func(t *testing.T, here *identityApp, id string, _ *http.Cookie) {
			if err := here.core.Accounts.SetPassword(t.Context(), account.By{}, id, secret.New(adminPassword)); err != nil {
				t.Fatal(err)
			}
		},
		"the user changes it in the browser whose cookie was copied": func(_ *testing.T, here *identityApp, _ string, owner *http.Cookie) {
			body := jsonOf(map[string]string{"current_password": goodPassword, "new_password": adminPassword})
			here.Do(http.MethodPut, "/me/password", body, here.fromPage(owner)...).Want(204)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newIdentityWorld(t, openSQLite(t, filepath.Join(t.TempDir(), "test.db")))
			here, there := w.start(t, nil), w.start(t, nil)
			ann := here.add(t, "ann")
			stolen := here.browser(t, "ann")
			tokens := here.logIn(t, "ann")
			for _, with := range []fastnesstest.Option{carrying(stolen), bearer(tokens.Access)} {
				there.Get("/me", with).Want(200)
			}
			recover(t, here, ann.ID, stolen)
			w.clock.add(time.Second)
			for _, with := range [][]fastnesstest.Option{{bearer(tokens.Access), ownPage()}, there.fromPage(stolen)} {
				res := there.Post("/me/api-keys", jsonOf(map[string]any{"name": "thief"}), with...)
				res.WantProblem(401, "invalid_credentials")
			}
			keys, err := here.core.APIKeys.List(t.Context(), ann.ID)
			if err != nil {
				t.Fatal(err)
			}
			for _, k := range keys {
				if k.Live(w.clock.Now()) {
					t.Errorf("the key %s is good", k.ID)
				}
			}
		})
	}
}
