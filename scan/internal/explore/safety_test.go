package explore_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/fastness/fastness/scan/internal/explore"
	"github.com/fastness/fastness/scan/internal/spec"
)

func TestWhatWipesOrLocksOutIsNeverSent(t *testing.T) {
	var operations []*spec.Operation
	for _, each := range []string{
		"GET /createdb", "POST /admin/reset", "GET /api/db/drop", "POST /database/truncate", "DELETE /me", "POST /logout", "GET /auth/signout",
		"POST /users/{id}/password", "PUT /me/password", "POST /admin/shutdown", "GET /populate", "POST /account/close", "POST /tokens/revoke",
		"POST /users/{id}/deactivate", "POST /cache/flush", "POST /deleteAllOrders", "POST /newsletter", "POST /me/mfa/disable", "POST /changePassword",
	} {
		method, path, _ := strings.Cut(each, " ")
		operations = append(operations, op(method, path))
	}
	l := explored(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { answer(w, 200, map[string]any{"id": 1}) }), operations...)
	for _, ex := range l.client.sent {
		t.Errorf("%s %s was sent", ex.Request.Method, ex.Request.Path)
	}
	for _, c := range l.Covered() {
		if c.Outcome != explore.HeldBack || c.Note == "" {
			t.Errorf("%s as %s: %s %q", c.Op, c.User, c.Outcome, c.Note)
		}
	}
}

func TestTheInnocentAreNotHeldBack(t *testing.T) {
	for _, each := range []string{
		"GET /orders", "POST /orders", "DELETE /orders/{id}", "PUT /users/{id}", "GET /seeds", "POST /auth/forgot", "GET /closed", "POST /users/register", "GET /drops/{id}", "POST /locks",
		"PATCH /me", "GET /settings/password-policy", "DELETE /cart/items/{id}", "POST /dropoffs",
	} {
		method, path, _ := strings.Cut(each, " ")
		if why := explore.Dangerous(op(method, path)); why != "" {
			t.Errorf("%s: %s", each, why)
		}
	}
}

func TestNothingIsChangedIfTheScanMayOnlyRead(t *testing.T) {
	l := newLab(t, orders(), ordersDocument()...)
	l.Limits.Write = false
	if _, err := explore.Run(t.Context(), l.Target, explore.Config{}); err != nil {
		t.Fatal(err)
	}
	for _, ex := range l.client.sent {
		if ex.Request.Method != "GET" {
			t.Errorf("%s %s was sent", ex.Request.Method, ex.Request.Path)
		}
	}
}

func TestOnlyWhatWasMadeForItIsRemoved(t *testing.T) {
	l := explored(t, orders(), ordersDocument()...)
	removed := map[string]bool{}
	for _, ex := range l.client.sent {
		if ex.Request.Method == "DELETE" && ex.OK() {
			removed[ex.Request.Path] = true
		}
	}
	if len(removed) != 2 {
		t.Errorf("removed: %v, want one order of each user", removed)
	}
	for _, o := range l.Objects(nil) {
		if o.Resource == "order" && removed[fmt.Sprintf("/orders/%v", o.ID)] {
			t.Errorf("order %v is kept as one that is there", o.ID)
		}
	}
}

func TestTwoExplorationsOfTheSameSendTheSame(t *testing.T) {
	run := func() string {
		var b strings.Builder
		for _, ex := range explored(t, orders(), ordersDocument()...).client.sent {
			fmt.Fprintf(&b, "%s %s %s %s\n", ex.Request.User, ex.Request.Method, ex.Request.Target(), ex.Request.Body)
		}
		return b.String()
	}
	if first := run(); first != run() {
		t.Error("they differ")
	}
}

func TestASecondScanOfTheSameTargetHasOtherMarkers(t *testing.T) {
	target := orders()
	first, second := explored(t, target, ordersDocument()...), explored(t, target, ordersDocument()...)
	old := map[string]bool{}
	for _, o := range first.Objects(nil) {
		old[o.Marker] = o.Marker != ""
	}
	for _, o := range second.Objects(nil) {
		if o.Made != nil && old[o.Marker] {
			t.Errorf("%s %v has a marker of the scan before", o.Resource, o.ID)
		}
	}
}

func TestAnOperationThatNeverSucceedsIsTriedAFewTimesOnly(t *testing.T) {
	n := 0
	l := explored(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n++
		answer(w, 422, map[string]any{"errors": map[string]any{fmt.Sprintf("field%d", n): []string{"is required"}}})
	}), op("POST", "/things", takes("application/json", object("a", "b"))))
	if n > 2*6 {
		t.Errorf("%d requests for one operation and two users", n)
	}
	for _, c := range l.Covered() {
		if c.Outcome != explore.Validation || c.Note == "" {
			t.Errorf("%+v", c)
		}
	}
}

func TestARateLimitAndARefusalEndAnAttempt(t *testing.T) {
	for status, want := range map[int]string{429: explore.RateLimited, 401: explore.Unauthorized, 302: explore.Redirected, 500: explore.ServerError} {
		l := explored(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(status)
		}), op("GET", "/things"))
		for _, c := range l.Covered() {
			if c.Outcome != want || c.Tries > 3 {
				t.Errorf("%d: %+v, want %s", status, c, want)
			}
		}
	}
}
