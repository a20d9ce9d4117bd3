package schema_test

import (
	"encoding/json"
	"net/netip"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/fastness/fastness/schema/format"
)

type colour string

func (colour) Enum() []string { return []string{"red", "green"} }

func TestStrings(t *testing.T) {
	few := `enum:"draft, open,paid"`
	many := `enum:"a,b,c,d,e,f,g,h,i,j,k"`
	testRules(t, []ruleCase{
		{"any text", "", "", `"Lamp"`, "Lamp"},
		{"the empty text", "", "", `""`, ""},
		{"every escape", "", "", `"\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00"`, "\"\\/\b\f\n\r\té😀"},
		{"a NUL that is escaped", "", "", `"\u0000"`, "\x00"},
		{"a number is no string", "", "", "1", refused("string_type")},
		{"null is no string", "", "", "null", refused("string_type")},
		{"an object is no string", "", "", "{}", refused("string_type")},

		{"as short as allowed", "", `minLength:"2"`, `"ab"`, "ab"},
		{"too short", "", `minLength:"2"`, `"a"`, refused("string_too_short")},
		{"as long as allowed", "", `maxLength:"2"`, `"ab"`, "ab"},
		{"too long", "", `maxLength:"2"`, `"abc"`, refused("string_too_long")},
		{"length counts code points, not bytes", "", `maxLength:"3"`, `"日本語"`, "日本語"},
		{"length counts code points, not UTF-16 units", "", `maxLength:"1"`, `"😀"`, "😀"},
		{"four bytes are one code point", "", `minLength:"2"`, `"😀"`, refused("string_too_short")},
		{"an escape is one code point", "", `maxLength:"1"`, `"\u00e9"`, "é"},
		{"a surrogate pair is one code point", "", `minLength:"2"`, `"\ud83d\ude00"`, refused("string_too_short")},
		{"an escaped letter is as long as the letter", "", `minLength:"2"`, `"\u0061"`, refused("string_too_short")},
		{"one code point too many", "", `maxLength:"2"`, `"日本語"`, refused("string_too_long")},
		{"minLength 0 says nothing", "", `minLength:"0"`, `""`, ""},
		{"maxLength 0 admits the empty text only", "", `maxLength:"0"`, `"a"`, refused("string_too_long")},

		{"a pattern that matches", "", `pattern:"^[A-Z]{3}-[0-9]{4}$"`, `"LMP-2041"`, "LMP-2041"},
		{"a pattern that does not", "", `pattern:"^[A-Z]{3}-[0-9]{4}$"`, `"lmp-2041"`, refused("string_pattern_mismatch")},
		{"a pattern is searched for, as JSON Schema says", "", `pattern:"b"`, `"abc"`, "abc"},
		{"a line end after the match is not the end", "", `pattern:"^a$"`, `"a\n"`, refused("string_pattern_mismatch")},
		{"a pattern beyond ASCII", "", `pattern:"^é+$"`, `"éé"`, "éé"},
		{"a text too long for its pattern is not matched", "", `maxLength:"3" pattern:"^a$"`, `"bbbb"`, refused("string_too_long")},
		{"a text too short is matched as well", "", `minLength:"3" pattern:"^a$"`, `"b"`, refused("string_too_short, string_pattern_mismatch")},

		{"one of few choices", "", reflect.StructTag(few), `"open"`, "open"},
		{"none of few choices", "", reflect.StructTag(few), `"Open"`, refused("enum")},
		{"one of many choices", "", reflect.StructTag(many), `"k"`, "k"},
		{"none of many choices", "", reflect.StructTag(many), `"l"`, refused("enum")},
		{"the constant", "", `const:"cat"`, `"cat"`, "cat"},
		{"not the constant", "", `const:"cat"`, `"dog"`, refused("literal_error")},
		{"a choice of the type's own", colour(""), "", `"red"`, colour("red")},
		{"no choice of the type's own", colour(""), "", `"blue"`, refused("enum")},
		{"a choice that is escaped", "", reflect.StructTag(few), `"\u006fpen"`, "open"},

		{"items have the rules of strings", []string{}, `maxLength:"1"`, `["a","bc"]`, refused("/1 string_too_long")},
	})
}

func TestBytesAreBase64(t *testing.T) {
	testRules(t, []ruleCase{
		{"with padding", []byte{}, "", `"aGk="`, []byte("hi")},
		{"nothing", []byte{}, "", `""`, []byte{}},
		{"without padding", []byte{}, "", `"aGk"`, refused("bytes_invalid_encoding")},
		{"the alphabet of URLs", []byte{}, "", `"_-8="`, refused("bytes_invalid_encoding")},
		{"a line end inside", []byte{}, "", `"aG\nk="`, refused("bytes_invalid_encoding")},
		{"four line ends inside", []byte{}, "", `"aGk=\n\n\n\n"`, refused("bytes_invalid_encoding")},
		{"a second spelling, by the bits that padding hides", []byte{}, "", `"aGl="`, refused("bytes_invalid_encoding")},
		{"minLength counts bytes", []byte{}, `minLength:"3"`, `"aGk="`, refused("bytes_too_short")},
		{"maxLength counts bytes", []byte{}, `maxLength:"1"`, `"aGk="`, refused("bytes_too_long")},
		{"as long as allowed", []byte{}, `maxLength:"2"`, `"aGk="`, []byte("hi")},
		{"a list of numbers is no base64", []byte{}, "", `[104,105]`, refused("bytes_type")},
		{"null is no base64", []byte{}, "", `null`, refused("bytes_type")},
	})
}

func TestTimesAndAddresses(t *testing.T) {
	testRules(t, []ruleCase{
		{"a time", time.Time{}, "", `"2026-02-28T10:00:00Z"`, time.Date(2026, 2, 28, 10, 0, 0, 0, time.UTC)},
		{"a day that is not", time.Time{}, "", `"2026-02-30T10:00:00Z"`, refused("datetime_from_date_parsing")},
		{"a time without an offset", time.Time{}, "", `"2026-02-28T10:00:00"`, refused("timezone_aware")},
		{"a number is no time", time.Time{}, "", `1772272800`, refused("datetime_type")},
		{"a duration", time.Duration(0), "", `"PT1H30M"`, 90 * time.Minute},
		{"a month has no length", time.Duration(0), "", `"P1M"`, refused("time_delta_parsing")},
		{"Go's own spelling is no duration", time.Duration(0), "", `"1h30m"`, refused("time_delta_parsing")},
		{"more than 292 years", time.Duration(0), "", `"P999999W"`, refused("time_delta_parsing")},
		{"a number is no duration", time.Duration(0), "", `90`, refused("time_delta_type")},
		{"an IPv4 address", netip.Addr{}, "", `"192.0.2.1"`, netip.MustParseAddr("192.0.2.1")},
		{"an IPv6 address", netip.Addr{}, "", `"2001:db8::1"`, netip.MustParseAddr("2001:db8::1")},
		{"leading zeros are octal elsewhere", netip.Addr{}, "", `"192.0.2.010"`, refused("ip_any_address")},
		{"a zone is of this machine only", netip.Addr{}, "", `"fe80::1%eth0"`, refused("ip_any_address")},
		{"IPv4 alone", netip.Addr{}, `format:"ipv4"`, `"::1"`, refused("ip_v4_address")},
		{"a network", netip.Prefix{}, "", `"192.0.2.0/24"`, netip.MustParsePrefix("192.0.2.0/24")},
		{"a network of 33 bits", netip.Prefix{}, "", `"192.0.2.0/33"`, refused("ip_any_network")},
		{"a URL", url.URL{}, "", `"https://example.com/a?b=c"`, url.URL{Scheme: "https", Host: "example.com", Path: "/a", RawQuery: "b=c"}},
		{"a script is no URL to link to", url.URL{}, "", `"javascript:alert(1)"`, refused("url_scheme")},
		{"a path is no URL", url.URL{}, "", `"/a"`, refused("url_parsing")},
		{"a list of addresses", []netip.Addr{}, "", `["192.0.2.1","x"]`, refused("/1 ip_any_address")},
	})
}

// TestEveryFormatIsWired sends each format a string that has it and one that
// has not. The formats' own edges are tested where they live.
func TestEveryFormatIsWired(t *testing.T) {
	examples := map[string][2]string{
		"base64": {"aGk=", "aGk"}, "base64url": {"aGk", "a+k="}, "byte": {"aGk=", "aGk"}, "cidr": {"192.0.2.0/24", "192.0.2.0"},
		"date": {"2026-02-28", "2026-02-30"}, "date-time": {"2026-02-28T10:00:00Z", "2026-02-28"}, "duration": {"PT1H", "1h"},
		"email": {"a@example.com", "a@b@c"}, "hostname": {"example.com", "-a.com"}, "http-url": {"http://example.com", "ftp://example.com"},
		"ip": {"::1", "1.2.3"}, "ipv4": {"192.0.2.1", "::1"}, "ipv6": {"::1", "192.0.2.1"}, "json-pointer": {"/a~0", "a~2"},
		"phone": {"+4930123456", "030/123"}, "regex": {"^a$", "("}, "time": {"10:00:00Z", "25:00:00Z"}, "uri": {"urn:a:b", "a b"},
		"uri-reference": {"/a", "a b"}, "url": {"https://example.com", "example"}, "uuid": {"f81d4fae-7dec-11d0-a765-00a0c91e6bf6", "f81d4fae"},
	}
	for _, name := range format.Names() {
		example, ok := examples[name]
		if !ok {
			t.Errorf("format %q has no example here", name)
			continue
		}
		p := plan(t, "", reflect.StructTag(`format:"`+name+`"`))
		good, _ := json.Marshal(example[0])
		bad, _ := json.Marshal(example[1])
		if got := decode(p, string(good)); got != example[0] {
			t.Errorf("format %s of %q = %v, want it accepted", name, example[0], got)
		}
		if got, ok := decode(p, string(bad)).(refused); !ok || got == "" || strings.Contains(string(got), ",") {
			t.Errorf("format %s of %q = %v, want one violation", name, example[1], got)
		}
	}
}
