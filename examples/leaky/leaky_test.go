package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// target is the shop as an attacker has it.
type target struct {
	*testing.T
	url               string
	alice, bob, admin *who
}

// who is a user as the attacker knows them.
type who struct {
	id                           int64
	name, token, refresh, cookie string
}

type answer struct {
	status int
	header http.Header
	text   string
}

// at returns what is at a place of a JSON answer, as text: at("orders", 0, "note").
func (a answer) at(path ...any) string {
	var v any
	decoder := json.NewDecoder(strings.NewReader(a.text))
	decoder.UseNumber()
	if decoder.Decode(&v) != nil {
		return ""
	}
	for _, step := range path {
		switch step := step.(type) {
		case string:
			object, _ := v.(map[string]any)
			v = object[step]
		case int:
			list, _ := v.([]any)
			if step >= len(list) {
				return ""
			}
			v = list[step]
		}
	}
	if v == nil {
		return ""
	}
	return fmt.Sprint(v)
}

// start runs the shop for all attacks one after the other: what one of them does must
// not spoil the next.
func start(t *testing.T) *target {
	s, err := open(t.TempDir(), "temp")
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s.handler())
	t.Cleanup(func() { server.Close(); _ = s.db.Close() })
	x := &target{T: t, url: server.URL}
	x.alice, x.bob, x.admin = x.logIn("alice", "Lantern-Alice-1"), x.logIn("bob", "Lantern-Bob-1"), x.logIn("admin", "Rampart-Admin-1")
	return x
}

// send sends a request. Headers are pairs of name and value; body is JSON unless a
// header says otherwise.
func (x *target) send(as *who, method, path, body string, headers ...string) answer {
	x.Helper()
	request, err := http.NewRequestWithContext(x.Context(), method, x.url+path, strings.NewReader(body))
	if err != nil {
		x.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	if as != nil {
		request.Header.Set("Authorization", "Bearer "+as.token)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i] == "Host" {
			request.Host = headers[i+1]
		}
		request.Header.Set(headers[i], headers[i+1])
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(request)
	if err != nil {
		x.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		x.Fatal(err)
	}
	return answer{response.StatusCode, response.Header, string(text)}
}

func (x *target) get(as *who, path string, headers ...string) answer {
	x.Helper()
	return x.send(as, "GET", path, "", headers...)
}

// want ends the test if something is not so.
func (x *target) want(ok bool, what string, a ...answer) {
	x.Helper()
	if !ok {
		for _, each := range a {
			x.Logf("%d %s", each.status, each.text[:min(len(each.text), 500)])
		}
		x.Fatal("not so: " + what)
	}
}

func (x *target) logIn(name, password string) *who {
	x.Helper()
	a := x.send(nil, "POST", "/v2/auth/login", fmt.Sprintf(`{"username":%q,"password":%q}`, name, password))
	x.want(a.status == 200, "log-in of "+name, a)
	w := &who{name: name, token: a.at("access_token"), refresh: a.at("refresh_token"), cookie: a.header.Get("Set-Cookie")}
	w.cookie, _, _ = strings.Cut(w.cookie, ";")
	_, _ = fmt.Sscan(a.at("user", "id"), &w.id)
	return w
}

// user registers a new user, with what else is to be sent.
func (x *target) user(more ...string) *who {
	x.Helper()
	name := "u" + random()
	a := x.send(nil, "POST", "/v2/auth/register", fmt.Sprintf(`{"username":%q,"password":"pw-%s","email":"%s@example.com","phone":"+49 %s"%s}`, name, name, name, name, strings.Join(more, "")))
	x.want(a.status == 201, "registration", a)
	return x.logIn(name, "pw-"+name)
}

// make sends a POST, and returns the id of what it makes.
func (x *target) make(as *who, path, body string) string {
	x.Helper()
	a := x.send(as, "POST", path, body)
	x.want(a.status == 201 && a.at("id") != "", "POST "+path, a)
	return a.at("id")
}

// order makes an order with a note that nobody guesses.
func (x *target) order(as *who) (path, note string) {
	note = "note-" + random()
	return "/v2/orders/" + x.make(as, "/v2/orders", `{"item_id":6,"quantity":1,"note":"`+note+`"}`), note
}

type flaw struct {
	ID                                            string
	Checks                                        []string
	OWASP, Method, Path, Parameter, Wrong, Attack string
	CWE                                           int
}

type trap struct {
	ID           string
	LooksLike    []string `yaml:"looks_like"`
	Method, Path string
	BadScanner   string `yaml:"bad_scanner"`
	WhyWrong     string `yaml:"why_wrong"`
}

func readList(t *testing.T, name string, v any) {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	decoder.KnownFields(true)
	if err := decoder.Decode(v); err != nil {
		t.Fatal(err)
	}
}

func flaws(t *testing.T) []flaw {
	list := struct{ Flaws []flaw }{}
	readList(t, "flaws.yaml", &list)
	return list.Flaws
}

func traps(t *testing.T) []trap {
	list := struct{ Traps []trap }{}
	readList(t, "traps.yaml", &list)
	return list.Traps
}

func TestEachFlawIsShownOverHTTP(t *testing.T) {
	proofs, x := attacks(), start(t)
	for _, f := range flaws(t) {
		t.Run(f.ID+" "+f.Checks[0], func(t *testing.T) {
			attack := proofs[f.ID]
			if attack == nil {
				t.Fatal("no attack")
			}
			each := *x
			each.T = t
			attack(&each)
		})
		delete(proofs, f.ID)
	}
	for id := range proofs {
		t.Errorf("%s is attacked and not in flaws.yaml", id)
	}
}

func TestEachTrapIsHarmless(t *testing.T) {
	proofs, x := innocence(), start(t)
	for _, f := range traps(t) {
		t.Run(f.ID+" "+f.LooksLike[0], func(t *testing.T) {
			show := proofs[f.ID]
			if show == nil {
				t.Fatal("nothing shows that it is harmless")
			}
			each := *x
			each.T = t
			show(&each)
		})
		delete(proofs, f.ID)
	}
	for id := range proofs {
		t.Errorf("%s is shown and not in traps.yaml", id)
	}
}

func TestCommentsAndListSayTheSame(t *testing.T) {
	label := regexp.MustCompile(`// FLAW (LK-\d+) \(([^,]+), (API\d+:2023), CWE-(\d+)\): (.*)`)
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	labels := map[string]string{}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		if n := strings.Count(string(text), "// FLAW"); n != len(label.FindAllString(string(text), -1)) {
			t.Errorf("%s has a label that is not written as the others", name)
		}
		for _, m := range label.FindAllStringSubmatch(string(text), -1) {
			if labels[m[1]] != "" {
				t.Errorf("%s labels two places", m[1])
			}
			labels[m[1]] = strings.Join(m[2:], "|")
		}
	}
	covered := map[string]bool{}
	for _, f := range flaws(t) {
		if want := fmt.Sprintf("%s|%s|%d|%s", strings.Join(f.Checks, " "), f.OWASP, f.CWE, f.Wrong); labels[f.ID] != want {
			t.Errorf("%s: the comment says %q, the list %q", f.ID, labels[f.ID], want)
		}
		if f.Method == "" || f.Path == "" || f.Attack == "" {
			t.Errorf("%s: the row is not complete", f.ID)
		}
		delete(labels, f.ID)
		covered[f.OWASP] = true
	}
	for id := range labels {
		t.Errorf("%s is in the code and not in flaws.yaml", id)
	}
	if len(covered) != 10 {
		t.Errorf("%d of the ten items of the OWASP API Security Top 10 are there", len(covered))
	}
}

// TestTheRowsArePathsOfTheProgram keeps the lists from naming what is not served.
func TestTheRowsArePathsOfTheProgram(t *testing.T) {
	routes, err := os.ReadFile("routes.go")
	if err != nil {
		t.Fatal(err)
	}
	served := []string{"/v2/me/{path}.css", "/app/{path}", "/"}
	for _, m := range regexp.MustCompile(`on\("(?:[A-Z]+ )?([^"]+)"`).FindAllStringSubmatch(string(routes), -1) {
		served = append(served, m[1])
	}
	for _, f := range flaws(t) {
		if !slices.Contains(served, f.Path) {
			t.Errorf("%s: %s is not served", f.ID, f.Path)
		}
	}
	for _, f := range traps(t) {
		if !slices.Contains(served, f.Path) {
			t.Errorf("%s: %s is not served", f.ID, f.Path)
		}
	}
}

func TestAddressesOfOthersAreRefused(t *testing.T) {
	for _, addr := range []string{":8666", "0.0.0.0:8666", "[::]:8666", "192.0.2.1:8666", "8.8.8.8:80", "8666"} {
		if loopbackOnly(t.Context(), addr) == nil {
			t.Errorf("%s is accepted", addr)
		}
	}
	for _, addr := range []string{"127.0.0.1:0", "[::1]:8666", "localhost:8666"} {
		if err := loopbackOnly(t.Context(), addr); err != nil {
			t.Error(err)
		}
	}
	if err := run(t.Context(), []string{"--addr", "0.0.0.0:0"}); err == nil || !strings.Contains(err.Error(), "loopback") {
		t.Errorf("run: %v", err)
	}
}

func TestPagesOfOtherSitesAreRefused(t *testing.T) {
	x := start(t)
	for _, each := range []struct {
		headers []string
		status  int
	}{
		{[]string{}, 200},
		{[]string{"Sec-Fetch-Site", "none"}, 200},
		{[]string{"Sec-Fetch-Site", "same-origin"}, 200},
		{[]string{"Origin", "https://evil.example"}, 200},
		{[]string{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"}, 200},
		{[]string{"Sec-Fetch-Site", "cross-site"}, 403},
		{[]string{"Sec-Fetch-Site", "cross-site", "Origin", "null"}, 403},
		{[]string{"Sec-Fetch-Site", "cross-site", "Origin", "https://www.castle-news.com"}, 403},
		{[]string{"Sec-Fetch-Site", "same-site", "Origin", "http://127.0.0.1:1"}, 403},
		{[]string{"Sec-Fetch-Site", "same-origin", "Host", "rebound.castle-news.com"}, 403},
	} {
		if a := x.get(nil, "/v2/health", each.headers...); a.status != each.status {
			t.Errorf("%q: %d, want %d", each.headers, a.status, each.status)
		}
	}
}

// TestTheDocumentIsRead keeps the document one that tools can parse.
func TestTheDocumentIsRead(t *testing.T) {
	x := start(t)
	a := x.get(nil, "/openapi.json")
	doc := struct {
		OpenAPI string
		Paths   map[string]map[string]any
	}{}
	if err := json.Unmarshal([]byte(a.text), &doc); err != nil || doc.OpenAPI != "3.0.3" || len(doc.Paths) < 60 {
		t.Fatal(err, doc.OpenAPI, len(doc.Paths))
	}
	x.want(x.get(nil, "/openapi.yaml").text == string(document), "the YAML is the same")
}
