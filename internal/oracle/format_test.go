package oracle_test

import (
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"pgregory.net/rapid"

	"github.com/fastness/fastness/schema/format"
)

// deviation is a family of strings about which the two differ on purpose.
type deviation struct {
	name   string
	ours   bool // the verdict here; the other's is the opposite
	covers func(s string) bool
}

// contract is a format that both sides know. Whatever no deviation covers must
// get the same verdict from both.
type contract struct {
	name       string
	alphabet   string
	examples   []string
	deviations []deviation
}

const uriCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~:/?#[]@!$&'()*+,;=%"

var contracts = []contract{
	{name: "uuid", alphabet: "0aFg-", examples: []string{"f81d4fae-7dec-11d0-a765-00a0c91e6bf6"}},
	{name: "date", alphabet: "0123456789-T/+ ", examples: []string{"2026-02-28", "2024-02-29", "1900-02-29", "0000-01-01"}},
	{name: "time", alphabet: "0123456789:.Zz+-", examples: []string{"10:00:00Z", "23:59:60.5Z", "00:29:60-23:30", "22:59:60-01:00"}, deviations: clockDeviations},
	{name: "date-time", alphabet: "0123456789:.ZzTt+- ", examples: []string{"2026-02-28T10:00:00Z", "2024-02-29t23:59:60.123z", "2026-12-31T10:00:00+05:45"}, deviations: clockDeviations},
	{name: "duration", alphabet: "PTYMWDHS0123.-", examples: []string{"P3Y6M4DT12H30M5S", "P2W", "PT1H5S", "PT0.5S"}, deviations: []deviation{
		{"seconds may have a fraction, or time.Duration could not be written", true, func(s string) bool { return strings.Contains(s, ".") }},
	}},
	{name: "ipv4", alphabet: "0123456789.:+-a", examples: []string{"192.0.2.1", "0.0.0.0", "255.255.255.255"}, deviations: []deviation{
		{"a number has no sign: the other uses strconv.Atoi", false, func(s string) bool { return strings.ContainsAny(s, "+-") }},
	}},
	{name: "ipv6", alphabet: "0123456789abf:.%", examples: []string{"::1", "2001:db8::1", "::ffff:192.0.2.1", "fe80::1%eth0", "1:2:3:4:5:6:7:8"}},
	{name: "hostname", alphabet: "ab9.-_", examples: []string{"example.com", "a.b.", "1.2.3.4", "localhost", "xn--a.b", strings.Repeat("a", 64), strings.Repeat("ab.", 84) + "a"}, deviations: []deviation{
		{"no trailing dot: it is a second spelling of the same host", false, func(s string) bool { return strings.HasSuffix(s, ".") }},
		{"the last label is not a number: the name could be an IPv4 address", false, func(s string) bool { return numericTail(s) }},
	}},
	{name: "email", alphabet: "ab9.-_@\"+[] ", examples: []string{"a@b.co", "first.last+tag@sub.example.com", `"a b"@c.co`, "a@[127.0.0.1]", "a@b", "@b.co", "a@b.co."}, deviations: []deviation{
		{"no quoted local part: parsers differ about where it ends", false, func(s string) bool { return strings.HasPrefix(s, `"`) }},
		{"no address literal: it is the own network's back door", false, func(s string) bool { return strings.HasSuffix(s, "]") }},
		{"a local part is required: the other takes an empty one", false, func(s string) bool { return strings.HasPrefix(s, "@") }},
		{"the domain has a dot", false, func(s string) bool { return !strings.Contains(domain(s), ".") }},
		{"the domain has no trailing dot", false, func(s string) bool { return strings.HasSuffix(s, ".") }},
		{"the domain's last label is not a number", false, func(s string) bool { return numericTail(domain(s)) }},
	}},
	{name: "json-pointer", alphabet: "/~012aé", examples: []string{"", "/a/0", "/a~1b~0", "#/a"}},
	{name: "uri", alphabet: uriCharacters + " é\\", examples: uriExamples, deviations: uriDeviations},
	{name: "uri-reference", alphabet: uriCharacters + " é\\", examples: append([]string{"/a", "a/b", "?q", "//h/p", ""}, uriExamples...), deviations: uriDeviations},
}

var clockDeviations = []deviation{
	{"a number has no sign: the other uses strconv.Atoi", false, func(s string) bool { return signedNumber(s) }},
}

var uriExamples = []string{"http://example.com/a?b=c#d", "urn:isbn:0451450523", "mailto:a@b.co", "x://u:p@[2001:db8::7]:80/a%20b", "file:///etc", "http://ex%C3%A9.b/"}

var uriDeviations = []deviation{
	{"only the characters of RFC 3986: net/url takes most others", false, func(s string) bool {
		return strings.ContainsFunc(s, func(r rune) bool { return !strings.ContainsRune(uriCharacters, r) })
	}},
	{"a bracket belongs around an IPv6 address and nowhere else: net/url takes it in paths", false, func(s string) bool { return strings.ContainsAny(s, "[]") }},
	{"a second # is not part of a fragment", false, func(s string) bool { return strings.Count(s, "#") > 1 }},
	{"percent escapes are checked in the query and opaque part too", false, badEscape},
}

func TestFormatsAgree(t *testing.T) {
	for _, c := range contracts {
		t.Run(c.name, func(t *testing.T) {
			other := compile(t, c.name)
			for _, s := range c.examples {
				c.compare(t, other, s)
			}
			rapid.Check(t, func(t *rapid.T) {
				c.compare(t, other, c.draw(t))
			})
		})
	}
}

// TestDeviationsAreReal keeps the list honest: each deviation must show in at
// least one string.
func TestDeviationsAreReal(t *testing.T) {
	witnesses := map[string][]string{
		"time":          {"+1:00:00Z"},
		"date-time":     {"2026-01-01T+1:00:00Z"},
		"duration":      {"PT0.5S"},
		"ipv4":          {"+1.2.3.4"},
		"hostname":      {"a.", "a.1"},
		"email":         {`"a b"@c.co`, "a@[127.0.0.1]", "@b.co", "a@b", "a@b.co.", "a@b.1"},
		"uri":           {"http://a/ b", "http://a/[", "http://a/#b#c", "x:%zz"},
		"uri-reference": {"/ b", "/[", "#b#c", "?%zz"},
	}
	for _, c := range contracts {
		other, ours := compile(t, c.name), lookup(t, c.name)
		for _, d := range c.deviations {
			shown := false
			for _, s := range witnesses[c.name] {
				shown = shown || d.covers(s) && (ours(s) == nil) == d.ours && (other(s) == nil) != d.ours
			}
			if !shown {
				t.Errorf("%s: no string shows the deviation %q", c.name, d.name)
			}
		}
	}
}

type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

func (c contract) compare(t failer, other func(string) error, s string) {
	t.Helper()
	f, _ := format.Lookup(c.name)
	ours, theirs := f.Check(s) == nil, other(s) == nil
	if ours == theirs {
		return
	}
	for _, d := range c.deviations {
		if d.ours == ours && d.covers(s) {
			return
		}
	}
	t.Fatalf("%s of %q: here %v, there %v", c.name, s, ours, theirs)
}

// draw changes a few places of an example, so that most strings are nearly
// right, where parsers differ.
func (c contract) draw(t *rapid.T) string {
	s := []rune(rapid.SampledFrom(c.examples).Draw(t, "example"))
	letter := rapid.SampledFrom([]rune(c.alphabet))
	for range rapid.IntRange(0, 4).Draw(t, "edits") {
		at := rapid.IntRange(0, len(s)).Draw(t, "at")
		tail := append([]rune(nil), s[at:]...)
		edit := rapid.SampledFrom([]string{"insert", "replace", "remove"}).Draw(t, "edit")
		if edit != "insert" && len(tail) > 0 {
			tail = tail[1:]
		}
		s = s[:at]
		if edit != "remove" {
			s = append(s, letter.Draw(t, "letter"))
		}
		s = append(s, tail...)
	}
	return string(s)
}

func lookup(t *testing.T, name string) func(string) error {
	f, ok := format.Lookup(name)
	if !ok {
		t.Fatalf("no format %q here", name)
	}
	return f.Check
}

// compile returns the other implementation's check of a format.
func compile(t *testing.T, name string) func(string) error {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("x.json", map[string]any{"format": name}); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("x.json")
	if err != nil {
		t.Fatal(err)
	}
	if s.Format == nil {
		t.Fatalf("no format %q there", name)
	}
	return func(v string) error { return s.Validate(v) }
}

func domain(s string) string { return s[strings.LastIndexByte(s, '@')+1:] }

func numericTail(s string) bool {
	s = strings.TrimSuffix(s, ".")
	last := s[strings.LastIndexByte(s, '.')+1:]
	return strings.Trim(last, "0123456789") == "" && last != ""
}

// signedNumber reports whether a sign stands where a digit belongs.
func signedNumber(s string) bool {
	for i := range len(s) {
		if s[i] != '+' && s[i] != '-' {
			continue
		}
		if i == 0 || strings.IndexByte("Tt:+-", s[i-1]) >= 0 {
			return true
		}
	}
	return false
}

func badEscape(s string) bool {
	const hex = "0123456789abcdefABCDEF"
	for i := range len(s) {
		if s[i] == '%' && (i+2 >= len(s) || strings.IndexByte(hex, s[i+1]) < 0 || strings.IndexByte(hex, s[i+2]) < 0) {
			return true
		}
	}
	return false
}
