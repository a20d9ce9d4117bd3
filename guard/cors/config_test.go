package cors_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/fastness/fastness/guard/cors"
)

func TestNewRefuses(t *testing.T) {
	origins := func(all ...string) cors.Config { return cors.Config{Origins: all} }
	for _, tt := range []struct {
		name, want string
		cfg        cors.Config
	}{
		{"a star", "InsecureAnyOrigin", origins("*")},
		{"a star with credentials", "InsecureAnyOrigin", cors.Config{Origins: []string{"*"}, Credentials: true}},
		{"any origin with credentials", "Credentials for any origin", cors.Config{InsecureAnyOrigin: "a test", Credentials: true}},
		{"any origin and a list", "contradict", cors.Config{InsecureAnyOrigin: "a test", Origins: []string{app}}},
		{"null", "sandboxed frame", origins("null")},
		{"a path", "behind the host", origins(app + "/x")},
		{"a final slash", "behind the host", origins(app + "/")},
		{"a query", "behind the host", origins(app + "?x")},
		{"a fragment", "behind the host", origins(app + "#x")},
		{"a backslash", "behind the host", origins(app + `\`)},
		{"a user name", "user name", origins("https://a@app.example.com")},
		{"capitals", "capital", origins("https://App.example.com")},
		{"a capital scheme", "capital", origins("HTTPS://app.example.com")},
		{"a name beyond ASCII", "xn--", origins("https://bücher.example")},
		{"a space", "space", origins(" " + app)},
		{"a line break", "control character", origins(app + "\r\n")},
		{"a host", "want one like", origins("app.example.com")},
		{"another scheme", "want one like", origins("capacitor://localhost")},
		{"an extension", "want one like", origins("chrome-extension://abcdefgh")},
		{"nothing", "want one like", origins("")},
		{"the port of TLS", "port 443, which browsers leave out", origins("https://app.example.com:443")},
		{"the port without TLS", "port 80, which browsers leave out", origins("http://localhost:80")},
		{"no port behind a colon", "port", origins("https://app.example.com:")},
		{"port 0", "port", origins("https://app.example.com:0")},
		{"a port too high", "port", origins("https://app.example.com:65536")},
		{"a port with a zero before", "port", origins("https://app.example.com:08443")},
		{"any port", "port", origins("https://app.example.com:*")},
		{"the end of a full stop", "full stop", origins("https://app.example.com.")},
		{"no host", "no host", origins("https://")},
		{"an empty label", "host that is none", origins("https://app..example.com")},
		{"a long label", "host that is none", origins("https://" + strings.Repeat("a", 64) + ".example")},
		{"a hyphen at the end", "host that is none", origins("https://a-.example")},
		{"a hyphen at the start", "host that is none", origins("https://-a.example")},
		{"a star within", "host that is none", origins("https://app.*.com")},
		{"a part of a label", "host that is none", origins("https://app*.example.com")},
		{"a short address", "address", origins("https://127.1")},
		{"an octal address", "address", origins("https://0177.0.0.1")},
		{"a long address", "address", origins("https://[0:0:0:0:0:0:0:1]")},
		{"an address in an address", "address", origins("https://[::ffff:127.0.0.1]")},
		{"an address with a zone", "address", origins("https://[fe80::1%eth0]")},
		{"brackets around a name", "address", origins("https://[app.example.com]")},
		{"no TLS beyond this machine", "InsecureHTTPOrigins", origins("http://app.example.com")},
		{"no TLS in the network", "InsecureHTTPOrigins", origins("http://192.168.0.1:3000")},
		{"a name like this machine", "InsecureHTTPOrigins", origins("http://localhost.example.com")},
		{"a wildcard", "InsecureSubdomains", origins("https://*.example.com")},
		{"a wildcard of everything", "top-level domain", cors.Config{Origins: []string{"https://*.com"}, InsecureSubdomains: "a test"}},
		{"a wildcard of an address", "wildcard", cors.Config{Origins: []string{"https://*.127.0.0.1"}, InsecureSubdomains: "a test"}},
		{"a wildcard twice", "twice", cors.Config{Origins: []string{"https://*.example.com", "https://*.example.com"}, InsecureSubdomains: "a test"}},
		{"an origin twice", "twice", origins(app, app)},
		{"a method in lower case", `want "PUT"`, cors.Config{Methods: []string{"put"}}},
		{"a method twice", "twice", cors.Config{Methods: []string{"PUT", "PUT"}}},
		{"any method", "list the names", cors.Config{Methods: []string{"*"}}},
		{"a method that no page may use", "no page gets", cors.Config{Methods: []string{"TRACE"}}},
		{"a method that is none", "not a name", cors.Config{Methods: []string{"GET, PUT"}}},
		{"any header", "list the names", cors.Config{Headers: []string{"*"}}},
		{"a header that is none", "not a name", cors.Config{Headers: []string{"X-A\r\nX-B: 1"}}},
		{"an empty header", "not a name", cors.Config{Headers: []string{""}}},
		{"a header twice", "twice", cors.Config{Headers: []string{"X-A", "x-a"}}},
		{"a header that no page can set", "no page gets", cors.Config{Headers: []string{"Cookie"}}},
		{"a header of the browser", "no page gets", cors.Config{Headers: []string{"Sec-Fetch-Site"}}},
		{"any response header", "list the names", cors.Config{ExposeHeaders: []string{"*"}}},
		{"the cookies", "no page gets", cors.Config{ExposeHeaders: []string{"Set-Cookie"}}},
		{"a line break in a response header", "not a name", cors.Config{ExposeHeaders: []string{"A\nB"}}},
		{"a negative age", "MaxAge", cors.Config{MaxAge: -time.Second}},
		{"an age beyond a day", "MaxAge", cors.Config{MaxAge: 25 * time.Hour}},
		{"half a second", "MaxAge", cors.Config{MaxAge: 1500 * time.Millisecond}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, err := cors.New(tt.cfg)
			if err == nil || p != nil || !strings.HasPrefix(err.Error(), "cors config: ") || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("New() = %v, %v, want an error with %q", p, err, tt.want)
			}
		})
	}
}

func TestNewNamesEveryMistake(t *testing.T) {
	_, err := cors.New(cors.Config{Origins: []string{"*", app + "/"}, Methods: []string{"get"}, Headers: []string{"*"}, MaxAge: -1})
	for _, want := range []string{`"*" allows every origin`, app + `/"`, `"get"`, "Headers", "MaxAge"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s is missing in %v", want, err)
		}
	}
}

func TestReasonsAllowWhatTheyName(t *testing.T) {
	policy(t, cors.Config{Origins: []string{"http://app.example.com", "http://192.168.0.1:3000"}, InsecureHTTPOrigins: "a closed network"})
	policy(t, cors.Config{Origins: []string{"https://*.example.com"}, InsecureSubdomains: "previews"})
	p := policy(t, cors.Config{Origins: []string{"http://[::1]", "http://127.0.0.2:1", "http://a.localhost"}})
	if !p.Allowed("http://a.localhost") {
		t.Error("an origin of this machine is refused")
	}
}

// FuzzNew wants that an entry that is taken allows itself and nothing beside it.
func FuzzNew(f *testing.F) {
	for _, origin := range hostile() {
		f.Add(origin, app)
		f.Add(app, origin)
	}
	f.Add("https://*.example.com", "https://a.example.com")
	f.Add("https://[::1]:8443", "https://[::1]")
	f.Fuzz(func(t *testing.T, entry, origin string) {
		p, err := cors.New(cors.Config{Origins: []string{entry}, InsecureSubdomains: "a test", InsecureHTTPOrigins: "a test"})
		if err != nil {
			return
		}
		if strings.ToLower(entry) != entry || strings.ContainsAny(strings.Replace(entry, "//", "", 1), "/?#\\@ \t\r\n\x00") {
			t.Errorf("the entry %q is taken", entry)
		}
		suffix, wildcard := strings.CutPrefix(strings.Replace(strings.Replace(entry, "http://", "", 1), "https://", "", 1), "*")
		r := &http.Request{Method: "GET", Header: from(origin)}
		h := http.Header{}
		p.Set(h, r)
		allowed := p.Allowed(origin)
		if got := h.Get("Access-Control-Allow-Origin"); (got != "") != allowed || got != "" && got != origin {
			t.Errorf("Allowed(%q) = %v, and the header is %q", origin, allowed, got)
		}
		switch {
		case !wildcard && allowed != (origin == entry):
			t.Errorf("entry %q: Allowed(%q) = %v", entry, origin, allowed)
		case wildcard && allowed && (!strings.HasSuffix(origin, suffix) || strings.Count(origin, ".") != strings.Count(entry, ".") || strings.Count(origin, "/") != 2):
			t.Errorf("entry %q allows %q", entry, origin)
		}
	})
}

// FuzzPreflight wants that what is answered 204 is in the lists.
func FuzzPreflight(f *testing.F) {
	f.Add(app, "PUT", "authorization,x-thing", "GET, PUT")
	f.Add(app, "PUT", " , ,X-THING", "")
	f.Add("null", "*", "*", "*")
	f.Fuzz(func(t *testing.T, origin, method, headers, allow string) {
		p, err := cors.New(cors.Config{Origins: []string{app}, Methods: []string{"PUT"}, Headers: []string{"X-Thing"}})
		if err != nil {
			t.Fatal(err)
		}
		h := http.Header{}
		r := &http.Request{Method: "OPTIONS", Header: preflight(origin, method, headers)}
		handled, err := p.Preflight(h, r, allow)
		if handled == (err != nil) {
			t.Errorf("Preflight() = %v, %v", handled, err)
		}
		if handled && (origin != app || method != "PUT") || !handled && h.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("Preflight() = %v for %q, %q: %v", handled, origin, method, h)
		}
		for name := range strings.SplitSeq(strings.ToLower(headers), ",") {
			switch strings.Trim(name, " \t") {
			case "", "x-thing", "accept", "accept-language", "content-language", "content-type":
			default:
				if handled {
					t.Errorf("the header %q is allowed", name)
				}
			}
		}
	})
}
