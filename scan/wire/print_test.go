package wire

import (
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestTextOfTheTargetCannotMoveTheCursor(t *testing.T) {
	for in, want := range map[string]string{
		"plain\tü\n":         "plain\tü\n",
		"\x1b[2J\x07":        `\x1b[2J\x07`,
		"a\rb":               `a\rb`,
		"\u202eevil\u2066":   `\u202eevil\u2066`,
		"\u009b31m":          `\u009b31m`,
		"a\xffb":             `a\xffb`,
		"zero\u200bwidth":    `zero\u200bwidth`,
		"tag\U000e0041":      `tag\U000e0041`,
		"\u2028":             `\u2028`,
		"\x00\x7f":           `\x00\x7f`,
		"replaced \uFFFD ok": `replaced \ufffd ok`,
	} {
		if got := Printable(in); got != want {
			t.Errorf("Printable(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestSecretsAreReplacedInEveryForm(t *testing.T) {
	const token, password = "s3cr/et+token==", `p"ss wörd<1>`
	var r Redactor
	r.Add(token, "token alice")
	r.Add(password, "PASSWORD_ALICE")
	basic := base64.StdEncoding.EncodeToString([]byte("alice:" + password))
	for _, in := range []string{
		token, "x=s3cr%2Fet%2Btoken%3D%3D", "x=s3cr%2fet%2btoken%3d%3d", base64.StdEncoding.EncodeToString([]byte(token)),
		`{"p":"p\"ss wörd<1>"}`, `{"p":"p\"ss wörd\u003c1\u003e"}`, "p=p%22ss+w%C3%B6rd%3C1%3E", "p%22ss%20w%C3%B6rd%3C1%3E", "p&#34;ss wörd&lt;1&gt;",
		"Basic " + basic, base64.RawURLEncoding.EncodeToString([]byte("1\x00" + password + "2")),
	} {
		got := r.Text(in)
		if !strings.Contains(got, "$TOKEN_ALICE") && !strings.Contains(got, "$PASSWORD_ALICE") {
			t.Errorf("%q became %q", in, got)
		}
		if strings.Contains(got, "token=") || strings.Contains(got, "rd<") || strings.Contains(got, basic) {
			t.Errorf("%q still shows: %q", in, got)
		}
	}
}

func TestAShortPasswordDoesNotMakeTheReportUnreadable(t *testing.T) {
	var r Redactor
	r.Add("test", "PASSWORD_BOB")
	if got := r.Text(`{"latest":"test","contest":1}`); got != `{"latest":"$PASSWORD_BOB","contest":1}` {
		t.Error(got)
	}
}

func TestAnUnknownWebTokenIsShownWithoutItsSignature(t *testing.T) {
	var r Redactor
	got := r.Text("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U")
	if got != "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.$SIGNATURE" {
		t.Error(got)
	}
}

// TestTheCommandSendsTheSameRequest runs what Curl says, and compares what arrives.
func TestTheCommandSendsTheSameRequest(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("there is no curl")
	}
	type arrival struct{ line, token, body, media, empty string }
	arrived := make(chan arrival, 1)
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body := make([]byte, 1000)
		n, _ := r.Body.Read(body)
		arrived <- arrival{r.Method + " " + r.RequestURI, r.Header.Get("X-Token"), string(body[:n]), r.Header.Get("Content-Type"), strings.Join(r.Header["X-Empty"], "|")}
	}))
	defer s.Close()
	c := connect(t, s.URL)
	for _, r := range []Request{
		{Method: "GET", Path: "/a/../b/%2e%2e/[1]{2}", Query: "q='\"$HOME`id`"},
		{Method: "HEAD", Path: "/"},
		{Method: "POST", Path: "/x", Body: []byte(`{"a":"it's $HOME @file \n"}`), Header: http.Header{"Content-Type": {"application/json"}}},
		{Method: "POST", Path: "/x", Body: []byte("@/etc/passwd")},
		{Method: "PUT", Path: "/x", Body: []byte("\x00\xff\x1b\\0101 %s %% 7\r\n")},
		{Method: "DELETE", Path: "/x", Header: http.Header{"X-Empty": {""}, "X-Token": {"a-long-secret-token"}}},
		{Method: "GET", Path: "/with/body", Body: []byte("{}")},
	} {
		ex := c.Do(t.Context(), r)
		want := <-arrived
		var redactor Redactor
		redactor.Add("a-long-secret-token", "TOKEN")
		line := ex.Curl(redactor.Text)
		if strings.Contains(line, "a-long-secret-token") || !utf8.ValidString(line) {
			t.Errorf("shown: %s", line)
		}
		cmd := exec.CommandContext(t.Context(), "sh", "-c", line)
		cmd.Env = append(cmd.Environ(), "TOKEN=a-long-secret-token")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", line, err, out)
		}
		if got := <-arrived; !reflect.DeepEqual(got, want) {
			t.Errorf("%s\nsent %q\nnot  %q", line, got, want)
		}
	}
}

func FuzzPrintable(f *testing.F) {
	f.Add("a\x1b[0m\u202e\xff")
	f.Fuzz(func(t *testing.T, in string) {
		out := Printable(in)
		for _, r := range out {
			if !printable(r) {
				t.Fatalf("%q shows %q", out, r)
			}
		}
	})
}

func FuzzRedactor(f *testing.F) {
	f.Add("password1", "x password1 y")
	f.Add("test", "latest test")
	f.Fuzz(func(t *testing.T, secret, text string) {
		var r Redactor
		r.Add(secret, "NAME")
		if out := r.Text("<" + text + "> " + secret); len(secret) >= wholeWords && !strings.Contains("$NAME_BASE64", secret) && strings.Contains(strings.ReplaceAll(out, "$NAME", ""), secret) && !strings.Contains(strings.ReplaceAll("<"+text+"> ", secret, ""), secret) && !strings.Contains(secret, "$") && strings.Contains(out, secret) {
			t.Fatalf("%q in %q", secret, out)
		}
	})
}

func TestTheWordPasswordIsNoSecret(t *testing.T) {
	var r Redactor
	r.Add("password", "PASSWORD_WEAK")
	if got := r.Text("a change of the password"); got != "a change of the password" {
		t.Errorf("the report says %q", got)
	}
}
