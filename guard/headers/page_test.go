package headers_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/fastness/fastness/guard/headers"
)

func page(t testing.TB, cfg headers.PageConfig) *headers.Page {
	t.Helper()
	p, err := headers.NewPage(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPolicyOfAPage(t *testing.T) {
	const start = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'; connect-src 'self'; img-src 'self'; font-src 'self'; style-src 'self'"
	for _, tt := range []struct {
		name, nonce, want string
		cfg               headers.PageConfig
	}{
		{"without scripts", "", start, headers.PageConfig{}},
		{"with scripts", "abc", start + " 'nonce-abc'; script-src 'nonce-abc' 'strict-dynamic'", headers.PageConfig{}},
		{"with reports", "", start + "; report-uri /csp-reports; report-to csp", headers.PageConfig{ReportTo: "/csp-reports"}},
		{"with all of it", "abc", "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self' https://a.example; connect-src 'self' https://b.example:8443; " +
			"img-src 'self' https://c.example data:; font-src 'self' https://d.example; media-src 'self' https://e.example; frame-src https://f.example; " +
			"style-src 'self' https://g.example 'nonce-abc'; script-src 'nonce-abc' 'strict-dynamic'; report-uri https://r.example/x; report-to csp",
			headers.PageConfig{
				Forms: []string{"https://a.example"}, Connect: []string{"https://b.example:8443"}, Images: []string{"https://c.example"}, DataImages: true, Fonts: []string{"https://d.example"},
				Media: []string{"https://e.example"}, Frames: []string{"https://f.example"}, Styles: []string{"https://g.example"}, ReportTo: "https://r.example/x",
			}},
	} {
		h := http.Header{"Content-Security-Policy": {"of the answer before"}}
		page(t, tt.cfg).Set(h, tt.nonce)
		if got := h.Values("Content-Security-Policy"); len(got) != 1 || got[0] != tt.want {
			t.Errorf("%s:\n%q, want\n%q", tt.name, got, tt.want)
		}
		// What this package makes must pass what it checks, but for the nonce.
		checked := strings.ReplaceAll(tt.want, " 'nonce-abc'", "")
		if _, err := headers.New(headers.Config{ContentSecurityPolicy: checked}); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestNewPageRefuses(t *testing.T) {
	for _, tt := range []struct {
		name, want string
		cfg        headers.PageConfig
	}{
		{"a source that ends the directive", "Images entry", headers.PageConfig{Images: []string{"https://a.example; script-src *"}}},
		{"a keyword", "Styles entry", headers.PageConfig{Styles: []string{"'unsafe-inline'"}}},
		{"a star", "Connect entry", headers.PageConfig{Connect: []string{"*"}}},
		{"a scheme", "Frames entry", headers.PageConfig{Frames: []string{"https:"}}},
		{"a wildcard", "has a wildcard", headers.PageConfig{Fonts: []string{"https://*.example.com"}}},
		{"no TLS", "no TLS", headers.PageConfig{Media: []string{"http://a.example"}}},
		{"a line break", "Forms entry", headers.PageConfig{Forms: []string{"https://a.example\r\nX: y"}}},
		{"reports that end the directive", "ends before its end", headers.PageConfig{ReportTo: "/x; script-src *"}},
		{"reports that end the policy", "ends before its end", headers.PageConfig{ReportTo: "/x,script-src"}},
		{"reports that end the string", "ends before its end", headers.PageConfig{ReportTo: `/x"`}},
		{"reports with a line break", "control character", headers.PageConfig{ReportTo: "/x\r\nX: y"}},
		{"reports without TLS", "want a path", headers.PageConfig{ReportTo: "http://a.example/"}},
		{"reports to another site by two slashes", "want a path", headers.PageConfig{ReportTo: "//a.example/"}},
		{"reports to a host that is none", "user name", headers.PageConfig{ReportTo: "https://a@b.example/"}},
	} {
		if p, err := headers.NewPage(tt.cfg); p != nil || err == nil || !strings.HasPrefix(err.Error(), "headers page: ") || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
	_, err := headers.NewPage(headers.PageConfig{Images: []string{"a", "b"}, Styles: []string{"c"}, ReportTo: "x"})
	for _, want := range []string{`Images entry "a"`, `Images entry "b"`, "Styles", "ReportTo"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s is missing in %v", want, err)
		}
	}
}

func TestNoncesAreDistinctAndUnguessable(t *testing.T) {
	seen := map[string]bool{}
	var or, and [16]byte
	for i := range and {
		and[i] = 0xff
	}
	for range 1000 {
		nonce := headers.Nonce()
		bits, err := base64.RawURLEncoding.DecodeString(nonce)
		if err != nil || len(bits) != 16 || seen[nonce] {
			t.Fatalf("%q: %v, %d bytes, seen %v", nonce, err, len(bits), seen[nonce])
		}
		seen[nonce] = true
		for i, b := range bits {
			or[i] |= b
			and[i] &= b
		}
	}
	for i := range or { // Each bit is seen as 0 and as 1; that one is not has a chance of 2 to the power of -992.
		if or[i] != 0xff || and[i] != 0 {
			t.Errorf("byte %d has a bit that never changes", i)
		}
	}
}

func TestReportsHaveAPlace(t *testing.T) {
	h := http.Header{}
	set(t, headers.Config{ReportTo: "/csp-reports", CrossOriginEmbedderPolicy: "require-corp"}).Set(h)
	for name, want := range map[string]string{
		"Content-Security-Policy":      defaults["Content-Security-Policy"] + "; report-uri /csp-reports; report-to csp",
		"Reporting-Endpoints":          `csp="/csp-reports"`,
		"Cross-Origin-Embedder-Policy": "require-corp",
	} {
		if got := h.Get(name); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
	h = http.Header{}
	set(t, headers.Config{}).Set(h)
	if len(h) != 6 {
		t.Errorf("the default has %d entries, want 6: with a Content-Type and a request id the map would grow", len(h))
	}
	for _, cfg := range []headers.Config{
		{ReportTo: "/x; script-src *"}, {ReportTo: `/x", b="https://evil.example`}, {ReportTo: "x"}, {ReportTo: "https://"}, {CrossOriginEmbedderPolicy: "unsafe-none"},
		{ReportTo: "/x", ContentSecurityPolicy: "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; report-uri /y"},
	} {
		if _, err := headers.New(cfg); err == nil {
			t.Errorf("New(%+v) takes it", cfg)
		}
	}
}

// policies are those that this package makes.
func policies(t testing.TB) map[string]string {
	h := http.Header{}
	set(t, headers.Config{}).Set(h)
	reported := http.Header{}
	set(t, headers.Config{ReportTo: "/csp-reports"}).Set(reported)
	all := headers.PageConfig{
		Forms: []string{"https://a.example"}, Connect: []string{"https://a.example"}, Images: []string{"https://a.example"}, DataImages: true, Fonts: []string{"https://a.example"},
		Media: []string{"https://a.example"}, Frames: []string{"https://a.example"}, Styles: []string{"https://a.example"}, ReportTo: "/csp-reports",
	}
	return map[string]string{
		"data": h.Get("Content-Security-Policy"), "data, reported": reported.Get("Content-Security-Policy"),
		"page": page(t, headers.PageConfig{}).Policy(""), "page with scripts": page(t, headers.PageConfig{}).Policy(headers.Nonce()),
		"page with all": page(t, all).Policy(""), "page with all and scripts": page(t, all).Policy(headers.Nonce()),
	}
}

// TestCSPEvaluatorFindsNothingHigh asks Google's csp_evaluator, where it is
// installed; "make csp" installs it, and asks it about a whole app.
func TestCSPEvaluatorFindsNothingHigh(t *testing.T) {
	const tool = "../../.cache/csp/evaluate.mjs"
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("no node on the PATH; on Debian: apt-get install -y nodejs")
	}
	if _, err := os.Stat("../../.cache/csp/node_modules/csp_evaluator"); err != nil {
		t.Skip("csp_evaluator is not installed: make csp does it")
	}
	type policy struct {
		Name   string `json:"name"`
		Policy string `json:"policy"`
	}
	asked := []policy{{"a bad one", "script-src 'unsafe-inline' *"}}
	for name, text := range policies(t) {
		asked = append(asked, policy{name, text})
	}
	input, err := json.Marshal(asked)
	if err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), node, tool)
	command.Stdin = bytes.NewReader(input)
	output, err := command.Output()
	if err != nil {
		t.Fatalf("csp_evaluator: %v", err)
	}
	var judged []struct {
		Name     string
		Findings []struct {
			Severity                      int
			Directive, Value, Description string
		}
	}
	if err := json.Unmarshal(output, &judged); err != nil || len(judged) != len(asked) || len(judged[0].Findings) == 0 {
		t.Fatalf("%d of %d judged, nothing of a bad one: %v", len(judged), len(asked), err)
	}
	for _, j := range judged[1:] {
		for _, f := range j.Findings {
			if text := fmt.Sprintf("%s: severity %d, %s %s: %s", j.Name, f.Severity, f.Directive, f.Value, f.Description); f.Severity <= 40 {
				t.Error(text)
			} else {
				t.Log(text)
			}
		}
	}
}

func ExamplePage() {
	page, err := headers.NewPage(headers.PageConfig{Images: []string{"https://cdn.example.com"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	h := http.Header{}
	nonce := headers.Nonce() // for <script nonce="…">
	page.Set(h, nonce)
	fmt.Println(strings.ReplaceAll(h.Get("Content-Security-Policy"), nonce, "…"))
	// Output:
	// default-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'; connect-src 'self'; img-src 'self' https://cdn.example.com; font-src 'self'; style-src 'self' 'nonce-…'; script-src 'nonce-…' 'strict-dynamic'
}
