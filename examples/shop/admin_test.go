package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/sqldb"
)

func TestAdminPageIsForAdministrators(t *testing.T) {
	s := people(t, "ann", "admin")
	for name, want := range map[string]int{"ann": http.StatusForbidden, "admin": http.StatusOK} {
		cookie := s.enter(name)
		if got := s.get("/admin", "Accept", browser, "Cookie", cookie); got.status != want {
			t.Errorf("GET /admin by %s = %d, want %d", name, got.status, want)
		}
		if linked := strings.Contains(s.get("/", "Accept", browser, "Cookie", cookie).body, `href="/admin"`); linked != (want == http.StatusOK) {
			t.Errorf("the front page links to it for %s: %t", name, linked)
		}
	}
	narrow := *admin()
	narrow.AllScopes = false
	if got := s.as(&narrow).get("/admin"); got.status != http.StatusForbidden {
		t.Errorf("an administrator with a token for nothing gets %d, want 403", got.status)
	}
}

// Administrators of a tenant see its numbers, reviews and events, those without one
// all.
func TestAdminPageShowsWhatIsOfTheTenant(t *testing.T) {
	s := people(t, "ann", "admin", "keep-admin", "operator-admin")
	item, _ := s.as(caller("k1", "keep", "seller")).create(`{"name":"Keep's lamp","price":1}`)
	s.as(reviewer("c1")).review("/items/1", `{"stars":1,"title":"Of the castle","text":"x"}`)
	s.as(reviewer("c1")).review(item, `{"stars":1,"title":"Of the keep","text":"x"}`)
	for _, want := range []struct {
		name, numbers    string
		castle, keep, by bool
	}{
		{"admin", `"items":6,"orders":0,"reviews":1,"users":2`, true, false, false},
		{"keep-admin", `"items":1,"orders":0,"reviews":1,"users":1`, false, true, true},
		{"operator-admin", `"items":7,"orders":0,"reviews":2,"users":4`, true, true, true},
	} {
		keeper := s.enter("keep-admin")
		_ = keeper // Its log-in is an event of the tenant keep.
		got := s.get("/admin", "Cookie", s.enter(want.name))
		if !strings.Contains(got.body, want.numbers) {
			t.Errorf("%s gets %s, want %s", want.name, got.body, want.numbers)
		}
		if castle, keep := strings.Contains(got.body, "Of the castle"), strings.Contains(got.body, "Of the keep"); castle != want.castle || keep != want.keep {
			t.Errorf("%s sees reviews of the castle %t, of the keep %t", want.name, castle, keep)
		}
		if by := strings.Contains(got.body, `"actor":"keep-admin"`); by != want.by {
			t.Errorf("%s sees events of the keep: %t", want.name, by)
		}
	}
	keeper, err := s.core.Accounts.ByName(t.Context(), "keep-admin")
	if err != nil {
		t.Fatal(err)
	}
	if got := s.get("/admin", "Cookie", s.enter("admin")); strings.Contains(got.body, "keep") || strings.Contains(got.body, keeper.ID) {
		t.Errorf("the administrator of the castle reads of the keep: %s", got.body)
	}
}

// The chart of orders, by a clock of the test's own.
func TestOrdersAreCountedByMinute(t *testing.T) {
	s := people(t)
	now := time.Date(2026, 11, 24, 12, 0, 30, 0, time.UTC)
	castle, keep := auth.NewTenant("castle"), auth.NewTenant("keep")
	err := s.db.Tx(t.Context(), func(tx *sqldb.Tx) error {
		for _, placed := range []struct {
			tenant auth.Tenant
			ago    time.Duration
		}{
			{castle, 0}, {castle, 29 * time.Second}, {castle, 31 * time.Second}, {castle, 59 * time.Minute}, {castle, 60 * time.Minute},
			{keep, 10 * time.Minute}, {keep, -time.Hour}, // By the clock of another process it is later.
		} {
			order := Order{Customer: "c1", ItemID: 1, Name: "Lamp", Quantity: 1, Status: "open", Created: now.Add(-placed.ago)}
			if _, err := insertOrder(t.Context(), tx, placed.tenant, order); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for tenant, want := range map[auth.Tenant]map[int]int{
		castle: {0: 1, 58: 1, 59: 2}, keep: {49: 1, 59: 1}, {}: {0: 1, 49: 1, 58: 1, 59: 3},
	} {
		err := s.db.ReadTx(t.Context(), func(tx *sqldb.ReadTx) error {
			counts, err := ordersByMinute(t.Context(), tx, tenant, now)
			for i, n := range counts {
				if n != want[i] {
					t.Errorf("minute %d of %q has %d orders, want %d", i, tenant, n, want[i])
				}
			}
			if len(counts) != 60 {
				t.Errorf("there are %d minutes, want 60", len(counts))
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
}

func TestAdministratorRemovesAReviewByTheButton(t *testing.T) {
	s := people(t, "admin", "keep-admin")
	path := s.as(reviewer("c1")).review("/items/1", goodReview)
	if got := s.fillIn(path+"/delete", s.enter("keep-admin"), url.Values{"next": {"/admin"}}); got.status != http.StatusForbidden {
		t.Errorf("the button by an administrator of another tenant = %d, want 403", got.status)
	}
	cookie := s.enter("admin")
	if page := s.get("/admin", "Accept", browser, "Cookie", cookie); !strings.Contains(page.body, `action="`+path+`/delete"`) || !strings.Contains(page.body, "authn_login_success") {
		t.Errorf("the page has no button or no events: %s", page.body)
	}
	if got := s.fillIn(path+"/delete", cookie, url.Values{"next": {"/admin"}}); got.status != http.StatusSeeOther || got.header.Get("Location") != "/admin" {
		t.Errorf("the button = %d to %q", got.status, got.header.Get("Location"))
	}
	if got := s.get("/items/1/reviews"); !strings.Contains(got.body, `"total":0`) {
		t.Errorf("the review is there still: %s", got.body)
	}
}

func TestHostileNamesAreTextOnTheAdminPage(t *testing.T) {
	s := people(t, "admin")
	evil := reviewer("c1")
	evil.Name = `<script>alert(1)</script>`
	s.as(evil).review("/items/1", `{"stars":1,"title":"\"onmouseover=alert(1) x","text":"<img src=x onerror=alert(1)>kept"}`)
	page := s.get("/admin", "Accept", browser, "Cookie", s.enter("admin"))
	if found := activeIn(page.body); found != "" {
		t.Errorf("the page has %q", found)
	}
	if !strings.Contains(page.body, "&lt;script&gt;alert(1)&lt;/script&gt;") {
		t.Error("the page does not show the name")
	}
}

func TestContactAndReportsAreThere(t *testing.T) {
	s := people(t)
	if got := s.get("/.well-known/security.txt"); got.status != http.StatusOK || !strings.Contains(got.body, "Contact: https://") {
		t.Errorf("security.txt = %d %s", got.status, got.body)
	}
	report := `{"csp-report":{"document-uri":"https://localhost/","violated-directive":"img-src","blocked-uri":"https://evil.example/x.png","original-policy":"x"}}`
	if got := s.call(http.MethodPost, "/csp-reports", report, "Content-Type", "application/csp-report"); got.status != http.StatusNoContent && got.status != http.StatusUnsupportedMediaType {
		t.Errorf("POST /csp-reports = %d %s", got.status, got.body)
	}
}
