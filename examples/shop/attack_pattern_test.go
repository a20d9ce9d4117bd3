package main

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fastness/fastness/schema/format"
)

// rulesOf collects the patterns and formats of a JSON document of schemas.
func rulesOf(document any, patterns, formats map[string]bool) {
	switch v := document.(type) {
	case []any:
		for _, item := range v {
			rulesOf(item, patterns, formats)
		}
	case map[string]any:
		for name, member := range v {
			text, isText := member.(string)
			switch {
			case isText && name == "pattern":
				patterns[text] = true
			case isText && name == "format":
				formats[text] = true
			default:
				rulesOf(member, patterns, formats)
			}
		}
	}
}

// Every pattern and every format that the shop declares, over texts of a megabyte
// that nearly fit.
func TestRulesOfTheShopAreQuickForAnyText(t *testing.T) {
	document, err := openShop(t, t.TempDir()).app.Document()
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(document)
	if err != nil {
		t.Fatal(err)
	}
	var parsed any
	if err := json.Unmarshal(text, &parsed); err != nil {
		t.Fatal(err)
	}
	patterns, formats := map[string]bool{}, map[string]bool{}
	rulesOf(parsed, patterns, formats)
	if len(formats) < 5 { // Patterns it has none yet.
		t.Fatalf("only %d formats: the document is read wrongly", len(formats))
	}
	judges := map[string]func(string){}
	for _, pattern := range slices.Sorted(maps.Keys(patterns)) {
		expression, err := regexp.Compile(pattern)
		if err != nil {
			t.Fatalf("%s: %v", pattern, err)
		}
		judges["pattern "+pattern] = func(text string) { expression.MatchString(text) }
	}
	for _, name := range slices.Sorted(maps.Keys(formats)) {
		if f, ok := format.Lookup(name); ok { // Others, such as int64, are not of texts.
			judges["format "+name] = func(text string) { _ = f.Check(text) }
		}
	}
	for _, unit := range []string{"a", "0", "-", "a.", "/", "é", "%41"} {
		text := strings.Repeat(unit, 1<<20/len(unit)) + "!"
		for name, judge := range judges {
			begin := time.Now()
			if judge(text); time.Since(begin) > 2*time.Second { // The race detector takes most of it.
				t.Errorf("%s takes %v for a megabyte of %q", name, time.Since(begin), unit)
			}
		}
	}
	t.Logf("%d patterns and formats", len(judges))
}

// A megabyte in any member that strangers can send is refused at once.
func TestMegabytesInAMemberAreRefusedAtOnce(t *testing.T) {
	s := openShop(t, t.TempDir()).as(nil)
	s.get("/items/1") // So that all is there that the first request makes.
	for _, unit := range []string{"a", "0", "\\u0000", "é", "1e"} {
		long := strings.Repeat(unit, 900_000/len(unit))
		var plain string
		if json.Unmarshal([]byte(`"`+long+`"`), &plain) != nil {
			t.Fatal(unit)
		}
		for what, send := range map[string]func() reply{
			"a name":     func() reply { return s.call("POST", "/test/items/", `{"price":1,"name":"`+long+`"}`) },
			"a price":    func() reply { return s.call("POST", "/test/items/", `{"name":"a","price":"`+long+`"}`) },
			"a number":   func() reply { return s.call("POST", "/test/items/", `{"name":"a","price":`+plain+`}`) },
			"an unknown": func() reply { return s.call("POST", "/test/items/", `{"name":"a","price":1,"`+long+`":1}`) },
			"a user": func() reply {
				return s.call("POST", "/sign-up", `{"name":"`+long[:len(long)/20/len(unit)*len(unit)]+`","password":"x"}`)
			},
			"a form's name": func() reply { return s.form("/token", url.Values{"username": {plain[:20_000]}, "password": {"x"}}) },
		} {
			begin := time.Now()
			got := send()
			if took := time.Since(begin); took > time.Second {
				t.Errorf("%s of %q: refused after %v", what, unit, took)
			}
			wantProblem(t, what+" of "+unit, got, http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity)
			if len(got.body) > 2_000 {
				t.Errorf("%s of %q: the refusal has %d bytes", what, unit, len(got.body))
			}
		}
	}
}
