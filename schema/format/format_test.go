package format_test

import (
	"errors"
	"fmt"
	"net/mail"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fastness/fastness/schema/format"
)

// cases lists for each format what it must accept and what it must refuse.
var cases = []struct {
	format         string
	accept, refuse []string
}{
	{"email",
		[]string{"a@b.co", "first.last+tag@sub.example.com", "o'brien@example.com", "x@xn--bcher-kva.example", strings.Repeat("a", 64) + "@example.com"},
		[]string{"", "a", "@b.co", "a@", "a@b", "a@localhost", "a@b@c.co", `"a b"@c.co`, ".a@b.co", "a.@b.co", "a..b@c.co", "a@.co", "a@b..co", "a@b.co.",
			"a@[127.0.0.1]", "a@127.0.0.1", "a b@c.co", "a@b.co\n", "a@b.co\r\nBcc: x@y.zz", "é@b.co", "a@bücher.example", "A <a@b.co>", "a@-b.co", "a@b_c.co",
			strings.Repeat("a", 65) + "@example.com", "a@" + strings.Repeat(strings.Repeat("b", 49)+".", 5) + "example"}},
	{"hostname",
		[]string{"localhost", "example.com", "a-b.c1", "1.example", "3com.example", "xn--bcher-kva.example", strings.Repeat("a", 63) + ".b"},
		[]string{"", ".", "a.", ".a", "a..b", "-a", "a-", "a_b", "1", "1.2.3.4", "a.1", "a b", "bücher.example", "a\x00", strings.Repeat("a", 64), strings.Repeat("a.", 126) + "aa"}},
	{"ipv4",
		[]string{"0.0.0.0", "127.0.0.1", "255.255.255.255"},
		[]string{"", "1.2.3", "1.2.3.4.5", "256.0.0.1", "01.2.3.4", "1.2.3.04", "0x7f.0.0.1", "1.2.3.4 ", "::1", "1.2.3.-4", "+1.2.3.4", "١.2.3.4", "2130706433"}},
	{"ipv6",
		[]string{"::", "::1", "2001:db8::8a2e:370:7334", "::ffff:192.0.2.1", "FE80::1", "0000:0000:0000:0000:0000:ffff:255.255.255.255"},
		[]string{"", "1.2.3.4", "fe80::1%eth0", "[::1]", "1::2::3", ":1", "12345::", "::ffff:1.2.3.04", "::1/128", "1:2:3:4:5:6:7:8:9"}},
	{"ip", []string{"127.0.0.1", "::1"}, []string{"", "::1%lo", "127.1", "localhost"}},
	{"cidr",
		[]string{"10.0.0.0/8", "0.0.0.0/0", "192.0.2.1/32", "2001:db8::/32", "::/0"},
		[]string{"", "10.0.0.1/8", "10.0.0.0", "10.0.0.0/33", "10.0.0.0/08", "10.0.0.0/+8", "2001:db8::1/32", "fe80::%eth0/64", "10/8"}},
	{"uuid",
		[]string{"00000000-0000-0000-0000-000000000000", "F81D4FAE-7dec-11d0-a765-00a0c91e6bf6", "ffffffff-ffff-ffff-ffff-ffffffffffff"},
		[]string{"", "x", "f81d4fae7dec11d0a76500a0c91e6bf6", "{f81d4fae-7dec-11d0-a765-00a0c91e6bf6}", "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
			"f81d4fae-7dec-11d0-a765-00a0c91e6bfg", "f81d4fa-e7dec-11d0-a765-00a0c91e6bf6", "f81d4fae-7dec-11d0-a765-00a0c91e6bf6\n"}},
	{"date",
		[]string{"2026-02-28", "2024-02-29", "2000-02-29", "0000-01-01", "9999-12-31"},
		[]string{"", "2026-02-29", "1900-02-29", "2026-13-01", "2026-00-01", "2026-01-00", "2026-04-31", "2026-1-01", "20260101", "2026/01/01", "+2026-01-01",
			"2026-01-01T00:00:00Z", "2026-01-01 ", "٢٠٢٦-01-01", "-001-01-01"}},
	{"date-time",
		[]string{"2026-02-28T10:00:00Z", "2026-02-28t10:00:00z", "2026-02-28T10:00:00.123456789+01:00", "2026-02-28T10:00:00-00:00", "1998-12-31T23:59:60Z",
			"1998-12-31T15:59:60.123-08:00", "2026-02-28T10:00:00.1234567890123Z", "2026-01-01T00:29:60-23:30"},
		[]string{"", "2026-02-28", "2026-02-28T10:00:00", "2026-02-28 10:00:00Z", "2026-02-28T24:00:00Z", "2026-02-28T10:60:00Z", "2026-02-28T10:00:61Z",
			"2026-02-28T10:00:60Z", "1998-12-31T23:59:60+01:00", "2026-02-30T10:00:00Z", "2026-02-28T10:00:00.Z", "2026-02-28T10:00:00,5Z", "2026-02-28T10:00Z",
			"2026-02-28T10:00:00+24:00", "2026-02-28T10:00:00+01:60", "2026-02-28T10:00:00+0100", "2026-02-28T10:00:00+01", "2026-02-28T10:00:00Zx",
			"2026-02-28T10:00:00+01:00x", "2026-02-28T+1:00:00Z", "2026-W09-6T10:00:00Z"}},
	{"time",
		[]string{"10:00:00Z", "10:00:00.5+01:00", "23:59:60Z", "01:29:60+01:30"},
		[]string{"", "10:00:00", "10:00Z", "24:00:00Z", "22:59:60Z", "10-00-00Z", "10:00:00 Z", "1:00:00Z"}},
	{"duration",
		[]string{"P3Y6M4DT12H30M5S", "P1W", "PT0S", "P4D", "PT1H5S", "PT0.5S", "P0001D", "PT36H", "P1Y2D"},
		[]string{"", "P", "PT", "P1", "1D", "PT1D", "P1S", "P2D1Y", "P1DT", "P1Y2W", "P2W1D", "P1WT1H", "PTT1H", "PT1H1H", "P-1D", "-P1D", "+P1D", "PT1.S", "PT.5S",
			"PT1.5H", "PT1,5S", "p1d", "P1D ", "P१D", "PW"}},
	{"uri",
		[]string{"http://example.com/a?b=c#d", "urn:isbn:0451450523", "mailto:a@b.co", "file:///etc/hosts", "ldap://[2001:db8::7]/c=GB?one", "a:", "x://u:p@h:1/", "tel:+1-816",
			"http://ex%C3%A9.example/", "HTTP://A.B", "http://a:/"},
		[]string{"", "/a", "//a/b", "a", "http://a b/", "http://a/%zz", "http://a/%4", "http://a/\\b", "http://a/<b>", "1a:b", ":a", "http://[::1", "http://[::1]a/", "http://[::1%25eth0]/",
			"http://a:b/", "http://a/é", "http://a/\n", "http://a@b@c/", "http://%31.example/", "http://a/#b#c", "http://a/|", "http://[1.2.3.4]/", "http://[v1.a]/"}},
	{"uri-reference",
		[]string{"", "/a", "a/b", "?q", "#f", "//host/p", "../x", "./a:b", "http://a/"},
		[]string{"a b", "\\a", "1a:b", "%", "//[::1/", "a\x7f", "#a#b", "é"}},
	{"http-url",
		[]string{"http://example.com", "https://localhost:8443/a?b#c", "http://127.0.0.1/", "https://[2001:db8::1]:443/", "HTTPS://EXAMPLE.COM/", "http://a:65535", "http://0xyz.example"},
		[]string{"", "example.com", "ftp://x", "javascript:alert(1)", "http:", "http://", "http:///a", "http:a", "https://user@host/", "https://bank.example@evil.example/", "http://u:p@h/",
			"http://a:0/", "http://a:65536/", "http://a:/", "http://a:080/", "http://2130706433/", "http://127.1/", "http://0x7f.1/", "http://0x7f000001/", "http://a.0x/", "http://0177.0.0.1/",
			"http://example.com./", "http://a_b/", "http://[fe80::1%25eth0]/", "http://a/\r\nHost: b", "http://a" + strings.Repeat("/a", 1050)}},
	{"url", []string{"https://example.com/"}, []string{"ftp://example.com/"}},
	{"base64",
		[]string{"", "AA==", "AAA=", "AAAA", "+/+/"},
		[]string{"A", "AA", "AAA", "AA=", "AB==", "AAB=", "A===", "====", "=", "AAAA=", "AA==AAAA", "AA\n==", "AAAA\r\n", "-_-_", " AAAA"}},
	{"byte", []string{"AAAA"}, []string{"AAA"}},
	{"base64url", []string{"", "AA", "AA==", "AAA", "AAA=", "-_-_"}, []string{"A", "AA=", "AB", "+/+/", "AA\n", "AAAA=", "=", "==", "A==="}},
	{"regex", []string{"", "^[a-z]+$", `\d{3}`, "(?i)a"}, []string{"(", "a{1001}", `(a)\1`, "(?=a)", "[b-a]", strings.Repeat("a", 1001), "((a{100}){100}){100}"}},
	{"json-pointer", []string{"", "/", "/a/0", "/a~1b~0", "/é", "/ "}, []string{"a", "#/a", "/~", "/~2", "/a~", "/\xff"}},
	{"phone", []string{"+4915112345678", "+6834000", "+123456789012345"}, []string{"", "+", "4915112345678", "+0915112345678", "+49 151", "+1234567890123456", "+123456", "+1234567a"}},
}

func TestFormats(t *testing.T) {
	tested := map[string]bool{}
	for _, tt := range cases {
		tested[tt.format] = true
		f, ok := format.Lookup(tt.format)
		if !ok || f.Name != tt.format {
			t.Errorf("Lookup(%q) = %q, %v", tt.format, f.Name, ok)
			continue
		}
		for _, s := range tt.accept {
			if err := f.Check(s); err != nil {
				t.Errorf("%s refuses %q: %v", tt.format, s, err)
			}
		}
		for _, s := range tt.refuse {
			if err := f.Check(s); err == nil {
				t.Errorf("%s accepts %q", tt.format, s)
			} else if _, ok := errors.AsType[*format.Mistake](err); !ok {
				t.Errorf("%s refuses %q with a %T, want a *Mistake", tt.format, s, err)
			}
		}
	}
	for _, name := range format.Names() {
		if !tested[name] {
			t.Errorf("format %q has no cases", name)
		}
	}
}

func TestFormatsAreFoundByExactNameOnly(t *testing.T) {
	names := format.Names()
	if !slices.IsSorted(names) {
		t.Errorf("Names() = %q, want them sorted", names)
	}
	for _, name := range []string{"", "Date", "date-tim", "date-timee", "zzz", "a"} {
		if f, ok := format.Lookup(name); ok {
			t.Errorf("Lookup(%q) = %q, want nothing", name, f.Name)
		}
	}
}

func TestMistakesAreThoseOfFastAPI(t *testing.T) {
	tests := []struct{ format, value, code, detail, limit string }{
		{"date", "2020-13-01", "date_from_datetime_parsing", "Input should be a valid date or datetime, month value is outside expected range of 1-12", "error"},
		{"date", "nope", "date_from_datetime_parsing", "Input should be a valid date or datetime, input is too short", "error"},
		{"date-time", "nope", "datetime_from_date_parsing", "Input should be a valid datetime or date, input is too short", "error"},
		{"date-time", "2020/01/01T10:00:00Z", "datetime_from_date_parsing", "Input should be a valid datetime or date, invalid date separator, expected `-`", "error"},
		{"date-time", "2020-01-01T25:00:00Z", "datetime_parsing", "Input should be a valid datetime, hour value is outside expected range of 0-23", "error"},
		{"date-time", "2020-01-01T10:00:00", "timezone_aware", "Input should have timezone info", ""},
		{"time", "10:60:00Z", "time_parsing", "Input should be in a valid time format, minute value is outside expected range of 0-59", "error"},
		{"duration", "PTT", "time_delta_parsing", "Input should be a valid timedelta, `t` character repeated in duration", "error"},
		{"http-url", "ftp://x", "url_scheme", "URL scheme should be 'http' or 'https'", "expected_schemes"},
		{"http-url", "x", "url_parsing", "Input should be a valid URL, relative URL without a base", "error"},
		{"http-url", "http://", "url_parsing", "Input should be a valid URL, empty host", "error"},
		{"http-url", "http://" + strings.Repeat("a", 3000), "url_too_long", "URL should have at most 2083 characters", "max_length"},
		{"ipv4", "x", "ip_v4_address", "Input is not a valid IPv4 address", ""},
		{"email", "x", "value_error", "value is not a valid email address: An email address must have an @-sign.", "reason"},
	}
	for _, tt := range tests {
		f, _ := format.Lookup(tt.format)
		m, ok := errors.AsType[*format.Mistake](f.Check(tt.value))
		if !ok {
			t.Errorf("%s accepts %q", tt.format, tt.value)
			continue
		}
		if m.Code() != tt.code || m.Error() != tt.detail {
			t.Errorf("%s of %q: %s %q\nwant %s %q", tt.format, tt.value, m.Code(), m.Error(), tt.code, tt.detail)
		}
		name := ""
		for _, l := range m.Limits() {
			name = l.Name
		}
		if name != tt.limit {
			t.Errorf("%s of %q: limit %q, want %q", tt.format, tt.value, name, tt.limit)
		}
	}
}

func TestMistakesDoNotEchoTheValue(t *testing.T) {
	const canary = "ζ" // Not a letter of any sentence.
	for _, tt := range cases {
		f, _ := format.Lookup(tt.format)
		for _, s := range slices.Concat(tt.accept, tt.refuse) {
			for at := 0; at <= len(s); at += max(1, len(s)/8) {
				err := f.Check(s[:at] + canary + s[at:])
				if err == nil {
					continue
				}
				m, _ := errors.AsType[*format.Mistake](err)
				if shown := fmt.Sprint(m.Code(), m.Error(), m.Limits()); strings.Contains(shown, canary) {
					t.Errorf("%s shows what was sent: %s", tt.format, shown)
				}
			}
		}
	}
}

func TestChecksThatPassAllocateNothing(t *testing.T) {
	for _, tt := range cases {
		if tt.format == "regex" {
			continue
		}
		f, _ := format.Lookup(tt.format)
		for _, s := range tt.accept {
			if n := testing.AllocsPerRun(10, func() { _ = f.Check(s) }); n != 0 {
				t.Errorf("%s of %q allocates %v times", tt.format, s, n)
			}
		}
	}
	if n := testing.AllocsPerRun(10, func() { _, _ = format.ParseDateTime("2026-02-28T10:00:00.5+01:00") }); n != 0 {
		t.Errorf("ParseDateTime allocates %v times", n)
	}
	if n := testing.AllocsPerRun(10, func() { _, _ = format.ParseDuration("PT1H30M") }); n != 0 {
		t.Errorf("ParseDuration allocates %v times", n)
	}
}

// TestRegexThatIsSlowToParseIsRefused: the strings of the first list cost up to
// 240 ms each to parse, at under a kilobyte, and a body holds a thousand.
func TestRegexThatIsSlowToParseIsRefused(t *testing.T) {
	f, _ := format.Lookup("regex")
	for _, s := range []string{
		strings.Repeat(`\pL|`, 250), strings.Repeat(`\PL|`, 5), `[\p{Lu}\p{Ll}\p{Lt}\p{Lm}\p{Lo}]`,
		`(?i)[B-𞥂]`, `(?i)[B-\x{1E942}]`, `(?i)[^B-\x{1E942}]`, `(?si:[B-一])`, `(?:a)(?s-m:b)(?U)(?mi)[B-𞥂]`, strings.Repeat(`(?i)[B-߿]`, 80),
	} {
		if f.Check(s) == nil {
			t.Errorf("regex takes %.40q", s)
		}
	}
	for _, s := range []string{
		`^[\p{Lu}\p{Ll}\pN]+$`, `^[B-𞥂]+$`, `(?:i)[B-𞥂]`, `(?i)^[а-яё]+-[a-z]$`, `(?P<i>[一-龥])`, `(?i)[-]`, `(?i)a-`, `(?s)[а-я]`, strings.Repeat("[а-я]", 100),
	} {
		if err := f.Check(s); err != nil {
			t.Errorf("regex refuses %.40q: %v", s, err)
		}
	}
}

// TestEvilStringsTakeLinearTime sends inputs made to backtrack. A quadratic
// check would need about 10^10 steps for each and time the test out.
func TestEvilStringsTakeLinearTime(t *testing.T) {
	for _, unit := range []string{"a", "a.", "1:", "@", "%41", "P1D", "9", "=", "/~0", "[", "::", "0x", "-", "((", "\xff", "é"} {
		long := strings.Repeat(unit, 1<<17/len(unit))
		for _, name := range format.Names() {
			f, _ := format.Lookup(name)
			for _, prefix := range []string{"", "P", "PT", "a@", "http://", "http://a/", "2026-02-28T10:00:00.", "/", "x:"} {
				_ = f.Check(prefix + long)
			}
		}
	}
}

func TestParseDateTime(t *testing.T) {
	east := time.FixedZone("", 5*3600+45*60)
	tests := []struct {
		in   string
		want time.Time
	}{
		{"2026-02-28T10:00:00Z", time.Date(2026, 2, 28, 10, 0, 0, 0, time.UTC)},
		{"2026-02-28t10:00:00.5z", time.Date(2026, 2, 28, 10, 0, 0, 5e8, time.UTC)},
		{"2026-02-28T10:00:00.000000001+05:45", time.Date(2026, 2, 28, 10, 0, 0, 1, east)},
		{"0000-01-01T00:00:00-00:00", time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC)},
	}
	for _, tt := range tests {
		got, err := format.ParseDateTime(tt.in)
		if err != nil || !got.Equal(tt.want) || got.Format(time.RFC3339Nano) != tt.want.Format(time.RFC3339Nano) {
			t.Errorf("ParseDateTime(%q) = %v, %v, want %v", tt.in, got, err, tt.want)
		}
	}
	for _, in := range []string{"1998-12-31T23:59:60Z", "2026-02-28T10:00:00.1234567890Z", "2026-02-28", ""} {
		if got, err := format.ParseDateTime(in); err == nil || !got.IsZero() {
			t.Errorf("ParseDateTime(%q) = %v, %v, want an error", in, got, err)
		}
	}
}

func TestParseDuration(t *testing.T) {
	const day = 24 * time.Hour
	tests := []struct {
		in   string
		want time.Duration
	}{
		{"PT1H30M", 90 * time.Minute},
		{"P1DT12H", day + 12*time.Hour},
		{"P2W", 14 * day},
		{"PT0.000000001S", 1},
		{"PT0.5S", 500 * time.Millisecond},
		{"-PT5S", -5 * time.Second},
		{"PT9223372036.854775807S", 1<<63 - 1},
		{"-PT9223372036.854775808S", -1 << 63},
		{"P000000000000000000000000000001D", day},
	}
	for _, tt := range tests {
		if got, err := format.ParseDuration(tt.in); err != nil || got != tt.want {
			t.Errorf("ParseDuration(%q) = %v, %v, want %v", tt.in, got, err, tt.want)
		}
	}
	for _, in := range []string{"", "P1Y", "P1M", "PT9223372036.854775808S", "-PT9223372036.854775809S", "P106752D", "PT99999999999999999999999H", "P106751DT24H",
		"PT0.0000000001S", "PT2562047H48M", "--PT1S", "-", "P", "PT1", "1h30m"} {
		if got, err := format.ParseDuration(in); err == nil || got != 0 {
			t.Errorf("ParseDuration(%q) = %v, %v, want an error", in, got, err)
		}
	}
}

func TestAppendDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "PT0S", 90 * time.Minute: "PT1H30M", 36 * time.Hour: "PT36H", 250 * time.Millisecond: "PT0.25S", time.Hour + 5*time.Second: "PT1H5S",
		-time.Second: "-PT1S", 1: "PT0.000000001S", -1 << 63: "-PT2562047H47M16.854775808S", 1<<63 - 1: "PT2562047H47M16.854775807S",
	} {
		if got := string(format.AppendDuration(nil, d)); got != want {
			t.Errorf("AppendDuration(%d) = %s, want %s", d, got, want)
		}
	}
}

// FuzzCheck runs every format on every input and holds each to the parser of
// the standard library that its user will call next: what passes here must be
// read there.
func FuzzCheck(f *testing.F) {
	for _, tt := range cases {
		for _, s := range slices.Concat(tt.accept, tt.refuse) {
			f.Add(s)
		}
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, name := range format.Names() {
			x, _ := format.Lookup(name)
			if x.Check(s) != nil {
				continue
			}
			if err := standard(name, s); err != nil {
				t.Errorf("%s accepts %q, the standard library does not: %v", name, s, err)
			}
		}
	})
}

func standard(name, s string) (err error) {
	switch name {
	case "email":
		_, err = mail.ParseAddress(s)
	case "ipv4", "ipv6", "ip":
		_, err = netip.ParseAddr(s)
	case "cidr":
		_, err = netip.ParsePrefix(s)
	case "uri", "uri-reference", "http-url", "url":
		_, err = url.Parse(s)
	case "date":
		_, err = time.Parse(time.DateOnly, s)
	}
	return err
}

func FuzzParseDateTime(f *testing.F) {
	for _, tt := range cases {
		if tt.format == "date-time" || tt.format == "date" {
			for _, s := range slices.Concat(tt.accept, tt.refuse) {
				f.Add(s)
			}
		}
	}
	check, _ := format.Lookup("date-time")
	f.Fuzz(func(t *testing.T, s string) {
		got, err := format.ParseDateTime(s)
		if err != nil {
			return
		}
		if err := check.Check(s); err != nil {
			t.Errorf("ParseDateTime reads %q, which Check refuses: %v", s, err)
		}
		want, err := time.Parse(time.RFC3339, strings.ToUpper(s))
		if err != nil || !got.Equal(want) {
			t.Errorf("ParseDateTime(%q) = %v, time.Parse: %v, %v", s, got, want, err)
		}
		again, err := format.ParseDateTime(got.Format(time.RFC3339Nano))
		if err != nil || !again.Equal(got) {
			t.Errorf("%v is read back as %v, %v", got, again, err)
		}
	})
}

func FuzzParseDuration(f *testing.F) {
	for _, tt := range cases {
		if tt.format == "duration" {
			for _, s := range slices.Concat(tt.accept, tt.refuse) {
				f.Add(s, int64(len(s)))
			}
		}
	}
	f.Add("-PT1.5S", int64(-1<<63))
	check, _ := format.Lookup("duration")
	f.Fuzz(func(t *testing.T, s string, n int64) {
		if d, err := format.ParseDuration(s); err == nil {
			if err := check.Check(strings.TrimPrefix(s, "-")); err != nil {
				t.Errorf("ParseDuration reads %q, which Check refuses: %v", s, err)
			}
			n = int64(d)
		}
		text := string(format.AppendDuration(nil, time.Duration(n)))
		if d, err := format.ParseDuration(text); err != nil || int64(d) != n {
			t.Errorf("%d is written %s and read back as %d, %v", n, text, d, err)
		}
	})
}

func BenchmarkParseDateTime(b *testing.B) {
	const in = "2026-02-28T10:00:00.123+01:00"
	b.Run("format", func(b *testing.B) {
		for b.Loop() {
			_, _ = format.ParseDateTime(in)
		}
	})
	b.Run("time.Parse", func(b *testing.B) {
		for b.Loop() {
			_, _ = time.Parse(time.RFC3339, in)
		}
	})
}
