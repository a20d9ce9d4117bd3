package csrf_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/fastness/fastness/guard/csrf"
	"github.com/fastness/fastness/problem"
)

func guard(t testing.TB, cfg csrf.Config) *csrf.Guard {
	t.Helper()
	if cfg.Keys == nil {
		cfg.Keys = csrf.EphemeralKeys()
	}
	g, err := csrf.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// code is that of the problem, "" for no error.
func code(t testing.TB, err error) string {
	t.Helper()
	if err == nil {
		return ""
	}
	var p *problem.Problem
	if !errors.As(err, &p) {
		t.Fatalf("error %v is no problem", err)
	}
	if want := map[bool]int{true: 503, false: 403}[p.Code == "csrf_unavailable"]; p.Status != want {
		t.Errorf("%s has the status %d, want %d", p.Code, p.Status, want)
	}
	return p.Code
}

// sent is what counts of a request for the first layer. An "-" in a field is a
// field with an empty value; a comma parts two fields.
type sent struct{ method, site, origin, target string }

func (s sent) request() *http.Request {
	if s.target == "" {
		s.target = "https://example.com/"
	}
	r := httptest.NewRequest(s.method, s.target, nil)
	for name, value := range map[string]string{"Sec-Fetch-Site": s.site, "Origin": s.origin} {
		if value != "" {
			r.Header[name] = strings.Split(strings.ReplaceAll(value, "-empty-", ""), ",")
		}
	}
	return r
}

const refused, passes = "cross_site", ""

// The behaviour of http.CrossOriginProtection, as its documentation and its rules
// have it, row by row; where ours is stricter, the row says why.
func TestWhatTheStandardLibraryDecides(t *testing.T) {
	g := guard(t, csrf.Config{TrustedOrigins: []string{"https://trusted.example", "https://port.example:8443"}})
	std := http.NewCrossOriginProtection()
	for _, origin := range []string{"https://trusted.example", "https://port.example:8443"} {
		if err := std.AddTrustedOrigin(origin); err != nil {
			t.Fatal(err)
		}
	}
	const same, stricter = false, true
	for _, tt := range []struct {
		name     string
		sent     sent
		want     string
		stricter bool
	}{
		{"same-origin", sent{"POST", "same-origin", "", ""}, passes, same},
		{"same-origin PUT", sent{"PUT", "same-origin", "", ""}, passes, same},
		{"same-origin DELETE", sent{"DELETE", "same-origin", "", ""}, passes, same},
		{"same-origin PATCH", sent{"PATCH", "same-origin", "", ""}, passes, same},
		{"same-origin with the own Origin", sent{"POST", "same-origin", "https://example.com", ""}, passes, same},
		{"same-origin behind a proxy that changes Host", sent{"POST", "same-origin", "https://public.example", ""}, passes, same},
		{"same-origin of a page with no-referrer", sent{"POST", "same-origin", "null", ""}, passes, same},
		{"typed", sent{"POST", "none", "", ""}, passes, same},
		{"typed, with Origin null", sent{"POST", "none", "null", ""}, passes, same},
		{"cross-site", sent{"POST", "cross-site", "", ""}, refused, same},
		{"cross-site PUT", sent{"PUT", "cross-site", "", ""}, refused, same},
		{"cross-site DELETE", sent{"DELETE", "cross-site", "", ""}, refused, same},
		{"cross-site PATCH", sent{"PATCH", "cross-site", "", ""}, refused, same},
		{"cross-site with a foreign Origin", sent{"POST", "cross-site", "https://attacker.example", ""}, refused, same},
		{"cross-site with the own Origin", sent{"POST", "cross-site", "https://example.com", ""}, refused, same},
		{"cross-site, null", sent{"POST", "cross-site", "null", ""}, refused, same},
		{"same-site", sent{"POST", "same-site", "", ""}, refused, same},
		{"same-site of a sibling", sent{"POST", "same-site", "https://sub.example.com", ""}, refused, same},
		{"same-site without TLS", sent{"POST", "same-site", "http://example.com", ""}, refused, same},
		{"cross-site GET", sent{"GET", "cross-site", "", ""}, passes, same},
		{"cross-site HEAD", sent{"HEAD", "cross-site", "", ""}, passes, same},
		{"cross-site OPTIONS", sent{"OPTIONS", "cross-site", "", ""}, passes, same},
		{"a GET of another Origin", sent{"GET", "", "https://attacker.example", ""}, passes, same},
		{"a preflight", sent{"OPTIONS", "cross-site", "https://attacker.example", ""}, passes, same},
		{"a method of nobody", sent{"FOO", "cross-site", "", ""}, refused, same},
		{"a method of nobody at home", sent{"FOO", "same-origin", "", ""}, passes, same},
		{"get in small letters is another method", sent{"get", "cross-site", "", ""}, refused, same},
		{"TRACE", sent{"TRACE", "cross-site", "", ""}, refused, same},
		{"CONNECT", sent{"CONNECT", "cross-site", "", ""}, refused, same},
		{"no field at all", sent{"POST", "", "", ""}, passes, same},
		{"the own Origin", sent{"POST", "", "https://example.com", ""}, passes, same},
		{"the own Origin with a port", sent{"POST", "", "https://example.com:8443", "https://example.com:8443/"}, passes, same},
		{"a foreign Origin", sent{"POST", "", "https://attacker.example", ""}, refused, same},
		{"a foreign Origin with DELETE", sent{"DELETE", "", "https://attacker.example", ""}, refused, same},
		{"Origin null", sent{"POST", "", "null", ""}, refused, same},
		{"another port", sent{"POST", "", "https://example.com:8443", ""}, refused, same},
		{"no port where there is one", sent{"POST", "", "https://example.com", "https://example.com:8443/"}, refused, same},
		{"a sibling", sent{"POST", "", "https://sub.example.com", ""}, refused, same},
		{"the parent", sent{"POST", "", "https://example.com", "https://sub.example.com/"}, refused, same},
		{"the own name at the end", sent{"POST", "", "https://evilexample.com", ""}, refused, same},
		{"the own name at the beginning", sent{"POST", "", "https://example.com.attacker.example", ""}, refused, same},
		{"a trusted Origin", sent{"POST", "", "https://trusted.example", ""}, passes, same},
		{"a trusted Origin, cross-site", sent{"POST", "cross-site", "https://trusted.example", ""}, passes, same},
		{"a trusted Origin, same-site", sent{"POST", "same-site", "https://trusted.example", ""}, passes, same},
		{"a trusted Origin with its port", sent{"POST", "cross-site", "https://port.example:8443", ""}, passes, same},
		{"a trusted name, another port", sent{"POST", "cross-site", "https://port.example", ""}, refused, same},
		{"a trusted name without TLS", sent{"POST", "cross-site", "http://trusted.example", ""}, refused, same},
		{"a trusted name in capitals", sent{"POST", "cross-site", "https://TRUSTED.example", ""}, refused, same},
		{"a trusted name with a slash", sent{"POST", "cross-site", "https://trusted.example/", ""}, refused, same},
		{"below a trusted name", sent{"POST", "cross-site", "https://sub.trusted.example", ""}, refused, same},
		{"unknown sites are refused", sent{"POST", "somewhere", "", ""}, refused, same},
		{"capitals are unknown", sent{"POST", "Same-Origin", "", ""}, refused, same},

		{"a page without TLS is anybody's", sent{"POST", "", "http://example.com", ""}, refused, stricter},
		{"no browser sends an empty site", sent{"POST", "-empty-", "", ""}, refused, stricter},
		{"an empty site with the own Origin", sent{"POST", "-empty-", "https://example.com", ""}, refused, stricter},
		{"no browser sends an empty Origin", sent{"POST", "", "-empty-", ""}, refused, stricter},
		{"two sites", sent{"POST", "same-origin,cross-site", "", ""}, refused, stricter},
		{"twice the same site", sent{"POST", "same-origin,same-origin", "", ""}, refused, stricter},
		{"two Origins", sent{"POST", "", "https://example.com,https://attacker.example", ""}, refused, stricter},
		{"two Origins beside a good site", sent{"POST", "same-origin", "https://example.com,https://attacker.example", ""}, refused, stricter},
		{"a trusted Origin beside an unknown site", sent{"POST", "somewhere", "https://trusted.example", ""}, refused, stricter},
		{"an Origin of another scheme", sent{"POST", "", "ftp://example.com", ""}, refused, stricter},
		{"an Origin with a path", sent{"POST", "", "https://example.com/x", ""}, refused, stricter},
		{"an Origin with a user", sent{"POST", "", "https://attacker@example.com", ""}, refused, stricter},
		{"an extension's page of the own name", sent{"POST", "", "chrome-extension://example.com", ""}, refused, stricter},
		{"an Origin without a scheme", sent{"POST", "", "//example.com", ""}, refused, stricter},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := code(t, g.CheckOrigin(tt.sent.request()))
			if got != tt.want {
				t.Errorf("CheckOrigin() = %q, want %q", got, tt.want)
			}
			if theirs := std.Check(tt.sent.request()) == nil; theirs == (tt.want == refused) != tt.stricter {
				t.Errorf("the standard library lets it pass: %t; the row says stricter: %t", theirs, tt.stricter)
			}
		})
	}
}

func TestOwnOriginHasASchemeAndAPort(t *testing.T) {
	https := func(*http.Request) string { return "https" }
	for _, tt := range []struct {
		name   string
		scheme func(*http.Request) string
		sent   sent
		want   string
	}{
		{"a default port in Host", nil, sent{"POST", "", "https://example.com", "https://example.com:443/"}, passes},
		{"a default port in Origin", nil, sent{"POST", "", "https://example.com:443", ""}, passes},
		{"the port of the other scheme", nil, sent{"POST", "", "https://example.com", "https://example.com:80/"}, refused},
		{"capitals in Host", nil, sent{"POST", "", "https://example.com", "https://EXAMPLE.com/"}, passes},
		{"an address", nil, sent{"POST", "", "https://[2001:db8::1]:8443", "https://[2001:db8::1]:8443/"}, passes},
		{"without TLS, a page without", nil, sent{"POST", "", "http://example.com", "http://example.com/"}, passes},
		{"without TLS, the default port", nil, sent{"POST", "", "http://example.com", "http://example.com:80/"}, passes},
		{"without TLS, a page with: a proxy ends it", nil, sent{"POST", "", "https://example.com", "http://example.com/"}, passes},
		{"without TLS, a foreign page", nil, sent{"POST", "", "http://attacker.example", "http://example.com/"}, refused},
		{"a proxy ends TLS and says so: a page without", https, sent{"POST", "", "http://example.com", "http://example.com/"}, refused},
		{"a proxy ends TLS and says so: a page with", https, sent{"POST", "", "https://example.com", "http://example.com/"}, passes},
		{"a proxy says nothing that is a scheme", func(*http.Request) string { return "" }, sent{"POST", "", "http://example.com", "http://example.com/"}, refused},
		{"the proxy cannot make TLS go away", func(*http.Request) string { return "http" }, sent{"POST", "", "http://example.com", ""}, refused},
		{"a proxy has no TLS and says so", func(*http.Request) string { return "http" }, sent{"POST", "", "http://example.com", "http://example.com/"}, passes},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := code(t, guard(t, csrf.Config{Scheme: tt.scheme}).CheckOrigin(tt.sent.request())); got != tt.want {
				t.Errorf("CheckOrigin() = %q, want %q", got, tt.want)
			}
		})
	}
	empty := &http.Request{Method: "POST", Header: http.Header{"Origin": {"https://"}}}
	if got := code(t, guard(t, csrf.Config{}).CheckOrigin(empty)); got != refused {
		t.Errorf("no host equals no host: %q", got)
	}
}

// A page of another site opens a WebSocket with the victim's cookies, and reads
// along.
func TestWebSocketOfAnotherSiteIsRefused(t *testing.T) {
	g := guard(t, csrf.Config{TrustedOrigins: []string{"https://trusted.example"}})
	fields := map[string]http.Header{
		"a handshake":                   {"Upgrade": {"websocket"}, "Connection": {"Upgrade"}, "Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="}, "Sec-Websocket-Version": {"13"}},
		"only Upgrade":                  {"Upgrade": {"WebSocket"}},
		"only a key":                    {"Sec-Websocket-Key": {"x"}},
		"only a version":                {"Sec-Websocket-Version": {"13"}},
		"two Upgrades":                  {"Upgrade": {"h2c", "websocket"}},
		"HTTP/2, if it were no CONNECT": {":protocol": {"websocket"}},
	}
	for name, header := range fields {
		for _, tt := range []struct {
			sent sent
			want string
		}{
			{sent{"GET", "cross-site", "https://attacker.example", ""}, refused},
			{sent{"GET", "same-site", "https://sub.example.com", ""}, refused},
			{sent{"GET", "", "https://attacker.example", ""}, refused},
			{sent{"GET", "", "null", ""}, refused},
			{sent{"GET", "", "https://example.com.attacker.example", ""}, refused},
			{sent{"GET", "", "https://example.com:8443", ""}, refused},
			{sent{"GET", "", "http://example.com", ""}, refused},
			{sent{"GET", "", "https://example.com", ""}, passes},
			{sent{"GET", "same-origin", "https://example.com", ""}, passes},
			{sent{"GET", "cross-site", "https://trusted.example", ""}, passes},
			{sent{"GET", "", "", ""}, passes},
		} {
			r := tt.sent.request()
			for field, values := range header {
				r.Header[field] = values
			}
			if got := code(t, g.CheckOrigin(r)); got != tt.want {
				t.Errorf("%s, site %q, Origin %q: %q, want %q", name, tt.sent.site, tt.sent.origin, got, tt.want)
			}
			if got := code(t, g.CheckEffects(r)); got != tt.want {
				t.Errorf("%s, site %q, Origin %q, with effects: %q, want %q", name, tt.sent.site, tt.sent.origin, got, tt.want)
			}
		}
	}
	// Browsers name the page in every handshake, so one that names none is a program.
	program := sent{"GET", "", "", ""}.request()
	program.Header["Upgrade"], program.Header["Cookie"] = []string{"websocket"}, []string{"session=1"}
	if got := code(t, g.CheckEffects(program)); got != passes {
		t.Errorf("a program with a cookie: %q", got)
	}
	connect := sent{"CONNECT", "", "https://attacker.example", ""}.request()
	connect.Header[":protocol"] = []string{"websocket"}
	if got := code(t, g.CheckOrigin(connect)); got != refused {
		t.Errorf("over HTTP/2: %q", got)
	}
}

// <img src="https://example.com/logout">, and a link in a mail.
func TestGetWithAnEffectIsForTheOwnPages(t *testing.T) {
	g := guard(t, csrf.Config{TrustedOrigins: []string{"https://trusted.example"}})
	with := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	for _, tt := range []struct {
		name string
		sent sent
		add  func(*http.Request)
		want string
	}{
		{"an image on another site", sent{"GET", "cross-site", "", ""}, nil, refused},
		{"an image on a sibling", sent{"GET", "same-site", "", ""}, nil, refused},
		{"a link on the own page", sent{"GET", "same-origin", "", ""}, nil, passes},
		{"a link in a mail looks typed", sent{"GET", "none", "", ""}, nil, refused},
		{"so does one of HEAD", sent{"HEAD", "none", "", ""}, nil, refused},
		{"an old browser's image, with the cookies", sent{"GET", "", "", ""}, with("Cookie", "session=1"), refused},
		{"with a password that the browser knows", sent{"GET", "", "", ""}, with("Authorization", "Basic eDp5"), refused},
		{"with an account of the network", sent{"GET", "", "", ""}, with("Authorization", "Negotiate x"), refused},
		{"with two, of which one is a token", sent{"GET", "", "", ""}, func(r *http.Request) { r.Header["Authorization"] = []string{"Bearer x", "Basic eDp5"} }, refused},
		{"with a certificate", sent{"GET", "", "", ""}, func(r *http.Request) { r.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{{}}} }, refused},
		{"a program with a token", sent{"GET", "", "", ""}, with("Authorization", "bearer x"), passes},
		{"a program with nothing", sent{"GET", "", "", ""}, nil, passes},
		{"a trusted page", sent{"GET", "cross-site", "https://trusted.example", ""}, with("Cookie", "session=1"), passes},
		{"the own page of an old browser", sent{"GET", "", "https://example.com", ""}, with("Cookie", "session=1"), passes},
		{"a foreign page of an old browser", sent{"GET", "", "https://attacker.example", ""}, nil, refused},
		{"null", sent{"GET", "", "null", ""}, nil, refused},
		{"two sites", sent{"GET", "same-origin,none", "", ""}, nil, refused},
		{"OPTIONS", sent{"OPTIONS", "cross-site", "https://attacker.example", ""}, nil, refused},
		{"POST is judged as ever", sent{"POST", "none", "", ""}, with("Cookie", "session=1"), passes},
		{"POST of a program", sent{"POST", "", "", ""}, with("Cookie", "session=1"), passes},
		{"POST of another site", sent{"POST", "cross-site", "", ""}, nil, refused},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := tt.sent.request()
			if tt.add != nil {
				tt.add(r)
			}
			if got := code(t, g.CheckEffects(r)); got != tt.want {
				t.Errorf("CheckEffects() = %q, want %q", got, tt.want)
			}
		})
	}
}

// A POST that says it is a GET is a POST.
func TestMethodOverrideIsIgnored(t *testing.T) {
	g := guard(t, csrf.Config{})
	r := sent{"POST", "cross-site", "", "https://example.com/?_method=GET"}.request()
	r.Header.Set("X-Http-Method-Override", "GET")
	if got := code(t, g.CheckOrigin(r)); got != refused || !g.NeedsToken(r) {
		t.Errorf("CheckOrigin() = %q, NeedsToken() = %t", got, g.NeedsToken(r))
	}
}
