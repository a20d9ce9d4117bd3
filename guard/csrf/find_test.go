package csrf_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/fastness/fastness/guard/csrf"
)

const urlencoded = "application/x-www-form-urlencoded"

func TestTokenInTheHeader(t *testing.T) {
	for _, tt := range []struct {
		name, header string
		cfg          csrf.Config
		values       func(token string) []string
		want         string
	}{
		{"the default", "X-CSRF-Token", csrf.Config{}, func(s string) []string { return []string{s} }, ""},
		{"none", "X-CSRF-Token", csrf.Config{}, func(string) []string { return nil }, "csrf_missing_token"},
		{"an empty one", "X-CSRF-Token", csrf.Config{}, func(string) []string { return []string{""} }, "csrf_missing_token"},
		{"twice", "X-CSRF-Token", csrf.Config{}, func(s string) []string { return []string{s, s} }, "csrf_invalid"},
		{"two, the first one good", "X-CSRF-Token", csrf.Config{}, func(s string) []string { return []string{s, "x"} }, "csrf_invalid"},
		{"two in one field", "X-CSRF-Token", csrf.Config{}, func(s string) []string { return []string{s + ", " + s} }, "csrf_invalid"},
		{"a word before it that nobody has asked for", "X-CSRF-Token", csrf.Config{}, func(s string) []string { return []string{"Bearer " + s} }, "csrf_invalid"},
		{"another field", "X-XSRF-Token", csrf.Config{}, func(s string) []string { return []string{s} }, "csrf_missing_token"},
		{"another field that is configured", "X-XSRF-Token", csrf.Config{Header: "x-xsrf-token"}, func(s string) []string { return []string{s} }, ""},
		{"a word before it", "X-CSRF-Token", csrf.Config{HeaderPrefix: "Bearer"}, func(s string) []string { return []string{"bearer " + s} }, ""},
		{"another word before it", "X-CSRF-Token", csrf.Config{HeaderPrefix: "Bearer"}, func(s string) []string { return []string{"Basic " + s} }, "csrf_invalid"},
		{"no word before it", "X-CSRF-Token", csrf.Config{HeaderPrefix: "Bearer"}, func(s string) []string { return []string{s} }, "csrf_invalid"},
		{"only a word", "X-CSRF-Token", csrf.Config{HeaderPrefix: "Bearer"}, func(string) []string { return []string{"Bearer "} }, "csrf_missing_token"},
		{"a word that is all", "X-CSRF-Token", csrf.Config{HeaderPrefix: "Bearer"}, func(string) []string { return []string{"Bearer"} }, "csrf_missing_token"},
		{"it must be in the form", "X-CSRF-Token", csrf.Config{TokenLocation: csrf.FieldOnly}, func(s string) []string { return []string{s} }, "csrf_missing_token"},
		{"it must be in the header, and is", "X-CSRF-Token", csrf.Config{TokenLocation: csrf.HeaderOnly}, func(s string) []string { return []string{s} }, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := guard(t, tt.cfg)
			b := &browser{}
			token, _ := b.page(t, g, "")
			r := b.request("POST", "")
			r.Header[http.CanonicalHeaderKey(tt.header)] = tt.values(token)
			if got := code(t, g.Check(r, "")); got != tt.want {
				t.Errorf("Check() = %q, want %q", got, tt.want)
			}
		})
	}
}

// multi writes a multipart body. A part that begins with "file " is a file.
func multi(t testing.TB, parts ...[2]string) (body, contentType string) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, p := range parts {
		part, err := w.CreateFormField(p[0])
		if name, isFile := strings.CutPrefix(p[0], "file "); isFile {
			part, err = w.CreateFormFile(name, "a.txt")
		}
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(part, p[1])
	}
	_ = w.Close()
	return b.String(), w.FormDataContentType()
}

func TestTokenInAForm(t *testing.T) {
	g := guard(t, csrf.Config{})
	b := &browser{}
	token, _ := b.page(t, g, "")
	long := strings.Repeat("x", 64<<10)
	form := func(parts ...[2]string) [2]string {
		body, contentType := multi(t, parts...)
		return [2]string{contentType, body}
	}
	// The limit is in the middle of the token.
	cut := form([2]string{"file f", ""}, [2]string{"csrf-token", token})
	cut = form([2]string{"file f", strings.Repeat("x", 64<<10-strings.Index(cut[1], token)-20)}, [2]string{"csrf-token", token})
	for _, tt := range []struct {
		name string
		sent [2]string // Content-Type and body
		want string
	}{
		{"alone", [2]string{urlencoded, "csrf-token=" + token}, ""},
		{"first", [2]string{urlencoded, "csrf-token=" + token + "&a=b"}, ""},
		{"last", [2]string{urlencoded, "a=b&&c&csrf-token=" + token}, ""},
		{"with a charset", [2]string{urlencoded + "; charset=utf-8", "csrf-token=" + token}, ""},
		{"with escapes", [2]string{urlencoded, fmt.Sprintf("%%63srf%%2dtoken=%%%02X%s", token[0], token[1:])}, ""},
		{"before much else", [2]string{urlencoded, "csrf-token=" + token + "&a=" + long}, ""},
		{"behind too much", [2]string{urlencoded, "a=" + long + "&csrf-token=" + token}, "csrf_missing_token"},
		{"cut off by the limit", [2]string{urlencoded, "a=" + long[:len(long)-20] + "&csrf-token=" + token}, "csrf_missing_token"},
		{"not there", [2]string{urlencoded, "a=b"}, "csrf_missing_token"},
		{"no form at all", [2]string{urlencoded, ""}, "csrf_missing_token"},
		{"empty", [2]string{urlencoded, "csrf-token="}, "csrf_missing_token"},
		{"in capitals", [2]string{urlencoded, "CSRF-Token=" + token}, "csrf_missing_token"},
		{"as a list", [2]string{urlencoded, "csrf-token[]=" + token}, "csrf_missing_token"},
		{"twice", [2]string{urlencoded, "csrf-token=" + token + "&csrf-token=" + token}, "csrf_invalid"},
		{"two, the first one good", [2]string{urlencoded, "csrf-token=" + token + "&csrf-token=x"}, "csrf_invalid"},
		{"broken", [2]string{urlencoded, "csrf-token=%zz"}, "csrf_missing_token"},
		{"with a line end", [2]string{urlencoded, "csrf-token=" + token + "%0D%0A"}, "csrf_invalid"},
		{"another text", [2]string{urlencoded, "csrf-token=x"}, "csrf_invalid"},
		{"in JSON", [2]string{"application/json", `{"csrf-token":"` + token + `"}`}, "csrf_missing_token"},
		{"in text", [2]string{"text/plain", "csrf-token=" + token}, "csrf_missing_token"},
		{"without a type", [2]string{"", "csrf-token=" + token}, "csrf_missing_token"},
		{"with a broken type", [2]string{urlencoded + "; a=b; a=c", "csrf-token=" + token}, "csrf_missing_token"},
		{"in a part", form([2]string{"csrf-token", token}), ""},
		{"in a part before a file", form([2]string{"a", "b"}, [2]string{"csrf-token", token}, [2]string{"file f", long}), ""},
		{"in a part behind a large file", form([2]string{"file f", long}, [2]string{"csrf-token", token}), "csrf_missing_token"},
		{"in a part that is cut off", cut, "csrf_missing_token"},
		{"in a part whose header is cut off", form([2]string{"file f", long[:len(long)-300]}, [2]string{"csrf-token", token}), "csrf_missing_token"},
		{"in a file", form([2]string{"file csrf-token", token}), "csrf_missing_token"},
		{"in two parts", form([2]string{"csrf-token", token}, [2]string{"csrf-token", token}), "csrf_invalid"},
		{"in a long part", form([2]string{"csrf-token", token + long[:2000]}), "csrf_invalid"},
		{"in no part", form([2]string{"a", "b"}), "csrf_missing_token"},
		{"in parts without a boundary", [2]string{"multipart/form-data", "csrf-token=" + token}, "csrf_missing_token"},
		{"in another multipart", [2]string{strings.Replace(form([2]string{"csrf-token", token})[0], "form-data", "mixed", 1), form([2]string{"csrf-token", token})[1]}, "csrf_missing_token"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := b.request("POST", "")
			if tt.sent[0] != "" {
				r.Header.Set("Content-Type", tt.sent[0])
			}
			closed := false
			r.Body = &body{iotest.OneByteReader(strings.NewReader(tt.sent[1])), &closed}
			if got := code(t, g.Check(r, "")); got != tt.want {
				t.Errorf("Check() = %q, want %q", got, tt.want)
			}
			// The next reader gets all of it.
			if text, err := io.ReadAll(r.Body); err != nil || string(text) != tt.sent[1] {
				t.Errorf("afterwards the body has %d bytes of %d (%v)", len(text), len(tt.sent[1]), err)
			}
			if _ = r.Body.Close(); !closed {
				t.Error("the body is not closed")
			}
		})
	}
}

type body struct {
	io.Reader
	closed *bool
}

func (b *body) Close() error { *b.closed = true; return nil }

// What is in a URL is in logs, in histories and in Referer.
func TestTokenInTheURLDoesNotCount(t *testing.T) {
	g := guard(t, csrf.Config{})
	b := &browser{}
	token, _ := b.page(t, g, "")
	r := b.request("POST", "")
	r.URL.RawQuery = url.Values{"csrf-token": {token}, "X-CSRF-Token": {token}}.Encode()
	if got := code(t, g.Check(r, "")); got != "csrf_missing_token" {
		t.Errorf("in the query: %q", got)
	}
	_ = r.ParseForm() // The form has the query, too, PostForm has not.
	if got := code(t, g.Check(r, "")); got != "csrf_missing_token" {
		t.Errorf("in a query that somebody has parsed: %q", got)
	}
	r = b.request("POST", "")
	r.Header.Add("Cookie", "csrf-token="+token+"; X-CSRF-Token="+token)
	if got := code(t, g.Check(r, "")); got != "csrf_missing_token" {
		t.Errorf("in a cookie: %q", got)
	}
}

func TestFormThatWasReadBefore(t *testing.T) {
	g := guard(t, csrf.Config{})
	b := &browser{}
	token, _ := b.page(t, g, "")
	text, contentType := multi(t, [2]string{"csrf-token", token})
	for kind, form := range map[string]string{urlencoded: "csrf-token=" + token, contentType: text} {
		r := b.request("POST", "")
		r.Header.Set("Content-Type", kind)
		r.Body = io.NopCloser(strings.NewReader(form))
		if err := r.ParseMultipartForm(1 << 20); err != nil && !errors.Is(err, http.ErrNotMultipart) {
			t.Fatal(err)
		}
		if got := code(t, g.Check(r, "")); got != "" {
			t.Errorf("%s: %q", kind, got)
		}
	}
	r := b.request("POST", "")
	r.Header.Set("Content-Type", contentType)
	r.Body = io.NopCloser(strings.NewReader(text))
	if err := r.ParseForm(); err != nil { // It reads nothing of a multipart body.
		t.Fatal(err)
	}
	if got := code(t, g.Check(r, "")); got != "" {
		t.Errorf("a multipart form that was left unread: %q", got)
	}
	r.PostForm = url.Values{"csrf-token": {token, token}}
	if got := code(t, g.Check(r, "")); got != "csrf_invalid" {
		t.Errorf("twice: %q", got)
	}
}

// The body of a refused request is not read, and neither is that of one with the
// token in the header.
func TestBodyIsReadOnlyForTheToken(t *testing.T) {
	g := guard(t, csrf.Config{})
	only := guard(t, csrf.Config{TokenLocation: csrf.HeaderOnly})
	b := &browser{}
	token, _ := b.page(t, g, "")
	for _, tt := range []struct {
		name   string
		g      *csrf.Guard
		change func(*http.Request)
		want   string
	}{
		{"no cookie", g, func(r *http.Request) { r.Header.Del("Cookie") }, "csrf_missing_cookie"},
		{"two cookies", g, func(r *http.Request) { r.Header.Add("Cookie", b.cookie) }, "csrf_invalid"},
		{"a token in the header", g, func(r *http.Request) { r.Header.Set("X-CSRF-Token", token) }, ""},
		{"two tokens in the header", g, func(r *http.Request) { r.Header["X-Csrf-Token"] = []string{token, token} }, "csrf_invalid"},
		{"the header only", only, func(*http.Request) {}, "csrf_missing_token"},
		{"no form", g, func(r *http.Request) { r.Header.Set("Content-Type", "application/json") }, "csrf_missing_token"},
		{"two types", g, func(r *http.Request) { r.Header.Add("Content-Type", "text/plain") }, "csrf_missing_token"},
	} {
		r := b.request("POST", "")
		r.Header.Set("Content-Type", urlencoded)
		r.Body = io.NopCloser(readNothing{t})
		tt.change(r)
		if got := code(t, tt.g.Check(r, "")); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

type readNothing struct{ t *testing.T }

func (r readNothing) Read([]byte) (int, error) {
	r.t.Error("the body is read")
	return 0, io.EOF
}

// endless is a body that never ends.
type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	e.read += len(p)
	return len(p), nil
}

func TestEndlessFormIsReadUpToTheLimit(t *testing.T) {
	g := guard(t, csrf.Config{BodyLimit: 4 << 10})
	b := &browser{}
	b.page(t, g, "")
	for _, kind := range []string{urlencoded, "multipart/form-data; boundary=x"} {
		r := b.request("POST", "")
		r.Header.Set("Content-Type", kind)
		source := &endless{}
		r.Body = io.NopCloser(source)
		if got := code(t, g.Check(r, "")); got != "csrf_missing_token" {
			t.Errorf("Check() = %q", got)
		}
		if source.read > 4<<10 {
			t.Errorf("%s: %d bytes are read, want at most 4096", kind, source.read)
		}
	}
}

// A body that breaks off is refused for want of a token, and the next reader sees
// why.
func TestBodyThatBreaksOff(t *testing.T) {
	g := guard(t, csrf.Config{})
	b := &browser{}
	token, _ := b.page(t, g, "")
	broken := errors.New("the connection is gone")
	r := b.request("POST", "")
	r.Header.Set("Content-Type", urlencoded)
	r.Body = io.NopCloser(io.MultiReader(strings.NewReader("csrf-token="+token), &breaksOnce{broken}))
	if got := code(t, g.Check(r, "")); got != "csrf_missing_token" {
		t.Errorf("Check() = %q", got)
	}
	if text, err := io.ReadAll(r.Body); !errors.Is(err, broken) || string(text) != "csrf-token="+token {
		t.Errorf("the next reader gets %q, %v", text, err)
	}
}

// breaksOnce fails, and then pretends to be at its end.
type breaksOnce struct{ err error }

func (b *breaksOnce) Read([]byte) (int, error) {
	if err := b.err; err != nil {
		b.err = nil
		return 0, err
	}
	return 0, io.EOF
}

func TestNamesSaysWhereTheTokenMayBe(t *testing.T) {
	for location, want := range map[csrf.Location][3]string{
		csrf.HeaderOrField: {"__Host-csrf", "X-Csrf-Token", "csrf-token"},
		csrf.HeaderOnly:    {"__Host-csrf", "X-Csrf-Token", ""},
		csrf.FieldOnly:     {"__Host-csrf", "", "csrf-token"},
	} {
		cookie, header, field := guard(t, csrf.Config{TokenLocation: location}).Names()
		if got := [3]string{cookie, header, field}; got != want {
			t.Errorf("Names() = %q, want %q", got, want)
		}
	}
}

func TestOverRealHTTP(t *testing.T) {
	g := guard(t, csrf.Config{InsecureHTTP: "a test without TLS"})
	mux := http.NewServeMux()
	mux.Handle("GET /token", g.TokenHandler())
	mux.HandleFunc("POST /", func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseMultipartForm(1 << 20)
		_, _ = io.WriteString(w, r.PostFormValue("a"))
	})
	server := httptest.NewServer(g.Handler(mux))
	defer server.Close()
	client := server.Client()
	page, err := client.Get(server.URL + "/token")
	if err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(page.Body)
	page.Body.Close()
	token := strings.TrimSuffix(strings.TrimPrefix(string(text), `{"csrf_token":"`), `"}`)
	form, contentType := multi(t, [2]string{"csrf-token", token}, [2]string{"a", strings.Repeat("é", 100_000)})
	for _, origin := range []string{server.URL, "http://attacker.example"} {
		r, _ := http.NewRequest("POST", server.URL, strings.NewReader(form))
		r.Header.Set("Content-Type", contentType)
		r.Header.Set("Origin", origin)
		r.AddCookie(page.Cookies()[0])
		res, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		got, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if own := origin == server.URL; own != (res.StatusCode == 200 && len(got) == 200_000) || !own && res.StatusCode != 403 {
			t.Errorf("from %s: %d with %d bytes", origin, res.StatusCode, len(got))
		}
	}
}
