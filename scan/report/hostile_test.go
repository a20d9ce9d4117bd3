package report_test

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/report"
	"github.com/fastness/fastness/scan/wire"
)

// hostile is what a target may say anywhere.
const hostile = "\x1b[2J\x1b]0;owned\a\u009b31m\u202egnp.exe\u2066\u200b</style></script><script>alert(1)</script><img src=x onerror=alert(1)>'\"`$(touch /tmp/owned)`;\x00\r\n\xff]]>&{{.}}../../etc/passwd"

// poisoned is a report in which everything that comes from outside is hostile.
func poisoned() *report.Report {
	ex := &wire.Exchange{
		Request: wire.Request{Method: "GET" + hostile, Path: "/" + hostile, Query: hostile, Header: http.Header{"X-" + hostile: {hostile}}, Body: []byte(hostile), User: hostile},
		Status:  200, Header: http.Header{"Content-Type": {"application/json" + hostile}, hostile: {hostile}}, Body: []byte(`{"a":"` + hostile + `"}` + strings.Repeat(hostile, 100000)), Err: errors.New(hostile),
	}
	text := ex.Request
	text.Body, ex.Body = []byte(strings.ReplaceAll(hostile, "\x00", "")), []byte(strings.ReplaceAll(hostile, "\x00", ""))
	kind := finding.Kind{ID: "X-" + hostile, Title: hostile, Describe: hostile, Severity: finding.High, OWASP: hostile, CVSS: hostile, ASVS: []string{hostile}, Remedy: finding.Remedy{Text: hostile, Fastness: hostile, Spring: hostile}}
	place := finding.Place{Method: hostile, Path: hostile, Parameter: hostile, Users: hostile}
	one := finding.Finding{Kind: kind, Severity: 99, Proven: true, Claim: hostile, Control: hostile, Places: []finding.Place{place}, Evidence: []finding.Evidence{{Says: hostile, Exchange: ex}, {Says: hostile, Exchange: &wire.Exchange{Request: text, Body: ex.Body, Status: 500}}, {Says: hostile}}}
	suppressed, hint, empty := one, one, finding.Finding{Severity: -1}
	suppressed.Suppressed, hint.Proven = hostile, false
	return &report.Report{
		Version: hostile, Target: "http://127.0.0.1/" + hostile, Document: hostile, Title: hostile, APIVersion: hostile, Profile: hostile, Stopped: hostile,
		Users: []report.User{{Name: hostile, LogIn: hostile}}, Findings: []*finding.Finding{&one, &suppressed, &hint, &empty},
		Operations: []report.Operation{{ID: hostile, Method: hostile, Path: hostile, Found: hostile, Held: hostile, Answers: []report.Answer{{User: hostile, Status: -7}, {User: "b", Status: 9999}}, Checks: []string{hostile}}},
		Checks:     []report.Check{{Kind: kind}, {Kind: finding.Kind{ID: "Y"}, Failed: hostile}, {Kind: finding.Kind{ID: "Z"}, Skipped: hostile}},
		Complaints: []report.Complaint{{Where: hostile, What: hostile}}, Notes: []string{hostile},
	}
}

func TestHostileTextsMoveNoCursorInAnyFormat(t *testing.T) {
	for _, format := range formats() {
		text := write(t, format, poisoned().Publish(), report.Options{Verbose: true})
		for i, c := range text {
			if c != '\n' && c != '\t' && c != '\uFFFD' && !unicode.IsPrint(c) {
				t.Errorf("%s has %U after %q", format, c, text[max(0, i-60):i])
				break
			}
		}
		if len(text) > 1<<20 {
			t.Errorf("%s has %d bytes: bodies are not cut", format, len(text))
		}
	}
}

func TestHugeBodiesAreCut(t *testing.T) {
	r := full()
	r.Findings[0].Evidence[0].Exchange.Body = []byte(strings.Repeat("äb", 1<<20))
	body := r.Publish().Findings[2].Evidence[0].Response.Body
	if len(body.Text) > 4<<10+3 || !body.Cut || body.Bytes != 3<<20 {
		t.Errorf("%d bytes of %d are shown, cut: %v", len(body.Text), body.Bytes, body.Cut)
	}
}

func TestHostileTextsStayTextsInXMLAndJSON(t *testing.T) {
	d := poisoned().Publish()
	dec := xml.NewDecoder(strings.NewReader(write(t, report.JUnit, d, report.Options{})))
	for {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if start, ok := token.(xml.StartElement); ok && (start.Name.Local == "script" || start.Name.Local == "img") {
			t.Errorf("JUnit has an element %s", start.Name.Local)
		}
	}
	for _, format := range []report.Format{report.JSON, report.SARIF} {
		text := write(t, format, d, report.Options{})
		if !json.Valid([]byte(text)) || strings.Contains(text, "<script") {
			t.Errorf("%s is no JSON, or could end a script", format)
		}
	}
}

func TestHostileTextsStayTextsInHTML(t *testing.T) {
	text := write(t, report.HTML, poisoned().Publish(), report.Options{})
	for _, tag := range regexp.MustCompile(`(?i)<(script|img|iframe|object|embed|form|link|base|svg[^>]* on\w+)`).FindAllString(text, -1) {
		t.Errorf("the page has %s", tag)
	}
	if n := strings.Count(text, "</style>"); n != 1 {
		t.Errorf("the style ends %d times", n)
	}
	if m := regexp.MustCompile(`<[a-z][^>]*\s(on[a-z]+|style|src)=`).FindString(text); m != "" {
		t.Errorf("the page has %s", m)
	}
	if !strings.Contains(text, "default-src 'none'; style-src 'sha256-") {
		t.Error("the page has no policy")
	}
}

func TestCurlSendsTheSameRequestAndRunsNothingElse(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("there is no curl:", err)
	}
	type seen struct{ method, target, header, body string }
	got := make(chan seen, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got <- seen{r.Method, r.RequestURI, r.Header.Get("Authorization"), string(body)}
	}))
	defer server.Close()
	body := `{"a":"it's $(touch owned) ` + "`touch owned`" + ` \u202e","password":"` + password + `"}` + "\n\x1b[2J"
	ex := &wire.Exchange{Origin: server.URL, Request: wire.Request{
		Method: "PATCH", Path: "/a/../b/%2e%2e/[1]{x}", Query: "q=1'%20;$(touch%20owned)&t=" + tokenAlice, Body: []byte(body),
		Header: http.Header{"Authorization": {"Bearer " + tokenBob}, "Content-Type": {"application/json"}},
	}}
	r := full()
	r.Findings[0].Evidence = []finding.Evidence{{Exchange: ex}}
	r.Findings = r.Findings[:1]
	command := r.Publish().Findings[0].Evidence[0].Curl
	sh := exec.CommandContext(t.Context(), "sh", "-c", command)
	sh.Dir = t.TempDir()
	sh.Env = []string{"PATH=/usr/bin:/bin", "TOKEN_ALICE=" + tokenAlice, "TOKEN_BOB=" + tokenBob, "PASSWORD_ALICE=" + password}
	out, err := sh.CombinedOutput()
	if err != nil {
		t.Fatalf("%v %s\n%s", err, out, command)
	}
	if want := (seen{"PATCH", ex.Request.Target(), "Bearer " + tokenBob, body}); <-got != want {
		t.Errorf("it sends something else than %q: %s", want, command)
	}
	if strings.Contains(command, tokenAlice) || strings.Contains(command, tokenBob) || strings.Contains(command, password) {
		t.Errorf("it has a secret: %s", command)
	}
	if left, err := exec.CommandContext(t.Context(), "ls", sh.Dir).Output(); err != nil || len(left) > 0 {
		t.Errorf("it ran something: %s %v", left, err)
	}
}

func TestCredentialsThatNobodyToldOfAreCut(t *testing.T) {
	const session, jwt = "9f86d081884c7d659a2feaa0c55ad015", "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIiwiYWRtaW4iOnRydWV9.c2lnbmF0dXJlLW9mLW1pbmUtMTIz"
	ex := &wire.Exchange{
		Request: wire.Request{Method: "GET", Path: "/a", Header: http.Header{"Cookie": {"sid=" + session}, "X-Api-Key": {session}, "Authorization": {"Basic " + session}}},
		Status:  200, Header: http.Header{"Set-Cookie": {"sid=" + session + "; HttpOnly; SameSite=Lax; Max-Age=3600"}}, Body: []byte(`{"token":"` + jwt + `"}`),
	}
	r := full()
	r.Findings[0].Evidence = []finding.Evidence{{Exchange: ex}}
	for _, format := range formats() {
		text := write(t, format, r.Publish(), report.Options{Verbose: true})
		if strings.Contains(text, session) || strings.Contains(text, "c2lnbmF0dXJlLW9mLW1pbmUt") {
			t.Errorf("%s has a credential", format)
		}
	}
	if text := write(t, report.JSON, r.Publish(), report.Options{}); !strings.Contains(text, "HttpOnly; SameSite=Lax; Max-Age=3600") {
		t.Error("the attributes of the cookie are gone")
	}
}

func TestTerminalHasColoursOnlyIfAllowedAndNoLongLines(t *testing.T) {
	d := full().Publish()
	if text := write(t, report.Terminal, d, report.Options{}); strings.Contains(text, "\x1b") {
		t.Error("there is a colour")
	}
	if text := write(t, report.Terminal, d, report.Options{Colour: true}); !strings.Contains(text, "\x1b[") {
		t.Error("there is no colour")
	}
	for _, width := range []int{10, 80, 120, 1000} {
		for line := range strings.Lines(write(t, report.Terminal, d, report.Options{Width: width})) {
			if n := len([]rune(line)); n > min(max(width, 80), 120)+20 {
				t.Errorf("width %d: a line has %d: %s", width, n, line)
			}
		}
	}
}
