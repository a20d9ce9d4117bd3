package cookie_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/fastness/fastness/cookie"
	"github.com/fastness/fastness/problem"
)

func made(t testing.TB, cfg cookie.Config) *cookie.Cookie {
	t.Helper()
	c, err := cookie.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// with is a request with these Cookie fields.
func with(fields ...string) *http.Request {
	return &http.Request{Method: "GET", Header: http.Header{"Cookie": fields}}
}

func TestSetSendsSafeAttributes(t *testing.T) {
	for _, tt := range []struct {
		name       string
		cfg        cookie.Config
		set, clear string
	}{
		{"the default", cookie.Config{Name: "a"}, "__Host-a=v; Path=/; HttpOnly; Secure; SameSite=Lax",
			"__Host-a=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax"},
		{"for a month", cookie.Config{Name: "a", MaxAge: 30 * 24 * time.Hour}, "__Host-a=v; Path=/; Max-Age=2592000; HttpOnly; Secure; SameSite=Lax",
			"__Host-a=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax"},
		{"for as long as browsers let it", cookie.Config{Name: "a", MaxAge: cookie.MaxAge}, "__Host-a=v; Path=/; Max-Age=34560000; HttpOnly; Secure; SameSite=Lax",
			"__Host-a=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax"},
		{"strict", cookie.Config{Name: "a", Strict: true}, "__Host-a=v; Path=/; HttpOnly; Secure; SameSite=Strict",
			"__Host-a=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Strict"},
		{"for scripts", cookie.Config{Name: "a", InsecureReadableByScript: "a test"}, "__Host-a=v; Path=/; Secure; SameSite=Lax",
			"__Host-a=; Path=/; Max-Age=0; Secure; SameSite=Lax"},
		{"for other sites", cookie.Config{Name: "a", InsecureCrossSite: "a test"}, "__Host-a=v; Path=/; HttpOnly; Secure; SameSite=None; Partitioned",
			"__Host-a=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=None; Partitioned"},
		{"for subdomains", cookie.Config{Name: "a", InsecureSubdomains: "a test", Domain: "example.com"}, "__Secure-a=v; Path=/; Domain=example.com; HttpOnly; Secure; SameSite=Lax",
			"__Secure-a=; Path=/; Domain=example.com; Max-Age=0; HttpOnly; Secure; SameSite=Lax"},
		{"without TLS", cookie.Config{Name: "a", InsecureHTTP: "a test"}, "a=v; Path=/; HttpOnly; SameSite=Lax",
			"a=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"},
		{"without TLS for subdomains", cookie.Config{Name: "a", InsecureHTTP: "a test", InsecureSubdomains: "a test", Domain: "a.example"}, "a=v; Path=/; Domain=a.example; HttpOnly; SameSite=Lax",
			"a=; Path=/; Domain=a.example; Max-Age=0; HttpOnly; SameSite=Lax"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, h := made(t, tt.cfg), http.Header{"Cache-Control": {"public"}}
			if err := c.Set(t.Context(), h, "v"); err != nil || h.Get("Set-Cookie") != tt.set {
				t.Errorf("Set() = %v\n%s\nwant\n%s", err, h.Get("Set-Cookie"), tt.set)
			}
			if got := h.Get("Cache-Control"); got != "no-store" {
				t.Errorf("Cache-Control = %q: a cache would hand the cookie to others", got)
			}
			c.Clear(h)
			if got := h.Values("Set-Cookie"); len(got) != 1 || got[0] != tt.clear {
				t.Errorf("Clear()\n%q\nwant\n%s", got, tt.clear)
			}
			if value, ok, err := c.Get(with(c.Name() + "=v")); value != "v" || !ok || err != nil {
				t.Errorf("Get() = %q, %v, %v", value, ok, err)
			}
		})
	}
}

func TestSetReplacesItsOwnAndKeepsOthers(t *testing.T) {
	c := made(t, cookie.Config{Name: "a"})
	kept := []string{"other=1; Path=/", "__Host-ab=2; Path=/", "a=3"}
	h := http.Header{"Set-Cookie": append([]string{"__Host-a=old; Path=/"}, kept...)}
	if err := c.Set(t.Context(), h, "new"); err != nil {
		t.Fatal(err)
	}
	want := append(kept, "__Host-a=new; Path=/; HttpOnly; Secure; SameSite=Lax")
	if got := strings.Join(h.Values("Set-Cookie"), "\n"); got != strings.Join(want, "\n") {
		t.Errorf("Set-Cookie\n%s", got)
	}
}

func TestNewRefuses(t *testing.T) {
	for _, tt := range []struct {
		name, want string
		cfg        cookie.Config
	}{
		{"no name", "Name is empty", cookie.Config{}},
		{"a name that breaks out", "no name of a cookie", cookie.Config{Name: "a=b; Domain=x"}},
		{"a line break", "no name of a cookie", cookie.Config{Name: "a\r\nX"}},
		{"a name beyond ASCII", "no name of a cookie", cookie.Config{Name: "ä"}},
		{"a prefix", "without a prefix", cookie.Config{Name: "__Host-a"}},
		{"a prefix in other letters", "without a prefix", cookie.Config{Name: "__secure-a", InsecureHTTP: "a test"}},
		{"a new prefix", "without a prefix", cookie.Config{Name: "__Http-a"}},
		{"a negative age", "MaxAge is", cookie.Config{Name: "a", MaxAge: -time.Second}},
		{"half a second", "whole seconds", cookie.Config{Name: "a", MaxAge: 1500 * time.Millisecond}},
		{"a longer age than browsers know", "no cookie longer", cookie.Config{Name: "a", MaxAge: cookie.MaxAge + time.Second}},
		{"strict and for other sites", "contradict", cookie.Config{Name: "a", Strict: true, InsecureCrossSite: "a test"}},
		{"for other sites without TLS", "refuse SameSite=None", cookie.Config{Name: "a", InsecureHTTP: "a test", InsecureCrossSite: "a test"}},
		{"a domain without a reason", "say why in InsecureSubdomains", cookie.Config{Name: "a", Domain: "example.com"}},
		{"a reason without a domain", "without a Domain", cookie.Config{Name: "a", InsecureSubdomains: "a test"}},
		{"a domain that begins with a full stop", "want a name like", cookie.Config{Name: "a", InsecureSubdomains: "a test", Domain: ".example.com"}},
		{"a domain that ends with one", "want a name like", cookie.Config{Name: "a", InsecureSubdomains: "a test", Domain: "example.com."}},
		{"a top-level domain", "want a name like", cookie.Config{Name: "a", InsecureSubdomains: "a test", Domain: "com"}},
		{"an address", "want a name like", cookie.Config{Name: "a", InsecureSubdomains: "a test", Domain: "192.0.2.1"}},
		{"a domain that breaks out", "want a name like", cookie.Config{Name: "a", InsecureSubdomains: "a test", Domain: "a.example; Path=/x"}},
		{"keys without a purpose", "belong together", cookie.Config{Name: "a", Keys: ring(t)}},
		{"a purpose without keys", "belong together", cookie.Config{Name: "a", Purpose: "cookies"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if c, err := cookie.New(tt.cfg); c != nil || err == nil || !strings.HasPrefix(err.Error(), "cookie config: ") || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("New() = %v, %v, want %q", c, err, tt.want)
			}
		})
	}
}

func TestNewNamesEveryMistake(t *testing.T) {
	_, err := cookie.New(cookie.Config{MaxAge: -1, Purpose: "x", Domain: "com", Strict: true, InsecureCrossSite: "x", InsecureHTTP: "x"})
	for _, want := range []string{"Name", "MaxAge", "Purpose", "Domain", "Strict", "Secure"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s is missing in %v", want, err)
		}
	}
}

func TestValuesThatBreakOutAreRefused(t *testing.T) {
	c := made(t, cookie.Config{Name: "a"})
	for _, value := range []string{
		"v; Domain=evil.example", "v\r\nSet-Cookie: b=c", "v\nX: y", "v\x00", "v\x7f", "a b", " v", "v\t", `"v"`, "a,b", `a\b`, "ä", "\xff", "a;b",
	} {
		h := http.Header{}
		if err := c.Set(t.Context(), h, value); err == nil || len(h) > 0 || err.Error() != "cookie __Host-a: the value has a byte that no cookie can have" {
			t.Errorf("Set(%q) = %v, header %v, want an error that does not repeat the value", value, err, h)
		}
	}
	for _, value := range []string{"", "v", "a=b", "!#$%&'()*+-./09:<=>?@AZ[]^_`az{|}~"} {
		h := http.Header{}
		if err := c.Set(t.Context(), h, value); err != nil || !strings.HasPrefix(h.Get("Set-Cookie"), "__Host-a="+value+"; ") {
			t.Errorf("Set(%q) = %v, %q", value, err, h.Get("Set-Cookie"))
		}
	}
}

func TestLongCookiesAreRefused(t *testing.T) {
	c := made(t, cookie.Config{Name: "a"})
	fits := cookie.MaxBytes - len("__Host-a=; Path=/; HttpOnly; Secure; SameSite=Lax")
	h := http.Header{}
	if err := c.Set(t.Context(), h, strings.Repeat("v", fits)); err != nil || len(h.Get("Set-Cookie")) != cookie.MaxBytes {
		t.Errorf("%v, %d bytes", err, len(h.Get("Set-Cookie")))
	}
	if err := c.Set(t.Context(), http.Header{}, strings.Repeat("v", fits+1)); err == nil || !strings.Contains(err.Error(), "4097 bytes") {
		t.Errorf("one byte more: %v", err)
	}
}

func TestGet(t *testing.T) {
	c := made(t, cookie.Config{Name: "a"})
	for _, tt := range []struct {
		name   string
		fields []string
		value  string
		ok     bool
	}{
		{"no cookie", nil, "", false},
		{"an empty field", []string{""}, "", false},
		{"its own", []string{"__Host-a=v"}, "v", true},
		{"an empty value", []string{"__Host-a="}, "", true},
		{"among others", []string{"x=1; __Host-a=v; y=2"}, "v", true},
		{"in a second field", []string{"x=1", "__Host-a=v"}, "v", true},
		{"without a space", []string{"x=1;__Host-a=v;y=2"}, "v", true},
		{"with an equals sign", []string{"__Host-a=a=b"}, "a=b", true},
		{"others that nobody can read", []string{`x="a b"; =; ;;; y; __Host-a=v; {"z":1}`}, "v", true},
		{"the name without its prefix", []string{"a=v"}, "", false},
		{"the name with another prefix", []string{"__Secure-a=v"}, "", false},
		{"the name in other letters", []string{"__host-a=v; __HOST-A=v; __Host-A=v"}, "", false},
		{"a longer name", []string{"__Host-ab=v; x__Host-a=v; __Host-a.b=v"}, "", false},
		{"the name as a value", []string{"x=__Host-a=v"}, "", false},
		{"the name without a value", []string{"__Host-a"}, "", false},
		{"quotes", []string{`__Host-a="v"`}, "", false},
		{"a comma", []string{"__Host-a=v,w"}, "", false},
		{"a space behind", []string{"__Host-a=v ; x=1"}, "", false},
		{"a control character", []string{"__Host-a=\x01"}, "", false},
		{"a letter beyond ASCII", []string{"__Host-a=ä"}, "", false},
	} {
		if value, ok, err := c.Get(with(tt.fields...)); value != tt.value || ok != tt.ok || err != nil {
			t.Errorf("%s: Get() = %q, %v, %v, want %q, %v", tt.name, value, ok, err, tt.value, tt.ok)
		}
	}
}

func TestACookieThatComesTwiceIsRefused(t *testing.T) {
	c := made(t, cookie.Config{Name: "a"})
	for _, fields := range [][]string{
		{"__Host-a=v; __Host-a=planted"}, {"__Host-a=v; __Host-a=v"}, {"__Host-a=v", "__Host-a=planted"}, {"__Host-a=v; x=1; __Host-a="},
		{"__Host-a=v;  __Host-a=planted"}, {"__Host-a=v; \t__Host-a=planted"}, {"__Host-a=v; __Host-a =planted"},
	} {
		value, ok, err := c.Get(with(fields...))
		var p *problem.Problem
		if !errors.As(err, &p) || p.Status != 400 || p.Code != "ambiguous_cookie" || value != "" || ok {
			t.Errorf("%q: Get() = %q, %v, %v, want 400", fields, value, ok, err)
		}
	}
}

// TestANameThatOnlyLooksLikeOursIsRefused: browsers guard the prefix of the name
// that they see; a server that cuts off more white space sees another.
func TestANameThatOnlyLooksLikeOursIsRefused(t *testing.T) {
	c := made(t, cookie.Config{Name: "a"})
	for _, name := range []string{"\t__Host-a", "  __Host-a", "__Host-a ", "\u2000__Host-a", "\u00a0__Host-a", "\u0085__Host-a", "__Host-a\u3000", "\x0b__Host-a", "\x00__Host-a", "__Host-a\x7f"} {
		if value, ok, err := c.Get(with(name + "=planted")); problem.From(err).Status != 400 || ok {
			t.Errorf("%q: Get() = %q, %v, %v, want 400", name, value, ok, err)
		}
	}
}

func TestRefusingIsCheap(t *testing.T) {
	c := made(t, cookie.Config{Name: "a"})
	r := with("__Host-a=v; __Host-a=planted")
	if n := testing.AllocsPerRun(100, func() { _, _, _ = c.Get(r) }); n > 3 {
		t.Errorf("%v allocations, want at most 3", n)
	}
}

func FuzzGet(f *testing.F) {
	for _, field := range []string{"__Host-a=v", "__Host-a=v; __Host-a=w", `x="1"; __Host-a=v`, "\t__Host-a=v", "__Host-a", "=__Host-a=v", ";;;"} {
		f.Add(field)
	}
	c := made(f, cookie.Config{Name: "a"})
	f.Fuzz(func(t *testing.T, field string) {
		value, ok, err := c.Get(with(field))
		if ok && (err != nil || !strings.Contains(field, "__Host-a="+value)) || !ok && value != "" {
			t.Errorf("Get(%q) = %q, %v, %v", field, value, ok, err)
		}
		if err != nil && problem.From(err).Status != 400 {
			t.Errorf("Get(%q) = %v", field, err)
		}
		if !ok {
			return
		}
		h := http.Header{}
		if err := c.Set(t.Context(), h, value); err != nil && len(value) < 4000 {
			t.Errorf("Get(%q) = %q, and Set says %v", field, value, err)
		}
		// net/http is more lenient about others' cookies, and not about this one.
		if got, err := with(field).Cookie(c.Name()); err != nil || got.Value != value {
			t.Errorf("Get(%q) = %q, net/http %v, %v", field, value, got, err)
		}
	})
}
