package account_test

import (
	"strings"
	"testing"

	"github.com/fastness/fastness/auth/account"
)

func TestNames(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"letters and digits are a name", "alice2", "alice2"},
		{"case does not count", "ALice", "alice"},
		{"an e-mail address is a name", "Alice.B+shop@Example.org", "alice.b+shop@example.org"},
		{"one letter is enough", "a", "a"},
		{"64 are not too many", strings.Repeat("a", 64), strings.Repeat("a", 64)},
		{"65 are", strings.Repeat("a", 65), ""},
		{"nothing is no name", "", ""},
		{"a space is none", "alice b", ""},
		{"what a command line takes for a flag is none", "-alice", ""},
		{"a dot at the end is none", "alice.", ""},
		{"a Cyrillic letter that looks Latin is none", "аlice", ""},
		{"a Greek letter that looks Latin is none", "αlice", ""},
		{"a fullwidth letter is none", "ａlice", ""},
		{"a combining accent is none", "alicé", ""},
		{"an accent is none", "andré", ""},
		{"the Kelvin sign, whose lower case is k, is none", "\u212Aarl", ""},
		{"a dotted I, whose lower case is two letters, is none", "İlker", ""},
		{"a zero-width space is none", "al\u200bice", ""},
		{"a letter that turns the direction is none", "al\u202eice", ""},
		{"a NUL is none", "alice\x00", ""},
		{"a new line is none", "alice\nbob", ""},
		{"bytes that are no text are none", "alice\xff", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := account.Fold(tt.in)
			if got != tt.want || ok != (tt.want != "") {
				t.Errorf("fold(%q) = %q, %v, want %q", tt.in, got, ok, tt.want)
			}
		})
	}
}

func FuzzFold(f *testing.F) {
	for _, s := range []string{"alice", "Alice.B@x", "-a", "\u212A", "", "a\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		canon, ok := account.Fold(name)
		if !ok {
			if canon != "" {
				t.Errorf("fold(%q) = %q, and it is no name", name, canon)
			}
			return
		}
		if again, ok := account.Fold(canon); !ok || again != canon {
			t.Errorf("fold(%q) = %q, and of that %q, %v", name, canon, again, ok)
		}
		if !strings.EqualFold(name, canon) || len(canon) != len(name) || len(name) > 64 {
			t.Errorf("fold(%q) = %q", name, canon)
		}
		for _, r := range canon {
			if r <= ' ' || r > '~' || strings.ContainsRune(`%_"'\:/ `, r) && r != '_' {
				t.Errorf("fold(%q) lets %q through", name, r)
			}
		}
	})
}

func TestPlaces(t *testing.T) {
	for _, tt := range []struct {
		name, a, b string
		same       bool
	}{
		{"two addresses of IPv4 are two places", "192.0.2.1", "192.0.2.2", false},
		{"an IPv4 address mapped into IPv6 is that address", "::ffff:192.0.2.1", "192.0.2.1", true},
		{"two mapped addresses are two places", "::ffff:192.0.2.1", "::ffff:192.0.2.2", false},
		{"a /64 is one place", "2001:db8::1", "2001:db8::ffff:1", true},
		{"the next /64 is another", "2001:db8::1", "2001:db8:0:1::1", false},
		{"a zone does not make another place", "fe80::1%eth0", "fe80::1%eth1", true},
		{"all without an address share one", "", "", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if a, b := account.Place(tt.a), account.Place(tt.b); (a == b) != tt.same {
				t.Errorf("place(%q) = %q, place(%q) = %q", tt.a, a, tt.b, b)
			}
		})
	}
}
