package securitytxt_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/fastness/fastness/securitytxt"
)

const day = 24 * time.Hour

func noon() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }

// contact is a configuration that is in order, at noon.
func contact() securitytxt.Config {
	return securitytxt.Config{Contact: []string{"mailto:security@example.com"}, Now: noon, Logger: slog.New(slog.DiscardHandler)}
}

func TestAllFields(t *testing.T) {
	cfg := contact()
	cfg.Contact = append(cfg.Contact, "https://example.com/report?a=b", "tel:+1-201-555-0123")
	cfg.Expires = time.Date(2027, 3, 1, 1, 30, 0, 5, time.FixedZone("", 3600))
	cfg.Encryption = []string{"https://example.com/key.txt", "openpgp4fpr:5f2de5521c63a801ab59ccb603d49de44b29100f", "dns:5d2d37ab76d47d36._openpgpkey.example.com?type=OPENPGPKEY"}
	cfg.Acknowledgments, cfg.Policy, cfg.Hiring = "https://example.com/thanks", "https://example.com/policy", "https://example.com/jobs"
	cfg.PreferredLanguages = []string{"en", "pt-BR", "zh-Hant-TW"}
	cfg.Canonical = []string{"https://example.com/.well-known/security.txt", "https://www.example.com/.well-known/security.txt"}
	file, err := securitytxt.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	const want = `Contact: mailto:security@example.com
Contact: https://example.com/report?a=b
Contact: tel:+1-201-555-0123
Expires: 2027-03-01T00:30:00Z
Encryption: https://example.com/key.txt
Encryption: openpgp4fpr:5f2de5521c63a801ab59ccb603d49de44b29100f
Encryption: dns:5d2d37ab76d47d36._openpgpkey.example.com?type=OPENPGPKEY
Acknowledgments: https://example.com/thanks
Preferred-Languages: en, pt-BR, zh-Hant-TW
Canonical: https://example.com/.well-known/security.txt
Canonical: https://www.example.com/.well-known/security.txt
Policy: https://example.com/policy
Hiring: https://example.com/jobs
`
	if file.Text() != want || !file.Expires().Equal(cfg.Expires) {
		t.Errorf("%s\nexpires %v", file.Text(), file.Expires())
	}
}

func TestNewRefuses(t *testing.T) {
	for _, tt := range []struct {
		name, want string
		change     func(*securitytxt.Config)
	}{
		{"no contact", "Contact is empty", func(c *securitytxt.Config) { c.Contact = nil }},
		{"an address that is no URI", "write mailto:", func(c *securitytxt.Config) { c.Contact = []string{"security@example.com"} }},
		{"a page without TLS", "everybody on the way", func(c *securitytxt.Config) { c.Contact = []string{"http://example.com"} }},
		{"another scheme", "has the scheme javascript", func(c *securitytxt.Config) { c.Contact = []string{"javascript:alert(1)"} }},
		{"a second field behind a line break", "control character", func(c *securitytxt.Config) {
			c.Contact = []string{"https://a.example\nContact: mailto:evil@evil.example"}
		}},
		{"a space", "a space", func(c *securitytxt.Config) { c.Contact = []string{"mailto:security at example.com"} }},
		{"a letter beyond ASCII", "beyond ASCII", func(c *securitytxt.Config) { c.Contact = []string{"https://bücher.example"} }},
		{"a mailbox without a host", "nobody behind", func(c *securitytxt.Config) { c.Contact = []string{"mailto:security"} }},
		{"no number", "nobody behind", func(c *securitytxt.Config) { c.Contact = []string{"tel:"} }},
		{"a URL without a host", "with a host", func(c *securitytxt.Config) { c.Contact = []string{"https:///x"} }},
		{"a URL with a user", "without a user", func(c *securitytxt.Config) { c.Policy = "https://a@evil.example/" }},
		{"a key in place of its URI", "a space", func(c *securitytxt.Config) { c.Encryption = []string{"-----BEGIN PGP PUBLIC KEY BLOCK-----"} }},
		{"a page by mail", "has the scheme mailto", func(c *securitytxt.Config) { c.Policy = "mailto:a@example.com" }},
		{"thanks without TLS", "Acknowledgments", func(c *securitytxt.Config) { c.Acknowledgments = "http://example.com" }},
		{"jobs that are no URI", "Hiring", func(c *securitytxt.Config) { c.Hiring = "jobs" }},
		{"another place", "does not end in", func(c *securitytxt.Config) { c.Canonical = []string{"https://example.com/security.txt"} }},
		{"a language by name", "not a language tag", func(c *securitytxt.Config) { c.PreferredLanguages = []string{"pt_BR"} }},
		{"a language that begins a field", "not a language tag", func(c *securitytxt.Config) { c.PreferredLanguages = []string{"en\nContact: x"} }},
		{"no language", "not a language tag", func(c *securitytxt.Config) { c.PreferredLanguages = []string{""} }},
		{"a date that is over", "which is over", func(c *securitytxt.Config) { c.Expires = noon() }},
		{"a date a year away", "less than a year", func(c *securitytxt.Config) { c.Expires = noon().Add(365 * day) }},
	} {
		cfg := contact()
		tt.change(&cfg)
		if file, err := securitytxt.New(cfg); file != nil || err == nil || !strings.HasPrefix(err.Error(), "security.txt config: ") || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: New() = %v, want %q", tt.name, err, tt.want)
		}
	}
	cfg := contact()
	cfg.Contact, cfg.Expires, cfg.Policy, cfg.PreferredLanguages = nil, noon().Add(-day), "x", []string{"?"}
	_, err := securitytxt.New(cfg)
	for _, want := range []string{"Contact", "Expires", "Policy", "PreferredLanguages"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s is missing in %v", want, err)
		}
	}
}

func TestHandler(t *testing.T) {
	file, err := securitytxt.New(contact())
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		method string
		status int
		body   string
	}{{"GET", 200, file.Text()}, {"HEAD", 200, ""}, {"POST", 405, ""}} {
		w := httptest.NewRecorder()
		file.ServeHTTP(w, httptest.NewRequest(tt.method, securitytxt.Path, nil))
		h := w.Result().Header
		if w.Code != tt.status || tt.status == 200 && w.Body.String() != tt.body {
			t.Errorf("%s: %d %s", tt.method, w.Code, w.Body)
		}
		if tt.status == 200 && (h.Get("Content-Type") != "text/plain; charset=utf-8" || h.Get("Content-Length") != fmt.Sprint(len(file.Text()))) {
			t.Errorf("%s: %v", tt.method, h)
		}
	}
}

// TestItWarnsBeforeItExpires: thirty days before, once a day, and on.
func TestItWarnsBeforeItExpires(t *testing.T) {
	var log bytes.Buffer
	now := noon()
	cfg := contact()
	cfg.Logger, cfg.Now = slog.New(slog.NewTextHandler(&log, nil)), func() time.Time { return now }
	file, err := securitytxt.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	serve := func() string {
		log.Reset()
		file.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", securitytxt.Path, nil))
		return log.String()
	}
	for _, tt := range []struct {
		days float64
		want string
	}{
		{0, ""}, {149.9, ""}, {150, "expires soon"}, {150, ""}, {150.2, ""}, {151, "expires soon"}, {179.9, "expires soon"}, {180.5, "has expired"}, {180.51, ""}, {300, "has expired"},
	} {
		now = noon().Add(time.Duration(tt.days * float64(day)))
		if got := serve(); (got != "") != (tt.want != "") || !strings.Contains(got, tt.want) {
			t.Errorf("after %v days: %q, want %q", tt.days, got, tt.want)
		}
	}
	log.Reset()
	now = noon()
	cfg.Expires = noon().Add(29 * day)
	if _, err := securitytxt.New(cfg); err != nil || !strings.Contains(log.String(), "expires soon") || !strings.Contains(log.String(), "expires=2026-12-22") {
		t.Errorf("at the start: %v, %s", err, log.String())
	}
}

// FuzzNew wants one line for each value, whatever it is.
func FuzzNew(f *testing.F) {
	f.Add("mailto:a@b.example", "https://a.example", "en")
	f.Add("https://a.example/\r\nX: y", "openpgp4fpr:1", "pt-BR")
	f.Add("https://a.example/#\u2028", "dns:x?y", "x")
	f.Fuzz(func(t *testing.T, to, key, language string) {
		cfg := contact()
		cfg.Contact, cfg.Encryption, cfg.PreferredLanguages = []string{to}, []string{key}, []string{language}
		file, err := securitytxt.New(cfg)
		if err != nil {
			return
		}
		want := "Contact: " + to + "\nExpires: 2027-05-22T12:00:00Z\nEncryption: " + key + "\nPreferred-Languages: " + language + "\n"
		if text := file.Text(); text != want || strings.Count(text, "\n") != 4 || strings.ContainsFunc(text, func(r rune) bool { return r != '\n' && (r < ' ' || r > '~') }) {
			t.Errorf("%q", text)
		}
	})
}
