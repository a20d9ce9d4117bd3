package auth_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/openapi"
)

// badge is a scheme for tests: the credential names the user.
type badge struct {
	name, header string
	ambient      bool
	answer       func(credential string) (*auth.User, error)
}

func (b badge) Describe() auth.Description {
	return auth.Description{
		Name: b.name, Challenge: "Badge", Ambient: b.ambient,
		Security: &openapi.SecurityScheme{Type: "apiKey", In: "header", Name: b.header},
	}
}

func (b badge) Present(r *http.Request) bool { return r.Header.Get(b.header) != "" }

func (b badge) Authenticate(_ context.Context, r *http.Request) (*auth.User, error) {
	return b.answer(r.Header.Get(b.header))
}

func known(credential string) (*auth.User, error) {
	if credential == "nobody" {
		return nil, &auth.Refusal{Code: "invalid_token", Reason: errors.New("the badge is of wood")}
	}
	return &auth.User{ID: credential}, nil
}

func request(method string, headers ...string) *http.Request {
	r := httptest.NewRequest(method, "https://api.example.com/", nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return r
}

func newSchemes(t *testing.T, schemes ...auth.Scheme) *auth.Schemes {
	t.Helper()
	s, err := auth.New(schemes...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestHandlerVerifiesWhoIsCalling(t *testing.T) {
	schemes := newSchemes(t, badge{"badge", "X-Badge", false, known})
	h := schemes.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, auth.From(r.Context()).ID)
	}))
	for _, tt := range []struct {
		name       string
		headers    []string
		status     int
		body, with string
	}{
		{"a good badge", []string{"X-Badge", "ann"}, 200, "ann", ""},
		{"none", nil, 401, "Not authenticated", "Badge"},
		{"a bad one", []string{"X-Badge", "nobody"}, 401, "Invalid authentication credentials", `Badge error="invalid_token"`},
	} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, request("GET", tt.headers...))
		if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.body) || w.Header().Get("WWW-Authenticate") != tt.with {
			t.Errorf("%s: %d, %v, %s", tt.name, w.Code, w.Header(), w.Body)
		}
		if strings.Contains(w.Body.String(), "wood") {
			t.Errorf("%s: the answer says why: %s", tt.name, w.Body)
		}
	}
}

func TestWhatCannotBeVerifiedIsNoRefusal(t *testing.T) {
	down := errors.New("the store is down")
	for _, tt := range []struct {
		name   string
		answer func(string) (*auth.User, error)
		want   string
	}{
		{"a store that is down", func(string) (*auth.User, error) { return nil, down }, "the store is down"},
		{"a scheme that finds nobody", func(string) (*auth.User, error) { return nil, nil }, "Invalid authentication credentials"},
		{"a user without an id", func(string) (*auth.User, error) { return &auth.User{Name: "ann"}, nil }, "Invalid authentication credentials"},
	} {
		u, err := newSchemes(t, badge{"badge", "X-Badge", false, tt.answer}).Authenticate(t.Context(), request("GET", "X-Badge", "ann"))
		if u != nil || err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, %v, want %q", tt.name, u, err, tt.want)
		}
	}
}

// crumb is a badge in a cookie.
type crumb struct{ badge }

func (c crumb) Describe() auth.Description {
	d := c.badge.Describe()
	d.Security = &openapi.SecurityScheme{Type: "apiKey", In: "cookie", Name: "crumb"}
	return d
}

func TestSchemesThatAreWrongAreNamed(t *testing.T) {
	_, err := auth.New(nil, badge{}, badge{name: "a", header: "A"}, badge{name: "a", header: "B"})
	for _, want := range []string{"scheme 1 is nil", "has no name", `"a" is there twice`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the mistakes do not name %q: %v", want, err)
		}
	}
	// A cookie that is not said to be one would be guarded by nothing.
	if _, err := auth.New(crumb{badge{"crumb", "X-Badge", false, known}}); err == nil || !strings.Contains(err.Error(), `"crumb" is a cookie`) {
		t.Errorf("a cookie that is not ambient: %v", err)
	}
	if _, err := auth.New(crumb{badge{"crumb", "X-Badge", true, known}}); err != nil {
		t.Error(err)
	}
	if _, err := newSchemes(t, badge{"badge", "X-Badge", false, known}).Only("badge", "passport"); err == nil || !strings.Contains(err.Error(), "passport") {
		t.Errorf("a scheme that nothing verifies: %v", err)
	}
}

func TestOneRequestOneCredential(t *testing.T) {
	schemes := newSchemes(t,
		badge{"badge", "X-Badge", false, known}, badge{"pass", "X-Pass", false, known},
		badge{"cookie", "X-Cookie", true, known}, badge{"certificate", "X-Cert", true, known})
	only, err := schemes.Only("certificate", "badge")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name    string
		schemes *auth.Schemes
		headers []string
		want    string // the user, or a part of the error
	}{
		{"two explicit ones", schemes, []string{"X-Badge", "ann", "X-Pass", "bob"}, "more than one credential"},
		{"two of which one is not taken", only, []string{"X-Badge", "ann", "X-Pass", "bob"}, "more than one credential"},
		{"an explicit one and a cookie", schemes, []string{"X-Badge", "ann", "X-Cookie", "bob"}, "ann"},
		{"a bad explicit one and a cookie", schemes, []string{"X-Badge", "nobody", "X-Cookie", "bob"}, "Invalid"},
		{"an explicit one that is not taken, and a certificate", only, []string{"X-Pass", "ann", "X-Cert", "bob"}, "Not authenticated"},
		{"two ambient ones, of which one is taken", only, []string{"X-Cookie", "ann", "X-Cert", "bob"}, "bob"},
		{"two Authorization headers", schemes, []string{"Authorization", "Basic YTpi", "Authorization", "Basic YTpi"}, "more than one credential"},
	} {
		u, err := tt.schemes.Authenticate(t.Context(), request("GET", tt.headers...))
		if got := fmt.Sprint(u, err); u != nil && u.ID != tt.want || u == nil && !strings.Contains(got, tt.want) {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestBasicReadsWhatTheRFCSays(t *testing.T) {
	basic, err := auth.NewBasic(auth.BasicConfig{Realm: "shop", Verify: func(_ context.Context, _ *http.Request, name, password string) (*auth.User, error) {
		if name == "Aladdin" && password == "open sesame" || name == "test" && password == "123£" || name == "a" && password == "b:c" {
			return &auth.User{ID: name}, nil
		}
		return nil, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	schemes := newSchemes(t, basic)
	encode := func(s string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(s)) }
	for _, tt := range []struct {
		name, header string
		ok           bool
	}{
		{"the RFC's example", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", true},
		{"the RFC's example in UTF-8", "Basic dGVzdDoxMjPCow==", true},
		{"the scheme has no case", "bASIC QWxhZGRpbjpvcGVuIHNlc2FtZQ==", true},
		{"a colon in the password", encode("a:b:c"), true},
		{"a wrong password", encode("a:b"), false},
		{"no colon", encode("Aladdin"), false},
		{"two spaces", "Basic  QWxhZGRpbjpvcGVuIHNlc2FtZQ==", false},
		{"no padding", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ", false},
		{"bits beyond the end", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZR==", false},
		{"nothing", "Basic", false},
		{"a control character", encode("Aladdin:open\x00sesame"), false},
		{"no UTF-8", encode("Aladdin:\xff"), false},
		{"a longer scheme", "BasicX QWxhZGRpbjpvcGVuIHNlc2FtZQ==", false},
	} {
		u, err := schemes.Authenticate(t.Context(), request("GET", "Authorization", tt.header))
		if (u != nil) != tt.ok || (err == nil) != tt.ok {
			t.Errorf("%s: %v, %v", tt.name, u, err)
		}
	}
	if got := basic.Describe().Challenge; got != `Basic realm="shop", charset="UTF-8"` {
		t.Errorf("the challenge is %q", got)
	}
	if _, err := auth.NewBasic(auth.BasicConfig{Realm: "a\"\r\nSet-Cookie: x"}); err == nil || !strings.Contains(err.Error(), "Realm") || !strings.Contains(err.Error(), "Verify") {
		t.Errorf("a realm that breaks the header, verified by nobody: %v", err)
	}
}

// A certificate counts if the TLS stack has verified it, and never if a header
// says so.
func TestClientCertificateIsThatOfTheConnection(t *testing.T) {
	cert := &x509.Certificate{DNSNames: []string{"robot.example.com"}}
	scheme, err := auth.NewClientCertificate(auth.CertificateConfig{Identify: func(_ context.Context, c *x509.Certificate) (*auth.User, error) {
		if slices.Contains(c.DNSNames, "robot.example.com") {
			return &auth.User{ID: "robot"}, nil
		}
		return nil, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	schemes := newSchemes(t, scheme)
	for _, tt := range []struct {
		name string
		tls  *tls.ConnectionState
		ok   bool
	}{
		{"verified", &tls.ConnectionState{PeerCertificates: []*x509.Certificate{cert}, VerifiedChains: [][]*x509.Certificate{{cert}}}, true},
		{"not verified", &tls.ConnectionState{PeerCertificates: []*x509.Certificate{cert}}, false},
		{"somebody else's", &tls.ConnectionState{PeerCertificates: []*x509.Certificate{{}}, VerifiedChains: [][]*x509.Certificate{{}}}, false},
		{"none", &tls.ConnectionState{}, false},
		{"no TLS", nil, false},
	} {
		r := request("GET", "X-Forwarded-Client-Cert", "Subject=robot", "X-SSL-Client-Verify", "SUCCESS")
		r.TLS = tt.tls
		if u, err := schemes.Authenticate(t.Context(), r); (u != nil) != tt.ok {
			t.Errorf("%s: %v, %v", tt.name, u, err)
		}
	}
	if _, err := auth.NewClientCertificate(auth.CertificateConfig{}); err == nil {
		t.Error("certificates that nobody identifies are taken")
	}
}

func TestSetsCannotBeChanged(t *testing.T) {
	names := []string{"b", "a", "", "a"}
	s := auth.SetOf(names...)
	names[0] = "admin"
	s.Slice()[0] = "admin"
	if got := s.String(); got != "a b" || s.Len() != 2 || s.Has("admin") || s.Has("") {
		t.Errorf("the set is %q", got)
	}
	if !s.HasAll(auth.SetOf("a")) || s.HasAll(auth.SetOf("a", "c")) || !s.HasAny(auth.SetOf("c", "b")) || s.HasAny(auth.SetOf()) || !s.Equal(auth.ParseSet(" b  a ")) {
		t.Error("the set does not know what it has")
	}
	for _, set := range []auth.Set{s, {}} {
		if data, err := json.Marshal(set); err != nil || data[0] != '[' {
			t.Errorf("encoded: %s, %v", data, err)
		}
	}
	if got := slices.Collect(s.All()); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("all: %q", got)
	}
}

func TestTenantComesFromNowhereElse(t *testing.T) {
	var tenant auth.Tenant
	if err := json.Unmarshal([]byte(`"south"`), &tenant); err == nil || !tenant.IsZero() {
		t.Errorf("decoded %q, %v", tenant, err)
	}
	if v, err := tenant.Value(); err == nil {
		t.Errorf("no tenant is the argument %v of a query", v)
	}
	if v, err := auth.NewTenant("north").Value(); err != nil || v != "north" {
		t.Errorf("the argument is %v, %v", v, err)
	}
}

func TestUserIsLoggedByIDAlone(t *testing.T) {
	var line strings.Builder
	slog.New(slog.NewTextHandler(&line, nil)).Info("hello", "user", auth.User{ID: "u1", Name: "Ann Example"})
	if !strings.Contains(line.String(), "user=u1") || strings.Contains(line.String(), "Example") {
		t.Errorf("the log says %s", line.String())
	}
	var nobody *auth.User
	if nobody.HasRole("admin") || nobody.HasScope("items") {
		t.Error("nobody has a role or a scope")
	}
}

func FuzzBasic(f *testing.F) {
	f.Add("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")
	f.Add("Basic ")
	f.Add("basic YTpiOmM=")
	basic, err := auth.NewBasic(auth.BasicConfig{Realm: "r", Verify: func(_ context.Context, _ *http.Request, name, password string) (*auth.User, error) {
		return &auth.User{ID: name + ":" + password}, nil
	}})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, header string) {
		r := &http.Request{Header: http.Header{"Authorization": {header}}}
		u, err := basic.Authenticate(t.Context(), r)
		if err != nil {
			return
		}
		// What was read is what a client would have written.
		if want := base64.StdEncoding.EncodeToString([]byte(u.ID)); len(header) < 6 || header[6:] != want {
			t.Errorf("%q is read as %q", header, u.ID)
		}
	})
}

// A browser that knows the password adds it to what other sites make it send.
func TestBasicFromAnotherSiteIsRefused(t *testing.T) {
	basic, err := auth.NewBasic(auth.BasicConfig{Realm: "shop", Verify: func(context.Context, *http.Request, string, string) (*auth.User, error) {
		return &auth.User{ID: "u1"}, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	schemes := newSchemes(t, basic)
	for _, tt := range []struct {
		name   string
		header []string
		ok     bool
	}{
		{"a program", nil, true},
		{"the site's own page", []string{"Sec-Fetch-Site", "same-origin"}, true},
		{"another site", []string{"Sec-Fetch-Site", "cross-site"}, false},
		{"another site, in an old browser", []string{"Origin", "https://evil.example"}, false},
	} {
		for what, r := range map[string]*http.Request{
			"a POST":      request("POST", append(tt.header, "Authorization", "Basic YTpi")...),
			"a WebSocket": request("GET", append(tt.header, "Authorization", "Basic YTpi", "Upgrade", "websocket")...),
		} {
			if u, err := schemes.Authenticate(t.Context(), r); (u != nil) != tt.ok {
				t.Errorf("%s, %s: %v, %v", tt.name, what, u, err)
			}
		}
	}
}
