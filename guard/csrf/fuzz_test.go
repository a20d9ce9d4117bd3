package csrf_test

import (
	"bytes"
	"crypto/tls"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/fastness/fastness/guard/csrf"
)

// Only the token itself is a token, whatever stands in its place.
func FuzzToken(f *testing.F) {
	g := guard(f, csrf.Config{Keys: plainKeys{}})
	b := &browser{}
	token, _ := b.page(f, g, "s")
	other := &browser{}
	foreign, _ := other.page(f, g, "s")
	for _, seed := range []string{"", "x", token, token + "=", token[:len(token)-1], token[:20] + "\n" + token[20:], foreign, strings.Repeat("A", 2000), "é", "-_-_"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := code(t, g.Verify(b.request("POST", ""), "s", text))
		if text == token {
			return
		}
		// The keys of this test seal nothing, so a token with another time or nonce is
		// one. But its binding must be the same.
		if got == "" && (len(text) != len(token) || text[len(text)-40:] != token[len(token)-40:]) {
			t.Errorf("%q passes", text)
		}
		if strings.ContainsAny(text, "\r\n= ") && got == "" {
			t.Errorf("%q is a second text for a token", text)
		}
	})
}

// The form finder agrees with net/http about every form that net/http can read,
// and leaves every body as it was.
func FuzzForm(f *testing.F) {
	f.Add(urlencoded, "csrf-token=a&b=c")
	f.Add(urlencoded, "csrf-token=a&csrf-token=b")
	f.Add(urlencoded, "%63srf-token=a+b%20c&&=&;")
	f.Add("multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"csrf-token\"\r\n\r\na\r\n--x--\r\n")
	f.Add("multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"csrf-token\"; filename=\"f\"\r\n\r\na\r\n--x--\r\n")
	f.Add("multipart/form-data; boundary=x", "--x\nContent-Disposition: form-data; name=csrf-token\n\na\n--x--")
	f.Add("multipart/form-data; boundary=\"\"", "--\r\n\r\n----")
	f.Add("text/plain", "csrf-token=a")
	g := guard(f, csrf.Config{Keys: echoKeys{}, BodyLimit: 64 << 10})
	b := &browser{}
	b.page(f, g, "")
	f.Fuzz(func(t *testing.T, kind, text string) {
		if len(text) > 32<<10 {
			return
		}
		r := b.request("POST", "")
		r.Header["Content-Type"] = []string{kind}
		r.Body = io.NopCloser(strings.NewReader(text))
		got := code(t, g.Check(r, ""))
		rest, err := io.ReadAll(r.Body)
		if err != nil || string(rest) != text {
			t.Fatalf("afterwards the body is %q, %v, want %q", rest, err, text)
		}
		values, ok := standard(kind, text)
		if !ok {
			return
		}
		want := map[bool]string{true: "csrf_missing_token", false: "csrf_invalid"}[len(values) == 0 || len(values) == 1 && values[0] == ""]
		if got != want {
			t.Errorf("%q: %q: Check() = %q, net/http finds %q", kind, text, got, values)
		}
	})
}

// standard returns what net/http finds in a form that has no mistake.
func standard(kind, text string) (values []string, ok bool) {
	r := &http.Request{Method: "POST", Header: http.Header{"Content-Type": {kind}}, Body: io.NopCloser(strings.NewReader(text)), URL: &url.URL{}}
	if strings.HasPrefix(kind, "multipart/") {
		reader, err := r.MultipartReader()
		if err != nil {
			return nil, false
		}
		form, err := reader.ReadForm(1 << 20)
		if err != nil || strings.Contains(strings.ToLower(text), "transfer-encoding") {
			return nil, false
		}
		return form.Value["csrf-token"], true
	}
	if err := r.ParseForm(); err != nil || !strings.HasPrefix(kind, urlencoded) {
		return nil, false
	}
	return r.PostForm["csrf-token"], true
}

// echoKeys open nothing.
type echoKeys struct{ plainKeys }

// Whatever the fields are, only the own origin, a trusted one, and what is no
// browser pass.
func FuzzOrigin(f *testing.F) {
	for _, seed := range [][4]string{
		{"POST", "same-origin", "https://example.com", "example.com"}, {"POST", "", "https://example.com", "example.com"}, {"POST", "", "null", "example.com"},
		{"GET", "cross-site", "", ""}, {"POST", "", "https://", ""}, {"POST", "", "https://a:443", "a"}, {"POST", "same-site", "https://trusted.example", "a"},
	} {
		f.Add(seed[0], seed[1], seed[2], seed[3])
	}
	g := guard(f, csrf.Config{TrustedOrigins: []string{"https://trusted.example"}})
	std := http.NewCrossOriginProtection()
	if err := std.AddTrustedOrigin("https://trusted.example"); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, method, site, origin, host string) {
		r := &http.Request{Method: method, Host: strings.ToLower(host), Header: http.Header{}, TLS: &tls.ConnectionState{}, URL: &url.URL{Path: "/"}}
		if site != "" {
			r.Header["Sec-Fetch-Site"] = []string{site}
		}
		if origin != "" {
			r.Header["Origin"] = []string{strings.ToLower(origin)}
		}
		if got := g.CheckOrigin(r); got == nil && std.Check(r) != nil {
			// The default port is the only thing about which ours is more lenient.
			if strings.TrimSuffix(r.Header.Get("Origin"), ":443") != "https://"+strings.TrimSuffix(r.Host, ":443") {
				t.Errorf("%s, site %q, Origin %q, Host %q passes here and not in the standard library", method, site, origin, host)
			}
		}
		if g.CheckOrigin(r) != nil && g.CheckEffects(r) == nil {
			t.Errorf("CheckEffects is the more lenient one")
		}
	})
}

// A cookie is found once or refused; two are never one.
func FuzzCookie(f *testing.F) {
	value := strings.Repeat("A", 43)
	for _, seed := range []string{"", "__Host-csrf=" + value, "a=b; __Host-csrf=" + value + ";", "__Host-csrf=" + value + "; __host-csrf=" + value, " \t__Host-csrf\t=" + value, ";;=;", "\x85__Host-csrf=" + value} {
		f.Add(seed)
	}
	g := guard(f, csrf.Config{})
	f.Fuzz(func(t *testing.T, field string) {
		r := httptest.NewRequest("POST", "https://example.com/", nil)
		r.Header["Cookie"] = []string{field}
		got := code(t, g.Verify(r, "", ""))
		times := strings.Count(strings.ToLower(field), "__host-csrf=")
		if got == "csrf_missing_token" && times == 0 && !strings.Contains(field, "__Host-csrf") {
			t.Errorf("%q has a cookie", field)
		}
		both := field + "; __Host-csrf=" + strings.Repeat("B", 43)
		r.Header["Cookie"] = []string{both}
		if again := code(t, g.Verify(r, "", "")); got == "csrf_missing_token" && again != "csrf_invalid" {
			t.Errorf("%q has two cookies: %q", both, again)
		}
	})
}

func TestMultipartOfTheStandardLibraryIsRead(t *testing.T) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	_ = w.WriteField("csrf-token", "x")
	_ = w.Close()
	if values, ok := standard(w.FormDataContentType(), b.String()); !ok || len(values) != 1 {
		t.Errorf("the reference of FuzzForm finds %q", values)
	}
}
