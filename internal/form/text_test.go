package form_test

import (
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/fastness/fastness/internal/form"
	"github.com/fastness/fastness/problem"
)

// wantProblem fails unless err is a problem with that status and code which
// shows nothing of what was sent.
func wantProblem(t *testing.T, err error, status int, code string, sent ...string) {
	t.Helper()
	p, ok := errors.AsType[*problem.Problem](err)
	if !ok {
		t.Errorf("got %v, want a problem %d %s", err, status, code)
		return
	}
	if p.Status != status || p.Code != code {
		t.Errorf("got %d %s %q, want %d %s", p.Status, p.Code, p.Detail, status, code)
	}
	for _, s := range sent {
		if len(s) > 3 && strings.Contains(p.Detail, s) {
			t.Errorf("the problem shows what was sent: %q", p.Detail)
		}
	}
}

func TestQuery(t *testing.T) {
	tests := []struct {
		raw  string
		want form.Pairs
	}{
		{"", nil},
		{"a=1", form.Pairs{{"a", "1"}}},
		{"a", form.Pairs{{"a", ""}}},
		{"a=", form.Pairs{{"a", ""}}},
		{"=1", form.Pairs{{"", "1"}}},
		{"&&a=1&&b=2&", form.Pairs{{"a", "1"}, {"b", "2"}}},
		{"a=1&b=2&a=3", form.Pairs{{"a", "1"}, {"b", "2"}, {"a", "3"}}},
		{"a=1=2", form.Pairs{{"a", "1=2"}}},
		{"a+b=c%20d%2B", form.Pairs{{"a b", "c d+"}}},
		{"q=%C3%A9%e2%82%ac", form.Pairs{{"q", "é€"}}},
		{"q=é", form.Pairs{{"q", "é"}}},
		{"q=a%0D%0Ab%00", form.Pairs{{"q", "a\r\nb\x00"}}},
		{"q=%2525", form.Pairs{{"q", "%25"}}},
		{"a%26b=c%3Dd%3B", form.Pairs{{"a&b", "c=d;"}}},
	}
	for _, tt := range tests {
		got, err := form.AppendQuery(nil, tt.raw, 0)
		if err != nil || !slices.Equal(got, tt.want) {
			t.Errorf("AppendQuery(%q) = %q, %v, want %q", tt.raw, got, err, tt.want)
		}
		got, err = form.AppendBody(nil, tt.raw, 0)
		if err != nil || !slices.Equal(got, tt.want) {
			t.Errorf("AppendBody(%q) = %q, %v, want %q", tt.raw, got, err, tt.want)
		}
	}
}

func TestAmbiguousQueriesAreRefused(t *testing.T) {
	for name, raw := range map[string]string{
		"a semicolon once separated pairs": "id=1;id=2",
		"a semicolon in a name":            "a;b=1",
		"a percent sign alone":             "a=%",
		"half an escape":                   "a=%4",
		"an escape that is not hex":        "a=%zz",
		"an escape with a sign":            "a=%+1",
		"an IIS escape":                    "a=%u0041",
		"invalid UTF-8":                    "a=%ff",
		"a raw byte that is not UTF-8":     "a=\xff",
		"overlong UTF-8":                   "a=%c0%af",
		"a surrogate":                      "a=%ed%a0%80",
		"UTF-8 cut by a separator":         "a=%c3&b=%a9",
		"a raw line break":                 "a=1\r\nb=2",
		"a raw NUL":                        "a=\x00",
		"NUL in a name":                    "a%00b=1",
		"a line break in a name":           "a%0d%0ab=1",
		"DEL in a name":                    "a%7f=1",
		"a C1 control in a name":           "a%c2%85=1",
	} {
		t.Run(name, func(t *testing.T) {
			got, err := form.AppendQuery(nil, "secret=hunter2&"+raw, 0)
			wantProblem(t, err, http.StatusBadRequest, "query_invalid", "hunter2", raw)
			if len(got) > 2 {
				t.Errorf("got %q", got)
			}
			_, err = form.AppendBody(nil, raw, 0)
			wantProblem(t, err, http.StatusBadRequest, "form_invalid", raw)
		})
	}
}

func TestPairsAreCounted(t *testing.T) {
	raw := strings.Repeat("a&", form.DefaultPairs)
	if got, err := form.AppendQuery(nil, raw, 0); err != nil || len(got) != form.DefaultPairs {
		t.Errorf("%d pairs: got %d, %v", form.DefaultPairs, len(got), err)
	}
	_, err := form.AppendQuery(nil, raw+"a", 0)
	wantProblem(t, err, http.StatusBadRequest, "query_too_many_parameters")
	_, err = form.AppendBody(nil, raw+"a", 0)
	wantProblem(t, err, http.StatusRequestEntityTooLarge, "form_too_many_fields")
	_, err = form.AppendQuery(nil, "a&b&c", 2)
	wantProblem(t, err, http.StatusBadRequest, "query_too_many_parameters")
}

func TestErrorsOfYieldEndTheParsers(t *testing.T) {
	stop := errors.New("stop")
	calls := 0
	yield := func(string, string) error { calls++; return stop }
	if err := form.Query("a&b", 0, yield); err != stop {
		t.Errorf("Query: %v", err)
	}
	if err := form.Body("a&b", 0, yield); err != stop {
		t.Errorf("Body: %v", err)
	}
	if err := form.Cookies([]string{"a=1; b=2"}, yield); err != stop {
		t.Errorf("Cookies: %v", err)
	}
	if calls != 3 {
		t.Errorf("yield was called %d times, want 3", calls)
	}
}

func TestPairs(t *testing.T) {
	p := form.Pairs{{"a", "1"}, {"b", "2"}, {"a", "3"}}
	if v, n := p.Lookup("a"); v != "1" || n != 2 {
		t.Errorf("Lookup(a) = %q, %d", v, n)
	}
	if v, n := p.Lookup("A"); v != "" || n != 0 {
		t.Errorf("Lookup(A) = %q, %d", v, n)
	}
	if got := slices.Collect(p.Each("a")); !slices.Equal(got, []string{"1", "3"}) {
		t.Errorf("Each(a) = %q", got)
	}
}

func TestPlainTextIsParsedWithoutAllocation(t *testing.T) {
	space := make(form.Pairs, 0, 8)
	header := []string{"sid=abc; theme=dark"}
	for name, parse := range map[string]func(){
		"query":      func() { _, _ = form.AppendQuery(space, "page=2&sort=name&é=ü", 0) },
		"cookies":    func() { _, _ = form.AppendCookies(space, header) },
		"lookup":     func() { _, _ = form.Pairs{{"a", "1"}}.Lookup("a") },
		"media type": func() { _, _ = form.MediaType("application/json; charset=utf-8") },
		"multipart":  func() { _, _ = form.MediaType("multipart/form-data; boundary=----WebKitFormBoundaryAbC") },
	} {
		if n := testing.AllocsPerRun(10, parse); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func TestCookies(t *testing.T) {
	tests := []struct {
		header []string
		want   form.Pairs
	}{
		{nil, nil},
		{[]string{""}, nil},
		{[]string{"a=1"}, form.Pairs{{"a", "1"}}},
		{[]string{"a=1; b=2;c=3"}, form.Pairs{{"a", "1"}, {"b", "2"}, {"c", "3"}}},
		{[]string{"a=1; a=2"}, form.Pairs{{"a", "1"}, {"a", "2"}}},
		{[]string{"a=1", "b=2"}, form.Pairs{{"a", "1"}, {"b", "2"}}},
		{[]string{"a="}, form.Pairs{{"a", ""}}},
		{[]string{"a=b=c=="}, form.Pairs{{"a", "b=c=="}}},
		{[]string{"__Host-sid=x!#$%&'()*+-./:<=>?@[]^_`{|}~"}, form.Pairs{{"__Host-sid", "x!#$%&'()*+-./:<=>?@[]^_`{|}~"}}},
	}
	for _, tt := range tests {
		got, err := form.AppendCookies(nil, tt.header)
		if err != nil || !slices.Equal(got, tt.want) {
			t.Errorf("AppendCookies(%q) = %q, %v, want %q", tt.header, got, err, tt.want)
		}
	}
}

func TestMalformedCookiesAreRefusedNotDropped(t *testing.T) {
	for name, header := range map[string]string{
		"no equals sign":                    "sid",
		"a nameless cookie":                 "=sid",
		"a nameless cookie with a name":     "=sid=abc",
		"a quoted value":                    `a="1"`,
		"a quoted value that hides another": `a="1; sid=evil"`,
		"an octal escape":                   `a=\073`,
		"a comma":                           "a=1,b=2",
		"a space in a value":                "a=1 2",
		"a space before the name":           "a=1;  b=2",
		"a tab before the name":             "a=1;\tb=2",
		"a space before the equals sign":    "a =1",
		"a space after the equals sign":     "a= 1",
		"an empty piece":                    "a=1; ; b=2",
		"a semicolon at the end":            "a=1;",
		"a semicolon alone":                 ";",
		"a letter that is not ASCII":        "a=é",
		"an en quad before a __Host- name":  "a=1;\u2000__Host-sid=x",
		"NUL":                               "a=1\x00",
		"a line break":                      "a=1\r\nb=2",
		"DEL":                               "a=\x7f",
		"a bracket in a name":               "a[]=1",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := form.AppendCookies(nil, []string{"secret=hunter2", header})
			wantProblem(t, err, http.StatusBadRequest, "cookie_invalid", "hunter2", header)
		})
	}
}

func TestCookieBombsAreRefused(t *testing.T) {
	_, err := form.AppendCookies(nil, []string{"a=" + strings.Repeat("x", form.MaxCookieBytes-2)})
	if err != nil {
		t.Errorf("%d bytes: %v", form.MaxCookieBytes, err)
	}
	_, err = form.AppendCookies(nil, []string{"a=" + strings.Repeat("x", form.MaxCookieBytes/2), "b=" + strings.Repeat("x", form.MaxCookieBytes/2)})
	wantProblem(t, err, http.StatusRequestHeaderFieldsTooLarge, "cookies_too_large")
	many := strings.Repeat("a=1; ", form.MaxCookies-1)
	if got, err := form.AppendCookies(nil, []string{many + "a=1"}); err != nil || len(got) != form.MaxCookies {
		t.Errorf("%d cookies: got %d, %v", form.MaxCookies, len(got), err)
	}
	_, err = form.AppendCookies(nil, []string{many + "a=1", "b=2"})
	wantProblem(t, err, http.StatusRequestHeaderFieldsTooLarge, "cookies_too_large")
}

func TestMediaType(t *testing.T) {
	tests := map[string]form.Media{
		"application/json":                           {Type: "application/json"},
		"application/json; charset=utf-8":            {Type: "application/json", Charset: "utf-8"},
		"application/json;charset=utf-8":             {Type: "application/json", Charset: "utf-8"},
		`Application/JSON ;	Charset="UTF-8"`:         {Type: "application/json", Charset: "utf-8"},
		"application/json;":                          {Type: "application/json"},
		`application/ld+json; profile="http://a b"`:  {Type: "application/ld+json"},
		"multipart/form-data; boundary=AbC":          {Type: "multipart/form-data", Boundary: "AbC"},
		`multipart/form-data; boundary="a b"`:        {Type: "multipart/form-data", Boundary: "a b"},
		"application/x-www-form-urlencoded":          {Type: "application/x-www-form-urlencoded"},
		"text/plain; charset=iso-8859-1":             {Type: "text/plain", Charset: "iso-8859-1"},
		"application/vnd.api+json; ext=x; version=1": {Type: "application/vnd.api+json"},
	}
	for in, want := range tests {
		if got, err := form.MediaType(in); err != nil || got != want {
			t.Errorf("MediaType(%q) = %+v, %v, want %+v", in, got, err, want)
		}
	}
}

func TestMediaTypesThatAreRefused(t *testing.T) {
	tests := []struct {
		in     string
		status int
		code   string
	}{
		{"", 415, "media_type_missing"},
		{"application/json; charset=utf-16", 415, "charset_unsupported"},
		{"application/problem+json; charset=latin1", 415, "charset_unsupported"},
		{"application/x-www-form-urlencoded; charset=ibm500", 415, "charset_unsupported"},
		{"multipart/form-data; boundary=a; charset=utf-7", 415, "charset_unsupported"},
		{"application/json, text/plain", 400, "media_type_invalid"},
		{"application/json; charset=utf-8; charset=utf-16", 400, "media_type_invalid"},
		{"application/json; charset=utf-8; CHARSET=utf-8", 400, "media_type_invalid"},
		{"application/json; charset", 400, "media_type_invalid"},
		{"application/json; charset=", 400, "media_type_invalid"},
		{`application/json; charset="utf-8`, 400, "media_type_invalid"},
		{`application/json; charset="utf\-8"`, 400, "media_type_invalid"},
		{`application/json; charset="utf-8"x`, 400, "media_type_invalid"},
		{"application/json; charset =utf-8", 400, "media_type_invalid"},
		{"application/json; charset= utf-8", 400, "media_type_invalid"},
		{"application/json charset=utf-8", 400, "media_type_invalid"},
		{"application/json;; charset=utf-8", 400, "media_type_invalid"},
		{"application/json; a=b;; charset=utf-8", 400, "media_type_invalid"},
		{"application", 400, "media_type_invalid"},
		{"/", 400, "media_type_invalid"},
		{"application/", 400, "media_type_invalid"},
		{"application/json/x", 400, "media_type_invalid"},
		{"application/json\x00", 400, "media_type_invalid"},
		{"application/json;\r\nx=y", 400, "media_type_invalid"},
		{"application/jsön", 400, "media_type_invalid"},
		{"; charset=utf-8", 400, "media_type_invalid"},
		{"a/b" + strings.Repeat("; ", 10) + manyParameters(17), 400, "media_type_invalid"},
	}
	for _, tt := range tests {
		_, err := form.MediaType(tt.in)
		wantProblem(t, err, tt.status, tt.code, tt.in)
	}
}

func manyParameters(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, ";p%d=1", i)
	}
	return b.String()
}

func TestRepeatedContentTypeIsRefused(t *testing.T) {
	_, err := form.ContentType([]string{"application/json", "application/json"})
	wantProblem(t, err, http.StatusBadRequest, "media_type_repeated")
	_, err = form.ContentType(nil)
	wantProblem(t, err, http.StatusUnsupportedMediaType, "media_type_missing")
	if m, err := form.ContentType([]string{"application/json"}); err != nil || !m.IsJSON() || m.IsForm() {
		t.Errorf("one value: %+v, %v", m, err)
	}
}

// FuzzQuery holds the parser to net/url: what passes here reads the same there.
func FuzzQuery(f *testing.F) {
	for _, s := range []string{"", "a=1&b=2&a=3", "a+b=c%20d", "q=%C3%A9", "id=1;id=2", "a=%zz", "&&=&", "a=%ff", "a%00=1", "é=ü"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		got, err := form.AppendQuery(nil, raw, 0)
		if _, bodyErr := form.AppendBody(nil, raw, 0); (err == nil) != (bodyErr == nil) {
			t.Fatalf("%q: query %v, body %v", raw, err, bodyErr)
		}
		if err != nil {
			if _, ok := errors.AsType[*problem.Problem](err); !ok {
				t.Fatalf("%q: %v is not a problem", raw, err)
			}
			return
		}
		want, err := url.ParseQuery(raw)
		if err != nil {
			t.Fatalf("net/url refuses %q: %v", raw, err)
		}
		values := url.Values{}
		for _, p := range got {
			values.Add(p.Name, p.Value)
		}
		if !reflect.DeepEqual(values, want) {
			t.Errorf("%q is read %q here, %q there", raw, values, want)
		}
	})
}

// FuzzCookies holds the parser to net/http, which drops what it cannot read:
// where everything passes here, nothing is dropped there.
func FuzzCookies(f *testing.F) {
	for _, s := range []string{"", "a=1", "a=1; b=2;c=3", `a="1"`, "a", "=a", "a=1;;b=2", "a=1,b", "$Version=1; a=b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, header string) {
		got, err := form.AppendCookies(nil, []string{header})
		if err != nil {
			return
		}
		r := http.Request{Header: http.Header{"Cookie": {header}}}
		var there form.Pairs
		for _, c := range r.Cookies() {
			there = append(there, form.Pair{Name: c.Name, Value: c.Value})
		}
		if !slices.Equal(got, there) {
			t.Errorf("%q is read %q here, %q there", header, got, there)
		}
	})
}

func FuzzMediaType(f *testing.F) {
	for _, s := range []string{"application/json", "application/json; charset=utf-8", `a/b; c="d e"; boundary=x`, "a/b;;", "a/b; c*=utf-8''x", "a/b; c*0=x; c*1=y", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		got, err := form.MediaType(in)
		if err != nil {
			return
		}
		if strings.Contains(in, "*") {
			return // mime reads RFC 2231 out of the names.
		}
		kind, params, err := mime.ParseMediaType(in)
		if err != nil && !errors.Is(err, mime.ErrInvalidMediaParameter) {
			t.Fatalf("mime refuses %q: %v", in, err)
		}
		if kind != got.Type || err == nil && (params["boundary"] != got.Boundary || strings.ToLower(params["charset"]) != got.Charset) {
			t.Errorf("%q is read %+v here, %s %q there", in, got, kind, params)
		}
	})
}

func ExampleQuery() {
	err := form.Query("tag=go&tag=http+api", 0, func(name, value string) error {
		fmt.Printf("%s: %s\n", name, value)
		return nil
	})
	fmt.Println(err)
	// Output:
	// tag: go
	// tag: http api
	// <nil>
}
