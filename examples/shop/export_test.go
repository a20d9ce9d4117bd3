package main

import (
	"encoding/csv"
	"net/http"
	"strings"
	"testing"

	"github.com/fastness/fastness/auth"
)

// records returns the export of u, without its header.
func records(t *testing.T, s *shop, u *auth.User) (header []string, rows [][]string) {
	t.Helper()
	got := s.as(u).get("/items/export")
	all, err := csv.NewReader(strings.NewReader(got.body)).ReadAll()
	if got.status != http.StatusOK || err != nil || len(all) == 0 {
		t.Fatalf("the export is %d %s (%v)", got.status, got.body, err)
	}
	if got.header.Get("Content-Type") != "text/csv; charset=utf-8" || got.header.Get("Content-Disposition") != `attachment; filename="items.csv"` || got.header.Get("Cache-Control") != "no-store" {
		t.Errorf("header %v", got.header)
	}
	return all[0], all[1:]
}

func TestExportIsOfOnesOwnItems(t *testing.T) {
	s := openShop(t, t.TempDir())
	s.create(`{"name":"=cmd|' /C calc'!A0","price":1,"cost":0.5}`)
	s.create(draftLamp)
	s.as(caller("s2", "castle", "seller")).create(`{"name":"Chair","price":2}`)
	s.as(caller("s3", "keep", "seller")).create(`{"name":"Keep's","price":3}`)

	header, rows := records(t, s, seller())
	if strings.Join(header, " ") != "item_id name description price tax stock picture draft seller price_with_tax" {
		t.Errorf("a seller gets the columns %q", header)
	}
	if len(rows) != 2 || rows[0][1] != "'=cmd|' /C calc'!A0" || rows[1][1] != "Secret lamp" || rows[0][3] != "1" {
		t.Errorf("a seller gets %q", rows)
	}
	header, rows = records(t, s, admin())
	if cost := header[len(header)-2]; cost != "cost" || len(rows) != samples+3 || rows[samples][len(header)-2] != "0.5" {
		t.Errorf("an administrator gets the columns %q, and %q", header, rows)
	}
	for _, row := range rows {
		if row[1] == "Keep's" {
			t.Error("an administrator gets the items of another tenant")
		}
	}
	if _, rows = records(t, s, caller("s1 ", "castle", "seller")); len(rows) != 0 {
		t.Errorf("a seller of nothing gets %q", rows)
	}
	if _, rows = records(t, s, caller("o1", "", "admin")); len(rows) != samples+4 {
		t.Errorf("an operator gets %q", rows)
	}
	for name, who := range map[string]*auth.User{"nobody": nil, "a customer": caller("c1", "castle", "customer")} {
		if got := s.as(who).get("/items/export"); got.status < 401 || got.status > 403 || strings.Contains(got.body, "Lamp") {
			t.Errorf("%s gets %d %s", name, got.status, got.body)
		}
	}
}
